/* Character classes and normal forms, as the tokenizers library has them. Sole user of utf8proc.
 *
 * That library takes its classes from several sources of different Unicode versions; the tables
 * here were read off it, code point by code point (tests/golden/text/make_unicode.py), so results
 * depend on no installed library's version. utf8proc supplies decompositions and compositions,
 * which Unicode never changes once a character has them, and only for characters that the tables
 * name.
 *
 * Text given to the functions below is valid UTF-8 (ge_unicode_sanitize() makes it so); results
 * are appended to a buffer, whose status tells of a failure. Used by src/text and src/metric.
 * Local; thread-safe. */
#ifndef GE_TEXT_UNICODE_H
#define GE_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

enum ge_char_class {
    GE_CHAR_SPACE = 1 << 0,   /* White_Space; \s of the regexes */
    GE_CHAR_LETTER = 1 << 1,  /* \p{L} */
    GE_CHAR_NUMBER = 1 << 2,  /* \p{N} */
    GE_CHAR_PUNCT = 1 << 3,   /* BERT's punctuation: ASCII symbols and P* */
    GE_CHAR_CONTROL = 1 << 4, /* what BERT drops: NUL, U+FFFD, Cc, Cf, Co but not tab, LF, CR */
    GE_CHAR_MARK = 1 << 5,    /* Mn */
    GE_CHAR_WORD = 1 << 6,    /* \w: what a single_word token may not touch */
    GE_CHAR_NFC = 1 << 7,     /* NFC may change it or join it to the character before */
    GE_CHAR_NFD = 1 << 8      /* NFD may change it or move it */
};
unsigned ge_unicode_class(uint32_t cp); /* bits */

/* Classes that are needed rarely, as a second word: the grapheme class in the lowest 4 bits. */
enum ge_char_more {
    GE_MORE_GRAPHEME = 15,
    GE_MORE_NUMERIC = 1 << 4,   /* what the Digits pre-tokenizer takes for one */
    GE_MORE_COMBINING = 1 << 5, /* M*: what StripAccents drops */
    GE_MORE_COMPAT = 1 << 6,    /* NFKD changes it */
    GE_MORE_CASED = 1 << 7,     /* and not case-ignorable; with the next one, of Python's lower() */
    GE_MORE_CASE_IGNORABLE = 1 << 8 /* stands between a letter and a final sigma without effect */
};
enum ge_grapheme {
    GE_GRAPHEME_OTHER,
    GE_GRAPHEME_CONTROL, /* CR and LF too */
    GE_GRAPHEME_EXTEND,  /* zero-width joiner too */
    GE_GRAPHEME_SPACING,
    GE_GRAPHEME_PREPEND,
    GE_GRAPHEME_L,
    GE_GRAPHEME_V,
    GE_GRAPHEME_T,
    GE_GRAPHEME_LV,
    GE_GRAPHEME_LVT,
    GE_GRAPHEME_FLAG, /* regional indicator */
    GE_GRAPHEME_PICTOGRAPH,
    GE_GRAPHEME_CONSONANT, /* of an Indic conjunct */
    GE_GRAPHEME_LINKER     /* of an Indic conjunct; extends, too */
};
unsigned ge_unicode_more(uint32_t cp); /* bits */

/* CJK ideograph by BERT's ranges (which leave out U+2B820…2B91F, as the reference does). */
bool ge_unicode_is_cjk(uint32_t cp);

/* Lowercase of one code point, without context (no final sigma): 1 or 2 code points. */
size_t ge_unicode_lower_of(uint32_t cp, uint32_t out[2]);

/* The code point at s (len > 0 bytes of valid UTF-8 left); its length in *n. */
uint32_t ge_unicode_at(const char *s, size_t len, size_t *n);
void ge_unicode_put(struct ge_buf *out, uint32_t cp);

/* Length without the white space at the end. */
size_t ge_unicode_trimmed(const char *s, size_t len);

/* Bytes as byte-level vocabularies show them: printable ones as themselves, the other 68 as U+0100
 * and up, in order. The reverse: *byte of a code point, false for one that stands for none. */
void ge_unicode_show_bytes(const char *s, size_t len, struct ge_buf *out);
bool ge_unicode_shown_byte(uint32_t cp, unsigned char *byte);

/* Copy, each byte that is not part of a valid sequence replaced by U+FFFD. */
void ge_unicode_sanitize(const char *s, size_t len, struct ge_buf *out);

void ge_unicode_lowercase(const char *s, size_t len, struct ge_buf *out);
void ge_unicode_strip_marks(const char *s, size_t len, struct ge_buf *out);     /* drops Mn */
void ge_unicode_strip_combining(const char *s, size_t len, struct ge_buf *out); /* drops M* */

/* Unicode's normal forms, in linear time. GE_ENOMEM, GE_ELIMIT (out's cap). */
ge_status ge_unicode_nfc(const char *s, size_t len, struct ge_buf *out);
ge_status ge_unicode_nfd(const char *s, size_t len, struct ge_buf *out);
ge_status ge_unicode_nfkc(const char *s, size_t len, struct ge_buf *out);
ge_status ge_unicode_nfkd(const char *s, size_t len, struct ge_buf *out);

/* Length of the extended grapheme cluster at s (len > 0 bytes left). */
size_t ge_unicode_grapheme(const char *s, size_t len);

/* Append the library's name and version, as found now and as compiled with. */
void ge_unicode_library(struct ge_buf *out);

#endif
