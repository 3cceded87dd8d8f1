/* How often the 95 % intervals hold the truth: prints the tables of docs/statistics.md.
 *
 *     study_coverage [REPLICATES [SECTION]]      (20000; single, bca, clustered, shares or ppi; all)
 *
 * Every replicate draws its items from a table of probabilities, or items in clusters, or judgements
 * of items, or automatic verdicts beside few human ones, and asks whether the interval holds what the
 * table says. Random numbers are a function of the section, the row and the replicate: the same
 * figures on every machine. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "aggregate/ppi_gap.h"
#include "base/math.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "stats/paired.h"

enum { METHODS = 3, CHUNK = 50, MOST_ITEMS = 5000 };

struct truth {
    const char *name;
    double p11, p10, p01; /* p00 is the rest */
};

static const struct truth truths[] = {
    {"even .90/.90", 0.85, 0.05, 0.05},
    {"correlated .90/.80", 0.78, 0.12, 0.02},
    {"independent .75", 0.5625, .1875, .1875},
    {".95/.55", 0.54, 0.41, 0.01},
    {".97/.60", 0.58, 0.39, 0.02},
    {".60/.40", 0.30, 0.30, 0.10},
    {"opposed .50/.50", 0.05, 0.45, 0.45},
    {".50/.05", 0.04, 0.46, 0.01},
    {"low .15/.05", 0.03, 0.12, 0.02},
    {".98/.97", 0.96, 0.02, 0.01},
    {".99/.99", 0.985, 0.005, 0.005},
    {".02/.01", 0.005, 0.015, 0.005},
    {".99/.50", 0.50, 0.49, 0.0},
    {".99/.02", 0.02, 0.97, 0.0},
};
enum { TRUTHS = sizeof truths / sizeof truths[0] };

static const int sizes[] = {50, 150, 646, 5000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static double logit_gap(const struct truth *t)
{
    return ge_logit(t->p11 + t->p10) - ge_logit(t->p11 + t->p01);
}

/* ---- draws -------------------------------------------------------------------------------------- */

struct draws {
    uint64_t seed, stream, next;
    uint32_t words[4];
};

static double uniform(struct draws *d)
{
    if (d->next % 4 == 0) ge_philox(d->seed, d->stream, d->next / 4, d->words);
    return ((double)d->words[d->next++ % 4] + 0.5) * 0x1p-32;
}

static struct ge_pair draw_pair(struct draws *d, const struct truth *t)
{
    double x = uniform(d);
    bool both = x < t->p11, first = x < t->p11 + t->p10;
    bool second = both || (!first && x < t->p11 + t->p10 + t->p01);
    return (struct ge_pair){first, second, 0};
}

/* ---- one row of a table ------------------------------------------------------------------------- */

enum kind { SINGLE, CLUSTERED, FRACTIONAL, PPI };

struct row {
    const struct truth *truth;
    enum kind kind;
    enum ge_interval_method method;
    int n;
    double points, delta;    /* the truth */
    double agree, flattered; /* of automatic verdicts: right ones kept, wrong ones called right */
    uint64_t stream;
};

struct counts {
    size_t points, delta, human, succ, und;
    double width, human_width;
};

struct task {
    const struct row *row;
    size_t replicates;
    struct counts *counts; /* (chunks) */
};

/* Pairs of one replicate. Clustered: three items share an image; two of them copy the first with
 * probability 1/2 each. Fractional: ten judgements of each verdict, each right with 0.9. */
static void draw_items(struct draws *d, const struct row *r, struct ge_pair *pairs)
{
    for (int i = 0; i < r->n; i++) {
        pairs[i] = draw_pair(d, r->truth);
        pairs[i].cluster = (uint32_t)i;
        if (r->kind == CLUSTERED) {
            if (i % 3 != 0 && uniform(d) < 0.5) pairs[i] = pairs[i / 3 * 3];
            pairs[i].cluster = (uint32_t)i / 3;
        }
        if (r->kind == FRACTIONAL) {
            int u = 0, g = 0;
            for (int k = 0; k < 10; k++) {
                u += uniform(d) < 0.1 + 0.8 * pairs[i].und;
                g += uniform(d) < 0.1 + 0.8 * pairs[i].gen;
            }
            pairs[i].und = u / 10.0;
            pairs[i].gen = g / 10.0;
        }
    }
}

static bool holds(struct ge_estimate e, double truth)
{
    return e.lo <= truth && truth <= e.hi;
}

static void table_intervals(const struct ge_pair *pairs, size_t n, struct ge_gap_row *out)
{
    struct ge_paired_table k = {0, 0, 0, 0}, smooth;
    double z = ge_norm_quantile(0.975);
    for (size_t i = 0; i < n; i++) {
        k.k11 += pairs[i].und * pairs[i].gen;
        k.k10 += pairs[i].und * (1 - pairs[i].gen);
        k.k01 += (1 - pairs[i].und) * pairs[i].gen;
    }
    k.k00 = (double)n - k.k11 - k.k10 - k.k01;
    smooth = (struct ge_paired_table){k.k11 + 0.25, k.k10 + 0.25, k.k01 + 0.25, k.k00 + 0.25};
    struct ge_range points = ge_paired_difference(k, z), delta = ge_paired_logit(smooth, z);
    out->points = (struct ge_estimate){(k.k10 - k.k01) / (double)n, points.lo, points.hi};
    out->delta = (struct ge_estimate){0, delta.lo, delta.hi};
}

static void run_gap(const struct row *r, struct draws *d, struct ge_pair *pairs, struct counts *c)
{
    struct ge_gap_row out = {0};
    const struct ge_interval_options options = {
        .method = r->method, .level = 0.95, .resamples = 2000, .seed = d->stream};
    draw_items(d, r, pairs);
    if (r->kind == SINGLE && r->method == GE_INTERVAL_SCORE) { /* the same, without the rest */
        table_intervals(pairs, (size_t)r->n, &out);
    } else if (ge_gap_intervals(pairs, (size_t)r->n, &options, &out) != GE_OK) {
        abort();
    }
    c->points += holds(out.points, r->points);
    c->delta += holds(out.delta, r->delta);
    c->succ += holds(out.succ, r->truth->p11);
    c->und += holds(out.und, r->truth->p11 + r->truth->p10);
    c->width += out.delta.hi - out.delta.lo;
}

/* A tenth of the items has human verdicts. */
static double automatic(struct draws *d, const struct row *r, double y)
{
    double x = uniform(d);
    return y > 0 ? x < r->agree : x < r->flattered;
}

static void run_ppi(const struct row *r, struct draws *d, struct ge_ppi_pair *items,
                    struct counts *c)
{
    struct ge_ppi_gap out;
    for (int i = 0; i < r->n; i++) {
        struct ge_pair y = draw_pair(d, r->truth);
        items[i] = (struct ge_ppi_pair){.und_f = automatic(d, r, y.und),
                                        .gen_f = automatic(d, r, y.gen),
                                        .und_y = y.und,
                                        .gen_y = y.gen,
                                        .und_labelled = i < r->n / 10,
                                        .gen_labelled = i < r->n / 10,
                                        .cluster = (uint32_t)i};
    }
    if (ge_ppi_gap(items, (size_t)r->n, 0.95, &out) != GE_OK) abort();
    c->points += holds(out.corrected.points, r->points);
    c->delta += holds(out.corrected.delta, r->delta);
    c->human += holds(out.human.delta, r->delta);
    c->width += out.corrected.delta.hi - out.corrected.delta.lo;
    c->human_width += out.human.delta.hi - out.human.delta.lo;
}

static void run_chunk(void *ctx, size_t chunk, int thread)
{
    const struct task *t = ctx;
    struct ge_pair *pairs = ge_calloc(MOST_ITEMS, sizeof *pairs);
    struct ge_ppi_pair *items = ge_calloc(MOST_ITEMS, sizeof *items);
    (void)thread;
    if (pairs == NULL || items == NULL) abort();
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < t->replicates; i++) {
        struct draws d = {.seed = t->row->stream, .stream = i};
        if (t->row->kind == PPI) {
            run_ppi(t->row, &d, items, &t->counts[chunk]);
        } else {
            run_gap(t->row, &d, pairs, &t->counts[chunk]);
        }
    }
    free(items);
    free(pairs);
}

static struct counts run(const struct row *row, size_t replicates, struct ge_pool *pool)
{
    size_t chunks = (replicates + CHUNK - 1) / CHUNK;
    struct task t = {row, replicates, ge_calloc(chunks, sizeof *t.counts)};
    struct counts sum = {0};
    if (t.counts == NULL) abort();
    ge_pool_run(pool, chunks, run_chunk, &t);
    for (size_t i = 0; i < chunks; i++) {
        sum.points += t.counts[i].points;
        sum.delta += t.counts[i].delta;
        sum.human += t.counts[i].human;
        sum.succ += t.counts[i].succ;
        sum.und += t.counts[i].und;
        sum.width += t.counts[i].width;
        sum.human_width += t.counts[i].human_width;
    }
    free(t.counts);
    return sum;
}

static double percent(size_t hits, size_t n)
{
    return 100 * (double)hits / (double)n;
}

/* ---- the tables --------------------------------------------------------------------------------- */

static void print_error(size_t replicates)
{
    printf("\n%zu replicates a figure; the simulation's standard error is %.2f.\n\n", replicates,
           100 * sqrt(0.95 * 0.05 / (double)replicates));
}

/* How many of the sizes a table has: all where a replicate is cheap. */
static int shown(enum kind kind, enum ge_interval_method method)
{
    return kind == SINGLE && method == GE_INTERVAL_SCORE ? SIZES : SIZES - 1;
}

static void print_heading(const char *first, int columns)
{
    printf("| %s |", first);
    for (int s = 0; s < columns; s++) printf(" n = %d |", sizes[s]);
    printf("\n|:--|");
    for (int s = 0; s < columns; s++) printf("--:|");
    printf("\n");
}

static void gap_table(enum kind kind, enum ge_interval_method method, size_t replicates,
                      struct ge_pool *pool)
{
    static const char *const kinds[] = {"0/1 verdicts", "clustered", "ten judgements"};
    static const char *const methods[] = {"score", "delta", "bca"};
    printf("\n%s, `%s`: Und - Gen, Delta", kinds[kind], methods[method]);
    print_error(replicates);
    print_heading("truth (Und/Gen)", shown(kind, method));
    for (int t = 0; t < TRUTHS; t++) {
        printf("| %s |", truths[t].name);
        for (int s = 0; s < shown(kind, method); s++) {
            struct truth seen = truths[t]; /* what ten judgements in ten see of it */
            struct row row = {.truth = &truths[t],
                              .kind = kind,
                              .method = method,
                              .n = sizes[s],
                              .stream = ge_mix((uint64_t)kind, (uint64_t)(t * SIZES + s))};
            row.points = seen.p10 - seen.p01;
            row.delta = logit_gap(&seen);
            if (kind == FRACTIONAL) {
                double und = 0.1 + 0.8 * (seen.p11 + seen.p10);
                double gen = 0.1 + 0.8 * (seen.p11 + seen.p01);
                row.points = und - gen;
                row.delta = ge_logit(und) - ge_logit(gen);
            }
            struct counts c = run(&row, replicates, pool);
            printf(" %.1f, %.1f |", percent(c.points, replicates), percent(c.delta, replicates));
            fflush(stdout);
        }
        printf("\n");
    }
}

/* Wilson's intervals of the shares: the same whatever the method of the gap. */
static void shares_table(enum kind kind, size_t replicates, struct ge_pool *pool)
{
    printf("\n%s, shares: Succ, Und", kind == SINGLE ? "0/1 verdicts" : "clustered");
    print_error(replicates);
    print_heading("truth (Und/Gen)", SIZES - 1);
    for (int t = 0; t < TRUTHS; t++) {
        printf("| %s |", truths[t].name);
        for (int s = 0; s < SIZES - 1; s++) {
            struct row row = {.truth = &truths[t],
                              .kind = kind,
                              .method = GE_INTERVAL_DELTA,
                              .n = sizes[s],
                              .stream = ge_mix((uint64_t)kind + 16, (uint64_t)(t * SIZES + s))};
            struct counts c = run(&row, replicates, pool);
            printf(" %.1f, %.1f |", percent(c.succ, replicates), percent(c.und, replicates));
            fflush(stdout);
        }
        printf("\n");
    }
}

static void ppi_table(size_t replicates, struct ge_pool *pool)
{
    static const struct {
        const char *name;
        double agree, flattered;
    } judges[] = {{"good: 95 % agree", 0.95, 0.05},
                  {"poor: 70 % agree", 0.7, 0.3},
                  {"useless: a coin", 0.5, 0.5},
                  {"flattering: half of the wrong called right", 0.99, 0.5},
                  {"perverse: 20 % agree", 0.2, 0.8}};
    enum { ITEMS = 1000, SHOWN = 10 };
    printf("\nCorrected by human verdicts of %d of %d items", ITEMS / 10, ITEMS);
    print_error(replicates);
    printf(
        "| truth (Und/Gen) | automatic verdicts | Und - Gen | Delta | Delta, people alone | width "
        "of Delta's interval to that of people alone |\n|:--|:--|--:|--:|--:|--:|\n");
    for (int t = 0; t < SHOWN; t += 3) {
        for (size_t j = 0; j < sizeof judges / sizeof judges[0]; j++) {
            struct row row = {.truth = &truths[t],
                              .kind = PPI,
                              .n = ITEMS,
                              .points = truths[t].p10 - truths[t].p01,
                              .delta = logit_gap(&truths[t]),
                              .agree = judges[j].agree,
                              .flattered = judges[j].flattered,
                              .stream = ge_mix(PPI, (uint64_t)t * 16 + j)};
            struct counts c = run(&row, replicates, pool);
            printf("| %s | %s | %.1f | %.1f | %.1f | %.2f |\n", truths[t].name, judges[j].name,
                   percent(c.points, replicates), percent(c.delta, replicates),
                   percent(c.human, replicates), c.width / c.human_width);
            fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    size_t replicates = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    const char *only = argc > 2 ? argv[2] : NULL;
    struct ge_pool *pool = NULL;
    if (replicates == 0 || ge_pool_new(ge_cpu_count(), &pool) != GE_OK) return 1;
    size_t few = (replicates + 9) / 10, bca = (replicates + 19) / 20;
    if (only == NULL || strcmp(only, "single") == 0) {
        gap_table(SINGLE, GE_INTERVAL_SCORE, replicates, pool);
        gap_table(SINGLE, GE_INTERVAL_DELTA, few, pool);
    }
    if (only == NULL || strcmp(only, "bca") == 0) gap_table(SINGLE, GE_INTERVAL_BCA, bca, pool);
    if (only == NULL || strcmp(only, "clustered") == 0) {
        gap_table(CLUSTERED, GE_INTERVAL_SCORE, few, pool);
        gap_table(CLUSTERED, GE_INTERVAL_DELTA, few, pool);
        gap_table(FRACTIONAL, GE_INTERVAL_SCORE, few, pool);
    }
    if (only == NULL || strcmp(only, "shares") == 0) {
        shares_table(SINGLE, few, pool);
        shares_table(CLUSTERED, few, pool);
    }
    if (only == NULL || strcmp(only, "ppi") == 0) ppi_table((replicates + 3) / 4, pool);
    ge_pool_delete(&pool);
    return 0;
}
