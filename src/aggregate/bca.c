#include "aggregate/bca.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"
#include "stats/bootstrap.h"

/* Take the ends, if the resamples say anything. */
static void take(struct ge_estimate *e, const struct ge_bca *b)
{
    if (isnan(b->lo) || isnan(b->hi) || !(b->hi > b->lo)) return;
    e->lo = b->lo;
    e->hi = b->hi;
}

static ge_status bootstrap(const struct ge_bootstrap_data *data, const struct ge_statistics *what,
                           const struct ge_interval_options *options, struct ge_bca *out)
{
    const struct ge_bootstrap_options b = {options->seed, options->resamples, options->level};
    return ge_bootstrap_bca(data, what, &b, options->pool, out);
}

/* ---- the gap ------------------------------------------------------------------------------------ */

enum { U, G, BOTH, ITEMS, COLUMNS };
enum { SUCC, UND, GEN, POINTS, DELTA, FIGURES };

static void figures(const void *ctx, const double *sums, size_t rows, double *out)
{
    double n = sums[ITEMS];
    (void)ctx;
    (void)rows;
    out[SUCC] = sums[BOTH] / n;
    out[UND] = sums[U] / n;
    out[GEN] = sums[G] / n;
    out[POINTS] = (sums[U] - sums[G]) / n;
    out[DELTA] = ge_logit((sums[U] + 0.5) / (n + 1)) - ge_logit((sums[G] + 0.5) / (n + 1));
}

ge_status ge_gap_bca(const struct ge_pair *pairs, size_t n, const uint32_t *cluster,
                     size_t clusters, const struct ge_interval_options *options,
                     struct ge_gap_row *row)
{
    ge_status rc = GE_OK;
    double(*sums)[COLUMNS] = NULL;
    struct ge_bca ends[FIGURES];
    struct ge_estimate *estimates[FIGURES] = {&row->succ, &row->und, &row->gen, &row->points,
                                              &row->delta};
    GE_NEW(sums, clusters);
    for (size_t i = 0; i < n; i++) {
        double *s = sums[cluster[i]];
        s[U] += pairs[i].und;
        s[G] += pairs[i].gen;
        s[BOTH] += pairs[i].und * pairs[i].gen;
        s[ITEMS] += 1;
    }
    const struct ge_bootstrap_data data = {clusters, COLUMNS, sums[0]};
    const struct ge_statistics what = {figures, NULL, FIGURES};
    GE_TRY(bootstrap(&data, &what, options, ends));
    for (int k = 0; k < FIGURES; k++) take(estimates[k], &ends[k]);
done:
    free(sums);
    return rc;
}

/* ---- means of metrics --------------------------------------------------------------------------- */

/* Columns: the sums, then the counts. */
static void means_of(const void *ctx, const double *sums, size_t rows, double *out)
{
    size_t m = *(const size_t *)ctx;
    (void)rows;
    for (size_t k = 0; k < m; k++) out[k] = sums[k] / sums[m + k]; /* NaN without observations */
}

ge_status ge_means_bca(const double *sums, const double *counts, size_t m, size_t clusters,
                       const struct ge_interval_options *options, struct ge_estimate *const *means)
{
    ge_status rc = GE_OK;
    double *values = NULL;
    struct ge_bca *ends = NULL;
    size_t cells = 0, rows = 0;
    GE_TRY(ge_mul(2 * m, clusters, &cells));
    GE_NEW(values, cells);
    GE_NEW(ends, m);
    for (size_t c = 0; c < clusters; c++) {
        double *row = values + rows * 2 * m;
        bool used = false;
        for (size_t k = 0; k < m; k++) {
            row[k] = sums[k * clusters + c];
            row[m + k] = counts[k * clusters + c];
            used = used || row[m + k] > 0;
        }
        rows += used;
    }
    const struct ge_bootstrap_data data = {rows, 2 * m, values};
    const struct ge_statistics what = {means_of, &m, m};
    if (rows > 0 && m > 0) GE_TRY(bootstrap(&data, &what, options, ends));
    for (size_t k = 0; rows > 0 && k < m; k++) take(means[k], &ends[k]);
done:
    free(ends);
    free(values);
    return rc;
}
