/* Markdown by snapshot, summary.json by reading it back, samples.csv by what it refuses (its fields
 * are checked by csv_check.py). */
#include "test.h"

#include "aggregate/people.h"
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
    struct ge_summary s = {
        .options = {.level = 0.95}, .rows = rows, .n_rows = 2, .n_groups = 1, .ranked = true};
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

/* People: made-up figures, hostile names. */
static void test_people(void **state)
{
    (void)state;
    struct ge_estimate e = {0.5, 0.4, 0.7}, none = {NAN, NAN, NAN};
    struct ge_people_dimension dimensions[] = {
        {"qual|ity", 7, 2, 4, {{0.5, 0.25, 0.75, 3, 6}, {NAN, NAN, NAN, 3, 6}, {1, 1, 1, 3, 6}}}};
    struct ge_people_mean means[] = {{"a|b", "qual|ity", GE_GEN, 4, 7, {3.5, NAN, NAN}}};
    struct ge_people_verdicts verdicts[] = {{"a|b", GE_GEN, 4, 0.5, 0.25, e, 3, NAN}};
    struct ge_ppi_figures figures = {e, none, none, none, none, none, {-0.1, -0.3, 0.1}, none};
    struct ge_correction corrections[] = {
        {.system = "a|b", .corrected = true, .strata = 1, .gap = {.items = 9, .labelled = 4}},
        {.system = "c", .reason = "no item has both verdicts"}};
    corrections[0].gap.corrected = corrections[0].gap.human = figures;
    struct ge_gap_row row = {.system = "a|b",
                             .dimension = "overall",
                             .group = "",
                             .judged = 10,
                             .k10 = 3,
                             .k01 = 2,
                             .und = e,
                             .gen = e,
                             .succ = e,
                             .points = none,
                             .delta = none,
                             .gap = none,
                             .p_value = NAN};
    struct ge_people people = {7,          2, dimensions, 1, means,       1,
                               "qual|ity", 3, verdicts,   1, corrections, 2};
    struct ge_summary s = {.rows = &row, .n_rows = 1, .n_groups = 1, .people = &people};
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    ge_report_people(&s, &out);
    assert_ok(ge_buf_status(&out));
    static const char *const lines[] = {
        "\n7 ratings by 2 raters.",
        "\n| qual\\|ity | 7 | 2 | 4 | 0.500 [0.250, 0.750] | – | 1.000 [1.000, 1.000] |\n",
        "\n| a\\|b | gen | qual\\|ity | 4 | 7 | 3.500 |\n",
        "share of raters with qual\\|ity ≥ 3.\n",
        "\n| a\\|b | gen | 4 | 50.0 | 25.0 | 50.0 ± 20.0 | – |\n",
        "\n| a\\|b | uncorrected | 10 | 50.0 ± 20.0 | 50.0 ± 20.0 | 50.0 ± 20.0 | 30.0 | 20.0 | "
        "0.0 |",
        "\n| a\\|b | corrected | 9 | 50.0 ± 20.0 | – | – | – | – | – | -10.0 [-30.0, +10.0] | – "
        "|\n",
        "\n| a\\|b | people alone | 4 | ",
        "\n- c: no correction: no item has both verdicts.\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strstr(out.data, lines[i]) == NULL)
            fail_msg("not in the report: %s\n%s", lines[i], out.data);
    }
    /* One reason for all systems is said once, without a table. */
    ge_buf_reset(&out);
    corrections[0] = (struct ge_correction){.system = "a|b", .reason = corrections[1].reason};
    ge_report_people(&s, &out);
    assert_non_null(strstr(out.data, "\nNo correction: no item has both verdicts.\n"));
    assert_null(strstr(out.data, "people alone"));
    ge_buf_reset(&out);
    people.dimension = NULL;
    ge_report_people(&s, &out);
    assert_non_null(strstr(out.data, "the job has no ratings.verdict"));
    ge_buf_reset(&out);
    s.people = NULL;
    ge_report_people(&s, &out);
    assert_int_equal(out.len, 0);
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

/* upstream and irt beside logit: named, with the reason where there is no estimate, and escaped. */
static void test_estimators(void **state)
{
    (void)state;
    struct ge_gap_row rows[] = {
        {.system = "sys|tem", .dimension = "overall", .group = "", .judged = 20},
        {.system = "sys|tem", .dimension = "category", .group = "a|b", .judged = 10},
    };
    double upstream[] = {0.25, 0.5};
    struct ge_irt_ability high = {1.5, 0.25, GE_IRT_ESTIMATED}, low = {-0.5, 0.2, GE_IRT_ESTIMATED},
                          none = {NAN, NAN, GE_IRT_SEPARATED};
    struct ge_irt_row irt[] = {
        {{high, low, 0.01, 2, 0.3}, {2, 1.4, 2.6}, 0.0001, 0.6},
        {{none, low, NAN, NAN, NAN}, {NAN, NAN, NAN}, NAN, NAN},
    };
    struct ge_irt_group groups[] = {{"overall", "", 20, 40, 1.25, -30},
                                    {"category", "a|b", 10, 10, 1, -5}};
    struct ge_estimates e = {true, true, upstream, irt, groups, 25, NULL};
    struct ge_summary s = {.options = {.level = 0.9, .upstream = true, .irt = true},
                           .rows = rows,

                           .n_rows = 2,
                           .n_groups = 2,
                           .estimates = &e};
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_json *doc;
    ge_buf_init(&out, 1 << 20);
    assert_ok(ge_report_markdown(&run, &s, &out));
    static const char *const lines[] = {
        "Estimator `logit`",
        "Estimator `upstream`",
        "| sys\\|tem | 20 | 0.250 |\n",
        "| sys\\|tem | a\\|b | 10 | 0.500 |\n",
        "Estimator `irt`",
        "Over all items sd = 1.25.",
        ("| sys\\|tem | 20 | +1.50 (0.25) | -0.50 (0.20) | +2.00 [+1.40, +2.60] | 0.600 | < 0.001 "
         "|\n"),
        "| sys\\|tem | a\\|b | 10 | – separated | -0.50 (0.20) | – | – | – |\n",
    };
    const char *at = out.data;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *found = strstr(at, lines[i]);
        if (found == NULL) print_error("no \"%s\" in\n%s\n", lines[i], at);
        assert_non_null(found);
        at = found + strlen(lines[i]);
    }
    ge_buf_reset(&out);
    assert_ok(ge_report_json(&run, &s, &out));
    assert_ok(ge_json_parse(out.data, out.len, "summary.json", &doc));
    const ge_json *both = ge_json_get(doc, "estimators");
    const ge_json *fitted = ge_json_get(both, "irt");
    assert_int_equal(ge_json_count(ge_json_get_path(both, "upstream.rows")), 2);
    assert_close(ge_json_number(ge_json_get(fitted, "nodes"), NAN), 25, 0);
    const ge_json *second = ge_json_next(ge_json_first(ge_json_get(fitted, "rows")));
    assert_string_equal(ge_json_string(ge_json_get_path(second, "theta_und.reason"), ""),
                        "separated");
    assert_close(ge_json_number(ge_json_get_path(second, "theta_gen.value"), NAN), -0.5, 0);
    ge_json_delete(&doc);

    e.has_irt = false;
    e.irt_refused = "because";
    ge_buf_reset(&out);
    assert_ok(ge_report_markdown(&run, &s, &out));
    assert_non_null(strstr(out.data, "Estimator `irt`: not computed: because\n"));
    ge_buf_reset(&out);
    assert_ok(ge_report_json(&run, &s, &out));
    assert_non_null(strstr(out.data, "\"refused\": \"because\""));
    ge_buf_free(&out);
}

/* A failed sample beside judged ones of the same item shows in the failures table too. */
static void test_partial_failures_are_shown(void **state)
{
    (void)state;
    struct ge_gap_row row = {
        .system = "s", .dimension = "overall", .group = "", .failed_samples = 1};
    struct ge_summary s = {.options = {.level = 0.9}, .rows = &row, .n_rows = 1, .n_groups = 1};
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

static void test_level_is_not_rounded(void **state)
{
    (void)state;
    struct ge_gap_row row = {.system = "s", .dimension = "overall", .group = ""};
    struct ge_summary s = {.options = {.level = 0.999}, .rows = &row, .n_rows = 1, .n_groups = 1};
    struct ge_run run = sample_run();
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_ok(ge_report_markdown(&run, &s, &out));
    assert_non_null(strstr(out.data, " 99.9 % intervals"));
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
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_estimators),
        cmocka_unit_test(test_json_round_trip),
        cmocka_unit_test(test_csv_bad_rows),
        cmocka_unit_test(test_partial_failures_are_shown),
        cmocka_unit_test(test_level_is_not_rounded),
        cmocka_unit_test(test_small_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
