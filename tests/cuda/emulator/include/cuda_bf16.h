/* Stand-in for CUDA's bfloat16: the type and the conversions that the kernels use. */
#ifndef GE_EMULATOR_CUDA_BF16_H
#define GE_EMULATOR_CUDA_BF16_H

#include "cuda_runtime.h"

#include <cmath>
#include <cstring>

struct __nv_bfloat16 {
    uint16_t bits;
};

static inline float __bfloat162float(__nv_bfloat16 v)
{
    uint32_t u = (uint32_t)v.bits << 16;
    float f;

    memcpy(&f, &u, sizeof f);
    return f;
}

/* Round to nearest, ties to even; a NaN becomes the canonical one, as cvt.rn.bf16.f32 makes it. */
static inline __nv_bfloat16 __float2bfloat16_rn(float f)
{
    uint32_t u;

    if (std::isnan(f)) return __nv_bfloat16{0x7FFF};
    memcpy(&u, &f, sizeof u);
    return __nv_bfloat16{(uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16)};
}

struct __nv_bfloat162 {
    __nv_bfloat16 x, y; /* x in the lower half */
};

static inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
    return __nv_bfloat162{__float2bfloat16_rn(x), __float2bfloat16_rn(y)};
}

#endif
