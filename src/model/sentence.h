/* The sentence-transformers pipeline around a text model: what happens to its token rows (pooling,
 * dense layers, normalisation) and to its texts (prompt, lowercasing, length). Reads modules.json
 * and its folders in the old and the new layout. Private to src/model. */
#ifndef GE_MODEL_SENTENCE_H
#define GE_MODEL_SENTENCE_H

#include "model/model.h"

struct ge_sentence;

/* Folder of the transformer itself: `folder`/<path of the first module>, or `folder` when there is
 * no modules.json. Heap string in *out. */
ge_status ge_sentence_transformer_folder(const char *folder, char **out);

/* Load the pipeline for token rows of `width` elements. Without modules.json: mean pooling.
 * GE_EUNSUPPORTED: another kind of module, or in an order that is not handled. */
ge_status ge_sentence_load(const struct ge_model_source *src, size_t width,
                           struct ge_sentence **out);
void ge_sentence_delete(struct ge_sentence **s);

const struct ge_sentence_text *ge_sentence_text(const struct ge_sentence *s);
size_t ge_sentence_dim(const struct ge_sentence *s);
void ge_sentence_describe(const struct ge_sentence *s, struct ge_jsonw *w);

/* Token rows x (tokens, width) of a batch to *out (texts, dim). */
ge_status ge_sentence_run(struct ge_sentence *s, struct ge_workspace *ws,
                          const struct ge_text_batch *b, struct ge_tensor x, struct ge_tensor ends,
                          struct ge_tensor *out);

#endif
