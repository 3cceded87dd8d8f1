/* Bounds against all assignments of the failures, one after another. */
#include "test.h"

#include "aggregate/bounds.h"
#include "base/math.h"
#include "base/rng.h"

enum { MOST_ITEMS = 12 };

struct group {
    struct direction_value und[MOST_ITEMS], gen[MOST_ITEMS];
    struct bounds_item items[MOST_ITEMS];
    size_t n;
};

/* A group of n items with `samples` samples a direction; each fails with probability `failing`. */
static void make_group(struct group *g, uint64_t seed, size_t n, const uint32_t samples[2],
                       double failing)
{
    uint64_t draw = 0;
    memset(g, 0, sizeof *g);
    g->n = n;
    for (size_t i = 0; i < n; i++) {
        g->items[i] = (struct bounds_item){&g->und[i], &g->gen[i]};
        for (int d = 0; d < 2; d++) {
            struct direction_value *v = d == 0 ? &g->und[i] : &g->gen[i];
            for (uint32_t s = 0; s < samples[d]; s++) {
                if (ge_uniform(seed, 0, draw++) < failing) {
                    v->failed++;
                } else {
                    v->judged++;
                    v->sum += ge_uniform(seed, 1, draw++) < 0.6;
                }
            }
        }
    }
}

static double mean(const struct direction_value *v, uint32_t right)
{
    return (v->sum + right) / (double)(v->judged + v->failed);
}

/* Every assignment by recursion over items; the figures from the definitions. */
static void enumerate(const struct group *g, size_t at, double und, double gen, double both,
                      struct ge_gap_row *row)
{
    if (at < g->n) {
        for (uint32_t i = 0; i <= g->und[at].failed; i++) {
            for (uint32_t j = 0; j <= g->gen[at].failed; j++) {
                double u = mean(&g->und[at], i), v = mean(&g->gen[at], j);
                enumerate(g, at + 1, und + u, gen + v, both + u * v, row);
            }
        }
        return;
    }
    double n = (double)g->n, m = n + 1;
    double delta = ge_logit((und + 0.5) / m) - ge_logit((gen + 0.5) / m);
    double values[] = {both / n, und / n, gen / n, (und - gen) / n,
                       ge_gap_score(delta, (n - und - gen + both + 0.25) / m, (both + 0.25) / m)};
    struct ge_bounds *bounds[] = {&row->succ_bounds, &row->und_bounds, &row->gen_bounds,
                                  &row->points_bounds, &row->gap_bounds};
    for (size_t i = 0; i < 5; i++) {
        bounds[i]->lo = fmin(bounds[i]->lo, values[i]);
        bounds[i]->hi = fmax(bounds[i]->hi, values[i]);
    }
}

static void assert_same_bounds(struct ge_bounds got, struct ge_bounds want)
{
    assert_close(got.lo, want.lo, 1e-12);
    assert_close(got.hi, want.hi, 1e-12);
}

static struct ge_gap_row brute_force(const struct group *g)
{
    struct ge_bounds empty = {INFINITY, -INFINITY};
    struct ge_gap_row row = {.succ_bounds = empty,
                             .und_bounds = empty,
                             .gen_bounds = empty,
                             .points_bounds = empty,
                             .gap_bounds = empty};
    enumerate(g, 0, 0, 0, 0, &row);
    return row;
}

static void test_exact(void **state)
{
    (void)state;
    static const uint32_t samples[][2] = {{1, 1}, {1, 1}, {2, 2}, {3, 3}, {1, 4}, {2, 1}};
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct group g;
        struct ge_gap_row row = {0};
        const uint32_t *s = samples[seed % 6];
        make_group(&g, seed, s[0] + s[1] > 3 ? 5 : 8, s, 0.35);
        struct ge_gap_row want = brute_force(&g);
        assert_ok(ge_bounds(g.items, g.n, &row));
        assert_same_bounds(row.succ_bounds, want.succ_bounds);
        assert_same_bounds(row.und_bounds, want.und_bounds);
        assert_same_bounds(row.gen_bounds, want.gen_bounds);
        assert_same_bounds(row.points_bounds, want.points_bounds);
        assert_same_bounds(row.gap_bounds, want.gap_bounds);
    }
}

/* Directions with different numbers of samples have no common table: outer bounds. */
static void test_outer_holds_all(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 140; seed++) {
        struct group g;
        struct ge_gap_row row = {0};
        make_group(&g, seed, 7, (const uint32_t[]){1, 1}, 0.4);
        g.und[0] = (struct direction_value){.sum = 1, .judged = 1, .failed = 1};
        g.und[1] = (struct direction_value){.sum = 1, .judged = 1, .failed = 2};
        g.gen[2] = (struct direction_value){.sum = 0, .judged = 3, .failed = 1};
        struct ge_gap_row want = brute_force(&g);
        assert_ok(ge_bounds(g.items, g.n, &row));
        assert_same_bounds(row.points_bounds, want.points_bounds);
        assert_true(row.gap_bounds.lo <= want.gap_bounds.lo + 1e-12);
        assert_true(row.gap_bounds.hi >= want.gap_bounds.hi - 1e-12);
        assert_true(row.gap_bounds.lo >= 0 && row.gap_bounds.hi <= 1);
    }
}

/* Too many failures for the table: sampled assignments lie inside, and the bounds stay useful. */
static void test_many_failures(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct direction_value *v = calloc(2 * (size_t)N, sizeof *v);
    struct bounds_item *items = calloc(N, sizeof *items);
    struct ge_gap_row row = {0};
    assert_non_null(v);
    assert_non_null(items);
    for (size_t i = 0; i < N; i++) {
        items[i] = (struct bounds_item){&v[2 * i], &v[2 * i + 1]};
        for (size_t d = 0; d < 2; d++) {
            if ((i + d) % 5 == 0) {
                v[2 * i + d].failed = 1;
            } else {
                v[2 * i + d].judged = 1;
                v[2 * i + d].sum = d == 0 ? i % 7 != 0 : i % 3 == 0;
            }
        }
    }
    assert_ok(ge_bounds(items, N, &row));
    for (uint64_t seed = 0; seed < 200; seed++) {
        double und = 0, gen = 0, both = 0, m = N + 1, share = (double)seed / 199;
        for (size_t i = 0; i < N; i++) {
            double value[2];
            for (size_t d = 0; d < 2; d++) {
                double odds = d == 0 ? share : seed % 2 == 0 ? share : 1 - share;
                value[d] = v[2 * i + d].failed ? ge_uniform(seed, d, i) < odds : v[2 * i + d].sum;
            }
            und += value[0];
            gen += value[1];
            both += value[0] * value[1];
        }
        double delta = ge_logit((und + 0.5) / m) - ge_logit((gen + 0.5) / m);
        double score = ge_gap_score(delta, (N - und - gen + both + 0.25) / m, (both + 0.25) / m);
        assert_true(score >= row.gap_bounds.lo && score <= row.gap_bounds.hi);
    }
    assert_true(row.gap_bounds.lo > 0.2 && row.gap_bounds.hi < 0.9);
    free(items);
    free(v);
}

static void test_without_failures(void **state)
{
    (void)state;
    struct group g;
    struct ge_gap_row row = {0};
    make_group(&g, 3, 10, (const uint32_t[]){2, 2}, 0);
    assert_ok(ge_bounds(g.items, g.n, &row));
    assert_close(row.gap_bounds.lo, row.gap_bounds.hi, 0);
    assert_close(row.points_bounds.lo, row.points_bounds.hi, 0);
    assert_ok(ge_bounds(g.items, 0, &row));
    assert_true(isnan(row.gap_bounds.lo) && isnan(row.und_bounds.hi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_outer_holds_all),
        cmocka_unit_test(test_many_failures),
        cmocka_unit_test(test_without_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
