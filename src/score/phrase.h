/* A text as normalised words: what the matchers compare. Local to score/. */
#ifndef GE_SCORE_PHRASE_H
#define GE_SCORE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct ge_phrase {
    char *text;         /* owned; the words, NUL-terminated one after another */
    const char **words; /* (n), into text */
    size_t n;
};

/* Normalise (GE_WORDS_ANSWER) and split at spaces. GE_ENOMEM. */
ge_status ge_phrase_init(struct ge_phrase *p, const char *text);
void ge_phrase_free(struct ge_phrase *p);

bool ge_phrase_equal(const struct ge_phrase *a, const struct ge_phrase *b); /* and not empty */

/* Whether the words of `part` (at least one) stand in `whole` from word `at` on. */
bool ge_phrase_at(const struct ge_phrase *whole, size_t at, const struct ge_phrase *part);

#endif
