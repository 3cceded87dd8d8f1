/* base/half.h against conversions by arithmetic in double, which look at no bits: all numbers of
 * the 16-bit types, floats around every place where rounding turns, and a walk over all floats. */
#include "base/half.h"
#include "test.h"

struct type {
    const char *name;
    int digits, least; /* of the fraction with the leading one; exponent of the smallest number */
    double largest;
    float (*to_float)(uint16_t h);
    uint16_t (*from_float)(float f);
    uint16_t infinity;
};

static const struct type types[] = {
    {"bf16", 8, -133, 0x1.FEp127, ge_bf16_to_float, ge_float_to_bf16, 0x7F80},
    {"fp16", 11, -24, 65504, ge_fp16_to_float, ge_float_to_fp16, 0x7C00},
};

/* Value of a finite number, from its fields. */
static double value(const struct type *t, uint16_t h)
{
    int bits = t->digits - 1, exponent = (h & 0x7FFF) >> bits, fraction = h & ((1 << bits) - 1);
    double v = exponent == 0 ? ldexp(fraction, t->least)
                             : ldexp(fraction + (1 << bits), t->least + exponent - 1);

    return (h & 0x8000) != 0 ? -v : v;
}

/* The nearest number of the type: rint() rounds halves to even. */
static double nearest(const struct type *t, double v)
{
    int exponent;

    if (v == 0 || isinf(v)) return v;
    frexp(v, &exponent);
    int unit = exponent - t->digits > t->least ? exponent - t->digits : t->least;
    v = ldexp(rint(ldexp(v, -unit)), unit);
    return fabs(v) > t->largest ? copysign(INFINITY, v) : v;
}

static void check_from(const struct type *t, float f)
{
    uint16_t h = t->from_float(f);
    double back = t->to_float(h);

    if (isnan(f) ? isnan(back) && !signbit(f) == !signbit(back)
                 : back == nearest(t, f) && !signbit(back) == !signbit(f))
        return;
    print_error("%a as %s is %04x = %a\n", (double)f, t->name, h, back);
    fail();
}

static void test_to_float(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t h = 0; h < 0x10000; h++) {
            const struct type *t = &types[i];
            float f = t->to_float((uint16_t)h);
            uint32_t magnitude = h & 0x7FFF;
            if (magnitude > t->infinity)
                assert_true(isnan(f));
            else if (magnitude == t->infinity)
                assert_true(isinf(f));
            else
                assert_true((double)f == value(t, (uint16_t)h));
            assert_true((signbit(f) != 0) == (h >= 0x8000));
            if (magnitude <= t->infinity) assert_int_equal(t->from_float(f), h);
        }
    }
}

/* Half way from the largest number to the next, which is infinity. */
static double beyond(const struct type *t)
{
    int exponent;

    frexp(t->largest, &exponent);
    return t->largest + ldexp(0.5, exponent - t->digits);
}

static void test_from_float(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t h = 0; h < 0xFFFF; h++) {
            const struct type *t = &types[i];
            double a = t->to_float((uint16_t)h), b = t->to_float((uint16_t)(h + 1));
            if (isnan(a) || isnan(b) || isinf(a)) continue;
            float middle = (float)(isinf(b) ? copysign(beyond(t), b) : (a + b) / 2);
            check_from(t, middle);
            check_from(t, nextafterf(middle, INFINITY));
            check_from(t, nextafterf(middle, -INFINITY));
        }
        for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 4001)
            check_from(&types[i], ge_bits_float((uint32_t)bits));
    }
}

/* The smallest payload must not turn a NaN into an infinity. */
static void test_nan(void **state)
{
    static const uint32_t nans[] = {0x7F800001, 0xFF800001, 0x7FC00000, 0xFFFFFFFF, 0x7F801000};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < 5; n++) check_from(&types[i], ge_bits_float(nans[n]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_float),
        cmocka_unit_test(test_from_float),
        cmocka_unit_test(test_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
