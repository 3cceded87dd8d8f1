/* A text file line by line, hashed on the way: private to dataset/. Local. */
#ifndef GE_DATASET_LINES_H
#define GE_DATASET_LINES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

enum { GE_LINE_BYTES_MAX = 16 << 20 };

struct ge_lines {
    const char *path;    /* borrowed */
    size_t number;       /* of the last line read, from 1 */
    char *name;          /* "<path> line <number>", for messages */
    struct ge_hash hash; /* of the whole file, once the last line has been read */
    struct ge_hasher *hasher;
    struct ge_buf line;
    char *block;
    size_t pos, len, name_size;
    int fd;
    bool end;
};

/* GE_ENOENT, GE_EFORMAT (not a regular file), GE_EIO, GE_ENOMEM. Close in any case. */
ge_status ge_lines_open(struct ge_lines *l, const char *path);
void ge_lines_close(struct ge_lines *l);

/* Next line that is not blank, as a JSON object (free with ge_json_delete); NULL after the last.
 * GE_EFORMAT (not JSON, not an object), GE_ELIMIT (line longer than GE_LINE_BYTES_MAX), GE_EIO. */
ge_status ge_lines_next_object(struct ge_lines *l, ge_json **object);

#endif
