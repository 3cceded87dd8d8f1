/* A temporary folder with files for tests of loaders, and checks of messages. */
#ifndef GE_TESTS_UNIT_DATASET_TEMP_H
#define GE_TESTS_UNIT_DATASET_TEMP_H

#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "test.h"

/* A fresh folder (free() the path); remove it with temp_remove(). */
static inline char *temp_make(void)
{
    char *path =
        ge_sprintf("%s/gapeval-test-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

/* Remove a folder and everything in it; free the path. */
static inline void temp_remove_tree(const char *path)
{
    char **names;
    size_t n;
    struct stat st;
    if (lstat(path, &st) != 0) return;
    if (S_ISDIR(st.st_mode)) {
        assert_ok(ge_fs_list(path, &names, &n));
        for (size_t i = 0; i < n; i++) {
            char *inside = ge_sprintf("%s/%s", path, names[i]);
            temp_remove_tree(inside);
            free(inside);
        }
        ge_fs_list_free(names, n);
        assert_int_equal(rmdir(path), 0);
    } else {
        assert_int_equal(unlink(path), 0);
    }
}

static inline void temp_remove(char *path)
{
    temp_remove_tree(path);
    free(path);
}

/* <dir>/<name>; free() it. */
static inline char *temp_path(const char *dir, const char *name)
{
    char *path = ge_sprintf("%s/%s", dir, name);
    assert_non_null(path);
    return path;
}

/* Write bytes to <dir>/<name>, making folders on the way. */
static inline void temp_bytes(const char *dir, const char *name, const void *data, size_t len)
{
    char *path = temp_path(dir, name), *parent = ge_fs_dirname(path);
    assert_ok(ge_fs_mkdirs(parent));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    free(parent);
    free(path);
}

static inline void temp_file(const char *dir, const char *name, const char *text)
{
    temp_bytes(dir, name, text, strlen(text));
}

/* The last message holds this part. */
static inline void assert_says(const char *part)
{
    if (strstr(ge_error(), part) != NULL) return;
    print_error("message \"%s\" does not hold \"%s\"\n", ge_error(), part);
    fail();
}

#endif
