/* Building a BPE model: the merges by pair, the symbols by character, and which characters any merge
 * can join. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/unicode.h"

/* ---- merges ------------------------------------------------------------------------------- */

static size_t free_slot(const struct bpe_merge *table, size_t n_slots, uint64_t pair)
{
    size_t slot = ge_bpe_slot(pair, n_slots);
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
    char near[512];
    size_t skip = strlen(m->prefix);
    if (b_len < skip) skip = b_len;
    if (a_len + b_len - skip <= sizeof near) {
        memcpy(near, a, a_len);
        memcpy(near + a_len, b + skip, b_len - skip);
        *id = ge_vocab_find(m->vocab, near, a_len + b_len - skip);
        return GE_OK;
    }
    struct ge_buf text;
    ge_buf_init(&text, (size_t)1 << 28);
    ge_buf_add(&text, a, a_len);
    ge_buf_add(&text, b + skip, b_len - skip);
    ge_status rc = ge_buf_status(&text);
    *id = rc == GE_OK ? ge_vocab_find(m->vocab, text.data, text.len) : -1;
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
    struct bpe_merge *slot = &m->merges[free_slot(m->merges, m->n_slots, pair)];
    if (slot->pair == UINT64_MAX) m->n_merges++;
    *slot = (struct bpe_merge){.pair = pair, .rank = rank, .id = joined};
    m->n_ranks = (size_t)rank + 1;
done:
    return rc;
}

/* ---- symbols ------------------------------------------------------------------------------ */

size_t ge_bpe_symbol(const struct bpe *m, const char *character, size_t n, unsigned place,
                     char *text)
{
    size_t len = 0, prefix = strlen(m->prefix), suffix = strlen(m->suffix);
    if (prefix + n + suffix > BPE_SYMBOL_BYTES) return 0;
    if (!(place & BPE_FIRST)) {
        memcpy(text, m->prefix, prefix);
        len = prefix;
    }
    memcpy(text + len, character, n);
    len += n;
    if (place & BPE_LAST) {
        memcpy(text + len, m->suffix, suffix);
        len += suffix;
    }
    return len;
}

static const struct bpe_char *find_char(const struct bpe *m, uint32_t cp)
{
    size_t slot = ge_bpe_slot(cp, m->n_char_slots);
    while (m->chars[slot].cp != UINT32_MAX && m->chars[slot].cp != cp) {
        slot = (slot + 1) & (m->n_char_slots - 1);
    }
    return &m->chars[slot];
}

int32_t ge_bpe_find_symbol(const struct bpe *m, const char *character, size_t n, uint32_t cp,
                           unsigned place)
{
    char text[BPE_SYMBOL_BYTES];
    if (cp < BPE_DIRECT) return m->direct[place][cp];
    if (m->chars != NULL) return find_char(m, cp)->id;
    size_t len = ge_bpe_symbol(m, character, n, place, text);
    return len == 0 ? -1 : ge_vocab_find(m->vocab, text, len);
}

static void find_direct(struct bpe *m)
{
    char text[BPE_SYMBOL_BYTES], bytes[4];
    for (unsigned place = 0; place < 4; place++) {
        for (uint32_t cp = 0; cp < BPE_DIRECT; cp++) {
            size_t len = ge_bpe_symbol(m, bytes, ge_utf8_encode(cp, bytes), place, text);
            m->direct[place][cp] = len == 0 ? -1 : ge_vocab_find(m->vocab, text, len);
        }
    }
    ge_vocab_find_bytes(m->vocab, m->bytes);
}

/* All tokens of one character; without affixes its place does not matter. */
static ge_status find_chars(struct bpe *m)
{
    ge_status rc = GE_OK;
    const struct vocab *v = m->vocab;
    size_t n_chars = 0, n;
    if (m->prefix[0] != '\0' || m->suffix[0] != '\0') return GE_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < v->n; i++) {
            const char *text = v->pool + v->entries[i].text;
            size_t len = v->entries[i].len;
            if (len == 0 || len > 4) continue;
            uint32_t cp = ge_unicode_at(text, len, &n);
            if (n != len || cp < BPE_DIRECT) continue;
            n_chars++;
            if (pass == 0) continue;
            struct bpe_char *slot = (struct bpe_char *)find_char(m, cp);
            *slot = (struct bpe_char){.cp = cp, .id = v->entries[i].id};
        }
        if (pass == 1) break;
        m->n_char_slots = 16;
        while (m->n_char_slots < 2 * n_chars) m->n_char_slots *= 2;
        GE_NEW(m->chars, m->n_char_slots);
        for (size_t i = 0; i < m->n_char_slots; i++) {
            m->chars[i] = (struct bpe_char){.cp = UINT32_MAX, .id = -1};
        }
    }
done:
    return rc;
}

/* ---- joints ------------------------------------------------------------------------------- */

static uint32_t first_char(const struct vocab *v, int32_t id)
{
    size_t n;
    const char *text = ge_vocab_token(v, id);
    return text[0] == '\0' ? 0 : ge_unicode_at(text, strlen(text), &n);
}

static uint32_t last_char(const struct vocab *v, int32_t id)
{
    size_t n;
    const char *text = ge_vocab_token(v, id);
    size_t begin = strlen(text);
    if (begin == 0) return 0;
    do begin--;
    while (begin > 0 && ((unsigned char)text[begin] & 0xC0) == 0x80);
    return ge_unicode_at(text + begin, strlen(text + begin), &n);
}

static size_t far_slot(const uint64_t *table, size_t n_slots, uint64_t pair)
{
    size_t slot = ge_bpe_slot(pair, n_slots);
    while (table[slot] != UINT64_MAX && table[slot] != pair) slot = (slot + 1) & (n_slots - 1);
    return slot;
}

static ge_status add_far(struct bpe *m, uint64_t pair)
{
    ge_status rc = GE_OK;
    size_t slot = far_slot(m->far_joints, m->n_far_slots, pair);
    if (m->far_joints[slot] == pair) return GE_OK;
    m->far_joints[slot] = pair;
    if (2 * ++m->n_far < m->n_far_slots) return GE_OK;
    uint64_t *table = NULL;
    size_t n_slots = 2 * m->n_far_slots;
    GE_NEW(table, n_slots);
    memset(table, 0xFF, n_slots * sizeof *table);
    for (size_t i = 0; i < m->n_far_slots; i++) {
        if (m->far_joints[i] == UINT64_MAX) continue;
        table[far_slot(table, n_slots, m->far_joints[i])] = m->far_joints[i];
    }
    free(m->far_joints);
    m->far_joints = table;
    m->n_far_slots = n_slots;
done:
    return rc;
}

bool ge_bpe_joins(const struct bpe *m, uint32_t left, uint32_t right)
{
    if (left < BPE_DIRECT && right < BPE_DIRECT) {
        uint32_t bit = left * BPE_DIRECT + right;
        return (m->joints[bit / 64] >> bit % 64 & 1) != 0;
    }
    uint64_t pair = (uint64_t)left << 32 | right;
    return m->far_joints[far_slot(m->far_joints, m->n_far_slots, pair)] == pair;
}

/* A token's text is its parts' texts one after the other, so a merge across a place between two
 * characters joins tokens that end and begin with them. Not so with a continuing prefix. */
static ge_status find_joints(struct bpe *m)
{
    ge_status rc = GE_OK;
    if (m->prefix[0] != '\0' || m->suffix[0] != '\0') return GE_OK;
    GE_NEW(m->joints, BPE_DIRECT * BPE_DIRECT / 64);
    m->n_far_slots = 1024;
    GE_NEW(m->far_joints, m->n_far_slots);
    memset(m->far_joints, 0xFF, m->n_far_slots * sizeof *m->far_joints);
    for (size_t i = 0; i < m->n_slots; i++) {
        uint64_t pair = m->merges[i].pair;
        if (pair == UINT64_MAX) continue;
        uint32_t left = last_char(m->vocab, (int32_t)(pair >> 32)),
                 right = first_char(m->vocab, (int32_t)(uint32_t)pair);
        if (left < BPE_DIRECT && right < BPE_DIRECT) {
            uint32_t bit = left * BPE_DIRECT + right;
            m->joints[bit / 64] |= UINT64_C(1) << bit % 64;
        } else {
            GE_TRY(add_far(m, (uint64_t)left << 32 | right));
        }
    }
done:
    return rc;
}

ge_status ge_bpe_finish(struct bpe *m)
{
    ge_status rc = GE_OK;
    m->unk_id = m->unk == NULL ? -1 : ge_vocab_find(m->vocab, m->unk, strlen(m->unk));
    find_direct(m);
    GE_TRY(find_chars(m));
    GE_TRY(find_joints(m));
done:
    return rc;
}

void ge_bpe_free(struct bpe *m)
{
    free(m->suffix);
    free(m->prefix);
    free(m->unk);
    ge_trie_free(&m->frozen);
    free(m->merges);
    free(m->chars);
    free(m->joints);
    free(m->far_joints);
    memset(m, 0, sizeof *m);
}

void ge_bpe_hash(const struct bpe *m, struct ge_hasher *h)
{
    ge_hasher_add_str(h, m->prefix);
    ge_hasher_add_str(h, m->suffix);
    ge_hasher_add_str(h, m->unk);
    ge_hasher_add_u64(h, m->fuse_unk);
    ge_hasher_add_u64(h, m->ignore_merges);
    if (m->byte_fallback) ge_hasher_add_str(h, "byte_fallback");
    if (m->frozen.nodes != NULL) ge_hasher_add_u64(h, ge_trie_check(&m->frozen));
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
