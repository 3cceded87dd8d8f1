/* From corrected means to the gap. The smoothing is that of the uncorrected estimator with the
 * effective number of items: as many independent verdicts as would give a share's variance. */
#include "aggregate/ppi_gap.h"

#include <math.h>
#include <stdlib.h>

#include "aggregate/interval.h"
#include "base/math.h"
#include "base/mem.h"
#include "stats/groups.h"
#include "stats/ppi.h"

enum { UND, GEN, P11, P10, P01, P00, MEANS };

struct table {
    double *predicted, *truth; /* (n, MEANS) */
    bool *labelled;
    uint32_t *clusters; /* (n) */
};

static bool is_share(double x)
{
    return x >= 0 && x <= 1;
}

static ge_status check(const struct ge_ppi_pair *items, size_t n, double level)
{
    if (!(level > 0 && level < 1)) {
        return ge_fail(GE_EINVAL, "level %g; allowed is between 0 and 1", level);
    }
    for (size_t i = 0; i < n; i++) {
        const struct ge_ppi_pair *p = &items[i];
        bool good = is_share(p->und_f) && is_share(p->gen_f) &&
                    (!p->und_labelled || is_share(p->und_y)) &&
                    (!p->gen_labelled || is_share(p->gen_y));
        if (!good) return ge_fail(GE_EINVAL, "item %zu: a verdict outside 0 to 1", i);
    }
    return GE_OK;
}

static void put_terms(double u, double g, double row[MEANS])
{
    row[UND] = u;
    row[GEN] = g;
    row[P11] = u * g;
    row[P10] = u * (1 - g);
    row[P01] = (1 - u) * g;
    row[P00] = (1 - u) * (1 - g);
}

static void fill_table(struct table *t, const struct ge_ppi_pair *items, size_t n,
                       struct ge_ppi_gap *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct ge_ppi_pair *p = &items[i];
        double u = p->und_labelled ? p->und_y : 0, g = p->gen_labelled ? p->gen_y : 0;
        bool both = p->und_labelled && p->gen_labelled, *labelled = t->labelled + i * MEANS;
        put_terms(p->und_f, p->gen_f, t->predicted + i * MEANS);
        put_terms(u, g, t->truth + i * MEANS);
        for (int k = P11; k < MEANS; k++) labelled[k] = both;
        labelled[UND] = p->und_labelled;
        labelled[GEN] = p->gen_labelled;
        t->clusters[i] = p->cluster;
        out->labelled_und += p->und_labelled;
        out->labelled_gen += p->gen_labelled;
        out->labelled += both;
    }
}

/* ---- figures ------------------------------------------------------------------------------------ */

/* A share, ready for the logit. */
struct smooth {
    double p, weight; /* of one observation in it: 1 / (effective number + 1) */
};

static double within(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x; /* NaN stays */
}

/* A share whose automatic verdicts divide the variance of the n labelled items by `gain` is worth
 * gain n items, at most `most`. Where the labelled items show no variance there is nothing to divide,
 * and they are worth n. */
static struct smooth smooth(double mean, double alone, double var, double n, double most,
                            double add)
{
    double p = within(mean, 0, 1), gain = alone > 0 && var > 0 ? alone / var : 1;
    double effective = within(gain * n, fmin(n, most), most);
    return (struct smooth){(effective * p + add) / (effective + 1), 1 / (effective + 1)};
}

/* Covariances with what a small sample needs: the factor of the clusters, and the quarter counts of
 * the smoothing as observations of their own at the four corners. */
static void widen(double covariance[MEANS][MEANS], const struct smooth s[MEANS], double clusters)
{
    double factor = clusters / (clusters - 1), corner[MEANS];
    for (int k = 0; k < MEANS; k++) {
        for (int l = 0; l < MEANS; l++) covariance[k][l] *= factor;
    }
    for (int c = 0; c < 4; c++) {
        put_terms(c / 2, c % 2, corner);
        for (int k = 0; k < MEANS; k++) corner[k] = (corner[k] - s[k].p) * s[k].weight;
        for (int k = 0; k < MEANS; k++) {
            for (int l = 0; l < MEANS; l++) covariance[k][l] += 0.25 * corner[k] * corner[l];
        }
    }
}

/* Variance of du Und - dg Gen. */
static double difference_variance(double v[MEANS][MEANS], double du, double dg)
{
    return du * du * v[UND][UND] + dg * dg * v[GEN][GEN] - 2 * du * dg * v[UND][GEN];
}

/* alone (MEANS, MEANS): the covariances of the labelled items alone. */
static void fill_figures(const struct ge_ppi *e, const double *alone, size_t items, size_t clusters,
                         double t, struct ge_ppi_figures *out)
{
    double v[MEANS][MEANS];
    struct smooth s[MEANS];
    struct ge_estimate *shares[MEANS] = {[UND] = &out->und, [GEN] = &out->gen, [P11] = &out->p11,
                                         [P10] = &out->p10, [P01] = &out->p01, [P00] = &out->p00};
    for (int k = 0; k < MEANS; k++) {
        for (int l = 0; l < MEANS; l++) v[k][l] = e->covariance[k * MEANS + l];
        s[k] = smooth(e->mean[k], alone[k * MEANS + k], v[k][k], (double)e->n_labelled[k],
                      (double)items, k == UND || k == GEN ? 0.5 : 0.25);
    }
    widen(v, s, (double)clusters);
    for (int k = 0; k < MEANS; k++) {
        *shares[k] = ge_wilson(within(e->mean[k], 0, 1), s[k].p, v[k][k], INFINITY, t);
    }
    double und = s[UND].p, gen = s[GEN].p;
    double points = within(e->mean[UND] - e->mean[GEN], -1, 1);
    double half = t * sqrt(difference_variance(v, 1, 1));
    out->points = (struct ge_estimate){points, within(und - gen - half, -1, 1),
                                       within(und - gen + half, -1, 1)};
    double delta = ge_logit(und) - ge_logit(gen);
    half = t * sqrt(difference_variance(v, 1 / (und * (1 - und)), 1 / (gen * (1 - gen))));
    out->delta = (struct ge_estimate){delta, delta - half, delta + half};
}

/* ---- both estimators ---------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static ge_status estimate(const struct table *t, size_t n, double level, struct ge_ppi_gap *out)
{
    static const double zero[MEANS] = {0};
    ge_status rc = GE_OK;
    double mean[MEANS], alone[MEANS * MEANS], covariance[MEANS * MEANS], lambda[MEANS];
    size_t n_labelled[MEANS], n_clusters[MEANS];
    struct ge_ppi_data data = {n, MEANS, t->predicted, t->truth, t->labelled, t->clusters};
    struct ge_ppi e = {mean, alone, lambda, n_labelled, n_clusters};
    GE_TRY(ge_ppi_estimate(&data, zero, &e));
    size_t clusters = least(n_clusters[UND], n_clusters[GEN]);
    double quantile = ge_t_two_sided(level, clusters);
    size_t labelled = least(out->labelled_und, out->labelled_gen);
    fill_figures(&e, alone, labelled, clusters, quantile, &out->human);
    e.covariance = covariance;
    GE_TRY(ge_ppi_estimate(&data, NULL, &e));
    fill_figures(&e, alone, n, clusters, quantile, &out->corrected);
    out->labelled_clusters = clusters;
    out->lambda_und = lambda[UND];
    out->lambda_gen = lambda[GEN];
done:
    return rc;
}

static void set_undefined(struct ge_ppi_figures *f)
{
    struct ge_estimate none = {NAN, NAN, NAN};
    f->und = f->gen = f->p11 = f->p10 = f->p01 = f->p00 = f->points = f->delta = none;
}

ge_status ge_ppi_gap(const struct ge_ppi_pair *items, size_t n, double level,
                     struct ge_ppi_gap *out)
{
    ge_status rc = GE_OK;
    struct table t = {0};
    *out = (struct ge_ppi_gap){.items = n, .lambda_und = NAN, .lambda_gen = NAN};
    set_undefined(&out->corrected);
    set_undefined(&out->human);
    GE_TRY(check(items, n, level));
    if (n == 0) return GE_OK;
    GE_NEW(t.predicted, n * MEANS);
    GE_NEW(t.truth, n * MEANS);
    GE_NEW(t.labelled, n * MEANS);
    GE_NEW(t.clusters, n);
    fill_table(&t, items, n, out);
    GE_TRY(ge_group_index(t.clusters, n, t.clusters, &out->clusters));
    GE_TRY(estimate(&t, n, level, out));
done:
    free(t.clusters);
    free(t.labelled);
    free(t.truth);
    free(t.predicted);
    return rc;
}
