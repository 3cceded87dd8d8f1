/* Verdicts of a run by item: the table that every figure is computed from. Private to aggregate/.*/
#ifndef GE_AGGREGATE_VALUES_H
#define GE_AGGREGATE_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "record/run.h"

/* An item by a name that items share: its cluster, a group, a stratum. */
struct named {
    const char *name;
    uint32_t item;
};

/* For qsort(): by name in byte order, then by item. */
int ge_compare_named(const void *a, const void *b);

/* GE_EFORMAT: the row names a metric, an item or a direction that the run does not have. */
ge_status ge_check_score_row(const struct ge_run *run, const struct ge_score_row *row);

/* One direction of one item in one cell. */
struct direction_value {
    double sum, sum_squares;         /* of the verdicts */
    uint32_t judged, failed, undone; /* samples */
};

struct values {
    struct direction_value *v; /* (n_cells, n_items, GE_DIRECTIONS) */
    size_t n_cells, n_items;
    uint32_t *cluster; /* (n_items): clusters numbered from 0 */
    size_t n_clusters;
};

/* Collect a run's rows. GE_EFORMAT if a row names no item or cell; GE_ENOMEM. */
ge_status ge_values_make(const struct ge_run *run, struct values *out);
void ge_values_free(struct values *v);

const struct direction_value *ge_values_at(const struct values *v, size_t cell, size_t item,
                                           enum ge_direction d);

/* State of one direction of an item. */
enum direction_state {
    DIRECTION_UNDONE, /* something is missing for a reason of the node, or not computed yet */
    DIRECTION_FAILED, /* every sample ended in an error */
    DIRECTION_JUDGED  /* *value is the mean verdict */
};
enum direction_state ge_direction_state(const struct direction_value *d, bool failures_wrong,
                                        double *value);

#endif
