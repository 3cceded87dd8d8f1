/* A text file of JSON objects, one a line, hashed on the way: private to dataset/. Local. */
#ifndef GE_DATASET_LINES_H
#define GE_DATASET_LINES_H

#include "base/hash.h"
#include "base/status.h"
#include "dataset/fields.h"

enum { GE_LINE_BYTES_MAX = 16 << 20 };

/* Called for each line that is not blank: f->place is "<path> line <number>", lines count from 1. What f
 * holds is valid during the call, strings that ge_fields_*() make as long as the arena. */
typedef ge_status ge_line_fn(void *ctx, const struct ge_fields *f, size_t number);

/* Call fn for every line, until it fails. Strings go to `arena`; NULL: to one that is emptied after each
 * line. Relative paths start from `folder`; NULL: from the file's. *content (may be NULL): hash of the
 * whole file. GE_ENOENT, GE_EFORMAT (not a regular file; a line that is no JSON object), GE_ELIMIT (a line
 * longer than GE_LINE_BYTES_MAX), GE_EIO, GE_ENOMEM, and what fn gives. */
ge_status ge_lines_each(const char *path, const char *folder, struct ge_arena *arena,
                        ge_line_fn *fn, void *ctx, struct ge_hash *content);

#endif
