/* Caption tokens and metrics: small cases worked out by hand, degenerate corpora, long and hostile
 * texts, failures of memory. */
#include "test.h"

#include "base/mem.h"
#include "metric/captions.h"
#include "metric/homogeneity.h"
#include "metric/ptb.h"

enum { MIB = 1 << 20, MOST = 8, MOST_WORDS = 700 };

/* ---- tokens ------------------------------------------------------------------------------------ */

static void assert_tokens(const char *caption, const char *want)
{
    struct ge_buf b;
    ge_buf_init(&b, MIB);
    assert_ok(ge_ptb_caption(caption, strlen(caption), &b));
    assert_string_equal(b.len > 0 ? b.data : "", want);
    ge_buf_free(&b);
}

static void tokens_of_a_caption(void **state)
{
    (void)state;
    assert_tokens("", "");
    assert_tokens(" \n\t ", "");
    assert_tokens("...", "");
    assert_tokens("Dog", "dog");
    assert_tokens("A man's dog can't swim.", "a man 's dog ca n't swim");
    assert_tokens("It cost $1,000.50, 5% off (today)",
                  "it cost $ 1,000.50 5 % off -lrb- today -rrb-");
    assert_tokens("Mr. Smith of the U.S.", "mr. smith of the u.s.");
    assert_tokens("line\nbreak\r\nand\xE2\x80\xA8more", "line break and more");
    assert_tokens("add 1 1/2 cups", "add 1\xC2\xA0"
                                    "1/2 cups");
    assert_tokens("\xC3\x89t\xC3\xA9 \xF0\x9F\x98\x80 ok", "\xC3\xA9t\xC3\xA9 ok");
    assert_tokens("bad \xFF\xC3 bytes\x01", "bad bytes");
}

/* Appends, and starts without a space after what is there already. */
static void tokens_are_appended(void **state)
{
    struct ge_buf b;
    (void)state;
    ge_buf_init(&b, 8);
    ge_buf_str(&b, "x|");
    assert_ok(ge_ptb_caption("A b", 3, &b));
    assert_string_equal(b.data, "x|a b");
    assert_status(ge_ptb_caption("longer", 6, &b), GE_ELIMIT);
    ge_buf_free(&b);
}

/* Half a mebibyte each of what rules look far ahead for. Milliseconds while time is linear, minutes
 * when it is quadratic: the test's time limit tells. */
static void long_texts_take_linear_time(void **state)
{
    static const char *const units[] = {"a",       "a:a",     "a,",     "1a.",    "<!a ",
                                        "<a b=\"", "a/",      ". ",     "a.b.c-", "www.1",
                                        "a@",      "x-U.S.-", "'\"",    "1 234 ", "a.com/!",
                                        "A&",      "A.  ",    "a.jpg.", "\xFF",   "Z. <a "};
    enum { HALF = MIB / 2 };
    char *text = ge_calloc(HALF + 1, 1);
    (void)state;
    assert_non_null(text);
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        size_t n = strlen(units[u]);
        struct ge_buf b;
        for (size_t i = 0; i < HALF; i++) text[i] = units[u][i % n];
        ge_buf_init(&b, 8 * (size_t)MIB);
        assert_ok(ge_ptb_caption(text, HALF, &b));
        ge_buf_free(&b);
    }
    free(text);
}

/* Every pair and triple of the characters that rules are about, with the buffer cut to size so that a
 * look beyond the end is seen by the sanitizer. */
static void short_texts_stay_inside(void **state)
{
    static const char set[] = "a.b'\"-,1/:&;#@<>$(= nSt!?`_*^+\\";
    size_t n = sizeof set - 1;
    (void)state;
    for (size_t i = 0; i < n * n * n; i++) {
        char text[4] = {set[i % n], set[i / n % n], set[i / n / n], '\0'};
        struct ge_buf b;
        char *exact = ge_strdup(text);
        ge_buf_init(&b, MIB);
        assert_non_null(exact);
        for (size_t len = 1; len <= 3; len += 2) assert_ok(ge_ptb_caption(exact, len, &b));
        free(exact);
        ge_buf_free(&b);
    }
}

/* ---- corpora ----------------------------------------------------------------------------------- */

struct fixture {
    const char *texts[MOST];
    const char *refs[MOST];
    struct ge_task tasks[MOST];
    const struct ge_task *task_of[MOST];
    struct ge_corpus c;
};

/* Texts, each with one reference or (NULL) none. */
static struct ge_corpus *corpus(struct fixture *f, size_t n, const char *const pairs[][2])
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < n; i++) {
        f->texts[i] = pairs[i][0];
        f->refs[i] = pairs[i][1];
        f->tasks[i].references.v = &f->refs[i];
        f->tasks[i].references.n = pairs[i][1] != NULL;
        f->task_of[i] = &f->tasks[i];
    }
    f->c = (struct ge_corpus){.texts = f->texts, .tasks = f->task_of, .n = n};
    return &f->c;
}

static void empty_corpora_have_no_value(void **state)
{
    size_t n;
    const struct ge_corpus_metric *rows = ge_corpus_metrics(&n);
    struct ge_corpus none = {.n = 0};
    struct ge_opening o;
    (void)state;
    for (size_t i = 0; i < n; i++) {
        double value = 7;
        if (rows[i].texts == NULL) continue;
        assert_ok(rows[i].texts(&none, &value, NULL));
        assert_true(isnan(value));
    }
    assert_ok(ge_opening_find(&none, &o));
    assert_null(o.words);
    assert_int_equal(o.n_members, 0);
    ge_opening_free(&o);
}

static void texts_without_references_have_no_score(void **state)
{
    static const char *const pairs[][2] = {
        {"a dog", NULL}, {"a dog runs", "A dog runs."}, {"", NULL}};
    ge_corpus_metric_fn *const metrics[] = {ge_corpus_bleu1, ge_corpus_bleu2, ge_corpus_bleu3,
                                            ge_corpus_rouge_l};
    struct fixture f;
    double value, each[3];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_ok(metrics[i](corpus(&f, 3, pairs), &value, each));
        assert_close(value, 1, 1e-8);
        assert_true(isnan(each[0]) && isnan(each[2]));
        assert_close(each[1], 1, 1e-8);
    }
    assert_ok(ge_corpus_bleu4(corpus(&f, 3, pairs), &value, each));
    assert_close(value, 0.0316, 1e-4); /* a perfect text of three words */
    assert_ok(ge_corpus_bleu1(corpus(&f, 1, pairs), &value, each));
    assert_true(isnan(value));
    assert_ok(ge_corpus_cider_d(corpus(&f, 1, pairs), &value, each));
    assert_true(isnan(value));
}

static void one_item_has_no_cider(void **state)
{
    static const char *const pairs[][2] = {{"a dog runs", "a dog runs"}, {"a cat", "one cat sits"}};
    struct fixture f;
    double value, each[2];
    (void)state;
    assert_ok(ge_corpus_cider_d(corpus(&f, 1, pairs), &value, each));
    assert_true(value == 0 && each[0] == 0);
    /* Two items: the words of the first reference are in one of two, so each has idf log 2; orders
     * 1 to 3 have cosine 1, order 4 has no n-gram. */
    assert_ok(ge_corpus_cider_d(corpus(&f, 2, pairs), &value, each));
    assert_close(each[0], 7.5, 1e-12);
}

static void empty_texts(void **state)
{
    static const char *const pairs[][2] = {{"", ""}, {"", "a dog"}, {"a dog", ""}, {"x", "x"}};
    struct fixture f;
    double value, each[4];
    (void)state;
    assert_ok(ge_corpus_rouge_l(corpus(&f, 4, pairs), &value, each));
    assert_true(each[0] == 1 && each[1] == 0 && each[2] == 0 && each[3] == 1);
    assert_ok(ge_corpus_bleu1(corpus(&f, 4, pairs), &value, each));
    assert_true(each[0] < 1e-5 && each[1] == 0);
    assert_close(each[3], 1, 1e-8);
    assert_close(value, 1.0 / 3, 1e-8); /* one match of three words, as many in the references */
    assert_ok(ge_corpus_cider_d(corpus(&f, 4, pairs), &value, each));
    assert_close(each[3], 2.5, 1e-12);
}

/* Samples of one item share their task and its references; the values are those of distinct items. */
static void samples_share_references(void **state)
{
    static const char *const pairs[][2] = {
        {"a dog runs fast", "a dog runs"}, {"the dog", "a dog runs"}, {"a cat", "a cat sits"}};
    struct fixture f;
    double apart, shared, each[3], again[3];
    ge_corpus_metric_fn *const metrics[] = {ge_corpus_bleu2, ge_corpus_rouge_l, ge_corpus_cider_d};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(metrics[i](corpus(&f, 3, pairs), &apart, each));
        f.task_of[1] = f.task_of[0];
        assert_ok(metrics[i](&f.c, &shared, again));
        assert_true(apart == shared);
        assert_memory_equal(each, again, sizeof each);
    }
}

static void single_texts(void **state)
{
    const char *ref = "a dog runs";
    struct ge_task task = {.references = {&ref, 1}}, bare = {0};
    double value;
    (void)state;
    assert_ok(ge_text_rouge_l("A dog runs!", &task, &value));
    assert_close(value, 1, 1e-15);
    assert_ok(ge_text_bleu1("a dog", &task, &value));
    assert_close(value, exp(-0.5), 1e-8); /* brevity: 2 words against 3 */
    assert_ok(ge_text_bleu4("a dog", &bare, &value));
    assert_true(isnan(value));
    assert_ok(ge_text_rouge_l("a dog", &bare, &value));
    assert_true(isnan(value));
}

/* A mebibyte against itself; ROUGE-L, whose time is not linear, against one word. */
static void long_corpora(void **state)
{
    char *text = ge_calloc(MIB + 1, 1);
    struct fixture f;
    double value;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < MIB; i++) text[i] = i % 8 == 7 ? ' ' : (char)('a' + i * i / 8 % 23);
    const char *const pairs[][2] = {{text, text}, {text, "x"}};
    assert_ok(ge_corpus_bleu4(corpus(&f, 1, pairs), &value, NULL));
    assert_close(value, 1, 1e-12);
    assert_ok(ge_corpus_cider_d(corpus(&f, 2, pairs), &value, NULL));
    assert_true(isfinite(value));
    assert_ok(ge_corpus_rouge_l(corpus(&f, 1, pairs + 1), &value, NULL));
    assert_true(isfinite(value));
    assert_ok(ge_corpus_distinct3(&f.c, &value, NULL));
    assert_true(value > 0 && value < 1);
    free(text);
}

/* The longest common subsequence by its definition. */
static size_t slow_lcs(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[MOST_WORDS + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = 0;
        for (size_t j = 0; j < m; j++) {
            size_t above = row[j + 1];
            row[j + 1] = a[i] == b[j] ? diagonal + 1 : above > row[j] ? above : row[j];
            diagonal = above;
        }
    }
    return row[m];
}

/* Words of one letter, with spaces between. */
static void spread(const char *letters, char *text)
{
    for (; *letters != '\0'; letters++) {
        *text++ = *letters;
        *text++ = letters[1] != '\0' ? ' ' : '\0';
    }
}

/* Few words, so that many stand more often than the text has blocks of 64 places, and some do not. */
static void rouge_of_frequent_words(void **state)
{
    static const size_t lengths[] = {1, 63, 64, 65, 128, 200, MOST_WORDS};
    char a[MOST_WORDS + 1], b[MOST_WORDS + 1], x[2 * MOST_WORDS], y[2 * MOST_WORDS];
    const char *pairs[1][2] = {{x, y}};
    struct fixture f;
    double value;
    uint32_t seed = 1;
    (void)state;
    for (size_t k = 0; k < 7 * 7 * 3; k++) {
        size_t n = lengths[k % 7], m = lengths[k / 7 % 7], kinds = 1 + 11 * (k / 49);
        for (size_t i = 0; i < n; i++)
            a[i] = (char)('b' + ((seed = seed * 69069 + 1) >> 8) % kinds);
        for (size_t i = 0; i < m; i++)
            b[i] = (char)('b' + ((seed = seed * 69069 + 1) >> 8) % kinds);
        a[n] = b[m] = '\0';
        spread(a, x);
        spread(b, y);
        double common = (double)slow_lcs(a, b), p = common / (double)n, r = common / (double)m;
        assert_ok(ge_corpus_rouge_l(corpus(&f, 1, pairs), &value, NULL));
        assert_close(value, common > 0 ? 2.44 * p * r / (r + 1.44 * p) : 0, 1e-12);
    }
}

/* One word over and over: its places are collected once, or this takes minutes. */
static void rouge_of_one_word(void **state)
{
    enum { LEN = 1 << 18 };
    char *text = ge_calloc(LEN + 1, 1);
    struct fixture f;
    double value;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < LEN; i++) text[i] = i % 2 == 0 ? 'a' : ' ';
    const char *const pairs[][2] = {{text, text}};
    assert_ok(ge_corpus_rouge_l(corpus(&f, 1, pairs), &value, NULL));
    assert_close(value, 1, 1e-12);
    free(text);
}

/* ---- homogeneity ------------------------------------------------------------------------------- */

static void homogeneity_of_few_texts(void **state)
{
    static const char *const pairs[][2] = {{"The image shows a dog", NULL},
                                           {"the IMAGE shows a", NULL},
                                           {"dog dog", NULL},
                                           {"", NULL}};
    struct fixture f;
    struct ge_opening o;
    double value, each[4];
    (void)state;
    assert_ok(ge_corpus_distinct1(corpus(&f, 4, pairs), &value, each));
    assert_close(value, 5.0 / 11, 1e-15);
    assert_true(each[0] == 1 && each[2] == 0.5 && isnan(each[3]));
    assert_ok(ge_corpus_distinct3(&f.c, &value, each));
    assert_close(value, 3.0 / 5, 1e-15);
    assert_true(isnan(each[2]));
    assert_ok(ge_corpus_opening_share(&f.c, &value, each));
    assert_true(value == 1 && each[1] == 1 && isnan(each[2]));
    assert_ok(ge_opening_find(&f.c, &o));
    assert_string_equal(o.words, "the image shows a");
    assert_int_equal(o.n_members, 2);
    assert_int_equal(o.n_texts, 2);
    assert_int_equal(o.members[1], 1);
    ge_opening_free(&o);
    assert_ok(ge_corpus_self_bleu3(&f.c, &value, each));
    assert_close(each[1], exp(-0.25), 1e-15); /* all of it in the first, which is longer by one */
    assert_true(each[3] == 0);
    assert_ok(ge_corpus_self_bleu3(corpus(&f, 1, pairs), &value, each));
    assert_true(isnan(value) && isnan(each[0]));
    assert_ok(ge_corpus_compression_ratio(&f.c, &value, each));
    assert_true(value > 0.5 && value < 1 && isnan(each[0]));
}

static void cosines_of_a_set(void **state)
{
    const float same[] = {0.6f, 0.8f, 0.6f, 0.8f, 0.6f, 0.8f}, cross[] = {1, 0, 0, 1, -1, 0};
    struct ge_embedding_set s = {.answers = same, .n = 3, .dim = 2};
    double value;
    (void)state;
    assert_ok(ge_set_pairwise_cosine(&s, &value));
    assert_close(value, 1, 1e-7);
    s.answers = cross;
    assert_ok(ge_set_pairwise_cosine(&s, &value));
    assert_close(value, -1.0 / 3, 1e-15);
    s.n = 1;
    assert_ok(ge_set_pairwise_cosine(&s, &value));
    assert_true(isnan(value));
}

/* ---- the table, and failures ------------------------------------------------------------------- */

static void rows_say_what_they_are(void **state)
{
    size_t n, n_absent;
    const struct ge_corpus_metric *rows = ge_corpus_metrics(&n);
    const struct ge_absent_metric *absent = ge_absent_metrics(&n_absent);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(ge_corpus_metric_find(rows[i].name), &rows[i]);
        assert_true((rows[i].texts == NULL) != (rows[i].embeddings == NULL));
        assert_true(rows[i].help[0] != '\0');
        assert_true(rows[i].reference == NULL || rows[i].reference[0] != '\0');
    }
    for (size_t i = 0; i < n_absent; i++) {
        assert_null(ge_corpus_metric_find(absent[i].name));
        assert_true(absent[i].reason[0] != '\0');
    }
    assert_string_equal(absent[0].name, "meteor");
}

/* Every allocation of every metric fails once. */
static void memory_runs_short(void **state)
{
    static const char *const pairs[][2] = {{"A dog's life on 1 1/2 streets", "A dog's life"},
                                           {"a dog runs \xC3\x89", "the dog runs"},
                                           {"", "a"}};
    size_t n;
    const struct ge_corpus_metric *rows = ge_corpus_metrics(&n);
    struct fixture f;
    struct ge_opening o;
    (void)state;
    corpus(&f, 3, pairs);
    for (size_t i = 0; i <= n; i++) {
        ge_status rc = GE_ENOMEM;
        if (i < n && rows[i].texts == NULL) continue;
        for (uint64_t at = 1; rc != GE_OK; at++) {
            double value, each[3];
            ge_mem_fail_at(at, 0);
            rc = i < n ? rows[i].texts(&f.c, &value, each) : ge_opening_find(&f.c, &o);
            ge_mem_fail_at(0, 0);
            assert_true(rc == GE_OK || rc == GE_ENOMEM);
            assert_true(at < 1000);
        }
    }
    ge_opening_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_a_caption),
        cmocka_unit_test(tokens_are_appended),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(short_texts_stay_inside),
        cmocka_unit_test(empty_corpora_have_no_value),
        cmocka_unit_test(texts_without_references_have_no_score),
        cmocka_unit_test(one_item_has_no_cider),
        cmocka_unit_test(empty_texts),
        cmocka_unit_test(samples_share_references),
        cmocka_unit_test(single_texts),
        cmocka_unit_test(long_corpora),
        cmocka_unit_test(rouge_of_frequent_words),
        cmocka_unit_test(rouge_of_one_word),
        cmocka_unit_test(homogeneity_of_few_texts),
        cmocka_unit_test(cosines_of_a_set),
        cmocka_unit_test(rows_say_what_they_are),
        cmocka_unit_test(memory_runs_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
