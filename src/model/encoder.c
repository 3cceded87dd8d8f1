#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "model/encoder_internal.h"

/* ---- what it is --------------------------------------------------------------------------- */

const char *ge_encoder_kind(const struct ge_encoder *enc)
{
    return enc->model->kind->type;
}

bool ge_encoder_has_image(const struct ge_encoder *enc)
{
    return enc->model->kind->images;
}

bool ge_encoder_has_text(const struct ge_encoder *enc)
{
    return enc->model->kind->texts;
}

size_t ge_encoder_dim(const struct ge_encoder *enc)
{
    return enc->model->dim;
}

bool ge_encoder_logit_scale(const struct ge_encoder *enc, float *scale)
{
    if (enc->model->has_scale && scale != NULL)
        *scale = (float)ge_exp((double)enc->model->logit_scale);
    return enc->model->has_scale;
}

bool ge_encoder_image_size(const struct ge_encoder *enc, size_t *height, size_t *width)
{
    *height = enc->model->height;
    *width = enc->model->width;
    return ge_encoder_has_image(enc);
}

const struct ge_preprocess *ge_encoder_preprocess(const struct ge_encoder *enc)
{
    return ge_encoder_has_image(enc) ? &enc->preprocess : NULL;
}

const struct ge_tokenizer *ge_encoder_tokenizer(const struct ge_encoder *enc)
{
    return enc->tokenizer;
}

size_t ge_encoder_max_tokens(const struct ge_encoder *enc)
{
    return enc->max_tokens;
}

struct ge_hash ge_encoder_hash(const struct ge_encoder *enc)
{
    return enc->hash;
}

void ge_encoder_describe(const struct ge_encoder *enc, struct ge_buf *out)
{
    struct ge_jsonw w;
    struct ge_buf preprocess;
    char hex[GE_HASH_HEX];

    ge_hash_hex(enc->hash, hex);
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "kind", ge_encoder_kind(enc));
    ge_jsonw_int(&w, "dim", (int64_t)ge_encoder_dim(enc));
    ge_jsonw_string(&w, "dtype", ge_dtype_name(enc->model->dtype));
    ge_jsonw_string(&w, "hash", hex);
    enc->model->kind->ops->describe(enc->model, &w);
    if (ge_encoder_has_image(enc)) {
        ge_buf_init(&preprocess, 1 << 16);
        ge_preprocess_json(&enc->preprocess, &preprocess);
        ge_jsonw_raw(&w, "preprocess", preprocess.data != NULL ? preprocess.data : "null");
        ge_buf_free(&preprocess);
    }
    ge_jsonw_object_end(&w);
}

size_t ge_encoder_weight_bytes(const struct ge_encoder *enc)
{
    return enc->weight_bytes;
}

size_t ge_encoder_pass_bytes(const struct ge_encoder *enc)
{
    const struct ge_model *m = enc->model;
    size_t pixels = 3 * m->height * m->width, row = m->dim * sizeof(float);
    size_t texts = m->kind->texts ? enc->pass_tokens : 0;
    size_t images = m->kind->images ? enc->max_batch : 0;

    return m->kind->ops->bytes(m, images, texts) + GE_ENCODER_AHEAD * images * (pixels + row);
}

/* ---- the way back ------------------------------------------------------------------------- */

void ge_return_free(struct ge_return *b)
{
    ge_buffer_delete(&b->rows.buf);
    ge_fetch_delete(&b->fetch);
    b->room = 0;
}

ge_status ge_return_reserve(struct ge_encoder *e, struct ge_return *b, size_t rows)
{
    size_t floats;
    ge_status rc = GE_OK;

    if (rows <= b->room) return GE_OK;
    ge_return_free(b);
    GE_TRY(ge_mul(rows, e->model->dim * sizeof(float), &floats));
    GE_TRY(ge_tensor_new(e->dev, rows, e->model->dim, GE_F32, &b->rows));
    GE_TRY(ge_fetch_new(e->dev, floats, &b->fetch));
    b->room = rows;
done:
    return rc;
}

/* In GE_F32 from here on: a norm's last digits are worth more than the compute type holds. */
ge_status ge_return_put(struct ge_encoder *e, struct ge_return *b, size_t at, struct ge_tensor rows,
                        bool normalize)
{
    struct ge_tensor to = ge_tensor_rows(b->rows, at, rows.rows);
    ge_status rc = GE_OK;

    GE_TRY(ge_copy(e->dev, rows, to));
    if (normalize) GE_TRY(ge_l2_normalize(e->dev, to, e->model->norm_epsilon, to));
done:
    return rc;
}

ge_status ge_return_begin(struct ge_return *b)
{
    return ge_fetch_begin(b->fetch, ge_tensor_rows(b->rows, 0, b->n));
}

ge_status ge_return_finish(struct ge_encoder *e, struct ge_return *b, const char *what, float *out)
{
    size_t dim = e->model->dim;
    const void *data;
    ge_status rc = GE_OK;

    GE_TRY(ge_fetch_wait(b->fetch, &data));
    memcpy(out, data, b->n * dim * sizeof *out);
    for (size_t i = 0; i < b->n * dim; i++) {
        if (isfinite(out[i])) continue;
        return ge_fail(GE_EFORMAT,
                       "encoder: the embedding of %s %zu is not finite: the weights or the input "
                       "are broken",
                       what, b->first + i / dim);
    }
done:
    return rc;
}

bool ge_encoder_shrink(struct ge_encoder *e, ge_status rc, size_t n)
{
    if (rc != GE_ENOMEM || n < 2) return false;
    ge_workspace_release(&e->model->ws);
    return true;
}
