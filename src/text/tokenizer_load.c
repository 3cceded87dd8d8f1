/* Puts a tokenizer together from a folder's files, as transformers 5 does.
 *
 * For the classes CLIPTokenizer and BertTokenizer it takes vocabulary, merges and added tokens from
 * the files, and builds normalizer, pre-tokenizer and post-processor itself, from the class and
 * tokenizer_config.json; what tokenizer.json says of these is only checked to be of a known kind.
 * For the generic class (PreTrainedTokenizerFast, TokenizersBackend) tokenizer.json counts as it
 * is. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/postprocessor.h"
#include "text/tokenizer_files.h"
#include "text/tokenizer_internal.h"
#include "text/tokenizer_load.h"

enum { NO_LIMIT = 1 << 20 }; /* a longer model_max_length is a stand-in for "none" */

static const struct family families[] = {
    [GE_TOKENIZER_CLIP] = {.name = "CLIPTokenizer",
                           .json_type = "BPE",
                           .model = MODEL_BPE,
                           .special = {[GE_TOKEN_BOS] = "<|startoftext|>",
                                       [GE_TOKEN_EOS] = "<|endoftext|>",
                                       [GE_TOKEN_UNK] = "<|endoftext|>",
                                       [GE_TOKEN_PAD] = "<|endoftext|>"},
                           .first = GE_TOKEN_BOS,
                           .last = GE_TOKEN_EOS},
    [GE_TOKENIZER_BERT] = {.name = "BertTokenizer",
                           .json_type = "WordPiece",
                           .model = MODEL_WORDPIECE,
                           .special = {[GE_TOKEN_UNK] = "[UNK]",
                                       [GE_TOKEN_SEP] = "[SEP]",
                                       [GE_TOKEN_PAD] = "[PAD]",
                                       [GE_TOKEN_CLS] = "[CLS]",
                                       [GE_TOKEN_MASK] = "[MASK]"},
                           .first = GE_TOKEN_CLS,
                           .last = GE_TOKEN_SEP},
};

/* The named specials in the order in which the reference adds them. */
static const char *const special_keys[GE_SPECIAL_TOKENS] = {
    [GE_TOKEN_BOS] = "bos_token",  [GE_TOKEN_EOS] = "eos_token", [GE_TOKEN_UNK] = "unk_token",
    [GE_TOKEN_SEP] = "sep_token",  [GE_TOKEN_PAD] = "pad_token", [GE_TOKEN_CLS] = "cls_token",
    [GE_TOKEN_MASK] = "mask_token"};

/* ---- class -------------------------------------------------------------------------------- */

static ge_status choose_class(struct loader *l)
{
    static const char *const generic[] = {"PreTrainedTokenizer", "TokenizersBackend"};
    /* DistilBERT's and ELECTRA's tokenizers are BERT's under another name. */
    static const char *const like_bert[] = {"DistilBertTokenizer", "ElectraTokenizer"};
    const char *name = l->files.tokenizer_class;
    if (name == NULL || strcmp(name, l->family->name) == 0) return GE_OK;
    for (size_t i = 0; i < sizeof generic / sizeof generic[0]; i++) {
        if (strcmp(name, generic[i]) == 0) {
            l->literal = l->files.json_path != NULL;
            return GE_OK;
        }
    }
    for (size_t i = 0; i < sizeof like_bert / sizeof like_bert[0]; i++) {
        if (l->family == &families[GE_TOKENIZER_BERT] && strcmp(name, like_bert[i]) == 0) {
            return GE_OK;
        }
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: tokenizer_class \"%.64s\" is not supported for this model (known: %s, "
                   "PreTrainedTokenizerFast, TokenizersBackend)",
                   l->folder, name, l->family->name);
}

/* ---- special tokens ----------------------------------------------------------------------- */

/* The named specials: the class's default, tokenizer_config.json, and, where that file has no list
 * of added tokens, special_tokens_map.json. */
static ge_status read_specials(struct loader *l)
{
    const ge_json *config = l->files.config;
    bool legacy = ge_json_get(config, "added_tokens_decoder") == NULL;
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) {
        struct added_token *token = &l->special[i];
        const char *key = special_keys[i];
        if (!l->literal) token->content = (char *)l->family->special[i];
        const ge_json *node = ge_json_get(config, key);
        if (node != NULL && ge_json_type(node) == GE_JSON_NULL) token->content = NULL;
        if (node != NULL && ge_json_type(node) != GE_JSON_NULL &&
            !ge_loader_read_token(node, false, token)) {
            return ge_loader_bad_special(l, key);
        }
        node = legacy ? ge_json_get(l->files.special_map, key) : NULL;
        if (node != NULL && !ge_loader_read_token(node, true, token))
            return ge_loader_bad_special(l, key);
    }
    return GE_OK;
}

static const char *special_content(const struct loader *l, enum ge_special_token which)
{
    return l->special[which].content;
}

/* ---- model -------------------------------------------------------------------------------- */

static ge_status add_merges(struct loader *l)
{
    ge_status rc = GE_OK;
    const struct ge_buf *merges = &l->files.model.merges;
    const char *at = merges->data;
    for (size_t i = 0; i < l->files.model.n_merges; i++) {
        size_t left = strlen(at), right = strlen(at + left + 1);
        rc = ge_bpe_add_merge(&l->t->bpe, at, left, at + left + 1, right, (uint32_t)i);
        if (rc != GE_OK) {
            const char *path = l->files.json_path;
            return ge_fail_in(rc, "%s", path != NULL ? path : l->folder);
        }
        at += left + 1 + right + 1;
    }
    return rc;
}

static ge_status copy_string(char **out, const char *value, const char *fallback)
{
    if (value == NULL) value = fallback;
    *out = NULL;
    if (value == NULL) return GE_OK;
    *out = ge_strdup(value);
    return *out == NULL ? GE_ENOMEM : GE_OK;
}

static ge_status build_bpe(struct loader *l)
{
    ge_status rc = GE_OK;
    struct bpe *m = &l->t->bpe;
    const struct model_file *file = &l->files.model;
    m->vocab = &l->t->vocab;
    if (l->literal) {
        if (file->dropout || file->byte_fallback) {
            return ge_fail(GE_EUNSUPPORTED, "%s: model.%s is not supported", l->files.json_path,
                           file->dropout ? "dropout" : "byte_fallback");
        }
        m->fuse_unk = file->fuse_unk;
        m->ignore_merges = file->ignore_merges;
        GE_TRY(copy_string(&m->suffix, file->suffix, ""));
        GE_TRY(copy_string(&m->prefix, file->prefix, ""));
        GE_TRY(copy_string(&m->unk, file->unk, NULL));
    } else {
        GE_TRY(copy_string(&m->suffix, "</w>", NULL));
        GE_TRY(copy_string(&m->prefix, "", NULL));
        GE_TRY(copy_string(&m->unk, special_content(l, GE_TOKEN_UNK), NULL));
    }
    GE_TRY(add_merges(l));
    ge_bpe_finish(m);
done:
    return rc;
}

static ge_status build_wordpiece(struct loader *l)
{
    ge_status rc = GE_OK;
    struct wordpiece *m = &l->t->wordpiece;
    const struct model_file *file = &l->files.model;
    const char *unk = l->literal ? file->unk : special_content(l, GE_TOKEN_UNK);
    const char *prefix = l->literal ? file->prefix : NULL;
    m->vocab = &l->t->vocab;
    m->max_chars = l->literal && file->max_chars >= 0 ? (size_t)file->max_chars : 100;
    GE_TRY(copy_string(&m->unk, unk, "[UNK]"));
    GE_TRY(copy_string(&m->prefix, prefix, "##"));
    rc = ge_wordpiece_finish(m);
    if (rc != GE_OK) rc = ge_fail_in(rc, "%s", l->folder);
done:
    return rc;
}

static ge_status build_model(struct loader *l)
{
    struct model_file *file = &l->files.model;
    const char *type = file->type;
    if (type == NULL && l->files.json_path != NULL) {
        type = file->n_merges > 0 ? "BPE" : "WordPiece"; /* old files leave it out */
    }
    if (type != NULL && strcmp(type, l->family->json_type) != 0) {
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: model.type \"%.64s\" is not supported for this model (known: %s)",
                       l->files.json_path, type, l->family->json_type);
    }
    if (file->vocab_is_list || file->vocab.n == 0) {
        return ge_fail(GE_EFORMAT, "%s: the vocabulary is %s", l->folder,
                       file->vocab_is_list ? "a list, wanted an object" : "empty");
    }
    l->t->vocab = file->vocab;
    file->vocab = (struct vocab){0};
    l->t->model = l->family->model;
    return l->t->model == MODEL_BPE ? build_bpe(l) : build_wordpiece(l);
}

/* ---- pipeline ----------------------------------------------------------------------------- */

static ge_status parse_pipeline(const struct loader *l, struct normalizer *n,
                                struct pretokenizer *p)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    GE_TRY_PTR(where, ge_sprintf("%s: normalizer", l->files.json_path));
    GE_TRY(ge_normalizer_parse(n, l->files.normalizer, where));
    free(where);
    GE_TRY_PTR(where, ge_sprintf("%s: pre_tokenizer", l->files.json_path));
    GE_TRY(ge_pretokenizer_parse(p, l->files.pretokenizer, where));
done:
    free(where);
    return rc;
}

/* BertNormalizer from tokenizer_config.json, whatever tokenizer.json says; a difference is worth a
 * line, because the model may have been trained with the other. */
static ge_status build_bert_normalizer(struct loader *l, const struct normalizer *in_file)
{
    ge_status rc = GE_OK;
    const ge_json *config = l->files.config;
    struct normalizer *n = &l->t->normalizer;
    bool lowercase = ge_json_bool(ge_json_get(config, "do_lower_case"), true);
    bool cjk = ge_json_bool(ge_json_get(config, "tokenize_chinese_chars"), true);
    bool strip = ge_json_bool(ge_json_get(config, "strip_accents"), lowercase);
    struct ge_buf built, filed;
    ge_buf_init(&built, 1 << 20);
    ge_buf_init(&filed, 1 << 20);
    ge_normalizer_describe(n, &filed); /* a prepended Lowercase is in neither file */
    if (filed.len > 0) ge_buf_char(&filed, ' ');
    GE_TRY(ge_normalizer_add_bert(n, true, cjk, strip, lowercase));
    ge_normalizer_describe(n, &built);
    ge_normalizer_describe(in_file, &filed);
    if (in_file->n > 0 && built.len > 0 && filed.len > 0 && strcmp(built.data, filed.data) != 0) {
        ge_warn("%s normalizes with \"%s\", but tokenizer_config.json gives \"%s\", which counts",
                l->files.json_path, filed.data, built.data);
    }
done:
    ge_buf_free(&built);
    ge_buf_free(&filed);
    return rc;
}

static ge_status build_pipeline(struct loader *l, bool prepend_lowercase)
{
    ge_status rc = GE_OK;
    struct normalizer normalizer = {0};
    struct pretokenizer pretokenizer = {0};
    if (prepend_lowercase) GE_TRY(ge_normalizer_add_lowercase(&l->t->normalizer));
    if (l->literal) {
        rc = parse_pipeline(l, &l->t->normalizer, &l->t->pretokenizer);
        goto done;
    }
    if (l->files.json_path != NULL) GE_TRY(parse_pipeline(l, &normalizer, &pretokenizer));
    if (l->family->model == MODEL_BPE) {
        GE_TRY(ge_normalizer_add_clip(&l->t->normalizer));
        GE_TRY(ge_pretokenizer_add_clip(&l->t->pretokenizer));
    } else {
        GE_TRY(build_bert_normalizer(l, &normalizer));
        GE_TRY(ge_pretokenizer_add_bert(&l->t->pretokenizer));
    }
done:
    ge_normalizer_free(&normalizer);
    ge_pretokenizer_free(&pretokenizer);
    return rc;
}

static ge_status build_postprocessor(struct loader *l)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    struct ge_tokenizer checked = {.vocab = t->vocab, .extra = t->extra};
    if (l->files.json_path != NULL) {
        GE_TRY(ge_postprocessor_parse(l->literal ? t : &checked, l->files.postprocessor,
                                      l->files.json_path));
    }
    if (l->literal) return GE_OK;
    const enum ge_special_token wrap[] = {l->family->first, l->family->last};
    for (int i = 0; i < 2; i++) {
        if (t->special[wrap[i]] < 0) {
            return ge_fail(GE_EFORMAT, "%s: the tokenizer has no %s, which each text needs",
                           l->folder, special_keys[wrap[i]]);
        }
    }
    t->before[t->n_before++] = t->special[wrap[0]];
    t->after[t->n_after++] = t->special[wrap[1]];
done:
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static ge_status compute_hash(struct ge_tokenizer *t)
{
    ge_status rc = GE_OK;
    struct ge_hasher *h = NULL;
    struct ge_buf text;
    ge_buf_init(&text, 1 << 20);
    GE_TRY_PTR(h, ge_hasher_new());
    ge_hasher_add_u64(h, (uint64_t)t->model);
    ge_vocab_hash(&t->vocab, h);
    if (t->model == MODEL_BPE) {
        ge_bpe_hash(&t->bpe, h);
    } else {
        ge_wordpiece_hash(&t->wordpiece, h);
    }
    ge_normalizer_describe(&t->normalizer, &text);
    ge_buf_str(&text, " | ");
    ge_pretokenizer_describe(&t->pretokenizer, &text);
    GE_TRY(ge_buf_status(&text));
    ge_hasher_add_str(h, text.data);
    ge_added_hash(&t->added, h);
    for (size_t i = 0; i < t->n_before; i++) ge_hasher_add_u64(h, (uint64_t)t->before[i]);
    ge_hasher_add_str(h, NULL);
    for (size_t i = 0; i < t->n_after; i++) ge_hasher_add_u64(h, (uint64_t)t->after[i]);
    t->hash = ge_hasher_get(h);
done:
    ge_hasher_delete(&h);
    ge_buf_free(&text);
    return rc;
}

static ge_status load(struct loader *l, const struct ge_tokenizer_options *opt)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    bool bpe = l->family->model == MODEL_BPE;
    GE_TRY(ge_tokenizer_files_read(l->folder, bpe, &l->files));
    GE_TRY(choose_class(l));
    GE_TRY(read_specials(l));
    GE_TRY(build_pipeline(l, opt->prepend_lowercase));
    GE_TRY(build_model(l));
    GE_TRY(ge_loader_add_tokens(l));
    GE_TRY(ge_added_finish(&t->added, &t->normalizer));
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) {
        const char *content = l->special[i].content;
        t->special[i] = content == NULL ? -1 : ge_tokenizer_id(t, content);
    }
    GE_TRY(build_postprocessor(l));
    double limit = ge_json_number(ge_json_get(l->files.config, "model_max_length"), 0);
    t->max_length = limit >= 1 && limit <= NO_LIMIT ? (int)limit : 0;
    GE_TRY(compute_hash(t));
done:
    return rc;
}

ge_status ge_tokenizer_load(const char *folder, const struct ge_tokenizer_options *opt,
                            struct ge_tokenizer **out)
{
    ge_status rc = GE_OK;
    struct loader l = {.folder = folder};
    *out = NULL;
    if (opt->family != GE_TOKENIZER_CLIP && opt->family != GE_TOKENIZER_BERT) {
        return ge_fail(GE_EINVAL, "%s: unknown tokenizer family %d", folder, (int)opt->family);
    }
    l.family = &families[opt->family];
    GE_NEW(l.t, 1);
    GE_TRY(load(&l, opt));
    *out = l.t;
    l.t = NULL;
done:
    ge_tokenizer_files_free(&l.files);
    ge_tokenizer_delete(&l.t);
    return rc;
}
