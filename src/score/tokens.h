/* A text as words with their place, for matchers that must see what stands between words: "(B)",
 * "circles: 3, squares: 2". Local to score/. */
#ifndef GE_SCORE_TOKENS_H
#define GE_SCORE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

struct ge_token {
    const char *word;  /* lower case; a number's shortest decimal text */
    size_t begin, end; /* bytes of the text */
    bool number;       /* a number, in digits or words; compound ones are one token */
    double value;
    bool breaks; /* a clause ends before it: . , ; ! ? or a line's end */
};

struct ge_tokens {
    const char *text; /* borrowed */
    struct ge_token *v;
    size_t n;
};

/* Split a text; the tokens live in the arena, the text must outlive them. Time is linear.
 * GE_ENOMEM, GE_ELIMIT (a word beyond 1 MiB). */
ge_status ge_tokens_make(const char *text, struct ge_arena *arena, struct ge_tokens *out);

/* Whether token i is there and this word, or one of a NULL-terminated list. Negative i: no. */
bool ge_token_is(const struct ge_tokens *t, ptrdiff_t i, const char *word);
bool ge_token_in(const struct ge_tokens *t, ptrdiff_t i, const char *const *words);

/* Whether token i turns what follows into its opposite: not, never, isn't, … */
bool ge_token_negates(const struct ge_tokens *t, ptrdiff_t i);

/* Whether one of the characters of `set` stands between token i and the one before it. */
bool ge_token_after_any(const struct ge_tokens *t, ptrdiff_t i, const char *set);

#endif
