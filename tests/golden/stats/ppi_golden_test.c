/* Prediction-powered means against the package ppi-python: ppi.txt, made by make_ppi.py. */
#include "test.h"

#include <stdbool.h>

#include "base/math.h"
#include "stats/ppi.h"

enum { MOST = 1024 };

static double number(FILE *f)
{
    double x;
    assert_int_equal(fscanf(f, "%lf", &x), 1);
    return x;
}

static void check_case(FILE *file)
{
    static double predicted[MOST], truth[MOST];
    static bool labelled[MOST];
    char name[64];
    size_t n, others;
    double level, mean, covariance, lambda;
    assert_int_equal(fscanf(file, "%63s %zu %zu %lf", name, &n, &others, &level), 4);
    assert_true(n + others <= MOST);
    for (size_t i = 0; i < n + others; i++) {
        labelled[i] = i < n;
        truth[i] = i < n ? number(file) : NAN;
        predicted[i] = number(file);
    }
    struct ge_ppi_data data = {n + others, 1, predicted, truth, labelled, NULL};
    struct ge_ppi out = {&mean, &covariance, &lambda, NULL, NULL};
    assert_ok(ge_ppi_estimate(&data, NULL, &out));
    double half = ge_norm_quantile(0.5 + level / 2) * sqrt(covariance);
    assert_close(lambda, number(file), 1e-9);
    assert_close(mean, number(file), 1e-12);
    assert_close(mean - half, number(file), 1e-9);
    assert_close(mean + half, number(file), 1e-9);
}

static void test_cases(void **state)
{
    (void)state;
    size_t n = 0;
    char key[64];
    FILE *file = fopen(GE_SOURCE_DIR "/tests/golden/stats/ppi.txt", "r");
    assert_non_null(file);
    for (; fscanf(file, "%63s", key) == 1; n++) {
        assert_string_equal(key, "case");
        check_case(file);
    }
    fclose(file);
    assert_int_equal(n, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
