/* The nonparametric bootstrap over clusters, with bias-corrected and accelerated intervals (BCa;
 * Efron 1987, J. Am. Stat. Assoc. 82, 171). Of statistics that are functions of column sums: means,
 * shares, differences, ratios, logits of them. Used by aggregate/, the benches and the studies.
 *
 * Exact resampling: every resample draws as many rows as there are, with replacement, each row with
 * the same probability; nothing is approximated by normal or Poisson weights. Random words are a
 * pure function of the seed and the resample's number, and every sum is taken in a fixed order: the
 * same bits for any number of threads and ranks. Local; thread-safe. */
#ifndef GE_STATS_BOOTSTRAP_H
#define GE_STATS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

/* What is resampled: one row for each cluster, holding its sums (and its size, where a statistic
 * needs it). Borrowed. */
struct ge_bootstrap_data {
    size_t rows, columns;
    const double *values; /* (rows, columns), finite */
};

/* Statistics of one (re)sample: out (statistics) from the column sums (columns) over `rows` rows.
 * Called from several threads; must be a pure function. */
typedef void ge_statistic_fn(const void *ctx, const double *sums, size_t rows, double *out);

struct ge_statistics {
    ge_statistic_fn *fn;
    const void *ctx;
    size_t n;
};

struct ge_bootstrap_options {
    uint64_t seed;
    size_t resamples; /* 1…10,000,000 */
    double level;     /* in (0, 1) */
};

struct ge_bca {
    double value, lo, hi;
    double bias, acceleration; /* z0 and a of the method */
};

/* Intervals of all statistics: out (statistics). All from the same resamples. Fewer than two rows
 * or a statistic that is somewhere NaN: its ends are NaN. A statistic that is the same in every
 * resample has lo = hi = value: what such an interval is worth is the caller's to judge.
 * pool may be NULL. GE_EINVAL: options out of range, no rows or columns, values not finite;
 * GE_ENOMEM. */
ge_status ge_bootstrap_bca(const struct ge_bootstrap_data *data, const struct ge_statistics *what,
                           const struct ge_bootstrap_options *options, struct ge_pool *pool,
                           struct ge_bca *out);

/* The statistics of every resample: out (statistics, resamples), unsorted. Errors as above. */
ge_status ge_bootstrap_distribution(const struct ge_bootstrap_data *data,
                                    const struct ge_statistics *what,
                                    const struct ge_bootstrap_options *options,
                                    struct ge_pool *pool, double *out);

/* The interval from its parts: the statistic's value, its values in n resamples (sorted here) and
 * with one row left out each (m of them, jackknife; `times` (m) how many rows give each, NULL: one).
 * Quantiles between two resamples are interpolated linearly, as scipy.stats.bootstrap does. */
struct ge_bca ge_bca_interval(double value, double *resampled, size_t n, const double *jackknife,
                              const size_t *times, size_t m, double level);

#endif
