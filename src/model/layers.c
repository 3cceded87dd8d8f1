#include "model/layers.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct ge_tensor none = {0};

/* ---- loading ------------------------------------------------------------------------------ */

static ge_status load_layer(struct ge_layer *layer, const struct ge_layers_config *c,
                            const struct ge_layer_names *names, const struct ge_weights *w,
                            const char *base, size_t i)
{
    char *prefix = NULL;
    ge_status rc = GE_OK;

    GE_TRY_PTR(prefix, ge_sprintf("%s.%zu", base, i));
    GE_TRY(ge_weights_stacked(w, prefix, names->qkv, 3, c->width, c->width, &layer->qkv));
    GE_TRY(ge_weights_linear(w, prefix, names->out, c->width, c->width, true, &layer->out));
    GE_TRY(ge_weights_norm(w, prefix, names->norm1, c->width, c->eps, &layer->norm1));
    GE_TRY(ge_weights_linear(w, prefix, names->fc1, c->ff, c->width, true, &layer->fc1));
    GE_TRY(ge_weights_linear(w, prefix, names->fc2, c->width, c->ff, true, &layer->fc2));
    GE_TRY(ge_weights_norm(w, prefix, names->norm2, c->width, c->eps, &layer->norm2));
done:
    free(prefix);
    return rc;
}

ge_status ge_layers_load(struct ge_layers *l, const struct ge_layers_config *config,
                         const struct ge_layer_names *names, const struct ge_weights *w,
                         const char *base)
{
    ge_status rc = GE_OK;

    l->config = *config;
    GE_NEW(l->layer, config->layers);
    for (size_t i = 0; i < config->layers; i++)
        GE_TRY(load_layer(&l->layer[i], config, names, w, base, i));
done:
    return rc;
}

void ge_layers_free(struct ge_layers *l)
{
    for (size_t i = 0; l->layer != NULL && i < l->config.layers; i++) {
        ge_linear_free(&l->layer[i].qkv);
        ge_linear_free(&l->layer[i].out);
        ge_linear_free(&l->layer[i].fc1);
        ge_linear_free(&l->layer[i].fc2);
        ge_norm_free(&l->layer[i].norm1);
        ge_norm_free(&l->layer[i].norm2);
    }
    free(l->layer);
    l->layer = NULL;
}

void ge_layers_describe(const struct ge_layers_config *c, struct ge_jsonw *w)
{
    ge_jsonw_int(w, "width", (int64_t)c->width);
    ge_jsonw_int(w, "layers", (int64_t)c->layers);
    ge_jsonw_int(w, "heads", (int64_t)c->heads);
    ge_jsonw_int(w, "ff", (int64_t)c->ff);
    ge_jsonw_string(w, "activation", ge_activation_name(c->act));
}

/* ---- memory ------------------------------------------------------------------------------- */

void ge_workspace_free(struct ge_workspace *ws)
{
    for (int i = 0; i < GE_SLOTS; i++) ge_buffer_delete(&ws->slot[i]);
}

ge_status ge_workspace_get(struct ge_workspace *ws, enum ge_slot slot, size_t rows, size_t cols,
                           enum ge_dtype dtype, struct ge_tensor *out)
{
    struct ge_tensor t;
    ge_status rc = GE_OK;
    size_t bytes;

    GE_TRY(ge_mul(rows, cols, &bytes));
    GE_TRY(ge_mul(bytes, ge_dtype_size(dtype), &bytes));
    if (ws->slot[slot] == NULL || bytes > ge_buffer_bytes(ws->slot[slot])) {
        ge_buffer_delete(&ws->slot[slot]);
        GE_TRY(ge_tensor_new(ws->dev, rows, cols, dtype, &t));
        ws->slot[slot] = t.buf;
    }
    *out = ge_tensor_at(ws->slot[slot], 0, rows, cols, dtype);
done:
    return rc;
}

ge_status ge_workspace_ints(struct ge_workspace *ws, enum ge_slot slot, const int32_t *data,
                            size_t n, struct ge_tensor *out)
{
    ge_status rc = ge_workspace_get(ws, slot, 1, n, GE_I32, out);

    return rc == GE_OK ? ge_upload(*out, data) : rc;
}

/* ---- forward ------------------------------------------------------------------------------ */

struct pass {
    struct ge_device *dev;
    const struct ge_layers_config *c;
    struct ge_tensor x, hidden, qkv, ff; /* (rows, d), (rows, d), (rows, 3d), (rows, ff) */
    struct ge_attention attention;       /* from qkv to hidden */
};

static ge_status run_norm(const struct pass *p, const struct ge_norm *n, struct ge_tensor x,
                          struct ge_tensor y)
{
    return ge_layernorm(p->dev, x, n->gain, n->bias, n->eps, y);
}

/* x = x + attn(norm1 x); x = x + mlp(norm2 x) */
static ge_status pre_norm_layer(const struct pass *p, const struct ge_layer *l)
{
    ge_status rc = GE_OK;

    GE_TRY(run_norm(p, &l->norm1, p->x, p->hidden));
    GE_TRY(ge_linear_run(&l->qkv, p->dev, p->hidden, GE_ACT_NONE, none, p->qkv));
    GE_TRY(ge_attend(p->dev, &p->attention));
    GE_TRY(ge_linear_run(&l->out, p->dev, p->hidden, GE_ACT_NONE, p->x, p->x));
    GE_TRY(run_norm(p, &l->norm2, p->x, p->hidden));
    GE_TRY(ge_linear_run(&l->fc1, p->dev, p->hidden, p->c->act, none, p->ff));
    GE_TRY(ge_linear_run(&l->fc2, p->dev, p->ff, GE_ACT_NONE, p->x, p->x));
done:
    return rc;
}

/* x = norm1(x + attn(x)); x = norm2(x + mlp(x)) */
static ge_status post_norm_layer(const struct pass *p, const struct ge_layer *l)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_linear_run(&l->qkv, p->dev, p->x, GE_ACT_NONE, none, p->qkv));
    GE_TRY(ge_attend(p->dev, &p->attention));
    GE_TRY(ge_linear_run(&l->out, p->dev, p->hidden, GE_ACT_NONE, p->x, p->x));
    GE_TRY(run_norm(p, &l->norm1, p->x, p->x));
    GE_TRY(ge_linear_run(&l->fc1, p->dev, p->x, p->c->act, none, p->ff));
    GE_TRY(ge_linear_run(&l->fc2, p->dev, p->ff, GE_ACT_NONE, p->x, p->x));
    GE_TRY(run_norm(p, &l->norm2, p->x, p->x));
done:
    return rc;
}

ge_status ge_layers_run(const struct ge_layers *l, struct ge_workspace *ws, struct ge_tensor x,
                        struct ge_tensor ends, size_t longest)
{
    const struct ge_layers_config *c = &l->config;
    struct pass p = {.dev = ws->dev, .c = c, .x = x};
    size_t d = c->width, head_dim = d / c->heads;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_get(ws, GE_SLOT_HIDDEN, x.rows, d, x.dtype, &p.hidden));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_QKV, x.rows, 3 * d, x.dtype, &p.qkv));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_FF, x.rows, c->ff, x.dtype, &p.ff));
    p.attention = (struct ge_attention){
        .q = ge_tensor_cols(p.qkv, 0, d),
        .k = ge_tensor_cols(p.qkv, d, d),
        .v = ge_tensor_cols(p.qkv, 2 * d, d),
        .out = p.hidden,
        .q_ends = ends,
        .kv_ends = ends,
        .max_q = longest,
        .max_kv = longest,
        .heads = c->heads,
        .head_dim = head_dim,
        .scale = 1.0f / sqrtf((float)head_dim),
        .causal = c->causal,
    };
    for (size_t i = 0; i < c->layers; i++)
        GE_TRY((c->post_norm ? post_norm_layer : pre_norm_layer)(&p, &l->layer[i]));
done:
    return rc;
}
