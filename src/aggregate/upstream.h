/* The `upstream` estimator: the published Gap Score script's procedure, step by step in its precision, for
 * figures that can be set beside published ones.
 *
 * It is not the gap that this program recommends (that is `logit`, aggregate.h): its loss is flat along
 * shifts of abilities, difficulties and means, so the result is wherever 2,000 float32 steps of AdamW end,
 * and any change of the arithmetic moves it (docs/statistics.md, section 7). Here all of it is fixed: the
 * same digits on every machine. Used by cli and estimators.c. Local; thread-safe. */
#ifndef GE_AGGREGATE_UPSTREAM_H
#define GE_AGGREGATE_UPSTREAM_H

#include <stddef.h>

#include "base/status.h"

/* One category of one model: shares of items, each >= 0, with the sum 1. */
struct ge_cells {
    double p11, p10, p01, p00; /* first digit: understood, second: generated */
};

/* Check one row of the script's input and scale it to the sum 1: each cell finite and >= 0, the sum
 * within 5e-3 of 1. GE_EINVAL. */
ge_status ge_cells_normalize(struct ge_cells *cells);

/* The Gap Score of each of a model's `rows` categories: gaps (rows), rounded to 6 decimals, and their
 * mean, rounded likewise. The cells have the sum 1. All categories are fitted together, so a row's
 * score depends on the others and, in its last digits, on their order. No rows: the mean is NaN.
 * GE_ENOMEM. */
ge_status ge_gap_upstream(const struct ge_cells *cells, size_t rows, double *gaps, double *mean);

#endif
