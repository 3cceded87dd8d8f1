#include "text/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ge_vocab_free(struct vocab *v)
{
    free(v->pool);
    free(v->entries);
    free(v->slots);
    free(v->by_id);
    memset(v, 0, sizeof *v);
}

/* The slot that holds the token, or the free one where it belongs. */
static size_t find_slot(const struct vocab *v, const char *token, size_t len)
{
    size_t mask = v->n_slots - 1;
    size_t slot = (size_t)ge_check64(token, len) & mask;
    while (v->slots[slot] != 0) {
        const struct vocab_entry *e = &v->entries[v->slots[slot] - 1];
        if (e->len == len && memcmp(v->pool + e->text, token, len) == 0) break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

/* Keep the table at most half full. */
static ge_status grow_slots(struct vocab *v)
{
    ge_status rc = GE_OK;
    if (2 * (v->n + 1) <= v->n_slots) return GE_OK;
    size_t n_slots = v->n_slots == 0 ? 1024 : 2 * v->n_slots;
    uint32_t *slots = NULL;
    GE_NEW(slots, n_slots);
    free(v->slots);
    v->slots = slots;
    v->n_slots = n_slots;
    for (size_t i = 0; i < v->n; i++) {
        const struct vocab_entry *e = &v->entries[i];
        v->slots[find_slot(v, v->pool + e->text, e->len)] = (uint32_t)i + 1;
    }
done:
    return rc;
}

static ge_status grow_ids(struct vocab *v, size_t id)
{
    ge_status rc = GE_OK;
    if (id >= v->ids_cap) {
        size_t cap = v->ids_cap == 0 ? 1024 : v->ids_cap;
        while (cap <= id) cap *= 2;
        GE_RESIZE(v->by_id, cap);
        memset(v->by_id + v->ids_cap, 0, (cap - v->ids_cap) * sizeof *v->by_id);
        v->ids_cap = cap;
    }
    if (id >= v->n_ids) v->n_ids = id + 1;
done:
    return rc;
}

static ge_status append(struct vocab *v, const char *token, size_t len, int32_t id)
{
    ge_status rc = GE_OK;
    size_t need;
    GE_TRY(ge_add(v->pool_len, len + 1, &need));
    if (need > v->pool_cap) {
        size_t cap = need < 4096 ? 8192 : 2 * need;
        GE_RESIZE(v->pool, cap);
        v->pool_cap = cap;
    }
    GE_GROW(v->entries, v->n, v->cap);
    v->entries[v->n] = (struct vocab_entry){.text = v->pool_len, .len = (uint32_t)len, .id = id};
    memcpy(v->pool + v->pool_len, token, len);
    v->pool[v->pool_len + len] = '\0';
    v->pool_len = need;
    v->n++;
done:
    return rc;
}

ge_status ge_vocab_add(struct vocab *v, const char *token, size_t len, int64_t id)
{
    ge_status rc = GE_OK;
    if (id < 0 || id > VOCAB_MAX_ID) {
        return ge_fail(GE_EFORMAT, "token \"%.64s\" has id %lld, wanted 0…%d", token, (long long)id,
                       VOCAB_MAX_ID);
    }
    if (len > UINT32_MAX / 2 || memchr(token, '\0', len) != NULL) {
        return ge_fail(GE_EFORMAT, "the token with id %lld is too long or holds a NUL",
                       (long long)id);
    }
    const char *other = ge_vocab_token(v, (int32_t)id);
    if (other != NULL && (strlen(other) != len || memcmp(other, token, len) != 0)) {
        return ge_fail(GE_EFORMAT, "id %lld belongs to two tokens, \"%.64s\" and \"%.64s\"",
                       (long long)id, other, token);
    }
    GE_TRY(grow_slots(v));
    size_t slot = find_slot(v, token, len);
    GE_TRY(grow_ids(v, (size_t)id));
    if (v->slots[slot] == 0) {
        GE_TRY(append(v, token, len, (int32_t)id));
        v->slots[slot] = (uint32_t)v->n;
    } else {
        struct vocab_entry *e = &v->entries[v->slots[slot] - 1];
        if (!v->keep_ids) v->by_id[e->id] = 0;
        e->id = (int32_t)id;
    }
    v->by_id[id] = v->slots[slot];
done:
    return rc;
}

int32_t ge_vocab_find(const struct vocab *v, const char *token, size_t len)
{
    if (v->n == 0) return -1;
    size_t slot = find_slot(v, token, len);
    return v->slots[slot] == 0 ? -1 : v->entries[v->slots[slot] - 1].id;
}

const char *ge_vocab_token(const struct vocab *v, int32_t id)
{
    if (id < 0 || (size_t)id >= v->n_ids || v->by_id[id] == 0) return NULL;
    return v->pool + v->entries[v->by_id[id] - 1].text;
}

void ge_vocab_find_bytes(const struct vocab *v, int32_t out[256])
{
    char text[8];
    for (unsigned byte = 0; byte < 256; byte++) {
        snprintf(text, sizeof text, "<0x%02X>", byte);
        out[byte] = ge_vocab_find(v, text, strlen(text));
    }
}

void ge_vocab_hash(const struct vocab *v, struct ge_hasher *h)
{
    ge_hasher_add_u64(h, v->n);
    for (size_t id = 0; id < v->n_ids; id++) {
        const char *token = ge_vocab_token(v, (int32_t)id);
        if (token == NULL) continue;
        ge_hasher_add_u64(h, id);
        ge_hasher_add_str(h, token);
    }
}
