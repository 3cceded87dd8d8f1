#include "metric/chars.h"

#include <string.h>

#include "text/unicode.h"

bool ge_char_is_space(uint32_t cp)
{
    if (cp < 0x80) return cp == ' ' || (cp >= '\t' && cp <= '\r') || (cp >= 0x1C && cp <= 0x1F);
    return (ge_unicode_class(cp) & GE_CHAR_SPACE) != 0;
}

bool ge_char_is_word(uint32_t cp)
{
    if (cp < 0x80) {
        return cp == '_' || (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    }
    return (ge_unicode_class(cp) & (GE_CHAR_LETTER | GE_CHAR_NUMBER)) != 0;
}

bool ge_char_is_upper(uint32_t cp)
{
    uint32_t low[2];
    return ge_unicode_lower_of(cp, low) != 1 || low[0] != cp;
}

bool ge_char_is_lower(uint32_t cp)
{
    if (cp < 0x80) return cp >= 'a' && cp <= 'z';
    return (ge_unicode_more(cp) & GE_MORE_CASED) != 0 && !ge_char_is_upper(cp);
}

uint32_t ge_char_before(const char *text, size_t pos, size_t *begin)
{
    size_t n;
    *begin = pos - 1;
    while (*begin > 0 && ((unsigned char)text[*begin] & 0xC0) == 0x80) --*begin;
    return ge_unicode_at(text + *begin, pos - *begin, &n);
}

void ge_chars_strip(const char *text, size_t *begin, size_t *end)
{
    size_t n;
    while (*begin < *end && ge_char_is_space(ge_unicode_at(text + *begin, *end - *begin, &n))) {
        *begin += n;
    }
    while (*begin < *end && ge_char_is_space(ge_char_before(text, *end, &n))) *end = n;
}

size_t ge_chars_find(const char *text, size_t len, size_t from, const char *what)
{
    size_t n = strlen(what);
    for (; from < len && n <= len - from; from++) {
        const char *p = memchr(text + from, what[0], len - from - n + 1);
        if (p == NULL) break;
        from = (size_t)(p - text);
        if (memcmp(p, what, n) == 0) return from;
    }
    return len;
}
