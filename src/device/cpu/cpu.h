/* What the CPU backends share: host memory, threads with scratch, and every operation over a table
 * of kernels. cpu and simd are this with tables of their own; onednn takes the plain C table and
 * has a product of its own. Private to src/device. */
#ifndef GE_DEVICE_CPU_CPU_H
#define GE_DEVICE_CPU_CPU_H

#include "base/pool.h"
#include "device/cpu/kernels.h"
#include "device/device_ops.h"

struct ge_cpu_device {
    struct ge_device head;
    const struct ge_kernels *kernels;
    struct ge_pool *pool;
    float **scratch;       /* [threads], each of scratch_floats floats, 64-byte aligned */
    size_t scratch_floats; /* what all threads have */
};

struct ge_cpu_buffer {
    struct ge_buffer head;
    char *data; /* 64-byte aligned */
};

/* Start threads in a zeroed device; fini also after a failed init. */
ge_status ge_cpu_init(struct ge_cpu_device *cpu, const struct ge_device_options *opt,
                      const struct ge_kernels *kernels);
void ge_cpu_fini(struct ge_cpu_device *cpu);

/* A whole device over a table of kernels; `what` describes them. */
ge_status ge_cpu_open(const struct ge_device_ops *ops, const struct ge_device_options *opt,
                      const struct ge_kernels *kernels, const char *what, struct ge_device **dev);

/* Make sure that every thread has `floats` floats of scratch. GE_ENOMEM. */
ge_status ge_cpu_reserve(struct ge_cpu_device *cpu, size_t floats);

/* A copy of a weight's bias, or NULL for none. GE_ENOMEM. */
ge_status ge_cpu_keep_bias(const float *bias, size_t n, float **out);

/* Element (row, col) of a tensor in host memory. */
static inline void *ge_cpu_at(const struct ge_tensor *t, size_t row, size_t col)
{
    return ((struct ge_cpu_buffer *)t->buf)->data +
           (t->offset + row * t->stride + col) * ge_dtype_size(t->dtype);
}

/* First element of a row of a GE_F32 tensor. */
static inline float *ge_cpu_row(const struct ge_tensor *t, size_t row)
{
    return ge_cpu_at(t, row, 0);
}

static inline const int32_t *ge_cpu_ints(const struct ge_tensor *t)
{
    return ge_cpu_at(t, 0, 0);
}

/* ---- types: all arithmetic is in float, and a result is rounded to its type once ------------ */

/* n elements from (row, col) on as floats: in place where they are floats, else in `room`. */
static inline const float *ge_cpu_load(const struct ge_kernels *k, const struct ge_tensor *t,
                                       size_t row, size_t col, size_t n, float *room)
{
    if (t->dtype == GE_F32) return ge_cpu_at(t, row, col);
    k->widen(t->dtype, ge_cpu_at(t, row, col), n, room);
    return room;
}

/* Where a result from (row, col) on is computed: in place where it is of floats, else in `room`. */
static inline float *ge_cpu_place(const struct ge_tensor *t, size_t row, size_t col, float *room)
{
    return t->dtype == GE_F32 ? ge_cpu_at(t, row, col) : room;
}

/* Store n floats that were computed at ge_cpu_place(). */
static inline void ge_cpu_store(const struct ge_kernels *k, const struct ge_tensor *t, size_t row,
                                size_t col, size_t n, const float *place)
{
    if (t->dtype != GE_F32) k->narrow(t->dtype, place, n, ge_cpu_at(t, row, col));
}

/* A part of a result. */
struct ge_cpu_block {
    size_t row, col, rows, cols;
};

/* The end of a product: y = act(c + bias) + residual at a block of y, from its sums c (rows, ldc).
 * bias (n) or NULL; room for 2 * cols floats is used where y is not of floats. */
void ge_cpu_finish(const struct ge_cpu_device *cpu, const struct ge_matmul *m, const float *bias,
                   const float *c, size_t ldc, struct ge_cpu_block at, float *room);

/* Entries of the tables. */
void ge_cpu_close(struct ge_device *dev);
bool ge_cpu_supports(const struct ge_device *dev, enum ge_dtype dtype);
ge_status ge_cpu_prepare_weight(struct ge_device *dev, const float *w, const float *bias, size_t n,
                                size_t k, enum ge_dtype dtype, struct ge_weight **out);
void ge_cpu_free_weight(struct ge_weight *w);
ge_status ge_cpu_matmul(struct ge_device *dev, const struct ge_matmul *m);
ge_status ge_cpu_alloc(struct ge_device *dev, size_t bytes, struct ge_buffer **buf);
void ge_cpu_free(struct ge_buffer *buf);
ge_status ge_cpu_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes);
ge_status ge_cpu_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes);
ge_status ge_cpu_synchronize(struct ge_device *dev);
ge_status ge_cpu_patches(struct ge_device *dev, const struct ge_tensor *pixels, size_t channels,
                         size_t height, size_t width, size_t patch, const struct ge_tensor *out);
ge_status ge_cpu_pixel_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                               const struct ge_tensor *table, size_t height, size_t width,
                               size_t patch, const struct ge_tensor *out);
ge_status ge_cpu_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                              const struct ge_tensor *prefix, const struct ge_tensor *positions,
                              const struct ge_tensor *out);
ge_status ge_cpu_embed(struct ge_device *dev, const struct ge_tensor *ids,
                       const struct ge_tensor *pos, const struct ge_tensor *table,
                       const struct ge_tensor *shared, const struct ge_tensor *positions,
                       const struct ge_tensor *out);
ge_status ge_cpu_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                           const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                           const struct ge_tensor *y);
ge_status ge_cpu_attend(struct ge_device *dev, const struct ge_attention *a);
ge_status ge_cpu_activate(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                          const struct ge_tensor *y);
ge_status ge_cpu_add(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y);
ge_status ge_cpu_mul(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y);
ge_status ge_cpu_gather(struct ge_device *dev, const struct ge_tensor *x,
                        const struct ge_tensor *rows, const struct ge_tensor *out);
ge_status ge_cpu_pool(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                      const struct ge_tensor *ends, const struct ge_tensor *skip,
                      const struct ge_tensor *out);
ge_status ge_cpu_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                              const struct ge_tensor *y);
ge_status ge_cpu_copy(struct ge_device *dev, const struct ge_tensor *x, const struct ge_tensor *y);

/* Those of a device that multiplies by its kernels, and those that every CPU device has. */
#define GE_CPU_DEVICE_OPS                                                                          \
    .close = ge_cpu_close, .supports = ge_cpu_supports, .prepare_weight = ge_cpu_prepare_weight,   \
    .free_weight = ge_cpu_free_weight, .matmul = ge_cpu_matmul
#define GE_CPU_SHARED_OPS                                                                          \
    .alloc = ge_cpu_alloc, .free = ge_cpu_free, .upload = ge_cpu_upload,                           \
    .download = ge_cpu_download, .synchronize = ge_cpu_synchronize, .patches = ge_cpu_patches,     \
    .pixel_patches = ge_cpu_pixel_patches, .patch_tokens = ge_cpu_patch_tokens,                    \
    .embed = ge_cpu_embed, .layernorm = ge_cpu_layernorm, .attend = ge_cpu_attend,                 \
    .activate = ge_cpu_activate, .add = ge_cpu_add, .mul = ge_cpu_mul, .gather = ge_cpu_gather,    \
    .pool = ge_cpu_pool, .l2_normalize = ge_cpu_l2_normalize, .copy = ge_cpu_copy

#endif
