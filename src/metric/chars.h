/* Classes of characters as the checks of texts know them: those of Python's str and re, which the
 * published checks are written in. Texts are valid UTF-8. Local to metric/. */
#ifndef GE_METRIC_CHARS_H
#define GE_METRIC_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ge_char_is_space(uint32_t cp); /* str.isspace(), \s: White_Space and U+001C…U+001F */
bool ge_char_is_word(uint32_t cp);  /* \w: letters, numbers of any kind and _; no marks */
bool ge_char_is_upper(uint32_t cp); /* has a lower case of its own */
bool ge_char_is_lower(uint32_t cp); /* has case and is not upper */

/* The code point that ends before byte pos > 0 of a text, and where it begins. */
uint32_t ge_char_before(const char *text, size_t pos, size_t *begin);

/* str.strip(): [*begin, *end) becomes the part without white space around it. */
void ge_chars_strip(const char *text, size_t *begin, size_t *end);

/* Where `what` (not empty) stands first in [text + from, text + len): its first byte; len if it
 * does not. */
size_t ge_chars_find(const char *text, size_t len, size_t from, const char *what);

#endif
