/* The plan: a run's cells × items cut into chunks, and the hash that names a cell.
 *
 * Pure arithmetic of (cells, items, chunk size): neither rank count nor any state enters, so every
 * rank and every restart sees the same chunks. Used by cli/, which feeds dist/ with ids.
 * Local; thread-safe.
 *
 *              items 0…31   32…63   64…79      chunk id = range · cells + cell: one range's
 *     cell 0        0          2       4       chunks over all cells are neighbours, so a rank
 *     cell 1        1          3       5       that takes them in order meets the same images
 */
#ifndef GE_JOB_PLAN_H
#define GE_JOB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

struct ge_plan {
    uint32_t n_cells, n_items;
    uint32_t chunk_items; /* items per chunk; the last one of a cell may hold fewer */
    uint32_t n_ranges;    /* chunks per cell */
    uint32_t n_chunks;    /* n_cells · n_ranges */
};

struct ge_chunk {
    uint32_t id;           /* 0…n_chunks-1 */
    uint32_t cell;         /* 0…n_cells-1 */
    uint32_t range;        /* affinity group: chunks of one range share their images */
    uint32_t first, count; /* item positions first…first+count-1 */
};

/* GE_EINVAL for chunk_items = 0, GE_ELIMIT when the chunks do not fit 32 bits. No cells or no
 * items: no chunks. */
ge_status ge_plan_make(uint32_t n_cells, uint32_t n_items, uint32_t chunk_items,
                       struct ge_plan *plan);

/* Chunk of an id below n_chunks (an invariant: asserted). */
struct ge_chunk ge_plan_chunk(const struct ge_plan *plan, uint32_t id);

/* Id of the chunk of a cell that begins at item `first` and holds `count` items, as a journal
 * record names it. GE_EFORMAT if the plan has no such chunk. */
ge_status ge_plan_find(const struct ge_plan *plan, uint32_t cell, uint32_t first, uint32_t count,
                       uint32_t *id);

/* Hash of a cell: its settings (ge_job_cell_settings), the content hashes of what it reads (in
 * the caller's fixed order: dataset, answers, models), and the numerics id. GE_ENOMEM. */
ge_status ge_cell_hash(const char *settings, const struct ge_hash *content, size_t n_content,
                       const char *numerics_id, struct ge_hash *out);

#endif
