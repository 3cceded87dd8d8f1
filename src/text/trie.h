/* A byte trie over strings with a value each: longest match from a place in a text, in time linear
 * in the match. Used for WordPiece and for added tokens. Local; read-only use is thread-safe. */
#ifndef GE_TEXT_TRIE_H
#define GE_TEXT_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct trie_node {
    uint32_t first_child; /* the children of a node lie side by side, sorted by byte */
    uint16_t n_children;
    unsigned char byte;
    int32_t value; /* -1: no string ends here */
};

struct trie {
    struct trie_node *nodes; /* nodes[0] is the root; NULL: empty */
    size_t n, cap;
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

/* Value of the longest key that text begins with, its length in *match; -1 if there is none. */
int32_t ge_trie_longest(const struct trie *t, const char *text, size_t len, size_t *match);

#endif
