#include "text/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/unicode.h"

#define WORD_MAX ((size_t)1 << 20)
#define TEXT_MAX ((size_t)512 << 20)

enum { APOSTROPHE = 0x2019, MINUS = 0x2212 };

/* ---- characters --------------------------------------------------------------------------- */

static bool is_digit(uint32_t cp)
{
    return cp >= '0' && cp <= '9';
}

static bool is_wordlike(uint32_t cp)
{
    if (cp < 0x80) return is_digit(cp) || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
    return (ge_unicode_class(cp) & (GE_CHAR_LETTER | GE_CHAR_NUMBER)) != 0 ||
           (ge_unicode_more(cp) & GE_MORE_COMBINING) != 0;
}

/* The character at pos, or 0 at the end (a NUL in the text is as good as a space). */
static uint32_t char_at(const struct ge_words *w, size_t pos, size_t *n)
{
    *n = 0;
    return pos < w->len ? ge_unicode_at(w->data + pos, w->len - pos, n) : 0;
}

static bool digit_at(const struct ge_words *w, size_t pos)
{
    return pos < w->len && is_digit((unsigned char)w->data[pos]);
}

/* True if the comma at pos groups thousands: three digits follow, not four. */
static bool groups(const struct ge_words *w, size_t pos)
{
    return digit_at(w, pos + 1) && digit_at(w, pos + 2) && digit_at(w, pos + 3) &&
           !digit_at(w, pos + 4);
}

/* ---- number words ------------------------------------------------------------------------- */

struct number_word {
    const char *text;
    double value;
};

static const struct number_word number_words[] = {
    {"zero", 0},      {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},
    {"five", 5},      {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},
    {"ten", 10},      {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},
    {"fifteen", 15},  {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},
    {"twenty", 20},   {"thirty", 30},  {"forty", 40},     {"fifty", 50},    {"sixty", 60},
    {"seventy", 70},  {"eighty", 80},  {"ninety", 90},    {"hundred", 100}, {"thousand", 1e3},
    {"million", 1e6}, {"billion", 1e9}};

/* Value of a word of digits: sign, digits with grouping commas, one point. False: not a number. */
static bool parse_digits(const char *s, double *value)
{
    static const double powers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = *s == '-', point = false;
    double digits = 0;
    size_t after = 0, count = 0;
    for (s += negative; *s != '\0'; s++) {
        if (*s == ',' && !point) continue;
        if (*s == '.' && !point) {
            point = true;
        } else if (is_digit((unsigned char)*s)) {
            if (point && after == 22) continue;
            digits = digits * 10 + (*s - '0');
            after += point;
            count++;
        } else {
            return false;
        }
    }
    if (count == 0 || count > 300) return false;
    *value = digits / powers[after];
    if (negative) *value = -*value;
    return true;
}

static void set_value(struct ge_word *word)
{
    word->value = 0;
    if (word->has_digit) {
        word->has_value = parse_digits(word->text, &word->value);
        return;
    }
    word->has_value = false;
    for (size_t i = 0; i < sizeof number_words / sizeof number_words[0]; i++) {
        if (strcmp(word->text, number_words[i].text) == 0) {
            word->has_value = true;
            word->value = number_words[i].value;
        }
    }
}

/* ---- words -------------------------------------------------------------------------------- */

void ge_words_init(struct ge_words *w, const char *text, size_t len)
{
    *w = (struct ge_words){.data = text, .len = len};
    ge_buf_init(&w->word, WORD_MAX);
}

void ge_words_free(struct ge_words *w)
{
    ge_buf_free(&w->word);
}

/* True if the characters at pos, a sign or point that no word goes before, begin a number. */
static bool number_at(const struct ge_words *w, size_t pos, bool after_word)
{
    size_t n;
    uint32_t cp = char_at(w, pos, &n);
    if (after_word) return false;
    if (cp == '-' || cp == MINUS) {
        pos += n;
        return digit_at(w, pos) || (pos < w->len && w->data[pos] == '.' && digit_at(w, pos + 1));
    }
    return cp == '.' && digit_at(w, pos + 1);
}

/* Move to the first character of a word; false at the end. */
static bool find_start(struct ge_words *w)
{
    bool after_word = w->pos > 0; /* a word ended here */
    size_t n;
    for (; w->pos < w->len; w->pos += n) {
        uint32_t cp = char_at(w, w->pos, &n);
        if (is_wordlike(cp) || number_at(w, w->pos, after_word)) return true;
        after_word = false;
    }
    return false;
}

/* True if the character cp of n bytes at pos goes on with the word that ends there. `last` is the
 * word's last character. */
static bool goes_on(const struct ge_words *w, size_t pos, uint32_t cp, size_t n, uint32_t last)
{
    size_t m;
    if (ge_unicode_is_cjk(cp)) return false;
    if (is_wordlike(cp)) return true;
    if (cp == '.') return is_digit(last) && digit_at(w, pos + n);
    if (cp == ',') return is_digit(last) && groups(w, pos);
    if (cp != '\'' && cp != APOSTROPHE) return false;
    uint32_t next = char_at(w, pos + n, &m);
    return is_wordlike(last) && !is_digit(last) && is_wordlike(next) && !is_digit(next);
}

static void put_lower(struct ge_buf *out, uint32_t cp)
{
    uint32_t low[2];
    if (cp == APOSTROPHE) cp = '\'';
    if (cp == MINUS) cp = '-';
    size_t n = ge_unicode_lower_of(cp, low);
    for (size_t i = 0; i < n; i++) ge_unicode_put(out, low[i]);
}

ge_status ge_words_next(struct ge_words *w, struct ge_word *out, bool *found)
{
    size_t n;
    *found = false;
    *out = (struct ge_word){.text = ""};
    ge_buf_reset(&w->word);
    if (!find_start(w)) return GE_OK;
    out->begin = w->pos;
    uint32_t cp = char_at(w, w->pos, &n);
    bool single = ge_unicode_is_cjk(cp);
    bool sign = cp == '-' || cp == MINUS;
    for (;;) {
        put_lower(&w->word, cp);
        if (is_digit(cp)) out->has_digit = true;
        w->pos += n;
        if (single || w->pos >= w->len) break;
        uint32_t last = cp;
        cp = char_at(w, w->pos, &n);
        bool point_after_sign = sign && w->pos > out->begin && cp == '.' && !out->has_digit;
        if (!point_after_sign && !goes_on(w, w->pos, cp, n, last)) break;
    }
    ge_status rc = ge_buf_status(&w->word);
    if (rc != GE_OK) return rc;
    out->text = w->word.data;
    out->len = w->word.len;
    out->end = w->pos;
    set_value(out);
    *found = true;
    return GE_OK;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* A number of several words while it is read: total + current; an addend must be below `room`. */
struct compound {
    double total, current, scale, room;
    bool digits;
};

/* Take one more number word; false: it does not belong to the number. */
static bool compound_add(struct compound *c, const struct ge_word *word)
{
    double v = word->value;
    if (word->has_digit || !word->has_value) return false;
    if (v == 100) {
        if (!(c->current > 0 && c->current < 100)) return false;
        c->current *= 100;
        c->room = 100;
        return true;
    }
    if (v >= 1000) {
        if (!(c->current > 0) || !(v < c->scale)) return false;
        c->total += c->current * v;
        c->current = 0;
        c->scale = c->room = v;
        return true;
    }
    if (c->digits || !(v > 0 && v < c->room)) return false;
    c->current += v;
    c->room = v >= 20 ? 10 : 0;
    return true;
}

/* True if only spaces and at most one hyphen lie between two words. */
static bool joined(const struct ge_words *w, size_t begin, size_t end)
{
    int hyphens = 0;
    for (size_t i = begin; i < end; i++) {
        if (w->data[i] == '-') hyphens++;
        if (w->data[i] != ' ' && w->data[i] != '-') return false;
    }
    return hyphens <= 1;
}

/* The words after `out`, a word with a value, that belong to the same number. */
static ge_status read_compound(struct ge_words *w, struct ge_word *out)
{
    ge_status rc = GE_OK;
    struct ge_word next;
    bool found;
    double v = out->value;
    struct compound c = {.scale = 1e12, .digits = out->has_digit};
    c.current = v < 100 || c.digits ? v : 1;
    c.room = v >= 20 && v < 100 && !c.digits ? 10 : 0;
    if (v >= 100 && !c.digits) compound_add(&c, out);
    for (;;) {
        size_t pos = w->pos;
        GE_TRY(ge_words_next(w, &next, &found));
        bool belongs = found && joined(w, out->end, next.begin);
        if (belongs && c.room >= 100 && strcmp(next.text, "and") == 0) {
            size_t and_end = next.end;
            GE_TRY(ge_words_next(w, &next, &found));
            belongs = found && joined(w, and_end, next.begin) && next.value < 100;
        }
        if (!belongs || !compound_add(&c, &next)) {
            w->pos = pos;
            break;
        }
        out->end = next.end;
    }
    out->value = c.total + c.current;
done:
    return rc;
}

/* out, a word with a value, becomes the whole number with its decimal text. */
static ge_status finish_number(struct ge_words *w, struct ge_word *out)
{
    char text[32];
    ge_status rc = read_compound(w, out);
    if (rc != GE_OK) return rc;
    ge_double_text(out->value, text);
    ge_buf_reset(&w->word);
    ge_buf_str(&w->word, text);
    rc = ge_buf_status(&w->word);
    if (rc != GE_OK) return rc;
    out->text = w->word.data;
    out->len = w->word.len;
    return GE_OK;
}

ge_status ge_words_next_number(struct ge_words *w, struct ge_word *out, bool *found)
{
    ge_status rc = GE_OK;
    do {
        GE_TRY(ge_words_next(w, out, found));
    } while (*found && !out->has_value);
    if (*found) rc = finish_number(w, out);
done:
    return rc;
}

/* True if s[begin, end) is white space only. */
static bool blank(const char *s, size_t begin, size_t end)
{
    size_t n;
    for (; begin < end; begin += n) {
        if (!(ge_unicode_class(ge_unicode_at(s + begin, end - begin, &n)) & GE_CHAR_SPACE)) {
            return false;
        }
    }
    return true;
}

bool ge_words_number(const char *text, size_t len, double *value)
{
    struct ge_words w;
    struct ge_word word;
    bool found;
    ge_words_init(&w, text, len);
    bool is_number = ge_words_next_number(&w, &word, &found) == GE_OK && found &&
                     blank(text, 0, word.begin) && blank(text, word.end, len);
    if (is_number) *value = word.value;
    ge_words_free(&w);
    return is_number;
}

bool ge_word_negates(const char *word)
{
    static const char *const negations[] = {"not",   "no",      "never",  "neither",
                                            "nor",   "without", "cannot", "isnt",
                                            "arent", "dont",    "doesnt", "hardly"};
    size_t n = strlen(word);
    if (n > 3 && strcmp(word + n - 3, "n't") == 0) return true; /* isn't, won't, … */
    for (size_t i = 0; i < sizeof negations / sizeof negations[0]; i++) {
        if (strcmp(word, negations[i]) == 0) return true;
    }
    return false;
}

/* ---- normal form -------------------------------------------------------------------------- */

/* text becomes f(text). */
static ge_status transform(struct ge_buf *text, struct ge_buf *spare,
                           ge_status (*f)(const char *s, size_t len, struct ge_buf *out))
{
    if (text->len == 0) return GE_OK;
    ge_buf_reset(spare);
    ge_status rc = f(text->data, text->len, spare);
    struct ge_buf t = *text;
    *text = *spare;
    *spare = t;
    return rc;
}

static ge_status lowercase(const char *s, size_t len, struct ge_buf *out)
{
    ge_unicode_lowercase(s, len, out);
    return ge_buf_status(out);
}

static ge_status strip_accents(const char *s, size_t len, struct ge_buf *out)
{
    struct ge_buf decomposed;
    ge_buf_init(&decomposed, TEXT_MAX);
    ge_status rc = ge_unicode_nfd(s, len, &decomposed);
    if (rc == GE_OK) {
        ge_unicode_strip_marks(decomposed.data, decomposed.len, out);
        rc = ge_buf_status(out);
    }
    ge_buf_free(&decomposed);
    return rc;
}

static ge_status collapse(const char *s, size_t len, struct ge_buf *out)
{
    bool gap = false;
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (ge_unicode_class(cp) & GE_CHAR_SPACE) {
            gap = out->len > 0;
            continue;
        }
        if (gap) ge_buf_char(out, ' ');
        gap = false;
        ge_buf_add(out, s + i, n);
    }
    return ge_buf_status(out);
}

/* What lies between two words. */
static void put_gap(const char *s, size_t len, unsigned flags, struct ge_buf *out)
{
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if ((flags & GE_WORDS_STRIP_PUNCT) && (ge_unicode_class(cp) & GE_CHAR_PUNCT)) {
            ge_buf_char(out, ' ');
        } else {
            ge_buf_add(out, s + i, n);
        }
    }
}

static bool is_article(const char *word)
{
    return strcmp(word, "a") == 0 || strcmp(word, "an") == 0 || strcmp(word, "the") == 0;
}

static ge_status rewrite_words(const char *s, size_t len, unsigned flags, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct ge_words w;
    struct ge_word word;
    size_t from = 0;
    bool found;
    ge_words_init(&w, s, len);
    for (;;) {
        GE_TRY(ge_words_next(&w, &word, &found));
        if (!found) break;
        put_gap(s + from, word.begin - from, flags, out);
        bool number = (flags & GE_WORDS_NUMBERS) && word.has_value;
        if (number) GE_TRY(finish_number(&w, &word));
        bool left_out = (flags & GE_WORDS_STRIP_ARTICLES) && is_article(word.text);
        if (left_out) {
            ge_buf_char(out, ' ');
        } else if (number || (flags & GE_WORDS_LOWER)) {
            ge_buf_add(out, word.text, word.len);
        } else {
            ge_buf_add(out, s + word.begin, word.end - word.begin);
        }
        from = word.end;
    }
    put_gap(s + from, len - from, flags, out);
    rc = ge_buf_status(out);
done:
    ge_words_free(&w);
    return rc;
}

ge_status ge_words_normalize(const char *text, size_t len, unsigned flags, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    const unsigned by_word = GE_WORDS_STRIP_PUNCT | GE_WORDS_STRIP_ARTICLES | GE_WORDS_NUMBERS;
    const unsigned collapsing = GE_WORDS_COLLAPSE | GE_WORDS_STRIP_ARTICLES | GE_WORDS_NUMBERS;
    struct ge_buf a, b;
    ge_buf_init(&a, TEXT_MAX);
    ge_buf_init(&b, TEXT_MAX);
    ge_unicode_sanitize(text, len, &a);
    GE_TRY(ge_buf_status(&a));
    if (flags & GE_WORDS_NFC) GE_TRY(transform(&a, &b, ge_unicode_nfc));
    if (flags & GE_WORDS_STRIP_ACCENTS) GE_TRY(transform(&a, &b, strip_accents));
    if (flags & GE_WORDS_LOWER) GE_TRY(transform(&a, &b, lowercase));
    if ((flags & by_word) && a.len > 0) {
        ge_buf_reset(&b);
        GE_TRY(rewrite_words(a.data, a.len, flags, &b));
        struct ge_buf t = a;
        a = b;
        b = t;
    }
    if (flags & collapsing) GE_TRY(transform(&a, &b, collapse));
    ge_buf_add(out, a.data != NULL ? a.data : "", a.len);
    rc = ge_buf_status(out);
done:
    ge_buf_free(&a);
    ge_buf_free(&b);
    return rc;
}
