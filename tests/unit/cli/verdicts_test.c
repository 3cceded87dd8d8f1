/* Verdicts from CSV: what they become, what is refused and with which words, memory failures. */
#include <unistd.h>

#include "aggregate/estimators.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "cli/verdicts.h"
#include "test.h"

static char path[] = "/tmp/verdicts-XXXXXX";
static struct ge_run *run;

static int set_up(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    ge_run_delete(&run);
    return unlink(path);
}

static ge_status load(const char *text, bool whole)
{
    ge_run_delete(&run);
    assert_ok(ge_fs_replace(path, text, strlen(text)));
    return ge_verdicts_read(path, whole, &run);
}

static void test_read(void **state)
{
    (void)state;
    assert_ok(load("gen,und,item,note,model,category,judges,cluster\n"
                   "1,0.5,q1,x,a,c1,2,k\n"
                   ",1,q2,,a,,,\n"
                   "0,,q1,\"y,z\",b,c1,1,k\n",
                   true));
    assert_int_equal(run->n_cells, 2);
    assert_string_equal(run->cells[1].system, "b");
    assert_int_equal(run->n_items, 2);
    assert_string_equal(run->items[0].category, "c1");
    assert_string_equal(run->items[0].cluster, "k");
    assert_null(run->items[1].category);
    assert_string_equal(run->items[1].cluster, "q2");
    const struct ge_result *a = &run->results[0], *b = &run->results[1];
    assert_int_equal(a->n_verdicts, 3);
    assert_int_equal(a->n_errors, 1);
    assert_true(a->verdicts[0].value == 0.5 && a->verdicts[0].judges == 2);
    assert_int_equal(a->verdicts[0].key.direction, GE_UND);
    assert_int_equal(a->errors[0].key.item, 1);
    assert_int_equal(a->errors[0].key.direction, GE_GEN);
    assert_int_equal(b->n_errors, 1);
    assert_int_equal(b->verdicts[0].judges, 1);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
        bool whole;
    } cases[] = {
        {"model,item,category,und\na,q,c,1\n", "no column \"gen\"", false},
        {"model,item,und,gen\na,q,1,1\n", "no column \"category\"", false},
        {"model,item,category,und,gen\n", "0 lines of verdicts", false},
        {"model,item,category,und,gen\n,q,c,1,1\n", "line 2: no model", false},
        {"model,item,category,und,gen\na,,c,1,1\n", "line 2: no item", false},
        {"model,item,category,und,gen\na,q,c,1,1\nb,q,c,0,0\na,q,c,1,0\n",
         "line 4: model \"a\", item \"q\" is on line 2 already", false},
        {"model,item,category,und,gen\na,q,c,1,1\nb,q,d,1,1\n",
         "line 3: item \"q\" has category \"d\", on line 2 \"c\"", false},
        {"model,item,category,und,gen,cluster\na,q,c,1,1,k\nb,q,c,1,1,l\n",
         "line 3: item \"q\" has cluster \"l\", on line 2 \"k\"", false},
        {"model,item,category,und,gen\na,q,c,1.5,1\n", "line 2: a verdict is a number from 0 to 1",
         false},
        {"model,item,category,und,gen\na,q,c,1,-0.1\n", "found \"-0.1\"", false},
        {"model,item,category,und,gen\na,q,c,yes,1\n", "line 2: und is \"yes\"", false},
        {"model,item,category,und,gen,judges\na,q,c,1,1,0\n", "judges is a whole number", false},
        {"model,item,category,und,gen,judges\na,q,c,1,1,2.5\n", "judges is a whole number", false},
        {"model,item,category,und,gen,judges\na,q,c,1,1,1000001\n", "from 1 to 1000000", false},
        {"model,item,category,und,gen,judges\na,q,c,1,1,x\n", "line 2: judges is \"x\"", false},
        {"model,item,category,und,gen\na,q,c,0.5,1\n", "line 2: verdict 0.5 of 1 judgements", true},
        {"model,item,category,und,gen,judges\na,q,c,0.5,0.3,2\n", "line 2: verdict 0.3 of 2", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ge_status rc = load(cases[i].text, cases[i].whole);
        if (rc != GE_EFORMAT || strstr(ge_error(), cases[i].why) == NULL) {
            print_error("%s\n%s: \"%s\", wanted \"%s\"\n", cases[i].text, ge_status_name(rc),
                        ge_error(), cases[i].why);
            fail();
        }
        assert_null(run);
    }
    assert_status(ge_verdicts_read("/nonexistent/v.csv", false, &run), GE_ENOENT);
    assert_ok(load("model,item,category,und,gen\na,q,c,0.5,1\n", false)); /* fine without irt */
}

/* A file whose models and items are mixed up would ask for a table of gigabytes. */
static void test_models_are_limited(void **state)
{
    (void)state;
    struct ge_buf text;
    ge_buf_init(&text, 1 << 20);
    ge_buf_str(&text, "model,item,category,und,gen\n");
    for (int i = 0; i < 10000; i++) ge_buf_printf(&text, "m%d,q,c,1,0\n", i);
    assert_ok(load(text.data, false));
    assert_int_equal(run->n_cells, 10000);
    ge_buf_str(&text, "another,q,c,1,0\n");
    assert_status(load(text.data, false), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "line 10002: model \"another\""));
    ge_buf_free(&text);
}

/* A failed direction, a pair that is not there, fractions: in the summary and in each estimator. */
static void test_summary(void **state)
{
    (void)state;
    assert_ok(load("model,item,category,und,gen,judges\n"
                   "a,q1,c1,1,0.5,2\na,q2,c1,0,1,2\na,q3,c2,1,,2\na,q4,c2,0.5,0,2\n"
                   "b,q1,c1,1,0,1\nb,q2,c1,0,1,1\nb,q3,c2,1,1,1\nb,q5,c2,0,0,1\n",
                   true));
    struct ge_aggregate_options options = {
        .by_category = true, .level = 0.9, .upstream = true, .irt = true, .irt_nodes = 9};
    struct ge_summary *s = NULL;
    assert_ok(ge_aggregate(run, &options, &s));
    assert_int_equal(s->n_rows, 6);
    const struct ge_estimates *e = s->estimates;
    assert_true(e->has_irt && e->has_upstream);
    assert_int_equal(s->n_groups, 3);
    const struct ge_gap_row *a = &s->rows[0];
    assert_int_equal(a->items, 4);
    assert_int_equal(a->judged, 3);
    assert_int_equal(a->failed_gen, 1);
    assert_int_equal(a->undone, 1); /* q5 is not there */
    assert_close(a->und_bounds.lo, 2.5 / 4, 1e-15);
    assert_close(a->gen_bounds.lo, 1.5 / 4, 1e-15);
    assert_close(a->gen_bounds.hi, 2.5 / 4, 1e-15);
    /* upstream: the two categories, fitted together. */
    struct ge_cells cells[] = {{0.25, 0.25, 0.5, 0}, {0, 0.5, 0, 0.5}};
    double gaps[2], mean;
    assert_ok(ge_gap_upstream(cells, 2, gaps, &mean));
    assert_true(e->upstream[1] == gaps[0] && e->upstream[2] == gaps[1] && e->upstream[0] == mean);
    /* irt: judgements of judged pairs only, 2 * 2 * 3 of a and 2 * 4 of b. */
    assert_int_equal(e->groups[0].judgements, 20);
    assert_int_equal(e->groups[0].items, 5);
    assert_close(e->irt[0].delta.hi - e->irt[0].delta.value, 1.6448536 * e->irt[0].model.se_delta,
                 1e-6);
    double half = e->irt[0].delta.value;
    assert_close(e->irt[0].gap, ge_gap_score(half, (a->k00 + 0.25) / 4, (a->k11 + 0.25) / 4), 0);
    ge_summary_delete(&s);
}

static void test_irt_refused(void **state)
{
    (void)state;
    struct ge_aggregate_options options = {.level = 0.95, .irt = true, .irt_nodes = 25};
    struct ge_summary *s = NULL;
    assert_ok(load("model,item,category,und,gen\na,q1,c,0.5,1\na,q2,c,0,1\n", false));
    assert_ok(ge_aggregate(run, &options, &s));
    assert_false(s->estimates->has_irt);
    assert_non_null(
        strstr(s->estimates->irt_refused, "system \"a\", item \"q1\", und: verdict 0.5"));
    ge_summary_delete(&s);
}

static void test_memory_failures(void **state)
{
    (void)state;
    struct ge_aggregate_options options = {
        .by_category = true, .level = 0.95, .upstream = true, .irt = true, .irt_nodes = 3};
    static const char text[] = "model,item,category,und,gen,cluster\na,q1,c1,1,0,k\na,q2,c1,0,1,k\n"
                               "a,q3,c2,1,,\nb,q1,c1,0,0,k\nb,q2,c1,1,1,k\n";
    assert_ok(load(text, true));
    uint64_t n = 1;
    for (;; n++) {
        struct ge_summary *s = NULL;
        ge_run_delete(&run);
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_verdicts_read(path, true, &run);
        if (rc == GE_OK) rc = ge_aggregate(run, &options, &s);
        int pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        ge_summary_delete(&s);
        if (pending) {
            assert_int_equal(rc, GE_OK);
            break;
        }
        assert_int_equal(rc, GE_ENOMEM);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_models_are_limited),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_irt_refused),
        cmocka_unit_test(test_memory_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
