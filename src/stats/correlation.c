#include "stats/correlation.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"

struct placed {
    double value;
    size_t index;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

ge_status ge_midranks(const double *x, size_t n, double *rank)
{
    ge_status rc = GE_OK;
    struct placed *v = NULL;
    GE_NEW(v, n);
    for (size_t i = 0; i < n; i++) v[i] = (struct placed){x[i], i};
    if (n > 0) qsort(v, n, sizeof *v, compare_placed);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && v[end].value == v[i].value; end++) {
        }
        for (size_t k = i; k < end; k++) rank[v[k].index] = (double)(i + end + 1) / 2;
    }
done:
    free(v);
    return rc;
}

static ge_status check(const double *x, const double *y, size_t n, double level)
{
    if (!(level > 0 && level < 1)) {
        return ge_fail(GE_EINVAL, "level %g; allowed is between 0 and 1", level);
    }
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && isfinite(y[i])) continue;
        return ge_fail(GE_EINVAL, "pair %zu: found %g and %g, allowed: finite numbers", i, x[i],
                       y[i]);
    }
    return GE_OK;
}

/* tanh without loss near 0 being of interest: z is a bound of an interval. */
static double from_z(double z)
{
    return 1 - 2 / (ge_exp(2 * z) + 1);
}

/* Interval of r on the z scale; scale^2/(independent - lost) is the variance there. */
static struct ge_correlation with_interval(double r, double scale, size_t independent, size_t lost,
                                           double level)
{
    struct ge_correlation c = {r, NAN, NAN};
    if (isnan(r) || independent <= lost) return c;
    if (fabs(r) >= 1) return (struct ge_correlation){r, r, r};
    double z = (ge_log1p(r) - ge_log1p(-r)) / 2;
    double half = ge_norm_quantile((1 + level) / 2) * scale / sqrt((double)(independent - lost));
    c.lo = from_z(z - half);
    c.hi = from_z(z + half);
    return c;
}

/* ---- Pearson, Spearman ----------------------------------------------------------------------- */

static double mean_of(const double *x, size_t n)
{
    double sum = 0, rest = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) rest += (x[i] - sum) / (double)n; /* what rounding left */
    return sum + rest;
}

static int varies(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0]) return 1;
    }
    return 0;
}

/* Largest distance from the mean: dividing by it keeps squares from overflow and underflow. */
static double reach(const double *x, size_t n, double mean)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(x[i] - mean));
    return most;
}

static double product_moment(const double *x, const double *y, size_t n)
{
    if (!varies(x, n) || !varies(y, n)) return NAN;
    double mx = mean_of(x, n), my = mean_of(y, n), xx = 0, yy = 0, xy = 0;
    double sx = reach(x, n, mx), sy = reach(y, n, my);
    for (size_t i = 0; i < n; i++) {
        double dx = (x[i] - mx) / sx, dy = (y[i] - my) / sy;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return fmax(-1, fmin(1, xy / (sqrt(xx) * sqrt(yy))));
}

ge_status ge_pearson(const double *x, const double *y, size_t n, size_t independent, double level,
                     struct ge_correlation *out)
{
    ge_status rc = check(x, y, n, level);
    *out = (struct ge_correlation){NAN, NAN, NAN};
    if (rc == GE_OK) *out = with_interval(product_moment(x, y, n), 1, independent, 3, level);
    return rc;
}

ge_status ge_spearman(const double *x, const double *y, size_t n, size_t independent, double level,
                      struct ge_correlation *out)
{
    ge_status rc = GE_OK;
    double *rank = NULL;
    *out = (struct ge_correlation){NAN, NAN, NAN};
    GE_TRY(check(x, y, n, level));
    GE_NEW(rank, 2 * n);
    GE_TRY(ge_midranks(x, n, rank));
    GE_TRY(ge_midranks(y, n, rank + n));
    double r = product_moment(rank, rank + n, n);
    *out = with_interval(r, sqrt(1 + r * r / 2), independent, 3, level);
done:
    free(rank);
    return rc;
}

/* ---- Kendall --------------------------------------------------------------------------------- */

struct pair {
    double x, y;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static double pairs_of(size_t n)
{
    return (double)n * ((double)n - 1) / 2;
}

/* Sort v by y from the bottom up; the number of exchanges of neighbours that this takes. */
static double count_exchanges(struct pair *v, struct pair *spare, size_t n)
{
    double exchanges = 0;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t begin = 0; begin < n; begin += 2 * width) {
            size_t mid = begin + width < n ? begin + width : n;
            size_t end = mid + width < n ? mid + width : n;
            for (size_t i = begin, j = mid, k = begin; k < end; k++) {
                if (j >= end || (i < mid && v[i].y <= v[j].y)) {
                    spare[k] = v[i++];
                } else {
                    exchanges += (double)(mid - i);
                    spare[k] = v[j++];
                }
            }
        }
        memcpy(v, spare, n * sizeof *v);
    }
    return exchanges;
}

static double tau_b(struct pair *v, struct pair *spare, size_t n)
{
    double tied_x = 0, tied_y = 0, tied_both = 0, all = pairs_of(n);
    if (n < 2) return NAN;
    qsort(v, n, sizeof *v, compare_pairs);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && v[end].x == v[i].x; end++) {
        }
        tied_x += pairs_of(end - i);
        for (size_t k = i, stop; k < end; k = stop) {
            for (stop = k; stop < end && v[stop].y == v[k].y; stop++) {
            }
            tied_both += pairs_of(stop - k);
        }
    }
    double exchanges = count_exchanges(v, spare, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && v[end].y == v[i].y; end++) {
        }
        tied_y += pairs_of(end - i);
    }
    if (tied_x == all || tied_y == all) return NAN;
    double score = all - tied_x - tied_y + tied_both - 2 * exchanges;
    return fmax(-1, fmin(1, score / sqrt(all - tied_x) / sqrt(all - tied_y)));
}

ge_status ge_kendall(const double *x, const double *y, size_t n, size_t independent, double level,
                     struct ge_correlation *out)
{
    ge_status rc = GE_OK;
    struct pair *v = NULL;
    *out = (struct ge_correlation){NAN, NAN, NAN};
    GE_TRY(check(x, y, n, level));
    GE_NEW(v, 2 * n);
    for (size_t i = 0; i < n; i++) v[i] = (struct pair){x[i], y[i]};
    *out = with_interval(tau_b(v, v + n, n), sqrt(0.437), independent, 4, level);
done:
    free(v);
    return rc;
}
