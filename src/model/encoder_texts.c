/* Texts to embeddings: windows of texts are tokenized by several threads, packed into passes, and
 * sent back while the next window is tokenized. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/encoder_internal.h"

enum { WINDOW = 4096 }; /* texts that are tokenized before they are packed */

/* One call's texts. */
struct call {
    struct ge_encoder *e;
    const char *const *texts;
    unsigned char *truncated; /* or NULL */
    bool normalize;
    float *out;
    size_t first, n; /* the window: texts [first, first + n) */
};

/* ---- tokens ------------------------------------------------------------------------------- */

static ge_status tokenize(const struct ge_encoder *e, const char *text, struct ge_tokens *tokens)
{
    char *prompted = NULL;
    ge_status rc = GE_OK;

    if (e->text.prompt[0] != '\0') {
        GE_TRY_PTR(prompted, ge_sprintf("%s%s", e->text.prompt, text));
        text = prompted;
    }
    GE_TRY(ge_tokenizer_encode(e->tokenizer, text, strlen(text), (int)e->max_tokens, true, tokens));
    if (tokens->count == 0)
        rc = ge_fail(GE_EFORMAT, "encoder: a text gives no tokens: the tokenizer adds no specials");
done:
    free(prompted);
    return rc;
}

/* Append a text's ids, with pads behind them if the model wants them. */
static ge_status append_ids(const struct ge_encoder *e, const struct ge_tokens *t,
                            struct ge_token_run *run)
{
    size_t length = t->count > e->model->pad_to ? t->count : e->model->pad_to;
    ge_status rc = GE_OK;

    for (size_t i = 0; i < length; i++) {
        int32_t id = i < t->count ? t->ids[i] : e->pad;
        if (id < 0 || (size_t)id >= e->model->vocab)
            GE_TRY(ge_fail(GE_EFORMAT,
                           "encoder: the tokenizer gives id %d, the model has %zu token rows; they "
                           "do not belong together",
                           (int)id, e->model->vocab));
        GE_GROW(run->ids, run->n, run->cap);
        run->ids[run->n++] = id;
    }
done:
    return rc;
}

/* Texts of run i, up to the first that fails. */
static void tokenize_run(void *ctx, size_t i, int thread)
{
    const struct call *c = ctx;
    struct ge_encoder *e = c->e;
    struct ge_token_run *run = &e->runs[i];
    struct ge_tokens *tokens = &e->tokens[thread];
    size_t from = i * GE_TEXTS_PER_TASK;

    run->n = 0;
    run->status = GE_OK;
    for (size_t k = 0; k < GE_TEXTS_PER_TASK && from + k < c->n && run->status == GE_OK; k++) {
        size_t text = c->first + from + k;
        run->status = tokenize(e, c->texts[text], tokens);
        if (run->status == GE_OK) run->status = append_ids(e, tokens, run);
        run->ends[k] = run->n;
        if (run->status == GE_OK && c->truncated != NULL) c->truncated[text] = tokens->truncated;
        if (run->status == GE_OK) continue;
        run->failed = text;
        free(run->reason);
        run->reason = ge_strdup(ge_error());
    }
}

static ge_status reserve_runs(struct ge_encoder *e, size_t n)
{
    struct ge_token_run *grown;

    if (n <= e->cap_runs) return GE_OK;
    grown = ge_realloc(e->runs, n, sizeof *grown);
    if (grown == NULL) return GE_ENOMEM;
    memset(grown + e->cap_runs, 0, (n - e->cap_runs) * sizeof *grown);
    e->runs = grown;
    e->cap_runs = n;
    return GE_OK;
}

/* Ids of the window's texts. The failure of the first text that fails is the call's. */
static ge_status tokenize_window(const struct call *c)
{
    size_t n_runs = (c->n + GE_TEXTS_PER_TASK - 1) / GE_TEXTS_PER_TASK;
    ge_status rc = GE_OK;

    GE_TRY(reserve_runs(c->e, n_runs));
    ge_pool_run(c->e->pool, n_runs, tokenize_run, (void *)(uintptr_t)c);
    for (size_t i = 0; i < n_runs; i++) {
        const struct ge_token_run *run = &c->e->runs[i];
        if (run->status == GE_OK) continue;
        return ge_fail(run->status, "text %zu: %s", run->failed,
                       run->reason != NULL ? run->reason : "out of memory");
    }
done:
    return rc;
}

/* ---- passes ------------------------------------------------------------------------------- */

static size_t length_of(const struct ge_token_run *run, size_t k)
{
    return run->ends[k] - (k > 0 ? run->ends[k - 1] : 0);
}

/* Append text t of the window to the pass. */
static ge_status pack_text(struct ge_encoder *e, size_t t)
{
    struct ge_packed *p = &e->packed;
    const struct ge_token_run *run = &e->runs[t / GE_TEXTS_PER_TASK];
    size_t k = t % GE_TEXTS_PER_TASK, length = length_of(run, k);
    const int32_t *ids = run->ids + (run->ends[k] - length);
    ge_status rc = GE_OK;

    for (size_t i = 0; i < length; i++) {
        GE_GROW(p->ids, p->tokens, p->cap_ids);
        GE_GROW(p->positions, p->tokens, p->cap_positions);
        p->ids[p->tokens] = ids[i];
        p->positions[p->tokens++] = (int32_t)i;
    }
    GE_GROW(p->ends, p->texts, p->cap_ends);
    GE_GROW(p->skip, p->texts, p->cap_skip);
    p->ends[p->texts] = (int32_t)p->tokens;
    p->skip[p->texts++] = e->prompt_tokens;
    if (length > p->longest) p->longest = length;
done:
    return rc;
}

/* Texts of the window from `from` on that fit a pass, at least one; *to is the first that does not. */
static ge_status pack_pass(const struct call *c, size_t from, size_t *to)
{
    struct ge_packed *p = &c->e->packed;
    ge_status rc = GE_OK;

    p->tokens = p->texts = p->longest = 0;
    for (*to = from; *to < c->n; ++*to) {
        size_t length = length_of(&c->e->runs[*to / GE_TEXTS_PER_TASK], *to % GE_TEXTS_PER_TASK);
        if (p->texts > 0 && p->tokens + length > c->e->pass_tokens) break;
        GE_TRY(pack_text(c->e, *to));
    }
done:
    return rc;
}

static ge_status run_window(const struct call *c, struct ge_return *b)
{
    struct ge_encoder *e = c->e;
    const struct ge_packed *p = &e->packed;
    ge_status rc = GE_OK;

    for (size_t at = 0, to; at < c->n;) {
        struct ge_tensor rows;
        GE_TRY(pack_pass(c, at, &to));
        const struct ge_text_batch batch = {p->ids,    p->positions, p->ends,   p->skip,
                                            p->tokens, p->texts,     p->longest};
        rc = e->model->kind->ops->texts(e->model, &batch, &rows);
        if (rc == GE_OK) rc = ge_return_put(e, b, at, rows, c->normalize);
        if (ge_encoder_shrink(e, rc, p->texts)) {
            e->pass_tokens = p->tokens / 2;
            ge_warn("the device's memory is short: %zu tokens at a time from now on",
                    e->pass_tokens);
            continue;
        }
        if (rc != GE_OK) goto done;
        at = to;
    }
    GE_TRY(ge_return_begin(b));
done:
    return rc;
}

ge_status ge_encoder_texts(struct ge_encoder *enc, const char *const *texts, size_t n,
                           bool normalize, float *out, unsigned char *truncated)
{
    struct call c = {
        .e = enc, .texts = texts, .truncated = truncated, .normalize = normalize, .out = out};
    struct ge_return *before = NULL; /* of the window before, on its way back */
    size_t dim = enc->model->dim;
    ge_status rc = GE_OK;

    if (!enc->model->kind->texts)
        return ge_fail(GE_EINVAL, "encoder: a %s model has no text tower", enc->model->kind->type);
    for (size_t w = 0; c.first < n; w++, c.first += c.n) {
        struct ge_return *b = &enc->back[w % GE_ENCODER_AHEAD];
        c.n = n - c.first < WINDOW ? n - c.first : WINDOW;
        GE_TRY(tokenize_window(&c));
        GE_TRY(ge_return_reserve(enc, b, c.n));
        b->first = c.first;
        b->n = c.n;
        GE_TRY(run_window(&c, b));
        if (before != NULL)
            GE_TRY(ge_return_finish(enc, before, "text", out + before->first * dim));
        before = b;
    }
    if (before != NULL) GE_TRY(ge_return_finish(enc, before, "text", out + before->first * dim));
done:
    return rc;
}

void ge_encoder_free_texts(struct ge_encoder *e)
{
    for (size_t i = 0; i < e->cap_runs; i++) {
        free(e->runs[i].ids);
        free(e->runs[i].reason);
    }
    free(e->runs);
    for (int i = 0; i < e->n_tokens; i++) ge_tokens_free(&e->tokens[i]);
    free(e->tokens);
    for (size_t i = 0; i < GE_ENCODER_AHEAD; i++) ge_return_free(&e->back[i]);
    free(e->packed.ids);
    free(e->packed.positions);
    free(e->packed.ends);
    free(e->packed.skip);
    ge_pool_delete(&e->pool);
    ge_tokenizer_delete(&e->tokenizer);
}
