/* Whole runs over a hostile simulated network: every chunk's outcome is decided exactly once, and
 * every process comes to its end. */
#include "base/log.h"
#include "sim.h"
#include "test.h"

enum { SCHEDULES = 3000 };

static struct sim_plan calm(int workers, uint32_t chunks)
{
    return (struct sim_plan){
        .seed = 1, .n_workers = workers, .n_chunks = chunks, .cost = 0.3, .signalled = -1};
}

static void run(const struct sim_plan *p, struct sim_result *r)
{
    sim_run(p, r);
    if (r->broken != NULL) {
        print_error("seed %llu: %s (status %s: %s)\n", (unsigned long long)p->seed, r->broken,
                    ge_status_name(r->status), r->message);
        fail();
    }
}

/* Every chunk has the outcome that its plan says. */
static void check_outcomes(const struct sim_plan *p, const struct sim_result *r)
{
    for (uint32_t c = 0; c < p->n_chunks; c++) {
        bool hopeless = p->faulty_attempts[c] > 3;
        bool gone = hopeless && p->fault[c] == SIM_FAILS;
        int accepted = !p->done[c] && !gone;
        uint32_t undone = hopeless && p->fault[c] == SIM_PARTIAL;
        if (r->accepted[c] != accepted || r->given_up[c] != (gone && !p->done[c]) ||
            (accepted && r->undone[c] != undone)) {
            print_error("seed %llu chunk %u: accepted %d, given up %d, undone %u\n",
                        (unsigned long long)p->seed, c, r->accepted[c], r->given_up[c],
                        r->undone[c]);
            fail();
        }
    }
}

static void calm_runs_are_clean(void **state)
{
    (void)state;
    for (int n = 1; n <= SIM_WORKERS; n++) {
        struct sim_plan p = calm(n, 40);
        struct sim_result r;
        run(&p, &r);
        check_outcomes(&p, &r);
        assert_int_equal(r.status, GE_OK);
        assert_true(r.clean);
        for (int w = 0; w < n; w++) {
            assert_true(r.worker_clean[w]);
            assert_int_equal(r.worker_status[w], GE_OK);
        }
        for (uint32_t c = 0; c < 40; c++) assert_int_equal(r.computed[c], 1);
        assert_int_equal(r.stats.reissues, 0);
        assert_int_equal(r.stats.dropped_late + r.stats.dropped_double + r.stats.dropped_foreign,
                         0);
        /* All workers compute all the time: 40 chunks of 0.3 s on average. */
        assert_true(r.ended_at < 40 * 0.3 / n * 1.4 + 1.5);
    }
}

static void nothing_to_do_ends_at_once(void **state)
{
    (void)state;
    struct sim_plan p = calm(3, 0);
    struct sim_result r;
    run(&p, &r);
    assert_int_equal(r.status, GE_OK);
    assert_true(r.clean && r.ended_at < 1);
    p = calm(3, 20);
    for (int c = 0; c < 20; c++) p.done[c] = true;
    run(&p, &r);
    assert_int_equal(r.stats.grants, 0);
    assert_int_equal(r.stats.chunks_before, 20);
}

/* One plan of everything that can go wrong while worker 0 lives on. */
static struct sim_plan hostile(uint64_t seed)
{
    uint64_t g = seed * 2 + 1;
    struct sim_plan p = {.seed = seed, .signalled = -1};
    p.n_workers = 1 + (int)(sim_uniform(&g) * SIM_WORKERS);
    p.n_chunks = 1 + (uint32_t)(sim_uniform(&g) * 40);
    p.cost = 0.05 + 0.5 * sim_uniform(&g);
    p.delay = sim_uniform(&g) < 0.5 ? 0.01 : 0.4 * sim_uniform(&g);
    if (sim_uniform(&g) < 0.5) p.drop = 0.15 * sim_uniform(&g);
    if (sim_uniform(&g) < 0.5) p.repeat = 0.3 * sim_uniform(&g);
    if (sim_uniform(&g) < 0.5) p.damage = 0.1 * sim_uniform(&g);
    for (int w = 1; w < p.n_workers; w++) {
        double what = sim_uniform(&g), when = 0.01 + 5 * sim_uniform(&g);
        if (what < 0.15) p.die_at[w] = when;
        if (what >= 0.15 && what < 0.25) p.hang_at[w] = when;
        if (sim_uniform(&g) < 0.7) p.hang_for[w] = 5 + 7 * sim_uniform(&g);
        if (what >= 0.25 && what < 0.4) p.pause_at[w] = when;
        p.pause_for[w] = 10 * sim_uniform(&g);
        if (what >= 0.4 && what < 0.5) p.lie[w] = sim_uniform(&g);
        if (what >= 0.5 && what < 0.6) p.lost_at[w] = when;
    }
    for (uint32_t c = 0; c < p.n_chunks; c++) {
        p.done[c] = sim_uniform(&g) < 0.1;
        double what = sim_uniform(&g);
        if (what > 0.15) continue;
        p.fault[c] = what < 0.07 ? SIM_FAILS : SIM_PARTIAL;
        p.faulty_attempts[c] = 1 + (int)(sim_uniform(&g) * 5);
    }
    return p;
}

/* A liar's unreadable rows count as failed attempts, so fault plans hold only without liars. */
static bool has_liar(const struct sim_plan *p)
{
    for (int w = 0; w < p->n_workers; w++)
        if (p->lie[w] > 0) return true;
    return false;
}

static void hostile_schedules(void **state)
{
    (void)state;
    uint64_t dead = 0, late = 0, twice = 0, foreign = 0, ghosts = 0, reissues = 0;
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) {
        struct sim_plan p = hostile(seed);
        struct sim_result r;
        run(&p, &r);
        assert_int_equal(r.status, GE_OK);
        if (!has_liar(&p)) check_outcomes(&p, &r);
        for (uint32_t c = 0; c < p.n_chunks; c++)
            assert_int_equal(r.accepted[c] + r.given_up[c], !p.done[c]);
        assert_true(r.clean == (r.stats.workers_dead == 0));
        dead += r.stats.workers_dead;
        late += r.stats.dropped_late;
        twice += r.stats.dropped_double;
        foreign += r.stats.dropped_foreign;
        ghosts += r.stats.dropped_dead;
        reissues += r.stats.reissues;
    }
    /* The schedules did reach the places that they are there for. */
    const struct {
        const char *what;
        uint64_t n, least;
    } seen[] = {{"dead", dead, 500},
                {"late", late, 500},
                {"twice", twice, 20},
                {"foreign", foreign, 200},
                {"from the dead", ghosts, 500},
                {"reissues", reissues, 1000}};
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        print_message("%s: %llu\n", seen[i].what, (unsigned long long)seen[i].n);
        assert_true(seen[i].n >= seen[i].least);
    }
}

static void dead_worker_is_noticed_and_replaced(void **state)
{
    (void)state;
    struct sim_plan p = calm(3, 30);
    struct sim_result r;
    p.die_at[2] = 1;
    run(&p, &r);
    check_outcomes(&p, &r);
    assert_int_equal(r.stats.workers_dead, 1);
    assert_false(r.clean);
    assert_false(r.worker_clean[0]); /* END says that somebody was lost */
    assert_int_equal(r.worker_status[0], GE_OK);
}

/* A worker whose device is lost says so and leaves; the run goes on without it and ends clean. */
static void lost_device_is_replaced(void **state)
{
    (void)state;
    struct sim_plan p = calm(3, 30);
    struct sim_result r;
    p.lost_at[2] = 1;
    run(&p, &r);
    check_outcomes(&p, &r);
    assert_int_equal(r.status, GE_OK);
    assert_int_equal(r.stats.workers_dead, 0);
    assert_int_equal(r.stats.retries, 0); /* its chunks were not to blame */
    assert_true(r.stats.reissues >= 1);
    assert_true(r.clean && r.worker_clean[2]);
    assert_int_equal(r.worker_status[2], GE_EDEVICE);
    assert_true(r.worker_ended_at[2] >= r.ended_at);
    for (int w = 0; w < 3; w++) p.lost_at[w] = 1 + w;
    run(&p, &r);
    assert_int_equal(r.status, GE_ECOMM);
    assert_true(r.clean && r.ended_at < 6);
}

/* A chunk over which three devices were lost is not given to a fourth. */
static void poisonous_chunk_is_left_undone(void **state)
{
    (void)state;
    struct sim_plan p = calm(5, 30);
    struct sim_result r;
    p.strikes = 3;
    p.poison[7] = true;
    run(&p, &r);
    assert_int_equal(r.status, GE_OK);
    assert_int_equal(r.given_up[7], 1);
    assert_true(r.clean);
    for (int c = 0; c < 30; c++) assert_int_equal(r.accepted[c], c != 7);
}

static void hung_worker_is_replaced(void **state)
{
    (void)state;
    struct sim_plan p = calm(2, 30);
    struct sim_result r;
    p.hang_at[1] = 1;
    run(&p, &r);
    check_outcomes(&p, &r);
    assert_int_equal(r.status, GE_OK);
    /* Its chunks were handed out again after one lease, long before the run was over. */
    assert_true(r.stats.reissues >= 1);
}

/* A worker that only stood for longer than its lease answers late: the first answer counts. */
static void late_answers_are_dropped(void **state)
{
    (void)state;
    struct sim_plan p = calm(2, 60);
    struct sim_result r;
    p.hang_at[1] = 1;
    p.hang_for[1] = 8;
    run(&p, &r);
    check_outcomes(&p, &r);
    assert_int_equal(r.stats.workers_dead, 0);
    assert_true(r.clean);
    assert_int_equal(r.stats.reissues, 2);
    assert_int_equal(r.stats.dropped_double, 2);
    assert_true(r.stats.chunks_done == 60);
}

static void all_workers_hung_ends_the_run(void **state)
{
    (void)state;
    struct sim_plan p = calm(2, 30);
    struct sim_result r;
    p.hang_at[0] = p.hang_at[1] = 1;
    run(&p, &r);
    assert_int_equal(r.status, GE_ECOMM);
    assert_true(r.ended_at < 30);
    for (int w = 0; w < 2; w++) assert_int_equal(r.worker_status[w], GE_ECOMM);
}

static void paused_worker_is_told_to_leave(void **state)
{
    (void)state;
    struct sim_plan p = calm(2, 60);
    struct sim_result r;
    p.pause_at[1] = 1;
    p.pause_for[1] = 3.8; /* longer than silence, shorter than its own patience */
    run(&p, &r);
    check_outcomes(&p, &r);
    assert_true(r.stats.dropped_dead > 0);
    assert_int_equal(r.worker_status[1], GE_ECOMM);
    assert_true(r.worker_ended_at[1] < 6);
}

static void dead_coordinator_ends_the_workers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct sim_plan p = calm(4, 60);
        struct sim_result r;
        uint64_t g = seed;
        p.seed = seed;
        p.coordinator_dies_at = 0.1 + 4 * sim_uniform(&g);
        p.delay = 0.1;
        run(&p, &r);
        for (int w = 0; w < 4; w++) {
            assert_int_equal(r.worker_status[w], GE_ECOMM);
            assert_false(r.worker_clean[w]);
            assert_true(r.worker_ended_at[w] < p.coordinator_dies_at + 4 + 0.5);
        }
    }
}

static void stop_request_drains(void **state)
{
    (void)state;
    for (int who = -1; who < 3; who++) {
        struct sim_plan p = calm(3, 60);
        struct sim_result r;
        p.stop_at = 2;
        p.signalled = who;
        run(&p, &r);
        assert_int_equal(r.status, GE_EINTERRUPTED);
        assert_true(r.clean);
        assert_true(r.ended_at >= 2 && r.ended_at < 2 + 2 + 1);
        int accepted = 0, computed = 0;
        for (int c = 0; c < 60; c++) {
            accepted += r.accepted[c];
            computed += r.computed[c];
        }
        /* What was under way is taken; nothing new begins. */
        assert_true(accepted > 5 && accepted < 40);
        assert_int_equal(accepted, computed);
        for (int w = 0; w < 3; w++) assert_int_equal(r.worker_status[w], GE_EINTERRUPTED);
    }
}

static void stop_does_not_wait_for_slow_chunks(void **state)
{
    (void)state;
    struct sim_plan p = calm(2, 10);
    struct sim_result r;
    p.cost = 50;
    p.stop_at = 2;
    run(&p, &r);
    assert_int_equal(r.status, GE_EINTERRUPTED);
    assert_true(r.ended_at < 2 + 2 + 1);
    assert_int_equal(r.stats.chunks_done, 0);
}

static void fatal_chunk_is_left_undone(void **state)
{
    (void)state;
    struct sim_plan p = calm(6, 30);
    struct sim_result r;
    p.strikes = 3;
    p.fatal[5] = true;
    run(&p, &r);
    assert_int_equal(r.status, GE_OK);
    assert_int_equal(r.given_up[5], 1);
    assert_int_equal(r.stats.workers_dead, 3);
    for (int c = 0; c < 30; c++) assert_int_equal(r.accepted[c], c != 5);
}

static void failing_node_stops_the_run(void **state)
{
    (void)state;
    struct sim_plan p = calm(3, 60);
    struct sim_result r;
    p.window = 400;
    p.window_limit = 20;
    for (int c = 0; c < 60; c++) {
        p.fault[c] = SIM_FAILS;
        p.faulty_attempts[c] = 9;
    }
    run(&p, &r);
    assert_int_equal(r.status, GE_EIO);
    assert_non_null(strstr(r.message, "disk gone"));
    assert_int_equal(r.stats.samples_undone, 20); /* five chunks of four samples */
    assert_true(r.clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calm_runs_are_clean),
        cmocka_unit_test(nothing_to_do_ends_at_once),
        cmocka_unit_test(hostile_schedules),
        cmocka_unit_test(dead_worker_is_noticed_and_replaced),
        cmocka_unit_test(lost_device_is_replaced),
        cmocka_unit_test(poisonous_chunk_is_left_undone),
        cmocka_unit_test(hung_worker_is_replaced),
        cmocka_unit_test(late_answers_are_dropped),
        cmocka_unit_test(all_workers_hung_ends_the_run),
        cmocka_unit_test(paused_worker_is_told_to_leave),
        cmocka_unit_test(dead_coordinator_ends_the_workers),
        cmocka_unit_test(stop_request_drains),
        cmocka_unit_test(stop_does_not_wait_for_slow_chunks),
        cmocka_unit_test(fatal_chunk_is_left_undone),
        cmocka_unit_test(failing_node_stops_the_run),
    };
    ge_log_set_level(GE_LOG_ERROR); /* thousands of workers die here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
