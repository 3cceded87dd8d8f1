/* The operations as models call them: check once, then dispatch. */
#include "base/mem.h"
#include "device/device_ops.h"

/* True if `t` is a matrix of this device that lies inside its buffer. */
static bool fits(const struct ge_device *dev, const struct ge_tensor *t)
{
    size_t last, capacity;

    if (t->buf == NULL || t->buf->dev != dev) return false;
    if (t->stride < t->cols && t->rows > 1) return false;
    if (t->rows == 0 || t->cols == 0) return true;
    capacity = t->buf->bytes / ge_dtype_size(t->dtype);
    if (ge_mul(t->rows - 1, t->stride, &last) != GE_OK) return false;
    if (ge_add(last, t->cols, &last) != GE_OK) return false;
    return last <= capacity && t->offset <= capacity - last;
}

/* `t` is a valid matrix (rows, cols) of floating-point type `dtype`. */
static ge_status want(const struct ge_device *dev, const char *op, const char *what,
                      const struct ge_tensor *t, size_t rows, size_t cols, enum ge_dtype dtype)
{
    if (!fits(dev, t))
        return ge_fail(GE_EINVAL, "%s: %s is not inside a buffer of this device", op, what);
    if (t->dtype != dtype)
        return ge_fail(GE_EINVAL, "%s: %s is %s, wanted %s", op, what, ge_dtype_name(t->dtype),
                       ge_dtype_name(dtype));
    if (t->rows != rows || t->cols != cols)
        return ge_fail(GE_EINVAL, "%s: %s is %zux%zu, wanted %zux%zu", op, what, t->rows, t->cols,
                       rows, cols);
    return GE_OK;
}

/* The type of a result decides the type that its operands must have. */
static ge_status want_float(const struct ge_device *dev, const char *op, const struct ge_tensor *t)
{
    if (t->dtype == GE_I32 || t->dtype == GE_U8 || !ge_device_supports(dev, t->dtype))
        return ge_fail(GE_EUNSUPPORTED, "%s: device %s does not compute in %s", op,
                       ge_device_name(dev), ge_dtype_name(t->dtype));
    return GE_OK;
}

/* Rows and columns of the patches of n images. */
static ge_status patch_shape(const char *op, size_t n, size_t channels, size_t height, size_t width,
                             size_t patch, size_t *rows, size_t *cols)
{
    ge_status rc = GE_OK;

    if (patch == 0 || patch > height || patch > width)
        return ge_fail(GE_EINVAL, "%s: patch %zu of a %zux%zu image", op, patch, height, width);
    GE_TRY(ge_mul(height / patch, width / patch, rows));
    GE_TRY(ge_mul(n, *rows, rows));
    GE_TRY(ge_mul(channels, patch, cols));
    GE_TRY(ge_mul(*cols, patch, cols));
done:
    return rc;
}

ge_status ge_patches(struct ge_device *dev, struct ge_tensor pixels, size_t channels, size_t height,
                     size_t width, size_t patch, struct ge_tensor out)
{
    ge_status rc = GE_OK;
    size_t each, rows, cols;

    GE_TRY(patch_shape("patches", pixels.rows, channels, height, width, patch, &rows, &cols));
    GE_TRY(ge_mul(height, width, &each));
    GE_TRY(ge_mul(each, channels, &each));
    GE_TRY(want_float(dev, "patches", &out));
    GE_TRY(want(dev, "patches", "pixels", &pixels, pixels.rows, each, out.dtype));
    GE_TRY(want(dev, "patches", "result", &out, rows, cols, out.dtype));
    if (rows > 0) GE_TRY(dev->ops->patches(dev, &pixels, channels, height, width, patch, &out));
done:
    return rc;
}

ge_status ge_pixel_patches(struct ge_device *dev, struct ge_tensor pixels, struct ge_tensor table,
                           size_t height, size_t width, size_t patch, struct ge_tensor out)
{
    ge_status rc = GE_OK;
    size_t each, rows, cols;

    GE_TRY(patch_shape("pixel_patches", pixels.rows, 3, height, width, patch, &rows, &cols));
    GE_TRY(ge_mul(height, width, &each));
    GE_TRY(ge_mul(each, 3, &each));
    GE_TRY(want_float(dev, "pixel_patches", &out));
    GE_TRY(want(dev, "pixel_patches", "pixels", &pixels, pixels.rows, each, GE_U8));
    GE_TRY(want(dev, "pixel_patches", "table", &table, 3, 256, GE_F32));
    GE_TRY(want(dev, "pixel_patches", "result", &out, rows, cols, out.dtype));
    if (rows > 0) GE_TRY(dev->ops->pixel_patches(dev, &pixels, &table, height, width, patch, &out));
done:
    return rc;
}

ge_status ge_patch_tokens(struct ge_device *dev, struct ge_tensor patches, struct ge_tensor prefix,
                          struct ge_tensor positions, struct ge_tensor out)
{
    ge_status rc = GE_OK;
    size_t r = prefix.buf != NULL ? prefix.rows : 0, p = positions.rows, d = out.cols;
    size_t images = p > 0 ? patches.rows / p : 0;

    GE_TRY(want_float(dev, "patch_tokens", &out));
    GE_TRY(want(dev, "patch_tokens", "positions", &positions, p, d, out.dtype));
    GE_TRY(want(dev, "patch_tokens", "patches", &patches, images * p, d, out.dtype));
    if (r > 0) GE_TRY(want(dev, "patch_tokens", "prefix", &prefix, r, d, out.dtype));
    GE_TRY(want(dev, "patch_tokens", "result", &out, images * (r + p), d, out.dtype));
    if (out.rows > 0)
        GE_TRY(dev->ops->patch_tokens(dev, &patches, r > 0 ? &prefix : NULL, &positions, &out));
done:
    return rc;
}

ge_status ge_embed(struct ge_device *dev, struct ge_tensor ids, struct ge_tensor pos,
                   struct ge_tensor table, struct ge_tensor shared, struct ge_tensor positions,
                   struct ge_tensor out)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "embed", &out));
    GE_TRY(want(dev, "embed", "ids", &ids, 1, out.rows, GE_I32));
    GE_TRY(want(dev, "embed", "position ids", &pos, 1, out.rows, GE_I32));
    GE_TRY(want(dev, "embed", "table", &table, table.rows, out.cols, out.dtype));
    GE_TRY(want(dev, "embed", "positions", &positions, positions.rows, out.cols, out.dtype));
    if (shared.buf != NULL)
        GE_TRY(want(dev, "embed", "shared row", &shared, 1, out.cols, out.dtype));
    GE_TRY(want(dev, "embed", "result", &out, out.rows, out.cols, out.dtype));
    if (out.rows > 0)
        GE_TRY(dev->ops->embed(dev, &ids, &pos, &table, shared.buf != NULL ? &shared : NULL,
                               &positions, &out));
done:
    return rc;
}

/* ---- counting ----------------------------------------------------------------------------- */

void ge_device_count(struct ge_device *dev, struct ge_work *work)
{
    if (work != NULL) *work = (struct ge_work){.n_shapes = 0};
    dev->work = work;
}

static void count_product(struct ge_work *w, size_t m, size_t n, size_t k)
{
    size_t i = 0;

    w->product_flop += 2.0 * (double)m * (double)n * (double)k;
    while (i < w->n_shapes && (w->shapes[i].n != n || w->shapes[i].k != k)) i++;
    if (i == GE_WORK_SHAPES) return;
    if (i == w->n_shapes) w->shapes[w->n_shapes++] = (struct ge_work_shape){.n = n, .k = k};
    w->shapes[i].times++;
    w->shapes[i].rows += m;
}

/* Scores, and their sums of values. */
static void count_attention(struct ge_work *w, const struct ge_attention *a)
{
    w->attention_flop += 4.0 * (double)a->out.rows * (double)a->max_kv * (double)a->out.cols;
}

/* ---- products and attention --------------------------------------------------------------- */

ge_status ge_matmul(struct ge_device *dev, struct ge_tensor x, const struct ge_weight *w,
                    enum ge_activation act, struct ge_tensor residual, struct ge_tensor y)
{
    struct ge_matmul m = {x, w, act, residual, y};
    ge_status rc = GE_OK;

    if (w->dev != dev) return ge_fail(GE_EINVAL, "matmul: the weight is another device's");
    if (w->dtype != y.dtype)
        return ge_fail(GE_EINVAL, "matmul: the weight is %s, the result %s",
                       ge_dtype_name(w->dtype), ge_dtype_name(y.dtype));
    GE_TRY(want_float(dev, "matmul", &y));
    GE_TRY(want(dev, "matmul", "x", &x, y.rows, w->k, y.dtype));
    GE_TRY(want(dev, "matmul", "y", &y, y.rows, w->n, y.dtype));
    if (residual.buf != NULL)
        GE_TRY(want(dev, "matmul", "residual", &residual, y.rows, w->n, y.dtype));
    if (dev->work != NULL) count_product(dev->work, y.rows, w->n, w->k);
    if (y.rows > 0) GE_TRY(dev->ops->matmul(dev, &m));
done:
    return rc;
}

ge_status ge_layernorm(struct ge_device *dev, struct ge_tensor x, struct ge_tensor gain,
                       struct ge_tensor bias, float eps, struct ge_tensor y)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "layernorm", &y));
    GE_TRY(want(dev, "layernorm", "x", &x, y.rows, y.cols, y.dtype));
    GE_TRY(want(dev, "layernorm", "gain", &gain, 1, y.cols, GE_F32));
    GE_TRY(want(dev, "layernorm", "bias", &bias, 1, y.cols, GE_F32));
    GE_TRY(want(dev, "layernorm", "result", &y, y.rows, y.cols, y.dtype));
    if (y.cols == 0) return ge_fail(GE_EINVAL, "layernorm: rows of no elements");
    if (y.rows > 0) GE_TRY(dev->ops->layernorm(dev, &x, &gain, &bias, eps, &y));
done:
    return rc;
}

ge_status ge_attend(struct ge_device *dev, const struct ge_attention *a)
{
    ge_status rc = GE_OK;
    size_t d, n = a->q_ends.cols;

    GE_TRY(ge_mul(a->heads, a->head_dim, &d));
    if (d == 0) return ge_fail(GE_EINVAL, "attention: %zu heads of %zu", a->heads, a->head_dim);
    GE_TRY(want_float(dev, "attention", &a->out));
    GE_TRY(want(dev, "attention", "q", &a->q, a->out.rows, d, a->out.dtype));
    GE_TRY(want(dev, "attention", "k", &a->k, a->k.rows, d, a->out.dtype));
    GE_TRY(want(dev, "attention", "v", &a->v, a->k.rows, d, a->out.dtype));
    GE_TRY(want(dev, "attention", "result", &a->out, a->out.rows, d, a->out.dtype));
    GE_TRY(want(dev, "attention", "q_ends", &a->q_ends, 1, n, GE_I32));
    GE_TRY(want(dev, "attention", "kv_ends", &a->kv_ends, 1, n, GE_I32));
    if (a->bias.buf != NULL)
        GE_TRY(want(dev, "attention", "bias", &a->bias, a->heads, 2 * a->max_kv - 1, GE_F32));
    if (dev->work != NULL) count_attention(dev->work, a);
    if (n > 0 && a->out.rows > 0) GE_TRY(dev->ops->attend(dev, a));
done:
    return rc;
}

ge_status ge_activate(struct ge_device *dev, enum ge_activation act, struct ge_tensor x,
                      struct ge_tensor y)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "activation", &y));
    GE_TRY(want(dev, "activation", "x", &x, y.rows, y.cols, y.dtype));
    GE_TRY(want(dev, "activation", "result", &y, y.rows, y.cols, y.dtype));
    if (y.rows > 0) GE_TRY(dev->ops->activate(dev, act, &x, &y));
done:
    return rc;
}

static ge_status check_binary(struct ge_device *dev, const char *op, const struct ge_tensor *a,
                              const struct ge_tensor *b, const struct ge_tensor *y)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, op, y));
    GE_TRY(want(dev, op, "a", a, y->rows, y->cols, y->dtype));
    GE_TRY(want(dev, op, "b", b, b->rows == 1 ? 1 : y->rows, y->cols, y->dtype));
    GE_TRY(want(dev, op, "result", y, y->rows, y->cols, y->dtype));
done:
    return rc;
}

ge_status ge_add_to(struct ge_device *dev, struct ge_tensor a, struct ge_tensor b,
                    struct ge_tensor y)
{
    ge_status rc = check_binary(dev, "add", &a, &b, &y);

    return rc == GE_OK && y.rows > 0 ? dev->ops->add(dev, &a, &b, &y) : rc;
}

ge_status ge_mul_by(struct ge_device *dev, struct ge_tensor a, struct ge_tensor b,
                    struct ge_tensor y)
{
    ge_status rc = check_binary(dev, "mul", &a, &b, &y);

    return rc == GE_OK && y.rows > 0 ? dev->ops->mul(dev, &a, &b, &y) : rc;
}

ge_status ge_gather(struct ge_device *dev, struct ge_tensor x, struct ge_tensor rows,
                    struct ge_tensor out)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "gather", &out));
    GE_TRY(want(dev, "gather", "x", &x, x.rows, out.cols, out.dtype));
    GE_TRY(want(dev, "gather", "row ids", &rows, 1, out.rows, GE_I32));
    GE_TRY(want(dev, "gather", "result", &out, out.rows, out.cols, out.dtype));
    if (out.rows > 0) GE_TRY(dev->ops->gather(dev, &x, &rows, &out));
done:
    return rc;
}

ge_status ge_pool_rows(struct ge_device *dev, enum ge_pooling mode, struct ge_tensor x,
                       struct ge_tensor ends, struct ge_tensor skip, struct ge_tensor out)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "pool", &out));
    GE_TRY(want(dev, "pool", "x", &x, x.rows, out.cols, out.dtype));
    GE_TRY(want(dev, "pool", "ends", &ends, 1, out.rows, GE_I32));
    if (skip.buf != NULL) GE_TRY(want(dev, "pool", "skip", &skip, 1, out.rows, GE_I32));
    GE_TRY(want(dev, "pool", "result", &out, out.rows, out.cols, out.dtype));
    if (out.rows > 0)
        GE_TRY(dev->ops->pool(dev, mode, &x, &ends, skip.buf != NULL ? &skip : NULL, &out));
done:
    return rc;
}

ge_status ge_l2_normalize(struct ge_device *dev, struct ge_tensor x, float eps, struct ge_tensor y)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "l2_normalize", &y));
    GE_TRY(want(dev, "l2_normalize", "x", &x, y.rows, y.cols, y.dtype));
    GE_TRY(want(dev, "l2_normalize", "result", &y, y.rows, y.cols, y.dtype));
    if (y.rows > 0) GE_TRY(dev->ops->l2_normalize(dev, &x, eps, &y));
done:
    return rc;
}

ge_status ge_copy(struct ge_device *dev, struct ge_tensor x, struct ge_tensor y)
{
    ge_status rc = GE_OK;

    GE_TRY(want_float(dev, "copy", &x));
    GE_TRY(want_float(dev, "copy", &y));
    GE_TRY(want(dev, "copy", "x", &x, y.rows, y.cols, x.dtype));
    GE_TRY(want(dev, "copy", "result", &y, y.rows, y.cols, y.dtype));
    if (y.rows > 0) GE_TRY(dev->ops->copy(dev, &x, &y));
done:
    return rc;
}
