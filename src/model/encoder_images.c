/* Images to embeddings: batches on their way to the device and back. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/encoder_internal.h"

static size_t pixel_count(const struct ge_encoder *e)
{
    return 3 * e->model->height * e->model->width;
}

static ge_status want_images(const struct ge_encoder *e)
{
    if (e->model->kind->images) return GE_OK;
    return ge_fail(GE_EINVAL, "encoder: a %s model has no image tower", e->model->kind->type);
}

size_t ge_encoder_batch(const struct ge_encoder *enc)
{
    return enc->max_batch;
}

/* Pictures on the device to rows of `b`, in passes of at most e->pass. A pass that finds too little
 * memory is tried again with half: a row's digits do not depend on its pass. */
static ge_status run_passes(struct ge_encoder *e, struct ge_tensor pixels, bool normalize,
                            struct ge_return *b)
{
    ge_status rc = GE_OK;

    for (size_t at = 0; at < pixels.rows;) {
        size_t n = pixels.rows - at < e->pass ? pixels.rows - at : e->pass;
        const struct ge_pictures in = {ge_tensor_rows(pixels, at, n), e->table};
        struct ge_tensor rows;
        rc = e->model->kind->ops->images(e->model, &in, &rows);
        if (rc == GE_OK) rc = ge_return_put(e, b, at, rows, normalize);
        if (ge_encoder_shrink(e, rc, n)) {
            e->pass = n / 2;
            ge_warn("the device's memory is short: %zu images at a time from now on", e->pass);
            continue;
        }
        if (rc != GE_OK) break;
        at += n;
    }
    return rc;
}

/* ---- in two halves ------------------------------------------------------------------------ */

/* Waiting may fail as what went before did; the first failure stays the thread's message. */
void ge_encoder_drop(struct ge_encoder *enc)
{
    char *message = ge_strdup(ge_error());
    ge_status rc = GE_OK;

    for (size_t i = 0; i < GE_ENCODER_AHEAD; i++) {
        ge_status one = enc->flight[i].pixels != NULL ? ge_stage_wait(enc->flight[i].pixels) : rc;
        if (one != GE_OK) rc = one;
    }
    if (rc != GE_OK && message != NULL) (void)ge_fail(rc, "%s", message);
    free(message);
    enc->flying = 0;
}

/* After a failure nothing is on its way any more. */
static ge_status settle(struct ge_encoder *e, ge_status rc)
{
    if (rc != GE_OK) ge_encoder_drop(e);
    return rc;
}

/* Room for all batches that may be on their way. */
static ge_status make_room(struct ge_encoder *e)
{
    ge_status rc = GE_OK;

    for (size_t i = 0; i < GE_ENCODER_AHEAD; i++) {
        struct ge_flight *f = &e->flight[i];
        GE_TRY(ge_return_reserve(e, &f->back, e->max_batch));
        if (f->pixels == NULL)
            GE_TRY(ge_stage_new(e->dev, e->max_batch * pixel_count(e), &f->pixels));
    }
done:
    return rc;
}

/* The same before the first pass, so that only passes, which can be halved, find memory short. What
 * earlier passes over texts hold is given back for it. */
static ge_status reserve(struct ge_encoder *e)
{
    ge_status rc = make_room(e);

    if (rc != GE_ENOMEM) return rc;
    ge_workspace_release(&e->model->ws);
    return make_room(e);
}

static ge_status send(struct ge_encoder *e, struct ge_flight *f, const uint8_t *const *pixels,
                      size_t n)
{
    size_t each = pixel_count(e);
    ge_status rc = GE_OK;

    for (size_t i = 0; i < n; i++) GE_TRY(ge_stage_send(f->pixels, i * each, pixels[i], each));
done:
    return rc;
}

ge_status ge_encoder_begin(struct ge_encoder *enc, const uint8_t *const *pixels, size_t n,
                           bool normalize)
{
    struct ge_flight *f = &enc->flight[enc->flown % GE_ENCODER_AHEAD];
    struct ge_tensor input;
    ge_status rc = GE_OK;

    GE_TRY(want_images(enc));
    if (n > enc->max_batch || enc->flying == GE_ENCODER_AHEAD)
        GE_TRY(ge_fail(GE_EINVAL,
                       "encoder: a batch of %zu images with %zu batches on their way; at "
                       "most %zu images and %d batches",
                       n, enc->flying, enc->max_batch, GE_ENCODER_AHEAD));
    GE_TRY(reserve(enc));
    f->back.first = 0;
    f->back.n = n;
    GE_TRY(send(enc, f, pixels, n));
    GE_TRY(ge_stage_acquire(f->pixels, n, pixel_count(enc), GE_U8, &input));
    GE_TRY(run_passes(enc, input, normalize, &f->back));
    GE_TRY(ge_stage_release(f->pixels));
    GE_TRY(ge_return_begin(&f->back));
    enc->flown++;
    enc->flying++;
done:
    return settle(enc, rc);
}

ge_status ge_encoder_finish(struct ge_encoder *enc, float *out)
{
    struct ge_flight *f;

    if (enc->flying == 0) return ge_fail(GE_EINVAL, "encoder: no batch is on its way");
    f = &enc->flight[(enc->flown - enc->flying) % GE_ENCODER_AHEAD];
    enc->flying--;
    return settle(enc, ge_return_finish(enc, &f->back, "image", out));
}

/* ---- in one ------------------------------------------------------------------------------- */

ge_status ge_encoder_images(struct ge_encoder *enc, const uint8_t *const *pixels, size_t n,
                            bool normalize, float *out)
{
    size_t begun = 0, finished = 0;
    ge_status rc = GE_OK;

    GE_TRY(want_images(enc));
    while (finished < n) {
        struct ge_flight *f = &enc->flight[enc->flown % GE_ENCODER_AHEAD];
        size_t batch = n - begun < enc->max_batch ? n - begun : enc->max_batch;
        if (batch > 0 && enc->flying < GE_ENCODER_AHEAD) {
            GE_TRY(ge_encoder_begin(enc, pixels + begun, batch, normalize));
            f->back.first = begun;
            begun += batch;
            continue;
        }
        f = &enc->flight[(enc->flown - enc->flying) % GE_ENCODER_AHEAD];
        GE_TRY(ge_encoder_finish(enc, out + finished * enc->model->dim));
        finished += f->back.n;
    }
done:
    return rc;
}

ge_status ge_encoder_tensors(struct ge_encoder *enc, const float *tensors, size_t n, bool normalize,
                             float *out)
{
    struct ge_return *b = &enc->flight[0].back;
    size_t each = pixel_count(enc);
    struct ge_tensor input = {0};
    ge_status rc = GE_OK;

    GE_TRY(want_images(enc));
    for (size_t at = 0; at < n; at += enc->max_batch) {
        size_t batch = n - at < enc->max_batch ? n - at : enc->max_batch;
        GE_TRY(ge_tensor_new(enc->dev, batch, each, GE_F32, &input));
        GE_TRY(ge_upload(input, tensors + at * each));
        GE_TRY(ge_return_reserve(enc, b, enc->max_batch));
        b->first = at;
        b->n = batch;
        GE_TRY(run_passes(enc, input, normalize, b));
        GE_TRY(ge_return_begin(b));
        GE_TRY(ge_return_finish(enc, b, "image", out + at * enc->model->dim));
        ge_buffer_delete(&input.buf);
    }
done:
    ge_buffer_delete(&input.buf);
    return rc;
}

void ge_encoder_free_images(struct ge_encoder *e)
{
    for (size_t i = 0; i < GE_ENCODER_AHEAD; i++) {
        ge_stage_delete(&e->flight[i].pixels);
        ge_return_free(&e->flight[i].back);
    }
    ge_buffer_delete(&e->table.buf);
}
