/* Krippendorff's alpha: 1 - observed / expected disagreement.
 *
 * Over the n pairable values, m_u of them in unit u, with delta the distance of two values:
 *   D_o = 1/n sum_u 1/(m_u - 1) sum_{i != j in u} delta(v_i, v_j)
 *   D_e = 1/(n (n-1)) sum_{i != j} delta(v_i, v_j)
 * The ordinal distance is (n_c/2 + n_{c+1} + … + n_{k-1} + n_k/2)^2: the squared difference of the
 * mid-ranks. So ordinal and interval alpha are one computation over scores s, where a sum of squared
 * differences over all pairs is 2 m sum (s - mean)^2. */
#include "stats/agreement.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "stats/groups.h"

const char *ge_alpha_metric_name(enum ge_alpha_metric m)
{
    static const char *const names[GE_ALPHA_METRICS] = {"nominal", "ordinal", "interval"};
    return names[m];
}

/* `count` values of a unit that are equal. */
struct entry {
    uint32_t unit, value; /* position among the distinct values */
    uint32_t count;
};

struct table {
    struct entry *entries; /* by unit */
    size_t n_entries;
    uint32_t *cluster; /* (n_units): clusters of the pairable units, numbered from 0 */
    uint32_t *size;    /* (n_units): values of each */
    size_t n_units, n_clusters, n_values;
    double *distinct; /* (n_distinct) ascending */
    size_t n_distinct;
    int exponent; /* the largest magnitude among them is below 2^exponent */
    enum ge_alpha_metric metric;
    double *marginal, *score; /* (n_distinct) work space */
};

static void table_free(struct table *t)
{
    free(t->entries);
    free(t->cluster);
    free(t->size);
    free(t->distinct);
    free(t->marginal);
    free(t->score);
}

/* ---- alpha of a weighted table --------------------------------------------------------------- */

/* Scores of the distinct values for the quadratic distances: mid-ranks, or the values times the power of two
 * that keeps squares from overflow and underflow. */
static void make_scores(struct table *t, double n)
{
    double below = 0, mean = 0;
    for (size_t g = 0; g < t->n_distinct; g++) {
        t->score[g] = t->metric == GE_ALPHA_ORDINAL ? below + t->marginal[g] / 2
                                                    : ldexp(t->distinct[g], -t->exponent);
        below += t->marginal[g];
        mean += t->marginal[g] * (t->score[g] / n);
    }
    for (size_t g = 0; g < t->n_distinct; g++) t->score[g] -= mean;
}

/* Sum over all ordered pairs of the entries' distances; m values in all, weights in `count`. */
static double spread(const struct table *t, const struct entry *e, size_t n, double m)
{
    double sum = 0, mean = 0;
    for (size_t i = 0; i < n; i++) mean += e[i].count * t->score[e[i].value];
    mean /= m;
    for (size_t i = 0; i < n; i++) {
        double d = t->score[e[i].value] - mean, c = e[i].count;
        sum += t->metric == GE_ALPHA_NOMINAL ? c * (m - c) : 2 * m * c * d * d;
    }
    return sum;
}

/* The same over the marginal counts. */
static double spread_of_all(const struct table *t, double n)
{
    double sum = 0;
    for (size_t g = 0; g < t->n_distinct; g++) {
        double c = t->marginal[g], d = t->score[g];
        sum += t->metric == GE_ALPHA_NOMINAL ? c * (n - c) : 2 * n * c * d * d;
    }
    return sum;
}

/* Alpha with each cluster counted weight[c] times; NULL: once. NaN where it is not defined. */
static double alpha_of(struct table *t, const uint32_t *weight)
{
    double n = 0, observed = 0;
    size_t different = 0;
    memset(t->marginal, 0, t->n_distinct * sizeof *t->marginal);
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct entry *e = &t->entries[i];
        double w = weight == NULL ? 1 : weight[t->cluster[e->unit]];
        t->marginal[e->value] += w * e->count;
        n += w * e->count;
    }
    for (size_t g = 0; g < t->n_distinct; g++) different += t->marginal[g] > 0;
    if (different < 2) return NAN;
    make_scores(t, n);
    for (size_t i = 0, end; i < t->n_entries; i = end) {
        uint32_t u = t->entries[i].unit;
        for (end = i; end < t->n_entries && t->entries[end].unit == u; end++) {
        }
        double w = weight == NULL ? 1 : weight[t->cluster[u]], m = t->size[u];
        if (w > 0) observed += w * spread(t, t->entries + i, end - i, m) / (m - 1);
    }
    return 1 - (n - 1) * observed / spread_of_all(t, n);
}

/* ---- building -------------------------------------------------------------------------------- */

static int compare_rated(const void *a, const void *b)
{
    const struct ge_rated *x = a, *y = b;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* Keep the pairable of the sorted values, in place; their number. */
static size_t keep_pairable(struct ge_rated *v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && v[end].unit == v[i].unit; end++) {
        }
        if (end - i < 2) continue;
        memmove(v + kept, v + i, (end - i) * sizeof *v);
        kept += end - i;
    }
    return kept;
}

static ge_status find_distinct(struct table *t, const struct ge_rated *v, size_t n)
{
    ge_status rc = GE_OK;
    GE_NEW(t->distinct, n);
    for (size_t i = 0; i < n; i++) t->distinct[i] = v[i].value;
    if (n > 0) qsort(t->distinct, n, sizeof *t->distinct, ge_compare_doubles);
    for (size_t i = 0; i < n; i++) {
        bool fresh = t->n_distinct == 0 || t->distinct[i] != t->distinct[t->n_distinct - 1];
        if (fresh) t->distinct[t->n_distinct++] = t->distinct[i];
    }
    double most = n > 0 ? fmax(fabs(t->distinct[0]), fabs(t->distinct[t->n_distinct - 1])) : 0;
    (void)frexp(most, &t->exponent);
    GE_NEW(t->marginal, t->n_distinct);
    GE_NEW(t->score, t->n_distinct);
done:
    return rc;
}

static uint32_t position(const struct table *t, double value)
{
    const double *p =
        bsearch(&value, t->distinct, t->n_distinct, sizeof *t->distinct, ge_compare_doubles);
    return (uint32_t)(p - t->distinct);
}

static ge_status build(struct table *t, const struct ge_rated *v, size_t n, const uint32_t *cluster)
{
    ge_status rc = GE_OK;
    GE_TRY(find_distinct(t, v, n));
    GE_NEW(t->entries, n);
    GE_NEW(t->cluster, n);
    GE_NEW(t->size, n);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || v[i].unit != v[i - 1].unit) {
            t->cluster[t->n_units++] = cluster == NULL ? v[i].unit : cluster[v[i].unit];
        }
        uint32_t unit = (uint32_t)t->n_units - 1, value = position(t, v[i].value);
        t->size[unit]++;
        struct entry *last = t->n_entries > 0 ? &t->entries[t->n_entries - 1] : NULL;
        if (last != NULL && last->unit == unit && last->value == value) {
            last->count++;
        } else {
            t->entries[t->n_entries++] = (struct entry){unit, value, 1};
        }
    }
    t->n_values = n;
    GE_TRY(ge_group_index(t->cluster, t->n_units, t->cluster, &t->n_clusters));
done:
    return rc;
}

/* ---- interval -------------------------------------------------------------------------------- */

enum { MOST_RESAMPLES = 1999, LEAST_RESAMPLES = 199 };
static const double most_steps = 2e8;

/* Quantile of n sorted values, at place p (n + 1), between neighbours in proportion. */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * ((double)n + 1) - 1;
    if (at <= 0) return sorted[0];
    if (at >= (double)(n - 1)) return sorted[n - 1];
    size_t i = (size_t)at;
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* Percentile intervals are too narrow for few clusters, by the factor sqrt((C-1)/C) and by what t is wider
 * than the normal: take percentiles farther out (Hesterberg, Am. Stat. 69, 2015, 371). */
static double expanded_tail(double level, double clusters)
{
    double t = ge_t_quantile((1 + level) / 2, clusters - 1);
    return ge_norm_cdf(-sqrt(clusters / (clusters - 1)) * t);
}

static ge_status bootstrap(struct table *t, double level, uint64_t seed, struct ge_alpha *out)
{
    ge_status rc = GE_OK;
    double *alphas = NULL, steps = most_steps / (double)(t->n_entries + t->n_clusters);
    uint32_t *weight = NULL;
    size_t n = 0, resamples = MOST_RESAMPLES, clusters = t->n_clusters;
    if (steps < MOST_RESAMPLES) {
        resamples = steps < LEAST_RESAMPLES ? LEAST_RESAMPLES : (size_t)steps;
    }
    GE_NEW(alphas, resamples);
    GE_NEW(weight, clusters);
    for (size_t b = 0; b < resamples; b++) {
        memset(weight, 0, clusters * sizeof *weight);
        for (size_t k = 0; k < clusters; k++) {
            weight[(size_t)(ge_uniform(seed, b, k) * (double)clusters)]++;
        }
        double a = alpha_of(t, weight);
        if (!isnan(a)) alphas[n++] = a;
    }
    if (2 * n <= resamples) goto done;
    qsort(alphas, n, sizeof *alphas, ge_compare_doubles);
    double tail = expanded_tail(level, (double)clusters);
    out->lo = quantile(alphas, n, tail);
    out->hi = quantile(alphas, n, 1 - tail);
done:
    free(weight);
    free(alphas);
    return rc;
}

ge_status ge_krippendorff(const struct ge_rated *v, size_t n, size_t units, const uint32_t *cluster,
                          enum ge_alpha_metric metric, double level, uint64_t seed,
                          struct ge_alpha *out)
{
    ge_status rc = GE_OK;
    struct table t = {.metric = metric};
    struct ge_rated *sorted = NULL;
    *out = (struct ge_alpha){.value = NAN, .lo = NAN, .hi = NAN};
    if (!(level > 0 && level < 1)) {
        GE_TRY(ge_fail(GE_EINVAL, "level %g; allowed is between 0 and 1", level));
    }
    for (size_t i = 0; i < n; i++) {
        if (v[i].unit < units && isfinite(v[i].value)) continue;
        GE_TRY(ge_fail(GE_EINVAL,
                       "rating %zu: unit %u of %zu, value %g; allowed: finite values of "
                       "units that are there",
                       i, v[i].unit, units, v[i].value));
    }
    GE_NEW(sorted, n);
    if (n > 0) memcpy(sorted, v, n * sizeof *v);
    if (n > 0) qsort(sorted, n, sizeof *sorted, compare_rated);
    GE_TRY(build(&t, sorted, keep_pairable(sorted, n), cluster));
    out->units = t.n_units;
    out->values = t.n_values;
    out->value = alpha_of(&t, NULL);
    if (!isnan(out->value) && t.n_clusters >= 2) GE_TRY(bootstrap(&t, level, seed, out));
done:
    table_free(&t);
    free(sorted);
    return rc;
}
