/* POSIX files behind ge_status. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* The status of the failed call that left `error` in errno. */
static ge_status fail_errno(int error, const char *path, const char *what)
{
    ge_status s = GE_EIO;
    if (error == ENOMEM) s = GE_ENOMEM;
    /* The latter three: nothing can be under such a name, whatever the disk does. */
    if (error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG) {
        s = GE_ENOENT;
    }
    return ge_fail(s, "%s: cannot %s: %s", path, what, strerror(error));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Open a regular file; *fd is -1 on failure. */
static ge_status open_regular(const char *path, int *fd, struct stat *st)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not hang on a FIFO */
    if (*fd < 0) return fail_errno(errno, path, "open");
    ge_status rc = GE_OK;
    if (fstat(*fd, st) != 0) {
        rc = fail_errno(errno, path, "stat");
    } else if (!S_ISREG(st->st_mode)) {
        rc = ge_fail(GE_EFORMAT, "%s: %s, a regular file is wanted", path,
                     S_ISDIR(st->st_mode) ? "is a folder" : "is not a regular file");
    }
    if (rc != GE_OK) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

static ge_status too_large(const char *path, size_t max)
{
    return ge_fail(GE_ELIMIT, "%s: larger than the cap of %zu bytes", path, max);
}

/* Read to the end of the file. Its size is only a hint: /proc files claim 0, others grow. */
static ge_status read_all(int fd, const char *path, size_t hint, size_t max, char **data,
                          size_t *len)
{
    ge_status rc = GE_OK;
    size_t used = 0, cap = hint + 2; /* one to see the end, one for the NUL */
    char *p = NULL;
    GE_TRY_PTR(p, ge_realloc(NULL, cap, 1));
    for (;;) {
        ssize_t n = read(fd, p + used, cap - 1 - used);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            rc = fail_errno(errno, path, "read");
            goto done;
        }
        if (n == 0) break;
        used += (size_t)n;
        if (used > max) {
            rc = too_large(path, max);
            goto done;
        }
        if (used == cap - 1) {
            char *larger;
            GE_TRY_PTR(larger, ge_realloc(p, 2 * cap, 1));
            p = larger;
            cap *= 2;
        }
    }
    p[used] = '\0';
    *data = p;
    *len = used;
    p = NULL;
done:
    free(p);
    return rc;
}

ge_status ge_fs_read(const char *path, size_t max, char **data, size_t *len)
{
    int fd;
    struct stat st;
    size_t n = 0;
    *data = NULL;
    ge_status rc = open_regular(path, &fd, &st);
    if (rc != GE_OK) return rc;
    if (st.st_size < 0 || (uint64_t)st.st_size > max || (uint64_t)st.st_size > SIZE_MAX / 4) {
        rc = too_large(path, max);
    } else {
        rc = read_all(fd, path, (size_t)st.st_size, max, data, &n);
    }
    close(fd);
    if (len != NULL) *len = n;
    return rc;
}

ge_status ge_fs_map(const char *path, const void **data, size_t *len)
{
    int fd;
    struct stat st;
    *data = NULL;
    *len = 0;
    ge_status rc = open_regular(path, &fd, &st);
    if (rc != GE_OK) return rc;
    if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED) {
            rc = fail_errno(errno, path, "map");
        } else {
            *data = p;
            *len = (size_t)st.st_size;
        }
    }
    close(fd);
    return rc;
}

void ge_fs_unmap(const void *data, size_t len)
{
    if (data != NULL) munmap((void *)(uintptr_t)data, len);
}

/* ---- writing --------------------------------------------------------------------------------- */

ge_status ge_fs_write_all(int fd, const void *data, size_t len, const char *path)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ge_fail(GE_EIO, "%s: cannot write: %s", path, strerror(errno));
        p += n;
        len -= (size_t)n;
    }
    return GE_OK;
}

ge_status ge_fs_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno(errno, path, "open");
    int error = fsync(fd) != 0 ? errno : 0;
    close(fd);
    /* Some network file systems cannot sync a folder, and need not. */
    if (error != 0 && error != EINVAL && error != ENOTSUP) return fail_errno(error, path, "sync");
    return GE_OK;
}

/* Content on disk under a new name; nothing is left behind on failure. */
static ge_status write_new(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return fail_errno(errno, path, "create");
    ge_status rc = ge_fs_write_all(fd, data, len, path);
    if (rc == GE_OK && fsync(fd) != 0) rc = fail_errno(errno, path, "sync");
    if (close(fd) != 0 && rc == GE_OK) rc = fail_errno(errno, path, "close");
    if (rc != GE_OK) unlink(path);
    return rc;
}

ge_status ge_fs_replace(const char *path, const void *data, size_t len)
{
    static atomic_uint counter; /* two threads may replace the same file */
    ge_status rc = GE_OK;
    char *temporary = NULL, *folder = NULL;
    unsigned number = atomic_fetch_add(&counter, 1);
    GE_TRY_PTR(folder, ge_fs_dirname(path));
    GE_TRY_PTR(temporary, ge_sprintf("%s.%ld.%u.tmp", path, (long)getpid(), number));
    GE_TRY(write_new(temporary, data, len));
    if (rename(temporary, path) != 0) {
        rc = fail_errno(errno, path, "rename the new version to this name");
        unlink(temporary);
        goto done;
    }
    GE_TRY(ge_fs_sync_dir(folder));
done:
    free(temporary);
    free(folder);
    return rc;
}

ge_status ge_fs_mkdirs(const char *path)
{
    ge_status rc = GE_OK;
    char *copy = NULL;
    if (path[0] == '\0') return ge_fail(GE_EINVAL, "cannot create a folder with an empty name");
    GE_TRY_PTR(copy, ge_strdup(path));
    for (char *p = copy + 1;; p++) {
        char c = *p;
        if (c != '/' && c != '\0') continue;
        *p = '\0';
        int error = mkdir(copy, 0777) != 0 ? errno : 0;
        if (error != 0 && !ge_fs_is_dir(copy)) {
            rc = fail_errno(error, copy, "create the folder");
            goto done;
        }
        if (c == '\0') break;
        *p = c;
    }
done:
    free(copy);
    return rc;
}

/* ---- folders and names ------------------------------------------------------------------------ */

ge_status ge_fs_stat(const char *path, struct ge_fs_stat *out)
{
    struct stat st;
    if (stat(path, &st) != 0) return fail_errno(errno, path, "stat");
    *out = (struct ge_fs_stat){
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .is_dir = S_ISDIR(st.st_mode),
        .is_file = S_ISREG(st.st_mode),
    };
    return GE_OK;
}

int ge_fs_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

int ge_fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

ge_status ge_fs_list(const char *dir, char ***names, size_t *n)
{
    ge_status rc = GE_OK;
    char **list = NULL;
    size_t count = 0, cap = 0;
    *names = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (d == NULL) return fail_errno(errno, dir, "list the folder");
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(d);
        if (entry == NULL) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        GE_GROW(list, count, cap);
        GE_TRY_PTR(list[count], ge_strdup(entry->d_name));
        count++;
    }
    if (errno != 0) {
        rc = fail_errno(errno, dir, "list the folder");
        goto done;
    }
    if (list == NULL) GE_NEW(list, 1);
    if (count > 1) qsort(list, count, sizeof *list, by_bytes);
    *names = list;
    *n = count;
    list = NULL;
    count = 0;
done:
    ge_fs_list_free(list, count);
    closedir(d);
    return rc;
}

void ge_fs_list_free(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++) free(names[i]);
    free(names);
}

char *ge_fs_join(const char *base, const char *path)
{
    if (path[0] == '/' || base[0] == '\0') return ge_strdup(path);
    const char *slash = base[strlen(base) - 1] == '/' ? "" : "/";
    return ge_sprintf("%s%s%s", base, slash, path);
}

char *ge_fs_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return ge_strdup(".");
    if (slash == path) return ge_strdup("/");
    return ge_strndup(path, (size_t)(slash - path));
}

const char *ge_fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

const char *ge_fs_extension(const char *path)
{
    const char *name = ge_fs_basename(path);
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? "" : dot + 1;
}
