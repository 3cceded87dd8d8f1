/* A whole run as one value: what the store holds and what aggregation reads.
 *
 * The store fills it from results.h5 or from a journal; aggregate/ and report/ read it; neither
 * knows the other's format. Everything lives in the run's arena. Read-only after loading. */
#ifndef GE_RECORD_RUN_H
#define GE_RECORD_RUN_H

#include "base/arena.h"
#include "base/hash.h"
#include "record/item.h"
#include "record/rating.h"
#include "record/result.h"

/* One point of a sweep: system, encoder and scorer settings. */
struct ge_cell {
    const char *system;
    const char *settings; /* canonical JSON of the options that affect results */
    struct ge_hash hash;  /* settings + content hashes + numerics id: design.md "Cell hash" */
};

struct ge_run {
    struct ge_arena *arena;
    const char *id;         /* run id: hex, made when the run first starts */
    const char *job;        /* the job as run: resolved JSON */
    const char *provenance; /* JSON array, one object per start: versions, host, devices, times */
    const char *numerics_id;
    struct ge_item *items; /* the selection, in dataset order; .index = position here */
    size_t n_items;
    struct ge_cell *cells;
    size_t n_cells;
    struct ge_strings metrics, rules, embedding_kinds;
    struct ge_result *results; /* one per finished chunk, sorted by (cell, first) */
    size_t n_results;
    uint32_t chunk_items;      /* items per chunk */
    struct ge_ratings ratings; /* of people, from outside; n = 0: none were given */
};

void ge_run_delete(struct ge_run **run); /* frees the arena and the run; *run = NULL */

#endif
