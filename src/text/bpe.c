#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/bpe_merge.h"
#include "text/unicode.h"

enum { SYMBOL_BYTES = 256 }; /* longest affixes and a character */

/* Place of a symbol in its word, as two bits: it begins the word, it ends it. */
enum { INNER = 0, FIRST = 1, LAST = 2 };

/* ---- building ----------------------------------------------------------------------------- */

static size_t free_slot(const struct bpe_merge *table, size_t n_slots, uint64_t pair)
{
    uint64_t h = pair * 0x9E3779B97F4A7C15u;
    size_t slot = (size_t)(h ^ h >> 32) & (n_slots - 1);
    while (table[slot].pair != UINT64_MAX && table[slot].pair != pair) {
        slot = (slot + 1) & (n_slots - 1);
    }
    return slot;
}

static ge_status grow_table(struct bpe *m)
{
    ge_status rc = GE_OK;
    if (2 * (m->n_merges + 1) <= m->n_slots) return GE_OK;
    size_t n_slots = m->n_slots == 0 ? 1024 : 2 * m->n_slots;
    struct bpe_merge *table = NULL;
    GE_NEW(table, n_slots);
    for (size_t i = 0; i < n_slots; i++) table[i].pair = UINT64_MAX;
    for (size_t i = 0; i < m->n_slots; i++) {
        if (m->merges[i].pair == UINT64_MAX) continue;
        table[free_slot(table, n_slots, m->merges[i].pair)] = m->merges[i];
    }
    free(m->merges);
    m->merges = table;
    m->n_slots = n_slots;
done:
    return rc;
}

/* Id of a + b without b's continuing prefix; -1 if it is not in the vocabulary. */
static ge_status find_joined(const struct bpe *m, const char *a, size_t a_len, const char *b,
                             size_t b_len, int32_t *id)
{
    size_t skip = strlen(m->prefix);
    if (b_len < skip) skip = b_len;
    struct ge_buf text;
    ge_buf_init(&text, (size_t)1 << 24);
    ge_buf_add(&text, a, a_len);
    ge_buf_add(&text, b + skip, b_len - skip);
    ge_status rc = ge_buf_status(&text);
    *id = rc == GE_OK ? ge_vocab_find(m->vocab, text.len > 0 ? text.data : "", text.len) : -1;
    ge_buf_free(&text);
    return rc;
}

ge_status ge_bpe_add_merge(struct bpe *m, const char *left, size_t left_len, const char *right,
                           size_t right_len, uint32_t rank)
{
    ge_status rc = GE_OK;
    int32_t a = ge_vocab_find(m->vocab, left, left_len),
            b = ge_vocab_find(m->vocab, right, right_len);
    int32_t joined = -1;
    if (a >= 0 && b >= 0) GE_TRY(find_joined(m, left, left_len, right, right_len, &joined));
    if (joined < 0) {
        return ge_fail(GE_EFORMAT,
                       "merge %u (\"%.*s\" and \"%.*s\"): a side or their union is not in the "
                       "vocabulary",
                       (unsigned)rank, (int)(left_len < 64 ? left_len : 64), left,
                       (int)(right_len < 64 ? right_len : 64), right);
    }
    GE_TRY(grow_table(m));
    uint64_t pair = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
    m->merges[free_slot(m->merges, m->n_slots, pair)] =
        (struct bpe_merge){.pair = pair, .rank = rank, .id = joined};
    m->n_merges = (size_t)rank + 1;
done:
    return rc;
}

/* Id of a character at a place of its word; -1 if it is not in the vocabulary. */
static int32_t find_symbol(const struct bpe *m, const char *character, size_t n, unsigned place)
{
    char text[SYMBOL_BYTES];
    size_t len = 0, prefix = strlen(m->prefix), suffix = strlen(m->suffix);
    if (prefix + n + suffix > sizeof text) return -1;
    if (!(place & FIRST)) {
        memcpy(text, m->prefix, prefix);
        len = prefix;
    }
    memcpy(text + len, character, n);
    len += n;
    if (place & LAST) {
        memcpy(text + len, m->suffix, suffix);
        len += suffix;
    }
    return ge_vocab_find(m->vocab, text, len);
}

void ge_bpe_finish(struct bpe *m)
{
    m->unk_id = m->unk == NULL ? -1 : ge_vocab_find(m->vocab, m->unk, strlen(m->unk));
    for (unsigned place = 0; place < 4; place++) {
        for (uint32_t cp = 0; cp < BPE_DIRECT; cp++) {
            char bytes[4];
            m->direct[place][cp] = find_symbol(m, bytes, ge_utf8_encode(cp, bytes), place);
        }
    }
}

void ge_bpe_free(struct bpe *m)
{
    free(m->suffix);
    free(m->prefix);
    free(m->unk);
    free(m->merges);
    memset(m, 0, sizeof *m);
}

/* ---- encoding ----------------------------------------------------------------------------- */

static ge_status add_symbol(struct bpe_scratch *s, int32_t id)
{
    ge_status rc = GE_OK;
    GE_GROW(s->symbols, s->n, s->cap);
    s->symbols[s->n] = (struct bpe_symbol){
        .id = id,
        .prev = s->n == 0 ? BPE_NONE : (uint32_t)s->n - 1,
        .next = BPE_NONE,
    };
    if (s->n > 0) s->symbols[s->n - 1].next = (uint32_t)s->n;
    s->n++;
done:
    return rc;
}

/* One symbol for each character of the word. */
static ge_status split_word(const struct bpe *m, const char *word, size_t len,
                            struct bpe_scratch *s)
{
    ge_status rc = GE_OK;
    bool after_unknown = false;
    size_t n;
    s->n = 0;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(word + i, len - i, &n);
        unsigned place = (i == 0 ? FIRST : INNER) | (i + n == len ? LAST : INNER);
        int32_t id = cp < BPE_DIRECT ? m->direct[place][cp] : find_symbol(m, word + i, n, place);
        bool unknown = id < 0;
        if (unknown && m->unk_id < 0) {
            return ge_fail(GE_EFORMAT,
                           "\"%.*s\" is not in the vocabulary and the model has no unknown token",
                           (int)n, word + i);
        }
        if (!(unknown && after_unknown && m->fuse_unk)) {
            GE_TRY(add_symbol(s, unknown ? m->unk_id : id));
        }
        after_unknown = unknown;
    }
done:
    return rc;
}

ge_status ge_bpe_encode(const struct bpe *m, const char *word, size_t len,
                        struct bpe_scratch **scratch, struct ids *ids)
{
    ge_status rc = GE_OK;
    if (len == 0) return GE_OK;
    if (len >= BPE_NONE) return ge_fail(GE_ELIMIT, "a word of %zu bytes is too long", len);
    if (m->ignore_merges) {
        int32_t whole = ge_vocab_find(m->vocab, word, len);
        if (whole >= 0) return ge_ids_add(ids, whole);
    }
    if (*scratch == NULL) GE_NEW(*scratch, 1);
    struct bpe_scratch *s = *scratch;
    GE_TRY(split_word(m, word, len, s));
    GE_TRY(ge_bpe_merge_word(m, s));
    for (uint32_t i = s->n > 0 ? 0 : BPE_NONE; i != BPE_NONE && !ids->full;
         i = s->symbols[i].next) {
        GE_TRY(ge_ids_add(ids, s->symbols[i].id));
    }
done:
    return rc;
}

void ge_bpe_scratch_delete(struct bpe_scratch **scratch)
{
    struct bpe_scratch *s = *scratch;
    if (s == NULL) return;
    free(s->symbols);
    free(s->entries);
    free(s->head);
    free(s->tail);
    free(s->ranks);
    free(s->late);
    free(s);
    *scratch = NULL;
}

void ge_bpe_hash(const struct bpe *m, struct ge_hasher *h)
{
    ge_hasher_add_str(h, m->prefix);
    ge_hasher_add_str(h, m->suffix);
    ge_hasher_add_str(h, m->unk);
    ge_hasher_add_u64(h, m->fuse_unk);
    ge_hasher_add_u64(h, m->ignore_merges);
    /* The table's order depends on its history; ranks are distinct, so a sum of mixed words will
     * do and needs no sorting. */
    uint64_t sum = 0;
    for (size_t i = 0; i < m->n_slots; i++) {
        const struct bpe_merge *e = &m->merges[i];
        if (e->pair == UINT64_MAX) continue;
        uint64_t words[] = {e->pair, e->rank, (uint64_t)e->id};
        sum += ge_check64(words, sizeof words);
    }
    ge_hasher_add_u64(h, sum);
}
