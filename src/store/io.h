/* The operating system calls that the store makes, as a table, so that a test can fail, cut or
 * count the N-th one. Everything that the journal, the lock, the run folder and the HDF5 driver
 * read or write goes through it. Not here: formats. Used by store/ only.
 *
 * The table is process-wide; it is replaced by tests before anything is opened. */
#ifndef GE_STORE_IO_H
#define GE_STORE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/hash.h"
#include "base/status.h"

/* Each entry behaves as the call of its name, errno included. */
struct ge_io {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *data, size_t len, off_t at);
    ssize_t (*write)(int fd, const void *data, size_t len);
    ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t at);
    int (*ftruncate)(int fd, off_t size);
    int (*fstat)(int fd, struct stat *st);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*link)(const char *from, const char *to);
    int (*unlink)(const char *path);
};

extern const struct ge_io ge_io_system;      /* the real calls */
const struct ge_io *ge_io(void);             /* the table in use */
void ge_io_set(const struct ge_io *replace); /* NULL: the real calls again */

/* The calls below continue after EINTR and after short reads and writes; the path is for the
 * message. A failure is GE_EIO, GE_ENOENT for a missing file, GE_ECONFLICT for one that exists
 * already and must not. Local. */
ge_status ge_io_open(const char *path, int flags, int *fd);
ge_status ge_io_close(int *fd, const char *path); /* *fd = -1; a negative fd is fine */
ge_status ge_io_size(int fd, const char *path, uint64_t *size);

/* Append all bytes with as few calls as possible, normally one. */
ge_status ge_io_write(int fd, const void *data, size_t len, const char *path);
ge_status ge_io_pwrite(int fd, const void *data, size_t len, uint64_t at, const char *path);

/* Read at most len bytes at an offset; *got < len only at the end of the file. */
ge_status ge_io_pread(int fd, void *data, size_t len, uint64_t at, size_t *got, const char *path);

ge_status ge_io_datasync(int fd, const char *path);
ge_status ge_io_sync(int fd, const char *path);
ge_status ge_io_sync_dir(const char *dir);

/* Replace a file as ge_fs_replace() does: written aside, synced, renamed, folder synced. */
ge_status ge_io_replace(const char *path, const void *data, size_t len);

/* Rename a finished file into place and make the rename durable. */
ge_status ge_io_rename(const char *from, const char *to);

/* A small regular file as a NUL-terminated heap string (free() it). GE_ENOENT, GE_EIO,
 * GE_EFORMAT (not a regular file), GE_ELIMIT (more than max bytes), GE_ENOMEM. */
ge_status ge_io_read_file(const char *path, size_t max, char **data, size_t *len);

/* Content hash of a whole file. GE_ENOENT, GE_EIO, GE_ENOMEM. */
ge_status ge_io_hash_file(const char *path, struct ge_hash *out);

#endif
