/* BCa intervals against scipy.stats.bootstrap on the same resamples: bca.txt, made by
 * make_bca.py; and the whole method against SciPy's published accuracy of it: the same statistic
 * from resamples of our own agrees within the simulation's error. */
#include "test.h"

#include <stdbool.h>

#include "base/math.h"
#include "stats/bootstrap.h"

enum { MOST = 1024 };

static void numbers(FILE *f, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_int_equal(fscanf(f, "%lf", &out[i]), 1);
}

static void mean(const void *ctx, const double *sums, size_t rows, double *out)
{
    double m = sums[0] / (double)rows;
    out[0] = *(const bool *)ctx ? ge_logit(m) : m;
}

static void check_case(FILE *file, bool logit)
{
    static double x[MOST], resampled[MOST], jackknife[MOST], want[3];
    char name[64];
    size_t n, b;
    double level;
    assert_int_equal(fscanf(file, "%63s %zu %zu %lf", name, &n, &b, &level), 4);
    assert_true(n <= MOST && b <= MOST);
    numbers(file, x, n);
    numbers(file, resampled, b);
    numbers(file, jackknife, n);
    numbers(file, want, 3);
    struct ge_bca got = ge_bca_interval(want[0], resampled, b, jackknife, NULL, n, level);
    assert_close(got.lo, want[1], 1e-9);
    assert_close(got.hi, want[2], 1e-9);

    /* 400 resamples there, 20,000 here: a tenth of the width apart at most. */
    const struct ge_bootstrap_data data = {n, 1, x};
    const struct ge_statistics what = {mean, &logit, 1};
    const struct ge_bootstrap_options options = {3, 20000, level};
    assert_ok(ge_bootstrap_bca(&data, &what, &options, NULL, &got));
    assert_close(got.value, want[0], 1e-12);
    assert_close(got.lo, want[1], 0.1 * (want[2] - want[1]));
    assert_close(got.hi, want[2], 0.1 * (want[2] - want[1]));
}

static void test_cases(void **state)
{
    (void)state;
    size_t n = 0;
    char key[64];
    FILE *file = fopen(GE_SOURCE_DIR "/tests/golden/stats/bca.txt", "r");
    assert_non_null(file);
    for (; fscanf(file, "%63s", key) == 1; n++) {
        assert_string_equal(key, "case");
        check_case(file, n % 2 == 1);
    }
    fclose(file);
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
