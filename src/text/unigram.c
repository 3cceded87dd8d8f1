/* The best path to each place is kept from the last place on that no piece reaches across: there all
 * paths meet, so what lies before is decided and written out. A natural text meets at most spaces. */
#include "text/unigram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

#define NOWHERE UINT32_MAX
enum { UNKNOWN_PENALTY = 10 };

/* The best way to get to a place. */
struct node {
    double score;
    uint32_t start; /* where its last piece begins, or NOWHERE */
    uint32_t end;   /* on the way back: where the piece that begins here ends */
    int32_t id;     /* that piece */
};

struct unigram_scratch {
    struct node *nodes;
    size_t cap;
};

struct encoder {
    const struct unigram *m;
    const char *word;
    size_t len;
    struct unigram_scratch *s;
    struct ids *ids;
    size_t base;                       /* place of nodes[0] */
    size_t reach;                      /* the farthest place of any path */
    size_t unknown_begin, unknown_end; /* unknown text that is not written yet */
};

/* ---- building ----------------------------------------------------------------------------- */

ge_status ge_unigram_finish(struct unigram *m, double lowest)
{
    ge_status rc = GE_OK;
    struct trie_key *keys = NULL;
    size_t n = 0;
    GE_NEW(keys, m->vocab->n);
    for (size_t i = 0; i < m->vocab->n; i++) {
        const struct vocab_entry *e = &m->vocab->entries[i];
        if (isnan(m->scores[e->id])) continue;
        keys[n++] =
            (struct trie_key){.text = m->vocab->pool + e->text, .len = e->len, .value = e->id};
    }
    GE_TRY(ge_trie_build(&m->trie, keys, n));
    m->unk_score = lowest - UNKNOWN_PENALTY;
    if (m->single) m->unk_score = (float)m->unk_score;
    ge_vocab_find_bytes(m->vocab, m->bytes);
done:
    free(keys);
    return rc;
}

void ge_unigram_free(struct unigram *m)
{
    free(m->scores);
    ge_trie_free(&m->trie);
    memset(m, 0, sizeof *m);
}

void ge_unigram_scratch_delete(struct unigram_scratch **scratch)
{
    if (*scratch == NULL) return;
    free((*scratch)->nodes);
    free(*scratch);
    *scratch = NULL;
}

void ge_unigram_hash(const struct unigram *m, struct ge_hasher *h)
{
    for (size_t i = 0; i < m->n_scores; i++) ge_hasher_add_f64(h, m->scores[i]);
    ge_hasher_add_f64(h, m->unk_score);
    ge_hasher_add_u64(h, (uint64_t)(int64_t)m->unk_id);
    ge_hasher_add_u64(h, (uint64_t)m->byte_fallback | (uint64_t)m->single << 1);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The unknown text that waits: a piece after all, its bytes, or one unknown. */
static ge_status write_unknown(struct encoder *e)
{
    ge_status rc = GE_OK;
    const unsigned char *text = (const unsigned char *)e->word + e->unknown_begin;
    size_t n = e->unknown_end - e->unknown_begin;
    e->unknown_begin = e->unknown_end;
    if (n == 0) return GE_OK;
    int32_t id = ge_vocab_find(e->m->vocab, (const char *)text, n);
    bool bytes = id < 0 && e->m->byte_fallback;
    for (size_t i = 0; i < n && bytes; i++) bytes = e->m->bytes[text[i]] >= 0;
    if (!bytes) return ge_ids_add(e->ids, id >= 0 ? id : e->m->unk_id);
    for (size_t i = 0; i < n && !e->ids->full; i++) {
        GE_TRY(ge_ids_add(e->ids, e->m->bytes[text[i]]));
    }
done:
    return rc;
}

/* Write the pieces of the best path from the base to `place` and go on from there. */
static ge_status write_path(struct encoder *e, size_t place)
{
    ge_status rc = GE_OK;
    struct node *nodes = e->s->nodes;
    uint32_t last = (uint32_t)(place - e->base);
    for (uint32_t at = last; at > 0; at = nodes[at].start) nodes[nodes[at].start].end = at;
    for (uint32_t at = 0; at < last && !e->ids->full; at = nodes[at].end) {
        const struct node *n = &nodes[nodes[at].end];
        if (n->id == e->m->unk_id) {
            if (e->unknown_begin == e->unknown_end) e->unknown_begin = e->base + at;
            e->unknown_end = e->base + nodes[at].end;
            continue;
        }
        GE_TRY(write_unknown(e));
        if (!e->ids->full) GE_TRY(ge_ids_add(e->ids, n->id));
    }
    nodes[0].score = nodes[last].score;
    e->base = place;
done:
    return rc;
}

/* ---- searching ---------------------------------------------------------------------------- */

/* Make room for a path to `place`. */
static ge_status extend(struct encoder *e, size_t place)
{
    ge_status rc = GE_OK;
    size_t need = place - e->base + 1;
    if (need > e->s->cap) {
        size_t cap = need < 128 ? 256 : 2 * need;
        GE_RESIZE(e->s->nodes, cap);
        e->s->cap = cap;
    }
    while (e->reach < place) e->s->nodes[++e->reach - e->base].start = NOWHERE;
done:
    return rc;
}

/* Whether a path with that sum of scores is better than the one that ends at `to`. */
static bool is_better(const struct encoder *e, size_t to, double score)
{
    const struct node *n = &e->s->nodes[to - e->base];
    return n->start == NOWHERE || score > n->score;
}

/* A piece from `from` to `to` with the sum of scores that it gives. */
static void offer(struct encoder *e, size_t from, size_t to, int32_t id, double score)
{
    struct node *n = &e->s->nodes[to - e->base];
    if (!is_better(e, to, score)) return;
    n->score = e->m->single ? (float)score : score;
    n->start = (uint32_t)(from - e->base);
    n->id = id;
}

/* All pieces that begin at a place, whose first character has n bytes. */
static ge_status search_from(struct encoder *e, size_t from, size_t n)
{
    ge_status rc = GE_OK;
    const struct unigram *m = e->m;
    const struct trie_node *node = m->trie.nodes;
    double before = e->s->nodes[from - e->base].score;
    bool fits = false;
    for (size_t i = from; node != NULL && i < e->len;) {
        node = ge_trie_step(&m->trie, node, (unsigned char)e->word[i++]);
        if (node == NULL) break;
        if (node->value < 0) continue;
        if (i > e->reach) GE_TRY(extend(e, i));
        offer(e, from, i, node->value, m->scores[node->value] + before);
        if (i - from == n) fits = true;
    }
    if (fits) return GE_OK;
    if (from + n > e->reach) GE_TRY(extend(e, from + n));
    double score = m->unk_score + before;
    if (m->single) score = (float)score;
    if (m->unk_id < 0 && is_better(e, from + n, score)) {
        return ge_fail(GE_EFORMAT,
                       "U+%04X is not in the vocabulary, and the model has no unknown piece",
                       (unsigned)ge_unicode_at(e->word + from, n, &n));
    }
    offer(e, from, from + n, m->unk_id, score);
done:
    return rc;
}

ge_status ge_unigram_encode(const struct unigram *m, const char *word, size_t len,
                            struct unigram_scratch **scratch, struct ids *ids)
{
    ge_status rc = GE_OK;
    size_t n;
    if (len >= NOWHERE) return ge_fail(GE_ELIMIT, "a word of %zu bytes is too long", len);
    if (*scratch == NULL) GE_NEW(*scratch, 1);
    struct encoder e = {.m = m, .word = word, .len = len, .s = *scratch, .ids = ids};
    GE_TRY(extend(&e, 0));
    e.s->nodes[0].score = 0;
    for (size_t i = 0; i < len && !ids->full; i += n) {
        if (i == e.reach) GE_TRY(write_path(&e, i));
        ge_unicode_at(word + i, len - i, &n);
        GE_TRY(search_from(&e, i, n));
    }
    if (!ids->full) GE_TRY(write_path(&e, len));
    if (!ids->full) GE_TRY(write_unknown(&e));
done:
    return rc;
}
