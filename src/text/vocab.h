/* Vocabulary: token strings and their ids, looked up both ways. Used by the tokenizer's parts.
 * Local; read-only use is thread-safe. */
#ifndef GE_TEXT_VOCAB_H
#define GE_TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

/* Ids above this are taken for a broken file: the largest published vocabularies have a quarter of
 * it. */
enum { VOCAB_MAX_ID = (1 << 22) - 1 };

struct vocab_entry {
    size_t text; /* offset in the pool; NUL-terminated there */
    uint32_t len;
    int32_t id;
};

struct vocab {
    char *pool; /* all strings */
    size_t pool_len, pool_cap;
    struct vocab_entry *entries; /* in order of insertion */
    size_t n, cap;
    uint32_t *slots; /* entry + 1 by hash of the string, 0 = free; n_slots is a power of two */
    size_t n_slots;
    uint32_t *by_id;       /* entry + 1 by id, 0 = none */
    size_t n_ids, ids_cap; /* n_ids: highest id + 1 */
    bool keep_ids;         /* a token that gets a new id is still found under the old one */
};

void ge_vocab_free(struct vocab *v); /* a zeroed vocabulary is empty and valid */

/* Add a token, or give a known one a new id (the last one counts, as where a list of lines holds a
 * token twice). GE_EFORMAT: negative id, id beyond VOCAB_MAX_ID, NUL in the token, or another token
 * has the id. GE_ENOMEM. */
ge_status ge_vocab_add(struct vocab *v, const char *token, size_t len, int64_t id);

int32_t ge_vocab_find(const struct vocab *v, const char *token, size_t len); /* id or -1 */
const char *ge_vocab_token(const struct vocab *v, int32_t id);               /* borrowed or NULL */

/* Ids of the tokens <0x00> to <0xFF>, each -1 if it is not there. */
void ge_vocab_find_bytes(const struct vocab *v, int32_t out[256]);

/* Hash in tokens and ids by ascending id. */
void ge_vocab_hash(const struct vocab *v, struct ge_hasher *h);

#endif
