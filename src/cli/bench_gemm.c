/* Speed of the matrix product at the shapes of a CLIP ViT-B/32's layers. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/backends.h"
#include "cli/bench.h"
#include "cli/inputs.h"

enum { GEMM_REPEATS = 5 };

/* Rows of a product: tokens of 16 images, on a GPU of 256. */
enum { CPU_ROWS = 16 * 50, GPU_ROWS = 256 * 50 };

/* A product (rows, k) x (k, n). */
struct gemm_shape {
    const char *name;
    size_t n, k;
};

static ge_status bench_shape(struct ge_bench *b, struct ge_device *dev, enum ge_dtype dtype,
                             size_t rows, const struct gemm_shape *s, double *seconds)
{
    ge_status rc = GE_OK;
    char name[64];
    for (long r = 0; r < b->repeats; r++) {
        const struct ge_gemm_bench gemm = {rows, s->n, s->k, dtype, 1, GEMM_REPEATS};
        GE_TRY(ge_device_bench_gemm(dev, &gemm, &seconds[r]));
    }
    snprintf(name, sizeof name, "%s (%zu, %zu) x (%zu, %zu)", s->name, rows, s->k, s->k, s->n);
    ge_bench_rate(b, name, "GFLOP/s", 2e-9 * (double)rows * (double)s->n * (double)s->k, seconds,
                  (size_t)b->repeats);
done:
    return rc;
}

ge_status ge_bench_gemm(struct ge_bench *b)
{
    static const struct gemm_shape shapes[] = {
        {"patches", 768, 3072}, {"q, k, v", 2304, 768},  {"attention out", 768, 768},
        {"mlp up", 3072, 768},  {"mlp down", 768, 3072},
    };
    const struct ge_device_flags flags = {b->device_name, b->dtype, b->level, 1};
    enum ge_dtype dtype;
    ge_status rc = GE_OK;
    struct ge_device *dev = NULL;
    double *seconds = NULL;
    GE_NEW(seconds, (size_t)b->repeats);
    GE_TRY(ge_inputs_dtype(b->dtype, &dtype));
    GE_TRY(ge_inputs_device(&flags, &dev));
    size_t rows = ge_backends_is_accelerator(dev) ? GPU_ROWS : CPU_ROWS;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        GE_TRY(bench_shape(b, dev, dtype, rows, &shapes[i], seconds));
    }
    b->threads = 1;
    ge_buf_printf(
        &b->notes,
        "%s; products of a CLIP ViT-B/32 with %zu images in %s by the library's own routine, one "
        "thread, wall clock, each repeat the median of %d",
        ge_device_describe(dev), rows / 50, ge_dtype_name(dtype), GEMM_REPEATS);
done:
    free(seconds);
    ge_device_close(&dev);
    return rc;
}
