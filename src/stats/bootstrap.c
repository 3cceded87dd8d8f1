#include "stats/bootstrap.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "base/sort.h"
#include "stats/resample.h"

#define MOST_RESAMPLES 10000000

static ge_status check(const struct ge_statistics *what, const struct ge_bootstrap_options *o)
{
    if (o->resamples < 1 || o->resamples > MOST_RESAMPLES) {
        return ge_fail(GE_EINVAL, "bootstrap of %zu resamples; allowed are 1 to %d", o->resamples,
                       MOST_RESAMPLES);
    }
    if (!(o->level > 0 && o->level < 1)) {
        return ge_fail(GE_EINVAL, "bootstrap level %g; allowed is between 0 and 1", o->level);
    }
    if (what->n == 0) return ge_fail(GE_EINVAL, "bootstrap of no statistic");
    return GE_OK;
}

/* ---- resamples ---------------------------------------------------------------------------------- */

/* The loop over groups of resamples. Threads write places of their own; the first failure by number
 * of the group is the one reported, whatever the order. */
struct loop {
    const struct resampler *r;
    const struct ge_statistics *what;
    const struct ge_bootstrap_options *options;
    double *out;     /* (statistics, resamples) */
    double *scratch; /* (threads, RESAMPLE_GROUP * stride + statistics) */
    size_t scratch_size;
    bool *failed; /* (groups) out of memory */
};

static void run_group(void *ctx, size_t group, int thread)
{
    struct loop *l = ctx;
    size_t first = group * RESAMPLE_GROUP, total = l->options->resamples;
    size_t n = total - first < RESAMPLE_GROUP ? total - first : RESAMPLE_GROUP;
    double *sums = l->scratch + (size_t)thread * l->scratch_size;
    double *values = sums + RESAMPLE_GROUP * l->r->stride;
    if (ge_resample(l->r, l->options->seed, first, n, sums) != GE_OK) {
        l->failed[group] = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        l->what->fn(l->what->ctx, sums + i * l->r->stride, l->r->rows, values);
        for (size_t k = 0; k < l->what->n; k++) l->out[k * total + first + i] = values[k];
    }
}

static ge_status run_loop(const struct resampler *r, const struct ge_statistics *what,
                          const struct ge_bootstrap_options *options, struct ge_pool *pool,
                          double *out)
{
    ge_status rc = GE_OK;
    size_t groups = (options->resamples + RESAMPLE_GROUP - 1) / RESAMPLE_GROUP;
    size_t threads = pool != NULL ? (size_t)ge_pool_threads(pool) : 1;
    struct loop l = {.r = r, .what = what, .options = options, .out = out};
    l.scratch_size = RESAMPLE_GROUP * r->stride + what->n;
    GE_NEW(l.scratch, threads * l.scratch_size);
    GE_NEW(l.failed, groups);
    ge_pool_run(pool, groups, run_group, &l);
    for (size_t i = 0; i < groups; i++) {
        if (l.failed[i]) GE_TRY(ge_fail(GE_ENOMEM, "out of memory in a bootstrap resample"));
    }
done:
    free(l.failed);
    free(l.scratch);
    return rc;
}

ge_status ge_bootstrap_distribution(const struct ge_bootstrap_data *data,
                                    const struct ge_statistics *what,
                                    const struct ge_bootstrap_options *options,
                                    struct ge_pool *pool, double *out)
{
    ge_status rc = GE_OK;
    struct resampler r = {0};
    GE_TRY(check(what, options));
    GE_TRY(ge_resampler_make(data, &r));
    GE_TRY(run_loop(&r, what, options, pool, out));
done:
    ge_resampler_free(&r);
    return rc;
}

/* ---- the jackknife ------------------------------------------------------------------------------ */

/* The statistics with one row left out, for every distinct row. */
struct jackknife {
    const struct resampler *r;
    const struct ge_statistics *what;
    double *total;   /* (stride) column sums */
    size_t *first;   /* (n_groups + 1) first row of each distinct one */
    size_t *times;   /* (n_groups) */
    double *values;  /* (statistics, n_groups) */
    double *scratch; /* (threads, stride + statistics) */
};

enum { JACKKNIFE_CHUNK = 256 };

static void leave_out(void *ctx, size_t chunk, int thread)
{
    struct jackknife *j = ctx;
    size_t stride = j->r->stride, n = j->r->n_groups, statistics = j->what->n;
    double *sums = j->scratch + (size_t)thread * (stride + statistics), *values = sums + stride;
    for (size_t g = chunk * JACKKNIFE_CHUNK; g < n && g < (chunk + 1) * JACKKNIFE_CHUNK; g++) {
        const double *row = j->r->values + j->first[g] * stride;
        for (size_t k = 0; k < stride; k++) sums[k] = j->total[k] - row[k];
        j->what->fn(j->what->ctx, sums, j->r->rows - 1, values);
        for (size_t k = 0; k < statistics; k++) j->values[k * n + g] = values[k];
    }
}

static ge_status make_jackknife(struct jackknife *j, struct ge_pool *pool)
{
    ge_status rc = GE_OK;
    const struct resampler *r = j->r;
    size_t threads = pool != NULL ? (size_t)ge_pool_threads(pool) : 1;
    GE_NEW(j->total, r->stride);
    GE_NEW(j->first, r->n_groups + 1);
    GE_NEW(j->times, r->n_groups);
    GE_NEW(j->values, r->n_groups * j->what->n);
    GE_NEW(j->scratch, threads * (r->stride + j->what->n));
    for (size_t i = r->rows; i-- > 0;) {
        j->first[r->group[i]] = i;
        j->times[r->group[i]]++;
    }
    for (size_t i = 0; i < r->rows; i++) {
        for (size_t k = 0; k < r->stride; k++) j->total[k] += r->values[i * r->stride + k];
    }
    if (r->rows > 1) {
        ge_pool_run(pool, (r->n_groups + JACKKNIFE_CHUNK - 1) / JACKKNIFE_CHUNK, leave_out, j);
    }
done:
    return rc;
}

static void free_jackknife(struct jackknife *j)
{
    free(j->scratch);
    free(j->values);
    free(j->times);
    free(j->first);
    free(j->total);
}

/* ---- the interval ------------------------------------------------------------------------------- */

/* Share of the n values that are below x, with half of those equal to it. */
static double share_below(const double *v, size_t n, double x)
{
    size_t below = 0, equal = 0;
    for (size_t i = 0; i < n; i++) {
        below += v[i] < x;
        equal += v[i] == x;
    }
    return ((double)below + 0.5 * (double)equal) / (double)n;
}

static double acceleration(const double *jackknife, const size_t *times, size_t m)
{
    double sum = 0, n = 0, squares = 0, cubes = 0;
    for (size_t i = 0; i < m; i++) {
        double weight = times != NULL ? (double)times[i] : 1;
        sum += weight * jackknife[i];
        n += weight;
    }
    for (size_t i = 0; i < m; i++) {
        double weight = times != NULL ? (double)times[i] : 1, d = sum / n - jackknife[i];
        squares += weight * d * d;
        cubes += weight * d * d * d;
    }
    return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

/* Quantile p of n sorted values, linear between them. */
static double quantile(const double *v, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t i = (size_t)floor(at);
    if (i + 1 >= n) return v[n - 1];
    return v[i] + (at - (double)i) * (v[i + 1] - v[i]);
}

/* The corrected quantile of the method; z is the plain one's. */
static double corrected(double z, double bias, double a)
{
    double shifted = bias + z;
    return ge_norm_cdf(bias + shifted / (1 - a * shifted));
}

struct ge_bca ge_bca_interval(double value, double *resampled, size_t n, const double *jackknife,
                              const size_t *times, size_t m, double level)
{
    struct ge_bca out = {value, NAN, NAN, NAN, NAN};
    bool defined = !isnan(value);
    for (size_t i = 0; i < n; i++) defined = defined && !isnan(resampled[i]);
    for (size_t i = 0; i < m; i++) defined = defined && !isnan(jackknife[i]);
    if (!defined || n == 0 || m == 0) return out;
    qsort(resampled, n, sizeof *resampled, ge_compare_doubles);
    /* A value outside all resamples: as if half a resample were beyond it. */
    double half = 0.5 / (double)n;
    double share = fmin(fmax(share_below(resampled, n, value), half), 1 - half);
    double z = ge_norm_quantile(0.5 + level / 2);
    out.bias = ge_norm_quantile(share);
    out.acceleration = acceleration(jackknife, times, m);
    out.lo = quantile(resampled, n, corrected(-z, out.bias, out.acceleration));
    out.hi = quantile(resampled, n, corrected(z, out.bias, out.acceleration));
    return out;
}

struct ends {
    const struct jackknife *j;
    double *resampled; /* (statistics, resamples) */
    const double *values;
    const struct ge_bootstrap_options *options;
    struct ge_bca *out;
};

static void find_ends(void *ctx, size_t k, int thread)
{
    struct ends *e = ctx;
    size_t groups = e->j->r->n_groups, n = e->options->resamples;
    (void)thread;
    if (e->j->r->rows < 2) {
        e->out[k] = (struct ge_bca){e->values[k], NAN, NAN, NAN, NAN};
        return;
    }
    e->out[k] = ge_bca_interval(e->values[k], e->resampled + k * n, n, e->j->values + k * groups,
                                e->j->times, groups, e->options->level);
}

ge_status ge_bootstrap_bca(const struct ge_bootstrap_data *data, const struct ge_statistics *what,
                           const struct ge_bootstrap_options *options, struct ge_pool *pool,
                           struct ge_bca *out)
{
    ge_status rc = GE_OK;
    struct resampler r = {0};
    struct jackknife j = {.r = &r, .what = what};
    double *resampled = NULL, *values = NULL;
    size_t n = 0;
    GE_TRY(check(what, options));
    GE_TRY(ge_mul(options->resamples, what->n, &n));
    GE_TRY(ge_resampler_make(data, &r));
    GE_NEW(resampled, n);
    GE_NEW(values, what->n);
    GE_TRY(make_jackknife(&j, pool));
    GE_TRY(run_loop(&r, what, options, pool, resampled));
    what->fn(what->ctx, j.total, r.rows, values);
    struct ends e = {&j, resampled, values, options, out};
    ge_pool_run(pool, what->n, find_ends, &e);
done:
    free(values);
    free(resampled);
    free_jackknife(&j);
    ge_resampler_free(&r);
    return rc;
}
