/* Second stage, for texts that are compared token by token. Their states stay with the chunk until it
 * is scored: the cache keeps single embeddings only. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/trace.h"
#include "evaluate/chunk.h"

enum { TEXTS_PER_BATCH = 8 }; /* texts of a call for each image of the encoder's batch */

/* States of n inputs. A failure of one's content is kept with it after the others were tried alone. */
static ge_status encode(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                        struct eval_input *const *inputs, size_t n, const char **texts)
{
    ge_status rc = GE_OK;
    struct ge_encoder *encoder = ev->encoders[inputs[0]->encoder];
    struct ge_token_states *states;
    GE_TRY_PTR(states, ge_arena_alloc(c->states, n, sizeof *states));
    for (size_t i = 0; i < n; i++) texts[i] = inputs[i]->text;
    rc = ge_encoder_token_states(encoder, texts, n, ev->bertscore_layer, c->states, states);
    if (ge_status_is_content(rc) && n == 1) {
        ge_eval_fail_input(c, inputs[0], rc, false);
        return GE_OK;
    }
    if (ge_status_is_content(rc)) {
        rc = GE_OK;
        for (size_t i = 0; i < n; i++) GE_TRY(encode(ev, c, inputs + i, 1, texts));
        goto done;
    }
    GE_TRY(rc);
    for (size_t i = 0; i < n; i++) {
        inputs[i]->tokens = &states[i];
        inputs[i]->truncated = states[i].truncated;
        atomic_fetch_add(&ev->progress, 1);
    }
done:
    return rc;
}

ge_status ge_eval_encode_tokens(struct ge_evaluator *ev, struct ge_eval_chunk *c, int encoder)
{
    ge_status rc = GE_OK;
    struct eval_input **inputs = NULL;
    const char **texts = NULL;
    size_t n = 0, limit = ge_encoder_batch(ev->encoders[encoder]) * TEXTS_PER_BATCH;
    double start = ge_now(), span = ge_trace_begin("encode tokens");
    GE_NEW(inputs, c->n_inputs);
    GE_NEW(texts, limit);
    for (size_t i = 0; i < c->n_inputs; i++) {
        struct eval_input *in = &c->inputs[i];
        if (in->encoder == encoder && in->kind == GE_INPUT_TOKENS) inputs[n++] = in;
    }
    if (n > 0 && c->states == NULL) GE_TRY_PTR(c->states, ge_arena_new());
    for (size_t i = 0; i < n; i += limit) {
        if (ge_eval_is_cancelled(ev)) GE_TRY(ge_fail(GE_EINTERRUPTED, "cancelled"));
        GE_TRY(encode(ev, c, inputs + i, n - i < limit ? n - i : limit, texts));
    }
    c->times.texts_encoded += n;
    if (n > 0) c->times.encode_texts += ge_now() - start;
done:
    ge_trace_end("encode tokens", span, n);
    free(inputs);
    free(texts);
    return rc;
}

void ge_eval_drop_tokens(struct ge_eval_chunk *c)
{
    for (size_t i = 0; i < c->n_inputs; i++) c->inputs[i].tokens = NULL;
    ge_arena_delete(&c->states);
}
