/* Buffers, tensors and weights: the part of the seam that is the same for every backend. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/device_ops.h"

const char *ge_dtype_name(enum ge_dtype t)
{
    switch (t) {
    case GE_F32:
        return "fp32";
    case GE_BF16:
        return "bf16";
    case GE_F16:
        return "fp16";
    case GE_I32:
        return "int32";
    case GE_U8:
        return "uint8";
    }
    return "?";
}

bool ge_dtype_parse(const char *name, enum ge_dtype *t)
{
    static const enum ge_dtype known[] = {GE_F32, GE_BF16, GE_F16, GE_I32, GE_U8};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, ge_dtype_name(known[i])) != 0) continue;
        *t = known[i];
        return true;
    }
    return false;
}

size_t ge_dtype_size(enum ge_dtype t)
{
    if (t == GE_U8) return 1;
    return t == GE_BF16 || t == GE_F16 ? 2 : 4;
}

const char *ge_activation_name(enum ge_activation a)
{
    switch (a) {
    case GE_ACT_NONE:
        return "none";
    case GE_ACT_GELU:
        return "gelu";
    case GE_ACT_GELU_TANH:
        return "gelu_pytorch_tanh";
    case GE_ACT_QUICK_GELU:
        return "quick_gelu";
    case GE_ACT_TANH:
        return "tanh";
    case GE_ACT_SILU:
        return "silu";
    case GE_ACT_RELU:
        return "relu";
    }
    return "?";
}

ge_status ge_buffer_new(struct ge_device *dev, size_t bytes, struct ge_buffer **buf)
{
    *buf = NULL;
    return dev->ops->alloc(dev, bytes, buf);
}

void ge_buffer_delete(struct ge_buffer **buf)
{
    if (*buf != NULL) (*buf)->dev->ops->free(*buf);
    *buf = NULL;
}

size_t ge_buffer_bytes(const struct ge_buffer *buf)
{
    return buf->bytes;
}

struct ge_tensor ge_tensor_at(struct ge_buffer *buf, size_t offset, size_t rows, size_t cols,
                              enum ge_dtype dtype)
{
    return (struct ge_tensor){buf, offset, rows, cols, cols, dtype};
}

ge_status ge_tensor_new(struct ge_device *dev, size_t rows, size_t cols, enum ge_dtype dtype,
                        struct ge_tensor *t)
{
    ge_status rc = GE_OK;
    size_t bytes;

    *t = ge_tensor_at(NULL, 0, rows, cols, dtype);
    GE_TRY(ge_mul(rows, cols, &bytes));
    GE_TRY(ge_mul(bytes, ge_dtype_size(dtype), &bytes));
    GE_TRY(ge_buffer_new(dev, bytes, &t->buf));
done:
    return rc;
}

struct ge_tensor ge_tensor_rows(struct ge_tensor t, size_t from, size_t n)
{
    t.offset += from * t.stride;
    t.rows = n;
    return t;
}

struct ge_tensor ge_tensor_cols(struct ge_tensor t, size_t from, size_t n)
{
    t.offset += from;
    t.cols = n;
    return t;
}

/* Byte range of a dense tensor within its buffer. */
static ge_status dense_range(const struct ge_tensor *t, size_t *offset, size_t *bytes)
{
    size_t size = ge_dtype_size(t->dtype), total;

    if (t->buf == NULL || t->stride != t->cols)
        return ge_fail(GE_EINVAL, "copy between host and device: the tensor is not dense");
    if (ge_mul(t->rows, t->cols, &total) != GE_OK || total > t->buf->bytes / size ||
        t->offset > t->buf->bytes / size - total)
        return ge_fail(GE_EINVAL,
                       "copy between host and device: %zux%zu from %zu is outside the "
                       "buffer's %zu bytes",
                       t->rows, t->cols, t->offset, t->buf->bytes);
    *offset = t->offset * size;
    *bytes = total * size;
    return GE_OK;
}

ge_status ge_upload(struct ge_tensor dst, const void *src)
{
    size_t offset = 0, bytes = 0;
    ge_status rc = dense_range(&dst, &offset, &bytes);

    if (rc != GE_OK || bytes == 0) return rc;
    return dst.buf->dev->ops->upload(dst.buf, offset, src, bytes);
}

ge_status ge_download(struct ge_tensor src, void *dst)
{
    size_t offset = 0, bytes = 0;
    ge_status rc = dense_range(&src, &offset, &bytes);

    if (rc != GE_OK) return rc;
    return src.buf->dev->ops->download(src.buf, offset, dst, bytes);
}

ge_status ge_synchronize(struct ge_device *dev)
{
    return dev->ops->synchronize(dev);
}

ge_status ge_weight_new(struct ge_device *dev, const float *w, const float *bias, size_t n,
                        size_t k, enum ge_dtype dtype, struct ge_weight **out)
{
    *out = NULL;
    if (n == 0 || k == 0)
        return ge_fail(GE_EINVAL, "weight of %zux%zu: both sizes must be at least 1", n, k);
    if (!ge_device_supports(dev, dtype))
        return ge_fail(GE_EUNSUPPORTED, "device %s does not compute in %s", ge_device_name(dev),
                       ge_dtype_name(dtype));
    return dev->ops->prepare_weight(dev, w, bias, n, k, dtype, out);
}

void ge_weight_delete(struct ge_weight **w)
{
    if (*w != NULL) (*w)->dev->ops->free_weight(*w);
    *w = NULL;
}

/* ---- host memory and stages --------------------------------------------------------------- */

ge_status ge_host_new(struct ge_device *dev, size_t bytes, void **p)
{
    *p = NULL;
    if (dev->ops->host_new != NULL) return dev->ops->host_new(dev, bytes, p);
    *p = ge_calloc_aligned(bytes, 1);
    return *p != NULL ? GE_OK : GE_ENOMEM;
}

void ge_host_delete(struct ge_device *dev, void **p)
{
    if (*p != NULL && dev->ops->host_delete != NULL)
        dev->ops->host_delete(dev, *p);
    else
        free(*p);
    *p = NULL;
}

ge_status ge_stage_new(struct ge_device *dev, size_t bytes, struct ge_stage **stage)
{
    struct ge_stage *s = NULL;
    ge_status rc = GE_OK;

    *stage = NULL;
    if (dev->ops->stage_new != NULL) return dev->ops->stage_new(dev, bytes, stage);
    GE_NEW(s, 1);
    s->dev = dev;
    GE_TRY(ge_buffer_new(dev, bytes, &s->buf));
    *stage = s;
    s = NULL;
done:
    free(s);
    return rc;
}

void ge_stage_delete(struct ge_stage **stage)
{
    struct ge_stage *s = *stage;

    *stage = NULL;
    if (s == NULL) return;
    if (s->dev->ops->stage_delete != NULL) {
        s->dev->ops->stage_delete(s);
        return;
    }
    ge_buffer_delete(&s->buf);
    free(s);
}

size_t ge_stage_bytes(const struct ge_stage *stage)
{
    return ge_buffer_bytes(stage->buf);
}

ge_status ge_stage_send(struct ge_stage *stage, size_t offset, const void *src, size_t bytes)
{
    const struct ge_device_ops *ops = stage->dev->ops;
    size_t room = ge_buffer_bytes(stage->buf);

    if (offset > room || bytes > room - offset)
        return ge_fail(GE_EINVAL, "stage of %zu bytes: cannot hold %zu bytes from byte %zu", room,
                       bytes, offset);
    if (bytes == 0) return GE_OK;
    if (ops->stage_send != NULL) return ops->stage_send(stage, offset, src, bytes);
    return ops->upload(stage->buf, offset, src, bytes);
}

ge_status ge_stage_acquire(struct ge_stage *stage, size_t rows, size_t cols, enum ge_dtype dtype,
                           struct ge_tensor *out)
{
    const struct ge_device_ops *ops = stage->dev->ops;

    *out = ge_tensor_at(stage->buf, 0, rows, cols, dtype);
    return ops->stage_acquire != NULL ? ops->stage_acquire(stage) : GE_OK;
}

ge_status ge_stage_release(struct ge_stage *stage)
{
    const struct ge_device_ops *ops = stage->dev->ops;

    return ops->stage_release != NULL ? ops->stage_release(stage) : GE_OK;
}

ge_status ge_stage_wait(struct ge_stage *stage)
{
    const struct ge_device_ops *ops = stage->dev->ops;

    return ops->stage_wait != NULL ? ops->stage_wait(stage) : GE_OK;
}

ge_status ge_fetch_new(struct ge_device *dev, size_t bytes, struct ge_fetch **fetch)
{
    struct ge_fetch *f = NULL;
    ge_status rc = GE_OK;

    *fetch = NULL;
    if (dev->ops->fetch_new != NULL) return dev->ops->fetch_new(dev, bytes, fetch);
    GE_NEW(f, 1);
    *f = (struct ge_fetch){.dev = dev, .bytes = bytes};
    GE_TRY(ge_host_new(dev, bytes, &f->host));
    *fetch = f;
    f = NULL;
done:
    free(f);
    return rc;
}

void ge_fetch_delete(struct ge_fetch **fetch)
{
    struct ge_fetch *f = *fetch;

    *fetch = NULL;
    if (f == NULL) return;
    if (f->dev->ops->fetch_delete != NULL) {
        f->dev->ops->fetch_delete(f);
        return;
    }
    ge_host_delete(f->dev, &f->host);
    free(f);
}

ge_status ge_fetch_begin(struct ge_fetch *fetch, struct ge_tensor src)
{
    const struct ge_device_ops *ops = fetch->dev->ops;
    size_t offset = 0, bytes = 0;
    ge_status rc = dense_range(&src, &offset, &bytes);

    if (rc != GE_OK) return rc;
    if (bytes > fetch->bytes)
        return ge_fail(GE_EINVAL, "fetch of %zu bytes: cannot hold %zu", fetch->bytes, bytes);
    if (ops->fetch_begin != NULL) return ops->fetch_begin(fetch, src.buf, offset, bytes);
    return ops->download(src.buf, offset, fetch->host, bytes);
}

ge_status ge_fetch_wait(struct ge_fetch *fetch, const void **data)
{
    const struct ge_device_ops *ops = fetch->dev->ops;

    *data = fetch->host;
    return ops->fetch_wait != NULL ? ops->fetch_wait(fetch) : GE_OK;
}
