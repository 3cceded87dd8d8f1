/* Writing and editing JSON: exact numbers, escapes, the streaming writer, dotted paths. */
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "test.h"

static ge_json *parse(const char *text)
{
    ge_json *doc;
    assert_ok(ge_json_parse(text, strlen(text), "test", &doc));
    return doc;
}

static void assert_prints(const ge_json *n, const char *want)
{
    struct ge_buf b;
    ge_buf_init(&b, 1 << 20);
    ge_json_print(n, &b);
    assert_ok(ge_buf_status(&b));
    assert_string_equal(b.data, want);
    ge_buf_free(&b);
}

static void assert_round_trip(const char *text)
{
    ge_json *doc = parse(text);
    assert_prints(doc, text);
    ge_json_delete(&doc);
}

static void test_print(void **state)
{
    (void)state;
    assert_round_trip("{\"a\":[1,-2.5,true,false,null,\"x\\n\\\"\\\\\"],\"b\":{},\"c\":[]}");
    assert_round_trip("\"\\u0001\\b\\f\\r\\t\xc3\xa9\xf0\x9f\x98\x80/\x7f\"");
    assert_round_trip("[0.1,1e+300,9007199254740991,1000000000000000,-0,5e-324]");
    assert_round_trip("[[[[]]],{\"\":{\"k\":[{}]}}]");
}

static void test_double_text(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-17, "-17"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {100000000000000000.0, "1e+17"},
        {9007199254740991.0, "9007199254740991"},
        {1e15, "1000000000000000"},
        {1e22, "1e+22"},
        {0.30000000000000004, "0.30000000000000004"},
        {5e-324, "5e-324"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        ge_double_text(known[i].value, text);
        assert_string_equal(text, known[i].text);
    }
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = ge_mix(1, i);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        ge_double_text(v, text);
        assert_true(strlen(text) < 32);
        assert_true(strtod(text, NULL) == v);
    }
}

static void test_escape_bad_bytes(void **state)
{
    (void)state;
    struct ge_buf b;
    ge_buf_init(&b, 1000);
    ge_json_escape(&b, "a\xff\xe2\x82z\0q", 7);
    assert_string_equal(b.data, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\\u0000q\"");
    ge_buf_reset(&b);
    ge_json_escape(&b, "", 0);
    assert_string_equal(b.data, "\"\"");
    ge_buf_free(&b);
}

static void write_sample(struct ge_buf *b, int indent)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, b, indent);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "name", "a\"b");
    ge_jsonw_string(&w, "none", NULL);
    ge_jsonw_array(&w, "list");
    ge_jsonw_int(&w, NULL, INT64_MIN);
    ge_jsonw_double(&w, NULL, NAN);
    ge_jsonw_double(&w, NULL, 0.25);
    ge_jsonw_array_end(&w);
    ge_jsonw_object(&w, "empty");
    ge_jsonw_object_end(&w);
    ge_jsonw_bool(&w, "yes", true);
    ge_jsonw_raw(&w, "raw", "[1]");
    ge_jsonw_null(&w, "null");
    ge_jsonw_object_end(&w);
}

static void test_writer(void **state)
{
    (void)state;
    struct ge_buf b;
    ge_buf_init(&b, 1000);
    write_sample(&b, 0);
    assert_ok(ge_buf_status(&b));
    assert_string_equal(b.data, "{\"name\":\"a\\\"b\",\"none\":null,\"list\":[-9223372036854775808,"
                                "null,0.25],\"empty\":{},\"yes\":true,\"raw\":[1],\"null\":null}");
    ge_buf_reset(&b);
    write_sample(&b, 2);
    assert_string_equal(b.data, "{\n  \"name\": \"a\\\"b\",\n  \"none\": null,\n  \"list\": [\n"
                                "    -9223372036854775808,\n    null,\n    0.25\n  ],\n"
                                "  \"empty\": {},\n  \"yes\": true,\n  \"raw\": [1],\n"
                                "  \"null\": null\n}");
    ge_buf_free(&b);
    ge_buf_init(&b, 20); /* the cap sticks; nothing breaks */
    write_sample(&b, 2);
    assert_status(ge_buf_status(&b), GE_ELIMIT);
    ge_buf_free(&b);
}

static void test_set_path(void **state)
{
    (void)state;
    ge_json *doc = parse("{\"a\":{\"b\":1},\"c\":[1]}"), *value = parse("{\"v\":[true]}");
    assert_ok(ge_json_set_path(doc, "a.b", value));
    assert_ok(ge_json_set_path(doc, "a.x.y", value));
    assert_ok(ge_json_set_path(doc, "d", ge_json_get_path(value, "v")));
    assert_prints(doc, "{\"a\":{\"b\":{\"v\":[true]},\"x\":{\"y\":{\"v\":[true]}}},\"c\":[1],"
                       "\"d\":[true]}");
    assert_status(ge_json_set_path(doc, "c.z", value), GE_EINVAL);
    assert_status(ge_json_set_path(doc, "", value), GE_EINVAL);
    assert_status(ge_json_set_path(doc, "a..b", value), GE_EINVAL);
    assert_status(ge_json_set_path(doc, "a.", value), GE_EINVAL);
    ge_json *array = parse("[]");
    assert_status(ge_json_set_path(array, "a", value), GE_EINVAL);
    ge_json_delete(&array);
    assert_non_null(ge_json_get_path(doc, "a.x.y.v"));
    assert_null(ge_json_get_path(doc, "a.x.q"));
    assert_null(ge_json_get_path(doc, "c.0"));
    assert_null(ge_json_get_path(NULL, "a"));
    ge_json_delete(&value);
    ge_json_delete(&doc);
}

static void test_set_path_depth(void **state)
{
    (void)state;
    ge_json *doc = parse("{}"), *value = parse("1");
    struct ge_buf b;
    ge_buf_init(&b, 1 << 20);
    ge_buf_str(&b, "a");
    for (int i = 1; i < GE_JSON_MAX_DEPTH; i++) ge_buf_str(&b, ".a");
    assert_ok(ge_json_set_path(doc, b.data, value));
    ge_buf_str(&b, ".a");
    assert_status(ge_json_set_path(doc, b.data, value), GE_ELIMIT);
    ge_buf_free(&b);
    ge_json_delete(&value);
    ge_json_delete(&doc);
}

static void test_copy(void **state)
{
    (void)state;
    ge_json *doc = parse("{\"a\":[1,{\"b\":\"c\"}]}"), *copy;
    assert_ok(ge_json_copy(ge_json_get(doc, "a"), &copy));
    ge_json_delete(&doc);
    assert_prints(copy, "[1,{\"b\":\"c\"}]");
    ge_mem_fail_at(3, 0);
    assert_status(ge_json_copy(copy, &doc), GE_ENOMEM);
    ge_mem_fail_at(0, 0);
    assert_null(doc);
    ge_json_delete(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_double_text),
        cmocka_unit_test(test_escape_bad_bytes),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_set_path),
        cmocka_unit_test(test_set_path_depth),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
