/* How many items a paired comparison needs. Used by cli's plan. Pure; thread-safe. */
#ifndef GE_STATS_POWER_H
#define GE_STATS_POWER_H

#include <stddef.h>

#include "base/status.h"

/* Two shares of the same items: understood, generated, and the correlation (phi) of the verdicts. */
struct ge_paired_rates {
    double und, gen, phi;
};

/* Shares of items right on one side alone: p10, p01. GE_EINVAL: a share outside (0, 1), or a
 * correlation that these shares cannot have (the message names the possible ones). */
ge_status ge_paired_disagreement(struct ge_paired_rates rates, double *p10, double *p01);

/* Power of McNemar's exact two-sided test at level alpha with n items: by summing over the numbers of
 * disagreements, which are binomial, and the outcomes given each (Connor, Biometrics 43, 1987, 207
 * approximates this). n at most 1,000,000; error below 1e-9. */
double ge_mcnemar_power(size_t n, double p10, double p01, double alpha);

/* The smallest gap (und - gen, as a share) that n items show with the power, understanding at
 * rates.und and rates.gen not read. NAN: not even the largest that und and phi allow. */
double ge_smallest_gap(size_t n, struct ge_paired_rates rates, double alpha, double power);

/* The number of items that shows und - gen with the power. The power rises with the items in a saw's
 * teeth: this is the smallest number from which on the next 50 have it, too. 0: more than
 * 1,000,000. Errors as ge_paired_disagreement(). */
ge_status ge_items_needed(struct ge_paired_rates rates, double alpha, double power, size_t *items);

#endif
