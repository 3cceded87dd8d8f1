/* Character classes and normal forms, as the tokenizers library has them. Sole user of utf8proc.
 *
 * That library takes its classes from several sources of different Unicode versions; the tables
 * here were read off it, code point by code point (tests/golden/text/make_unicode.py), so results
 * depend on no installed library's version. utf8proc supplies decompositions and compositions,
 * which Unicode never changes once a character has them, and only for characters that the tables
 * name.
 *
 * Text given to the functions below is valid UTF-8 (ge_unicode_sanitize() makes it so); results
 * are appended to a buffer, whose status tells of a failure. Used by src/text only. Local;
 * thread-safe. */
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

/* CJK ideograph by BERT's ranges (which leave out U+2B820…2B91F, as the reference does). */
bool ge_unicode_is_cjk(uint32_t cp);

/* Lowercase of one code point, without context (no final sigma): 1 or 2 code points. */
size_t ge_unicode_lower_of(uint32_t cp, uint32_t out[2]);

/* The code point at s (len > 0 bytes of valid UTF-8 left); its length in *n. */
uint32_t ge_unicode_at(const char *s, size_t len, size_t *n);
void ge_unicode_put(struct ge_buf *out, uint32_t cp);

/* Copy, each byte that is not part of a valid sequence replaced by U+FFFD. */
void ge_unicode_sanitize(const char *s, size_t len, struct ge_buf *out);

void ge_unicode_lowercase(const char *s, size_t len, struct ge_buf *out);
void ge_unicode_strip_marks(const char *s, size_t len, struct ge_buf *out); /* drops Mn */

/* Canonical composition and decomposition, in linear time except for sorting runs of marks
 * (n log n). GE_ENOMEM, GE_ELIMIT (out's cap). */
ge_status ge_unicode_nfc(const char *s, size_t len, struct ge_buf *out);
ge_status ge_unicode_nfd(const char *s, size_t len, struct ge_buf *out);

/* Append the library's name and version, as found now and as compiled with. */
void ge_unicode_library(struct ge_buf *out);

#endif
