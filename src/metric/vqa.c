/* VQA soft accuracy. */
#include "metric/vqa.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "metric/vqa_normalize.h"

/* The mean over the n leave-one-out sets in whole numbers: `equal` of them have lost an equal answer. */
static double soft_accuracy(size_t equal, size_t n)
{
    size_t whole = equal < 3 ? equal : 3;
    size_t less = equal == 0 ? 0 : equal - 1 < 3 ? equal - 1 : 3;
    return (double)(whole * (n - equal) + less * equal) / (3.0 * (double)n);
}

/* One text in the form in which a dialect compares. */
static ge_status prepare(const char *text, enum ge_vqa_dialect dialect, bool normal,
                         struct ge_buf *out)
{
    ge_buf_reset(out);
    ge_buf_str(out, "");
    return normal ? ge_vqa_normalize(text, dialect, out) : ge_vqa_trim(text, out);
}

/* *equal: whether all references are the same text, white space around it aside. */
static ge_status all_equal(const struct ge_strings *references, struct ge_buf *first,
                           struct ge_buf *other, bool *equal)
{
    ge_status rc = GE_OK;
    *equal = true;
    GE_TRY(prepare(references->v[0], GE_VQA_OFFICIAL, false, first));
    for (size_t i = 1; i < references->n && *equal; i++) {
        GE_TRY(prepare(references->v[i], GE_VQA_OFFICIAL, false, other));
        *equal = strcmp(first->data, other->data) == 0;
    }
done:
    return rc;
}

static ge_status vqa(const char *text, const struct ge_task *task, enum ge_vqa_dialect dialect,
                     double *value)
{
    ge_status rc = GE_OK;
    struct ge_buf answer, reference;
    size_t equal = 0, n = task->references.n;
    bool same = false;
    ge_buf_init(&answer, SIZE_MAX / 2);
    ge_buf_init(&reference, SIZE_MAX / 2);
    *value = NAN;
    if (n == 0) goto done;
    if (dialect == GE_VQA_OFFICIAL) {
        GE_TRY(all_equal(&task->references, &answer, &reference, &same));
    }
    GE_TRY(prepare(text, dialect, !same, &answer));
    for (size_t i = 0; i < n; i++) {
        GE_TRY(prepare(task->references.v[i], dialect, !same, &reference));
        equal += strcmp(answer.data, reference.data) == 0;
    }
    *value = soft_accuracy(equal, n);
done:
    ge_buf_free(&answer);
    ge_buf_free(&reference);
    return rc;
}

ge_status ge_vqa_official(const char *text, const struct ge_task *task, double *value)
{
    return vqa(text, task, GE_VQA_OFFICIAL, value);
}

ge_status ge_vqa_lmmseval(const char *text, const struct ge_task *task, double *value)
{
    return vqa(text, task, GE_VQA_LMMSEVAL, value);
}

ge_status ge_vqa_vlmevalkit(const char *text, const struct ge_task *task, double *value)
{
    return vqa(text, task, GE_VQA_VLMEVALKIT, value);
}

ge_status ge_vqa_textvqa(const char *text, const struct ge_task *task, double *value)
{
    return vqa(text, task, GE_VQA_TEXTVQA, value);
}
