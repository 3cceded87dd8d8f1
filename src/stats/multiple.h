/* Several tests at once. Pure; thread-safe. */
#ifndef GE_STATS_MULTIPLE_H
#define GE_STATS_MULTIPLE_H

#include <stddef.h>

#include "base/status.h"

/* Holm's step-down adjustment (Scand. J. Stat. 6, 1979, 65) of n p values: adjusted (n) holds, in the
 * order given, the smallest family-wise level at which each is rejected. NaN stays NaN and counts
 * for nothing. adjusted may be p. GE_ENOMEM. */
ge_status ge_holm(const double *p, size_t n, double *adjusted);

#endif
