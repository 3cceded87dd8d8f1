#include "stats/paired.h"

#include <math.h>
#include <stdbool.h>

#include "base/math.h"

/* ---- roots -------------------------------------------------------------------------------------- */

/* Value of a function at x, and its slope there. */
typedef double curve(void *ctx, double x, double *slope);

/* The root of a function that falls between lo and hi, from x: Newton's steps, and a bisection where
 * one leaves the interval or the last did not bring the value down by half. */
static double find_root(curve *f, void *ctx, double lo, double hi, double x)
{
    enum { MOST_STEPS = 200 };
    double last = INFINITY;
    if (!(x > lo && x < hi)) x = lo + (hi - lo) / 2;
    for (int i = 0; i < MOST_STEPS; i++) {
        double slope, y = f(ctx, x, &slope);
        if (y > 0) lo = x;
        if (y < 0) hi = x;
        if (y == 0) break;
        double step = y / slope, next = x - step;
        bool good = next > lo && next < hi && fabs(y) < 0.5 * last;
        if (!good) {
            if (fabs(step) <= 2e-16 * fabs(x)) break; /* at the last bit */
            next = lo + (hi - lo) / 2;
        }
        if (next == x || !(next > lo && next < hi)) break;
        last = good ? fabs(y) : INFINITY;
        x = next;
    }
    return x;
}

/* ---- the difference ----------------------------------------------------------------------------- */

struct difference {
    double n, b, c; /* items, and those right on one side alone */
    double z;       /* of the end that is looked for: T(D) = z */
};

/* The score statistic at a difference of d, less z; it falls with d. The slope is that of the
 * distance alone, which is most of it. */
static double score(void *ctx, double d, double *slope)
{
    const struct difference *t = ctx;
    double n = t->n, a2 = 2 * n, b = -t->b - t->c + (2 * n - t->b + t->c) * d,
           c = -t->c * d * (1 - d);
    double root = sqrt(fmax(0, b * b - 4 * a2 * c));
    /* the restricted share of the second alone; the form without cancellation */
    double p01 = b <= 0 ? (root - b) / (2 * a2) : -2 * c / (root + b);
    double var = n * (2 * p01 + d * (1 - d)), distance = t->b - t->c - n * d;
    double error = var > 0 ? sqrt(var) : 1e-9 * n;
    *slope = -n / error;
    return distance / error - t->z;
}

static double difference_end(struct difference t, double side)
{
    double estimate = (t.b - t.c) / t.n, slope, first;
    t.z *= side; /* below the estimate the statistic is positive */
    if (estimate == -side || score(&t, -side, &slope) * side <= 0) return -side;
    score(&t, estimate, &slope);
    first = estimate + t.z / slope;
    return side > 0 ? find_root(score, &t, -1, estimate, first)
                    : find_root(score, &t, estimate, 1, first);
}

struct ge_range ge_paired_difference(struct ge_paired_table t, double z)
{
    struct difference d = {t.k11 + t.k10 + t.k01 + t.k00, t.k10, t.k01, z};
    if (!(d.n > 0) || isnan(z)) return (struct ge_range){NAN, NAN};
    return (struct ge_range){difference_end(d, 1), difference_end(d, -1)};
}

/* ---- the difference of logits ------------------------------------------------------------------- */

/* The likeliest table whose logits differ by `delta`, seen from its largest cell, so that no small
 * cell is a difference of large numbers: a and b are the shares of items that differ from that cell
 * on the first and on the second side, `both` of those that differ on both. */
struct profile {
    double largest, first, second, both_k; /* counts: that cell, one side differs, both do */
    double sign_a, sign_b;                 /* of logit a and logit b in the sides' logits */
    double delta, allowed;                 /* see excess() */
    double a, b, va, vb, room;             /* shares; a (1 - a), b (1 - b); 1 - a */
    double lo, hi, both;                   /* limits of `both`, and its best value */
    double eta;                            /* logit of the first side's share */
};

static double squared(double x)
{
    return x * x;
}

/* The derivative of the log likelihood along `both`, times the distances to its limits, where it has
 * poles. */
static double along_both(void *ctx, double x, double *slope)
{
    const struct profile *f = ctx;
    double one = f->a - x, two = f->b - x, rest = f->room - two;
    double value = f->largest / rest - f->first / one - f->second / two + f->both_k / x;
    double fall = f->largest / squared(rest) + f->first / squared(one) + f->second / squared(two) +
                  f->both_k / squared(x);
    double scale = (x - f->lo) * (f->hi - x);
    *slope = value * (f->hi + f->lo - 2 * x) - fall * scale;
    return value * scale;
}

/* Set the shares for eta, with `both` at its best. */
static void set_eta(struct profile *f, double eta)
{
    double x = f->sign_a * eta, y = f->sign_b * (eta - f->delta);
    double part = f->hi > f->lo ? (f->both - f->lo) / (f->hi - f->lo) : 0.5;
    f->eta = eta;
    f->a = ge_logistic(x);
    f->b = ge_logistic(y);
    f->room = ge_logistic(-x);
    f->va = f->a * f->room;
    f->vb = f->b * ge_logistic(-y);
    f->lo = fmax(0, f->b - f->room);
    f->hi = fmin(f->a, f->b);
    f->both = find_root(along_both, f, f->lo, f->hi, f->lo + part * (f->hi - f->lo));
}

/* The derivative along eta, with `both` at its best. */
static double along_eta(void *ctx, double eta, double *slope)
{
    struct profile *f = ctx;
    set_eta(f, eta);
    double one = f->a - f->both, two = f->b - f->both, rest = f->room - two;
    double da = f->first / one - f->largest / rest, db = f->second / two - f->largest / rest;
    double r2 = f->largest / squared(rest), a2 = f->first / squared(one),
           b2 = f->second / squared(two), m2 = f->both_k / squared(f->both);
    double ea = f->sign_a * f->va, eb = f->sign_b * f->vb; /* of a and b along eta */
    double mixed = (a2 + r2) * ea + (b2 + r2) * eb;
    *slope = -(a2 + r2) * ea * ea - (b2 + r2) * eb * eb - 2 * r2 * ea * eb +
             da * f->va * (1 - 2 * f->a) + db * f->vb * (1 - 2 * f->b) +
             mixed * mixed / (r2 + a2 + b2 + m2);
    return da * ea + db * eb;
}

/* What is allowed less the log likelihood ratio at delta, twice; falls away from the estimate. */
static double excess(void *ctx, double delta, double *slope)
{
    enum { FAR = 40 }; /* logits of any table that doubles can tell from 0 and 1 */
    struct profile *f = ctx;
    f->delta = delta;
    set_eta(f, find_root(along_eta, f, fmin(0, delta) - FAR, fmax(0, delta) + FAR, f->eta));
    double one = f->a - f->both, two = f->b - f->both, rest = f->room - two;
    *slope = -2 * f->sign_b * f->vb * (f->second / two - f->largest / rest);
    return f->allowed + 2 * (f->largest * ge_log(rest) + f->first * ge_log(one) +
                             f->second * ge_log(two) + f->both_k * ge_log(f->both));
}

/* The same as a function that falls on the lower side of the estimate, too. */
static double excess_below(void *ctx, double delta, double *slope)
{
    double value = excess(ctx, delta, slope);
    *slope = -*slope;
    return -value;
}

/* Cells by what they share with the largest one. */
static struct profile make_profile(const struct ge_paired_table *t)
{
    const double k[4] = {t->k00, t->k01, t->k10, t->k11}; /* bit 1: first right, bit 0: second */
    int r = 0;
    for (int i = 1; i < 4; i++) r = k[i] > k[r] ? i : r;
    return (struct profile){.largest = k[r],
                            .first = k[r ^ 2],
                            .second = k[r ^ 1],
                            .both_k = k[r ^ 3],
                            .sign_a = r & 2 ? -1 : 1,
                            .sign_b = r & 1 ? -1 : 1};
}

struct ge_range ge_paired_logit(struct ge_paired_table t, double z)
{
    double n = t.k11 + t.k10 + t.k01 + t.k00;
    bool good = t.k11 > 0 && t.k10 > 0 && t.k01 > 0 && t.k00 > 0 && isfinite(n) && !isnan(z);
    if (!good) return (struct ge_range){NAN, NAN};
    struct profile f = make_profile(&t);
    f.allowed = z * z - 2 * (f.largest * ge_log(f.largest / n) + f.first * ge_log(f.first / n) +
                             f.second * ge_log(f.second / n) + f.both_k * ge_log(f.both_k / n));
    double up = ge_log((t.k11 + t.k10) / (t.k01 + t.k00));
    double ug = ge_log((t.k11 + t.k01) / (t.k10 + t.k00));
    /* first guess: the interval of the delta method, which is nearly right */
    double p = (t.k11 + t.k10) / n, q = (t.k11 + t.k01) / n, vp = p * (1 - p), vq = q * (1 - q);
    double var = (1 / vp + 1 / vq - 2 * (t.k11 / n - p * q) / (vp * vq)) / n;
    double estimate = up - ug, guess = z * sqrt(fmax(0, var)), far = 20 + 4 * z * z;
    f.eta = up;
    double lo = find_root(excess_below, &f, estimate - far, estimate, estimate - guess);
    f.eta = up;
    double hi = find_root(excess, &f, estimate, estimate + far, estimate + guess);
    return (struct ge_range){lo, hi};
}
