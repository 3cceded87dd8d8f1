/* Details of a picture or scene that a description covers. Our own definition.
 *
 * A detail is a short fact ("a red car", "three birds on the roof"). It is covered when all its
 * content words stand in one sentence of the text, in any order, and are not denied there. Words are
 * compared in lower case, nouns in the singular, numbers as digits. Content words are all but
 * articles and words that only join others (plain.h; words of place like "under" do count); a detail
 * that has no others is compared by these. A word of the detail is denied in a sentence when a
 * negating word stands at most three words before each of its occurrences there, with no comma or
 * "but" between (plain.h). A detail that denies something itself ("no clouds") is covered by a
 * sentence that has all its words and denies one that it denies. English. Local; thread-safe. */
#ifndef GE_METRIC_DETAILS_H
#define GE_METRIC_DETAILS_H

#include "metric/metric.h"

/* "details.recall": share of the task's details that the text covers. NaN without details; details
 * without words do not count. */
ge_status ge_details_recall(const char *text, const struct ge_task *task, double *value);

/* Which details the text does not cover: missing[task->details.n]; false for one without words. And the
 * recall. GE_ENOMEM, GE_ELIMIT (a text beyond 512 MiB). */
ge_status ge_details_missing(const char *text, const struct ge_task *task, bool *missing,
                             double *recall);

#endif
