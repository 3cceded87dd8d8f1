/* Exact and permutation tests for paired verdicts. */
#include "aggregate/tests.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"
#include "base/rng.h"

bool ge_pairs_binary(const struct ge_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double u = pairs[i].und, g = pairs[i].gen;
        if ((u != 0 && u != 1) || (g != 0 && g != 1)) return false;
    }
    return true;
}

/* Two-sided: twice the binomial tail of the rarer disagreement, at most 1 (McNemar 1947). */
static double mcnemar_exact(double b, double c)
{
    double n = b + c, k = fmin(b, c);
    if (n == 0) return 1;
    return fmin(1, 2 * ge_betainc(n - k, k + 1, 0.5)); /* P(X <= k), X ~ B(n, 1/2) */
}

static void association(struct ge_gap_row *row)
{
    double n = (double)row->judged, a = row->k11, b = row->k10, c = row->k01, d = row->k00;
    double margins = sqrt((a + b) * (c + d) * (a + c) * (b + d));
    double chance = ((a + b) * (a + c) + (c + d) * (b + d)) / (n * n);
    row->phi = margins > 0 ? (a * d - b * c) / margins : NAN;
    row->kappa = chance < 1 ? ((a + d) / n - chance) / (1 - chance) : NAN;
}

/* ---- sign flips -------------------------------------------------------------------------------------------- */

enum { EXACT_CLUSTERS = 16, DRAWS = 9999 };
#define MOST_FLIPS 2e8
#define FLIP_SEED  UINT64_C(0x736967666C697073) /* "sigflips": fixed, so that reruns agree */

/* Differences count as equal up to rounding. */
static bool reaches(double sum, double observed)
{
    return fabs(sum) >= fabs(observed) * (1 - 1e-12);
}

static double flip_all(const double *d, size_t n, double observed)
{
    size_t patterns = (size_t)1 << n, hits = 0;
    for (size_t p = 0; p < patterns; p++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (p >> i) & 1 ? d[i] : -d[i];
        hits += reaches(sum, observed);
    }
    return (double)hits / (double)patterns;
}

/* Sums of eight values at a time with the signs of a byte's bits: (groups, 256). */
static void sign_table(const double *d, size_t n, double (*table)[256])
{
    for (size_t g = 0; g * 8 < n; g++) {
        for (size_t byte = 0; byte < 256; byte++) {
            double sum = 0;
            for (size_t i = 0; i < 8 && g * 8 + i < n; i++) {
                double x = d[g * 8 + i];
                sum += (byte >> i) & 1 ? x : -x;
            }
            table[g][byte] = sum;
        }
    }
}

static ge_status flip_some(const double *d, size_t n, double observed, double *p)
{
    ge_status rc = GE_OK;
    size_t groups = (n + 7) / 8, hits = 1; /* the observed signs are one of the draws (Phipson and
                                              Smyth 2010) */
    double(*table)[256] = NULL;
    GE_NEW(table, groups);
    sign_table(d, n, table);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        double sum = 0;
        uint32_t w[4] = {0, 0, 0, 0};
        for (size_t g = 0; g < groups; g++) {
            if (g % 16 == 0) ge_philox(FLIP_SEED, draw, g / 16, w);
            sum += table[g][w[g % 16 / 4] >> (g % 4 * 8) & 255];
        }
        hits += reaches(sum, observed);
    }
    *p = (double)hits / (DRAWS + 1);
done:
    free(table);
    return rc;
}

static ge_status sign_flip(const struct ge_pair *pairs, size_t n, const uint32_t *cluster,
                           size_t clusters, struct ge_gap_row *row)
{
    ge_status rc = GE_OK;
    double *d = NULL, observed = 0, squares = 0;
    size_t used = 0;
    GE_NEW(d, clusters);
    for (size_t i = 0; i < n; i++) d[cluster[i]] += pairs[i].und - pairs[i].gen;
    for (size_t c = 0; c < clusters; c++) {
        if (d[c] == 0) continue;
        observed += d[c];
        squares += d[c] * d[c];
        d[used++] = d[c];
    }
    row->test = "signflip.cluster";
    if (used == 0) {
        row->p_value = 1;
    } else if (used <= EXACT_CLUSTERS) {
        row->p_value = flip_all(d, used, observed);
    } else if ((double)used * DRAWS <= MOST_FLIPS) {
        GE_TRY(flip_some(d, used, observed, &row->p_value));
    } else {
        row->test = "signflip.cluster.normal";
        row->p_value = 2 * ge_norm_cdf(-fabs(observed) / sqrt(squares));
    }
done:
    free(d);
    return rc;
}

ge_status ge_test_difference(const struct ge_pair *pairs, size_t n, const uint32_t *cluster,
                             size_t clusters, struct ge_gap_row *row)
{
    bool binary = ge_pairs_binary(pairs, n);
    if (binary) association(row);
    if (!binary || clusters != n) return sign_flip(pairs, n, cluster, clusters, row);
    row->p_value = mcnemar_exact(row->k10, row->k01);
    row->test = "mcnemar.exact";
    return GE_OK;
}
