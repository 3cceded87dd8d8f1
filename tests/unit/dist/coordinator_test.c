/* The coordinator's rules, one message at a time. */
#include "dist/coordinator.h"

#include "base/log.h"
#include "base/mem.h"
#include "test.h"

struct fixture {
    struct ge_coordinator *c;
    struct ge_sink sink;
    ge_status sink_says;
    int accepted[16], undone[16];
};

static ge_status accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone)
{
    (void)payload, (void)length, (void)undone;
    struct fixture *f = ctx;
    if (f->sink_says != GE_OK) return ge_fail(f->sink_says, "the sink says no");
    f->accepted[chunk]++;
    return GE_OK;
}

static void undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    (void)status, (void)reason;
    ((struct fixture *)ctx)->undone[chunk]++;
}

static struct ge_coordinator_config config(uint32_t chunks, uint32_t workers)
{
    struct ge_coordinator_config cfg = ge_coordinator_defaults();
    cfg.run = 9;
    cfg.n_chunks = chunks;
    cfg.n_workers = workers;
    return cfg;
}

static void begin(struct fixture *f, const struct ge_coordinator_config *cfg)
{
    *f = (struct fixture){.sink = {.accept = accept, .undone = undone}};
    f->sink.ctx = f;
    assert_ok(ge_coordinator_new(cfg, &f->sink, &f->c));
}

static void say(struct fixture *f, double now, struct ge_message m)
{
    m.run = 9;
    assert_ok(ge_coordinator_receive(f->c, now, &m));
}

static struct ge_message beat(uint32_t worker, uint8_t want)
{
    return (struct ge_message){.type = GE_MSG_HEARTBEAT, .worker = worker, .want = want};
}

static struct ge_message result(const struct ge_message *grant, uint8_t want)
{
    return (struct ge_message){.type = GE_MSG_RESULT,
                               .worker = grant->worker,
                               .lease = grant->lease,
                               .chunk = grant->chunk,
                               .want = want,
                               .samples = 4};
}

/* The next message of this type; false if none is queued. Others before it are dropped. */
static bool next(struct fixture *f, enum ge_message_type type, struct ge_message *m)
{
    while (ge_coordinator_next(f->c, m))
        if (m->type == type) return true;
    return false;
}

static void a_worker_gets_two_leases_and_no_more(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(10, 1);
    struct ge_message a, b, c;
    begin(&f, &cfg);
    say(&f, 0, beat(0, 2));
    assert_true(next(&f, GE_MSG_HEARTBEAT, &a)); /* so that the worker knows we live */
    assert_true(next(&f, GE_MSG_GRANT, &a) && next(&f, GE_MSG_GRANT, &b));
    assert_true(a.lease != 0 && a.lease != b.lease && a.chunk != b.chunk);
    say(&f, 0, beat(0, 2)); /* sent before the grants came */
    assert_false(next(&f, GE_MSG_GRANT, &c));
    say(&f, 0, result(&a, 1));
    assert_int_equal(f.accepted[a.chunk], 1);
    assert_true(next(&f, GE_MSG_GRANT, &c));
    ge_coordinator_delete(&f.c);
}

static void only_the_holder_of_a_lease_is_believed(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(10, 2);
    struct ge_message a, m;
    begin(&f, &cfg);
    say(&f, 0, beat(0, 1));
    assert_true(next(&f, GE_MSG_GRANT, &a));
    m = result(&a, 0);
    m.worker = 1;
    say(&f, 0, m);
    m = result(&a, 0);
    m.lease++;
    say(&f, 0, m);
    m = result(&a, 0);
    m.chunk++;
    say(&f, 0, m);
    assert_int_equal(ge_coordinator_stats(f.c)->dropped_late, 3);
    m = result(&a, 0);
    m.chunk = 10;
    say(&f, 0, m);
    m = result(&a, 0);
    m.type = GE_MSG_GRANT;
    say(&f, 0, m);
    m = result(&a, 0);
    m.worker = 2;
    say(&f, 0, m);
    m = result(&a, 0);
    m.run = 8;
    assert_ok(ge_coordinator_receive(f.c, 0, &m));
    assert_int_equal(ge_coordinator_stats(f.c)->dropped_foreign, 4);
    assert_int_equal(ge_coordinator_stats(f.c)->chunks_done, 0);
    say(&f, 0, result(&a, 0));
    say(&f, 0, result(&a, 0));
    assert_int_equal(f.accepted[a.chunk], 1);
    ge_coordinator_delete(&f.c);
}

static void a_failed_chunk_goes_to_another_worker(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(1, 2);
    struct ge_message a, b, m;
    begin(&f, &cfg);
    say(&f, 0, beat(0, 2));
    assert_true(next(&f, GE_MSG_GRANT, &a));
    say(&f, 0, beat(1, 2));
    m = result(&a, 2);
    m.type = GE_MSG_FAILED;
    m.status = GE_EIO;
    m.payload = "no disk";
    m.length = 7;
    say(&f, 0, m);
    assert_false(next(&f, GE_MSG_GRANT, &b)); /* backoff */
    for (double t = 0.1; t < 1.2; t += 0.1) assert_ok(ge_coordinator_tick(f.c, t));
    assert_true(next(&f, GE_MSG_GRANT, &b));
    assert_int_equal(b.worker, 1);
    assert_int_equal(b.attempt, 1);
    assert_int_equal(ge_coordinator_stats(f.c)->retries, 1);
    ge_coordinator_delete(&f.c);
}

static void partial_results_count_after_the_last_retry(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(1, 1);
    struct ge_message a;
    double t = 0;
    begin(&f, &cfg);
    say(&f, t, beat(0, 1));
    for (int attempt = 0; attempt <= 3; attempt++) {
        while (!next(&f, GE_MSG_GRANT, &a)) assert_ok(ge_coordinator_tick(f.c, t += 0.5));
        assert_int_equal(a.attempt, attempt);
        assert_int_equal(f.accepted[0], 0);
        struct ge_message m = result(&a, 1);
        m.undone = 1;
        say(&f, t, m);
    }
    assert_true(t > 6.9 && t < 9); /* 1 + 2 + 4 s of backoff */
    assert_int_equal(f.accepted[0], 1);
    assert_int_equal(ge_coordinator_stats(f.c)->chunks_partial, 1);
    assert_int_equal(ge_coordinator_stats(f.c)->samples_undone, 1);
    assert_int_equal(ge_coordinator_status(f.c), GE_OK);
    ge_coordinator_delete(&f.c);
}

static void the_end_is_agreed(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(1, 2);
    struct ge_message a, m;
    begin(&f, &cfg);
    say(&f, 0, beat(0, 1));
    say(&f, 0, beat(1, 1));
    assert_true(next(&f, GE_MSG_GRANT, &a));
    say(&f, 0, result(&a, 1));
    assert_int_equal(ge_coordinator_state(f.c), GE_RUN_STOPPING);
    assert_true(next(&f, GE_MSG_STOP, &m) && next(&f, GE_MSG_STOP, &m));
    say(&f, 0, beat(1, 1)); /* STOP was lost */
    assert_true(next(&f, GE_MSG_STOP, &m));
    assert_int_equal(m.worker, 1);
    say(&f, 0, (struct ge_message){.type = GE_MSG_BYE, .worker = 1});
    assert_false(next(&f, GE_MSG_END, &m));
    say(&f, 0, (struct ge_message){.type = GE_MSG_BYE, .worker = 0});
    assert_int_equal(ge_coordinator_state(f.c), GE_RUN_ENDED);
    assert_true(ge_coordinator_clean(f.c));
    assert_true(next(&f, GE_MSG_END, &m));
    assert_int_equal(m.status, GE_OK);
    ge_coordinator_delete(&f.c);
}

static void a_worker_without_bye_is_not_clean(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(0, 2);
    struct ge_message m;
    begin(&f, &cfg);
    assert_ok(ge_coordinator_tick(f.c, 0));
    say(&f, 0, (struct ge_message){.type = GE_MSG_BYE, .worker = 0});
    for (double t = 0; t < 11; t += 0.5) assert_ok(ge_coordinator_tick(f.c, t));
    assert_int_equal(ge_coordinator_state(f.c), GE_RUN_ENDED);
    assert_false(ge_coordinator_clean(f.c));
    assert_true(next(&f, GE_MSG_END, &m));
    assert_int_equal(m.status, GE_ECOMM);
    ge_coordinator_delete(&f.c);
}

static void a_failing_sink_ends_the_run(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(3, 1);
    struct ge_message a;
    begin(&f, &cfg);
    say(&f, 0, beat(0, 1));
    assert_true(next(&f, GE_MSG_GRANT, &a));
    f.sink_says = GE_EIO;
    say(&f, 0, result(&a, 1));
    assert_int_equal(ge_coordinator_status(f.c), GE_EIO);
    assert_string_equal(ge_coordinator_message(f.c), "the sink says no");
    assert_true(next(&f, GE_MSG_STOP, &a));
    ge_coordinator_delete(&f.c);
}

/* A coordinator that was itself stopped for an hour does not take its workers for dead. */
static void own_pauses_are_not_held_against_workers(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(3, 1);
    begin(&f, &cfg);
    say(&f, 100, beat(0, 1));
    assert_ok(ge_coordinator_tick(f.c, 3700));
    assert_ok(ge_coordinator_tick(f.c, 50)); /* a clock that jumped back */
    assert_int_equal(ge_coordinator_stats(f.c)->workers_dead, 0);
    for (double t = 50; t < 75; t += 0.5) assert_ok(ge_coordinator_tick(f.c, t));
    assert_int_equal(ge_coordinator_stats(f.c)->workers_dead, 1);
    assert_int_equal(ge_coordinator_status(f.c), GE_ECOMM);
    ge_coordinator_delete(&f.c);
}

static void near_the_end_nothing_is_fetched_ahead(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_coordinator_config cfg = config(3, 2);
    struct ge_message m;
    int of[2] = {0};
    begin(&f, &cfg);
    say(&f, 0, beat(0, 0));
    say(&f, 0, beat(1, 0));
    say(&f, 0, beat(0, 2));
    say(&f, 0, beat(1, 2));
    while (next(&f, GE_MSG_GRANT, &m)) of[m.worker]++;
    assert_int_equal(of[0] + of[1], 3); /* two chunks were left for two workers: one ahead */
    assert_int_equal(of[1], 1);
    ge_coordinator_delete(&f.c);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    struct ge_coordinator *c = NULL;
    struct ge_sink sink = {.accept = accept, .undone = undone};
    struct ge_coordinator_config bad[5];
    for (int i = 0; i < 5; i++) bad[i] = config(3, 1);
    bad[0].n_workers = 0;
    bad[1].retries = 9;
    bad[2].timers.heartbeat = NAN;
    bad[3].timers.silence = bad[3].timers.heartbeat;
    bad[4].window_limit = 0;
    for (int i = 0; i < 5; i++) assert_status(ge_coordinator_new(&bad[i], &sink, &c), GE_EINVAL);
}

/* Every allocation fails once: an error, nothing leaked, nothing broken. */
static void allocation_failures_are_reported(void **state)
{
    (void)state;
    struct ge_coordinator_config cfg = config(8, 2);
    struct ge_sink sink = {.accept = accept, .undone = undone};
    struct ge_message m = beat(0, 2);
    m.run = 9;
    ge_status rc = GE_ENOMEM;
    uint64_t n = 0;
    while (rc == GE_ENOMEM && n < 100) {
        struct ge_coordinator *c = NULL;
        ge_mem_fail_at(++n, 0);
        rc = ge_coordinator_new(&cfg, &sink, &c);
        if (rc == GE_OK) rc = ge_coordinator_receive(c, 0, &m);
        ge_mem_fail_at(0, 0);
        ge_coordinator_delete(&c);
    }
    assert_int_equal(rc, GE_OK);
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_gets_two_leases_and_no_more),
        cmocka_unit_test(only_the_holder_of_a_lease_is_believed),
        cmocka_unit_test(a_failed_chunk_goes_to_another_worker),
        cmocka_unit_test(partial_results_count_after_the_last_retry),
        cmocka_unit_test(the_end_is_agreed),
        cmocka_unit_test(a_worker_without_bye_is_not_clean),
        cmocka_unit_test(a_failing_sink_ends_the_run),
        cmocka_unit_test(own_pauses_are_not_held_against_workers),
        cmocka_unit_test(near_the_end_nothing_is_fetched_ahead),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(allocation_failures_are_reported),
    };
    ge_log_set_level(GE_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
