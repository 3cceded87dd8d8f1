/* Which chunk next: affinity, stealing, waiting times. */
#include "dist/schedule.h"
#include "test.h"

enum { CELLS = 5, RANGES = 6 };

static struct ge_schedule *cells(uint32_t workers)
{
    struct ge_schedule *s = NULL;
    uint32_t group[CELLS * RANGES];
    for (uint32_t c = 0; c < CELLS * RANGES; c++) group[c] = c % RANGES;
    assert_ok(ge_schedule_new(CELLS * RANGES, NULL, group, workers, 4, &s));
    return s;
}

static void a_worker_gets_a_range_of_all_cells(void **state)
{
    (void)state;
    struct ge_schedule *s = cells(3);
    for (int i = 0; i < CELLS; i++)
        for (uint32_t w = 0; w < 3; w++) {
            uint32_t chunk;
            assert_true(ge_schedule_take(s, w, 0, false, &chunk));
            assert_int_equal(chunk % RANGES, w);
            assert_int_equal(chunk / RANGES, i);
        }
    assert_int_equal(ge_schedule_count(s), CELLS * RANGES - 3 * CELLS);
    ge_schedule_delete(&s);
}

static void who_has_nothing_steals(void **state)
{
    (void)state;
    struct ge_schedule *s = NULL;
    static const uint32_t one_group[8] = {0};
    uint32_t chunk, seen = 0;
    assert_ok(ge_schedule_new(8, NULL, one_group, 4, 1, &s));
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(ge_schedule_take(s, i % 4, 0, false, &chunk));
        seen |= 1u << chunk;
    }
    assert_int_equal(seen, 255);
    assert_false(ge_schedule_take(s, 0, 0, false, &chunk));
    ge_schedule_delete(&s);
}

static void a_lost_workers_group_is_opened_by_another(void **state)
{
    (void)state;
    struct ge_schedule *s = cells(2);
    uint32_t chunk;
    assert_true(ge_schedule_take(s, 0, 0, false, &chunk));
    ge_schedule_release(s, 0);
    ge_schedule_release(s, 0);
    for (uint32_t i = 0; i < CELLS * RANGES - 1; i++)
        assert_true(ge_schedule_take(s, 1, 0, false, &chunk));
    assert_int_equal(ge_schedule_count(s), 0);
    ge_schedule_delete(&s);
}

static void returned_chunks_wait_and_then_come_first(void **state)
{
    (void)state;
    struct ge_schedule *s = NULL;
    uint32_t chunk;
    assert_ok(ge_schedule_new(4, NULL, NULL, 2, 4, &s));
    assert_true(ge_schedule_take(s, 0, 0, false, &chunk));
    assert_int_equal(chunk, 0);
    ge_schedule_return(s, 0, 1, 10, 0, 20);
    assert_true(ge_schedule_take(s, 1, 9, false, &chunk));
    assert_int_equal(chunk, 1);
    assert_true(ge_schedule_take(s, 0, 11, false, &chunk));
    assert_int_equal(chunk, 2); /* 0 is not for worker 0 yet */
    assert_true(ge_schedule_take(s, 1, 11, false, &chunk));
    assert_int_equal(chunk, 0); /* before 3 */
    ge_schedule_return(s, 0, 2, 12, 0, 30);
    assert_true(ge_schedule_take(s, 0, 13, true, &chunk));
    assert_int_equal(chunk, 0); /* alone */
    ge_schedule_return(s, 0, 3, 40, 0, 30);
    assert_true(ge_schedule_take(s, 0, 40, false, &chunk));
    assert_int_equal(chunk, 0); /* nobody else came */
    ge_schedule_delete(&s);
}

static void dropped_chunks_are_not_handed_out(void **state)
{
    (void)state;
    struct ge_schedule *s = NULL;
    uint32_t chunk;
    static const uint8_t done[5] = {0, 1, 0, 0, 0};
    assert_ok(ge_schedule_new(5, done, NULL, 1, 1, &s));
    assert_int_equal(ge_schedule_count(s), 4);
    assert_true(ge_schedule_take(s, 0, 0, false, &chunk));
    ge_schedule_return(s, chunk, 0, 0, 0, 0);
    ge_schedule_drop(s, chunk);
    ge_schedule_drop(s, chunk);
    ge_schedule_drop(s, 3);
    assert_int_equal(ge_schedule_count(s), 2);
    assert_true(ge_schedule_take(s, 0, 1, false, &chunk));
    assert_int_equal(chunk, 2);
    assert_true(ge_schedule_take(s, 0, 1, false, &chunk));
    assert_int_equal(chunk, 4);
    assert_false(ge_schedule_take(s, 0, 1, false, &chunk));
    ge_schedule_delete(&s);
}

static void bad_groups_are_refused(void **state)
{
    (void)state;
    struct ge_schedule *s = NULL;
    static const uint32_t group[2] = {0, 2};
    assert_status(ge_schedule_new(2, NULL, group, 1, 1, &s), GE_EINVAL);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_gets_a_range_of_all_cells),
        cmocka_unit_test(who_has_nothing_steals),
        cmocka_unit_test(a_lost_workers_group_is_opened_by_another),
        cmocka_unit_test(returned_chunks_wait_and_then_come_first),
        cmocka_unit_test(dropped_chunks_are_not_handed_out),
        cmocka_unit_test(bad_groups_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
