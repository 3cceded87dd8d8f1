/* Speed of the matrix product at the shapes of a CLIP ViT-B/32's layers: the device's own, as models
 * call it, beside a library's routine at its best, one right after the other. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/backends.h"
#include "cli/bench.h"
#include "cli/inputs.h"

enum { GEMM_REPEATS = 5, GPU_BURST = 32 };

/* Rows of a product: tokens of 16 images, on a GPU of 256. */
enum { CPU_ROWS = 16 * 50, GPU_ROWS = 256 * 50 };

/* A product (rows, k) x (k, n). */
struct gemm_shape {
    const char *name;
    size_t n, k;
};
enum { MOST_N = 3072, MOST_K = 3072 };

static const struct gemm_shape shapes[] = {
    {"patches", 768, 3072}, {"q, k, v", 2304, 768},  {"attention out", 768, 768},
    {"mlp up", 3072, 768},  {"mlp down", 768, 3072},
};

struct gemm {
    struct ge_device *dev, *library; /* library: NULL or dev or another one */
    enum ge_dtype dtype;
    size_t rows;
    struct ge_tensor x, y; /* (rows, MOST_K), (rows, MOST_N) */
    float *values;         /* (MOST_N, MOST_K) */
    double *own, *other, *share;
};

ge_status ge_bench_library(struct ge_device *dev, enum ge_dtype dtype, struct ge_device **library)
{
    const struct ge_gemm_bench any = {16, 16, 16, dtype, 1, 1};
    const struct ge_device_options options = {.threads = 1, .dtype = dtype};
    double seconds;
    ge_status rc = ge_device_bench_gemm(dev, &any, &seconds);

    *library = dev;
    if (rc != GE_EUNSUPPORTED) return rc;
    if (ge_device_open("onednn", &options, library) != GE_OK) return GE_OK; /* *library is NULL */
    if (ge_device_bench_gemm(*library, &any, &seconds) != GE_OK) ge_device_close(library);
    return GE_OK;
}

/* Seconds of one product of the device's own: the median of a few. On an accelerator, which is called
 * ahead of, each is the mean of a burst. */
static ge_status time_own(const struct gemm *g, const struct gemm_shape *s,
                          const struct ge_weight *w, double *seconds)
{
    const struct ge_tensor none = {0};
    const struct ge_tensor x = ge_tensor_cols(g->x, 0, s->k), y = ge_tensor_cols(g->y, 0, s->n);
    const int burst = ge_backends_is_accelerator(g->dev) ? GPU_BURST : 1;
    double runs[GEMM_REPEATS];
    ge_status rc = GE_OK;

    for (int i = -1; i < GEMM_REPEATS; i++) { /* -1: warm-up */
        double start = ge_now();
        for (int j = 0; j < burst; j++) GE_TRY(ge_matmul(g->dev, x, w, GE_ACT_NONE, none, y));
        GE_TRY(ge_synchronize(g->dev));
        if (i >= 0) runs[i] = (ge_now() - start) / burst;
    }
    *seconds = ge_bench_median(runs, GEMM_REPEATS);
done:
    return rc;
}

static ge_status bench_shape(struct ge_bench *b, const struct gemm *g, const struct gemm_shape *s)
{
    const size_t n = (size_t)b->repeats;
    const double work = 2e-9 * (double)g->rows * (double)s->n * (double)s->k;
    const struct ge_gemm_bench gemm = {g->rows,         s->n,        s->k, g->dtype,
                                       (int)b->threads, GEMM_REPEATS};
    struct ge_weight *w = NULL;
    char name[64];
    ge_status rc = GE_OK;

    GE_TRY(ge_weight_new(g->dev, g->values, NULL, s->n, s->k, g->dtype, &w));
    for (size_t r = 0; r < n; r++) {
        if (g->library != NULL) GE_TRY(ge_device_bench_gemm(g->library, &gemm, &g->other[r]));
        GE_TRY(time_own(g, s, w, &g->own[r]));
        if (g->library != NULL) g->share[r] = 100 * g->other[r] / g->own[r];
    }
    snprintf(name, sizeof name, "%s (%zu, %zu) x (%zu, %zu)", s->name, g->rows, s->k, s->k, s->n);
    ge_bench_rate(b, name, "GFLOP/s", work, g->own, n);
    if (g->library != NULL) {
        ge_bench_rate(b, "  the library's", "GFLOP/s", work, g->other, n);
        ge_bench_values(b, "  share", "%", g->share, n);
    }
done:
    ge_weight_delete(&w);
    return rc;
}

static ge_status open_gemm(const struct ge_bench *b, struct gemm *g)
{
    const struct ge_device_flags flags = {b->device_name, b->dtype, b->level, b->threads, b->tuned};
    const size_t n = (size_t)b->repeats;
    struct ge_tensor floats = {0};
    ge_status rc = GE_OK;

    GE_TRY(ge_inputs_dtype(b->dtype, &g->dtype));
    GE_TRY(ge_inputs_device(&flags, &g->dev));
    GE_TRY(ge_bench_library(g->dev, g->dtype, &g->library));
    g->rows = ge_backends_is_accelerator(g->dev) ? GPU_ROWS : CPU_ROWS;
    GE_NEW(g->own, 3 * n);
    g->other = g->own + n;
    g->share = g->other + n;
    GE_NEW(g->values, (g->rows > MOST_N ? g->rows : MOST_N) * (size_t)MOST_K);
    for (size_t i = 0; i < g->rows * MOST_K; i++) g->values[i] = (float)ge_uniform(1, 0, i) - 0.5f;
    GE_TRY(ge_tensor_new(g->dev, g->rows, MOST_K, GE_F32, &floats));
    GE_TRY(ge_tensor_new(g->dev, g->rows, MOST_K, g->dtype, &g->x));
    GE_TRY(ge_tensor_new(g->dev, g->rows, MOST_N, g->dtype, &g->y));
    GE_TRY(ge_upload(floats, g->values));
    GE_TRY(ge_copy(g->dev, floats, g->x));
done:
    ge_buffer_delete(&floats.buf);
    return rc;
}

static void close_gemm(struct gemm *g)
{
    free(g->own);
    free(g->values);
    ge_buffer_delete(&g->x.buf);
    ge_buffer_delete(&g->y.buf);
    if (g->library == g->dev) g->library = NULL;
    ge_device_close(&g->library);
    ge_device_close(&g->dev);
}

ge_status ge_bench_gemm(struct ge_bench *b)
{
    struct gemm g = {0};
    ge_status rc = GE_OK;

    GE_TRY(open_gemm(b, &g));
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        GE_TRY(bench_shape(b, &g, &shapes[i]));
    }
    ge_buf_printf(
        &b->notes,
        "%s, %s; products of a CLIP ViT-B/32 with %zu images; library: %s; each repeat the "
        "median of %d, wall clock",
        ge_device_describe(g.dev), ge_dtype_name(g.dtype), g.rows / 50,
        g.library != NULL ? ge_device_describe(g.library) : "none", GEMM_REPEATS);
done:
    close_gemm(&g);
    return rc;
}
