/* One table of byte values under 128-bit keys with a least-recently-used list.
 *
 *   buckets[hash] ─► entry ─► entry …      newest ⇄ … ⇄ oldest (evicted first)
 */
#include "evaluate/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    struct ge_hash key;
    struct entry *next_in_bucket;
    struct entry *newer, *older;
    size_t size;
    unsigned char data[];
};

struct ge_cache {
    pthread_mutex_t lock;
    struct entry **buckets;
    size_t n_buckets, n_entries; /* n_buckets: a power of two */
    struct entry *newest, *oldest;
    size_t bytes, max_bytes;
};

enum { FIRST_BUCKETS = 1024 };

ge_status ge_cache_new(size_t max_bytes, struct ge_cache **cache)
{
    ge_status rc = GE_OK;
    struct ge_cache *c;
    GE_NEW(c, 1);
    c->max_bytes = max_bytes;
    c->n_buckets = FIRST_BUCKETS;
    pthread_mutex_init(&c->lock, NULL);
    *cache = c;
    GE_NEW(c->buckets, c->n_buckets);
done:
    if (rc != GE_OK && c != NULL) ge_cache_delete(cache);
    return rc;
}

void ge_cache_delete(struct ge_cache **cache)
{
    if (cache == NULL || *cache == NULL) return;
    struct ge_cache *c = *cache;
    *cache = NULL;
    for (struct entry *e = c->newest, *older; e != NULL; e = older) {
        older = e->older;
        free(e);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->buckets);
    free(c);
}

/* ---- list and table, with the lock held ----------------------------------------------------- */

static struct entry **slot(struct ge_cache *c, struct ge_hash key)
{
    struct entry **p = &c->buckets[key.lo & (c->n_buckets - 1)];
    while (*p != NULL && !ge_hash_equal((*p)->key, key)) p = &(*p)->next_in_bucket;
    return p;
}

static void unlink_entry(struct ge_cache *c, struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct ge_cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void evict(struct ge_cache *c, struct entry *e)
{
    *slot(c, e->key) = e->next_in_bucket;
    unlink_entry(c, e);
    c->bytes -= sizeof *e + e->size;
    c->n_entries--;
    free(e);
}

/* Twice the buckets; without memory for them the chains just grow. */
static void grow(struct ge_cache *c)
{
    size_t n = 2 * c->n_buckets;
    struct entry **buckets = ge_calloc(n, sizeof *buckets);
    if (buckets == NULL) return;
    free(c->buckets);
    c->buckets = buckets;
    c->n_buckets = n;
    for (struct entry *e = c->newest; e != NULL; e = e->older) {
        struct entry **bucket = &buckets[e->key.lo & (n - 1)];
        e->next_in_bucket = *bucket;
        *bucket = e;
    }
}

static bool get(struct ge_cache *c, struct ge_hash key, void *out, size_t size)
{
    if (c == NULL) return false;
    pthread_mutex_lock(&c->lock);
    struct entry *e = *slot(c, key);
    bool found = e != NULL && e->size == size;
    if (found) {
        memcpy(out, e->data, size);
        unlink_entry(c, e);
        link_newest(c, e);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void put(struct ge_cache *c, struct ge_hash key, const void *data, size_t size)
{
    if (c == NULL || size + sizeof(struct entry) > c->max_bytes) return;
    struct entry *e = ge_calloc(1, sizeof *e + size);
    if (e == NULL) return;
    e->key = key;
    e->size = size;
    memcpy(e->data, data, size);
    pthread_mutex_lock(&c->lock);
    struct entry **p = slot(c, key);
    if (*p != NULL) {
        free(e);
    } else {
        *p = e;
        link_newest(c, e);
        c->bytes += sizeof *e + size;
        c->n_entries++;
        while (c->bytes > c->max_bytes) evict(c, c->oldest);
        if (c->n_entries > c->n_buckets) grow(c);
    }
    pthread_mutex_unlock(&c->lock);
}

/* ---- the two maps ---------------------------------------------------------------------------- */

bool ge_cache_get(struct ge_cache *cache, struct ge_hash key, float *out, size_t dim)
{
    return get(cache, key, out, dim * sizeof *out);
}

void ge_cache_put(struct ge_cache *cache, struct ge_hash key, const float *v, size_t dim)
{
    put(cache, key, v, dim * sizeof *v);
}

/* A path's key is kept apart from embedding keys by a prefix that no embedding key is made with. */
static struct ge_hash path_key(const char *path)
{
    struct ge_hash h = ge_hash_bytes(path, strlen(path));
    h.hi ^= UINT64_C(0x70617468); /* "path" */
    return h;
}

bool ge_cache_get_path(struct ge_cache *cache, const char *path, struct ge_hash *content)
{
    return get(cache, path_key(path), content, sizeof *content);
}

void ge_cache_put_path(struct ge_cache *cache, const char *path, struct ge_hash content)
{
    put(cache, path_key(path), &content, sizeof content);
}
