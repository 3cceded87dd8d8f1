/* Python's str: spaces, digits, case, numbers. */
#include "metric/pystr.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode.h"

enum { CAPITAL_SIGMA = 0x3A3, SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2 };

bool ge_pystr_is_space(uint32_t cp)
{
    if (cp < 0x80) return cp == ' ' || (cp >= 0x9 && cp <= 0xD) || (cp >= 0x1C && cp <= 0x1F);
    return (ge_unicode_class(cp) & GE_CHAR_SPACE) != 0;
}

/* The zeros of Unicode 14; the digits 1 to 9 of a script follow its zero. */
static const uint32_t zeros[] = {
    0x30,    0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,
    0xC66,   0xCE6,   0xD66,   0xDE6,   0xE50,   0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,
    0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,
    0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0,
    0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};

int ge_pystr_digit(uint32_t cp)
{
    if (cp < 0x660) return cp >= '0' && cp <= '9' ? (int)(cp - '0') : -1;
    size_t low = 0, high = sizeof zeros / sizeof zeros[0];
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (zeros[mid] <= cp) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return cp - zeros[low] < 10 ? (int)(cp - zeros[low]) : -1;
}

/* ---- length ------------------------------------------------------------------------------- */

/* Characters whose upper-case form is longer than one code point. */
static const struct {
    uint16_t first, last, length;
} long_uppers[] = {
    {0xDF, 0xDF, 2},     {0x149, 0x149, 2},   {0x1F0, 0x1F0, 2},   {0x390, 0x390, 3},
    {0x3B0, 0x3B0, 3},   {0x587, 0x587, 2},   {0x1E96, 0x1E9A, 2}, {0x1F50, 0x1F50, 2},
    {0x1F52, 0x1F52, 3}, {0x1F54, 0x1F54, 3}, {0x1F56, 0x1F56, 3}, {0x1F80, 0x1FAF, 2},
    {0x1FB2, 0x1FB4, 2}, {0x1FB6, 0x1FB6, 2}, {0x1FB7, 0x1FB7, 3}, {0x1FBC, 0x1FBC, 2},
    {0x1FC2, 0x1FC4, 2}, {0x1FC6, 0x1FC6, 2}, {0x1FC7, 0x1FC7, 3}, {0x1FCC, 0x1FCC, 2},
    {0x1FD2, 0x1FD3, 3}, {0x1FD6, 0x1FD6, 2}, {0x1FD7, 0x1FD7, 3}, {0x1FE2, 0x1FE3, 3},
    {0x1FE4, 0x1FE4, 2}, {0x1FE6, 0x1FE6, 2}, {0x1FE7, 0x1FE7, 3}, {0x1FF2, 0x1FF4, 2},
    {0x1FF6, 0x1FF6, 2}, {0x1FF7, 0x1FF7, 3}, {0x1FFC, 0x1FFC, 2}, {0xFB00, 0xFB02, 2},
    {0xFB03, 0xFB04, 3}, {0xFB05, 0xFB06, 2}, {0xFB13, 0xFB17, 2}};

size_t ge_pystr_length(const char *s, size_t len)
{
    size_t count = 0, n;
    for (size_t i = 0; i < len; i += n, count++) ge_unicode_at(s + i, len - i, &n);
    return count;
}

size_t ge_pystr_upper_length(const char *s, size_t len)
{
    size_t count = 0, n;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        size_t length = 1;
        for (size_t k = 0; cp >= 0xDF && k < sizeof long_uppers / sizeof long_uppers[0]; k++) {
            if (cp < long_uppers[k].first) break;
            if (cp <= long_uppers[k].last) length = long_uppers[k].length;
        }
        count += length;
    }
    return count;
}

/* ---- white space -------------------------------------------------------------------------- */

/* The last character of the text (len > 0) and where it begins. */
static uint32_t last_character(const char *s, size_t len, size_t *begin)
{
    size_t n, i = len - 1;
    while (i > 0 && len - i < 4 && ((unsigned char)s[i] & 0xC0) == 0x80) i--;
    uint32_t cp = ge_unicode_at(s + i, len - i, &n);
    if (n == len - i) {
        *begin = i;
        return cp;
    }
    *begin = len - 1; /* a byte of no character */
    return ge_unicode_at(s + len - 1, 1, &n);
}

void ge_pystr_strip(const char **s, size_t *len)
{
    size_t n;
    while (*len > 0 && ge_pystr_is_space(ge_unicode_at(*s, *len, &n))) {
        *s += n;
        *len -= n;
    }
    while (*len > 0 && ge_pystr_is_space(last_character(*s, *len, &n))) *len = n;
}

bool ge_pystr_word(const char *s, size_t len, size_t *pos, size_t *begin)
{
    size_t n;
    while (*pos < len && ge_pystr_is_space(ge_unicode_at(s + *pos, len - *pos, &n))) *pos += n;
    *begin = *pos;
    while (*pos < len && !ge_pystr_is_space(ge_unicode_at(s + *pos, len - *pos, &n))) *pos += n;
    return *pos > *begin;
}

ptrdiff_t ge_pystr_find_last(const char *s, size_t len, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = len + 1; i-- > n;) {
        if (memcmp(s + i - n, needle, n) == 0) return (ptrdiff_t)(i - n);
    }
    return -1;
}

/* ---- case --------------------------------------------------------------------------------- */

/* Whether the next character, or the last one, that is not ignored in this is a letter: a sigma is
 * final after a letter and not before one. */
static bool letter_follows(const char *s, size_t len)
{
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        unsigned more = ge_unicode_more(ge_unicode_at(s + i, len - i, &n));
        if (!(more & GE_MORE_CASE_IGNORABLE)) return (more & GE_MORE_CASED) != 0;
    }
    return false;
}

static bool letter_precedes(const char *s, size_t len)
{
    while (len > 0) {
        unsigned more = ge_unicode_more(last_character(s, len, &len));
        if (!(more & GE_MORE_CASE_IGNORABLE)) return (more & GE_MORE_CASED) != 0;
    }
    return false;
}

void ge_pystr_lower(const char *s, size_t len, struct ge_buf *out)
{
    size_t n, kept = 0; /* s[kept, i) stays as it is and is still to be copied */
    for (size_t i = 0; i < len && out->status == GE_OK; i += n) {
        uint32_t low[2], cp = ge_unicode_at(s + i, len - i, &n);
        if (cp < 0x80 && !(cp >= 'A' && cp <= 'Z')) continue;
        size_t count = ge_unicode_lower_of(cp, low);
        if (count == 1 && low[0] == cp) continue;
        if (cp == CAPITAL_SIGMA) {
            bool final = letter_precedes(s, i) && !letter_follows(s + i + n, len - i - n);
            low[0] = final ? FINAL_SIGMA : SIGMA;
        }
        ge_buf_add(out, s + kept, i - kept);
        for (size_t k = 0; k < count; k++) ge_unicode_put(out, low[k]);
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
}

/* ---- numbers ------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The text in ASCII, as float() sees it: digits and spaces of all scripts become their own, and
 * white space at the ends goes. U+001C to U+001F are no spaces here, unlike in strip(). False: no
 * number can come of it. */
static bool to_ascii(const char *s, size_t len, struct ge_buf *out)
{
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        int digit = ge_pystr_digit(cp);
        bool space = cp < 0x80 ? cp == ' ' || (cp >= 0x9 && cp <= 0xD) : ge_pystr_is_space(cp);
        if (digit < 0 && !space && cp >= 0x7F) return false;
        char c = digit >= 0 ? (char)('0' + digit) : space ? ' ' : (char)cp;
        if (c != ' ' || out->len > 0) ge_buf_char(out, c);
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ') out->data[--out->len] = '\0';
    return out->len > 0;
}

/* Takes out the underscores; false where one is not between two digits. */
static bool join_digits(char *s)
{
    char *to = s, before = '\0';
    for (const char *from = s; *from != '\0'; from++) {
        if (*from == '_') {
            if (!is_digit(before) || !is_digit(from[1])) return false;
        } else {
            *to++ = *from;
        }
        before = *from;
    }
    *to = '\0';
    return true;
}

static bool equals_ignoring_case(const char *s, const char *lower)
{
    while (*lower != '\0' && (*s | 0x20) == *lower) s++, lower++;
    return *s == '\0' && *lower == '\0';
}

/* [+-] (digits [. digits] | . digits) [e [+-] digits], or one of the three words. strtod() alone
 * would take more: hexadecimal numbers and nan(…). */
static bool is_number(const char *s)
{
    if (*s == '+' || *s == '-') s++;
    if (equals_ignoring_case(s, "inf") || equals_ignoring_case(s, "infinity") ||
        equals_ignoring_case(s, "nan")) {
        return true;
    }
    const char *start = s;
    while (is_digit(*s)) s++;
    size_t digits = (size_t)(s - start);
    if (*s == '.') {
        start = ++s;
        while (is_digit(*s)) s++;
        digits += (size_t)(s - start);
    }
    if (digits == 0) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '+' || *s == '-') s++;
        if (!is_digit(*s)) return false;
        while (is_digit(*s)) s++;
    }
    return *s == '\0';
}

ge_status ge_pystr_float(const char *s, size_t len, double *value, bool *valid)
{
    ge_status rc = GE_OK;
    struct ge_buf ascii;
    ge_buf_init(&ascii, SIZE_MAX / 2);
    *valid = to_ascii(s, len, &ascii);
    GE_TRY(ge_buf_status(&ascii));
    *valid = *valid && join_digits(ascii.data) && is_number(ascii.data);
    if (*valid) *value = strtod(ascii.data, NULL);
done:
    ge_buf_free(&ascii);
    return rc;
}
