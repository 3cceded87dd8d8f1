/* Words and numbers in a text: what answer matching needs before it compares anything.
 *
 * Pure text, no model: normal form, words with their place, number words, numbers. Used by the
 * matchers of src/score and by metrics over words. Not here: model tokenizers (tokenizer.h) and the
 * rules that decide whether an answer is right. English number words only. A byte that is not part
 * of valid UTF-8 counts as U+FFFD. Nothing depends on the locale. Local; thread-safe. */
#ifndef GE_TEXT_WORDS_H
#define GE_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

enum ge_words_flag {
    GE_WORDS_NFC = 1 << 0,   /* canonical composition, so that both forms of "é" are equal */
    GE_WORDS_LOWER = 1 << 1, /* lowercase, each code point by itself */
    GE_WORDS_STRIP_ACCENTS = 1 << 2,  /* decompose and drop nonspacing marks: "café" -> "cafe" */
    GE_WORDS_STRIP_PUNCT = 1 << 3,    /* punctuation becomes a space, except what ge_words_next()
                                        keeps inside a word ("don't", "3.5", "1,000", "-2") */
    GE_WORDS_STRIP_ARTICLES = 1 << 4, /* the words a, an, the are left out */
    GE_WORDS_NUMBERS = 1 << 5,        /* number words become digits: "twenty-one" -> "21"; 1,000 ->
                                         1000 */
    GE_WORDS_COLLAPSE = 1 << 6        /* runs of white space become one space; none at the ends */
};

/* The usual form for exact and alias matching. */
#define GE_WORDS_ANSWER                                                                            \
    (GE_WORDS_NFC | GE_WORDS_LOWER | GE_WORDS_STRIP_PUNCT | GE_WORDS_STRIP_ARTICLES |              \
     GE_WORDS_NUMBERS | GE_WORDS_COLLAPSE)

/* Append the normal form of text to out. STRIP_ARTICLES and NUMBERS work on words and imply
 * COLLAPSE. GE_ENOMEM, GE_ELIMIT (out's cap). Time is linear in len. */
ge_status ge_words_normalize(const char *text, size_t len, unsigned flags, struct ge_buf *out);

/* A word of a text. */
struct ge_word {
    const char
        *text;  /* lowercase, NUL-terminated; borrowed from the iterator until the next call */
    size_t len; /* bytes of text */
    size_t begin, end; /* bytes of the original text that it stands for */
    bool has_digit;
    bool has_value; /* text is a number ("3.5", "1,000") or a number word ("seven") */
    double value;
};

/* Iterator over words in order. A word is a run of letters, marks and decimal digits; inside it an
 * apostrophe between letters ("don't", also U+2019, given as '), a point or comma between digits
 * ("3.5", "1,000"), and a sign right before a digit and not after a word ("-2") belong to it. A
 * hyphen ends a word. Each ideograph of a script without spaces (CJK) is a word. */
struct ge_words {
    const char *data; /* borrowed */
    size_t len, pos;
    struct ge_buf word;
};
void ge_words_init(struct ge_words *w, const char *text, size_t len);
void ge_words_free(struct ge_words *w);

/* The next word; *found = false after the last. GE_ENOMEM, GE_ELIMIT (a word beyond 1 MiB). */
ge_status ge_words_next(struct ge_words *w, struct ge_word *out, bool *found);

/* The next number from the iterator's place on, skipping other words: digits ("12", "-3.5",
 * "1,000") or number words, compound ones as one number ("twenty-one", "two hundred and five",
 * "3 thousand"). out->text is its shortest decimal text; begin and end span all its words. "one"
 * counts; "a", "first", "dozen" and "half" do not. */
ge_status ge_words_next_number(struct ge_words *w, struct ge_word *out, bool *found);

/* True if the whole text, apart from white space around it, is one number as above. */
bool ge_words_number(const char *text, size_t len, double *value);

/* Whether a word in lower case turns what follows into its opposite: not, no, never, isn't, … */
bool ge_word_negates(const char *word);

#endif
