/* SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025) of fixed resolution, as Hugging Face
 * stores them: a vision transformer without a class token, which is pooled by attention, and a text
 * transformer in which every token sees every other, which is pooled at its last place. Texts are
 * always as long as the model's positions: the pads behind a text are seen and computed, and mostly
 * it is one of them that is pooled. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/text_tower.h"
#include "model/vit.h"

static const struct ge_vit_names vision_names = {
    .patch = "embeddings.patch_embedding",
    .positions = "embeddings.position_embedding.weight",
    .post_norm = "post_layernorm",
    .layers = "encoder.layers",
    .layer = &ge_clip_layer_names,
};

/* Newer transformers store a tower that is alone without its name in front. */
static const char *const vision_prefixes[] = {"vision_model.", "siglip.vision_model.", "", NULL};
static const char *const text_prefixes[] = {"text_model.", "siglip.text_model.", "", NULL};
static const char *const top_prefixes[] = {"", "siglip.", NULL};

static const struct ge_tensor none = {0};

/* One learned query attends to a picture's rows: y = a + mlp(norm(a)), a = out(attention). */
struct head {
    struct ge_tensor query; /* (1, d): the probe through its projection, which never changes */
    struct ge_linear kv;    /* (2d, d) */
    struct ge_linear out;   /* (d, d) */
    struct ge_norm norm;
    struct ge_linear fc1, fc2; /* (ff, d), (d, ff) */
};

struct siglip {
    struct ge_model head;
    struct ge_vit vision;
    struct head pooling;
    struct ge_text_tower text;
};

/* ---- loading ------------------------------------------------------------------------------ */

/* in_proj holds the projections of query, keys and values one below the other. That of the probe is
 * computed here, in double. */
static ge_status load_in_projection(struct head *h, const struct ge_weights *w, size_t d)
{
    struct ge_matrix m = {.n = 3 * d, .k = d};
    float *probe = NULL, *query = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_read(w, "head", "probe", 1, d, &probe));
    GE_TRY(ge_weights_read(w, "head.attention", "in_proj_weight", m.n, d, &m.weight));
    GE_TRY(ge_weights_read(w, "head.attention", "in_proj_bias", 1, m.n, &m.bias));
    GE_NEW(query, d);
    for (size_t i = 0; i < d; i++) {
        double sum = (double)m.bias[i];
        for (size_t j = 0; j < d; j++) sum += (double)probe[j] * (double)m.weight[i * d + j];
        query[i] = (float)sum;
    }
    GE_TRY(ge_weights_upload(w, query, 1, d, w->dtype, &h->query));
    GE_TRY(ge_matrix_upload(w, &m, d, 2 * d, &h->kv));
done:
    free(probe);
    free(query);
    ge_matrix_free(&m);
    return rc;
}

static ge_status load_head(struct head *h, const struct ge_weights *w,
                           const struct ge_layers_config *l)
{
    size_t d = l->width;
    ge_status rc = GE_OK;

    GE_TRY(load_in_projection(h, w, d));
    GE_TRY(ge_weights_linear(w, "head", "attention.out_proj", d, d, true, &h->out));
    GE_TRY(ge_weights_norm(w, "head", "layernorm", d, l->eps, &h->norm));
    GE_TRY(ge_weights_linear(w, "head", "mlp.fc1", l->ff, d, true, &h->fc1));
    GE_TRY(ge_weights_linear(w, "head", "mlp.fc2", d, l->ff, true, &h->fc2));
done:
    return rc;
}

static ge_status load_vision(struct siglip *siglip, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, vision_prefixes);
    struct ge_vit_config v = {
        .layers = {.width = 768, .heads = 12, .ff = 3072, .layers = 12, .eps = 1e-6f},
        .patch = 16,
        .image = 224,
        .patch_bias = true,
    };
    struct ge_config c;
    bool use_head;
    ge_status rc = GE_OK;

    GE_TRY(ge_model_tower(src, "vision_config", NULL, "vision_config.", &c));
    GE_TRY(ge_layers_configure(&c, "gelu_pytorch_tanh", &v.layers));
    GE_TRY(ge_vit_configure(&c, &v));
    GE_TRY(ge_config_bool(&c, "vision_use_head", true, &use_head));
    if (!use_head)
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: %svision_use_head is false: such a model gives rows of patches and no "
                       "embedding of the picture",
                       c.file, c.section);
    v.height = v.width = siglip->head.height = siglip->head.width = v.image;
    siglip->head.dim = v.layers.width;
    GE_TRY(ge_vit_load(&siglip->vision, &v, &vision_names, &w));
    GE_TRY(load_head(&siglip->pooling, &w, &v.layers));
done:
    return rc;
}

static ge_status load_text(struct siglip *siglip, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, text_prefixes);
    struct ge_layers_config layers = {
        .width = 768, .heads = 12, .ff = 3072, .layers = 12, .eps = 1e-6f, .picked = true};
    struct ge_config c;
    size_t dim;
    ge_status rc = GE_OK;

    GE_TRY(ge_model_tower(src, "text_config", NULL, "text_config.", &c));
    GE_TRY(ge_layers_configure(&c, "gelu_pytorch_tanh", &layers));
    GE_TRY(ge_config_size(&c, "projection_size", layers.width, 1, GE_MAX_WIDTH, &dim));
    if (src->kind->images && dim != siglip->head.dim)
        return ge_fail(GE_EFORMAT,
                       "%s: texts have embeddings of %zu (%sprojection_size), pictures of %zu "
                       "(vision_config.hidden_size); they cannot be compared",
                       c.file, dim, c.section, siglip->head.dim);
    siglip->head.dim = dim;
    GE_TRY(ge_text_tower_load(&siglip->text, &siglip->head, &c, &layers, 32000, 64, &w));
    siglip->head.pad_to = siglip->head.max_tokens;
    GE_TRY(ge_weights_linear(&w, "", "head", dim, layers.width, true, &siglip->text.projection));
done:
    return rc;
}

static ge_status siglip_load(struct ge_model *m, const struct ge_model_source *src)
{
    const struct ge_weights top = ge_model_weights(src, top_prefixes);
    struct siglip *siglip = (struct siglip *)m;
    ge_status rc = GE_OK;

    if (src->kind->images) GE_TRY(load_vision(siglip, src));
    if (src->kind->texts) GE_TRY(load_text(siglip, src));
    if (src->kind->images && src->kind->texts) GE_TRY(ge_model_load_scale(m, &top));
done:
    return rc;
}

static void siglip_free(struct ge_model *m)
{
    struct siglip *siglip = (struct siglip *)m;
    struct head *h = &siglip->pooling;

    ge_vit_free(&siglip->vision);
    ge_buffer_delete(&h->query.buf);
    ge_linear_free(&h->kv);
    ge_linear_free(&h->out);
    ge_norm_free(&h->norm);
    ge_linear_free(&h->fc1);
    ge_linear_free(&h->fc2);
    ge_text_tower_free(&siglip->text);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* The query of each picture: n copies of one row, a sequence each. */
static ge_status repeat_query(const struct head *h, struct ge_workspace *ws, size_t n,
                              struct ge_tensor *query, struct ge_tensor *ends)
{
    struct ge_tensor rows;
    int32_t *host;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_host(ws, GE_SLOT_PICK, n, &host));
    memset(host, 0, n * sizeof *host);
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_PICK, host, n, &rows));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED, n, h->query.cols, h->query.dtype, query));
    GE_TRY(ge_gather(ws->dev, h->query, rows, *query));
    GE_TRY(ge_workspace_host(ws, GE_SLOT_QUERY_ENDS, n, &host));
    for (size_t i = 0; i < n; i++) host[i] = (int32_t)(i + 1);
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_QUERY_ENDS, host, n, ends));
done:
    return rc;
}

/* a (n, d) = the attention of each picture's query over its rows x. */
static ge_status attend_to_rows(const struct siglip *siglip, struct ge_workspace *ws,
                                struct ge_tensor x, const struct ge_sequences *s, size_t n,
                                struct ge_tensor *a)
{
    const struct ge_layers_config *l = &siglip->vision.config.layers;
    const struct head *h = &siglip->pooling;
    struct ge_tensor query, q_ends, kv, attended;
    size_t d = l->width;
    ge_status rc = GE_OK;

    GE_TRY(repeat_query(h, ws, n, &query, &q_ends));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_QKV, x.rows, 2 * d, x.dtype, &kv));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED2, n, d, x.dtype, &attended));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_OUT, n, d, x.dtype, a));
    GE_TRY(ge_linear_run(&h->kv, ws->dev, x, GE_ACT_NONE, none, kv));
    const struct ge_attention attention = {
        .q = query,
        .k = ge_tensor_cols(kv, 0, d),
        .v = ge_tensor_cols(kv, d, d),
        .out = attended,
        .q_ends = q_ends,
        .kv_ends = s->ends,
        .max_q = 1,
        .max_kv = s->longest,
        .heads = l->heads,
        .head_dim = d / l->heads,
        .scale = 1.0f / sqrtf((float)(d / l->heads)),
    };
    GE_TRY(ge_attend(ws->dev, &attention));
    GE_TRY(ge_linear_run(&h->out, ws->dev, attended, GE_ACT_NONE, none, *a));
done:
    return rc;
}

static ge_status siglip_images(struct ge_model *m, const struct ge_pictures *in,
                               struct ge_tensor *out)
{
    const struct siglip *siglip = (struct siglip *)m;
    const struct ge_layers_config *l = &siglip->vision.config.layers;
    const struct head *h = &siglip->pooling;
    struct ge_workspace *ws = &m->ws;
    size_t n = in->pixels.rows;
    struct ge_tensor x, normed, ff;
    struct ge_sequences s;
    ge_status rc = GE_OK;

    GE_TRY(ge_vit_run(&siglip->vision, ws, m->dtype, in, &x, &s));
    GE_TRY(attend_to_rows(siglip, ws, x, &s, n, out));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED, n, l->width, m->dtype, &normed));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_FF, n, l->ff, m->dtype, &ff));
    GE_TRY(ge_norm_run(&h->norm, ws->dev, *out, normed));
    GE_TRY(ge_linear_run(&h->fc1, ws->dev, normed, l->act, none, ff));
    GE_TRY(ge_linear_run(&h->fc2, ws->dev, ff, GE_ACT_NONE, *out, *out));
done:
    return rc;
}

static ge_status siglip_texts(struct ge_model *m, const struct ge_text_batch *b,
                              struct ge_tensor *out)
{
    const struct siglip *siglip = (struct siglip *)m;
    int32_t *pick;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_host(&m->ws, GE_SLOT_PICK, b->texts, &pick));
    for (size_t i = 0; i < b->texts; i++) pick[i] = b->ends[i] - 1;
    GE_TRY(ge_text_tower_run(&siglip->text, m, b, pick, out));
done:
    return rc;
}

static size_t siglip_bytes(const struct ge_model *m, size_t images, size_t tokens)
{
    const struct siglip *siglip = (const struct siglip *)m;

    return ge_two_towers_bytes(m, &siglip->vision, &siglip->text, images, tokens);
}

static void siglip_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    const struct siglip *siglip = (const struct siglip *)m;

    ge_two_towers_describe(m, &siglip->vision, &siglip->text, w);
}

const struct ge_model_ops ge_siglip_ops = {
    .size = sizeof(struct siglip),
    .load = siglip_load,
    .images = siglip_images,
    .texts = siglip_texts,
    .bytes = siglip_bytes,
    .describe = siglip_describe,
    .free = siglip_free,
};
