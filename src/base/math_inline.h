/* The bodies of ge_expf, ge_erff and ge_tanhf, for loops that the compiler should vectorise
 * (softmax, GELU). The functions of math.h wrap these, so the bits agree. No branches: both sides
 * of a choice are computed and one is selected. Used by math.c and the CPU kernels.
 *
 * All of them compute in double, with errors far below half a float ulp, and round once. */
#ifndef GE_BASE_MATH_INLINE_H
#define GE_BASE_MATH_INLINE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Split x = n ln2 + r with |r| <= ln2/2 for |x| < 1e5: gives r, and 2^n in *scale. */
static inline double ge_inline_reduce(double x, double *scale)
{
    const double round = 0x1.8p52; /* adding it leaves a whole number in the low bits */
    const double log2_e = 0x1.71547652b82fep+0, ln2 = 0x1.62e42fefa39efp-1;
    double shifted = x * log2_e + round;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(scale, &bits, sizeof bits);
    return x - (shifted - round) * ln2;
}

/* exp(r) - 1 for |r| <= ln2/2: Taylor series, relative error 2e-11. */
static inline double ge_inline_expm1(double r)
{
    double p = 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    return p * r;
}

/* exp(x) for |x| < 700, relative error 2e-11. */
static inline double ge_inline_exp(double x)
{
    double scale;
    double r = ge_inline_reduce(x, &scale);
    return (1.0 + ge_inline_expm1(r)) * scale;
}

static inline float ge_inline_expf(float x)
{
    double d = x;
    d = d > 100.0 ? 100.0 : d;   /* infinity as a float */
    d = d < -110.0 ? -110.0 : d; /* zero as a float */
    return (float)ge_inline_exp(d);
}

static inline float ge_inline_tanhf(float x)
{
    double d = fabs((double)x);
    d = d > 20.0 ? 20.0 : d; /* one as a float */
    double scale;
    double r = ge_inline_reduce(2.0 * d, &scale);
    double e = ge_inline_expm1(r) * scale + (scale - 1.0); /* exp(2 d) - 1 */
    return (float)copysign(e / (e + 2.0), (double)x);
}

static inline float ge_inline_erff(float x)
{
    double d = x, a = fabs(d), z = d * d;
    /* |x| < 1: odd polynomial, relative error 4e-11 (Chebyshev fit). */
    double p = -9.66704457148699642e-6;
    p = p * z + 0.00011265959025606609;
    p = p * z - 0.000848408040553510629;
    p = p * z + 0.0052210318078580228;
    p = p * z - 0.0268654307276702429;
    p = p * z + 0.112837824952368445;
    p = p * z - 0.376126384680287104;
    p = p * z + 1.12837916706154342;
    /* 1 <= |x| < 4: 1 - exp(-q), where q fits -log(erfc |x|) to 9e-9. */
    double b = a > 4.0 ? 4.0 : a; /* erf(4) is one as a float */
    double q = 7.0233125948314776e-8;
    q = q * b - 3.1906371163040378e-6;
    q = q * b + 6.09604297803646156e-5;
    q = q * b - 6.78035165582200002e-4;
    q = q * b + 0.00503635698422106075;
    q = q * b - 0.0270313438668186484;
    q = q * b + 0.11094937800496762;
    q = q * b + 0.631055427438552388;
    q = q * b + 1.13061887583061427;
    q = q * b - 4.02988773681022234e-4;
    double large = copysign(1.0 - ge_inline_exp(-q), d);
    return (float)(a < 1.0 ? p * d : large);
}

#endif
