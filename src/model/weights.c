#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- lookup ------------------------------------------------------------------------------- */

/* "base.name", or "name" without a base; heap string or NULL. */
static char *join(const char *base, const char *name)
{
    return base[0] != '\0' ? ge_sprintf("%s.%s", base, name) : ge_strdup(name);
}

static const struct ge_stored *find_as(const struct ge_weights *w, const char *name)
{
    const struct ge_stored *t = ge_safetensors_find(w->st, name);
    char *prefixed;

    if (t != NULL || w->prefix == NULL) return t;
    prefixed = ge_sprintf("%s%s", w->prefix, name);
    if (prefixed != NULL) t = ge_safetensors_find(w->st, prefixed);
    free(prefixed);
    return t;
}

/* LayerNorm parameters have old names: gamma for weight, beta for bias. */
static const struct ge_stored *find_old(const struct ge_weights *w, const char *name)
{
    static const char *const renamed[][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                             {"LayerNorm.bias", "LayerNorm.beta"}};
    const struct ge_stored *t = NULL;
    size_t len = strlen(name);

    for (size_t i = 0; i < 2 && t == NULL; i++) {
        size_t tail = strlen(renamed[i][0]);
        if (len < tail || strcmp(name + len - tail, renamed[i][0]) != 0) continue;
        char *old = ge_sprintf("%.*s%s", (int)(len - tail), name, renamed[i][1]);
        if (old != NULL) t = find_as(w, old);
        free(old);
    }
    return t;
}

static const struct ge_stored *find(const struct ge_weights *w, const char *name)
{
    const struct ge_stored *t = find_as(w, name);

    return t != NULL ? t : find_old(w, name);
}

/* The stored shape, apart from dimensions of 1, must be that of (rows, cols). A convolution's
 * (d, c, p, p) is a matrix of d rows, so what is compared is the first dimension and the count. */
static bool shape_fits(const struct ge_stored *t, size_t rows, size_t cols)
{
    size_t count, first = 1, i = 0;

    if (ge_mul(rows, cols, &count) != GE_OK || t->count != count) return false;
    while (i < t->dims && t->shape[i] == 1) i++;
    if (i < t->dims) first = t->shape[i];
    return rows == 1 ? first == cols || first == count : first == rows;
}

static void print_shape(struct ge_buf *out, const struct ge_stored *t)
{
    ge_buf_char(out, '(');
    for (size_t i = 0; i < t->dims; i++) ge_buf_printf(out, "%s%zu", i > 0 ? "," : "", t->shape[i]);
    ge_buf_char(out, ')');
}

static ge_status misshapen(const struct ge_stored *t, size_t rows, size_t cols)
{
    struct ge_buf shape;
    ge_status rc;

    ge_buf_init(&shape, 512);
    print_shape(&shape, t);
    if (rows == 1)
        rc = ge_fail(GE_EFORMAT, "%s: tensor %s is %s, the configuration wants (%zu)", t->file,
                     t->name, shape.data != NULL ? shape.data : "?", cols);
    else
        rc = ge_fail(GE_EFORMAT, "%s: tensor %s is %s, the configuration wants (%zu,%zu)", t->file,
                     t->name, shape.data != NULL ? shape.data : "?", rows, cols);
    ge_buf_free(&shape);
    return rc;
}

ge_status ge_weights_read(const struct ge_weights *w, const char *base, const char *name,
                          size_t rows, size_t cols, float **out)
{
    const struct ge_stored *t;
    char *full = NULL;
    float *data = NULL;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_TRY_PTR(full, join(base, name));
    t = find(w, full);
    if (t == NULL) {
        rc = ge_fail(GE_EFORMAT, "weights: tensor %s is missing; does config.json belong to them?",
                     full);
        goto done;
    }
    if (!shape_fits(t, rows, cols)) {
        rc = misshapen(t, rows, cols);
        goto done;
    }
    GE_NEW(data, t->count);
    GE_TRY(ge_stored_read(t, data));
    *out = data;
    data = NULL;
done:
    free(data);
    free(full);
    return rc;
}

/* ---- to the device ------------------------------------------------------------------------ */

ge_status ge_weights_upload(const struct ge_weights *w, const float *data, size_t rows, size_t cols,
                            enum ge_dtype dtype, struct ge_tensor *out)
{
    struct ge_tensor plain = {0};
    ge_status rc = GE_OK;

    GE_TRY(ge_tensor_new(w->dev, rows, cols, GE_F32, &plain));
    GE_TRY(ge_upload(plain, data));
    if (dtype == GE_F32) {
        *out = plain;
        plain.buf = NULL;
    } else {
        GE_TRY(ge_tensor_new(w->dev, rows, cols, dtype, out));
        GE_TRY(ge_copy(w->dev, plain, *out));
    }
    GE_TRY(ge_synchronize(w->dev)); /* `data` is free again */
done:
    ge_buffer_delete(&plain.buf);
    return rc;
}

ge_status ge_weights_table(const struct ge_weights *w, const char *base, const char *name,
                           size_t rows, size_t cols, struct ge_tensor *out)
{
    float *data = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_read(w, base, name, rows, cols, &data));
    GE_TRY(ge_weights_upload(w, data, rows, cols, w->dtype, out));
done:
    free(data);
    return rc;
}

void ge_linear_free(struct ge_linear *l)
{
    ge_weight_delete(&l->w);
}

ge_status ge_linear_run(const struct ge_linear *l, struct ge_device *dev, struct ge_tensor x,
                        enum ge_activation act, struct ge_tensor residual, struct ge_tensor y)
{
    return ge_matmul(dev, x, l->w, act, residual, y);
}

void ge_norm_free(struct ge_norm *n)
{
    ge_buffer_delete(&n->gain.buf);
    ge_buffer_delete(&n->bias.buf);
}

ge_status ge_weights_stacked(const struct ge_weights *w, const char *base,
                             const char *const names[], size_t count, size_t n, size_t k,
                             struct ge_linear *out)
{
    float *weight = NULL, *bias = NULL, *part = NULL;
    char *prefix = NULL;
    ge_status rc = GE_OK;
    size_t rows, total;

    GE_TRY(ge_mul(count, n, &rows));
    GE_TRY(ge_mul(rows, k, &total));
    for (size_t i = 0; i < count; i++) {
        GE_TRY_PTR(prefix, join(base, names[i]));
        GE_TRY(ge_weights_read(w, prefix, "weight", n, k, &part));
        if (weight == NULL) GE_NEW(weight, total); /* not before the file is known to be that big */
        if (bias == NULL) GE_NEW(bias, rows);
        memcpy(weight + i * n * k, part, n * k * sizeof *part);
        free(part);
        part = NULL;
        GE_TRY(ge_weights_read(w, prefix, "bias", 1, n, &part));
        memcpy(bias + i * n, part, n * sizeof *part);
        free(part);
        part = NULL;
        free(prefix);
        prefix = NULL;
    }
    GE_TRY(ge_weight_new(w->dev, weight, bias, rows, k, w->dtype, &out->w));
done:
    free(prefix);
    free(part);
    free(weight);
    free(bias);
    return rc;
}

ge_status ge_weights_linear(const struct ge_weights *w, const char *base, const char *name,
                            size_t n, size_t k, bool bias, struct ge_linear *out)
{
    char *prefix = NULL;
    float *data = NULL;
    ge_status rc = GE_OK;

    if (bias) return ge_weights_stacked(w, base, &name, 1, n, k, out);
    GE_TRY_PTR(prefix, join(base, name));
    GE_TRY(ge_weights_read(w, prefix, "weight", n, k, &data));
    GE_TRY(ge_weight_new(w->dev, data, NULL, n, k, w->dtype, &out->w));
done:
    free(data);
    free(prefix);
    return rc;
}

ge_status ge_weights_norm(const struct ge_weights *w, const char *base, const char *name, size_t n,
                          float eps, struct ge_norm *out)
{
    char *prefix = NULL;
    float *data = NULL;
    ge_status rc = GE_OK;

    out->eps = eps;
    GE_TRY_PTR(prefix, join(base, name));
    GE_TRY(ge_weights_read(w, prefix, "weight", 1, n, &data));
    GE_TRY(ge_weights_upload(w, data, 1, n, GE_F32, &out->gain));
    free(data);
    data = NULL;
    GE_TRY(ge_weights_read(w, prefix, "bias", 1, n, &data));
    GE_TRY(ge_weights_upload(w, data, 1, n, GE_F32, &out->bias));
done:
    free(data);
    free(prefix);
    return rc;
}
