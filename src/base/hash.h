/* Content hashes and frame checksums: XXH3 (libxxhash), 128 bits for identity, 64 for framing.
 * Sole user of xxhash.h. Not cryptographic: it protects against accidents, not against someone
 * who crafts collisions. Local; thread-safe. */
#ifndef GE_BASE_HASH_H
#define GE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_hash {
    uint64_t hi, lo;
};

enum { GE_HASH_HEX = 33 }; /* 32 hex digits and NUL */

struct ge_hash ge_hash_bytes(const void *data, size_t len);
uint64_t ge_check64(const void *data, size_t len); /* frame checksum */
int ge_hash_equal(struct ge_hash a, struct ge_hash b);
int ge_hash_is_zero(struct ge_hash a);
int ge_hash_compare(struct ge_hash a, struct ge_hash b); /* -1, 0, 1 by value */
void ge_hash_hex(struct ge_hash h, char out[GE_HASH_HEX]);
ge_status ge_hash_parse(const char *hex, struct ge_hash *out); /* GE_EFORMAT if not 32 hex digits */

/* Streaming. Strings are hashed with their length, so that ("ab","c") and ("a","bc") differ. */
struct ge_hasher;
struct ge_hasher *ge_hasher_new(void); /* NULL when out of memory */
void ge_hasher_delete(struct ge_hasher **h);
void ge_hasher_add(struct ge_hasher *h, const void *data, size_t len);
void ge_hasher_add_u64(struct ge_hasher *h, uint64_t v);
void ge_hasher_add_f64(struct ge_hasher *h, double v);      /* bits; every NaN counts as one NaN */
void ge_hasher_add_str(struct ge_hasher *h, const char *s); /* NULL differs from "" */
struct ge_hash ge_hasher_get(const struct ge_hasher *h);

/* Hash of a file's content, read in blocks. GE_ENOENT, GE_EIO. */
ge_status ge_hash_file(const char *path, struct ge_hash *out);

/* Append the library's name and version, as found now and as compiled with. */
struct ge_buf;
void ge_hash_library(struct ge_buf *out);

#endif
