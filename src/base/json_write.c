/* Writing JSON: escapes, exact numbers, the streaming writer and the printing of a tree. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

/* ---- scalars ---------------------------------------------------------------------------------- */

void ge_double_text(double v, char out[32])
{
    if (!isfinite(v)) {
        memcpy(out, "null", 5);
        return;
    }
    if (v == floor(v) && fabs(v) < 0x1p53) {
        snprintf(out, 32, "%.0f", v);
        return;
    }
    /* 15 digits survive a trip through a double, 17 always describe it; subnormals hold fewer. */
    char text[48] = "";
    int digits = fabs(v) < DBL_MIN ? 1 : 15;
    do {
        snprintf(text, sizeof text, "%.*g", digits++, v);
    } while (digits <= 17 && strtod(text, NULL) != v);
    memcpy(out, text, 32); /* at most 24 characters */
}

static void escape_byte(struct ge_buf *out, unsigned char c)
{
    static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *found = c == 0 ? NULL : strchr(special, c);
    if (found != NULL) {
        char text[2] = {'\\', letter[found - special]};
        ge_buf_add(out, text, sizeof text);
    } else {
        ge_buf_printf(out, "\\u%04x", c);
    }
}

void ge_json_escape(struct ge_buf *out, const char *s, size_t len)
{
    ge_buf_char(out, '"');
    size_t start = 0, i = 0; /* s[start…i) stands for itself */
    while (i < len) {
        unsigned char c = (unsigned char)s[i];
        size_t n;
        int valid = ge_utf8_decode(s + i, len - i, &n) >= 0;
        if (valid && c >= 0x20 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        ge_buf_add(out, s + start, i - start);
        if (valid) {
            escape_byte(out, c);
        } else {
            ge_buf_str(out, "\xef\xbf\xbd");
        }
        start = ++i;
    }
    ge_buf_add(out, s + start, len - start);
    ge_buf_char(out, '"');
}

/* ---- streaming writer ------------------------------------------------------------------------- */

void ge_jsonw_init(struct ge_jsonw *w, struct ge_buf *out, int indent)
{
    *w = (struct ge_jsonw){.out = out, .indent = indent, .first = {true}};
}

static void new_line(struct ge_jsonw *w)
{
    if (w->indent > 0) ge_buf_printf(w->out, "\n%*s", w->indent * w->depth, "");
}

/* What stands before a value: comma, line break, key. */
static void lead_in(struct ge_jsonw *w, const char *key)
{
    if (!w->first[w->depth]) ge_buf_char(w->out, ',');
    w->first[w->depth] = false;
    if (w->depth > 0) new_line(w);
    if (key == NULL) return;
    ge_json_escape(w->out, key, strlen(key));
    ge_buf_str(w->out, w->indent > 0 ? ": " : ":");
}

static void open_level(struct ge_jsonw *w, const char *key, char bracket)
{
    GE_ASSERT(w->depth < GE_JSON_MAX_DEPTH);
    lead_in(w, key);
    ge_buf_char(w->out, bracket);
    w->first[++w->depth] = true;
}

static void close_level(struct ge_jsonw *w, char bracket)
{
    GE_ASSERT(w->depth > 0);
    bool empty = w->first[w->depth--];
    if (!empty) new_line(w);
    ge_buf_char(w->out, bracket);
}

void ge_jsonw_object(struct ge_jsonw *w, const char *key)
{
    open_level(w, key, '{');
}

void ge_jsonw_object_end(struct ge_jsonw *w)
{
    close_level(w, '}');
}

void ge_jsonw_array(struct ge_jsonw *w, const char *key)
{
    open_level(w, key, '[');
}

void ge_jsonw_array_end(struct ge_jsonw *w)
{
    close_level(w, ']');
}

void ge_jsonw_raw(struct ge_jsonw *w, const char *key, const char *json)
{
    lead_in(w, key);
    ge_buf_str(w->out, json);
}

void ge_jsonw_string(struct ge_jsonw *w, const char *key, const char *value)
{
    if (value == NULL) {
        ge_jsonw_null(w, key);
        return;
    }
    lead_in(w, key);
    ge_json_escape(w->out, value, strlen(value));
}

void ge_jsonw_double(struct ge_jsonw *w, const char *key, double value)
{
    char text[32];
    ge_double_text(value, text);
    ge_jsonw_raw(w, key, text);
}

void ge_jsonw_int(struct ge_jsonw *w, const char *key, int64_t value)
{
    lead_in(w, key);
    ge_buf_printf(w->out, "%lld", (long long)value);
}

void ge_jsonw_bool(struct ge_jsonw *w, const char *key, bool value)
{
    ge_jsonw_raw(w, key, value ? "true" : "false");
}

void ge_jsonw_null(struct ge_jsonw *w, const char *key)
{
    ge_jsonw_raw(w, key, "null");
}

/* ---- trees ------------------------------------------------------------------------------------ */

/* Recursion is bounded: parsing and editing cap the depth of a tree. */
static void write_node(struct ge_jsonw *w, const char *key, const ge_json *n)
{
    switch (ge_json_type(n)) {
    case GE_JSON_OBJECT:
    case GE_JSON_ARRAY: {
        bool object = ge_json_type(n) == GE_JSON_OBJECT;
        open_level(w, key, object ? '{' : '[');
        for (const ge_json *c = ge_json_first(n); c != NULL; c = ge_json_next(c)) {
            write_node(w, object ? ge_json_key(c) : NULL, c);
        }
        close_level(w, object ? '}' : ']');
        break;
    }
    case GE_JSON_STRING:
        ge_jsonw_string(w, key, ge_json_string(n, ""));
        break;
    case GE_JSON_NUMBER:
        ge_jsonw_double(w, key, ge_json_number(n, 0));
        break;
    case GE_JSON_BOOL:
        ge_jsonw_bool(w, key, ge_json_bool(n, false));
        break;
    case GE_JSON_NULL:
        ge_jsonw_null(w, key);
        break;
    }
}

void ge_json_print(const ge_json *n, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    write_node(&w, NULL, n);
}
