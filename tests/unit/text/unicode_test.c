#include "test.h"

#include "base/mem.h"
#include "text/pattern.h"
#include "text/unicode.h"

static void classes(void **state)
{
    (void)state;
    static const struct {
        uint32_t cp;
        unsigned want;
    } cases[] = {
        {' ', GE_CHAR_SPACE},
        {'a', GE_CHAR_LETTER | GE_CHAR_WORD},
        {'7', GE_CHAR_NUMBER | GE_CHAR_WORD},
        {'$', GE_CHAR_PUNCT},
        {'\n', GE_CHAR_SPACE},
        {0, GE_CHAR_CONTROL},
        {0x85, GE_CHAR_SPACE | GE_CHAR_CONTROL},
        {0xAD, GE_CHAR_CONTROL},
        {0xFFFD, GE_CHAR_CONTROL},
        {0x3000, GE_CHAR_SPACE},
        {0x4E2D, GE_CHAR_LETTER | GE_CHAR_WORD},
        {0x10FFFF, 0},
    };
    const unsigned forms = GE_CHAR_NFC | GE_CHAR_NFD;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ge_unicode_class(cases[i].cp) & ~forms, cases[i].want);
    }
    assert_true(ge_unicode_class(0x301) & GE_CHAR_MARK);
    assert_true(ge_unicode_class(0x301) & GE_CHAR_NFC);
    assert_true(ge_unicode_class(0xE9) & GE_CHAR_NFD);
    assert_false(ge_unicode_class(0xE9) & GE_CHAR_NFC);
    assert_true(ge_unicode_is_cjk(0x2B81F));
    assert_false(ge_unicode_is_cjk(0x2B820)); /* the reference leaves this block out */
    assert_false(ge_unicode_is_cjk(0x2B91F));
    assert_true(ge_unicode_is_cjk(0x2B920));
    assert_false(ge_unicode_is_cjk(0xAC00));
}

static void lowercase(void **state)
{
    (void)state;
    struct ge_buf out;
    ge_buf_init(&out, 1000);
    const char *s = "aBcÉΣİẞԱ";
    ge_unicode_lowercase(s, strlen(s), &out);
    assert_ok(ge_buf_status(&out));
    assert_string_equal(out.data, "abcéσi\u0307ßա");
    ge_buf_free(&out);
}

static void check_form(ge_status (*f)(const char *, size_t, struct ge_buf *), const char *s,
                       const char *want)
{
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_ok(f(s, strlen(s), &out));
    assert_string_equal(out.len > 0 ? out.data : "", want);
    ge_buf_free(&out);
}

static void normal_forms(void **state)
{
    (void)state;
    check_form(ge_unicode_nfc, "", "");
    check_form(ge_unicode_nfc, "xe\u0301y", "xéy");
    check_form(ge_unicode_nfc, "\u0301a", "\u0301a");
    check_form(ge_unicode_nfc, "a\u0301\u0327", "á\u0327");
    check_form(ge_unicode_nfc, "\u212B\u1100\u1161\u11A8", "Å각");
    check_form(ge_unicode_nfd, "é각Å", "e\u0301\u1100\u1161\u11A8A\u030A");
    check_form(ge_unicode_nfd, "a\u0301\u0327", "a\u0327\u0301");
    /* Newer than the reference's tables: its combining class does not count. */
    check_form(ge_unicode_nfc, "\u1DF6\u0338", "\u1DF6\u0338");
}

static void bad_bytes(void **state)
{
    (void)state;
    struct ge_buf out;
    ge_buf_init(&out, 1000);
    ge_unicode_sanitize("a\xFF\xC3\xE2\x82z", 6, &out);
    assert_string_equal(out.data, "a\uFFFD\uFFFD\uFFFD\uFFFDz");
    ge_buf_free(&out);
}

/* All matches of a pattern, joined with "|". */
static void check_pattern(const char *source, bool literal, const char *text, const char *want)
{
    struct pattern p;
    struct ge_buf out;
    struct pattern_search at = {0};
    bool found, any = false;
    ge_buf_init(&out, 1000);
    assert_ok(ge_pattern_init(&p, source, literal));
    ge_buf_str(&out, "");
    for (;;) {
        assert_ok(ge_pattern_next(&p, text, strlen(text), &at, &found));
        if (!found) break;
        if (any) ge_buf_char(&out, '|');
        ge_buf_add(&out, text + at.begin, at.end - at.begin);
        any = true;
    }
    ge_pattern_end(&at);
    assert_string_equal(out.data, want);
    ge_buf_free(&out);
    ge_pattern_free(&p);
}

static void patterns(void **state)
{
    (void)state;
    const char *text = "it's 12 don'ts!! é<|endoftext|>";
    check_pattern(GE_PATTERN_CLIP, false, text, "it|'s|1|2|don|'t|s|!!|é|<||endoftext||>");
    check_pattern(GE_PATTERN_CLIP_SPECIALS, false, text, "it|'s|1|2|don|'t|s|!!|é|<|endoftext|>");
    /* The same through PCRE2. */
    check_pattern("(?:'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+)", false, text,
                  "it|'s|1|2|don|'t|s|!!|é|<||endoftext||>");
    /* As Oniguruma has them: an empty match everywhere but at the end of a match. */
    check_pattern("x*", false, "aéxxb", "||xx|");
    check_pattern("", true, "aé", "||");
    check_pattern("^a|b$", false, "a\na b\nb", "a|a|b|b");    /* of each line */
    check_pattern("\\h+|[\\h-]!", false, "0xfG-!", "0|f|-!"); /* hexadecimal digits */
    check_pattern("[^[:alpha:]\\s]+", false, "a 1\u180E\u3000b", "1\u180E");
    check_pattern("[a[:]]+", false, "ba:ab", "a:a");        /* no class of POSIX */
    check_pattern("\\W", false, "a\u0903b \u00b2-", " |-"); /* what \w is not */
    check_pattern(GE_PATTERN_SPACES, false, "a \n b\u3000", " \n |\u3000");
    check_pattern("a.", true, "aba.a.", "a.|a.");
    struct pattern p;
    assert_status(ge_pattern_init(&p, "(a", false), GE_EFORMAT);
}

static void slow_regex_gives_up(void **state)
{
    (void)state;
    struct pattern p;
    char text[65];
    struct pattern_search at = {0};
    bool found;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_ok(ge_pattern_init(&p, "(a|aa)+[bc]", false));
    assert_status(ge_pattern_next(&p, text, strlen(text), &at, &found), GE_ELIMIT);
    ge_pattern_end(&at);
    ge_pattern_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),      cmocka_unit_test(lowercase),
        cmocka_unit_test(normal_forms), cmocka_unit_test(bad_bytes),
        cmocka_unit_test(patterns),     cmocka_unit_test(slow_regex_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
