/* What qsort() and bsearch() want, for the commonest arrays. Pure; thread-safe. */
#ifndef GE_BASE_SORT_H
#define GE_BASE_SORT_H

#include <stddef.h>

/* Elements are doubles, none NaN: in rising order. */
int ge_compare_doubles(const void *a, const void *b);

/* Elements are pointers to strings: in byte order. */
int ge_compare_strings(const void *a, const void *b);

/* Sort n strings in byte order and keep each once, at the front; how many there are. */
size_t ge_unique_strings(const char **v, size_t n);

#endif
