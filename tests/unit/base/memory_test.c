/* status, mem, buf, arena, utf8: what every other module stands on. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "test.h"

/* ---- status ----------------------------------------------------------------------------------- */

static void test_messages(void **state)
{
    (void)state;
    ge_error_clear();
    assert_string_equal(ge_error(), "");
    assert_int_equal(ge_fail(GE_EIO, "disk %d", 7), GE_EIO);
    assert_int_equal(ge_fail_in(GE_EIO, "file %s", "x"), GE_EIO);
    assert_string_equal(ge_error(), "file x: disk 7");
    ge_fail(GE_EIO, "again: %s", ge_error()); /* the old message as an argument */
    assert_string_equal(ge_error(), "again: file x: disk 7");
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ge_fail(GE_EIO, "%s", text);
    assert_int_equal(strlen(ge_error()), 2047);
    ge_fail_in(GE_EIO, "%s", text);
    assert_int_equal(strlen(ge_error()), 2047);
}

static void test_status_names(void **state)
{
    (void)state;
    for (int a = GE_OK; a <= GE_EINTERNAL; a++) {
        assert_string_not_equal(ge_status_name((ge_status)a), "unknown");
        for (int b = GE_OK; b < a; b++) {
            assert_string_not_equal(ge_status_name((ge_status)a), ge_status_name((ge_status)b));
        }
    }
    assert_string_equal(ge_status_name((ge_status)99), "unknown");
    assert_true(ge_status_is_content(GE_EFORMAT));
    assert_true(ge_status_is_content(GE_ELIMIT));
    assert_true(ge_status_is_content(GE_EUNSUPPORTED));
    assert_false(ge_status_is_content(GE_OK));
    assert_false(ge_status_is_content(GE_ENOENT));
    assert_false(ge_status_is_content(GE_EIO));
    assert_false(ge_status_is_content(GE_ENOMEM));
}

/* ---- mem -------------------------------------------------------------------------------------- */

static void test_checked_sizes(void **state)
{
    (void)state;
    size_t v = 1;
    int i = 1;
    assert_ok(ge_mul(SIZE_MAX / 2, 2, &v));
    assert_int_equal(v, SIZE_MAX - 1);
    assert_status(ge_mul(SIZE_MAX / 2 + 1, 2, &v), GE_ELIMIT);
    assert_status(ge_add(SIZE_MAX, 1, &v), GE_ELIMIT);
    assert_int_equal(v, SIZE_MAX - 1); /* untouched */
    assert_ok(ge_mul(0, SIZE_MAX, &v));
    assert_ok(ge_add(SIZE_MAX, 0, &v));
    assert_ok(ge_to_int(INT32_MAX, &i));
    assert_status(ge_to_int((size_t)INT32_MAX + 1, &i), GE_ELIMIT);
    assert_int_equal(i, INT32_MAX);
}

static void test_allocation(void **state)
{
    (void)state;
    assert_null(ge_calloc(SIZE_MAX / 2, 3));
    assert_null(ge_realloc(NULL, SIZE_MAX / 2, 3));
    assert_null(ge_calloc_aligned(SIZE_MAX, 1));
    void *empty = ge_calloc(0, 8);
    assert_non_null(empty);
    free(empty);
    unsigned char *p = ge_calloc_aligned(65, 1);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (int i = 0; i < 65; i++) assert_int_equal(p[i], 0);
    free(p);
    char *s = ge_sprintf("%s-%d", "item", 12);
    assert_string_equal(s, "item-12");
    free(s);
    s = ge_strndup("abcdef", 3);
    assert_string_equal(s, "abc");
    free(s);
}

static void test_fault_injection(void **state)
{
    (void)state;
    ge_mem_fail_at(2, 0);
    void *a = ge_calloc(1, 1), *b = ge_calloc(1, 1), *c = ge_calloc(1, 1);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    ge_mem_fail_at(1, 1);
    assert_null(ge_calloc(1, 1));
    assert_null(ge_strdup("x"));
    assert_null(ge_calloc_aligned(1, 1));
    ge_mem_fail_at(0, 0);
    free(a);
    free(c);
}

static ge_status grow_to(size_t want, int **out)
{
    ge_status rc = GE_OK;
    int *list = NULL;
    size_t n = 0, cap = 0;
    while (n < want) {
        GE_GROW(list, n, cap);
        list[n] = (int)n;
        n++;
    }
    *out = list;
    list = NULL;
done:
    free(list);
    return rc;
}

static void test_grow(void **state)
{
    (void)state;
    int *list = NULL;
    assert_ok(grow_to(1000, &list));
    for (int i = 0; i < 1000; i++) assert_int_equal(list[i], i);
    free(list);
    ge_mem_fail_at(4, 0);
    assert_int_equal(grow_to(1000, &list), GE_ENOMEM);
    ge_mem_fail_at(0, 0);
}

/* ---- buf -------------------------------------------------------------------------------------- */

static void test_buffer_cap(void **state)
{
    (void)state;
    struct ge_buf b;
    ge_buf_init(&b, 5);
    ge_buf_str(&b, "abc");
    ge_buf_printf(&b, "%d", 12);
    assert_ok(ge_buf_status(&b));
    assert_string_equal(b.data, "abc12");
    ge_buf_char(&b, 'x');
    ge_buf_reset(&b);
    ge_buf_str(&b, "abcdef");
    ge_buf_char(&b, 'x'); /* does nothing after the failure */
    assert_int_equal(b.len, 0);
    assert_status(ge_buf_status(&b), GE_ELIMIT);
    assert_null(ge_buf_take(&b, NULL));
    ge_buf_free(&b);
    char *s = ge_buf_take(&b, NULL);
    assert_string_equal(s, "");
    free(s);
}

static void test_buffer_grows(void **state)
{
    (void)state;
    struct ge_buf b;
    size_t len;
    ge_buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 100000; i++) ge_buf_char(&b, (char)('a' + i % 26));
    char *s = ge_buf_take(&b, &len);
    assert_non_null(s);
    assert_int_equal(len, 100000);
    for (int i = 0; i < 100000; i++) assert_int_equal(s[i], 'a' + i % 26);
    assert_int_equal(s[len], '\0');
    free(s);
    ge_mem_fail_at(1, 0);
    ge_buf_str(&b, "x");
    ge_mem_fail_at(0, 0);
    assert_status(ge_buf_status(&b), GE_ENOMEM);
    ge_buf_free(&b);
}

static void write_all_kinds(struct ge_buf *b)
{
    ge_buf_u8(b, 200);
    ge_buf_u32(b, 0x01020304u);
    ge_buf_u64(b, 0x0102030405060708u);
    ge_buf_f64(b, -0.0);
    ge_buf_f64(b, INFINITY);
    ge_buf_blob(b, "a\0b", 3);
    ge_buf_lpstr(b, NULL);
    ge_buf_lpstr(b, "");
    ge_buf_lpstr(b, "word");
}

/* Read what write_all_kinds() wrote; the values count only if the status is GE_OK. */
static ge_status read_all_kinds(const char *data, size_t len)
{
    struct ge_reader r;
    size_t n;
    ge_reader_init(&r, data, len);
    unsigned u8 = ge_read_u8(&r);
    uint32_t u32 = ge_read_u32(&r);
    uint64_t u64 = ge_read_u64(&r);
    double zero = ge_read_f64(&r), infinity = ge_read_f64(&r);
    const void *blob = ge_read_blob(&r, &n);
    char *null = ge_read_lpstr(&r), *empty = ge_read_lpstr(&r), *word = ge_read_lpstr(&r);
    ge_status rc = ge_reader_end(&r);
    if (rc == GE_OK) {
        assert_int_equal(u8, 200);
        assert_int_equal(u32, 0x01020304u);
        assert_int_equal(u64, 0x0102030405060708u);
        assert_true(zero == 0 && signbit(zero));
        assert_true(isinf(infinity));
        assert_int_equal(n, 3);
        assert_memory_equal(blob, "a\0b", 3);
        assert_null(null);
        assert_string_equal(empty, "");
        assert_string_equal(word, "word");
    }
    free(null);
    free(empty);
    free(word);
    return rc;
}

static void test_reader(void **state)
{
    (void)state;
    struct ge_buf b;
    size_t len;
    ge_buf_init(&b, 1000);
    write_all_kinds(&b);
    char *data = ge_buf_take(&b, &len);
    assert_memory_equal(data + 1, "\x04\x03\x02\x01", 4);
    assert_ok(read_all_kinds(data, len));
    for (size_t cut = 0; cut < len; cut++) { /* exact copies, so that ASan sees an overrun */
        char *part = ge_strndup(data, cut);
        char *exact = realloc(part, cut > 0 ? cut : 1);
        assert_non_null(exact);
        assert_status(read_all_kinds(exact, cut), GE_EFORMAT);
        free(exact);
    }
    char *longer = ge_calloc(len + 1, 1);
    assert_non_null(longer);
    memcpy(longer, data, len);
    assert_status(read_all_kinds(longer, len + 1), GE_EFORMAT);
    free(longer);
    ge_mem_fail_at(1, 0);
    assert_status(read_all_kinds(data, len), GE_ENOMEM);
    ge_mem_fail_at(0, 0);
    free(data);
}

static void test_reader_hostile(void **state)
{
    (void)state;
    struct ge_reader r;
    size_t n;
    ge_reader_init(&r,
                   "\xfe\xff\xff\xff"
                   "abc",
                   7); /* claims 4 GiB */
    assert_null(ge_read_lpstr(&r));
    assert_status(ge_reader_end(&r), GE_EFORMAT);
    ge_reader_init(&r, "\x03\0\0\0a\0b", 7); /* a NUL inside a string */
    assert_null(ge_read_lpstr(&r));
    assert_status(ge_reader_end(&r), GE_EFORMAT);
    ge_reader_init(&r, NULL, 0);
    assert_null(ge_read_blob(&r, &n));
    assert_int_equal(n, 0);
    assert_int_equal(ge_read_u64(&r), 0);
    assert_status(ge_reader_end(&r), GE_EFORMAT);
}

/* ---- arena ------------------------------------------------------------------------------------ */

static void test_arena(void **state)
{
    (void)state;
    struct ge_arena *a = ge_arena_new();
    assert_non_null(a);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 3000; n++) {
            unsigned char *p = ge_arena_alloc(a, n, 1);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        assert_true(ge_arena_bytes(a) >= 4000000);
        ge_arena_reset(a);
        assert_true(ge_arena_bytes(a) <= 2000000);
    }
    assert_string_equal(ge_arena_strdup(a, "word"), "word");
    assert_string_equal(ge_arena_strndup(a, "word", 2), "wo");
    assert_string_equal(ge_arena_printf(a, "%d/%s", 3, "x"), "3/x");
    assert_null(ge_arena_strdup(a, NULL));
    assert_non_null(ge_arena_alloc(a, 10 << 20, 1)); /* larger than any block */
    assert_null(ge_arena_alloc(a, SIZE_MAX, 1));
    assert_null(ge_arena_alloc(a, SIZE_MAX / 2, 4));
    ge_arena_delete(&a);
    assert_null(a);
    ge_arena_delete(&a);
}

static void test_arena_out_of_memory(void **state)
{
    (void)state;
    ge_mem_fail_at(1, 0);
    assert_null(ge_arena_new());
    struct ge_arena *a = ge_arena_new();
    assert_non_null(a);
    ge_mem_fail_at(1, 0);
    assert_null(ge_arena_alloc(a, 1, 1));
    ge_mem_fail_at(0, 0);
    assert_non_null(ge_arena_alloc(a, 1, 1));
    ge_arena_delete(&a);
}

/* ---- utf8 ------------------------------------------------------------------------------------- */

static void test_utf8_round_trip(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        char text[4];
        size_t n, len = ge_utf8_encode(cp, text);
        int32_t back = ge_utf8_decode(text, len, &n);
        int valid = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
        if (back != (valid ? (int32_t)cp : -1) || n != (valid ? len : 1)) {
            print_error("U+%04X gives %d, %zu bytes\n", (unsigned)cp, (int)back, n);
            fail();
        }
    }
}

static void test_utf8_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf5\x80\x80\x80", "\xff",
        "\xe2\x82",     "\xf0\x9f\x98",     "\xe2\x28\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t n;
        assert_int_equal(ge_utf8_decode(bad[i], strlen(bad[i]), &n), -1);
        assert_int_equal(n, 1);
        assert_int_equal(ge_utf8_valid(bad[i], strlen(bad[i])), 0);
    }
    const char *text = "twelve bytes \xc3\xa9 and then\xff more";
    assert_int_equal(ge_utf8_valid(text, strlen(text)), 24);
    assert_int_equal(ge_utf8_valid("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_checked_sizes),
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_fault_injection),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_buffer_cap),
        cmocka_unit_test(test_buffer_grows),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_hostile),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_out_of_memory),
        cmocka_unit_test(test_utf8_round_trip),
        cmocka_unit_test(test_utf8_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
