/* Constraints: kinds that have no published reference, errors, readings, hostile answers. */
#include "test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "metric/constraints.h"
#include "metric/language.h"

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *constraint, *text;
        bool kept;
    } cases[] = {
        {"{\"kind\": \"include\", \"text\": \"cat\"}", "A category", true},
        {"{\"kind\": \"include\", \"text\": \"cat\", \"whole_words\": true}", "A category", false},
        {"{\"kind\": \"include\", \"text\": \"cat\", \"whole_words\": true}", "category, Cat!",
         true},
        {"{\"kind\": \"include\", \"text\": \"cat\", \"exactly\": 2}", "cat cat", true},
        {"{\"kind\": \"include\", \"text\": \"cat\", \"exactly\": 2}", "cat cat cat", false},
        {"{\"kind\": \"include\", \"any_of\": [\"cat\", \"dog\", \"cow\"], \"min\": 2}", "cat cat",
         false}, /* how many of the list */
        {"{\"kind\": \"include\", \"any_of\": [\"cat\", \"dog\", \"cow\"], \"min\": 2}", "cow, dog",
         true},
        {"{\"kind\": \"include\", \"text\": \"Cat\", \"match_case\": true}", "cat", false},
        {"{\"kind\": \"include\", \"text\": \"cafe\\u0301\"}", "Ein Café", true},
        {"{\"kind\": \"include\", \"text\": \".*\"}", "anything", false}, /* no pattern */
        {"{\"kind\": \"exclude\", \"text\": \"cat\"}", "category", true},
        {"{\"kind\": \"exclude\", \"text\": \"cat\"}", "A CAT.", false},
        {"{\"kind\": \"exclude\", \"text\": \"cat\", \"whole_words\": false}", "category", false},
        {"{\"kind\": \"exclude\", \"text\": \"#x\"}", "a#x", false},
        {"{\"kind\": \"starts_with\", \"text\": \"sure\"}", " \"Sure, I can", true},
        {"{\"kind\": \"starts_with\", \"text\": \"sure\"}", "I am sure", false},
        {"{\"kind\": \"starts_with\", \"any_of\": [\"No\", \"Yes\"]}", "yes.", true},
        {"{\"kind\": \"ends_with\", \"text\": \"Bye\", \"match_case\": true}", "good bye", false},
        {"{\"kind\": \"sentences\", \"min\": 2, \"max\": 3}", "One. Two.", true},
        {"{\"kind\": \"sentences\", \"min\": 2, \"max\": 3}", "One. Two. Three. Four.", false},
        {"{\"kind\": \"characters\", \"max\": 4}", "été!", true}, /* code points */
        {"{\"kind\": \"characters\", \"max\": 3}", "été!", false},
        {"{\"kind\": \"paragraphs\", \"exactly\": 2}", "a\nb\n\nc\n", true},
        {"{\"kind\": \"format\", \"format\": \"json\", \"keys\": [\"a\", \"b\"]}",
         "{\"a\": 1, \"b\": null}", true},
        {"{\"kind\": \"format\", \"format\": \"json\", \"keys\": [\"a\", \"c\"]}",
         "{\"a\": 1, \"b\": null}", false},
        {"{\"kind\": \"format\", \"format\": \"json\", \"keys\": [\"a\"]}", "[\"a\"]", false},
        {"{\"kind\": \"format\", \"format\": \"list\"}", "no list", false},
        {"{\"kind\": \"format\", \"format\": \"list\", \"count\": 3}", "- a\n2. b\n3) c", true},
        {"{\"kind\": \"format\", \"format\": \"list\", \"style\": \"bullet\", \"count\": 2}",
         "*\n- second", true}, /* the asterisk's item and, in IFEval's other search, the dash's */
        {"{\"kind\": \"format\", \"format\": \"list\", \"style\": \"numbered\", \"count\": 2}",
         "- a\n2. b\n 3) c\n4.5 d\n5", true},
        {"{\"kind\": \"case\", \"case\": \"title\"}", "The Lord of the Rings", true},
        {"{\"kind\": \"case\", \"case\": \"title\"}", "of Mice and Men", false},
        {"{\"kind\": \"case\", \"case\": \"title\"}", "The lord of the Rings", false},
        {"{\"kind\": \"case\", \"case\": \"title\"}", "NASA's 3 Moons", true},
        {"{\"kind\": \"case\", \"case\": \"title\"}", "123", false},
        {"{\"kind\": \"case\", \"case\": \"upper\"}", "ÉTÉ 12", true},
        {"{\"kind\": \"case\", \"case\": \"upper\"}", "ÉTé", false},
        {"{\"kind\": \"case\", \"case\": \"lower\"}", "123", false},
        {"{\"kind\": \"capital_words\", \"exactly\": 2}", "I saw the NASA-ESA Probe U.S", false},
        {"{\"kind\": \"capital_words\", \"exactly\": 3}", "I saw the NASA-ESA Probe U.S", true},
        {"{\"kind\": \"language\", \"language\": \"en\"}", "The cat is on the mat.", true},
        {"{\"kind\": \"language\", \"language\": \"en\"}", "Die Katze ist auf der Matte.", false},
        {"{\"kind\": \"language\", \"language\": \"en\"}", "Red cars", true}, /* undecided */
        {"{\"kind\": \"language\", \"language\": \"ja\"}", "Red cars", false},
        {"{\"kind\": \"language\", \"language\": \"en\"}", "123", true},
        {"{\"kind\": \"language\", \"language\": \"ja\"}", "東京都庁の展望室は無料", true},
        {"{\"kind\": \"language\", \"language\": \"zh\"}", "我在商店里买了鲜の每日果汁很好喝",
         true},
        {"{\"kind\": \"repeat_prompt\"}", "DRAW a cat! Here it is", true},
        {"{\"kind\": \"repeat_prompt\"}", "Here is: draw a cat!", false},
        {"{\"kind\": \"postscript\"}", "Bye.\nP. S. Hello", true},
        {"{\"kind\": \"words\", \"min\": 0}", "", false}, /* a blank answer keeps to nothing */
        {"{\"kind\": \"exclude\", \"text\": \"cat\"}", " \n", false},
        {"{\"kind\": \"words\", \"min\": null, \"max\": 2}", "one two", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *json = ge_sprintf("[%s]", cases[i].constraint);
        const struct ge_task task = {.constraints = json, .prompt = "  Draw a CAT! "};
        double v;
        assert_ok(ge_constraints_strict(cases[i].text, &task, &v));
        if (v != cases[i].kept) fail_msg("%s of \"%s\": %g", json, cases[i].text, v);
        free(json);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        ge_status status;
        const char *parts[2];
    } cases[] = {
        {"", GE_EFORMAT, {"x.constraints", ""}},
        {"[", GE_EFORMAT, {"x.constraints", ""}},
        {"{\"kind\": \"title\"}", GE_EFORMAT, {"x.constraints: found object", "a list"}},
        {"[3]", GE_EFORMAT, {"x.constraints[0]: found 3", "an object with a kind"}},
        {"[{}]", GE_EFORMAT, {"[0].kind: found nothing", "include, exclude"}},
        {"[{\"kind\": 3}]", GE_EFORMAT, {"[0].kind: found 3", "include, exclude"}},
        {"[{\"kind\": \"title\"}, {\"kind\": \"mood\"}]",
         GE_EUNSUPPORTED,
         {"x.constraints[1].kind: found \"mood\"", "include, exclude"}},
        {"[{\"kind\": \"title\", \"min\": 1}]", GE_EFORMAT, {"[0].min: found 1", "kind alone"}},
        {"[{\"kind\": \"words\", \"mim\": 1}]",
         GE_EFORMAT,
         {"[0].mim: found 1", "min, max, exactly as keys beside kind"}},
        {"[{\"kind\": \"words\"}]",
         GE_EFORMAT,
         {"[0]: found {", "min, max, exactly: one is needed"}},
        {"[{\"kind\": \"words\", \"min\": -1}]", GE_EFORMAT, {"[0].min: found -1", "from 0"}},
        {"[{\"kind\": \"words\", \"min\": 1.5}]", GE_EFORMAT, {"[0].min: found 1.5", "from 0"}},
        {"[{\"kind\": \"words\", \"min\": \"1\"}]", GE_EFORMAT, {"[0].min: found \"1\"", "from 0"}},
        {"[{\"kind\": \"words\", \"min\": 1e300}]", GE_EFORMAT, {"[0].min: found", "from 0"}},
        {"[{\"kind\": \"words\", \"min\": 3, \"max\": 2}]", GE_EFORMAT, {"a min that is not", ""}},
        {"[{\"kind\": \"words\", \"min\": 3, \"exactly\": 3}]", GE_EFORMAT, {"one of exactly", ""}},
        {"[{\"kind\": \"include\"}]", GE_EFORMAT, {"text, any_of, all_of: one is needed", ""}},
        {"[{\"kind\": \"include\", \"text\": \" \"}]", GE_EFORMAT, {"[0].text: found \" \"", ""}},
        {"[{\"kind\": \"include\", \"any_of\": []}]", GE_EFORMAT, {"[0].any_of: found []", ""}},
        {"[{\"kind\": \"include\", \"any_of\": [1]}]", GE_EFORMAT, {"[0].any_of: found 1", ""}},
        {"[{\"kind\": \"include\", \"text\": \"a\", \"all_of\": [\"b\"]}]",
         GE_EFORMAT,
         {"one of text, any_of and all_of", ""}},
        {"[{\"kind\": \"include\", \"text\": \"a\", \"match_case\": 1}]",
         GE_EFORMAT,
         {"[0].match_case: found 1", "true or false"}},
        {"[{\"kind\": \"letter\", \"letter\": \"ab\", \"min\": 1}]",
         GE_EFORMAT,
         {"[0].letter: found \"ab\"", "one letter"}},
        {"[{\"kind\": \"format\", \"format\": \"xml\"}]",
         GE_EUNSUPPORTED,
         {"[0].format: found \"xml\"", "json, list"}},
        {"[{\"kind\": \"format\", \"format\": \"json\", \"count\": 3}]",
         GE_EFORMAT,
         {"keys with", ""}},
        {"[{\"kind\": \"format\", \"format\": \"list\", \"keys\": []}]",
         GE_EFORMAT,
         {"keys with", ""}},
        {"[{\"kind\": \"case\", \"case\": 1}]", GE_EFORMAT, {"[0].case: found 1", "title"}},
        {"[{\"kind\": \"language\", \"language\": \"tlh\"}]",
         GE_EUNSUPPORTED,
         {"[0].language: found \"tlh\"", "de, el, en"}},
        {"[{\"kind\": \"paragraphs\", \"min\": 1, \"nth\": 1}]", GE_EFORMAT, {"nth and first", ""}},
        {"[{\"kind\": \"paragraphs\", \"min\": 1, \"nth\": 0, \"first_word\": \"a\"}]",
         GE_EFORMAT,
         {"[0].nth: found 0", "from 1"}},
        {"[{\"kind\": \"title\", \"kind\": \"title\"}]", GE_EFORMAT, {"kind", ""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(ge_constraints_check(cases[i].json, "x.constraints"), cases[i].status);
        for (int k = 0; k < 2; k++) {
            if (strstr(ge_error(), cases[i].parts[k]) == NULL) {
                fail_msg("%s: %s; wanted %s", cases[i].json, ge_error(), cases[i].parts[k]);
            }
        }
    }
    const struct ge_task bad = {.constraints = "[{\"kind\": \"mood\"}]"};
    double v;
    assert_status(ge_constraints_share_loose("text", &bad, &v), GE_EUNSUPPORTED);
    assert_ok(ge_constraints_check(NULL, "x"));
    assert_ok(ge_constraints_check("[]", "x"));
}

static void limits(void **state)
{
    (void)state;
    struct ge_buf json;
    ge_buf_init(&json, 1 << 20);
    ge_buf_str(&json, "[{\"kind\": \"include\", \"text\": \"");
    for (int i = 0; i < 4097; i++) ge_buf_char(&json, 'a');
    ge_buf_str(&json, "\"}]");
    assert_status(ge_constraints_check(json.data, "x"), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "at most 4096 bytes"));
    assert_true(strlen(ge_error()) < 300);
    ge_buf_reset(&json);
    ge_buf_str(&json, "[{\"kind\": \"title\"}");
    for (int i = 0; i < GE_CONSTRAINTS_MAX; i++) ge_buf_str(&json, ", {\"kind\": \"title\"}");
    ge_buf_char(&json, ']');
    assert_status(ge_constraints_check(json.data, "x"), GE_ELIMIT);
    ge_buf_free(&json);
}

static void languages(void **state)
{
    (void)state;
    size_t n = 1;
    for (const char *p = GE_LANGUAGES; *p != '\0'; p++) n += *p == ',';
    assert_int_equal(n, 33);
    for (const char *p = GE_LANGUAGES;; p += 4) { /* the list in messages is that of the table */
        char code[3] = {p[0], p[1], '\0'};
        assert_true(ge_language_find(code) >= 0);
        if (p[2] == '\0') break;
    }
    assert_int_equal(ge_language_find("EN"), -1);
    assert_int_equal(ge_language_find(""), -1);
}

static void values(void **state)
{
    (void)state;
    const struct ge_task task = {
        .constraints = "[{\"kind\": \"words\", \"max\": 3}, {\"kind\": \"no_commas\"},"
                       " {\"kind\": \"include\",  \"text\": \"cat\"}]"};
    const struct ge_task none = {0}, empty = {.constraints = "[]"};
    const char *text = "Sure, here you go:\n*A cat.*";
    double v[4];
    assert_ok(ge_constraints_strict(text, &task, &v[0]));
    assert_ok(ge_constraints_loose(text, &task, &v[1]));
    assert_ok(ge_constraints_share_strict(text, &task, &v[2]));
    assert_ok(ge_constraints_share_loose(text, &task, &v[3]));
    assert_close(v[0], 0, 0);
    assert_close(v[1], 1, 0); /* without the first line */
    assert_close(v[2], 1.0 / 3, 0);
    assert_close(v[3], 1, 0);
    assert_ok(ge_constraints_strict(text, &none, &v[0]));
    assert_ok(ge_constraints_share_loose(text, &empty, &v[1]));
    assert_true(isnan(v[0]) && isnan(v[1]));

    struct ge_buf failed;
    ge_buf_init(&failed, 1000);
    assert_ok(ge_constraints_failed(text, &task, false, &failed));
    assert_string_equal(failed.data, "{\"kind\":\"words\",\"max\":3}\n{\"kind\":\"no_commas\"}\n");
    ge_buf_free(&failed);

    const char *texts[] = {text, "x", "a cat"};
    const struct ge_task one = {.constraints = "[{\"kind\": \"title\"}]"};
    const struct ge_task *tasks[] = {&task, &none, &one};
    const struct ge_corpus corpus = {.texts = texts, .tasks = tasks, .n = 3};
    double per_text[3];
    assert_ok(ge_corpus_constraints_strict(&corpus, &v[0], per_text));
    assert_ok(ge_corpus_constraints_loose(&corpus, &v[1], NULL));
    assert_close(v[0], 0.25, 0); /* 1 of 4 constraints */
    assert_close(v[1], 0.75, 0);
    assert_close(per_text[0], 1.0 / 3, 0);
    assert_true(isnan(per_text[1]));
    assert_close(per_text[2], 0, 0);
}

/* ---- hostile ------------------------------------------------------------------------------- */

static const char every_kind[] =
    "[{\"kind\": \"include\", \"text\": \"aa\", \"whole_words\": true},"
    "{\"kind\": \"include\", \"any_of\": [\"a\", \"[\"], \"min\": 2},"
    "{\"kind\": \"exclude\", \"text\": \"b\"}, {\"kind\": \"starts_with\", \"text\": \"zz\"},"
    "{\"kind\": \"ends_with\", \"text\": \"zz\"}, {\"kind\": \"letter\", \"letter\": \"q\", "
    "\"min\": 1},"
    "{\"kind\": \"words\", \"max\": 3}, {\"kind\": \"sentences\", \"max\": 1},"
    "{\"kind\": \"characters\", \"max\": 3}, {\"kind\": \"paragraphs\", \"exactly\": 2},"
    "{\"kind\": \"paragraphs\", \"exactly\": 2, \"divider\": \"***\"},"
    "{\"kind\": \"paragraphs\", \"min\": 1, \"nth\": 999999999, \"first_word\": \"a\"},"
    "{\"kind\": \"format\", \"format\": \"json\", \"keys\": [\"a\"]},"
    "{\"kind\": \"format\", \"format\": \"list\", \"count\": 3}, {\"kind\": \"title\"},"
    "{\"kind\": \"highlights\", \"min\": 3}, {\"kind\": \"sections\", \"min\": 2},"
    "{\"kind\": \"placeholders\", \"min\": 3}, {\"kind\": \"postscript\"},"
    "{\"kind\": \"case\", \"case\": \"title\"}, {\"kind\": \"capital_words\", \"min\": 2},"
    "{\"kind\": \"language\", \"language\": \"de\"}, {\"kind\": \"no_commas\"}, {\"kind\": "
    "\"quoted\"},"
    "{\"kind\": \"two_responses\"}, {\"kind\": \"repeat_prompt\"}]";

static void hostile_texts(void **state)
{
    (void)state;
    enum { LEN = 1 << 20, SHORT = 1 << 17, KINDS = 26 };
    static const char *const units[] = {"a",   "[",     "*",        "\n", " ",       "<",    "\"",
                                        "- ",  "{",     "\xFF",     "[[", "**a",     "\n\n", "p.",
                                        "1. ", "\n \t", "Section ", "ß",  "\xCC\x81"};
    struct ge_constraints *c;
    const struct ge_task task = {0}; /* no prompt: nothing repeats it */
    bool passed[KINDS];
    char *text = ge_calloc(LEN + 1, 1);
    assert_non_null(text);
    assert_ok(ge_constraints_parse(every_kind, "x", &c));
    assert_int_equal(ge_constraints_count(c), KINDS);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = strlen(units[i]);
        size_t len = i == 0 ? LEN : SHORT;
        for (size_t k = 0; k < len; k++) text[k] = units[i][k % n];
        text[len] = '\0';
        assert_ok(ge_constraints_eval(c, text, &task, false, passed));
        assert_false(passed[KINDS - 1]);
        assert_false(passed[12]);
    }
    assert_ok(ge_constraints_eval(c, text, &task, true, passed));
    ge_constraints_delete(&c);
    ge_constraints_delete(&c);
    free(text);
}

static void memory_faults(void **state)
{
    (void)state;
    const struct ge_task task = {.constraints = every_kind, .prompt = "Draw a cat"};
    const char *text = "Hello aa world.\n- a, b\n{\"a\": 1}";
    struct ge_buf out;
    for (uint64_t n = 1;; n++) {
        ge_buf_init(&out, 10000);
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_constraints_failed(text, &task, true, &out);
        bool reached = !ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        ge_buf_free(&out);
        if (!reached) {
            assert_int_equal(rc, GE_OK);
            assert_true(n > 200);
            break;
        }
        if (rc != GE_ENOMEM) fail_msg("allocation %d: %s", (int)n, ge_status_name(rc));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),         cmocka_unit_test(refusals),
        cmocka_unit_test(limits),        cmocka_unit_test(languages),
        cmocka_unit_test(values),        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(memory_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
