/* Accuracy against libm in a wider type, known values of the distributions (made with mpmath at 40
 * digits), special values, and that every build gives the same bits. */
#include "base/hash.h"
#include "base/math.h"
#include "base/math_inline.h"
#include "base/rng.h"
#include "test.h"

/* ---- float functions -------------------------------------------------------------------------- */

/* Distance in float ulps of the wanted value; 1e9 for a wrong NaN or infinity. */
static double float_ulps(float got, double want)
{
    float w = (float)want;
    if (isnan(w) || isnan(got)) return isnan(w) && isnan(got) ? 0 : 1e9;
    if (isinf(w) || isinf(got)) return w == got ? 0 : 1e9;
    return fabs((double)got - (double)w) / (nextafterf(fabsf(w), INFINITY) - fabsf(w));
}

/* All exponents and signs, with every 4001st bit pattern. */
static void check_float(const char *name, float (*f)(float), double (*reference)(double))
{
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 4001) {
        uint32_t b = (uint32_t)bits;
        float x;
        memcpy(&x, &b, sizeof x);
        double ulps = float_ulps(f(x), reference((double)x));
        if (!(ulps <= 1)) {
            print_error("%s(%a) = %a is %g ulp off\n", name, (double)x, (double)f(x), ulps);
            fail();
        }
    }
}

static void test_float_functions(void **state)
{
    (void)state;
    check_float("expf", ge_expf, exp);
    check_float("logf", ge_logf, log);
    check_float("erff", ge_erff, erf);
    check_float("tanhf", ge_tanhf, tanh);
}

static void test_float_specials(void **state)
{
    (void)state;
    assert_true(isnan(ge_expf(NAN)) && isnan(ge_logf(NAN)) && isnan(ge_erff(NAN)));
    assert_true(isnan(ge_tanhf(NAN)) && isnan(ge_logf(-1)));
    assert_true(ge_expf(INFINITY) == INFINITY && ge_expf(-INFINITY) == 0 && ge_expf(0) == 1);
    assert_true(ge_logf(0) == -INFINITY && ge_logf(INFINITY) == INFINITY && ge_logf(1) == 0);
    assert_true(ge_erff(INFINITY) == 1 && ge_erff(-INFINITY) == -1 && ge_erff(0) == 0);
    assert_true(ge_tanhf(INFINITY) == 1 && ge_tanhf(-INFINITY) == -1);
    assert_true(signbit(ge_tanhf(-0.0f)) && signbit(ge_erff(-0.0f)));
}

/* ---- double functions ------------------------------------------------------------------------- */

static double double_ulps(double got, long double want)
{
    double w = (double)want;
    if (isnan(w) || isnan(got)) return isnan(w) && isnan(got) ? 0 : 1e9;
    if (isinf(w) || isinf(got)) return w == got ? 0 : 1e9;
    return (double)(fabsl(got - want) / (nextafter(fabs(w), INFINITY) - fabs(w)));
}

static void check_double(const char *name, double (*f)(double),
                         long double (*reference)(long double), double low, double high,
                         double tolerance)
{
    enum { POINTS = 100000 };
    for (uint64_t i = 0; i < POINTS; i++) {
        double x = low + (high - low) * ((double)i + ge_uniform(1, 2, i)) / POINTS;
        double ulps = double_ulps(f(x), reference(x));
        if (!(ulps <= tolerance)) {
            print_error("%s(%.17g) = %.17g is %g ulp off\n", name, x, f(x), ulps);
            fail();
        }
    }
}

static void test_double_functions(void **state)
{
    (void)state;
    check_double("exp", ge_exp, expl, -745, 710, 2);
    check_double("exp", ge_exp, expl, -1, 1, 2);
    check_double("log", ge_log, logl, 0, 3, 2);
    check_double("log", ge_log, logl, 0, 1e300, 2);
    check_double("log", ge_log, logl, 0, 1e-307, 2);
    check_double("log1p", ge_log1p, log1pl, -1, 3, 2);
    check_double("log1p", ge_log1p, log1pl, -1e-15, 1e-15, 2);
    check_double("log1p", ge_log1p, log1pl, 0, 1e18, 2);
    check_double("erf", ge_erf, erfl, -6, 6, 2);
    check_double("erf", ge_erf, erfl, -1e-10, 1e-10, 2);
    check_double("erfc", ge_erfc, erfcl, -6, 2, 5);
    check_double("erfc", ge_erfc, erfcl, 2, 28, 5);
}

static void test_pow(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        double range = i % 2 != 0 ? 1400 : 4;
        double x = exp((ge_uniform(1, 3, i) - 0.5) * range);
        double y = (ge_uniform(1, 4, i) - 0.5) * (i % 4 < 2 ? 100 : 1);
        double ulps = double_ulps(ge_pow(x, y), powl(x, y));
        if (!(ulps <= 2)) {
            print_error("pow(%.17g, %.17g) is %g ulp off\n", x, y, ulps);
            fail();
        }
    }
    assert_true(ge_pow(2, 10) == 1024 && ge_pow(4, 0.5) == 2 && ge_pow(10, -1) == 0.1);
    assert_true(ge_pow(0, 2) == 0 && ge_pow(0, -1) == INFINITY && ge_pow(0, 0) == 1);
    assert_true(ge_pow(INFINITY, 1) == INFINITY && ge_pow(INFINITY, -1) == 0);
    assert_true(ge_pow(2, INFINITY) == INFINITY && ge_pow(0.5, INFINITY) == 0);
    assert_true(ge_pow(2, -INFINITY) == 0 && ge_pow(0.5, -INFINITY) == INFINITY);
    assert_true(ge_pow(2, 1e300) == INFINITY && ge_pow(2, -1e300) == 0 && ge_pow(2, 1e-305) == 1);
    assert_true(isnan(ge_pow(-1, 2)) && isnan(ge_pow(NAN, 0)) && isnan(ge_pow(1, NAN)));
}

static void test_double_specials(void **state)
{
    (void)state;
    assert_true(isnan(ge_exp(NAN)) && isnan(ge_log(NAN)) && isnan(ge_log1p(NAN)));
    assert_true(isnan(ge_erf(NAN)) && isnan(ge_erfc(NAN)) && isnan(ge_lgamma(NAN)));
    assert_true(isnan(ge_log(-1)) && isnan(ge_log1p(-2)) && isnan(ge_lgamma(-1)));
    assert_true(ge_exp(0) == 1 && ge_exp(INFINITY) == INFINITY && ge_exp(-INFINITY) == 0);
    assert_true(ge_exp(-745.13) == 5e-324 && ge_exp(709.78) < INFINITY);
    assert_true(ge_log(1) == 0 && ge_log(0) == -INFINITY && ge_log(INFINITY) == INFINITY);
    assert_true(ge_log1p(-1) == -INFINITY && ge_log1p(INFINITY) == INFINITY);
    assert_true(ge_erf(INFINITY) == 1 && ge_erfc(-INFINITY) == 2 && ge_erfc(INFINITY) == 0);
    assert_true(ge_lgamma(1) == 0 && ge_lgamma(2) == 0 && ge_lgamma(0) == INFINITY);
}

static void test_lgamma(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        double x = exp((ge_uniform(1, 5, i) - 0.3) * 20);
        if (i % 3 == 0) x = 1 + (double)(i % 2) + (ge_uniform(1, 6, i) - 0.5) * 1e-3;
        long double want = lgammal(x);
        if (!(fabsl(ge_lgamma(x) - want) <= 1e-13L * fabsl(want))) {
            print_error("lgamma(%.17g) = %.17g, wanted %.17Lg\n", x, ge_lgamma(x), want);
            fail();
        }
    }
}

static void test_logit(void **state)
{
    (void)state;
    for (int i = 1; i < 1000; i++) {
        double p = i / 1000.0;
        assert_close(ge_logistic(ge_logit(p)), p, 4e-16);
        assert_close(ge_logit(p), (double)logl((long double)p / (1 - (long double)p)), 2e-15);
    }
    assert_close(ge_logit(0.5 + 1e-12), 4e-12, 1e-15);
    assert_true(ge_logit(0.5) == 0 && ge_logit(0) == -INFINITY && ge_logit(1) == INFINITY);
    assert_true(isnan(ge_logit(1.5)) && isnan(ge_logit(-0.5)) && isnan(ge_logit(NAN)));
    assert_true(ge_logistic(1000) == 1 && ge_logistic(-1000) == 0 && isnan(ge_logistic(NAN)));
    assert_true(ge_logistic(-740) > 0);
}

/* ---- distributions ---------------------------------------------------------------------------- */

static void test_normal(void **state)
{
    (void)state;
    assert_close(ge_norm_cdf(0), 0.5, 0);
    assert_close(ge_norm_cdf(1), 0.84134474606854295, 1e-15);
    assert_close(ge_norm_cdf(-1), 0.15865525393145705, 1e-15);
    assert_close(ge_norm_cdf(6), 0.99999999901341235, 1e-15);
    assert_close(ge_norm_cdf(-8) / 6.2209605742717841e-16, 1, 1e-13);
    assert_close(ge_norm_cdf(-37) / 5.7255712225245768e-300, 1, 1e-12);
    assert_close(ge_norm_quantile(0.5), 0, 0);
    assert_close(ge_norm_quantile(0.975), 1.9599639845400539, 2e-15);
    assert_close(ge_norm_quantile(0.6), 0.25334710313579974, 1e-15);
    assert_close(ge_norm_quantile(0.3), -0.52440051270804082, 1e-15);
    assert_close(ge_norm_quantile(0.9999), 3.7190164854557084, 1e-14);
    assert_close(ge_norm_quantile(1e-10), -6.3613409024040562, 1e-13);
    assert_close(ge_norm_quantile(1e-300), -37.047096299361199, 1e-12);
    assert_true(ge_norm_quantile(0) == -INFINITY && ge_norm_quantile(1) == INFINITY);
    assert_true(isnan(ge_norm_quantile(-0.1)) && isnan(ge_norm_quantile(NAN)));
}

static void test_student_cdf(void **state)
{
    (void)state;
    static const double known[][3] = {
        /* t, df, P(T <= t) */
        {0, 1, 0.5},
        {1, 1, 0.75},
        {-1, 1, 0.25},
        {2.5, 2, 0.9351941398892446},
        {-3, 7.5, 0.0091954693041022551},
        {1.96, 30, 0.97032884355197476},
        {-4.5, 299, 4.8714284199577948e-6},
        {0.5, 1e4, 0.69145696033838329},
        {2, 690000, 0.97724967243224224},
        {-2, 710000, 0.02275032205734341},
        {-6, 1e6, 9.8692490617721733e-10},
        {40, 3, 0.99998280965960542},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_close(ge_t_cdf(known[i][0], known[i][1]), known[i][2], 1e-12);
    }
    assert_close(ge_t_cdf(1.5, INFINITY), ge_norm_cdf(1.5), 1e-15);
    assert_true(ge_t_cdf(INFINITY, 3) == 1 && ge_t_cdf(-INFINITY, 3) == 0);
    assert_true(isnan(ge_t_cdf(NAN, 3)) && isnan(ge_t_cdf(1, 0.5)) && isnan(ge_t_cdf(1, NAN)));
}

static void test_student_quantile(void **state)
{
    (void)state;
    static const double known[][3] = {
        /* p, df, quantile */
        {0.975, 1, 12.706204736174693},      {0.975, 2, 4.3026527297494618},
        {0.975, 10, 2.2281388519862742},     {0.995, 29.5, 2.7531332702563245},
        {0.6, 3, 0.27667066233268985},       {0.025, 1000, -1.9623390808264085},
        {1e-6, 5, -24.771029720515944},      {0.975, 690000, 1.959967422620229},
        {0.975, 710000, 1.9599673257727379}, {0.999999, 1e5, 4.7537047163854761},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        double want = known[i][2];
        assert_close(ge_t_quantile(known[i][0], known[i][1]), want, 1e-12 * fmax(1, fabs(want)));
    }
    for (int i = 1; i < 200; i++) {
        double p = i / 200.0, df = 1 + i * 0.37;
        assert_close(ge_t_cdf(ge_t_quantile(p, df), df), p, 1e-13);
    }
    assert_close(ge_t_quantile(0.975, INFINITY), ge_norm_quantile(0.975), 0);
    assert_true(ge_t_quantile(0.5, 3) == 0 && ge_t_quantile(1, 3) == INFINITY);
    assert_true(ge_t_quantile(1e-300, 1) < -1e100); /* ends, with a huge value */
    assert_true(isnan(ge_t_quantile(2, 3)) && isnan(ge_t_quantile(0.5, 0)));
}

static void test_betainc(void **state)
{
    (void)state;
    static const double known[][4] = {
        {1, 1, 0.3, 0.3},
        {0.5, 0.5, 0.25, 1.0 / 3},
        {2, 3, 0.9, 0.9963},
        {100, 200, 0.33, 0.4566181633339974},
        {0.01, 5, 1e-8, 0.84921382846241301},
        {1e4, 1e4, 0.5, 0.5},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const double *k = known[i];
        assert_close(ge_betainc(k[0], k[1], k[2]), k[3], 1e-12);
        if (k[2] < 0.01) continue; /* 1 - x would round */
        assert_close(ge_betainc(k[1], k[0], 1 - k[2]), 1 - k[3], 1e-12);
    }
    assert_true(ge_betainc(2, 3, 0) == 0 && ge_betainc(2, 3, 1) == 1);
    assert_true(isnan(ge_betainc(0, 1, 0.5)) && isnan(ge_betainc(1, 1, 1.5)));
    assert_true(isnan(ge_betainc(1, 1, NAN)));
}

/* ---- bits ------------------------------------------------------------------------------------- */

/* One hash over many results. A change means that this compiler, its options or this machine does
 * not give the digits that stores were written with; or that a function was changed on purpose. */
static void test_bits(void **state)
{
    (void)state;
    struct ge_hasher *h = ge_hasher_new();
    assert_non_null(h);
    for (uint64_t i = 0; i < 100000; i++) {
        double x = (ge_uniform(2, 1, i) - 0.5) * 40, p = ge_uniform(2, 2, i);
        float f = (float)x;
        ge_hasher_add_f64(h, ge_expf(f));
        ge_hasher_add_f64(h, ge_logf(fabsf(f)));
        ge_hasher_add_f64(h, ge_erff(f * 0.125f));
        ge_hasher_add_f64(h, ge_tanhf(f * 0.25f));
        ge_hasher_add_f64(h, ge_exp(x));
        ge_hasher_add_f64(h, ge_log(p));
        ge_hasher_add_f64(h, ge_log1p(p));
        ge_hasher_add_f64(h, ge_erf(x * 0.1));
        ge_hasher_add_f64(h, ge_erfc(x * 0.5));
        ge_hasher_add_f64(h, ge_pow(fabs(x), p));
        ge_hasher_add_f64(h, ge_logit(p));
        if (i % 100 == 0) ge_hasher_add_f64(h, ge_t_quantile(p, 1 + fabs(x)));
        if (i % 100 == 0) ge_hasher_add_f64(h, ge_norm_quantile(p));
    }
    char hex[GE_HASH_HEX];
    ge_hash_hex(ge_hasher_get(h), hex);
    ge_hasher_delete(&h);
    assert_string_equal(hex, "d71676d7b62a95e4a07db546ea9744f0");
}

/* A loop over the inline bodies, which the compiler may vectorise, gives the bits of the calls. */
static void test_inline_bits(void **state)
{
    (void)state;
    enum { COUNT = 100003 };
    static float x[COUNT], y[COUNT];
    for (int i = 0; i < COUNT; i++) x[i] = (float)((ge_uniform(3, 1, (uint64_t)i) - 0.5) * 30);
    for (int i = 0; i < COUNT; i++) y[i] = ge_inline_expf(x[i]);
    for (int i = 0; i < COUNT; i++) assert_true(y[i] == ge_expf(x[i]));
    for (int i = 0; i < COUNT; i++) y[i] = ge_inline_erff(x[i]);
    for (int i = 0; i < COUNT; i++) assert_true(y[i] == ge_erff(x[i]));
    for (int i = 0; i < COUNT; i++) y[i] = ge_inline_tanhf(x[i]);
    for (int i = 0; i < COUNT; i++) assert_true(y[i] == ge_tanhf(x[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_functions),
        cmocka_unit_test(test_float_specials),
        cmocka_unit_test(test_double_functions),
        cmocka_unit_test(test_pow),
        cmocka_unit_test(test_double_specials),
        cmocka_unit_test(test_lgamma),
        cmocka_unit_test(test_logit),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_student_cdf),
        cmocka_unit_test(test_student_quantile),
        cmocka_unit_test(test_betainc),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_inline_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
