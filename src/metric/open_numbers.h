/* The numbers that are written in a text, in the three forms for which MMMU looks. Used by open.c.
 * Local; thread-safe. */
#ifndef GE_METRIC_OPEN_NUMBERS_H
#define GE_METRIC_OPEN_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

/* The regular expressions of the reference, in one linear scan each. A digit is one of any script. */
enum ge_open_form {
    GE_OPEN_GROUPED,    /* -?\b\d{1,3}(?:,\d{3})+\b */
    GE_OPEN_SCIENTIFIC, /* -?\d+(?:\.\d+)?[eE][+-]?\d+ */
    GE_OPEN_SIMPLE,     /* -?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d]) */
    GE_OPEN_FORMS
};

/* The next match from *pos on: the bytes [*begin, *pos). False after the last. */
bool ge_open_next_number(const char *s, size_t len, enum ge_open_form form, size_t *pos,
                         size_t *begin);

#endif
