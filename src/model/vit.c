#include "model/vit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/grid.h"

static const struct ge_tensor none = {0};

/* ---- loading ------------------------------------------------------------------------------ */

ge_status ge_vit_configure(const struct ge_config *c, struct ge_vit_config *out)
{
    size_t channels;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(c, "num_channels", 3, 3, 3, &channels));
    GE_TRY(ge_config_size(c, "image_size", out->image, 1, GE_MAX_IMAGE, &out->image));
    GE_TRY(ge_config_size(c, "patch_size", out->patch, 1, out->image, &out->patch));
done:
    return rc;
}

/* The stored rows of the patches' positions, for the pictures' grid. */
static ge_status load_positions(struct ge_vit *v, const struct ge_weights *w, const float *stored)
{
    const struct ge_vit_config *c = &v->config;
    size_t side = c->image / c->patch, rows = c->height / c->patch, cols = c->width / c->patch;
    size_t d = c->layers.width, count;
    float *resized = NULL;
    ge_status rc = GE_OK;

    if (rows != side || cols != side) {
        GE_TRY(ge_mul(rows * cols, d, &count));
        GE_NEW(resized, count);
        GE_TRY(ge_grid_resize(stored, side, d, c->resize == GE_VIT_ANTIALIAS, rows, cols, resized));
        stored = resized;
    }
    GE_TRY(ge_weights_upload(w, stored, rows * cols, d, w->dtype, &v->positions));
done:
    free(resized);
    return rc;
}

/* The tokens in front never change, so the class token's position is added once and for all. */
static ge_status load_prefix(struct ge_vit *v, const struct ge_vit_names *names,
                             const struct ge_weights *w, const float *class_position)
{
    size_t d = v->config.layers.width, registers = v->config.registers;
    float *class_row = NULL, *more = NULL, *all = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_read(w, "", names->class_token, 1, d, &class_row));
    if (registers > 0) GE_TRY(ge_weights_read(w, "", names->registers, registers, d, &more));
    GE_NEW(all, v->first * d);
    for (size_t i = 0; i < d; i++) all[i] = class_row[i] + class_position[i];
    if (registers > 0) memcpy(all + d, more, registers * d * sizeof *all);
    GE_TRY(ge_weights_upload(w, all, v->first, d, w->dtype, &v->prefix));
done:
    free(class_row);
    free(more);
    free(all);
    return rc;
}

static ge_status load_tokens(struct ge_vit *v, const struct ge_vit_names *names,
                             const struct ge_weights *w)
{
    const struct ge_vit_config *c = &v->config;
    size_t side = c->image / c->patch, d = c->layers.width;
    size_t class_rows = names->class_token != NULL ? 1 : 0;
    float *positions = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_read(w, "", names->positions, side * side + class_rows, d, &positions));
    if (class_rows > 0) GE_TRY(load_prefix(v, names, w, positions));
    GE_TRY(load_positions(v, w, positions + class_rows * d));
done:
    free(positions);
    return rc;
}

/* A few bytes of configuration must not ask for any number of tokens. */
static ge_status check_grid(const struct ge_vit_config *c)
{
    size_t rows = c->height / c->patch, cols = c->width / c->patch;

    if (rows == 0 || cols == 0)
        return ge_fail(GE_EFORMAT,
                       "vision tower: pictures of %zux%zu are smaller than a patch of %zu",
                       c->height, c->width, c->patch);
    if (rows * cols > GE_MAX_POSITIONS)
        return ge_fail(GE_ELIMIT, "vision tower: pictures of %zux%zu have %zu patches, at most %d",
                       c->height, c->width, rows * cols, GE_MAX_POSITIONS);
    return GE_OK;
}

ge_status ge_vit_load(struct ge_vit *v, const struct ge_vit_config *config,
                      const struct ge_vit_names *names, const struct ge_weights *w)
{
    const struct ge_layers_config *l = &config->layers;
    size_t values;
    ge_status rc = GE_OK;

    v->config = *config;
    GE_TRY(check_grid(config));
    v->first = names->class_token != NULL ? 1 + config->registers : 0;
    v->tokens = v->first + (config->height / config->patch) * (config->width / config->patch);
    GE_TRY(ge_mul(3 * config->patch, config->patch, &values));
    GE_TRY(ge_weights_linear(w, "", names->patch, l->width, values, config->patch_bias,
                             &v->patch_embedding));
    GE_TRY(load_tokens(v, names, w));
    if (names->pre_norm != NULL)
        GE_TRY(ge_weights_norm(w, "", names->pre_norm, l->width, l->eps, &v->pre_norm));
    GE_TRY(ge_layers_load(&v->layers, l, names->layer, w, names->layers));
    GE_TRY(ge_weights_norm(w, "", names->post_norm, l->width, l->eps, &v->post_norm));
done:
    return rc;
}

void ge_vit_free(struct ge_vit *v)
{
    ge_linear_free(&v->patch_embedding);
    ge_buffer_delete(&v->prefix.buf);
    ge_buffer_delete(&v->positions.buf);
    ge_norm_free(&v->pre_norm);
    ge_norm_free(&v->post_norm);
    ge_layers_free(&v->layers);
}

void ge_vit_describe(const struct ge_vit *v, struct ge_jsonw *w)
{
    ge_jsonw_object(w, "vision");
    ge_layers_describe(&v->config.layers, w);
    ge_jsonw_int(w, "image_height", (int64_t)v->config.height);
    ge_jsonw_int(w, "image_width", (int64_t)v->config.width);
    ge_jsonw_int(w, "patch_size", (int64_t)v->config.patch);
    if (v->config.registers > 0) ge_jsonw_int(w, "registers", (int64_t)v->config.registers);
    ge_jsonw_object_end(w);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* Patches of the pictures, normalised, in the compute type: (n * patches, 3 * patch * patch). */
static ge_status cut_patches(const struct ge_vit *v, struct ge_workspace *ws,
                             const struct ge_pictures *in, struct ge_tensor patches)
{
    const struct ge_vit_config *c = &v->config;
    struct ge_tensor pixels = in->pixels;
    ge_status rc = GE_OK;

    if (pixels.dtype == GE_U8)
        return ge_pixel_patches(ws->dev, pixels, in->table, c->height, c->width, c->patch, patches);
    if (patches.dtype != GE_F32) {
        GE_TRY(ge_workspace_get(ws, GE_SLOT_QKV, pixels.rows, pixels.cols, patches.dtype, &pixels));
        GE_TRY(ge_copy(ws->dev, in->pixels, pixels));
    }
    GE_TRY(ge_patches(ws->dev, pixels, 3, c->height, c->width, c->patch, patches));
done:
    return rc;
}

static ge_status upload_ends(const struct ge_vit *v, struct ge_workspace *ws, size_t n,
                             struct ge_sequences *s)
{
    int32_t *ends;
    int last;
    ge_status rc = GE_OK;

    GE_TRY(ge_to_int(n * v->tokens, &last)); /* rows are counted in int32 on the device */
    GE_TRY(ge_workspace_host(ws, GE_SLOT_ENDS, n, &ends));
    for (size_t i = 0; i < n; i++) ends[i] = (int32_t)((i + 1) * v->tokens);
    *s = (struct ge_sequences){.longest = v->tokens};
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, ends, n, &s->ends));
done:
    return rc;
}

/* Pictures to the rows before the first layer. */
static ge_status embed_pictures(const struct ge_vit *v, struct ge_workspace *ws,
                                enum ge_dtype dtype, const struct ge_pictures *in,
                                struct ge_tensor *x, struct ge_sequences *s)
{
    const struct ge_vit_config *c = &v->config;
    size_t n = in->pixels.rows, d = c->layers.width, rows = n * v->positions.rows;
    struct ge_tensor patches, embedded;
    ge_status rc = GE_OK;

    GE_TRY(upload_ends(v, ws, n, s));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_FF, rows, 3 * c->patch * c->patch, dtype, &patches));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_HIDDEN, rows, d, dtype, &embedded));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, n * v->tokens, d, dtype, x));
    GE_TRY(cut_patches(v, ws, in, patches));
    GE_TRY(ge_linear_run(&v->patch_embedding, ws->dev, patches, GE_ACT_NONE, none, embedded));
    GE_TRY(ge_patch_tokens(ws->dev, embedded, v->prefix, v->positions, *x));
    if (v->pre_norm.gain.buf != NULL) GE_TRY(ge_norm_run(&v->pre_norm, ws->dev, *x, *x));
done:
    return rc;
}

ge_status ge_vit_run(const struct ge_vit *v, struct ge_workspace *ws, enum ge_dtype dtype,
                     const struct ge_pictures *in, struct ge_tensor *x, struct ge_sequences *s)
{
    ge_status rc = GE_OK;

    GE_TRY(embed_pictures(v, ws, dtype, in, x, s));
    GE_TRY(ge_layers_run(&v->layers, ws, *x, s));
    GE_TRY(ge_norm_run(&v->post_norm, ws->dev, *x, *x));
done:
    return rc;
}

ge_status ge_vit_run_class(const struct ge_vit *v, struct ge_workspace *ws, enum ge_dtype dtype,
                           const struct ge_pictures *in, const struct ge_linear *projection,
                           struct ge_tensor *out)
{
    size_t n = in->pixels.rows;
    struct ge_sequences s;
    struct ge_tensor x, rows;
    int32_t *pick;
    ge_status rc = GE_OK;

    GE_TRY(embed_pictures(v, ws, dtype, in, &x, &s));
    GE_TRY(ge_workspace_host(ws, GE_SLOT_PICK, n, &pick));
    for (size_t i = 0; i < n; i++) pick[i] = (int32_t)(i * v->tokens);
    GE_TRY(ge_layers_run_picked(&v->layers, ws, x, &s, pick, n, &rows));
    GE_TRY(ge_project_rows(ws, rows, &v->post_norm, projection, out));
done:
    return rc;
}

size_t ge_vit_bytes(const struct ge_vit *v, enum ge_dtype dtype)
{
    return ge_layers_bytes(&v->config.layers, v->tokens, dtype);
}
