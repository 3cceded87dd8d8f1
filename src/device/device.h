/* The device seam: one flat set of tensor operations that every model is written over, and the
 * handles to open a device and move data to and from it.
 *
 * What it is not: a graph, a scheduler, an automatic differentiator. The caller (src/model) runs
 * the operations of a forward pass one after another; a backend (cpu, simd, onednn, cuda) is a table
 * of functions, struct ge_device_ops in device_ops.h. The functions here check shapes, types and
 * devices once and then dispatch, so a backend may trust its arguments.
 *
 * Order and blocking: operations of one device take effect in the order of the calls. Only
 * ge_download(), ge_synchronize() and the ones that free memory wait for the device; everything
 * else may return before its work is done, and a failure of the device (GE_EDEVICE) may be
 * reported by a later call.
 *
 * Digits: for one device configuration (its numerics id) a row of a result depends only on that
 * row's inputs, never on the number of rows, the row's place or the number of threads.
 *
 * Threads: a device and everything on it is used by one thread at a time. All calls are local. */
#ifndef GE_DEVICE_DEVICE_H
#define GE_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

struct ge_device; /* an open device */
struct ge_buffer; /* memory on a device; not a host address */
struct ge_weight; /* a linear layer's matrix and bias, packed for products on one device */

enum ge_dtype { GE_F32, GE_BF16, GE_F16, GE_I32, GE_U8 };
const char *ge_dtype_name(enum ge_dtype t); /* "fp32", "bf16", "fp16", "int32", "uint8" */
bool ge_dtype_parse(const char *name, enum ge_dtype *t); /* of these; false: none of them */
size_t ge_dtype_size(enum ge_dtype t);                   /* bytes of one element */

enum ge_activation {
    GE_ACT_NONE,
    GE_ACT_GELU,       /* x/2 (1 + erf(x / sqrt 2)) */
    GE_ACT_GELU_TANH,  /* tanh approximation, sqrt(2/pi), 0.044715 */
    GE_ACT_QUICK_GELU, /* x sigmoid(1.702 x) */
    GE_ACT_TANH,
    GE_ACT_SILU, /* x sigmoid(x) */
    GE_ACT_RELU
};
const char *ge_activation_name(enum ge_activation a); /* Hugging Face's hidden_act name */

/* ---- devices ------------------------------------------------------------------------------ */

struct ge_device_options {
    int threads;       /* CPU threads of this device, 0: all CPUs that the process may use */
    const char *level; /* "native" (NULL is the same), or a pinned one: "base", "avx2", "avx512" */
    int index;         /* number of the caller among those of its node (node-local rank): a backend
                            with several devices shares them out by it; cpu: no meaning */
    enum ge_dtype dtype; /* what will be computed in; a device without it is not opened */
    bool tf32;           /* cuda: products of GE_F32 may round their operands to TF32 */
    const char *tuned; /* cuda: text of a table of product algorithms (ge_device_tune()); NULL: the
                            library's choice */
};

/* Make the backends that were built in (cpu, simd; onednn when its library was found) known. May be
 * called again. */
ge_status ge_device_register_builtin(void);

/* Look for the module `name` ("cuda") as <dir>/gapeval_<name>.so, where dir is
 * $GAPEVAL_MODULE_DIR, the folder of the running program, or ../lib/gapeval beside that folder,
 * and register the backend it offers. A module that is not there is not an error: *found = false.
 * GE_EUNSUPPORTED: it was built for another version of the seam. */
ge_status ge_device_load(const char *name, bool *found);

/* Names of the registered backends, best first; NULL after the last. */
const char *ge_device_name_at(size_t i);

/* Open a device by name; "auto" (NULL is the same) takes the first that opens, in the order of
 * ge_device_name_at(). Each open device has threads and scratch memory of its own. GE_EINVAL: no
 * such device, or a level it does not have. GE_EUNSUPPORTED: the hardware or its driver lacks what
 * is asked for (a level, a type); the message says what it has. GE_EDEVICE, GE_ENOMEM. */
ge_status ge_device_open(const char *name, const struct ge_device_options *opt,
                         struct ge_device **dev);
void ge_device_close(
    struct ge_device **dev); /* all buffers and weights are freed before; NULL ok */

const char *ge_device_name(const struct ge_device *dev); /* "cpu", "simd", "onednn", "cuda" */
int ge_device_threads(const struct ge_device *dev);
bool ge_device_supports(const struct ge_device *dev, enum ge_dtype dtype);

/* What fixes the digits, as text: backend, dtype, instruction-set level, library versions. Equal
 * ids promise equal bits; the thread count is not in it. Valid as long as the device. */
const char *ge_device_numerics(const struct ge_device *dev);

/* For people and provenance: one line, e.g. "oneDNN 2.6.3, AVX2, 2 threads". */
const char *ge_device_describe(const struct ge_device *dev);

/* PCI bus id of the device ("0000:3b:00.0"), for binding threads near it; "" when it has none. */
const char *ge_device_pci(const struct ge_device *dev);

/* The device failed for good: every further call on it fails with GE_EDEVICE, and only another
 * process may find it well again. */
bool ge_device_lost(const struct ge_device *dev);

/* Bytes of the device's own memory; false when it computes in host memory. `free` is what all
 * processes that share the device may still take together. */
bool ge_device_memory(struct ge_device *dev, size_t *free, size_t *total);

/* Seconds of one product (m, k) x (k, n) of a well-known library at its best for that shape, on
 * `threads` CPU threads, the median of `repeats` runs after a warm-up: what `gapeval bench`
 * compares with. GE_EUNSUPPORTED when the backend offers none. */
struct ge_gemm_bench {
    size_t m, n, k;
    enum ge_dtype dtype;
    int threads, repeats; /* >= 1 */
};
ge_status ge_device_bench_gemm(struct ge_device *dev, const struct ge_gemm_bench *b,
                               double *seconds);

/* What the operations that were called since ge_device_count() amount to; two operations per
 * multiply-add. Products are kept per weight's shape, attention as if every query saw the longest
 * row of keys, which is exact for images; the rest is left out, being bound by memory. */
enum { GE_WORK_SHAPES = 32 };
struct ge_work {
    struct ge_work_shape {
        size_t n, k;        /* of the weight */
        size_t times, rows; /* products with it, and their rows in all */
    } shapes[GE_WORK_SHAPES];
    size_t n_shapes; /* products of further shapes are in product_flop alone */
    double product_flop, attention_flop;
};

/* Clear *work, and count in it from now on; NULL: no more. Borrowed until then. */
void ge_device_count(struct ge_device *dev, struct ge_work *work);

/* Time the product algorithms that a backend has for each shape, and append to `json` a table of
 * the fastest ones, for ge_device_options.tuned on the same model of device with the same library.
 * Shapes are those of linear layers: y (m, n) = act(x (m, k) W^T + bias) + residual.
 * GE_EUNSUPPORTED when the backend has nothing to choose. */
struct ge_tune_shape {
    size_t m, n, k;
    enum ge_dtype dtype;
    enum ge_activation act;
    bool bias, residual;
};
ge_status ge_device_tune(struct ge_device *dev, const struct ge_tune_shape *shapes, size_t n,
                         struct ge_buf *json);

/* Name what happens until the pop, for a profiler that watches the device; ranges nest. Nothing
 * happens on backends without one. */
void ge_device_range_push(struct ge_device *dev, const char *name);
void ge_device_range_pop(struct ge_device *dev);

/* ---- memory ------------------------------------------------------------------------------- */

/* Memory for `bytes` bytes (0 is fine), content undefined. GE_ENOMEM. Free waits for the device. */
ge_status ge_buffer_new(struct ge_device *dev, size_t bytes, struct ge_buffer **buf);
void ge_buffer_delete(struct ge_buffer **buf); /* NULL is fine */
size_t ge_buffer_bytes(const struct ge_buffer *buf);

/* A matrix of `rows` x `cols` elements in a buffer, row r at element offset + r * stride. A plain
 * value; it borrows its buffer. A vector is a matrix of one row. */
struct ge_tensor {
    struct ge_buffer *buf; /* NULL: no tensor, where one is optional */
    size_t offset;         /* elements from the buffer's start */
    size_t rows, cols, stride;
    enum ge_dtype dtype;
};

/* A dense matrix at an element offset of a buffer. */
struct ge_tensor ge_tensor_at(struct ge_buffer *buf, size_t offset, size_t rows, size_t cols,
                              enum ge_dtype dtype);
/* A buffer of its own for a dense matrix; delete t->buf. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_tensor_new(struct ge_device *dev, size_t rows, size_t cols, enum ge_dtype dtype,
                        struct ge_tensor *t);
struct ge_tensor ge_tensor_rows(struct ge_tensor t, size_t from, size_t n); /* n rows of t */
struct ge_tensor ge_tensor_cols(struct ge_tensor t, size_t from, size_t n); /* n columns of t */

/* Copy a dense tensor's elements from or to host memory. `src` may be changed when ge_upload
 * returns. ge_download waits for the device. */
ge_status ge_upload(struct ge_tensor dst, const void *src);
ge_status ge_download(struct ge_tensor src, void *dst);
ge_status ge_synchronize(struct ge_device *dev);

/* A linear layer: w (n, k), row-major on the host as `nn.Linear` stores it, and bias (n) or NULL,
 * packed for products with rows of k elements; `dtype` is the type it is multiplied in. Both may
 * be freed on return. */
ge_status ge_weight_new(struct ge_device *dev, const float *w, const float *bias, size_t n,
                        size_t k, enum ge_dtype dtype, struct ge_weight **out);
void ge_weight_delete(struct ge_weight **w); /* NULL is fine */

/* Host memory that the device reads without a copy in between (page-locked for a GPU), content
 * undefined. Taking it is slow: keep it and use it again. These two may be called from any thread
 * while the device is open. GE_ENOMEM. */
ge_status ge_host_new(struct ge_device *dev, size_t bytes, void **p);
void ge_host_delete(struct ge_device *dev, void **p); /* no copy may be running; NULL is fine */

/* A stage: device memory that is filled from the host while the device computes. With two of them,
 * the next batch travels while this one is computed:
 *
 *   send(next) ─ acquire(this) ─ operations on this ─ release(this) ─ send(this again) …
 *
 * On a CPU a stage is plain memory, and sending copies at once. */
struct ge_stage;
ge_status ge_stage_new(struct ge_device *dev, size_t bytes, struct ge_stage **stage);
void ge_stage_delete(struct ge_stage **stage); /* waits; NULL is fine */
size_t ge_stage_bytes(const struct ge_stage *stage);

/* Copy host bytes to byte `offset` of the stage, after the operations that were called before its
 * last release. `src` must stay as it is until ge_stage_wait() or a call that waits for the device;
 * memory of ge_host_new() is read without holding up the caller. */
ge_status ge_stage_send(struct ge_stage *stage, size_t offset, const void *src, size_t bytes);

/* What was sent, from byte 0, as a dense matrix for the operations that follow. */
ge_status ge_stage_acquire(struct ge_stage *stage, size_t rows, size_t cols, enum ge_dtype dtype,
                           struct ge_tensor *out);

/* The operations called so far are the last ones on the acquired matrix. */
ge_status ge_stage_release(struct ge_stage *stage);

/* Wait until everything sent has been read from host memory. */
ge_status ge_stage_wait(struct ge_stage *stage);

/* A fetch: the way back. Begin copies a dense matrix to the fetch's own host memory once the
 * operations called so far are done, and does not hold up the caller; wait waits for that copy
 * alone, not for what was called after it, and gives the bytes, which stay until the next begin. */
struct ge_fetch;
ge_status ge_fetch_new(struct ge_device *dev, size_t bytes, struct ge_fetch **fetch);
void ge_fetch_delete(struct ge_fetch **fetch); /* waits; NULL is fine */
ge_status ge_fetch_begin(struct ge_fetch *fetch, struct ge_tensor src);
ge_status ge_fetch_wait(struct ge_fetch *fetch, const void **data);

/* ---- operations ---------------------------------------------------------------------------
 * Results may not overlap operands unless it says so. Zero rows are fine everywhere. Index tensors
 * are GE_I32 with one row; the caller has checked that the indices are in range. GE_EINVAL: shapes
 * or types that do not fit together (a bug of the caller or a wrong model file). */

/* Pixels (n, channels*height*width) to patch rows (n*gy*gx, channels*patch*patch), patches
 * row-major, elements ordered (c, y, x); gy = height / patch, gx = width / patch, the rest of the
 * image is not used. */
ge_status ge_patches(struct ge_device *dev, struct ge_tensor pixels, size_t channels, size_t height,
                     size_t width, size_t patch, struct ge_tensor out);

/* The same from 8-bit pictures, pixels (n, height*width*3) in GE_U8, rows of R, G, B: element
 * (c, y, x) is table[c][grey level], `table` (3, 256) in GE_F32, converted to out's type. The table
 * holds what rescaling and normalising make of every grey level. */
ge_status ge_pixel_patches(struct ge_device *dev, struct ge_tensor pixels, struct ge_tensor table,
                           size_t height, size_t width, size_t patch, struct ge_tensor out);

/* Token rows of n images: out (n*(r+p), d) = for each image the r rows of `prefix` (r, d), then its
 * p rows of `patches` (n*p, d) plus `positions` (p, d). r may be 0. */
ge_status ge_patch_tokens(struct ge_device *dev, struct ge_tensor patches, struct ge_tensor prefix,
                          struct ge_tensor positions, struct ge_tensor out);

/* out[t] = (table[ids[t]] + shared) + positions[pos[t]]; `shared` is one row (BERT's token type)
 * or absent. */
ge_status ge_embed(struct ge_device *dev, struct ge_tensor ids, struct ge_tensor pos,
                   struct ge_tensor table, struct ge_tensor shared, struct ge_tensor positions,
                   struct ge_tensor out);

/* y = act(x W^T + bias) + residual; x (m, k), W (n, k), y (m, n). residual (m, n) is optional and
 * may be y. */
ge_status ge_matmul(struct ge_device *dev, struct ge_tensor x, const struct ge_weight *w,
                    enum ge_activation act, struct ge_tensor residual, struct ge_tensor y);

/* y = (x - mean) / sqrt(var + eps) * gain + bias by rows, biased variance. y may be x. */
ge_status ge_layernorm(struct ge_device *dev, struct ge_tensor x, struct ge_tensor gain,
                       struct ge_tensor bias, float eps, struct ge_tensor y);

/* Attention over packed sequences of unequal length: sequence s owns the rows
 * [q_ends[s-1], q_ends[s]) of q and out (0 before the first) and likewise rows of k and v.
 * q, out (tq, heads*head_dim); k, v (tk, heads*head_dim), usually columns of one matrix.
 * out = softmax(scale q k^T + bias) v within a sequence and head. */
struct ge_attention {
    struct ge_tensor q, k, v, out;
    struct ge_tensor q_ends, kv_ends; /* GE_I32, one per sequence; may be the same tensor */
    size_t max_q, max_kv;             /* the longest sequence */
    size_t heads, head_dim;
    float scale;
    bool causal;           /* key j is seen by query i if j <= i, both counted in the sequence */
    struct ge_tensor bias; /* optional (heads, 2*max_kv-1): column (j - i) + max_kv - 1 is added */
};
ge_status ge_attend(struct ge_device *dev, const struct ge_attention *a);

ge_status ge_activate(struct ge_device *dev, enum ge_activation act, struct ge_tensor x,
                      struct ge_tensor y); /* y = act(x); y may be x */

/* y = a + b, y = a * b by elements; b has a's rows or one row that serves all. y may be a. */
ge_status ge_add_to(struct ge_device *dev, struct ge_tensor a, struct ge_tensor b,
                    struct ge_tensor y);
ge_status ge_mul_by(struct ge_device *dev, struct ge_tensor a, struct ge_tensor b,
                    struct ge_tensor y);

/* out[i] = x[rows[i]] */
ge_status ge_gather(struct ge_device *dev, struct ge_tensor x, struct ge_tensor rows,
                    struct ge_tensor out);

/* One row per packed sequence from its rows skip[s]…; h_t is its row t counted from 0.
 * A sequence without rows left gives zeros. `skip` (GE_I32) is optional. */
enum ge_pooling {
    GE_POOL_MEAN,          /* sum h_t / count */
    GE_POOL_MEAN_SQRT_LEN, /* sum h_t / sqrt(count) */
    GE_POOL_WEIGHTED_MEAN, /* sum (t+1) h_t / sum (t+1) */
    GE_POOL_MAX
};
ge_status ge_pool_rows(struct ge_device *dev, enum ge_pooling mode, struct ge_tensor x,
                       struct ge_tensor ends, struct ge_tensor skip, struct ge_tensor out);

/* y = x / max(|x|, eps) by rows, Euclidean norm; eps = 0: no floor (a zero row gives NaN).
 * y may be x. */
ge_status ge_l2_normalize(struct ge_device *dev, struct ge_tensor x, float eps, struct ge_tensor y);

/* y = x, converted between GE_F32, GE_BF16 and GE_F16 where the types differ (round to even). */
ge_status ge_copy(struct ge_device *dev, struct ge_tensor x, struct ge_tensor y);

#endif
