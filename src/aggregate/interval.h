/* Variances and intervals over clusters. Private to aggregate/. docs/statistics.md explains. */
#ifndef GE_AGGREGATE_INTERVAL_H
#define GE_AGGREGATE_INTERVAL_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate/aggregate.h"

/* Give the clusters of n pairs consecutive numbers: index (n), and their count. GE_ENOMEM. */
ge_status ge_cluster_index(const struct ge_pair *pairs, size_t n, uint32_t *index, size_t *count);

/* t quantile for a two-sided interval of the level with `clusters` clusters; NaN for fewer than
 * two. */
double ge_t_two_sided(double level, size_t clusters);

/* Wilson score interval for a share p. Its variance over clusters is var, estimated at the smoothed
 * share p_smooth (which is neither 0 nor 1): the number of items is replaced by the effective one,
 * p_smooth (1 - p_smooth) / var, at most `most`. Without an interval if p, var or t is NaN. */
struct ge_estimate ge_wilson(double p, double p_smooth, double var, double most, double t);

#endif
