#include "stats/power.h"

#include <math.h>

#include "base/math.h"

#define MOST_ITEMS 1000000

ge_status ge_paired_disagreement(struct ge_paired_rates r, double *p10, double *p01)
{
    if (!(r.und > 0 && r.und < 1 && r.gen > 0 && r.gen < 1)) {
        return ge_fail(GE_EINVAL, "und %g and gen %g; allowed is between 0 and 1", r.und, r.gen);
    }
    double spread = sqrt(r.und * (1 - r.und) * r.gen * (1 - r.gen));
    double lo = (fmax(0, r.und + r.gen - 1) - r.und * r.gen) / spread;
    double hi = (fmin(r.und, r.gen) - r.und * r.gen) / spread;
    if (!(r.phi >= lo - 1e-12 && r.phi <= hi + 1e-12)) {
        return ge_fail(GE_EINVAL, "phi %g; with und %g and gen %g it is between %.3f and %.3f",
                       r.phi, r.und, r.gen, lo, hi);
    }
    double both = r.und * r.gen + r.phi * spread;
    *p10 = fmax(0, r.und - both);
    *p01 = fmax(0, r.gen - both);
    return GE_OK;
}

/* P(X <= k), X ~ B(n, p). */
static double binomial_cdf(double k, double n, double p)
{
    if (k < 0) return 0;
    if (k >= n) return 1;
    if (p <= 0) return 1;
    if (p >= 1) return 0;
    return ge_betainc(n - k, k + 1, 1 - p);
}

/* The largest k for which the test rejects with m disagreements, k of them of the rarer kind; -1: it
 * never does. */
static double critical(double m, double alpha)
{
    double lo = -1, hi = floor(m / 2); /* lo: rejected, or none */
    if (2 * binomial_cdf(0, m, 0.5) > alpha) return -1;
    lo = 0;
    while (hi - lo > 0.5) {
        double middle = ceil((lo + hi) / 2);
        if (2 * binomial_cdf(middle, m, 0.5) <= alpha) {
            lo = middle;
        } else {
            hi = middle - 1;
        }
    }
    return lo;
}

/* Logarithm of the probability of m successes in n. */
static double log_binomial(double m, double n, double p)
{
    return ge_lgamma(n + 1) - ge_lgamma(m + 1) - ge_lgamma(n - m + 1) +
           (m > 0 ? m * ge_log(p) : 0) + (n - m > 0 ? (n - m) * ge_log1p(-p) : 0);
}

double ge_mcnemar_power(size_t items, double p10, double p01, double alpha)
{
    double n = (double)items, p = p10 + p01, power = 0;
    if (!(p > 0) || items == 0) return 0;
    if (p > 1) p = 1;
    double reach = 8 * sqrt(n * p * (1 - p)) + 20; /* beyond it less than 1e-10 is left */
    double from = fmax(0, floor(n * p - reach)), to = fmin(n, ceil(n * p + reach));
    double first = p10 / (p10 + p01), k = -1;
    for (double m = from; m <= to; m++) {
        if (k < 0) {
            k = critical(m, alpha);
        } else if (2 * binomial_cdf(k + 1, m, 0.5) <= alpha) {
            k++; /* one more disagreement allows one more of the rarer kind at most */
        }
        if (k < 0) continue;
        double rejected = binomial_cdf(k, m, first) + binomial_cdf(k, m, 1 - first);
        power += ge_exp(log_binomial(m, n, p)) * rejected;
    }
    return fmin(1, power);
}

/* Power for a gap; -1 where the shares do not allow it. */
static double power_of_gap(size_t n, struct ge_paired_rates rates, double gap, double alpha)
{
    double p10 = 0, p01 = 0;
    rates.gen = rates.und - gap;
    if (ge_paired_disagreement(rates, &p10, &p01) != GE_OK) return -1;
    return ge_mcnemar_power(n, p10, p01, alpha);
}

double ge_smallest_gap(size_t n, struct ge_paired_rates rates, double alpha, double power)
{
    enum { STEPS = 200, HALVINGS = 20 };
    double lo = 0, step = rates.und / STEPS;
    for (int i = 1; i < STEPS; i++) {
        double hi = i * step, reached = power_of_gap(n, rates, hi, alpha);
        if (reached < 0 && i > 1) break; /* phi is out of reach from here on */
        if (reached >= power) {
            for (int k = 0; k < HALVINGS; k++) {
                double middle = (lo + hi) / 2;
                if (power_of_gap(n, rates, middle, alpha) >= power) {
                    hi = middle;
                } else {
                    lo = middle;
                }
            }
            ge_error_clear();
            return hi;
        }
        lo = hi;
    }
    ge_error_clear();
    return NAN;
}

ge_status ge_items_needed(struct ge_paired_rates rates, double alpha, double power, size_t *items)
{
    enum { TEETH = 50 };
    double p10 = 0, p01 = 0;
    ge_status rc = ge_paired_disagreement(rates, &p10, &p01);
    if (rc != GE_OK) return rc;
    size_t hi = 1, lo = 0;
    *items = 0;
    while (hi < MOST_ITEMS && ge_mcnemar_power(hi, p10, p01, alpha) < power) {
        lo = hi;
        hi *= 2;
    }
    if (hi >= MOST_ITEMS) return GE_OK;
    while (hi - lo > 1) {
        size_t middle = lo + (hi - lo) / 2;
        if (ge_mcnemar_power(middle, p10, p01, alpha) < power) {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    size_t n = hi > TEETH ? hi - TEETH : 1, good = 0; /* count numbers in a row that have it */
    for (; good < TEETH + 1; n++) {
        good = ge_mcnemar_power(n, p10, p01, alpha) < power ? 0 : good + 1;
    }
    *items = n - good;
    return GE_OK;
}
