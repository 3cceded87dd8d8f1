/* Files and paths. Reads have caps, writes are atomic or checked, every failure names the path.
 * Interrupted calls (EINTR) and short reads or writes are continued. Local; thread-safe. */
#ifndef GE_BASE_FS_H
#define GE_BASE_FS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Read a whole file into a NUL-terminated heap block (free() it). *len may be NULL.
 * GE_ENOENT, GE_EIO, GE_ELIMIT (larger than max; checked before allocation; also for anything
 * that is not a regular file: GE_EFORMAT), GE_ENOMEM. */
ge_status ge_fs_read(const char *path, size_t max, char **data, size_t *len);

/* Replace a file: write to a temporary file beside it, fsync, rename, fsync the folder. After a
 * crash either the old or the new content is there. GE_EIO: the old content is intact. */
ge_status ge_fs_replace(const char *path, const void *data, size_t len);

/* Write all bytes to a descriptor. `path` is only for the message. */
ge_status ge_fs_write_all(int fd, const void *data, size_t len, const char *path);

/* Map a file read-only; unmap with ge_fs_unmap(). An empty file gives *data = NULL, *len = 0. */
ge_status ge_fs_map(const char *path, const void **data, size_t *len);
void ge_fs_unmap(const void *data, size_t len);

struct ge_fs_stat {
    uint64_t size;
    int64_t mtime_ns;
    int is_dir, is_file; /* symbolic links are followed */
};
ge_status ge_fs_stat(const char *path, struct ge_fs_stat *out); /* GE_ENOENT, GE_EIO */
int ge_fs_exists(const char *path);
int ge_fs_is_dir(const char *path);

/* Create a folder and its parents; existing is fine. */
ge_status ge_fs_mkdirs(const char *path);

/* fsync a folder, so that a rename in it is durable. */
ge_status ge_fs_sync_dir(const char *path);

/* Names in a folder in byte order, without "." and "..". Free with ge_fs_list_free(). */
ge_status ge_fs_list(const char *dir, char ***names, size_t *n);
void ge_fs_list_free(char **names, size_t n);

/* `path` resolved against `base` (a folder) unless it is absolute; heap string or NULL. */
char *ge_fs_join(const char *base, const char *path);
char *ge_fs_dirname(const char *path);         /* heap string: "." if there is no slash */
const char *ge_fs_basename(const char *path);  /* borrowed tail */
const char *ge_fs_extension(const char *path); /* borrowed, without the dot; "" if none */

#endif
