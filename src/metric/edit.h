/* Levenshtein distance: the fewest insertions, deletions and replacements of one code point that
 * turn one text into another. Used by anls.c. Local; thread-safe. */
#ifndef GE_METRIC_EDIT_H
#define GE_METRIC_EDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* The texts without their common beginning and end may have this product of lengths: a fraction of
 * a second. */
#define GE_EDIT_MOST_CELLS ((uint64_t)1 << 32)
#define GE_EDIT_TOO_LONG   SIZE_MAX

/* *distance of a (na) and b (nb), exact; GE_EDIT_TOO_LONG if there are more cells. Myers' bit vectors
 * (1999) in Hyyrö's form (2003): time O(na nb / 64), memory O(na + nb). GE_ENOMEM. */
ge_status ge_edit_distance(const uint32_t *a, size_t na, const uint32_t *b, size_t nb,
                           size_t *distance);

#endif
