#include "metric/sentence.h"

#include <stdint.h>
#include <string.h>

#include "metric/chars.h"
#include "text/unicode.h"

enum { ELLIPSIS = 0x2026, BULLET = 0x2022, ABBREVIATION_MAX = 8 };

static uint32_t char_at(const struct ge_sentences *s, size_t pos, size_t *n)
{
    *n = 0;
    return pos < s->len ? ge_unicode_at(s->text + pos, s->len - pos, n) : 0;
}

static bool is_digit(uint32_t cp)
{
    return cp >= '0' && cp <= '9';
}

static bool is_terminator(uint32_t cp)
{
    return cp == '.' || cp == '!' || cp == '?' || cp == ELLIPSIS;
}

static bool is_cjk_terminator(uint32_t cp)
{
    return cp == 0x3002 || cp == 0xFF01 || cp == 0xFF1F || cp == 0xFF61;
}

/* Quotes, brackets and marks of emphasis that close behind a terminator. */
static bool is_closer(uint32_t cp)
{
    switch (cp) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case '*':
    case '_':
    case 0xBB:   /* » */
    case 0x2019: /* ’ */
    case 0x201D: /* ” */
    case 0x300D: /* 」 */
    case 0x300F: /* 』 */
    case 0xFF09: /* ） */
        return true;
    default:
        return false;
    }
}

static bool is_blank(uint32_t cp)
{
    return cp == ' ' || cp == '\t' || cp == '\r';
}

static size_t skip_blanks(const struct ge_sentences *s, size_t pos)
{
    while (pos < s->len && is_blank((unsigned char)s->text[pos])) pos++;
    return pos;
}

/* Whether a list item begins at pos: a bullet or a number, then a space. */
static bool item_at(const struct ge_sentences *s, size_t pos)
{
    size_t n, from = pos;
    uint32_t cp = char_at(s, pos, &n);
    if (cp == '-' || cp == '*' || cp == BULLET) {
        return is_blank(char_at(s, pos + n, &n));
    }
    while (pos < s->len && is_digit((unsigned char)s->text[pos]) && pos - from < 3) pos++;
    if (pos == from || pos + 1 >= s->len) return false;
    return (s->text[pos] == '.' || s->text[pos] == ')') &&
           is_blank((unsigned char)s->text[pos + 1]);
}

/* Whether the line break at pos ends a sentence. */
static bool line_ends(const struct ge_sentences *s, size_t pos)
{
    size_t next = skip_blanks(s, pos + 1);
    return next >= s->len || s->text[next] == '\n' || item_at(s, next);
}

/* The word before the point at pos, inner points included ("e.g"), if it is short enough to be an
 * abbreviation: its first byte; pos if there is none. */
static size_t word_before(const struct ge_sentences *s, size_t pos)
{
    size_t from = pos;
    while (from > 0 && pos - from <= ABBREVIATION_MAX) {
        unsigned char c = (unsigned char)s->text[from - 1];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !is_digit(c) && c != '.' && c < 0x80) break;
        from--;
    }
    return from;
}

/* Whether a number that stands alone at the beginning of its line ends at pos. */
static bool is_item_number(const struct ge_sentences *s, size_t from, size_t pos)
{
    if (from == pos || pos - from > 3) return false;
    for (size_t i = from; i < pos; i++) {
        if (!is_digit((unsigned char)s->text[i])) return false;
    }
    while (from > 0 && is_blank((unsigned char)s->text[from - 1])) from--;
    return from == 0 || s->text[from - 1] == '\n';
}

/* Whether the point at pos belongs to the word before it. */
static bool is_abbreviation(const struct ge_sentences *s, size_t pos)
{
    static const char *const known[] = {"mr",  "mrs", "ms",  "dr",  "prof", "st",  "mt",   "vs",
                                        "e.g", "i.e", "eg",  "ie",  "cf",   "fig", "figs", "gen",
                                        "gov", "sen", "rep", "rev", "capt", "lt",  "col",  "sgt"};
    size_t from = word_before(s, pos), len = pos - from;
    if (is_item_number(s, from, pos)) return true;
    if (len == 1 && s->text[from] >= 'A' && s->text[from] <= 'Z') return s->text[from] != 'I';
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i]) != len) continue;
        size_t k = 0;
        while (k < len && (s->text[from + k] | 0x20) == (known[i][k] | 0x20)) k++;
        if (k == len) return true;
    }
    return false;
}

/* Whether a sentence ends with the terminators [pos, end). */
static bool terminators_end(const struct ge_sentences *s, size_t pos, size_t end)
{
    size_t n, next = end;
    bool points = true;
    for (size_t i = pos; i < end; i++) points = points && s->text[i] != '!' && s->text[i] != '?';
    while (is_closer(char_at(s, next, &n))) next += n;
    if (next >= s->len) return true;
    if (!ge_char_is_space(char_at(s, next, &n))) return false;
    if (!points) return true;
    if (end - pos == 1 && is_abbreviation(s, pos)) return false;
    while (ge_char_is_space(char_at(s, next, &n)) && s->text[next] != '\n') next += n;
    return !ge_char_is_lower(char_at(s, next, &n));
}

/* Where the sentence that begins at pos ends; *any: it has a letter or a digit. */
static size_t find_end(const struct ge_sentences *s, size_t pos, bool *any)
{
    size_t n;
    *any = false;
    while (pos < s->len) {
        uint32_t cp = char_at(s, pos, &n);
        bool ends = is_cjk_terminator(cp);
        if (cp == '\n' && line_ends(s, pos)) return pos;
        if (!ends && !is_terminator(cp)) {
            *any = *any || (cp != '_' && ge_char_is_word(cp));
            pos += n;
            continue;
        }
        size_t end = pos;
        while (is_terminator(cp) || is_cjk_terminator(cp)) {
            end += n;
            cp = char_at(s, end, &n);
        }
        if (!ends && !terminators_end(s, pos, end)) {
            pos = end;
            continue;
        }
        while (is_closer(char_at(s, end, &n))) end += n;
        return end;
    }
    return pos;
}

bool ge_sentences_next(struct ge_sentences *s, size_t *begin, size_t *end)
{
    size_t n;
    bool any = false;
    while (!any) {
        while (ge_char_is_space(char_at(s, s->pos, &n))) s->pos += n;
        *begin = s->pos;
        if (*begin >= s->len) return false;
        *end = s->pos = find_end(s, *begin, &any);
    }
    ge_chars_strip(s->text, begin, end);
    return true;
}

size_t ge_sentences_count(const char *text, size_t len)
{
    struct ge_sentences s = {.text = text, .len = len};
    size_t begin, end, n = 0;
    while (ge_sentences_next(&s, &begin, &end)) n++;
    return n;
}
