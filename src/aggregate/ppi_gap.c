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

static void fill_row(struct table *t, size_t i, const struct ge_ppi_pair *p, struct ge_ppi_gap *out)
{
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

/* ---- strata ------------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Estimates of all strata together. Covariances lack the factor C/(C-1) of `clusters`, as those of one
 * stratum do. */
struct means {
    double mean[MEANS], covariance[MEANS * MEANS], lambda[MEANS];
    size_t n_labelled[MEANS];
    size_t labelled_clusters, clusters; /* clusters: one more than the degrees of freedom */
};

static ge_status estimate_stratum(const struct table *t, size_t begin, size_t end,
                                  const double *fixed, struct means *m)
{
    size_t n_clusters[MEANS], first = begin * MEANS;
    struct ge_ppi_data data = {end - begin,          MEANS,
                               t->predicted + first, t->truth + first,
                               t->labelled + first,  t->clusters + begin};
    struct ge_ppi e = {m->mean, m->covariance, m->lambda, m->n_labelled, n_clusters};
    ge_status rc = ge_ppi_estimate(&data, fixed, &e);
    if (rc == GE_OK) {
        m->labelled_clusters = least(n_clusters[UND], n_clusters[GEN]);
        m->clusters = m->labelled_clusters;
    }
    return rc;
}

/* Add a stratum of `share` of the items. Its own factor of clusters goes in. */
static void add_stratum(struct means *sum, const struct means *m, double share)
{
    double c = (double)m->clusters, factor = share * share * c / (c - 1);
    for (int k = 0; k < MEANS; k++) {
        sum->mean[k] += share * m->mean[k];
        sum->lambda[k] += share * m->lambda[k];
        sum->n_labelled[k] += m->n_labelled[k];
    }
    for (int k = 0; k < MEANS * MEANS; k++) sum->covariance[k] += factor * m->covariance[k];
    sum->labelled_clusters += m->labelled_clusters;
    sum->clusters += m->clusters > 0 ? m->clusters - 1 : 0;
}

/* end (strata): where each stratum's rows end. */
static ge_status estimate_means(const struct table *t, const size_t *end, uint32_t strata,
                                const double *fixed, struct means *out)
{
    ge_status rc = GE_OK;
    size_t begin = 0, n = end[strata - 1];
    if (strata == 1) return estimate_stratum(t, 0, n, fixed, out);
    *out = (struct means){.clusters = 1};
    for (uint32_t h = 0; h < strata; begin = end[h++]) {
        struct means m;
        if (begin == end[h]) continue;
        GE_TRY(estimate_stratum(t, begin, end[h], fixed, &m));
        add_stratum(out, &m, (double)(end[h] - begin) / (double)n);
    }
    double c = (double)out->clusters;
    for (int k = 0; k < MEANS * MEANS; k++) out->covariance[k] *= (c - 1) / c;
done:
    return rc;
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

/* alone: the estimates of the labelled items alone. */
static void fill_figures(const struct means *e, const struct means *alone, size_t items, double t,
                         struct ge_ppi_figures *out)
{
    double v[MEANS][MEANS];
    struct smooth s[MEANS];
    struct ge_estimate *shares[MEANS] = {[UND] = &out->und, [GEN] = &out->gen, [P11] = &out->p11,
                                         [P10] = &out->p10, [P01] = &out->p01, [P00] = &out->p00};
    for (int k = 0; k < MEANS; k++) {
        for (int l = 0; l < MEANS; l++) v[k][l] = e->covariance[k * MEANS + l];
        s[k] = smooth(e->mean[k], alone->covariance[k * MEANS + k], v[k][k],
                      (double)e->n_labelled[k], (double)items, k == UND || k == GEN ? 0.5 : 0.25);
    }
    widen(v, s, (double)e->clusters);
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

static ge_status estimate(const struct table *t, const size_t *end, uint32_t strata, double level,
                          struct ge_ppi_gap *out)
{
    static const double zero[MEANS] = {0};
    ge_status rc = GE_OK;
    struct means alone, m;
    size_t n = end[strata - 1];
    GE_TRY(estimate_means(t, end, strata, zero, &alone));
    GE_TRY(estimate_means(t, end, strata, NULL, &m));
    out->labelled_clusters = m.labelled_clusters;
    out->lambda_und = m.lambda[UND];
    out->lambda_gen = m.lambda[GEN];
    double quantile = ge_t_two_sided(level, m.clusters);
    fill_figures(&alone, &alone, least(out->labelled_und, out->labelled_gen), quantile,
                 &out->human);
    fill_figures(&m, &alone, n, quantile, &out->corrected);
done:
    return rc;
}

static void set_undefined(struct ge_ppi_figures *f)
{
    struct ge_estimate none = {NAN, NAN, NAN};
    f->und = f->gen = f->p11 = f->p10 = f->p01 = f->p00 = f->points = f->delta = none;
}

/* Rows of the items, those of a stratum together in their order (a counting sort); end (strata),
 * zeroed, becomes where each stratum's rows end. */
static ge_status fill_strata(struct table *t, const struct ge_ppi_pair *items, size_t n,
                             const uint32_t *stratum, uint32_t strata, size_t *end,
                             struct ge_ppi_gap *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t h = strata == 1 ? 0 : stratum[i];
        if (h >= strata) return ge_fail(GE_EINVAL, "item %zu: stratum %u of %u", i, h, strata);
        end[h]++;
    }
    size_t begin = 0;
    for (uint32_t h = 0; h < strata; h++) {
        size_t size = end[h];
        end[h] = begin;
        begin += size;
    }
    for (size_t i = 0; i < n; i++) {
        fill_row(t, end[strata == 1 ? 0 : stratum[i]]++, &items[i], out);
    }
    return GE_OK;
}

ge_status ge_ppi_gap_stratified(const struct ge_ppi_pair *items, size_t n, const uint32_t *stratum,
                                uint32_t strata, double level, struct ge_ppi_gap *out)
{
    ge_status rc = GE_OK;
    struct table t = {0};
    size_t *end = NULL;
    *out = (struct ge_ppi_gap){.items = n, .lambda_und = NAN, .lambda_gen = NAN};
    set_undefined(&out->corrected);
    set_undefined(&out->human);
    GE_TRY(check(items, n, level));
    if (n == 0) return GE_OK;
    GE_NEW(t.predicted, n * MEANS);
    GE_NEW(t.truth, n * MEANS);
    GE_NEW(t.labelled, n * MEANS);
    GE_NEW(t.clusters, n);
    GE_NEW(end, strata);
    GE_TRY(fill_strata(&t, items, n, stratum, strata, end, out));
    GE_TRY(ge_group_index(t.clusters, n, t.clusters, &out->clusters));
    GE_TRY(estimate(&t, end, strata, level, out));
done:
    free(end);
    free(t.clusters);
    free(t.labelled);
    free(t.truth);
    free(t.predicted);
    return rc;
}

ge_status ge_ppi_gap(const struct ge_ppi_pair *items, size_t n, double level,
                     struct ge_ppi_gap *out)
{
    return ge_ppi_gap_stratified(items, n, NULL, 1, level, out);
}
