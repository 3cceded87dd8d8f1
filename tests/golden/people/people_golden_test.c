/* Agreement, correlation and ROC against krippendorff, SciPy and scikit-learn: cases.txt, made by
 * make_cases.py. */
#include "test.h"

#include "stats/agreement.h"
#include "stats/correlation.h"
#include "stats/roc.h"

enum { MOST = 512 };

static FILE *cases;
static char name[64];

static double number(void)
{
    char word[64];
    assert_int_equal(fscanf(cases, "%63s", word), 1);
    return strtod(word, NULL);
}

static void check(const char *key, double got, double want, double tolerance)
{
    bool same = isnan(want)   ? isnan(got)
                : isinf(want) ? got == want
                              : fabs(got - want) <= tolerance;
    if (!same) {
        print_error("%s, %s: %.17g, wanted %.17g\n", name, key, got, want);
        fail();
    }
}

static void check_alpha(void)
{
    static struct ge_rated v[MOST];
    size_t n, units;
    assert_int_equal(fscanf(cases, "%63s %zu %zu", name, &n, &units), 3);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        v[i].unit = (uint32_t)number();
        v[i].value = number();
    }
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        struct ge_alpha a;
        assert_ok(ge_krippendorff(v, n, units, NULL, (enum ge_alpha_metric)m, 0.95, 1, &a));
        check(ge_alpha_metric_name((enum ge_alpha_metric)m), a.value, number(), 1e-12);
    }
}

static void check_pairs(void)
{
    static double x[MOST], y[MOST];
    struct ge_correlation c;
    size_t n;
    assert_int_equal(fscanf(cases, "%63s %zu", name, &n), 2);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        x[i] = number();
        y[i] = number();
    }
    /* 1e8 plus noise of 1: the reference keeps about half of the digits. */
    double tolerance = strcmp(name, "far_from_zero") == 0 ? 1e-9 : 1e-12;
    assert_ok(ge_pearson(x, y, n, n, 0.95, &c));
    check("pearson", c.value, number(), tolerance);
    check("pearson lo", c.lo, number(), tolerance);
    check("pearson hi", c.hi, number(), tolerance);
    assert_ok(ge_spearman(x, y, n, n, 0.95, &c));
    check("spearman", c.value, number(), 1e-12);
    assert_ok(ge_kendall(x, y, n, n, 0.95, &c));
    check("kendall", c.value, number(), 1e-12);
}

static void check_roc(void)
{
    static struct ge_case v[MOST];
    struct ge_roc_point *points;
    struct ge_auc auc;
    size_t n, count;
    assert_int_equal(fscanf(cases, "%63s %zu", name, &n), 2);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        v[i].score = number();
        v[i].positive = number() != 0;
        v[i].cluster = (uint32_t)i;
    }
    assert_ok(ge_roc_auc(v, n, 0.95, &auc));
    check("auc", auc.value, number(), 1e-12);
    check("auc lo", auc.lo, number(), 1e-12);
    check("auc hi", auc.hi, number(), 1e-12);
    assert_ok(ge_roc_curve(v, n, &points, &count));
    check("points", (double)count, number(), 0);
    for (size_t i = 0; i < count; i++) {
        check("threshold", points[i].threshold, number(), 0);
        check("fpr", points[i].fpr, number(), 1e-15);
        check("tpr", points[i].tpr, number(), 1e-15);
    }
    free(points);
}

static void all_cases(void **state)
{
    (void)state;
    char kind[64];
    int n[3] = {0, 0, 0};
    cases = fopen(GE_SOURCE_DIR "/tests/golden/people/cases.txt", "r");
    assert_non_null(cases);
    while (fscanf(cases, "%63s", kind) == 1) {
        if (strcmp(kind, "alpha") == 0) {
            check_alpha();
            n[0]++;
        } else if (strcmp(kind, "pairs") == 0) {
            check_pairs();
            n[1]++;
        } else {
            assert_string_equal(kind, "roc");
            check_roc();
            n[2]++;
        }
    }
    fclose(cases);
    assert_int_equal(n[0], 8);
    assert_int_equal(n[1], 7);
    assert_int_equal(n[2], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
