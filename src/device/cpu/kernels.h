/* The inner loops of the CPU backends, on host pointers, for one task of one thread.
 *
 * kernels.c is compiled once per instruction-set level; the source fixes the order of every
 * addition and nothing is contracted, so all levels give the same bits. Private to src/device. */
#ifndef GE_DEVICE_CPU_KERNELS_H
#define GE_DEVICE_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"

/* Columns of one packed panel: a matrix (n, k) is kept as ceil(n/16) panels of (k, 16), so that the
 * product's inner loop reads it in order. The missing columns of the last panel are zero. */
enum { GE_PANEL = 16 };

/* Query rows that attention handles at a time. */
enum { GE_ATTENTION_ROWS = 48 };

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

/* Pack w (n rows of k elements, ldw apart) into panels: ceil(n/16)*16*k floats. */
void ge_pack_panels(const float *w, size_t ldw, size_t n, size_t k, float *packed);

/* Floats of scratch that attend needs for sequences of up to nk keys; GE_ELIMIT on overflow. */
ge_status ge_attention_scratch(size_t nk, size_t head_dim, size_t *floats);

/* The kernels of a level: "native" (the best that this CPU runs), "base", "avx2", "avx512".
 * GE_EINVAL: unknown level. GE_EUNSUPPORTED: not on this CPU. */
ge_status ge_kernels_find(const char *level, const struct ge_kernels **k);

#endif
