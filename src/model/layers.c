#include "model/layers.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct ge_tensor none = {0};

/* ---- loading ------------------------------------------------------------------------------ */

ge_status ge_layers_configure(const struct ge_config *c, const char *act,
                              struct ge_layers_config *out)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(c, "hidden_size", out->width, 1, GE_MAX_WIDTH, &out->width));
    GE_TRY(ge_config_size(c, "intermediate_size", out->ff, 1, 4 * GE_MAX_WIDTH, &out->ff));
    GE_TRY(ge_config_size(c, "num_hidden_layers", out->layers, 0, GE_MAX_LAYERS, &out->layers));
    GE_TRY(ge_config_size(c, "num_attention_heads", out->heads, 1, GE_MAX_WIDTH, &out->heads));
    GE_TRY(ge_config_float(c, "layer_norm_eps", (double)out->eps, 0, 1, &out->eps));
    GE_TRY(ge_config_activation(c, "hidden_act", act, &out->act));
    if (out->width % out->heads != 0)
        return ge_fail(GE_EFORMAT, "%s: %shidden_size %zu is not a multiple of %zu heads", c->file,
                       c->section, out->width, out->heads);
done:
    return rc;
}

/* A projection back to the residual stream. Layer scale multiplies its result, element by element,
 * before the addition: the same as a weight and bias whose rows are multiplied once, here. That saves
 * an operation per pass and moves results by roundings only (measured in the golden tests). */
static ge_status load_scaled(const struct ge_weights *w, const char *prefix, const char *name,
                             const char *scale, size_t n, size_t k, struct ge_linear *out)
{
    struct ge_matrix m = {0};
    float *lambda = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_matrix(w, prefix, name, n, k, true, &m));
    if (scale != NULL) {
        GE_TRY(ge_weights_read(w, prefix, scale, 1, n, &lambda));
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < k; j++) m.weight[i * k + j] *= lambda[i];
            m.bias[i] *= lambda[i];
        }
    }
    GE_TRY(ge_matrix_upload(w, &m, 0, n, out));
done:
    free(lambda);
    ge_matrix_free(&m);
    return rc;
}

/* fc1 and gate, which are stored as one matrix. Apart, each gets its own activation. */
static ge_status load_gated(const struct ge_weights *w, const char *prefix, const char *name,
                            const struct ge_layers_config *c, struct ge_layer *layer)
{
    struct ge_matrix m = {0};
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_matrix(w, prefix, name, 2 * c->ff, c->width, true, &m));
    GE_TRY(ge_matrix_upload(w, &m, 0, c->ff, &layer->fc1));
    GE_TRY(ge_matrix_upload(w, &m, c->ff, c->ff, &layer->gate));
done:
    ge_matrix_free(&m);
    return rc;
}

/* The projections of attention: one matrix, or in the last of picked layers the queries' apart. */
static ge_status load_qkv(const struct ge_weights *w, const char *prefix,
                          const struct ge_layer_names *names, const struct ge_layers_config *c,
                          bool apart, struct ge_layer *layer)
{
    struct ge_matrix m = {0};
    size_t d = c->width, queries = apart ? d : 0;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_stacked(w, prefix, names->qkv, 3, d, d, !c->no_qkv_bias, &m));
    if (apart) GE_TRY(ge_matrix_upload(w, &m, 0, d, &layer->q));
    GE_TRY(ge_matrix_upload(w, &m, queries, 3 * d - queries, &layer->qkv));
done:
    ge_matrix_free(&m);
    return rc;
}

static ge_status load_layer(struct ge_layer *layer, const struct ge_layers_config *c,
                            const struct ge_layer_names *names, const struct ge_weights *w,
                            const char *base, size_t i)
{
    char *prefix = NULL;
    size_t d = c->width;
    ge_status rc = GE_OK;

    GE_TRY_PTR(prefix, ge_sprintf("%s.%zu", base, i));
    GE_TRY(load_qkv(w, prefix, names, c, c->picked && i + 1 == c->layers, layer));
    GE_TRY(load_scaled(w, prefix, names->out, names->scale[0], d, d, &layer->out));
    GE_TRY(ge_weights_norm(w, prefix, names->norm1, d, c->eps, &layer->norm1));
    if (c->gated)
        GE_TRY(load_gated(w, prefix, names->gate, c, layer));
    else
        GE_TRY(ge_weights_linear(w, prefix, names->fc1, c->ff, d, true, &layer->fc1));
    GE_TRY(load_scaled(w, prefix, c->gated ? names->gated_out : names->fc2, names->scale[1], d,
                       c->ff, &layer->fc2));
    GE_TRY(ge_weights_norm(w, prefix, names->norm2, d, c->eps, &layer->norm2));
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
        ge_linear_free(&l->layer[i].q);
        ge_linear_free(&l->layer[i].out);
        ge_linear_free(&l->layer[i].fc1);
        ge_linear_free(&l->layer[i].gate);
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
    ge_jsonw_string(w, "activation", c->gated ? "swiglu" : ge_activation_name(c->act));
}

/* ---- memory ------------------------------------------------------------------------------- */

void ge_workspace_release(struct ge_workspace *ws)
{
    for (int i = 0; i < GE_SLOTS; i++) ge_buffer_delete(&ws->slot[i]);
}

void ge_workspace_free(struct ge_workspace *ws)
{
    ge_workspace_release(ws);
    for (int i = 0; i < GE_SLOTS; i++) {
        free(ws->host[i]);
        ws->host[i] = NULL;
    }
}

size_t ge_layers_bytes(const struct ge_layers_config *c, size_t rows, enum ge_dtype dtype)
{
    size_t of_row = 5 * c->width + (c->gated ? 2 : 1) * c->ff; /* X, HIDDEN, QKV, FF, GATE */

    return rows * of_row * ge_dtype_size(dtype);
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

ge_status ge_workspace_host(struct ge_workspace *ws, enum ge_slot slot, size_t n, int32_t **out)
{
    if (n > ws->cap_host[slot]) {
        int32_t *grown = ge_realloc(ws->host[slot], n, sizeof *grown);
        if (grown == NULL) return GE_ENOMEM;
        ws->host[slot] = grown;
        ws->cap_host[slot] = n;
    }
    *out = ws->host[slot];
    return GE_OK;
}

/* ---- forward ------------------------------------------------------------------------------ */

struct pass {
    struct ge_device *dev;
    const struct ge_layers_config *c;
    struct ge_tensor x, hidden, qkv, ff; /* (rows, d), (rows, d), (rows, 3d), (rows, ff) */
    struct ge_tensor gate;               /* (rows, ff) or absent */
    struct ge_attention attention;       /* from qkv to hidden */
};

/* x = x + fc2(act(fc1 in)), or x + fc2(silu(fc1 in) * gate in) */
static ge_status run_mlp(const struct pass *p, const struct ge_layer *l, struct ge_tensor in)
{
    enum ge_activation act = p->c->gated ? GE_ACT_SILU : p->c->act;
    ge_status rc = GE_OK;

    GE_TRY(ge_linear_run(&l->fc1, p->dev, in, act, none, p->ff));
    if (p->c->gated) {
        GE_TRY(ge_linear_run(&l->gate, p->dev, in, GE_ACT_NONE, none, p->gate));
        GE_TRY(ge_mul_by(p->dev, p->ff, p->gate, p->ff));
    }
    GE_TRY(ge_linear_run(&l->fc2, p->dev, p->ff, GE_ACT_NONE, p->x, p->x));
done:
    return rc;
}

/* x = x + out(attention(qkv in)) */
static ge_status run_attention(const struct pass *p, const struct ge_layer *l, struct ge_tensor in)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_linear_run(&l->qkv, p->dev, in, GE_ACT_NONE, none, p->qkv));
    GE_TRY(ge_attend(p->dev, &p->attention));
    GE_TRY(ge_linear_run(&l->out, p->dev, p->hidden, GE_ACT_NONE, p->x, p->x));
done:
    return rc;
}

static ge_status pre_norm_layer(const struct pass *p, const struct ge_layer *l)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_norm_run(&l->norm1, p->dev, p->x, p->hidden));
    GE_TRY(run_attention(p, l, p->hidden));
    GE_TRY(ge_norm_run(&l->norm2, p->dev, p->x, p->hidden));
    GE_TRY(run_mlp(p, l, p->hidden));
done:
    return rc;
}

static ge_status post_norm_layer(const struct pass *p, const struct ge_layer *l)
{
    ge_status rc = GE_OK;

    GE_TRY(run_attention(p, l, p->x));
    GE_TRY(ge_norm_run(&l->norm1, p->dev, p->x, p->x));
    GE_TRY(run_mlp(p, l, p->x));
    GE_TRY(ge_norm_run(&l->norm2, p->dev, p->x, p->x));
done:
    return rc;
}

/* The pass's memory for x.rows rows. The attention is complete but for where q, k, v come from. */
static ge_status begin_pass(const struct ge_layers_config *c, struct ge_workspace *ws,
                            struct ge_tensor x, const struct ge_sequences *s, struct pass *p)
{
    size_t d = c->width;
    ge_status rc = GE_OK;

    *p = (struct pass){.dev = ws->dev, .c = c, .x = x};
    GE_TRY(ge_workspace_get(ws, GE_SLOT_HIDDEN, x.rows, d, x.dtype, &p->hidden));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_QKV, x.rows, 3 * d, x.dtype, &p->qkv));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_FF, x.rows, c->ff, x.dtype, &p->ff));
    if (c->gated) GE_TRY(ge_workspace_get(ws, GE_SLOT_GATE, x.rows, c->ff, x.dtype, &p->gate));
    p->attention = (struct ge_attention){
        .q = ge_tensor_cols(p->qkv, 0, d),
        .k = ge_tensor_cols(p->qkv, d, d),
        .v = ge_tensor_cols(p->qkv, 2 * d, d),
        .out = p->hidden,
        .q_ends = s->ends,
        .kv_ends = s->ends,
        .max_q = s->longest,
        .max_kv = s->longest,
        .heads = c->heads,
        .head_dim = d / c->heads,
        .scale = 1.0f / sqrtf((float)(d / c->heads)),
        .causal = c->causal,
        .bias = s->bias,
    };
done:
    return rc;
}

ge_status ge_layers_run_first(const struct ge_layers *l, struct ge_workspace *ws,
                              struct ge_tensor x, const struct ge_sequences *s, size_t n)
{
    const struct ge_layers_config *c = &l->config;
    struct pass p;
    ge_status rc = GE_OK;

    GE_TRY(begin_pass(c, ws, x, s, &p));
    for (size_t i = 0; i < n; i++)
        GE_TRY((c->post_norm ? post_norm_layer : pre_norm_layer)(&p, &l->layer[i]));
done:
    return rc;
}

ge_status ge_layers_run(const struct ge_layers *l, struct ge_workspace *ws, struct ge_tensor x,
                        const struct ge_sequences *s)
{
    return ge_layers_run_first(l, ws, x, s, l->config.layers);
}

/* From the pass over all rows to one over a row of each sequence, which queries all of its own: n
 * queries, one a sequence. */
static ge_status narrow_pass(const struct pass *p, struct ge_workspace *ws, const int32_t *pick,
                             size_t n, struct pass *one)
{
    size_t d = p->c->width;
    int32_t *ends;
    ge_status rc = GE_OK;

    *one = *p;
    GE_TRY(ge_pick_rows(ws, p->x, pick, n, &one->x));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED, n, d, p->x.dtype, &one->hidden));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_POOLED2, n, d, p->x.dtype, &one->attention.q));
    one->attention.out = one->hidden;
    one->attention.k = ge_tensor_cols(p->qkv, 0, d);
    one->attention.v = ge_tensor_cols(p->qkv, d, d);
    one->attention.max_q = 1;
    one->ff = ge_tensor_rows(p->ff, 0, n);
    if (p->c->gated) one->gate = ge_tensor_rows(p->gate, 0, n);
    GE_TRY(ge_workspace_host(ws, GE_SLOT_QUERY_ENDS, n, &ends));
    for (size_t i = 0; i < n; i++) ends[i] = (int32_t)(i + 1);
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_QUERY_ENDS, ends, n, &one->attention.q_ends));
done:
    return rc;
}

ge_status ge_layers_run_picked(const struct ge_layers *l, struct ge_workspace *ws,
                               struct ge_tensor x, const struct ge_sequences *s,
                               const int32_t *pick, size_t n, struct ge_tensor *out)
{
    const struct ge_layers_config *c = &l->config;
    const struct ge_layer *last = c->layers > 0 ? &l->layer[c->layers - 1] : NULL;
    struct pass p, one;
    ge_status rc = GE_OK;

    GE_TRY(begin_pass(c, ws, x, s, &p));
    for (size_t i = 0; i + 1 < c->layers; i++) GE_TRY(pre_norm_layer(&p, &l->layer[i]));
    if (last == NULL) return ge_pick_rows(ws, x, pick, n, out);
    p.qkv = ge_tensor_at(p.qkv.buf, 0, x.rows, 2 * c->width, x.dtype);
    GE_TRY(narrow_pass(&p, ws, pick, n, &one));
    GE_TRY(ge_norm_run(&last->norm1, p.dev, x, p.hidden));
    GE_TRY(ge_linear_run(&last->qkv, p.dev, p.hidden, GE_ACT_NONE, none, p.qkv));
    GE_TRY(ge_norm_run(&last->norm1, p.dev, one.x, one.hidden));
    GE_TRY(ge_linear_run(&last->q, p.dev, one.hidden, GE_ACT_NONE, none, one.attention.q));
    GE_TRY(ge_attend(p.dev, &one.attention));
    GE_TRY(ge_linear_run(&last->out, p.dev, one.hidden, GE_ACT_NONE, one.x, one.x));
    GE_TRY(ge_norm_run(&last->norm2, p.dev, one.x, one.hidden));
    GE_TRY(run_mlp(&one, last, one.hidden));
    *out = one.x;
done:
    return rc;
}

ge_status ge_pick_rows(struct ge_workspace *ws, struct ge_tensor x, const int32_t *pick, size_t n,
                       struct ge_tensor *out)
{
    struct ge_tensor rows;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_PICK, pick, n, &rows));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_ROWS, n, x.cols, x.dtype, out));
    GE_TRY(ge_gather(ws->dev, x, rows, *out));
done:
    return rc;
}

ge_status ge_project_rows(struct ge_workspace *ws, struct ge_tensor x, const struct ge_norm *norm,
                          const struct ge_linear *projection, struct ge_tensor *out)
{
    ge_status rc = GE_OK;

    GE_TRY(ge_norm_run(norm, ws->dev, x, x));
    *out = x;
    if (projection != NULL) {
        GE_TRY(ge_workspace_get(ws, GE_SLOT_OUT, x.rows, projection->n, x.dtype, out));
        GE_TRY(ge_linear_run(projection, ws->dev, x, GE_ACT_NONE, none, *out));
    }
done:
    return rc;
}
