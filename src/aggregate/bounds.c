/* Bounds over the assignments of failures.
 *
 * An assignment decides each failed sample right or wrong. The rates and Und - Gen are sums over
 * items of terms that rise or fall with it, so their extremes are those of "all right" and "all
 * wrong". G is neither: it is scored for every reachable pair of totals (und, gen). For a given
 * pair p00 - p11 is fixed, so G rises with the sum of und * gen, whose extremes a table over
 * totals gives item by item, as in the knapsack problem. */
#include "aggregate/bounds.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"

#define MOST_STEPS 2e7 /* of the exact table: well under a second */

/* Mean verdict of a direction when `right` of its failed samples are decided right. */
static double value_with(const struct direction_value *d, uint32_t right)
{
    return (d->sum + right) / (double)(d->judged + d->failed);
}

struct range {
    double lo, hi;
};

/* The group as sums over items: everything failed wrong, everything failed right. */
struct totals {
    double n;
    struct range und, gen, both;
};

static void add(struct range *r, double lo, double hi)
{
    r->lo += lo;
    r->hi += hi;
}

static struct totals add_up(const struct bounds_item *items, size_t n)
{
    struct totals t = {.n = (double)n};
    for (size_t i = 0; i < n; i++) {
        const struct direction_value *u = items[i].und, *g = items[i].gen;
        double u0 = value_with(u, 0), u1 = value_with(u, u->failed);
        double g0 = value_with(g, 0), g1 = value_with(g, g->failed);
        add(&t.und, u0, u1);
        add(&t.gen, g0, g1);
        add(&t.both, u0 * g0, u1 * g1);
    }
    return t;
}

/* logit of a smoothed share: k right of n. */
static double smoothed_logit(double k, double n)
{
    return ge_logit((k + 0.5) / (n + 1));
}

/* G of a group: totals of und, gen and und * gen. */
static double score(double n, double und, double gen, double both)
{
    double delta = smoothed_logit(und, n) - smoothed_logit(gen, n);
    return ge_gap_score(delta, (n - und - gen + both + 0.25) / (n + 1), (both + 0.25) / (n + 1));
}

static void widen(struct ge_bounds *b, double value)
{
    b->lo = fmin(b->lo, value);
    b->hi = fmax(b->hi, value);
}

/* ---- exact ---------------------------------------------------------------------------------- */

/* How the failed samples of one direction lie: `failed` of them, each worth 1/samples. */
struct steps {
    size_t failed, samples;
    bool even; /* `samples` is the same for all items with failures */
};

static void count_steps(struct steps *s, const struct direction_value *d)
{
    size_t samples = (size_t)d->judged + d->failed;
    if (d->failed == 0) return;
    if (s->samples != 0 && s->samples != samples) s->even = false;
    s->samples = samples;
    s->failed += d->failed;
}

/* Smallest and largest sum of und * gen for u and g failed samples decided right: (u, g). */
struct table {
    struct range *v;
    size_t width; /* g = 0…width-1 */
};

/* Take one more item into the table: totals up to (u_most, g_most) are reachable with it. In
 * place, from the far end, so that only cells without the item are read. */
static void table_add(struct table *t, const struct bounds_item *item, size_t u_most, size_t g_most)
{
    for (size_t u = u_most + 1; u-- > 0;) {
        for (size_t g = g_most + 1; g-- > 0;) {
            struct range best = {INFINITY, -INFINITY};
            for (uint32_t i = 0; i <= item->und->failed && i <= u; i++) {
                for (uint32_t j = 0; j <= item->gen->failed && j <= g; j++) {
                    const struct range *rest = &t->v[(u - i) * t->width + (g - j)];
                    double product = value_with(item->und, i) * value_with(item->gen, j);
                    best.lo = fmin(best.lo, rest->lo + product);
                    best.hi = fmax(best.hi, rest->hi + product);
                }
            }
            t->v[u * t->width + g] = best;
        }
    }
}

static ge_status exact_gap(const struct bounds_item *items, size_t n, const struct totals *t,
                           const struct steps *und, const struct steps *gen, struct ge_bounds *out)
{
    ge_status rc = GE_OK;
    size_t cells = (und->failed + 1) * (gen->failed + 1), u_most = 0, g_most = 0;
    struct table table = {.width = gen->failed + 1};
    double known = 0;
    GE_NEW(table.v, cells);
    for (size_t i = 1; i < cells; i++) table.v[i] = (struct range){INFINITY, -INFINITY};
    for (size_t i = 0; i < n; i++) {
        u_most += items[i].und->failed;
        g_most += items[i].gen->failed;
        if (items[i].und->failed + items[i].gen->failed > 0) {
            table_add(&table, &items[i], u_most, g_most);
        } else {
            known += value_with(items[i].und, 0) * value_with(items[i].gen, 0);
        }
    }
    *out = (struct ge_bounds){INFINITY, -INFINITY};
    for (size_t u = 0; u <= und->failed; u++) {
        for (size_t g = 0; g <= gen->failed; g++) {
            double us = t->und.lo + (u > 0 ? (double)u / (double)und->samples : 0);
            double gs = t->gen.lo + (g > 0 ? (double)g / (double)gen->samples : 0);
            widen(out, score(t->n, us, gs, known + table.v[u * table.width + g].lo));
            widen(out, score(t->n, us, gs, known + table.v[u * table.width + g].hi));
        }
    }
done:
    free(table.v);
    return rc;
}

/* ---- outer bounds --------------------------------------------------------------------------- */

/* The part `i` of `parts` of a range. */
static struct range part_of(struct range r, int i, int parts)
{
    double step = (r.hi - r.lo) / parts;
    return (struct range){r.lo + i * step, i + 1 == parts ? r.hi : r.lo + (i + 1) * step};
}

/* Totals in a box: |Delta|, and the sum of und * gen by its own limits and Frechet's, each at its
 * extreme. */
static void widen_by_box(struct ge_bounds *b, const struct totals *t, struct range und,
                         struct range gen)
{
    double n = t->n, m = n + 1;
    double both_lo = fmax(t->both.lo, und.lo + gen.lo - n);
    double both_hi = fmax(both_lo, fmin(t->both.hi, fmin(und.hi, gen.hi)));
    double least = smoothed_logit(und.lo, n) - smoothed_logit(gen.hi, n);
    double most = smoothed_logit(und.hi, n) - smoothed_logit(gen.lo, n);
    double near = least > 0 ? least : most < 0 ? -most : 0;
    double far = fmax(fabs(least), fabs(most));
    widen(b, ge_gap_score(near, (n - und.hi - gen.hi + both_lo + 0.25) / m, (both_lo + 0.25) / m));
    widen(b, ge_gap_score(far, (n - und.lo - gen.lo + both_hi + 0.25) / m, (both_hi + 0.25) / m));
}

/* Boxes that cover every assignment, small enough that little is given away. */
static struct ge_bounds outer_gap(const struct totals *t)
{
    enum { PARTS = 64 };
    struct ge_bounds b = {INFINITY, -INFINITY};
    for (int i = 0; i < PARTS; i++) {
        for (int j = 0; j < PARTS; j++) {
            widen_by_box(&b, t, part_of(t->und, i, PARTS), part_of(t->gen, j, PARTS));
        }
    }
    return b;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static ge_status gap_bounds(const struct bounds_item *items, size_t n, const struct totals *t,
                            struct ge_bounds *out)
{
    struct steps und = {.even = true}, gen = {.even = true};
    double work = 0;
    for (size_t i = 0; i < n; i++) {
        const struct direction_value *u = items[i].und, *g = items[i].gen;
        count_steps(&und, u);
        count_steps(&gen, g);
        if (u->failed + g->failed == 0) continue;
        work += ((double)und.failed + 1) * ((double)gen.failed + 1) * (u->failed + 1.0) *
                (g->failed + 1.0);
    }
    if (und.even && gen.even && work <= MOST_STEPS) {
        return exact_gap(items, n, t, &und, &gen, out);
    }
    *out = outer_gap(t);
    return GE_OK;
}

static struct ge_bounds shares(double lo, double hi, double n)
{
    return (struct ge_bounds){lo / n, hi / n};
}

ge_status ge_bounds(const struct bounds_item *items, size_t n, struct ge_gap_row *row)
{
    if (n == 0) {
        struct ge_bounds none = {NAN, NAN};
        row->succ_bounds = row->und_bounds = row->gen_bounds = none;
        row->points_bounds = row->gap_bounds = none;
        return GE_OK;
    }
    struct totals t = add_up(items, n);
    row->und_bounds = shares(t.und.lo, t.und.hi, t.n);
    row->gen_bounds = shares(t.gen.lo, t.gen.hi, t.n);
    row->succ_bounds = shares(t.both.lo, t.both.hi, t.n);
    row->points_bounds = shares(t.und.lo - t.gen.hi, t.und.hi - t.gen.lo, t.n);
    return gap_bounds(items, n, &t, &row->gap_bounds);
}
