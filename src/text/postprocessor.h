/* Post-processors of tokenizer.json: which special tokens stand before and after a text. For one
 * text, all kinds come down to that. The kinds are the rows of a table in postprocessor.c; a kind
 * that has no row is GE_EUNSUPPORTED. Local. */
#ifndef GE_TEXT_POSTPROCESSOR_H
#define GE_TEXT_POSTPROCESSOR_H

#include "base/json.h"
#include "base/status.h"

struct ge_tokenizer;

/* Put around the tokenizer's `before` and `after` what the node (NULL or null: nothing) says.
 * `path` is the file's. GE_EFORMAT: an id that the vocabulary does not have. GE_EUNSUPPORTED. */
ge_status ge_postprocessor_parse(struct ge_tokenizer *t, const ge_json *node, const char *path);

#endif
