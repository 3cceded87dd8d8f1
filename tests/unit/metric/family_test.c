/* Metrics that share their work give together what each gives alone. */
#include "test.h"

#include "metric/captions.h"
#include "metric/chair.h"
#include "metric/constraints.h"
#include "metric/homogeneity.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

static struct ge_object objects[] = {{.name = "dog", .present = true, .number = -1},
                                     {.name = "man", .present = true, .number = -1},
                                     {.name = "cat", .present = false, .number = -1}};
static const struct ge_task full = {
    .references = LIST("A dog runs over the grass.", "A brown dog is running."),
    .objects = objects,
    .n_objects = 3,
    .constraints = "[{\"kind\": \"words\", \"max\": 6}, {\"kind\": \"include\", \"text\": \"dog\"},"
                   " {\"kind\": \"no_commas\"}]"};
static const struct ge_task empty = {0};

static ge_text_metric_fn *const metrics[] = {ge_text_bleu1,
                                             ge_text_bleu2,
                                             ge_text_bleu3,
                                             ge_text_bleu4,
                                             ge_text_rouge_l,
                                             ge_chair_i,
                                             ge_chair_s,
                                             ge_objects_recall,
                                             ge_constraints_strict,
                                             ge_constraints_loose,
                                             ge_constraints_share_strict,
                                             ge_constraints_share_loose};
enum { METRICS = sizeof metrics / sizeof metrics[0] };

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Every subset of the members: those wanted have their own value, the others are not touched. */
static void assert_together(const struct ge_text_family *f, const char *text,
                            const struct ge_task *task)
{
    for (unsigned subset = 0; subset < 1u << f->n; subset++) {
        bool wanted[GE_FAMILY_MOST];
        double values[GE_FAMILY_MOST], alone;
        for (size_t k = 0; k < f->n; k++) {
            wanted[k] = subset >> k & 1;
            values[k] = -7;
        }
        assert_ok(f->all(text, task, wanted, values));
        for (size_t k = 0; k < f->n; k++) {
            assert_ok(f->members[k](text, task, &alone));
            assert_true(wanted[k] ? same(values[k], alone) : values[k] == -7);
        }
    }
}

static void together_as_alone(void **state)
{
    static const char *const texts[] = {"", "A dog.", "A dog, a cat and a man run.\nyes",
                                        "Intro\nthe dog runs over the grass"};
    (void)state;
    for (size_t i = 0; i < METRICS; i++) {
        size_t place = 99;
        const struct ge_text_family *f = ge_text_family_find(metrics[i], &place);
        assert_non_null(f);
        assert_true(f->members[place] == metrics[i]);
        for (size_t t = 0; place == 0 && t < 4; t++) {
            assert_together(f, texts[t], &full);
            assert_together(f, texts[t], &empty);
        }
    }
}

static void others_have_none(void **state)
{
    size_t place = 99;
    (void)state;
    assert_null(ge_text_family_find(ge_length_words, &place));
    assert_int_equal(place, 99);
}

static void errors(void **state)
{
    static const struct ge_task broken = {.constraints = "[{\"kind\": \"rhyme\"}]"};
    const bool wanted[GE_CONSTRAINTS_ALL] = {true};
    double values[GE_CONSTRAINTS_ALL] = {-7}, value = -7;
    (void)state;
    assert_status(ge_constraints_all("a", &broken, wanted, values), GE_EUNSUPPORTED);
    assert_status(ge_constraints_strict("a", &broken, &value), GE_EUNSUPPORTED);
    assert_true(values[0] == -7 && value == -7);
}

/* ---- corpora ---------------------------------------------------------------------------------- */

/* Each kind of words is cut once; the values are those without a cache. */
static void cache_of_a_corpus(void **state)
{
    static const char *const texts[] = {"a dog runs", "the man is here", "", "a dog runs on grass"};
    const struct ge_task *const tasks[] = {&full, &full, &empty, &full};
    struct ge_caption_cache cache = {0};
    const struct ge_corpus plain = {.texts = texts, .tasks = tasks, .n = 4},
                           cached = {.texts = texts, .tasks = tasks, .n = 4, .cache = &cache};
    ge_corpus_metric_fn *const all[] = {
        ge_corpus_bleu1,     ge_corpus_bleu4,     ge_corpus_rouge_l,    ge_corpus_cider_d,
        ge_corpus_distinct1, ge_corpus_distinct2, ge_corpus_self_bleu3, ge_corpus_opening_share};
    const struct ge_caption_corpus *made[GE_CAPTION_KINDS] = {NULL};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        double value, again, each[4], each_again[4];
        assert_ok(all[i](&plain, &value, each));
        assert_ok(all[i](&cached, &again, each_again));
        assert_true(same(value, again));
        for (int k = 0; k < 4; k++) assert_true(same(each[k], each_again[k]));
        for (int k = 0; k < GE_CAPTION_KINDS; k++) {
            assert_true(made[k] == NULL || made[k] == cache.made[k]);
            made[k] = cache.made[k];
        }
    }
    assert_non_null(made[GE_CAPTION_PTB]);
    assert_non_null(made[GE_CAPTION_PLAIN]);
    ge_caption_cache_clear(&cache);
    assert_null(cache.made[GE_CAPTION_PTB]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_as_alone),
        cmocka_unit_test(others_have_none),
        cmocka_unit_test(errors),
        cmocka_unit_test(cache_of_a_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
