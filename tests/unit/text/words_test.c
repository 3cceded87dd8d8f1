#include "test.h"

#include "base/buf.h"
#include "text/words.h"

static void check_words(const char *text, const char *want)
{
    struct ge_words w;
    struct ge_word word;
    struct ge_buf out;
    bool found;
    size_t end = 0;
    ge_buf_init(&out, 1000);
    ge_buf_str(&out, "");
    ge_words_init(&w, text, strlen(text));
    for (;;) {
        assert_ok(ge_words_next(&w, &word, &found));
        if (!found) break;
        assert_true(word.begin >= end && word.end > word.begin && word.end <= strlen(text));
        end = word.end;
        if (out.len > 0) ge_buf_char(&out, '|');
        ge_buf_str(&out, word.text);
    }
    assert_string_equal(out.data, want);
    ge_words_free(&w);
    ge_buf_free(&out);
}

static void words(void **state)
{
    (void)state;
    check_words("", "");
    check_words(" ?! ", "");
    check_words("The Cat's hat", "the|cat's|hat");
    check_words("don\u2019t 'quoted'", "don't|quoted");
    check_words("3.5 1,000 1,2,3 -2 5-6 x-1 .5 -.5", "3.5|1,000|1|2|3|-2|5|6|x|1|.5|-.5");
    check_words("\u22122\u00B0", "-2");
    check_words("end. 10. 1,0000", "end|10|1|0000");
    check_words("twenty-one", "twenty|one");
    check_words("红苹果 zwei", "红|苹|果|zwei");
    check_words("ÉTÉ naïve", "été|naïve");
    check_words("a\xFFz", "a|z");
    check_words("हिन्दी भाषा का", "हिन्दी|भाषा|का"); /* spacing marks, too */
}

static void check_numbers(const char *text, const char *want)
{
    struct ge_words w;
    struct ge_word word;
    struct ge_buf out;
    bool found;
    ge_buf_init(&out, 1000);
    ge_buf_str(&out, "");
    ge_words_init(&w, text, strlen(text));
    for (;;) {
        assert_ok(ge_words_next_number(&w, &word, &found));
        if (!found) break;
        ge_buf_printf(&out, "%s%s[%zu,%zu)", out.len > 0 ? " " : "", word.text, word.begin,
                      word.end);
    }
    assert_string_equal(out.data, want);
    ge_words_free(&w);
    ge_buf_free(&out);
}

static void numbers(void **state)
{
    (void)state;
    check_numbers("no numbers", "");
    check_numbers("two cats, 3 dogs", "2[0,3) 3[10,11)");
    check_numbers("twenty-one", "21[0,10)");
    check_numbers("one two three", "1[0,3) 2[4,7) 3[8,13)");
    check_numbers("two hundred and five apples", "205[0,20)");
    check_numbers("two hundred and blue", "200[0,11)");
    check_numbers("three thousand four hundred twelve", "3412[0,34)");
    check_numbers("3 thousand", "3000[0,10)");
    check_numbers("hundred", "100[0,7)");
    check_numbers("twenty twelve", "20[0,6) 12[7,13)");
    check_numbers("five, six", "5[0,4) 6[6,9)");
    check_numbers("-1,234.50 1.2.3", "-1234.5[0,9)");
    check_numbers("one million two thousand", "1002000[0,24)");
}

static void whole_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
        double value;
    } cases[] = {{"12", true, 12},   {" seven\n", true, 7},   {"-0.1", true, -0.1},
                 {"", false, 0},     {"12 cats", false, 0},   {"about 3", false, 0},
                 {"50%", false, 0},  {"forty-two", true, 42}, {"1,000,000", true, 1e6},
                 {"0.3", true, 0.3}, {"1 2", false, 0},       {"four hundred", true, 400},
                 {"nan", false, 0},  {"1e5", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = 0;
        bool is = ge_words_number(cases[i].text, strlen(cases[i].text), &value);
        if (is != cases[i].is || (is && !(value == cases[i].value))) {
            print_error("\"%s\": %d %g\n", cases[i].text, is, value);
            fail();
        }
    }
}

static void check_normal(const char *text, unsigned flags, const char *want)
{
    struct ge_buf out;
    ge_buf_init(&out, 10000);
    ge_buf_str(&out, "");
    assert_ok(ge_words_normalize(text, strlen(text), flags, &out));
    assert_string_equal(out.data, want);
    ge_buf_free(&out);
}

static void normal_form(void **state)
{
    (void)state;
    check_normal("", GE_WORDS_ANSWER, "");
    check_normal(" The  red Ball. ", GE_WORDS_ANSWER, "red ball");
    check_normal("A, an; the!", GE_WORDS_ANSWER, "");
    check_normal("Twenty-one of 1,000", GE_WORDS_ANSWER, "21 of 1000");
    check_normal("Don\u2019t: 3.5-inch", GE_WORDS_ANSWER, "don't 3.5 inch");
    check_normal("Cafe\u0301", GE_WORDS_NFC, "Café");
    check_normal("Café", GE_WORDS_STRIP_ACCENTS, "Cafe");
    check_normal("A\tb", 0, "A\tb");
    check_normal("A\t b ", GE_WORDS_COLLAPSE, "A b");
    check_normal("Two, Too", GE_WORDS_NUMBERS, "2, Too");
    check_normal("Yes!No", GE_WORDS_STRIP_PUNCT, "Yes No");
    check_normal("x\xFF", GE_WORDS_LOWER, "x\uFFFD");
}

static void cap_is_an_error(void **state)
{
    (void)state;
    struct ge_buf out;
    ge_buf_init(&out, 3);
    assert_status(ge_words_normalize("abcdef", 6, 0, &out), GE_ELIMIT);
    ge_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),           cmocka_unit_test(numbers),
        cmocka_unit_test(whole_number),    cmocka_unit_test(normal_form),
        cmocka_unit_test(cap_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
