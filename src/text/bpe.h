/* Byte-pair encoding: merge the pair of neighbours with the lowest rank, leftmost first, until no
 * pair has a rank. Takes one pre-token at a time, which may be a whole text. Used by the tokenizer.
 * Local; a model is read-only after ge_bpe_finish(), scratch memory belongs to one thread. */
#ifndef GE_TEXT_BPE_H
#define GE_TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "text/ids.h"
#include "text/trie.h"
#include "text/vocab.h"

enum { BPE_DIRECT = 0x200 }; /* code points with a table of their own: ByteLevel's alphabet */

struct bpe_merge {
    uint64_t pair; /* left id << 32 | right id; UINT64_MAX: free slot */
    uint32_t rank;
    int32_t id; /* what the pair becomes */
};

struct bpe_char {
    uint32_t cp; /* UINT32_MAX: free slot */
    int32_t id;
};

struct bpe {
    const struct vocab *vocab; /* borrowed */
    char *suffix;              /* owned; ends the last symbol of a word ("</w>"), or "" */
    char *prefix;              /* owned; begins all symbols but the first, or "" */
    char *unk;                 /* owned; NULL: unknown characters are dropped */
    int32_t unk_id;            /* -1: none, or not in the vocabulary */
    bool fuse_unk;             /* neighbouring unknowns become one */
    bool ignore_merges;        /* a word that is in the vocabulary is taken whole */
    bool byte_fallback; /* <0xNN> for the bytes of an unknown character, if all of them exist */
    struct trie frozen; /* symbols that are taken whole and never merged; values are ids */
    uint64_t identity;  /* of the content; results are remembered under it; 0: not at all */

    struct bpe_merge *merges; /* hash table by pair */
    size_t n_slots, n_merges, n_ranks;
    int32_t direct[4][BPE_DIRECT]; /* symbol ids of low code points by place in the word, or -1 */
    int32_t bytes[256];            /* of <0xNN>, or -1 */
    struct bpe_char *chars; /* hash table of the other characters, unless there are affixes */
    size_t n_char_slots;
    uint64_t *joints;     /* pairs of characters that some merge joins: bits for low ones, */
    uint64_t *far_joints; /* … a hash table for the others: left << 32 | right; UINT64_MAX: free */
    size_t n_far_slots, n_far;
};

struct bpe_scratch; /* one thread's memory */

/* Set one merge; of equal pairs the last one counts. GE_EFORMAT: a side or the result is not in the
 * vocabulary. `rank` is that of the call before or one more. */
ge_status ge_bpe_add_merge(struct bpe *m, const char *left, size_t left_len, const char *right,
                           size_t right_len, uint32_t rank);

/* After the settings and all merges: look up the unknown token and the symbols. GE_ENOMEM. */
ge_status ge_bpe_finish(struct bpe *m);
void ge_bpe_free(struct bpe *m); /* a zeroed model is fine */

/* Ids of one word. GE_EFORMAT: a symbol is not in the vocabulary, and neither is the unknown token.
 * *scratch may be NULL at first. */
ge_status ge_bpe_encode(const struct bpe *m, const char *word, size_t len,
                        struct bpe_scratch **scratch, struct ids *ids);
void ge_bpe_scratch_delete(struct bpe_scratch **scratch);

void ge_bpe_hash(const struct bpe *m, struct ge_hasher *h); /* settings and merges by rank */

/* ---- of the parts of bpe: bpe.c, bpe_build.c, bpe_merge.c ---- */

/* First slot of a key in a table of n_slots, a power of two. */
static inline size_t ge_bpe_slot(uint64_t key, size_t n_slots)
{
    uint64_t h = key * 0x9E3779B97F4A7C15u;
    return (size_t)(h ^ h >> 32) & (n_slots - 1);
}

/* Place of a symbol in its word, as two bits: it begins the word, it ends it. */
enum bpe_place { BPE_INNER = 0, BPE_FIRST = 1, BPE_LAST = 2 };

/* A character with the affixes of its place, in text (of BPE_SYMBOL_BYTES); its length, or 0 if it
 * is too long. */
enum { BPE_SYMBOL_BYTES = 256 };
size_t ge_bpe_symbol(const struct bpe *m, const char *character, size_t n, unsigned place,
                     char *text);

/* Id of the character at a place; -1 if it is not in the vocabulary. */
int32_t ge_bpe_find_symbol(const struct bpe *m, const char *character, size_t n, uint32_t cp,
                           unsigned place);

/* Whether some merge joins a token that ends in `left` with one that begins with `right`. */
bool ge_bpe_joins(const struct bpe *m, uint32_t left, uint32_t right);

#endif
