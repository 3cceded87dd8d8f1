/* Children of a node lie at base ^ byte, all in one block of 256, so a base serves one node and the
 * byte that a place carries tells whether it is that node's child. Places are handed out from the few
 * newest blocks that are not full, which bounds the search and wastes little. */
#include "text/trie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { BLOCK = 256, BLOCK_WORDS = BLOCK / 64, OPEN_BLOCKS = 16, TRIES = 8 };

/* A node that waits for its children: the keys [begin, end) share its path, which is `depth`
 * long. */
struct pending {
    size_t node, begin, end, depth;
};

struct builder {
    struct trie *t;
    const struct trie_key *keys;
    struct pending *pending;
    size_t n_pending, cap_pending;
    uint64_t *free_places; /* a bit for each place */
    uint64_t *free_bases;  /* a bit for each place: no node has it for its base */
    size_t blocks_cap;     /* of both, in blocks */
    size_t first_open;     /* the first block that is still filled */
};

static int compare_keys(const void *pa, const void *pb)
{
    const struct trie_key *a = pa, *b = pb;
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->text, b->text, shorter);
    if (order != 0) return order;
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static ge_status add_block(struct builder *b)
{
    ge_status rc = GE_OK;
    struct trie *t = b->t;
    size_t block = t->n / BLOCK;
    if (t->n > UINT32_MAX - 2 * BLOCK) return ge_fail(GE_ELIMIT, "the vocabulary is too large");
    if (block == b->blocks_cap) {
        size_t cap = block == 0 ? 4 : 2 * block, words = cap * BLOCK_WORDS;
        GE_RESIZE(t->nodes, cap * BLOCK);
        GE_RESIZE(b->free_places, words);
        GE_RESIZE(b->free_bases, words);
        b->blocks_cap = cap;
    }
    for (size_t i = 0; i < BLOCK; i++) {
        t->nodes[t->n + i] = (struct trie_node){.value = -1, .byte = TRIE_FREE};
    }
    memset(b->free_places + block * BLOCK_WORDS, 0xFF, BLOCK / 8);
    memset(b->free_bases + block * BLOCK_WORDS, 0xFF, BLOCK / 8);
    t->n += BLOCK;
    if (block >= b->first_open + OPEN_BLOCKS) b->first_open++;
done:
    return rc;
}

static bool is_set(const uint64_t *bits, size_t place)
{
    return (bits[place / 64] >> place % 64 & 1) != 0;
}

static void take(uint64_t *bits, size_t place)
{
    bits[place / 64] &= ~(UINT64_C(1) << place % 64);
}

static unsigned lowest(uint64_t bits)
{
    unsigned n = 0;
    for (unsigned half = 32; half > 0; half /= 2) {
        uint64_t low = bits & ((UINT64_C(1) << half) - 1);
        if (low == 0) n += half;
        bits = low == 0 ? bits >> half : low;
    }
    return n;
}

static bool fits(const struct builder *b, size_t base, const unsigned char *bytes, size_t n)
{
    if (base == 0 || !is_set(b->free_bases, base)) return false; /* 0 means no children */
    for (size_t i = 1; i < n; i++) {
        if (!is_set(b->free_places, base ^ bytes[i])) return false;
    }
    return true;
}

/* A base for children with these bytes in a block: a few of its free places are tried for the first
 * child. *full: there is none. */
static bool find_in_block(const struct builder *b, size_t block, const unsigned char *bytes,
                          size_t n, size_t *base, bool *full)
{
    int tries = 0;
    *full = true;
    for (size_t w = block * BLOCK_WORDS; w < (block + 1) * BLOCK_WORDS; w++) {
        for (uint64_t bits = b->free_places[w]; bits != 0; bits &= bits - 1) {
            *full = false;
            *base = (w * 64 + lowest(bits)) ^ bytes[0];
            if (fits(b, *base, bytes, n)) return true;
            if (++tries == TRIES) return false;
        }
    }
    return false;
}

static ge_status find_base(struct builder *b, const unsigned char *bytes, size_t n, size_t *base)
{
    ge_status rc = GE_OK;
    for (size_t block = b->first_open; block < b->t->n / BLOCK; block++) {
        bool full;
        if (find_in_block(b, block, bytes, n, base, &full)) return GE_OK;
        if (full && block == b->first_open) b->first_open++;
    }
    GE_TRY(add_block(b));
    *base = b->t->n - BLOCK;
done:
    return rc;
}

/* Place the children of one pending node, and put each of them in line. */
static ge_status expand(struct builder *b, struct pending p)
{
    ge_status rc = GE_OK;
    const struct trie_key *keys = b->keys;
    unsigned char bytes[BLOCK];
    size_t base, n = 0, i = p.begin;
    for (; i < p.end && keys[i].len == p.depth; i++) {
        if (b->t->nodes[p.node].value < 0) b->t->nodes[p.node].value = keys[i].value;
    }
    for (size_t k = i; k < p.end; k++) {
        unsigned char byte = (unsigned char)keys[k].text[p.depth];
        if (n == 0 || bytes[n - 1] != byte) bytes[n++] = byte;
    }
    if (n == 0) return GE_OK;
    GE_TRY(find_base(b, bytes, n, &base));
    take(b->free_bases, base);
    b->t->nodes[p.node].base = (uint32_t)base;
    for (size_t child = 0; child < n; child++) {
        size_t end = i;
        while (end < p.end && (unsigned char)keys[end].text[p.depth] == bytes[child]) end++;
        b->t->nodes[base ^ bytes[child]].byte = bytes[child];
        take(b->free_places, base ^ bytes[child]);
        GE_GROW(b->pending, b->n_pending, b->cap_pending);
        b->pending[b->n_pending++] = (struct pending){
            .node = base ^ bytes[child], .begin = i, .end = end, .depth = p.depth + 1};
        i = end;
    }
done:
    return rc;
}

ge_status ge_trie_build(struct trie *t, struct trie_key *keys, size_t n)
{
    ge_status rc = GE_OK;
    struct builder b = {.t = t, .keys = keys};
    size_t begin = 0;
    *t = (struct trie){0};
    if (n > 0) qsort(keys, n, sizeof *keys, compare_keys);
    while (begin < n && keys[begin].len == 0) begin++;
    if (begin == n) return GE_OK;
    GE_TRY(add_block(&b));
    t->nodes[0].byte = BLOCK; /* taken, and no byte leads to it */
    take(b.free_places, 0);
    rc = expand(&b, (struct pending){.begin = begin, .end = n});
    while (rc == GE_OK && b.n_pending > 0) rc = expand(&b, b.pending[--b.n_pending]);
done:
    free(b.pending);
    free(b.free_places);
    free(b.free_bases);
    if (rc != GE_OK) ge_trie_free(t);
    return rc;
}

void ge_trie_free(struct trie *t)
{
    free(t->nodes);
    *t = (struct trie){0};
}

int32_t ge_trie_longest(const struct trie *t, const char *text, size_t len, size_t *match)
{
    int32_t value = -1;
    *match = 0;
    if (t->nodes == NULL) return -1;
    const struct trie_node *node = t->nodes;
    for (size_t i = 0; i < len; i++) {
        node = ge_trie_step(t, node, (unsigned char)text[i]);
        if (node == NULL) break;
        if (node->value >= 0) {
            value = node->value;
            *match = i + 1;
        }
    }
    return value;
}

uint64_t ge_trie_check(const struct trie *t)
{
    return t->nodes == NULL ? 0 : ge_check64(t->nodes, t->n * sizeof *t->nodes);
}
