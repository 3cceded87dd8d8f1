/* DINOv2 (Oquab et al. 2023), also with registers (Darcet et al. 2024), as Hugging Face stores it: a
 * vision transformer with layer scale. A picture's embedding is its class token after the last norm
 * (transformers' pooler_output). The preprocessing decides the pictures' size; the positions, which
 * are stored for another size (config.json's image_size), are interpolated to it once. */
#include <string.h>

#include "model/model.h"
#include "model/vit.h"

static const struct ge_layer_names layer_names = {
    .qkv = {"attention.attention.query", "attention.attention.key", "attention.attention.value"},
    .out = "attention.output.dense",
    .norm1 = "norm1",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .norm2 = "norm2",
    .gate = "mlp.weights_in",
    .gated_out = "mlp.weights_out",
    .scale = {"layer_scale1.lambda1", "layer_scale2.lambda1"},
};
static const struct ge_vit_names names = {
    .patch = "embeddings.patch_embeddings.projection",
    .positions = "embeddings.position_embeddings",
    .class_token = "embeddings.cls_token",
    .registers = "embeddings.register_tokens",
    .post_norm = "layernorm",
    .layers = "encoder.layer",
    .layer = &layer_names,
};
static const char *const prefixes[] = {"", "dinov2.", "dinov2_with_registers.", NULL};

struct dinov2 {
    struct ge_model head;
    struct ge_vit vision;
};

/* Settings of the layers that other families have otherwise. */
static ge_status read_layers(const struct ge_config *c, struct ge_layers_config *l)
{
    bool qkv_bias;
    float ratio;
    ge_status rc = GE_OK;

    GE_TRY(ge_layers_configure(c, "gelu", l));
    GE_TRY(ge_config_float(c, "mlp_ratio", 4, 0.001, 1024, &ratio));
    GE_TRY(ge_config_bool(c, "qkv_bias", true, &qkv_bias));
    GE_TRY(ge_config_bool(c, "use_swiglu_ffn", false, &l->gated));
    l->no_qkv_bias = !qkv_bias;
    l->ff = (size_t)((float)l->width * ratio);
    /* SwiGLU keeps two thirds of the width, rounded up to a multiple of 8. */
    if (l->gated) l->ff = (2 * l->ff / 3 + 7) / 8 * 8;
    if (l->ff == 0)
        return ge_fail(GE_EFORMAT, "%s: mlp_ratio %g of hidden_size %zu leaves nothing", c->file,
                       (double)ratio, l->width);
done:
    return rc;
}

static ge_status dinov2_load(struct ge_model *m, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, prefixes);
    const struct ge_config c = {src->config, src->config_path, ""};
    bool registers = strcmp(src->kind->type, "dinov2_with_registers") == 0;
    struct dinov2 *dinov2 = (struct dinov2 *)m;
    struct ge_vit_config v = {
        .layers = {.width = 768, .heads = 12, .layers = 12, .ff = 1, .eps = 1e-6f, .picked = true},
        .patch = registers ? 16 : 14, /* the classes' defaults */
        .image = 224,
        .height = (size_t)src->preprocess->height,
        .width = (size_t)src->preprocess->width,
        .patch_bias = true,
        .resize = registers ? GE_VIT_ANTIALIAS : GE_VIT_BICUBIC,
    };
    ge_status rc = GE_OK;

    GE_TRY(read_layers(&c, &v.layers));
    GE_TRY(ge_vit_configure(&c, &v));
    if (registers) GE_TRY(ge_config_size(&c, "num_register_tokens", 4, 0, 1024, &v.registers));
    GE_TRY(ge_vit_load(&dinov2->vision, &v, &names, &w));
    m->dim = v.layers.width;
    m->height = v.height;
    m->width = v.width;
    m->norm_epsilon = 1e-12f; /* torch's F.normalize */
done:
    return rc;
}

static void dinov2_free(struct ge_model *m)
{
    ge_vit_free(&((struct dinov2 *)m)->vision);
}

static ge_status dinov2_images(struct ge_model *m, const struct ge_pictures *in,
                               struct ge_tensor *out)
{
    const struct dinov2 *dinov2 = (struct dinov2 *)m;

    return ge_vit_run_class(&dinov2->vision, &m->ws, m->dtype, in, NULL, out);
}

static size_t dinov2_bytes(const struct ge_model *m, size_t images, size_t tokens)
{
    (void)tokens;
    return images * ge_vit_bytes(&((const struct dinov2 *)m)->vision, m->dtype);
}

static void dinov2_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    ge_vit_describe(&((const struct dinov2 *)m)->vision, w);
}

const struct ge_model_ops ge_dinov2_ops = {
    .size = sizeof(struct dinov2),
    .load = dinov2_load,
    .images = dinov2_images,
    .bytes = dinov2_bytes,
    .describe = dinov2_describe,
    .free = dinov2_free,
};
