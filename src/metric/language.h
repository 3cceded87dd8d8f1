/* Whether a text is in a language, by script and by its commonest words. Deterministic.
 *
 * The script of most of the text's letters decides first (an ideograph, a kana or a syllable of
 * Hangul counts as three letters, as it says about as much). Where several languages of the list
 * share that script, the one whose stop words make up most of the words is the text's; those of
 * equal number all are. A text without letters, or without any of these stop words, is too short to
 * tell: it passes when its script fits, as published checks let pass what their classifier cannot
 * decide. Languages outside the list are taken for the nearest one in it. Local to metric/. */
#ifndef GE_METRIC_LANGUAGE_H
#define GE_METRIC_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The codes (ISO 639-1) with commas between, for messages. */
extern const char GE_LANGUAGES[];

/* Number of a code's language; -1 if it is not in the list. */
int ge_language_find(const char *code);

/* Whether the text (valid UTF-8, composed) is in a language. GE_ENOMEM. */
ge_status ge_language_is(const char *text, size_t len, int language, bool *is);

#endif
