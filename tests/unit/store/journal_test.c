/* The journal: what was recorded comes back; torn tails at every byte; damage; several starts;
 * superseded writers; partial and duplicate records. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "store/journal.h"
#include "store/run_head.h"
#include "store_fixture.h"

enum { ITEMS = 11, CELLS = 2, CHUNK = 4, CHUNKS = 6 };

static ge_status allow(void *ctx)
{
    (void)ctx;
    return GE_OK;
}

static ge_status deny(void *ctx)
{
    int *calls = ctx;
    return ++*calls > 1 ? ge_fail(GE_ECONFLICT, "taken by another") : GE_OK;
}

/* Open the next epoch of `dir`. */
static ge_status open_next(const char *dir, const struct ge_run *run, struct ge_journal **j)
{
    struct ge_journal_scan scan;
    ge_status rc = ge_journal_scan(dir, &scan);
    if (rc == GE_OK) rc = ge_journal_open(&scan, run, "{\"n\":1}", allow, NULL, j);
    ge_journal_scan_free(&scan);
    return rc;
}

static void append(struct ge_journal *j, const struct ge_run *run, uint64_t chunk, int undone)
{
    struct ge_arena *a = ge_arena_new();
    struct ge_result r = fixture_result(run, chunk, undone, a);
    assert_ok(ge_journal_append(j, &r, NULL));
    ge_arena_delete(&a);
}

/* Chunk of a scan equals what the fixture makes. */
static void assert_chunk(const struct ge_journal_scan *s, const struct ge_run *run, uint64_t chunk)
{
    struct ge_arena *a = ge_arena_new();
    struct ge_result want = fixture_result(run, chunk, 0, a), got;
    struct ge_buf x, y;
    ge_buf_init(&x, SIZE_MAX / 2);
    ge_buf_init(&y, SIZE_MAX / 2);
    assert_ok(ge_journal_load(s, chunk, a, &got));
    ge_result_pack(&want, &x);
    ge_result_pack(&got, &y);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    ge_buf_free(&x);
    ge_buf_free(&y);
    ge_arena_delete(&a);
}

static void test_empty(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_journal_scan s;
    assert_ok(ge_journal_scan(fixture_path(dir, "none"), &s));
    assert_null(s.run);
    assert_int_equal(s.n_epochs, 0);
    ge_journal_scan_free(&s);
    fixture_remove(dir);
}

static void test_two_starts(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    assert_int_equal(ge_run_chunks(run), CHUNKS);
    for (int start = 0; start < 2; start++) {
        assert_ok(open_next(dir, run, &j));
        assert_int_equal(ge_journal_epoch_number(j), start);
        for (uint64_t c = 0; c < 3; c++) append(j, run, 3 * (uint64_t)start + c, 0);
        assert_ok(ge_journal_sync(j));
        if (start == 1) assert_ok(ge_journal_finish(j, CHUNKS, (struct ge_hash){1, 2}));
        ge_journal_delete(&j);
    }
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_epochs, 2);
    assert_int_equal(s.n_done, CHUNKS);
    assert_int_equal(s.torn, 0);
    assert_true(s.closed && s.digest.hi == 1 && s.digest.lo == 2);
    assert_string_equal(s.run->provenance, "[{\"n\":1},{\"n\":1}]");
    for (uint64_t c = 0; c < CHUNKS; c++) assert_chunk(&s, run, c);
    ge_journal_scan_free(&s);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* Nothing counts as acknowledged before the commit; the guard's refusal sticks. */
static void test_acknowledgement(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    struct ge_arena *a = ge_arena_new();
    struct ge_result r = fixture_result(run, 0, 0, a);
    uint64_t ticket = 0;
    int calls = 0;
    assert_ok(ge_journal_scan(dir, &s));
    assert_ok(ge_journal_open(&s, run, "{}", deny, &calls, &j));
    ge_journal_scan_free(&s);
    assert_ok(ge_journal_append(j, &r, &ticket));
    assert_true(ge_journal_acknowledged(j) <= ticket);
    assert_ok(ge_journal_tick(j, ge_now()));
    assert_true(ge_journal_acknowledged(j) <= ticket);
    assert_status(ge_journal_tick(j, ge_now() + 2), GE_ECONFLICT);
    assert_true(ge_journal_acknowledged(j) <= ticket);
    assert_status(ge_journal_append(j, &r, NULL), GE_ECONFLICT);
    assert_status(ge_journal_sync(j), GE_ECONFLICT);
    ge_journal_delete(&j);

    assert_ok(open_next(dir, run, &j));
    assert_ok(ge_journal_append(j, &r, &ticket));
    assert_ok(ge_journal_tick(j, ge_now() + 2));
    assert_true(ge_journal_acknowledged(j) > ticket);
    r.scores[1].value = NAN;
    assert_status(ge_journal_append(j, &r, NULL), GE_EINTERNAL);
    r.scores[1].value = 0;
    r.verdicts[0].value = 1.5;
    assert_status(ge_journal_append(j, &r, NULL), GE_EINTERNAL);
    r.verdicts[0].value = 1;
    r.scores[1].key.item = r.first + r.count;
    assert_status(ge_journal_append(j, &r, NULL), GE_EINTERNAL);
    assert_ok(ge_journal_sync(j));
    ge_journal_delete(&j);
    ge_arena_delete(&a);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* Cut the file at every byte of its last record: that record is gone, all before it is there. */
static void test_torn_everywhere(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    const char *path = fixture_path(dir, "00000000");
    assert_ok(open_next(dir, run, &j));
    for (uint64_t c = 0; c < 3; c++) {
        append(j, run, c, 0);
        assert_ok(ge_journal_sync(j));
    }
    ge_journal_delete(&j);
    assert_ok(ge_journal_scan(dir, &s));
    uint64_t last = s.chunks[2].offset, size = last + s.chunks[2].length;
    ge_journal_scan_free(&s);
    size_t len;
    unsigned char *data = fixture_read(path, &len);
    assert_int_equal(len, size);
    for (uint64_t cut = last; cut < size; cut++) {
        fixture_write(path, data, cut);
        assert_ok(ge_journal_scan(dir, &s));
        assert_int_equal(s.n_done, 2);
        assert_int_equal(s.torn, cut - last);
        ge_journal_scan_free(&s);
    }
    for (uint64_t at = last; at < size; at++) { /* blocks that never reached the disk are zeros */
        unsigned char keep = data[at];
        data[at] = (unsigned char)~keep;
        fixture_write(path, data, len);
        assert_ok(ge_journal_scan(dir, &s));
        assert_int_equal(s.n_done, 2);
        assert_int_equal(s.torn, size - last);
        ge_journal_scan_free(&s);
        data[at] = keep;
    }
    free(data);

    /* The next start leaves the tail out; a chunk recorded anew counts. */
    assert_ok(truncate(path, (off_t)(last + 5)));
    assert_ok(open_next(dir, run, &j));
    append(j, run, 2, 0);
    assert_ok(ge_journal_sync(j));
    ge_journal_delete(&j);
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_done, 3);
    assert_int_equal(s.torn, 0);
    assert_true(s.epochs[0].sealed && s.epochs[0].tail_intact);
    assert_int_equal(s.epochs[0].seen - s.epochs[0].valid, 5);
    assert_chunk(&s, run, 2);
    ge_journal_scan_free(&s);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* A flip anywhere before the last commit is damage, named with file and offset. */
static void test_damage_in_the_middle(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    const char *path = fixture_path(dir, "00000000");
    assert_ok(open_next(dir, run, &j));
    for (uint64_t c = 0; c < CHUNKS; c++) {
        append(j, run, c, 0);
        assert_ok(ge_journal_sync(j));
    }
    ge_journal_delete(&j);
    assert_ok(ge_journal_scan(dir, &s));
    uint64_t last = s.chunks[CHUNKS - 1].offset;
    ge_journal_scan_free(&s);
    size_t len;
    unsigned char *data = fixture_read(path, &len);
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t bit = (uint64_t)(ge_uniform(3, 4, i) * (double)last * 8);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        fixture_write(path, data, len);
        ge_error_clear();
        ge_status rc = ge_journal_scan(dir, &s);
        if (rc != GE_EFORMAT || strstr(ge_error(), "00000000") == NULL) {
            fail_msg("bit %llu: %s: %s", (unsigned long long)bit, ge_status_name(rc), ge_error());
        }
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(data);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* What a superseded writer adds after the next start does not count; a file cut below what a
 * start counted, or a missing one, is damage. */
static void test_superseded_writer(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *old = NULL, *fresh = NULL;
    struct ge_journal_scan s;
    assert_ok(open_next(dir, run, &old));
    append(old, run, 0, 0);
    assert_ok(ge_journal_sync(old));
    assert_ok(open_next(dir, run, &fresh));
    append(old, run, 1, 0);
    assert_ok(ge_journal_sync(old));
    append(fresh, run, 2, 0);
    assert_ok(ge_journal_sync(fresh));
    ge_journal_delete(&old);
    ge_journal_delete(&fresh);
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_done, 2);
    assert_int_equal(s.chunks[1].length, 0);
    assert_true(s.epochs[0].size > s.epochs[0].seen);
    uint64_t valid = s.epochs[0].valid;
    ge_journal_scan_free(&s);

    const char *path = fixture_path(dir, "00000000");
    assert_ok(truncate(path, (off_t)valid - 1));
    assert_status(ge_journal_scan(dir, &s), GE_EFORMAT);
    unlink(path);
    assert_status(ge_journal_scan(dir, &s), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "00000000"));
    ge_run_delete(&run);
    fixture_remove(dir);
}

static void test_partial_and_duplicate(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    assert_ok(open_next(dir, run, &j));
    append(j, run, 1, 1);
    assert_ok(ge_journal_sync(j));
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_done, 0);
    assert_true(s.chunks[1].undone > 0);
    ge_journal_scan_free(&s);
    append(j, run, 1, 0);
    append(j, run, 1, 0);
    append(j, run, 1, 1);
    assert_ok(ge_journal_sync(j));
    ge_journal_delete(&j);
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_done, 1);
    assert_int_equal(s.duplicates, 2);
    assert_int_equal(s.chunks[1].undone, 0);
    assert_chunk(&s, run, 1);
    ge_journal_scan_free(&s);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* A start that died before its first record leaves a file that the next one passes over. */
static void test_empty_epoch(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
    struct ge_journal *j = NULL;
    struct ge_journal_scan s;
    fixture_write(fixture_path(dir, "00000000"), "", 0);
    fixture_write(fixture_path(dir, "00000001"), "half a record", 13);
    assert_ok(ge_journal_scan(dir, &s));
    assert_null(s.run);
    assert_int_equal(s.torn, 13);
    ge_journal_scan_free(&s);
    assert_ok(open_next(dir, run, &j));
    assert_int_equal(ge_journal_epoch_number(j), 2);
    append(j, run, 0, 0);
    assert_ok(ge_journal_sync(j));
    ge_journal_delete(&j);
    assert_ok(ge_journal_scan(dir, &s));
    assert_int_equal(s.n_done, 1);
    assert_int_equal(s.torn, 0);
    ge_journal_scan_free(&s);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* Content made to look like records everywhere must be refused quickly. */
static void test_hostile(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_journal_scan s;
    size_t len = 1 << 20;
    unsigned char *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (unsigned char)"\xff\xff\xff\xff\xff\xff\xff\xffGEJ1"[i % 12];
    fixture_write(fixture_path(dir, "00000000"), data, len);
    double start = ge_now();
    ge_status rc = ge_journal_scan(dir, &s);
    assert_true(rc == GE_OK || rc == GE_EFORMAT);
    assert_true(ge_now() - start < 30);
    if (rc == GE_OK) assert_int_equal(s.torn, len);
    ge_journal_scan_free(&s);
    free(data);
    fixture_remove(dir);
}

/* Heads with counts and strings that their bytes cannot hold. */
static void test_hostile_head(void **state)
{
    (void)state;
    struct ge_run *run = fixture_run(3, 1, 2), *out = NULL;
    struct ge_buf packed;
    ge_buf_init(&packed, SIZE_MAX / 2);
    ge_run_head_pack(run, &packed);
    assert_ok(ge_buf_status(&packed));
    for (size_t cut = 0; cut < packed.len; cut++) {
        assert_status(ge_run_head_unpack(packed.data, cut, &out), GE_EFORMAT);
    }
    for (size_t at = 0; at < packed.len; at++) {
        char keep = packed.data[at];
        packed.data[at] = (char)0xFF;
        if (ge_run_head_unpack(packed.data, packed.len, &out) == GE_OK) ge_run_delete(&out);
        packed.data[at] = keep;
    }
    assert_ok(ge_run_head_unpack(packed.data, packed.len, &out));
    ge_run_delete(&out);
    run->items[2].id = run->items[0].id;
    assert_status(ge_run_head_check(run), GE_EFORMAT);
    ge_buf_free(&packed);
    ge_run_delete(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_two_starts),
        cmocka_unit_test(test_acknowledgement),
        cmocka_unit_test(test_torn_everywhere),
        cmocka_unit_test(test_damage_in_the_middle),
        cmocka_unit_test(test_superseded_writer),
        cmocka_unit_test(test_partial_and_duplicate),
        cmocka_unit_test(test_empty_epoch),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_hostile_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
