/* The kernels as C functions: each starts one on a stream and gives the launch's own error; what
 * goes wrong while it runs, a later call tells. Shapes, types and devices have been checked by the
 * seam's wrappers; pointers are device addresses. Any alignment of matrices and rows is fine:
 * 16-byte accesses are used where all of an operation's operands allow it, and digits do not
 * depend on that. A private header of the CUDA module. */
#ifndef GE_CUDA_LAUNCHERS_H
#define GE_CUDA_LAUNCHERS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "device/device.h"

/* A matrix on the device; data NULL: absent, where that is allowed. */
struct ge_cuda_matrix {
    void *data; /* row 0, column 0 */
    size_t rows, cols, stride;
    enum ge_dtype dtype;
};

/* ---- elementwise.cu ------------------------------------------------------------------------- */

/* y = act(x) + residual; residual may be absent or y; y may be x. */
cudaError_t ge_launch_activate(cudaStream_t stream, enum ge_activation act, struct ge_cuda_matrix x,
                               struct ge_cuda_matrix residual, struct ge_cuda_matrix y);

/* y = a + b or a * b; b has one row or a's; y may be a. */
cudaError_t ge_launch_add(cudaStream_t stream, struct ge_cuda_matrix a, struct ge_cuda_matrix b,
                          struct ge_cuda_matrix y);
cudaError_t ge_launch_mul(cudaStream_t stream, struct ge_cuda_matrix a, struct ge_cuda_matrix b,
                          struct ge_cuda_matrix y);

/* y = x, converted; the columns of y beyond x's become zero. */
cudaError_t ge_launch_copy(cudaStream_t stream, struct ge_cuda_matrix x, struct ge_cuda_matrix y);

/* *flag = 1 if two dense blocks of `bytes` (a multiple of 4) differ. */
cudaError_t ge_launch_differ(cudaStream_t stream, const void *a, const void *b, size_t bytes,
                             unsigned *flag);

/* Fill x with values in [-1, 1) that depend on row and column alone. */
cudaError_t ge_launch_noise(cudaStream_t stream, struct ge_cuda_matrix x);

/* ---- tokens.cu ------------------------------------------------------------------------------ */

cudaError_t ge_launch_patches(cudaStream_t stream, struct ge_cuda_matrix pixels, size_t channels,
                              size_t height, size_t width, size_t patch, struct ge_cuda_matrix out);
cudaError_t ge_launch_pixel_patches(cudaStream_t stream, struct ge_cuda_matrix pixels,
                                    struct ge_cuda_matrix table, size_t height, size_t width,
                                    size_t patch, struct ge_cuda_matrix out);
cudaError_t ge_launch_patch_tokens(cudaStream_t stream, struct ge_cuda_matrix patches,
                                   struct ge_cuda_matrix prefix, struct ge_cuda_matrix positions,
                                   struct ge_cuda_matrix out);
cudaError_t ge_launch_embed(cudaStream_t stream, const int32_t *ids, const int32_t *pos,
                            struct ge_cuda_matrix table, struct ge_cuda_matrix shared,
                            struct ge_cuda_matrix positions, struct ge_cuda_matrix out);
cudaError_t ge_launch_gather(cudaStream_t stream, struct ge_cuda_matrix x, const int32_t *rows,
                             struct ge_cuda_matrix out);

/* ---- rows.cu -------------------------------------------------------------------------------- */

cudaError_t ge_launch_layernorm(cudaStream_t stream, struct ge_cuda_matrix x, const float *gain,
                                const float *bias, float eps, struct ge_cuda_matrix y);
cudaError_t ge_launch_l2_normalize(cudaStream_t stream, struct ge_cuda_matrix x, float eps,
                                   struct ge_cuda_matrix y);

/* ---- pool.cu -------------------------------------------------------------------------------- */

/* skip may be NULL. */
cudaError_t ge_launch_pool(cudaStream_t stream, enum ge_pooling mode, struct ge_cuda_matrix x,
                           const int32_t *ends, const int32_t *skip, struct ge_cuda_matrix out);

/* ---- attention ------------------------------------------------------------------------------ */

struct ge_cuda_attention {
    struct ge_cuda_matrix q, k, v, out;
    const int32_t *q_ends, *kv_ends;
    size_t sequences, max_q, max_kv, heads, head_dim;
    float scale;
    int causal;
    const float
        *bias; /* NULL, or element (head, j - i) at head * bias_stride + j - i + max_kv - 1 */
    size_t bias_stride;
};

/* attention_tensor.cu: tensor cores, bf16 and fp16; head_dim a multiple of 8 up to 128; all rows of
 * q, k, v and out 16-byte aligned. */
cudaError_t ge_launch_attend_tensor(cudaStream_t stream, const struct ge_cuda_attention *a);

/* attention_plain.cu: fused multiply-adds in fp32; any type, head_dim and alignment. */
cudaError_t ge_launch_attend_plain(cudaStream_t stream, const struct ge_cuda_attention *a);

/* Let the kernels use as much shared memory as they need on the current device. */
cudaError_t ge_cuda_tensor_setup(void);
cudaError_t ge_cuda_plain_setup(void);

#ifdef __cplusplus
}
#endif

#endif
