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

/* With each prefix; *t = NULL: there is none. */
static ge_status find_prefixed(const struct ge_weights *w, const char *name,
                               const struct ge_stored **t)
{
    char *full = NULL;
    ge_status rc = GE_OK;

    *t = w->prefixes == NULL ? ge_checkpoint_find(w->checkpoint, name) : NULL;
    for (size_t i = 0; w->prefixes != NULL && w->prefixes[i] != NULL && *t == NULL; i++) {
        free(full);
        GE_TRY_PTR(full, ge_sprintf("%s%s", w->prefixes[i], name));
        *t = ge_checkpoint_find(w->checkpoint, full);
    }
done:
    free(full);
    return rc;
}

ge_status ge_weights_find(const struct ge_weights *w, const char *base, const char *name,
                          const struct ge_stored **t)
{
    static const char *const renamed[][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                             {"LayerNorm.bias", "LayerNorm.beta"}};
    char *full = NULL, *old = NULL;
    size_t len;
    ge_status rc = GE_OK;

    *t = NULL;
    GE_TRY_PTR(full, join(base, name));
    GE_TRY(find_prefixed(w, full, t));
    len = strlen(full);
    for (size_t i = 0; i < 2 && *t == NULL; i++) {
        size_t tail = strlen(renamed[i][0]);
        if (len < tail || strcmp(full + len - tail, renamed[i][0]) != 0) continue;
        GE_TRY_PTR(old, ge_sprintf("%.*s%s", (int)(len - tail), full, renamed[i][1]));
        GE_TRY(find_prefixed(w, old, t));
        break;
    }
done:
    free(full);
    free(old);
    return rc;
}

/* The stored shape, apart from dimensions of 1, must be that of (rows, cols). A convolution's
 * (d, c, p, p) is a matrix of d rows, so what is compared is the first dimension and the count. */
static bool shape_fits(const struct ge_stored *t, size_t rows, size_t cols)
{
    size_t count, first = 1, i = 0;

    if (ge_mul(rows, cols, &count) != GE_OK || t->count != count) return false;
    while (i < t->dims && t->shape[i] == 1) i++;
    if (i < t->dims) first = t->shape[i];
    return first == (rows == 1 ? cols : rows);
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
    float *data = NULL;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_TRY(ge_weights_find(w, base, name, &t));
    if (t == NULL) {
        rc = ge_fail(
            GE_EFORMAT, "weights: tensor %s%s%s%s is missing; does config.json belong to them?",
            w->prefixes != NULL ? w->prefixes[0] : "", base, base[0] != '\0' ? "." : "", name);
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

/* ---- layers ------------------------------------------------------------------------------- */

void ge_linear_free(struct ge_linear *l)
{
    ge_weight_delete(&l->w);
}

ge_status ge_linear_run(const struct ge_linear *l, struct ge_device *dev, struct ge_tensor x,
                        enum ge_activation act, struct ge_tensor residual, struct ge_tensor y)
{
    return ge_matmul(dev, x, l->w, act, residual, y);
}

void ge_matrix_free(struct ge_matrix *m)
{
    free(m->weight);
    free(m->bias);
    *m = (struct ge_matrix){0};
}

ge_status ge_weights_matrix(const struct ge_weights *w, const char *base, const char *name,
                            size_t n, size_t k, bool bias, struct ge_matrix *out)
{
    char *prefix = NULL;
    ge_status rc = GE_OK;

    *out = (struct ge_matrix){.n = n, .k = k};
    GE_TRY_PTR(prefix, join(base, name));
    GE_TRY(ge_weights_read(w, prefix, "weight", n, k, &out->weight));
    if (bias) GE_TRY(ge_weights_read(w, prefix, "bias", 1, n, &out->bias));
done:
    free(prefix);
    if (rc != GE_OK) ge_matrix_free(out);
    return rc;
}

ge_status ge_matrix_upload(const struct ge_weights *w, const struct ge_matrix *m, size_t from,
                           size_t n, struct ge_linear *out)
{
    const float *bias = m->bias != NULL ? m->bias + from : NULL;

    out->n = n;
    return ge_weight_new(w->dev, m->weight + from * m->k, bias, n, m->k, w->dtype, &out->w);
}

ge_status ge_weights_linear(const struct ge_weights *w, const char *base, const char *name,
                            size_t n, size_t k, bool bias, struct ge_linear *out)
{
    struct ge_matrix m;
    ge_status rc = ge_weights_matrix(w, base, name, n, k, bias, &m);

    if (rc == GE_OK) rc = ge_matrix_upload(w, &m, 0, n, out);
    ge_matrix_free(&m);
    return rc;
}

ge_status ge_weights_stacked(const struct ge_weights *w, const char *base,
                             const char *const names[], size_t count, size_t n, size_t k, bool bias,
                             struct ge_matrix *out)
{
    struct ge_matrix part = {0};
    ge_status rc = GE_OK;
    size_t total;

    *out = (struct ge_matrix){.k = k};
    GE_TRY(ge_mul(count, n, &out->n));
    GE_TRY(ge_mul(out->n, k, &total));
    for (size_t i = 0; i < count; i++) {
        GE_TRY(ge_weights_matrix(w, base, names[i], n, k, bias, &part));
        /* not before the file is known to be that big */
        if (out->weight == NULL) GE_NEW(out->weight, total);
        if (bias && out->bias == NULL) GE_NEW(out->bias, out->n);
        memcpy(out->weight + i * n * k, part.weight, n * k * sizeof *part.weight);
        if (bias) memcpy(out->bias + i * n, part.bias, n * sizeof *part.bias);
        ge_matrix_free(&part);
    }
done:
    ge_matrix_free(&part);
    if (rc != GE_OK) ge_matrix_free(out);
    return rc;
}

void ge_norm_free(struct ge_norm *n)
{
    ge_buffer_delete(&n->gain.buf);
    ge_buffer_delete(&n->bias.buf);
}

ge_status ge_norm_run(const struct ge_norm *n, struct ge_device *dev, struct ge_tensor x,
                      struct ge_tensor y)
{
    return ge_layernorm(dev, x, n->gain, n->bias, n->eps, y);
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
