/* Exact match. */
#include "metric/exact.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "metric/pystr.h"

enum form { RAW, LOOSE, TRIMMED };

static bool is_punctuation(char c)
{
    return (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') ||
           (c > 'z' && c < 0x7F);
}

static ge_status prepare(const char *text, enum form form, struct ge_buf *out)
{
    size_t len = strlen(text), kept = 0;
    ge_buf_reset(out);
    if (form == TRIMMED) ge_pystr_strip(&text, &len);
    if (form == RAW) {
        ge_buf_add(out, text, len);
    } else {
        ge_pystr_lower(text, len, out);
    }
    if (out->status == GE_OK && form == LOOSE) {
        for (size_t i = 0; i < out->len; i++) {
            if (!is_punctuation(out->data[i])) out->data[kept++] = out->data[i];
        }
        out->len = kept;
        out->data[kept] = '\0';
    }
    return ge_buf_status(out);
}

static ge_status exact(const char *text, const struct ge_task *task, enum form form, double *value)
{
    ge_status rc = GE_OK;
    struct ge_buf answer, reference;
    bool right = false;
    ge_buf_init(&answer, SIZE_MAX / 2);
    ge_buf_init(&reference, SIZE_MAX / 2);
    *value = NAN;
    if (task->references.n == 0) goto done;
    GE_TRY(prepare(text, form, &answer));
    for (size_t i = 0; i < task->references.n && !right; i++) {
        GE_TRY(prepare(task->references.v[i], form, &reference));
        right = strcmp(answer.data, reference.data) == 0;
    }
    *value = right;
done:
    ge_buf_free(&answer);
    ge_buf_free(&reference);
    return rc;
}

ge_status ge_exact_evaluate(const char *text, const struct ge_task *task, double *value)
{
    return exact(text, task, RAW, value);
}

ge_status ge_exact_evaluate_loose(const char *text, const struct ge_task *task, double *value)
{
    return exact(text, task, LOOSE, value);
}

ge_status ge_exact_vlmevalkit(const char *text, const struct ge_task *task, double *value)
{
    return exact(text, task, TRIMMED, value);
}
