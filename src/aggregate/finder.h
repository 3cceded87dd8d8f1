/* One kind of diagnosis as a function over the items of a system. Private to aggregate/. */
#ifndef GE_AGGREGATE_FINDER_H
#define GE_AGGREGATE_FINDER_H

#include "aggregate/diagnose.h"
#include "aggregate/values.h"

/* What a finder says of an item. */
struct finding {
    double strength;  /* in [0, 1]; NaN: the kind does not apply to this item */
    const char *note; /* in the arena, or constant; NULL: nothing to add */
};

struct finder_context {
    const struct ge_run *run;
    const struct values *values;
    struct ge_arena *arena;
};

/* Fill `found` (n_items), which comes in with NaN everywhere. For a kind over all systems it is called
 * once, with cell 0. GE_EFORMAT, GE_ENOMEM. */
typedef ge_status finder_fn(const struct finder_context *c, size_t cell, struct finding *found);

finder_fn ge_find_says_not_shows, ge_find_shows_not_says, ge_find_nobody_right;
finder_fn ge_find_templated, ge_find_missing_details, ge_find_invented_objects;
finder_fn ge_find_broken_constraints, ge_find_disagreement, ge_find_copies;

#endif
