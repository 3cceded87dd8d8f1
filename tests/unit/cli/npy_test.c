/* The .npy writer: header and elements by the bytes of numpy.lib.format, and that no half-written
 * file is left. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/npy.h"

static char folder[] = "/tmp/gapeval-npy-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/a.npy", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails if anything else was left */
}

static size_t files(void)
{
    char **names;
    size_t n;
    assert_ok(ge_fs_list(folder, &names, &n));
    ge_fs_list_free(names, n);
    return n;
}

static void test_bytes(void **state)
{
    (void)state;
    static const char begin[] = "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, "
                                "'shape': (2, 3, ), }";
    const size_t shape[] = {2, 3};
    const float values[] = {1, 2, 3, 4, 5, 6};
    struct ge_npy *f;
    char *data;
    size_t len;
    assert_ok(ge_npy_new(path, "<f4", shape, 2, &f));
    assert_ok(ge_npy_add(f, values, 4 * sizeof *values));
    assert_false(ge_fs_exists(path));
    assert_ok(ge_npy_add(f, values + 4, 2 * sizeof *values));
    assert_ok(ge_npy_finish(f));
    ge_npy_delete(&f);
    assert_null(f);
    assert_ok(ge_fs_read(path, 4096, &data, &len));
    assert_int_equal(len, 128 + sizeof values);
    assert_memory_equal(data, begin, sizeof begin - 1);
    for (size_t i = sizeof begin - 1; i < 127; i++) assert_int_equal(data[i], ' ');
    assert_int_equal(data[127], '\n');
    assert_memory_equal(data + 128, values, sizeof values);
    free(data);
    assert_int_equal(files(), 1);
}

static void test_size_is_kept(void **state)
{
    (void)state;
    const size_t shape[] = {2, 2};
    struct ge_npy *f;
    assert_ok(ge_npy_new(path, "|u1", shape, 2, &f));
    assert_status(ge_npy_add(f, "12345", 5), GE_EINVAL);
    assert_ok(ge_npy_add(f, "123", 3));
    assert_status(ge_npy_finish(f), GE_EINTERNAL);
    ge_npy_delete(&f);
    ge_npy_delete(&f);
    assert_int_equal(files(), 0);
}

static void test_old_file_stays(void **state)
{
    (void)state;
    const size_t shape[] = {4};
    struct ge_npy *f;
    char *data;
    assert_ok(ge_fs_replace(path, "old", 3));
    assert_ok(ge_npy_new(path, "|u1", shape, 1, &f));
    assert_ok(ge_npy_add(f, "12", 2));
    ge_npy_delete(&f);
    assert_ok(ge_fs_read(path, 16, &data, NULL));
    assert_string_equal(data, "old");
    free(data);
    assert_int_equal(files(), 1);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    const size_t shape[] = {1}, huge[] = {SIZE_MAX / 2, 4};
    char missing[96];
    struct ge_npy *f;
    snprintf(missing, sizeof missing, "%s/missing/a.npy", folder);
    assert_status(ge_npy_new(folder, "<f4", shape, 1, &f), GE_EINVAL);
    assert_null(f);
    assert_status(ge_npy_new(missing, "<f4", shape, 1, &f), GE_EIO);
    assert_null(f);
    assert_status(ge_npy_new(path, "<f4", huge, 2, &f), GE_ELIMIT);
    assert_null(f);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_status(ge_npy_new(path, "<f4", shape, 1, &f), GE_EINVAL);
    assert_null(f);
    assert_int_equal(files(), 1);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_bytes, remove_file),
        cmocka_unit_test_teardown(test_size_is_kept, remove_file),
        cmocka_unit_test_teardown(test_old_file_stays, remove_file),
        cmocka_unit_test_teardown(test_what_is_refused, remove_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
