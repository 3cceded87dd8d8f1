/* Tables of text with a header line: RFC 4180, comma or another separator.
 *
 * A field may stand in quotes and then hold separators, line ends and "" for a quote. Lines end in LF or
 * CRLF; a byte order mark in front is passed over, and so are lines without any character. Refused, with
 * the line: what is not UTF-8, NUL, a row with more or fewer fields than the header, a quote inside a
 * field without quotes, text behind a closing quote, a quote that is never closed, a lone CR, a column
 * named twice. Nothing is trimmed: a blank is part of its field. What the columns mean is the caller's.
 * Used by commands and importers. Local. */
#ifndef GE_BASE_CSV_H
#define GE_BASE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define GE_CSV_MAX_BYTES ((size_t)1 << 30)

struct ge_csv {
    const char *name;     /* for messages; owned */
    size_t n_columns;     /* at least 1 */
    size_t n_rows;        /* without the header */
    const char **columns; /* (n_columns) names in file order; a column may be without a name ("") */
    const char **fields;  /* (n_rows, n_columns) NUL-terminated; "" where there is nothing */
    size_t *lines;        /* (n_rows) line on which the row begins, from 1 */
    char *text;           /* what the pointers point into; owned */
};

/* Read a file; `separator` is ',', or '\t', ';', '|'. GE_ENOENT, GE_EIO, GE_ELIMIT (larger than
 * GE_CSV_MAX_BYTES), GE_EFORMAT (see above; also a file without a header), GE_ENOMEM. Free with
 * ge_csv_delete(). */
ge_status ge_csv_read(const char *path, char separator, struct ge_csv **out);

/* The same from memory; the text is copied. `name` stands for the path in messages. */
ge_status ge_csv_parse(const char *text, size_t len, const char *name, char separator,
                       struct ge_csv **out);
void ge_csv_delete(struct ge_csv **csv); /* *csv = NULL; NULL is fine */

/* Where a column is, by exact name; SIZE_MAX if it is not there. */
#define GE_CSV_ABSENT SIZE_MAX
size_t ge_csv_find(const struct ge_csv *csv, const char *column);

/* The same for a column that must be there: GE_EFORMAT with the names that are. */
ge_status ge_csv_need(const struct ge_csv *csv, const char *column, size_t *index);

/* A field; "" for the column GE_CSV_ABSENT. Borrowed. */
const char *ge_csv_field(const struct ge_csv *csv, size_t row, size_t column);

/* A field as a finite decimal number ("0.5", "-3", "1e-3"; no blanks, hexadecimal, inf or nan).
 * GE_EFORMAT with line and column, also for an empty field. */
ge_status ge_csv_number(const struct ge_csv *csv, size_t row, size_t column, double *out);

#endif
