/* Correlation of two variables: Pearson, Spearman, Kendall's tau-b, each with an interval, and the
 * ranks they need. Pure; thread-safe. */
#ifndef GE_STATS_CORRELATION_H
#define GE_STATS_CORRELATION_H

#include <stddef.h>

#include "base/status.h"

struct ge_correlation {
    double value;  /* in [-1, 1]; NaN: fewer than two pairs, or one side does not vary */
    double lo, hi; /* NaN: too few independent pairs */
};

/* Mid-ranks of n finite values, from 1; ties share their mean rank. GE_ENOMEM. */
ge_status ge_midranks(const double *x, size_t n, double *rank);

/* Of n pairs (x, y). `independent` is how many of the pairs count as independent in the interval: n, or
 * the number of clusters that the pairs come from (then it is wide enough even if the pairs of a
 * cluster say all the same). Intervals on Fisher's z = artanh r: standard error 1/sqrt(n - 3) for
 * Pearson (Fisher 1921), sqrt((1 + r^2/2)/(n - 3)) for Spearman, sqrt(0.437/(n - 4)) for tau
 * (Bonett and Wright, Psychometrika 65, 2000); at r = 1 or -1 they shrink to that point.
 * O(n log n). GE_EINVAL: a value that is not finite, a level outside (0, 1); GE_ENOMEM. */
ge_status ge_pearson(const double *x, const double *y, size_t n, size_t independent, double level,
                     struct ge_correlation *out);
ge_status ge_spearman(const double *x, const double *y, size_t n, size_t independent, double level,
                      struct ge_correlation *out);

/* tau-b = (concordant - discordant) / sqrt((pairs not tied in x) (pairs not tied in y)), counted by
 * merge sort (Knight, J. Am. Stat. Assoc. 61, 1966). */
ge_status ge_kendall(const double *x, const double *y, size_t n, size_t independent, double level,
                     struct ge_correlation *out);

#endif
