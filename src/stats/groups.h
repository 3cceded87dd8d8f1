/* Any numbers that name groups → 0, 1, 2, … Used by stats/ and
 * aggregate/. Pure; thread-safe. */
#ifndef GE_STATS_GROUPS_H
#define GE_STATS_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* index (n): the groups of `name` (n) numbered in rising order of the names; *count of them. index
 * may be name. name = NULL: each place a group of its own. GE_ENOMEM. */
ge_status ge_group_index(const uint32_t *name, size_t n, uint32_t *index, size_t *count);

#endif
