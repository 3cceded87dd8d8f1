/* A run's folder from first start to finished store, and every I/O call of it failing once. */
#include "test.h"

#include <errno.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/run_head.h"
#include "store/store.h"
#include "store_fixture.h"

enum { ITEMS = 9, CELLS = 1, CHUNK = 3, CHUNKS = 3 };

static const struct ge_rundir_options *options(const char *dir)
{
    static struct ge_rundir_options o;
    o = (struct ge_rundir_options){.dir = dir, .lock_stale_s = 0.5};
    return &o;
}

static ge_status append(struct ge_rundir *d, const struct ge_run *run, uint64_t chunk)
{
    struct ge_arena *a = ge_arena_new();
    if (a == NULL) return GE_ENOMEM;
    struct ge_result r = fixture_result(run, chunk, 0, a);
    ge_status rc = ge_rundir_append(d, &r, NULL);
    ge_arena_delete(&a);
    return rc;
}

static void assert_status_file(const char *dir, const char *state, double exit_code, double done)
{
    ge_json *doc = NULL;
    assert_ok(ge_json_read(fixture_path(dir, "status"), &doc));
    assert_string_equal(ge_json_string(ge_json_get(doc, "state"), ""), state);
    assert_true(ge_json_number(ge_json_get(doc, "exit"), -1) == exit_code);
    assert_true(ge_json_number(ge_json_get(doc, "chunks_done"), -1) == done);
    assert_true(ge_json_number(ge_json_get(doc, "chunks"), -1) == CHUNKS);
    assert_true(ge_json_number(ge_json_get(doc, "failures"), -1) == 5);
    ge_json_delete(&doc);
}

static void test_life(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_rundir *d = NULL, *other = NULL;
    bool complete = false;

    assert_ok(ge_rundir_open(options(dir), &d));
    assert_null(ge_rundir_stored(d));
    assert_status(ge_rundir_begin(d, NULL, "{}"), GE_EINVAL);
    assert_ok(ge_rundir_begin(d, run, "{}"));
    ge_rundir_set_failures(d, 5);
    assert_ok(append(d, run, 1));
    assert_ok(ge_rundir_tick(d, ge_now() + 6));
    assert_true(ge_rundir_acknowledged(d) > 0);
    assert_status_file(dir, "running", -1, 1);
    ge_rundir_close(&d, 75);
    assert_status_file(dir, "interrupted", 75, 1);

    assert_ok(ge_rundir_open(options(dir), &d));
    assert_non_null(ge_rundir_stored(d));
    assert_string_equal(ge_rundir_stored(d)->job, run->job);
    assert_false(ge_rundir_closed(d));
    assert_false(ge_rundir_chunk_done(d, 0));
    assert_true(ge_rundir_chunk_done(d, 1));
    assert_int_equal(ge_rundir_chunks_done(d), 1);
    assert_status(ge_rundir_begin(d, run, "{}"), GE_EINVAL);
    assert_ok(ge_rundir_begin(d, NULL, "{}"));
    ge_rundir_set_failures(d, 5);
    assert_ok(append(d, run, 2));
    assert_ok(append(d, run, 0));
    assert_ok(ge_rundir_finish(d, &complete));
    assert_true(complete);
    ge_rundir_close(&d, 0);
    assert_status_file(dir, "done", 0, CHUNKS);

    assert_ok(ge_rundir_open(options(dir), &d));
    assert_true(ge_rundir_closed(d));
    assert_status(ge_rundir_begin(d, NULL, "{}"), GE_EINVAL);
    assert_ok(ge_store_pack(dir));
    ge_rundir_close(&d, 0);
    assert_null(other);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* A whole small run: two starts, finish. Stops at the first failure, like the program does. */
static ge_status small_run(const char *dir, const struct ge_run *run)
{
    static const uint64_t first[] = {2, 0};
    ge_status rc = fixture_record(dir, run, first, 2, 0, 0);
    return rc == GE_OK ? fixture_record(dir, run, NULL, 0, 0, 1) : rc;
}

/* After a failure at any call: a message, and when the disk works again the run goes on from what
 * is there to the same digest, nothing lost, nothing twice. */
static void check_after(const char *dir, const struct ge_run *run, struct ge_hash want)
{
    struct ge_run *got = NULL;
    struct ge_hash digest;
    uint64_t faults = 0;
    /* Whatever store is in place can be read. */
    if (access(fixture_path(dir, "results.h5"), F_OK) == 0) {
        assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &got));
        ge_run_delete(&got);
    }
    struct ge_rundir *d = NULL;
    struct ge_rundir_options o = {.dir = dir, .lock_stale_s = 0.01, .job_id = "7", .restarts = 99};
    assert_ok(ge_rundir_open(&o, &d));
    bool closed = ge_rundir_closed(d);
    ge_rundir_close(&d, 1);
    assert_ok(closed ? ge_store_pack(dir) : fixture_record(dir, run, NULL, 0, 0, 1));
    fixture_write(fixture_path(dir, "summary.json"), "{}", 2);
    fixture_write(fixture_path(dir, "samples.csv"), "", 0);
    assert_ok(ge_store_open(dir, &got));
    assert_ok(ge_store_digest(got, &digest));
    assert_true(ge_hash_equal(digest, want));
    ge_run_delete(&got);
    assert_ok(ge_store_verify(dir, NULL, NULL, &faults));
    assert_int_equal(faults, 0);
}

static struct ge_hash right_digest(const struct ge_run *run)
{
    struct ge_hash digest;
    struct ge_run *got = NULL;
    char *dir = fixture_dir();
    assert_ok(small_run(dir, run));
    assert_ok(ge_store_open(dir, &got));
    assert_ok(ge_store_digest(got, &digest));
    ge_run_delete(&got);
    fixture_remove(dir);
    return digest;
}

/* Fail every call of a small run in turn. */
static void fail_every_call(enum fixture_failure kind)
{
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_hash want = right_digest(run);
    uint64_t total = 0, harmless = 0;
    for (uint64_t n = 1;; n++) {
        char *dir = fixture_dir();
        fixture_fail_at(n, kind);
        ge_error_clear();
        ge_status rc = small_run(dir, run);
        bool reached = fixture_calls() >= n;
        fixture_fail_off();
        if (reached && rc != GE_OK && ge_error()[0] == '\0') {
            fail_msg("call %llu failed without a message", (unsigned long long)n);
        }
        harmless += reached && rc == GE_OK;
        if (reached) check_after(dir, run, want);
        fixture_remove(dir);
        if (!reached) break;
        total = n;
    }
    print_message("%llu calls failed, %llu of them harmless\n", (unsigned long long)total,
                  (unsigned long long)harmless);
    assert_true(total > 20);
    /* Harmless: removing side files, closing what was only read, the last status file. */
    assert_true(harmless < total / 4);
    ge_run_delete(&run);
}

static void test_failing_calls(void **state)
{
    (void)state;
    fail_every_call(FIXTURE_ERRORS);
}

static void test_short_writes(void **state)
{
    (void)state;
    fail_every_call(FIXTURE_SHORT_WRITES);
}

/* Allocation after allocation fails. A few failures are harmless (a message that cannot be kept),
 * so the end is reached when many in a row change nothing. */
static void test_out_of_memory(void **state)
{
    (void)state;
    enum { ENOUGH = 12 };
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_hash want = right_digest(run);
    uint64_t failed = 0;
    int unharmed = 0;
    fixture_prepare(run);
    for (uint64_t n = 1; unharmed < ENOUGH; n += 1 + n / 60) {
        char *dir = fixture_dir();
        ge_mem_fail_at(n, 0);
        ge_status rc = small_run(dir, run);
        ge_mem_fail_at(0, 0);
        unharmed = rc == GE_OK ? unharmed + 1 : 0;
        failed += rc != GE_OK;
        check_after(dir, run, want);
        fixture_remove(dir);
    }
    fixture_prepare(NULL);
    assert_true(failed > 100);
    ge_run_delete(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_failing_calls),
        cmocka_unit_test(test_short_writes),
        cmocka_unit_test(test_out_of_memory),
    };
    ge_log_set_level(GE_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
