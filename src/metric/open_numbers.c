/* Numbers in a text, form by form. A regular expression that begins with \d+ and goes on with
 * something else than a digit matches from the start of a run of digits or not at all within it, so
 * each run is looked at once. */
#include "metric/open_numbers.h"

#include <stdint.h>

#include "metric/pystr.h"
#include "text/unicode.h"

/* The end of the digits at i, at most `most` of them. */
static size_t skip_digits(const char *s, size_t len, size_t i, size_t most)
{
    size_t n;
    for (; i < len && most > 0; i += n, most--) {
        if (ge_pystr_digit(ge_unicode_at(s + i, len - i, &n)) < 0) break;
    }
    return i;
}

static bool is_at(const char *s, size_t len, size_t i, char c)
{
    return i < len && s[i] == c;
}

/* A word boundary lies at i, the end of a digit: no letter, number or _ follows. */
static bool ends_word(const char *s, size_t len, size_t i)
{
    size_t n;
    if (i >= len) return true;
    uint32_t cp = ge_unicode_at(s + i, len - i, &n);
    return cp != '_' && (ge_unicode_class(cp) & (GE_CHAR_LETTER | GE_CHAR_NUMBER)) == 0;
}

/* The end of [eE][+-]?\d+ at i, or i. */
static size_t skip_exponent(const char *s, size_t len, size_t i)
{
    size_t digits = i + 1;
    if (!is_at(s, len, i, 'e') && !is_at(s, len, i, 'E')) return i;
    if (is_at(s, len, digits, '+') || is_at(s, len, digits, '-')) digits++;
    size_t end = skip_digits(s, len, digits, SIZE_MAX);
    return end > digits ? end : i;
}

/* Each of these: the end of the match whose first digit is at i, a run's start that ends at j (or, in
 * match_simple, whose point is at i = j); 0 for none. */

static size_t match_grouped(const char *s, size_t len, size_t i, size_t j)
{
    if (skip_digits(s, len, i, 3) != j) return 0;
    size_t end = 0;
    while (is_at(s, len, j, ',')) {
        size_t next = skip_digits(s, len, j + 1, 3);
        if (ge_pystr_length(s + j + 1, next - j - 1) != 3) break;
        if (ends_word(s, len, next)) end = next;
        j = next;
    }
    return end;
}

static size_t match_scientific(const char *s, size_t len, size_t j)
{
    if (is_at(s, len, j, '.')) {
        size_t fraction = skip_digits(s, len, j + 1, SIZE_MAX);
        size_t end = skip_exponent(s, len, fraction);
        return fraction > j + 1 && end > fraction ? end : 0;
    }
    size_t end = skip_exponent(s, len, j);
    return end > j ? end : 0;
}

static size_t match_simple(const char *s, size_t len, size_t i, size_t j)
{
    if (is_at(s, len, j, '.')) {
        size_t end = skip_digits(s, len, j + 1, SIZE_MAX);
        bool plain = skip_exponent(s, len, end) == end && !is_at(s, len, end, ',');
        if (end > j + 1 && plain) return end;
    }
    return j > i && ends_word(s, len, j) && !is_at(s, len, j, ',') ? j : 0;
}

bool ge_open_next_number(const char *s, size_t len, enum ge_open_form form, size_t *pos,
                         size_t *begin)
{
    size_t i = *pos, n, end;
    bool word_before = false,
         minus = false; /* before i; *pos is never within a word where it matters */
    for (; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        bool digit = ge_pystr_digit(cp) >= 0;
        if (digit || (cp == '.' && form == GE_OPEN_SIMPLE)) {
            size_t j = digit ? skip_digits(s, len, i, SIZE_MAX) : i;
            end = 0;
            if (form == GE_OPEN_SIMPLE) end = match_simple(s, len, i, j);
            if (form == GE_OPEN_SCIENTIFIC) end = match_scientific(s, len, j);
            if (form == GE_OPEN_GROUPED && !word_before) end = match_grouped(s, len, i, j);
            if (end > 0) {
                *begin = minus ? i - 1 : i;
                *pos = end;
                return true;
            }
            if (digit) n = j - i;
        }
        word_before =
            digit || cp == '_' || (ge_unicode_class(cp) & (GE_CHAR_LETTER | GE_CHAR_NUMBER)) != 0;
        minus = cp == '-';
    }
    *pos = len;
    return false;
}
