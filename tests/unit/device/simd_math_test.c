/* Errors of vec_math.h over all floats, against double precision. The plain form of vec.h computes
 * here; simd_test shows that every other form has its bits. */
#define GE_VEC_LANES 4
#include "base/half.h"
#include "device/simd/vec_math.h"
#include "test.h"

/* How far off a function may be: `ulps` of the result, or `absolute` times the argument (gates go
 * to zero with x), whichever is more. */
struct function {
    const char *name;
    vec (*f)(vec x);
    double (*reference)(double x);
    double ulps, absolute;
};

static double ref_gelu(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2));
}

static double ref_gelu_tanh(double x)
{
    return x / (1 + exp(-2 * sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

static double ref_quick_gelu(double x)
{
    return x / (1 + exp(-1.702 * x));
}

static double ref_silu(double x)
{
    return x / (1 + exp(-x));
}

/* Zero below the smallest normal number by half an exponent, infinity likewise above the largest. */
static double ref_exp2(double x)
{
    return x <= -126.5 ? 0 : x >= 127.5 ? INFINITY : exp2(x);
}

/* gelu: 2.3 ulp are measured near 0, where the tail, half of the result, keeps its fit's error. */
static const struct function functions[] = {
    {"exp2", vec_exp2, ref_exp2, 1, 0},
    {"tanh", vec_tanh, tanh, 2, 0},
    {"gelu", vec_gelu, ref_gelu, 3, 6e-8},
    {"gelu_tanh", vec_gelu_tanh, ref_gelu_tanh, 2, 6e-8},
    {"quick_gelu", vec_quick_gelu, ref_quick_gelu, 2, 6e-8},
    {"silu", vec_silu, ref_silu, 2, 6e-8},
};
enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

/* Error as a multiple of what is allowed. */
static double excess(const struct function *f, double x, double got, double want)
{
    float w = (float)want;

    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
    if (isinf(w)) return got == want || got == (double)w ? 0 : INFINITY;
    double ulp = (double)nextafterf(fabsf(w), INFINITY) - fabs((double)w);
    double allowed = fmax(f->ulps * ulp, f->absolute * fabs(x));
    return fabs(got - want) / allowed;
}

static void check(const struct function *f, const float x[4], double *worst)
{
    vec y = f->f(vec_load(x));

    for (int i = 0; i < 4; i++) {
        double want = f->reference((double)x[i]), e = excess(f, x[i], y[i], want);
        if (!(e <= 1)) {
            print_error("%s(%a) = %a, wanted %a: %g times what is allowed\n", f->name, (double)x[i],
                        (double)y[i], want, e);
            fail();
        }
        if (e > *worst) *worst = e;
    }
}

/* All exponents and signs, with every 4001st bit pattern; and densely where the functions bend. */
static void test_errors(void **state)
{
    (void)state;
    for (size_t n = 0; n < N_FUNCTIONS; n++) {
        const struct function *f = &functions[n];
        double worst = 0;
        float x[4];
        for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += UINT64_C(4) * 4001) {
            for (uint64_t i = 0; i < 4; i++) x[i] = ge_bits_float((uint32_t)(bits + i * 4001));
            check(f, x, &worst);
        }
        for (int j = -1000000; j < 1000000; j += 4 * 7) {
            for (int i = 0; i < 4; i++) x[i] = (float)(j + 7 * i) * 1.3e-5f;
            check(f, x, &worst);
        }
        print_message("  %-12s %.2f of the allowed error\n", f->name, worst);
    }
}

static void test_specials(void **state)
{
    const vec x = {0.0f, -0.0f, INFINITY, -INFINITY}, z = {NAN, 200.0f, -200.0f, 1e-40f};

    (void)state;
    vec e = vec_exp2(x), t = vec_tanh(x), g = vec_gelu(x), s = vec_silu(x);
    assert_true(e[0] == 1 && e[1] == 1 && isinf(e[2]) && e[3] == 0);
    assert_true(t[0] == 0 && signbit(t[1]) && t[2] == 1 && t[3] == -1);
    assert_true(g[0] == 0 && isinf(g[2]) && s[0] == 0 && isinf(s[2]));
    e = vec_exp2(z), t = vec_tanh(z), g = vec_gelu(z), s = vec_silu(z);
    assert_true(isnan(e[0]) && isinf(e[1]) && e[2] == 0 && e[3] == 1);
    assert_true(isnan(t[0]) && t[1] == 1 && t[2] == -1 && t[3] == 1e-40f);
    assert_true(isnan(g[0]) && g[1] == 200 && g[2] == 0);
    assert_true(isnan(s[0]) && s[1] == 200 && s[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_specials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
