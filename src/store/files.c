/* The checksum file beside a store. */
#include "store/files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "store/io.h"

enum { HEX = GE_HASH_HEX - 1, LINES = 3, MAX_BYTES = 65536 };

/* Hashes in a checksum file for a file name, at most `max`. Strict: a flipped bit anywhere in the
 * file is either another hash, another name, or not a line at all. */
static ge_status read_sums(const char *sum_path, const char *name, struct ge_hash *out, size_t max,
                           size_t *n)
{
    ge_status rc = GE_OK;
    char *text = NULL, *save = NULL;
    size_t len = 0;
    *n = 0;
    GE_TRY(ge_io_read_file(sum_path, MAX_BYTES, &text, &len));
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        struct ge_hash h;
        char again[GE_HASH_HEX] = "";
        bool whole = strlen(line) > HEX + 2 && memcmp(line + HEX, "  ", 2) == 0;
        if (whole) line[HEX] = '\0';
        if (whole && ge_hash_parse(line, &h) == GE_OK) ge_hash_hex(h, again);
        if (!whole || strcmp(line, again) != 0) {
            rc =
                ge_fail(GE_EFORMAT, "%s: not lines of a checksum, two spaces and a name", sum_path);
            goto done;
        }
        if (strcmp(line + HEX + 2, name) == 0 && *n < max) out[(*n)++] = h;
    }
done:
    free(text);
    return rc;
}

ge_status ge_sum_check(const char *path, enum ge_sum *found)
{
    ge_status rc = GE_OK;
    char *sum_path = NULL;
    struct ge_hash want[LINES], have;
    size_t n = 0;
    *found = GE_SUM_ABSENT;
    GE_TRY_PTR(sum_path, ge_sprintf("%s.sum", path));
    rc = read_sums(sum_path, ge_fs_basename(path), want, LINES, &n);
    if (rc == GE_ENOENT) {
        rc = GE_OK;
        goto done;
    }
    if (rc != GE_OK) goto done;
    GE_TRY(ge_io_hash_file(path, &have));
    *found = GE_SUM_WRONG;
    for (size_t i = 0; i < n; i++) {
        if (ge_hash_equal(want[i], have)) *found = GE_SUM_RIGHT;
    }
done:
    free(sum_path);
    return rc;
}

static void add_line(struct ge_buf *out, struct ge_hash h, const char *name)
{
    char hex[GE_HASH_HEX];
    ge_hash_hex(h, hex);
    ge_buf_printf(out, "%s  %s\n", hex, name);
}

/* Hashes under which the store in place is known: its checksum lines, or its content's hash when
 * it has none. No store: n = 0. */
static ge_status known_sums(const char *sum_path, const char *path, struct ge_hash *out, size_t *n)
{
    ge_status rc = read_sums(sum_path, ge_fs_basename(path), out, LINES - 1, n);
    if (rc == GE_OK || (rc != GE_ENOENT && rc != GE_EFORMAT)) return rc;
    rc = ge_io_hash_file(path, out);
    *n = rc == GE_OK;
    return rc == GE_ENOENT ? GE_OK : rc;
}

ge_status ge_sum_install(const char *aside, const char *path)
{
    ge_status rc = GE_OK;
    char *sum_path = NULL;
    const char *name = ge_fs_basename(path);
    struct ge_hash fresh, old[LINES];
    size_t n = 0;
    struct ge_buf text;
    ge_buf_init(&text, MAX_BYTES);
    GE_TRY_PTR(sum_path, ge_sprintf("%s.sum", path));
    GE_TRY(ge_io_hash_file(aside, &fresh));
    GE_TRY(known_sums(sum_path, path, old, &n));
    add_line(&text, fresh, name);
    for (size_t i = 0; i < n; i++) add_line(&text, old[i], name);
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_io_replace(sum_path, text.data, text.len));
    GE_TRY(ge_io_rename(aside, path));
    ge_buf_reset(&text);
    add_line(&text, fresh, name);
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_io_replace(sum_path, text.data, text.len));
done:
    ge_buf_free(&text);
    free(sum_path);
    return rc;
}
