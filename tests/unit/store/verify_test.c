/* Verification finds every flipped bit in a finished run's journal and store, and says nothing
 * about a sound one. */
#include "test.h"

#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "store/store.h"
#include "store_fixture.h"

enum { FLIPS = 250 };

static void print_fault(void *ctx, const struct ge_finding *f)
{
    (void)ctx;
    if (f->fault) print_error("%s: %s\n", f->path, f->text);
}

static uint64_t faults(const char *path, ge_finding_fn *report)
{
    uint64_t n = 0;
    assert_ok(ge_store_verify(path, report, NULL, &n));
    return n;
}

/* A finished run of three starts, the second of which left a torn tail. */
static char *finished(void)
{
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(13, 2, 4);
    uint64_t first[] = {0, 1, 2}, second[] = {3, 4};
    assert_ok(fixture_record(dir, run, first, 3, 0, 0));
    assert_ok(fixture_record(dir, run, second, 2, 0, 0));
    FILE *f = fopen(fixture_path(dir, "journal/00000001"), "ab");
    fputs("torn by a crash", f);
    fclose(f);
    assert_ok(fixture_record(dir, run, NULL, 0, 0, 1));
    ge_run_delete(&run);
    return dir;
}

static void test_sound(void **state)
{
    (void)state;
    char *dir = finished();
    assert_int_equal(faults(dir, print_fault), 0);
    assert_int_equal(faults(fixture_path(dir, "results.h5"), print_fault), 0);
    fixture_remove(dir);
}

static void flip_file(const char *dir, const char *name, uint64_t stream, int flips)
{
    char path[1024];
    size_t len;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unsigned char *data = fixture_read(path, &len);
    assert_non_null(data);
    for (int i = 0; i < flips; i++) {
        size_t bit = (size_t)(ge_uniform(5, stream, (uint64_t)i) * (double)len * 8);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        fixture_write(path, data, len);
        if (faults(dir, NULL) == 0) fail_msg("%s: flip of bit %zu was not found", name, bit);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    fixture_write(path, data, len);
    free(data);
    assert_int_equal(faults(dir, print_fault), 0);
}

static void test_flips(void **state)
{
    (void)state;
    char *dir = finished();
    flip_file(dir, "journal/00000000", 1, FLIPS);
    flip_file(dir, "journal/00000001", 2, FLIPS);
    flip_file(dir, "journal/00000002", 3, FLIPS);
    flip_file(dir, "results.h5", 4, FLIPS);
    flip_file(dir, "results.h5.sum", 5, FLIPS);
    fixture_remove(dir);
}

/* Every bit of the torn tail that the last start saw is covered as well. */
static void test_tail_flips(void **state)
{
    (void)state;
    char *dir = finished();
    size_t len;
    char path[1024];
    snprintf(path, sizeof path, "%s/journal/00000001", dir);
    unsigned char *data = fixture_read(path, &len);
    for (size_t bit = (len - 15) * 8; bit < len * 8; bit++) {
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        fixture_write(path, data, len);
        assert_true(faults(dir, NULL) > 0);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(data);
    fixture_remove(dir);
}

/* Files cut short, removed, or of another run. */
static void test_missing_parts(void **state)
{
    (void)state;
    static const char *const parts[] = {"results.h5",      "results.h5.sum",   "summary.json",
                                        "samples.csv",     "journal/00000000", "journal/00000001",
                                        "journal/00000002"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char *dir = finished();
        unlink(fixture_path(dir, parts[i]));
        ge_status rc;
        uint64_t n = 0;
        rc = ge_store_verify(dir, NULL, NULL, &n);
        assert_true(rc == GE_OK);
        /* Without its last epoch the journal is an unfinished run, which the store is ahead of. */
        if (n == 0) fail_msg("nothing found without %s", parts[i]);
        fixture_remove(dir);
    }
    char *a = finished(), *b = fixture_dir();
    struct ge_run *run = fixture_run(9, 2, 4);
    assert_ok(fixture_record(b, run, NULL, 0, 0, 1));
    fixture_copy(fixture_path(b, "results.h5"), fixture_path(a, "results.h5"));
    fixture_copy(fixture_path(b, "results.h5.sum"), fixture_path(a, "results.h5.sum"));
    assert_true(faults(a, NULL) > 0);
    uint64_t n;
    assert_status(ge_store_verify(fixture_path(a, "nothing"), NULL, NULL, &n), GE_ENOENT);
    fixture_remove(a);
    fixture_remove(b);
    ge_run_delete(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_tail_flips),
        cmocka_unit_test(test_missing_parts),
    };
    ge_log_set_level(GE_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
