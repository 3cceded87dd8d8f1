/* Power of McNemar's exact test against sums with scipy.stats.binom, and the searches over it. */
#include "test.h"

#include "stats/power.h"

static void test_power(void **state)
{
    (void)state;
    assert_close(ge_mcnemar_power(50, 0.2, 0.05, 0.05), 0.4775267246072396, 1e-9);
    assert_close(ge_mcnemar_power(646, 0.13, 0.08, 0.05), 0.7728308032780166, 1e-9);
    assert_close(ge_mcnemar_power(20, 0.6, 0.3, 0.05), 0.22932362334159276, 1e-9);
    assert_close(ge_mcnemar_power(300, 0.02, 0, 0.05), 0.5559447091984169, 1e-9);
    assert_close(ge_mcnemar_power(100, 0.2, 0.1, 0.01), 0.17512564531102456, 1e-9);
    assert_close(ge_mcnemar_power(0, 0.2, 0.1, 0.05), 0, 0);
    assert_close(ge_mcnemar_power(100, 0, 0, 0.05), 0, 0);
    assert_close(ge_mcnemar_power(5, 1, 0, 0.05), 0, 0); /* five disagreements: p at least 1/16 */
    assert_close(ge_mcnemar_power(6, 1, 0, 0.05), 1, 1e-12);
    assert_close(ge_mcnemar_power(100000, 0.2, 0.1, 0.05), 1, 1e-9);
    /* without a difference at most the level */
    for (size_t n = 10; n < 400; n += 39) {
        assert_true(ge_mcnemar_power(n, 0.15, 0.15, 0.05) < 0.05);
    }
}

/* The searches agree with each other and with the same search in Python. */
static void test_searches(void **state)
{
    (void)state;
    struct ge_paired_rates rates = {.und = 0.8, .gen = 0.65, .phi = 0.3};
    size_t items = 0;
    double p10, p01;
    assert_ok(ge_items_needed(rates, 0.05, 0.8, &items));
    assert_int_equal(items, 111);
    assert_close(ge_smallest_gap(items, rates, 0.05, 0.8), 0.15, 0.003);
    assert_ok(ge_paired_disagreement(rates, &p10, &p01));
    assert_close(p10 - p01, 0.15, 1e-15);
    assert_close((0.8 - p10 - 0.8 * 0.65) / sqrt(0.8 * 0.2 * 0.65 * 0.35), 0.3, 1e-12);
    assert_true(ge_smallest_gap(1000, rates, 0.05, 0.8) < ge_smallest_gap(200, rates, 0.05, 0.8));
    assert_true(isnan(ge_smallest_gap(3, rates, 0.05, 0.8)));
    rates.gen = 0.7999;
    assert_ok(ge_items_needed(rates, 0.05, 0.8, &items));
    assert_int_equal(items, 0); /* more than a million */
}

static void test_refusals(void **state)
{
    (void)state;
    size_t items;
    struct ge_paired_rates rates = {.und = 0.95, .gen = 0.5, .phi = 0.9};
    assert_status(ge_items_needed(rates, 0.05, 0.8, &items), GE_EINVAL);
    rates.phi = -0.9;
    assert_status(ge_items_needed(rates, 0.05, 0.8, &items), GE_EINVAL);
    rates = (struct ge_paired_rates){.und = 1, .gen = 0.5, .phi = 0};
    assert_status(ge_items_needed(rates, 0.05, 0.8, &items), GE_EINVAL);
    rates.und = NAN;
    assert_status(ge_items_needed(rates, 0.05, 0.8, &items), GE_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_searches),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
