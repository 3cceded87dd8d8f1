/* From a store to its tables: what `run` does at the end and `aggregate` on its own. Local. */
#ifndef GE_CLI_FINISH_H
#define GE_CLI_FINISH_H

#include <stdio.h>

#include "base/status.h"

/* Read the store (a results.h5 or a run folder), aggregate as its job says, write summary.json and
 * samples.csv into `output` (made if missing) and the Markdown tables to `table` (may be NULL). */
ge_status ge_finish_tables(const char *store, const char *output, FILE *table);

#endif
