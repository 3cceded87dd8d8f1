/* Lookups over the plain records of item.h. */
#include "record/item.h"

#include <string.h>

#include "base/log.h"

const char *ge_direction_name(enum ge_direction d)
{
    GE_ASSERT(d == GE_UND || d == GE_GEN);
    return d == GE_UND ? "und" : "gen";
}

bool ge_direction_find(const char *name, enum ge_direction *d)
{
    for (int i = 0; i < GE_DIRECTIONS; i++) {
        if (strcmp(name, ge_direction_name((enum ge_direction)i)) != 0) continue;
        *d = (enum ge_direction)i;
        return true;
    }
    return false;
}

/* Whether an answer sorts before (item, direction). */
static bool sorts_before(const struct ge_answer *a, uint32_t item, enum ge_direction d)
{
    return a->item != item ? a->item < item : a->direction < d;
}

const struct ge_answer *ge_answers_find(const struct ge_answers *a, uint32_t item,
                                        enum ge_direction d, size_t *n)
{
    size_t lo = 0, hi = a->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sorts_before(&a->v[mid], item, d)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    size_t end = lo;
    while (end < a->n && a->v[end].item == item && a->v[end].direction == d) end++;
    *n = end - lo;
    return *n > 0 ? &a->v[lo] : NULL;
}
