/* json_pull and json: what they accept, what they refuse, and that hostile text does no harm. */
#include "base/fs.h"
#include "base/json.h"
#include "base/json_pull.h"
#include "base/mem.h"
#include "test.h"

/* Parse a copy of exactly len bytes, so that ASan sees any read beyond them. */
static ge_status parse_exact(const char *text, size_t len, ge_json **doc)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    ge_status rc = ge_json_parse(copy, len, "test", doc);
    free(copy);
    return rc;
}

static ge_json *parse(const char *text)
{
    ge_json *doc;
    assert_ok(parse_exact(text, strlen(text), &doc));
    return doc;
}

static void assert_refused(const char *text, size_t len, ge_status want)
{
    ge_json *doc;
    ge_error_clear();
    ge_status rc = parse_exact(text, len, &doc);
    if (rc != want || ge_error()[0] == '\0' || doc != NULL) {
        print_error("%.*s: %s (%s)\n", (int)(len < 100 ? len : 100), text, ge_status_name(rc),
                    ge_error());
        fail();
    }
}

static void assert_bad(const char *text)
{
    assert_refused(text, strlen(text), GE_EFORMAT);
}

/* A text of n times `piece`; free() it. */
static char *repeat(const char *piece, size_t n)
{
    size_t len = strlen(piece);
    char *text = ge_calloc(n * len + 1, 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++) memcpy(text + i * len, piece, len);
    return text;
}

/* ---- what is refused -------------------------------------------------------------------------- */

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[1}",
        "{\"a\":1]",
        "1 2",
        "{} x",
        "nul",
        "nulll",
        "True",
        "tru",
        "undefined",
        "// x\n1",
        "[1]]",
        ":",
        ",",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "\"a\nb\"",
        "\x01",
        "\xef\xbb\xbf{}",
        "{\"a\":1,\"a\":2}",
        "{\"x\":{\"a\":1,\"b\":2,\"\\u0061\":3}}",
        "[{\"a\":1},{\"b\":1,\"b\":1}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_bad(bad[i]);
    assert_refused("\"a\0b\"", 5, GE_EFORMAT);
    assert_refused("1\0", 2, GE_EFORMAT);
    assert_refused("\"\\\0\"", 4, GE_EFORMAT);
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "01",    "-01",      "+1",        ".5",    "1.",     "1.e5",
        "1e",    "1e+",      "--1",       "-",     "0x10",   "1_000",
        "NaN",   "Infinity", "-Infinity", "1e309", "-1e400", "1e999999999999999999",
        "1.2.3", "1e5.5",    "00",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_bad(bad[i]);
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},           {"-0", -0.0},
        {"1", 1},           {"-1.5", -1.5},
        {"1e308", 1e308},   {"1E+2", 100},
        {"5e-324", 5e-324}, {"1e-400", 0},
        {"0.1", 0.1},       {"9007199254740993", 9007199254740992.0},
        {"0e0", 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ge_json *doc = parse(good[i].text);
        double v = ge_json_number(doc, NAN);
        assert_true(v == good[i].value && signbit(v) == signbit(good[i].value));
        ge_json_delete(&doc);
    }
    char *digits = repeat("1", 63);
    ge_json *doc = parse(digits);
    assert_close(ge_json_number(doc, NAN), 1.1111111111111111e62, 1e46);
    ge_json_delete(&doc);
    free(digits);
    digits = repeat("1", 64);
    assert_refused(digits, 64, GE_ELIMIT);
    free(digits);
}

static void test_escapes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"\\u0000\"",        "\"\\ud800\"",       "\"\\udc00\"",  "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"", "\"\\ud83d\\ude0\"", "\"\\ud83dx\"", "{\"\\u0000\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_bad(bad[i]);
    ge_json *doc =
        parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20ac\\ud83d\\uDE00\", \"\"]");
    const ge_json *c = ge_json_first(doc);
    assert_string_equal(ge_json_string(c, NULL), "\"\\/\b\f\n\r\t");
    c = ge_json_next(c);
    assert_string_equal(ge_json_string(c, NULL), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    c = ge_json_next(c);
    assert_string_equal(ge_json_string(c, NULL), "");
    assert_null(ge_json_next(c));
    ge_json_delete(&doc);
}

static void test_invalid_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"\x80\"",     "\"\xc0\x80\"",     "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"", "\"abcdefgh\xff\"", "{\"\xff\":1}",     "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_bad(bad[i]);
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = 63; depth <= 66; depth++) {
        char *open = repeat("[", depth), *close = repeat("]", depth);
        char *text = ge_sprintf("%s%s", open, close);
        if (depth <= GE_JSON_MAX_DEPTH) {
            ge_json *doc = parse(text);
            ge_json_delete(&doc);
        } else {
            assert_refused(text, strlen(text), GE_ELIMIT);
        }
        free(open);
        free(close);
        free(text);
    }
    char *deep = repeat("{\"a\":", 1000000);
    assert_refused(deep, strlen(deep), GE_ELIMIT);
    free(deep);
}

static void test_place_in_message(void **state)
{
    (void)state;
    assert_bad("{\n  \"a\": 1,\n  \"b\" 2\n}");
    assert_non_null(strstr(ge_error(), "test: line 3, column 7"));
    assert_bad("{\"k\": {\"x\": 1,\n \"y\": 2,\n \"x\": 3}}");
    assert_non_null(strstr(ge_error(), "line 3"));
    assert_non_null(strstr(ge_error(), "\"x\" appears twice"));
}

/* Every prefix and every text with one byte changed: an answer, no harm. */
static void test_mutations(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\": [1, -2.5e3, true, false, null, \"x\\u00e9\\ud83d\\ude00\\n\"], "
        "\"b\": {\"c\": {}, \"d\": []}, \"caf\xc3\xa9\": \"\xe2\x82\xac\"}";
    size_t len = sizeof text - 1;
    char copy[sizeof text];
    ge_json *doc;
    for (size_t cut = 0; cut < len; cut++) assert_refused(text, cut, GE_EFORMAT);
    for (size_t i = 0; i < len; i++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, text, len);
            copy[i] = (char)byte;
            ge_status rc = parse_exact(copy, len, &doc);
            assert_true(rc == GE_OK || rc == GE_EFORMAT);
            assert_true((doc != NULL) == (rc == GE_OK));
            ge_json_delete(&doc);
        }
    }
}

static void test_size_cap(void **state)
{
    (void)state;
    ge_json *doc;
    assert_status(ge_json_parse("1", GE_JSON_MAX_BYTES + 1, "big", &doc), GE_ELIMIT);
    assert_null(doc);
}

/* ---- large input ------------------------------------------------------------------------------ */

static void test_long_string(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    char *body = repeat("a\\n\xc3\xa9", n / 4);
    char *text = ge_sprintf("\"%s\"", body);
    ge_json *doc = parse(text);
    assert_int_equal(strlen(ge_json_string(doc, "")), n);
    ge_json_delete(&doc);
    free(body);
    free(text);
}

/* Many keys, all different or with one duplicate at the far end. */
static void test_many_keys(void **state)
{
    (void)state;
    struct ge_buf b;
    ge_json *doc;
    ge_buf_init(&b, GE_JSON_MAX_BYTES);
    ge_buf_str(&b, "{\"key0\":0");
    for (int i = 1; i < 200000; i++) ge_buf_printf(&b, ",\"key%d\":%d", i, i);
    size_t end = b.len;
    ge_buf_char(&b, '}');
    assert_ok(ge_buf_status(&b));
    assert_ok(parse_exact(b.data, b.len, &doc));
    assert_int_equal(ge_json_count(doc), 200000);
    assert_close(ge_json_number(ge_json_get(doc, "key199999"), NAN), 199999, 0);
    ge_json_delete(&doc);
    b.len = end;
    ge_buf_str(&b, ",\"key77\":1}");
    assert_status(parse_exact(b.data, b.len, &doc), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "key77"));
    ge_buf_free(&b);
}

/* ---- out of memory ---------------------------------------------------------------------------- */

static void test_every_allocation_fails(void **state)
{
    (void)state;
    const char *text = "{\"a\": [1, \"two\", {\"b\": null}], \"c\": {\"d\": \"\\u00e9\"}, "
                       "\"e\": 1, \"f\": 2, \"g\": 3, \"h\": 4, \"i\": 5, \"j\": 6, \"k\": 7}";
    ge_status rc = GE_ENOMEM;
    uint64_t fault = 0;
    while (rc != GE_OK) {
        ge_json *doc;
        ge_mem_fail_at(++fault, 0);
        ge_error_clear();
        rc = ge_json_parse(text, strlen(text), "test", &doc);
        ge_mem_fail_at(0, 0);
        assert_true(rc == GE_OK || rc == GE_ENOMEM);
        assert_true(rc == GE_OK || (doc == NULL && ge_error()[0] != '\0'));
        ge_json_delete(&doc);
        assert_true(fault < 1000);
    }
    assert_true(fault > 20);
}

static void test_editing_out_of_memory(void **state)
{
    (void)state;
    ge_json *value = parse("{\"x\": [1, \"y\"]}");
    ge_status rc = GE_ENOMEM;
    for (uint64_t fault = 1; rc != GE_OK; fault++) {
        ge_json *doc = parse("{\"a\": {\"b\": 1}}");
        ge_mem_fail_at(fault, 0);
        rc = ge_json_set_path(doc, "a.c.d", value);
        ge_mem_fail_at(0, 0);
        assert_true(rc == GE_OK || rc == GE_ENOMEM);
        assert_close(ge_json_number(ge_json_get_path(doc, "a.b"), NAN), 1, 0);
        ge_json_delete(&doc);
        assert_true(fault < 100);
    }
    ge_json_delete(&value);
}

/* ---- reading values --------------------------------------------------------------------------- */

static void test_access(void **state)
{
    (void)state;
    ge_json *doc = parse("{\"s\": \"x\", \"n\": 2.5, \"b\": true, \"z\": null, \"a\": [1, 2], "
                         "\"o\": {\"k\": 1}, \"S\": \"upper\"}");
    assert_int_equal(ge_json_type(doc), GE_JSON_OBJECT);
    assert_int_equal(ge_json_count(doc), 7);
    assert_string_equal(ge_json_string(ge_json_get(doc, "s"), NULL), "x");
    assert_string_equal(ge_json_string(ge_json_get(doc, "S"), NULL), "upper");
    assert_string_equal(ge_json_string(ge_json_get(doc, "n"), "default"), "default");
    assert_close(ge_json_number(ge_json_get(doc, "n"), NAN), 2.5, 0);
    assert_true(ge_json_bool(ge_json_get(doc, "b"), false));
    assert_true(ge_json_bool(ge_json_get(doc, "none"), true));
    assert_int_equal(ge_json_type(ge_json_get(doc, "z")), GE_JSON_NULL);
    assert_null(ge_json_get(doc, "none"));
    assert_null(ge_json_get(NULL, "s"));
    assert_null(ge_json_get(ge_json_get(doc, "a"), "s"));
    assert_null(ge_json_first(ge_json_get(doc, "s")));
    assert_null(ge_json_key(ge_json_first(ge_json_get(doc, "a"))));
    assert_string_equal(ge_json_key(ge_json_first(ge_json_get(doc, "o"))), "k");
    assert_string_equal(ge_json_type_name(ge_json_type(ge_json_get(doc, "a"))), "array");
    ge_json_delete(&doc);
    assert_null(doc);
    ge_json_delete(&doc);
}

static void test_int(void **state)
{
    (void)state;
    int64_t v = 0;
    ge_json *doc = parse("[7, 1.5, \"1\", null, 9007199254740993e1, -3, 9007199254740992]");
    const ge_json *c = ge_json_first(doc);
    assert_ok(ge_json_int(c, "x", 0, 7, &v));
    assert_int_equal(v, 7);
    assert_status(ge_json_int(c, "x", 0, 6, &v), GE_EFORMAT);
    assert_status(ge_json_int(c, "x", 8, 9, &v), GE_EFORMAT);
    for (int i = 0; i < 4; i++) {
        c = ge_json_next(c);
        assert_status(ge_json_int(c, "x", INT64_MIN, INT64_MAX, &v), GE_EFORMAT);
    }
    c = ge_json_next(c);
    assert_ok(ge_json_int(c, "x", INT64_MIN, INT64_MAX, &v));
    assert_int_equal(v, -3);
    c = ge_json_next(c);
    assert_ok(ge_json_int(c, "x", INT64_MIN, INT64_MAX, &v));
    assert_int_equal(v, 9007199254740992);
    assert_status(ge_json_int(NULL, "runtime.threads", 0, 1, &v), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "runtime.threads is missing"));
    ge_json_delete(&doc);
}

static void test_strings(void **state)
{
    (void)state;
    const char **list;
    size_t n;
    ge_json *doc =
        parse("{\"one\": \"a\", \"many\": [\"a\", \"b\"], \"none\": [], \"bad\": [\"a\", 1], "
              "\"null\": null}");
    assert_ok(ge_json_strings(ge_json_get(doc, "one"), "one", &list, &n));
    assert_int_equal(n, 1);
    assert_string_equal(list[0], "a");
    free(list);
    assert_ok(ge_json_strings(ge_json_get(doc, "many"), "many", &list, &n));
    assert_int_equal(n, 2);
    assert_string_equal(list[1], "b");
    free(list);
    assert_ok(ge_json_strings(ge_json_get(doc, "none"), "none", &list, &n));
    assert_int_equal(n, 0);
    free(list);
    assert_ok(ge_json_strings(NULL, "missing", &list, &n));
    assert_int_equal(n, 0);
    free(list);
    assert_status(ge_json_strings(ge_json_get(doc, "bad"), "bad", &list, &n), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "bad[1]"));
    assert_null(list);
    assert_status(ge_json_strings(ge_json_get(doc, "null"), "null", &list, &n), GE_EFORMAT);
    assert_status(ge_json_strings(doc, "doc", &list, &n), GE_EFORMAT);
    ge_json_delete(&doc);
}

static void test_read_file(void **state)
{
    (void)state;
    char path[] = "/tmp/base-json-XXXXXX";
    int fd = mkstemp(path);
    ge_json *doc;
    assert_true(fd >= 0);
    assert_ok(ge_fs_write_all(fd, "{\"a\": 1}\n", 9, path));
    assert_ok(ge_json_read(path, &doc));
    assert_close(ge_json_number(ge_json_get(doc, "a"), NAN), 1, 0);
    ge_json_delete(&doc);
    assert_ok(ge_fs_write_all(fd, "x", 1, path));
    assert_status(ge_json_read(path, &doc), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), path));
    remove(path);
    assert_status(ge_json_read(path, &doc), GE_ENOENT);
    assert_null(doc);
}

/* ---- pull parser ------------------------------------------------------------------------------ */

static void test_events(void **state)
{
    (void)state;
    static const enum ge_jsonp_event want[] = {
        GE_JSONP_OBJECT, GE_JSONP_KEY,        GE_JSONP_ARRAY,      GE_JSONP_NUMBER,
        GE_JSONP_TRUE,   GE_JSONP_FALSE,      GE_JSONP_NULL,       GE_JSONP_ARRAY_END,
        GE_JSONP_KEY,    GE_JSONP_OBJECT,     GE_JSONP_OBJECT_END, GE_JSONP_KEY,
        GE_JSONP_STRING, GE_JSONP_OBJECT_END, GE_JSONP_END,        GE_JSONP_END,
    };
    const char *text = " {\"a\":[1 , true,false,null],\"b\" : {} ,\n\"c\":\"\"}\r\n\t";
    struct ge_jsonp p;
    enum ge_jsonp_event event;
    ge_jsonp_init(&p, text, strlen(text), "test");
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_ok(ge_jsonp_next(&p, &event));
        assert_int_equal(event, want[i]);
        if (event == GE_JSONP_NUMBER) assert_close(p.number, 1, 0);
        if (event == GE_JSONP_STRING) assert_string_equal(p.text.data, "");
    }
    ge_jsonp_free(&p);
}

static void test_skip(void **state)
{
    (void)state;
    const char *text = "{\"a\": {\"b\": [1, {\"c\": 2}]}, \"d\": 3, \"e\": [[], 4]}";
    struct ge_jsonp p;
    enum ge_jsonp_event event;
    ge_jsonp_init(&p, text, strlen(text), "test");
    assert_ok(ge_jsonp_next(&p, &event));
    static const char *const keys[] = {"a", "d"};
    for (int i = 0; i < 2; i++) {
        assert_ok(ge_jsonp_next(&p, &event));
        assert_int_equal(event, GE_JSONP_KEY);
        assert_string_equal(p.text.data, keys[i]);
        assert_ok(ge_jsonp_skip(&p));
        assert_int_equal(p.depth, 1);
    }
    assert_ok(ge_jsonp_next(&p, &event)); /* "e" */
    assert_ok(ge_jsonp_next(&p, &event)); /* [ */
    assert_ok(ge_jsonp_skip(&p));         /* [] */
    assert_ok(ge_jsonp_skip(&p));         /* 4 */
    assert_status(ge_jsonp_skip(&p), GE_EFORMAT);
    ge_jsonp_free(&p);
}

/* A caller that goes on after a failure meets failures, never an endless stream. */
static void test_pull_after_failure(void **state)
{
    (void)state;
    static const char *const bad[] = {"[1,]", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "[\"\\q\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ge_jsonp p;
        enum ge_jsonp_event event;
        int failures = 0;
        ge_jsonp_init(&p, bad[i], strlen(bad[i]), "test");
        for (int step = 0; step < 20; step++) failures += ge_jsonp_next(&p, &event) != GE_OK;
        assert_true(failures >= 15);
        ge_jsonp_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_place_in_message),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_size_cap),
        cmocka_unit_test(test_long_string),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_editing_out_of_memory),
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_pull_after_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
