/* The transformer encoder that all models share: layers over packed rows, written once; and the
 * memory that a forward pass works in.
 *
 * Rows of several sequences follow each other without padding; `ends` (GE_I32, on the device) tells
 * where each one ends. Private to src/model. */
#ifndef GE_MODEL_LAYERS_H
#define GE_MODEL_LAYERS_H

#include "base/json.h"
#include "model/config.h"
#include "model/weights.h"

/* Tensor names of one layer below its prefix; they are all that differs between families. */
struct ge_layer_names {
    const char *qkv[3], *out, *norm1, *fc1, *fc2, *norm2;
    const char *gate;      /* both projections of a gated MLP, one below the other; NULL: none */
    const char *gated_out; /* the projection behind them */
    const char *scale[2];  /* layer scale of attention and MLP; NULL: none */
};

struct ge_layers_config {
    size_t width, layers, heads, ff;
    enum ge_activation act;
    float eps;
    bool causal;
    bool post_norm; /* BERT: x = norm(x + f(x)); otherwise x = x + f(norm(x)) */
    bool no_qkv_bias;
    bool gated;  /* SwiGLU: mlp(x) = W2 (silu(W1 x) * W3 x) */
    bool picked; /* one row of each sequence is all that is wanted: ge_layers_run_picked(); with
                    neither causal nor post_norm */
};

struct ge_layer {
    struct ge_linear qkv, out, fc1, fc2; /* (3d, d), (d, d), (ff, d), (d, ff) */
    struct ge_linear gate;               /* (ff, d), if gated: fc1's result is multiplied by it */
    struct ge_linear q; /* (d, d), in the last of picked layers; qkv is (2d, d) then */
    struct ge_norm norm1, norm2;
};

struct ge_layers {
    struct ge_layers_config config;
    struct ge_layer *layer; /* [config.layers] */
};

/* Read width, layers, heads, ff, act and eps by the keys that most families have in common; `out` comes
 * in with the class defaults (and what else is to stay), `act` is that of hidden_act. */
ge_status ge_layers_configure(const struct ge_config *c, const char *act,
                              struct ge_layers_config *out);

/* Load layers "<base>.<i>". The caller frees after a failure, too. */
ge_status ge_layers_load(struct ge_layers *l, const struct ge_layers_config *config,
                         const struct ge_layer_names *names, const struct ge_weights *w,
                         const char *base);
void ge_layers_free(struct ge_layers *l);
void ge_layers_describe(const struct ge_layers_config *c, struct ge_jsonw *w); /* members */

/* ---- memory ------------------------------------------------------------------------------- */

/* Memory of a forward pass, kept between passes; a slot grows to the largest use. */
enum ge_slot {
    GE_SLOT_X,      /* (rows, d): the residual stream */
    GE_SLOT_HIDDEN, /* (rows, d) */
    GE_SLOT_QKV,    /* (rows, 3d) */
    GE_SLOT_FF,     /* (rows, ff) */
    GE_SLOT_GATE,   /* (rows, ff), of a gated MLP */
    GE_SLOT_IDS,
    GE_SLOT_POSITIONS,
    GE_SLOT_ENDS,
    GE_SLOT_QUERY_ENDS,
    GE_SLOT_SKIP,
    GE_SLOT_PICK,
    GE_SLOT_PICK_LAST,
    GE_SLOT_ROWS, /* (n, d): one row of each sequence */
    GE_SLOT_POOLED,
    GE_SLOT_POOLED2,
    GE_SLOT_OUT,
    GE_SLOTS
};
struct ge_workspace {
    struct ge_device *dev;
    struct ge_buffer *slot[GE_SLOTS];
    int32_t *host[GE_SLOTS]; /* see ge_workspace_host */
    size_t cap_host[GE_SLOTS];
};
void ge_workspace_free(struct ge_workspace *ws);

/* A dense tensor in a slot; what the slot held before is lost. */
ge_status ge_workspace_get(struct ge_workspace *ws, enum ge_slot slot, size_t rows, size_t cols,
                           enum ge_dtype dtype, struct ge_tensor *out);

/* The same for n host integers, uploaded; `data` may be changed at once. */
ge_status ge_workspace_ints(struct ge_workspace *ws, enum ge_slot slot, const int32_t *data,
                            size_t n, struct ge_tensor *out);

/* Host memory for n integers that are to be uploaded, kept like a slot's; it stays until the slot's is
 * asked for again. */
ge_status ge_workspace_host(struct ge_workspace *ws, enum ge_slot slot, size_t n, int32_t **out);

/* Give all slots back, to begin anew with less: waits for the device. */
void ge_workspace_release(struct ge_workspace *ws);

/* Bytes of the slots that layers use for so many rows: the bulk of a pass. */
size_t ge_layers_bytes(const struct ge_layers_config *c, size_t rows, enum ge_dtype dtype);

/* ---- forward ------------------------------------------------------------------------------ */

/* The packed sequences of a pass. */
struct ge_sequences {
    struct ge_tensor ends;
    size_t longest;
    struct ge_tensor bias; /* (heads, 2*longest-1), as struct ge_attention wants it; or absent */
};

/* Run the first n layers on x (rows, d) in place, n <= config.layers. Uses the slots HIDDEN, QKV, FF
 * and GATE. */
ge_status ge_layers_run_first(const struct ge_layers *l, struct ge_workspace *ws,
                              struct ge_tensor x, const struct ge_sequences *s, size_t n);

/* The same for all of them. */
ge_status ge_layers_run(const struct ge_layers *l, struct ge_workspace *ws, struct ge_tensor x,
                        const struct ge_sequences *s);

/* The same for config.picked: *out (n, d) = row pick[i] of x for sequence i. The last layer computes
 * keys and values of all rows, and everything else of these rows alone: with twelve layers and one
 * row of many that saves 7 % of the work and changes no bit. Uses PICK, QUERY_ENDS, POOLED, POOLED2
 * and ROWS besides. */
ge_status ge_layers_run_picked(const struct ge_layers *l, struct ge_workspace *ws,
                               struct ge_tensor x, const struct ge_sequences *s,
                               const int32_t *pick, size_t n, struct ge_tensor *out);

/* *out (n, d) = the rows `pick` of x. Uses PICK and ROWS. */
ge_status ge_pick_rows(struct ge_workspace *ws, struct ge_tensor x, const int32_t *pick, size_t n,
                       struct ge_tensor *out);

/* x normalised in place, and *out = x or, with a projection (which may be NULL), (n, projection->n).
 * Uses OUT. */
ge_status ge_project_rows(struct ge_workspace *ws, struct ge_tensor x, const struct ge_norm *norm,
                          const struct ge_linear *projection, struct ge_tensor *out);

#endif
