/* Fills a summary's estimates. Private to aggregate/. */
#ifndef GE_AGGREGATE_ESTIMATORS_MAKE_H
#define GE_AGGREGATE_ESTIMATORS_MAKE_H

#include "aggregate/estimators.h"
#include "aggregate/values.h"

/* What s->options ask for, into s->estimates (in its arena); s->rows are there. An irt that cannot be
 * fitted (fractions without judges, too many systems) is not a failure but irt_refused. GE_ENOMEM. */
ge_status ge_estimates_make(const struct ge_run *run, const struct values *values,
                            struct ge_summary *s);

#endif
