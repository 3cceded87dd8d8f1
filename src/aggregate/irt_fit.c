/* Quasi-Newton steps (BFGS, limited memory) whose metric is the observed information, made anew while that
 * helps: with many abilities it is all but exact, with few and a large sd the updates do the work.
 * Sums over items are made per block of items and added in the blocks' order; sums of squares per band of
 * the matrix, over all items in order: the same digits at any number of threads. */
#include "aggregate/irt_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "stats/cholesky.h"

enum {
    BLOCK = 64,        /* items of one sum */
    CHUNK = 4 * BLOCK, /* items whose information is in memory at a time */
    BAND = 16,         /* rows of the matrix that one iteration of a loop adds to */
    TOGETHER = 4,      /* rows whose squares are added in one pass */
    NODES_STEP = 5,    /* quadrature of the information: for the steps, */
    NODES_FINAL = 15,  /* and for the standard errors */
    PAIRS = 30,        /* steps that are remembered */
    MOST_MADE = 6,     /* times that the information is made for its convergence */
    MOST_STEPS = 1000
};

struct fit {
    const struct irt_table *table;
    struct ge_pool *pool;
    struct irt_rule rule, step_rule, final_rule;
    size_t n, blocks;
    struct irt_point at;
    double *theta, *odds;        /* (n) the point */
    double *mode;                /* (items) where each item's search begins */
    struct irt_work *work;       /* (threads) */
    double *sums;                /* (blocks, 2 n + 2): loglik and gradient, or diagonal and shaft */
    double *gradient;            /* (n + 1) */
    double *matrix;              /* (n + 1, n + 1) */
    double *rows;                /* (CHUNK * NODES_FINAL + TOGETHER, n + 1) */
    double *means;               /* (threads, n + 1) */
    const struct irt_rule *used; /* of the information at hand */
    size_t first;                /* item of the chunk */
};

static struct irt_counts counts_of(const struct fit *f, size_t item)
{
    return (struct irt_counts){f->table->right + item * f->n, f->table->total + item * f->n};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- log likelihood and gradient ------------------------------------------------------------------- */

static void block_gradient(void *ctx, size_t block, int thread)
{
    struct fit *f = ctx;
    struct irt_work *w = &f->work[thread];
    double *sum = f->sums + block * (2 * f->n + 2);
    size_t end = least((block + 1) * BLOCK, f->table->items);
    memset(sum, 0, (f->n + 2) * sizeof *sum);
    for (size_t i = block * BLOCK; i < end; i++) {
        w->mode = f->mode[i];
        irt_integrate(&f->at, counts_of(f, i), &f->rule, w);
        irt_add_gradient(&f->at, counts_of(f, i), &f->rule, w, sum + 1);
        sum[0] += w->loglik;
        f->mode[i] = w->mode;
    }
}

static void set_point(struct fit *f, const double *x)
{
    for (size_t j = 0; j < f->n; j++) {
        f->theta[j] = x[j];
        f->odds[j] = ge_exp(-x[j]);
    }
    f->at.sd = x[f->n];
}

/* The log likelihood at x; its gradient goes to f->gradient. */
static double evaluate(struct fit *f, const double *x)
{
    double loglik = 0;
    set_point(f, x);
    ge_pool_run(f->pool, f->blocks, block_gradient, f);
    memset(f->gradient, 0, (f->n + 1) * sizeof *f->gradient);
    for (size_t b = 0; b < f->blocks; b++) {
        const double *sum = f->sums + b * (2 * f->n + 2);
        loglik += sum[0];
        for (size_t j = 0; j <= f->n; j++) f->gradient[j] += sum[1 + j];
    }
    return loglik;
}

/* ---- information ------------------------------------------------------------------------------------ */

static void block_information(void *ctx, size_t block, int thread)
{
    struct fit *f = ctx;
    struct irt_work *w = &f->work[thread];
    size_t width = f->n + 1, nodes = (size_t)f->used->n;
    size_t begin = f->first + block * BLOCK, end = least(begin + BLOCK, f->table->items);
    double *diagonal = f->sums + block * 2 * width, *shaft = diagonal + width;
    memset(diagonal, 0, 2 * width * sizeof *diagonal);
    for (size_t i = begin; i < end; i++) {
        w->mode = f->mode[i];
        irt_integrate(&f->at, counts_of(f, i), f->used, w);
        irt_add_information(&f->at, counts_of(f, i), w, diagonal, shaft,
                            f->rows + (i - f->first) * nodes * width,
                            f->means + (size_t)thread * width);
    }
}

/* Subtract the squares of the chunk's rows from one band of the lower triangle; four rows at a time, so
 * that an element is loaded and stored once for four products. Rows behind the last are 0. */
static void band_squares(void *ctx, size_t band, int thread)
{
    (void)thread;
    struct fit *f = ctx;
    size_t width = f->n + 1, begin = band * BAND, end = least(begin + BAND, width);
    size_t rows = least(CHUNK, f->table->items - f->first) * (size_t)f->used->n;
    for (size_t r = 0; r < rows; r += TOGETHER) {
        const double *a = f->rows + r * width, *b = a + width, *c = b + width, *d = c + width;
        for (size_t i = begin; i < end; i++) {
            double *to = f->matrix + i * width, va = a[i], vb = b[i], vc = c[i], vd = d[i];
            for (size_t j = 0; j <= i; j++) {
                to[j] -= (va * a[j] + vb * b[j]) + (vc * c[j] + vd * d[j]);
            }
        }
    }
}

/* The observed information at the point of the last evaluate(), into the lower triangle of f->matrix. */
static void make_information(struct fit *f, const struct irt_rule *rule)
{
    size_t width = f->n + 1, items = f->table->items;
    f->used = rule;
    memset(f->matrix, 0, width * width * sizeof *f->matrix);
    for (f->first = 0; f->first < items; f->first += CHUNK) {
        size_t blocks = (least(CHUNK, items - f->first) + BLOCK - 1) / BLOCK;
        size_t rows = least(CHUNK, items - f->first) * (size_t)rule->n;
        memset(f->rows + rows * width, 0, TOGETHER * width * sizeof *f->rows);
        ge_pool_run(f->pool, blocks, block_information, f);
        for (size_t b = 0; b < blocks; b++) {
            const double *diagonal = f->sums + b * 2 * width, *shaft = diagonal + width;
            for (size_t j = 0; j <= f->n; j++) f->matrix[j * width + j] += diagonal[j];
            for (size_t j = 0; j < f->n; j++) f->matrix[f->n * width + j] += shaft[j];
        }
        ge_pool_run(f->pool, (width + BAND - 1) / BAND, band_squares, f);
    }
}

/* Its factor. Far from the maximum it may not be positive definite: then the diagonal is raised. */
static bool factor_information(struct fit *f)
{
    size_t width = f->n + 1;
    double raise = 0, largest = 0;
    make_information(f, &f->step_rule);
    for (size_t j = 0; j < width; j++) largest = fmax(largest, fabs(f->matrix[j * width + j]));
    for (int i = 0; i < 12; i++) {
        if (ge_cholesky(f->matrix, width)) return true;
        raise = raise == 0 ? 1e-6 * largest : 10 * raise;
        make_information(f, &f->step_rule);
        for (size_t j = 0; j < width; j++) f->matrix[j * width + j] += raise;
    }
    return false;
}

/* ---- steps --------------------------------------------------------------------------------------------- */

/* What is known of the curvature: the factor in f->matrix, and the last steps with the falls of the
 * gradient along them (Nocedal 1980). */
struct memory {
    double *step, *fall;     /* (PAIRS, n + 1) */
    double product[PAIRS];   /* step' fall > 0 */
    size_t n, next;          /* pairs held; where the next one goes */
    double *origin, *before; /* (n + 1) the point and the gradient that a step begins with */
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void add_times(double *to, double factor, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += factor * v[i];
}

/* Keep the pair of the step from m->origin to x, if the gradient fell along it. It is made where the oldest
 * of a full memory was. */
static void remember(struct memory *m, const double *x, const double *gradient, size_t width)
{
    double *step = m->step + m->next * width, *fall = m->fall + m->next * width;
    for (size_t j = 0; j < width; j++) {
        step[j] = x[j] - m->origin[j];
        fall[j] = m->before[j] - gradient[j];
    }
    if (m->n == PAIRS) m->n--;
    double product = dot(step, fall, width);
    if (!(product > 1e-10 * sqrt(dot(step, step, width) * dot(fall, fall, width)))) return;
    m->product[m->next] = product;
    m->next = (m->next + 1) % PAIRS;
    m->n++;
}

/* The direction of the next step: the two-loop recursion about the factor. */
static void direction(const struct fit *f, const struct memory *m, double *d)
{
    size_t width = f->n + 1;
    double along[PAIRS];
    memcpy(d, f->gradient, width * sizeof *d);
    for (size_t k = 0; k < m->n; k++) {
        size_t i = (m->next + PAIRS - 1 - k) % PAIRS;
        along[i] = dot(m->step + i * width, d, width) / m->product[i];
        add_times(d, -along[i], m->fall + i * width, width);
    }
    ge_cholesky_solve(f->matrix, width, d);
    for (size_t k = m->n; k-- > 0;) {
        size_t i = (m->next + PAIRS - 1 - k) % PAIRS;
        double back = dot(m->fall + i * width, d, width) / m->product[i];
        add_times(d, along[i] - back, m->step + i * width, width);
    }
}

/* The longest part of a step that changes no logit by more than 2 and sd by more than half of it + 0.2. */
static double step_part(const double *x, const double *step, size_t n)
{
    double part = 1;
    for (size_t j = 0; j <= n; j++) {
        double most = j < n ? 2 : 0.5 * fabs(x[n]) + 0.2;
        if (fabs(step[j]) * part > most) part = most / fabs(step[j]);
    }
    return part;
}

/* Go from x along d, which promises to gain `gain`, as far as the likelihood keeps a little of the promise,
 * up to rounding; the new one in *loglik. */
static bool move(struct fit *f, struct memory *m, double *x, const double *d, double gain,
                 double *loglik)
{
    size_t width = f->n + 1;
    double part = step_part(x, d, f->n);
    memcpy(m->origin, x, width * sizeof *x);
    memcpy(m->before, f->gradient, width * sizeof *x);
    for (int i = 0; i < 40; i++, part *= 0.5) {
        for (size_t j = 0; j < width; j++) x[j] = m->origin[j] + part * d[j];
        double value = evaluate(f, x);
        if (!(value >= *loglik + 1e-4 * part * gain - 1e-13 * fabs(*loglik))) continue;
        *loglik = value;
        remember(m, x, f->gradient, width);
        return true;
    }
    memcpy(x, m->origin, width * sizeof *x);
    *loglik = evaluate(f, x);
    return false;
}

/* Up to the maximum. The gain that a step promises, gradient' step, is the squared distance from the maximum
 * in standard errors: below 1e-18 there is nothing left to gain. */
static ge_status climb(struct fit *f, struct memory *m, double sd_most, struct irt_optimum *best,
                       double *step)
{
    double gain_before = INFINITY;
    int made = 0; /* times that the information was made */
    bool wanted = true;
    best->loglik = evaluate(f, best->x);
    for (best->steps = 0; best->steps < MOST_STEPS; best->steps++) {
        if (wanted) {
            if (!factor_information(f)) break;
            m->n = m->next = 0;
            made++;
        }
        direction(f, m, step);
        double gain = dot(step, f->gradient, f->n + 1);
        if (gain < 1e-18) return GE_OK;
        bool moved = move(f, m, best->x, step, gain, &best->loglik);
        if (!moved && gain < 1e-10) return GE_OK; /* as near as the sums can tell */
        if (!moved && wanted) break;
        best->unbounded = fabs(best->x[f->n]) > sd_most;
        if (best->unbounded) return GE_OK;
        wanted = !moved || (made < MOST_MADE && gain > 1e-3 * gain_before);
        gain_before = gain;
    }
    return ge_fail(GE_EINTERNAL, "irt: no maximum after %d steps, sd of items %g", best->steps,
                   best->x[f->n]);
}

/* ---- all of it ------------------------------------------------------------------------------------------ */

static ge_status make_fit(struct fit *f, const struct irt_table *table, int nodes,
                          struct ge_pool *pool)
{
    ge_status rc = GE_OK;
    size_t threads = pool != NULL ? (size_t)ge_pool_threads(pool) : 1, width = table->n + 1;
    size_t sums = 0, rows = 0, chunk = least(CHUNK, table->items);
    *f = (struct fit){.table = table, .pool = pool, .n = table->n};
    f->blocks = (table->items + BLOCK - 1) / BLOCK;
    f->rule.n = nodes;
    f->step_rule.n = NODES_STEP;
    f->final_rule.n = NODES_FINAL;
    struct irt_rule *rules[] = {&f->rule, &f->step_rule, &f->final_rule};
    for (int i = 0; i < 3; i++) {
        GE_TRY(ge_hermite(rules[i]->n, rules[i]->node, rules[i]->log_weight));
    }
    GE_TRY(ge_mul(f->blocks, 2 * width, &sums));
    GE_TRY(ge_mul(chunk * NODES_FINAL + TOGETHER, width, &rows));
    GE_NEW(f->theta, f->n);
    GE_NEW(f->odds, f->n);
    GE_NEW(f->mode, table->items);
    GE_NEW(f->gradient, width);
    GE_NEW(f->sums, sums);
    GE_NEW(f->matrix, width * width);
    GE_NEW(f->rows, rows);
    GE_NEW(f->means, threads * width);
    GE_NEW(f->work, threads);
    for (size_t t = 0; t < threads; t++) {
        GE_TRY(irt_work_make(&f->work[t], f->n, nodes > NODES_FINAL ? nodes : NODES_FINAL));
    }
    f->at = (struct irt_point){.n = f->n, .theta = f->theta, .odds = f->odds};
done:
    return rc;
}

static void free_fit(struct fit *f)
{
    size_t threads = f->pool != NULL ? (size_t)ge_pool_threads(f->pool) : 1;
    for (size_t t = 0; f->work != NULL && t < threads; t++) irt_work_free(&f->work[t]);
    double *arrays[] = {f->theta, f->odds,   f->mode, f->gradient,
                        f->sums,  f->matrix, f->rows, f->means};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
    free(f->work);
}

/* The abilities' block of the inverse information. At sd = 0 the likelihood is even in sd, so that its row
 * holds nothing but the diagonal. Where the information is not positive definite, the likelihood goes on
 * rising, ever more slowly, towards an infinite sd. */
static ge_status make_covariance(struct fit *f, struct irt_optimum *best)
{
    ge_status rc = GE_OK;
    size_t n = f->n, width = n + 1;
    double *inverse = NULL;
    make_information(f, &f->final_rule);
    if (best->x[n] == 0) {
        memset(f->matrix + n * width, 0, width * sizeof *f->matrix);
        f->matrix[n * width + n] = 1;
    }
    if (!ge_cholesky(f->matrix, width)) {
        best->unbounded = true;
        return GE_OK;
    }
    GE_NEW(inverse, width * width);
    ge_cholesky_inverse(f->matrix, width, inverse);
    for (size_t i = 0; i < n; i++) {
        memcpy(best->covariance + i * n, inverse + i * width, n * sizeof *inverse);
    }
done:
    free(inverse);
    return rc;
}

/* A maximum at sd = 0 is approached from above; what is left of it is rounding. */
static void settle_sd(struct fit *f, struct irt_optimum *best)
{
    double *sd = &best->x[f->n];
    *sd = fabs(*sd) < 1e-4 ? 0 : fabs(*sd);
    best->loglik = evaluate(f, best->x);
}

ge_status irt_maximise(const struct irt_table *table, int nodes, double sd_most,
                       struct ge_pool *pool, struct irt_optimum *best)
{
    ge_status rc = GE_OK;
    struct fit f;
    struct memory m = {0};
    double *step = NULL;
    size_t width = table->n + 1, pairs = 0;
    best->unbounded = false;
    GE_TRY(make_fit(&f, table, nodes, pool));
    GE_TRY(ge_mul(PAIRS, width, &pairs));
    GE_NEW(step, width);
    GE_NEW(m.step, pairs);
    GE_NEW(m.fall, pairs);
    GE_NEW(m.origin, width);
    GE_NEW(m.before, width);
    GE_TRY(climb(&f, &m, sd_most, best, step));
    if (best->unbounded) goto done;
    settle_sd(&f, best);
    GE_TRY(make_covariance(&f, best));
done:
    free_fit(&f);
    free(step);
    free(m.step);
    free(m.fall);
    free(m.origin);
    free(m.before);
    return rc;
}
