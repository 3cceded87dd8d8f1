#include "text/trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A node that waits for its children: the keys [begin, end) share its path, which is `depth`
 * long. */
struct pending {
    size_t node, begin, end, depth;
};

struct pending_list {
    struct pending *items;
    size_t n, cap;
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

/* Append the children of one pending node, and each of them as pending. */
static ge_status expand(struct trie *t, const struct trie_key *keys, struct pending p,
                        struct pending_list *list)
{
    ge_status rc = GE_OK;
    size_t i = p.begin;
    while (i < p.end && keys[i].len == p.depth) {
        if (t->nodes[p.node].value < 0) t->nodes[p.node].value = keys[i].value;
        i++;
    }
    if (t->n > UINT32_MAX - 256) return ge_fail(GE_ELIMIT, "the vocabulary is too large");
    t->nodes[p.node].first_child = (uint32_t)t->n;
    while (i < p.end) {
        unsigned char byte = (unsigned char)keys[i].text[p.depth];
        size_t end = i;
        while (end < p.end && (unsigned char)keys[end].text[p.depth] == byte) end++;
        GE_GROW(t->nodes, t->n, t->cap);
        t->nodes[t->n] = (struct trie_node){.byte = byte, .value = -1};
        GE_GROW(list->items, list->n, list->cap);
        list->items[list->n++] =
            (struct pending){.node = t->n, .begin = i, .end = end, .depth = p.depth + 1};
        t->nodes[p.node].n_children++;
        t->n++;
        i = end;
    }
done:
    return rc;
}

ge_status ge_trie_build(struct trie *t, struct trie_key *keys, size_t n)
{
    ge_status rc = GE_OK;
    struct pending_list list = {0};
    size_t begin = 0;
    *t = (struct trie){0};
    if (n == 0) return GE_OK;
    qsort(keys, n, sizeof *keys, compare_keys);
    while (begin < n && keys[begin].len == 0) begin++;

    GE_GROW(t->nodes, t->n, t->cap);
    t->nodes[t->n++] = (struct trie_node){.value = -1};
    GE_GROW(list.items, list.n, list.cap);
    list.items[list.n++] = (struct pending){.begin = begin, .end = n};
    for (size_t i = 0; i < list.n; i++) GE_TRY(expand(t, keys, list.items[i], &list));
done:
    free(list.items);
    if (rc != GE_OK) ge_trie_free(t);
    return rc;
}

void ge_trie_free(struct trie *t)
{
    free(t->nodes);
    *t = (struct trie){0};
}

static const struct trie_node *child(const struct trie *t, const struct trie_node *node,
                                     unsigned char byte)
{
    const struct trie_node *first = t->nodes + node->first_child;
    size_t low = 0, high = node->n_children;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (first[mid].byte < byte) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < node->n_children && first[low].byte == byte ? first + low : NULL;
}

int32_t ge_trie_longest(const struct trie *t, const char *text, size_t len, size_t *match)
{
    int32_t value = -1;
    *match = 0;
    if (t->nodes == NULL) return -1;
    const struct trie_node *node = t->nodes;
    for (size_t i = 0; i < len; i++) {
        node = child(t, node, (unsigned char)text[i]);
        if (node == NULL) break;
        if (node->value >= 0) {
            value = node->value;
            *match = i + 1;
        }
    }
    return value;
}
