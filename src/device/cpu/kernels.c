/* Inner loops in plain C. Compiled once per instruction-set level with GE_KERNELS naming the table,
 * GE_KERNEL_LEVEL the level and GE_KERNEL_WIDTH the floats of one vector register. Sums that are
 * longer than one element run in 16 lanes that are folded in a fixed order, whatever the width. */
#include "device/cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "base/math_inline.h"
#include "device/cpu/types_inline.h"

enum {
    WIDTH = GE_KERNEL_WIDTH,
    PANEL = 16,
    PARTS = PANEL / WIDTH,     /* registers that hold one row of a panel */
    TILE = WIDTH == 4 ? 3 : 6, /* rows of a tile: its sums fill most of the register file */
    ATTENTION_ROWS = 48
};

/* One register, at any address. */
typedef float vec __attribute__((vector_size(4 * GE_KERNEL_WIDTH), aligned(4), may_alias));

/* Sum of 16 lanes; the order is part of the digits. */
static inline float fold(const vec *lanes)
{
    float s[PANEL];

    memcpy(s, lanes, sizeof s);
    for (int half = PANEL / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) s[i] += s[i + half];
    return s[0];
}

/* ---- products ----------------------------------------------------------------------------- */

/* One tile: c (ROWS, 16) = x (ROWS, k) panel^T. Each element is one sum over k in order. */
#define DEFINE_TILE(NAME, ROWS)                                                                    \
    static void NAME(const float *x, size_t ldx, const float *panel, size_t k, float *c,           \
                     size_t ldc)                                                                   \
    {                                                                                              \
        vec acc[ROWS][PARTS] = {{{0}}};                                                            \
        for (size_t i = 0; i < k; i++) {                                                           \
            const vec *w = (const vec *)(panel + i * PANEL);                                       \
            for (size_t r = 0; r < (ROWS); r++)                                                    \
                for (size_t p = 0; p < PARTS; p++) acc[r][p] += x[r * ldx + i] * w[p];             \
        }                                                                                          \
        for (size_t r = 0; r < (ROWS); r++) memcpy(c + r * ldc, acc[r], sizeof acc[r]);            \
    }
DEFINE_TILE(tile, TILE)
DEFINE_TILE(tile_row, 1)

static void gemm(const float *x, size_t ldx, size_t rows, const float *packed, size_t n, size_t k,
                 float *c, size_t ldc)
{
    for (size_t j = 0; j < n; j += PANEL) {
        const float *panel = packed + j * k;
        size_t r = 0;
        for (; r + TILE <= rows; r += TILE) tile(x + r * ldx, ldx, panel, k, c + r * ldc + j, ldc);
        for (; r < rows; r++) tile_row(x + r * ldx, ldx, panel, k, c + r * ldc + j, ldc);
    }
}

/* ---- element-wise ------------------------------------------------------------------------- */

static void activate(enum ge_activation act, const float *x, size_t n, float *y)
{
    switch (act) {
    case GE_ACT_NONE:
        memmove(y, x, n * sizeof *y);
        break;
    case GE_ACT_GELU:
        for (size_t i = 0; i < n; i++)
            y[i] = 0.5f * x[i] * (1.0f + ge_inline_erff(x[i] * 0.70710678f));
        break;
    case GE_ACT_GELU_TANH:
        for (size_t i = 0; i < n; i++) {
            float inner = 0.79788456f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
            y[i] = 0.5f * x[i] * (1.0f + ge_inline_tanhf(inner));
        }
        break;
    case GE_ACT_QUICK_GELU:
        for (size_t i = 0; i < n; i++) y[i] = x[i] / (1.0f + ge_inline_expf(-1.702f * x[i]));
        break;
    case GE_ACT_TANH:
        for (size_t i = 0; i < n; i++) y[i] = ge_inline_tanhf(x[i]);
        break;
    case GE_ACT_SILU:
        for (size_t i = 0; i < n; i++) y[i] = x[i] / (1.0f + ge_inline_expf(-x[i]));
        break;
    case GE_ACT_RELU:
        for (size_t i = 0; i < n; i++) y[i] = x[i] < 0.0f ? 0.0f : x[i];
        break;
    }
}

static void epilogue_row(const float *c, size_t n, const float *bias, enum ge_activation act,
                         const float *residual, float *y)
{
    float buf[256];

    for (size_t from = 0; from < n; from += 256) {
        size_t m = n - from < 256 ? n - from : 256;
        const float *src = c + from;
        if (bias != NULL) {
            for (size_t i = 0; i < m; i++) buf[i] = src[i] + bias[from + i];
            src = buf;
        }
        if (act != GE_ACT_NONE) {
            activate(act, src, m, buf);
            src = buf;
        }
        if (residual != NULL)
            for (size_t i = 0; i < m; i++) y[from + i] = src[i] + residual[from + i];
        else
            memcpy(y + from, src, m * sizeof *y);
    }
}

static void epilogue(const float *c, size_t ldc, size_t rows, size_t n, const float *bias,
                     enum ge_activation act, const float *residual, size_t ldr, float *y,
                     size_t ldy)
{
    for (size_t r = 0; r < rows; r++)
        epilogue_row(c + r * ldc, n, bias, act, residual != NULL ? residual + r * ldr : NULL,
                     y + r * ldy);
}

/* ---- reductions over a row ---------------------------------------------------------------- */

static float sum(const float *x, size_t n)
{
    vec lane[PARTS] = {{0}};
    size_t i = 0;

    for (; i + PANEL <= n; i += PANEL)
        for (size_t p = 0; p < PARTS; p++) lane[p] += *(const vec *)(x + i + p * WIDTH);
    for (size_t l = 0; i < n; i++, l++) lane[l / WIDTH][l % WIDTH] += x[i];
    return fold(lane);
}

/* Sum of (x - shift)^2. */
static float sum_squares(const float *x, size_t n, float shift)
{
    vec lane[PARTS] = {{0}};
    size_t i = 0;

    for (; i + PANEL <= n; i += PANEL) {
        for (size_t p = 0; p < PARTS; p++) {
            vec d = *(const vec *)(x + i + p * WIDTH) - shift;
            lane[p] += d * d;
        }
    }
    for (size_t l = 0; i < n; i++, l++) {
        float d = x[i] - shift;
        lane[l / WIDTH][l % WIDTH] += d * d;
    }
    return fold(lane);
}

static void layernorm(const float *x, size_t n, const float *gain, const float *bias, float eps,
                      float *y)
{
    float mean = sum(x, n) / (float)n;
    float var = sum_squares(x, n, mean) / (float)n;
    float inv = 1.0f / sqrtf(var + eps);

    for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * inv * gain[i] + bias[i];
}

static void l2_normalize(const float *x, size_t n, float eps, float *y)
{
    float norm = sqrtf(sum_squares(x, n, 0.0f));

    norm = norm < eps ? eps : norm;
    for (size_t i = 0; i < n; i++) y[i] = x[i] / norm;
}

/* ---- attention ---------------------------------------------------------------------------- */

/* Scores of one query row become weights: softmax over its first `seen` keys, zero after them. */
static void softmax_row(float *s, size_t nk, size_t seen, float scale, const float *bias)
{
    float top = -INFINITY, total;

    for (size_t j = 0; j < seen; j++) s[j] *= scale;
    if (bias != NULL)
        for (size_t j = 0; j < seen; j++) s[j] += bias[j];
    for (size_t j = 0; j < seen; j++) top = s[j] > top ? s[j] : top;
    for (size_t j = 0; j < seen; j++) s[j] = ge_inline_expf(s[j] - top);
    total = sum(s, seen);
    for (size_t j = 0; j < seen; j++) s[j] /= total;
    for (size_t j = seen; j < nk; j++) s[j] = 0.0f;
}

/* Columns of v (nk, head_dim) as panels (nk, 16). */
static void pack_values(const struct ge_kernel_attention *a, float *packed)
{
    for (size_t d = 0; d < a->head_dim; d += PANEL) {
        size_t m = a->head_dim - d < PANEL ? a->head_dim - d : PANEL;
        for (size_t j = 0; j < a->nk; j++) {
            memcpy(packed, a->v + j * a->ldv + d, m * sizeof *packed);
            for (size_t i = m; i < PANEL; i++) packed[i] = 0.0f;
            packed += PANEL;
        }
    }
}

/* Blocks of query rows, counted from the sequence's start so that they do not depend on its
 * neighbours: scores = q k^T, softmax, out = weights v, both products through gemm(). */
static void attend(const struct ge_kernel_attention *a, float *scratch)
{
    size_t lds = (a->nk + PANEL - 1) / PANEL * PANEL;
    size_t ldo = (a->head_dim + PANEL - 1) / PANEL * PANEL;
    float *keys = scratch, *values = keys + lds * a->head_dim;
    float *scores = values + ldo * a->nk, *result = scores + ATTENTION_ROWS * lds;

    ge_pack_panels(a->k, a->ldk, a->nk, a->head_dim, PANEL, keys);
    pack_values(a, values);
    for (size_t i = 0; i < a->nq; i += ATTENTION_ROWS) {
        size_t rows = a->nq - i < ATTENTION_ROWS ? a->nq - i : ATTENTION_ROWS;
        gemm(a->q + i * a->ldq, a->ldq, rows, keys, a->nk, a->head_dim, scores, lds);
        for (size_t r = 0; r < rows; r++) {
            size_t at = i + r, seen = a->causal && at + 1 < a->nk ? at + 1 : a->nk;
            softmax_row(scores + r * lds, a->nk, seen, a->scale,
                        a->bias != NULL ? a->bias - at : NULL);
        }
        gemm(scores, lds, rows, values, a->head_dim, a->nk, result, ldo);
        for (size_t r = 0; r < rows; r++)
            memcpy(a->out + (i + r) * a->ldo, result + r * ldo, a->head_dim * sizeof *result);
    }
}

extern const struct ge_kernels GE_KERNELS;
const struct ge_kernels GE_KERNELS = {
    .level = GE_KERNEL_LEVEL,
    .panel = PANEL,
    .strip_rows = ATTENTION_ROWS,
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
