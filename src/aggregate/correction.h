/* Und, Gen, the cells and the gap corrected by human ratings: which items enter, in which strata, and
 * when there is no correction. The estimates themselves are those of ppi_gap.h. Used by people.c, read
 * by report/. docs/people.md. */
#ifndef GE_AGGREGATE_CORRECTION_H
#define GE_AGGREGATE_CORRECTION_H

#include <stddef.h>

#include "aggregate/aggregate.h"
#include "aggregate/ppi_gap.h"
#include "base/arena.h"
#include "record/run.h"

struct ge_correction {
    const char *system;
    const char *reason;    /* why there is no correction, or no interval; NULL: there is */
    bool corrected;        /* the figures below mean something */
    size_t strata;         /* 1 unless drawn within strata */
    struct ge_ppi_gap gap; /* over the items with both verdicts, as the uncorrected row */
};

struct values;

/* The verdict of people on each direction of an item: mean over the ratings of all its samples. */
struct ge_human_verdict {
    double right; /* number of ratings that say right */
    size_t n;     /* ratings; 0: nobody looked */
};

/* human (n_cells, n_items, GE_DIRECTIONS). One correction per cell, over all items, in `arena`. Items
 * enter with both automatic verdicts, as in the uncorrected estimate. GE_ENOMEM. */
ge_status ge_correction_make(const struct ge_run *run, const struct values *values,
                             const struct ge_human_verdict *human,
                             const struct ge_aggregate_options *options, struct ge_arena *arena,
                             struct ge_correction **out);

#endif
