/* Temporary tokenizer folders for the tests. */
#ifndef GE_TESTS_TEXT_FOLDER_H
#define GE_TESTS_TEXT_FOLDER_H

#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

#define FOLDERS GE_SOURCE_DIR "/tests/golden/text/folders/"

/* A new empty folder; remove it with folder_remove(). */
static inline char *folder_make(void)
{
    char *dir = ge_strdup("/tmp/ge_text_XXXXXX");
    assert_non_null(dir);
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void folder_write(const char *dir, const char *name, const char *data, size_t len)
{
    char *path = ge_fs_join(dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static inline void folder_put(const char *dir, const char *name, const char *text)
{
    folder_write(dir, name, text, strlen(text));
}

static inline void folder_remove(char *dir)
{
    char **names;
    size_t n;
    assert_ok(ge_fs_list(dir, &names, &n));
    for (size_t i = 0; i < n; i++) {
        char *path = ge_fs_join(dir, names[i]);
        unlink(path);
        free(path);
    }
    ge_fs_list_free(names, n);
    rmdir(dir);
    free(dir);
}

#endif
