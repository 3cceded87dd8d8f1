/* One pass over the text, in place: a field only shrinks when its quotes go, so it is unescaped where it
 * stands and its NUL overwrites what ended it. */
#include "base/csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"

struct scanner {
    struct ge_csv *csv;
    char *text;      /* NUL-terminated */
    size_t len, pos; /* pos: next byte to read */
    size_t line;     /* of pos, from 1 */
    size_t field;    /* number of the field at hand, from 1 */
    char separator;
};

static ge_status bad(const struct scanner *s, size_t line, const char *what)
{
    return ge_fail(GE_EFORMAT, "%s, line %zu, field %zu: %s", s->csv->name, line, s->field, what);
}

/* ---- one field -------------------------------------------------------------------------------- */

/* What ended a field. */
enum end { END_FIELD, END_LINE, END_FILE };

/* At the separator, the line's end or the text's end behind a field; passes over it. */
static ge_status field_end(struct scanner *s, bool quoted, enum end *end)
{
    char c = s->text[s->pos];
    if (s->pos == s->len) {
        *end = END_FILE;
        return GE_OK;
    }
    if (c == s->separator) {
        *end = END_FIELD;
    } else if (c == '\n' || (c == '\r' && s->text[s->pos + 1] == '\n')) {
        s->pos += c == '\r';
        s->line++;
        *end = END_LINE;
    } else if (c == '\r') {
        return bad(s, s->line,
                   "a carriage return that no line feed follows; lines end in LF or CRLF");
    } else {
        return bad(s, s->line,
                   quoted ? "text behind the closing quote; a quote inside quotes is written twice"
                          : "a quote inside a field that does not begin with one; put the field in "
                            "quotes and write its own quotes twice");
    }
    s->pos++;
    return GE_OK;
}

/* The inside of quotes, unescaped to *to; pos is behind the closing quote. */
static ge_status read_quoted(struct scanner *s, size_t *to)
{
    size_t begin = s->line;
    for (s->pos++; s->pos < s->len; s->pos++) {
        char c = s->text[s->pos];
        if (c == '"') {
            s->pos++;
            if (s->text[s->pos] != '"') return GE_OK;
        }
        s->line += c == '\n';
        s->text[(*to)++] = c;
    }
    return bad(s, begin, "a quote that is never closed");
}

static ge_status read_field(struct scanner *s, const char **out, enum end *end)
{
    ge_status rc = GE_OK;
    size_t begin = s->pos, to = begin;
    bool quoted = s->text[begin] == '"';
    if (quoted) {
        GE_TRY(read_quoted(s, &to));
    } else {
        const char stops[] = {s->separator, '"', '\r', '\n', '\0'};
        s->pos += strcspn(s->text + begin, stops);
        to = s->pos;
    }
    GE_TRY(field_end(s, quoted, end));
    s->text[to] = '\0';
    *out = s->text + begin;
done:
    return rc;
}

/* ---- lines ------------------------------------------------------------------------------------- */

static void skip_empty_lines(struct scanner *s)
{
    for (;;) {
        size_t skip = strspn(s->text + s->pos, "\n");
        if (strncmp(s->text + s->pos, "\r\n", 2) == 0) {
            s->pos += 2;
            s->line++;
        } else if (skip > 0) {
            s->pos += skip;
            s->line += skip;
        } else {
            return;
        }
    }
}

static ge_status read_header(struct scanner *s)
{
    ge_status rc = GE_OK;
    struct ge_csv *csv = s->csv;
    size_t cap = 0;
    enum end end = END_FIELD;
    skip_empty_lines(s);
    if (s->pos == s->len) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: empty; wanted a line with the columns' names", csv->name));
    }
    while (end == END_FIELD) {
        s->field = csv->n_columns + 1;
        GE_GROW(csv->columns, csv->n_columns, cap);
        GE_TRY(read_field(s, &csv->columns[csv->n_columns], &end));
        const char *name = csv->columns[csv->n_columns];
        if (name[0] != '\0' && ge_csv_find(csv, name) != GE_CSV_ABSENT) {
            GE_TRY(ge_fail(GE_EFORMAT, "%s: two columns are named \"%.100s\"", csv->name, name));
        }
        csv->n_columns++;
    }
done:
    return rc;
}

static ge_status read_row(struct scanner *s, size_t line, const char **fields)
{
    ge_status rc = GE_OK;
    enum end end = END_FIELD;
    size_t n = s->csv->n_columns;
    for (size_t i = 0; i < n; i++) {
        s->field = i + 1;
        GE_TRY(read_field(s, &fields[i], &end));
        if (end != END_FIELD && i + 1 < n) {
            GE_TRY(ge_fail(GE_EFORMAT, "%s, line %zu: %zu fields; the header has %zu", s->csv->name,
                           line, i + 1, n));
        }
    }
    if (end == END_FIELD) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s, line %zu: more fields than the header's %zu", s->csv->name,
                       line, n));
    }
done:
    return rc;
}

static ge_status read_rows(struct scanner *s)
{
    ge_status rc = GE_OK;
    struct ge_csv *csv = s->csv;
    size_t cap = 0, lines_cap = 0, used = 0;
    for (skip_empty_lines(s); s->pos < s->len; skip_empty_lines(s)) {
        size_t line = s->line;
        while (cap - used < csv->n_columns) {
            cap = 2 * cap + csv->n_columns;
            GE_RESIZE(csv->fields, cap);
        }
        GE_GROW(csv->lines, csv->n_rows, lines_cap);
        GE_TRY(read_row(s, line, csv->fields + used));
        csv->lines[csv->n_rows++] = line;
        used += csv->n_columns;
    }
done:
    return rc;
}

/* ---- whole files ------------------------------------------------------------------------------- */

static ge_status check_text(const char *name, const char *text, size_t len)
{
    size_t valid = ge_utf8_valid(text, len), line = 1;
    const char *nul = memchr(text, '\0', valid);
    if (nul == NULL && valid == len) return GE_OK;
    size_t at = nul != NULL ? (size_t)(nul - text) : valid;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return ge_fail(GE_EFORMAT, "%s, line %zu: %s; save the file as UTF-8", name, line,
                   nul != NULL ? "a NUL byte" : "not UTF-8");
}

/* Takes over `text` (NUL-terminated), also on failure. */
static ge_status parse(char *text, size_t len, const char *name, char separator,
                       struct ge_csv **out)
{
    ge_status rc = GE_OK;
    struct ge_csv *csv = NULL;
    struct scanner s = {.text = text, .len = len, .line = 1, .separator = separator};
    *out = NULL;
    GE_NEW(csv, 1);
    csv->text = text;
    text = NULL;
    GE_TRY_PTR(csv->name, ge_strdup(name));
    GE_TRY(check_text(name, s.text, len));
    s.csv = csv;
    if (strncmp(s.text, "\xEF\xBB\xBF", 3) == 0) s.pos = 3;
    GE_TRY(read_header(&s));
    GE_TRY(read_rows(&s));
    *out = csv;
    csv = NULL;
done:
    ge_csv_delete(&csv);
    free(text);
    return rc;
}

ge_status ge_csv_read(const char *path, char separator, struct ge_csv **out)
{
    char *text = NULL;
    size_t len = 0;
    *out = NULL;
    ge_status rc = ge_fs_read(path, GE_CSV_MAX_BYTES, &text, &len);
    return rc == GE_OK ? parse(text, len, path, separator, out) : rc;
}

ge_status ge_csv_parse(const char *text, size_t len, const char *name, char separator,
                       struct ge_csv **out)
{
    ge_status rc = GE_OK;
    char *copy = NULL;
    *out = NULL;
    if (len > GE_CSV_MAX_BYTES) {
        GE_TRY(
            ge_fail(GE_ELIMIT, "%s: %zu bytes; at most %zu are read", name, len, GE_CSV_MAX_BYTES));
    }
    GE_NEW(copy, len + 1);
    memcpy(copy, text, len);
    rc = parse(copy, len, name, separator, out);
done:
    return rc;
}

void ge_csv_delete(struct ge_csv **csv)
{
    if (csv == NULL || *csv == NULL) return;
    struct ge_csv *c = *csv;
    *csv = NULL;
    free((void *)c->name);
    free(c->columns);
    free(c->fields);
    free(c->lines);
    free(c->text);
    free(c);
}

/* ---- fields ------------------------------------------------------------------------------------ */

size_t ge_csv_find(const struct ge_csv *csv, const char *column)
{
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (strcmp(csv->columns[i], column) == 0) return i;
    }
    return GE_CSV_ABSENT;
}

ge_status ge_csv_need(const struct ge_csv *csv, const char *column, size_t *index)
{
    *index = ge_csv_find(csv, column);
    if (*index != GE_CSV_ABSENT) return GE_OK;
    struct ge_buf names;
    ge_buf_init(&names, 1000);
    for (size_t i = 0; i < csv->n_columns; i++) {
        ge_buf_printf(&names, "%s%s", i > 0 ? ", " : "", csv->columns[i]);
    }
    ge_status rc = ge_fail(GE_EFORMAT, "%s: no column \"%s\"; there is: %s", csv->name, column,
                           names.data != NULL ? names.data : "");
    ge_buf_free(&names);
    return rc;
}

const char *ge_csv_field(const struct ge_csv *csv, size_t row, size_t column)
{
    return column == GE_CSV_ABSENT ? "" : csv->fields[row * csv->n_columns + column];
}

ge_status ge_csv_number(const struct ge_csv *csv, size_t row, size_t column, double *out)
{
    const char *text = ge_csv_field(csv, row, column);
    char *end = NULL;
    /* strtod takes more than numbers: blanks in front, 0x…, inf, nan. */
    bool plain = text[0] != '\0' && text[strspn(text, "0123456789+-.eE")] == '\0';
    double v = plain ? strtod(text, &end) : NAN;
    if (!plain || *end != '\0' || end == text || !isfinite(v)) {
        return ge_fail(GE_EFORMAT, "%s, line %zu: %s is \"%.100s\"; wanted a number", csv->name,
                       csv->lines[row], column == GE_CSV_ABSENT ? "?" : csv->columns[column], text);
    }
    *out = v;
    return GE_OK;
}
