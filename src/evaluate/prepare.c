/* First stage: which samples and inputs a chunk has. Images are prepared in images.c. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "evaluate/chunk.h"

/* ---- inputs, each once ------------------------------------------------------------------------ */

static size_t input_slot(const struct ge_eval_chunk *c, int encoder, enum ge_input_kind kind,
                         const char *prefix, const char *what)
{
    struct ge_hash h = ge_hash_bytes(what, strlen(what));
    uint64_t tower = 8 * (uint64_t)encoder + (uint64_t)kind;
    size_t mask = c->table_size - 1;
    if (prefix[0] != '\0')
        h.lo += 3 * ge_hash_bytes(prefix, strlen(prefix)).lo; /* of a pair: a path */
    size_t at = (size_t)(h.lo ^ tower * 0x9E3779B97F4A7C15u) & mask;
    for (; c->table[at] != 0; at = (at + 1) & mask) {
        const struct eval_input *in = &c->inputs[c->table[at] - 1];
        if (in->encoder == encoder && in->kind == kind && strcmp(in->prefix, prefix) == 0 &&
            strcmp(in->what, what) == 0) {
            break;
        }
    }
    return at;
}

size_t ge_eval_find_input(const struct ge_eval_chunk *c, int encoder, enum ge_input_kind kind,
                          const char *prefix, const char *what)
{
    if (c->table_size == 0) return SIZE_MAX;
    uint32_t found = c->table[input_slot(c, encoder, kind, prefix, what)];
    return found == 0 ? SIZE_MAX : found - 1;
}

static ge_status grow_table(struct ge_eval_chunk *c)
{
    ge_status rc = GE_OK;
    uint32_t *old = c->table;
    size_t old_size = c->table_size;
    c->table = ge_calloc(old_size == 0 ? 64 : 2 * old_size, sizeof *c->table);
    if (c->table == NULL) {
        c->table = old;
        return GE_ENOMEM;
    }
    c->table_size = old_size == 0 ? 64 : 2 * old_size;
    for (size_t i = 0; i < c->n_inputs; i++) {
        const struct eval_input *in = &c->inputs[i];
        c->table[input_slot(c, in->encoder, in->kind, in->prefix, in->what)] = (uint32_t)i + 1;
    }
    free(old);
    return rc;
}

struct need_context {
    struct ge_evaluator *ev;
    struct ge_eval_chunk *chunk;
};

static ge_status need_input(void *ctx, const struct ge_score_input *in)
{
    ge_status rc = GE_OK;
    struct need_context *need = ctx;
    struct ge_eval_chunk *c = need->chunk;
    int encoder = ge_eval_role_encoder(need->ev, in->role);
    const char *text = in->what;
    if (encoder < 0) {
        return ge_fail(GE_EINVAL,
                       "a metric compares %s, and the job names no encoder for it "
                       "(scoring.roles.%s)",
                       ge_role_name(in->role), ge_role_name(in->role));
    }
    if (2 * (c->n_inputs + 1) > c->table_size) GE_TRY(grow_table(c));
    size_t slot = input_slot(c, encoder, in->kind, in->prefix, in->what);
    if (c->table[slot] != 0) goto done;
    if (in->prefix[0] != '\0' && in->kind != GE_INPUT_PAIR) {
        GE_TRY_PTR(text, ge_arena_printf(c->arena, "%s%s", in->prefix, in->what));
    }
    GE_GROW(c->inputs, c->n_inputs, c->cap_inputs);
    c->inputs[c->n_inputs] = (struct eval_input){
        .encoder = encoder, .kind = in->kind, .prefix = in->prefix, .what = in->what, .text = text};
    c->table[slot] = (uint32_t)++c->n_inputs;
done:
    return rc;
}

struct ge_hash ge_eval_cache_key(const struct ge_evaluator *ev, const struct eval_input *in)
{
    struct {
        struct ge_hash encoder, content;
        uint64_t kind;
    } key = {.content = in->content, .kind = (uint64_t)in->kind};
    if (in->encoder != GE_EVAL_NO_ENCODER) key.encoder = ge_encoder_hash(ev->encoders[in->encoder]);
    return ge_hash_bytes(&key, sizeof key);
}

void ge_eval_fail_input(struct ge_eval_chunk *c, struct eval_input *in, ge_status status,
                        bool node_fault)
{
    in->status = status;
    in->node_fault = node_fault;
    in->reason = ge_arena_strdup(c->arena, ge_error());
    if (in->reason == NULL || in->reason[0] == '\0') in->reason = ge_status_name(status);
}

/* ---- samples ----------------------------------------------------------------------------------- */

static int compare_task(const void *key, const void *scoring)
{
    return strcmp(key, ((const struct ge_task_scoring *)scoring)->task);
}

static bool is_blank(const char *s)
{
    while (isspace((unsigned char)*s)) s++;
    return *s == '\0';
}

void ge_eval_fail_sample(struct ge_eval_chunk *c, struct eval_sample *s, ge_status status,
                         const char *reason)
{
    s->status = status;
    s->reason = ge_arena_strdup(c->arena, reason);
    if (s->reason == NULL) s->reason = ge_status_name(status);
}

/* With embeddings asked for, an answer is embedded by every role's encoder that takes its kind. */
static ge_status need_answer(struct need_context *need, const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    for (int r = 0; r < GE_ROLES; r++) {
        enum ge_role role = (enum ge_role)r;
        enum ge_input_kind kind = role == GE_ROLE_TEXT_TEXT ? GE_INPUT_TEXT : GE_INPUT_IMAGE;
        const char *what = kind == GE_INPUT_TEXT ? answer->text : answer->image;
        if (role == GE_ROLE_BERTSCORE) continue; /* its encoder's tokens are not kept */
        if (!ge_role_needs_encoder(role)) continue;
        if (what == NULL || need->ev->role_encoder[r] < 0) continue;
        const struct ge_score_input in = {role, kind, "", what, true};
        GE_TRY(need_input(need, &in));
    }
done:
    return rc;
}

/* For metrics over sets: the answer and its first reference image, by the encoder that compares its
 * kind; nothing where there is none. */
static ge_status need_set(struct need_context *need, const struct ge_task *task,
                          const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    enum ge_role role = ge_eval_set_role(need->ev, answer);
    if (need->ev->role_encoder[role] < 0) goto done;
    struct ge_score_input in = {role, GE_INPUT_TEXT, "", answer->text, true};
    if (answer->text == NULL) {
        in.kind = GE_INPUT_IMAGE;
        in.what = answer->image;
    }
    GE_TRY(need_input(need, &in));
    if (answer->text != NULL || task->reference_images.n == 0) goto done;
    in.what = task->reference_images.v[0];
    in.is_answer = false;
    GE_TRY(need_input(need, &in));
done:
    return rc;
}

/* Collect the inputs of one sample; what cannot be scored at all gets its reason here. */
static ge_status add_sample(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                            const struct ge_item *item, enum ge_direction d, uint32_t number,
                            const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    const struct ge_task *task = &item->task[d];
    GE_GROW(c->samples, c->n_samples, c->cap_samples);
    struct eval_sample *s = &c->samples[c->n_samples++];
    *s = (struct eval_sample){
        .key = {.item = item->index, .direction = (uint8_t)d, .sample = number},
        .task = task,
        .answer = answer,
        .scoring =
            bsearch(task->type, ev->scoring, ev->n_scoring, sizeof *ev->scoring, compare_task),
    };
    if (answer == NULL) {
        ge_eval_fail_sample(c, s, GE_ENOENT, "no answer was recorded");
    } else if (answer->problem != NULL) {
        ge_eval_fail_sample(c, s, GE_EFORMAT, answer->problem);
    } else if (answer->text == NULL && answer->image == NULL) {
        ge_eval_fail_sample(c, s, GE_EFORMAT, "the answer holds neither a text nor an image");
    } else if (answer->text != NULL && !ev->empty_texts && is_blank(answer->text)) {
        ge_eval_fail_sample(c, s, GE_EFORMAT, "the answer is an empty text");
    } else if (s->scoring == NULL) {
        ge_eval_fail_sample(c, s, GE_EINVAL, "the job does not say how this task is scored");
    } else {
        struct need_context need = {ev, c};
        rc = ge_score_needs(s->scoring, task, answer, need_input, &need);
        if (rc == GE_OK && ev->keep_embeddings) rc = need_answer(&need, answer);
        if (rc == GE_OK && s->scoring->sets) rc = need_set(&need, task, answer);
        if (ge_status_is_content(rc)) {
            ge_eval_fail_sample(c, s, rc, ge_error());
            rc = GE_OK;
        }
    }
done:
    return rc;
}

static ge_status add_item(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                          const struct ge_item *item)
{
    ge_status rc = GE_OK;
    const struct ge_responder *responder = &ev->cells[c->cell].responder;
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        const struct ge_answer *answers;
        size_t n;
        if (!item->task[d].present) continue;
        GE_TRY(responder->respond(responder->ctx, item, (enum ge_direction)d, &answers, &n));
        if (n == 0) GE_TRY(add_sample(ev, c, item, (enum ge_direction)d, 0, NULL));
        for (size_t i = 0; i < n; i++) {
            GE_TRY(add_sample(ev, c, item, (enum ge_direction)d, answers[i].sample, &answers[i]));
        }
    }
done:
    return rc;
}

/* A text's cache entry is its embedding and, behind it, whether the text was cut. */
static ge_status prepare_texts(struct ge_evaluator *ev, struct ge_eval_chunk *c)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->n_inputs; i++) {
        struct eval_input *in = &c->inputs[i];
        if (in->kind != GE_INPUT_TEXT) continue;
        in->content = ge_hash_bytes(in->text, strlen(in->text));
        size_t dim = ge_encoder_dim(ev->encoders[in->encoder]);
        float *v = ge_arena_alloc(c->arena, dim + 1, sizeof *v);
        if (v == NULL) GE_TRY(GE_ENOMEM);
        if (!ge_cache_get(ev->cache, ge_eval_cache_key(ev, in), v, dim + 1)) continue;
        in->embedding = v;
        in->truncated = v[dim] != 0;
        c->times.cache_hits++;
    }
done:
    return rc;
}

/* ---- the stage ----------------------------------------------------------------------------------- */

ge_status ge_eval_prepare(struct ge_evaluator *ev, uint32_t cell, uint32_t first, uint32_t count,
                          struct ge_eval_chunk **chunk)
{
    ge_status rc = GE_OK;
    struct ge_eval_chunk *c = NULL;
    *chunk = NULL;
    if (ge_eval_is_cancelled(ev)) return ge_fail(GE_EINTERRUPTED, "cancelled");
    GE_NEW(c, 1);
    c->ev = ev;
    c->cell = cell;
    c->first = first;
    c->count = count;
    GE_TRY_PTR(c->arena, ge_arena_new());
    for (uint32_t i = 0; i < count; i++) GE_TRY(add_item(ev, c, &ev->items[first + i]));
    GE_TRY(ge_eval_prepare_images(ev, c));
    GE_TRY(ge_eval_check_answers(ev, c));
    GE_TRY(prepare_texts(ev, c));
    *chunk = c;
    c = NULL;
done:
    ge_eval_chunk_delete(&c);
    return rc;
}

void ge_eval_chunk_delete(struct ge_eval_chunk **chunk)
{
    if (chunk == NULL || *chunk == NULL) return;
    struct ge_eval_chunk *c = *chunk;
    *chunk = NULL;
    for (size_t i = 0; i < c->n_inputs; i++) ge_eval_free_pixels(c->ev, &c->inputs[i]);
    free(c->inputs);
    free(c->samples);
    free(c->table);
    ge_arena_delete(&c->states);
    ge_arena_delete(&c->arena);
    free(c);
}

void ge_eval_times_add(struct ge_eval_times *sum, const struct ge_eval_times *part)
{
    sum->read += part->read;
    sum->decode += part->decode;
    sum->encode_images += part->encode_images;
    sum->encode_texts += part->encode_texts;
    sum->score += part->score;
    sum->images_read += part->images_read;
    sum->images_encoded += part->images_encoded;
    sum->texts_encoded += part->texts_encoded;
    sum->cache_hits += part->cache_hits;
}

const struct ge_eval_times *ge_eval_chunk_times(const struct ge_eval_chunk *chunk)
{
    return &chunk->times;
}
