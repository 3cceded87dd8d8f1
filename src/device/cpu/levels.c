/* Choice of a kernel table by instruction-set level, and what all levels share. */
#include <string.h>

#include "base/mem.h"
#include "device/cpu/kernels.h"

extern const struct ge_kernels ge_kernels_base;
#if defined(__x86_64__)
extern const struct ge_kernels ge_kernels_avx2;
extern const struct ge_kernels ge_kernels_avx512;

static const struct ge_kernels *native_kernels(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return &ge_kernels_avx512;
    if (__builtin_cpu_supports("avx2")) return &ge_kernels_avx2;
    return &ge_kernels_base;
}

static const struct ge_kernels *const tables[] = {&ge_kernels_base, &ge_kernels_avx2,
                                                  &ge_kernels_avx512};
#else
static const struct ge_kernels *native_kernels(void)
{
    return &ge_kernels_base;
}

static const struct ge_kernels *const tables[] = {&ge_kernels_base};
#endif

enum { N_TABLES = sizeof tables / sizeof tables[0] };

ge_status ge_kernels_find(const char *level, const struct ge_kernels **k)
{
    const struct ge_kernels *native = native_kernels();
    bool above = false; /* levels are in rising order: those after the native one do not run here */

    *k = native;
    if (strcmp(level, "native") == 0) return GE_OK;
    for (size_t i = 0; i < N_TABLES; i++) {
        if (strcmp(tables[i]->level, level) == 0) {
            *k = tables[i];
            if (!above) return GE_OK;
            return ge_fail(GE_EUNSUPPORTED,
                           "device: level \"%s\" is pinned but this CPU has only \"%s\"; pin that "
                           "or run on another node",
                           level, native->level);
        }
        if (tables[i] == native) above = true;
    }
    return ge_fail(GE_EINVAL, "device: no level \"%s\"; this program has: native%s", level,
                   N_TABLES > 1 ? ", base, avx2, avx512" : ", base");
}

void ge_pack_panels(const float *w, size_t ldw, size_t n, size_t k, float *packed)
{
    for (size_t j = 0; j < n; j += GE_PANEL) {
        for (size_t i = 0; i < k; i++)
            for (size_t l = 0; l < GE_PANEL; l++)
                *packed++ = j + l < n ? w[(j + l) * ldw + i] : 0.0f;
    }
}

ge_status ge_attention_scratch(size_t nk, size_t head_dim, size_t *floats)
{
    ge_status rc = GE_OK;
    size_t keys = (nk + GE_PANEL - 1) / GE_PANEL * GE_PANEL;
    size_t dims = (head_dim + GE_PANEL - 1) / GE_PANEL * GE_PANEL;
    size_t packed_kv, scores;

    GE_TRY(ge_mul(2 * keys, dims, &packed_kv));
    GE_TRY(ge_mul(keys + dims, GE_ATTENTION_ROWS, &scores));
    GE_TRY(ge_add(packed_kv, scores, floats));
done:
    return rc;
}
