/* Writer of .npy files (numpy.lib.format, version 1.0). */
#include "cli/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "cli/inputs.h"

struct ge_npy {
    char *path, *aside; /* aside: NULL once renamed */
    int fd;
    size_t left; /* bytes that the shape still asks for */
};

/* Magic, version, length and the dictionary, padded so that the elements start at a multiple of
 * 64. */
static ge_status write_header(struct ge_npy *f, const char *type, const size_t *shape, int n_dims)
{
    enum { HEAD = 10, ALIGN = 64 };
    struct ge_buf text;
    char head[HEAD] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    ge_status rc = GE_OK;
    ge_buf_init(&text, 1024);
    ge_buf_printf(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < n_dims; i++) ge_buf_printf(&text, "%zu, ", shape[i]);
    ge_buf_str(&text, "), }");
    while (text.status == GE_OK && (HEAD + text.len + 1) % ALIGN != 0) ge_buf_char(&text, ' ');
    ge_buf_char(&text, '\n');
    GE_TRY(ge_buf_status(&text));
    head[8] = (char)(text.len & 0xff);
    head[9] = (char)(text.len >> 8);
    GE_TRY(ge_fs_write_all(f->fd, head, sizeof head, f->aside));
    GE_TRY(ge_fs_write_all(f->fd, text.data, text.len, f->aside));
done:
    ge_buf_free(&text);
    return rc;
}

ge_status ge_npy_new(const char *path, const char *type, const size_t *shape, int n_dims,
                     struct ge_npy **out)
{
    ge_status rc = GE_OK;
    struct ge_npy *f = NULL;
    *out = NULL;
    GE_TRY(ge_check_out(path));
    GE_NEW(f, 1);
    f->fd = -1;
    f->left = strcmp(type, "<f4") == 0 ? sizeof(float) : 1;
    for (int i = 0; i < n_dims; i++) GE_TRY(ge_mul(f->left, shape[i], &f->left));
    GE_TRY_PTR(f->path, ge_strdup(path));
    GE_TRY_PTR(f->aside, ge_sprintf("%s.%ld.partial", path, (long)getpid()));
    f->fd = open(f->aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (f->fd < 0) GE_TRY(ge_fail(GE_EIO, "%s cannot be written: %s", path, strerror(errno)));
    GE_TRY(write_header(f, type, shape, n_dims));
    *out = f;
    f = NULL;
done:
    ge_npy_delete(&f);
    return rc;
}

ge_status ge_npy_add(struct ge_npy *f, const void *data, size_t bytes)
{
    if (bytes > f->left) return ge_fail(GE_EINVAL, "%s: more rows than announced", f->path);
    f->left -= bytes;
    return ge_fs_write_all(f->fd, data, bytes, f->aside);
}

ge_status ge_npy_finish(struct ge_npy *f)
{
    if (f->left > 0) {
        return ge_fail(GE_EINTERNAL, "%s: %zu bytes are missing at the end", f->path, f->left);
    }
    bool synced = fsync(f->fd) == 0;
    bool closed = close(f->fd) == 0;
    f->fd = -1;
    if (!synced || !closed || rename(f->aside, f->path) != 0) {
        return ge_fail(GE_EIO, "%s cannot be written: %s", f->path, strerror(errno));
    }
    free(f->aside);
    f->aside = NULL;
    return GE_OK;
}

void ge_npy_delete(struct ge_npy **p)
{
    struct ge_npy *f = *p;
    *p = NULL;
    if (f == NULL) return;
    if (f->fd >= 0) close(f->fd);
    if (f->aside != NULL) unlink(f->aside);
    free(f->aside);
    free(f->path);
    free(f);
}
