/* The logit estimator, its intervals and tests against an independent implementation: cases.txt,
 * made by make_cases.py with NumPy, SciPy and statsmodels. */
#include "test.h"

#include "aggregate/aggregate.h"
#include "aggregate/interval.h"

enum { MOST_PAIRS = 2048 };

static FILE *cases;
static char name[64];

/* A number of the file, which may be "nan". */
static double number(void)
{
    char word[64];
    assert_int_equal(fscanf(cases, "%63s", word), 1);
    return strtod(word, NULL);
}

static void check(const char *key, double got, double want, double tolerance)
{
    bool same = isnan(want) ? isnan(got) : fabs(got - want) <= tolerance;
    if (!same) {
        print_error("%s, %s: %.17g, wanted %.17g\n", name, key, got, want);
        fail();
    }
}

/* Intervals of G come from a grid over the region's edge in both implementations; those of points and
 * delta from a search there, which is good for some eight digits. */
static void check_estimate(const char *key, struct ge_estimate e)
{
    bool searched = strcmp(key, "points") == 0 || strcmp(key, "delta") == 0;
    double edge = strcmp(key, "gap") == 0 ? 2e-5 : searched ? 2e-7 : 1e-10;
    check(key, e.value, number(), 1e-10);
    check(key, e.lo, number(), edge);
    check(key, e.hi, number(), edge);
}

static void check_ends(const char *key, struct ge_estimate e)
{
    check(key, e.lo, number(), 1e-10);
    check(key, e.hi, number(), 1e-10);
}

/* r: the default intervals; delta: the delta method's. */
static void check_line(const char *key, const struct ge_gap_row *r, const struct ge_gap_row *delta)
{
    if (strcmp(key, "points_delta_method") == 0) check_ends(key, delta->points);
    if (strcmp(key, "delta_delta_method") == 0) check_ends(key, delta->delta);
    static const char *const estimates[] = {"succ", "und", "gen", "points", "delta", "gap"};
    const struct ge_estimate *values[] = {&r->succ,   &r->und,   &r->gen,
                                          &r->points, &r->delta, &r->gap};
    for (size_t i = 0; i < sizeof estimates / sizeof estimates[0]; i++) {
        if (strcmp(key, estimates[i]) == 0) check_estimate(key, *values[i]);
    }
    if (strcmp(key, "clusters") == 0) {
        check(key, (double)r->clusters, number(), 0);
    } else if (strcmp(key, "table") == 0) {
        check("k11", r->k11, number(), 1e-10);
        check("k10", r->k10, number(), 1e-10);
        check("k01", r->k01, number(), 1e-10);
        check("k00", r->k00, number(), 1e-10);
    } else if (strcmp(key, "mcnemar") == 0 || strcmp(key, "signflip") == 0) {
        assert_string_equal(r->test, key[0] == 'm' ? "mcnemar.exact" : "signflip.cluster");
        check(key, r->p_value, number(), 1e-11);
    } else if (strcmp(key, "association") == 0) {
        check("phi", r->phi, number(), 1e-12);
        check("kappa", r->kappa, number(), 1e-12);
    }
}

static void check_case(void)
{
    static struct ge_pair pairs[MOST_PAIRS];
    struct ge_gap_row row = {0}, by_delta = {0};
    double level;
    size_t n;
    char key[64];
    assert_int_equal(fscanf(cases, "%63s %lf %zu", name, &level, &n), 3);
    assert_true(n <= MOST_PAIRS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(
            fscanf(cases, "%lf %lf %u", &pairs[i].und, &pairs[i].gen, &pairs[i].cluster), 3);
    }
    assert_ok(ge_gap_logit(pairs, n, level, &row));
    const struct ge_interval_options options = {.method = GE_INTERVAL_DELTA, .level = level};
    assert_ok(ge_gap_intervals(pairs, n, &options, &by_delta));
    assert_int_equal(row.judged, n);
    for (;;) {
        assert_int_equal(fscanf(cases, "%63s", key), 1);
        if (strcmp(key, "end") == 0) return;
        check_line(key, &row, &by_delta);
    }
}

static void test_cases(void **state)
{
    (void)state;
    size_t n = 0;
    char key[64];
    cases = fopen(GE_SOURCE_DIR "/tests/golden/aggregate/cases.txt", "r");
    assert_non_null(cases);
    for (; fscanf(cases, "%63s", key) == 1; n++) {
        assert_string_equal(key, "case");
        check_case();
    }
    fclose(cases);
    assert_int_equal(n, 21);
}

/* Quantiles of scipy.stats.t. */
static void test_t_quantiles(void **state)
{
    (void)state;
    assert_close(ge_t_two_sided(0.95, 2), 12.706204736174694, 1e-10);
    assert_close(ge_t_two_sided(0.95, 11), 2.228138851986274, 1e-11);
    assert_close(ge_t_two_sided(0.99, 646), 2.583473139425482, 1e-9);
    assert_true(isnan(ge_t_two_sided(0.95, 1)));
    assert_true(isnan(ge_t_two_sided(0.95, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_t_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
