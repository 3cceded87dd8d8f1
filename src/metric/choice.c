/* Multiple choice: from a reading of the answer to the metrics. */
#include "metric/choice.h"

#include <math.h>
#include <string.h>

#include "metric/choice_read.h"

enum kind { RIGHT, ANSWERED, CORRECTED };

/* The right option, or -1. */
static int right_option(const struct ge_task *task)
{
    if (task->answer == NULL) return -1;
    if (strlen(task->answer) == 1) {
        char letter = task->answer[0];
        int option = letter >= 'a' && letter <= 'z' ? letter - 'a' : letter - 'A';
        if (option >= 0 && (size_t)option < task->choices.n) return option;
    }
    for (size_t i = 0; i < task->choices.n; i++) {
        if (strcmp(task->choices.v[i], task->answer) == 0) return (int)i;
    }
    return -1;
}

static ge_status choice(const char *text, const struct ge_task *task, ge_choice_reader *read,
                        enum kind kind, double *value)
{
    ge_status rc = GE_OK;
    size_t n = task->choices.n;
    int right = right_option(task), chosen;
    *value = NAN;
    if (n == 0 || n > GE_CHOICE_MOST) goto done;
    if (kind != ANSWERED && right < 0) goto done;
    if (kind == CORRECTED && n == 1) goto done;
    GE_TRY(read(text, &task->choices, &chosen));
    if (kind == ANSWERED) {
        *value = chosen >= 0;
    } else if (kind == RIGHT || chosen == right) {
        *value = chosen == right;
    } else {
        *value = -1 / ((double)n - 1);
    }
done:
    return rc;
}

ge_status ge_choice_mmmu(const char *text, const struct ge_task *task, double *value)
{
    return choice(text, task, ge_choice_read_mmmu, RIGHT, value);
}

ge_status ge_choice_mmmu_answered(const char *text, const struct ge_task *task, double *value)
{
    return choice(text, task, ge_choice_read_mmmu, ANSWERED, value);
}

ge_status ge_choice_mmmu_corrected(const char *text, const struct ge_task *task, double *value)
{
    return choice(text, task, ge_choice_read_mmmu, CORRECTED, value);
}

ge_status ge_choice_vlmevalkit(const char *text, const struct ge_task *task, double *value)
{
    return choice(text, task, ge_choice_read_vlmevalkit, RIGHT, value);
}

ge_status ge_choice_vlmevalkit_answered(const char *text, const struct ge_task *task, double *value)
{
    return choice(text, task, ge_choice_read_vlmevalkit, ANSWERED, value);
}

ge_status ge_choice_vlmevalkit_corrected(const char *text, const struct ge_task *task,
                                         double *value)
{
    return choice(text, task, ge_choice_read_vlmevalkit, CORRECTED, value);
}
