#include "text/wordpiece.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

ge_status ge_wordpiece_finish(struct wordpiece *m)
{
    ge_status rc = GE_OK;
    const struct vocab *v = m->vocab;
    struct trie_key *keys = NULL;
    size_t skip = strlen(m->prefix), n = 0;
    m->unk_id = ge_vocab_find(v, m->unk, strlen(m->unk));
    if (m->unk_id < 0) {
        return ge_fail(GE_EFORMAT, "the unknown token \"%.64s\" is not in the vocabulary", m->unk);
    }
    GE_NEW(keys, v->n);
    for (size_t i = 0; i < v->n; i++) {
        const struct vocab_entry *e = &v->entries[i];
        keys[i] = (struct trie_key){.text = v->pool + e->text, .len = e->len, .value = e->id};
    }
    GE_TRY(ge_trie_build(&m->first, keys, v->n));
    for (size_t i = 0; i < v->n; i++) {
        const struct vocab_entry *e = &v->entries[i];
        const char *text = v->pool + e->text;
        if (e->len <= skip || memcmp(text, m->prefix, skip) != 0) continue;
        keys[n++] = (struct trie_key){.text = text + skip, .len = e->len - skip, .value = e->id};
    }
    GE_TRY(ge_trie_build(&m->following, keys, n));
done:
    free(keys);
    return rc;
}

void ge_wordpiece_free(struct wordpiece *m)
{
    free(m->prefix);
    free(m->unk);
    ge_trie_free(&m->first);
    ge_trie_free(&m->following);
    memset(m, 0, sizeof *m);
}

static size_t count_chars(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) n += ((unsigned char)s[i] & 0xC0) != 0x80;
    return n;
}

ge_status ge_wordpiece_encode(const struct wordpiece *m, const char *word, size_t len,
                              struct ids *ids)
{
    ge_status rc = GE_OK;
    size_t match;
    if (len == 0) return GE_OK;
    if (count_chars(word, len) > m->max_chars) return ge_ids_add(ids, m->unk_id);

    /* The whole word must fit before the first piece counts. */
    for (size_t i = 0; i < len; i += match) {
        if (ge_trie_longest(i == 0 ? &m->first : &m->following, word + i, len - i, &match) < 0) {
            return ge_ids_add(ids, m->unk_id);
        }
    }
    for (size_t i = 0; i < len; i += match) {
        int32_t id = ge_trie_longest(i == 0 ? &m->first : &m->following, word + i, len - i, &match);
        GE_TRY(ge_ids_add(ids, id));
    }
done:
    return rc;
}

void ge_wordpiece_hash(const struct wordpiece *m, struct ge_hasher *h)
{
    ge_hasher_add_str(h, m->prefix);
    ge_hasher_add_str(h, m->unk);
    ge_hasher_add_u64(h, m->max_chars);
}
