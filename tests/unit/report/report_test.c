/* Markdown by snapshot, summary.json by reading it back, samples.csv by what it refuses (its fields
 * are checked by csv_check.py). */
#include "test.h"

#include "base/json.h"
#include "report/report.h"
#include "sample.h"

static struct ge_summary *summarise(const struct ge_run *run, bool failures_wrong)
{
    struct ge_aggregate_options o = {
        .by_category = true, .by_tag = true, .level = 0.95, .failures_wrong = failures_wrong};
    struct ge_summary *s;
    assert_ok(ge_aggregate(run, &o, &s));
    return s;
}

/* Figures are made up: only what the report itself does is checked here. */
static void test_markdown(void **state)
{
    (void)state;
    struct ge_estimate none = {NAN, NAN, NAN};
    struct ge_gap_row rows[] = {
        {.system = "sys|tem",
         .dimension = "overall",
         .group = "",
         .items = 12,
         .judged = 10,
         .failed_und = 1,
         .failed_gen = 2,
         .failed_samples = 3,
         .succ = {0.5, 0.25, 0.7},
         .und = {0.612, 0.6, 0.65},
         .gen = {0.5, NAN, NAN},
         .points = {0.112, -0.1, 0.3},
         .delta = {-0.0001, -0.5, 0.5},
         .gap = {0.25, 0, 0.5},
         .succ_bounds = {0.4, 0.6},
         .und_bounds = {0.5, 0.75},
         .gen_bounds = {0.25, 0.75},
         .points_bounds = {-0.25, 0.5},
         .gap_bounds = {0.1, 0.6},
         .p_value = 0.0004,
         .p_holm = 0.004,
         .rank = {1, 1, 2},
         .repeats[GE_GEN] = {8, 3, 0.5, 0.75, 0.0125}},
        {.system = "other",
         .dimension = "overall",
         .group = "",
         .succ = none,
         .und = none,
         .gen = none,
         .points = none,
         .delta = none,
         .gap = none,
         .p_value = NAN,
         .p_holm = NAN},
    };
    struct ge_summary s = {.options = {.level = 0.95}, .rows = rows, .n_rows = 2, .ranked = true};
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_ok(ge_report_markdown(&run, &s, &out));
    assert_string_equal(
        out.data,
        "Estimator `logit`, 95 % intervals, failures left out. Und − Gen and Δ are signed "
        "(positive: understands better than it generates); G is the unsigned Gap Score.\n"
        "\n### All items\n\n"
        "| system | n | Succ ↑ % | Und ↑ % | Gen ↑ % | Und − Gen, points | Δ logit | G ↓ | p "
        "| p Holm | rank by Succ |\n"
        "|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        "| sys\\|tem | 10 | 50.0 ± 25.0 | 61.2 ± 3.8 | 50.0 | +11.2 [-10.0, +30.0] | "
        "+0.00 [-0.50, +0.50] | 0.250 [0.000, 0.500] | < 0.001 | 0.004 | 1 [1, 2] |\n"
        "| other | 0 | – | – | – | – | – | – | – | – | – |\n"
        "\n### Repeated samples\n\n"
        "| system | direction | items | k | pass@1 % | pass@k % | sd between draws, points |\n"
        "|:--|:--|--:|--:|--:|--:|--:|\n"
        "| sys\\|tem | gen | 8 | 3 | 50.0 | 75.0 | 1.25 |\n"
        "\n### Failures, and the figures with every failure decided against or for the system\n\n"
        "| system | items | und failed | gen failed | undone | Succ % | Und % | Gen % | "
        "Und − Gen, points | G |\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        "| sys\\|tem | 12 | 1 | 2 | 0 | 40.0 … 60.0 | 50.0 … 75.0 | 25.0 … 75.0 | "
        "-25.0 … 50.0 | 0.100 … 0.600 |\n");
    ge_buf_free(&out);
}

static double at(const ge_json *row, const char *path)
{
    return ge_json_number(ge_json_get_path(row, path), NAN);
}

static void test_json_round_trip(void **state)
{
    (void)state;
    struct ge_run run = sample_run();
    run.results[0].n_undone = 0;
    struct ge_summary *s = summarise(&run, true);
    struct ge_buf out;
    ge_json *doc;
    ge_buf_init(&out, 1 << 20);
    assert_ok(ge_report_json(&run, s, &out));
    assert_ok(ge_json_parse(out.data, out.len, "summary.json", &doc));
    assert_string_equal(ge_json_string(ge_json_get(doc, "failures"), ""), "wrong");
    const ge_json *row = ge_json_first(ge_json_get(doc, "gap"));
    for (size_t i = 0; i < s->n_rows; i++, row = ge_json_next(row)) {
        const struct ge_gap_row *r = &s->rows[i];
        assert_non_null(row);
        assert_string_equal(ge_json_string(ge_json_get(row, "system"), ""), r->system);
        assert_string_equal(ge_json_string(ge_json_get(row, "group"), ""), r->group);
        assert_true(at(row, "judged") == (double)r->judged);
        assert_true(at(row, "table.k10") == r->k10);
        assert_true(at(row, "und.value") == r->und.value);
        assert_true(at(row, "delta.value") == r->delta.value);
        assert_true(at(row, "bounds.gap.hi") == r->gap_bounds.hi);
        assert_true(at(row, "p_value") == r->p_value);
        assert_true(at(row, "p_holm") == r->p_holm);
        assert_int_equal(isnan(at(row, "delta.lo")), isnan(r->delta.lo));
        if (!isnan(r->delta.lo)) assert_true(at(row, "delta.lo") == r->delta.lo);
    }
    assert_null(row);
    assert_int_equal(s->rows[0].judged, 2);
    assert_true(at(ge_json_first(ge_json_get(doc, "metrics")), "n") == 2);
    run.results[0].n_undone = 1;
    ge_json_delete(&doc);
    ge_buf_free(&out);
    ge_summary_delete(&s);
}

/* A failed sample beside judged ones of the same item shows in the failures table too. */
static void test_partial_failures_are_shown(void **state)
{
    (void)state;
    struct ge_gap_row row = {
        .system = "s", .dimension = "overall", .group = "", .failed_samples = 1};
    struct ge_summary s = {.options = {.level = 0.9}, .rows = &row, .n_rows = 1};
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_ok(ge_report_markdown(&run, &s, &out));
    assert_non_null(strstr(out.data, "### Failures"));
    ge_buf_reset(&out);
    row.failed_samples = 0;
    assert_ok(ge_report_markdown(&run, &s, &out));
    assert_null(strstr(out.data, "### Failures"));
    ge_buf_free(&out);
}

/* Rows that name what the run does not have are refused. */
static void test_csv_bad_rows(void **state)
{
    (void)state;
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    run.n_items = 1;
    assert_status(ge_report_csv(&run, &out), GE_EFORMAT);
    run = sample_run();
    run.n_cells = 0;
    assert_status(ge_report_csv(&run, &out), GE_EFORMAT);
    ge_buf_free(&out);
}

static void test_small_buffer(void **state)
{
    (void)state;
    struct ge_run run = sample_run();
    struct ge_summary *s = summarise(&run, false);
    struct ge_buf out;
    ge_buf_init(&out, 100);
    assert_status(ge_report_csv(&run, &out), GE_ELIMIT);
    ge_buf_reset(&out);
    assert_status(ge_report_json(&run, s, &out), GE_ELIMIT);
    ge_buf_reset(&out);
    assert_status(ge_report_markdown(&run, s, &out), GE_ELIMIT);
    ge_buf_free(&out);
    ge_summary_delete(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_json_round_trip),
        cmocka_unit_test(test_partial_failures_are_shown),
        cmocka_unit_test(test_csv_bad_rows),
        cmocka_unit_test(test_small_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
