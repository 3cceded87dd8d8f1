/* Inner loops with fused multiply-adds. Compiled once per level with GE_KERNELS naming the table and
 * GE_KERNEL_LEVEL the level; vec.h chooses the vectors from the compiler's options.
 *
 * Digits: an element of a product is one chain of fused multiply-adds over k, from the first to the
 * last; sums over a row run in 16 chains that are folded in a fixed order; everything else is by
 * element. So neither tile, block nor register width can be seen in a result. */
#include "device/cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "device/cpu/types_inline.h"
#include "device/simd/vec_math.h"

/* ---- products ----------------------------------------------------------------------------- */

/* A tile of a product: its sums are named variables, which the compiler keeps in registers (it
 * spills arrays). Rows and vectors of a tile fill most of the register file. */
#define EACH_OF_2(M)     M(0) M(1)
#define EACH_OF_6(M)     EACH_OF_2(M) M(2) M(3) M(4) M(5)
#define EACH_OF_12(M)    EACH_OF_6(M) M(6) M(7) M(8) M(9) M(10) M(11)
#define EACH_VEC_2(M, r) M(r, 0) M(r, 1)
#define EACH_VEC_4(M, r) M(r, 0) M(r, 1) M(r, 2) M(r, 3)

#if defined(GE_VEC_AVX512) || GE_VEC_LANES == 16 /* 32 registers of 16 lanes */
#define EACH_ROW EACH_OF_12
#define EACH_VEC EACH_VEC_2
enum { TILE_ROWS = 12, TILE_VECS = 2 };
#elif defined(GE_VEC_AVX2) || GE_VEC_LANES == 8 /* 16 registers of 8 lanes */
#define EACH_ROW EACH_OF_6
#define EACH_VEC EACH_VEC_2
enum { TILE_ROWS = 6, TILE_VECS = 2 };
#else /* 32 registers of 4 lanes */
#define EACH_ROW EACH_OF_6
#define EACH_VEC EACH_VEC_4
enum { TILE_ROWS = 6, TILE_VECS = 4 };
#endif

enum {
    FEW_ROWS = 2, /* rows of the small tile for what is left over */
    PANEL = TILE_VECS * LANES,
    SUM_LANES = 16,
    SUM_VECS = SUM_LANES / LANES,
    PREFETCH = 128, /* floats ahead in the panel, which streams from the second-level cache */
    GEMM_FLOATS = 1 << 13, /* of packed panels that rows pass over: 32 KiB */
    ATTENTION_ROWS = 48
};

/* c (rows, n) = x (rows, k) packed^T for 1 <= rows <= the tile's; whole panels of c are stored. A
 * row that is not there repeats the last one and is not stored. */
#define DECLARE_ROW(r)     const float *x_##r = x + ((size_t)(r) < rows ? (size_t)(r) : rows - 1) * ldx;
#define DECLARE_SUM(r, v)  vec sum_##r##_##v = {0};
#define DECLARE_SUMS(r)    EACH_VEC(DECLARE_SUM, r)
#define LOAD_PANEL(r, v)   const vec w_##v = vec_load(packed + (v)*LANES);
#define MULTIPLY_ADD(r, v) sum_##r##_##v = vec_fma(x_i, w_##v, sum_##r##_##v);
#define MULTIPLY_ADD_ROW(r)                                                                        \
    {                                                                                              \
        const vec x_i = vec_set(x_##r[i]);                                                         \
        EACH_VEC(MULTIPLY_ADD, r)                                                                  \
    }
#define STORE_SUM(r, v) vec_store(c + (size_t)(r)*ldc + (v)*LANES, sum_##r##_##v);
#define STORE_ROW(r)                                                                               \
    if ((size_t)(r) < rows) {                                                                      \
        EACH_VEC(STORE_SUM, r)                                                                     \
    }
#define DEFINE_TILE(NAME, EACH)                                                                    \
    static void NAME(const float *x, size_t ldx, size_t rows, const float *packed, size_t n,       \
                     size_t k, float *c, size_t ldc)                                               \
    {                                                                                              \
        EACH(DECLARE_ROW)                                                                          \
        for (size_t j = 0; j < n; j += PANEL, c += PANEL) {                                        \
            EACH(DECLARE_SUMS)                                                                     \
            for (size_t i = 0; i < k; i++) {                                                       \
                EACH_VEC(LOAD_PANEL, 0)                                                            \
                __builtin_prefetch(packed + PREFETCH);                                             \
                packed += PANEL;                                                                   \
                EACH(MULTIPLY_ADD_ROW)                                                             \
            }                                                                                      \
            EACH(STORE_ROW)                                                                        \
        }                                                                                          \
    }
DEFINE_TILE(tile, EACH_ROW)
DEFINE_TILE(small_tile, EACH_OF_2)

/* Blocks of columns that stay in the first-level caches while the rows pass. */
static void gemm(const float *x, size_t ldx, size_t rows, const float *packed, size_t n, size_t k,
                 float *c, size_t ldc)
{
    size_t fit = GEMM_FLOATS / (k * PANEL) * PANEL, block = rows <= TILE_ROWS ? n : fit + PANEL;

    for (size_t j = 0; j < n; j += block) {
        size_t cols = n - j < block ? n - j : block;
        for (size_t r = 0; r < rows; r += TILE_ROWS) {
            size_t left = rows - r, m = left < TILE_ROWS ? left : TILE_ROWS;
            (left <= FEW_ROWS ? small_tile : tile)(x + r * ldx, ldx, m, packed + j * k, cols, k,
                                                   c + r * ldc + j, ldc);
        }
    }
}

/* ---- element-wise ------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) vec act_of(enum ge_activation act, vec x)
{
    switch (act) {
    case GE_ACT_GELU:
        return vec_gelu(x);
    case GE_ACT_GELU_TANH:
        return vec_gelu_tanh(x);
    case GE_ACT_QUICK_GELU:
        return vec_quick_gelu(x);
    case GE_ACT_TANH:
        return vec_tanh(x);
    case GE_ACT_SILU:
        return vec_silu(x);
    case GE_ACT_RELU:
        return vec_if_less(x, (vec){0}, (vec){0}, x);
    case GE_ACT_NONE:
        break;
    }
    return x;
}

/* y = act(c + bias) + residual for one row; `act` is a constant where this is expanded. */
static inline __attribute__((always_inline)) void finish_row(enum ge_activation act, const float *c,
                                                             size_t n, const float *bias,
                                                             const float *residual, float *y)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        vec v = vec_load(c + i);
        if (bias != NULL) v += vec_load(bias + i);
        v = act_of(act, v);
        if (residual != NULL) v += vec_load(residual + i);
        vec_store(y + i, v);
    }
    if (i < n) {
        vec v = vec_load_part(c + i, n - i);
        if (bias != NULL) v += vec_load_part(bias + i, n - i);
        v = act_of(act, v);
        if (residual != NULL) v += vec_load_part(residual + i, n - i);
        vec_store_part(y + i, v, n - i);
    }
}

static void finish(enum ge_activation act, const float *c, size_t n, const float *bias,
                   const float *residual, float *y)
{
    switch (act) {
    case GE_ACT_NONE:
        finish_row(GE_ACT_NONE, c, n, bias, residual, y);
        break;
    case GE_ACT_GELU:
        finish_row(GE_ACT_GELU, c, n, bias, residual, y);
        break;
    case GE_ACT_GELU_TANH:
        finish_row(GE_ACT_GELU_TANH, c, n, bias, residual, y);
        break;
    case GE_ACT_QUICK_GELU:
        finish_row(GE_ACT_QUICK_GELU, c, n, bias, residual, y);
        break;
    case GE_ACT_TANH:
        finish_row(GE_ACT_TANH, c, n, bias, residual, y);
        break;
    case GE_ACT_SILU:
        finish_row(GE_ACT_SILU, c, n, bias, residual, y);
        break;
    case GE_ACT_RELU:
        finish_row(GE_ACT_RELU, c, n, bias, residual, y);
        break;
    }
}

static void epilogue(const float *c, size_t ldc, size_t rows, size_t n, const float *bias,
                     enum ge_activation act, const float *residual, size_t ldr, float *y,
                     size_t ldy)
{
    for (size_t r = 0; r < rows; r++)
        finish(act, c + r * ldc, n, bias, residual != NULL ? residual + r * ldr : NULL,
               y + r * ldy);
}

static void activate(enum ge_activation act, const float *x, size_t n, float *y)
{
    finish(act, x, n, NULL, NULL, y);
}

/* ---- reductions over a row ---------------------------------------------------------------- */

typedef float quad __attribute__((vector_size(16)));
typedef float quad_any __attribute__((vector_size(16), aligned(4), may_alias));

/* Sum of 16 lanes: halves onto halves, which is part of the digits. */
static inline float fold(const vec *lanes)
{
    float s[SUM_LANES];

    memcpy(s, lanes, sizeof s);
    const quad *q = (const quad_any *)s;
    const quad t = (q[0] + q[2]) + (q[1] + q[3]);
    return (t[0] + t[2]) + (t[1] + t[3]);
}

static float sum(const float *x, size_t n)
{
    vec lane[SUM_VECS] = {{0}};
    float rest[SUM_LANES] = {0};
    size_t i = 0;

    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (size_t v = 0; v < SUM_VECS; v++) lane[v] += vec_load(x + i + v * LANES);
    if (i < n) memcpy(rest, x + i, (n - i) * sizeof *x);
    for (size_t v = 0; v < SUM_VECS; v++) lane[v] += vec_load(rest + v * LANES);
    return fold(lane);
}

/* Sum of (x - shift)^2. */
static float sum_squares(const float *x, size_t n, float shift)
{
    vec lane[SUM_VECS] = {{0}};
    float rest[SUM_LANES] = {0};
    size_t i = 0;

    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (size_t v = 0; v < SUM_VECS; v++) {
            vec d = vec_load(x + i + v * LANES) - shift;
            lane[v] = vec_fma(d, d, lane[v]);
        }
    }
    for (size_t l = 0; i < n; i++, l++) rest[l] = x[i] - shift;
    for (size_t v = 0; v < SUM_VECS; v++) {
        vec d = vec_load(rest + v * LANES);
        lane[v] = vec_fma(d, d, lane[v]);
    }
    return fold(lane);
}

static void layernorm(const float *x, size_t n, const float *gain, const float *bias, float eps,
                      float *y)
{
    float mean = sum(x, n) / (float)n;
    float inv = 1.0f / sqrtf(sum_squares(x, n, mean) / (float)n + eps);
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        vec v = (vec_load(x + i) - mean) * inv;
        vec_store(y + i, vec_fma(v, vec_load(gain + i), vec_load(bias + i)));
    }
    if (i < n) {
        vec v = (vec_load_part(x + i, n - i) - mean) * inv;
        v = vec_fma(v, vec_load_part(gain + i, n - i), vec_load_part(bias + i, n - i));
        vec_store_part(y + i, v, n - i);
    }
}

static void l2_normalize(const float *x, size_t n, float eps, float *y)
{
    float norm = sqrtf(sum_squares(x, n, 0.0f));

    norm = norm < eps ? eps : norm;
    for (size_t i = 0; i < n; i++) y[i] = x[i] / norm;
}

/* ---- attention ---------------------------------------------------------------------------- */

/* A head's rows are far apart in memory: fetch those that are wanted soon, `n` from row `from` of
 * `rows`. */
static inline void prefetch_rows(const float *x, size_t stride, size_t from, size_t n, size_t rows,
                                 size_t dim)
{
    for (size_t r = from; r < from + n && r < rows; r++)
        for (size_t e = 0; e < dim; e += 16) __builtin_prefetch(x + r * stride + e);
}

/* Four elements of four rows of k, times `factor`, become four rows of the panel. */
static void transpose_quads(const float *k, size_t ldk, float factor, float *panel)
{
    const quad r0 = *(const quad_any *)k * factor, r1 = *(const quad_any *)(k + ldk) * factor;
    const quad r2 = *(const quad_any *)(k + 2 * ldk) * factor;
    const quad r3 = *(const quad_any *)(k + 3 * ldk) * factor;
    const quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
    const quad low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
    const quad high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    const quad high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);

    *(quad_any *)panel = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    *(quad_any *)(panel + PANEL) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    *(quad_any *)(panel + 2 * PANEL) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    *(quad_any *)(panel + 3 * PANEL) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

/* Rows of k (nk, dim) times `factor` as panels (dim, PANEL) of PANEL keys; missing keys are zero. */
static void pack_keys(const struct ge_kernel_attention *a, float factor, float *packed)
{
    size_t dim = a->head_dim, quads = dim / 4 * 4;

    for (size_t j = 0; j < a->nk; j += PANEL, packed += PANEL * dim) {
        size_t l = 0;
        for (; l < PANEL && j + l + 4 <= a->nk; l += 4) {
            const float *k = a->k + (j + l) * a->ldk;
            prefetch_rows(a->k, a->ldk, j + l + 8, 4, a->nk, dim);
            prefetch_rows(a->v, a->ldv, j + l, 4, a->nk, dim);
            for (size_t e = 0; e < quads; e += 4)
                transpose_quads(k + e, a->ldk, factor, packed + e * PANEL + l);
            for (size_t e = quads; e < dim; e++)
                for (size_t i = 0; i < 4; i++)
                    packed[e * PANEL + l + i] = k[i * a->ldk + e] * factor;
        }
        for (; l < PANEL; l++)
            for (size_t e = 0; e < dim; e++)
                packed[e * PANEL + l] = j + l < a->nk ? a->k[(j + l) * a->ldk + e] * factor : 0.0f;
    }
}

/* Columns of v (nk, dim) as panels (nk, PANEL); missing columns are zero. */
static void pack_values(const struct ge_kernel_attention *a, float *packed)
{
    size_t dim = a->head_dim;

    for (size_t j = 0; j < a->nk; j++) {
        const float *v = a->v + j * a->ldv;
        prefetch_rows(a->q, a->ldq, j, 1, a->nq, dim);
        for (size_t d = 0; d < dim; d += PANEL) {
            float *to = packed + d * a->nk + j * PANEL;
            size_t m = dim - d < PANEL ? dim - d : PANEL;
            if (m == PANEL) {
                memcpy(to, v + d, PANEL * sizeof *to);
                continue;
            }
            memcpy(to, v + d, m * sizeof *to);
            memset(to + m, 0, (PANEL - m) * sizeof *to);
        }
    }
}

/* The largest of the first n scores, n a multiple of 16; a NaN is passed over. */
static float largest_of(const float *s, size_t n)
{
    vec top[SUM_VECS];
    float m[SUM_LANES];

    for (size_t v = 0; v < SUM_VECS; v++) top[v] = vec_set(-INFINITY);
    for (size_t j = 0; j < n; j += SUM_LANES)
        for (size_t v = 0; v < SUM_VECS; v++) top[v] = vec_max(vec_load(s + j + v * LANES), top[v]);
    memcpy(m, top, sizeof m);
    for (size_t i = 0; i < 8; i++) m[i] = m[i] > m[i + 8] ? m[i] : m[i + 8];
    for (size_t i = 0; i < 4; i++) m[i] = m[i] > m[i + 4] ? m[i] : m[i + 4];
    m[0] = m[0] > m[2] ? m[0] : m[2];
    m[1] = m[1] > m[3] ? m[1] : m[3];
    return m[0] > m[1] ? m[0] : m[1];
}

/* Scores of a query, in units of log 2, become 2^(score - largest) for its first `seen` keys, and
 * zero from there to the next multiple of 16. Gives their sum. */
static float softmax_row(float *s, size_t seen, const float *bias)
{
    vec total[SUM_VECS] = {{0}};
    size_t padded = (seen + SUM_LANES - 1) / SUM_LANES * SUM_LANES, j = 0;

    if (bias != NULL) {
        for (; j + LANES <= seen; j += LANES)
            vec_store(s + j, vec_fma(vec_load(bias + j), vec_set(VEC_LOG2_E), vec_load(s + j)));
        for (; j < seen; j++) s[j] = fmaf(bias[j], VEC_LOG2_E, s[j]);
    }
    for (j = seen; j < padded; j++) s[j] = -INFINITY;
    const float top = largest_of(s, padded);
    for (j = 0; j < padded; j += SUM_LANES) {
        for (size_t v = 0; v < SUM_VECS; v++) {
            vec e = vec_exp2_bounded(vec_load(s + j + v * LANES) - top);
            vec_store(s + j + v * LANES, e);
            total[v] += e;
        }
    }
    return fold(total);
}

/* Rows i… of a sequence: scores = q k^T, weights, out = weights v / their sum. With a causal mask
 * the keys after the last row's are not looked at. */
static void attend_rows(const struct ge_kernel_attention *a, size_t i, size_t rows,
                        const float *keys, const float *values, float *scores, size_t lds,
                        float *result)
{
    size_t last = a->causal && i + rows < a->nk ? i + rows : a->nk;
    size_t ldo = (a->head_dim + PANEL - 1) / PANEL * PANEL;
    float scale[ATTENTION_ROWS];

    gemm(a->q + i * a->ldq, a->ldq, rows, keys, last, a->head_dim, scores, lds);
    for (size_t r = 0; r < rows; r++) {
        size_t at = i + r, seen = a->causal && at + 1 < last ? at + 1 : last;
        float *s = scores + r * lds;
        scale[r] = 1.0f / softmax_row(s, seen, a->bias != NULL ? a->bias - at : NULL);
        for (size_t j = seen; j < last; j++) s[j] = 0.0f;
    }
    for (size_t d = 0; d < a->head_dim; d += PANEL)
        gemm(scores, lds, rows, values + d * a->nk, PANEL, last, result + d, ldo);
    for (size_t r = 0; r < rows; r++) {
        float *out = a->out + (i + r) * a->ldo;
        for (size_t e = 0; e < a->head_dim; e++) out[e] = result[r * ldo + e] * scale[r];
    }
}

/* Blocks of query rows are counted from the sequence's start. */
static void attend(const struct ge_kernel_attention *a, float *scratch)
{
    size_t lds = (a->nk + PANEL - 1) / PANEL * PANEL;
    size_t ldo = (a->head_dim + PANEL - 1) / PANEL * PANEL;
    float *keys = scratch, *values = keys + lds * a->head_dim;
    float *scores = values + ldo * a->nk, *result = scores + ATTENTION_ROWS * lds;

    if (a->nk == 0) {
        for (size_t r = 0; r < a->nq; r++)
            memset(a->out + r * a->ldo, 0, a->head_dim * sizeof *a->out);
        return;
    }
    pack_keys(a, a->scale * VEC_LOG2_E, keys);
    pack_values(a, values);
    for (size_t i = 0; i < a->nq; i += ATTENTION_ROWS) {
        size_t rows = a->nq - i < ATTENTION_ROWS ? a->nq - i : ATTENTION_ROWS;
        attend_rows(a, i, rows, keys, values, scores, lds, result);
    }
}

extern const struct ge_kernels GE_KERNELS;
const struct ge_kernels GE_KERNELS = {
    .level = GE_KERNEL_LEVEL,
    .panel = PANEL,
    .strip_rows = TILE_ROWS,
    .attention_rows = ATTENTION_ROWS,
    .gemm = gemm,
    .epilogue = epilogue,
    .layernorm = layernorm,
    .attend = attend,
    .activate = activate,
    .l2_normalize = l2_normalize,
    .widen = widen,
    .narrow = narrow,
};
