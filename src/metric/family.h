/* Metrics of one text that share their work: one call gives all of them that are wanted, where each by
 * itself would cut the texts or parse the constraints anew. Used by the scorer. Local; constant. */
#ifndef GE_METRIC_FAMILY_H
#define GE_METRIC_FAMILY_H

#include <stdbool.h>

#include "metric/metric.h"

enum { GE_FAMILY_MOST = 5 };

/* values[k] of each member k with wanted[k], as that metric gives it by itself; the other values stay
 * as they are. Errors as the members'. */
typedef ge_status ge_text_family_fn(const char *text, const struct ge_task *task,
                                    const bool *wanted, double *values);

struct ge_text_family {
    ge_text_family_fn *all;
    ge_text_metric_fn *members[GE_FAMILY_MOST]; /* (n) */
    size_t n;
};

/* The family that a metric belongs to, with its place in *place; NULL: to none. */
const struct ge_text_family *ge_text_family_find(ge_text_metric_fn *metric, size_t *place);

/* Value of one member, for the definition of its own function. */
ge_status ge_text_family_member(ge_text_family_fn *all, size_t place, const char *text,
                                const struct ge_task *task, double *value);

#endif
