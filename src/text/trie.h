/* A byte trie over strings with a value each, as a double array: one look per byte of a match. Used
 * for WordPiece, Unigram, added tokens and SentencePiece's symbols. Local; read-only use is
 * thread-safe. */
#ifndef GE_TEXT_TRIE_H
#define GE_TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct trie_node {
    uint32_t base; /* the child for byte b is nodes[base ^ b]; 0: no children */
    int32_t value; /* -1: no string ends here */
    uint32_t byte; /* the byte that leads here, or TRIE_FREE */
};

#define TRIE_FREE UINT32_MAX

struct trie {
    struct trie_node *nodes; /* nodes[0] is the root; NULL: empty */
    size_t n;                /* places */
};

struct trie_key {
    const char *text; /* borrowed during ge_trie_build() */
    size_t len;
    int32_t value;
};

/* Build from n keys, which are sorted in place. Empty keys are left out; of equal keys the one with
 * the smallest value counts. Values are >= 0. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_trie_build(struct trie *t, struct trie_key *keys, size_t n);
void ge_trie_free(struct trie *t);

/* The node that byte b leads to, or NULL. */
static inline const struct trie_node *ge_trie_step(const struct trie *t,
                                                   const struct trie_node *node, unsigned char b)
{
    const struct trie_node *child = &t->nodes[node->base ^ b];
    return child->byte == b ? child : NULL;
}

/* Value of the longest key that text begins with, its length in *match; -1 if there is none. */
int32_t ge_trie_longest(const struct trie *t, const char *text, size_t len, size_t *match);

uint64_t ge_trie_check(const struct trie *t); /* checksum of its content; 0: empty */

#endif
