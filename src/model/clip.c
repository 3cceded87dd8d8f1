/* CLIP (Radford et al. 2021) as Hugging Face stores it: a vision transformer and a causal text
 * transformer with a projection each. */
#include <stdlib.h>

#include "base/mem.h"
#include "model/model.h"

static const struct ge_layer_names names = {
    .qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
    .out = "self_attn.out_proj",
    .norm1 = "layer_norm1",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .norm2 = "layer_norm2",
};
static const struct ge_tensor none = {0};

struct vision {
    size_t patch, grid;               /* pixels of a side; patches of a side */
    struct ge_linear patch_embedding; /* (d, 3*patch*patch), no bias */
    struct ge_tensor class_row;       /* (1, d): class embedding + position 0 */
    struct ge_tensor positions;       /* (grid*grid, d) */
    struct ge_norm pre_norm, post_norm;
    struct ge_layers layers;
    struct ge_linear projection; /* (dim, d), no bias */
};

struct text {
    size_t positions, eos;
    struct ge_tensor token_table, position_table; /* (vocab, d), (positions, d) */
    struct ge_layers layers;
    struct ge_norm final_norm;
    struct ge_linear projection; /* (dim, d), no bias */
};

struct clip {
    struct ge_model head;
    struct vision vision;
    struct text text;
    int32_t *index; /* host indices of a pass: ends and picked rows */
    size_t cap_index;
};

/* ---- loading ------------------------------------------------------------------------------ */

/* The object that describes a tower. If <tower>_config_dict is there, transformers builds a full
 * configuration from it plus class defaults, which overrides <tower>_config. */
static ge_status tower_config(const struct ge_model_source *src, const char *key,
                              const char *dict_key, const char *section, struct ge_config *out)
{
    const ge_json *v = ge_json_get(src->config, dict_key);

    if (v == NULL || ge_json_type(v) == GE_JSON_NULL) v = ge_json_get(src->config, key);
    if (v != NULL && ge_json_type(v) == GE_JSON_NULL) v = NULL;
    *out = (struct ge_config){v, src->config_path, section};
    if (v != NULL && ge_json_type(v) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: %s: wanted an object, found %s", src->config_path, key,
                       ge_json_type_name(ge_json_type(v)));
    return GE_OK;
}

static ge_status layers_config(const struct ge_config *c, size_t width, size_t heads, size_t ff,
                               struct ge_layers_config *out)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(c, "hidden_size", width, 1, GE_MAX_WIDTH, &out->width));
    GE_TRY(ge_config_size(c, "intermediate_size", ff, 1, 4 * GE_MAX_WIDTH, &out->ff));
    GE_TRY(ge_config_size(c, "num_hidden_layers", 12, 0, GE_MAX_LAYERS, &out->layers));
    GE_TRY(ge_config_size(c, "num_attention_heads", heads, 1, GE_MAX_WIDTH, &out->heads));
    GE_TRY(ge_config_float(c, "layer_norm_eps", 1e-5, 0, 1, &out->eps));
    GE_TRY(ge_config_activation(c, "hidden_act", "quick_gelu", &out->act));
    if (out->width % out->heads != 0)
        return ge_fail(GE_EFORMAT, "%s: %shidden_size %zu is not a multiple of %zu heads", c->file,
                       c->section, out->width, out->heads);
done:
    return rc;
}

/* The class token is the first row; its position can be added once and for all. */
static ge_status load_positions(struct vision *v, const struct ge_weights *w, size_t d)
{
    float *class_row = NULL, *positions = NULL;
    size_t patches = v->grid * v->grid;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_read(w, "vision_model.embeddings", "class_embedding", 1, d, &class_row));
    GE_TRY(ge_weights_read(w, "vision_model.embeddings", "position_embedding.weight", patches + 1,
                           d, &positions));
    for (size_t i = 0; i < d; i++) class_row[i] += positions[i];
    GE_TRY(ge_weights_upload(w, class_row, 1, d, w->dtype, &v->class_row));
    GE_TRY(ge_weights_upload(w, positions + d, patches, d, w->dtype, &v->positions));
done:
    free(class_row);
    free(positions);
    return rc;
}

static ge_status load_vision(struct clip *clip, const struct ge_weights *w,
                             const struct ge_model_source *src)
{
    struct vision *v = &clip->vision;
    struct ge_layers_config layers = {0};
    struct ge_config c;
    size_t d, channels;
    ge_status rc = GE_OK;

    GE_TRY(tower_config(src, "vision_config", "vision_config_dict", "vision_config.", &c));
    GE_TRY(layers_config(&c, 768, 12, 3072, &layers));
    GE_TRY(ge_config_size(&c, "num_channels", 3, 3, 3, &channels));
    GE_TRY(ge_config_size(&c, "image_size", 224, 1, GE_MAX_IMAGE, &clip->head.image_size));
    GE_TRY(ge_config_size(&c, "patch_size", 32, 1, clip->head.image_size, &v->patch));
    d = layers.width;
    v->grid = clip->head.image_size / v->patch;
    GE_TRY(ge_weights_linear(w, "vision_model.embeddings", "patch_embedding", d,
                             channels * v->patch * v->patch, false, &v->patch_embedding));
    GE_TRY(load_positions(v, w, d));
    GE_TRY(ge_weights_norm(w, "vision_model", "pre_layrnorm", d, layers.eps, &v->pre_norm));
    GE_TRY(ge_layers_load(&v->layers, &layers, &names, w, "vision_model.encoder.layers"));
    GE_TRY(ge_weights_norm(w, "vision_model", "post_layernorm", d, layers.eps, &v->post_norm));
    GE_TRY(ge_weights_linear(w, "", "visual_projection", clip->head.dim, d, false, &v->projection));
done:
    return rc;
}

static ge_status load_text(struct clip *clip, const struct ge_weights *w,
                           const struct ge_model_source *src)
{
    struct text *t = &clip->text;
    struct ge_layers_config layers = {.causal = true};
    struct ge_config c;
    size_t d;
    ge_status rc = GE_OK;

    GE_TRY(tower_config(src, "text_config", "text_config_dict", "text_config.", &c));
    GE_TRY(layers_config(&c, 512, 8, 2048, &layers));
    GE_TRY(ge_config_size(&c, "vocab_size", 49408, 1, GE_MAX_VOCAB, &clip->head.vocab));
    GE_TRY(ge_config_size(&c, "max_position_embeddings", 77, 2, GE_MAX_POSITIONS, &t->positions));
    GE_TRY(ge_config_size(&c, "eos_token_id", 49407, 0, GE_MAX_VOCAB, &t->eos));
    clip->head.max_tokens = t->positions;
    d = layers.width;
    GE_TRY(ge_weights_table(w, "text_model.embeddings", "token_embedding.weight", clip->head.vocab,
                            d, &t->token_table));
    GE_TRY(ge_weights_table(w, "text_model.embeddings", "position_embedding.weight", t->positions,
                            d, &t->position_table));
    GE_TRY(ge_layers_load(&t->layers, &layers, &names, w, "text_model.encoder.layers"));
    GE_TRY(ge_weights_norm(w, "text_model", "final_layer_norm", d, layers.eps, &t->final_norm));
    GE_TRY(ge_weights_linear(w, "", "text_projection", clip->head.dim, d, false, &t->projection));
done:
    return rc;
}

static ge_status load_scale(struct clip *clip, const struct ge_weights *w)
{
    float *scale = NULL;
    ge_status rc = ge_weights_read(w, "", "logit_scale", 1, 1, &scale);

    if (rc == GE_OK) {
        clip->head.has_scale = true;
        clip->head.logit_scale = scale[0];
    }
    free(scale);
    return rc;
}

static void clip_free(struct ge_model *m)
{
    struct clip *clip = (struct clip *)m;

    ge_linear_free(&clip->vision.patch_embedding);
    ge_buffer_delete(&clip->vision.class_row.buf);
    ge_buffer_delete(&clip->vision.positions.buf);
    ge_norm_free(&clip->vision.pre_norm);
    ge_norm_free(&clip->vision.post_norm);
    ge_layers_free(&clip->vision.layers);
    ge_linear_free(&clip->vision.projection);
    ge_buffer_delete(&clip->text.token_table.buf);
    ge_buffer_delete(&clip->text.position_table.buf);
    ge_layers_free(&clip->text.layers);
    ge_norm_free(&clip->text.final_norm);
    ge_linear_free(&clip->text.projection);
    ge_workspace_free(&m->ws);
    free(clip->index);
    free(clip);
}

/* ---- forward ------------------------------------------------------------------------------ */

static ge_status reserve_index(struct clip *clip, size_t n)
{
    int32_t *grown;

    if (n <= clip->cap_index) return GE_OK;
    grown = ge_realloc(clip->index, n, sizeof *grown);
    if (grown == NULL) return GE_ENOMEM;
    clip->index = grown;
    clip->cap_index = n;
    return GE_OK;
}

/* Rows `pick` of x, normalised and projected. */
static ge_status pool(struct clip *clip, struct ge_tensor x, const int32_t *pick, size_t n,
                      const struct ge_norm *norm, const struct ge_linear *projection,
                      struct ge_tensor *out)
{
    struct ge_workspace *ws = &clip->head.ws;
    struct ge_tensor rows, pooled;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_PICK, pick, n, &rows));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED, n, x.cols, x.dtype, &pooled));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_OUT, n, clip->head.dim, x.dtype, out));
    GE_TRY(ge_gather(ws->dev, x, rows, pooled));
    GE_TRY(ge_layernorm(ws->dev, pooled, norm->gain, norm->bias, norm->eps, pooled));
    GE_TRY(ge_linear_run(projection, ws->dev, pooled, GE_ACT_NONE, none, *out));
done:
    return rc;
}

static ge_status clip_images(struct ge_model *m, const float *pixels, size_t n,
                             struct ge_tensor *out)
{
    struct clip *clip = (struct clip *)m;
    const struct vision *v = &clip->vision;
    struct ge_workspace *ws = &m->ws;
    struct ge_tensor input, converted, patches, embedded, x, ends;
    size_t d = v->layers.config.width, size = m->image_size;
    size_t p = v->grid * v->grid, tokens = p + 1;
    ge_status rc = GE_OK;
    int last;

    GE_TRY(ge_to_int(n * tokens, &last)); /* rows are counted in int32 on the device */
    GE_TRY(reserve_index(clip, 2 * n));
    for (size_t i = 0; i < n; i++) {
        clip->index[i] = (int32_t)((i + 1) * tokens); /* ends */
        clip->index[n + i] = (int32_t)(i * tokens);   /* class rows */
    }
    GE_TRY(ge_workspace_get(ws, GE_SLOT_INPUT, n, 3 * size * size, GE_F32, &input));
    GE_TRY(ge_upload(input, pixels));
    converted = input;
    if (m->dtype != GE_F32) {
        GE_TRY(ge_workspace_get(ws, GE_SLOT_QKV, n, 3 * size * size, m->dtype, &converted));
        GE_TRY(ge_copy(ws->dev, input, converted));
    }
    GE_TRY(ge_workspace_get(ws, GE_SLOT_FF, n * p, 3 * v->patch * v->patch, m->dtype, &patches));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_HIDDEN, n * p, d, m->dtype, &embedded));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, n * tokens, d, m->dtype, &x));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, clip->index, n, &ends));
    GE_TRY(ge_patches(ws->dev, converted, 3, size, size, v->patch, patches));
    GE_TRY(ge_linear_run(&v->patch_embedding, ws->dev, patches, GE_ACT_NONE, none, embedded));
    GE_TRY(ge_patch_tokens(ws->dev, embedded, v->class_row, v->positions, x));
    GE_TRY(ge_layernorm(ws->dev, x, v->pre_norm.gain, v->pre_norm.bias, v->pre_norm.eps, x));
    GE_TRY(ge_layers_run(&v->layers, ws, x, ends, tokens));
    GE_TRY(pool(clip, x, clip->index + n, n, &v->post_norm, &v->projection, out));
done:
    return rc;
}

/* Row whose hidden state stands for the text: with the old eos id 2, the first row of the largest
 * id; otherwise the first end-of-text token, or row 0 if there is none. */
static size_t pooled_row(const int32_t *ids, size_t n, size_t eos)
{
    size_t best = 0;

    for (size_t i = 0; i < n; i++) {
        if (eos != 2 && (size_t)ids[i] == eos) return i;
        if (eos == 2 && ids[i] > ids[best]) best = i;
    }
    return best;
}

static ge_status clip_texts(struct ge_model *m, const struct ge_text_batch *b,
                            struct ge_tensor *out)
{
    struct clip *clip = (struct clip *)m;
    const struct text *t = &clip->text;
    struct ge_workspace *ws = &m->ws;
    struct ge_tensor ids, positions, ends, x;
    size_t begin = 0;
    ge_status rc = GE_OK;

    GE_TRY(reserve_index(clip, b->texts));
    for (size_t i = 0; i < b->texts; i++) {
        size_t end = (size_t)b->ends[i];
        clip->index[i] = (int32_t)(begin + pooled_row(b->ids + begin, end - begin, t->eos));
        begin = end;
    }
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_IDS, b->ids, b->tokens, &ids));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_POSITIONS, b->positions, b->tokens, &positions));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, b->ends, b->texts, &ends));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, b->tokens, t->layers.config.width, m->dtype, &x));
    GE_TRY(ge_embed(ws->dev, ids, positions, t->token_table, none, t->position_table, x));
    GE_TRY(ge_layers_run(&t->layers, ws, x, ends, b->longest));
    GE_TRY(pool(clip, x, clip->index, b->texts, &t->final_norm, &t->projection, out));
done:
    return rc;
}

static void clip_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    const struct clip *clip = (const struct clip *)m;

    ge_jsonw_object(w, "vision");
    ge_layers_describe(&clip->vision.layers.config, w);
    ge_jsonw_int(w, "image_size", (int64_t)m->image_size);
    ge_jsonw_int(w, "patch_size", (int64_t)clip->vision.patch);
    ge_jsonw_object_end(w);
    ge_jsonw_object(w, "text");
    ge_layers_describe(&clip->text.layers.config, w);
    ge_jsonw_int(w, "max_tokens", (int64_t)m->max_tokens);
    ge_jsonw_object_end(w);
}

static const struct ge_model_ops clip_ops = {
    .kind = "clip",
    .images = clip_images,
    .texts = clip_texts,
    .describe = clip_describe,
    .free = clip_free,
};

ge_status ge_clip_load(const struct ge_model_source *src, struct ge_model **m)
{
    const struct ge_config top = {src->config, src->config_path, ""};
    struct ge_checkpoint *checkpoint = NULL;
    struct clip *clip = NULL;
    struct ge_weights w;
    ge_status rc = GE_OK;

    GE_NEW(clip, 1);
    clip->head.ops = &clip_ops;
    clip->head.ws.dev = src->dev;
    clip->head.dtype = src->dtype;
    GE_TRY(ge_config_size(&top, "projection_dim", 512, 1, GE_MAX_WIDTH, &clip->head.dim));
    GE_TRY(ge_checkpoint_open(src->transformer_folder, &checkpoint));
    ge_checkpoint_describe(checkpoint, src->hasher);
    w = (struct ge_weights){src->dev, checkpoint, "clip.", src->dtype};
    GE_TRY(load_vision(clip, &w, src));
    GE_TRY(load_text(clip, &w, src));
    GE_TRY(load_scale(clip, &w));
    *m = &clip->head;
    clip = NULL;
done:
    ge_checkpoint_close(&checkpoint);
    if (clip != NULL) clip_free(&clip->head);
    return rc;
}
