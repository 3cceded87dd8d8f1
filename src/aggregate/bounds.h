/* What the figures could be if failures had been decided otherwise: design invariant 4. Private to
 * aggregate/. */
#ifndef GE_AGGREGATE_BOUNDS_H
#define GE_AGGREGATE_BOUNDS_H

#include "aggregate/aggregate.h"
#include "aggregate/values.h"

/* One item of a group: the verdicts of both directions and how many of their samples failed. */
struct bounds_item {
    const struct direction_value *und, *gen; /* nothing undone, at least one sample each */
};

/* Fill the bounds of *row from the group's n items. Every failed sample counts, also where other
 * samples of the item were judged, and whatever the estimates do with failures. The bounds of G
 * are exact over all assignments (each failed sample decided right or wrong) as long as all
 * directions with failures have equally many samples and there are few enough of them; otherwise
 * they are outer bounds. GE_ENOMEM. */
ge_status ge_bounds(const struct bounds_item *items, size_t n, struct ge_gap_row *row);

#endif
