/* The reference's classes. Those of the table take vocabulary, merges and added tokens from the files
 * and build normalizer, pre-tokenizer, post-processor and decoder themselves, from
 * tokenizer_config.json; what tokenizer.json says of these is only checked to be of a known kind. For
 * the generic class (PreTrainedTokenizerFast, TokenizersBackend) tokenizer.json counts as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/tokenizer_load.h"

enum { SPACE_SYMBOL = 0x2581 };

static bool config_bool(const struct loader *l, const char *key, bool fallback)
{
    return ge_json_bool(ge_json_get(l->files.config, key), fallback);
}

/* ---- CLIP, RoBERTa ------------------------------------------------------------------------ */

static ge_status build_clip(struct loader *l)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_normalizer_add_clip(&l->t->normalizer));
    GE_TRY(ge_pretokenizer_add_clip(&l->t->pretokenizer));
    GE_TRY(ge_decoder_add_byte_level(&l->t->decoder));
    GE_TRY_PTR(l->t->decoded_suffix, ge_strdup("</w>"));
done:
    return rc;
}

static ge_status build_roberta(struct loader *l)
{
    ge_status rc = GE_OK;
    bool space = config_bool(l, "add_prefix_space", false);
    GE_TRY(ge_pretokenizer_add_byte_level(&l->t->pretokenizer, space, true));
    GE_TRY(ge_decoder_add_byte_level(&l->t->decoder));
done:
    return rc;
}

/* ---- BERT, MPNet -------------------------------------------------------------------------- */

/* BertNormalizer from tokenizer_config.json, whatever tokenizer.json says; a difference is worth a
 * line, because the model may have been trained with the other. */
static ge_status warn_of_difference(struct loader *l, const struct normalizer *built)
{
    ge_status rc = GE_OK;
    struct normalizer in_file = {0};
    struct ge_buf ours, theirs;
    ge_buf_init(&ours, 1 << 20);
    ge_buf_init(&theirs, 1 << 20);
    if (l->files.json_path != NULL) {
        GE_TRY(ge_normalizer_parse(&in_file, l->files.normalizer, l->files.json_path));
    }
    ge_normalizer_describe(built, &ours);
    ge_normalizer_describe(&in_file, &theirs);
    if (in_file.n > 0 && ours.len > 0 && theirs.len > 0 && strcmp(ours.data, theirs.data) != 0) {
        ge_warn("%s normalizes with \"%s\", but tokenizer_config.json gives \"%s\", which counts",
                l->files.json_path, theirs.data, ours.data);
    }
done:
    ge_normalizer_free(&in_file);
    ge_buf_free(&ours);
    ge_buf_free(&theirs);
    return rc;
}

static ge_status build_bert(struct loader *l)
{
    ge_status rc = GE_OK;
    struct normalizer alone = {0}; /* without a prepended Lowercase, which is in neither file */
    bool lowercase = config_bool(l, "do_lower_case", true);
    bool cjk = config_bool(l, "tokenize_chinese_chars", true);
    bool strip = config_bool(l, "strip_accents", lowercase);
    GE_TRY(ge_normalizer_add_bert(&alone, true, cjk, strip, lowercase));
    GE_TRY(warn_of_difference(l, &alone));
    GE_TRY(ge_normalizer_add_bert(&l->t->normalizer, true, cjk, strip, lowercase));
    GE_TRY(ge_pretokenizer_add_bert(&l->t->pretokenizer));
    GE_TRY(ge_decoder_add_wordpiece(&l->t->decoder, "##", true));
done:
    ge_normalizer_free(&alone);
    return rc;
}

/* ---- XLM-RoBERTa -------------------------------------------------------------------------- */

/* The first Precompiled of tokenizer.json's normalizer, at its top or in its Sequence. */
static const char *charsmap_in_json(const ge_json *normalizer)
{
    const ge_json *list = ge_json_get(normalizer, "normalizers");
    const ge_json *c = list != NULL ? ge_json_first(list) : normalizer;
    for (; c != NULL; c = list != NULL ? ge_json_next(c) : NULL) {
        const char *kind = ge_json_string(ge_json_get(c, "type"), "");
        const char *map = ge_json_string(ge_json_get(c, "precompiled_charsmap"), NULL);
        if (strcmp(kind, "Precompiled") == 0 && map != NULL) return map;
    }
    return NULL;
}

ge_status ge_loader_charsmap(const struct loader *l, struct charsmap *map)
{
    const struct spm_file *spm = &l->files.spm;
    const char *base64 = charsmap_in_json(l->files.normalizer);
    const char *path = spm->charsmap != NULL ? l->files.spm_path : l->files.json_path;
    ge_status rc = GE_OK;
    if (spm->charsmap != NULL) {
        rc = ge_charsmap_read(map, spm->charsmap, spm->charsmap_len);
    } else if (base64 != NULL) {
        rc = ge_charsmap_read_base64(map, base64);
    }
    return rc == GE_OK ? rc : ge_fail_in(rc, "%s", path);
}

static ge_status build_xlm_roberta(struct loader *l)
{
    ge_status rc = GE_OK;
    struct charsmap map = {0};
    bool space = config_bool(l, "add_prefix_space", true);
    GE_TRY(ge_loader_charsmap(l, &map));
    if (map.units != NULL) GE_TRY(ge_normalizer_add_precompiled(&l->t->normalizer, &map));
    GE_TRY(ge_pretokenizer_add_whitespace_split(&l->t->pretokenizer));
    GE_TRY(ge_pretokenizer_add_metaspace(&l->t->pretokenizer, SPACE_SYMBOL_TEXT,
                                         space ? METASPACE_ALWAYS : METASPACE_NEVER, true));
    GE_TRY(ge_decoder_add_metaspace(&l->t->decoder, SPACE_SYMBOL, !space));
done:
    ge_charsmap_free(&map);
    return rc;
}

/* ---- SigLIP 2 (Gemma's) ------------------------------------------------------------------- */

/* The class that was made for SigLIP 2 lowercases; Gemma's, which the older folders name, does
 * not, although the model was trained on lowercase text. */
static ge_status build_gemma(struct loader *l)
{
    ge_status rc = GE_OK;
    bool siglip = l->opt->family == GE_TOKENIZER_SIGLIP || l->opt->family == GE_TOKENIZER_SIGLIP2;
    if (siglip && !l->opt->keep_case) GE_TRY(ge_normalizer_add_lowercase(&l->t->normalizer));
    GE_TRY(ge_normalizer_add_replace(&l->t->normalizer, " ", true, SPACE_SYMBOL_TEXT));
    GE_TRY(ge_decoder_add_replace(&l->t->decoder, SPACE_SYMBOL_TEXT, true, " "));
    GE_TRY(ge_decoder_add_byte_fallback(&l->t->decoder));
    GE_TRY(ge_decoder_add_fuse(&l->t->decoder));
done:
    return rc;
}

/* ---- SigLIP ------------------------------------------------------------------------------- */

static ge_status build_kept(const struct spm_file *spm, struct trie *kept)
{
    ge_status rc = GE_OK;
    struct trie_key *keys = NULL;
    size_t n = 0;
    GE_NEW(keys, spm->n);
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (p->type != SPM_USER_DEFINED) continue;
        keys[n++] = (struct trie_key){.text = p->text, .len = p->len, .value = (int32_t)i};
    }
    GE_TRY(ge_trie_build(kept, keys, n));
done:
    free(keys);
    return rc;
}

/* The class puts U+2581 in front of the text, and the unknown token in front of each stretch that
 * SentencePiece gets, so that its own treatment of a beginning does not touch the stretch; the
 * unknown token's pieces are then taken away. */
static ge_status build_siglip(struct loader *l)
{
    ge_status rc = GE_OK;
    struct charsmap map = {0};
    struct trie kept = {0};
    struct ge_tokenizer *t = l->t;
    struct normalizer_spaces spaces = l->files.spm.spaces;
    const char *unk = l->special[GE_TOKEN_UNK].content;
    if (unk == NULL || unk[0] == '\0') {
        return ge_fail(GE_EFORMAT, "%s: unk_token is null, which this class needs", l->folder);
    }
    if (!config_bool(l, "legacy", true)) spaces.dummy_prefix = false;
    GE_TRY(ge_normalizer_add_replace(&t->prepare, SPACE_SYMBOL_TEXT, true, " "));
    GE_TRY(ge_normalizer_add_prepend(&t->prepare, SPACE_SYMBOL_TEXT));
    GE_TRY(ge_normalizer_add_siglip(&t->normalizer, config_bool(l, "do_lower_case", true)));
    GE_TRY(ge_normalizer_add_prepend(&t->normalizer, unk));
    GE_TRY(ge_loader_charsmap(l, &map));
    GE_TRY(build_kept(&l->files.spm, &kept));
    GE_TRY(ge_normalizer_add_sentencepiece(&t->normalizer, &map, &kept, spaces));
    GE_TRY(ge_decoder_add_replace(&t->decoder, SPACE_SYMBOL_TEXT, true, " "));
    t->after_once = true;
done:
    ge_charsmap_free(&map);
    ge_trie_free(&kept);
    return rc;
}

ge_status ge_loader_count_in_front(struct loader *l)
{
    ge_status rc = GE_OK;
    const struct ge_tokenizer *t = l->t;
    const struct normalizer_step *step;
    struct unigram_scratch *unigram = NULL;
    struct bpe_scratch *bpe = NULL;
    struct ge_tokens tokens;
    struct ge_buf text;
    bool headless = false;
    const char *unk = l->special[GE_TOKEN_UNK].content;
    if (!l->class->sentencepiece || l->files.spm_path == NULL) return GE_OK;
    ge_tokens_init(&tokens);
    ge_buf_init(&text, (size_t)1 << 24);
    step = &t->normalizer.steps[t->normalizer.n - 1];
    GE_TRY(step->apply(step, unk, strlen(unk), &text, &headless));
    struct ids ids = {.out = &tokens, .room = SIZE_MAX};
    if (text.len > 0 && t->model == MODEL_UNIGRAM) {
        GE_TRY(ge_unigram_encode(&t->unigram, text.data, text.len, &unigram, &ids));
    } else if (text.len > 0) {
        GE_TRY(ge_bpe_encode(&t->bpe, text.data, text.len, &bpe, &ids));
    }
    l->t->n_in_front = tokens.count;
done:
    ge_unigram_scratch_delete(&unigram);
    ge_bpe_scratch_delete(&bpe);
    ge_tokens_free(&tokens);
    ge_buf_free(&text);
    return rc;
}

/* ---- the table ---------------------------------------------------------------------------- */

#define ROBERTA_SPECIALS                                                                           \
    [GE_TOKEN_BOS] = "<s>", [GE_TOKEN_EOS] = "</s>", [GE_TOKEN_SEP] = "</s>",                      \
    [GE_TOKEN_CLS] = "<s>", [GE_TOKEN_PAD] = "<pad>", [GE_TOKEN_MASK] = "<mask>"

enum { CLIP, BERT, ROBERTA, XLM_ROBERTA, MPNET, SIGLIP, GEMMA, N_CLASSES };

static const struct tokenizer_class classes[N_CLASSES] = {
    [CLIP] = {.name = "CLIPTokenizer",
              .json_type = "BPE",
              .model = MODEL_BPE,
              .layout = VOCAB_JSON_AND_MERGES,
              .special = {[GE_TOKEN_BOS] = "<|startoftext|>",
                          [GE_TOKEN_EOS] = "<|endoftext|>",
                          [GE_TOKEN_UNK] = "<|endoftext|>",
                          [GE_TOKEN_PAD] = "<|endoftext|>"},
              .first = GE_TOKEN_BOS,
              .last = GE_TOKEN_EOS,
              .build = build_clip},
    [BERT] = {.name = "BertTokenizer",
              .json_type = "WordPiece",
              .model = MODEL_WORDPIECE,
              .layout = VOCAB_TXT,
              .special = {[GE_TOKEN_UNK] = "[UNK]",
                          [GE_TOKEN_SEP] = "[SEP]",
                          [GE_TOKEN_PAD] = "[PAD]",
                          [GE_TOKEN_CLS] = "[CLS]",
                          [GE_TOKEN_MASK] = "[MASK]"},
              .first = GE_TOKEN_CLS,
              .last = GE_TOKEN_SEP,
              .build = build_bert},
    [ROBERTA] = {.name = "RobertaTokenizer",
                 .json_type = "BPE",
                 .model = MODEL_BPE,
                 .layout = VOCAB_JSON_AND_MERGES,
                 .special = {ROBERTA_SPECIALS, [GE_TOKEN_UNK] = "<unk>"},
                 .first = GE_TOKEN_CLS,
                 .last = GE_TOKEN_SEP,
                 .build = build_roberta},
    [XLM_ROBERTA] = {.name = "XLMRobertaTokenizer",
                     .json_type = "Unigram",
                     .model = MODEL_UNIGRAM,
                     .layout = VOCAB_SPM,
                     .spm = "sentencepiece.bpe.model",
                     .special = {ROBERTA_SPECIALS, [GE_TOKEN_UNK] = "<unk>"},
                     .first = GE_TOKEN_BOS,
                     .last = GE_TOKEN_EOS,
                     .build = build_xlm_roberta},
    [MPNET] = {.name = "MPNetTokenizer",
               .json_type = "WordPiece",
               .model = MODEL_WORDPIECE,
               .layout = VOCAB_TXT,
               .special = {ROBERTA_SPECIALS, [GE_TOKEN_UNK] = "[UNK]"},
               .mask_takes_space = true,
               .first = GE_TOKEN_CLS,
               .last = GE_TOKEN_SEP,
               .build = build_bert},
    [SIGLIP] =
        {.name = "SiglipTokenizer",
         .json_type = "Unigram",
         .model = MODEL_UNIGRAM,
         .layout = VOCAB_SPM,
         .spm = "spiece.model",
         .sentencepiece = true,
         .special = {[GE_TOKEN_EOS] = "</s>", [GE_TOKEN_UNK] = "<unk>", [GE_TOKEN_PAD] = "</s>"},
         .first = GE_TOKEN_EOS,
         .last = GE_TOKEN_EOS,
         .build = build_siglip},
    [GEMMA] = {.name = "GemmaTokenizer",
               .json_type = "BPE",
               .model = MODEL_BPE,
               .layout = VOCAB_SPM,
               .spm = "tokenizer.model",
               .special = {[GE_TOKEN_BOS] = "<bos>",
                           [GE_TOKEN_EOS] = "<eos>",
                           [GE_TOKEN_UNK] = "<unk>",
                           [GE_TOKEN_PAD] = "<pad>",
                           [GE_TOKEN_MASK] = "<mask>"},
               .first = GE_TOKEN_EOS,
               .pads_left = true,
               .last = GE_TOKEN_EOS,
               .build = build_gemma},
};

static const int family_class[] = {
    [GE_TOKENIZER_CLIP] = CLIP,       [GE_TOKENIZER_BERT] = BERT,
    [GE_TOKENIZER_ROBERTA] = ROBERTA, [GE_TOKENIZER_XLM_ROBERTA] = XLM_ROBERTA,
    [GE_TOKENIZER_MPNET] = MPNET,     [GE_TOKENIZER_SIGLIP] = SIGLIP,
    [GE_TOKENIZER_SIGLIP2] = GEMMA,
};

/* Other names of the same. */
static const struct {
    const char *name;
    int class;
} aliases[] = {
    {"DistilBertTokenizer", BERT}, {"ElectraTokenizer", BERT}, {"Siglip2Tokenizer", GEMMA}};

static bool is_generic(const char *name)
{
    return name != NULL &&
           (strcmp(name, "PreTrainedTokenizer") == 0 || strcmp(name, "TokenizersBackend") == 0);
}

ge_status ge_loader_choose_class(struct loader *l)
{
    const char *name = l->files.tokenizer_class;
    if ((size_t)l->opt->family >= sizeof family_class / sizeof family_class[0]) {
        return ge_fail(GE_EINVAL, "%s: unknown tokenizer family %d", l->folder,
                       (int)l->opt->family);
    }
    l->class = &classes[family_class[l->opt->family]];
    if (name == NULL || is_generic(name)) return GE_OK;
    for (size_t i = 0; i < N_CLASSES; i++) {
        if (strcmp(name, classes[i].name) == 0) {
            l->class = &classes[i];
            return GE_OK;
        }
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(name, aliases[i].name) == 0) {
            l->class = &classes[aliases[i].class];
            return GE_OK;
        }
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: tokenizer_class \"%.64s\" is not supported (known: CLIPTokenizer, "
                   "BertTokenizer, RobertaTokenizer, XLMRobertaTokenizer, MPNetTokenizer, "
                   "SiglipTokenizer, Siglip2Tokenizer, GemmaTokenizer, PreTrainedTokenizerFast, "
                   "TokenizersBackend)",
                   l->folder, name);
}

void ge_loader_settle_class(struct loader *l)
{
    const char *name = l->files.tokenizer_class, *type = l->files.model.type;
    if (l->files.json_path == NULL) return;
    l->literal = is_generic(name);
    if (l->class != &classes[SIGLIP]) return;
    /* SigLIP's class reads nothing but its sentencepiece model. A folder without one, and without
     * the name of a class, that holds a BPE is one of SigLIP 2. */
    if (name == NULL && type != NULL && strcmp(type, "BPE") == 0) {
        l->class = &classes[GEMMA];
    } else {
        l->literal = true;
    }
}
