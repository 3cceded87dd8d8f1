/* The head of a run (everything but its results) in packed form, and the rules that results must
 * keep. Journal and store share both, so that what one accepts the other can read.
 * Used by store/ only. Local; thread-safe. */
#ifndef GE_STORE_RUN_HEAD_H
#define GE_STORE_RUN_HEAD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "record/run.h"

/* Cap on the chunks of a run, so that a damaged head cannot ask for a huge table. */
#define GE_RUN_MAX_CHUNKS ((uint64_t)1 << 27)

enum { GE_RUN_MAX_NAME = 65535 }; /* bytes of an id or of any other name */

/* A run with an empty arena; NULL when out of memory. Free with ge_run_delete(). */
struct ge_run *ge_run_new(void);

/* Chunks of one cell and of all cells. Chunk `id` is range id % per_cell of cell id / per_cell. */
uint64_t ge_run_chunks_per_cell(const struct ge_run *run);
uint64_t ge_run_chunks(const struct ge_run *run);

/* Number of the chunk that a result claims to be. GE_EFORMAT if there is no such chunk. */
ge_status ge_run_chunk_id(const struct ge_run *run, const struct ge_result *r, uint64_t *id);

/* Append the head. Provenance is left out: START records carry it. Fails through the buffer. */
void ge_run_head_pack(const struct ge_run *run, struct ge_buf *out);

/* Read a packed head into a new run. GE_EFORMAT for anything that does not add up; GE_ENOMEM. */
ge_status ge_run_head_unpack(const void *data, size_t len, struct ge_run **out);

/* Checks that hold for a head wherever it came from: ids unique and present, positions in order,
 * at least one item, cell and item per chunk, sizes within the format's. GE_EFORMAT. */
ge_status ge_run_head_check(const struct ge_run *run);

/* Checks that hold for a result of this run: an existing chunk; keys inside it; rows in strictly
 * increasing key order; table indices in range; scores finite, verdicts in [0,1]; strings
 * present where they must be. GE_EFORMAT naming table and row. */
ge_status ge_run_result_check(const struct ge_run *run, const struct ge_result *r);

/* One item as JSON (the manifest's keys, docs/dataset.md; `constraints` and `extra` as strings,
 * so that they come back byte for byte), and back into `arena`. */
void ge_item_print(const struct ge_item *item, struct ge_buf *out);
ge_status ge_item_parse(const char *json, size_t len, uint32_t index, struct ge_arena *arena,
                        struct ge_item *out);

#endif
