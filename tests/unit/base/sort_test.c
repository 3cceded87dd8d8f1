/* Comparisons for qsort(), and strings kept once. */
#include "base/sort.h"
#include "test.h"

static void doubles(void **state)
{
    double v[] = {3, -INFINITY, 2.5, -1, 3, 0};
    (void)state;
    qsort(v, 6, sizeof *v, ge_compare_doubles);
    for (int i = 1; i < 6; i++) assert_true(v[i - 1] <= v[i]);
    assert_int_equal(ge_compare_doubles(&v[5], &v[4]), 0);
}

static void unique(void **state)
{
    const char *v[] = {"b", "a", "", "b", "ab", "a", "b"};
    static const char *const want[] = {"", "a", "ab", "b"};
    (void)state;
    assert_int_equal(ge_unique_strings(v, 7), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(v[i], want[i]);
    assert_int_equal(ge_unique_strings(v, 0), 0);
    assert_int_equal(ge_unique_strings(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(doubles), cmocka_unit_test(unique)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
