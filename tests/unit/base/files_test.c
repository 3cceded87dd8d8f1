/* fs, hash, log. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "test.h"

static char folder[] = "/tmp/base-files-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

/* A name inside the test's folder; valid until the call after next. */
static const char *in_folder(const char *name)
{
    static char path[2][512];
    static int turn;
    turn = 1 - turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int tear_down(void **state)
{
    (void)state;
    char **names;
    size_t n;
    if (ge_fs_list(folder, &names, &n) != GE_OK) return 1;
    for (size_t i = 0; i < n; i++) remove(in_folder(names[i]));
    ge_fs_list_free(names, n);
    return rmdir(folder);
}

static void assert_content(const char *path, const char *want, size_t want_len)
{
    char *data;
    size_t len;
    assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
    assert_int_equal(len, want_len);
    assert_memory_equal(data, want, want_len);
    assert_int_equal(data[len], '\0');
    free(data);
}

static void test_replace_and_read(void **state)
{
    (void)state;
    char *data;
    const char *path = in_folder("a.bin");
    assert_ok(ge_fs_replace(path, "a\0b", 3));
    assert_content(path, "a\0b", 3);
    assert_ok(ge_fs_replace(path, "", 0));
    assert_content(path, "", 0);
    assert_ok(ge_fs_replace(path, "12345", 5));
    assert_ok(ge_fs_read(path, 5, &data, NULL));
    free(data);
    assert_status(ge_fs_read(path, 4, &data, NULL), GE_ELIMIT);
    assert_null(data);
    assert_non_null(strstr(ge_error(), "a.bin"));
    char **names;
    size_t n;
    assert_ok(ge_fs_list(folder, &names, &n)); /* no temporary file is left */
    assert_int_equal(n, 1);
    assert_string_equal(names[0], "a.bin");
    ge_fs_list_free(names, n);
}

static void test_replace_fails(void **state)
{
    (void)state;
    assert_status(ge_fs_replace(in_folder("no/such/a"), "x", 1), GE_ENOENT);
    assert_ok(ge_fs_mkdirs(in_folder("dir")));
    assert_status(ge_fs_replace(in_folder("dir"), "x", 1), GE_EIO); /* a folder is in the way */
    char **names;
    size_t n;
    assert_ok(ge_fs_list(folder, &names, &n));
    for (size_t i = 0; i < n; i++) assert_null(strstr(names[i], ".tmp"));
    ge_fs_list_free(names, n);
    for (int fault = 1; fault <= 2; fault++) {
        ge_mem_fail_at((uint64_t)fault, 0);
        assert_status(ge_fs_replace(in_folder("b"), "x", 1), GE_ENOMEM);
        ge_mem_fail_at(0, 0);
        assert_false(ge_fs_exists(in_folder("b")));
    }
}

static void test_odd_files(void **state)
{
    (void)state;
    char *data;
    size_t len;
    const void *map;
    assert_status(ge_fs_read(in_folder("missing"), 10, &data, &len), GE_ENOENT);
    assert_status(ge_fs_read(folder, 10, &data, &len), GE_EFORMAT);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_status(ge_fs_read(in_folder("fifo"), 10, &data, &len), GE_EFORMAT); /* does not hang */
    assert_status(ge_fs_map(in_folder("fifo"), &map, &len), GE_EFORMAT);
    assert_ok(ge_fs_read("/proc/self/status", 1 << 20, &data, &len)); /* claims to be empty */
    assert_true(len > 100);
    free(data);
    assert_status(ge_fs_read("/proc/self/status", 100, &data, &len), GE_ELIMIT);
    int fd = open(in_folder("huge"), O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    assert_status(ge_fs_read(in_folder("huge"), 1 << 20, &data, &len), GE_ELIMIT);
}

static void test_map(void **state)
{
    (void)state;
    const void *data;
    size_t len;
    assert_ok(ge_fs_replace(in_folder("map"), "hello", 5));
    assert_ok(ge_fs_map(in_folder("map"), &data, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(data, "hello", 5);
    ge_fs_unmap(data, len);
    assert_ok(ge_fs_replace(in_folder("map"), "", 0));
    assert_ok(ge_fs_map(in_folder("map"), &data, &len));
    assert_null(data);
    assert_int_equal(len, 0);
    ge_fs_unmap(data, len);
}

static void test_stat_and_mkdirs(void **state)
{
    (void)state;
    struct ge_fs_stat st;
    assert_ok(ge_fs_replace(in_folder("s"), "abc", 3));
    assert_ok(ge_fs_stat(in_folder("s"), &st));
    assert_int_equal(st.size, 3);
    assert_true(st.is_file && !st.is_dir);
    assert_true(st.mtime_ns > (int64_t)1500000000 * 1000000000);
    assert_status(ge_fs_stat(in_folder("none"), &st), GE_ENOENT);
    assert_status(ge_fs_mkdirs(in_folder("s/under")), GE_EIO);
    assert_status(ge_fs_mkdirs(in_folder("s")), GE_EIO); /* a file is in the way */
    assert_status(ge_fs_mkdirs(""), GE_EINVAL);
    assert_ok(ge_fs_mkdirs(in_folder("x//y/z/")));
    assert_ok(ge_fs_mkdirs(in_folder("x/y/z")));
    assert_true(ge_fs_is_dir(in_folder("x/y/z")));
    rmdir(in_folder("x/y/z"));
    rmdir(in_folder("x/y"));
}

static void assert_joined(const char *base, const char *path, const char *want)
{
    char *joined = ge_fs_join(base, path);
    assert_string_equal(joined, want);
    free(joined);
}

static void assert_dirname(const char *path, const char *want)
{
    char *name = ge_fs_dirname(path);
    assert_string_equal(name, want);
    free(name);
}

static void test_names(void **state)
{
    (void)state;
    assert_joined("a", "b", "a/b");
    assert_joined("a/", "b", "a/b");
    assert_joined("a", "/b", "/b");
    assert_joined("", "b", "b");
    assert_joined("/", "b", "/b");
    assert_dirname("a/b/c", "a/b");
    assert_dirname("a", ".");
    assert_dirname("/a", "/");
    assert_string_equal(ge_fs_basename("a/b.txt"), "b.txt");
    assert_string_equal(ge_fs_basename("b"), "b");
    assert_string_equal(ge_fs_extension("a.d/b.tar.gz"), "gz");
    assert_string_equal(ge_fs_extension("a.d/b"), "");
    assert_string_equal(ge_fs_extension(".hidden"), "");
}

static void test_list_is_sorted(void **state)
{
    (void)state;
    static const char *const names[] = {"l-b", "l-a", "l-B", "l-10", "l-9"};
    for (size_t i = 0; i < 5; i++) assert_ok(ge_fs_replace(in_folder(names[i]), "", 0));
    char **list;
    size_t n;
    assert_ok(ge_fs_list(folder, &list, &n));
    for (size_t i = 1; i < n; i++) assert_true(strcmp(list[i - 1], list[i]) < 0);
    ge_fs_list_free(list, n);
    assert_status(ge_fs_list(in_folder("none"), &list, &n), GE_ENOENT);
    for (uint64_t fault = 1; fault < 6; fault++) {
        ge_mem_fail_at(fault, 0);
        assert_status(ge_fs_list(folder, &list, &n), GE_ENOMEM);
        ge_mem_fail_at(0, 0);
        assert_null(list);
    }
}

/* ---- hash ------------------------------------------------------------------------------------- */

static void test_hash_text(void **state)
{
    (void)state;
    char hex[GE_HASH_HEX];
    struct ge_hash h = ge_hash_bytes("", 0), back;
    ge_hash_hex(h, hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* published XXH3-128 value */
    assert_ok(ge_hash_parse(hex, &back));
    assert_true(ge_hash_equal(h, back));
    assert_ok(ge_hash_parse("99AA06D3014798D86001C324468D497F", &back));
    assert_true(ge_hash_equal(h, back));
    assert_status(ge_hash_parse("", &back), GE_EFORMAT);
    assert_status(ge_hash_parse("99aa06d3014798d86001c324468d497", &back), GE_EFORMAT);
    assert_status(ge_hash_parse("99aa06d3014798d86001c324468d497f0", &back), GE_EFORMAT);
    assert_status(ge_hash_parse("99aa06d3014798d86001c324468d497g", &back), GE_EFORMAT);
    struct ge_hash low = {1, 5}, high = {2, 0};
    assert_int_equal(ge_hash_compare(low, high), -1);
    assert_int_equal(ge_hash_compare(high, low), 1);
    assert_int_equal(ge_hash_compare(low, low), 0);
    assert_true(ge_hash_is_zero((struct ge_hash){0, 0}));
    assert_false(ge_hash_is_zero(low));
    assert_int_equal(ge_check64("", 0), 0x2d06800538d394c2u); /* published XXH3-64 value */
}

static struct ge_hash hash_two_strings(const char *a, const char *b)
{
    struct ge_hasher *h = ge_hasher_new();
    assert_non_null(h);
    ge_hasher_add_str(h, a);
    ge_hasher_add_str(h, b);
    struct ge_hash hash = ge_hasher_get(h);
    ge_hasher_delete(&h);
    assert_null(h);
    return hash;
}

static struct ge_hash hash_double(double v)
{
    struct ge_hasher *h = ge_hasher_new();
    assert_non_null(h);
    ge_hasher_add_f64(h, v);
    struct ge_hash hash = ge_hasher_get(h);
    ge_hasher_delete(&h);
    return hash;
}

static void test_hasher(void **state)
{
    (void)state;
    assert_true(ge_hash_equal(hash_two_strings("a", "b"), hash_two_strings("a", "b")));
    assert_false(ge_hash_equal(hash_two_strings("ab", "c"), hash_two_strings("a", "bc")));
    assert_false(ge_hash_equal(hash_two_strings("", "c"), hash_two_strings(NULL, "c")));
    assert_true(ge_hash_equal(hash_double(NAN), hash_double(-NAN)));
    assert_false(ge_hash_equal(hash_double(0.0), hash_double(-0.0)));
}

static void test_hash_file(void **state)
{
    (void)state;
    size_t len = 3000001;
    char *data = ge_calloc(len, 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) data[i] = (char)(i * 7 + i / 1000);
    struct ge_hash h;
    assert_ok(ge_fs_replace(in_folder("h"), data, len));
    assert_ok(ge_hash_file(in_folder("h"), &h));
    assert_true(ge_hash_equal(h, ge_hash_bytes(data, len)));
    free(data);
    assert_status(ge_hash_file(in_folder("none"), &h), GE_ENOENT);
    assert_status(ge_hash_file(folder, &h), GE_EIO);
}

/* ---- log -------------------------------------------------------------------------------------- */

/* What log.h writes to stderr, read back from a file. */
static void capture(const char *text, char *out, size_t size)
{
    int saved = dup(STDERR_FILENO);
    int fd = open(in_folder("log"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    assert_true(saved >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    ge_warn("%s", text);
    ge_debug("not shown");
    dup2(saved, STDERR_FILENO);
    ssize_t n = pread(fd, out, size - 1, 0);
    close(fd);
    close(saved);
    assert_true(n >= 0);
    out[n] = '\0';
}

static void test_log(void **state)
{
    (void)state;
    char out[8192], text[6000];
    ge_log_set_rank(3);
    capture("a\nb\x1b[0m", out, sizeof out);
    assert_string_equal(out, "gapeval[3]: warning: a b [0m\n");
    ge_log_set_rank(-1);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    capture(text, out, sizeof out);
    assert_true(strlen(out) < 4200);
    assert_int_equal(out[strlen(out) - 1], '\n');
    ge_log_set_level(GE_LOG_ERROR);
    capture("quiet", out, sizeof out);
    ge_log_set_level(GE_LOG_INFO);
    assert_string_equal(out, "");
}

static void test_clock(void **state)
{
    (void)state;
    char now[21];
    double a = ge_now(), b = ge_now();
    assert_true(b >= a && b - a < 10);
    ge_utc(now);
    assert_int_equal(strlen(now), 20);
    assert_int_equal(now[10], 'T');
    assert_int_equal(now[19], 'Z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_and_read),
        cmocka_unit_test(test_replace_fails),
        cmocka_unit_test(test_odd_files),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_stat_and_mkdirs),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_list_is_sorted),
        cmocka_unit_test(test_hash_text),
        cmocka_unit_test(test_hasher),
        cmocka_unit_test(test_hash_file),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
