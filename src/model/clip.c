/* CLIP (Radford et al. 2021) as Hugging Face stores it: a vision transformer that is pooled at its
 * class token and a causal text transformer that is pooled at the end of the text, with a projection
 * each. Folders of one tower, with a projection or without, are read, too. */
#include <string.h>

#include "model/text_tower.h"
#include "model/vit.h"

static const struct ge_vit_names vision_names = {
    .patch = "embeddings.patch_embedding",
    .positions = "embeddings.position_embedding.weight",
    .class_token = "embeddings.class_embedding",
    .pre_norm = "pre_layrnorm",
    .post_norm = "post_layernorm",
    .layers = "encoder.layers",
    .layer = &ge_clip_layer_names,
};

/* Newer transformers store a tower that is alone without its name in front. */
static const char *const vision_prefixes[] = {"vision_model.", "clip.vision_model.", "", NULL};
static const char *const text_prefixes[] = {"text_model.", "clip.text_model.", "", NULL};
static const char *const top_prefixes[] = {"", "clip.", NULL};

struct clip {
    struct ge_model head;
    struct ge_vit vision;
    struct ge_linear vision_projection; /* (dim, d); absent: none */
    struct ge_text_tower text;
    size_t eos;
};

/* ---- loading ------------------------------------------------------------------------------ */

/* A tower alone may end with its pooled row (CLIPVisionModel, CLIPTextModel) or be projected
 * (…WithProjection). The class that saved it says which; without one, the weights do. */
static ge_status load_projection(struct clip *clip, const struct ge_model_source *src,
                                 const char *name, size_t d, struct ge_linear *out)
{
    const struct ge_weights w = ge_model_weights(src, top_prefixes);
    const ge_json *classes = ge_json_get(src->config, "architectures");
    const char *class = ge_json_string(ge_json_first(classes), NULL);
    const struct ge_config c = {src->config, src->config_path, ""};
    const struct ge_stored *stored;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(&c, "projection_dim", 512, 1, GE_MAX_WIDTH, &clip->head.dim));
    GE_TRY(ge_weights_find(&w, name, "weight", &stored));
    if ((!src->kind->images || !src->kind->texts) &&
        (class != NULL ? strstr(class, "WithProjection") == NULL : stored == NULL)) {
        clip->head.dim = d;
        return GE_OK;
    }
    GE_TRY(ge_weights_linear(&w, "", name, clip->head.dim, d, false, out));
done:
    return rc;
}

static ge_status load_vision(struct clip *clip, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, vision_prefixes);
    struct ge_vit_config v = {
        .layers =
            {.width = 768, .heads = 12, .ff = 3072, .layers = 12, .eps = 1e-5f, .picked = true},
        .patch = 32,
        .image = 224,
    };
    struct ge_config c;
    ge_status rc = GE_OK;

    GE_TRY(ge_model_tower(src, "vision_config", "vision_config_dict", "vision_config.", &c));
    GE_TRY(ge_layers_configure(&c, "quick_gelu", &v.layers));
    GE_TRY(ge_vit_configure(&c, &v));
    v.height = v.width = clip->head.height = clip->head.width = v.image;
    GE_TRY(ge_vit_load(&clip->vision, &v, &vision_names, &w));
    GE_TRY(
        load_projection(clip, src, "visual_projection", v.layers.width, &clip->vision_projection));
done:
    return rc;
}

static ge_status load_text(struct clip *clip, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, text_prefixes);
    struct ge_layers_config layers = {
        .width = 512, .heads = 8, .ff = 2048, .layers = 12, .eps = 1e-5f, .causal = true};
    struct ge_config c;
    ge_status rc = GE_OK;

    GE_TRY(ge_model_tower(src, "text_config", "text_config_dict", "text_config.", &c));
    GE_TRY(ge_layers_configure(&c, "quick_gelu", &layers));
    GE_TRY(ge_config_size(&c, "eos_token_id", 49407, 0, GE_MAX_VOCAB, &clip->eos));
    GE_TRY(ge_text_tower_load(&clip->text, &clip->head, &c, &layers, 49408, 77, &w));
    GE_TRY(load_projection(clip, src, "text_projection", layers.width, &clip->text.projection));
done:
    return rc;
}

static ge_status clip_load(struct ge_model *m, const struct ge_model_source *src)
{
    const struct ge_weights top = ge_model_weights(src, top_prefixes);
    struct clip *clip = (struct clip *)m;
    ge_status rc = GE_OK;

    if (src->kind->images) GE_TRY(load_vision(clip, src));
    if (src->kind->texts) GE_TRY(load_text(clip, src));
    if (src->kind->images && src->kind->texts) GE_TRY(ge_model_load_scale(m, &top));
done:
    return rc;
}

static void clip_free(struct ge_model *m)
{
    struct clip *clip = (struct clip *)m;

    ge_vit_free(&clip->vision);
    ge_linear_free(&clip->vision_projection);
    ge_text_tower_free(&clip->text);
}

/* ---- forward ------------------------------------------------------------------------------ */

static ge_status clip_images(struct ge_model *m, const struct ge_pictures *in,
                             struct ge_tensor *out)
{
    const struct clip *clip = (struct clip *)m;
    const struct ge_linear *projection =
        clip->vision_projection.w != NULL ? &clip->vision_projection : NULL;

    return ge_vit_run_class(&clip->vision, &m->ws, m->dtype, in, projection, out);
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
    const struct clip *clip = (struct clip *)m;
    size_t begin = 0;
    int32_t *pick;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_host(&m->ws, GE_SLOT_PICK, b->texts, &pick));
    for (size_t i = 0; i < b->texts; i++) {
        size_t end = (size_t)b->ends[i];
        pick[i] = (int32_t)(begin + pooled_row(b->ids + begin, end - begin, clip->eos));
        begin = end;
    }
    GE_TRY(ge_text_tower_run(&clip->text, m, b, pick, out));
done:
    return rc;
}

static size_t clip_bytes(const struct ge_model *m, size_t images, size_t tokens)
{
    const struct clip *clip = (const struct clip *)m;

    return ge_two_towers_bytes(m, &clip->vision, &clip->text, images, tokens);
}

static void clip_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    const struct clip *clip = (const struct clip *)m;

    ge_two_towers_describe(m, &clip->vision, &clip->text, w);
}

const struct ge_model_ops ge_clip_ops = {
    .size = sizeof(struct clip),
    .load = clip_load,
    .images = clip_images,
    .texts = clip_texts,
    .bytes = clip_bytes,
    .describe = clip_describe,
    .free = clip_free,
};
