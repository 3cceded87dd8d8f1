/* Verdict rules: margins, thresholds, fallback, recorded verdicts, what is missing. */
#include "test.h"

#include "score/scorer.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

/* Embeddings of the tests: the input's first letter chooses a direction in the plane. */
static ge_status look_up(void *ctx, enum ge_role role, enum ge_input_kind kind, const char *what,
                         const float **out, int *dim)
{
    static const float vectors[][2] = {{1, 0}, {0.6f, 0.8f}, {0, 1}, {-1, 0}};
    static const float bad[2] = {NAN, 0};
    (void)role;
    (void)kind;
    ++*(int *)ctx;
    *dim = 2;
    if (what[0] == 'x') return ge_fail(GE_EFORMAT, "x.png: broken");
    *out = what[0] == 'n' ? bad : vectors[what[0] - 'a'];
    return GE_OK;
}

static struct ge_task task = {.present = true,
                              .references = LIST("c", "b"),
                              .text_distractors = LIST("d", "c"),
                              .reference_images = LIST("b"),
                              .prompt = "c"};
static const struct ge_answer image = {.image = "a"};
static int looked_up;

static struct ge_task_scoring contrastive(void)
{
    struct ge_task_scoring s = {.task = "edit",
                                .rule = GE_RULE_CONTRASTIVE,
                                .metric = GE_METRIC_IMAGE_TEXT_MARGIN,
                                .fallback = GE_METRIC_NONE};
    assert_ok(ge_task_scoring_complete(&s));
    return s;
}

static struct ge_score score_ok(const struct ge_task_scoring *s, const struct ge_task *t,
                                const struct ge_answer *a)
{
    struct ge_score out;
    assert_ok(ge_score_sample(s, t, a, look_up, &looked_up, &out));
    return out;
}

static void test_margin(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    assert_true(s.metrics[GE_METRIC_IMAGE_TEXT_REFERENCE]);
    assert_true(s.metrics[GE_METRIC_IMAGE_TEXT_DISTRACTOR]);
    struct ge_score out = score_ok(&s, &task, &image);
    assert_close(out.value[GE_METRIC_IMAGE_TEXT_REFERENCE], 0.6, 1e-7); /* the best of c, b */
    assert_close(out.value[GE_METRIC_IMAGE_TEXT_DISTRACTOR], 0, 1e-7);  /* the nearest of d, c */
    assert_close(out.value[GE_METRIC_IMAGE_TEXT_MARGIN], 0.6, 1e-7);
    assert_true(isnan(out.value[GE_METRIC_IMAGE_IMAGE_REFERENCE]));
    assert_close(out.verdict, 1, 0);
    assert_int_equal(out.rule, GE_RULE_CONTRASTIVE);
    assert_int_equal(out.judges, 1);
    s.margin = out.value[GE_METRIC_IMAGE_TEXT_MARGIN]; /* strictly more is asked for */
    assert_close(score_ok(&s, &task, &image).verdict, 0, 0);
    s.margin = 0;
    struct ge_task tie = task;
    tie.text_distractors = task.references;
    assert_close(score_ok(&s, &tie, &image).verdict, 0, 0);
}

static void test_threshold(void **state)
{
    (void)state;
    struct ge_task_scoring s = {.task = "t",
                                .rule = GE_RULE_THRESHOLD,
                                .metric = GE_METRIC_IMAGE_IMAGE_REFERENCE,
                                .threshold = (double)0.6f,
                                .fallback = GE_METRIC_NONE};
    assert_ok(ge_task_scoring_complete(&s));
    assert_close(score_ok(&s, &task, &image).verdict, 1, 0); /* at the threshold: right */
    s.lower_is_better = true;
    assert_close(score_ok(&s, &task, &image).verdict, 1, 0);
    s.threshold = 0.5;
    assert_close(score_ok(&s, &task, &image).verdict, 0, 0);
    s.lower_is_better = false;
    assert_close(score_ok(&s, &task, &image).verdict, 1, 0);
    s.threshold = 0.7;
    assert_close(score_ok(&s, &task, &image).verdict, 0, 0);
}

static void test_fallback(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    struct ge_task bare = task;
    struct ge_score out;
    bare.text_distractors.n = 0;
    assert_status(ge_score_sample(&s, &bare, &image, look_up, &looked_up, &out), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "similarity.image_text.margin"));
    assert_close(out.value[GE_METRIC_IMAGE_TEXT_REFERENCE], 0.6, 1e-7); /* kept for the store */
    s.fallback = GE_METRIC_IMAGE_TEXT_REFERENCE;
    s.threshold = 0.5;
    out = score_ok(&s, &bare, &image);
    assert_close(out.verdict, 1, 0);
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    bare.references.n = 0;
    assert_status(ge_score_sample(&s, &bare, &image, look_up, &looked_up, &out), GE_EINVAL);
    s.fallback = GE_METRIC_IMAGE_IMAGE_REFERENCE; /* is switched on with the rule */
    assert_ok(ge_task_scoring_complete(&s));
    assert_close(score_ok(&s, &bare, &image).verdict, 1, 0);
}

static void test_bad_embeddings(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    struct ge_score out;
    struct ge_answer broken = {.image = "x"}, nan = {.image = "n"};
    assert_status(ge_score_sample(&s, &task, &broken, look_up, &looked_up, &out), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "x.png: broken"));
    assert_status(ge_score_sample(&s, &task, &nan, look_up, &looked_up, &out), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "not finite"));
    struct ge_task bad = task;
    bad.references = (struct ge_strings)LIST("b", "n", "c"); /* a NaN among good ones is seen */
    assert_status(ge_score_sample(&s, &bad, &image, look_up, &looked_up, &out), GE_EFORMAT);
}

static void test_wrong_kind_of_answer(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    struct ge_answer text = {.text = "c"};
    struct ge_score out;
    assert_status(ge_score_sample(&s, &task, &text, look_up, &looked_up, &out), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "text answer"));
}

static void test_recorded(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    double judgements[] = {1, 0, 0.25};
    struct ge_answer judged = {.image = "a", .judgements = judgements, .n_judgements = 3};
    struct ge_score out;
    assert_close(score_ok(&s, &task, &judged).verdict, 1, 0); /* ignored */
    s.recorded = GE_RECORDED_PREFER;
    out = score_ok(&s, &task, &judged);
    assert_close(out.verdict, 1.25 / 3, 1e-15);
    assert_int_equal(out.judges, 3);
    assert_int_equal(out.rule, GE_RULE_RECORDED);
    assert_close(out.value[GE_METRIC_IMAGE_TEXT_MARGIN], 0.6, 1e-7); /* raw scores beside it */
    assert_int_equal(score_ok(&s, &task, &image).rule, GE_RULE_CONTRASTIVE);
    s.recorded = GE_RECORDED_REQUIRE;
    assert_status(ge_score_sample(&s, &task, &image, look_up, &looked_up, &out), GE_EFORMAT);
    for (int i = 0; i < 3; i++) {
        judgements[0] = (double[]){-0.1, 1.1, NAN}[i];
        assert_status(ge_score_sample(&s, &task, &judged, look_up, &looked_up, &out), GE_EFORMAT);
    }
    struct ge_task_scoring only = {.task = "t", .rule = GE_RULE_RECORDED};
    assert_ok(ge_task_scoring_complete(&only));
    assert_int_equal(only.recorded, GE_RECORDED_REQUIRE);
}

static void test_matching_rules(void **state)
{
    (void)state;
    struct ge_task choice = {.choices = LIST("one", "two"), .answer = "B"};
    struct ge_task_scoring s = {
        .task = "choice", .rule = GE_RULE_CHOICE, .fallback = GE_METRIC_NONE};
    struct ge_answer right = {.text = "B"}, wrong = {.text = "(A)"}, none = {.text = "hm"};
    assert_ok(ge_task_scoring_complete(&s));
    assert_close(score_ok(&s, &choice, &right).verdict, 1, 0);
    assert_close(score_ok(&s, &choice, &wrong).verdict, 0, 0);
    assert_close(score_ok(&s, &choice, &wrong).value[GE_METRIC_CHOICE_ANSWERED], 1, 0);
    struct ge_score out = score_ok(&s, &choice, &none);
    assert_close(out.verdict, 0, 0);
    assert_close(out.value[GE_METRIC_CHOICE_ANSWERED], 0, 0);
    choice.answer = NULL;
    assert_status(ge_score_sample(&s, &choice, &right, look_up, &looked_up, &out), GE_EINVAL);
    choice.answer = "Q";
    assert_status(ge_score_sample(&s, &choice, &right, look_up, &looked_up, &out), GE_EINVAL);
    struct ge_task_scoring alias = {
        .task = "vqa", .rule = GE_RULE_ALIAS, .fallback = GE_METRIC_NONE};
    assert_ok(ge_task_scoring_complete(&alias));
    assert_status(ge_score_sample(&alias, &choice, &right, look_up, &looked_up, &out), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "match.alias"));
}

static ge_status count_needs(void *ctx, enum ge_role role, enum ge_input_kind kind,
                             const char *what, bool is_answer)
{
    int *counts = ctx;
    (void)role;
    (void)what;
    counts[is_answer ? 2 : (int)kind]++;
    return GE_OK;
}

static ge_status refuse(void *ctx, enum ge_role role, enum ge_input_kind kind, const char *what,
                        bool is_answer)
{
    (void)ctx, (void)role, (void)kind, (void)what, (void)is_answer;
    return ge_fail(GE_EINVAL, "no encoder");
}

static void test_needs(void **state)
{
    (void)state;
    struct ge_task_scoring s = contrastive();
    int counts[3] = {0};
    assert_ok(ge_score_needs(&s, &task, &image, count_needs, counts));
    assert_int_equal(counts[GE_INPUT_TEXT], 4);
    assert_int_equal(counts[GE_INPUT_IMAGE], 0);
    assert_int_equal(counts[2], 2);
    assert_status(ge_score_needs(&s, &task, &image, refuse, NULL), GE_EINVAL);
    struct ge_answer text = {.text = "c"};
    assert_ok(ge_score_needs(&s, &task, &text, refuse, NULL)); /* nothing compares a text here */
}

static void test_settings(void **state)
{
    (void)state;
    struct ge_task_scoring s = {
        .task = "t", .rule = GE_RULE_CONTRASTIVE, .metric = GE_METRIC_ALIAS};
    assert_status(ge_task_scoring_complete(&s), GE_EINVAL);
    s.metric = GE_METRIC_NONE;
    assert_status(ge_task_scoring_complete(&s), GE_EINVAL);
    s.rule = GE_RULE_THRESHOLD;
    assert_status(ge_task_scoring_complete(&s), GE_EINVAL);
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        assert_int_equal(ge_metric_find(m->name), i);
        assert_true(m->min < m->max);
        assert_non_null(m->help);
    }
    for (int i = 0; i < GE_RULES; i++) {
        assert_int_equal(ge_rule_find(ge_rule_name((enum ge_rule)i)), i);
    }
    assert_int_equal(ge_metric_find("match"), GE_METRIC_NONE);
    assert_int_equal(ge_rule_find(""), GE_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_margin),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_bad_embeddings),
        cmocka_unit_test(test_wrong_kind_of_answer),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_matching_rules),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
