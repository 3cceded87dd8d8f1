/* Inverse document frequencies of token ids, as bert_score counts them. Local; read-only after the
 * last ge_idf_add(), and then thread-safe. */
#ifndef GE_METRIC_IDF_H
#define GE_METRIC_IDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_idf;

/* For ids below vocab. GE_ENOMEM. */
ge_status ge_idf_new(size_t vocab, struct ge_idf **idf);
void ge_idf_delete(struct ge_idf **idf); /* NULL is fine */

/* Count a document by its n tokens, each id once; equal documents count each time. Ids outside the
 * vocabulary are passed over. */
void ge_idf_add(struct ge_idf *idf, const int32_t *ids, size_t n);

/* log((N + 1) / (df + 1)): N documents, df of them with the id; log(N + 1) for an id that none has. */
double ge_idf_weight(const struct ge_idf *idf, int32_t id);

#endif
