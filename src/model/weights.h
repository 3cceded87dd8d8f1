/* From stored tensors to the device: lookup by name, shape check, upload. Private to src/model. */
#ifndef GE_MODEL_WEIGHTS_H
#define GE_MODEL_WEIGHTS_H

#include <stdbool.h>

#include "device/device.h"
#include "model/checkpoint.h"

/* Where a model's loader takes its tensors from. */
struct ge_weights {
    struct ge_device *dev;
    const struct ge_checkpoint *checkpoint;
    /* Stand in front of every name: the same model is stored bare, and inside models that have it as
     * a part ("bert."). Tried in order, the first goes into messages; NULL at the end. NULL: bare. */
    const char *const *prefixes;
    enum ge_dtype dtype;
};

/* y = x W^T + b on the device. */
struct ge_linear {
    struct ge_weight *w; /* (n, k), with its bias if it has one */
    size_t n;
};
void ge_linear_free(struct ge_linear *l);
ge_status ge_linear_run(const struct ge_linear *l, struct ge_device *dev, struct ge_tensor x,
                        enum ge_activation act, struct ge_tensor residual, struct ge_tensor y);

struct ge_norm {
    struct ge_tensor gain, bias; /* (1, n) */
    float eps;
};
void ge_norm_free(struct ge_norm *n);
ge_status ge_norm_run(const struct ge_norm *n, struct ge_device *dev, struct ge_tensor x,
                      struct ge_tensor y);

/* All loaders below look for "base.name" (or "name", if the base is ""): with each prefix, then, for a
 * LayerNorm, under its old name. */

/* *t = the stored tensor, of any shape; NULL: there is none. GE_ENOMEM. */
ge_status ge_weights_find(const struct ge_weights *w, const char *base, const char *name,
                          const struct ge_stored **t);

/* Read a tensor of the given shape as float32 on the host (free() it). Dimensions of 1 are not
 * told apart from absent ones, so (1, 1, d) serves as d. GE_EFORMAT: missing or misshapen, named. */
ge_status ge_weights_read(const struct ge_weights *w, const char *base, const char *name,
                          size_t rows, size_t cols, float **out);

/* The same, on the device: a table (rows, cols) in the compute type. */
ge_status ge_weights_table(const struct ge_weights *w, const char *base, const char *name,
                           size_t rows, size_t cols, struct ge_tensor *out);

/* Host data to a device tensor of the compute type (tables) or GE_F32 (vectors). */
ge_status ge_weights_upload(const struct ge_weights *w, const float *data, size_t rows, size_t cols,
                            enum ge_dtype dtype, struct ge_tensor *out);

/* base.name.weight (n, k) and, if wanted, base.name.bias (n). */
ge_status ge_weights_linear(const struct ge_weights *w, const char *base, const char *name,
                            size_t n, size_t k, bool bias, struct ge_linear *out);

/* base.name.weight and .bias (n); old files call them gamma and beta. */
ge_status ge_weights_norm(const struct ge_weights *w, const char *base, const char *name, size_t n,
                          float eps, struct ge_norm *out);

/* A linear layer still on the host, for what is done to it before it goes to the device. */
struct ge_matrix {
    float *weight; /* (n, k) */
    float *bias;   /* (n) or NULL */
    size_t n, k;
};
ge_status ge_weights_matrix(const struct ge_weights *w, const char *base, const char *name,
                            size_t n, size_t k, bool bias, struct ge_matrix *out);

/* Several projections (n, k) of the same input as one: their rows one below the other. */
ge_status ge_weights_stacked(const struct ge_weights *w, const char *base,
                             const char *const names[], size_t count, size_t n, size_t k, bool bias,
                             struct ge_matrix *out);
void ge_matrix_free(struct ge_matrix *m);

/* Rows [from, from + n) as a layer on the device. */
ge_status ge_matrix_upload(const struct ge_weights *w, const struct ge_matrix *m, size_t from,
                           size_t n, struct ge_linear *out);

#endif
