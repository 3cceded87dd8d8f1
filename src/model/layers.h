/* The transformer encoder that all models share: layers over packed rows, written once.
 *
 * Rows of several sequences follow each other without padding; `ends` (GE_I32, on the device) tells
 * where each one ends. Private to src/model. */
#ifndef GE_MODEL_LAYERS_H
#define GE_MODEL_LAYERS_H

#include "base/json.h"
#include "model/weights.h"

/* Tensor names of one layer below its prefix; they are all that differs between families. */
struct ge_layer_names {
    const char *qkv[3], *out, *norm1, *fc1, *fc2, *norm2;
};

struct ge_layers_config {
    size_t width, layers, heads, ff;
    enum ge_activation act;
    float eps;
    bool causal;
    bool post_norm; /* BERT: x = norm(x + f(x)); otherwise x = x + f(norm(x)) */
};

struct ge_layer {
    struct ge_linear qkv, out, fc1, fc2; /* (3d, d), (d, d), (ff, d), (d, ff) */
    struct ge_norm norm1, norm2;
};

struct ge_layers {
    struct ge_layers_config config;
    struct ge_layer *layer; /* [config.layers] */
};

/* Load layers "<base>.<i>". The caller frees after a failure, too. */
ge_status ge_layers_load(struct ge_layers *l, const struct ge_layers_config *config,
                         const struct ge_layer_names *names, const struct ge_weights *w,
                         const char *base);
void ge_layers_free(struct ge_layers *l);
void ge_layers_describe(const struct ge_layers_config *c, struct ge_jsonw *w); /* members */

/* Device memory of a forward pass, kept between passes; a slot grows to the largest use. */
enum ge_slot {
    GE_SLOT_INPUT,
    GE_SLOT_X,      /* (rows, d): the residual stream */
    GE_SLOT_HIDDEN, /* (rows, d) */
    GE_SLOT_QKV,    /* (rows, 3d) */
    GE_SLOT_FF,     /* (rows, ff) */
    GE_SLOT_IDS,
    GE_SLOT_POSITIONS,
    GE_SLOT_ENDS,
    GE_SLOT_SKIP,
    GE_SLOT_PICK,
    GE_SLOT_PICK_LAST,
    GE_SLOT_POOLED,
    GE_SLOT_POOLED2,
    GE_SLOT_OUT,
    GE_SLOT_RESULT, /* (n, dim) in GE_F32, when the compute type is another */
    GE_SLOTS
};
struct ge_workspace {
    struct ge_device *dev;
    struct ge_buffer *slot[GE_SLOTS];
};
void ge_workspace_free(struct ge_workspace *ws);

/* A dense tensor in a slot; what the slot held before is lost. */
ge_status ge_workspace_get(struct ge_workspace *ws, enum ge_slot slot, size_t rows, size_t cols,
                           enum ge_dtype dtype, struct ge_tensor *out);

/* The same for n host integers, uploaded; `data` stays as it is until the next download. */
ge_status ge_workspace_ints(struct ge_workspace *ws, enum ge_slot slot, const int32_t *data,
                            size_t n, struct ge_tensor *out);

/* Run all layers on x (rows, d) in place. Uses the slots HIDDEN, QKV and FF. */
ge_status ge_layers_run(const struct ge_layers *l, struct ge_workspace *ws, struct ge_tensor x,
                        struct ge_tensor ends, size_t longest);

#endif
