/* The upstream estimator on inputs that the published outputs do not have. */
#include "aggregate/upstream.h"
#include "base/mem.h"
#include "test.h"

static void test_normalize(void **state)
{
    (void)state;
    struct ge_cells c = {0.4, 0.3, 0.2, 0.104};
    assert_ok(ge_cells_normalize(&c));
    assert_close(c.p11 + c.p10 + c.p01 + c.p00, 1, 1e-15);
    assert_close(c.p11, 0.4 / 1.004, 1e-15);
    struct ge_cells wrong[] = {{0.4, 0.3, 0.2, 0.106}, {0.4, 0.3, 0.2, 0.094},
                               {-0.1, 0.5, 0.3, 0.3},  {NAN, 0.5, 0.3, 0.2},
                               {INFINITY, 0, 0, 0},    {0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(ge_cells_normalize(&wrong[i]), GE_EINVAL);
    }
}

/* Rows that leave rates at 0 or 1, and a single row: defined, within (0, 1), 6 decimals. */
static void test_extremes(void **state)
{
    (void)state;
    struct ge_cells cells[] = {{1, 0, 0, 0}, {0, 0, 0, 1}, {0, 1, 0, 0}, {0, 0, 1, 0}};
    double gaps[4], mean, sum = 0;
    for (size_t n = 1; n <= 4; n++) {
        assert_ok(ge_gap_upstream(cells, n, gaps, &mean));
        for (size_t i = 0; i < n; i++) {
            char text[32];
            assert_true(gaps[i] >= 0 && gaps[i] <= 1);
            snprintf(text, sizeof text, "%.6f", gaps[i]);
            assert_true(strtod(text, NULL) == gaps[i]);
        }
    }
    for (int i = 0; i < 4; i++) sum += gaps[i];
    assert_close(mean, sum / 4, 5.1e-7);
    assert_true(gaps[2] > 0.5); /* understands all, generates nothing */
    assert_ok(ge_gap_upstream(cells, 0, gaps, &mean));
    assert_true(isnan(mean));
}

/* Und and Gen exchanged: the same gap, as far as an optimiser that starts elsewhere can give it. */
static void test_direction(void **state)
{
    (void)state;
    struct ge_cells a[] = {{0.4, 0.3, 0.1, 0.2}, {0.3, 0.4, 0.1, 0.2}};
    struct ge_cells b[] = {{0.4, 0.1, 0.3, 0.2}, {0.3, 0.1, 0.4, 0.2}};
    double of_a[2], of_b[2], mean;
    assert_ok(ge_gap_upstream(a, 2, of_a, &mean));
    assert_ok(ge_gap_upstream(b, 2, of_b, &mean));
    for (int i = 0; i < 2; i++) assert_close(of_a[i], of_b[i], 0.1);
    assert_true(of_a[1] > of_a[0]);
}

static void test_memory_failure(void **state)
{
    (void)state;
    struct ge_cells cells = {0.4, 0.3, 0.1, 0.2};
    double gap, mean;
    ge_mem_fail_at(1, 0);
    assert_status(ge_gap_upstream(&cells, 1, &gap, &mean), GE_ENOMEM);
    ge_mem_fail_at(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_memory_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
