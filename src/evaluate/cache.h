/* Embeddings that were computed in this process, by content: a bounded memory cache. Thread-safe.
 *
 * Key: encoder (its hash covers weights, preprocessing, tokenizer and device numerics), tower and
 * the hash of the input's bytes. A second map remembers the content hash of paths already read, so
 * that an image shared by many systems is neither read nor decoded again. */
#ifndef GE_EVALUATE_CACHE_H
#define GE_EVALUATE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/status.h"

struct ge_cache;

/* A cache of at most max_bytes of embeddings; least recently used ones go first. GE_ENOMEM. */
ge_status ge_cache_new(size_t max_bytes, struct ge_cache **cache);
void ge_cache_delete(struct ge_cache **cache); /* NULL is fine */

/* Copy the embedding of a key into out (dim floats); false if it is not there. cache may be NULL. */
bool ge_cache_get(struct ge_cache *cache, struct ge_hash key, float *out, size_t dim);

/* Keep an embedding. Failing to keep it (out of memory) is no error: it is a cache. */
void ge_cache_put(struct ge_cache *cache, struct ge_hash key, const float *v, size_t dim);

/* Content hash of a path read before; false if unknown. */
bool ge_cache_get_path(struct ge_cache *cache, const char *path, struct ge_hash *content);
void ge_cache_put_path(struct ge_cache *cache, const char *path, struct ge_hash content);

#endif
