/* Encoding with BPE. Where no merge joins the characters on both sides of a place, the word falls
 * apart there, so a whole text becomes many short stretches, whose ids are remembered. */
#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/bpe_merge.h"
#include "text/unicode.h"

/* ---- symbols ------------------------------------------------------------------------------ */

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

/* The bytes of an unknown character; *done = false: not all of them are in the vocabulary. */
static ge_status add_bytes(const struct bpe *m, const char *character, size_t n, unsigned place,
                           struct bpe_scratch *s, bool *done)
{
    ge_status rc = GE_OK;
    char text[BPE_SYMBOL_BYTES];
    size_t len = ge_bpe_symbol(m, character, n, place, text);
    *done = m->byte_fallback && len > 0;
    for (size_t i = 0; i < len && *done; i++) *done = m->bytes[(unsigned char)text[i]] >= 0;
    for (size_t i = 0; i < len && *done; i++) {
        GE_TRY(add_symbol(s, m->bytes[(unsigned char)text[i]]));
    }
done:
    return rc;
}

/* One symbol for each character of text[begin, end). An unknown one waits until the next known one,
 * and byte symbols overtake it: that is the reference's order. */
static ge_status split_symbols(const struct bpe *m, const char *word, size_t len, size_t begin,
                               size_t end, struct bpe_scratch *s)
{
    ge_status rc = GE_OK;
    bool waiting = false, done;
    size_t n;
    s->n = 0;
    for (size_t i = begin; i < end; i += n) {
        uint32_t cp = ge_unicode_at(word + i, len - i, &n);
        unsigned place = (i == 0 ? BPE_FIRST : BPE_INNER) | (i + n == len ? BPE_LAST : BPE_INNER);
        int32_t id = ge_bpe_find_symbol(m, word + i, n, cp, place);
        if (id >= 0) {
            if (waiting) GE_TRY(add_symbol(s, m->unk_id));
            waiting = false;
            GE_TRY(add_symbol(s, id));
            continue;
        }
        GE_TRY(add_bytes(m, word + i, n, place, s, &done));
        if (done || m->unk == NULL) continue;
        if (m->unk_id < 0) {
            return ge_fail(GE_EFORMAT,
                           "\"%.*s\" is not in the vocabulary, and the unknown token \"%.64s\" is "
                           "not either",
                           (int)n, word + i, m->unk);
        }
        if (waiting && !m->fuse_unk) GE_TRY(add_symbol(s, m->unk_id));
        waiting = true;
    }
    if (waiting) GE_TRY(add_symbol(s, m->unk_id));
done:
    return rc;
}

/* ---- remembered stretches ----------------------------------------------------------------- */

static ge_status open_cache(const struct bpe *m, struct bpe_scratch *s)
{
    ge_status rc = GE_OK;
    if (s->identity == m->identity) return GE_OK;
    if (s->cache == NULL) GE_NEW(s->cache, BPE_CACHE_SLOTS);
    for (size_t i = 0; i < BPE_CACHE_SLOTS; i++) s->cache[i].len = 0;
    s->identity = m->identity;
done:
    return rc;
}

static struct bpe_cached *cached(const struct bpe *m, struct bpe_scratch *s, const char *text,
                                 size_t len)
{
    if (m->identity == 0 || len == 0 || len > BPE_CACHE_BYTES) return NULL;
    return &s->cache[ge_check64(text, len) % BPE_CACHE_SLOTS];
}

static void remember(const struct bpe_scratch *s, const char *text, size_t len,
                     struct bpe_cached *slot)
{
    size_t n = 0;
    for (uint32_t i = s->n > 0 ? 0 : BPE_NONE; i != BPE_NONE; i = s->symbols[i].next) {
        if (n == BPE_CACHE_IDS) {
            slot->len = 0;
            return;
        }
        slot->ids[n++] = s->symbols[i].id;
    }
    memcpy(slot->text, text, len);
    slot->len = (unsigned char)len;
    slot->n = (unsigned char)n;
}

/* ---- encoding ----------------------------------------------------------------------------- */

/* word[begin, end), which no merge leaves. */
static ge_status encode_stretch(const struct bpe *m, const char *word, size_t len, size_t begin,
                                size_t end, struct bpe_scratch *s, struct ids *ids)
{
    ge_status rc = GE_OK;
    struct bpe_cached *slot = cached(m, s, word + begin, end - begin);
    if (slot != NULL && slot->len == end - begin &&
        memcmp(slot->text, word + begin, end - begin) == 0) {
        for (size_t i = 0; i < slot->n && !ids->full; i++) GE_TRY(ge_ids_add(ids, slot->ids[i]));
        return GE_OK;
    }
    GE_TRY(split_symbols(m, word, len, begin, end, s));
    GE_TRY(ge_bpe_merge_word(m, s));
    if (slot != NULL) remember(s, word + begin, end - begin, slot);
    for (uint32_t i = s->n > 0 ? 0 : BPE_NONE; i != BPE_NONE && !ids->full;
         i = s->symbols[i].next) {
        GE_TRY(ge_ids_add(ids, s->symbols[i].id));
    }
done:
    return rc;
}

/* Characters at the ends of the symbols of one character: those of its token, or of its bytes'
 * tokens. False: unknown, and to be left beside its neighbours. */
static bool ends_of(const struct bpe *m, const char *character, size_t n, uint32_t cp,
                    uint32_t *first, uint32_t *last)
{
    *first = *last = cp;
    if (ge_bpe_find_symbol(m, character, n, cp, BPE_INNER) >= 0) return true;
    *first = '<';
    *last = '>';
    for (size_t i = 0; i < n; i++) {
        if (!m->byte_fallback || m->bytes[(unsigned char)character[i]] < 0) return false;
    }
    return true;
}

/* A long word without affixes, stretch by stretch. */
static ge_status encode_long(const struct bpe *m, const char *word, size_t len,
                             struct bpe_scratch *s, struct ids *ids)
{
    ge_status rc = GE_OK;
    size_t begin = 0, n, frozen;
    uint32_t first, last, last_before = 0;
    bool known, known_before = false;
    for (size_t i = 0; i < len && !ids->full; i += n) {
        int32_t id = ge_trie_longest(&m->frozen, word + i, len - i, &frozen);
        if (id >= 0) {
            GE_TRY(encode_stretch(m, word, len, begin, i, s, ids));
            if (!ids->full) GE_TRY(ge_ids_add(ids, id));
            n = frozen;
            begin = i + n;
            known_before = false;
            continue;
        }
        uint32_t cp = ge_unicode_at(word + i, len - i, &n);
        known = ends_of(m, word + i, n, cp, &first, &last);
        if (known && known_before && !ge_bpe_joins(m, last_before, first)) {
            GE_TRY(encode_stretch(m, word, len, begin, i, s, ids));
            begin = i;
        }
        known_before = known;
        last_before = last;
    }
    if (!ids->full) GE_TRY(encode_stretch(m, word, len, begin, len, s, ids));
done:
    return rc;
}

ge_status ge_bpe_encode(const struct bpe *m, const char *word, size_t len,
                        struct bpe_scratch **scratch, struct ids *ids)
{
    ge_status rc = GE_OK;
    if (len == 0) return GE_OK;
    if (len >= BPE_NONE / 4) return ge_fail(GE_ELIMIT, "a word of %zu bytes is too long", len);
    if (m->ignore_merges) {
        int32_t whole = ge_vocab_find(m->vocab, word, len);
        if (whole >= 0) return ge_ids_add(ids, whole);
    }
    if (*scratch == NULL) GE_NEW(*scratch, 1);
    struct bpe_scratch *s = *scratch;
    GE_TRY(open_cache(m, s));
    if (m->joints != NULL && (len > BPE_CACHE_BYTES || m->frozen.nodes != NULL)) {
        GE_TRY(encode_long(m, word, len, s, ids));
    } else {
        GE_TRY(encode_stretch(m, word, len, 0, len, s, ids));
    }
done:
    return rc;
}

void ge_bpe_scratch_delete(struct bpe_scratch **scratch)
{
    struct bpe_scratch *s = *scratch;
    if (s == NULL) return;
    free(s->symbols);
    free(s->cache);
    free(s->entries);
    free(s->head);
    free(s->tail);
    free(s->ranks);
    free(s->late);
    free(s);
    *scratch = NULL;
}
