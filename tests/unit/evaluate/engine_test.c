/* The engine: order, the same payloads as without threads, cancellation, deletion at any time. */
#include "evaluate/engine.h"
#include "fake_device.h"
#include "fixture.h"
#include "test.h"

static struct fixture f;

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, "cpu");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static struct ge_engine_done next(struct ge_engine *e)
{
    struct ge_engine_done done;
    while (!ge_engine_poll(e, &done)) ge_engine_wait(e, 0.2);
    return done;
}

static void test_order_and_payloads(void **state)
{
    (void)state;
    enum { CHUNKS = 40 };
    struct ge_engine *e;
    struct ge_engine_done none;
    assert_ok(ge_pool_new(2, &f.ev.decode_pool));
    assert_ok(ge_cache_new(2000, &f.ev.cache));
    assert_ok(ge_engine_new(&f.ev, &e));
    assert_false(ge_engine_poll(e, &none));
    for (uint64_t i = 0; i < CHUNKS; i++) {
        assert_ok(ge_engine_submit(e, 1000 + i, 0, (uint32_t)i % 8, 1 + (uint32_t)i % 3));
    }
    struct ge_engine_done got[CHUNKS];
    for (uint64_t i = 0; i < CHUNKS; i++) {
        got[i] = next(e);
        assert_int_equal(got[i].status, GE_OK);
        assert_int_equal(got[i].ticket, 1000 + i);
    }
    assert_false(ge_engine_poll(e, &none));
    assert_true(ge_engine_progress(e) > 0);
    struct ge_eval_times times;
    ge_engine_times(e, &times);
    assert_true(times.images_read > 0 && times.images_encoded > 0);
    ge_engine_delete(&e);
    assert_null(e);
    ge_cache_delete(&f.ev.cache);
    ge_pool_delete(&f.ev.decode_pool);
    f.ev.decode_pool = NULL;
    for (uint64_t i = 0; i < CHUNKS; i++) {
        char *want;
        size_t len;
        assert_ok(fixture_run(&f, (uint32_t)i % 8, 1 + (uint32_t)i % 3, &want, &len));
        assert_int_equal(got[i].length, len);
        assert_memory_equal(got[i].payload, want, len);
        free(want);
        free(got[i].payload);
    }
}

static void test_cancel(void **state)
{
    (void)state;
    enum { CHUNKS = 30 };
    struct ge_engine *e;
    size_t interrupted = 0;
    assert_ok(ge_engine_new(&f.ev, &e));
    for (uint64_t i = 0; i < CHUNKS; i++) assert_ok(ge_engine_submit(e, i, 0, 0, 8));
    struct ge_engine_done first = next(e);
    free(first.payload);
    ge_engine_cancel(e);
    for (uint64_t i = 1; i < CHUNKS; i++) {
        struct ge_engine_done done = next(e);
        assert_int_equal(done.ticket, i);
        if (done.status != GE_OK) {
            assert_int_equal(done.status, GE_EINTERRUPTED);
            assert_non_null(done.payload); /* the reason */
            interrupted++;
        }
        free(done.payload);
    }
    assert_true(interrupted > 0);
    ge_engine_delete(&e);
}

/* Deleted with chunks in every queue: no hang, no leak, no use after free. */
static void test_delete_at_any_time(void **state)
{
    (void)state;
    for (int polls = 0; polls < 12; polls++) {
        struct ge_engine *e;
        assert_ok(ge_engine_new(&f.ev, &e));
        for (uint64_t i = 0; i < 10; i++) assert_ok(ge_engine_submit(e, i, 0, i % 7, 3));
        for (int i = 0; i < polls; i++) {
            struct ge_engine_done done;
            ge_engine_wait(e, 0.002);
            if (ge_engine_poll(e, &done)) free(done.payload);
        }
        ge_engine_delete(&e);
    }
    struct ge_engine *none = NULL;
    ge_engine_delete(&none);
    ge_engine_delete(NULL);
}

/* A device that is lost in mid-run: the chunk says so, and so do all after it. */
static void test_lost_device(void **state)
{
    (void)state;
    struct fixture lost;
    struct ge_engine *e;
    bool failed = false;
    assert_ok(ge_device_register(fake_device_ops()));
    fixture_open(&lost, "fake");
    assert_ok(ge_engine_new(&lost.ev, &e));
    fake_device_lose_at(150);
    for (uint64_t i = 0; i < 12; i++) assert_ok(ge_engine_submit(e, i, 0, 0, 8));
    for (uint64_t i = 0; i < 12; i++) {
        struct ge_engine_done done = next(e);
        assert_int_equal(done.ticket, i);
        assert_int_equal(done.device_lost, done.status != GE_OK);
        if (failed) assert_int_equal(done.status, GE_EDEVICE);
        failed = done.status != GE_OK;
        free(done.payload);
    }
    assert_true(failed);
    ge_engine_delete(&e);
    fixture_close(&lost);
}

static void test_wait_ends(void **state)
{
    (void)state;
    struct ge_engine *e;
    assert_ok(ge_engine_new(&f.ev, &e));
    ge_engine_wait(e, 0.01); /* nothing submitted: returns after the time */
    ge_engine_wait(e, 0);
    ge_engine_delete(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_payloads), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_delete_at_any_time), cmocka_unit_test(test_lost_device),
        cmocka_unit_test(test_wait_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
