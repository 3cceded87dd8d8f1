/* A state machine over the grammar of RFC 8259. Runs of plain string bytes are copied whole. */
#include "base/json_pull.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* What may come next. */
enum state {
    VALUE,          /* a value */
    FIRST_ELEMENT,  /* a value or ] */
    FIRST_KEY,      /* a key or } */
    NEXT_KEY,       /* a key, after a comma */
    AFTER_VALUE,    /* a comma, or the end of the innermost level */
    AFTER_DOCUMENT, /* white space only */
};

enum { OBJECT = '{', ARRAY = '[', MAX_NUMBER = 64 }; /* cJSON reads no longer number */

_Static_assert(sizeof((struct ge_jsonp *)0)->stack == GE_JSON_MAX_DEPTH, "depth cap");

void ge_jsonp_init(struct ge_jsonp *p, const char *data, size_t len, const char *name)
{
    *p = (struct ge_jsonp){.data = data, .len = len, .name = name, .state = VALUE};
    ge_buf_init(&p->text, GE_JSON_MAX_BYTES);
}

void ge_jsonp_free(struct ge_jsonp *p)
{
    ge_buf_free(&p->text);
}

void ge_jsonp_where(const struct ge_jsonp *p, size_t *line, size_t *column)
{
    const char *end = p->data + (p->pos < p->len ? p->pos : p->len);
    const char *start = p->data;
    *line = 1;
    while (start < end) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        if (newline == NULL) break;
        start = newline + 1;
        ++*line;
    }
    *column = (size_t)(end - start) + 1;
}

static ge_status fail_here(const struct ge_jsonp *p, ge_status s, const char *what)
{
    size_t line, column;
    ge_jsonp_where(p, &line, &column);
    return ge_fail(s, "%s: line %zu, column %zu: %s", p->name, line, column, what);
}

/* The next byte, or -1 at the end. */
static int peek(const struct ge_jsonp *p)
{
    return p->pos < p->len ? (unsigned char)p->data[p->pos] : -1;
}

static void skip_space(struct ge_jsonp *p)
{
    while (p->pos < p->len) {
        char c = p->data[p->pos];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') break;
        p->pos++;
    }
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Four hex digits, or -1. */
static int32_t hex4(struct ge_jsonp *p)
{
    if (p->len - p->pos < 4) return -1;
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p->data[p->pos + (size_t)i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        v = v << 4 | digit;
    }
    p->pos += 4;
    return v;
}

/* The rest of a \u escape, a surrogate pair included. */
static ge_status unicode_escape(struct ge_jsonp *p)
{
    size_t start = p->pos - 2;
    const char *problem = NULL;
    int32_t cp = hex4(p);
    if (cp < 0) {
        problem = "\\u wants four hex digits";
    } else if (cp == 0) {
        problem = "\\u0000 is not allowed in a string";
    } else if (cp >= 0xdc00 && cp <= 0xdfff) {
        problem = "low surrogate without a high one before it";
    } else if (cp >= 0xd800 && cp <= 0xdbff) {
        int32_t low = -1;
        if (p->len - p->pos >= 2 && memcmp(p->data + p->pos, "\\u", 2) == 0) {
            p->pos += 2;
            low = hex4(p);
        }
        if (low < 0xdc00 || low > 0xdfff) problem = "high surrogate without a low one after it";
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    if (problem != NULL) {
        p->pos = start;
        return fail_here(p, GE_EFORMAT, problem);
    }
    char bytes[4];
    size_t n = ge_utf8_encode((uint32_t)cp, bytes);
    ge_buf_add(&p->text, bytes, n);
    return GE_OK;
}

static ge_status escape(struct ge_jsonp *p)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    p->pos++;
    int c = peek(p);
    if (c < 0) return fail_here(p, GE_EFORMAT, "the text ends inside a string");
    p->pos++;
    if (c == 'u') return unicode_escape(p);
    const char *found = c == 0 ? NULL : strchr(names, c);
    if (found == NULL) {
        p->pos -= 2;
        return fail_here(p, GE_EFORMAT,
                         "unknown escape: one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t "
                         "\\u wanted");
    }
    ge_buf_char(&p->text, values[found - names]);
    return GE_OK;
}

/* Length of the run of bytes that stand for themselves: no quote, backslash or control byte. */
static size_t plain_run(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\' || c < 0x20) break;
        i++;
    }
    return i;
}

/* From the opening quote to after the closing one; the text is in p->text. */
static ge_status string(struct ge_jsonp *p)
{
    ge_buf_reset(&p->text);
    ge_buf_add(&p->text, "", 0); /* an empty string is "", not NULL */
    p->pos++;
    for (;;) {
        const char *s = p->data + p->pos;
        size_t n = plain_run(s, p->len - p->pos);
        size_t valid = ge_utf8_valid(s, n);
        p->pos += valid;
        if (valid < n) return fail_here(p, GE_EFORMAT, "invalid UTF-8 in a string");
        ge_buf_add(&p->text, s, n);
        if (p->text.status != GE_OK) {
            ge_buf_status(&p->text);
            return ge_fail_in(p->text.status, "%s", p->name);
        }
        int c = peek(p);
        if (c < 0) return fail_here(p, GE_EFORMAT, "the text ends inside a string");
        if (c == '"') break;
        if (c != '\\') {
            return fail_here(p, GE_EFORMAT, "control character in a string: write it as an escape");
        }
        ge_status rc = escape(p);
        if (rc != GE_OK) return rc;
    }
    p->pos++;
    return GE_OK;
}

/* ---- numbers and words ------------------------------------------------------------------------ */

static size_t digits(const char *s, size_t i, size_t len)
{
    while (i < len && s[i] >= '0' && s[i] <= '9') i++;
    return i;
}

/* Length of the number at s by the grammar; 0 if there is none. */
static size_t number_length(const char *s, size_t len)
{
    size_t i = len > 0 && s[0] == '-', start = i;
    i = digits(s, i, len);
    if (i == start || (s[start] == '0' && i > start + 1)) return 0;
    if (i < len && s[i] == '.') {
        start = i + 1;
        i = digits(s, start, len);
        if (i == start) return 0;
    }
    if (i < len && (s[i] == 'e' || s[i] == 'E')) {
        start = i + 1;
        if (start < len && (s[start] == '+' || s[start] == '-')) start++;
        i = digits(s, start, len);
        if (i == start) return 0;
    }
    return i;
}

static ge_status number(struct ge_jsonp *p)
{
    const char *s = p->data + p->pos;
    size_t n = number_length(s, p->len - p->pos);
    if (n == 0) {
        return fail_here(p, GE_EFORMAT,
                         "malformed number (JSON has no leading +, 0 or ., no hex, "
                         "NaN or Infinity)");
    }
    if (n >= MAX_NUMBER) return fail_here(p, GE_ELIMIT, "number of more than 63 characters");
    char copy[MAX_NUMBER]; /* the text need not end with a NUL */
    memcpy(copy, s, n);
    copy[n] = '\0';
    p->number = strtod(copy, NULL);
    if (!isfinite(p->number)) {
        return fail_here(p, GE_EFORMAT, "number too large for a double");
    }
    p->pos += n;
    return GE_OK;
}

static ge_status word(struct ge_jsonp *p, const char *text)
{
    size_t n = strlen(text);
    if (p->len - p->pos < n || memcmp(p->data + p->pos, text, n) != 0) {
        return fail_here(p, GE_EFORMAT,
                         "unknown word: true, false, null or a quoted string wanted");
    }
    p->pos += n;
    return GE_OK;
}

/* ---- grammar --------------------------------------------------------------------------------- */

static void value_done(struct ge_jsonp *p)
{
    p->state = p->depth == 0 ? AFTER_DOCUMENT : AFTER_VALUE;
}

static ge_status open_level(struct ge_jsonp *p, int kind, enum ge_jsonp_event *event)
{
    if (p->depth == GE_JSON_MAX_DEPTH) {
        return fail_here(p, GE_ELIMIT, "nested deeper than 64 levels");
    }
    p->stack[p->depth++] = (unsigned char)kind;
    p->pos++;
    p->state = kind == OBJECT ? FIRST_KEY : FIRST_ELEMENT;
    *event = kind == OBJECT ? GE_JSONP_OBJECT : GE_JSONP_ARRAY;
    return GE_OK;
}

static ge_status close_level(struct ge_jsonp *p, enum ge_jsonp_event *event)
{
    int kind = p->stack[--p->depth];
    p->pos++;
    value_done(p);
    *event = kind == OBJECT ? GE_JSONP_OBJECT_END : GE_JSONP_ARRAY_END;
    return GE_OK;
}

static ge_status value(struct ge_jsonp *p, enum ge_jsonp_event *event)
{
    ge_status rc;
    int c = peek(p);
    switch (c) {
    case -1:
        return fail_here(p, GE_EFORMAT, "the text ends where a value is wanted");
    case '{':
    case '[':
        return open_level(p, c, event);
    case '"':
        *event = GE_JSONP_STRING;
        rc = string(p);
        break;
    case 't':
        *event = GE_JSONP_TRUE;
        rc = word(p, "true");
        break;
    case 'f':
        *event = GE_JSONP_FALSE;
        rc = word(p, "false");
        break;
    case 'n':
        *event = GE_JSONP_NULL;
        rc = word(p, "null");
        break;
    case '-':
    case '+':
    case '.':
        *event = GE_JSONP_NUMBER;
        rc = number(p);
        break;
    default:
        if (c < '0' || c > '9') return fail_here(p, GE_EFORMAT, "a value is wanted here");
        *event = GE_JSONP_NUMBER;
        rc = number(p);
    }
    if (rc == GE_OK) value_done(p);
    return rc;
}

/* A key with its colon. */
static ge_status key(struct ge_jsonp *p, enum ge_jsonp_event *event)
{
    if (peek(p) != '"') return fail_here(p, GE_EFORMAT, "a key in double quotes is wanted here");
    ge_status rc = string(p);
    if (rc != GE_OK) return rc;
    skip_space(p);
    if (peek(p) != ':') return fail_here(p, GE_EFORMAT, "a colon is wanted after a key");
    p->pos++;
    p->state = VALUE;
    *event = GE_JSONP_KEY;
    return GE_OK;
}

/* After a value inside an object or array. */
static ge_status continue_level(struct ge_jsonp *p, enum ge_jsonp_event *event)
{
    int object = p->stack[p->depth - 1] == OBJECT;
    int c = peek(p);
    if (c == (object ? '}' : ']')) return close_level(p, event);
    if (c != ',') {
        return fail_here(p, GE_EFORMAT,
                         object ? "a comma or } is wanted here" : "a comma or ] is wanted here");
    }
    p->pos++;
    skip_space(p);
    p->state = object ? NEXT_KEY : VALUE;
    return object ? key(p, event) : value(p, event);
}

ge_status ge_jsonp_next(struct ge_jsonp *p, enum ge_jsonp_event *event)
{
    *event = GE_JSONP_END;
    if (p->pos == 0 && p->len >= 3 && memcmp(p->data, "\xef\xbb\xbf", 3) == 0) {
        return fail_here(p, GE_EFORMAT,
                         "starts with a byte order mark: save the file as UTF-8 "
                         "without it");
    }
    skip_space(p);
    switch ((enum state)p->state) {
    case VALUE:
        return value(p, event);
    case FIRST_ELEMENT:
        return peek(p) == ']' ? close_level(p, event) : value(p, event);
    case FIRST_KEY:
        return peek(p) == '}' ? close_level(p, event) : key(p, event);
    case NEXT_KEY:
        return key(p, event);
    case AFTER_VALUE:
        return continue_level(p, event);
    case AFTER_DOCUMENT:
        if (p->pos < p->len) return fail_here(p, GE_EFORMAT, "text after the end of the value");
        return GE_OK;
    }
    return fail_here(p, GE_EINTERNAL, "parser in an unknown state");
}

ge_status ge_jsonp_skip(struct ge_jsonp *p)
{
    int depth = p->depth;
    enum ge_jsonp_event event;
    do {
        ge_status rc = ge_jsonp_next(p, &event);
        if (rc != GE_OK) return rc;
        if (event == GE_JSONP_END || p->depth < depth) {
            return fail_here(p, GE_EFORMAT, "no value to skip here");
        }
    } while (p->depth > depth || event == GE_JSONP_KEY);
    return GE_OK;
}
