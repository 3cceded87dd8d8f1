/* Puts a tokenizer together from a folder's files, as transformers 5 does: tokenizer_class.c says
 * what is taken from where. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/postprocessor.h"
#include "text/tokenizer_files.h"
#include "text/tokenizer_internal.h"
#include "text/tokenizer_load.h"

enum { NO_LIMIT = 1 << 20 }; /* a longer model_max_length is a stand-in for "none" */

/* The named specials in the order in which the reference adds them. */
static const char *const special_keys[GE_SPECIAL_TOKENS] = {
    [GE_TOKEN_BOS] = "bos_token",  [GE_TOKEN_EOS] = "eos_token", [GE_TOKEN_UNK] = "unk_token",
    [GE_TOKEN_SEP] = "sep_token",  [GE_TOKEN_PAD] = "pad_token", [GE_TOKEN_CLS] = "cls_token",
    [GE_TOKEN_MASK] = "mask_token"};

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
        if (!l->literal) {
            token->content = (char *)l->class->special[i];
            token->lstrip = i == GE_TOKEN_MASK && l->class->mask_takes_space;
        }
        const ge_json *node = ge_json_get(config, key);
        if (node != NULL && ge_json_type(node) == GE_JSON_NULL) token->content = NULL;
        if (node != NULL && ge_json_type(node) != GE_JSON_NULL &&
            !ge_loader_read_token(node, false, token)) {
            return ge_loader_bad_special(l, key);
        }
        node = legacy ? ge_json_get(l->files.special_map, key) : NULL;
        if (node != NULL && !ge_loader_read_token(node, true, token))
            return ge_loader_bad_special(l, key);
        token->special = true;
        if (i == GE_TOKEN_MASK && !l->literal && l->class->mask_takes_space &&
            ge_json_type(node) != GE_JSON_OBJECT &&
            ge_json_type(ge_json_get(config, key)) != GE_JSON_OBJECT) {
            token->lstrip = true;
        }
    }
    return GE_OK;
}

/* ---- pipeline ----------------------------------------------------------------------------- */

/* Normalizer, pre-tokenizer and decoder of tokenizer.json. */
static ge_status parse_pipeline(const struct loader *l, struct normalizer *n,
                                struct pretokenizer *p, struct decoder *d)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    GE_TRY_PTR(where, ge_sprintf("%s: normalizer", l->files.json_path));
    GE_TRY(ge_normalizer_parse(n, l->files.normalizer, where));
    free(where);
    GE_TRY_PTR(where, ge_sprintf("%s: pre_tokenizer", l->files.json_path));
    GE_TRY(ge_pretokenizer_parse(p, l->files.pretokenizer, where));
    free(where);
    GE_TRY_PTR(where, ge_sprintf("%s: decoder", l->files.json_path));
    GE_TRY(ge_decoder_parse(d, l->files.decoder, where));
done:
    free(where);
    return rc;
}

static ge_status build_pipeline(struct loader *l)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    struct normalizer normalizer = {0};
    struct pretokenizer pretokenizer = {0};
    struct decoder decoder = {0};
    if (l->opt->prepend_lowercase) GE_TRY(ge_normalizer_add_lowercase(&t->normalizer));
    if (l->literal) {
        rc = parse_pipeline(l, &t->normalizer, &t->pretokenizer, &t->decoder);
        goto done;
    }
    if (l->files.json_path != NULL) {
        GE_TRY(parse_pipeline(l, &normalizer, &pretokenizer, &decoder));
    }
    GE_TRY(l->class->build(l));
done:
    ge_normalizer_free(&normalizer);
    ge_pretokenizer_free(&pretokenizer);
    ge_decoder_free(&decoder);
    return rc;
}

/* ---- what stands around a text ------------------------------------------------------------ */

static ge_status add_wrap(struct loader *l, enum ge_special_token which, bool after)
{
    struct ge_tokenizer *t = l->t;
    if (t->special[which] < 0) {
        return ge_fail(GE_EFORMAT, "%s: the tokenizer has no %s, which each text needs", l->folder,
                       special_keys[which]);
    }
    if (after) {
        t->after[t->n_after++] = t->special[which];
    } else {
        t->before[t->n_before++] = t->special[which];
    }
    return GE_OK;
}

static ge_status build_postprocessor(struct loader *l)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    const struct tokenizer_class *class = l->class;
    struct ge_tokenizer checked = {.vocab = t->vocab, .extra = t->extra};
    bool from_file = l->literal || class->first == class->last;
    if (l->files.json_path != NULL) {
        GE_TRY(ge_postprocessor_parse(from_file ? t : &checked, l->files.postprocessor,
                                      l->files.json_path));
        if (from_file) return GE_OK;
    }
    if (class->first != class->last) {
        GE_TRY(add_wrap(l, class->first, false));
        GE_TRY(add_wrap(l, class->last, true));
    } else if (class->sentencepiece) {
        GE_TRY(add_wrap(l, class->last, true));
    } else { /* Gemma's sentencepiece model: as tokenizer_config.json says */
        bool bos = ge_json_bool(ge_json_get(l->files.config, "add_bos_token"), false);
        bool eos = ge_json_bool(ge_json_get(l->files.config, "add_eos_token"), false);
        if (bos && t->special[GE_TOKEN_BOS] >= 0) GE_TRY(add_wrap(l, GE_TOKEN_BOS, false));
        if (eos && t->special[GE_TOKEN_EOS] >= 0) GE_TRY(add_wrap(l, GE_TOKEN_EOS, true));
    }
done:
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void hash_model(const struct ge_tokenizer *t, struct ge_hasher *h)
{
    switch (t->model) {
    case MODEL_BPE:
        ge_bpe_hash(&t->bpe, h);
        break;
    case MODEL_WORDPIECE:
        ge_wordpiece_hash(&t->wordpiece, h);
        break;
    case MODEL_UNIGRAM:
        ge_unigram_hash(&t->unigram, h);
        break;
    }
}

static ge_status compute_hash(struct ge_tokenizer *t)
{
    ge_status rc = GE_OK;
    struct ge_hasher *h = NULL;
    struct ge_buf text;
    ge_buf_init(&text, 1 << 20);
    GE_TRY_PTR(h, ge_hasher_new());
    ge_hasher_add_u64(h, (uint64_t)t->model);
    ge_vocab_hash(&t->vocab, h);
    hash_model(t, h);
    ge_normalizer_describe(&t->normalizer, &text);
    ge_buf_str(&text, " | ");
    ge_pretokenizer_describe(&t->pretokenizer, &text);
    if (t->prepare.n > 0) {
        ge_buf_printf(&text, " | %zu %d ", t->n_in_front, (int)t->after_once);
        ge_normalizer_describe(&t->prepare, &text);
    }
    if (t->truncate_left) ge_buf_str(&text, " | truncates at the left");
    if (t->added.ignore_special) ge_buf_str(&text, " | splits special tokens");
    GE_TRY(ge_buf_status(&text));
    ge_hasher_add_str(h, text.data);
    ge_added_hash(&t->added, h);
    for (size_t i = 0; i < t->n_before; i++) ge_hasher_add_u64(h, (uint64_t)t->before[i]);
    ge_hasher_add_str(h, NULL);
    for (size_t i = 0; i < t->n_after; i++) ge_hasher_add_u64(h, (uint64_t)t->after[i]);
    t->hash = ge_hasher_get(h);
    t->bpe.identity = t->hash.hi ^ t->hash.lo;
done:
    ge_hasher_delete(&h);
    ge_buf_free(&text);
    return rc;
}

static ge_status read_side(const struct loader *l, const char *key, const char *side, bool *left)
{
    *left = strcmp(side, "left") == 0 || strcmp(side, "Left") == 0;
    if (*left || strcmp(side, "right") == 0 || strcmp(side, "Right") == 0) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: %s is \"%.32s\", wanted \"left\" or \"right\"", l->folder, key,
                   side);
}

/* The side that pads are put on: as tokenizer_config.json says, or tokenizer.json, or the class. */
static ge_status read_padding_side(struct loader *l)
{
    const char *side = l->class->pads_left ? "left" : "right";
    side = ge_json_string(ge_json_get(l->files.padding, "direction"), side);
    side = ge_json_string(ge_json_get(l->files.config, "padding_side"), side);
    return read_side(l, "padding_side", side, &l->t->pads_left);
}

/* Settings of tokenizer_config.json that are left. */
static ge_status read_settings(struct loader *l)
{
    ge_status rc = GE_OK;
    const ge_json *config = l->files.config;
    const char *side = ge_json_string(ge_json_get(l->files.truncation, "direction"), "right");
    side = ge_json_string(ge_json_get(config, "truncation_side"), side);
    GE_TRY(read_side(l, "truncation_side", side, &l->t->truncate_left));
    l->t->added.ignore_special = ge_json_bool(ge_json_get(config, "split_special_tokens"), false);
    l->t->clean_up = l->t->model != MODEL_BPE &&
                     ge_json_bool(ge_json_get(config, "clean_up_tokenization_spaces"), false);
    double limit = ge_json_number(ge_json_get(config, "model_max_length"), 0);
    l->t->max_length = limit >= 1 && limit <= NO_LIMIT ? (int)limit : 0;
done:
    return rc;
}

static ge_status load(struct loader *l)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    GE_TRY(ge_tokenizer_files_read(l->folder, &l->files));
    GE_TRY(ge_loader_choose_class(l));
    GE_TRY(ge_tokenizer_files_read_vocab(l->folder, l->class->layout, l->class->spm,
                                         l->class->sentencepiece, &l->files));
    ge_loader_settle_class(l);
    GE_TRY(read_specials(l));
    GE_TRY(build_pipeline(l));
    GE_TRY(ge_loader_build_model(l));
    GE_TRY(ge_loader_count_in_front(l));
    GE_TRY(ge_loader_add_tokens(l));
    GE_TRY(ge_added_finish(&t->added, &t->normalizer));
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) {
        const char *content = l->special[i].content;
        t->special[i] = content == NULL ? -1 : ge_tokenizer_id(t, content);
    }
    GE_TRY(build_postprocessor(l));
    GE_TRY(read_padding_side(l));
    GE_TRY(read_settings(l));
    GE_TRY(compute_hash(t));
done:
    return rc;
}

ge_status ge_tokenizer_load(const char *folder, const struct ge_tokenizer_options *opt,
                            struct ge_tokenizer **out)
{
    ge_status rc = GE_OK;
    struct loader l = {.folder = folder, .opt = opt};
    *out = NULL;
    GE_NEW(l.t, 1);
    GE_TRY(load(&l));
    *out = l.t;
    l.t = NULL;
done:
    ge_tokenizer_files_free(&l.files);
    ge_tokenizer_delete(&l.t);
    return rc;
}
