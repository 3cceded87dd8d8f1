/* Constraints on what is said: texts, letters, case, language. */
#include <string.h>

#include "base/buf.h"
#include "metric/chars.h"
#include "metric/constraint_kinds.h"
#include "metric/language.h"
#include "text/unicode.h"
#include "text/words.h"

/* ---- texts --------------------------------------------------------------------------------- */

/* Whether a word character stands on both sides of byte `pos` of a text. */
static bool inside_word(const char *text, size_t len, size_t pos)
{
    size_t n;
    if (pos == 0 || pos >= len) return false;
    return ge_char_is_word(ge_char_before(text, pos, &n)) &&
           ge_char_is_word(ge_unicode_at(text + pos, len - pos, &n));
}

/* Occurrences of a needle that do not overlap, at most `enough`. */
static size_t occurrences(const struct constraint *c, const struct reading *r,
                          const struct needle *needle, size_t enough)
{
    const char *text = c->match_case ? r->text : r->lower;
    const char *what = c->match_case ? needle->text : needle->lower;
    size_t len = c->match_case ? r->len : r->lower_len, n = strlen(what), count = 0;
    for (size_t at = 0; count < enough;) {
        at = ge_chars_find(text, len, at, what);
        if (at == len) break;
        bool whole = !inside_word(text, len, at) && !inside_word(text, len, at + n);
        bool counts = whole || !c->whole_words;
        count += counts;
        at += counts ? n : 1;
    }
    return count;
}

ge_status ge_check_include(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t found = 0;
    *passed = true;
    for (size_t i = 0; i < c->n_texts; i++) {
        if (c->given & ARG_ANY_OF) {
            found += occurrences(c, r, &c->texts[i], 1); /* how many of the list */
        } else {
            found = occurrences(c, r, &c->texts[i], SIZE_MAX);
            *passed = *passed && ge_constraint_within(c, found);
        }
    }
    if (c->given & ARG_ANY_OF) *passed = ge_constraint_within(c, found);
    return GE_OK;
}

ge_status ge_check_exclude(const struct constraint *c, const struct reading *r, bool *passed)
{
    *passed = true;
    for (size_t i = 0; i < c->n_texts && *passed; i++) {
        *passed = occurrences(c, r, &c->texts[i], 1) == 0;
    }
    return GE_OK;
}

/* The reading without white space and then double quotes around it. */
static const char *unquoted(const struct constraint *c, const struct reading *r, size_t *len)
{
    const char *text = c->match_case ? r->text : r->lower;
    size_t begin = 0, end = c->match_case ? r->len : r->lower_len;
    ge_chars_strip(text, &begin, &end);
    while (begin < end && text[begin] == '"') begin++;
    while (begin < end && text[end - 1] == '"') end--;
    *len = end - begin;
    return text + begin;
}

static ge_status check_edge(const struct constraint *c, const struct reading *r, bool at_end,
                            bool *passed)
{
    size_t len;
    const char *text = unquoted(c, r, &len);
    *passed = false;
    for (size_t i = 0; i < c->n_texts && !*passed; i++) {
        const char *what = c->match_case ? c->texts[i].text : c->texts[i].lower;
        size_t n = strlen(what);
        *passed = n <= len && memcmp(at_end ? text + len - n : text, what, n) == 0;
    }
    return GE_OK;
}

ge_status ge_check_starts_with(const struct constraint *c, const struct reading *r, bool *passed)
{
    return check_edge(c, r, false, passed);
}

ge_status ge_check_ends_with(const struct constraint *c, const struct reading *r, bool *passed)
{
    return check_edge(c, r, true, passed);
}

ge_status ge_check_repeat_prompt(const struct constraint *c, const struct reading *r, bool *passed)
{
    ge_status rc = GE_OK;
    struct ge_buf prompt;
    size_t begin = 0, end = r->lower_len, prompt_begin = 0, prompt_end;
    ge_buf_init(&prompt, (size_t)64 << 20);
    if (c->n_texts > 0) {
        ge_buf_str(&prompt, c->texts[0].lower);
    } else if (r->prompt != NULL) {
        GE_TRY(ge_words_normalize(r->prompt, strlen(r->prompt), GE_WORDS_NFC | GE_WORDS_LOWER,
                                  &prompt));
    }
    GE_TRY(ge_buf_status(&prompt));
    prompt_end = prompt.len;
    ge_chars_strip(r->lower, &begin, &end);
    ge_chars_strip(prompt.data, &prompt_begin, &prompt_end);
    size_t n = prompt_end - prompt_begin;
    *passed =
        n > 0 && n <= end - begin && memcmp(r->lower + begin, prompt.data + prompt_begin, n) == 0;
done:
    ge_buf_free(&prompt);
    return rc;
}

/* Whether the parts stand one after the other somewhere, with at most one space before each but the
 * first. */
static bool spaced(const struct reading *r, const char *const *parts, size_t n)
{
    size_t len = r->lower_len, k;
    for (size_t at = 0; (at = ge_chars_find(r->lower, len, at, parts[0])) < len; at++) {
        size_t end = at + strlen(parts[0]), i = 1;
        for (; i < n; i++) {
            if (end < len && ge_char_is_space(ge_unicode_at(r->lower + end, len - end, &k))) {
                end += k;
            }
            if (strncmp(r->lower + end, parts[i], strlen(parts[i])) != 0) break;
            end += strlen(parts[i]);
        }
        if (i == n) return true;
    }
    return false;
}

ge_status ge_check_postscript(const struct constraint *c, const struct reading *r, bool *passed)
{
    static const char *const ps[] = {"p.", "s."}, *const pps[] = {"p.", "p.", "s"};
    const char *marker = c->n_texts > 0 ? c->texts[0].text : "P.S.";
    if (strcmp(marker, "P.S.") == 0) {
        *passed = spaced(r, ps, 2);
    } else if (strcmp(marker, "P.P.S") == 0) {
        *passed = spaced(r, pps, 3);
    } else {
        *passed = ge_chars_find(r->lower, r->lower_len, 0, c->texts[0].lower) < r->lower_len;
    }
    return GE_OK;
}

/* ---- letters and case ---------------------------------------------------------------------- */

ge_status ge_check_letter(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t len = r->lower_len, count = 0;
    for (size_t at = 0; (at = ge_chars_find(r->lower, len, at, c->letter)) < len; at++) count++;
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

ge_status ge_check_no_commas(const struct constraint *c, const struct reading *r, bool *passed)
{
    (void)c;
    *passed = memchr(r->text, ',', r->len) == NULL;
    return GE_OK;
}

/* Whether [text, len) has letters of each case. */
static void find_cases(const char *text, size_t len, bool *upper, bool *lower)
{
    size_t n;
    *upper = *lower = false;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(text + i, len - i, &n);
        if (ge_char_is_upper(cp)) {
            *upper = true;
        } else if (ge_char_is_lower(cp)) {
            *lower = true;
        }
    }
}

/* Words that a title may have in lower case. */
static bool is_small(const char *word)
{
    static const char *const small[] = {"a",  "an", "the", "and", "but", "or",   "nor",
                                        "of", "in", "on",  "at",  "to",  "by",   "for",
                                        "as", "vs", "via", "per", "up",  "from", "with"};
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        if (strcmp(small[i], word) == 0) return true;
    }
    return false;
}

static ge_status is_title(const struct reading *r, bool *title)
{
    ge_status rc = GE_OK;
    struct ge_words words;
    struct ge_word w;
    bool found = true, first = true;
    size_t n;
    *title = true;
    ge_words_init(&words, r->text, r->len);
    for (; *title; first = false) {
        rc = ge_words_next(&words, &w, &found);
        if (rc == GE_ELIMIT) { /* a word beyond 1 MiB is none */
            ge_error_clear();
            rc = GE_OK;
            *title = false;
        }
        GE_TRY(rc);
        if (!found) break;
        bool lower = ge_char_is_lower(ge_unicode_at(r->text + w.begin, w.end - w.begin, &n));
        *title = !lower || (!first && is_small(w.text));
    }
done:
    ge_words_free(&words);
    return rc;
}

ge_status ge_check_case(const struct constraint *c, const struct reading *r, bool *passed)
{
    bool upper, lower;
    find_cases(r->text, r->len, &upper, &lower);
    *passed = c->letter_case == CASE_LOWER ? lower && !upper : upper;
    if (c->letter_case == CASE_UPPER) *passed = upper && !lower;
    if (c->letter_case == CASE_TITLE && upper) return is_title(r, passed);
    return GE_OK;
}

ge_status ge_check_capital_words(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t n, count = 0, begin = 0;
    for (size_t i = 0; i <= r->len; i += n) {
        uint32_t cp = i < r->len ? ge_unicode_at(r->text + i, r->len - i, &n) : ' ';
        if (i == r->len) n = 1;
        if (!ge_char_is_space(cp)) continue;
        bool upper, lower;
        find_cases(r->text + begin, i - begin, &upper, &lower);
        count += upper && !lower;
        begin = i + n;
    }
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

ge_status ge_check_language(const struct constraint *c, const struct reading *r, bool *passed)
{
    return ge_language_is(r->text, r->len, c->language, passed);
}
