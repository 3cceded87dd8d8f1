/* Sentences of a text. Local to metric/.
 *
 * A sentence ends after a run of . ! ? … (and the quotes and brackets that close behind it) before
 * white space or the text's end, after the terminators of CJK scripts wherever they stand, at a
 * blank line, and before a line that begins as a list item ("- ", "* ", "3. "). A point ends none
 * after a known abbreviation ("Mr.", "e.g."), a single capital letter but I ("J. Smith"), a number
 * that begins a line ("1. First"), or before a word in lower case. What holds no letter and no
 * digit is no sentence. Published checks use nltk's punkt, a trained model: numbers of sentences
 * may differ from theirs where an abbreviation is not listed here. */
#ifndef GE_METRIC_SENTENCE_H
#define GE_METRIC_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

/* A walk over the sentences of a text in valid UTF-8 (borrowed). Begin with pos = 0. */
struct ge_sentences {
    const char *text;
    size_t len, pos;
};

/* The next sentence, as bytes [*begin, *end) of the text without white space around it; false
 * after the last. Time is linear over the whole walk. */
bool ge_sentences_next(struct ge_sentences *s, size_t *begin, size_t *end);

/* Number of sentences. */
size_t ge_sentences_count(const char *text, size_t len);

#endif
