/* Human ratings of a run: means, agreement, corrections and why there are none, calibration. */
#include "test.h"

#include "aggregate/calibrate.h"
#include "aggregate/people.h"
#include "aggregate/ppi_gap.h"
#include "base/mem.h"
#include "base/rng.h"

enum { ITEMS = 80, RATED = 40, RATERS = 3 };

/* One system, ITEMS items with both directions, a score and a verdict each; the first RATED items
 * rated by three people, who are right about nine times in ten. */
struct fixture {
    struct ge_run run;
    struct ge_item items[ITEMS];
    char ids[ITEMS][8];
    struct ge_cell cell;
    struct ge_result result;
    struct ge_verdict_row verdicts[2 * ITEMS];
    struct ge_score_row scores[4 * ITEMS];
    struct ge_rating ratings[2 * RATED * RATERS];
    struct ge_aggregate_options options;
};

static const char *metric_names[] = {"length.words", "match.alias"};
static const char *rater_names[] = {"a", "b", "c"};
static const char *dimension_names[] = {"quality"};
static const char *tags[][1] = {{"skill:one"}, {"skill:two"}};

static void add_answer(struct fixture *f, uint32_t i, uint8_t d)
{
    bool right = ge_uniform(1, d, i) < (d == GE_UND ? 0.8 : 0.5);
    bool verdict = ge_uniform(2, d, i) < 0.85 ? right : !right;
    struct ge_key key = {i, d, 0};
    f->verdicts[f->result.n_verdicts++] =
        (struct ge_verdict_row){.key = key, .value = verdict, .judges = 1};
    f->scores[f->result.n_scores++] = (struct ge_score_row){key, 0, 5 - 3.0 * right + i % 3};
    f->scores[f->result.n_scores++] = (struct ge_score_row){key, 1, right + ge_uniform(3, d, i)};
    for (uint32_t r = 0; i < RATED && r < RATERS; r++) {
        bool says = ge_uniform(4 + r, d, i) < 0.9 ? right : !right;
        f->ratings[f->run.ratings.n++] =
            (struct ge_rating){.key = key, .rater = r, .score = says ? 4 : 2};
    }
}

static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->cell.system = "s";
    f->run = (struct ge_run){.job = "{}",
                             .items = f->items,
                             .n_items = ITEMS,
                             .cells = &f->cell,
                             .n_cells = 1,
                             .metrics = {metric_names, 2},
                             .results = &f->result,
                             .n_results = 1,
                             .ratings = {.v = f->ratings,
                                         .raters = {rater_names, RATERS},
                                         .dimensions = {dimension_names, 1}}};
    f->result = (struct ge_result){.count = ITEMS, .verdicts = f->verdicts, .scores = f->scores};
    for (uint32_t i = 0; i < ITEMS; i++) {
        snprintf(f->ids[i], sizeof f->ids[i], "i%03u", i);
        f->items[i] = (struct ge_item){.id = f->ids[i],
                                       .index = i,
                                       .category = i % 2 ? "odd" : "even",
                                       .tags = {tags[i % 4 == 0], 1},
                                       .cluster = f->ids[i]};
        for (uint8_t d = 0; d < GE_DIRECTIONS; d++) {
            f->items[i].task[d] = (struct ge_task){.present = true, .type = d ? "draw" : "vqa"};
            add_answer(f, i, d);
        }
    }
    f->options = (struct ge_aggregate_options){
        .level = 0.95, .ratings = {.drawn = "random", .dimension = "quality", .min = 3}};
}

static struct ge_summary *aggregate(struct fixture *f)
{
    struct ge_summary *s = NULL;
    assert_ok(ge_aggregate(&f->run, &f->options, &s));
    return s;
}

static void means_and_agreement(void **state)
{
    (void)state;
    static struct fixture f;
    set_up(&f);
    struct ge_summary *s = aggregate(&f);
    const struct ge_people *p = s->people;
    assert_int_equal(p->ratings, 2 * RATED * RATERS);
    assert_int_equal(p->raters, RATERS);
    assert_int_equal(p->n_dimensions, 1);
    assert_int_equal(p->dimensions[0].answers, 2 * RATED);
    assert_int_equal(p->dimensions[0].raters, RATERS);
    /* Two values only: all three distances are proportional, so are observed and expected. */
    assert_true(p->dimensions[0].alpha[0].value > 0.4);
    for (int m = 1; m < GE_ALPHA_METRICS; m++) {
        assert_close(p->dimensions[0].alpha[m].value, p->dimensions[0].alpha[0].value, 1e-12);
    }
    assert_int_equal(p->n_means, 2);
    double sum = 0;
    for (size_t i = 0; i < f.run.ratings.n; i++) {
        if (f.ratings[i].key.direction == GE_GEN) sum += f.ratings[i].score;
    }
    assert_int_equal(p->means[1].direction, GE_GEN);
    assert_close(p->means[1].mean.value, sum / (RATED * RATERS), 1e-12);
    assert_true(p->means[1].mean.lo < p->means[1].mean.value);
    assert_int_equal(p->n_verdicts, 2);
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        const struct ge_people_verdicts *v = &p->verdicts[d];
        double agree = 0, people = 0;
        for (uint32_t i = 0; i < RATED; i++) {
            double right = 0;
            for (uint32_t r = 0; r < RATERS; r++) {
                right += f.ratings[(2 * i + (uint32_t)d) * RATERS + r].score >= 3;
            }
            people += right / RATERS / RATED;
            agree += (1 - fabs(right / RATERS - f.verdicts[2 * i + (uint32_t)d].value)) / RATED;
        }
        assert_close(v->people, people, 1e-12);
        assert_close(v->agreement.value, agree, 1e-12);
        assert_int_equal(v->decided, RATED);
        assert_true(v->agreement.lo > 0 && v->agreement.hi < 1 && v->kappa > 0.2 && v->kappa < 1);
    }
    ge_summary_delete(&s);
}

static void no_ratings_no_people(void **state)
{
    (void)state;
    static struct fixture f;
    set_up(&f);
    f.run.ratings.n = 0;
    struct ge_summary *s = aggregate(&f);
    assert_null(s->people);
    ge_summary_delete(&s);
    set_up(&f);
    f.options.ratings.dimension = NULL;
    s = aggregate(&f);
    assert_int_equal(s->people->n_corrections, 0);
    assert_int_equal(s->people->n_verdicts, 0);
    ge_summary_delete(&s);
    f.options.ratings.dimension = "beauty";
    assert_status(ge_aggregate(&f.run, &f.options, &s), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "allowed: quality"));
}

/* The pairs that the correction must be made of. */
static void pairs_of(const struct fixture *f, struct ge_ppi_pair *out)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct ge_ppi_pair *p = &out[i];
        *p = (struct ge_ppi_pair){.und_f = f->verdicts[2 * i].value,
                                  .gen_f = f->verdicts[2 * i + 1].value,
                                  .und_labelled = i < RATED,
                                  .gen_labelled = i < RATED,
                                  .cluster = i};
        for (uint32_t r = 0; i < RATED && r < RATERS; r++) {
            p->und_y += (f->ratings[2 * i * RATERS + r].score >= 3) / (double)RATERS;
            p->gen_y += (f->ratings[(2 * i + 1) * RATERS + r].score >= 3) / (double)RATERS;
        }
    }
}

static void assert_same(struct ge_estimate a, struct ge_estimate b)
{
    assert_close(a.value, b.value, 1e-12);
    assert_close(a.lo, b.lo, 1e-12);
    assert_close(a.hi, b.hi, 1e-12);
}

static void correction_is_the_estimate_over_pairs(void **state)
{
    (void)state;
    static struct fixture f;
    struct ge_ppi_pair pairs[ITEMS];
    struct ge_ppi_gap want;
    set_up(&f);
    pairs_of(&f, pairs);
    assert_ok(ge_ppi_gap(pairs, ITEMS, 0.95, &want));
    struct ge_summary *s = aggregate(&f);
    const struct ge_correction *c = s->people->corrections;
    assert_true(c->corrected);
    assert_null(c->reason);
    assert_int_equal(c->gap.labelled, RATED);
    assert_same(c->gap.corrected.und, want.corrected.und);
    assert_same(c->gap.corrected.gen, want.corrected.gen);
    assert_same(c->gap.corrected.p10, want.corrected.p10);
    assert_same(c->gap.corrected.points, want.corrected.points);
    assert_same(c->gap.corrected.delta, want.corrected.delta);
    assert_same(c->gap.human.und, want.human.und);
    ge_summary_delete(&s);
}

/* Strata by hand: each estimated by itself, shares as weights. */
static void strata_are_weighed(void **state)
{
    (void)state;
    static struct fixture f;
    static const char *const drawn[] = {"random_within:skill", "random_within:category"};
    set_up(&f);
    for (int k = 0; k < 2; k++) {
        struct ge_ppi_pair all[ITEMS], part[ITEMS];
        struct ge_ppi_gap one;
        double und = 0, variance = 0;
        pairs_of(&f, all);
        for (uint32_t h = 0; h < 2; h++) {
            size_t n = 0;
            for (uint32_t i = 0; i < ITEMS; i++) {
                if (h == (k == 0 ? i % 4 == 0 : i % 2)) part[n++] = all[i];
            }
            assert_ok(ge_ppi_gap(part, n, 0.95, &one));
            und += (double)n / ITEMS * one.corrected.und.value;
            variance += pow((double)n / ITEMS * (one.corrected.und.hi - one.corrected.und.lo), 2);
        }
        f.options.ratings.drawn = drawn[k];
        struct ge_summary *s = aggregate(&f);
        const struct ge_correction *c = s->people->corrections;
        assert_int_equal(c->strata, 2);
        assert_close(c->gap.corrected.und.value, und, 1e-12);
        double width = c->gap.corrected.und.hi - c->gap.corrected.und.lo;
        assert_close(width / sqrt(variance), 1, 0.1); /* Wilson's ends and t differ a little */
        ge_summary_delete(&s);
    }
}

/* aggregate() and the reason of the first correction, which must hold these words. */
static void expect_reason(struct fixture *f, const char *words, bool corrected)
{
    struct ge_summary *s = aggregate(f);
    const struct ge_correction *c = s->people->corrections;
    assert_non_null(c->reason);
    if (strstr(c->reason, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", c->reason, words);
    assert_int_equal(c->corrected, corrected);
    if (corrected) assert_true(isnan(c->gap.corrected.und.lo) || isnan(c->gap.corrected.p11.lo));
    ge_summary_delete(&s);
}

static void reasons(void **state)
{
    (void)state;
    static struct fixture f;
    set_up(&f);
    f.options.ratings.drawn = "other";
    expect_reason(&f, "no random subset", false);
    f.options.ratings.drawn = NULL;
    expect_reason(&f, "does not say", false);
    f.options.ratings.drawn = "random_within:colour";
    expect_reason(&f, "no item has one", false);
    f.options.ratings.drawn = "random_within:skill";
    static const char *both[] = {"skill:one", "skill:two"};
    f.items[3].tags = (struct ge_strings){both, 2};
    expect_reason(&f, "several values of the tag skill", false);
    set_up(&f);
    f.run.ratings.n = 2 * RATERS; /* one item */
    expect_reason(&f, "fewer than two clusters", true);
    f.options.ratings.drawn = "random_within:category";
    expect_reason(&f, "a stratum has no rated item", false);
    set_up(&f);
    f.run.ratings.n = RATERS; /* one direction of one item */
    expect_reason(&f, "in one of the directions", false);
    set_up(&f);
    f.result.n_verdicts = 0;
    expect_reason(&f, "no item has both verdicts", false);
    f.options.ratings.drawn = "drawn";
    struct ge_summary *s;
    assert_status(ge_aggregate(&f.run, &f.options, &s), GE_EINVAL);
}

/* ---- calibration ----------------------------------------------------------------------------- */

static struct ge_calibrate_options ask(void)
{
    return (struct ge_calibrate_options){
        .dimension = "quality", .min = 3, .folds = 10, .level = 0.95, .seed = 1};
}

static void calibration(void **state)
{
    (void)state;
    static struct fixture f;
    struct ge_calibrate_options o = ask();
    struct ge_arena *arena = ge_arena_new();
    struct ge_calibration *rows, *again;
    size_t n;
    set_up(&f);
    assert_ok(ge_calibrate(&f.run, &o, arena, &rows, &n));
    assert_int_equal(n, 4);
    assert_string_equal(rows[0].task, "draw");
    assert_string_equal(rows[0].metric, "length.words");
    assert_string_equal(rows[3].task, "vqa");
    /* Fewer words, but no side is better by definition: found, not recommended. */
    assert_false(rows[0].higher);
    assert_true(rows[0].auc.value > 0.7 && rows[0].pearson.value < -0.3);
    assert_false(rows[0].usable || rows[0].recommended);
    const struct ge_calibration *c = &rows[1];
    assert_true(c->recommended && c->usable && c->higher);
    assert_int_equal(c->answers, RATED);
    assert_int_equal(c->clusters, RATED);
    assert_int_equal(c->folds, 10);
    assert_int_equal(c->split, 0);
    assert_true(c->threshold > 0.5 && c->threshold < 1.5);
    assert_true(c->checked.kappa > 0.5 && c->agreement.value > 0.75);
    assert_close(c->agreement.value, c->checked.agreement, 1e-15);
    assert_true(c->agreement.lo < c->agreement.value && c->agreement.value < c->agreement.hi);
    assert_ok(ge_calibrate(&f.run, &o, arena, &again, &n));
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(&again[i].checked, &rows[i].checked, sizeof rows[i].checked);
        assert_memory_equal(&again[i].pearson, &rows[i].pearson, sizeof rows[i].pearson);
    }
    o.task = "vqa";
    o.metric = "match.alias";
    assert_ok(ge_calibrate(&f.run, &o, arena, &rows, &n));
    assert_int_equal(n, 1);
    ge_arena_delete(&arena);
}

static void calibration_refuses(void **state)
{
    (void)state;
    static struct fixture f;
    struct ge_arena *arena = ge_arena_new();
    struct ge_calibration *rows;
    size_t n;
    set_up(&f);
    struct ge_calibrate_options o = ask();
    o.metric = "no.such";
    assert_status(ge_calibrate(&f.run, &o, arena, &rows, &n), GE_EINVAL);
    o = ask();
    o.task = "none";
    assert_status(ge_calibrate(&f.run, &o, arena, &rows, &n), GE_EINVAL);
    o = ask();
    o.dimension = "beauty";
    assert_status(ge_calibrate(&f.run, &o, arena, &rows, &n), GE_EINVAL);
    o = ask();
    o.folds = 1;
    assert_status(ge_calibrate(&f.run, &o, arena, &rows, &n), GE_EINVAL);
    o = ask();
    f.run.ratings.n = 0;
    assert_status(ge_calibrate(&f.run, &o, arena, &rows, &n), GE_EINVAL);
    /* One rated answer: everything that needs more is undefined, nothing fails. */
    set_up(&f);
    f.run.ratings.n = RATERS;
    assert_ok(ge_calibrate(&f.run, &o, arena, &rows, &n));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].folds, 0);
    assert_true(isnan(rows[0].pearson.value) && isnan(rows[0].auc.value));
    assert_true(isnan(rows[0].agreement.value) && !rows[0].usable && !rows[1].usable);
    ge_arena_delete(&arena);
}

static void memory_failures(void **state)
{
    (void)state;
    static struct fixture f;
    bool pending = false;
    set_up(&f);
    f.options.ratings.drawn = "random_within:skill";
    f.run.ratings.n = 2 * RATERS * 8; /* enough for every path, quick to walk */
    for (uint64_t n = 1; !pending; n++) {
        struct ge_summary *s = NULL;
        struct ge_calibration *rows;
        struct ge_calibrate_options o = ask();
        size_t count;
        struct ge_arena *arena = ge_arena_new();
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_aggregate(&f.run, &f.options, &s);
        if (rc == GE_OK) rc = ge_calibrate(&f.run, &o, arena, &rows, &count);
        pending = ge_mem_fault_pending() != 0;
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        ge_summary_delete(&s);
        ge_arena_delete(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_and_agreement),
        cmocka_unit_test(no_ratings_no_people),
        cmocka_unit_test(correction_is_the_estimate_over_pairs),
        cmocka_unit_test(strata_are_weighed),
        cmocka_unit_test(reasons),
        cmocka_unit_test(calibration),
        cmocka_unit_test(calibration_refuses),
        cmocka_unit_test(memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
