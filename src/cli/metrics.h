/* How the tables of metrics are shown: by `gapeval metrics --list` and in docs/metrics.md. */
#ifndef GE_CLI_METRICS_H
#define GE_CLI_METRICS_H

#include <stdio.h>

#include "base/buf.h"
#include "metric/metric.h"

/* Name, formula, range, direction and reference of every metric of one answer and of a corpus, and
 * those that are absent. */
void ge_metrics_list(FILE *out);

/* The text of docs/metrics.md: the same as Markdown tables, and the rules. The buffer's status tells
 * of a failure. */
void ge_metrics_markdown(struct ge_buf *out);

/* "higher", "lower" or "neither". */
const char *ge_metrics_better(enum ge_better better);

/* "0 to 1", "0 and more", "at most 1", "any". */
enum { GE_METRICS_RANGE_ROOM = 64 };
void ge_metrics_range(double min, double max, char text[GE_METRICS_RANGE_ROOM]);

/* Whose digits a metric gives; NULL is a definition of our own. */
const char *ge_metrics_reference(const char *reference);

#endif
