/* Constraints on how an answer is laid out: lengths, paragraphs, lists, JSON, marks. */
#include <string.h>

#include "metric/chars.h"
#include "metric/constraint_kinds.h"
#include "metric/sentence.h"
#include "text/unicode.h"

static bool is_blank(const char *text, size_t begin, size_t end)
{
    ge_chars_strip(text, &begin, &end);
    return begin == end;
}

/* Where the line that holds byte `from` ends: its line break or the text's end. */
static size_t line_end(const struct reading *r, size_t from)
{
    const char *p = from < r->len ? memchr(r->text + from, '\n', r->len - from) : NULL;
    return p != NULL ? (size_t)(p - r->text) : r->len;
}

/* ---- lengths ------------------------------------------------------------------------------- */

ge_status ge_check_words(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t n, count = 0;
    bool in_word = false;
    for (size_t i = 0; i < r->len; i += n) {
        bool word = ge_char_is_word(ge_unicode_at(r->text + i, r->len - i, &n));
        count += word && !in_word;
        in_word = word;
    }
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

ge_status ge_check_sentences(const struct constraint *c, const struct reading *r, bool *passed)
{
    *passed = ge_constraint_within(c, ge_sentences_count(r->text, r->len));
    return GE_OK;
}

ge_status ge_check_characters(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t count = 0;
    for (size_t i = 0; i < r->len; i++) count += ((unsigned char)r->text[i] & 0xC0) != 0x80;
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

/* ---- paragraphs ---------------------------------------------------------------------------- */

/* A text cut at a divider. */
struct parts {
    const struct reading *r;
    const char *divider;
    size_t pos;
    bool done;
};

static bool next_part(struct parts *p, size_t *begin, size_t *end)
{
    if (p->done) return false;
    *begin = p->pos;
    *end = ge_chars_find(p->r->text, p->r->len, p->pos, p->divider);
    p->done = *end == p->r->len;
    p->pos = *end + strlen(p->divider);
    return true;
}

/* Count of parts that are not blank; *inner_blank: a blank one stands between others. */
static size_t count_parts(const struct reading *r, const char *divider, bool *inner_blank)
{
    struct parts p = {.r = r, .divider = divider};
    size_t begin, end, n = 0;
    *inner_blank = false;
    for (bool first = true; next_part(&p, &begin, &end); first = false) {
        bool blank = is_blank(r->text, begin, end);
        n += !blank;
        if (blank && !first && !p.done) *inner_blank = true;
    }
    return n;
}

/* Whether paragraph nth begins with the word: up to white space or a punctuation mark, without
 * quotes before it. */
static bool begins_with(const struct constraint *c, const struct reading *r)
{
    struct parts p = {.r = r, .divider = "\n\n"};
    const char *word = c->first_word.lower;
    size_t begin = 0, end = 0, n;
    for (int64_t i = 0; i < c->nth; i++) {
        if (!next_part(&p, &begin, &end)) return false;
    }
    ge_chars_strip(r->text, &begin, &end);
    while (begin < end && r->text[begin] == '\'') begin++;
    while (begin < end && r->text[begin] == '"') begin++;
    for (; begin < end; begin += n) {
        uint32_t low[2], cp = ge_unicode_at(r->text + begin, end - begin, &n);
        if (ge_char_is_space(cp) || (cp < 0x80 && strchr(".,?!'\"", (int)cp) != NULL)) break;
        size_t count = ge_unicode_lower_of(cp, low);
        for (size_t k = 0; k < count; k++) {
            size_t left = strlen(word), m;
            if (left == 0 || ge_unicode_at(word, left, &m) != low[k]) return false;
            word += m;
        }
    }
    return *word == '\0';
}

ge_status ge_check_paragraphs(const struct constraint *c, const struct reading *r, bool *passed)
{
    bool inner_blank;
    if (c->divider == DIVIDER_STARS) {
        size_t n = count_parts(r, "***", &inner_blank);
        *passed = !inner_blank && ge_constraint_within(c, n);
        return GE_OK;
    }
    size_t n = count_parts(r, "\n\n", &inner_blank);
    *passed = ge_constraint_within(c, n);
    if (c->nth > 0 && *passed) *passed = (size_t)c->nth <= n && begins_with(c, r);
    return GE_OK;
}

/* Two responses, and only these, with six asterisks between. */
ge_status ge_check_two_responses(const struct constraint *c, const struct reading *r, bool *passed)
{
    bool inner_blank;
    size_t begin, end, n = 0, at[2] = {0}, len[2] = {0};
    struct parts p = {.r = r, .divider = "******"};
    (void)c;
    *passed = count_parts(r, "******", &inner_blank) == 2 && !inner_blank;
    while (*passed && next_part(&p, &begin, &end)) {
        ge_chars_strip(r->text, &begin, &end);
        if (begin == end) continue;
        at[n] = begin;
        len[n++] = end - begin;
    }
    if (*passed)
        *passed = len[0] != len[1] || memcmp(r->text + at[0], r->text + at[1], len[0]) != 0;
    return GE_OK;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* What a list's items begin with. */
enum marker { ASTERISK, DASH, NUMBER };

/* Whether an item begins at byte `at`; its marker's end in *end. */
static bool item_at(const struct reading *r, size_t at, enum marker marker, size_t *end)
{
    const char *t = r->text;
    size_t n;
    *end = at + 1;
    if (marker == DASH) return t[at] == '-';
    if (marker == ASTERISK) {
        *end = at + 2; /* what follows the asterisk belongs to the item, a line break, too */
        return t[at] == '*' && at + 1 < r->len && t[at + 1] != '*';
    }
    while (*end < r->len && *end - at < 4 && t[*end] >= '0' && t[*end] <= '9') ++*end;
    if (t[at] < '0' || t[at] > '9' || *end + 1 >= r->len) return false;
    if (t[*end] != '.' && t[*end] != ')') return false;
    ++*end;
    return ge_char_is_space(ge_unicode_at(t + *end, r->len - *end, &n));
}

/* Lines that begin, after white space, with an item's marker. Each marker has a walk of its own, as in
 * IFEval: a dash behind the line break that an asterisk takes along is an item, too. */
static size_t count_items(const struct reading *r, enum marker marker)
{
    size_t n = 0, end, count = 0;
    for (size_t line = 0; line < r->len; line++) {
        size_t at = line;
        while (at < r->len && ge_char_is_space(ge_unicode_at(r->text + at, r->len - at, &n))) {
            at += n;
        }
        if (at >= r->len) break;
        bool item = item_at(r, at, marker, &end);
        count += item;
        line = line_end(r, item ? end : at);
    }
    return count;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* One of the openings of a fenced block is taken away after the other, as IFEval does. */
static void unfence(const char *text, size_t *begin, size_t *end)
{
    static const char *const fences[] = {"```json", "```Json", "```JSON", "```"};
    for (size_t i = 0; i < sizeof fences / sizeof fences[0]; i++) {
        size_t n = strlen(fences[i]);
        if (*end - *begin >= n && memcmp(text + *begin, fences[i], n) == 0) *begin += n;
    }
    if (*end - *begin >= 3 && memcmp(text + *end - 3, "```", 3) == 0) *end -= 3;
    ge_chars_strip(text, begin, end);
}

static ge_status check_json(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t begin = 0, end = r->len;
    ge_json *doc = NULL;
    ge_chars_strip(r->text, &begin, &end);
    unfence(r->text, &begin, &end);
    ge_status rc = ge_json_parse(r->text + begin, end - begin, "the answer", &doc);
    *passed = rc == GE_OK;
    for (size_t i = 0; i < c->n_keys && *passed; i++) {
        *passed = ge_json_type(doc) == GE_JSON_OBJECT && ge_json_get(doc, c->keys[i]) != NULL;
    }
    ge_json_delete(&doc);
    if (rc == GE_ENOMEM) return rc;
    if (rc != GE_OK) ge_error_clear(); /* no JSON: the constraint is broken, nothing failed */
    return GE_OK;
}

ge_status ge_check_format(const struct constraint *c, const struct reading *r, bool *passed)
{
    if (c->format == FORMAT_JSON) return check_json(c, r, passed);
    size_t n = 0;
    if (c->style != STYLE_NUMBERED) n += count_items(r, ASTERISK) + count_items(r, DASH);
    if (c->style != STYLE_BULLET) n += count_items(r, NUMBER);
    *passed = ge_constraint_within(c, n);
    return GE_OK;
}

/* ---- marks --------------------------------------------------------------------------------- */

ge_status ge_check_title(const struct constraint *c, const struct reading *r, bool *passed)
{
    (void)c;
    *passed = false;
    for (size_t line = 0; line < r->len && !*passed; line++) {
        size_t end = line_end(r, line), open = line, close = end;
        while (open + 1 < end && memcmp(r->text + open, "<<", 2) != 0) open++;
        while (close > line + 1 && memcmp(r->text + close - 2, ">>", 2) != 0) close--;
        if (close >= open + 5) { /* something between the brackets */
            while (open < close && r->text[open] == '<') open++;
            while (close > open && r->text[close - 1] == '>') close--;
            *passed = !is_blank(r->text, open, close);
        }
        line = end;
    }
    return GE_OK;
}

/* Parts of a line between two marks of n asterisks, without an asterisk inside and not blank. */
static size_t count_highlights(const struct reading *r, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i + 2 * n <= r->len;) {
        const char *p = r->text + i;
        if (memcmp(p, "**", n) != 0) {
            i++;
            continue;
        }
        size_t end = i + n + strcspn(p + n, "*\n");
        if (end + n <= r->len && memcmp(r->text + end, "**", n) == 0) {
            count += !is_blank(r->text, i + n, end);
            i = end + n;
        } else {
            i++;
        }
    }
    return count;
}

ge_status ge_check_highlights(const struct constraint *c, const struct reading *r, bool *passed)
{
    *passed = ge_constraint_within(c, count_highlights(r, 1) + count_highlights(r, 2));
    return GE_OK;
}

ge_status ge_check_sections(const struct constraint *c, const struct reading *r, bool *passed)
{
    const char *mark = c->n_texts > 0 ? c->texts[0].text : "Section";
    size_t count = 0, n;
    for (size_t at = 0; (at = ge_chars_find(r->text, r->len, at, mark)) < r->len;) {
        size_t end = at + strlen(mark);
        if (end < r->len && ge_char_is_space(ge_unicode_at(r->text + end, r->len - end, &n))) {
            end += n;
        }
        n = strspn(r->text + end, "0123456789");
        count += n > 0;
        at = n > 0 ? end + n : at + 1;
    }
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

ge_status ge_check_placeholders(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t count = 0;
    for (size_t i = 0; i < r->len; i++) {
        if (r->text[i] != '[') continue;
        i += strcspn(r->text + i, "]\n"); /* a line's end: none of its other brackets closes */
        count += i < r->len && r->text[i] == ']';
    }
    *passed = ge_constraint_within(c, count);
    return GE_OK;
}

ge_status ge_check_quoted(const struct constraint *c, const struct reading *r, bool *passed)
{
    size_t begin = 0, end = r->len;
    (void)c;
    ge_chars_strip(r->text, &begin, &end);
    *passed = end - begin > 1 && r->text[begin] == '"' && r->text[end - 1] == '"';
    return GE_OK;
}
