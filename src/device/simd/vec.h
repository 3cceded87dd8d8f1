/* One vector register of floats, on every level that has a fused multiply-add: the few operations
 * that the kernels need, each defined so that all levels give the same bits. kernels.c is compiled
 * once per level with that level's compiler options, from which this header chooses.
 *
 * + - * / on vec and shifts and bit operations on ivec are the compiler's (vector extensions of gcc
 * and clang); they round as IEEE 754 says, and nothing is contracted. The last form below, plain
 * loops with GE_VEC_LANES set by hand, is for tests: it runs the code of any width on any machine.
 *
 * Private to src/device/simd. */
#ifndef GE_DEVICE_SIMD_VEC_H
#define GE_DEVICE_SIMD_VEC_H

#include <math.h>
#include <stdint.h>

#if defined(GE_VEC_LANES)
enum { LANES = GE_VEC_LANES };
#elif defined(__AVX512F__)
#include <immintrin.h>
#define GE_VEC_AVX512 1
enum { LANES = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define GE_VEC_AVX2 1
enum { LANES = 8 };
#elif defined(__aarch64__)
#include <arm_neon.h>
#define GE_VEC_NEON 1
enum { LANES = 4 };
#else
#error "no fused multiply-add in these compiler options; set GE_VEC_LANES for plain loops"
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef float vec_any __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline vec vec_load(const float *p)
{
    return *(const vec_any *)p;
}

static inline void vec_store(float *p, vec v)
{
    *(vec_any *)p = v;
}

/* The first n lanes, 0 < n < LANES; the others are zero. */
static inline vec vec_load_part(const float *p, size_t n)
{
    vec v = {0};

    for (size_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}

static inline void vec_store_part(float *p, vec v, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = v[i];
}

static inline vec vec_set(float x)
{
    return x - (vec){0}; /* x - 0 is x for every x; x + 0 is not, for -0 */
}

#if defined(GE_VEC_AVX512)

/* a * b + c, rounded once */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* lane by lane: a < b ? x : y (a NaN is not less) */
static inline vec vec_if_less(vec a, vec b, vec x, vec y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}

/* a > b ? a : b and a < b ? a : b: the second where one is NaN */
static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

#elif defined(GE_VEC_AVX2)

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vec vec_if_less(vec a, vec b, vec x, vec y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

#elif defined(GE_VEC_NEON)

static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

static inline vec vec_if_less(vec a, vec b, vec x, vec y)
{
    return vbslq_f32(vcltq_f32(a, b), x, y);
}

static inline vec vec_max(vec a, vec b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b); /* not vmaxq: it gives the NaN */
}

static inline vec vec_min(vec a, vec b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

#else

static inline vec vec_fma(vec a, vec b, vec c)
{
    for (int i = 0; i < LANES; i++) c[i] = fmaf(a[i], b[i], c[i]);
    return c;
}

static inline vec vec_if_less(vec a, vec b, vec x, vec y)
{
    for (int i = 0; i < LANES; i++) y[i] = a[i] < b[i] ? x[i] : y[i];
    return y;
}

static inline vec vec_max(vec a, vec b)
{
    for (int i = 0; i < LANES; i++) b[i] = a[i] > b[i] ? a[i] : b[i];
    return b;
}

static inline vec vec_min(vec a, vec b)
{
    for (int i = 0; i < LANES; i++) b[i] = a[i] < b[i] ? a[i] : b[i];
    return b;
}

#endif

static inline vec vec_abs(vec x)
{
    return (vec)((ivec)x & 0x7FFFFFFF);
}

/* |x| with the sign of s; x >= 0 */
static inline vec vec_sign_of(vec x, vec s)
{
    return (vec)((ivec)x | ((ivec)s & (int32_t)0x80000000));
}

#endif
