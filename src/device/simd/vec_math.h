/* Elementary functions on vectors, in float with fused multiply-adds: the same bits on every level.
 * All are made of 2^x, which needs no reduction by a rounded logarithm. No branches; NaN in, NaN
 * out. Coefficients are minimax fits for these ranges, rounded to float. Errors are measured over
 * all floats by tests/unit/device/simd_math_test.c.
 *
 * Private to src/device/simd. */
#ifndef GE_DEVICE_SIMD_VEC_MATH_H
#define GE_DEVICE_SIMD_VEC_MATH_H

#include "device/simd/vec.h"

#define VEC_LOG2_E 1.44269504f

/* 2^x for x below 127.5, within 1 ulp; 0 from -126.5 down, -infinity among them. x = n + r with
 * |r| <= 1/2; a polynomial for 2^r (fit 3e-9) and n as an exponent. */
static inline vec vec_exp2_bounded(vec x)
{
    x = vec_max(vec_set(-127.0f), x);
    vec shifted = x + vec_set(0x1.8p23f + 127); /* rounds: n + 127 is in the low bits */
    vec r = x - (shifted - vec_set(0x1.8p23f + 127));
    vec p = vec_set(0x1.416b64p-13f);
    p = vec_fma(p, r, vec_set(0x1.5f0834p-10f));
    p = vec_fma(p, r, vec_set(0x1.3b2dep-7f));
    p = vec_fma(p, r, vec_set(0x1.c6af7cp-5f));
    p = vec_fma(p, r, vec_set(0x1.ebfbdcp-3f));
    p = vec_fma(p, r, vec_set(0x1.62e43p-1f));
    p = vec_fma(p, r, vec_set(1.0f));
    return p * (vec)((ivec)shifted << 23);
}

/* The same for every x; infinity from 127.5 up. */
static inline vec vec_exp2(vec x)
{
    return vec_exp2_bounded(vec_min(vec_set(128.0f), x));
}

/* x / (1 + 2^u): a sigmoid gate of x. */
static inline vec vec_gate(vec x, vec u)
{
    return x / (1.0f + vec_exp2(u));
}

static inline vec vec_silu(vec x)
{
    return vec_gate(x, x * -VEC_LOG2_E);
}

static inline vec vec_quick_gelu(vec x)
{
    return vec_gate(x, x * (-1.702f * VEC_LOG2_E));
}

/* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) = x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) */
static inline vec vec_gelu_tanh(vec x)
{
    const vec factor = vec_set(-2 * 0.797884561f * VEC_LOG2_E);

    return vec_gate(x, x * vec_fma(x * x, factor * 0.044715f, factor));
}

/* x Phi(x), the exact GELU. With a = |x|, log2(2 Phi(-a)) = a h(a) - a^2 log2(e)/2, where h is
 * smooth (fit 5e-8 near 0, up to a = 5), so the left tail keeps digits that 1 + erf would lose.
 * Beyond a = 5, where h stays at h(5), the tail is off by a factor of at most a few, which is less
 * than 2e-9 |x|. */
static inline vec vec_gelu(vec x)
{
    vec a = vec_abs(x), b = vec_min(vec_set(5.0f), a);
    vec h = vec_set(0x1.22de1ap-22f);

    h = vec_fma(h, b, vec_set(-0x1.8d6024p-18f));
    h = vec_fma(h, b, vec_set(0x1.b9f3d2p-15f));
    h = vec_fma(h, b, vec_set(-0x1.bdbb68p-13f));
    h = vec_fma(h, b, vec_set(-0x1.e6e526p-14f));
    h = vec_fma(h, b, vec_set(0x1.cf2602p-8f));
    h = vec_fma(h, b, vec_set(-0x1.ae2afp-5f));
    h = vec_fma(h, b, vec_set(0x1.0c7p-2f));
    h = vec_fma(h, b, vec_set(-0x1.26aee2p+0f));
    vec tail = 0.5f * vec_exp2_bounded(vec_fma(a * (-0.5f * VEC_LOG2_E), a, h * b));
    return x * vec_if_less(x, (vec){0}, tail, 1.0f - tail);
}

/* tanh(x) within 2 ulp: an odd polynomial below 5/8 (fit 4e-9), 1 - 2 / (exp(2x) + 1) above. */
static inline vec vec_tanh(vec x)
{
    vec a = vec_abs(x), z = x * x;
    vec p = vec_set(-0x1.768f46p-8f);

    p = vec_fma(p, z, vec_set(0x1.52503p-6f));
    p = vec_fma(p, z, vec_set(-0x1.b84338p-5f));
    p = vec_fma(p, z, vec_set(0x1.11076p-3f));
    p = vec_fma(p, z, vec_set(-0x1.555534p-2f));
    vec large = 1.0f - 2.0f / (vec_exp2(a * (2 * VEC_LOG2_E)) + 1.0f);
    return vec_sign_of(vec_if_less(a, vec_set(0.625f), vec_fma(a * z, p, a), large), x);
}

#endif
