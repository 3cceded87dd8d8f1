/* Speed of the operations of a CLIP ViT-B/32's layer, beside what bounds them: the device's memory
 * bandwidth, measured by copying, and for products and attention their arithmetic.
 *
 * Bytes are those of operands and result, each once. On a CPU they may be in its caches, so shares of
 * the bandwidth above 100 % are possible. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/backends.h"
#include "cli/bench.h"
#include "cli/inputs.h"

enum { WIDTH = 768, HIDDEN = 3072, HEADS = 12, TOKENS = 50, SIDE = 224, PATCH = 32, DIM = 512 };
enum { PATCHES = TOKENS - 1, GREY_LEVELS = 256 };
enum { CPU_IMAGES = 16, GPU_IMAGES = 256 };
enum { BANDWIDTH_BYTES = 256 << 20 }; /* copied: more than caches hold */

/* Operands; of type dtype, except where said. */
struct kit {
    struct ge_device *dev;
    enum ge_dtype dtype;
    size_t images, rows;      /* rows: tokens */
    struct ge_tensor x, y;    /* (rows, WIDTH) */
    struct ge_tensor h, act;  /* (rows, HIDDEN) */
    struct ge_tensor qkv;     /* (rows, 3 WIDTH) */
    struct ge_tensor gain;    /* (1, WIDTH) fp32 */
    struct ge_tensor ends;    /* (1, images) i32 */
    struct ge_tensor pixels;  /* (images, SIDE SIDE 3) u8 */
    struct ge_tensor table;   /* (3, GREY_LEVELS) fp32 */
    struct ge_tensor patches; /* (images PATCHES, 3 PATCH PATCH) */
    struct ge_weight *up;     /* (HIDDEN, WIDTH) with bias */
    struct ge_weight *down;   /* (WIDTH, HIDDEN) with bias */
};

/* ---- operations ------------------------------------------------------------------------------ */

static ge_status run_up(const struct kit *k)
{
    return ge_matmul(k->dev, k->x, k->up, GE_ACT_QUICK_GELU, (struct ge_tensor){0}, k->act);
}

static ge_status run_down(const struct kit *k)
{
    return ge_matmul(k->dev, k->h, k->down, GE_ACT_NONE, k->x, k->y);
}

static ge_status run_attention(const struct kit *k)
{
    const struct ge_attention a = {.q = ge_tensor_cols(k->qkv, 0, WIDTH),
                                   .k = ge_tensor_cols(k->qkv, WIDTH, WIDTH),
                                   .v = ge_tensor_cols(k->qkv, 2 * (size_t)WIDTH, WIDTH),
                                   .out = k->y,
                                   .q_ends = k->ends,
                                   .kv_ends = k->ends,
                                   .max_q = TOKENS,
                                   .max_kv = TOKENS,
                                   .heads = HEADS,
                                   .head_dim = WIDTH / HEADS,
                                   .scale = 0.125f};
    return ge_attend(k->dev, &a);
}

static ge_status run_layernorm(const struct kit *k)
{
    return ge_layernorm(k->dev, k->x, k->gain, k->gain, 1e-5f, k->y);
}

static ge_status run_gelu(const struct kit *k)
{
    return ge_activate(k->dev, GE_ACT_GELU, k->h, k->act);
}

static ge_status run_add(const struct kit *k)
{
    return ge_add_to(k->dev, k->x, k->y, k->y);
}

static ge_status run_patches(const struct kit *k)
{
    return ge_pixel_patches(k->dev, k->pixels, k->table, SIDE, SIDE, PATCH, k->patches);
}

static ge_status run_mean(const struct kit *k)
{
    return ge_pool_rows(k->dev, GE_POOL_MEAN, k->x, k->ends, (struct ge_tensor){0},
                        ge_tensor_rows(k->y, 0, k->images));
}

static ge_status run_normalize(const struct kit *k)
{
    return ge_l2_normalize(k->dev, k->x, 1e-12f, k->y);
}

static ge_status run_copy(const struct kit *k)
{
    return ge_copy(k->dev, k->x, k->y);
}

/* Of one image: elements of dtype that are read and written, bytes besides, operations. */
static const struct op {
    const char *name;
    ge_status (*run)(const struct kit *k);
    double elements, bytes, flop;
} ops[] = {
    {"product with bias and quick GELU", run_up, TOKENS *(WIDTH + HIDDEN), 0,
     2.0 * TOKENS *WIDTH *HIDDEN},
    {"product with bias and residual", run_down, TOKENS *(HIDDEN + 2 * WIDTH), 0,
     2.0 * TOKENS *WIDTH *HIDDEN},
    {"attention", run_attention, TOKENS * 4 * WIDTH, 0, 4.0 * TOKENS *TOKENS *WIDTH},
    {"layer norm", run_layernorm, TOKENS * 2 * WIDTH, 0, 0},
    {"GELU", run_gelu, TOKENS * 2 * HIDDEN, 0, 0},
    {"add", run_add, TOKENS * 3 * WIDTH, 0, 0},
    {"pixels to patches", run_patches, PATCHES * 3 * PATCH *PATCH, 3.0 * SIDE *SIDE, 0},
    {"mean of tokens", run_mean, TOKENS *WIDTH + WIDTH, 0, 0},
    {"normalize", run_normalize, TOKENS * 2 * WIDTH, 0, 0},
    {"copy", run_copy, TOKENS * 2 * WIDTH, 0, 0},
};

/* ---- operands ----------------------------------------------------------------------------------- */

static ge_status fill(struct kit *k, size_t rows, size_t cols, struct ge_tensor *out)
{
    struct ge_tensor floats = {0};
    float *values = NULL;
    ge_status rc = GE_OK;

    GE_NEW(values, rows * cols);
    for (size_t i = 0; i < rows * cols; i++) values[i] = (float)ge_uniform(2, 0, i) - 0.5f;
    GE_TRY(ge_tensor_new(k->dev, rows, cols, GE_F32, &floats));
    GE_TRY(ge_tensor_new(k->dev, rows, cols, k->dtype, out));
    GE_TRY(ge_upload(floats, values));
    GE_TRY(ge_copy(k->dev, floats, *out));
    GE_TRY(ge_synchronize(k->dev));
done:
    ge_buffer_delete(&floats.buf);
    free(values);
    return rc;
}

static ge_status make_weights(struct kit *k)
{
    float *values = NULL;
    ge_status rc = GE_OK;

    GE_NEW(values, (size_t)WIDTH * HIDDEN);
    for (size_t i = 0; i < (size_t)WIDTH * HIDDEN; i++) {
        values[i] = 0.05f * ((float)ge_uniform(3, 0, i) - 0.5f);
    }
    GE_TRY(ge_weight_new(k->dev, values, values, HIDDEN, WIDTH, k->dtype, &k->up));
    GE_TRY(ge_weight_new(k->dev, values, values, WIDTH, HIDDEN, k->dtype, &k->down));
done:
    free(values);
    return rc;
}

static ge_status make_small(struct kit *k)
{
    const size_t bytes = k->images * SIDE * SIDE * 3;
    float table[3 * GREY_LEVELS], gain[WIDTH];
    uint8_t *pixels = NULL;
    int32_t *ends = NULL;
    ge_status rc = GE_OK;

    for (size_t i = 0; i < 3 * GREY_LEVELS; i++) table[i] = (float)(i % GREY_LEVELS) / 128 - 1;
    for (size_t i = 0; i < WIDTH; i++) gain[i] = 1;
    GE_NEW(pixels, bytes);
    GE_NEW(ends, k->images);
    for (size_t i = 0; i < bytes; i++) pixels[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < k->images; i++) ends[i] = (int32_t)(TOKENS * (i + 1));
    GE_TRY(ge_tensor_new(k->dev, 3, GREY_LEVELS, GE_F32, &k->table));
    GE_TRY(ge_tensor_new(k->dev, 1, WIDTH, GE_F32, &k->gain));
    GE_TRY(ge_tensor_new(k->dev, 1, k->images, GE_I32, &k->ends));
    GE_TRY(ge_tensor_new(k->dev, k->images, (size_t)SIDE * SIDE * 3, GE_U8, &k->pixels));
    GE_TRY(ge_upload(k->table, table));
    GE_TRY(ge_upload(k->gain, gain));
    GE_TRY(ge_upload(k->ends, ends));
    GE_TRY(ge_upload(k->pixels, pixels));
done:
    free(pixels);
    free(ends);
    return rc;
}

static ge_status open_kit(const struct ge_bench *b, struct kit *k)
{
    const struct ge_device_flags flags = {b->device_name, b->dtype, b->level, b->threads, b->tuned};
    ge_status rc = GE_OK;

    GE_TRY(ge_inputs_dtype(b->dtype, &k->dtype));
    GE_TRY(ge_inputs_device(&flags, &k->dev));
    k->images = ge_backends_is_accelerator(k->dev) ? GPU_IMAGES : CPU_IMAGES;
    if (b->batch_size > 0) k->images = (size_t)b->batch_size;
    k->rows = k->images * TOKENS;
    GE_TRY(fill(k, k->rows, WIDTH, &k->x));
    GE_TRY(fill(k, k->rows, WIDTH, &k->y));
    GE_TRY(fill(k, k->rows, HIDDEN, &k->h));
    GE_TRY(fill(k, k->rows, HIDDEN, &k->act));
    GE_TRY(fill(k, k->rows, 3 * (size_t)WIDTH, &k->qkv));
    GE_TRY(ge_tensor_new(k->dev, k->images * PATCHES, 3 * PATCH * PATCH, k->dtype, &k->patches));
    GE_TRY(make_weights(k));
    GE_TRY(make_small(k));
done:
    return rc;
}

static void close_kit(struct kit *k)
{
    struct ge_tensor *all[] = {&k->x,    &k->y,    &k->h,      &k->act,   &k->qkv,
                               &k->gain, &k->ends, &k->pixels, &k->table, &k->patches};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) ge_buffer_delete(&all[i]->buf);
    ge_weight_delete(&k->up);
    ge_weight_delete(&k->down);
    ge_device_close(&k->dev);
}

/* ---- measuring --------------------------------------------------------------------------------- */

/* Seconds of one call, of as many together as take a while. */
static ge_status time_op(const struct kit *k, const struct op *op, double *seconds)
{
    const double least = 0.02;
    ge_status rc = GE_OK;

    GE_TRY(op->run(k)); /* warm-up */
    GE_TRY(ge_synchronize(k->dev));
    for (size_t calls = 1;; calls *= 4) {
        double start = ge_now();
        for (size_t i = 0; i < calls; i++) GE_TRY(op->run(k));
        GE_TRY(ge_synchronize(k->dev));
        double total = ge_now() - start;
        *seconds = total / (double)calls;
        if (total >= least) break;
    }
done:
    return rc;
}

/* Bytes per second of the device's memory: read and written by a copy. */
static ge_status bandwidth(struct ge_bench *b, const struct kit *k, double *out)
{
    const size_t cols = 4096, rows = BANDWIDTH_BYTES / (cols * sizeof(float));
    struct ge_tensor from = {0}, to = {0};
    double *seconds = NULL;
    ge_status rc = GE_OK;

    GE_NEW(seconds, (size_t)b->repeats);
    GE_TRY(ge_tensor_new(k->dev, rows, cols, GE_F32, &from));
    GE_TRY(ge_tensor_new(k->dev, rows, cols, GE_F32, &to));
    for (long r = -1; r < b->repeats; r++) { /* -1: warm-up */
        double start = ge_now();
        GE_TRY(ge_copy(k->dev, from, to));
        GE_TRY(ge_synchronize(k->dev));
        if (r >= 0) seconds[r] = ge_now() - start;
    }
    ge_bench_rate(b, "memory, copying", "GB/s", 2e-9 * BANDWIDTH_BYTES, seconds,
                  (size_t)b->repeats);
    *out = 2.0 * BANDWIDTH_BYTES / seconds[b->repeats / 2];
done:
    free(seconds);
    ge_buffer_delete(&from.buf);
    ge_buffer_delete(&to.buf);
    return rc;
}

static ge_status bench_op(struct ge_bench *b, const struct kit *k, const struct op *op,
                          double memory)
{
    const size_t n = (size_t)b->repeats;
    const double images = (double)k->images, size = (double)ge_dtype_size(k->dtype);
    const double bytes = images * (op->elements * size + op->bytes), flop = images * op->flop;
    double *seconds = NULL, *shares;
    char name[64];
    ge_status rc = GE_OK;

    GE_NEW(seconds, 2 * n);
    shares = seconds + n;
    for (size_t r = 0; r < n; r++) {
        GE_TRY(time_op(k, op, &seconds[r]));
        shares[r] = 100 * bytes / seconds[r] / memory;
    }
    if (op->flop > 0) {
        ge_bench_rate(b, op->name, "GFLOP/s", 1e-9 * flop, seconds, n);
        goto done;
    }
    ge_bench_rate(b, op->name, "GB/s", 1e-9 * bytes, seconds, n);
    snprintf(name, sizeof name, "  of the memory's bandwidth");
    ge_bench_values(b, name, "%", shares, n);
done:
    free(seconds);
    return rc;
}

ge_status ge_bench_ops(struct ge_bench *b)
{
    struct kit k = {0};
    double memory;
    ge_status rc = GE_OK;

    GE_TRY(open_kit(b, &k));
    GE_TRY(bandwidth(b, &k, &memory));
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        GE_TRY(bench_op(b, &k, &ops[i], memory));
    }
    ge_buf_printf(&b->notes,
                  "%s, %s; operations of a CLIP ViT-B/32 layer on %zu images, wall clock",
                  ge_device_describe(k.dev), ge_dtype_name(k.dtype), k.images);
done:
    close_kit(&k);
    return rc;
}
