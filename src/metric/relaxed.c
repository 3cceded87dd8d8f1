/* Relaxed accuracy. */
#include "metric/relaxed.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "metric/pystr.h"

static const double most_relative_change = 0.05;

struct reading {
    bool number;
    double value;
    struct ge_buf low; /* the text in lower case */
};

static ge_status take(const char *text, size_t len, struct reading *r)
{
    ge_status rc = GE_OK;
    size_t digits = len;
    while (digits > 0 && text[digits - 1] == '%') digits--;
    ge_buf_reset(&r->low);
    ge_pystr_lower(text, len, &r->low);
    GE_TRY(ge_buf_status(&r->low));
    GE_TRY(ge_pystr_float(text, digits, &r->value, &r->number));
    if (digits < len) r->value /= 100;
done:
    return rc;
}

static bool agree(const struct reading *answer, const struct reading *reference)
{
    if (answer->number && reference->number && reference->value != 0) {
        double change = fabs(answer->value - reference->value) / fabs(reference->value);
        return change <= most_relative_change; /* false for NaN */
    }
    return strcmp(answer->low.data, reference->low.data) == 0;
}

static ge_status relaxed(const char *text, size_t len, const struct ge_task *task, double *value)
{
    ge_status rc = GE_OK;
    struct reading answer = {0}, reference = {0};
    ge_buf_init(&answer.low, SIZE_MAX / 2);
    ge_buf_init(&reference.low, SIZE_MAX / 2);
    *value = NAN;
    if (task->references.n == 0) goto done;
    GE_TRY(take(text, len, &answer));
    bool right = false;
    for (size_t i = 0; i < task->references.n && !right; i++) {
        const char *r = task->references.v[i];
        GE_TRY(take(r, strlen(r), &reference));
        right = agree(&answer, &reference);
    }
    *value = right;
done:
    ge_buf_free(&answer.low);
    ge_buf_free(&reference.low);
    return rc;
}

ge_status ge_relaxed_pix2struct(const char *text, const struct ge_task *task, double *value)
{
    return relaxed(text, strlen(text), task, value);
}

ge_status ge_relaxed_vlmevalkit(const char *text, const struct ge_task *task, double *value)
{
    size_t len = strlen(text);
    ge_pystr_strip(&text, &len);
    return relaxed(text, len, task, value);
}
