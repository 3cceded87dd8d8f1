/* A run of one rank, without a launcher and without MPI. */
#include "dist/pump.h"

#include "test.h"

struct work {
    struct ge_work_task task[GE_DIST_SLOTS];
    int n;
    int accepted[100];
    int calls;
    volatile sig_atomic_t stop;
    int stop_after;
    bool finished;
};

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct work *w = ctx;
    w->task[w->n++] = *task;
    return GE_OK;
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct work *w = ctx;
    if (w->n == 0) return false;
    *out = (struct ge_work_done){.lease = w->task[0].lease, .samples = 2, .errors = 1};
    out->payload = strdup("x");
    out->length = 1;
    w->task[0] = w->task[1];
    w->n--;
    return true;
}

static void cancel(void *ctx)
{
    ((struct work *)ctx)->n = 0;
}

static ge_status accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone)
{
    struct work *w = ctx;
    assert_true(length == 1 && undone == 0);
    assert_memory_equal(payload, "x", 1);
    w->accepted[chunk]++;
    if (w->stop_after > 0 && --w->stop_after == 0) w->stop = 1;
    return GE_OK;
}

static void undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    (void)ctx, (void)chunk, (void)status, (void)reason;
    fail();
}

static void progress(void *ctx, const struct ge_dist_progress *p)
{
    struct work *w = ctx;
    w->calls++;
    assert_int_equal(p->n_workers, 1);
    w->finished = p->state == GE_RUN_ENDED;
}

static ge_status run(struct work *w, uint32_t chunks, struct ge_dist_report *report)
{
    struct ge_work_ops work = {.ctx = w, .submit = submit, .poll = poll_done, .cancel = cancel};
    struct ge_sink sink = {w, accept, undone};
    struct ge_dist_config cfg = {.coordinator = ge_coordinator_defaults(),
                                 .dedicated = true, /* means nothing alone */
                                 .progress = progress,
                                 .progress_ctx = w,
                                 .stop = &w->stop};
    cfg.coordinator.run = 3;
    cfg.coordinator.n_chunks = chunks;
    return ge_dist_run(NULL, &cfg, &work, &sink, report);
}

static void one_rank_runs_alone(void **state)
{
    (void)state;
    struct work w = {0};
    struct ge_dist_report report;
    assert_ok(run(&w, 100, &report));
    for (int c = 0; c < 100; c++) assert_int_equal(w.accepted[c], 1);
    assert_true(report.clean);
    assert_int_equal(report.stats.samples, 200);
    assert_int_equal(report.stats.errors, 100);
    assert_true(w.calls >= 2 && w.finished);
}

static void a_signal_stops_it(void **state)
{
    (void)state;
    struct work w = {.stop_after = 10};
    struct ge_dist_report report;
    assert_status(run(&w, 100, &report), GE_EINTERRUPTED);
    assert_true(report.clean);
    assert_in_range(report.stats.chunks_done, 10, 14);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    struct ge_dist_report report;
    struct ge_dist_config cfg = {.coordinator = ge_coordinator_defaults()};
    struct ge_work_ops work = {0};
    struct ge_sink sink = {0};
    cfg.coordinator.timers.lease = 0;
    assert_status(ge_dist_run(NULL, &cfg, &work, &sink, &report), GE_EINVAL);
    assert_true(report.clean);
}

static void one_rank_agrees_with_itself(void **state)
{
    (void)state;
    void **parts = NULL, *data = (void *)(uintptr_t) "abc";
    size_t *lens = NULL, len = 3;
    assert_int_equal(ge_comm_rank(NULL), 0);
    assert_int_equal(ge_comm_size(NULL), 1);
    assert_ok(ge_comm_agree(NULL, GE_OK));
    assert_int_equal(ge_comm_agree(NULL, ge_fail(GE_EIO, "x")), GE_EIO);
    assert_ok(ge_comm_same(NULL, (struct ge_hash){1, 2}, "job"));
    assert_ok(ge_comm_broadcast(NULL, &data, &len, 10));
    assert_ok(ge_comm_gather(NULL, "abc", 3, 10, &parts, &lens));
    assert_int_equal(lens[0], 3);
    assert_memory_equal(parts[0], "abc", 3);
    free(parts);
    free(lens);
}

static void bench_counts_all_chunks(void **state)
{
    (void)state;
    struct ge_dist_report report;
    double rate = 0;
    assert_ok(ge_dist_bench_grants(NULL, 5000, 100, &rate, &report));
    assert_int_equal(report.stats.chunks_done, 5000);
    assert_true(rate > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_runs_alone),      cmocka_unit_test(a_signal_stops_it),
        cmocka_unit_test(bad_settings_are_refused), cmocka_unit_test(one_rank_agrees_with_itself),
        cmocka_unit_test(bench_counts_all_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
