/* The text transformer that CLIP and SigLIP share: tokens and positions, pre-norm layers, one row of
 * each text, normalised and projected. They differ in which tokens see which, in the row, and in the
 * projection. Private to src/model. */
#ifndef GE_MODEL_TEXT_TOWER_H
#define GE_MODEL_TEXT_TOWER_H

#include "model/model.h"

/* Names of a layer in both towers of both families. */
extern const struct ge_layer_names ge_clip_layer_names;

struct ge_text_tower {
    struct ge_tensor token_table, position_table; /* (vocab, d), (positions, d) */
    struct ge_layers layers;
    struct ge_norm final_norm;
    struct ge_linear projection; /* (dim, d); absent: none */
};

/* Load everything but the projection; sets m->vocab and m->max_tokens. `c` is the text configuration,
 * `vocab` and `positions` its defaults. The caller frees after a failure, too. */
ge_status ge_text_tower_load(struct ge_text_tower *t, struct ge_model *m, const struct ge_config *c,
                             const struct ge_layers_config *layers, size_t vocab, size_t positions,
                             const struct ge_weights *w);
void ge_text_tower_free(struct ge_text_tower *t);

/* The `bytes` and `describe` of a model (model.h) with these towers, of which it may have one. */
size_t ge_two_towers_bytes(const struct ge_model *m, const struct ge_vit *vision,
                           const struct ge_text_tower *text, size_t images, size_t tokens);
void ge_two_towers_describe(const struct ge_model *m, const struct ge_vit *vision,
                            const struct ge_text_tower *text, struct ge_jsonw *w);

/* *out (texts, dim) = row pick[i] of the packed batch for text i. */
ge_status ge_text_tower_run(const struct ge_text_tower *t, struct ge_model *m,
                            const struct ge_text_batch *b, const int32_t *pick,
                            struct ge_tensor *out);

#endif
