/* A text as plain words: what checks of descriptions compare. Local to metric/.
 *
 * Words as text/words.h has them, in lower case and composed form, nouns in the singular (noun.h),
 * numbers as digits, articles left out. English where a rule needs a language. */
#ifndef GE_METRIC_PLAIN_H
#define GE_METRIC_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_plain_word {
    const char *text; /* NUL-terminated, in ge_plain.chars */
    size_t sentence;  /* number of its sentence (sentence.h), from 0 */
    bool denied;      /* a negating word reaches it */
    bool negates;     /* it is one itself */
};

struct ge_plain {
    char *chars;             /* owned */
    struct ge_plain_word *v; /* owned, (n) */
    size_t n;
};

/* Split a text; bytes that are not UTF-8 count as U+FFFD, a word beyond 1 MiB is left out. A
 * negating word (not, no, without, isn't, …) reaches the three words after it, up to a comma,
 * semicolon, colon, dash, bracket, "but" or the sentence's end; "not only" denies nothing. Time is
 * linear. Free with ge_plain_free(). GE_ENOMEM, GE_ELIMIT (512 MiB). */
ge_status ge_plain_init(struct ge_plain *p, const char *text);
void ge_plain_free(struct ge_plain *p); /* a zeroed one is fine */

/* Whether a word only joins others: a pronoun, an auxiliary, a conjunction, one of the prepositions
 * that place nothing (of, in, on, at, to, for, with, by, from). */
bool ge_plain_joins(const char *word);

#endif
