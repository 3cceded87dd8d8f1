#include "job/plan.h"

#include "base/log.h"

ge_status ge_plan_make(uint32_t n_cells, uint32_t n_items, uint32_t chunk_items,
                       struct ge_plan *plan)
{
    if (chunk_items == 0) {
        return ge_fail(GE_EINVAL, "plan: found chunks of 0 items, allowed: at least 1");
    }
    uint64_t ranges = ((uint64_t)n_items + chunk_items - 1) / chunk_items;
    uint64_t chunks = ranges * n_cells; /* both below 2^32 */
    if (chunks > UINT32_MAX) {
        return ge_fail(GE_ELIMIT,
                       "plan: found %u cells x %u items in chunks of %u, allowed: at most %u "
                       "chunks; raise runtime.chunk_items",
                       n_cells, n_items, chunk_items, UINT32_MAX);
    }
    *plan = (struct ge_plan){.n_cells = n_cells,
                             .n_items = n_items,
                             .chunk_items = chunk_items,
                             .n_ranges = (uint32_t)ranges,
                             .n_chunks = (uint32_t)chunks};
    return GE_OK;
}

struct ge_chunk ge_plan_chunk(const struct ge_plan *plan, uint32_t id)
{
    GE_ASSERT(id < plan->n_chunks);
    uint32_t range = id / plan->n_cells, first = range * plan->chunk_items;
    uint32_t left = plan->n_items - first;
    return (struct ge_chunk){.id = id,
                             .cell = id % plan->n_cells,
                             .range = range,
                             .first = first,
                             .count = left < plan->chunk_items ? left : plan->chunk_items};
}

ge_status ge_plan_find(const struct ge_plan *plan, uint32_t cell, uint32_t first, uint32_t count,
                       uint32_t *id)
{
    uint32_t range = first / plan->chunk_items;
    if (cell < plan->n_cells && range < plan->n_ranges) {
        uint32_t found = range * plan->n_cells + cell;
        struct ge_chunk chunk = ge_plan_chunk(plan, found);
        if (chunk.first == first && chunk.count == count) {
            *id = found;
            return GE_OK;
        }
    }
    return ge_fail(
        GE_EFORMAT,
        "plan: found a chunk of cell %u, items %u + %u, allowed: %u cells of %u items in "
        "chunks of %u",
        cell, first, count, plan->n_cells, plan->n_items, plan->chunk_items);
}

ge_status ge_cell_hash(const char *settings, const struct ge_hash *content, size_t n_content,
                       const char *numerics_id, struct ge_hash *out)
{
    struct ge_hasher *h = ge_hasher_new();
    if (h == NULL) return GE_ENOMEM;
    ge_hasher_add_str(h, settings);
    ge_hasher_add_u64(h, n_content);
    for (size_t i = 0; i < n_content; i++) {
        ge_hasher_add_u64(h, content[i].hi);
        ge_hasher_add_u64(h, content[i].lo);
    }
    ge_hasher_add_str(h, numerics_id);
    *out = ge_hasher_get(h);
    ge_hasher_delete(&h);
    return GE_OK;
}
