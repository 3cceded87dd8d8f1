/* The fast CPU device: everything of cpu/ over kernels with fused multiply-adds (kernels.c), which
 * every x86 CPU since 2013 and every 64-bit ARM has. Digits depend on neither level, tiles, blocks
 * nor threads, so its numerics id names none of them. bf16 and fp16 have the meaning that cpu/ gives
 * them, at the speed of fp32. */
#include "device/cpu/cpu.h"

#if defined(__x86_64__)
extern const struct ge_kernels ge_simd_avx2;
extern const struct ge_kernels ge_simd_avx512;
static const struct ge_kernels *const tables[] = {&ge_simd_avx2, &ge_simd_avx512};

static size_t count_running(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    return __builtin_cpu_supports("avx512f") ? 2 : 1;
}
#elif defined(__aarch64__)
extern const struct ge_kernels ge_simd_base;
static const struct ge_kernels *const tables[] = {&ge_simd_base};

static size_t count_running(void)
{
    return 1;
}
#else
static const struct ge_kernels *const tables[] = {NULL};

static size_t count_running(void)
{
    return 0;
}
#endif

static ge_status simd_open(const struct ge_device_options *opt, struct ge_device **dev)
{
    const struct ge_kernels *kernels;
    ge_status rc = ge_kernels_choose("simd", tables, count_running(), opt->level, &kernels);

    return rc == GE_OK ? ge_cpu_open(ge_simd_ops(), opt, kernels, "fused multiply-add", dev) : rc;
}

const struct ge_device_ops *ge_simd_ops(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "simd",
        .priority = 20,
        .open = simd_open,
        GE_CPU_DEVICE_OPS,
        GE_CPU_SHARED_OPS,
    };
    return &ops;
}
