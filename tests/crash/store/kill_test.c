/* Kill -9 the writer at random moments, run again until it is done: nothing that was acknowledged
 * is lost, nothing is there twice, and the digest is that of an undisturbed run. */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "store/journal.h"
#include "store/run_head.h"
#include "store/store.h"
#include "unit/store/store_fixture.h"

enum { KILLS = 50, ITEMS = 600, CELLS = 3, CHUNK = 5 };

static void pause_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* The child: resume, record what is missing in a shuffled order, and write the number of each chunk
 * to `out` once it is acknowledged. Exit 0 when the run is finished. */
static int writer(const char *dir, const struct ge_run *run, uint32_t start, int out)
{
    struct ge_rundir *d = NULL;
    struct ge_rundir_options o = {.dir = dir, .lock_stale_s = 0.5};
    uint64_t waiting[8], n_waiting = 0, n = ge_run_chunks(run);
    struct ge_arena *a = ge_arena_new();
    if (ge_rundir_open(&o, &d) != GE_OK) return 2;
    if (ge_rundir_closed(d)) return 0;
    if (ge_rundir_begin(d, ge_rundir_stored(d) == NULL ? run : NULL, "{}") != GE_OK) return 3;
    for (uint64_t k = 0; k < n; k++) {
        uint64_t chunk = (k * 101 + start) % n;
        if (ge_rundir_chunk_done(d, chunk)) continue;
        struct ge_result r = fixture_result(run, chunk, 0, a);
        if (ge_rundir_append(d, &r, NULL) != GE_OK) return 4;
        ge_arena_reset(a);
        waiting[n_waiting++] = chunk;
        if (n_waiting < 8 && k + 1 < n) continue;
        if (ge_rundir_sync(d) != GE_OK) return 5;
        if (write(out, waiting, n_waiting * sizeof *waiting) < 0) return 6;
        n_waiting = 0;
        pause_us(300);
    }
    bool complete = false;
    if (ge_rundir_finish(d, &complete) != GE_OK || !complete) return 7;
    ge_rundir_close(&d, 0);
    return 0;
}

/* Start a writer, kill it after `us` (< 0: never), note what it acknowledged. Its exit status, or
 * -1 if it was killed. */
static int run_writer(const char *dir, const struct ge_run *run, uint32_t start, long us,
                      unsigned char *acknowledged, uint64_t *n_acknowledged)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        ge_log_set_level(GE_LOG_ERROR);
        int rc = writer(dir, run, start, ends[1]);
        if (rc != 0) fprintf(stderr, "writer: %d: %s\n", rc, ge_error());
        _exit(rc);
    }
    close(ends[1]);
    if (us >= 0) {
        pause_us(us);
        kill(pid, SIGKILL);
    }
    uint64_t chunk;
    while (read(ends[0], &chunk, sizeof chunk) == sizeof chunk) {
        assert_false(acknowledged[chunk]); /* acknowledged work is never done again */
        acknowledged[chunk] = 1;
        (*n_acknowledged)++;
    }
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct ge_hash digest_of(const char *dir)
{
    struct ge_run *run = NULL;
    struct ge_hash h;
    assert_ok(ge_store_open(dir, &run));
    assert_ok(ge_store_digest(run, &h));
    ge_run_delete(&run);
    return h;
}

static void test_kills(void **state)
{
    (void)state;
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    uint64_t n = ge_run_chunks(run);
    char *whole = fixture_dir(), *dir = fixture_dir();
    assert_ok(fixture_record(whole, run, NULL, 0, 0, 1));
    struct ge_hash want = digest_of(whole);

    int kills = 0, rounds = 0, finished = 0;
    unsigned char *acknowledged = calloc(n, 1);
    uint64_t n_acknowledged = 0;
    while (kills < KILLS) {
        long us = (long)(ge_uniform(11, 1, (uint64_t)kills) * 30000);
        int rc = run_writer(dir, run, (uint32_t)kills, us, acknowledged, &n_acknowledged);
        assert_true(rc == -1 || rc == 0);
        kills += rc == -1;
        rounds++;
        assert_true(rounds < 100 * KILLS);

        struct ge_journal_scan s;
        assert_ok(ge_journal_scan(fixture_path(dir, "journal"), &s));
        for (uint64_t i = 0; i < n; i++) {
            if (acknowledged[i]) assert_true(s.chunks != NULL && s.chunks[i].length > 0);
        }
        assert_int_equal(s.duplicates, 0);
        ge_journal_scan_free(&s);
        if (rc != 0) continue;
        finished++; /* done: its result must be right; go on with a new folder */
        struct ge_hash got = digest_of(dir);
        assert_true(ge_hash_equal(got, want));
        fixture_remove(dir);
        dir = fixture_dir();
        memset(acknowledged, 0, n);
        n_acknowledged = 0;
    }
    assert_int_equal(run_writer(dir, run, 0, -1, acknowledged, &n_acknowledged), 0);
    struct ge_hash got = digest_of(dir);
    assert_true(ge_hash_equal(got, want));
    uint64_t faults = 0;
    fixture_write(fixture_path(dir, "summary.json"), "{}", 2);
    fixture_write(fixture_path(dir, "samples.csv"), "", 0);
    assert_ok(ge_store_verify(dir, NULL, NULL, &faults));
    assert_int_equal(faults, 0);
    print_message("%d kills, %d runs finished\n", kills, finished + 1);
    free(acknowledged);
    fixture_remove(whole);
    fixture_remove(dir);
    ge_run_delete(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
    ge_log_set_level(GE_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
