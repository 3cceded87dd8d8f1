/* The Penn Treebank tokenizer: characters and their kinds, the loop over tokens, their texts. */
#include "metric/ptb.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "metric/ptb_scan.h"
#include "text/unicode.h"

struct range {
    uint16_t first, last;
};

/* Marks and the like that count as parts of words, beside letters. */
static const struct range word_parts[] = {
    {0x02C2, 0x02C5}, {0x02D2, 0x02DF}, {0x02E5, 0x02EB}, {0x02ED, 0x02ED}, {0x02EF, 0x036F},
    {0x0375, 0x0375}, {0x0378, 0x0379}, {0x0384, 0x0385}, {0x03F6, 0x03F6}, {0x0483, 0x0487},
    {0x055A, 0x055F}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
    {0x05C7, 0x05C7}, {0x0615, 0x061A}, {0x064B, 0x065E}, {0x0670, 0x0670}, {0x06D6, 0x06E4},
    {0x06E7, 0x06ED}, {0x06FD, 0x06FE}, {0x070F, 0x070F}, {0x0711, 0x0711}, {0x0730, 0x074C},
    {0x07A6, 0x07B0}, {0x07EB, 0x07F3}, {0x0900, 0x0903}, {0x093C, 0x093C}, {0x093E, 0x094E},
    {0x0951, 0x0955}, {0x0962, 0x0963}, {0x0981, 0x0983}, {0x09BC, 0x09BC}, {0x09BE, 0x09C4},
    {0x09C7, 0x09C8}, {0x09CB, 0x09CD}, {0x09D7, 0x09D7}, {0x09E2, 0x09E3}, {0x0A01, 0x0A03},
    {0x0A3C, 0x0A3C}, {0x0A3E, 0x0A4F}, {0x0A81, 0x0A83}, {0x0ABC, 0x0ABC}, {0x0ABE, 0x0ACF},
    {0x0B82, 0x0B82}, {0x0BBE, 0x0BC2}, {0x0BC6, 0x0BC8}, {0x0BCA, 0x0BCD}, {0x0C01, 0x0C03},
    {0x0C3E, 0x0C56}, {0x0D3E, 0x0D44}, {0x0D46, 0x0D48}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x0EB1, 0x0EB1}, {0x0EB4, 0x0EBC}, {0x0EC8, 0x0ECD}, {0x1885, 0x1886}};

/* Characters beyond ASCII that are tokens by themselves; others that no rule names vanish. */
static const struct range symbols[] = {
    {0x0080, 0x0080}, {0x0085, 0x0085}, {0x0096, 0x0097}, {0x00A1, 0x00AA}, {0x00AC, 0x00AC},
    {0x00AE, 0x00BA}, {0x00BC, 0x00BF}, {0x00D7, 0x00D7}, {0x00F7, 0x00F7}, {0x037E, 0x037E},
    {0x0387, 0x0387}, {0x0589, 0x0589}, {0x05BE, 0x05BE}, {0x05C0, 0x05C0}, {0x05C3, 0x05C3},
    {0x05C6, 0x05C6}, {0x05F3, 0x05F4}, {0x0600, 0x0603}, {0x0606, 0x060C}, {0x0614, 0x0614},
    {0x061B, 0x061B}, {0x061E, 0x061F}, {0x066A, 0x066A}, {0x066D, 0x066D}, {0x06D4, 0x06D4},
    {0x0700, 0x070D}, {0x07F6, 0x07F8}, {0x0964, 0x0965}, {0x0E3F, 0x0E3F}, {0x0E4F, 0x0E4F},
    {0x1FBD, 0x1FBD}, {0x2013, 0x2017}, {0x201A, 0x201A}, {0x201E, 0x201E}, {0x2020, 0x2023},
    {0x2026, 0x2026}, {0x2030, 0x2038}, {0x203B, 0x203B}, {0x203E, 0x2042}, {0x2044, 0x2044},
    {0x2070, 0x2070}, {0x2074, 0x207E}, {0x2080, 0x208E}, {0x20A0, 0x20A0}, {0x20A4, 0x20A4},
    {0x20AC, 0x20AC}, {0x2100, 0x214F}, {0x2153, 0x215E}, {0x2190, 0x2BFF}, {0x3001, 0x3002},
    {0x3012, 0x3012}, {0x30FB, 0x30FB}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40},
    {0xFF5B, 0xFF65}, {0xFFE0, 0xFFE1}, {0xFFE5, 0xFFE6}};

/* The zeros of the decimal digits. */
static const uint16_t zeros[] = {
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xAA50, 0xABF0, 0xFF10};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
    size_t lo = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (r[lo + half].last < c) {
            lo += half + 1;
            n -= half + 1;
        } else {
            if (r[lo + half].first <= c) return true;
            n = half;
        }
    }
    return false;
}

static bool is_digit(uint32_t c)
{
    size_t lo = 0, hi = sizeof zeros / sizeof zeros[0];
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (zeros[mid] + 9u < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sizeof zeros / sizeof zeros[0] && zeros[lo] <= c;
}

unsigned ptb_kind(uint32_t c)
{
    unsigned kind = 0;
    if (c < 128) {
        if ((c | 32) >= 'a' && (c | 32) <= 'z') return PTB_ALPHA | PTB_LETTER | PTB_WORD;
        if (c >= '0' && c <= '9') return PTB_DIGIT | PTB_ASCII_DIGIT;
        if (c == ' ' || c == '\t') return PTB_SPACE;
        return c > ' ' && c < 127 ? PTB_SYMBOL : 0;
    }
    if (c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x3000) return PTB_SPACE;
    if (c > 0xFFFF) return 0; /* two surrogates to the reference, which knows neither */
    if (is_digit(c)) return PTB_DIGIT;
    if (ge_unicode_class(c) & GE_CHAR_LETTER) kind = PTB_LETTER | PTB_WORD;
    if (c == 0xAD || in_ranges(c, word_parts, sizeof word_parts / sizeof word_parts[0]))
        kind |= PTB_WORD;
    if (in_ranges(c, symbols, sizeof symbols / sizeof symbols[0])) kind |= PTB_SYMBOL;
    return kind;
}

const char *ptb_symbol(uint32_t c)
{
    switch (c) {
    case '(':
        return "-lrb-";
    case ')':
        return "-rrb-";
    case '[':
        return "-lsb-";
    case ']':
        return "-rsb-";
    case '{':
        return "-lcb-";
    case '}':
        return "-rcb-";
    case 0x80:
    case 0xA4:
    case 0x20A0:
    case 0x20AC:
        return "$";
    case 0xA2:
        return "cents";
    case 0xA3:
        return "#";
    case 0xBC:
        return "1/4";
    case 0xBD:
        return "1/2";
    case 0xBE:
        return "3/4";
    case 0x2153:
        return "1/3";
    case 0x2154:
        return "2/3";
    case 0x85:
    case 0x2026:
        return "...";
    case 0x96:
    case 0x97:
    case 0x2013:
    case 0x2014:
    case 0x2015:
        return "--";
    default:
        return NULL;
    }
}

/* The longest match at p. */
static void match(struct ptb_scan *s, size_t p)
{
    bool letter = ptb_is(s, p, PTB_WORD), digit = ptb_is(s, p, PTB_DIGIT);
    s->total = 0;
    s->length = 0;
    if (!digit) ptb_rule_words(s, p);
    if (!letter && !digit) {
        ptb_rule_tag(s, p);
        ptb_rule_entities(s, p);
    }
    ptb_rule_apostrophe_words(s, p);
    ptb_rule_address(s, p);
    ptb_rule_contraction(s, p, false);
    ptb_rule_numbers(s, p);
    ptb_rule_abbreviations(s, p);
    ptb_rule_file_name(s, p);
    if (!letter) ptb_rule_phone(s, p);
    if (!letter && !digit) ptb_rule_double_quotes(s, p);
    ptb_rule_smileys(s, p); /* x is an eye */
    if (!letter && !digit) ptb_rule_punctuation(s, p);
    ptb_rule_hyphened(s, p);
    if (!letter && !digit) ptb_rule_quotes(s, p);
    ptb_rule_contraction(s, p, true);
    ptb_rule_symbols(s, p);
}

/* ---- texts of tokens -------------------------------------------------------------------------- */

/* Quotes as TeX writes them. Straight ones open or close by `left`. */
static size_t quote(const struct ptb_scan *s, size_t p, size_t end, bool left, struct ge_buf *out)
{
    size_t n = s->c[p] == '"' ? 1 : ptb_literal(s, p, "&quot;");
    if (n == 0 && p + 2 <= end && s->c[p] == '\'' && s->c[p + 1] == '\'') n = 2;
    if (n > 0) {
        ge_buf_str(out, left ? "``" : "''");
        return n;
    }
    n = ptb_literal(s, p, "'");
    switch (s->c[p]) {
    case 0x82:
    case 0x91:
    case 0x2018:
    case 0x201B:
    case 0x2039:
        ge_buf_char(out, '`');
        return 1;
    case 0x92:
    case 0x2019:
    case 0x203A:
        ge_buf_char(out, '\'');
        return 1;
    case 0x84:
    case 0x93:
    case 0x201C:
    case 0xAB:
        ge_buf_str(out, "``");
        return 1;
    case 0x94:
    case 0x201D:
    case 0xBB:
        ge_buf_str(out, "''");
        return 1;
    }
    if (n > 0)
        ge_buf_char(out, left ? '`' : '\'');
    else
        ge_unicode_put(out, s->c[p]);
    return n > 0 ? n : 1;
}

/* The text of the match at p, not yet in lower case. */
static void text_of(const struct ptb_scan *s, size_t p, struct ge_buf *out)
{
    size_t end = p + s->length;
    const char *name;
    if (s->norm == PTB_DASH || s->norm == PTB_ELLIPSIS) {
        ge_buf_str(out, s->norm == PTB_DASH ? "--" : "...");
        return;
    }
    for (; p < end; p++) {
        uint32_t c = s->c[p];
        switch (s->norm) {
        case PTB_SOFT:
            if (c == 0xAD) continue;
            break;
        case PTB_NUMBER:
            if (c == 0xAD || c == 0x66C) continue;
            break;
        case PTB_NBSP:
            if (c == '(' || c == ')') {
                ge_buf_str(out, ptb_symbol(c));
                continue;
            }
            if (c == ' ') c = 0xA0;
            break;
        case PTB_AMPERSAND:
            if (ptb_literal(s, p, "&amp;") > 0) p += 4;
            break;
        case PTB_ONE:
            name = ptb_symbol(c);
            if (c == '&' && s->length == 4) name = ptb_lower(s->c[p + 1]) == 'l' ? "<" : ">";
            if (name != NULL) {
                ge_buf_str(out, name);
                return;
            }
            break;
        case PTB_QUOTE_LEFT:
        case PTB_QUOTE_RIGHT:
            p += quote(s, p, end, s->norm == PTB_QUOTE_LEFT, out) - 1;
            continue;
        default:
            break;
        }
        ge_unicode_put(out, c);
    }
}

/* The tokens that pycocoevalcap leaves out. */
static bool is_dropped(const struct ge_buf *token)
{
    static const char *const dropped[] = {"''", "'", "``", "`",  ".",   "?", "!",
                                          ",",  ":", "-",  "--", "...", ";"};
    for (size_t i = 0; token->len <= 3 && i < sizeof dropped / sizeof dropped[0]; i++) {
        if (strcmp(token->data, dropped[i]) == 0) return true;
    }
    return false;
}

/* Has it a letter with an upper or lower case? */
static bool has_case(const char *s, size_t len)
{
    for (size_t i = 0, n; i < len; i += n)
        if (ge_unicode_more(ge_unicode_at(s + i, len - i, &n)) & GE_MORE_CASED) return true;
    return false;
}

/* Append a token in lower case. */
static void emit(const char *token, size_t len, size_t begin, struct ge_buf *out)
{
    size_t i = 0, n;
    if (out->len > begin) ge_buf_char(out, ' ');
    while (i < len) {
        if ((unsigned char)token[i] < 128) {
            ge_buf_char(out, (char)ptb_lower((unsigned char)token[i++]));
            continue;
        }
        uint32_t c = ge_unicode_at(token + i, len - i, &n);
        if (c == 0x3A3 && !has_case(token + i + n, len - i - n) && has_case(token, i))
            ge_unicode_put(out, 0x3C2); /* sigma at the end of a word */
        else
            ge_unicode_lowercase(token + i, n, out);
        i += n;
    }
}

/* Append a word of ASCII letters between spaces, what most of any text is, without further ado; its
 * length, 0 if there is none at p or it is a long one. */
static size_t plain_word(const struct ptb_scan *s, size_t p, size_t begin, struct ge_buf *out)
{
    char word[32];
    size_t n = 0;
    while (n < sizeof word && ptb_is(s, p + n, PTB_ALPHA)) {
        word[n] = (char)ptb_lower(s->c[p + n]);
        n++;
    }
    if (n == sizeof word || !ptb_is_plain_word(s, p, n)) return 0;
    if (out->len > begin) ge_buf_char(out, ' ');
    ge_buf_add(out, word, n);
    return n;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static ge_status decode(const char *text, size_t len, uint32_t **c, unsigned char **k, size_t *n)
{
    ge_status rc = GE_OK;
    size_t used = 0, room, step;
    GE_TRY(ge_add(len, 1 + PTB_PADDING, &room));
    GE_NEW(*c, room);
    GE_NEW(*k, room);
    for (size_t i = 0; i < len; i += step) {
        int32_t cp = ge_utf8_decode(text + i, len - i, &step);
        if (cp < 0) continue;
        if ((cp >= '\n' && cp <= '\r') || cp == 0x2028 || cp == 0x2029) cp = ' ';
        (*c)[used] = (uint32_t)cp;
        (*k)[used++] = (unsigned char)ptb_kind((uint32_t)cp);
    }
    *n = used;
    (*c)[used] = '\n';
    (*k)[used++] = PTB_SPACE;
    while (used < room) (*c)[used++] = PTB_END; /* at least PADDING of them */
done:
    return rc;
}

ge_status ge_ptb_caption(const char *text, size_t len, struct ge_buf *out)
{
    struct ptb_scan s = {0};
    struct ge_buf token;
    uint32_t *c = NULL;
    unsigned char *k = NULL;
    size_t begin = out->len;
    ge_status rc = GE_OK;
    ge_buf_init(&token, SIZE_MAX);
    GE_TRY(decode(text, len, &c, &k, &s.n));
    s.c = c;
    s.k = k;
    for (size_t p = 0, n; p < s.n; p += n) {
        n = 1;
        if (ptb_is(&s, p, PTB_SPACE)) continue;
        n = plain_word(&s, p, begin, out);
        if (n > 0) continue;
        match(&s, p);
        n = s.length > 0 ? s.length : 1; /* no rule knows it */
        if (s.length == 0 || s.norm == PTB_DROP) continue;
        ge_buf_reset(&token);
        text_of(&s, p, &token);
        GE_TRY(ge_buf_status(&token));
        if (token.len > 0 && !is_dropped(&token)) emit(token.data, token.len, begin, out);
    }
    GE_TRY(ge_buf_status(out));
    if (out->len > begin) { /* an address may end in white space that the reference strips */
        out->len = begin + ge_unicode_trimmed(out->data + begin, out->len - begin);
        out->data[out->len] = '\0';
    }
done:
    ge_buf_free(&token);
    free(c);
    free(k);
    return rc;
}
