/* The operations other than products: tensors become views on device addresses, and a kernel is
 * started. What a kernel cannot take as it is (attention on unaligned rows) is copied first. */
#include "base/mem.h"
#include "cuda_device.h"

struct ge_cuda_matrix ge_cuda_matrix_at(void *data, size_t rows, size_t cols, size_t stride,
                                        enum ge_dtype dtype)
{
    return (struct ge_cuda_matrix){data, rows, cols, stride, dtype};
}

struct ge_cuda_matrix ge_cuda_view(const struct ge_tensor *t)
{
    if (t == NULL || t->buf == NULL) return (struct ge_cuda_matrix){0};
    char *data = ((struct ge_cuda_buffer *)t->buf)->data;
    return ge_cuda_matrix_at(data + t->offset * ge_dtype_size(t->dtype), t->rows, t->cols,
                             t->stride, t->dtype);
}

static const int32_t *ints(const struct ge_tensor *t)
{
    return t != NULL ? ge_cuda_view(t).data : NULL;
}

bool ge_cuda_aligned(const struct ge_cuda_matrix *m)
{
    return (uintptr_t)m->data % 16 == 0 && m->stride * ge_dtype_size(m->dtype) % 16 == 0;
}

size_t ge_cuda_padded(size_t cols)
{
    return (cols + GE_CUDA_ALIGN - 1) / GE_CUDA_ALIGN * GE_CUDA_ALIGN;
}

/* Begin an operation with result `out`: false if there is nothing to do or *rc is an error. */
static bool begin(struct ge_device *head, const struct ge_tensor *out, ge_status *rc)
{
    int cols;

    *rc = ge_cuda_enter((struct ge_cuda_device *)head);
    if (*rc == GE_OK) *rc = ge_to_int(out->cols, &cols);
    return *rc == GE_OK && out->cols > 0;
}

static ge_status end(struct ge_device *head, cudaError_t e, const char *what)
{
    return ge_cuda_check((struct ge_cuda_device *)head, e, what);
}

static cudaStream_t stream(const struct ge_device *head)
{
    return ((const struct ge_cuda_device *)head)->compute;
}

ge_status ge_cuda_patches(struct ge_device *dev, const struct ge_tensor *pixels, size_t channels,
                          size_t height, size_t width, size_t patch, const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev,
               ge_launch_patches(stream(dev), ge_cuda_view(pixels), channels, height, width, patch,
                                 ge_cuda_view(out)),
               "patches");
}

ge_status ge_cuda_pixel_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                                const struct ge_tensor *table, size_t height, size_t width,
                                size_t patch, const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev,
               ge_launch_pixel_patches(stream(dev), ge_cuda_view(pixels), ge_cuda_view(table),
                                       height, width, patch, ge_cuda_view(out)),
               "pixel_patches");
}

ge_status ge_cuda_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                               const struct ge_tensor *prefix, const struct ge_tensor *positions,
                               const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev,
               ge_launch_patch_tokens(stream(dev), ge_cuda_view(patches), ge_cuda_view(prefix),
                                      ge_cuda_view(positions), ge_cuda_view(out)),
               "patch_tokens");
}

ge_status ge_cuda_embed(struct ge_device *dev, const struct ge_tensor *ids,
                        const struct ge_tensor *pos, const struct ge_tensor *table,
                        const struct ge_tensor *shared, const struct ge_tensor *positions,
                        const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev,
               ge_launch_embed(stream(dev), ints(ids), ints(pos), ge_cuda_view(table),
                               ge_cuda_view(shared), ge_cuda_view(positions), ge_cuda_view(out)),
               "embed");
}

ge_status ge_cuda_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                            const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                            const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(dev,
               ge_launch_layernorm(stream(dev), ge_cuda_view(x), ge_cuda_view(gain).data,
                                   ge_cuda_view(bias).data, eps, ge_cuda_view(y)),
               "layernorm");
}

ge_status ge_cuda_activate(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                           const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(
        dev,
        ge_launch_activate(stream(dev), act, ge_cuda_view(x), ge_cuda_view(NULL), ge_cuda_view(y)),
        "activation");
}

ge_status ge_cuda_add(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                      const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(dev, ge_launch_add(stream(dev), ge_cuda_view(a), ge_cuda_view(b), ge_cuda_view(y)),
               "add");
}

ge_status ge_cuda_mul(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                      const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(dev, ge_launch_mul(stream(dev), ge_cuda_view(a), ge_cuda_view(b), ge_cuda_view(y)),
               "mul");
}

ge_status ge_cuda_gather(struct ge_device *dev, const struct ge_tensor *x,
                         const struct ge_tensor *rows, const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev, ge_launch_gather(stream(dev), ge_cuda_view(x), ints(rows), ge_cuda_view(out)),
               "gather");
}

ge_status ge_cuda_pool(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                       const struct ge_tensor *ends, const struct ge_tensor *skip,
                       const struct ge_tensor *out)
{
    ge_status rc;

    if (!begin(dev, out, &rc)) return rc;
    return end(dev,
               ge_launch_pool(stream(dev), mode, ge_cuda_view(x), ints(ends), ints(skip),
                              ge_cuda_view(out)),
               "pool");
}

ge_status ge_cuda_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                               const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(dev, ge_launch_l2_normalize(stream(dev), ge_cuda_view(x), eps, ge_cuda_view(y)),
               "l2_normalize");
}

ge_status ge_cuda_copy(struct ge_device *dev, const struct ge_tensor *x, const struct ge_tensor *y)
{
    ge_status rc;

    if (!begin(dev, y, &rc)) return rc;
    return end(dev, ge_launch_copy(stream(dev), ge_cuda_view(x), ge_cuda_view(y)), "copy");
}

/* ---- attention ---------------------------------------------------------------------------- */

/* The tensor-core kernel takes every half-precision shape that models have. Which kernel runs
 * depends on type and head_dim alone, never on addresses: digits must not. */
static bool on_tensor_cores(const struct ge_attention *a)
{
    return a->out.dtype != GE_F32 && a->head_dim % 8 == 0 && a->head_dim <= 128;
}

/* Copies of the operands with aligned rows, one after the other in scratch memory. */
static ge_status align_operands(struct ge_cuda_device *dev, struct ge_cuda_attention *a)
{
    struct ge_cuda_matrix *m[] = {&a->q, &a->k, &a->v, &a->out};
    size_t bytes[4], total = 0;
    ge_status rc = GE_OK;
    void *scratch;

    for (int i = 0; i < 4; i++) {
        GE_TRY(
            ge_mul(m[i]->rows, ge_cuda_padded(m[i]->cols) * ge_dtype_size(m[i]->dtype), &bytes[i]));
        GE_TRY(ge_add(total, bytes[i], &total));
    }
    GE_TRY(ge_cuda_scratch(dev, total, &scratch));
    for (int i = 0; i < 4; i++) {
        struct ge_cuda_matrix copy = ge_cuda_matrix_at(scratch, m[i]->rows, m[i]->cols,
                                                       ge_cuda_padded(m[i]->cols), m[i]->dtype);
        if (m[i]->rows > 0) /* the result, too: rows of no sequence keep what they have */
            GE_CUDA(dev, ge_launch_copy(dev->compute, *m[i], copy), "attention");
        *m[i] = copy;
        scratch = (char *)scratch + bytes[i];
    }
done:
    return rc;
}

ge_status ge_cuda_attend(struct ge_device *head, const struct ge_attention *a)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct ge_cuda_attention c = {.q = ge_cuda_view(&a->q),
                                  .k = ge_cuda_view(&a->k),
                                  .v = ge_cuda_view(&a->v),
                                  .out = ge_cuda_view(&a->out),
                                  .q_ends = ints(&a->q_ends),
                                  .kv_ends = ints(&a->kv_ends),
                                  .sequences = a->q_ends.cols,
                                  .max_q = a->max_q,
                                  .max_kv = a->max_kv,
                                  .heads = a->heads,
                                  .head_dim = a->head_dim,
                                  .scale = a->scale,
                                  .causal = a->causal,
                                  .bias = ge_cuda_view(&a->bias).data,
                                  .bias_stride = a->bias.stride};
    bool aligned = ge_cuda_aligned(&c.q) && ge_cuda_aligned(&c.k) && ge_cuda_aligned(&c.v) &&
                   ge_cuda_aligned(&c.out);
    ge_status rc;

    if (!begin(head, &a->out, &rc) || a->max_q == 0) return rc;
    if (!on_tensor_cores(a))
        return end(head, ge_launch_attend_plain(dev->compute, &c), "attention");
    if (!aligned) GE_TRY(align_operands(dev, &c));
    GE_CUDA(dev, ge_launch_attend_tensor(dev->compute, &c), "attention");
    if (!aligned)
        GE_CUDA(dev, ge_launch_copy(dev->compute, c.out, ge_cuda_view(&a->out)), "attention");
done:
    return rc;
}
