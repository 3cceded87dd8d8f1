/* UTF-8. Local; thread-safe. */
#ifndef GE_BASE_UTF8_H
#define GE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decode one code point at s (len > 0 bytes left): its value, and its length in *n. An invalid or
 * truncated sequence (overlong, surrogate, > U+10FFFF) gives -1 with *n = 1. */
int32_t ge_utf8_decode(const char *s, size_t len, size_t *n);

/* Encode a code point into out; the number of bytes (1…4). */
size_t ge_utf8_encode(uint32_t cp, char out[4]);

/* Length of the longest valid prefix; equals len when all is valid. */
size_t ge_utf8_valid(const char *s, size_t len);

#endif
