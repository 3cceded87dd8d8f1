/* What a backend implements: a table of functions, filled at the foot of cpu/cpu.c,
 * simd/simd.c, onednn/onednn.c and the CUDA module. Included by backends and by the wrappers (ops.c,
 * registry.c), never by models.
 *
 * The wrappers have checked every shape, type and device before an entry is called, and never call
 * an operation with zero rows. Entries are called by one thread at a time per device and may
 * queue; only download, synchronize, free and close wait. To add a backend: fill a table, register
 * it, and run tests/unit/device/op_suite.c on it. */
#ifndef GE_DEVICE_DEVICE_OPS_H
#define GE_DEVICE_DEVICE_OPS_H

#include "device/device.h"

/* Changes with every change of this header or of the structs in device.h. */
#define GE_DEVICE_ABI 4u

/* Common head of every backend's own structs; the backend embeds it as the first member. */
struct ge_device {
    const struct ge_device_ops *ops;
    int threads;
    char numerics[256];
    char description[256];
    char pci[16];         /* "" when it is no PCI device */
    bool lost;            /* set by the backend: every further call fails */
    struct ge_work *work; /* of the wrappers: ge_device_count() */
};
struct ge_buffer {
    struct ge_device *dev;
    size_t bytes;
};
struct ge_weight {
    struct ge_device *dev;
    size_t n, k;
    enum ge_dtype dtype;
};
struct ge_stage {
    struct ge_device *dev;
    struct ge_buffer *buf;
};
struct ge_fetch {
    struct ge_device *dev;
    size_t bytes;
    void *host; /* bytes long; ge_host_new() */
};

struct ge_matmul {
    struct ge_tensor x;
    const struct ge_weight *w;
    enum ge_activation act;
    struct ge_tensor residual; /* optional; may be y */
    struct ge_tensor y;
};

struct ge_device_ops {
    uint32_t abi; /* GE_DEVICE_ABI */
    const char *name;
    int priority; /* order of "auto": highest first; cpu is 0 */

    /* The head's fields are filled by open. */
    ge_status (*open)(const struct ge_device_options *opt, struct ge_device **dev);
    void (*close)(struct ge_device *dev);
    bool (*supports)(const struct ge_device *dev, enum ge_dtype dtype);
    ge_status (*bench_gemm)(struct ge_device *dev, const struct ge_gemm_bench *b,
                            double *seconds); /* optional */
    ge_status (*tune)(struct ge_device *dev, const struct ge_tune_shape *shapes, size_t n,
                      struct ge_buf *json);                             /* optional */
    void (*memory)(struct ge_device *dev, size_t *free, size_t *total); /* optional */
    void (*range_push)(struct ge_device *dev, const char *name);        /* optional, both or none */
    void (*range_pop)(struct ge_device *dev);

    ge_status (*alloc)(struct ge_device *dev, size_t bytes, struct ge_buffer **buf);
    void (*free)(struct ge_buffer *buf);
    ge_status (*upload)(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes);
    ge_status (*download)(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes);
    ge_status (*synchronize)(struct ge_device *dev);
    ge_status (*prepare_weight)(struct ge_device *dev, const float *w, const float *bias, size_t n,
                                size_t k, enum ge_dtype dtype, struct ge_weight **out);
    void (*free_weight)(struct ge_weight *w);

    /* Optional, all or none: a device that computes in host memory leaves them out, and the
     * wrappers make them of plain memory and uploads. host_* may be called from any thread. */
    ge_status (*host_new)(struct ge_device *dev, size_t bytes, void **p);
    void (*host_delete)(struct ge_device *dev, void *p);
    ge_status (*stage_new)(struct ge_device *dev, size_t bytes, struct ge_stage **stage);
    void (*stage_delete)(struct ge_stage *stage);
    ge_status (*stage_send)(struct ge_stage *stage, size_t offset, const void *src, size_t bytes);
    ge_status (*stage_acquire)(struct ge_stage *stage);
    ge_status (*stage_release)(struct ge_stage *stage);
    ge_status (*stage_wait)(struct ge_stage *stage);
    ge_status (*fetch_new)(struct ge_device *dev, size_t bytes, struct ge_fetch **fetch);
    void (*fetch_delete)(struct ge_fetch *fetch);
    ge_status (*fetch_begin)(struct ge_fetch *fetch, const struct ge_buffer *src, size_t offset,
                             size_t bytes);
    ge_status (*fetch_wait)(struct ge_fetch *fetch);

    ge_status (*patches)(struct ge_device *dev, const struct ge_tensor *pixels, size_t channels,
                         size_t height, size_t width, size_t patch, const struct ge_tensor *out);
    ge_status (*pixel_patches)(struct ge_device *dev, const struct ge_tensor *pixels,
                               const struct ge_tensor *table, size_t height, size_t width,
                               size_t patch, const struct ge_tensor *out);
    ge_status (*patch_tokens)(struct ge_device *dev, const struct ge_tensor *patches,
                              const struct ge_tensor *prefix, const struct ge_tensor *positions,
                              const struct ge_tensor *out);
    ge_status (*embed)(struct ge_device *dev, const struct ge_tensor *ids,
                       const struct ge_tensor *pos, const struct ge_tensor *table,
                       const struct ge_tensor *shared, const struct ge_tensor *positions,
                       const struct ge_tensor *out);
    ge_status (*matmul)(struct ge_device *dev, const struct ge_matmul *m);
    ge_status (*layernorm)(struct ge_device *dev, const struct ge_tensor *x,
                           const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                           const struct ge_tensor *y);
    ge_status (*attend)(struct ge_device *dev, const struct ge_attention *a);
    ge_status (*activate)(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                          const struct ge_tensor *y);
    ge_status (*add)(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y);
    ge_status (*mul)(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y);
    ge_status (*gather)(struct ge_device *dev, const struct ge_tensor *x,
                        const struct ge_tensor *rows, const struct ge_tensor *out);
    ge_status (*pool)(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                      const struct ge_tensor *ends, const struct ge_tensor *skip,
                      const struct ge_tensor *out);
    ge_status (*l2_normalize)(struct ge_device *dev, const struct ge_tensor *x, float eps,
                              const struct ge_tensor *y);
    ge_status (*copy)(struct ge_device *dev, const struct ge_tensor *x, const struct ge_tensor *y);
};

/* Make a backend known; a second one of the same name replaces the first. The table stays the
 * caller's and must live as long as the program. GE_EUNSUPPORTED: another ABI. */
ge_status ge_device_register(const struct ge_device_ops *ops);

/* The backends that live in this tree. ge_onednn_ops() is NULL where oneDNN was not found at
 * build time. A loadable module exports `const struct ge_device_ops *ge_device_module(void)`. */
const struct ge_device_ops *ge_cpu_ops(void);
const struct ge_device_ops *ge_simd_ops(void);
const struct ge_device_ops *ge_onednn_ops(void);
const struct ge_device_ops *ge_device_module(void); /* in a module only */

#endif
