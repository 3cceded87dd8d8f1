/* System calls through a replaceable table, with the retry loops that every caller would need. */
#include "store/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int system_fstat(int fd, struct stat *st)
{
    return fstat(fd, st);
}

const struct ge_io ge_io_system = {
    .open = system_open,
    .close = close,
    .pread = pread,
    .write = write,
    .pwrite = pwrite,
    .ftruncate = ftruncate,
    .fstat = system_fstat,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .rename = rename,
    .link = link,
    .unlink = unlink,
};

static const struct ge_io *current = &ge_io_system;

const struct ge_io *ge_io(void)
{
    return current;
}

void ge_io_set(const struct ge_io *replace)
{
    current = replace != NULL ? replace : &ge_io_system;
}

/* Status and message of a failed call; errno is its reason. */
static ge_status io_failed(const char *path, const char *verb)
{
    int e = errno;
    ge_status s = e == ENOENT ? GE_ENOENT : e == EEXIST ? GE_ECONFLICT : GE_EIO;
    const char *remedy = e == ENOSPC || e == EDQUOT ? "; free space or raise the quota" : "";
    return ge_fail(s, "%s: cannot %s: %s%s", path, verb, strerror(e), remedy);
}

ge_status ge_io_open(const char *path, int flags, int *fd)
{
    do {
        *fd = ge_io()->open(path, flags | O_CLOEXEC, 0666);
    } while (*fd < 0 && errno == EINTR);
    if (*fd < 0) return io_failed(path, (flags & O_ACCMODE) == O_RDONLY ? "open" : "write");
    return GE_OK;
}

ge_status ge_io_close(int *fd, const char *path)
{
    if (*fd < 0) return GE_OK;
    int failed = ge_io()->close(*fd);
    *fd = -1; /* after EINTR the descriptor is gone as well (Linux) */
    if (failed != 0 && errno != EINTR) return io_failed(path, "close");
    return GE_OK;
}

ge_status ge_io_size(int fd, const char *path, uint64_t *size)
{
    struct stat st;
    *size = 0;
    if (ge_io()->fstat(fd, &st) != 0) return io_failed(path, "look at");
    if (!S_ISREG(st.st_mode)) return ge_fail(GE_EFORMAT, "%s: not a regular file", path);
    *size = (uint64_t)st.st_size;
    return GE_OK;
}

ge_status ge_io_write(int fd, const void *data, size_t len, const char *path)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = ge_io()->write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_failed(path, "write");
        if (n == 0) return ge_fail(GE_EIO, "%s: cannot write: the call wrote nothing", path);
        p += n;
        len -= (size_t)n;
    }
    return GE_OK;
}

ge_status ge_io_pwrite(int fd, const void *data, size_t len, uint64_t at, const char *path)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = ge_io()->pwrite(fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_failed(path, "write");
        if (n == 0) return ge_fail(GE_EIO, "%s: cannot write: the call wrote nothing", path);
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return GE_OK;
}

ge_status ge_io_pread(int fd, void *data, size_t len, uint64_t at, size_t *got, const char *path)
{
    char *p = data;
    *got = 0;
    while (*got < len) {
        ssize_t n = ge_io()->pread(fd, p + *got, len - *got, (off_t)(at + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_failed(path, "read");
        if (n == 0) break;
        *got += (size_t)n;
    }
    return GE_OK;
}

ge_status ge_io_datasync(int fd, const char *path)
{
    /* A failed sync must not be tried again: the kernel may have dropped the pages. */
    if (ge_io()->fdatasync(fd) != 0) return io_failed(path, "sync");
    return GE_OK;
}

ge_status ge_io_sync(int fd, const char *path)
{
    if (ge_io()->fsync(fd) != 0) return io_failed(path, "sync");
    return GE_OK;
}

ge_status ge_io_sync_dir(const char *dir)
{
    ge_status rc = GE_OK;
    int fd = -1;
    GE_TRY(ge_io_open(dir, O_RDONLY | O_DIRECTORY, &fd));
    /* Some file systems cannot sync a folder and say EINVAL; there is nothing else to do there. */
    if (ge_io()->fsync(fd) != 0 && errno != EINVAL) rc = io_failed(dir, "sync");
done:
    (void)ge_io_close(&fd, dir);
    return rc;
}

ge_status ge_io_rename(const char *from, const char *to)
{
    ge_status rc = GE_OK;
    char *dir = NULL;
    GE_TRY_PTR(dir, ge_fs_dirname(to));
    if (ge_io()->rename(from, to) != 0) {
        rc = io_failed(to, "replace");
        goto done;
    }
    rc = ge_io_sync_dir(dir);
done:
    free(dir);
    return rc;
}

ge_status ge_io_replace(const char *path, const void *data, size_t len)
{
    ge_status rc = GE_OK;
    int fd = -1;
    char *aside = NULL;
    GE_TRY_PTR(aside, ge_sprintf("%s.new", path));
    GE_TRY(ge_io_open(aside, O_WRONLY | O_CREAT | O_TRUNC, &fd));
    GE_TRY(ge_io_write(fd, data, len, aside));
    GE_TRY(ge_io_sync(fd, aside));
    GE_TRY(ge_io_close(&fd, aside));
    GE_TRY(ge_io_rename(aside, path));
done:
    if (fd >= 0) (void)ge_io_close(&fd, path);
    if (rc != GE_OK && aside != NULL) (void)ge_io()->unlink(aside);
    free(aside);
    return rc;
}

ge_status ge_io_read_file(const char *path, size_t max, char **data, size_t *len)
{
    ge_status rc = GE_OK;
    int fd = -1;
    uint64_t size = 0;
    char *text = NULL;
    *data = NULL;
    *len = 0;
    /* O_NONBLOCK: a FIFO in the file's place must not hang the program. */
    GE_TRY(ge_io_open(path, O_RDONLY | O_NONBLOCK, &fd));
    GE_TRY(ge_io_size(fd, path, &size));
    if (size > max) {
        rc = ge_fail(GE_ELIMIT, "%s: %llu bytes, at most %zu are expected", path,
                     (unsigned long long)size, max);
        goto done;
    }
    GE_NEW(text, (size_t)size + 1);
    GE_TRY(ge_io_pread(fd, text, (size_t)size, 0, len, path));
    *data = text;
    text = NULL;
done:
    (void)ge_io_close(&fd, path);
    free(text);
    return rc;
}

ge_status ge_io_hash_file(const char *path, struct ge_hash *out)
{
    enum { BLOCK = 1 << 18 };
    ge_status rc = GE_OK;
    int fd = -1;
    char *block = NULL;
    struct ge_hasher *hasher = NULL;
    uint64_t at = 0, size = 0;
    size_t got = 0;
    GE_TRY(ge_io_open(path, O_RDONLY | O_NONBLOCK, &fd));
    GE_TRY(ge_io_size(fd, path, &size));
    GE_NEW(block, BLOCK);
    GE_TRY_PTR(hasher, ge_hasher_new());
    do {
        GE_TRY(ge_io_pread(fd, block, BLOCK, at, &got, path));
        ge_hasher_add(hasher, block, got);
        at += got;
    } while (got == BLOCK);
    *out = ge_hasher_get(hasher);
done:
    (void)ge_io_close(&fd, path);
    ge_hasher_delete(&hasher);
    free(block);
    return rc;
}
