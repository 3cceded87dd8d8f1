/* Third stage: from embeddings to scores, verdicts and rows. */
#include <math.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/trace.h"
#include "evaluate/chunk.h"

/* ---- rows ------------------------------------------------------------------------------------------ */

struct lookup_context {
    struct ge_evaluator *ev;
    struct ge_eval_chunk *chunk;
    bool node_fault; /* an input was missing for a reason of the node */
};

static ge_status look_up(void *ctx, const struct ge_score_input *wanted, struct ge_embedding *out)
{
    struct lookup_context *l = ctx;
    int encoder = ge_eval_role_encoder(l->ev, wanted->role);
    size_t i = ge_eval_find_input(l->chunk, encoder, wanted->kind, wanted->prefix, wanted->what);
    GE_ASSERT(i != SIZE_MAX);
    const struct eval_input *in = &l->chunk->inputs[i];
    if (!ge_eval_is_embedded(in)) {
        l->node_fault = l->node_fault || in->node_fault;
        bool lost = in->node_fault && in->status == GE_ENOENT; /* it was there before */
        return ge_fail(lost ? GE_EIO : in->status, "%s", in->reason);
    }
    if (in->tokens != NULL) {
        *out = (struct ge_embedding){in->tokens->rows, in->tokens->dim, in->tokens->n,
                                     in->tokens->ids};
    } else {
        *out = (struct ge_embedding){in->embedding, ge_eval_input_size(l->ev, in), 1, NULL};
    }
    return GE_OK;
}

/* Every input that embeds this answer as it is, one after another: call with *i = 0 first. */
static struct eval_input *next_answer_input(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                                            const struct ge_answer *a, int *i)
{
    while (*i < 2 * (int)ev->n_encoders) {
        int encoder = *i / 2;
        enum ge_input_kind kind = *i % 2 == 0 ? GE_INPUT_TEXT : GE_INPUT_IMAGE;
        const char *what = kind == GE_INPUT_TEXT ? a->text : a->image;
        (*i)++;
        size_t at = what == NULL ? SIZE_MAX : ge_eval_find_input(c, encoder, kind, "", what);
        if (at != SIZE_MAX) return &c->inputs[at];
    }
    return NULL;
}

struct cut_context {
    const struct ge_evaluator *ev;
    const struct ge_eval_chunk *chunk;
    bool cut;
};

/* A ge_score_need_fn: whether the answer was cut for it. */
static ge_status note_cut(void *ctx, const struct ge_score_input *in)
{
    struct cut_context *c = ctx;
    int encoder = ge_eval_role_encoder(c->ev, in->role);
    size_t at = !in->is_answer || encoder < 0
                    ? SIZE_MAX
                    : ge_eval_find_input(c->chunk, encoder, in->kind, in->prefix, in->what);
    if (at != SIZE_MAX && c->chunk->inputs[at].truncated) c->cut = true;
    return GE_OK;
}

static void add_response(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                         const struct eval_sample *s)
{
    const struct ge_answer *a = s->answer;
    if (a == NULL || ev->drop_responses) return;
    struct ge_response_row *row = &c->result.responses[c->result.n_responses++];
    *row = (struct ge_response_row){
        .key = s->key, .text = a->text, .image = a->image, .image_hash = s->image_hash};
    int i = 0;
    for (struct eval_input *in; (in = next_answer_input(ev, c, a, &i)) != NULL;) {
        if (in->kind == GE_INPUT_IMAGE) row->image_hash = in->content;
        if (in->truncated) row->truncated = 1;
    }
    size_t picture = a->image == NULL ? SIZE_MAX
                                      : ge_eval_find_input(c, GE_EVAL_NO_ENCODER, GE_INPUT_PICTURE,
                                                           "", a->image);
    if (picture != SIZE_MAX) row->image_hash = c->inputs[picture].content;
    struct cut_context cut = {ev, c, false};
    if (s->scoring != NULL) (void)ge_score_needs(s->scoring, s->task, a, note_cut, &cut);
    if (cut.cut) row->truncated = 1;
}

/* Embedding rows of an answer, in the order of the run's kinds: encoder by encoder, text before
 * image. */
static void add_embeddings(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                           const struct eval_sample *s)
{
    int i = 0;
    for (struct eval_input *in; (in = next_answer_input(ev, c, s->answer, &i)) != NULL;) {
        if (in->embedding == NULL) continue;
        c->result.embeddings[c->result.n_embeddings++] = (struct ge_embedding_row){
            .key = s->key,
            .kind = (uint16_t)(i - 1),
            .dim = (uint32_t)ge_encoder_dim(ev->encoders[in->encoder]),
            .values = in->embedding,
        };
    }
}

/* The reference image of an answer image, for metrics over sets: kinds behind those of answers. */
static void add_reference(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                          const struct eval_sample *s)
{
    int encoder = ev->role_encoder[ge_eval_set_role(ev, s->answer)];
    if (encoder < 0 || s->answer->image == NULL || s->task->reference_images.n == 0) return;
    size_t at = ge_eval_find_input(c, encoder, GE_INPUT_IMAGE, "", s->task->reference_images.v[0]);
    if (at == SIZE_MAX || c->inputs[at].embedding == NULL) return;
    c->result.embeddings[c->result.n_embeddings++] = (struct ge_embedding_row){
        .key = s->key,
        .kind = (uint16_t)(2 * ev->n_encoders + (size_t)encoder),
        .dim = (uint32_t)ge_encoder_dim(ev->encoders[encoder]),
        .values = c->inputs[at].embedding,
    };
}

/* What a set needs of a sample and does not have for a reason of the node; NULL if there is no such
 * thing. Without it the set would depend on the weather. */
static const struct eval_input *lost_of_set(const struct ge_evaluator *ev,
                                            const struct ge_eval_chunk *c,
                                            const struct eval_sample *s)
{
    int encoder = ev->role_encoder[ge_eval_set_role(ev, s->answer)];
    if (encoder < 0 || s->answer->image == NULL) return NULL;
    const struct ge_strings *references = &s->task->reference_images;
    const char *paths[] = {s->answer->image, references->n > 0 ? references->v[0] : NULL};
    for (int i = 0; i < 2 && paths[i] != NULL; i++) {
        size_t at = ge_eval_find_input(c, encoder, GE_INPUT_IMAGE, "", paths[i]);
        if (at != SIZE_MAX && c->inputs[at].node_fault) return &c->inputs[at];
    }
    return NULL;
}

static void add_error(struct ge_eval_chunk *c, const struct eval_sample *s, ge_status status,
                      const char *reason)
{
    c->result.errors[c->result.n_errors++] =
        (struct ge_error_row){.key = s->key, .status = (uint8_t)status, .reason = reason};
}

static void add_undone(struct ge_eval_chunk *c, const struct eval_sample *s, ge_status status,
                       const char *reason)
{
    c->result.undone[c->result.n_undone++] =
        (struct ge_undone_row){.key = s->key, .status = (uint8_t)status, .reason = reason};
}

static void add_scores(struct ge_result *r, const struct eval_sample *s,
                       const struct ge_score *score)
{
    for (int m = 0; m < GE_METRICS; m++) {
        if (!s->scoring->metrics[m] || isnan(score->value[m])) continue;
        r->scores[r->n_scores++] =
            (struct ge_score_row){.key = s->key, .metric = (uint16_t)m, .value = score->value[m]};
    }
}

/* Rows of one sample. Undone samples leave no other row: design invariant 3. */
static ge_status add_rows(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                          const struct eval_sample *s)
{
    ge_status rc = GE_OK;
    struct ge_result *r = &c->result;
    struct lookup_context lookup = {ev, c, false};
    struct ge_score score;
    if (s->status != GE_OK && s->node_fault) {
        add_undone(c, s, s->status, s->reason);
        goto done;
    }
    if (s->status != GE_OK) {
        add_response(ev, c, s);
        add_error(c, s, s->status, s->reason);
        goto done;
    }
    rc = ge_score_sample(s->scoring, s->task, s->answer, look_up, &lookup, &score);
    if (rc == GE_ENOMEM && !lookup.node_fault) goto done;
    const char *reason = rc == GE_OK ? NULL : ge_arena_strdup(c->arena, ge_error());
    if (rc != GE_OK && reason == NULL) GE_TRY(GE_ENOMEM);
    if (rc != GE_OK && lookup.node_fault) {
        add_undone(c, s, rc, reason);
        rc = GE_OK;
        goto done;
    }
    const struct eval_input *lost = s->scoring->sets ? lost_of_set(ev, c, s) : NULL;
    if (lost != NULL) {
        add_undone(c, s, lost->status, lost->reason);
        rc = GE_OK;
        goto done;
    }
    add_response(ev, c, s);
    if (ev->keep_embeddings || s->scoring->sets) add_embeddings(ev, c, s);
    if (s->scoring->sets) add_reference(ev, c, s);
    add_scores(r, s, &score);
    if (reason != NULL) {
        add_error(c, s, rc, reason);
    } else if (!isnan(score.verdict)) {
        r->verdicts[r->n_verdicts++] = (struct ge_verdict_row){
            .key = s->key, .value = score.verdict, .rule = score.rule, .judges = score.judges};
    }
    rc = GE_OK;
done:
    return rc;
}

/* Room for score rows: a row for each metric that a sample's task has enabled. */
static size_t most_scores(const struct ge_eval_chunk *c)
{
    size_t most = 0;
    for (size_t i = 0; i < c->n_samples; i++) {
        const struct ge_task_scoring *s = c->samples[i].scoring;
        for (int m = 0; s != NULL && m < GE_METRICS; m++) most += s->metrics[m];
    }
    return most;
}

static ge_status score_samples(struct ge_evaluator *ev, struct ge_eval_chunk *c)
{
    ge_status rc = GE_OK;
    struct ge_result *r = &c->result;
    size_t n = c->n_samples;
    *r = (struct ge_result){
        .cell = c->cell, .first = c->first, .count = c->count, .n_samples = (uint32_t)n};
    GE_TRY_PTR(r->responses, ge_arena_alloc(c->arena, n, sizeof *r->responses));
    GE_TRY_PTR(r->scores, ge_arena_alloc(c->arena, most_scores(c), sizeof *r->scores));
    GE_TRY_PTR(r->verdicts, ge_arena_alloc(c->arena, n, sizeof *r->verdicts));
    GE_TRY_PTR(r->errors, ge_arena_alloc(c->arena, n, sizeof *r->errors));
    GE_TRY_PTR(r->embeddings,
               ge_arena_alloc(c->arena, n * (2 * ev->n_encoders + 1), sizeof *r->embeddings));
    GE_TRY_PTR(r->undone, ge_arena_alloc(c->arena, n, sizeof *r->undone));
    for (size_t i = 0; i < n; i++) GE_TRY(add_rows(ev, c, &c->samples[i]));
done:
    return rc;
}

/* ---- the stage ---------------------------------------------------------------------------- */

ge_status ge_eval_score(struct ge_evaluator *ev, struct ge_eval_chunk *chunk,
                        const struct ge_result **result)
{
    double start = ge_now(), span = ge_trace_begin("score");
    ge_status rc = score_samples(ev, chunk);
    ge_eval_drop_tokens(chunk);
    ge_trace_end("score", span, chunk->n_samples);
    chunk->times.score += ge_now() - start;
    *result = &chunk->result;
    return rc;
}
