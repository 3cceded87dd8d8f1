/* Images of a chunk: read, hashed, looked up in the cache, decoded and resized by the decode pool. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/trace.h"
#include "evaluate/chunk.h"
#include "image/preprocess.h"
#include "image/resize.h"
#include "metric/picture.h"
#include "metric/ssim.h"

enum { TRIES = 3 };

size_t ge_eval_input_size(const struct ge_evaluator *ev, const struct eval_input *in)
{
    if (in->kind == GE_INPUT_PICTURE) return GE_PICTURE_SIZE;
    if (in->kind == GE_INPUT_PAIR) return 2 * sizeof(double) / sizeof(float);
    return ge_encoder_dim(ev->encoders[in->encoder]);
}

static bool is_node_fault(const struct ge_evaluator *ev, ge_status rc, const char *path)
{
    if (rc == GE_ENOENT) {
        return ev->was_missing != NULL && !ev->was_missing(ev->was_missing_ctx, path);
    }
    return !ge_status_is_content(rc);
}

/* Read a file; a failure of the node is tried three times with growing pauses. */
static ge_status read_image_file(const struct ge_evaluator *ev, const char *path, char **data,
                                 size_t *len, bool *node_fault)
{
    ge_status rc = GE_OK;
    double pause = ev->retry_backoff;
    for (int i = 0; i < TRIES; i++, pause *= 2) {
        rc = ge_fs_read(path, ev->image.limits.max_file_bytes, data, len);
        *node_fault = rc != GE_OK && is_node_fault(ev, rc, path);
        if (!*node_fault || i + 1 == TRIES || ge_eval_is_cancelled(ev)) break;
        struct timespec t = {.tv_sec = (time_t)pause,
                             .tv_nsec = (long)((pause - (double)(time_t)pause) * 1e9)};
        nanosleep(&t, NULL);
    }
    return rc;
}

static ge_status decode(const struct ge_evaluator *ev, struct eval_input *in, const char *data,
                        size_t len, struct ge_image_scratch *scratch)
{
    ge_status rc = GE_OK;
    uint8_t *pixels = NULL;
    size_t n = 0;
    const struct ge_preprocess *p = ge_encoder_preprocess(ev->encoders[in->encoder]);
    if (p == NULL) GE_TRY(ge_fail(GE_EINVAL, "the encoder takes no images"));
    n = ge_preprocess_size(p);
    GE_TRY_PTR(pixels, ge_pixels_get(ev->pixels, n));
    GE_TRY(ge_preprocess_decode(p, data, len, scratch, pixels));
    in->pixels = pixels;
    pixels = NULL;
done:
    ge_pixels_put(ev->pixels, pixels, n);
    return rc;
}

void ge_eval_free_pixels(const struct ge_evaluator *ev, struct eval_input *in)
{
    if (in->pixels == NULL) return;
    ge_pixels_put(ev->pixels, in->pixels,
                  ge_preprocess_size(ge_encoder_preprocess(ev->encoders[in->encoder])));
    in->pixels = NULL;
}

/* What one image came to, besides the input itself: filled by a pool thread, merged afterwards,
 * because the chunk's arena belongs to one thread. */
struct image_outcome {
    ge_status status;
    bool node_fault;
    char *message;    /* owned */
    float *embedding; /* owned; from the cache */
    struct ge_eval_times times;
};

struct image_loop {
    struct ge_evaluator *ev;
    struct ge_eval_chunk *chunk;
    const uint32_t *images; /* indices of image inputs */
    struct image_outcome *outcomes;
    struct ge_image_scratch **scratch; /* of each thread */
};

/* The embedding of an input whose content is known, if the cache has it. */
static bool from_cache(struct ge_evaluator *ev, struct eval_input *in, float *out)
{
    return ge_cache_get(ev->cache, ge_eval_cache_key(ev, in), out, ge_eval_input_size(ev, in));
}

/* The message of a failed read, which begins with the path, with the file's name alone: reasons of
 * error rows must not differ between machines. */
static ge_status without_folder(ge_status rc, const char *path)
{
    const char *message = ge_error();
    if (strncmp(message, path, strlen(path)) != 0) return rc;
    return ge_fail(rc, "%s", message + (ge_fs_basename(path) - path));
}

static ge_status make_picture(const struct ge_evaluator *ev, const char *data, size_t len,
                              float *out)
{
    struct ge_image image = {0};
    ge_status rc = ge_image_decode(data, len, &ev->image, &image);
    if (rc == GE_OK) rc = ge_picture_make(&image, out);
    ge_image_free(&image);
    return rc;
}

static ge_status prepare_image(struct ge_evaluator *ev, struct eval_input *in,
                               struct ge_image_scratch *scratch, struct image_outcome *o)
{
    ge_status rc = GE_OK;
    char *data = NULL;
    size_t len = 0;
    float *v = NULL;
    double start = ge_now(), have, span;
    if (ge_eval_is_cancelled(ev)) return ge_fail(GE_EINTERRUPTED, "cancelled");
    GE_NEW(v, ge_eval_input_size(ev, in));
    if (ge_cache_get_path(ev->cache, in->what, &in->content) && from_cache(ev, in, v)) goto hit;
    span = ge_trace_begin("read");
    rc = read_image_file(ev, in->what, &data, &len, &o->node_fault);
    ge_trace_end("read", span, len);
    if (rc != GE_OK && !o->node_fault) rc = without_folder(rc, in->what);
    if (rc != GE_OK) goto done;
    in->content = ge_hash_bytes(data, len);
    ge_cache_put_path(ev->cache, in->what, in->content);
    have = ge_now();
    o->times.read = have - start;
    o->times.images_read = 1;
    if (from_cache(ev, in, v)) goto hit;
    span = ge_trace_begin("decode");
    rc = in->kind == GE_INPUT_IMAGE ? decode(ev, in, data, len, scratch)
                                    : make_picture(ev, data, len, v);
    ge_trace_end("decode", span, 1);
    if (rc != GE_OK) rc = ge_fail_in(rc, "%s", ge_fs_basename(in->what));
    o->times.decode = ge_now() - have;
    if (rc != GE_OK || in->kind == GE_INPUT_IMAGE) goto done;
    ge_cache_put(ev->cache, ge_eval_cache_key(ev, in), v, ge_eval_input_size(ev, in));
    o->embedding = v;
    v = NULL;
    goto done;
hit:
    o->embedding = v;
    o->times.cache_hits = 1;
    v = NULL;
done:
    free(v);
    free(data);
    return rc;
}

/* ---- pictures without an encoder ---------------------------------------------------------------------- */

/* A file as it is, for comparing pixels. */
static ge_status load_image(struct ge_evaluator *ev, const char *path, struct image_outcome *o,
                            struct ge_image *image)
{
    char *data = NULL;
    size_t len = 0;
    ge_status rc = read_image_file(ev, path, &data, &len, &o->node_fault);
    if (rc != GE_OK && !o->node_fault) rc = without_folder(rc, path);
    if (rc == GE_OK) {
        rc = ge_image_decode(data, len, &ev->image, image);
        if (rc != GE_OK) rc = ge_fail_in(rc, "%s", ge_fs_basename(path));
    }
    free(data);
    return rc;
}

/* SSIM of the answer, brought to the reference's size, and the reference. */
static ge_status prepare_pair(struct ge_evaluator *ev, const struct eval_input *in,
                              struct image_outcome *o)
{
    ge_status rc = GE_OK;
    struct ge_image answer = {0}, reference = {0}, scaled = {0};
    double values[2];
    float *v = NULL;
    if (ge_eval_is_cancelled(ev)) return ge_fail(GE_EINTERRUPTED, "cancelled");
    GE_NEW(v, ge_eval_input_size(ev, in));
    GE_TRY(load_image(ev, in->what, o, &answer));
    GE_TRY(load_image(ev, in->prefix, o, &reference));
    bool same = answer.width == reference.width && answer.height == reference.height;
    const struct ge_resize to = {.width = reference.width,
                                 .height = reference.height,
                                 .filter = GE_RESAMPLE_BICUBIC,
                                 .mode = GE_RESIZE_PIL,
                                 .pillow = GE_PILLOW_13};
    if (!same) GE_TRY(ge_image_resize(&answer, &to, &scaled));
    const struct ge_image *a = same ? &answer : &scaled;
    GE_TRY(ge_ssim(a, &reference, GE_SSIM_SKIMAGE, &values[0]));
    GE_TRY(ge_ssim(a, &reference, GE_SSIM_TORCHMETRICS, &values[1]));
    memcpy(v, values, sizeof values);
    o->embedding = v;
    v = NULL;
done:
    free(v);
    ge_image_free(&answer);
    ge_image_free(&reference);
    ge_image_free(&scaled);
    return rc;
}

/* ---- all ------------------------------------------------------------------------------------------------ */

static void prepare_image_at(void *ctx, size_t i, int thread)
{
    struct image_loop *loop = ctx;
    struct image_outcome *o = &loop->outcomes[i];
    struct eval_input *in = &loop->chunk->inputs[loop->images[i]];
    o->status = in->kind == GE_INPUT_PAIR ? prepare_pair(loop->ev, in, o)
                                          : prepare_image(loop->ev, in, loop->scratch[thread], o);
    if (o->status != GE_OK) {
        o->node_fault = o->node_fault || o->status == GE_ENOMEM;
        o->message = ge_strdup(ge_error());
    }
    atomic_fetch_add(&loop->ev->progress, 1);
}

static ge_status merge_outcome(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                               struct eval_input *in, const struct image_outcome *o)
{
    ge_status rc = GE_OK;
    ge_eval_times_add(&c->times, &o->times);
    if (o->status == GE_EINTERRUPTED) return ge_fail(GE_EINTERRUPTED, "cancelled");
    if (o->status != GE_OK) {
        ge_fail(o->status, "%s", o->message != NULL ? o->message : "out of memory");
        ge_eval_fail_input(c, in, o->status, o->node_fault);
    } else if (o->embedding != NULL) {
        size_t dim = ge_eval_input_size(ev, in);
        GE_TRY_PTR(in->embedding, ge_arena_alloc(c->arena, dim, sizeof *in->embedding));
        memcpy(in->embedding, o->embedding, dim * sizeof *in->embedding);
    }
done:
    return rc;
}

/* An answer image that no encoder looks at (its verdict was recorded, say) must still be there
 * and be an image: a broken answer is an error row whatever the rule. */
static ge_status look_at_image(struct ge_evaluator *ev, struct ge_eval_chunk *c,
                               struct eval_sample *s)
{
    ge_status rc = GE_OK;
    const char *path = s->answer->image;
    struct ge_image image = {0};
    char *data = NULL;
    size_t len = 0;
    rc = read_image_file(ev, path, &data, &len, &s->node_fault);
    if (rc == GE_OK) {
        s->image_hash = ge_hash_bytes(data, len);
        rc = ge_image_decode(data, len, &ev->image, &image);
        if (rc != GE_OK) rc = ge_fail_in(rc, "%s", ge_fs_basename(path));
    } else if (!s->node_fault) {
        rc = without_folder(rc, path);
    }
    free(data);
    ge_image_free(&image);
    if (rc == GE_ENOMEM) return rc;
    if (rc != GE_OK) {
        ge_fail_in(rc, "answer");
        ge_eval_fail_sample(c, s, rc, ge_error());
    }
    return GE_OK;
}

/* Samples whose answer image is broken or missing cannot be scored. */
ge_status ge_eval_check_answers(struct ge_evaluator *ev, struct ge_eval_chunk *c)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->n_samples; i++) {
        struct eval_sample *s = &c->samples[i];
        const struct eval_input *in = NULL;
        if (s->status != GE_OK || s->answer->image == NULL) continue;
        for (int e = 0; e < (int)ev->n_encoders && in == NULL; e++) {
            size_t at = ge_eval_find_input(c, e, GE_INPUT_IMAGE, "", s->answer->image);
            if (at != SIZE_MAX) in = &c->inputs[at];
        }
        size_t picture =
            ge_eval_find_input(c, GE_EVAL_NO_ENCODER, GE_INPUT_PICTURE, "", s->answer->image);
        if (in == NULL && picture != SIZE_MAX) in = &c->inputs[picture];
        if (in == NULL) {
            GE_TRY(look_at_image(ev, c, s));
        } else if (in->status != GE_OK) {
            ge_fail(in->status, "answer: %s", in->reason);
            ge_eval_fail_sample(c, s, in->status, ge_error());
            s->node_fault = in->node_fault;
        }
    }
done:
    return rc;
}

ge_status ge_eval_prepare_images(struct ge_evaluator *ev, struct ge_eval_chunk *c)
{
    ge_status rc = GE_OK;
    uint32_t *images = NULL;
    struct image_outcome *outcomes = NULL;
    struct ge_image_scratch **scratch = NULL;
    const size_t threads = ev->decode_pool != NULL ? (size_t)ge_pool_threads(ev->decode_pool) : 1;
    size_t n = 0;
    GE_NEW(images, c->n_inputs);
    for (size_t i = 0; i < c->n_inputs; i++) {
        enum ge_input_kind kind = c->inputs[i].kind;
        bool is_image = kind == GE_INPUT_IMAGE || kind == GE_INPUT_PICTURE || kind == GE_INPUT_PAIR;
        if (is_image) images[n++] = (uint32_t)i;
    }
    GE_NEW(outcomes, n);
    GE_TRY(ge_image_scratches_new(threads, &scratch));
    struct image_loop loop = {ev, c, images, outcomes, scratch};
    ge_pool_run(ev->decode_pool, n, prepare_image_at, &loop);
    for (size_t i = 0; i < n; i++) {
        GE_TRY(merge_outcome(ev, c, &c->inputs[images[i]], &outcomes[i]));
    }
done:
    for (size_t i = 0; outcomes != NULL && i < n; i++) {
        free(outcomes[i].message);
        free(outcomes[i].embedding);
    }
    ge_image_scratches_delete(threads, &scratch);
    free(outcomes);
    free(images);
    return rc;
}
