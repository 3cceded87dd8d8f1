/* From a run's rows to its figures: counts, groups, failures, undone items, several samples. */
#include "test.h"

#include "aggregate/aggregate.h"

enum { ITEMS = 6, ROWS = 32 };

/* A run of one cell whose rows the tests fill in. */
struct fixture {
    struct ge_run run;
    struct ge_item items[ITEMS];
    struct ge_cell cells[2];
    struct ge_result result;
    struct ge_verdict_row verdicts[ROWS];
    struct ge_error_row errors[ROWS];
    struct ge_undone_row undone[ROWS];
    struct ge_score_row scores[ROWS];
};

static const char *const ids[ITEMS] = {"a", "b", "c", "d", "e", "f"};
static const char *metric_names[] = {"m0", "m1"};
static const char *odd_tags[] = {"odd", "all", "odd"}; /* one given twice */
static const char *even_tags[] = {"all"};

static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ITEMS; i++) {
        f->items[i] = (struct ge_item){.id = ids[i],
                                       .index = i,
                                       .category = i < 3 ? "first" : "second",
                                       .subcategory = i == 0 ? "only" : NULL,
                                       .cluster = ids[i]};
        f->items[i].tags =
            i % 2 == 1 ? (struct ge_strings){odd_tags, 3} : (struct ge_strings){even_tags, 1};
        f->items[i].task[GE_UND] = f->items[i].task[GE_GEN] =
            (struct ge_task){.present = true, .type = "t"};
    }
    f->cells[0].system = "s";
    f->cells[1].system = "t";
    f->result = (struct ge_result){.count = ITEMS,
                                   .verdicts = f->verdicts,
                                   .errors = f->errors,
                                   .undone = f->undone,
                                   .scores = f->scores};
    f->run = (struct ge_run){.items = f->items,
                             .n_items = ITEMS,
                             .cells = f->cells,
                             .n_cells = 1,
                             .metrics = {metric_names, 2},
                             .results = &f->result,
                             .n_results = 1};
}

static void verdict(struct fixture *f, uint32_t item, uint8_t d, uint32_t sample, double value)
{
    f->verdicts[f->result.n_verdicts++] =
        (struct ge_verdict_row){.key = {item, d, sample}, .value = value, .judges = 1};
}

static void error(struct fixture *f, uint32_t item, uint8_t d, uint32_t sample)
{
    f->errors[f->result.n_errors++] =
        (struct ge_error_row){.key = {item, d, sample}, .status = GE_EFORMAT, .reason = "broken"};
}

/* und 1 1 1 0 0 1, gen 1 0 1 0 1 0 */
static void simple_verdicts(struct fixture *f)
{
    static const double und[ITEMS] = {1, 1, 1, 0, 0, 1}, gen[ITEMS] = {1, 0, 1, 0, 1, 0};
    for (uint32_t i = 0; i < ITEMS; i++) {
        verdict(f, i, GE_UND, 0, und[i]);
        verdict(f, i, GE_GEN, 0, gen[i]);
    }
}

static const struct ge_aggregate_options everything = {
    .by_category = true, .by_subcategory = true, .by_tag = true, .level = 0.95};

static const struct ge_gap_row *find_row(const struct ge_summary *s, const char *system,
                                         const char *dimension, const char *group)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->system, system) == 0 && strcmp(r->dimension, dimension) == 0 &&
            strcmp(r->group, group) == 0) {
            return r;
        }
    }
    return NULL;
}

static void test_counts_and_groups(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    set_up(&f);
    simple_verdicts(&f);
    assert_ok(ge_aggregate(&f.run, &everything, &s));
    const struct ge_gap_row *all = &s->rows[0];
    assert_string_equal(all->dimension, "overall");
    assert_int_equal(all->judged, 6);
    assert_int_equal(all->clusters, 6);
    assert_close(all->k11, 2, 0);
    assert_close(all->k10, 2, 0);
    assert_close(all->k01, 1, 0);
    assert_close(all->k00, 1, 0);
    assert_close(all->succ.value, 2.0 / 6, 1e-15);
    assert_close(all->und.value, 4.0 / 6, 1e-15);
    assert_close(all->gen.value, 3.0 / 6, 1e-15);
    assert_close(all->points.value, 1.0 / 6, 1e-15);
    assert_close(all->delta.value, log(4.5 / 2.5) - log(3.5 / 3.5), 1e-14);
    assert_close(all->p_value, 1, 1e-14);
    /* overall, first, second, only, all, odd: byte order within a dimension */
    static const char *const groups[] = {"", "first", "second", "only", "all", "odd"};
    static const size_t sizes[] = {6, 3, 3, 1, 6, 3};
    assert_int_equal(s->n_rows, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(s->rows[i].group, groups[i]);
        assert_int_equal(s->rows[i].judged, sizes[i]);
    }
    assert_close(find_row(s, "s", "tag", "odd")->und.value, 2.0 / 3, 1e-15);
    const struct ge_gap_row *one = find_row(s, "s", "subcategory", "only");
    assert_close(one->und.value, 1, 0);
    assert_true(isnan(one->und.lo) && isnan(one->delta.lo) && isnan(one->gap.hi));
    assert_false(isnan(one->delta.value));
    ge_summary_delete(&s);
    assert_null(s);
}

/* Two systems, one right in both directions everywhere, one nowhere: one comparison, 2 * 2^-6. */
static void test_ranks(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    struct ge_verdict_row right[2 * ITEMS];
    struct ge_aggregate_options o = {.level = 0.95};
    set_up(&f);
    for (uint32_t i = 0; i < ITEMS; i++) {
        verdict(&f, i, GE_UND, 0, 1);
        verdict(&f, i, GE_GEN, 0, 0);
        right[2 * i] = (struct ge_verdict_row){.key = {i, GE_UND, 0}, .value = 1, .judges = 1};
        right[2 * i + 1] = (struct ge_verdict_row){.key = {i, GE_GEN, 0}, .value = 1, .judges = 1};
    }
    struct ge_result results[2] = {f.result, {.count = ITEMS, .cell = 1, .verdicts = right}};
    results[1].n_verdicts = 2 * ITEMS;
    f.run.results = results;
    f.run.n_results = f.run.n_cells = 2;
    assert_ok(ge_aggregate(&f.run, &o, &s));
    assert_true(s->ranked && s->n_rows == 2);
    assert_int_equal(s->rows[0].rank.rank, 2);
    assert_int_equal(s->rows[0].rank.lo, 2);
    assert_int_equal(s->rows[1].rank.rank, 1);
    assert_int_equal(s->rows[1].rank.hi, 1);
    assert_close(s->rows[0].p_value, 2.0 / 64, 1e-15);
    assert_close(s->rows[0].p_holm, 4.0 / 64, 1e-15); /* of two rows */
    assert_close(s->rows[1].p_holm, 1, 1e-15);
    ge_summary_delete(&s);
    o.level = 0.99; /* one in 32 is not that sure */
    assert_ok(ge_aggregate(&f.run, &o, &s));
    assert_int_equal(s->rows[0].rank.lo, 1);
    assert_int_equal(s->rows[1].rank.hi, 2);
    ge_summary_delete(&s);
}

static void test_failures(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    struct ge_aggregate_options o = {.level = 0.95};
    set_up(&f);
    verdict(&f, 0, GE_UND, 0, 1);
    verdict(&f, 0, GE_GEN, 0, 1);
    verdict(&f, 1, GE_UND, 0, 1);
    error(&f, 1, GE_GEN, 0);
    error(&f, 2, GE_UND, 0);
    error(&f, 2, GE_GEN, 0);
    verdict(&f, 3, GE_UND, 0, 0);
    verdict(&f, 3, GE_GEN, 0, 0);
    f.run.n_items = 4;
    for (int wrong = 0; wrong < 2; wrong++) {
        o.failures_wrong = wrong == 1;
        assert_ok(ge_aggregate(&f.run, &o, &s));
        const struct ge_gap_row *r = s->rows;
        assert_int_equal(r->items, 4);
        assert_int_equal(r->judged, wrong ? 4 : 2);
        assert_int_equal(r->failed_und, 1);
        assert_int_equal(r->failed_gen, 2);
        assert_int_equal(r->failed_samples, 3);
        assert_close(r->und.value, 0.5, 0);
        assert_close(r->gen.value, wrong ? 0.25 : 0.5, 0);
        assert_close(r->und_bounds.lo, 0.5, 0);
        assert_close(r->und_bounds.hi, 0.75, 0);
        assert_close(r->gen_bounds.lo, 0.25, 0);
        assert_close(r->gen_bounds.hi, 0.75, 0);
        assert_close(r->succ_bounds.lo, 0.25, 0);
        assert_close(r->succ_bounds.hi, 0.75, 0);
        assert_close(r->points_bounds.lo, -0.25, 0);
        assert_close(r->points_bounds.hi, 0.5, 0);
        assert_true(r->gap_bounds.lo < 1e-5 && r->gap_bounds.hi > 0.3);
        assert_int_equal(s->errors, 3);
        ge_summary_delete(&s);
    }
}

static void test_undone_and_missing_items(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    struct ge_aggregate_options o = {.level = 0.95};
    set_up(&f);
    simple_verdicts(&f);
    f.result.n_verdicts = 10; /* the last item has not been computed */
    f.undone[0] = (struct ge_undone_row){{0, GE_UND, 1}, GE_EIO, "no disk"};
    f.result.n_undone = 1;
    f.items[1].task[GE_GEN].present = false; /* not a paired item */
    assert_ok(ge_aggregate(&f.run, &o, &s));
    assert_int_equal(s->rows[0].undone, 2);
    assert_int_equal(s->rows[0].items, 3);
    assert_int_equal(s->rows[0].judged, 3);
    assert_int_equal(s->undone, 1);
    ge_summary_delete(&s);
}

static void test_samples(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    struct ge_aggregate_options o = {.level = 0.95};
    set_up(&f);
    f.run.n_items = 2;
    verdict(&f, 0, GE_UND, 0, 1);
    verdict(&f, 0, GE_UND, 1, 0);
    verdict(&f, 0, GE_GEN, 0, 1);
    error(&f, 0, GE_GEN, 1); /* a part of the direction failed: judged by the rest */
    verdict(&f, 1, GE_UND, 0, 1);
    verdict(&f, 1, GE_GEN, 0, 0.25);
    assert_ok(ge_aggregate(&f.run, &o, &s));
    const struct ge_gap_row *r = s->rows;
    assert_int_equal(r->judged, 2);
    assert_int_equal(r->failed_gen, 0);
    assert_int_equal(r->failed_samples, 1);
    assert_close(r->und.value, 0.75, 0);
    assert_close(r->gen.value, 0.625, 0);
    assert_close(r->k11, 0.5 * 1 + 1 * 0.25, 1e-15);
    assert_close(r->gen_bounds.lo, (0.5 + 0.25) / 2, 1e-15);
    assert_close(r->gen_bounds.hi, (1 + 0.25) / 2, 1e-15);
    assert_close(r->sample_spread, sqrt(0.5), 1e-14);
    assert_int_equal(r->repeats[GE_UND].items, 1);
    assert_int_equal(r->repeats[GE_UND].samples, 2);
    assert_close(r->repeats[GE_UND].pass_1, 0.5, 0);
    assert_close(r->repeats[GE_UND].pass_k, 1, 0);
    assert_close(r->repeats[GE_UND].seed_sd, sqrt(0.5), 1e-14);
    assert_int_equal(r->repeats[GE_GEN].items, 0);
    assert_true(isnan(r->repeats[GE_GEN].pass_1));
    assert_true(isnan(r->phi) && isnan(r->kappa));
    assert_string_equal(r->test, "signflip.cluster");
    ge_summary_delete(&s);
    o.failures_wrong = true;
    assert_ok(ge_aggregate(&f.run, &o, &s));
    assert_close(s->rows[0].gen.value, 0.375, 0);
    ge_summary_delete(&s);
}

static void test_nothing_judged(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    set_up(&f);
    f.run.n_cells = 2;
    assert_ok(ge_aggregate(&f.run, &everything, &s));
    assert_int_equal(s->n_rows, 12);
    assert_int_equal(s->rows[0].judged, 0);
    assert_int_equal(s->rows[0].undone, 6);
    assert_true(isnan(s->rows[0].und.value) && isnan(s->rows[0].p_value));
    assert_null(s->rows[0].test);
    ge_summary_delete(&s);
    f.run.n_items = 0;
    f.run.n_results = 0;
    assert_ok(ge_aggregate(&f.run, &everything, &s));
    ge_summary_delete(&s);
}

static void test_metric_means(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s;
    struct ge_aggregate_options o = {.level = 0.95};
    set_up(&f);
    f.items[1].cluster = f.items[0].cluster;
    static const double values[] = {0.25, 0.5, 1.0};
    for (uint32_t i = 0; i < 3; i++) {
        f.scores[i] = (struct ge_score_row){{i, GE_GEN, 0}, 1, values[i]};
    }
    f.result.n_scores = 3;
    assert_ok(ge_aggregate(&f.run, &o, &s));
    assert_int_equal(s->n_metrics, 1);
    assert_string_equal(s->metrics[0].metric, "m1");
    assert_int_equal(s->metrics[0].direction, GE_GEN);
    assert_int_equal(s->metrics[0].n, 3);
    double mean = 1.75 / 3, d = 0.75 - 2 * mean; /* the clusters' sums of deviations are ±d */
    assert_close(s->metrics[0].mean.value, mean, 1e-15);
    assert_close(s->metrics[0].mean.hi, mean + 12.706204736174694 * sqrt(2 * d * d * 2) / 3, 1e-10);
    ge_summary_delete(&s);
}

static void test_bad_input(void **state)
{
    (void)state;
    struct fixture f;
    struct ge_summary *s = (void *)&f;
    struct ge_aggregate_options o = {.level = 1};
    set_up(&f);
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EINVAL);
    assert_null(s);
    o.level = NAN;
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EINVAL);
    o.level = 0.95;
    verdict(&f, ITEMS, GE_UND, 0, 1);
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EFORMAT);
    f.verdicts[0].key = (struct ge_key){0, 2, 0};
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EFORMAT);
    f.verdicts[0].key.direction = 0;
    f.result.cell = 1;
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EFORMAT);
    f.result.cell = 0;
    f.scores[0] = (struct ge_score_row){{0, 0, 0}, 2, 0.5};
    f.result.n_scores = 1;
    assert_status(ge_aggregate(&f.run, &o, &s), GE_EFORMAT);
}

/* The same pairs in any order of the items give the same G, and und and gen swapped the opposite
 * signed gap with the same size. */
static void test_symmetry(void **state)
{
    (void)state;
    struct ge_pair a[8], b[8];
    struct ge_gap_row x = {0}, y = {0};
    for (uint32_t i = 0; i < 8; i++) {
        a[i] = (struct ge_pair){i % 3 == 0, i % 2 == 0, i};
        b[i] = (struct ge_pair){a[i].gen, a[i].und, i};
    }
    assert_ok(ge_gap_logit(a, 8, 0.9, &x));
    assert_ok(ge_gap_logit(b, 8, 0.9, &y));
    assert_close(x.delta.value, -y.delta.value, 1e-15);
    assert_close(x.delta.lo, -y.delta.hi, 1e-14);
    assert_close(x.gap.value, y.gap.value, 1e-15);
    assert_close(x.p_value, y.p_value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_and_groups),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_undone_and_missing_items),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_nothing_judged),
        cmocka_unit_test(test_metric_means),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_symmetry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
