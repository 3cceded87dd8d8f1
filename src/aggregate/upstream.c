/* AdamW on a hierarchical logistic model, in float32 and in the published script's order of operations.
 *
 *   p = logistic(theta - beta)          theta (rows, 2): text, image; beta, mu (2)
 *   Sigma = L L'                        L lower triangular, diagonal softplus(raw) + 1e-4
 *   loss = -sum s ln(p + 1e-8) + f ln(1 - p + 1e-8) + 1/2 sum (theta - mu)' Sigma^-1 (theta - mu)
 *          + rows sum ln L_ii + 1e-3 (|beta|^2 + |mu|^2)
 *
 * with s and f of 1,000 judgements a category, whatever their true number. Each line of arithmetic is one
 * float32 operation of the script, backward passes included, and must stay so: where the optimiser ends
 * depends on every rounding. exp and log are double ones, rounded. */
#include "aggregate/upstream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/math.h"
#include "base/mem.h"

enum { STEPS = 2000, SIDES = 2 };

static const float tiny = 1e-8f; /* keeps logarithms finite */
static const float ridge = 1e-3f;

static float exp_single(float x)
{
    return (float)ge_exp((double)x);
}

static float log_single(float x)
{
    return (float)ge_log((double)x);
}

/* ---- parameters --------------------------------------------------------------------------------- */

/* All parameters lie in one array, so that the optimiser runs over one: theta (rows, 2), beta (2),
 * mu (2), raw (3): L's raw entries 00, 10, 11. */
struct fit {
    size_t rows, n;           /* n = 2 rows + 7 */
    float *right, *wrong;     /* (rows, 2) of 1,000 */
    float *x, *grad;          /* (n) */
    float *moment1, *moment2; /* (n) */
    float *best;              /* (rows, 2) theta behind the step of the lowest loss */
};

static float *beta_of(const struct fit *f, float *v)
{
    return v + SIDES * f->rows;
}

static float *mu_of(const struct fit *f, float *v)
{
    return beta_of(f, v) + SIDES;
}

static float *raw_of(const struct fit *f, float *v)
{
    return mu_of(f, v) + SIDES;
}

static void set_counts(struct fit *f, size_t row, const struct ge_cells *c)
{
    float *right = f->right + SIDES * row, *wrong = f->wrong + SIDES * row;
    right[0] = (float)(c->p11 + c->p10) * 1000.0f;
    wrong[0] = (float)(c->p01 + c->p00) * 1000.0f;
    right[1] = (float)(c->p11 + c->p01) * 1000.0f;
    wrong[1] = (float)(c->p10 + c->p00) * 1000.0f;
}

static void set_start(struct fit *f)
{
    const float least = 1e-5f, most = (float)(1 - 1e-5);
    float *mu = mu_of(f, f->x), *raw = raw_of(f, f->x);
    for (size_t i = 0; i < SIDES * f->rows; i++) {
        float rate = f->right[i] / (f->right[i] + f->wrong[i] + tiny);
        rate = rate < least ? least : rate > most ? most : rate;
        f->x[i] = log_single(rate / (1 - rate));
        mu[i % SIDES] += f->x[i];
    }
    for (int k = 0; k < SIDES; k++) mu[k] /= (float)f->rows;
    raw[0] = 0.1f;
    raw[1] = 0.05f;
    raw[2] = 0.1f;
}

/* ---- loss and gradient ---------------------------------------------------------------------------- */

/* L, and the inverse of L L' by elimination with row exchange. */
struct covariance {
    float l00, l10, l11;
    float inverse[SIDES][SIDES];
};

static float softplus(float x)
{
    return x > 20 ? x : (float)ge_log1p((double)exp_single(x));
}

static float softplus_back(float grad, float x)
{
    float z = exp_single(x);
    return x > 20 ? grad : grad * z / (z + 1);
}

static void invert(float a[SIDES][SIDES], float out[SIDES][SIDES])
{
    int first = fabsf(a[1][0]) > fabsf(a[0][0]), second = 1 - first;
    float factor = a[second][0] / a[first][0];
    float pivot = a[second][1] - factor * a[first][1];
    for (int column = 0; column < SIDES; column++) {
        float y0 = first == column ? 1.0f : 0.0f, y1 = second == column ? 1.0f : 0.0f;
        y1 -= factor * y0;
        out[1][column] = y1 / pivot;
        out[0][column] = (y0 - a[first][1] * out[1][column]) / a[first][0];
    }
}

static struct covariance make_covariance(const float *raw)
{
    struct covariance c = {
        .l00 = softplus(raw[0]) + 1e-4f, .l10 = raw[1], .l11 = softplus(raw[2]) + 1e-4f};
    float sigma[SIDES][SIDES] = {{c.l00 * c.l00, c.l00 * c.l10},
                                 {c.l10 * c.l00, c.l10 * c.l10 + c.l11 * c.l11}};
    invert(sigma, c.inverse);
    return c;
}

/* The likelihood's part: fills the gradient of theta, gives the loss. A row is summed first: the lowest
 * loss is looked for among values that are a few units in the last place apart. */
static float likelihood(struct fit *f)
{
    const float *beta = beta_of(f, f->x);
    float sum = 0, row = 0;
    for (size_t i = 0; i < SIDES * f->rows; i++) {
        float s = f->right[i], w = f->wrong[i];
        float p = 1 / (1 + exp_single(-(f->x[i] - beta[i % SIDES])));
        float hit = p + tiny, miss = 1 - p + tiny;
        float back = -s / hit + w / miss;
        f->grad[i] = back * (1 - p) * p;
        row += s * log_single(hit) + w * log_single(miss);
        if (i % SIDES == 0) continue;
        sum += row;
        row = 0;
    }
    return -sum;
}

/* The prior's part: adds to the gradients of theta and mu, fills that of raw; gives the loss in
 * *mahalanobis and *logdet. */
static void prior(struct fit *f, float *mahalanobis, float *logdet)
{
    const float *mu = mu_of(f, f->x), *raw = raw_of(f, f->x);
    float *grad_mu = mu_of(f, f->grad), *grad_raw = raw_of(f, f->grad);
    struct covariance c = make_covariance(raw);
    float(*v)[SIDES] = c.inverse, g[SIDES][SIDES] = {{0}}, sum = 0;
    for (size_t r = 0; r < f->rows; r++) {
        const float *theta = f->x + SIDES * r;
        float d[SIDES] = {theta[0] - mu[0], theta[1] - mu[1]}, half[SIDES], product[SIDES];
        for (int k = 0; k < SIDES; k++) {
            product[k] = d[0] * v[0][k] + d[1] * v[1][k];
            half[k] = 0.5f * d[k];
            sum += product[k] * d[k];
        }
        for (int k = 0; k < SIDES; k++) {
            float back = 0.5f * product[k] + (half[0] * v[k][0] + half[1] * v[k][1]);
            f->grad[SIDES * r + (size_t)k] += back;
            grad_mu[k] -= back;
            for (int j = 0; j < SIDES; j++) g[k][j] += d[k] * half[j];
        }
    }
    float t[SIDES][SIDES], s[SIDES][SIDES]; /* gradient of Sigma: -V' G V' */
    for (int i = 0; i < SIDES; i++) {
        for (int j = 0; j < SIDES; j++) t[i][j] = g[i][0] * v[j][0] + g[i][1] * v[j][1];
    }
    for (int i = 0; i < SIDES; i++) {
        for (int j = 0; j < SIDES; j++) s[i][j] = -(v[0][i] * t[0][j] + v[1][i] * t[1][j]);
    }
    float rows = (float)f->rows;
    float to00 =
        (rows / c.l00 + (s[0][0] * c.l00 + s[0][1] * c.l10)) + (s[0][0] * c.l00 + s[1][0] * c.l10);
    float to10 = (s[1][0] * c.l00 + s[1][1] * c.l10) + (s[0][1] * c.l00 + s[1][1] * c.l10);
    float to11 = (rows / c.l11 + s[1][1] * c.l11) + s[1][1] * c.l11;
    grad_raw[0] = softplus_back(to00, raw[0]);
    grad_raw[1] = to10;
    grad_raw[2] = softplus_back(to11, raw[2]);
    *mahalanobis = 0.5f * sum;
    *logdet = rows * (log_single(c.l00) + log_single(c.l11));
}

/* Loss and gradient at f->x. */
static float evaluate(struct fit *f)
{
    const float *beta = beta_of(f, f->x), *mu = mu_of(f, f->x);
    float *grad_beta = beta_of(f, f->grad), *grad_mu = mu_of(f, f->grad);
    memset(f->grad, 0, f->n * sizeof *f->grad);
    float nll = likelihood(f);
    for (size_t i = 0; i < SIDES * f->rows; i++) grad_beta[i % SIDES] -= f->grad[i];
    float mahalanobis, logdet;
    prior(f, &mahalanobis, &logdet);
    float squares_beta = beta[0] * beta[0] + beta[1] * beta[1];
    float squares_mu = mu[0] * mu[0] + mu[1] * mu[1];
    for (int k = 0; k < SIDES; k++) {
        grad_beta[k] += ridge * (2 * beta[k]);
        grad_mu[k] += ridge * (2 * mu[k]);
    }
    return ((nll + mahalanobis) + logdet) + ridge * (squares_beta + squares_mu);
}

/* ---- the optimiser -------------------------------------------------------------------------------- */

/* One step of AdamW (Loshchilov and Hutter 2019); `t` counts from 1. */
static void adamw(struct fit *f, int t)
{
    const double rate = 0.05;
    const float decay = (float)(1 - rate * 1e-4);
    const float weight1 = (float)(1 - 0.9), keep2 = 0.999f, weight2 = (float)(1 - 0.999);
    float size = (float)-(rate / (1 - ge_pow(0.9, t)));
    float correction2 = (float)sqrt(1 - ge_pow(0.999, t));
    for (size_t i = 0; i < f->n; i++) {
        float g = f->grad[i];
        f->x[i] *= decay;
        f->moment1[i] += weight1 * (g - f->moment1[i]);
        f->moment2[i] = f->moment2[i] * keep2 + weight2 * g * g;
        float denominator = sqrtf(f->moment2[i]) / correction2 + tiny;
        f->x[i] += size * f->moment1[i] / denominator;
    }
}

static void optimise(struct fit *f)
{
    float lowest = INFINITY;
    for (int t = 1; t <= STEPS; t++) {
        float loss = evaluate(f);
        adamw(f, t);
        if (loss < lowest) {
            lowest = loss;
            memcpy(f->best, f->x, SIDES * f->rows * sizeof *f->best);
        }
    }
}

/* ---- the estimator -------------------------------------------------------------------------------- */

ge_status ge_cells_normalize(struct ge_cells *c)
{
    const double v[] = {c->p11, c->p10, c->p01, c->p00};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        if (!(isfinite(v[i]) && v[i] >= 0)) {
            return ge_fail(GE_EINVAL, "cell %d of [p11, p10, p01, p00] is %g; wanted 0 or more",
                           i + 1, v[i]);
        }
        sum += v[i];
    }
    if (!(fabs(sum - 1) <= 5e-3)) {
        return ge_fail(GE_EINVAL, "the cells' sum is %.6g; wanted 1 within 0.005", sum);
    }
    c->p11 /= sum;
    c->p10 /= sum;
    c->p01 /= sum;
    c->p00 /= sum;
    return GE_OK;
}

/* To 6 decimals, ties by the exact binary value, as Python's round() does. */
static double round6(double v)
{
    char text[64];
    snprintf(text, sizeof text, "%.6f", v);
    return strtod(text, NULL);
}

ge_status ge_gap_upstream(const struct ge_cells *cells, size_t rows, double *gaps, double *mean)
{
    ge_status rc = GE_OK;
    float *memory = NULL;
    size_t sides = SIDES * rows, n = sides + 7;
    *mean = NAN;
    if (rows == 0) return GE_OK;
    GE_NEW(memory, 4 * n + 3 * sides);
    struct fit f = {.rows = rows, .n = n, .x = memory};
    f.grad = f.x + n;
    f.moment1 = f.grad + n;
    f.moment2 = f.moment1 + n;
    f.right = f.moment2 + n;
    f.wrong = f.right + sides;
    f.best = f.wrong + sides;
    for (size_t r = 0; r < rows; r++) set_counts(&f, r, &cells[r]);
    set_start(&f);
    optimise(&f);
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        float delta = f.best[SIDES * r] - f.best[SIDES * r + 1];
        gaps[r] = round6(ge_gap_score((double)delta, cells[r].p00, cells[r].p11));
        sum += gaps[r];
    }
    *mean = round6(sum / (double)rows);
done:
    free(memory);
    return rc;
}
