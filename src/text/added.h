/* Added tokens: strings that are recognised in a text before the model sees it (specials and what
 * was added after training). One that is not `normalized` is looked for in the raw text, the others
 * in the normalized text in their normalized form; leftmost first, then longest. Used by the
 * tokenizer. Local; read-only after ge_added_finish(). */
#ifndef GE_TEXT_ADDED_H
#define GE_TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "text/normalizer.h"
#include "text/trie.h"

struct added_token {
    char *content;       /* owned by the list */
    bool single_word;    /* only where no word character touches it */
    bool lstrip, rstrip; /* takes the white space beside it with it */
    bool normalized;
    int32_t id;
};

struct added {
    struct added_token *tokens;
    size_t n, cap;
    struct trie raw, normalized; /* values are indices of tokens */
};

/* Add a token (content is copied), or set the properties of one that is there; its id stays. Empty
 * content is passed over. GE_ELIMIT: too many. GE_ENOMEM. */
ge_status ge_added_put(struct added *a, const struct added_token *token);
const struct added_token *ge_added_find(const struct added *a, const char *content); /* or NULL */

/* Build the tries. Errors of the normalizer. */
ge_status ge_added_finish(struct added *a, const struct normalizer *normalizer);
void ge_added_free(struct added *a); /* a zeroed list is empty and fine */

struct added_match {
    size_t begin, end; /* bytes, with the white space that it takes */
    int32_t id;
};

/* Place of a search in one text. */
struct added_search {
    size_t pos;  /* where to look next */
    size_t done; /* end of the match before */
};

/* The next match of a raw (normalized = false) or normalized token, or false. */
bool ge_added_next(const struct added *a, bool normalized, const char *text, size_t len,
                   struct added_search *at, struct added_match *match);

void ge_added_hash(const struct added *a, struct ge_hasher *h);

#endif
