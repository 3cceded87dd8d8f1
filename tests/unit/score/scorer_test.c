/* Verdict rules: margins, thresholds, fallback, recorded verdicts, what is missing. */
#include "test.h"

#include "metric/family.h"
#include "score/scorer.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

/* Embeddings of the tests: the input's first letter chooses a direction in the plane; behind a prefix
 * the second one does. */
static ge_status look_up(void *ctx, const struct ge_score_input *in, struct ge_embedding *out)
{
    static const float vectors[][2] = {{1, 0}, {0.6f, 0.8f}, {0, 1}, {-1, 0}};
    static const float bad[2] = {NAN, 0};
    char letter = in->what[in->prefix[0] != '\0'];
    ++*(int *)ctx;
    if (letter == 'x') return ge_fail(GE_EFORMAT, "x.png: broken");
    *out = (struct ge_embedding){letter == 'n' ? bad : vectors[letter - 'a'], 2, 1, NULL};
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

static ge_status count_needs(void *ctx, const struct ge_score_input *in)
{
    int *counts = ctx;
    counts[in->is_answer ? 2 : (int)in->kind]++;
    return GE_OK;
}

static ge_status refuse(void *ctx, const struct ge_score_input *in)
{
    (void)ctx, (void)in;
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

/* ---- published embedding metrics ---------------------------------------------------------- */

static struct ge_task_scoring embedding_metrics(enum ge_metric_id first, enum ge_metric_id last)
{
    struct ge_task_scoring s = {.task = "description",
                                .rule = GE_RULE_THRESHOLD,
                                .metric = first,
                                .threshold = -1000,
                                .fallback = GE_METRIC_NONE};
    for (int i = first; i <= (int)last; i++) s.metrics[i] = true;
    return s;
}

static void test_clipscore(void **state)
{
    (void)state;
    struct ge_task_scoring s = embedding_metrics(GE_METRIC_CLIPSCORE_25, GE_METRIC_REFCLIPSCORE_25);
    struct ge_task t = {.images = LIST("b"), .prompt = "ca", .references = LIST("xc", "xb")};
    struct ge_answer text = {.text = "ca"}, picture = {.image = "b"};
    struct ge_score out = score_ok(&s, &t, &text);
    assert_close(out.value[GE_METRIC_CLIPSCORE_COS], 0.8, 1e-7);
    assert_close(out.value[GE_METRIC_CLIPSCORE_100], 80, 1e-5);
    assert_close(out.value[GE_METRIC_CLIPSCORE_25], 1.5, 1e-6); /* of the prefixed text */
    assert_close(out.value[GE_METRIC_REFCLIPSCORE_25], 2 * 1.5 * 0.6 / 2.1, 1e-6);
    t.references = (struct ge_strings)LIST("xd");
    assert_close(score_ok(&s, &t, &text).value[GE_METRIC_REFCLIPSCORE_25], -6, 1e-4);
    t.images = (struct ge_strings)LIST("c");
    t.references = (struct ge_strings)LIST("xc");
    out = score_ok(&s, &t, &text);
    assert_close(out.value[GE_METRIC_CLIPSCORE_25], 0, 0);
    assert_true(isnan(out.value[GE_METRIC_REFCLIPSCORE_25])); /* 0/0 */
    t.images = (struct ge_strings)LIST("d");
    out = score_ok(&s, &t, &(struct ge_answer){.text = "aa"});
    assert_close(out.value[GE_METRIC_CLIPSCORE_COS], -1, 0);
    assert_close(out.value[GE_METRIC_CLIPSCORE_100], -100, 0);
    assert_close(out.value[GE_METRIC_CLIPSCORE_25], 0, 0);
    out = score_ok(&s, &t, &picture); /* an image is compared with its prompt */
    assert_close(out.value[GE_METRIC_CLIPSCORE_COS], 0.8, 1e-7);
    assert_close(out.value[GE_METRIC_CLIPSCORE_25], 1.5, 1e-6);
    assert_true(isnan(out.value[GE_METRIC_REFCLIPSCORE_25]));
    t.images.n = 0;
    assert_status(ge_score_sample(&s, &t, &text, look_up, &looked_up, &out), GE_EINVAL);
    assert_true(isnan(out.value[GE_METRIC_CLIPSCORE_COS]));
}

static void test_prefixed_needs(void **state)
{
    (void)state;
    struct ge_task_scoring s =
        embedding_metrics(GE_METRIC_REFCLIPSCORE_25, GE_METRIC_REFCLIPSCORE_25);
    struct ge_task t = {.images = LIST("b"), .references = LIST("xc", "xb")};
    struct ge_answer text = {.text = "ca"};
    int counts[3] = {0};
    assert_ok(ge_score_needs(&s, &t, &text, count_needs, counts));
    assert_int_equal(counts[GE_INPUT_TEXT], 2);
    assert_int_equal(counts[GE_INPUT_IMAGE], 1);
    assert_int_equal(counts[2], 2);
    t.references.n = 0; /* not defined without them: nothing is embedded in vain */
    assert_ok(ge_score_needs(&s, &t, &text, refuse, NULL));
}

static void test_label_embedding(void **state)
{
    (void)state;
    struct ge_task_scoring s =
        embedding_metrics(GE_METRIC_LABEL_EMBEDDING, GE_METRIC_LABEL_EMBEDDING_IMAGE);
    struct ge_task t = {.labels = LIST("a", "b", "d"), .answer = "B"}; /* another case: the same */
    struct ge_answer text = {.text = "c"}, picture = {.image = "c"}, other = {.text = "a"};
    struct ge_score out = score_ok(&s, &t, &text);
    assert_close(out.value[GE_METRIC_LABEL_EMBEDDING], 1, 0);
    assert_true(isnan(out.value[GE_METRIC_LABEL_EMBEDDING_IMAGE]));
    assert_close(score_ok(&s, &t, &other).value[GE_METRIC_LABEL_EMBEDDING], 0, 0);
    s.metric = GE_METRIC_LABEL_EMBEDDING_IMAGE;
    out = score_ok(&s, &t, &picture);
    assert_close(out.value[GE_METRIC_LABEL_EMBEDDING_IMAGE], 1, 0);
    assert_true(isnan(out.value[GE_METRIC_LABEL_EMBEDDING]));
    t.labels = (struct ge_strings)LIST("bx", "d", "by"); /* a tie of the nearest */
    t.answer = "by";
    assert_status(ge_score_sample(&s, &t, &picture, look_up, &looked_up, &out), GE_EINVAL);
    t.labels = (struct ge_strings)LIST("dx", "b", "dy"); /* a tie of others is none */
    t.answer = "b";
    assert_close(score_ok(&s, &t, &picture).value[GE_METRIC_LABEL_EMBEDDING_IMAGE], 1, 0);
    t.answer = "q";
    assert_status(ge_score_sample(&s, &t, &picture, look_up, &looked_up, &out), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "among the task's 3 labels"));
}

/* Tokens of the tests: each letter of a text is one, between the specials 0 and 1. */
static ge_status look_up_tokens(void *ctx, const struct ge_score_input *in,
                                struct ge_embedding *out)
{
    static float rows[2][16][2];
    static int32_t ids[2][16];
    static const float vectors[][2] = {{1, 0}, {0.6f, 0.8f}, {0, 1}, {-1, 0}};
    size_t n = strlen(in->what);
    assert_int_equal(in->kind, GE_INPUT_TOKENS);
    assert_int_equal(in->role, GE_ROLE_BERTSCORE);
    assert_true(n <= 14);
    for (size_t i = 0; i < n + 2; i++) {
        int special = i == 0 || i == n + 1;
        ids[in->is_answer][i] = special ? i != 0 : in->what[i - 1];
        memcpy(rows[in->is_answer][i], vectors[special ? 2 : in->what[i - 1] - 'a'],
               sizeof vectors[0]);
    }
    ++*(int *)ctx;
    *out = (struct ge_embedding){rows[in->is_answer][0], 2, n + 2, ids[in->is_answer]};
    return GE_OK;
}

static void test_bertscore(void **state)
{
    (void)state;
    struct ge_task_scoring s =
        embedding_metrics(GE_METRIC_BERTSCORE_P, GE_METRIC_BERTSCORE_F1_RESCALED);
    struct ge_task t = {.references = LIST("ab", "d")};
    struct ge_answer text = {.text = "a"}, empty = {.text = ""};
    struct ge_score out;
    int looked = 0;
    s.bertscore = (struct ge_bertscore_options){.cls = 0, .sep = 1};
    assert_ok(ge_score_sample(&s, &t, &text, look_up_tokens, &looked, &out));
    assert_int_equal(looked, 3); /* once for all six */
    assert_close(out.value[GE_METRIC_BERTSCORE_P], 1, 1e-7);
    assert_close(out.value[GE_METRIC_BERTSCORE_R], 0.9, 1e-7); /* b's best is a special */
    assert_close(out.value[GE_METRIC_BERTSCORE_F1], 1.8 / 1.9, 1e-7);
    assert_true(isnan(out.value[GE_METRIC_BERTSCORE_P_RESCALED])); /* no baseline */
    s.bertscore.has_baseline = true;
    s.bertscore.baseline = (struct ge_bertscore){0.5, 0.75, 0.5};
    assert_ok(ge_score_sample(&s, &t, &text, look_up_tokens, &looked, &out));
    assert_close(out.value[GE_METRIC_BERTSCORE_P_RESCALED], 1, 1e-7);
    assert_close(out.value[GE_METRIC_BERTSCORE_R_RESCALED], 0.6, 1e-6);
    assert_close(out.value[GE_METRIC_BERTSCORE_F1_RESCALED], 17.0 / 19, 1e-6);
    assert_ok(ge_score_sample(&s, &t, &empty, look_up_tokens, &looked, &out));
    assert_close(out.value[GE_METRIC_BERTSCORE_P], 0, 0);
    assert_close(out.value[GE_METRIC_BERTSCORE_F1], 0, 0);
    assert_close(out.value[GE_METRIC_BERTSCORE_F1_RESCALED], -1, 0);
}

/* With document frequencies: a token that every reference has counts nothing. */
static void test_bertscore_idf(void **state)
{
    (void)state;
    const int32_t one[] = {0, 'a', 'b', 'b', 1}, two[] = {0, 'a', 1};
    struct ge_task_scoring s = embedding_metrics(GE_METRIC_BERTSCORE_P, GE_METRIC_BERTSCORE_F1);
    struct ge_task t = {.references = LIST("ab")};
    struct ge_answer text = {.text = "ac"}, common = {.text = "aa"};
    struct ge_score out;
    struct ge_idf *idf;
    int looked = 0;
    assert_ok(ge_idf_new(128, &idf));
    ge_idf_add(idf, one, 5);
    ge_idf_add(idf, two, 3);
    assert_close(ge_idf_weight(idf, 'a'), 0, 0);
    assert_close(ge_idf_weight(idf, 'b'), log(3.0 / 2), 1e-15);
    assert_close(ge_idf_weight(idf, 'c'), log(3.0), 1e-15);
    assert_close(ge_idf_weight(idf, 1000), log(3.0), 1e-15);
    s.bertscore = (struct ge_bertscore_options){.cls = 0, .sep = 1, .idf = idf};
    assert_ok(ge_score_sample(&s, &t, &text, look_up_tokens, &looked, &out));
    assert_close(out.value[GE_METRIC_BERTSCORE_P], 1, 1e-7);   /* of c: the specials' row */
    assert_close(out.value[GE_METRIC_BERTSCORE_R], 0.8, 1e-7); /* of b alone */
    s.metric = GE_METRIC_BERTSCORE_F1;
    assert_ok(ge_score_sample(&s, &t, &common, look_up_tokens, &looked, &out));
    assert_true(isnan(out.value[GE_METRIC_BERTSCORE_P])); /* no weight at all: 0/0 */
    assert_close(out.value[GE_METRIC_BERTSCORE_F1], 0, 0);
    ge_idf_delete(&idf);
}

static void test_bertscore_layers(void **state)
{
    (void)state;
    assert_int_equal(ge_bertscore_layer("roberta", 24, 1024, 50265), 17);
    assert_int_equal(ge_bertscore_layer("bert", 12, 768, 30522), 9);
    assert_int_equal(ge_bertscore_layer("bert", 12, 768, 21128), 8);
    assert_int_equal(ge_bertscore_layer("bert", 12, 512, 30522), 10);
    assert_int_equal(ge_bertscore_layer("bert", 6, 384, 30522), 6); /* not one of theirs */
    assert_int_equal(ge_bertscore_layer("mpnet", 12, 768, 30527), 8);
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

/* The scorer asks a family for all its members at once, at the places of the table from the first one
 * on. */
static void test_families(void **state)
{
    (void)state;
    size_t place, members = 0;
    for (int i = 0; i < GE_METRICS; i++) {
        ge_text_metric_fn *text = ge_metric_info((enum ge_metric_id)i)->text;
        const struct ge_text_family *f = text != NULL ? ge_text_family_find(text, &place) : NULL;
        if (f == NULL) continue;
        members++;
        for (size_t k = 0; k < f->n; k++) {
            enum ge_metric_id id = (enum ge_metric_id)(i - (int)place + (int)k);
            assert_true(ge_metric_info(id)->text == f->members[k]);
        }
    }
    assert_int_equal(members, 5 + 3 + 4);
    struct ge_task_scoring s = {.rule = GE_RULE_NONE, .metric = GE_METRIC_NONE};
    s.metrics[GE_METRIC_BLEU2_COCO] = s.metrics[GE_METRIC_ROUGE_L_COCO] = true;
    s.metrics[GE_METRIC_LENGTH_WORDS] = s.metrics[GE_METRIC_CHAIR_S] = true;
    const struct ge_answer text = {.text = "c b"};
    struct ge_score out = score_ok(&s, &task, &text);
    assert_true(out.value[GE_METRIC_LENGTH_WORDS] == 2);
    assert_close(out.value[GE_METRIC_ROUGE_L_COCO], 2.44 * 0.5 / (1 + 1.44 * 0.5), 1e-12);
    assert_true(out.value[GE_METRIC_BLEU2_COCO] > 0);
    assert_true(isnan(out.value[GE_METRIC_BLEU1_COCO]) && isnan(out.value[GE_METRIC_CHAIR_S]));
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
        cmocka_unit_test(test_clipscore),
        cmocka_unit_test(test_prefixed_needs),
        cmocka_unit_test(test_label_embedding),
        cmocka_unit_test(test_bertscore),
        cmocka_unit_test(test_bertscore_idf),
        cmocka_unit_test(test_bertscore_layers),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
