/* A hash table from string to number: ids of a dataset, distinct paths. Used by dataset/
 * and cli/verdicts.c. Local; concurrent readers are fine. */
#ifndef GE_DATASET_INDEX_H
#define GE_DATASET_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_dataset_index;

struct ge_dataset_index *ge_index_new(void); /* NULL when out of memory */
void ge_index_delete(struct ge_dataset_index **x);

/* Add key -> value unless the key is there; *fresh says whether it was added. The key is borrowed
 * and must outlive the index. GE_ENOMEM. */
ge_status ge_index_add(struct ge_dataset_index *x, const char *key, uint32_t value, bool *fresh);

/* Place of a key's value, which may be changed, or NULL. Valid until the next add. */
uint32_t *ge_index_find(const struct ge_dataset_index *x, const char *key);

#endif
