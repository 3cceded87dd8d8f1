/* Who gets the lock: refusals that name the holder, and the three ways of taking it over. */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/lock.h"
#include "store_fixture.h"

static struct ge_lock_options options(const char *path, const char *job, uint32_t restarts)
{
    return (struct ge_lock_options){
        .path = path, .stale_s = 0.5, .job_id = job, .restarts = restarts};
}

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* A process that holds the lock: bumps it for ever, or (frozen) never. Waits until it has it. */
static pid_t holder(const struct ge_lock_options *o, int frozen)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ge_lock *l = NULL;
        if (ge_lock_acquire(o, &l) != GE_OK || write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) {
            pause_ms(20);
            if (!frozen && ge_lock_tick(l, ge_now()) != GE_OK) _exit(2);
        }
    }
    char c;
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_take_and_release(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *l = NULL;
    for (int i = 0; i < 3; i++) {
        assert_ok(ge_lock_acquire(&o, &l));
        assert_ok(ge_lock_still_ours(l));
        assert_ok(ge_lock_tick(l, ge_now() + 10));
        assert_ok(ge_lock_still_ours(l));
        ge_lock_release(&l);
        assert_null(l);
        assert_int_not_equal(access(o.path, F_OK), 0);
    }
    fixture_remove(dir);
}

static void test_live_holder_refuses(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), "4711", 0);
    struct ge_lock *l = NULL;
    pid_t pid = holder(&o, 0);
    char name[32];
    snprintf(name, sizeof name, "process %d", (int)pid);
    o.job_id = "other";
    o.restarts = 9;
    assert_status(ge_lock_acquire(&o, &l), GE_ECONFLICT);
    assert_non_null(strstr(ge_error(), name));
    assert_non_null(strstr(ge_error(), "4711"));
    assert_null(l);
    end(pid);
    fixture_remove(dir);
}

static void test_dead_holder(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *l = NULL;
    o.stale_s = 60;
    pid_t pid = holder(&o, 0);
    end(pid);
    double start = ge_now();
    assert_ok(ge_lock_acquire(&o, &l));
    assert_true(ge_now() - start < 5); /* at once, not after stale_s */
    ge_lock_release(&l);
    fixture_remove(dir);
}

/* Killed but not collected yet is dead too. */
static void test_zombie_holder(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *l = NULL;
    o.stale_s = 60;
    pid_t pid = holder(&o, 0);
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    double start = ge_now();
    assert_ok(ge_lock_acquire(&o, &l));
    assert_true(ge_now() - start < 5);
    ge_lock_release(&l);
    waitpid(pid, NULL, 0);
    fixture_remove(dir);
}

/* A holder that stands still is taken over after stale_s, and finds out. */
static void test_frozen_holder(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *old = NULL, *l = NULL;
    assert_ok(ge_lock_acquire(&o, &old));
    double start = ge_now();
    assert_ok(ge_lock_acquire(&o, &l));
    assert_true(ge_now() - start >= 0.5);
    assert_ok(ge_lock_still_ours(l));
    assert_status(ge_lock_still_ours(old), GE_ECONFLICT);
    assert_status(ge_lock_tick(old, ge_now() + 10), GE_ECONFLICT);
    assert_ok(ge_lock_still_ours(l)); /* the loser's bump went into its own, replaced file */
    ge_lock_release(&old);
    assert_ok(ge_lock_still_ours(l)); /* and its release removed nothing */
    ge_lock_release(&l);
    fixture_remove(dir);
}

/* Our own job's earlier start is over by definition; a later or equal one is not. */
static void test_earlier_start(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), "4711", 1);
    struct ge_lock *l = NULL;
    pid_t pid = holder(&o, 0);
    o.restarts = 1;
    assert_status(ge_lock_acquire(&o, &l), GE_ECONFLICT);
    o.restarts = 2;
    o.stale_s = 60;
    assert_ok(ge_lock_acquire(&o, &l));
    assert_ok(ge_lock_still_ours(l));
    end(pid);
    ge_lock_release(&l);
    fixture_remove(dir);
}

/* Another host's process of the same number is not ours to judge. */
static void test_foreign_host(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    static const char text[] =
        "{\"host\":\"elsewhere\",\"pid\":1,\"started\":\"5\",\"boot\":\"b\",\"space\":\"s\","
        "\"job\":\"\",\"restarts\":0,\"token\":\"t\",\"counter\":\"000000000001\"}\n";
    struct ge_lock *l = NULL;
    fixture_write(o.path, text, sizeof text - 1);
    double start = ge_now();
    assert_ok(ge_lock_acquire(&o, &l));
    assert_true(ge_now() - start >= 0.5);
    ge_lock_release(&l);
    fixture_remove(dir);
}

/* A file that is no lock: watched, then replaced; one too large to be one is left alone. */
static void test_strange_content(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *l = NULL;
    fixture_write(o.path, "{\"host\": [1, 2", 14);
    assert_ok(ge_lock_acquire(&o, &l));
    ge_lock_release(&l);
    fixture_write(o.path, "", 0);
    assert_ok(ge_lock_acquire(&o, &l));
    ge_lock_release(&l);
    char *big = calloc(1, 100000);
    fixture_write(o.path, big, 100000);
    free(big);
    assert_status(ge_lock_acquire(&o, &l), GE_EFORMAT);
    o.stale_s = 0;
    assert_status(ge_lock_acquire(&o, &l), GE_EINVAL);
    fixture_remove(dir);
}

static void test_removed(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
    struct ge_lock *l = NULL;
    assert_ok(ge_lock_acquire(&o, &l));
    unlink(o.path);
    assert_status(ge_lock_still_ours(l), GE_ECONFLICT);
    ge_lock_release(&l);
    fixture_remove(dir);
}

/* Many starters at one dead lock: exactly one has it afterwards. */
static void test_race(void **state)
{
    (void)state;
    enum { STARTERS = 6 };
    for (int round = 0; round < 5; round++) {
        char *dir = fixture_dir();
        struct ge_lock_options o = options(fixture_path(dir, "lock"), NULL, 0);
        pid_t dead = holder(&o, 1), pids[STARTERS];
        end(dead);
        for (int i = 0; i < STARTERS; i++) {
            pids[i] = fork();
            if (pids[i] != 0) continue;
            struct ge_lock *l = NULL;
            ge_log_set_level(GE_LOG_ERROR);
            if (ge_lock_acquire(&o, &l) != GE_OK) _exit(1);
            for (int t = 0; t < 40; t++) { /* longer than any other starter watches */
                pause_ms(50);
                if (ge_lock_tick(l, ge_now()) != GE_OK) _exit(2);
            }
            _exit(0);
        }
        int winners = 0;
        for (int i = 0; i < STARTERS; i++) {
            int status = 0;
            waitpid(pids[i], &status, 0);
            assert_true(WIFEXITED(status));
            winners += WEXITSTATUS(status) == 0;
        }
        assert_int_equal(winners, 1);
        fixture_remove(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_and_release), cmocka_unit_test(test_live_holder_refuses),
        cmocka_unit_test(test_dead_holder),      cmocka_unit_test(test_zombie_holder),
        cmocka_unit_test(test_frozen_holder),    cmocka_unit_test(test_earlier_start),
        cmocka_unit_test(test_foreign_host),     cmocka_unit_test(test_strange_content),
        cmocka_unit_test(test_removed),          cmocka_unit_test(test_race),
    };
    ge_log_set_level(GE_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
