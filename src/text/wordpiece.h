/* WordPiece: the longest piece from the left, again and again; pieces after the first one carry a
 * prefix ("##"). A word with a rest that no piece fits is one unknown token. Used by the tokenizer.
 * Local; read-only after ge_wordpiece_finish(). */
#ifndef GE_TEXT_WORDPIECE_H
#define GE_TEXT_WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "text/ids.h"
#include "text/trie.h"
#include "text/vocab.h"

struct wordpiece {
    const struct vocab *vocab; /* borrowed */
    char *prefix;              /* owned */
    char *unk;                 /* owned */
    int32_t unk_id;
    size_t max_chars; /* a longer word is unknown */
    struct trie first, following;
};

/* After the settings: build the tries. GE_EFORMAT: the unknown token is not in the vocabulary.
 * GE_ENOMEM, GE_ELIMIT. */
ge_status ge_wordpiece_finish(struct wordpiece *m);
void ge_wordpiece_free(struct wordpiece *m); /* a zeroed model is fine */

ge_status ge_wordpiece_encode(const struct wordpiece *m, const char *word, size_t len,
                              struct ids *ids);

void ge_wordpiece_hash(const struct wordpiece *m, struct ge_hasher *h); /* settings */

#endif
