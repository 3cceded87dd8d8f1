/* The singular of an English noun, by rules and lists of exceptions. Words that are compared both
 * go through it, so what matters is that the two numbers of a noun meet, and that two nouns do not.
 * Local to metric/. */
#ifndef GE_METRIC_NOUN_H
#define GE_METRIC_NOUN_H

#include <stddef.h>

#include "base/buf.h"

/* Append the singular of a word in lower case; the word itself when it does not look like a plural
 * ("bus", "dress", "sheep"). A possessive 's is dropped. */
void ge_noun_singular(const char *word, size_t len, struct ge_buf *out);

#endif
