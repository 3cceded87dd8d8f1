/* Open addressing with linear probing, at most three quarters full. */
#include "dataset/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct slot {
    const char *key; /* NULL: free */
    uint64_t hash;
    uint32_t value;
};

struct ge_dataset_index {
    struct slot *slots;
    size_t size, n; /* size is a power of two */
};

enum { FIRST_SIZE = 64 };

struct ge_dataset_index *ge_index_new(void)
{
    struct ge_dataset_index *x = ge_calloc(1, sizeof *x);
    if (x == NULL) return NULL;
    x->size = FIRST_SIZE;
    x->slots = ge_calloc(x->size, sizeof *x->slots);
    if (x->slots == NULL) ge_index_delete(&x);
    return x;
}

void ge_index_delete(struct ge_dataset_index **x)
{
    if (*x == NULL) return;
    free((*x)->slots);
    free(*x);
    *x = NULL;
}

/* The key's slot, or the free one where it belongs. */
static struct slot *probe(struct slot *slots, size_t size, const char *key, uint64_t hash)
{
    size_t i = hash & (size - 1);
    while (slots[i].key != NULL && (slots[i].hash != hash || strcmp(slots[i].key, key) != 0)) {
        i = (i + 1) & (size - 1);
    }
    return &slots[i];
}

static ge_status grow(struct ge_dataset_index *x)
{
    ge_status rc = GE_OK;
    struct slot *slots;
    size_t size;
    GE_TRY(ge_mul(x->size, 2, &size));
    GE_NEW(slots, size);
    for (size_t i = 0; i < x->size; i++) {
        const struct slot *s = &x->slots[i];
        if (s->key != NULL) *probe(slots, size, s->key, s->hash) = *s;
    }
    free(x->slots);
    x->slots = slots;
    x->size = size;
done:
    return rc;
}

static uint64_t hash_of(const char *key)
{
    return ge_check64(key, strlen(key));
}

ge_status ge_index_add(struct ge_dataset_index *x, const char *key, uint32_t value, bool *fresh)
{
    ge_status rc = GE_OK;
    uint64_t hash = hash_of(key);
    if (x->n >= x->size / 4 * 3) GE_TRY(grow(x));
    struct slot *s = probe(x->slots, x->size, key, hash);
    *fresh = s->key == NULL;
    if (*fresh) {
        *s = (struct slot){.key = key, .hash = hash, .value = value};
        x->n++;
    }
done:
    return rc;
}

uint32_t *ge_index_find(const struct ge_dataset_index *x, const char *key)
{
    struct slot *s = probe(x->slots, x->size, key, hash_of(key));
    return s->key != NULL ? &s->value : NULL;
}
