/* Speed of embedding a folder of pictures, beside its stages alone.
 *
 * In every round, one after the other: decoding and resizing alone (a), the encoder alone on pictures
 * that are in memory already (b), and the stream of both, as `gapeval embed` runs it. When the two
 * stages have processors of their own, the stream can reach the lower of a and b; when they share
 * them, 1/(1/a + 1/b). Shares of both are given: which one applies is in the notes. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/backends.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "evaluate/stream.h"
#include "image/preprocess.h"
#include "model/encoder.h"

enum { KEPT_BATCHES = 4 /* of pictures that the encoder alone embeds again and again */ };

struct pipeline {
    struct ge_device *dev;
    struct ge_encoder *encoder;
    struct ge_pool *pool; /* that decodes */
    struct ge_pixels *pixels;
    struct ge_inputs inputs;
    size_t bytes, dim; /* of one picture, of one embedding */

    size_t kept; /* pictures in memory */
    uint8_t **pictures;
    const uint8_t **each; /* (n): the kept ones over and over */
    float *out;           /* (n, dim) */
    uint8_t **places;     /* [threads of the pool]: where decoding alone puts its pictures */
    struct ge_image_scratch **scratch; /* [threads of the pool] */
    atomic_size_t bad;
};

/* ---- stages ---------------------------------------------------------------------------------- */

static void decode_alone(void *ctx, size_t i, int thread)
{
    struct pipeline *p = ctx;
    const struct ge_preprocess *how = ge_encoder_preprocess(p->encoder);
    if (ge_preprocess_file(how, p->inputs.v[i], p->scratch[thread], p->places[thread]) != GE_OK)
        p->bad++;
}

static void decode_kept(void *ctx, size_t i, int thread)
{
    struct pipeline *p = ctx;
    const struct ge_preprocess *how = ge_encoder_preprocess(p->encoder);
    if (ge_preprocess_file(how, p->inputs.v[i], p->scratch[thread], p->pictures[i]) != GE_OK)
        p->bad++;
}

static ge_status drop_rows(void *ctx, size_t first, size_t n, const float *rows,
                           const ge_status *status, const char *const *reason)
{
    (void)ctx, (void)first, (void)n, (void)rows, (void)status, (void)reason;
    return GE_OK;
}

static ge_status check_readable(const struct ge_bench *b, const struct pipeline *p)
{
    if (p->bad == 0) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: %zu of %zu files cannot be read as images", b->images,
                   (size_t)p->bad, p->inputs.n);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

enum quantity { DECODE, ENCODE, STREAM, DECODING, STARVED, OF_LOWER, OF_BOTH, QUANTITIES };

static const struct {
    const char *name, *unit;
} quantities[QUANTITIES] = {{"decode and resize alone (a)", "images/s"},
                            {"encode alone (b)", "images/s"},
                            {"stream", "images/s"},
                            {"stream: decoding threads at work", "%"},
                            {"stream: encoder waited for pictures", "%"},
                            {"stream, of min(a, b)", "%"},
                            {"stream, of 1/(1/a + 1/b)", "%"}};

static ge_status run_round(struct pipeline *p, double q[QUANTITIES])
{
    ge_status rc = GE_OK;
    const double n = (double)p->inputs.n;
    const struct ge_stream stream = {.encoder = p->encoder,
                                     .decode_pool = p->pool,
                                     .pixels = p->pixels,
                                     .normalize = true,
                                     .rows = drop_rows};
    struct ge_stream_times times;
    double start = ge_now();
    ge_pool_run(p->pool, p->inputs.n, decode_alone, p);
    q[DECODE] = n / (ge_now() - start);
    start = ge_now();
    GE_TRY(ge_encoder_images(p->encoder, p->each, p->inputs.n, true, p->out));
    q[ENCODE] = n / (ge_now() - start);
    GE_TRY(ge_stream_images(&stream, p->inputs.v, p->inputs.n, &times));
    q[STREAM] = n / times.total;
    q[DECODING] = 100 * times.decode / (times.total * ge_pool_threads(p->pool));
    q[STARVED] = 100 * times.starved / times.total;
    q[OF_LOWER] = 100 * q[STREAM] / (q[DECODE] < q[ENCODE] ? q[DECODE] : q[ENCODE]);
    q[OF_BOTH] = 100 * q[STREAM] * (1 / q[DECODE] + 1 / q[ENCODE]);
done:
    return rc;
}

static ge_status run_rounds(struct ge_bench *b, struct pipeline *p)
{
    ge_status rc = GE_OK;
    const size_t n = (size_t)b->repeats;
    double *values = NULL, q[QUANTITIES];
    GE_NEW(values, QUANTITIES * n);
    GE_TRY(run_round(p, q)); /* warm-up, which also fills the page cache */
    GE_TRY(check_readable(b, p));
    for (size_t r = 0; r < n; r++) {
        GE_TRY(run_round(p, q));
        for (size_t i = 0; i < QUANTITIES; i++) values[i * n + r] = q[i];
    }
    for (size_t i = 0; i < QUANTITIES; i++) {
        ge_bench_values(b, quantities[i].name, quantities[i].unit, values + i * n, n);
    }
done:
    free(values);
    return rc;
}

/* ---- the whole --------------------------------------------------------------------------------- */

static ge_status open_pipeline(struct ge_bench *b, struct pipeline *p)
{
    ge_status rc = GE_OK;
    const struct ge_device_flags where = {b->device_name, b->dtype, b->level, b->threads, b->tuned};
    struct ge_preprocess_switches switches;
    const struct ge_image_flags flags = {.resize = b->resize};
    struct ge_encoder_options options = {.threads = (int)b->threads, .switches = &switches};
    GE_TRY(ge_image_flags_read(&flags, &switches));
    GE_TRY(ge_inputs_images(b->images, &p->inputs));
    GE_TRY(ge_inputs_dtype(b->dtype, &options.dtype));
    GE_TRY(ge_inputs_device(&where, &p->dev));
    options.max_batch = ge_backends_batch(p->dev, b->batch_size);
    GE_TRY(ge_encoder_load(b->model, p->dev, &options, &p->encoder));
    if (!ge_encoder_has_image(p->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no image tower", b->model));
    }
    p->bytes = ge_preprocess_size(ge_encoder_preprocess(p->encoder));
    p->dim = ge_encoder_dim(p->encoder);
    GE_TRY(ge_pool_new((int)b->decode_threads, &p->pool));
    GE_TRY(ge_pixels_new(p->dev, &p->pixels));
done:
    return rc;
}

static ge_status new_pieces(const struct pipeline *p, size_t n, uint8_t ***out)
{
    ge_status rc = GE_OK;
    GE_NEW(*out, n);
    for (size_t i = 0; i < n; i++) GE_TRY_PTR((*out)[i], ge_pixels_get(p->pixels, p->bytes));
done:
    return rc;
}

static void free_pieces(const struct pipeline *p, size_t n, uint8_t **pieces)
{
    for (size_t i = 0; pieces != NULL && i < n; i++) ge_pixels_put(p->pixels, pieces[i], p->bytes);
    free(pieces);
}

/* Memory, and the pictures that the encoder alone embeds. */
static ge_status prepare(struct ge_bench *b, struct pipeline *p)
{
    ge_status rc = GE_OK;
    const size_t most = KEPT_BATCHES * ge_encoder_batch(p->encoder);
    p->kept = p->inputs.n < most ? p->inputs.n : most;
    GE_TRY(new_pieces(p, p->kept, &p->pictures));
    GE_TRY(new_pieces(p, (size_t)b->decode_threads, &p->places));
    GE_TRY(ge_image_scratches_new((size_t)b->decode_threads, &p->scratch));
    GE_NEW(p->each, p->inputs.n);
    GE_NEW(p->out, p->inputs.n * p->dim);
    for (size_t i = 0; i < p->inputs.n; i++) p->each[i] = p->pictures[i % p->kept];
    ge_pool_run(p->pool, p->kept, decode_kept, p);
    GE_TRY(check_readable(b, p));
done:
    return rc;
}

static void close_pipeline(const struct ge_bench *b, struct pipeline *p)
{
    free_pieces(p, p->kept, p->pictures);
    free_pieces(p, (size_t)b->decode_threads, p->places);
    ge_image_scratches_delete((size_t)b->decode_threads, &p->scratch);
    free(p->each);
    free(p->out);
    ge_pool_delete(&p->pool);
    ge_encoder_delete(&p->encoder);
    ge_pixels_delete(&p->pixels);
    ge_device_close(&p->dev);
    ge_inputs_free(&p->inputs);
}

static void note(struct ge_bench *b, const struct pipeline *p)
{
    const bool own = ge_backends_is_accelerator(p->dev) ||
                     b->threads + b->decode_threads <= (long)ge_cpu_count();
    ge_buf_printf(&b->notes,
                  "%s; %zu images, batches of %zu, %ld decoding threads, %d CPUs: decoding and "
                  "encoding %s",
                  ge_device_describe(p->dev), p->inputs.n, ge_encoder_batch(p->encoder),
                  b->decode_threads, ge_cpu_count(),
                  own ? "have processors of their own" : "share them");
}

ge_status ge_bench_pipeline(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    struct pipeline p = {0};
    GE_TRY(open_pipeline(b, &p));
    GE_TRY(prepare(b, &p));
    GE_TRY(run_rounds(b, &p));
    note(b, &p);
done:
    close_pipeline(b, &p);
    return rc;
}
