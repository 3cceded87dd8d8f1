/* A temporary folder that a test fills. */
#ifndef GE_TESTS_MODEL_FOLDER_H
#define GE_TESTS_MODEL_FOLDER_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "test.h"

static inline char *folder_new(void)
{
    char template[] = "/tmp/gapeval-unit-XXXXXX";
    char *dir = ge_strdup(mkdtemp(template));

    assert_non_null(dir);
    return dir;
}

/* Remove a folder with everything in it; links are not followed. */
static inline void folder_delete(char *dir)
{
    char **names;
    struct stat st;
    size_t n;

    assert_ok(ge_fs_list(dir, &names, &n));
    for (size_t i = 0; i < n; i++) {
        char *path = ge_fs_join(dir, names[i]);
        assert_int_equal(lstat(path, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            folder_delete(path);
            continue;
        }
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    ge_fs_list_free(names, n);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

/* Not ge_fs_replace(): thousands of small files need not reach the disk. */
static inline void folder_put(const char *dir, const char *name, const void *data, size_t len)
{
    char *path = ge_fs_join(dir, name), *slash = strrchr(path, '/');
    int fd;

    *slash = '\0';
    assert_ok(ge_fs_mkdirs(path));
    *slash = '/';
    unlink(path); /* a link would be written through */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_ok(ge_fs_write_all(fd, data, len, path));
    assert_int_equal(close(fd), 0);
    free(path);
}

static inline void folder_put_text(const char *dir, const char *name, const char *text)
{
    folder_put(dir, name, text, strlen(text));
}

#endif
