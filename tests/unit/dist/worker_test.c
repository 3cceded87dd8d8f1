/* The worker's rules, one message at a time. */
#include "dist/worker.h"

#include "test.h"

struct fake {
    struct ge_work_task task[GE_DIST_SLOTS];
    int n, cancelled;
    ge_status submit_says;
    bool answers, leave;
    ge_status outcome;
    size_t length;
};

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct fake *f = ctx;
    if (f->submit_says != GE_OK) return ge_fail(f->submit_says, "no device");
    f->task[f->n++] = *task;
    return GE_OK;
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct fake *f = ctx;
    if (!f->answers || f->n == 0) return false;
    *out = (struct ge_work_done){
        .lease = f->task[0].lease, .status = f->outcome, .samples = 3, .leave = f->leave};
    out->payload = strdup("rows");
    out->length = f->length;
    f->task[0] = f->task[1];
    f->n--;
    return true;
}

static void cancel(void *ctx)
{
    struct fake *f = ctx;
    f->n = 0;
    f->cancelled++;
}

static struct ge_worker *begin(struct fake *f, struct ge_work_ops *ops)
{
    struct ge_worker *w = NULL;
    *f = (struct fake){.length = 4};
    *ops = (struct ge_work_ops){
        .ctx = f, .submit = submit, .poll = poll_done, .progress = NULL, .cancel = cancel};
    struct ge_worker_config cfg = {
        .run = 9, .worker = 4, .n_chunks = 10, .timers = ge_dist_default_timers()};
    assert_ok(ge_worker_new(&cfg, ops, &w));
    return w;
}

static void hear(struct ge_worker *w, double now, enum ge_message_type type, uint64_t lease,
                 uint32_t chunk, ge_status status)
{
    struct ge_message m = {
        .type = type, .worker = 4, .run = 9, .lease = lease, .chunk = chunk, .status = status};
    assert_ok(ge_worker_receive(w, now, &m));
}

static void chunks_go_in_and_rows_come_out(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    assert_ok(ge_worker_tick(w, 0));
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.type, GE_MSG_HEARTBEAT);
    assert_int_equal(m.want, 2);
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);  /* repeated */
    hear(w, 0, GE_MSG_GRANT, 6, 10, GE_OK); /* no such chunk */
    hear(w, 0, GE_MSG_RESULT, 6, 1, GE_OK); /* not the coordinator's to send */
    hear(w, 0, GE_MSG_GRANT, 8, 1, GE_OK);
    hear(w, 0, GE_MSG_GRANT, 9, 2, GE_OK); /* no room */
    assert_int_equal(ge_worker_dropped(w), 4);
    assert_int_equal(f.n, 2);
    assert_ok(ge_worker_tick(w, 2.1));
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.want, 0);
    assert_true(m.held[0] == 5 && m.held[1] == 8);
    f.answers = true;
    assert_ok(ge_worker_tick(w, 2.2));
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.type, GE_MSG_RESULT);
    assert_true(m.lease == 5 && m.chunk == 7 && m.want == 1 && m.samples == 3 && m.length == 4);
    assert_memory_equal(m.payload, "rows", 4);
    free(m.payload);
    ge_worker_delete(&w); /* the second result was not fetched: it is freed */
}

static void failures_of_the_node_are_reported(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    f.submit_says = GE_EDEVICE;
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.type, GE_MSG_FAILED);
    assert_int_equal(m.status, GE_EDEVICE);
    assert_int_equal(m.want, 2);
    assert_memory_equal(m.payload, "no device", 9);
    free(m.payload);
    f.submit_says = GE_OK;
    f.outcome = GE_EIO;
    f.answers = true;
    hear(w, 0, GE_MSG_GRANT, 6, 7, GE_OK);
    assert_ok(ge_worker_tick(w, 0));
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.type, GE_MSG_FAILED);
    assert_true(m.status == GE_EIO && m.lease == 6 && m.samples == 3 && m.undone == 3);
    assert_memory_equal(m.payload, "rows", 4);
    free(m.payload);
    f.outcome = GE_OK;
    f.length = GE_DIST_MAX_PAYLOAD + 1; /* never read: too large to send */
    hear(w, 0, GE_MSG_GRANT, 7, 7, GE_OK);
    assert_ok(ge_worker_tick(w, 0));
    while (ge_worker_next(w, &m) && m.type != GE_MSG_FAILED) free(m.payload);
    assert_true(m.type == GE_MSG_FAILED && m.status == GE_ELIMIT);
    free(m.payload);
    ge_worker_delete(&w);
}

static void a_lost_device_makes_the_worker_leave(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);
    hear(w, 0, GE_MSG_GRANT, 6, 8, GE_OK);
    f.outcome = GE_EDEVICE;
    f.answers = f.leave = true;
    assert_ok(ge_worker_tick(w, 0));
    assert_true(ge_worker_next(w, &m));
    assert_true(m.type == GE_MSG_BYE && m.status == GE_EDEVICE && m.payload == NULL);
    assert_false(ge_worker_next(w, &m));
    assert_int_equal(f.cancelled, 1);
    assert_int_equal(ge_worker_state(w), GE_WORKER_LEAVING);
    assert_non_null(strstr(ge_worker_message(w), "rows")); /* the reason that the work gave */
    for (double t = 1; t < 200; t += 1) { /* waits for END as long as rank 0 is heard */
        hear(w, t, GE_MSG_HEARTBEAT, 0, 0, GE_OK);
        assert_ok(ge_worker_tick(w, t));
        while (ge_worker_next(w, &m)) assert_int_equal(m.type, GE_MSG_BYE);
    }
    hear(w, 201, GE_MSG_STOP, 0, 0, GE_OK);
    assert_int_equal(ge_worker_status(w), GE_EDEVICE);
    hear(w, 202, GE_MSG_END, 0, 0, GE_OK);
    assert_int_equal(ge_worker_state(w), GE_WORKER_ENDED);
    assert_true(ge_worker_clean(w));
    ge_worker_delete(&w);
}

static void the_end_is_agreed(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);
    hear(w, 1, GE_MSG_STOP, 0, 0, GE_EINTERRUPTED);
    assert_int_equal(f.cancelled, 1);
    assert_true(ge_worker_next(w, &m));
    assert_int_equal(m.type, GE_MSG_BYE);
    assert_int_equal(ge_worker_state(w), GE_WORKER_LEAVING);
    hear(w, 1, GE_MSG_STOP, 0, 0, GE_EINTERRUPTED);
    hear(w, 1, GE_MSG_GRANT, 6, 1, GE_OK);
    assert_int_equal(f.n, 0);
    assert_ok(ge_worker_tick(w, 3.5)); /* says BYE again until END comes */
    assert_true(ge_worker_next(w, &m) && m.type == GE_MSG_BYE);
    hear(w, 4, GE_MSG_END, 0, 0, GE_OK);
    assert_int_equal(ge_worker_state(w), GE_WORKER_ENDED);
    assert_int_equal(ge_worker_status(w), GE_EINTERRUPTED);
    assert_true(ge_worker_clean(w));
    ge_worker_delete(&w);
}

static void silence_of_rank_0_ends_the_worker(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    hear(w, 0, GE_MSG_GRANT, 5, 7, GE_OK);
    double t = 0;
    while (ge_worker_state(w) == GE_WORKER_RUNNING && t < 100) {
        assert_ok(ge_worker_tick(w, t += 0.5));
        while (ge_worker_next(w, &m)) free(m.payload);
    }
    assert_close(t, 60, 1.0);
    assert_int_equal(ge_worker_status(w), GE_ECOMM);
    assert_non_null(strstr(ge_worker_message(w), "silent"));
    assert_int_equal(f.cancelled, 1);
    assert_false(ge_worker_clean(w));
    ge_worker_delete(&w);
}

static void a_signal_is_passed_on_at_once(void **state)
{
    (void)state;
    struct fake f;
    struct ge_work_ops ops;
    struct ge_worker *w = begin(&f, &ops);
    struct ge_message m;
    assert_ok(ge_worker_tick(w, 0));
    assert_true(ge_worker_next(w, &m) && m.status == GE_OK);
    ge_worker_ask_stop(w);
    assert_ok(ge_worker_tick(w, 0.01));
    assert_true(ge_worker_next(w, &m) && m.status == GE_EINTERRUPTED);
    assert_ok(ge_worker_tick(w, 0.02));
    assert_false(ge_worker_next(w, &m));
    ge_worker_delete(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_go_in_and_rows_come_out),
        cmocka_unit_test(failures_of_the_node_are_reported),
        cmocka_unit_test(a_lost_device_makes_the_worker_leave),
        cmocka_unit_test(the_end_is_agreed),
        cmocka_unit_test(silence_of_rank_0_ends_the_worker),
        cmocka_unit_test(a_signal_is_passed_on_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
