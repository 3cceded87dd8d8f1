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
#include "text/vocab.h"

struct added_token {
    char *content;       /* owned by the list */
    bool single_word;    /* only where no word character touches it */
    bool lstrip, rstrip; /* takes the white space beside it with it */
    bool normalized;
    bool special; /* decoding can leave it out */
    int32_t id;
    char *shown;  /* what decoding makes of it: the normalized form; NULL: the content; owned */
    bool skipped; /* decoding leaves it out when it is asked to */
};

/* Tokens that are looked for in one of the two texts. */
struct added_patterns {
    struct trie trie; /* values are indices of tokens */
    bool starts[256]; /* bytes that a token begins with */
    int only;         /* the one such byte, or -1 */
};

struct added {
    struct added_token *tokens;
    size_t n, cap;
    int32_t end_id;      /* highest id + 1 */
    struct vocab index;  /* content to index of tokens */
    uint32_t *by_id;     /* indices of tokens in order of ids */
    bool ignore_special; /* special tokens in a text are text */
    struct added_patterns raw, normalized;
};

/* Add a token (content is copied), or set the properties of one that is there; its id stays, and
 * once special is always special. Empty content is passed over. GE_ELIMIT: too many. GE_ENOMEM. */
ge_status ge_added_put(struct added *a, const struct added_token *token);
const struct added_token *ge_added_find(const struct added *a, const char *content); /* or NULL */
const struct added_token *ge_added_find_id(const struct added *a, int32_t id);       /* or NULL */

/* Build the tries and the ids' index. Errors of the normalizer. */
ge_status ge_added_finish(struct added *a, const struct normalizer *normalizer);
void ge_added_free(struct added *a); /* a zeroed list is empty and fine */

struct added_match {
    size_t begin, end; /* bytes, with the white space that it takes */
    int32_t id;
    bool special;
};

/* Place of a search in one text. */
struct added_search {
    size_t pos;    /* where to look next */
    size_t done;   /* end of the match before */
    size_t spaces; /* end of the white space that a match took last */
};

/* The next match of a raw (normalized = false) or normalized token, or false. */
bool ge_added_next(const struct added *a, bool normalized, const char *text, size_t len,
                   struct added_search *at, struct added_match *match);

void ge_added_hash(const struct added *a, struct ge_hasher *h);

#endif
