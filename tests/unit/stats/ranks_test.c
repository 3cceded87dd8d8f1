/* Rank intervals, pass@k and Holm's adjustment. */
#include "test.h"

#include <stdbool.h>

#include "base/mem.h"
#include "stats/multiple.h"
#include "stats/ranks.h"

static void assert_rank(struct ge_rank r, size_t rank, size_t lo, size_t hi)
{
    assert_int_equal(r.rank, rank);
    assert_int_equal(r.lo, lo);
    assert_int_equal(r.hi, hi);
}

/* Four systems: the first is better than all, the last two are alike; one has no score. */
static void test_ranks(void **state)
{
    (void)state;
    const double score[] = {0.5, 0.9, NAN, 0.45, 0.7};
    double p[25];
    struct ge_rank r[5];
    for (int i = 0; i < 25; i++) p[i] = NAN;
    p[0 * 5 + 1] = 0.0001;
    p[0 * 5 + 3] = 0.5;
    p[0 * 5 + 4] = 0.03; /* Holm: third of six, times 4 */
    p[1 * 5 + 3] = 0.0001;
    p[1 * 5 + 4] = 0.002;
    p[3 * 5 + 4] = 0.012; /* times 3: 0.036 */
    p[0 * 5 + 2] = 1e-9;  /* with a system that has no score: counts for nothing */
    assert_ok(ge_ranks(score, p, 5, 0.95, r));
    assert_rank(r[1], 1, 1, 1);
    assert_rank(r[4], 2, 2, 3);
    assert_rank(r[0], 3, 2, 4);
    assert_rank(r[3], 4, 3, 4);
    assert_rank(r[2], 0, 0, 0);
    assert_ok(ge_ranks(score, p, 5, 0.9999, r)); /* nothing is that sure */
    assert_rank(r[1], 1, 1, 4);
    assert_rank(r[3], 4, 1, 4);
}

static void test_ties(void **state)
{
    (void)state;
    const double score[] = {0.5, 0.5, 0.5}, p[9] = {0, 1, 1, 0, 0, 1, 0, 0, 0};
    struct ge_rank r[3];
    assert_ok(ge_ranks(score, p, 3, 0.95, r));
    for (int i = 0; i < 3; i++) assert_rank(r[i], 1, 1, 3);
}

/* Against the definition with binomial coefficients. */
static void test_pass(void **state)
{
    (void)state;
    assert_close(ge_pass_at_k(10, 3, 1), 0.3, 1e-15);
    assert_close(ge_pass_at_k(10, 3, 5), 1 - 21.0 / 252, 1e-15);
    assert_close(ge_pass_at_k(5, 0, 5), 0, 0);
    assert_close(ge_pass_at_k(5, 1, 5), 1, 0);
    assert_close(ge_pass_at_k(200, 1, 100), 0.5, 1e-13);
    assert_true(isnan(ge_pass_at_k(3, 1, 4)) && isnan(ge_pass_at_k(3, 1, 0)));
    assert_true(isnan(ge_pass_at_k(3, 4, 1)));
}

/* statsmodels.stats.multitest.multipletests(p, method="holm"). */
static void test_holm(void **state)
{
    (void)state;
    double p[] = {0.01, NAN, 0.04, 0.03, 0.005, 0.7};
    const double want[] = {0.04, NAN, 0.09, 0.09, 0.025, 0.7};
    assert_ok(ge_holm(p, 6, p));
    for (int i = 0; i < 6; i++) {
        if (isnan(want[i])) {
            assert_true(isnan(p[i]));
        } else {
            assert_close(p[i], want[i], 1e-15);
        }
    }
}

static void test_memory(void **state)
{
    (void)state;
    const double score[] = {0.5, 0.7}, p[4] = {0, 0.01, 0, 0};
    struct ge_rank r[2];
    uint64_t failed = 0;
    for (uint64_t at = 1;; at++, failed++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_ranks(score, p, 2, 0.95, r);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        if (pending) break;
    }
    assert_true(failed == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks), cmocka_unit_test(test_ties),   cmocka_unit_test(test_pass),
        cmocka_unit_test(test_holm),  cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
