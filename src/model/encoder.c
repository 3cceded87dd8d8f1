#include "model/encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/math.h"
#include "base/mem.h"
#include "image/preprocess.h"
#include "model/model.h"
#include "model/sentence.h"
#include "text/tokenizer.h"

enum {
    DEFAULT_BATCH = 16,    /* images of a pass: their activations stay in the last-level cache */
    TOKENS_PER_PASS = 1024 /* packed texts of a pass; one text may be longer */
};

/* Growing host arrays of one pass over texts. */
struct packed {
    int32_t *ids, *positions, *ends, *skip;
    size_t tokens, texts, longest;
    size_t cap_ids, cap_positions, cap_ends, cap_skip;
};

struct ge_encoder {
    struct ge_device *dev;
    struct ge_model *model;
    struct ge_preprocess preprocess;
    struct ge_tokenizer *tokenizer;
    struct ge_hash hash;
    struct ge_sentence_text text; /* prompt is borrowed from the model */
    size_t max_batch, max_tokens;
    int32_t prompt_tokens; /* that pooling leaves out */
    struct packed packed;
    struct ge_tokens tokens;
};

/* ---- loading ------------------------------------------------------------------------------ */

static ge_status check_options(struct ge_device *dev, const struct ge_encoder_options *opt)
{
    if (opt->dtype == GE_F32) return GE_OK;
    return ge_fail(GE_EUNSUPPORTED, "encoder: dtype %s is not available (device %s); use fp32",
                   ge_dtype_name(opt->dtype), ge_device_name(dev));
}

static ge_status load_model(const struct ge_model_source *src, struct ge_model **m)
{
    const char *type = ge_json_string(ge_json_get(src->config, "model_type"), NULL);

    if (ge_json_type(src->config) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: wanted an object", src->config_path);
    if (type != NULL && strcmp(type, "clip") == 0) return ge_clip_load(src, m);
    if (type != NULL && strcmp(type, "bert") == 0) return ge_bert_load(src, m);
    return ge_fail(GE_EUNSUPPORTED, "%s: model_type \"%s\" is not handled; known: clip, bert",
                   src->config_path, type != NULL ? type : "(none)");
}

static ge_status load_preprocess(struct ge_encoder *e, const char *folder,
                                 const struct ge_preprocess_switches *switches, struct ge_hasher *h)
{
    struct ge_preprocess *p = &e->preprocess;
    size_t size = e->model->image_size;
    ge_status rc = GE_OK;

    if (size == 0) return GE_OK;
    GE_TRY(ge_preprocess_load(folder, switches, p));
    if ((size_t)p->height != size || (size_t)p->width != size)
        return ge_fail(GE_EFORMAT,
                       "%s: the preprocessing gives pictures of %dx%d, the model takes %zux%zu",
                       folder, p->height, p->width, size, size);
    ge_preprocess_describe(p, h);
done:
    return rc;
}

/* Tokens of a prompt as sentence-transformers counts them: with the specials in front, without one
 * at the end. */
static ge_status count_prompt(struct ge_encoder *e)
{
    struct ge_tokens *t = &e->tokens;
    ge_status rc = GE_OK;
    int32_t last;

    if (!e->text.exclude_prompt || e->text.prompt[0] == '\0') return GE_OK;
    GE_TRY(ge_tokenizer_encode(e->tokenizer, e->text.prompt, strlen(e->text.prompt),
                               (int)e->max_tokens, true, t));
    e->prompt_tokens = (int32_t)t->count;
    last = t->count > 0 ? t->ids[t->count - 1] : -1;
    for (int s = 0; s < GE_SPECIAL_TOKENS && last >= 0; s++) {
        if (ge_tokenizer_special(e->tokenizer, (enum ge_special_token)s) == last) {
            e->prompt_tokens--;
            break;
        }
    }
done:
    return rc;
}

static ge_status load_tokenizer(struct ge_encoder *e, const char *folder, struct ge_hasher *h)
{
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_CLIP};
    struct ge_hash hash;
    size_t own;
    ge_status rc = GE_OK;

    if (strcmp(e->model->ops->kind, "bert") == 0) {
        e->text = *ge_bert_text(e->model);
        opt = (struct ge_tokenizer_options){.family = GE_TOKENIZER_BERT,
                                            .prepend_lowercase = e->text.lowercase};
    }
    GE_TRY(ge_tokenizer_load(folder, &opt, &e->tokenizer));
    hash = ge_tokenizer_hash(e->tokenizer);
    ge_hasher_add_u64(h, hash.hi);
    ge_hasher_add_u64(h, hash.lo);
    /* A sentence encoder's own limit, else the tokenizer's; never more than there are positions. */
    own = e->text.max_tokens;
    if (own == 0 && strcmp(e->model->ops->kind, "bert") == 0)
        own = (size_t)ge_tokenizer_max_length(e->tokenizer);
    e->max_tokens = own > 0 && own < e->model->max_tokens ? own : e->model->max_tokens;
    e->model->max_tokens = e->max_tokens;
    GE_TRY(count_prompt(e));
done:
    return rc;
}

/* The parts of a folder, in an order that fixes the hash. */
static ge_status load_parts(struct ge_encoder *e, struct ge_model_source *src,
                            const struct ge_preprocess_switches *switches)
{
    ge_status rc = GE_OK;

    GE_TRY(load_model(src, &e->model));
    GE_TRY(load_preprocess(e, src->transformer_folder, switches, src->hasher));
    GE_TRY(load_tokenizer(e, src->transformer_folder, src->hasher));
    e->hash = ge_hasher_get(src->hasher);
done:
    return rc;
}

ge_status ge_encoder_load(const char *folder, struct ge_device *dev,
                          const struct ge_encoder_options *opt, struct ge_encoder **enc)
{
    const struct ge_encoder_options o = opt != NULL ? *opt : (struct ge_encoder_options){0};
    struct ge_model_source src = {.folder = folder, .dev = dev, .dtype = o.dtype};
    struct ge_encoder *e = NULL;
    ge_json *config = NULL;
    char *transformer_folder = NULL, *config_path = NULL;
    ge_status rc = GE_OK;

    *enc = NULL;
    GE_TRY(check_options(dev, &o));
    GE_NEW(e, 1);
    e->dev = dev;
    e->max_batch = o.max_batch > 0 ? o.max_batch : DEFAULT_BATCH;
    e->text.prompt = "";
    ge_tokens_init(&e->tokens);
    GE_TRY_PTR(src.hasher, ge_hasher_new());
    GE_TRY(ge_sentence_transformer_folder(folder, &transformer_folder));
    GE_TRY_PTR(config_path, ge_fs_join(transformer_folder, "config.json"));
    GE_TRY(ge_config_read(transformer_folder, "config.json", false, src.hasher, &config));
    src.transformer_folder = transformer_folder;
    src.config = config;
    src.config_path = config_path;
    src.prompt = o.prompt;
    GE_TRY(load_parts(e, &src, o.switches));
    *enc = e;
    e = NULL;
done:
    ge_hasher_delete(&src.hasher);
    ge_json_delete(&config);
    free(transformer_folder);
    free(config_path);
    ge_encoder_delete(&e);
    return rc;
}

void ge_encoder_delete(struct ge_encoder **enc)
{
    struct ge_encoder *e = *enc;

    if (e == NULL) return;
    if (e->model != NULL) e->model->ops->free(e->model);
    ge_tokenizer_delete(&e->tokenizer);
    ge_tokens_free(&e->tokens);
    free(e->packed.ids);
    free(e->packed.positions);
    free(e->packed.ends);
    free(e->packed.skip);
    free(e);
    *enc = NULL;
}

/* ---- what it is --------------------------------------------------------------------------- */

const char *ge_encoder_kind(const struct ge_encoder *enc)
{
    return enc->model->ops->kind;
}

bool ge_encoder_has_image(const struct ge_encoder *enc)
{
    return enc->model->ops->images != NULL;
}

bool ge_encoder_has_text(const struct ge_encoder *enc)
{
    return enc->model->ops->texts != NULL;
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
    *height = *width = enc->model->image_size;
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
    enc->model->ops->describe(enc->model, &w);
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
    size_t each = 3 * m->image_size * m->image_size;
    struct ge_tensor rows;
    ge_status rc = GE_OK;

    if (m->ops->images == NULL)
        return ge_fail(GE_EINVAL, "encoder: a %s model has no image tower", m->ops->kind);
    for (size_t at = 0; at < n; at += enc->max_batch) {
        size_t batch = n - at < enc->max_batch ? n - at : enc->max_batch;
        GE_TRY(m->ops->images(m, pixels + at * each, batch, &rows));
        GE_TRY(finish(enc, rows, normalize, at, out + at * m->dim));
    }
done:
    return rc;
}

/* Append the ids in e->tokens to the pass. */
static ge_status append_text(struct ge_encoder *e)
{
    struct packed *p = &e->packed;
    const struct ge_tokens *t = &e->tokens;
    ge_status rc = GE_OK;

    for (size_t i = 0; i < t->count; i++) {
        if (t->ids[i] < 0 || (size_t)t->ids[i] >= e->model->vocab)
            return ge_fail(GE_EFORMAT,
                           "encoder: the tokenizer gives id %d, the model has %zu token rows; they "
                           "do not belong together",
                           (int)t->ids[i], e->model->vocab);
        GE_GROW(p->ids, p->tokens, p->cap_ids);
        GE_GROW(p->positions, p->tokens, p->cap_positions);
        p->ids[p->tokens] = t->ids[i];
        p->positions[p->tokens++] = (int32_t)i;
    }
    GE_GROW(p->ends, p->texts, p->cap_ends);
    GE_GROW(p->skip, p->texts, p->cap_skip);
    p->ends[p->texts] = (int32_t)p->tokens;
    p->skip[p->texts++] = e->prompt_tokens;
    if (t->count > p->longest) p->longest = t->count;
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
    struct packed *p = &e->packed;
    const struct ge_text_batch batch = {p->ids,    p->positions, p->ends,   p->skip,
                                        p->tokens, p->texts,     p->longest};
    struct ge_tensor rows;
    ge_status rc = GE_OK;

    GE_TRY(e->model->ops->texts(e->model, &batch, &rows));
    GE_TRY(finish(e, rows, normalize, first, out + first * e->model->dim));
done:
    p->tokens = p->texts = p->longest = 0;
    return rc;
}

ge_status ge_encoder_texts(struct ge_encoder *enc, const char *const *texts, size_t n,
                           bool normalize, float *out, unsigned char *truncated)
{
    struct packed *p = &enc->packed;
    ge_status rc = GE_OK;

    if (enc->model->ops->texts == NULL)
        return ge_fail(GE_EINVAL, "encoder: a %s model has no text tower", enc->model->ops->kind);
    p->tokens = p->texts = p->longest = 0;
    for (size_t i = 0; i < n; i++) {
        GE_TRY(tokenize(enc, texts[i], truncated != NULL ? &truncated[i] : NULL));
        if (p->texts > 0 && p->tokens + enc->tokens.count > TOKENS_PER_PASS)
            GE_TRY(run_texts(enc, normalize, i - p->texts, out));
        GE_TRY(append_text(enc));
    }
    if (p->texts > 0) GE_TRY(run_texts(enc, normalize, n - p->texts, out));
done:
    return rc;
}
