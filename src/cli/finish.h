/* From a store to its tables: what `run` does at the end and `aggregate` on its own. Local. */
#ifndef GE_CLI_FINISH_H
#define GE_CLI_FINISH_H

#include <stdio.h>

#include "aggregate/aggregate.h"
#include "base/status.h"
#include "job/options.h"
#include "record/run.h"

/* What a store is read with, instead of what its job says. */
struct ge_finish_changes {
    const char *ratings;            /* file that replaces the store's ratings; NULL: none does */
    const struct ge_override *sets; /* of aggregation.* and ratings.* only */
    size_t n_sets;
};

/* Read a store (a results.h5 or a run folder) and how it is to be aggregated. changes may be NULL.
 * GE_EINVAL: another setting; otherwise as ge_store_open(), ge_ratings_load(), ge_job_parse(). Free
 * with ge_run_delete(); the options borrow from the run. */
ge_status ge_finish_open(const char *store, const struct ge_finish_changes *changes,
                         struct ge_run **run, struct ge_aggregate_options *options);

/* Read the store (a results.h5 or a run folder), aggregate as its job says, write summary.json and
 * samples.csv into `output` (made if missing) and the Markdown tables to `table` (may be NULL). */
ge_status ge_finish_tables(const char *store, const struct ge_finish_changes *changes,
                           const char *output, FILE *table);

#endif
