/* BCa intervals of the gap: the same bits for any number of threads, close to the delta method's
 * where there is much to learn from, the default where there is nothing. */
#include "test.h"

#include "aggregate/aggregate.h"
#include "base/mem.h"
#include "base/rng.h"

enum { ITEMS = 600 };

static struct ge_pair pairs[ITEMS];

static void sample(void)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        pairs[i] = (struct ge_pair){ge_uniform(3, 0, i) < 0.7, ge_uniform(3, 1, i) < 0.5, i / 2};
    }
}

static struct ge_gap_row figures(enum ge_interval_method method, struct ge_pool *pool)
{
    struct ge_gap_row row = {0};
    const struct ge_interval_options options = {method, 0.95, 4000, 11, pool};
    assert_ok(ge_gap_logit_by(pairs, ITEMS, &options, &row));
    return row;
}

static void assert_near(struct ge_estimate a, struct ge_estimate b)
{
    double width = b.hi - b.lo;
    assert_close(a.value, b.value, 0);
    assert_close(a.lo, b.lo, 0.06 * width);
    assert_close(a.hi, b.hi, 0.06 * width);
    assert_true(a.lo != b.lo || a.hi != b.hi);
}

static void test_methods(void **state)
{
    (void)state;
    sample();
    struct ge_gap_row bca = figures(GE_INTERVAL_BCA, NULL),
                      delta = figures(GE_INTERVAL_DELTA, NULL);
    assert_near(bca.delta, delta.delta);
    assert_near(bca.points, delta.points);
    assert_near(bca.und, delta.und);
    assert_near(bca.gen, delta.gen);
    assert_near(bca.succ, delta.succ);
    assert_true(bca.gap.lo > 0 && bca.gap.lo < bca.gap.value && bca.gap.value < bca.gap.hi);
}

static void test_threads(void **state)
{
    (void)state;
    sample();
    struct ge_gap_row want = figures(GE_INTERVAL_BCA, NULL);
    for (int threads = 2; threads <= 5; threads += 3) {
        struct ge_pool *pool = NULL;
        assert_ok(ge_pool_new(threads, &pool));
        struct ge_gap_row got = figures(GE_INTERVAL_BCA, pool);
        assert_memory_equal(&got.delta, &want.delta, sizeof got.delta);
        assert_memory_equal(&got.points, &want.points, sizeof got.points);
        assert_memory_equal(&got.gap, &want.gap, sizeof got.gap);
        ge_pool_delete(&pool);
    }
}

/* Nothing differs between resamples: the default interval stays, and has a width. */
static void test_nothing_to_learn(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ITEMS; i++) pairs[i] = (struct ge_pair){1, 1, i};
    struct ge_gap_row bca = figures(GE_INTERVAL_BCA, NULL),
                      score = figures(GE_INTERVAL_SCORE, NULL);
    assert_close(bca.points.lo, score.points.lo, 0);
    assert_close(bca.delta.hi, score.delta.hi, 0);
    assert_true(bca.points.lo < bca.points.hi && bca.delta.lo < bca.delta.hi);
}

static void test_refusals(void **state)
{
    (void)state;
    struct ge_gap_row row = {0};
    struct ge_interval_options options = {GE_INTERVAL_BCA, 0.95, 0, 11, NULL};
    sample();
    assert_status(ge_gap_logit_by(pairs, ITEMS, &options, &row), GE_EINVAL);
    options.resamples = 50;
    uint64_t failed = 0;
    for (uint64_t at = 1;; at++, failed++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_gap_intervals(pairs, ITEMS, &options, &row);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        if (pending) break;
    }
    assert_true(failed >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nothing_to_learn),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
