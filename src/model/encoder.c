#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "model/encoder_internal.h"

enum { TOKENS_PER_PASS = 1024 }; /* packed texts of a pass; one text may be longer */

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

/* ---- encoding ----------------------------------------------------------------------------- */

/* Normalise if asked, fetch, and refuse what is not a number. `first` is the first row's place
 * among all inputs, for the message. */
static ge_status finish(struct ge_encoder *e, struct ge_tensor rows, bool normalize, size_t first,
                        float *out)
{
    struct ge_workspace *ws = &e->model->ws;
    struct ge_tensor result = rows;
    ge_status rc = GE_OK;

    if (normalize) GE_TRY(ge_l2_normalize(e->dev, rows, e->model->norm_epsilon, rows));
    if (rows.dtype != GE_F32) {
        GE_TRY(ge_workspace_get(ws, GE_SLOT_RESULT, rows.rows, rows.cols, GE_F32, &result));
        GE_TRY(ge_copy(e->dev, rows, result));
    }
    GE_TRY(ge_download(result, out));
    for (size_t i = 0; i < rows.rows * rows.cols; i++) {
        if (!isfinite(out[i]))
            return ge_fail(GE_EFORMAT,
                           "encoder: the embedding of input %zu is not finite: the weights or the "
                           "input are broken",
                           first + i / rows.cols);
    }
done:
    return rc;
}

ge_status ge_encoder_images(struct ge_encoder *enc, const float *pixels, size_t n, bool normalize,
                            float *out)
{
    struct ge_model *m = enc->model;
    size_t each = 3 * m->height * m->width;
    struct ge_tensor rows;
    ge_status rc = GE_OK;

    if (!m->kind->images)
        return ge_fail(GE_EINVAL, "encoder: a %s model has no image tower", m->kind->type);
    for (size_t at = 0; at < n; at += enc->max_batch) {
        size_t batch = n - at < enc->max_batch ? n - at : enc->max_batch;
        GE_TRY(m->kind->ops->images(m, pixels + at * each, batch, &rows));
        GE_TRY(finish(enc, rows, normalize, at, out + at * m->dim));
    }
done:
    return rc;
}

static ge_status append_token(struct ge_encoder *e, int32_t id, size_t position)
{
    struct ge_packed *p = &e->packed;
    ge_status rc = GE_OK;

    if (id < 0 || (size_t)id >= e->model->vocab)
        return ge_fail(GE_EFORMAT,
                       "encoder: the tokenizer gives id %d, the model has %zu token rows; they do "
                       "not belong together",
                       (int)id, e->model->vocab);
    GE_GROW(p->ids, p->tokens, p->cap_ids);
    GE_GROW(p->positions, p->tokens, p->cap_positions);
    p->ids[p->tokens] = id;
    p->positions[p->tokens++] = (int32_t)position;
done:
    return rc;
}

/* Tokens that the current text takes in a pass. */
static size_t text_length(const struct ge_encoder *e)
{
    return e->tokens.count > e->model->pad_to ? e->tokens.count : e->model->pad_to;
}

/* Append the ids in e->tokens to the pass, with pads around them if the model wants them. */
static ge_status append_text(struct ge_encoder *e)
{
    struct ge_packed *p = &e->packed;
    const struct ge_tokens *t = &e->tokens;
    size_t length = text_length(e), begin = e->pad_left ? length - t->count : 0;
    ge_status rc = GE_OK;

    for (size_t i = 0; i < length; i++) {
        bool inside = i >= begin && i - begin < t->count;
        GE_TRY(append_token(e, inside ? t->ids[i - begin] : e->pad, i));
    }
    GE_GROW(p->ends, p->texts, p->cap_ends);
    GE_GROW(p->skip, p->texts, p->cap_skip);
    p->ends[p->texts] = (int32_t)p->tokens;
    p->skip[p->texts++] = e->prompt_tokens;
    if (length > p->longest) p->longest = length;
done:
    return rc;
}

static ge_status tokenize(struct ge_encoder *e, const char *text, unsigned char *truncated)
{
    char *prompted = NULL;
    ge_status rc = GE_OK;

    if (e->text.prompt[0] != '\0') {
        GE_TRY_PTR(prompted, ge_sprintf("%s%s", e->text.prompt, text));
        text = prompted;
    }
    GE_TRY(ge_tokenizer_encode(e->tokenizer, text, strlen(text), (int)e->max_tokens, true,
                               &e->tokens));
    if (e->tokens.count == 0)
        rc = ge_fail(GE_EFORMAT, "encoder: a text gives no tokens: the tokenizer adds no specials");
    if (truncated != NULL) *truncated = e->tokens.truncated;
done:
    free(prompted);
    return rc;
}

/* Run what is packed: texts [first, first + packed). */
static ge_status run_texts(struct ge_encoder *e, bool normalize, size_t first, float *out)
{
    struct ge_packed *p = &e->packed;
    const struct ge_text_batch batch = {p->ids,    p->positions, p->ends,   p->skip,
                                        p->tokens, p->texts,     p->longest};
    struct ge_tensor rows;
    ge_status rc = GE_OK;

    GE_TRY(e->model->kind->ops->texts(e->model, &batch, &rows));
    GE_TRY(finish(e, rows, normalize, first, out + first * e->model->dim));
done:
    p->tokens = p->texts = p->longest = 0;
    return rc;
}

ge_status ge_encoder_texts(struct ge_encoder *enc, const char *const *texts, size_t n,
                           bool normalize, float *out, unsigned char *truncated)
{
    struct ge_packed *p = &enc->packed;
    ge_status rc = GE_OK;

    if (!enc->model->kind->texts)
        return ge_fail(GE_EINVAL, "encoder: a %s model has no text tower", enc->model->kind->type);
    p->tokens = p->texts = p->longest = 0;
    for (size_t i = 0; i < n; i++) {
        GE_TRY(tokenize(enc, texts[i], truncated != NULL ? &truncated[i] : NULL));
        if (p->texts > 0 && p->tokens + text_length(enc) > TOKENS_PER_PASS)
            GE_TRY(run_texts(enc, normalize, i - p->texts, out));
        GE_TRY(append_text(enc));
    }
    if (p->texts > 0) GE_TRY(run_texts(enc, normalize, n - p->texts, out));
done:
    return rc;
}
