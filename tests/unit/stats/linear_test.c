/* Gauss-Hermite rules and Cholesky's factor. */
#include "base/math.h"
#include "stats/cholesky.h"
#include "stats/hermite.h"
#include "test.h"

/* A rule of n nodes integrates even powers up to 2n - 2 exactly: the integral of x^(2m) exp(-x^2) is
 * Gamma(m + 1/2). */
static void test_hermite(void **state)
{
    (void)state;
    double x[GE_HERMITE_MOST], w[GE_HERMITE_MOST];
    for (int n = 1; n <= GE_HERMITE_MOST; n++) {
        assert_ok(ge_hermite(n, x, w));
        for (int k = 0; k < n; k++) {
            assert_true(k == 0 || x[k] > x[k - 1]);
            assert_true(x[k] == -x[n - 1 - k]);
        }
        for (int m = 0; m < n && m < 40; m++) {
            double sum = 0;
            for (int k = 0; k < n; k++) {
                if (x[k] == 0 && m > 0) continue;
                sum += ge_exp(w[k] + (m > 0 ? 2 * m * ge_log(fabs(x[k])) : 0) - ge_lgamma(m + 0.5));
            }
            assert_close(sum, 1, 2e-12);
        }
    }
    assert_status(ge_hermite(0, x, w), GE_EINVAL);
    assert_status(ge_hermite(GE_HERMITE_MOST + 1, x, w), GE_EINVAL);
}

/* numpy.polynomial.hermite.hermgauss(3): 0 and sqrt(3/2); weights 2/3 and 1/6 of sqrt(pi). */
static void test_hermite_of_three(void **state)
{
    (void)state;
    double x[3], w[3];
    assert_ok(ge_hermite(3, x, w));
    assert_close(x[2], sqrt(1.5), 1e-15);
    assert_close(ge_exp(w[1]), 2.0 / 3 * sqrt(3.141592653589793), 1e-14);
    assert_close(ge_exp(w[0]), 1.0 / 6 * sqrt(3.141592653589793), 1e-14);
}

static void test_cholesky(void **state)
{
    (void)state;
    double a[9] = {4, -1, -1, 2, 5, -1, -2, 1, 6}; /* the upper triangle is not looked at */
    double full[9] = {4, 2, -2, 2, 5, 1, -2, 1, 6}, inverse[9], x[3] = {1, 2, 3};
    assert_true(ge_cholesky(a, 3));
    assert_true(a[1] == -1 && a[0] == 2);
    ge_cholesky_solve(a, 3, x);
    ge_cholesky_inverse(a, 3, inverse);
    for (int i = 0; i < 3; i++) {
        double product = 0;
        for (int k = 0; k < 3; k++) product += full[3 * i + k] * x[k];
        assert_close(product, i + 1, 1e-14);
        for (int j = 0; j < 3; j++) {
            double unit = 0;
            for (int k = 0; k < 3; k++) unit += full[3 * i + k] * inverse[3 * k + j];
            assert_close(unit, i == j, 1e-14);
        }
    }
}

static void test_not_definite(void **state)
{
    (void)state;
    double indefinite[4] = {1, 0, 2, 1}, singular[4] = {1, 0, 1, 1}, nan[1] = {NAN};
    assert_false(ge_cholesky(indefinite, 2));
    assert_false(ge_cholesky(singular, 2));
    assert_false(ge_cholesky(nan, 1));
    assert_true(ge_cholesky(nan, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hermite),
        cmocka_unit_test(test_hermite_of_three),
        cmocka_unit_test(test_cholesky),
        cmocka_unit_test(test_not_definite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
