/* What rows say of each other: adjusted p values, ranks. Private to aggregate/. */
#ifndef GE_AGGREGATE_LEADERBOARD_H
#define GE_AGGREGATE_LEADERBOARD_H

#include "aggregate/aggregate.h"
#include "aggregate/values.h"

/* Fill p_holm of all rows, and `rank` of the overall ones. Two systems are compared on the items that
 * both have judged: item by item right in both directions, by the test of the gap with its clusters.
 * GE_ENOMEM. */
ge_status ge_compare_rows(const struct ge_run *run, const struct values *values,
                          const struct ge_aggregate_options *options, struct ge_gap_row *rows,
                          size_t n_rows);

/* Repeated samples of one cell and direction over a group's items. */
struct ge_repeats ge_repeated(const struct values *values, size_t cell, enum ge_direction d,
                              const uint32_t *items, size_t n);

#endif
