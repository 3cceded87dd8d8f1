/* Checks of descriptions: sentences, named objects, details. */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "metric/chair.h"
#include "metric/details.h"
#include "metric/noun.h"
#include "metric/sentence.h"

/* ---- sentences and nouns ------------------------------------------------------------------- */

/* The sentences of a text with | between. */
static void check_sentences(const char *text, const char *want)
{
    struct ge_sentences s = {.text = text, .len = strlen(text)};
    struct ge_buf out;
    size_t begin, end, n = 0;
    ge_buf_init(&out, 1000);
    ge_buf_str(&out, "");
    while (ge_sentences_next(&s, &begin, &end)) {
        if (n++ > 0) ge_buf_char(&out, '|');
        ge_buf_add(&out, text + begin, end - begin);
    }
    assert_string_equal(out.data, want);
    assert_int_equal(ge_sentences_count(text, strlen(text)), n);
    ge_buf_free(&out);
}

static void sentences(void **state)
{
    (void)state;
    check_sentences("", "");
    check_sentences(" \n ... !? ", "");
    check_sentences("One. Two! Three? Four", "One.|Two!|Three?|Four");
    check_sentences("Really?! Yes... No… maybe", "Really?!|Yes...|No… maybe");
    check_sentences("He said \"go.\" Then (he left.) So", "He said \"go.\"|Then (he left.)|So");
    check_sentences("Mr. Smith and Dr. J. Jones ate 3.5 pies, e.g. Apple pies. So did I. Yes",
                    "Mr. Smith and Dr. J. Jones ate 3.5 pies, e.g. Apple pies.|So did I.|Yes");
    check_sentences("It ends etc. and goes on. No. It ends",
                    "It ends etc. and goes on.|No.|It ends");
    check_sentences("one line\nand the next\n\nnew paragraph",
                    "one line\nand the next|new paragraph");
    check_sentences("List:\n- red car\n* blue car\n1. First\n2) Second",
                    "List:|- red car|* blue car|1. First|2) Second");
    check_sentences("鸟在唱歌。猫在睡觉！是吗？", "鸟在唱歌。|猫在睡觉！|是吗？");
    check_sentences("a.b.c www.example.org x", "a.b.c www.example.org x");
}

static void nouns(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"dog's", "dog"},
        {"men's", "man"},
        {"children's", "child"},
        {"it's", "it"},
        {"grandchildren", "grandchild"},
        {"salespeople", "salesperson"},
        {"bureaux", "bureau"},
        {"glass", "glass"},
        {"jeans", "jeans"},
        {"tennis", "tennis"},
        {"omen", "omen"},
        {"as", "as"},
        {"s", "s"},
        {"'s", "'s"},
        {"été", "été"},
        {"étés", "été"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ge_buf out;
        ge_buf_init(&out, 100);
        ge_noun_singular(cases[i][0], strlen(cases[i][0]), &out);
        assert_string_equal(out.data, cases[i][1]);
        ge_buf_free(&out);
    }
}

/* ---- objects ------------------------------------------------------------------------------- */

static const char *no_words[] = {"?", ""}, *canines[] = {"puppy", "hound"}, *people[] = {"man"},
                  *lamps[] = {"lamp", "light"};
static struct ge_object objects[] = {
    {.name = "hot dog", .present = false},
    {.name = "dog", .synonyms = {canines, 2}, .present = true},
    {.name = "person", .synonyms = {people, 1}, .present = true},
    {.name = "lamp post", .synonyms = {lamps, 2}, .present = false},
    {.name = "floor lamp", .synonyms = {lamps, 2}, .present = true},
    {.name = "!", .synonyms = {no_words, 2}, .present = true},
    {.name = "red circles", .present = false},
};
enum { OBJECTS = sizeof objects / sizeof objects[0] };
static const struct ge_task scene = {.objects = objects, .n_objects = OBJECTS};

static void check_mentions(const char *text, const char *want)
{
    size_t mentions[OBJECTS];
    char got[OBJECTS + 1] = {0};
    assert_ok(ge_chair_mentions(text, &scene, mentions));
    for (size_t i = 0; i < OBJECTS; i++) got[i] = (char)('0' + mentions[i]);
    assert_string_equal(got, want);
}

static void mentions(void **state)
{
    (void)state;
    check_mentions("", "0000000");
    check_mentions("The DOGS see a dog.", "0200000");
    check_mentions("Hot dogs, a hot dog, and a dog", "2100000"); /* the longest */
    check_mentions("It is hot. Dogs lie about", "0100000");      /* not across sentences */
    check_mentions("Puppies and hounds of two men", "0210000");
    check_mentions("No dog here", "0100000");        /* denied ones count, as in the original */
    check_mentions("a lamp and a light", "0000200"); /* the present one of two */
    check_mentions("lamp posts", "0001000");
    check_mentions("a red circle, RED CIRCLES", "0000002");
    check_mentions("hotdog dogged", "0000000");
    check_mentions("a man's dog", "0110000");
}

static void check_chair(const char *text, double i, double s, double recall)
{
    double got[3];
    assert_ok(ge_chair_i(text, &scene, &got[0]));
    assert_ok(ge_chair_s(text, &scene, &got[1]));
    assert_ok(ge_objects_recall(text, &scene, &got[2]));
    if (isnan(i)) {
        assert_true(isnan(got[0]));
    } else {
        assert_close(got[0], i, 0);
    }
    assert_close(got[1], s, 0);
    assert_close(got[2], recall, 0);
}

static void chair(void **state)
{
    (void)state;
    check_chair("", NAN, 0, 0);
    check_chair("A dog.", 0, 0, 0.25);
    check_chair("A hot dog and a man, a floor lamp, a dog", 0.25, 1, 0.75);
    check_chair("Red circles.", 1, 1, 0);
    const struct ge_task empty = {0};
    double v;
    assert_ok(ge_chair_i("a dog", &empty, &v));
    assert_true(isnan(v));
    assert_ok(ge_chair_s("a dog", &empty, &v));
    assert_true(isnan(v));
    assert_ok(ge_objects_recall("a dog", &empty, &v));
    assert_true(isnan(v));
    const struct ge_task present = {.objects = &objects[1], .n_objects = 2}; /* no absent ones */
    assert_ok(ge_chair_i("a dog", &present, &v));
    assert_true(isnan(v));
    assert_ok(ge_chair_s("a dog", &present, &v));
    assert_true(isnan(v));
    assert_ok(ge_objects_recall("a dog", &present, &v));
    assert_close(v, 0.5, 0);

    const char *texts[] = {"hot dog", "a dog, a dog, a dog", "nothing", "a dog", "a man"};
    const struct ge_task *tasks[] = {&scene, &scene, &scene, &empty, &present};
    const struct ge_corpus corpus = {.texts = texts, .tasks = tasks, .n = 5};
    double per_text[5];
    assert_ok(ge_corpus_chair_i(&corpus, &v, per_text));
    assert_close(v, 0.25, 0); /* 1 of 4 mentions; the mean of ratios is 0.5 */
    assert_close(per_text[0], 1, 0);
    assert_close(per_text[1], 0, 0);
    assert_true(isnan(per_text[2]) && isnan(per_text[3]) && isnan(per_text[4]));
    const struct ge_corpus none = {.n = 0};
    assert_ok(ge_corpus_chair_i(&none, &v, NULL));
    assert_true(isnan(v));
}

/* ---- details ------------------------------------------------------------------------------- */

static void details(void **state)
{
    (void)state;
    static const struct {
        const char *detail, *text;
        bool covered;
    } cases[] = {
        {"a red car", "There is a car. It is red.", false}, /* not in one sentence */
        {"a red car", "The car on the left is red.", true},
        {"a red car", "Red CARS!", true},
        {"red cars", "a red car", true},
        {"a red car", "a reddish car", false},
        {"three birds", "I see 3 birds", true},
        {"21 birds", "twenty-one birds sing", true},
        {"three birds", "two birds, and three cats", true}, /* order-free */
        {"a red car", "There is no red car.", false},
        {"a red car", "The car is not red.", false},
        {"a red car", "The car isn't really red.", false},
        {"a red car", "There is no dog, and the car is red.", true},
        {"a red car", "No dog but a red car.", true},
        {"a red car", "The car is not only red.", true},
        {"a red car", "The car is not red. Well, the car is red.", true},
        {"a red car", "It is not a very old, red car.", true},
        {"no clouds in the sky", "The sky is clear of clouds.", false},
        {"no clouds in the sky", "There are no clouds visible in the blue sky.", true},
        {"without a hat", "A man with a hat", false},
        {"without a hat", "A man without any hat", true},
        {"it is there", "there it is", true}, /* nothing but joining words */
        {"dog under the table", "A dog lies on the table", false},
        {"dog under the table", "Under the table lies a dog", true},
        {"ein Café", "das cafe\u0301 ist ein Ort", true}, /* composed or not */
        {"cat", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *list[] = {cases[i].detail};
        const struct ge_task task = {.details = {list, 1}};
        double v, recall;
        bool missing;
        assert_ok(ge_details_recall(cases[i].text, &task, &v));
        assert_ok(ge_details_missing(cases[i].text, &task, &missing, &recall));
        assert_close(recall, v, 0);
        if (v != cases[i].covered || missing == cases[i].covered) {
            fail_msg("\"%s\" in \"%s\": %g", cases[i].detail, cases[i].text, v);
        }
    }
}

static void details_together(void **state)
{
    (void)state;
    const char *list[] = {"a red car", "?", "a blue house", "two dogs", ""};
    const struct ge_task task = {.details = {list, 5}}, empty = {0};
    bool missing[5];
    double v, recall;
    assert_ok(ge_details_missing("A red car by a blue house.", &task, missing, &recall));
    assert_true(!missing[0] && !missing[1] && !missing[2] && missing[3] && !missing[4]);
    assert_ok(ge_details_recall("A red car by a blue house.", &task, &v));
    assert_close(recall, v, 0);
    assert_close(v, 2.0 / 3, 0); /* those without words do not count */
    assert_ok(ge_details_recall("A red car", &empty, &v));
    assert_true(isnan(v));
    const char *blank[] = {"", "..."};
    const struct ge_task wordless = {.details = {blank, 2}};
    assert_ok(ge_details_recall("A red car", &wordless, &v));
    assert_true(isnan(v));
}

/* ---- hostile ------------------------------------------------------------------------------- */

static const char *facts[] = {"a red car", "no dogs near the house", "21 birds"};
static const struct ge_task full = {
    .objects = objects, .n_objects = OBJECTS, .details = {facts, 3}};

static void try_all(const char *text)
{
    double v;
    assert_ok(ge_chair_i(text, &full, &v));
    assert_true(isnan(v) || (v >= 0 && v <= 1));
    assert_ok(ge_objects_recall(text, &full, &v));
    assert_true(v >= 0 && v <= 1);
    assert_ok(ge_details_recall(text, &full, &v));
    assert_true(v >= 0 && v <= 1);
}

static void hostile_texts(void **state)
{
    (void)state;
    enum { LEN = 1 << 20, SHORT = 1 << 17 };
    static const char *const units[] = {
        "red car. ", "a",   "\n1) a", "no ",  ".",    "dog ", "\n",   "1. ",          "\xFF",
        "。",        "'s ", "- ",     "Mr. ", "\xE2", "hot ", "one ", "one hundred ", " \t"};
    char *text = ge_calloc(LEN + 3, 1);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = strlen(units[i]), len = i < 2 ? LEN : SHORT;
        for (size_t k = 0; k < len; k++) text[k] = units[i][k % n];
        text[len] = '\0';
        try_all(text);
    }
    memset(text, 'a', LEN + 2);
    text[LEN + 2] = '\0'; /* a word too long is left out, the others count */
    memcpy(text, "dog ", 4);
    size_t found[OBJECTS];
    assert_ok(ge_chair_mentions(text, &scene, found));
    assert_int_equal(found[1], 1);
    free(text);
    try_all("dog\xC0\x80 \xED\xA0\x80 car red \xF4\x90\x80\x80");
}

/* The white space at the end of a text is walked over once, not once for each sentence. */
static void blank_end(void **state)
{
    (void)state;
    enum { LEN = 1 << 20 };
    char *text = ge_calloc(LEN + 1, 1);
    assert_non_null(text);
    memset(text, ' ', LEN);
    for (size_t k = 0; k < LEN / 2; k += 4) memcpy(text + k, "a! ", 3);
    assert_int_equal(ge_sentences_count(text, LEN), LEN / 8);
    free(text);
}

static void memory_faults(void **state)
{
    (void)state;
    const char *text = "Two hot dogs, a red car. No dogs are near the house of a man.";
    const struct ge_task *task = &full;
    const struct ge_corpus corpus = {.texts = &text, .tasks = &task, .n = 1};
    for (int which = 0; which < 3; which++) {
        for (uint64_t n = 1;; n++) {
            double v;
            ge_mem_fail_at(n, 0);
            ge_status rc = which == 0   ? ge_chair_s(text, task, &v)
                           : which == 1 ? ge_details_recall(text, task, &v)
                                        : ge_corpus_chair_i(&corpus, &v, NULL);
            bool reached = !ge_mem_fault_pending();
            ge_mem_fail_at(0, 0);
            if (!reached) {
                assert_int_equal(rc, GE_OK);
                assert_true(n > 20);
                break;
            }
            assert_int_equal(rc, GE_ENOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences),     cmocka_unit_test(nouns),
        cmocka_unit_test(mentions),      cmocka_unit_test(chair),
        cmocka_unit_test(details),       cmocka_unit_test(details_together),
        cmocka_unit_test(hostile_texts), cmocka_unit_test(blank_end),
        cmocka_unit_test(memory_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
