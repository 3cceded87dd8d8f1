/* The list of all metrics, for `gapeval metrics --list`. */
#ifndef GE_CLI_METRICS_H
#define GE_CLI_METRICS_H

#include <stdio.h>

/* Name, formula, range, direction and reference of every metric of one answer and of a corpus. */
void ge_metrics_list(FILE *out);

#endif
