/* The tables of metrics say of each row what a reader needs, and say it rightly where it follows from
 * what the row is. */
#include <string.h>

#include "test.h"

#include "metric/corpus.h"
#include "score/metric.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* One line that stands in a cell of a Markdown table and on any terminal. */
static bool is_plain(const char *text)
{
    if (text == NULL || *text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~' || *text == '|') return false;
    }
    return true;
}

static void every_row_is_documented(void **state)
{
    (void)state;
    size_t n;
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        assert_true(is_plain(m->name) && is_plain(m->help));
        assert_true(m->reference == NULL || is_plain(m->reference));
        assert_true(m->min < m->max);
        assert_int_equal(ge_metric_find(m->name), i); /* so no name is there twice */
    }
    const struct ge_corpus_metric *c = ge_corpus_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(is_plain(c[i].name) && is_plain(c[i].help));
        assert_true(c[i].reference == NULL || is_plain(c[i].reference));
        assert_true(c[i].min < c[i].max);
        assert_ptr_equal(ge_corpus_metric_find(c[i].name), &c[i]);
        assert_true((c[i].texts == NULL) != (c[i].embeddings == NULL));
    }
    const struct ge_absent_metric *absent = ge_absent_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(is_plain(absent[i].name) && is_plain(absent[i].reason));
        assert_int_equal(ge_metric_find(absent[i].name), GE_METRIC_NONE);
        assert_null(ge_corpus_metric_find(absent[i].name));
    }
}

static void directions_follow_from_what_is_compared(void **state)
{
    (void)state;
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        bool similarity = strncmp(m->name, "similarity.", 11) == 0;
        if (m->target == GE_TARGET_DISTRACTOR) assert_int_equal(m->better, GE_BETTER_LOWER);
        if (m->target == GE_TARGET_MARGIN) assert_int_equal(m->better, GE_BETTER_HIGHER);
        if (similarity && m->target == GE_TARGET_REFERENCE) {
            assert_int_equal(m->better, GE_BETTER_HIGHER);
        }
        /* an answer that commits itself is not the better for it */
        if (ends_with(m->name, ".answered")) assert_int_equal(m->better, GE_BETTER_NEITHER);
    }
}

/* A name that stands in both tables means one thing. */
static void tables_agree(void **state)
{
    (void)state;
    size_t n, both = 0;
    const struct ge_corpus_metric *c = ge_corpus_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        enum ge_metric_id id = ge_metric_find(c[i].name);
        if (id == GE_METRIC_NONE) continue;
        assert_int_equal(ge_metric_info(id)->better, c[i].better);
        assert_true(ge_metric_info(id)->min == c[i].min && ge_metric_info(id)->max == c[i].max);
        both++;
    }
    assert_true(both > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_documented),
        cmocka_unit_test(directions_follow_from_what_is_compared),
        cmocka_unit_test(tables_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
