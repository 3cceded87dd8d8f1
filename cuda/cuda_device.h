/* The CUDA module's own structs and the calls between its C files. Private to cuda/.
 *
 *   device_cuda.c  open, close, ids; the table
 *   memory.c       buffers, copies, page-locked memory, stages
 *   ops.c          operations other than products: views of tensors to launchers
 *   product.c      y = act(x W^T + bias) + residual, weights
 *   algorithm.c    which cuBLASLt algorithm a product runs, and that it is steady
 *   table.c        reading tuned tables
 *   tune.c         measuring algorithms: tuned tables out, the benchmark
 *   check.c        CUDA and cuBLASLt errors to ge_status */
#ifndef GE_CUDA_DEVICE_H
#define GE_CUDA_DEVICE_H

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "device/device_ops.h"
#include "launchers.h"

/* Uploads pass through a ring of page-locked slots: the source may change when the call returns,
 * and small ones (ids, ends) do not wait for the work that was queued before. */
enum { GE_CUDA_SLOTS = 16, GE_CUDA_SLOT_BYTES = 256 * 1024 };

/* Widths and addresses that products run on: rows of a multiple of 16 elements, at 16 bytes. */
enum { GE_CUDA_ALIGN = 16 };

struct ge_cuda_algorithm;

struct ge_cuda_device {
    struct ge_device head;
    int index; /* CUDA's number */
    char gpu[256];
    int major, minor; /* compute capability */
    bool tf32;
    cudaStream_t compute, copies;
    cudaError_t error; /* why head.lost */

    char *ring; /* GE_CUDA_SLOTS slots */
    cudaEvent_t slot_free[GE_CUDA_SLOTS];
    unsigned next_slot;

    char *scratch; /* for one operation at a time */
    size_t scratch_bytes;

    cublasLtHandle_t lt;
    void *workspace;
    struct ge_cuda_algorithm *algorithms; /* chosen so far */
    struct ge_cuda_algorithm *tuned;      /* of the table in the options */
};

struct ge_cuda_buffer {
    struct ge_buffer head;
    char *data; /* device address */
};

/* ---- check.c ------------------------------------------------------------------------------- */

/* GE_OK, or a failure with a message that names the GPU, `what` was done and CUDA's error. Out of
 * memory: GE_ENOMEM, and the device goes on. Otherwise GE_EDEVICE; if the error sticks, the device
 * is lost and every later ge_cuda_enter() fails too. */
ge_status ge_cuda_check(struct ge_cuda_device *dev, cudaError_t e, const char *what);
ge_status ge_cuda_check_lt(struct ge_cuda_device *dev, cublasStatus_t s, const char *what);

/* What every entry begins with: fails if the device is lost, makes it the thread's current one. */
ge_status ge_cuda_enter(struct ge_cuda_device *dev);

#define GE_CUDA(dev, call, what) GE_TRY(ge_cuda_check(dev, call, what))
#define GE_LT(dev, call, what)   GE_TRY(ge_cuda_check_lt(dev, call, what))

/* ---- memory.c ------------------------------------------------------------------------------ */

ge_status ge_cuda_memory_open(struct ge_cuda_device *dev);
void ge_cuda_memory_close(struct ge_cuda_device *dev); /* also after a failed open */

/* Device memory as it is, for weights and scratch. GE_ENOMEM with the figures. */
ge_status ge_cuda_malloc(struct ge_cuda_device *dev, size_t bytes, void **p);

/* `bytes` of scratch memory for the operation that is being queued; its content is gone with the
 * next call. */
ge_status ge_cuda_scratch(struct ge_cuda_device *dev, size_t bytes, void **p);

/* Copy host memory to the device in the order of the compute stream; src may change on return. */
ge_status ge_cuda_send(struct ge_cuda_device *dev, void *dst, const void *src, size_t bytes);

ge_status ge_cuda_alloc(struct ge_device *dev, size_t bytes, struct ge_buffer **buf);
void ge_cuda_free(struct ge_buffer *buf);
ge_status ge_cuda_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes);
ge_status ge_cuda_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes);
ge_status ge_cuda_synchronize(struct ge_device *dev);
ge_status ge_cuda_host_new(struct ge_device *dev, size_t bytes, void **p);
void ge_cuda_host_delete(struct ge_device *dev, void *p);
ge_status ge_cuda_stage_new(struct ge_device *dev, size_t bytes, struct ge_stage **stage);
void ge_cuda_stage_delete(struct ge_stage *stage);
ge_status ge_cuda_stage_send(struct ge_stage *stage, size_t offset, const void *src, size_t bytes);
ge_status ge_cuda_stage_acquire(struct ge_stage *stage);
ge_status ge_cuda_stage_release(struct ge_stage *stage);
ge_status ge_cuda_stage_wait(struct ge_stage *stage);
ge_status ge_cuda_fetch_new(struct ge_device *dev, size_t bytes, struct ge_fetch **fetch);
void ge_cuda_fetch_delete(struct ge_fetch *fetch);
ge_status ge_cuda_fetch_begin(struct ge_fetch *fetch, const struct ge_buffer *src, size_t offset,
                              size_t bytes);
ge_status ge_cuda_fetch_wait(struct ge_fetch *fetch);

/* ---- ops.c --------------------------------------------------------------------------------- */

struct ge_cuda_matrix ge_cuda_view(const struct ge_tensor *t); /* NULL or no buffer: absent */

/* A dense matrix at a device address, rows of `stride` elements. */
struct ge_cuda_matrix ge_cuda_matrix_at(void *data, size_t rows, size_t cols, size_t stride,
                                        enum ge_dtype dtype);

/* Every row begins at a multiple of 16 bytes. */
bool ge_cuda_aligned(const struct ge_cuda_matrix *m);

/* Columns rounded up so that every row of a dense matrix is aligned, for products too. */
size_t ge_cuda_padded(size_t cols);

/* Entries of the table. */
ge_status ge_cuda_patches(struct ge_device *dev, const struct ge_tensor *pixels, size_t channels,
                          size_t height, size_t width, size_t patch, const struct ge_tensor *out);
ge_status ge_cuda_pixel_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                                const struct ge_tensor *table, size_t height, size_t width,
                                size_t patch, const struct ge_tensor *out);
ge_status ge_cuda_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                               const struct ge_tensor *prefix, const struct ge_tensor *positions,
                               const struct ge_tensor *out);
ge_status ge_cuda_embed(struct ge_device *dev, const struct ge_tensor *ids,
                        const struct ge_tensor *pos, const struct ge_tensor *table,
                        const struct ge_tensor *shared, const struct ge_tensor *positions,
                        const struct ge_tensor *out);
ge_status ge_cuda_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                            const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                            const struct ge_tensor *y);
ge_status ge_cuda_activate(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                           const struct ge_tensor *y);
ge_status ge_cuda_add(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                      const struct ge_tensor *y);
ge_status ge_cuda_mul(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                      const struct ge_tensor *y);
ge_status ge_cuda_gather(struct ge_device *dev, const struct ge_tensor *x,
                         const struct ge_tensor *rows, const struct ge_tensor *out);
ge_status ge_cuda_pool(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                       const struct ge_tensor *ends, const struct ge_tensor *skip,
                       const struct ge_tensor *out);
ge_status ge_cuda_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                               const struct ge_tensor *y);
ge_status ge_cuda_copy(struct ge_device *dev, const struct ge_tensor *x, const struct ge_tensor *y);
ge_status ge_cuda_attend(struct ge_device *head, const struct ge_attention *a);

/* ---- product.c ----------------------------------------------------------------------------- */

/* Entries of the table. */
ge_status ge_cuda_prepare_weight(struct ge_device *dev, const float *w, const float *bias, size_t n,
                                 size_t k, enum ge_dtype dtype, struct ge_weight **out);
void ge_cuda_free_weight(struct ge_weight *w);
ge_status ge_cuda_matmul(struct ge_device *dev, const struct ge_matmul *m);

#endif
