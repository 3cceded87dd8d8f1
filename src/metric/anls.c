/* ANLS. */
#include "metric/anls.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "metric/edit.h"
#include "metric/pystr.h"
#include "text/unicode.h"

/* A text as it is compared. */
struct folded {
    uint32_t *characters; /* owned */
    size_t n;
    size_t raw; /* length of the raw text in upper case */
};

static ge_status fold(const char *text, struct folded *f)
{
    ge_status rc = GE_OK;
    struct ge_buf low;
    size_t pos = 0, begin, n;
    ge_buf_init(&low, SIZE_MAX / 2);
    ge_pystr_lower(text, strlen(text), &low);
    GE_TRY(ge_buf_status(&low));
    GE_NEW(f->characters, low.len);
    f->raw = ge_pystr_upper_length(text, strlen(text));
    while (ge_pystr_word(low.data, low.len, &pos, &begin)) {
        if (f->n > 0) f->characters[f->n++] = ' ';
        for (size_t i = begin; i < pos; i += n) {
            f->characters[f->n++] = ge_unicode_at(low.data + i, pos - i, &n);
        }
    }
done:
    ge_buf_free(&low);
    return rc;
}

/* 1 - NL of one reference, or 0; NaN if the distance takes too long. */
static ge_status similarity(const struct folded *answer, const struct folded *reference,
                            bool strict, double *value)
{
    ge_status rc = GE_OK;
    size_t a = strict ? answer->n : answer->raw, b = strict ? reference->n : reference->raw;
    size_t length = a > b ? a : b, distance;
    size_t least = answer->n > reference->n ? answer->n - reference->n : reference->n - answer->n;
    *value = length == 0 ? 1 : 0;
    if (length == 0 || (double)least / (double)length > 0.5) goto done; /* far too long or short */
    GE_TRY(ge_edit_distance(answer->characters, answer->n, reference->characters, reference->n,
                            &distance));
    if (distance == GE_EDIT_TOO_LONG) {
        *value = NAN;
        goto done;
    }
    double far = (double)distance / (double)length;
    if (strict ? far < 0.5 : 1 - far >= 0.5) *value = 1 - far;
done:
    return rc;
}

static ge_status anls(const char *text, const struct ge_task *task, bool strict, double *value)
{
    ge_status rc = GE_OK;
    struct folded answer = {0}, reference = {0};
    *value = NAN;
    if (task->references.n == 0) goto done;
    GE_TRY(fold(text, &answer));
    double best = 0, one;
    for (size_t i = 0; i < task->references.n && !isnan(best); i++) {
        free(reference.characters);
        reference = (struct folded){0};
        GE_TRY(fold(task->references.v[i], &reference));
        GE_TRY(similarity(&answer, &reference, strict, &one));
        if (isnan(one) || one > best) best = one;
    }
    *value = best;
done:
    free(answer.characters);
    free(reference.characters);
    return rc;
}

ge_status ge_anls_lmmseval(const char *text, const struct ge_task *task, double *value)
{
    return anls(text, task, false, value);
}

ge_status ge_anls_strict(const char *text, const struct ge_task *task, double *value)
{
    return anls(text, task, true, value);
}
