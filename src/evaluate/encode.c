/* Second stage: embeddings of what the cache did not have. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/trace.h"
#include "evaluate/chunk.h"

enum { TEXTS_PER_BATCH = 8 }; /* texts of a call for each image of a batch: they are shorter */

/* Inputs of one encoder and kind that still have no embedding. */
struct batch {
    struct ge_evaluator *ev;
    struct ge_eval_chunk *chunk;
    struct ge_encoder *encoder;
    enum ge_input_kind kind;
    struct eval_input **inputs; /* (n) */
    size_t n, limit;            /* limit: most inputs of one call */
    const void **what;          /* (limit) pixels or texts of a call */
    float *out;                 /* (limit, dim) */
    unsigned char *cut;         /* (limit) */
};

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
    ge_eval_free_pixels(b->ev, in);
    atomic_fetch_add(&b->ev->progress, 1);
    return GE_OK;
}

static ge_status keep_embeddings(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    ge_status rc = GE_OK;
    size_t dim = ge_encoder_dim(b->encoder);
    for (size_t i = 0; i < n; i++) {
        bool cut = b->kind == GE_INPUT_TEXT && b->cut[i] != 0;
        GE_TRY(keep_embedding(b, inputs[i], b->out + i * dim, cut));
    }
done:
    return rc;
}

static const void *const *gather(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        b->what[i] = b->kind == GE_INPUT_TEXT ? (const void *)inputs[i]->text : inputs[i]->pixels;
    }
    return b->what;
}

static ge_status encode_now(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    const void *const *what = gather(b, inputs, n);
    return b->kind == GE_INPUT_TEXT
               ? ge_encoder_texts(b->encoder, (const char *const *)what, n, true, b->out, b->cut)
               : ge_encoder_images(b->encoder, (const uint8_t *const *)what, n, true, b->out);
}

/* Inputs one by one, after all together failed over a content (an embedding that is not finite): so
 * only the bad one is blamed. */
static ge_status encode_alone(const struct batch *b, struct eval_input *const *inputs, size_t n)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < n; i++) {
        rc = encode_now(b, inputs + i, 1);
        if (ge_status_is_content(rc)) {
            ge_eval_fail_input(b->chunk, inputs[i], rc, false);
            ge_eval_free_pixels(b->ev, inputs[i]);
            rc = GE_OK;
            continue;
        }
        GE_TRY(rc);
        GE_TRY(keep_embeddings(b, inputs + i, 1));
    }
done:
    return rc;
}

static ge_status check_cancelled(const struct batch *b)
{
    return ge_eval_is_cancelled(b->ev) ? ge_fail(GE_EINTERRUPTED, "cancelled") : GE_OK;
}

static ge_status encode_texts(const struct batch *b)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < b->n; i += b->limit) {
        size_t n = b->n - i < b->limit ? b->n - i : b->limit;
        GE_TRY(check_cancelled(b));
        rc = encode_now(b, b->inputs + i, n);
        if (ge_status_is_content(rc)) {
            rc = encode_alone(b, b->inputs + i, n);
        } else if (rc == GE_OK) {
            rc = keep_embeddings(b, b->inputs + i, n);
        }
        GE_TRY(rc);
    }
done:
    return rc;
}

/* Batches on their way to the device while the one before is computed. */
static ge_status encode_images(const struct batch *b)
{
    ge_status rc = GE_OK;
    size_t begun = 0, finished = 0, ahead = 0;
    while (finished < b->n) {
        size_t n = b->n - begun < b->limit ? b->n - begun : b->limit;
        GE_TRY(check_cancelled(b));
        if (n > 0 && ahead < GE_ENCODER_AHEAD) {
            const void *const *what = gather(b, b->inputs + begun, n);
            GE_TRY(ge_encoder_begin(b->encoder, (const uint8_t *const *)what, n, true));
            begun += n;
            ahead++;
            continue;
        }
        n = b->n - finished < b->limit ? b->n - finished : b->limit;
        rc = ge_encoder_finish(b->encoder, b->out);
        if (ge_status_is_content(rc)) { /* what was on its way behind it is begun again */
            rc = encode_alone(b, b->inputs + finished, n);
            begun = finished + n;
            ahead = 1;
        } else if (rc == GE_OK) {
            rc = keep_embeddings(b, b->inputs + finished, n);
        }
        GE_TRY(rc);
        finished += n;
        ahead--;
    }
done:
    if (rc != GE_OK) ge_encoder_drop(b->encoder);
    return rc;
}

static ge_status collect(struct batch *b, int encoder)
{
    ge_status rc = GE_OK;
    struct ge_eval_chunk *c = b->chunk;
    GE_NEW(b->inputs, c->n_inputs);
    for (size_t i = 0; i < c->n_inputs; i++) {
        struct eval_input *in = &c->inputs[i];
        bool wanted = in->encoder == encoder && in->kind == b->kind && !ge_eval_is_embedded(in) &&
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
    struct batch b = {.ev = ev, .chunk = c, .encoder = ev->encoders[encoder], .kind = kind};
    const char *name = kind == GE_INPUT_IMAGE ? "encode images" : "encode texts";
    double start = ge_now(), span = ge_trace_begin(name);
    GE_TRY(collect(&b, encoder));
    if (b.n == 0) goto done;
    b.limit = ge_encoder_batch(b.encoder) * (kind == GE_INPUT_TEXT ? TEXTS_PER_BATCH : 1);
    if (b.limit > b.n) b.limit = b.n;
    GE_NEW(b.what, b.limit);
    GE_NEW(b.cut, b.limit);
    GE_NEW(b.out, b.limit * ge_encoder_dim(b.encoder));
    GE_TRY(kind == GE_INPUT_IMAGE ? encode_images(&b) : encode_texts(&b));
    *(kind == GE_INPUT_IMAGE ? &c->times.images_encoded : &c->times.texts_encoded) += b.n;
    *(kind == GE_INPUT_IMAGE ? &c->times.encode_images : &c->times.encode_texts) +=
        ge_now() - start;
done:
    ge_trace_end(name, span, b.n);
    free(b.inputs);
    free(b.what);
    free(b.cut);
    free(b.out);
    return rc;
}

/* ---- the stage --------------------------------------------------------------------------------------- */

ge_status ge_eval_encode(struct ge_evaluator *ev, struct ge_eval_chunk *chunk)
{
    ge_status rc = GE_OK;
    for (int e = 0; e < (int)ev->n_encoders; e++) {
        GE_TRY(encode_kind(ev, chunk, e, GE_INPUT_IMAGE));
        GE_TRY(encode_kind(ev, chunk, e, GE_INPUT_TEXT));
        GE_TRY(ge_eval_encode_tokens(ev, chunk, e));
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

/* Embed the images as batches of `n` that repeat them; every repetition must have the same bits. */
static ge_status golden_batch(struct ge_encoder *enc, const uint8_t *images, size_t bytes, size_t n,
                              float *out)
{
    ge_status rc = GE_OK;
    size_t dim = ge_encoder_dim(enc);
    const uint8_t **pixels = NULL;
    float *all = NULL;
    GE_NEW(pixels, n);
    GE_NEW(all, n * dim);
    for (size_t i = 0; i < n; i++) pixels[i] = images + i % GOLDEN_IMAGES * bytes;
    GE_TRY(ge_encoder_images(enc, pixels, n, true, all));
    memcpy(out, all, GOLDEN_IMAGES * dim * sizeof *out);
    GE_TRY(ge_encoder_images(enc, pixels, 1, true, all)); /* alone, over the first row */
    for (size_t i = 0; i < n; i++) {
        if (memcmp(all + i * dim, out + i % GOLDEN_IMAGES * dim, dim * sizeof *out) == 0) continue;
        GE_TRY(ge_fail(GE_EDEVICE,
                       "the device gives an image other digits alone and at place %zu of a batch "
                       "of %zu; results would not be reproducible. Please report it; another "
                       "runtime.device works meanwhile",
                       i, n));
    }
done:
    free(pixels);
    free(all);
    return rc;
}

static ge_status golden_images(struct ge_encoder *enc, bool full, struct ge_hasher *h)
{
    ge_status rc = GE_OK;
    uint8_t *images = NULL;
    float *out = NULL;
    size_t height, width, dim = ge_encoder_dim(enc), batch = ge_encoder_batch(enc);
    if (!ge_encoder_image_size(enc, &height, &width)) return GE_OK;
    size_t bytes = 3 * height * width, n = full && batch > GOLDEN_IMAGES ? batch : GOLDEN_IMAGES;
    GE_NEW(images, GOLDEN_IMAGES * bytes);
    GE_NEW(out, GOLDEN_IMAGES * dim);
    for (size_t i = 0; i < GOLDEN_IMAGES * bytes; i++) {
        images[i] = (uint8_t)(256 * ge_uniform(1, 0, i));
    }
    GE_TRY(golden_batch(enc, images, bytes, n, out));
    ge_hasher_add(h, out, GOLDEN_IMAGES * dim * sizeof *out);
done:
    free(images);
    free(out);
    return rc;
}

ge_status ge_eval_golden(struct ge_encoder *const *encoders, size_t n, bool full,
                         struct ge_hash *hash)
{
    enum { TEXTS = sizeof golden_texts / sizeof golden_texts[0] };
    ge_status rc = GE_OK;
    struct ge_hasher *h = NULL;
    float *out = NULL;
    GE_TRY_PTR(h, ge_hasher_new());
    for (size_t e = 0; e < n; e++) {
        size_t dim = ge_encoder_dim(encoders[e]);
        GE_TRY(golden_images(encoders[e], full, h));
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
