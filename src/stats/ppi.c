#include "stats/ppi.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/groups.h"

/* One mean: its column of the data, and what is known about it. */
struct column {
    const double *f, *y; /* stride: n_means */
    const bool *labelled;
    size_t n, others;            /* labelled items, and the rest */
    size_t clusters;             /* that hold a labelled item */
    double mean_y, mean_f;       /* of the labelled */
    double mean_other, mean_all; /* of f: of the rest, of all */
    double lambda;
};

struct work {
    const struct ge_ppi_data *data;
    uint32_t *index; /* (n_items) cluster of an item */
    size_t clusters;
    double *a, *b; /* (clusters, n_means): the error of a mean is the sum over clusters of
                      a - lambda b, a from Y and b from f */
    bool *seen;    /* (clusters) scratch */
};

static ge_status check(const struct ge_ppi_data *d, const double *fixed)
{
    if (d->n_items == 0 || d->n_means == 0) {
        return ge_fail(GE_EINVAL,
                       "prediction-powered estimate of %zu means of %zu items; wanted "
                       "at least one of each",
                       d->n_means, d->n_items);
    }
    for (size_t i = 0; i < d->n_items * d->n_means; i++) {
        if (isfinite(d->predicted[i]) && (!d->labelled[i] || isfinite(d->truth[i]))) continue;
        return ge_fail(GE_EINVAL, "item %zu, mean %zu: a value that is not finite", i / d->n_means,
                       i % d->n_means);
    }
    for (size_t k = 0; fixed != NULL && k < d->n_means; k++) {
        if (fixed[k] >= 0 && fixed[k] <= 1) continue;
        return ge_fail(GE_EINVAL, "mean %zu: lambda %g; allowed is 0 to 1", k, fixed[k]);
    }
    return GE_OK;
}

static struct column make_column(const struct ge_ppi_data *d, size_t mean)
{
    struct column c = {
        .f = d->predicted + mean, .y = d->truth + mean, .labelled = d->labelled + mean};
    double y = 0, f = 0, other = 0;
    for (size_t i = 0; i < d->n_items; i++) {
        size_t at = i * d->n_means;
        if (c.labelled[at]) {
            c.n++;
            y += c.y[at];
            f += c.f[at];
        } else {
            other += c.f[at];
        }
    }
    c.others = d->n_items - c.n;
    c.mean_y = y / (double)c.n;
    c.mean_f = f / (double)c.n;
    c.mean_other = c.others > 0 ? other / (double)c.others : 0;
    c.mean_all = (f + other) / (double)d->n_items;
    return c;
}

/* The published lambda, for independent items. */
static double tune(const struct ge_ppi_data *d, const struct column *c)
{
    double covariance = 0, squares = 0;
    for (size_t i = 0; i < d->n_items; i++) {
        size_t at = i * d->n_means;
        double deviation = c->f[at] - c->mean_all;
        squares += deviation * deviation;
        if (c->labelled[at]) covariance += (c->y[at] - c->mean_y) * (c->f[at] - c->mean_f);
    }
    double n = (double)c->n, variance = squares / ((double)d->n_items - 1);
    return covariance / n / ((1 + n / (double)c->others) * variance);
}

/* Fill the column of a and b; count the clusters that hold a labelled item. */
static void split(struct work *w, struct column *c, size_t mean)
{
    size_t stride = w->data->n_means;
    for (size_t k = 0; k < w->clusters; k++) w->seen[k] = false;
    for (size_t i = 0; i < w->data->n_items; i++) {
        size_t at = i * stride, to = w->index[i] * stride + mean;
        if (c->labelled[at]) {
            w->a[to] += (c->y[at] - c->mean_y) / (double)c->n;
            w->b[to] += (c->f[at] - c->mean_f) / (double)c->n;
            c->clusters += !w->seen[w->index[i]];
            w->seen[w->index[i]] = true;
        } else {
            w->b[to] -= (c->f[at] - c->mean_other) / (double)c->others;
        }
    }
}

/* The lambda of the smallest clustered variance. */
static double tune_clustered(const struct work *w, size_t mean)
{
    double ab = 0, bb = 0;
    for (size_t k = 0; k < w->clusters; k++) {
        size_t at = k * w->data->n_means + mean;
        ab += w->a[at] * w->b[at];
        bb += w->b[at] * w->b[at];
    }
    return ab / bb;
}

static void estimate_mean(struct work *w, size_t mean, const double *fixed, struct column *c)
{
    bool clustered = w->clusters < w->data->n_items;
    *c = make_column(w->data, mean);
    split(w, c, mean);
    if (c->n == 0 || c->others == 0) {
        c->lambda = 0; /* nothing to correct, or nothing to correct with */
    } else if (fixed != NULL) {
        c->lambda = fixed[mean];
    } else {
        double tuned = clustered ? tune_clustered(w, mean) : tune(w->data, c);
        c->lambda = tuned > 0 ? fmin(tuned, 1) : 0; /* NaN, from a constant f: 0 */
    }
    for (size_t k = 0; k < w->clusters; k++) {
        size_t at = k * w->data->n_means + mean;
        w->a[at] -= c->lambda * w->b[at];
    }
}

static void fill(const struct work *w, const struct column *columns, struct ge_ppi *out)
{
    size_t m = w->data->n_means;
    for (size_t k = 0; k < m; k++) {
        const struct column *c = &columns[k];
        out->mean[k] = c->lambda * c->mean_other + (c->mean_y - c->lambda * c->mean_f);
        if (out->lambda != NULL) out->lambda[k] = c->lambda;
        if (out->n_labelled != NULL) out->n_labelled[k] = c->n;
        if (out->n_clusters != NULL) out->n_clusters[k] = c->clusters;
        for (size_t l = 0; out->covariance != NULL && l < m; l++) {
            double sum = 0;
            for (size_t i = 0; i < w->clusters; i++) sum += w->a[i * m + k] * w->a[i * m + l];
            bool defined = c->clusters > 1 && columns[l].clusters > 1;
            out->covariance[k * m + l] = defined ? sum : NAN;
        }
    }
}

ge_status ge_ppi_estimate(const struct ge_ppi_data *data, const double *fixed, struct ge_ppi *out)
{
    ge_status rc = GE_OK;
    struct work w = {.data = data};
    struct column *columns = NULL;
    size_t cells = 0;
    GE_TRY(check(data, fixed));
    GE_NEW(columns, data->n_means);
    GE_NEW(w.index, data->n_items);
    GE_TRY(ge_group_index(data->clusters, data->n_items, w.index, &w.clusters));
    GE_TRY(ge_mul(w.clusters, data->n_means, &cells));
    GE_NEW(w.a, cells);
    GE_NEW(w.b, cells);
    GE_NEW(w.seen, w.clusters);
    for (size_t k = 0; k < data->n_means; k++) estimate_mean(&w, k, fixed, &columns[k]);
    fill(&w, columns, out);
done:
    free(w.seen);
    free(w.b);
    free(w.a);
    free(w.index);
    free(columns);
    return rc;
}
