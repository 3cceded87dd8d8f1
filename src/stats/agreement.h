/* Agreement of raters: Krippendorff's alpha with missing values (Krippendorff, Computing
 * Krippendorff's alpha-reliability, 2011). 1: full agreement, 0: what chance gives, below: worse.
 * Pure; the interval draws from the counter generator, so equal input gives equal digits. */
#ifndef GE_STATS_AGREEMENT_H
#define GE_STATS_AGREEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* How far two values c, k are apart. */
enum ge_alpha_metric {
    GE_ALPHA_NOMINAL,  /* 0 if equal, otherwise 1 */
    GE_ALPHA_ORDINAL,  /* square of the difference of their mid-ranks among all pairable values */
    GE_ALPHA_INTERVAL, /* (c - k)^2 */
    GE_ALPHA_METRICS
};
const char *ge_alpha_metric_name(enum ge_alpha_metric m); /* "nominal", … */

/* One value that some rater gave a unit. Who gave it does not enter alpha. */
struct ge_rated {
    uint32_t unit; /* below `units` */
    double value;  /* finite */
};

struct ge_alpha {
    double value;         /* NaN: no unit has two values, or all pairable values are equal */
    double lo, hi;        /* NaN: fewer than two clusters, or hardly any resample is defined */
    size_t units, values; /* pairable: units with at least two values, and their values */
};

/* Alpha of n values over `units` units. cluster (units), any numbering, says which units are drawn
 * together in the bootstrap; NULL: each by itself. The interval of `level` is the percentile one, expanded for few
 * clusters, over up to 1,999 resamples of the clusters with pairable units (fewer, at least 199, for millions of
 * values), drawn by (seed, resample, draw); resamples without two different values are left out.
 * O(n log n) and O(values) a resample. GE_EINVAL: a unit out of range, a value that is not finite, a
 * level outside (0, 1); GE_ENOMEM. */
ge_status ge_krippendorff(const struct ge_rated *v, size_t n, size_t units, const uint32_t *cluster,
                          enum ge_alpha_metric metric, double level, uint64_t seed,
                          struct ge_alpha *out);

#endif
