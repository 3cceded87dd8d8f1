/* Speed of the matrix product at the shapes of a CLIP ViT-B/32's layers. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "cli/inputs.h"

enum { GEMM_REPEATS = 5 };

/* A product (m, k) x (k, n). */
struct gemm_shape {
    const char *name;
    size_t m, n, k;
};

static double gemm_flop(const struct gemm_shape *s)
{
    return 2.0 * (double)s->m * (double)s->n * (double)s->k;
}

static ge_status bench_shape(struct ge_bench *b, struct ge_device *dev, const struct gemm_shape *s,
                             double *seconds)
{
    ge_status rc = GE_OK;
    char name[64];
    for (long r = 0; r < b->repeats; r++) {
        const struct ge_gemm_bench gemm = {s->m, s->n, s->k, GE_F32, 1, GEMM_REPEATS};
        GE_TRY(ge_device_bench_gemm(dev, &gemm, &seconds[r]));
    }
    snprintf(name, sizeof name, "%s (%zu, %zu) x (%zu, %zu)", s->name, s->m, s->k, s->k, s->n);
    ge_bench_rate(b, name, "GFLOP/s", 1e-9 * gemm_flop(s), seconds, (size_t)b->repeats);
done:
    return rc;
}

ge_status ge_bench_gemm(struct ge_bench *b)
{
    static const struct gemm_shape shapes[] = {
        {"patches", 800, 768, 3072}, {"q, k, v", 800, 2304, 768},  {"attention out", 800, 768, 768},
        {"mlp up", 800, 3072, 768},  {"mlp down", 800, 768, 3072},
    };
    ge_status rc = GE_OK;
    struct ge_device *dev = NULL;
    double *seconds = NULL;
    GE_NEW(seconds, (size_t)b->repeats);
    GE_TRY(ge_inputs_device(&(struct ge_device_flags){b->device_name, NULL, b->level, 1}, &dev));
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        GE_TRY(bench_shape(b, dev, &shapes[i], seconds));
    }
    b->threads = 1;
    ge_buf_printf(
        &b->notes,
        "%s; products of a CLIP ViT-B/32 with 16 images by the library's own routine, one "
        "thread, wall clock, each repeat the median of %d",
        ge_device_describe(dev), GEMM_REPEATS);
done:
    free(seconds);
    ge_device_close(&dev);
    return rc;
}
