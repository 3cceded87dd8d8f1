/* Strings as Python's str treats them: the reference implementations of answer metrics are written
 * in Python, and their digits depend on what it takes for a space, a digit, a lower-case letter and
 * a number.
 *
 * Digits, spaces and the lengths of upper-case forms are those of Python 3.11 (Unicode 14); lower
 * case is that of text/unicode.h, which has some newer letters. Used by metric/. Text need not be
 * valid: a byte that is not part of valid UTF-8 counts as one U+FFFD. Everything takes time linear
 * in the text. Local; thread-safe. */
#ifndef GE_METRIC_PYSTR_H
#define GE_METRIC_PYSTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

/* str.isspace() of one character: White_Space, and the separators U+001C to U+001F. */
bool ge_pystr_is_space(uint32_t cp);

/* What `\d` matches, decimal digits of any script: the value 0 to 9, or -1. */
int ge_pystr_digit(uint32_t cp);

/* len(s) and len(s.upper()): code points. */
size_t ge_pystr_length(const char *s, size_t len);
size_t ge_pystr_upper_length(const char *s, size_t len);

/* s.strip(), in place: moves *s and shortens *len. */
void ge_pystr_strip(const char **s, size_t *len);

/* The next word of s.split() from *pos on: the bytes [*begin, *pos). False after the last. */
bool ge_pystr_word(const char *s, size_t len, size_t *pos, size_t *begin);

/* s.rfind(needle) in bytes, or -1; the needle is a few bytes. */
ptrdiff_t ge_pystr_find_last(const char *s, size_t len, const char *needle);

/* Append s.lower(), with a final sigma where one is due. The buffer's status tells of a failure. */
void ge_pystr_lower(const char *s, size_t len, struct ge_buf *out);

/* float(s): the nearest double, with what Python allows around and within a number: white space,
 * digits of any script, underscores between digits, "inf", "infinity", "nan". *valid = false where
 * Python raises ValueError. GE_ENOMEM. */
ge_status ge_pystr_float(const char *s, size_t len, double *value, bool *valid);

#endif
