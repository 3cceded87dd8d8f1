/* CSV: what RFC 4180 allows, what it does not, and memory failures. */
#include "base/csv.h"
#include "base/mem.h"
#include "test.h"

static struct ge_csv *csv;

static ge_status parse(const char *text)
{
    ge_csv_delete(&csv);
    return ge_csv_parse(text, strlen(text), "t.csv", ',', &csv);
}

static int tear_down(void **state)
{
    (void)state;
    ge_csv_delete(&csv);
    return 0;
}

static void assert_field(size_t row, const char *column, const char *want)
{
    assert_string_equal(ge_csv_field(csv, row, ge_csv_find(csv, column)), want);
}

static void test_plain(void **state)
{
    (void)state;
    assert_ok(parse("a,b,c\n1,,x y \n,2,\n"));
    assert_int_equal(csv->n_columns, 3);
    assert_int_equal(csv->n_rows, 2);
    assert_field(0, "a", "1");
    assert_field(0, "b", "");
    assert_field(0, "c", "x y ");
    assert_field(1, "a", "");
    assert_field(1, "b", "2");
    assert_field(1, "c", "");
    assert_field(1, "absent", "");
    assert_int_equal(csv->lines[1], 3);
}

static void test_line_ends(void **state)
{
    (void)state;
    /* A byte order mark, CRLF, empty lines, no end of the last line. */
    assert_ok(parse("\xEF\xBB\xBF\r\na,b\r\n\r\n1,2\r\n\n\n3,4"));
    assert_string_equal(csv->columns[0], "a");
    assert_int_equal(csv->n_rows, 2);
    assert_field(0, "b", "2");
    assert_field(1, "b", "4");
    assert_int_equal(csv->lines[0], 4);
    assert_int_equal(csv->lines[1], 7);
    assert_ok(parse("a,b"));
    assert_int_equal(csv->n_rows, 0);
    assert_ok(parse("a,b\n,")); /* two empty fields */
    assert_int_equal(csv->n_rows, 1);
    assert_field(0, "b", "");
}

static void test_quotes(void **state)
{
    (void)state;
    assert_ok(parse("\"a\",\"b,\"\"\"\n\"x\r\ny\",\"\"\n\"\"\"\",\"z\"\n"));
    assert_string_equal(csv->columns[1], "b,\"");
    assert_field(0, "a", "x\r\ny");
    assert_field(0, "b,\"", "");
    assert_field(1, "a", "\"");
    assert_field(1, "b,\"", "z");
    assert_int_equal(csv->lines[1], 4);
}

static void test_separator(void **state)
{
    (void)state;
    const char text[] = "a\tb\n1,5\t\"x\ty\"\n";
    ge_csv_delete(&csv);
    assert_ok(ge_csv_parse(text, strlen(text), "t.tsv", '\t', &csv));
    assert_field(0, "a", "1,5");
    assert_field(0, "b", "x\ty");
}

static void assert_refused(const char *text, const char *why)
{
    assert_status(parse(text), GE_EFORMAT);
    assert_null(csv);
    if (strstr(ge_error(), why) == NULL) {
        print_error("\"%s\" says \"%s\", wanted \"%s\"\n", text, ge_error(), why);
        fail();
    }
}

static void test_refused(void **state)
{
    (void)state;
    assert_refused("", "empty");
    assert_refused("\n\r\n", "empty");
    assert_refused("a,a\n", "two columns are named \"a\"");
    assert_refused("a,b\n1\n", "line 2: 1 fields; the header has 2");
    assert_refused("a,b\n1,2\n1,2,3\n", "line 3: more fields than the header's 2");
    assert_refused("a,b\n1,x\"y\n", "line 2, field 2: a quote inside");
    assert_refused("a,b\n\"1\"x,2\n", "line 2, field 1: text behind");
    assert_refused("a,b\n\n\"1,2\n3\n", "line 3, field 1: a quote that is never closed");
    assert_refused("a,b\r1,2\r", "line 1, field 2: a carriage return");
    assert_refused("a,b\n1,\xFF\n", "line 2: not UTF-8");
    assert_refused("\xFF\xFE"
                   "a,b\n",
                   "line 1: not UTF-8");
    assert_status(ge_csv_parse("a\n1\0\n", 5, "t.csv", ',', &csv), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "line 2: a NUL byte"));
    assert_status(ge_csv_read("/nonexistent/x.csv", ',', &csv), GE_ENOENT);
}

static void test_columns(void **state)
{
    (void)state;
    size_t at = 0;
    assert_ok(parse(",b,\n1,2,3\n")); /* several without a name, as an index column is */
    assert_ok(ge_csv_need(csv, "b", &at));
    assert_int_equal(at, 1);
    assert_status(ge_csv_need(csv, "B", &at), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "no column \"B\"; there is: , b, "));
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   " 1",  "1 ",    "0x1", "inf", "nan",
                                        "1e", "1,2", "1e999", "-",   "1-2", "one"};
    double v = 0;
    assert_ok(parse("a\n0.25\n-3\n1e-3\n"));
    static const double want[] = {0.25, -3, 1e-3};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ge_csv_number(csv, i, 0, &v));
        assert_true(v == want[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "a,b\n\"%s\",\n", wrong[i]);
        assert_ok(parse(text));
        assert_status(ge_csv_number(csv, 0, 0, &v), GE_EFORMAT);
        assert_non_null(strstr(ge_error(), "line 2: a is "));
    }
}

static void test_memory_failures(void **state)
{
    (void)state;
    char text[4096] = "a,b\n";
    for (int i = 0; i < 50; i++) strcat(text, "1,\"x\"\n");
    int n = 1;
    for (;; n++) {
        ge_csv_delete(&csv);
        ge_mem_fail_at((uint64_t)n, 0);
        ge_status rc = ge_csv_parse(text, strlen(text), "t.csv", ',', &csv);
        int pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_int_equal(rc, GE_OK);
            break;
        }
        assert_int_equal(rc, GE_ENOMEM);
        assert_null(csv);
    }
    assert_true(n > 5);
    assert_int_equal(csv->n_rows, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),   cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_quotes),  cmocka_unit_test(test_separator),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_columns),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
