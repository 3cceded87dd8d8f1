/* The merging of one word's symbols (bpe.c's other half). Local. */
#ifndef GE_TEXT_BPE_MERGE_H
#define GE_TEXT_BPE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "text/bpe.h"

#define BPE_NONE UINT32_MAX

struct bpe_symbol {
    int32_t id;                    /* -1: merged into the one before */
    uint32_t prev, next;           /* neighbours that are left, or BPE_NONE */
    const struct bpe_merge *merge; /* long words: with the right neighbour, or NULL */
};

/* A merge that is possible at a place. */
struct bpe_entry {
    uint32_t pos, next; /* next: following entry of the same rank, or BPE_NONE */
};

/* The ids of a short stretch of text, to be had again without merging. */
enum { BPE_CACHE_SLOTS = 4096, BPE_CACHE_BYTES = 30, BPE_CACHE_IDS = 8 };
struct bpe_cached {
    unsigned char len, n; /* of the text; of the ids; len 0: free */
    char text[BPE_CACHE_BYTES];
    int32_t ids[BPE_CACHE_IDS];
};

struct bpe_scratch {
    struct bpe_symbol *symbols;
    size_t n, cap;
    struct bpe_cached *cache; /* BPE_CACHE_SLOTS, for the model of this identity */
    uint64_t identity;
    /* For long words only: see bpe_merge.c. */
    struct bpe_entry *entries;
    size_t n_entries, entries_cap;
    uint32_t *head, *tail; /* by rank: first and last entry, or BPE_NONE; all are between words */
    size_t n_ranks;
    bool unclean;    /* a word was left in the middle */
    uint64_t *ranks; /* heap of ranks whose queue is not empty */
    size_t ranks_n, ranks_cap;
    uint64_t *late; /* heap of rank << 32 | place, for places that came out of order */
    size_t late_n, late_cap;
};

/* The merge of a pair, or NULL. */
const struct bpe_merge *ge_bpe_find_merge(const struct bpe *m, int32_t left, int32_t right);

/* Merge scratch->symbols (n linked in a row) until nothing is left to merge. GE_ENOMEM. */
ge_status ge_bpe_merge_word(const struct bpe *m, struct bpe_scratch *scratch);

#endif
