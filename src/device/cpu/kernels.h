/* The inner loops of the CPU backends, on host pointers, for one task of one thread: a table that
 * cpu/kernels.c (plain C) and simd/kernels.c (fused multiply-adds) fill.
 *
 * Both are compiled once per instruction-set level; the source fixes the order of every addition
 * and nothing is contracted that is not written so, so all levels of one of them give the same
 * bits. Private to src/device. */
#ifndef GE_DEVICE_CPU_KERNELS_H
#define GE_DEVICE_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"

struct ge_kernel_attention {
    const float *q, *k, *v; /* first row of the sequence, first column of the head */
    float *out;
    size_t ldq, ldk, ldv, ldo; /* elements between rows */
    size_t nq, nk, head_dim;
    float scale;
    bool causal;
    const float *bias; /* optional: value for (j - i) = 0; index by j - i */
};

struct ge_kernels {
    const char *level;

    /* Columns of a packed panel: a matrix (n, k) is kept as ceil(n/panel) panels of (k, panel), so
     * that the product's inner loop reads it in order. The missing columns of the last panel are
     * zero. */
    size_t panel;
    size_t strip_rows;     /* rows that gemm is best called with at a time */
    size_t attention_rows; /* query rows that attend handles at a time */

    /* c (rows, n) = x (rows, k) packed^T; c has room for n rounded up to whole panels. */
    void (*gemm)(const float *x, size_t ldx, size_t rows, const float *packed, size_t n, size_t k,
                 float *c, size_t ldc);
    /* y = act(c + bias) + residual; bias and residual may be NULL; residual may be y. */
    void (*epilogue)(const float *c, size_t ldc, size_t rows, size_t n, const float *bias,
                     enum ge_activation act, const float *residual, size_t ldr, float *y,
                     size_t ldy);
    void (*layernorm)(const float *x, size_t n, const float *gain, const float *bias, float eps,
                      float *y);
    /* scratch: ge_attention_scratch() floats */
    void (*attend)(const struct ge_kernel_attention *a, float *scratch);
    void (*activate)(enum ge_activation act, const float *x, size_t n, float *y);
    void (*l2_normalize)(const float *x, size_t n, float eps, float *y);
    /* n elements of GE_BF16 or GE_F16 to float, and back with rounding (base/half.h) */
    void (*widen)(enum ge_dtype type, const void *x, size_t n, float *y);
    void (*narrow)(enum ge_dtype type, const float *x, size_t n, void *y);
};

/* n rounded up to whole panels. */
static inline size_t ge_kernels_padded(const struct ge_kernels *k, size_t n)
{
    return (n + k->panel - 1) / k->panel * k->panel;
}

/* Pack w (n rows of k elements, ldw apart) into `panel` columns each: ceil(n/panel)*panel*k floats. */
void ge_pack_panels(const float *w, size_t ldw, size_t n, size_t k, size_t panel, float *packed);

/* Floats of scratch that attend needs for sequences of up to nk keys; GE_ELIMIT on overflow. */
ge_status ge_attention_scratch(const struct ge_kernels *k, size_t nk, size_t head_dim,
                               size_t *floats);

/* Of the tables of a device in rising order of their levels, the first `runs` of which run on this
 * CPU, the one of a level; "native": the highest. GE_EINVAL: no level of any device.
 * GE_EUNSUPPORTED: not here. */
ge_status ge_kernels_choose(const char *device, const struct ge_kernels *const *tables, size_t runs,
                            const char *level, const struct ge_kernels **k);

/* The plain C kernels of a level: "native", "base", "avx2", "avx512"; errors as above. */
ge_status ge_kernels_find(const char *device, const char *level, const struct ge_kernels **k);

#endif
