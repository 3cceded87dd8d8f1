/* Stand-in for CUDA's half precision: the type and the conversions that the kernels use. */
#ifndef GE_EMULATOR_CUDA_FP16_H
#define GE_EMULATOR_CUDA_FP16_H

#include "cuda_runtime.h"

#include <cmath>
#include <cstring>

struct __half {
    uint16_t bits;
};

static inline float __half2float(__half v)
{
    int exponent = v.bits >> 10 & 31, fraction = v.bits & 1023;
    float f;

    if (exponent == 31)
        f = fraction != 0 ? NAN : INFINITY;
    else if (exponent == 0)
        f = ldexpf((float)fraction, -24);
    else
        f = ldexpf((float)(fraction + 1024), exponent - 25);
    return v.bits >> 15 ? -f : f;
}

/* Round to nearest, ties to even; beyond 65504 infinity; a NaN becomes the canonical one. */
static inline __half __float2half_rn(float f)
{
    uint16_t sign = std::signbit(f) ? 0x8000 : 0;
    float a = fabsf(f), scaled;
    int exponent;

    if (std::isnan(f)) return __half{0x7FFF};
    if (a >= 65520.0f) return __half{(uint16_t)(sign | 0x7C00)};
    if (a < 6.103515625e-05f) /* subnormal: units of 2^-24 */
        return __half{(uint16_t)(sign | (uint16_t)nearbyintf(ldexpf(a, 24)))};
    scaled = nearbyintf(ldexpf(frexpf(a, &exponent), 11)); /* 1024 .. 2048 */
    return __half{(uint16_t)(sign | (((exponent + 14 - 1) << 10) + (int)scaled))};
}

struct __half2 {
    __half x, y; /* x in the lower half */
};

static inline __half2 __floats2half2_rn(float x, float y)
{
    return __half2{__float2half_rn(x), __float2half_rn(y)};
}

#endif
