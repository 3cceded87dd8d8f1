/* Prediction-powered estimates of means: few items carry a human value Y, all carry an automatic
 * one f. The automatic values make the estimate precise, the human ones make it right: however
 * poor f is, the interval stays valid as long as the labelled items are a random subset. That is
 * the caller's to know; it cannot be seen in the numbers. Used by aggregate/ppi_gap.
 * Pure; thread-safe.
 *
 * Angelopoulos, Duchi, Zrnic: PPI++, arXiv 2311.01453. With n labelled and N other items
 *   theta = lambda mean_N(f) + mean_n(Y - lambda f)
 * with lambda tuned by mean: lambda = Cov_n(Y, f) / ((1 + n/N) Var(f)), clipped to [0, 1], Var over
 * all items. The numbers are those of the package ppi-python. */
#ifndef GE_STATS_PPI_H
#define GE_STATS_PPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Terms of several means over the same items; all arrays row by row, borrowed. */
struct ge_ppi_data {
    size_t n_items, n_means;
    const double *predicted;  /* f (n_items, n_means), finite */
    const double *truth;      /* Y (n_items, n_means); read only where labelled, finite there */
    const bool *labelled;     /* (n_items, n_means): may differ from mean to mean */
    const uint32_t *clusters; /* (n_items) any numbering; NULL: the items are independent */
};

/* Estimates of the means and what belongs to them. Arrays are the caller's. */
struct ge_ppi {
    double *mean;       /* (n_means) the corrected means; not limited to the range of Y */
    double *covariance; /* (n_means, n_means) of the corrected means, without small-sample factors;
                           clusters' terms are summed first. May be NULL */
    double *lambda;     /* (n_means) in [0, 1]; 0: the labelled items alone. May be NULL */
    size_t *n_labelled; /* (n_means) items with a human value. May be NULL */
    size_t *n_clusters; /* (n_means) clusters that hold a labelled item. May be NULL */
};

/* Estimate all means. A mean without a labelled item is NaN, and so are its covariances; with one
 * labelled item (or labelled cluster) its variance is NaN. lambda is the published one for
 * independent items; with clusters of several items it is the minimiser of the clustered variance,
 * clipped likewise, so that the correction never widens the interval of the labelled items alone.
 * lambda (n_means) fixed instead: pass it in `fixed`, each in [0, 1]; NULL: tuned.
 * GE_EINVAL: no items, no means, a value not finite or a fixed lambda out of range; GE_ENOMEM. */
ge_status ge_ppi_estimate(const struct ge_ppi_data *data, const double *fixed, struct ge_ppi *out);

#endif
