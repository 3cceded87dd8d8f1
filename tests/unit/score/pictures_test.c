/* Pixel metrics of one sample: what is asked for, which reference counts, and copies. */
#include "metric/picture.h"
#include "score/scorer.h"
#include "test.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

/* Small pictures of the tests, by the first letter of their path: `a` and `c` are two patterns, `b` is
 * `a` with some noise, `i` an input that differs from `a` in its upper half only, `f` is flat. */
static void draw(char letter, float out[GE_PICTURE_SIZE])
{
    for (int i = 0; i < GE_PICTURE_SIZE; i++) {
        bool colour = i >= GE_PICTURE_GREY * GE_PICTURE_GREY;
        int at = colour ? i - GE_PICTURE_GREY * GE_PICTURE_GREY : i;
        bool upper = at < 3 * GE_PICTURE_COLOUR * GE_PICTURE_COLOUR / 2;
        float a = (float)((at * at * 7 + at * 13) % 251),
              c = (float)((at * at * 11 + at * 3) % 241);
        out[i] = letter == 'a'   ? a
                 : letter == 'b' ? a + (float)(at % 5) * 9
                 : letter == 'i' ? (upper ? c : a)
                 : letter == 'j' ? (upper ? c : a) /* an edit that was not made: the input again */
                 : letter == 'f' ? 100
                                 : c;
    }
}

/* What the lookups of a test came to. */
struct seen {
    int pictures, pairs;
    ge_status broken; /* of paths that begin with x; answers too */
};

/* SSIM of a pair: by the second letters of the two paths, in tenths; another one by the other dialect. */
static ge_status look_up(void *ctx, const struct ge_score_input *in, struct ge_embedding *out)
{
    static float picture[8][GE_PICTURE_SIZE];
    static float pair[4];
    static int next;
    struct seen *seen = ctx;
    assert_int_equal(in->role, GE_ROLE_PIXELS);
    if (in->what[0] == 'x' || in->prefix[0] == 'x') return ge_fail(seen->broken, "x: broken");
    if (in->kind == GE_INPUT_PICTURE) {
        float *v = picture[next++ % 8];
        seen->pictures++;
        draw(in->what[0], v);
        *out = (struct ge_embedding){v, GE_PICTURE_SIZE, 1, NULL};
        return GE_OK;
    }
    assert_int_equal(in->kind, GE_INPUT_PAIR);
    double values[2] = {(in->prefix[1] - '0') / 10.0, (in->prefix[1] - '4') / 10.0};
    if (in->prefix[1] == 'n') values[0] = values[1] = NAN; /* too small for a window */
    memcpy(pair, values, sizeof values);
    seen->pairs++;
    *out = (struct ge_embedding){pair, 4, 1, NULL};
    return GE_OK;
}

static struct ge_task_scoring scoring(enum ge_copies copies, enum ge_rule rule)
{
    struct ge_task_scoring s = {.task = "t",
                                .rule = rule,
                                .metric = rule == GE_RULE_NONE ? GE_METRIC_NONE
                                                               : GE_METRIC_PHASH_DISTANCE,
                                .threshold = 64, /* every answer is right */
                                .lower_is_better = true,
                                .fallback = GE_METRIC_NONE,
                                .copies = copies};
    assert_ok(ge_task_scoring_complete(&s));
    return s;
}

static struct ge_score score(const struct ge_task_scoring *s, const struct ge_task *t,
                             const struct ge_answer *a)
{
    struct seen seen = {.broken = GE_EFORMAT};
    struct ge_score out;
    assert_ok(ge_score_sample(s, t, a, look_up, &seen, &out));
    return out;
}

static const struct ge_answer copied = {.image = "a"}, other = {.image = "c"};

/* ---- copies -------------------------------------------------------------------------------- */

static void policies(void **state)
{
    (void)state;
    struct ge_task task = {.present = true, .reference_images = LIST("a")};
    struct ge_task_scoring s = scoring(GE_COPIES_ZERO, GE_RULE_THRESHOLD);
    struct ge_score out = score(&s, &task, &copied);
    assert_close(out.verdict, 0, 0);
    assert_int_equal(out.rule, GE_RULE_COPY);
    assert_int_equal(out.judges, 1);
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 1, 0);
    assert_close(out.value[GE_METRIC_COPY_CORRELATION], 1, 1e-12);
    out = score(&s, &task, &other);
    assert_close(out.verdict, 1, 0);
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 0, 0);
    assert_true(fabs(out.value[GE_METRIC_COPY_CORRELATION]) < 0.9);
    task.may_copy = true; /* then it is no fault, and still to be seen */
    out = score(&s, &task, &copied);
    assert_close(out.verdict, 1, 0);
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 1, 0);
    task.may_copy = false;
    s = scoring(GE_COPIES_REPORT, GE_RULE_THRESHOLD);
    out = score(&s, &task, &copied);
    assert_close(out.verdict, 1, 0);
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 1, 0);
    s = scoring(GE_COPIES_IGNORE, GE_RULE_THRESHOLD);
    out = score(&s, &task, &copied);
    assert_close(out.verdict, 1, 0);
    assert_true(isnan(out.value[GE_METRIC_COPY_DETECTED]));
    assert_true(isnan(out.value[GE_METRIC_COPY_CORRELATION]));
    assert_close(out.value[GE_METRIC_PHASH_DISTANCE], 0, 0);
    s = scoring(GE_COPIES_ZERO, GE_RULE_NONE); /* nothing is judged: no verdict either */
    out = score(&s, &task, &copied);
    assert_true(isnan(out.verdict));
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 1, 0);
}

static void recorded(void **state)
{
    (void)state;
    static const double right[] = {1, 0.5};
    const struct ge_answer judged = {.image = "a", .judgements = right, .n_judgements = 2};
    const struct ge_task task = {.present = true, .reference_images = LIST("a")};
    struct ge_task_scoring s = scoring(GE_COPIES_ZERO, GE_RULE_THRESHOLD);
    assert_int_equal(score(&s, &task, &judged).rule, GE_RULE_COPY); /* not asked for */
    s.recorded = GE_RECORDED_PREFER;
    struct ge_score out = score(&s, &task, &judged);
    assert_int_equal(out.rule, GE_RULE_RECORDED);
    assert_close(out.verdict, 0.75, 0);
    assert_int_equal(out.judges, 2);
    assert_close(out.value[GE_METRIC_COPY_DETECTED], 1, 0);
    assert_int_equal(score(&s, &task, &copied).rule, GE_RULE_COPY);
    s.recorded = GE_RECORDED_REQUIRE;
    struct seen seen = {0};
    assert_status(ge_score_sample(&s, &task, &copied, look_up, &seen, &out), GE_EFORMAT);
}

/* Of an edit only what the reference changes counts. */
static void edits(void **state)
{
    (void)state;
    struct ge_task task = {
        .present = true, .reference_images = LIST("a"), .images = LIST("i", "x")};
    struct ge_task_scoring s = scoring(GE_COPIES_ZERO, GE_RULE_THRESHOLD);
    float own[GE_PICTURE_SIZE], reference[GE_PICTURE_SIZE], input[GE_PICTURE_SIZE];
    assert_int_equal(score(&s, &task, &copied).rule, GE_RULE_COPY);
    const struct ge_answer unchanged = {.image = "j"};
    struct ge_score out = score(&s, &task, &unchanged);
    draw('j', own);
    draw('a', reference);
    draw('i', input);
    assert_close(out.value[GE_METRIC_COPY_CORRELATION],
                 ge_picture_correlation(own, reference, input), 0);
    assert_true(ge_picture_correlation(own, reference, input) + 0.1 <
                ge_picture_correlation(own, reference, NULL));
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    task.images = (struct ge_strings)LIST("x"); /* what was left as it was cannot be told */
    out = score(&s, &task, &copied);
    assert_true(isnan(out.value[GE_METRIC_COPY_CORRELATION]));
    assert_true(isnan(out.value[GE_METRIC_COPY_DETECTED]));
    assert_close(out.value[GE_METRIC_PHASH_DISTANCE], 0, 0);
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
    task.images = (struct ge_strings)LIST("a"); /* the reference changes nothing: no cells */
    out = score(&s, &task, &copied);
    assert_true(isnan(out.value[GE_METRIC_COPY_CORRELATION]));
    assert_int_equal(out.rule, GE_RULE_THRESHOLD);
}

/* ---- references ---------------------------------------------------------------------------- */

/* The nearest of them by each metric, wherever it stands; those that cannot be read are passed over. */
static void references(void **state)
{
    (void)state;
    const char *lists[][4] = {{"a", "c", "x", "f"}, {"f", "x", "c", "a"}, {"x", "a", "f", "c"}};
    struct ge_task_scoring s = scoring(GE_COPIES_REPORT, GE_RULE_THRESHOLD);
    const struct ge_answer near = {.image = "b"};
    float own[GE_PICTURE_SIZE], reference[GE_PICTURE_SIZE];
    draw('b', own);
    draw('a', reference);
    int distance = ge_phash_distance(ge_picture_phash(own), ge_picture_phash(reference));
    for (int i = 0; i < 3; i++) {
        const struct ge_task task = {.present = true, .reference_images = {lists[i], 4}};
        struct ge_score out = score(&s, &task, &near);
        assert_close(out.value[GE_METRIC_PHASH_DISTANCE], distance, 0);
        assert_close(out.value[GE_METRIC_COPY_CORRELATION],
                     ge_picture_correlation(own, reference, NULL), 0);
    }
    const struct ge_task none = {.present = true, .reference_images = LIST("x", "xx")};
    s = scoring(GE_COPIES_ZERO, GE_RULE_NONE);
    s.metrics[GE_METRIC_PHASH_DISTANCE] = true;
    struct ge_score out = score(&s, &none, &copied);
    assert_true(isnan(out.value[GE_METRIC_PHASH_DISTANCE]));
    assert_true(isnan(out.value[GE_METRIC_COPY_DETECTED]));
    assert_string_equal(ge_error(), ""); /* no message is left of what was passed over */
    const struct ge_task flat = {.present = true, .reference_images = LIST("f")};
    out = score(&s, &flat, &copied);
    assert_true(
        isnan(out.value[GE_METRIC_COPY_DETECTED])); /* a constant picture has no correlation */
    assert_false(isnan(out.value[GE_METRIC_PHASH_DISTANCE]));
}

static void ssim(void **state)
{
    (void)state;
    struct ge_task task = {.present = true, .reference_images = LIST("r3", "x", "r7", "rn", "r5")};
    struct ge_task_scoring s = scoring(GE_COPIES_IGNORE, GE_RULE_NONE);
    s.metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    struct ge_score out = score(&s, &task, &copied);
    assert_close(out.value[GE_METRIC_SSIM_SKIMAGE], 0.7, 0);
    assert_true(isnan(out.value[GE_METRIC_SSIM_TORCHMETRICS])); /* not asked for */
    s.metrics[GE_METRIC_SSIM_TORCHMETRICS] = true;
    task.reference_images = (struct ge_strings)LIST("rn", "r1", "r0"); /* below 0 too */
    out = score(&s, &task, &copied);
    assert_close(out.value[GE_METRIC_SSIM_SKIMAGE], 0.1, 0);
    assert_close(out.value[GE_METRIC_SSIM_TORCHMETRICS], -0.3, 1e-15);
    task.reference_images = (struct ge_strings)LIST("rn", "x");
    out = score(&s, &task, &copied);
    assert_true(isnan(out.value[GE_METRIC_SSIM_SKIMAGE]));
    assert_true(isnan(out.value[GE_METRIC_SSIM_TORCHMETRICS]));
}

/* ---- failures ------------------------------------------------------------------------------ */

static void failures(void **state)
{
    (void)state;
    static const ge_status content[] = {GE_EFORMAT, GE_ENOENT, GE_ELIMIT, GE_EUNSUPPORTED},
                           node[] = {GE_ENOMEM, GE_EIO};
    const struct ge_answer broken = {.image = "x"};
    const struct ge_task good = {.present = true, .reference_images = LIST("a")},
                         bad = {.present = true, .reference_images = LIST("x", "a")},
                         edit = {
                             .present = true, .reference_images = LIST("c"), .images = LIST("x")};
    struct ge_task_scoring pictures = scoring(GE_COPIES_ZERO, GE_RULE_THRESHOLD),
                           pairs = scoring(GE_COPIES_IGNORE, GE_RULE_NONE);
    struct ge_score out;
    pairs.metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    for (size_t i = 0; i < sizeof content / sizeof *content; i++) {
        struct seen seen = {.broken = content[i]};
        assert_status(ge_score_sample(&pictures, &good, &broken, look_up, &seen, &out), content[i]);
        assert_string_equal(ge_error(), "answer: x: broken");
        assert_ok(ge_score_sample(&pictures, &bad, &copied, look_up, &seen, &out));
        assert_int_equal(out.rule, GE_RULE_COPY);
        assert_ok(ge_score_sample(&pairs, &bad, &copied, look_up, &seen, &out));
    }
    for (size_t i = 0; i < sizeof node / sizeof *node;
         i++) { /* never the answer's, nor passed over */
        struct seen seen = {.broken = node[i]};
        assert_status(ge_score_sample(&pictures, &bad, &copied, look_up, &seen, &out), node[i]);
        assert_status(ge_score_sample(&pictures, &edit, &copied, look_up, &seen, &out), node[i]);
        assert_status(ge_score_sample(&pairs, &bad, &copied, look_up, &seen, &out), node[i]);
    }
}

/* ---- what is asked for --------------------------------------------------------------------- */

struct needs {
    int answers, pictures, pairs, left; /* left: calls until it fails; 0: never */
    char first;                         /* letter of the first picture */
};

static ge_status note(void *ctx, const struct ge_score_input *in)
{
    struct needs *n = ctx;
    assert_int_equal(in->role, GE_ROLE_PIXELS);
    if (n->first == '\0') n->first = in->what[0];
    n->answers += in->is_answer;
    n->pictures += in->kind == GE_INPUT_PICTURE;
    n->pairs += in->kind == GE_INPUT_PAIR;
    return n->left > 0 && --n->left == 0 ? ge_fail(GE_ENOMEM, "full") : GE_OK;
}

static void needs(void **state)
{
    (void)state;
    const struct ge_answer text = {.text = "a"};
    const struct ge_task task = {
        .present = true, .reference_images = LIST("a", "c"), .images = LIST("i", "j")};
    struct ge_task bare = task;
    struct ge_task_scoring s = scoring(GE_COPIES_REPORT, GE_RULE_NONE);
    s.metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    struct needs n = {0};
    assert_ok(ge_score_needs(&s, &task, &other, note, &n));
    assert_int_equal(n.pictures, 4); /* answer, two references, the first input */
    assert_int_equal(n.answers, 1);
    assert_int_equal(n.pairs, 2);
    assert_int_equal(n.first, 'c');
    for (int i = 1; i <= 6; i++) {
        n = (struct needs){.left = i};
        assert_status(ge_score_needs(&s, &task, &other, note, &n), GE_ENOMEM);
        assert_int_equal(n.pictures + n.pairs, i);
    }
    bare.reference_images.n = 0;
    n = (struct needs){0};
    assert_ok(ge_score_needs(&s, &bare, &other, note, &n));
    assert_ok(ge_score_needs(&s, &task, &text, note, &n));
    s = scoring(GE_COPIES_IGNORE, GE_RULE_NONE);
    assert_ok(ge_score_needs(&s, &task, &other, note, &n));
    assert_int_equal(n.pictures + n.pairs, 0);
}

/* What is looked up is what was asked for: nothing else, and nothing of a text. */
static void lookups(void **state)
{
    (void)state;
    const struct ge_answer text = {.text = "a"};
    const struct ge_task task = {
        .present = true, .reference_images = LIST("a", "c"), .images = LIST("i", "j")};
    struct ge_task_scoring s = scoring(GE_COPIES_REPORT, GE_RULE_NONE);
    s.metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    struct seen seen = {0};
    struct ge_score out;
    assert_ok(ge_score_sample(&s, &task, &other, look_up, &seen, &out));
    assert_int_equal(seen.pictures, 4);
    assert_int_equal(seen.pairs, 2);
    seen = (struct seen){0};
    assert_ok(ge_score_sample(&s, &task, &text, look_up, &seen, &out));
    assert_int_equal(seen.pictures + seen.pairs, 0);
    assert_true(isnan(out.value[GE_METRIC_COPY_DETECTED]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies),   cmocka_unit_test(recorded), cmocka_unit_test(edits),
        cmocka_unit_test(references), cmocka_unit_test(ssim),     cmocka_unit_test(failures),
        cmocka_unit_test(needs),      cmocka_unit_test(lookups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
