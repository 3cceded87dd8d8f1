/* The model: from tokenizer.json, lists or a sentencepiece model, with what the class fixes. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/tokenizer_load.h"
#include "text/unicode.h"

static const char *source_of(const struct loader *l)
{
    if (l->files.json_path != NULL) return l->files.json_path;
    return l->files.spm_path != NULL ? l->files.spm_path : l->folder;
}

static ge_status copy_string(char **out, const char *value, const char *fallback)
{
    if (value == NULL) value = fallback;
    *out = NULL;
    if (value == NULL) return GE_OK;
    *out = ge_strdup(value);
    return *out == NULL ? GE_ENOMEM : GE_OK;
}

/* ---- BPE ---------------------------------------------------------------------------------- */

static ge_status add_merges(struct loader *l)
{
    ge_status rc = GE_OK;
    const struct ge_buf *merges = &l->files.model.merges;
    const char *at = merges->data;
    for (size_t i = 0; i < l->files.model.n_merges; i++) {
        size_t left = strlen(at), right = strlen(at + left + 1);
        rc = ge_bpe_add_merge(&l->t->bpe, at, left, at + left + 1, right, (uint32_t)i);
        if (rc != GE_OK) return ge_fail_in(rc, "%s", source_of(l));
        at += left + 1 + right + 1;
    }
    return rc;
}

static ge_status build_bpe(struct loader *l)
{
    ge_status rc = GE_OK;
    struct bpe *m = &l->t->bpe;
    const struct model_file *file = &l->files.model;
    const char *suffix = "", *prefix = "", *unk = NULL;
    m->vocab = &l->t->vocab;
    if (l->literal) {
        if (file->dropout) {
            return ge_fail(GE_EUNSUPPORTED, "%s: model.dropout is not supported",
                           l->files.json_path);
        }
        m->fuse_unk = file->fuse_unk;
        m->ignore_merges = file->ignore_merges;
        m->byte_fallback = file->byte_fallback;
        if (file->suffix != NULL) suffix = file->suffix;
        if (file->prefix != NULL) prefix = file->prefix;
        unk = file->unk;
    } else if (l->class->spm != NULL) { /* Gemma */
        m->fuse_unk = m->byte_fallback = true;
        unk = l->special[GE_TOKEN_UNK].content;
    } else if (l->class->special[GE_TOKEN_CLS] == NULL) { /* CLIP; RoBERTa has neither */
        suffix = "</w>";
        unk = l->special[GE_TOKEN_UNK].content;
    }
    GE_TRY(copy_string(&m->suffix, suffix, NULL));
    GE_TRY(copy_string(&m->prefix, prefix, NULL));
    GE_TRY(copy_string(&m->unk, unk, NULL));
    GE_TRY(add_merges(l));
    GE_TRY(ge_bpe_finish(m));
done:
    return rc;
}

/* ---- WordPiece ---------------------------------------------------------------------------- */

static ge_status build_wordpiece(struct loader *l)
{
    ge_status rc = GE_OK;
    struct wordpiece *m = &l->t->wordpiece;
    const struct model_file *file = &l->files.model;
    const char *unk = l->literal ? file->unk : l->special[GE_TOKEN_UNK].content;
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

/* ---- Unigram ------------------------------------------------------------------------------ */

static ge_status build_unigram(struct loader *l)
{
    ge_status rc = GE_OK;
    struct unigram *m = &l->t->unigram;
    struct model_file *file = &l->files.model;
    double lowest = HUGE_VAL;
    m->vocab = &l->t->vocab;
    m->scores = file->scores;
    m->n_scores = l->t->vocab.n_ids;
    file->scores = NULL;
    /* XLM-RoBERTa's class knows the place of its unknown token and nothing of byte fallback. */
    m->unk_id = l->literal ? (int32_t)file->unk_id : 3;
    m->byte_fallback = l->literal && file->byte_fallback;
    if (m->unk_id >= 0 && (size_t)m->unk_id >= m->n_scores) {
        return ge_fail(GE_EFORMAT, "%s: the unknown piece has id %d, but there are %zu pieces",
                       source_of(l), (int)m->unk_id, m->n_scores);
    }
    for (size_t i = 0; i < m->n_scores; i++) {
        if (m->scores[i] < lowest) lowest = m->scores[i];
    }
    GE_TRY(ge_unigram_finish(m, lowest));
done:
    return rc;
}

/* ---- sentencepiece ------------------------------------------------------------------------ */

static ge_status add_pieces(struct model_file *m, const struct spm_file *spm, size_t from)
{
    ge_status rc = GE_OK;
    for (size_t i = from; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        GE_TRY(ge_model_file_add_piece(m, p->text, p->len, p->score));
    }
done:
    return rc;
}

/* The layout of fairseq, from which XLM-RoBERTa comes: its own specials for the first three pieces,
 * and the mask at the end. */
static ge_status take_fairseq(struct loader *l)
{
    static const enum ge_special_token first[] = {GE_TOKEN_BOS, GE_TOKEN_PAD, GE_TOKEN_EOS,
                                                  GE_TOKEN_UNK};
    ge_status rc = GE_OK;
    struct model_file *m = &l->files.model;
    const char *mask = l->special[GE_TOKEN_MASK].content;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        const char *token = l->special[first[i]].content;
        if (token == NULL) token = l->class->special[first[i]];
        GE_TRY(ge_model_file_add_piece(m, token, strlen(token), 0));
    }
    GE_TRY(add_pieces(m, &l->files.spm, 3));
    if (mask == NULL) mask = l->class->special[GE_TOKEN_MASK];
    GE_TRY(ge_model_file_add_piece(m, mask, strlen(mask), 0));
done:
    return rc;
}

/* A way to split a piece in two pieces. */
struct split {
    uint32_t piece, left; /* the piece's id; length of its left part */
    float score;
};

struct splits {
    struct split *v;
    size_t n, cap;
};

static int compare_by_id(const void *pa, const void *pb)
{
    const struct split *a = pa, *b = pb;
    if (a->piece != b->piece) return a->piece < b->piece ? -1 : 1;
    return (a->left > b->left) - (a->left < b->left);
}

static int compare_by_score(const void *pa, const void *pb)
{
    const struct split *a = pa, *b = pb;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return compare_by_id(pa, pb);
}

/* All ways to split pieces; merging: only what SentencePiece itself merges. */
static ge_status find_splits(const struct loader *l, bool merging, struct splits *out)
{
    ge_status rc = GE_OK;
    const struct spm_file *spm = &l->files.spm;
    const struct vocab *v = &l->files.model.vocab;
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (merging && p->type != SPM_NORMAL) continue;
        for (size_t left = 1; left < p->len; left++) {
            if (((unsigned char)p->text[left] & 0xC0) == 0x80) continue;
            int32_t a = ge_vocab_find(v, p->text, left);
            int32_t b = a < 0 ? -1 : ge_vocab_find(v, p->text + left, p->len - left);
            if (b < 0) continue;
            if (merging &&
                (spm->pieces[a].type != SPM_NORMAL || spm->pieces[b].type != SPM_NORMAL)) {
                continue;
            }
            GE_GROW(out->v, out->n, out->cap);
            out->v[out->n++] =
                (struct split){.piece = (uint32_t)i, .left = (uint32_t)left, .score = p->score};
        }
    }
    if (out->n > 0) {
        qsort(out->v, out->n, sizeof *out->v, merging ? compare_by_score : compare_by_id);
    }
done:
    return rc;
}

/* The merges that the reference makes of a sentencepiece BPE for Gemma's class: by the id of what a
 * merge gives, then by the length of its left side. */
static ge_status take_gemma(struct loader *l)
{
    ge_status rc = GE_OK;
    struct splits splits = {0};
    struct model_file *m = &l->files.model;
    const struct spm_file *spm = &l->files.spm;
    GE_TRY(add_pieces(m, spm, 0));
    GE_TRY(find_splits(l, false, &splits));
    for (size_t i = 0; i < splits.n; i++) {
        const struct spm_piece *p = &spm->pieces[splits.v[i].piece];
        size_t left = splits.v[i].left;
        ge_model_file_add_merge(m, p->text, left, p->text + left, p->len - left);
    }
    rc = ge_buf_status(&m->merges);
done:
    free(splits.v);
    return rc;
}

static bool has_characters(const struct vocab *v, const struct spm_piece *p)
{
    size_t n;
    for (size_t i = 0; i < p->len; i += n) {
        ge_unicode_at(p->text + i, p->len - i, &n);
        if (ge_vocab_find(v, p->text + i, n) < 0) return false;
    }
    return true;
}

/* SentencePiece merges what gives the piece of the largest score, leftmost first; pieces of equal
 * score have one rank. */
static ge_status build_spm_bpe(struct loader *l)
{
    ge_status rc = GE_OK;
    struct splits splits = {0};
    struct trie_key *keys = NULL;
    struct bpe *m = &l->t->bpe;
    const struct spm_file *spm = &l->files.spm;
    size_t n_keys = 0;
    uint32_t rank = 0;
    l->t->model = MODEL_BPE;
    m->vocab = &l->files.model.vocab;
    m->fuse_unk = true;
    m->byte_fallback = spm->byte_fallback;
    GE_TRY(copy_string(&m->suffix, "", NULL));
    GE_TRY(copy_string(&m->prefix, "", NULL));
    GE_TRY(find_splits(l, true, &splits));
    for (size_t i = 0; i < splits.n; i++) {
        const struct spm_piece *p = &spm->pieces[splits.v[i].piece];
        size_t left = splits.v[i].left;
        if (i > 0 && splits.v[i].score != splits.v[i - 1].score) rank++;
        GE_TRY(ge_bpe_add_merge(m, p->text, left, p->text + left, p->len - left, rank));
    }
    GE_NEW(keys, spm->n);
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (p->type == SPM_UNUSED || (p->type == SPM_NORMAL && !has_characters(m->vocab, p))) {
            rc = ge_fail(GE_EUNSUPPORTED,
                         "%s: a BPE with pieces that are unused or hold characters that are no "
                         "pieces (%zu) is not supported",
                         l->files.spm_path, i);
            goto done;
        }
        if (p->type == SPM_USER_DEFINED) {
            keys[n_keys++] = (struct trie_key){.text = p->text, .len = p->len, .value = (int32_t)i};
        }
        if (p->type == SPM_UNKNOWN) GE_TRY_PTR(m->unk, ge_strndup(p->text, p->len));
    }
    GE_TRY(ge_trie_build(&m->frozen, keys, n_keys));
done:
    free(splits.v);
    free(keys);
    return rc;
}

/* SentencePiece's own scores: of normal pieces, floats; a user-defined piece always wins. */
static void score_spm_unigram(struct loader *l, double *lowest)
{
    struct unigram *m = &l->t->unigram;
    const struct spm_file *spm = &l->files.spm;
    float low = FLT_MAX, high = FLT_MIN;
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (p->type != SPM_NORMAL) continue;
        if (p->score < low) low = p->score;
        if (p->score > high) high = p->score;
    }
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (p->type == SPM_UNKNOWN) m->unk_id = (int32_t)i;
        if (p->type == SPM_USER_DEFINED) {
            m->scores[i] = (double)((float)p->len * high) - 0.1;
        } else if (p->type != SPM_NORMAL) {
            m->scores[i] = NAN;
        }
    }
    *lowest = low;
}

static ge_status build_siglip_model(struct loader *l)
{
    ge_status rc = GE_OK;
    struct unigram *m = &l->t->unigram;
    double lowest;
    GE_TRY(add_pieces(&l->files.model, &l->files.spm, 0));
    if (l->files.spm.model == SPM_BPE) {
        GE_TRY(build_spm_bpe(l));
    }
    l->t->vocab = l->files.model.vocab;
    l->files.model.vocab = (struct vocab){0};
    if (l->files.spm.model == SPM_BPE) {
        l->t->bpe.vocab = &l->t->vocab;
        return ge_bpe_finish(&l->t->bpe);
    }
    l->t->model = MODEL_UNIGRAM;
    m->vocab = &l->t->vocab;
    m->scores = l->files.model.scores;
    l->files.model.scores = NULL;
    m->n_scores = l->t->vocab.n_ids;
    m->single = true;
    m->byte_fallback = l->files.spm.byte_fallback;
    score_spm_unigram(l, &lowest);
    GE_TRY(ge_unigram_finish(m, lowest));
done:
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static ge_status find_type(const struct loader *l, enum tokenizer_model *out)
{
    static const char *const names[] = {
        [MODEL_BPE] = "BPE", [MODEL_WORDPIECE] = "WordPiece", [MODEL_UNIGRAM] = "Unigram"};
    const struct model_file *file = &l->files.model;
    const char *type = file->type;
    if (type == NULL && l->files.json_path != NULL) { /* old files leave it out */
        type = names[file->scores != NULL ? MODEL_UNIGRAM
                     : file->n_merges > 0 ? MODEL_BPE
                                          : MODEL_WORDPIECE];
    }
    *out = l->class->model;
    if (type == NULL) return GE_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(type, names[i]) != 0) continue;
        *out = (enum tokenizer_model)i;
        if (l->literal || *out == l->class->model) return GE_OK;
    }
    return ge_fail(
        GE_EUNSUPPORTED, "%s: model.type \"%.64s\" is not supported for this model (known: %s)",
        l->files.json_path, type, l->literal ? "BPE, WordPiece, Unigram" : l->class->json_type);
}

ge_status ge_loader_build_model(struct loader *l)
{
    ge_status rc = GE_OK;
    struct model_file *file = &l->files.model;
    enum tokenizer_model model;
    if (l->class->sentencepiece && l->files.spm_path != NULL) return build_siglip_model(l);
    GE_TRY(find_type(l, &model));
    if (l->files.spm_path != NULL) {
        GE_TRY(model == MODEL_BPE ? take_gemma(l) : take_fairseq(l));
    }
    bool wants_list = model == MODEL_UNIGRAM, is_list = file->scores != NULL;
    if (file->vocab.n == 0 || (wants_list != is_list && l->files.spm_path == NULL)) {
        return ge_fail(GE_EFORMAT, "%s: the vocabulary is %s", source_of(l),
                       file->vocab.n == 0 ? "empty"
                       : is_list          ? "a list, wanted an object"
                                          : "an object, wanted a list");
    }
    l->t->vocab = file->vocab;
    file->vocab = (struct vocab){0};
    l->t->model = model;
    if (model == MODEL_BPE) GE_TRY(build_bpe(l));
    if (model == MODEL_WORDPIECE) GE_TRY(build_wordpiece(l));
    if (model == MODEL_UNIGRAM) GE_TRY(build_unigram(l));
done:
    return rc;
}
