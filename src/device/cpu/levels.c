/* Choice of a kernel table by instruction-set level, and what all levels share. */
#include <string.h>

#include "base/mem.h"
#include "device/cpu/kernels.h"

ge_status ge_kernels_choose(const char *device, const struct ge_kernels *const *tables, size_t runs,
                            const char *level, const struct ge_kernels **k)
{
    static const char *const known[] = {"base", "avx2", "avx512"};

    if (runs > 0 && strcmp(level, "native") == 0) {
        *k = tables[runs - 1];
        return GE_OK;
    }
    for (size_t i = 0; i < runs; i++) {
        if (strcmp(tables[i]->level, level) != 0) continue;
        *k = tables[i];
        return GE_OK;
    }
    if (runs == 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "device %s: this CPU has no fused multiply-add for vectors; "
                       "use the device cpu",
                       device);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], level) != 0) continue;
        return ge_fail(
            GE_EUNSUPPORTED,
            "device %s: level \"%s\" is pinned, but it has only \"%s\" to \"%s\" on this "
            "CPU; pin one of those, or run on another node or device",
            device, level, tables[0]->level, tables[runs - 1]->level);
    }
    return ge_fail(GE_EINVAL, "device %s: no level \"%s\"; there are: native, base, avx2, avx512",
                   device, level);
}

extern const struct ge_kernels ge_kernels_base;
#if defined(__x86_64__)
extern const struct ge_kernels ge_kernels_avx2;
extern const struct ge_kernels ge_kernels_avx512;
static const struct ge_kernels *const tables[] = {&ge_kernels_base, &ge_kernels_avx2,
                                                  &ge_kernels_avx512};

static size_t count_running(void)
{
    if (!__builtin_cpu_supports("avx2")) return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
               ? 3
               : 2;
}
#else
static const struct ge_kernels *const tables[] = {&ge_kernels_base};

static size_t count_running(void)
{
    return 1;
}
#endif

ge_status ge_kernels_find(const char *device, const char *level, const struct ge_kernels **k)
{
    return ge_kernels_choose(device, tables, count_running(), level, k);
}

void ge_pack_panels(const float *w, size_t ldw, size_t n, size_t k, size_t panel, float *packed)
{
    for (size_t j = 0; j < n; j += panel) {
        for (size_t i = 0; i < k; i++)
            for (size_t l = 0; l < panel; l++) *packed++ = j + l < n ? w[(j + l) * ldw + i] : 0.0f;
    }
}

ge_status ge_attention_scratch(const struct ge_kernels *k, size_t nk, size_t head_dim,
                               size_t *floats)
{
    ge_status rc = GE_OK;
    size_t keys = ge_kernels_padded(k, nk), dims = ge_kernels_padded(k, head_dim);
    size_t packed_kv, scores;

    GE_TRY(ge_mul(2 * keys, dims, &packed_kv));
    GE_TRY(ge_mul(keys + dims, k->attention_rows, &scores));
    GE_TRY(ge_add(packed_kv, scores, floats));
done:
    return rc;
}
