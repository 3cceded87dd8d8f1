/* The gap from few human and many automatic verdicts. */
#include "test.h"

#include "aggregate/ppi_gap.h"
#include "base/mem.h"
#include "base/rng.h"

enum { ITEMS = 400 };

/* Human verdicts for the first `people` items; automatic ones agree with probability `agree`. */
static void sample(struct ge_ppi_pair *items, size_t people, double agree)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        double u = ge_uniform(5, 0, i) < 0.8, g = ge_uniform(5, 1, i) < 0.5;
        items[i] = (struct ge_ppi_pair){.und_y = u,
                                        .gen_y = g,
                                        .und_labelled = i < people,
                                        .gen_labelled = i < people,
                                        .und_f = ge_uniform(5, 2, i) < agree ? u : 1 - u,
                                        .gen_f = ge_uniform(5, 3, i) < agree ? g : 1 - g,
                                        .cluster = i};
    }
}

static void assert_same(struct ge_estimate a, struct ge_estimate b, double tolerance)
{
    assert_close(a.value, b.value, tolerance);
    assert_close(a.lo, b.lo, tolerance);
    assert_close(a.hi, b.hi, tolerance);
}

static double width(struct ge_estimate e)
{
    return e.hi - e.lo;
}

/* With a human verdict for every item the value is the plain estimator's. */
static void test_everything_labelled(void **state)
{
    (void)state;
    static struct ge_ppi_pair items[ITEMS];
    static struct ge_pair pairs[ITEMS];
    struct ge_ppi_gap out;
    struct ge_gap_row row = {0};
    sample(items, ITEMS, 0.6);
    for (size_t i = 0; i < ITEMS; i++) {
        pairs[i] = (struct ge_pair){items[i].und_y, items[i].gen_y, items[i].cluster};
    }
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_ok(ge_gap_logit(pairs, ITEMS, 0.95, &row));
    assert_close(out.corrected.delta.value, row.delta.value, 1e-12);
    assert_close(out.corrected.points.value, row.points.value, 1e-12);
    assert_close(out.corrected.und.value, row.und.value, 1e-12);
    assert_close(width(out.corrected.und), width(row.und), 1e-3);
    assert_same(out.corrected.delta, out.human.delta, 1e-12);
    assert_int_equal(out.labelled, ITEMS);
    assert_close(out.lambda_und, 0, 0);
}

/* Good automatic verdicts narrow the interval, useless ones leave it as it is. */
static void test_widths(void **state)
{
    (void)state;
    static struct ge_ppi_pair items[ITEMS];
    struct ge_ppi_gap out;
    sample(items, 80, 0.95);
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_true(out.lambda_und > 0.3 && out.lambda_gen > 0.6);
    assert_true(width(out.corrected.delta) < 0.7 * width(out.human.delta));
    assert_true(width(out.corrected.points) < 0.7 * width(out.human.points));
    assert_true(width(out.corrected.p11) < 0.8 * width(out.human.p11));
    sample(items, 80, 0.5);
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_true(out.lambda_und < 0.3);
    assert_true(width(out.corrected.delta) < 1.02 * width(out.human.delta));
    assert_int_equal(out.labelled_clusters, 80);
}

/* Verdicts that always agree, all right: the interval keeps a width. */
static void test_all_right(void **state)
{
    (void)state;
    static struct ge_ppi_pair items[ITEMS];
    struct ge_ppi_gap out;
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i] = (struct ge_ppi_pair){1, 1, 1, 1, i < 50, i < 50, i};
    }
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_close(out.corrected.und.value, 1, 0);
    assert_close(out.corrected.und.hi, 1, 1e-12);
    assert_true(out.corrected.und.lo < 0.995 && out.corrected.und.lo > 0.9);
    assert_close(out.corrected.delta.value, 0, 1e-12);
    assert_true(out.corrected.delta.lo < -1 && out.corrected.delta.hi > 1);
}

static void test_edges(void **state)
{
    (void)state;
    static struct ge_ppi_pair items[ITEMS];
    struct ge_ppi_gap out;
    sample(items, 0, 0.9);
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_true(isnan(out.corrected.delta.value) && isnan(out.corrected.und.lo));
    assert_int_equal(out.labelled, 0);
    sample(items, 1, 0.9);
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_true(isnan(out.corrected.delta.lo) && isnan(out.corrected.points.hi));
    assert_ok(ge_ppi_gap(items, 0, 0.95, &out));
    assert_true(isnan(out.corrected.delta.value));
    sample(items, 20, 0.9);
    for (uint32_t i = 0; i < ITEMS; i++) items[i].cluster = 0; /* one cluster: no interval */
    assert_ok(ge_ppi_gap(items, ITEMS, 0.95, &out));
    assert_true(!isnan(out.corrected.delta.value) && isnan(out.corrected.delta.lo));
    items[7].und_f = 1.5;
    assert_status(ge_ppi_gap(items, ITEMS, 0.95, &out), GE_EINVAL);
    assert_status(ge_ppi_gap(items, ITEMS, 1, &out), GE_EINVAL);
}

static void test_memory(void **state)
{
    (void)state;
    static struct ge_ppi_pair items[ITEMS];
    struct ge_ppi_gap out;
    uint64_t failed = 0;
    sample(items, 40, 0.9);
    for (uint64_t at = 1;; at++, failed++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_ppi_gap(items, ITEMS, 0.95, &out);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        if (pending) break;
    }
    assert_true(failed >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_labelled),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_all_right),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
