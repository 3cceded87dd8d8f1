/* Counting. */
#include "metric/count.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "metric/pystr.h"
#include "text/unicode.h"

static const char *const number_words[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
enum { NUMBER_WORDS = sizeof number_words / sizeof number_words[0], SMALL = 24 };

/* Whether an answer's text has the number of a reference; *defined = false for a reference that is
 * not of the kind. */
typedef ge_status count_rule(const char *text, const char *reference, bool *defined, bool *right);

static bool equals(const char *s, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(s, word, len) == 0;
}

static int word_number(const char *s, size_t len)
{
    for (int i = 0; i < NUMBER_WORDS; i++) {
        if (equals(s, len, number_words[i])) return i;
    }
    return -1;
}

static ge_status count(const char *text, const struct ge_task *task, count_rule *rule,
                       double *value)
{
    ge_status rc = GE_OK;
    char number[SMALL] = "";
    const char *only[] = {number};
    struct ge_strings references = {only, 1};
    *value = NAN;
    if (task->references.n > 0) {
        references = task->references;
    } else if (task->n_objects == 1 && task->objects[0].number >= 0) {
        snprintf(number, sizeof number, "%" PRId64, task->objects[0].number);
    } else {
        goto done;
    }
    for (size_t i = 0; i < references.n; i++) {
        bool defined = true, right = false;
        GE_TRY(rule(text, references.v[i], &defined, &right));
        if (defined && !(*value == 1)) *value = right;
    }
done:
    return rc;
}

/* ---- TallyQA ------------------------------------------------------------------------------ */

/* A character of a word, \w: letters and numbers of all kinds, but no marks. */
static bool is_word(uint32_t cp)
{
    return cp == '_' || (ge_unicode_class(cp) & (GE_CHAR_LETTER | GE_CHAR_NUMBER)) != 0;
}

/* 0 to 20 in plain digits or as a word, or -1. */
static int small_number(const char *s, size_t len)
{
    bool digits = len > 0 && len <= 2 && (len == 1 || s[0] != '0');
    int number = 0;
    for (size_t i = 0; digits && i < len; i++) {
        digits = s[i] >= '0' && s[i] <= '9';
        number = 10 * number + (s[i] - '0');
    }
    if (digits) return number <= 20 ? number : -1;
    return word_number(s, len);
}

/* The first number of the text, or -1. */
static ge_status first_number(const char *text, int *number)
{
    ge_status rc = GE_OK;
    struct ge_buf low;
    size_t n, begin = 0;
    ge_buf_init(&low, SIZE_MAX / 2);
    ge_pystr_lower(text, strlen(text), &low);
    GE_TRY(ge_buf_status(&low));
    *number = -1;
    for (size_t i = 0; i < low.len && *number < 0; i += n) {
        if (is_word(ge_unicode_at(low.data + i, low.len - i, &n))) {
            if (i + n == low.len) *number = small_number(low.data + begin, low.len - begin);
        } else {
            *number = small_number(low.data + begin, i - begin);
            begin = i + n;
        }
    }
done:
    ge_buf_free(&low);
    return rc;
}

static ge_status tallyqa(const char *text, const char *reference, bool *defined, bool *right)
{
    ge_status rc = GE_OK;
    double want = NAN;
    int got;
    GE_TRY(ge_pystr_float(reference, strlen(reference), &want, defined));
    *defined = *defined && want == floor(want) && !isinf(want);
    if (!*defined) goto done;
    GE_TRY(first_number(text, &got));
    *right = got >= 0 && got == want;
done:
    return rc;
}

/* ---- CountBench --------------------------------------------------------------------------- */

static ge_status normalize(const char *text, struct ge_buf *out)
{
    size_t len = strlen(text);
    ge_pystr_strip(&text, &len);
    ge_pystr_lower(text, len, out);
    if (out->status == GE_OK) {
        int number = equals(out->data, out->len, "none") ? 0 : word_number(out->data, out->len);
        if (number >= 0) {
            ge_buf_reset(out);
            ge_buf_printf(out, "%d", number);
        }
    }
    return ge_buf_status(out);
}

static ge_status countbench(const char *text, const char *reference, bool *defined, bool *right)
{
    ge_status rc = GE_OK;
    struct ge_buf a, b;
    (void)defined;
    ge_buf_init(&a, SIZE_MAX / 2);
    ge_buf_init(&b, SIZE_MAX / 2);
    GE_TRY(normalize(text, &a));
    GE_TRY(normalize(reference, &b));
    *right = strcmp(a.data, b.data) == 0;
done:
    ge_buf_free(&a);
    ge_buf_free(&b);
    return rc;
}

/* ---- PixMo-Count -------------------------------------------------------------------------- */

/* Shorten the text to its first run of digits, or else strip it. */
static void first_digits(const char **s, size_t *len)
{
    size_t n, begin = 0, end = 0;
    for (size_t i = 0; i < *len; i += n) {
        bool digit = ge_pystr_digit(ge_unicode_at(*s + i, *len - i, &n)) >= 0;
        if (digit && end == 0) begin = i;
        if (digit) end = i + n;
        if (!digit && end > 0) break;
    }
    if (end > 0) {
        *s += begin;
        *len = end - begin;
    } else {
        ge_pystr_strip(s, len);
    }
}

static ge_status pixmo(const char *text, const char *reference, bool *defined, bool *right)
{
    size_t a = strlen(text), b = strlen(reference);
    (void)defined;
    first_digits(&text, &a);
    first_digits(&reference, &b);
    *right = a == b && memcmp(text, reference, a) == 0;
    return GE_OK;
}

/* ------------------------------------------------------------------------------------------- */

ge_status ge_count_tallyqa(const char *text, const struct ge_task *task, double *value)
{
    return count(text, task, tallyqa, value);
}

ge_status ge_count_countbench(const char *text, const struct ge_task *task, double *value)
{
    return count(text, task, countbench, value);
}

ge_status ge_count_pixmo(const char *text, const struct ge_task *task, double *value)
{
    return count(text, task, pixmo, value);
}
