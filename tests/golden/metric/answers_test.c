/* The answer metrics against the published tools: answers.jsonl, made by make_answers.py. */
#include "test.h"

#include "base/json.h"
#include "metric/anls.h"
#include "metric/choice.h"
#include "metric/count.h"
#include "metric/exact.h"
#include "metric/open.h"
#include "metric/relaxed.h"
#include "metric/vqa.h"

static const struct {
    const char *name;
    ge_text_metric_fn *fn;
} metrics[] = {
    {"vqa.official", ge_vqa_official},
    {"vqa.lmmseval", ge_vqa_lmmseval},
    {"vqa.vlmevalkit", ge_vqa_vlmevalkit},
    {"vqa.textvqa", ge_vqa_textvqa},
    {"anls.lmmseval", ge_anls_lmmseval},
    {"anls.strict", ge_anls_strict},
    {"relaxed.pix2struct", ge_relaxed_pix2struct},
    {"relaxed.vlmevalkit", ge_relaxed_vlmevalkit},
    {"exact.evaluate", ge_exact_evaluate},
    {"exact.evaluate.loose", ge_exact_evaluate_loose},
    {"exact.vlmevalkit", ge_exact_vlmevalkit},
    {"count.tallyqa", ge_count_tallyqa},
    {"count.countbench", ge_count_countbench},
    {"count.pixmo", ge_count_pixmo},
    {"open.mmmu", ge_open_mmmu},
    {"choice.mmmu", ge_choice_mmmu},
    {"choice.mmmu.answered", ge_choice_mmmu_answered},
    {"choice.mmmu.corrected", ge_choice_mmmu_corrected},
    {"choice.vlmevalkit", ge_choice_vlmevalkit},
    {"choice.vlmevalkit.answered", ge_choice_vlmevalkit_answered},
    {"choice.vlmevalkit.corrected", ge_choice_vlmevalkit_corrected},
};
enum { METRICS = sizeof metrics / sizeof metrics[0] };

static size_t compared[METRICS], bad;

static void compare(const char *name, const struct ge_json *line, const struct ge_task *task,
                    double want)
{
    size_t m = 0;
    double got = -7;
    const char *text = ge_json_string(ge_json_get(line, "text"), NULL);
    while (m < METRICS && strcmp(metrics[m].name, name) != 0) m++;
    assert_true(m < METRICS);
    assert_non_null(text);
    assert_ok(metrics[m].fn(text, task, &got));
    compared[m]++;
    if (isnan(want) ? isnan(got) : fabs(got - want) <= 1e-12) return;
    struct ge_buf shown;
    ge_buf_init(&shown, 1 << 20);
    ge_json_print(line, &shown);
    print_error("%s: %.17g, wanted %.17g: %s\n", name, got, want, shown.data);
    ge_buf_free(&shown);
    bad++;
}

static void check_line(const ge_json *names, const ge_json *line)
{
    struct ge_task task = {0};
    const ge_json *references = ge_json_get(line, "references");
    const ge_json *choices = ge_json_get(line, "choices");
    assert_ok(ge_json_strings(references, "references", &task.references.v, &task.references.n));
    assert_ok(ge_json_strings(choices, "choices", &task.choices.v, &task.choices.n));
    task.answer = ge_json_string(ge_json_get(line, "answer"), NULL);
    const ge_json *want = ge_json_get(line, "want"), *value = ge_json_first(want);
    names = ge_json_get(names, ge_json_string(ge_json_get(line, "kind"), ""));
    assert_int_equal(ge_json_count(want), ge_json_count(names));
    for (const ge_json *name = ge_json_first(names); name != NULL; name = ge_json_next(name)) {
        compare(ge_json_string(name, ""), line, &task, ge_json_number(value, NAN));
        value = ge_json_next(value);
    }
    free(task.references.v);
    free(task.choices.v);
}

static void test_published_tools(void **state)
{
    (void)state;
    static char text[1 << 16];
    ge_json *names = NULL, *line = NULL;
    size_t n = 0;
    FILE *f = fopen(GE_SOURCE_DIR "/tests/golden/metric/answers.jsonl", "r");
    assert_non_null(f);
    for (; fgets(text, sizeof text, f) != NULL; n++) {
        assert_ok(ge_json_parse(text, strlen(text), "answers.jsonl", n == 0 ? &names : &line));
        if (n > 0) check_line(names, line);
        ge_json_delete(&line);
    }
    fclose(f);
    ge_json_delete(&names);
    assert_int_equal(n, 1 + 1742);
    for (size_t m = 0; m < METRICS; m++) assert_true(compared[m] >= 250);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
