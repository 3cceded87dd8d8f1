/* Byte-pair encoding: merge the pair of neighbours with the lowest rank, leftmost first, until no
 * pair has a rank. Takes one pre-token at a time. Used by the tokenizer. Local; a model is
 * read-only after ge_bpe_finish(), scratch memory belongs to one thread. */
#ifndef GE_TEXT_BPE_H
#define GE_TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "text/ids.h"
#include "text/vocab.h"

enum { BPE_DIRECT = 0x200 }; /* code points with a table of their own: ByteLevel's alphabet */

struct bpe_merge {
    uint64_t pair; /* left id << 32 | right id; UINT64_MAX: free slot */
    uint32_t rank;
    int32_t id; /* what the pair becomes */
};

struct bpe {
    const struct vocab *vocab; /* borrowed */
    char *suffix;              /* owned; ends the last symbol of a word ("</w>"), or "" */
    char *prefix;              /* owned; begins all symbols but the first, or "" */
    char *unk;                 /* owned; NULL: no unknown token */
    int32_t unk_id;            /* -1: none */
    bool fuse_unk;             /* neighbouring unknowns become one */
    bool ignore_merges;        /* a word that is in the vocabulary is taken whole */
    struct bpe_merge *merges;  /* hash table by pair */
    size_t n_slots, n_merges;
    /* Symbol ids of code points below BPE_DIRECT by place in the word (-1: none). */
    int32_t direct[4][BPE_DIRECT];
};

struct bpe_scratch; /* one thread's memory */

/* Set one merge; of equal pairs the last one counts. GE_EFORMAT: a side or the result is not in the
 * vocabulary. `rank` grows by one from call to call. */
ge_status ge_bpe_add_merge(struct bpe *m, const char *left, size_t left_len, const char *right,
                           size_t right_len, uint32_t rank);

/* After the settings and all merges: look up the unknown token and the direct symbols. */
void ge_bpe_finish(struct bpe *m);
void ge_bpe_free(struct bpe *m); /* a zeroed model is fine */

/* Ids of one word. GE_EFORMAT: a symbol is not in the vocabulary and there is no unknown token.
 * *scratch may be NULL at first. */
ge_status ge_bpe_encode(const struct bpe *m, const char *word, size_t len,
                        struct bpe_scratch **scratch, struct ids *ids);
void ge_bpe_scratch_delete(struct bpe_scratch **scratch);

void ge_bpe_hash(const struct bpe *m, struct ge_hasher *h); /* settings and merges by rank */

#endif
