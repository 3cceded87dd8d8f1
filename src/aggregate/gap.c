/* The `logit` estimator: identified, paired, signed.
 *
 * Smoothed cells p~_ab = (k_ab + 1/4) / (n + 1), whose margins are (k + 1/2) / (n + 1).
 * Delta = logit p~_und - logit p~_gen. Variances come from influence values by item, summed by
 * cluster; the four quarter counts enter as observations of their own, so that a table without a
 * single disagreement still has an interval of honest width. Intervals of 0/1 verdicts are those of
 * the table; clusters and fractional verdicts scale it to an effective number of items. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "aggregate/bca.h"
#include "aggregate/interval.h"
#include "aggregate/tests.h"
#include "base/math.h"
#include "base/mem.h"
#include "stats/paired.h"

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* logit G as a function of Delta and the linear part 2.7 p00 - 1.05 p11. */
static double gap_logit(double delta, double linear)
{
    double g = clamp(fabs(delta) / (1 + fabs(delta)), 1e-6, 1 - 1e-6);
    return ge_logit(g) + linear;
}

double ge_gap_score(double delta, double p00, double p11)
{
    return ge_logistic(gap_logit(delta, 2.7 * p00 - 1.05 * p11));
}

/* Smoothed shares. */
struct shares {
    double p11, p10, p01, p00, und, gen;
};

static struct shares smooth(const struct ge_gap_row *row, double n)
{
    struct shares s = {
        .p11 = (row->k11 + 0.25) / (n + 1),
        .p10 = (row->k10 + 0.25) / (n + 1),
        .p01 = (row->k01 + 0.25) / (n + 1),
        .p00 = (row->k00 + 0.25) / (n + 1),
    };
    s.und = s.p11 + s.p10;
    s.gen = s.p11 + s.p01;
    return s;
}

/* ---- influence values ---------------------------------------------------------------------------------- */

/* The quantities whose variances are wanted; an item's influence on each. */
enum { SUCC, UND, GEN, POINTS, DELTA, LINEAR, QUANTITIES };

static void influence(const struct shares *s, double u, double g, double out[QUANTITIES])
{
    double du = u - s->und, dg = g - s->gen;
    out[SUCC] = u * g - s->p11;
    out[UND] = du;
    out[GEN] = dg;
    out[POINTS] = du - dg;
    out[DELTA] = du / (s->und * (1 - s->und)) - dg / (s->gen * (1 - s->gen));
    out[LINEAR] = 2.7 * ((1 - u) * (1 - g) - s->p00) - 1.05 * (u * g - s->p11);
}

struct variances {
    double var[QUANTITIES];
    double cov_delta_linear;
    double single[QUANTITIES]; /* of independent 0/1 verdicts with this table */
};

static void add_square(struct variances *v, const double x[QUANTITIES], double weight)
{
    for (int q = 0; q < QUANTITIES; q++) v->var[q] += weight * x[q] * x[q];
    v->cov_delta_linear += weight * x[DELTA] * x[LINEAR];
}

static ge_status estimate_variances(const struct ge_pair *pairs, size_t n, const struct shares *s,
                                    const uint32_t *cluster, size_t clusters, struct variances *v)
{
    ge_status rc = GE_OK;
    double(*sums)[QUANTITIES] = NULL, x[QUANTITIES];
    memset(v, 0, sizeof *v);
    GE_NEW(sums, clusters);
    for (size_t i = 0; i < n; i++) {
        influence(s, pairs[i].und, pairs[i].gen, x);
        for (int q = 0; q < QUANTITIES; q++) sums[cluster[i]][q] += x[q];
    }
    for (size_t c = 0; c < clusters; c++) add_square(v, sums[c], 1);
    double m = (double)n + 1, cells[4] = {s->p00 * m, s->p01 * m, s->p10 * m, s->p11 * m};
    for (int cell = 0; cell < 4; cell++) {
        influence(s, cell / 2, cell % 2, x);
        add_square(v, x, 0.25);
        for (int q = 0; q < QUANTITIES; q++) v->single[q] += cells[cell] * x[q] * x[q];
    }
    double scale = (double)clusters / ((double)clusters - 1) / (m * m);
    for (int q = 0; q < QUANTITIES; q++) {
        v->var[q] *= scale;
        v->single[q] *= (double)n / ((double)n - 1) / (m * m);
    }
    v->cov_delta_linear *= scale;
done:
    free(sums);
    return rc;
}

/* ---- intervals ------------------------------------------------------------------------------------------ */

static struct ge_estimate wald(double value, double centre, double var, double t)
{
    double half = t * sqrt(var);
    return (struct ge_estimate){value, centre - half, centre + half};
}

/* A difference of shares is within [-1, 1]; NaN stays. */
static double limit(double x)
{
    return isnan(x) ? x : clamp(x, -1, 1);
}

/* Table scaled to the number of independent 0/1 verdicts that say as much. */
static struct ge_paired_table scaled(const struct ge_gap_row *row, double add, double by)
{
    return (struct ge_paired_table){(row->k11 + add) * by, (row->k10 + add) * by,
                                    (row->k01 + add) * by, (row->k00 + add) * by};
}

/* Intervals of the table in place of the delta method's. Independent 0/1 verdicts: their variance is
 * known under each hypothesis, so the quantile is the normal one; else it is estimated, and t's.
 * Clustered items keep the delta method for Delta, which covers better there. */
static void score_intervals(const struct variances *v, bool single, bool binary, double level,
                            double t, struct ge_gap_row *row)
{
    double z = single && binary ? ge_norm_quantile(0.5 + level / 2) : t;
    double points = single && binary ? 1 : v->single[POINTS] / v->var[POINTS];
    double delta = binary ? 1 : v->single[DELTA] / v->var[DELTA];
    if (isnan(t)) return;
    struct ge_range d = ge_paired_difference(scaled(row, 0, points), z);
    row->points.lo = d.lo;
    row->points.hi = d.hi;
    if (!single) return;
    struct ge_range l = ge_paired_logit(scaled(row, 0.25, delta), z);
    row->delta.lo = l.lo;
    row->delta.hi = l.hi;
}

/* Image of the joint region of (Delta, linear part): the ellipse with half axes of t standard
 * errors, stretched along Delta so that its projection is Delta's interval. For a given Delta the
 * linear part's extremes are known, so one variable is left: s in [-1, 1]. */
static struct ge_estimate gap_interval(double value, struct ge_estimate d, double linear,
                                       const struct variances *v, double t)
{
    enum { STEPS = 2000 };
    double sd = sqrt(v->var[DELTA]), sl = sqrt(v->var[LINEAR]);
    double rho = sd > 0 && sl > 0 ? clamp(v->cov_delta_linear / (sd * sl), -1, 1) : 0;
    double lo = INFINITY, hi = -INFINITY;
    if (isnan(d.lo) || isnan(t)) return (struct ge_estimate){value, NAN, NAN};
    for (int i = 0; i <= STEPS; i++) {
        double s = -1 + 2.0 * i / STEPS;
        double delta = d.value + s * (s < 0 ? d.value - d.lo : d.hi - d.value);
        double middle = linear + t * sl * rho * s;
        double spread = t * sl * sqrt((1 - rho * rho) * (1 - s * s));
        lo = fmin(lo, gap_logit(delta, middle - spread));
        hi = fmax(hi, gap_logit(delta, middle + spread));
    }
    bool holds_zero = d.lo <= 0 && d.hi >= 0;
    return (struct ge_estimate){value, holds_zero ? 0 : ge_logistic(lo), ge_logistic(hi)};
}

/* ---- the estimator ----------------------------------------------------------------------------------------- */

static void count_cells(const struct ge_pair *pairs, size_t n, struct ge_gap_row *row)
{
    row->k11 = row->k10 = row->k01 = row->k00 = 0;
    for (size_t i = 0; i < n; i++) {
        double u = pairs[i].und, g = pairs[i].gen;
        row->k11 += u * g;
        row->k10 += u * (1 - g);
        row->k01 += (1 - u) * g;
        row->k00 += (1 - u) * (1 - g);
    }
}

static void set_undefined(struct ge_gap_row *row)
{
    struct ge_estimate none = {NAN, NAN, NAN};
    row->succ = row->und = row->gen = row->points = row->delta = row->gap = none;
    row->p_value = row->p_holm = row->phi = row->kappa = NAN;
    row->test = NULL;
}

static ge_status estimate(const struct ge_pair *pairs, size_t n,
                          const struct ge_interval_options *options, bool test,
                          struct ge_gap_row *row)
{
    ge_status rc = GE_OK;
    uint32_t *cluster = NULL;
    struct variances v;
    size_t clusters = 0;
    row->judged = n;
    row->clusters = 0;
    count_cells(pairs, n, row);
    set_undefined(row);
    if (n == 0) return GE_OK;

    GE_NEW(cluster, n);
    GE_TRY(ge_cluster_index(pairs, n, cluster, &clusters));
    row->clusters = clusters;
    double size = (double)n, t = ge_t_two_sided(options->level, clusters);
    struct shares s = smooth(row, size);
    GE_TRY(estimate_variances(pairs, n, &s, cluster, clusters, &v));

    double succ = row->k11 / size, und = (row->k11 + row->k10) / size,
           gen = (row->k11 + row->k01) / size;
    double delta = ge_logit(s.und) - ge_logit(s.gen);
    double linear = 2.7 * s.p00 - 1.05 * s.p11;
    bool binary = ge_pairs_binary(pairs, n);
    double most = binary ? size : INFINITY; /* averages carry more than a bit */
    row->succ = ge_wilson(succ, s.p11, v.var[SUCC], most, t);
    row->und = ge_wilson(und, s.und, v.var[UND], most, t);
    row->gen = ge_wilson(gen, s.gen, v.var[GEN], most, t);
    row->points = wald(und - gen, s.und - s.gen, v.var[POINTS], t);
    row->points.lo = limit(row->points.lo);
    row->points.hi = limit(row->points.hi);
    row->delta = wald(delta, delta, v.var[DELTA], t);
    if (options->method != GE_INTERVAL_DELTA) {
        score_intervals(&v, clusters == n, binary, options->level, t, row);
    }
    if (options->method == GE_INTERVAL_BCA) {
        GE_TRY(ge_gap_bca(pairs, n, cluster, clusters, options, row));
    }
    row->gap = gap_interval(ge_gap_score(delta, s.p00, s.p11), row->delta, linear, &v, t);
    if (test) GE_TRY(ge_test_difference(pairs, n, cluster, clusters, row));
done:
    free(cluster);
    return rc;
}

ge_status ge_gap_logit_by(const struct ge_pair *pairs, size_t n,
                          const struct ge_interval_options *options, struct ge_gap_row *row)
{
    return estimate(pairs, n, options, true, row);
}

ge_status ge_gap_intervals(const struct ge_pair *pairs, size_t n,
                           const struct ge_interval_options *options, struct ge_gap_row *row)
{
    return estimate(pairs, n, options, false, row);
}

ge_status ge_gap_logit(const struct ge_pair *pairs, size_t n, double level, struct ge_gap_row *row)
{
    const struct ge_interval_options options = {.method = GE_INTERVAL_SCORE, .level = level};
    return ge_gap_logit_by(pairs, n, &options, row);
}
