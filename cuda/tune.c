/* Measuring products: the best algorithm of every shape as a tuned table, and the rate of the
 * library that `gapeval bench` compares with. Times are between events on the device. */
#include <stdlib.h>

#include "algorithm.h"
#include "base/json.h"
#include "base/mem.h"

/* A time is that of BURST products in a row: the first starts late by what it takes to call the library,
 * and the others are queued meanwhile. */
enum { TUNE_REPEATS = 7, BURST = 8 };

struct bench {
    void *memory;
    struct ge_cuda_operands o;
    cudaEvent_t start, stop;
    double *seconds; /* [repeats] */
    int repeats;
};

static void drop_bench(struct bench *b)
{
    if (b->start != NULL) (void)cudaEventDestroy(b->start);
    if (b->stop != NULL) (void)cudaEventDestroy(b->stop);
    (void)cudaFree(b->memory);
    free(b->seconds);
}

/* Operands of a shape with m rows, filled with numbers. */
static ge_status make_bench(struct ge_cuda_device *dev, const struct ge_cuda_shape *s, size_t m,
                            int repeats, struct bench *b)
{
    size_t k = s->k, ldy = ge_cuda_padded(s->n), size = ge_dtype_size(s->dtype), rows, x, w, y;
    ge_status rc = GE_OK;

    *b = (struct bench){.repeats = repeats};
    GE_TRY(ge_mul(m, k * size, &x));
    GE_TRY(ge_mul(s->n, k * size, &w));
    GE_TRY(ge_mul(m, ldy * size, &y));
    GE_TRY(ge_add(m, s->n, &rows));
    GE_NEW(b->seconds, (size_t)repeats);
    GE_TRY(ge_cuda_malloc(dev, x + w + y + ldy * size, &b->memory));
    char *at = b->memory;
    b->o = (struct ge_cuda_operands){.m = m,
                                     .x = at,
                                     .w = at + x,
                                     .y = at + x + w,
                                     .residual = at + x + w,
                                     .bias = at + x + w + y,
                                     .ldx = k,
                                     .ldr = ldy,
                                     .ldy = ldy};
    GE_CUDA(dev, ge_launch_noise(dev->compute, ge_cuda_matrix_at(at, rows, k, k, s->dtype)),
            "time a product");
    GE_CUDA(dev, cudaMemsetAsync(at + x + w, 0, y + ldy * size, dev->compute), "time a product");
    GE_CUDA(dev, cudaEventCreateWithFlags(&b->start, cudaEventDefault), "time a product");
    GE_CUDA(dev, cudaEventCreateWithFlags(&b->stop, cudaEventDefault), "time a product");
done:
    return rc;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Median seconds of a product, after a warm-up. One that is far behind `best` (< 0: none yet) at first
 * sight is not looked at again: most candidates are. */
static ge_status time_product(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                              struct bench *b, double best, double *median)
{
    const double far = 1.3;
    ge_status rc = GE_OK;
    int n = 0;
    float ms;

    GE_TRY(ge_cuda_run(dev, a, &b->o));
    while (n < b->repeats && !(n == 1 && best >= 0 && b->seconds[0] > far * best)) {
        GE_CUDA(dev, cudaEventRecord(b->start, dev->compute), "time a product");
        for (int j = 0; j < BURST; j++) GE_TRY(ge_cuda_run(dev, a, &b->o));
        GE_CUDA(dev, cudaEventRecord(b->stop, dev->compute), "time a product");
        GE_CUDA(dev, cudaEventSynchronize(b->stop), "time a product");
        GE_CUDA(dev, cudaEventElapsedTime(&ms, b->start, b->stop), "time a product");
        b->seconds[n++] = 1e-3 / BURST * (double)ms;
    }
    qsort(b->seconds, (size_t)n, sizeof *b->seconds, by_value);
    *median = b->seconds[n / 2];
done:
    return rc;
}

/* The fastest of the candidates for m rows, left in a->algo; `any`: whatever its digits, otherwise
 * only one that gives a row the same bits at every height. *seconds < 0: there is none. */
static ge_status find_fastest(struct ge_cuda_device *dev, struct ge_cuda_algorithm *a, size_t m,
                              bool any, int repeats, double *seconds)
{
    cublasLtMatmulAlgo_t *candidates = NULL, best;
    struct bench b = {0};
    ge_status rc = GE_OK;
    double t;
    int n;

    *seconds = -1;
    GE_NEW(candidates, GE_CUDA_CANDIDATES);
    GE_TRY(make_bench(dev, &a->shape, m, repeats, &b));
    GE_TRY(ge_cuda_candidates(dev, a, m, any, candidates, &n));
    for (int i = 0; i < n; i++) {
        bool steady = true;
        a->algo = candidates[i];
        if (!any) GE_TRY(ge_cuda_is_steady(dev, a, &steady));
        if (!steady) continue;
        GE_TRY(time_product(dev, a, &b, *seconds, &t));
        if (*seconds >= 0 && t >= *seconds) continue;
        *seconds = t;
        best = candidates[i];
    }
    if (*seconds >= 0) a->algo = best;
done:
    drop_bench(&b);
    free(candidates);
    return rc;
}

ge_status ge_cuda_bench_gemm(struct ge_device *head, const struct ge_gemm_bench *b, double *seconds)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct ge_cuda_shape shape = {b->n, ge_cuda_padded(b->k), b->dtype, 0};
    struct ge_cuda_algorithm a = {0};
    ge_status rc = GE_OK;

    if (!ge_device_supports(head, b->dtype))
        return ge_fail(GE_EUNSUPPORTED, "cuda: %s computes no products of %s", dev->gpu,
                       ge_dtype_name(b->dtype));
    GE_TRY(ge_cuda_enter(dev));
    GE_TRY(ge_cuda_algorithm_init(dev, &shape, &a));
    GE_TRY(find_fastest(dev, &a, b->m, true, b->repeats, seconds));
    if (*seconds < 0)
        rc = ge_fail(GE_EUNSUPPORTED, "cuda: cuBLASLt has no algorithm for %zux%zux%zu in %s", b->m,
                     b->n, b->k, ge_dtype_name(b->dtype));
done:
    ge_cuda_algorithm_fini(&a);
    return rc;
}

/* ---- tables ------------------------------------------------------------------------------- */

/* The library's part of a layer, as product.c divides it. */
static unsigned epilogue_of(const struct ge_tune_shape *s)
{
    unsigned e = s->bias ? GE_CUDA_BIAS : 0;

    if (s->act == GE_ACT_GELU_TANH && s->dtype != GE_F32 && !s->residual) e |= GE_CUDA_GELU_TANH;
    if (s->act == GE_ACT_NONE && s->residual) e |= GE_CUDA_RESIDUAL;
    return e;
}

static ge_status write_entry(struct ge_cuda_device *dev, const struct ge_tune_shape *s,
                             const struct ge_cuda_algorithm *a, double seconds, struct ge_jsonw *w)
{
    ge_status rc = GE_OK;
    char name[40];
    size_t got;

    ge_jsonw_object(w, NULL);
    ge_jsonw_int(w, "n", (int64_t)s->n);
    ge_jsonw_int(w, "k", (int64_t)s->k);
    ge_jsonw_string(w, "dtype", ge_dtype_name(s->dtype));
    ge_jsonw_string(w, "epilogue", ge_cuda_epilogue_name(a->shape.epilogue, name));
    ge_jsonw_int(w, "rows", (int64_t)s->m);
    ge_jsonw_double(w, "tflops", 2e-12 * (double)s->m * (double)s->n * (double)s->k / seconds);
    ge_jsonw_object(w, "algorithm");
    for (int i = 0; i < GE_CUDA_SETTINGS; i++) {
        uint32_t wide = 0;
        uint16_t narrow = 0;
        bool short_one = ge_cuda_settings[i].bytes == 2;
        GE_LT(dev,
              cublasLtMatmulAlgoConfigGetAttribute(&a->algo, ge_cuda_settings[i].attribute,
                                                   short_one ? (void *)&narrow : &wide,
                                                   ge_cuda_settings[i].bytes, &got),
              "read an algorithm's settings");
        ge_jsonw_int(w, ge_cuda_settings[i].name, short_one ? narrow : (int64_t)wide);
    }
    ge_jsonw_object_end(w);
    ge_jsonw_object_end(w);
done:
    return rc;
}

static ge_status tune_shape(struct ge_cuda_device *dev, const struct ge_tune_shape *s,
                            struct ge_jsonw *w)
{
    struct ge_cuda_shape shape = {s->n, ge_cuda_padded(s->k), s->dtype, epilogue_of(s)};
    struct ge_cuda_algorithm a = {0};
    ge_status rc = GE_OK;
    double seconds;

    GE_TRY(ge_cuda_algorithm_init(dev, &shape, &a));
    GE_TRY(find_fastest(dev, &a, s->m, false, TUNE_REPEATS, &seconds));
    /* Without an entry the shape runs, or is refused, as without a table. */
    if (seconds >= 0) GE_TRY(write_entry(dev, s, &a, seconds, w));
done:
    ge_cuda_algorithm_fini(&a);
    return rc;
}

/* Whether an earlier shape has the same key in the table. */
static bool repeated(const struct ge_tune_shape *shapes, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (shapes[j].n == shapes[i].n &&
            ge_cuda_padded(shapes[j].k) == ge_cuda_padded(shapes[i].k) &&
            shapes[j].dtype == shapes[i].dtype &&
            epilogue_of(&shapes[j]) == epilogue_of(&shapes[i]))
            return true;
    return false;
}

ge_status ge_cuda_tune(struct ge_device *head, const struct ge_tune_shape *shapes, size_t n,
                       struct ge_buf *json)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct ge_jsonw w;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    ge_jsonw_init(&w, json, 1);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "gpu", dev->gpu);
    ge_jsonw_int(&w, "cublaslt", (int64_t)cublasLtGetVersion());
    ge_jsonw_array(&w, "entries");
    for (size_t i = 0; i < n; i++)
        if (!repeated(shapes, i)) GE_TRY(tune_shape(dev, &shapes[i], &w));
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
    GE_TRY(ge_buf_status(json));
done:
    return rc;
}
