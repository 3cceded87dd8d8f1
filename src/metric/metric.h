/* What the metrics of published tools have in common. Each family has a header of its own; a metric
 * is a pure function of texts, pixels or embeddings, knows neither jobs nor encoders nor files, and
 * is named after the tool whose digits it gives ("vqa.official"). score/metric.c lists those that
 * give a number for one answer, corpus.c those over a whole corpus. Local; thread-safe. */
#ifndef GE_METRIC_METRIC_H
#define GE_METRIC_METRIC_H

#include <stddef.h>

#include "base/status.h"
#include "record/item.h"

/* Which way is better. */
enum ge_better { GE_BETTER_HIGHER, GE_BETTER_LOWER, GE_BETTER_NEITHER };

/* A metric of one answer's text (UTF-8) and what its task says: *value, or NaN when the task lacks
 * what the metric compares with (no references, say). Metrics that come together (precision, recall,
 * F) are functions of their own over a shared static one. GE_ENOMEM; a content status where what the
 * task says cannot be read (constraints). Any text, an empty one too, has a value or NaN. */
typedef ge_status ge_text_metric_fn(const char *text, const struct ge_task *task, double *value);

/* Words and characters of an answer: runs without ASCII white space; code points. Never NaN. */
ge_status ge_length_words(const char *text, const struct ge_task *task, double *value);
ge_status ge_length_characters(const char *text, const struct ge_task *task, double *value);

#endif
