/* Tests of "understanding and generation are equally good". Private to aggregate/. */
#ifndef GE_AGGREGATE_TESTS_H
#define GE_AGGREGATE_TESTS_H

#include "aggregate/aggregate.h"

/* Whether every verdict is 0 or 1. */
bool ge_pairs_binary(const struct ge_pair *pairs, size_t n);

/* Fill p_value, test, phi and kappa of a row whose counts are set. cluster (n): cluster of each
 * pair, 0…clusters-1. 0/1 verdicts without clusters: McNemar's exact test; otherwise sign flips of
 * the clusters' differences: all of them for up to 16 clusters that differ, else 9,999 drawn by a
 * counter generator, else (very many clusters) the normal limit, named "signflip.cluster.normal".
 * GE_ENOMEM. */
ge_status ge_test_difference(const struct ge_pair *pairs, size_t n, const uint32_t *cluster,
                             size_t clusters, struct ge_gap_row *row);

#endif
