/* Precompiled character maps: SentencePiece's normalization rules as a double-array trie over bytes
 * and the replacements. Found in sentencepiece models and, as base64, in tokenizer.json. Used by
 * normalizers. Local; read-only after loading. */
#ifndef GE_TEXT_CHARSMAP_H
#define GE_TEXT_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct charsmap {
    uint32_t *units; /* the trie, owned; NULL: an empty map */
    size_t n_units;
    char *texts;      /* NUL-terminated replacements one after the other, owned */
    size_t texts_len; /* with the last NUL */
    bool ascii[128];  /* whether a rule begins with the character */
};

/* Read the binary form: u32 size of the trie in bytes, the trie's u32 units, the replacements; all
 * little-endian. Every offset in it is checked here, so that looking up needs no more checks.
 * GE_EFORMAT, GE_ELIMIT (beyond 64 MiB), GE_ENOMEM. */
ge_status ge_charsmap_read(struct charsmap *m, const void *data, size_t len);
ge_status ge_charsmap_read_base64(struct charsmap *m, const char *text);
void ge_charsmap_free(struct charsmap *m); /* a zeroed map is empty and fine */

/* Replacement (NUL-terminated, borrowed) for a beginning of s, whose length is *match; NULL: no
 * rule fits. The longest rule counts, or the shortest one. */
const char *ge_charsmap_longest(const struct charsmap *m, const char *s, size_t len, size_t *match);
const char *ge_charsmap_shortest(const struct charsmap *m, const char *s, size_t len,
                                 size_t *match);

#endif
