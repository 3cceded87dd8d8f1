/* Token states: texts packed into passes, as in encoder_texts.c, whose rows are kept one by one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/encoder_internal.h"
#include "text/unicode.h"

/* ---- texts as bert_score takes them ------------------------------------------------------- */

/* Python's str.isspace(), which counts four separators beside White_Space. */
static bool is_space(int32_t c)
{
    return c >= 0 && ((c >= 0x1C && c <= 0x1F) || (ge_unicode_class((uint32_t)c) & GE_CHAR_SPACE));
}

/* The text between its first and its last character that is no white space. */
static void strip(const char **text, size_t *len)
{
    const char *s = *text;
    size_t all = *len, first = all, end = 0;

    for (size_t i = 0, n; i < all; i += n) {
        if (is_space(ge_utf8_decode(s + i, all - i, &n))) continue;
        if (first == all) first = i;
        end = i + n;
    }
    *text = s + first;
    *len = end > first ? end - first : 0;
}

ge_status ge_encoder_token_ids(struct ge_encoder *enc, const char *text, struct ge_tokens *out)
{
    char *spaced = NULL;
    size_t len = strlen(text);
    ge_status rc = GE_OK;

    if (!ge_encoder_token_shape(enc, NULL))
        return ge_fail(GE_EINVAL, "encoder: a %s model has no token states", ge_encoder_kind(enc));
    strip(&text, &len);
    if (len > 0 && enc->model->kind->tokenizer == GE_TOKENIZER_ROBERTA) {
        GE_TRY_PTR(spaced, ge_sprintf(" %.*s", (int)len, text));
        text = spaced;
        len++;
    }
    GE_TRY(ge_tokenizer_encode(enc->tokenizer, text, len, (int)enc->max_states, true, out));
    if (out->count == 0)
        GE_TRY(
            ge_fail(GE_EFORMAT, "encoder: a text gives no tokens: the tokenizer adds no specials"));
    for (size_t i = 0; i < out->count; i++) {
        if (out->ids[i] >= 0 && (size_t)out->ids[i] < enc->model->vocab) continue;
        return ge_fail(GE_EFORMAT,
                       "encoder: the tokenizer gives id %d, the model has %zu token rows; they do "
                       "not belong together",
                       (int)out->ids[i], enc->model->vocab);
    }
done:
    free(spaced);
    return rc;
}

/* ---- passes ------------------------------------------------------------------------------- */

/* One call. */
struct call {
    struct ge_encoder *e;
    size_t layer;
    struct ge_arena *arena;
    struct ge_token_states *out; /* whose ids are known */
    size_t n;
};

/* Append text `t` to the pass. */
static ge_status pack_text(struct ge_packed *p, const struct ge_token_states *t)
{
    ge_status rc = GE_OK;

    for (size_t i = 0; i < t->n; i++) {
        GE_GROW(p->ids, p->tokens, p->cap_ids);
        GE_GROW(p->positions, p->tokens, p->cap_positions);
        p->ids[p->tokens] = t->ids[i];
        p->positions[p->tokens++] = (int32_t)i;
    }
    GE_GROW(p->ends, p->texts, p->cap_ends);
    GE_GROW(p->skip, p->texts, p->cap_skip);
    p->ends[p->texts] = (int32_t)p->tokens;
    p->skip[p->texts++] = 0;
    if (t->n > p->longest) p->longest = t->n;
done:
    return rc;
}

/* Texts from `from` on that fit a pass, at least one; *to is the first that does not. */
static ge_status pack_pass(const struct call *c, size_t from, size_t *to)
{
    struct ge_packed *p = &c->e->packed;
    ge_status rc = GE_OK;

    p->tokens = p->texts = p->longest = 0;
    for (*to = from; *to < c->n; ++*to) {
        if (p->texts > 0 && p->tokens + c->out[*to].n > c->e->pass_tokens) break;
        GE_TRY(pack_text(p, &c->out[*to]));
    }
done:
    return rc;
}

/* The pass's rows to the host, in GE_F32, and to the texts from `from` on. */
static ge_status take_rows(const struct call *c, struct ge_tensor rows, size_t from, size_t to)
{
    struct ge_tensor f32 = rows;
    float *host;
    ge_status rc = GE_OK;

    GE_TRY_PTR(host, ge_arena_alloc(c->arena, rows.rows * rows.cols, sizeof *host));
    if (rows.dtype != GE_F32) {
        GE_TRY(ge_workspace_get(&c->e->model->ws, GE_SLOT_OUT, rows.rows, rows.cols, GE_F32, &f32));
        GE_TRY(ge_copy(c->e->dev, rows, f32));
    }
    GE_TRY(ge_download(f32, host));
    for (size_t i = from; i < to; i++) {
        c->out[i].rows = host;
        for (size_t k = 0; k < c->out[i].n * rows.cols; k++) {
            if (isfinite(host[k])) continue;
            return ge_fail(GE_EFORMAT,
                           "encoder: a token state of text %zu is not finite: the weights or the "
                           "input are broken",
                           i);
        }
        host += c->out[i].n * rows.cols;
    }
done:
    return rc;
}

static ge_status run_passes(const struct call *c)
{
    struct ge_encoder *e = c->e;
    const struct ge_packed *p = &e->packed;
    ge_status rc = GE_OK;

    for (size_t at = 0, to; at < c->n;) {
        struct ge_tensor rows;
        GE_TRY(pack_pass(c, at, &to));
        const struct ge_text_batch batch = {p->ids,    p->positions, p->ends,   p->skip,
                                            p->tokens, p->texts,     p->longest};
        rc = e->model->kind->ops->states(e->model, &batch, c->layer, &rows);
        if (rc == GE_OK) rc = take_rows(c, rows, at, to);
        if (ge_encoder_shrink(e, rc, p->texts)) {
            e->pass_tokens = p->tokens / 2;
            ge_warn("the device's memory is short: %zu tokens at a time from now on",
                    e->pass_tokens);
            continue;
        }
        GE_TRY(rc);
        at = to;
    }
done:
    return rc;
}

/* ---- calls -------------------------------------------------------------------------------- */

bool ge_encoder_token_shape(const struct ge_encoder *enc, struct ge_token_shape *shape)
{
    const struct ge_model *m = enc->model;

    if (m->kind->ops->states == NULL) return false;
    if (shape != NULL) *shape = (struct ge_token_shape){m->token_layers, m->token_width, m->vocab};
    return true;
}

static ge_status tokenize(const struct call *c, const char *const *texts)
{
    struct ge_tokens *tokens = &c->e->tokens[0];
    ge_status rc = GE_OK;

    for (size_t i = 0; i < c->n; i++) {
        int32_t *ids;
        rc = ge_encoder_token_ids(c->e, texts[i], tokens);
        if (rc != GE_OK) return ge_fail_in(rc, "text %zu", i);
        GE_TRY_PTR(ids, ge_arena_alloc(c->arena, tokens->count, sizeof *ids));
        memcpy(ids, tokens->ids, tokens->count * sizeof *ids);
        c->out[i] = (struct ge_token_states){.n = tokens->count,
                                             .dim = c->e->model->token_width,
                                             .ids = ids,
                                             .truncated = tokens->truncated};
    }
done:
    return rc;
}

ge_status ge_encoder_token_states(struct ge_encoder *enc, const char *const *texts, size_t n,
                                  size_t layer, struct ge_arena *arena, struct ge_token_states *out)
{
    const struct call c = {enc, layer, arena, out, n};
    struct ge_token_shape shape;
    ge_status rc = GE_OK;

    if (!ge_encoder_token_shape(enc, &shape))
        return ge_fail(GE_EINVAL, "encoder: a %s model has no token states", ge_encoder_kind(enc));
    if (layer > shape.layers)
        return ge_fail(GE_EINVAL, "encoder: no layer %zu; the model has %zu", layer, shape.layers);
    GE_TRY(tokenize(&c, texts));
    GE_TRY(run_passes(&c));
done:
    return rc;
}
