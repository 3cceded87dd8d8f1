/* Open questions as MMMU scores them. */
#include "metric/open.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "metric/open_numbers.h"
#include "metric/pystr.h"

/* What lead to an answer; the last one only in the last line. */
static const char *const leads[] = {"could be ", "so ",     "is ",     "thus ", "therefore ",
                                    "final ",    "answer ", "result ", "="};

/* A text or a number, as the reference's normalize_str() makes it. */
struct normal {
    bool number;
    double value;       /* two decimals */
    struct ge_buf text; /* trimmed, in lower case, with a space on both sides if it is one letter */
    bool letter;
};

static double round_to_cents(double v)
{
    char text[400]; /* the C library's digits are exact, as Python's are */
    if (!isfinite(v)) return v;
    snprintf(text, sizeof text, "%.2f", v);
    return strtod(text, NULL);
}

/* float(s.replace(",", "")), rounded. */
static ge_status read_number(const char *s, size_t len, double *value, bool *valid)
{
    ge_status rc = GE_OK;
    struct ge_buf plain;
    ge_buf_init(&plain, SIZE_MAX / 2);
    ge_buf_str(&plain, "");
    for (size_t i = 0; i < len; i++) {
        if (s[i] != ',') ge_buf_char(&plain, s[i]);
    }
    GE_TRY(ge_buf_status(&plain));
    GE_TRY(ge_pystr_float(plain.data, plain.len, value, valid));
    if (*valid) *value = round_to_cents(*value);
done:
    ge_buf_free(&plain);
    return rc;
}

static ge_status normalize(const char *s, size_t len, struct normal *out)
{
    ge_status rc = GE_OK;
    ge_buf_reset(&out->text);
    ge_pystr_strip(&s, &len);
    GE_TRY(read_number(s, len, &out->value, &out->number));
    if (out->number) goto done;
    ge_pystr_lower(s, len, &out->text);
    GE_TRY(ge_buf_status(&out->text));
    out->letter = ge_pystr_length(out->text.data, out->text.len) == 1;
    if (out->letter) {
        ge_buf_reset(&out->text);
        ge_buf_char(&out->text, ' ');
        ge_pystr_lower(s, len, &out->text);
        ge_buf_char(&out->text, ' ');
    }
    rc = ge_buf_status(&out->text);
done:
    return rc;
}

/* Whether a part of the answer, no number, has a reference in it. A letter stands for itself with a
 * space before it and for itself with one behind it, on either side of the comparison. */
static bool has(const struct normal *part, struct normal *reference)
{
    if (reference->number) return false;
    if (!reference->letter) {
        if (!part->letter) return strstr(part->text.data, reference->text.data) != NULL;
        return reference->text.len == 0; /* no other text fits beside a letter and a space */
    }
    char *letter = reference->text.data, *last = letter + reference->text.len - 1;
    if (part->letter) return strcmp(part->text.data, letter) == 0;
    bool behind = strstr(part->text.data, letter + 1) != NULL;
    *last = '\0';
    bool before = strstr(part->text.data, letter) != NULL;
    *last = ' ';
    return before || behind;
}

struct references {
    struct normal *v; /* owned, with their texts */
    size_t n;
};

static bool has_number(const struct references *r, double value)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].number && r->v[i].value == value) return true;
    }
    return false;
}

/* One part of the answer, and the numbers in it. */
static ge_status check_part(const char *s, size_t len, struct references *r, bool *right)
{
    ge_status rc = GE_OK;
    struct normal part = {0};
    size_t pos, begin;
    double value;
    bool valid;
    ge_buf_init(&part.text, SIZE_MAX / 2);
    GE_TRY(normalize(s, len, &part));
    if (part.number) *right = *right || has_number(r, part.value);
    for (size_t i = 0; i < r->n && !part.number && !*right; i++) *right = has(&part, &r->v[i]);
    for (int form = 0; form < GE_OPEN_FORMS && !*right; form++) {
        pos = 0;
        while (!*right && ge_open_next_number(s, len, (enum ge_open_form)form, &pos, &begin)) {
            GE_TRY(read_number(s + begin, pos - begin, &value, &valid));
            *right = valid && has_number(r, value);
        }
    }
done:
    ge_buf_free(&part.text);
    return rc;
}

/* ---- parts -------------------------------------------------------------------------------- */

/* The shortest tail of a line after what leads to an answer; false: there is none, or only a mark. */
static bool key_part(const char *line, size_t len, bool last, const char **part, size_t *part_len)
{
    const size_t n_leads = sizeof leads / sizeof leads[0] - !last;
    size_t shortest = 0; /* in code points; 0: none yet, or an empty one */
    *part = line;
    *part_len = 0;
    for (size_t i = 0; i < n_leads; i++) {
        ptrdiff_t at = ge_pystr_find_last(line, len, leads[i]);
        if (at < 0) continue;
        const char *tail = line + at + strlen(leads[i]);
        size_t n = len - (size_t)(tail - line);
        ge_pystr_strip(&tail, &n);
        size_t length = ge_pystr_length(tail, n);
        if (shortest > 0 && length >= shortest) continue;
        shortest = length;
        *part = tail;
        *part_len = n;
    }
    return shortest > 0 && !(*part_len == 1 && strchr(":,.!?;'", **part) != NULL);
}

static ge_status check_answer(const char *text, struct references *r, bool *right)
{
    ge_status rc = GE_OK;
    struct ge_buf low;
    size_t len = strlen(text), parts = 0, part_len;
    const char *part, *end;
    ge_buf_init(&low, SIZE_MAX / 2);
    ge_pystr_strip(&text, &len);
    while (len > 0 && text[0] == '.') text++, len--;
    while (len > 0 && text[len - 1] == '.') len--;
    ge_pystr_lower(text, len, &low);
    GE_TRY(ge_buf_status(&low));
    for (const char *line = low.data; line != NULL && !*right;
         line = end != NULL ? end + 1 : NULL) {
        end = strchr(line, '\n');
        size_t n = end != NULL ? (size_t)(end - line) : strlen(line);
        if (!key_part(line, n, end == NULL, &part, &part_len)) continue;
        parts++;
        GE_TRY(check_part(part, part_len, r, right));
    }
    if (parts == 0) GE_TRY(check_part(low.data, low.len, r, right));
done:
    ge_buf_free(&low);
    return rc;
}

ge_status ge_open_mmmu(const char *text, const struct ge_task *task, double *value)
{
    ge_status rc = GE_OK;
    struct references r = {0};
    bool right = false;
    *value = NAN;
    if (task->references.n == 0) goto done;
    GE_NEW(r.v, task->references.n);
    for (; r.n < task->references.n; r.n++) {
        const char *s = task->references.v[r.n];
        ge_buf_init(&r.v[r.n].text, SIZE_MAX / 2);
        GE_TRY(normalize(s, strlen(s), &r.v[r.n]));
    }
    GE_TRY(check_answer(text, &r, &right));
    *value = right;
done:
    for (size_t i = 0; r.v != NULL && i < task->references.n; i++) ge_buf_free(&r.v[i].text);
    free(r.v);
    return rc;
}
