/* Second stage: embeddings of what the cache did not have. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/trace.h"
#include "evaluate/chunk.h"

/* ---- embeddings ---------------------------------------------------------------------------------- */

/* Inputs of one encoder and kind that still have no embedding. */
struct batch {
    struct ge_evaluator *ev;
    struct ge_eval_chunk *chunk;
    struct ge_encoder *encoder;
    enum ge_input_kind kind;
    struct eval_input **inputs; /* (n) */
    size_t n;
    float *pixels;      /* room for `limit` images, or NULL */
    const char **texts; /* room for `limit` texts */
    float *out;         /* (limit, dim) */
    unsigned char *cut; /* (limit) */
    size_t limit;
};

static ge_status encode_some(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    if (b->kind == GE_INPUT_TEXT) {
        for (size_t i = 0; i < n; i++) b->texts[i] = inputs[i]->what;
        return ge_encoder_texts(b->encoder, b->texts, n, true, b->out, b->cut);
    }
    size_t h, w;
    GE_ASSERT(ge_encoder_image_size(b->encoder, &h, &w));
    for (size_t i = 0; i < n; i++) {
        memcpy(b->pixels + i * 3 * h * w, inputs[i]->pixels, 3 * h * w * sizeof *b->pixels);
    }
    return ge_encoder_images(b->encoder, b->pixels, n, true, b->out);
}

static ge_status keep_embedding(const struct batch *b, struct eval_input *in, const float *v,
                                bool cut)
{
    size_t dim = ge_encoder_dim(b->encoder);
    float *kept = ge_arena_alloc(b->chunk->arena, dim + 1, sizeof *kept);
    if (kept == NULL) return GE_ENOMEM;
    memcpy(kept, v, dim * sizeof *kept);
    kept[dim] = cut;
    in->truncated = cut;
    in->embedding = kept;
    ge_cache_put(b->ev->cache, ge_eval_cache_key(b->ev, in), kept,
                 b->kind == GE_INPUT_TEXT ? dim + 1 : dim);
    free(in->pixels);
    in->pixels = NULL;
    return GE_OK;
}

/* Encode up to `limit` inputs. If the whole fails over a content (an embedding that is not
 * finite), each is tried alone, so that only the bad one is blamed. */
static ge_status encode_batch(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    ge_status rc = encode_some(b, inputs, n);
    size_t dim = ge_encoder_dim(b->encoder);
    if (ge_status_is_content(rc) && n > 1) {
        rc = GE_OK;
        for (size_t i = 0; i < n; i++) GE_TRY(encode_batch(b, inputs + i, 1));
        goto done;
    }
    if (ge_status_is_content(rc)) {
        ge_eval_fail_input(b->chunk, inputs[0], rc, false);
        rc = GE_OK;
        goto done;
    }
    if (rc != GE_OK) goto done;
    for (size_t i = 0; i < n; i++) {
        GE_TRY(keep_embedding(b, inputs[i], b->out + i * dim, b->cut[i] != 0));
        atomic_fetch_add(&b->ev->progress, 1);
    }
done:
    return rc;
}

static ge_status collect(struct batch *b, int encoder)
{
    ge_status rc = GE_OK;
    struct ge_eval_chunk *c = b->chunk;
    GE_NEW(b->inputs, c->n_inputs);
    for (size_t i = 0; i < c->n_inputs; i++) {
        struct eval_input *in = &c->inputs[i];
        bool wanted = in->encoder == encoder && in->kind == b->kind && in->embedding == NULL &&
                      in->status == GE_OK;
        if (wanted) b->inputs[b->n++] = in;
    }
done:
    return rc;
}

static ge_status encode_kind(struct ge_evaluator *ev, struct ge_eval_chunk *c, int encoder,
                             enum ge_input_kind kind)
{
    ge_status rc = GE_OK;
    struct batch b = {
        .ev = ev, .chunk = c, .encoder = ev->encoders[encoder], .kind = kind, .limit = ev->batch};
    const char *name = kind == GE_INPUT_IMAGE ? "encode images" : "encode texts";
    double start = ge_now(), span = ge_trace_begin(name);
    size_t h = 0, w = 0;
    GE_TRY(collect(&b, encoder));
    if (b.n == 0) goto done;
    ge_encoder_image_size(b.encoder, &h, &w);
    if (b.limit > b.n) b.limit = b.n;
    GE_NEW(b.texts, b.limit);
    GE_NEW(b.cut, b.limit);
    GE_NEW(b.out, b.limit * ge_encoder_dim(b.encoder));
    if (kind == GE_INPUT_IMAGE) GE_NEW(b.pixels, b.limit * 3 * h * w);
    for (size_t i = 0; i < b.n; i += b.limit) {
        size_t n = b.n - i < b.limit ? b.n - i : b.limit;
        if (ge_eval_is_cancelled(ev)) {
            GE_TRY(ge_fail(GE_EINTERRUPTED, "cancelled"));
        }
        GE_TRY(encode_batch(&b, b.inputs + i, n));
    }
    *(kind == GE_INPUT_IMAGE ? &c->times.images_encoded : &c->times.texts_encoded) += b.n;
    *(kind == GE_INPUT_IMAGE ? &c->times.encode_images : &c->times.encode_texts) +=
        ge_now() - start;
done:
    ge_trace_end(name, span, b.n);
    free(b.inputs);
    free(b.texts);
    free(b.cut);
    free(b.out);
    free(b.pixels);
    return rc;
}

/* ---- the stage --------------------------------------------------------------------------------------- */

ge_status ge_eval_encode(struct ge_evaluator *ev, struct ge_eval_chunk *chunk)
{
    ge_status rc = GE_OK;
    for (int e = 0; e < (int)ev->n_encoders; e++) {
        GE_TRY(encode_kind(ev, chunk, e, GE_INPUT_IMAGE));
        GE_TRY(encode_kind(ev, chunk, e, GE_INPUT_TEXT));
    }
done:
    return rc;
}

/* ---- golden batch --------------------------------------------------------------------------------------- */

enum { GOLDEN_IMAGES = 3 };

static const char *const golden_texts[] = {
    "a red circle",
    "Three green squares stand in a row; the fourth is blue.",
    "Wie viele Ringe sind zu sehen?",
};

static ge_status golden_images(struct ge_encoder *enc, struct ge_hasher *h)
{
    ge_status rc = GE_OK;
    float *pixels = NULL, *out = NULL;
    size_t height, width, dim = ge_encoder_dim(enc);
    if (!ge_encoder_image_size(enc, &height, &width)) return GE_OK;
    size_t n = GOLDEN_IMAGES * 3 * height * width;
    GE_NEW(pixels, n);
    GE_NEW(out, GOLDEN_IMAGES * dim);
    for (size_t i = 0; i < n; i++) pixels[i] = (float)(4 * ge_uniform(1, 0, i) - 2);
    GE_TRY(ge_encoder_images(enc, pixels, GOLDEN_IMAGES, true, out));
    ge_hasher_add(h, out, GOLDEN_IMAGES * dim * sizeof *out);
done:
    free(pixels);
    free(out);
    return rc;
}

ge_status ge_eval_golden(struct ge_encoder *const *encoders, size_t n, struct ge_hash *hash)
{
    enum { TEXTS = sizeof golden_texts / sizeof golden_texts[0] };
    ge_status rc = GE_OK;
    struct ge_hasher *h = NULL;
    float *out = NULL;
    GE_TRY_PTR(h, ge_hasher_new());
    for (size_t e = 0; e < n; e++) {
        size_t dim = ge_encoder_dim(encoders[e]);
        GE_TRY(golden_images(encoders[e], h));
        if (!ge_encoder_has_text(encoders[e])) continue;
        GE_NEW(out, TEXTS * dim);
        GE_TRY(ge_encoder_texts(encoders[e], golden_texts, TEXTS, true, out, NULL));
        ge_hasher_add(h, out, TEXTS * dim * sizeof *out);
        free(out);
        out = NULL;
    }
    *hash = ge_hasher_get(h);
done:
    free(out);
    ge_hasher_delete(&h);
    return rc;
}
