/* BCa bootstrap intervals of the gap's figures and of metric means. Private to aggregate/. */
#ifndef GE_AGGREGATE_BCA_H
#define GE_AGGREGATE_BCA_H

#include "aggregate/aggregate.h"
#include "base/status.h"

/* Put BCa intervals into succ, und, gen, points and delta of a row whose values are set. cluster
 * (n): cluster of each pair, 0…clusters-1. A figure that is the same in every resample (a table
 * without a disagreement) keeps the interval that it has. GE_EINVAL (resamples), GE_ENOMEM. */
ge_status ge_gap_bca(const struct ge_pair *pairs, size_t n, const uint32_t *cluster,
                     size_t clusters, const struct ge_interval_options *options,
                     struct ge_gap_row *row);

/* The same for m means: mean k is sums[k] over counts[k], both by cluster: (m, clusters). Means
 * without an observation are left alone. */
ge_status ge_means_bca(const double *sums, const double *counts, size_t m, size_t clusters,
                       const struct ge_interval_options *options, struct ge_estimate *const *means);

#endif
