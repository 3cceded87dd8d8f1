/* How often 95 % intervals of agreement, correlation, AUC and figures corrected within strata hold the
 * truth, by simulation: the table
 * in docs/statistics.md. Not a test; run it by hand:
 *
 *   people_coverage [REPLICATES]        (4000)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregate/ppi_gap.h"
#include "base/math.h"
#include "base/rng.h"
#include "stats/agreement.h"
#include "stats/correlation.h"
#include "stats/roc.h"

enum { MOST = 650 * 3, LARGE = 400000 };

static uint64_t stream, drawn;

static double uniform(void)
{
    return ge_uniform(2311, stream, drawn++);
}

static double normal(void)
{
    return ge_norm_quantile(uniform() + 0x1p-54);
}

struct tally {
    size_t inside, defined;
    double width;
};

static void count(struct tally *t, double lo, double hi, double truth)
{
    if (isnan(lo)) return;
    t->defined++;
    t->inside += lo <= truth && truth <= hi;
    t->width += hi - lo;
}

static void print(const char *what, size_t n, const struct tally *t, double truth)
{
    double share = (double)t->inside / (double)t->defined;
    printf("| %s | %zu | %.3f | %.1f | %.3f |\n", what, n, truth, 100 * share,
           t->width / (double)t->defined);
    fflush(stdout);
}

static void must(ge_status rc)
{
    if (rc != GE_OK) {
        fprintf(stderr, "%s\n", ge_error());
        exit(1);
    }
}

/* ---- AUC: two normals, `size` cases to a cluster, of which `shared` of the variance is common ---- */

static void auc(const char *what, double truth, size_t n, size_t size, double shared, size_t runs)
{
    static struct ge_case v[MOST];
    struct tally t = {0};
    double apart = ge_norm_quantile(truth) * sqrt(2);
    for (stream = 0; stream < runs; stream++) {
        struct ge_auc a;
        double common = 0;
        drawn = 0;
        for (size_t i = 0; i < n; i++) {
            if (i % size == 0) common = normal();
            bool positive = uniform() < 0.5;
            double own = sqrt(shared) * common + sqrt(1 - shared) * normal();
            v[i] = (struct ge_case){own + apart * positive, positive, (uint32_t)(i / size)};
        }
        must(ge_roc_auc(v, n, 0.95, &a));
        count(&t, a.lo, a.hi, truth);
    }
    print(what, n, &t, truth);
}

/* ---- correlation: bivariate normal --------------------------------------------------------------- */

static void correlation(double rho, size_t n, size_t runs)
{
    static const char *const names[] = {"Pearson", "Spearman", "Kendall τ"};
    static double x[MOST], y[MOST];
    struct tally t[3] = {{0}};
    double truth[] = {rho, 6 / acos(-1) * asin(rho / 2), 2 / acos(-1) * asin(rho)};
    for (stream = 0; stream < runs; stream++) {
        struct ge_correlation c[3];
        drawn = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = normal();
            y[i] = rho * x[i] + sqrt(1 - rho * rho) * normal();
        }
        must(ge_pearson(x, y, n, n, 0.95, &c[0]));
        must(ge_spearman(x, y, n, n, 0.95, &c[1]));
        must(ge_kendall(x, y, n, n, 0.95, &c[2]));
        for (int k = 0; k < 3; k++) count(&t[k], c[k].lo, c[k].hi, truth[k]);
    }
    for (int k = 0; k < 3; k++) print(names[k], n, &t[k], truth[k]);
}

/* ---- alpha: three raters, five grades, each rating missing with probability 0.2 ----------------------- */

static size_t rate(struct ge_rated *v, size_t units, double noise)
{
    size_t n = 0;
    for (uint32_t u = 0; u < units; u++) {
        double quality = 3 + 1.2 * normal();
        for (int r = 0; r < 3; r++) {
            double grade = floor(quality + noise * normal() + 0.5);
            bool missing = uniform() < 0.2;
            v[n] = (struct ge_rated){u, fmin(5, fmax(1, grade))};
            n += !missing;
        }
    }
    return n;
}

static void alpha(double noise, size_t units, size_t runs)
{
    static struct ge_rated v[3 * LARGE];
    static uint32_t one[LARGE]; /* all units in one cluster: no interval, no time */
    static const char *const names[] = {"α nominal", "α ordinal", "α interval"};
    struct tally t[GE_ALPHA_METRICS] = {{0}};
    struct ge_alpha a, truth[GE_ALPHA_METRICS];
    stream = UINT64_MAX;
    drawn = 0;
    size_t n = rate(v, LARGE, noise);
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        must(ge_krippendorff(v, n, LARGE, one, (enum ge_alpha_metric)m, 0.95, 0, &truth[m]));
    }
    for (stream = 0; stream < runs; stream++) {
        drawn = 0;
        n = rate(v, units, noise);
        for (int m = 0; m < GE_ALPHA_METRICS; m++) {
            must(ge_krippendorff(v, n, units, NULL, (enum ge_alpha_metric)m, 0.95, stream, &a));
            count(&t[m], a.lo, a.hi, truth[m].value);
        }
    }
    for (int m = 0; m < GE_ALPHA_METRICS; m++) print(names[m], units, &t[m], truth[m].value);
}

/* ---- correction: two strata of a third and two thirds, of which different parts are rated ------------- */

static void corrected(size_t n, size_t first, size_t second, size_t runs)
{
    static const double share[2][2] = {{0.9, 0.8}, {0.6, 0.3}}; /* und, gen of each stratum */
    static const char *const names[] = {"Und, strata", "Und − Gen, strata", "Δ, strata"};
    static struct ge_ppi_pair v[MOST];
    static uint32_t stratum[MOST];
    struct tally t[3] = {{0}};
    double und = (share[0][0] + 2 * share[1][0]) / 3, gen = (share[0][1] + 2 * share[1][1]) / 3;
    double truth[] = {und, und - gen, ge_logit(und) - ge_logit(gen)};
    for (stream = 0; stream < runs; stream++) {
        struct ge_ppi_gap g;
        drawn = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t h = stratum[i] = i >= n / 3;
            bool rated = h == 0 ? i < first : i - n / 3 < second;
            bool u = uniform() < share[h][0], w = uniform() < share[h][1];
            v[i] = (struct ge_ppi_pair){.und_y = u,
                                        .gen_y = w,
                                        .und_f = uniform() < 0.85 ? u : !u,
                                        .gen_f = uniform() < 0.85 ? w : !w,
                                        .und_labelled = rated,
                                        .gen_labelled = rated,
                                        .cluster = (uint32_t)i};
        }
        must(ge_ppi_gap_stratified(v, n, stratum, 2, 0.95, &g));
        const struct ge_estimate e[] = {g.corrected.und, g.corrected.points, g.corrected.delta};
        for (int k = 0; k < 3; k++) count(&t[k], e[k].lo, e[k].hi, truth[k]);
    }
    for (int k = 0; k < 3; k++) print(names[k], first + second, &t[k], truth[k]);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {50, 150, 646};
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000;
    printf("| figure | n | truth | coverage | mean width |\n|:--|--:|--:|--:|--:|\n");
    for (int k = 0; k < 3; k++) auc("AUC", 0.7, sizes[k], 1, 0, runs);
    for (int k = 0; k < 3; k++) auc("AUC", 0.95, sizes[k], 1, 0, runs);
    for (int k = 0; k < 3; k++) auc("AUC, clusters of 3", 0.7, sizes[k], 3, 0.5, runs);
    for (int k = 0; k < 2; k++) correlation(0.5, sizes[k], runs);
    for (int k = 0; k < 2; k++) alpha(0.7, sizes[k], runs / 2);
    corrected(300, 50, 50, runs);
    corrected(600, 150, 100, runs);
    return 0;
}
