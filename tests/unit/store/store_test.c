/* results.h5: packing, reading back, the same bytes and digest however the chunks arrived, and
 * damaged or foreign files. */
#include "test.h"

#include <hdf5.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "record/run.h"
#include "store/digest.h"
#include "store/run_head.h"
#include "store/schema.h"
#include "store/store.h"
#include "store_fixture.h"

/* HDF5 1.10 loses a few hundred bytes when an object header cannot be read: not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

enum { ITEMS = 23, CELLS = 3, CHUNK = 5 };

static void assert_same_run(const struct ge_run *a, const struct ge_run *b)
{
    struct ge_hash x, y;
    assert_ok(ge_content_hash(a, &x));
    assert_ok(ge_content_hash(b, &y));
    assert_true(ge_hash_equal(x, y));
}

/* What was recorded comes back from the journal and from the store. */
static void test_round_trip(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK), *journal = NULL, *store = NULL;
    assert_ok(fixture_record(dir, run, NULL, 0, 4, 1));
    assert_ok(ge_store_read_journal(dir, &journal));
    assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &store));
    assert_int_equal(store->n_results, ge_run_chunks(run));
    assert_same_run(journal, store);
    assert_string_equal(store->provenance, journal->provenance);

    struct ge_arena *a = ge_arena_new();
    for (size_t i = 0; i < store->n_results; i++) {
        struct ge_buf want, got;
        struct ge_result r = fixture_result(run, i, 0, a);
        ge_buf_init(&want, SIZE_MAX / 2);
        ge_buf_init(&got, SIZE_MAX / 2);
        ge_result_pack(&r, &want);
        ge_result_pack(&store->results[i], &got);
        assert_int_equal(want.len, got.len);
        assert_memory_equal(want.data, got.data, want.len);
        ge_buf_free(&want);
        ge_buf_free(&got);
    }
    assert_string_equal(store->items[6].task[GE_UND].prompt, run->items[6].task[GE_UND].prompt);
    assert_string_equal(store->items[5].task[GE_UND].constraints,
                        run->items[5].task[GE_UND].constraints);
    assert_null(store->items[4].subcategory);
    ge_arena_delete(&a);
    ge_run_delete(&journal);
    ge_run_delete(&store);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* Ratings come back from both; a run without any has no table, and a head that ends there is read. */
static void test_ratings(void **state)
{
    (void)state;
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK), *journal = NULL, *store = NULL;
    char *dir = fixture_dir();
    assert_ok(fixture_record(dir, run, NULL, 0, 0, 1));
    assert_ok(ge_store_read_journal(dir, &journal));
    assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &store));
    assert_int_equal(store->ratings.n, 8 * CELLS);
    assert_true(ge_ratings_equal(&run->ratings, &journal->ratings));
    assert_true(ge_ratings_equal(&run->ratings, &store->ratings));
    store->ratings.v[7].score += 1e-9;
    assert_false(ge_ratings_equal(&run->ratings, &store->ratings));
    ge_run_delete(&journal);
    ge_run_delete(&store);
    fixture_remove(dir);

    dir = fixture_dir();
    run->ratings = (struct ge_ratings){0};
    assert_ok(fixture_record(dir, run, NULL, 0, 0, 1));
    assert_ok(ge_store_read_journal(dir, &journal));
    assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &store));
    assert_int_equal(journal->ratings.n, 0);
    assert_int_equal(store->ratings.n, 0);
    assert_same_run(journal, store);
    ge_run_delete(&journal);
    ge_run_delete(&store);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* A head whose ratings break a rule is refused. */
static void test_bad_ratings(void **state)
{
    (void)state;
    for (int fault = 0; fault < 7; fault++) {
        struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK);
        struct ge_rating *v = run->ratings.v;
        if (fault == 0) v[3].cell = CELLS;
        if (fault == 1) v[3].key.item = ITEMS;
        if (fault == 2) v[3].rater = 2;
        if (fault == 3) v[3].score = NAN;
        if (fault == 4) v[3] = v[2];
        if (fault == 5) run->ratings.raters.v[1] = run->ratings.raters.v[0];
        if (fault == 6) v[3].dimension = 9;
        assert_status(ge_run_head_check(run), GE_EFORMAT);
        ge_run_delete(&run);
    }
}

/* Order of arrival and number of starts change neither digest nor, but for provenance, bytes. */
static void test_independent_of_arrival(void **state)
{
    (void)state;
    char *a = fixture_dir(), *b = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, CELLS, CHUNK), *x = NULL, *y = NULL;
    uint64_t order[15];
    for (size_t i = 0; i < 15; i++) order[i] = (i * 7 + 3) % 15;
    assert_ok(fixture_record(a, run, NULL, 0, 0, 1));
    assert_ok(fixture_record(b, run, order, 15, 0, 1));
    size_t na, nb;
    unsigned char *fa = fixture_read(fixture_path(a, "results.h5"), &na);
    unsigned char *fb = fixture_read(fixture_path(b, "results.h5"), &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(fa, fb, na);
    free(fa);
    free(fb);
    fixture_remove(b);

    b = fixture_dir();
    assert_ok(fixture_record(b, run, order, 15, 2, 1));
    assert_ok(ge_store_open(a, &x));
    assert_ok(ge_store_read(fixture_path(b, "results.h5"), &y));
    struct ge_hash dx, dy;
    assert_ok(ge_store_digest(x, &dx));
    assert_ok(ge_store_digest(y, &dy));
    assert_true(ge_hash_equal(dx, dy));
    x->results[0].scores[0].value += 1e-9;
    assert_ok(ge_store_digest(x, &dx));
    assert_false(ge_hash_equal(dx, dy));
    ge_run_delete(&x);
    ge_run_delete(&y);
    ge_run_delete(&run);
    fixture_remove(a);
    fixture_remove(b);
}

/* More rows than a column's buffer holds, so that several HDF5 chunks are written and read. */
static void test_many_rows(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(9000, 2, 1000), *journal = NULL, *store = NULL;
    assert_ok(fixture_record(dir, run, NULL, 0, 0, 1));
    assert_ok(ge_store_read_journal(dir, &journal));
    assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &store));
    assert_same_run(journal, store);
    ge_run_delete(&journal);
    ge_run_delete(&store);
    ge_run_delete(&run);
    fixture_remove(dir);
}

/* An unfinished run can be packed; what is missing is absent, and undone samples are listed. */
static void test_unfinished(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(ITEMS, 1, CHUNK), *store = NULL;
    struct ge_rundir *d = NULL;
    struct ge_arena *a = ge_arena_new();
    bool complete = true;
    struct ge_rundir_options options = {.dir = dir, .lock_stale_s = 0.5};
    assert_ok(ge_rundir_open(&options, &d));
    assert_ok(ge_rundir_begin(d, run, "{}"));
    struct ge_result r = fixture_result(run, 2, 1, a);
    assert_ok(ge_rundir_append(d, &r, NULL));
    assert_ok(ge_rundir_finish(d, &complete));
    assert_false(complete);
    ge_rundir_close(&d, 75);
    assert_ok(ge_store_read(fixture_path(dir, "results.h5"), &store));
    assert_int_equal(store->n_results, 1);
    assert_int_equal(store->results[0].n_undone, r.n_undone);
    assert_true(r.n_undone > 0);
    assert_string_equal(store->results[0].undone[0].reason, "disk went away");
    ge_run_delete(&store);
    ge_run_delete(&run);
    ge_arena_delete(&a);
    fixture_remove(dir);
}

/* ---- damaged and foreign files -------------------------------------------------------------------- */

/* A finished small store's bytes. */
static unsigned char *small_store(size_t *len)
{
    char *dir = fixture_dir();
    struct ge_run *run = fixture_run(7, 1, 4);
    assert_ok(fixture_record(dir, run, NULL, 0, 0, 1));
    unsigned char *data = fixture_read(fixture_path(dir, "results.h5"), len);
    ge_run_delete(&run);
    fixture_remove(dir);
    return data;
}

/* Reading must fail with a message or give a whole run; nothing else may happen. Returns whether
 * it failed. */
static int read_fails(const char *path)
{
    struct ge_run *run = NULL;
    ge_error_clear();
    ge_status rc = ge_store_read(path, &run);
    if (rc == GE_OK) {
        assert_non_null(run);
    } else {
        assert_null(run);
        assert_true(ge_error()[0] != '\0');
    }
    ge_run_delete(&run);
    return rc != GE_OK;
}

static void test_truncated(void **state)
{
    (void)state;
    size_t len;
    unsigned char *data = small_store(&len);
    char *dir = fixture_dir();
    const char *path = fixture_path(dir, "foreign.h5");
    ge_log_set_level(GE_LOG_ERROR);
    for (size_t cut = 0; cut < len; cut += cut < 200 ? 7 : len / 60) {
        fixture_write(path, data, cut);
        assert_true(read_fails(path));
    }
    free(data);
    fixture_remove(dir);
}

/* Flips without a checksum file: an error, or a store whose rows are right all the same. */
static void test_flipped(void **state)
{
    (void)state;
    size_t len, missed = 0;
    unsigned char *data = small_store(&len);
    char *dir = fixture_dir();
    const char *path = fixture_path(dir, "foreign.h5");
    ge_log_set_level(GE_LOG_ERROR);
    for (int i = 0; i < 400; i++) {
        size_t bit = (size_t)(ge_uniform(1, 2, (uint64_t)i) * (double)len * 8);
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        fixture_write(path, data, len);
        if (!read_fails(path)) missed++;
        data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    /* Gaps between HDF5's objects are covered by the checksum file only. */
    assert_true(missed < 400);
    free(data);
    fixture_remove(dir);
}

/* Replace a dataset of a store by one that `make` creates under the same name. */
static void replace(const char *path, const char *name, hid_t type, hsize_t rows, hsize_t chunk)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(f >= 0);
    assert_true(H5Ldelete(f, name, H5P_DEFAULT) >= 0);
    hsize_t max = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(1, &rows, &max), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(dcpl, 1, &chunk);
    hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    assert_true(d >= 0);
    H5Dclose(d);
    H5Pclose(dcpl);
    H5Sclose(space);
    H5Fclose(f);
}

static void remove_object(const char *path, const char *name)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(f, name, H5P_DEFAULT) >= 0);
    H5Fclose(f);
}

static void link_out(const char *path, const char *name, int external)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(f, name, H5P_DEFAULT) >= 0);
    if (external) {
        H5Lcreate_external("other.h5", "/scores/value", f, name, H5P_DEFAULT, H5P_DEFAULT);
    } else {
        H5Lcreate_soft("/scores/metric", f, name, H5P_DEFAULT, H5P_DEFAULT);
    }
    H5Fclose(f);
}

static void test_foreign_content(void **state)
{
    (void)state;
    size_t len;
    unsigned char *data = small_store(&len);
    char *dir = fixture_dir();
    const char *path = fixture_path(dir, "foreign.h5");
    ge_log_set_level(GE_LOG_ERROR);
    struct ge_run *run = NULL;

    fixture_write(path, data, len);
    assert_ok(ge_store_read(path, &run));
    hsize_t scores = 0;
    for (size_t i = 0; i < run->n_results; i++) scores += run->results[i].n_scores;
    ge_run_delete(&run);

    const struct {
        const char *name;
        hid_t type;
        hsize_t rows, chunk;
    } cases[] = {
        {"/scores/value", H5T_IEEE_F64LE, (hsize_t)1 << 60, 1 << 10},
        {"/scores/value", H5T_IEEE_F64LE, scores + 1, 16},
        {"/scores/value", H5T_IEEE_F32LE, scores, 16},
        {"/scores/value", H5T_IEEE_F64BE, scores, 16},
        {"/scores/item", H5T_STD_I32LE, scores, 16},
        {"/strings/items.record", H5T_STD_U8LE, 3, 16},
        {"/strings/items.record", H5T_STD_U8LE, (hsize_t)1 << 40, 1 << 28},
        {"/names/item", H5T_STD_U8LE, 7, 16},
        {"/names/metric", H5T_C_S1, 0, 16},
        {"/items/item", H5T_STD_U32LE, 0, 16},
        {"/meta/job", H5T_STD_U8LE, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_write(path, data, len);
        replace(path, cases[i].name, cases[i].type, cases[i].rows, cases[i].chunk);
        if (!read_fails(path)) fail_msg("case %zu (%s) was read", i, cases[i].name);
    }
    static const char *const needed[] = {
        "/scores",  "/scores/cell",        "/meta/job",     "/names/system",
        "/strings", "/vectors/embeddings", "/chunks/first", "/undone/reason_bytes"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        fixture_write(path, data, len);
        remove_object(path, needed[i]);
        if (!read_fails(path)) fail_msg("read without %s", needed[i]);
    }
    for (int external = 0; external < 2; external++) {
        fixture_write(path, data, len);
        link_out(path, "/verdicts/rule", external);
        assert_true(read_fails(path));
        assert_non_null(strstr(ge_error(), "link"));
    }
    free(data);
    fixture_remove(dir);
}

static void test_other_files(void **state)
{
    (void)state;
    char *dir = fixture_dir();
    struct ge_run *run = NULL;
    ge_log_set_level(GE_LOG_ERROR);
    assert_status(ge_store_read(fixture_path(dir, "none.h5"), &run), GE_ENOENT);
    assert_status(ge_store_open(fixture_path(dir, "none"), &run), GE_ENOENT);
    assert_status(ge_store_open(dir, &run), GE_ENOENT);
    assert_status(ge_store_pack(dir), GE_ENOENT);
    fixture_write(fixture_path(dir, "text.h5"), "hello", 5);
    assert_status(ge_store_read(fixture_path(dir, "text.h5"), &run), GE_EFORMAT);
    assert_status(ge_store_read(dir, &run), GE_EFORMAT);
    fixture_remove(dir);
}

/* ---- documentation ---------------------------------------------------------------------------------- */

/* docs/store.md names every dataset of every table. */
static void test_documented(void **state)
{
    (void)state;
    static const struct ge_table *const tables[] = {
        &ge_table_items,  &ge_table_cells,    &ge_table_chunks, &ge_table_responses,
        &ge_table_scores, &ge_table_verdicts, &ge_table_errors, &ge_table_embeddings,
        &ge_table_undone, &ge_table_ratings};
    size_t len;
    char *doc = (char *)fixture_read(GE_SOURCE_DIR "/docs/store.md", &len);
    assert_non_null(doc);
    doc[len] = '\0';
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t c = 0; c < tables[t]->n_columns; c++) {
            char name[128];
            bool string = tables[t]->columns[c].kind == GE_COLUMN_STRING;
            snprintf(name, sizeof name, "| `%s%s` |", tables[t]->columns[c].name,
                     string ? "_bytes" : "");
            if (strstr(doc, name) == NULL)
                fail_msg("/%s: %s is not in docs/store.md", tables[t]->name, name);
        }
    }
    free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_independent_of_arrival),
        cmocka_unit_test(test_many_rows),       cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_truncated),       cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_foreign_content), cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_documented),      cmocka_unit_test(test_ratings),
        cmocka_unit_test(test_bad_ratings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
