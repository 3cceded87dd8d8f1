/* Two ways to the same result. A short word looks through all pairs for the lowest rank each time.
 * A long one keeps the possible merges in order of (rank, place): places of one rank mostly turn
 * up from left to right, so each rank has a queue, and the ranks whose queue is not empty are in a
 * heap; a place that comes out of order goes to a second heap. An entry whose pair has changed
 * since is skipped. Time is n log n at worst and close to n for a run of one letter. */
#include "text/bpe_merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SHORT_WORD = 40 };

static uint64_t pair_key(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

const struct bpe_merge *ge_bpe_find_merge(const struct bpe *m, int32_t left, int32_t right)
{
    if (m->n_slots == 0) return NULL;
    uint64_t pair = pair_key(left, right);
    size_t slot = ge_bpe_slot(pair, m->n_slots);
    while (m->merges[slot].pair != UINT64_MAX) {
        if (m->merges[slot].pair == pair) return &m->merges[slot];
        slot = (slot + 1) & (m->n_slots - 1);
    }
    return NULL;
}

/* The merge of the symbol at pos with its right neighbour, or NULL. */
static const struct bpe_merge *merge_at(const struct bpe *m, const struct bpe_symbol *symbols,
                                        uint32_t pos)
{
    if (pos == BPE_NONE || symbols[pos].id < 0 || symbols[pos].next == BPE_NONE) return NULL;
    return ge_bpe_find_merge(m, symbols[pos].id, symbols[symbols[pos].next].id);
}

static void merge_symbols(struct bpe_symbol *symbols, uint32_t pos, int32_t id)
{
    uint32_t gone = symbols[pos].next;
    symbols[pos].id = id;
    symbols[pos].next = symbols[gone].next;
    symbols[gone].id = -1;
    if (symbols[pos].next != BPE_NONE) symbols[symbols[pos].next].prev = pos;
}

static void merge_short(const struct bpe *m, struct bpe_symbol *symbols, size_t n)
{
    const struct bpe_merge *merges[SHORT_WORD];
    for (uint32_t i = 0; i < n; i++) merges[i] = merge_at(m, symbols, i);
    for (;;) {
        uint32_t best = BPE_NONE;
        for (uint32_t i = 0; i < n; i++) {
            if (merges[i] == NULL) continue;
            if (best == BPE_NONE || merges[i]->rank < merges[best]->rank) best = i;
        }
        if (best == BPE_NONE) return;
        merges[symbols[best].next] = NULL;
        merge_symbols(symbols, best, merges[best]->id);
        merges[best] = merge_at(m, symbols, best);
        uint32_t prev = symbols[best].prev;
        if (prev != BPE_NONE) merges[prev] = merge_at(m, symbols, prev);
    }
}

/* ---- long words --------------------------------------------------------------------------- */

static void sift_up(uint64_t *heap, size_t i)
{
    uint64_t v = heap[i];
    while (i > 0 && heap[(i - 1) / 2] > v) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = v;
}

static void pop_min(uint64_t *heap, size_t *n)
{
    uint64_t v = heap[--*n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= *n) break;
        if (child + 1 < *n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= v) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = v;
}

/* Look up the merge at pos and put it in line. */
static ge_status push(const struct bpe *m, struct bpe_scratch *s, uint32_t pos)
{
    ge_status rc = GE_OK;
    if (pos == BPE_NONE) return GE_OK;
    const struct bpe_merge *merge = s->symbols[pos].merge = merge_at(m, s->symbols, pos);
    if (merge == NULL) return GE_OK;
    uint32_t rank = merge->rank, last = s->tail[rank];
    if (last != BPE_NONE && s->entries[last].pos > pos) {
        GE_GROW(s->late, s->late_n, s->late_cap);
        s->late[s->late_n] = (uint64_t)rank << 32 | pos;
        sift_up(s->late, s->late_n++);
        return GE_OK;
    }
    GE_GROW(s->entries, s->n_entries, s->entries_cap);
    s->entries[s->n_entries] = (struct bpe_entry){.pos = pos, .next = BPE_NONE};
    if (last == BPE_NONE) {
        GE_GROW(s->ranks, s->ranks_n, s->ranks_cap);
        s->head[rank] = (uint32_t)s->n_entries;
        s->ranks[s->ranks_n] = rank;
        sift_up(s->ranks, s->ranks_n++);
    } else {
        s->entries[last].next = (uint32_t)s->n_entries;
    }
    s->tail[rank] = (uint32_t)s->n_entries++;
done:
    return rc;
}

/* Take the lowest (rank, place). False when nothing is left. */
static bool take(struct bpe_scratch *s, uint32_t *rank, uint32_t *pos)
{
    uint64_t queued = UINT64_MAX;
    if (s->ranks_n > 0) {
        uint64_t r = s->ranks[0];
        queued = r << 32 | s->entries[s->head[r]].pos;
    }
    if (s->late_n > 0 && s->late[0] < queued) {
        *rank = (uint32_t)(s->late[0] >> 32);
        *pos = (uint32_t)s->late[0];
        pop_min(s->late, &s->late_n);
        return true;
    }
    if (s->ranks_n == 0) return false;
    *rank = (uint32_t)s->ranks[0];
    *pos = (uint32_t)queued;
    s->head[*rank] = s->entries[s->head[*rank]].next;
    if (s->head[*rank] == BPE_NONE) {
        s->tail[*rank] = BPE_NONE;
        pop_min(s->ranks, &s->ranks_n);
    }
    return true;
}

/* Empty queues for all ranks of the model. */
static ge_status prepare(const struct bpe *m, struct bpe_scratch *s)
{
    ge_status rc = GE_OK;
    size_t fresh = s->unclean ? 0 : s->n_ranks; /* the queues below are empty */
    s->n_entries = s->ranks_n = s->late_n = 0;
    if (s->n_ranks < m->n_ranks) {
        GE_RESIZE(s->head, m->n_ranks);
        GE_RESIZE(s->tail, m->n_ranks);
        s->n_ranks = m->n_ranks;
    }
    for (size_t i = fresh; i < s->n_ranks; i++) s->head[i] = s->tail[i] = BPE_NONE;
    s->unclean = true;
done:
    return rc;
}

static ge_status merge_long(const struct bpe *m, struct bpe_scratch *s)
{
    ge_status rc = GE_OK;
    uint32_t rank, pos;
    GE_TRY(prepare(m, s));
    for (uint32_t i = 0; i < s->n; i++) GE_TRY(push(m, s, i));
    while (take(s, &rank, &pos)) {
        const struct bpe_merge *merge = s->symbols[pos].merge;
        if (merge == NULL || merge->rank != rank) continue;
        s->symbols[s->symbols[pos].next].merge = NULL;
        merge_symbols(s->symbols, pos, merge->id);
        GE_TRY(push(m, s, s->symbols[pos].prev));
        GE_TRY(push(m, s, pos));
    }
    s->unclean = false;
done:
    return rc;
}

ge_status ge_bpe_merge_word(const struct bpe *m, struct bpe_scratch *scratch)
{
    if (scratch->n < 2 || m->n_slots == 0) return GE_OK;
    if (scratch->n > SHORT_WORD) return merge_long(m, scratch);
    merge_short(m, scratch->symbols, scratch->n);
    return GE_OK;
}
