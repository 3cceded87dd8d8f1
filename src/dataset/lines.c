#include "dataset/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

enum { BLOCK_BYTES = 1 << 18 };

struct lines {
    const char *path; /* borrowed */
    size_t number;    /* of the last line read, from 1 */
    char *name;       /* "<path> line <number>", for messages */
    struct ge_hasher *hasher;
    struct ge_buf line;
    char *block;
    size_t pos, len, name_size;
    int fd;
    bool end;
};

static ge_status open_lines(struct lines *l, const char *path)
{
    ge_status rc = GE_OK;
    struct ge_fs_stat st;
    *l = (struct lines){.path = path, .fd = -1};
    ge_buf_init(&l->line, GE_LINE_BYTES_MAX);
    GE_TRY(ge_fs_stat(path, &st));
    if (!st.is_file) {
        rc = ge_fail(GE_EFORMAT, "%s: found %s, allowed: a file", path,
                     st.is_dir ? "a folder" : "neither file nor folder");
        goto done;
    }
    l->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0) {
        rc = ge_fail(errno == ENOENT ? GE_ENOENT : GE_EIO, "%s: %s", path, strerror(errno));
        goto done;
    }
    l->name_size = strlen(path) + sizeof " line 18446744073709551615";
    GE_NEW(l->name, l->name_size);
    GE_NEW(l->block, BLOCK_BYTES);
    GE_TRY_PTR(l->hasher, ge_hasher_new());
done:
    return rc;
}

static void close_lines(struct lines *l)
{
    if (l->fd >= 0) (void)close(l->fd);
    ge_hasher_delete(&l->hasher);
    ge_buf_free(&l->line);
    free(l->block);
    free(l->name);
}

static ge_status fill_block(struct lines *l)
{
    ssize_t n;
    do {
        n = read(l->fd, l->block, BLOCK_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return ge_fail(GE_EIO, "%s: %s", l->path, strerror(errno));
    l->pos = 0;
    l->len = (size_t)n;
    l->end = n == 0;
    ge_hasher_add(l->hasher, l->block, l->len);
    return GE_OK;
}

/* Next line without its newline in l->line; *more is false after the last. */
static ge_status next_line(struct lines *l, bool *more)
{
    ge_status rc = GE_OK;
    ge_buf_reset(&l->line);
    *more = false;
    for (;;) {
        if (l->pos == l->len && !l->end) GE_TRY(fill_block(l));
        if (l->end) break;
        *more = true;
        const char *from = l->block + l->pos;
        const char *newline = memchr(from, '\n', l->len - l->pos);
        size_t n = newline != NULL ? (size_t)(newline - from) : l->len - l->pos;
        ge_buf_add(&l->line, from, n);
        l->pos += n + (newline != NULL);
        rc = ge_buf_status(&l->line);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s line %zu: found a line longer than %d bytes or no memory",
                            l->path, l->number + 1, GE_LINE_BYTES_MAX);
            goto done;
        }
        if (newline != NULL) break;
    }
    l->number += *more;
done:
    return rc;
}

static bool is_blank(const struct ge_buf *line)
{
    return line->len == 0 || strspn(line->data, " \t\r") == line->len;
}

/* Next line that is not blank, as a JSON object (free with ge_json_delete); NULL after the last. */
static ge_status next_object(struct lines *l, ge_json **object)
{
    ge_status rc = GE_OK;
    bool more;
    *object = NULL;
    do {
        GE_TRY(next_line(l, &more));
        if (!more) goto done;
    } while (is_blank(&l->line));
    (void)snprintf(l->name, l->name_size, "%s line %zu", l->path, l->number);
    GE_TRY(ge_json_parse(l->line.data, l->line.len, l->name, object));
    if (ge_json_type(*object) != GE_JSON_OBJECT) {
        rc = ge_fail(GE_EFORMAT, "%s: found %s, allowed: a JSON object", l->name,
                     ge_json_type_name(ge_json_type(*object)));
        ge_json_delete(object);
    }
done:
    return rc;
}

ge_status ge_lines_each(const char *path, const char *folder, struct ge_arena *arena,
                        ge_line_fn *fn, void *ctx, struct ge_hash *content)
{
    ge_status rc = GE_OK;
    struct lines l;
    struct ge_arena *scratch = NULL;
    char *own_folder = NULL;
    ge_json *object = NULL;
    GE_TRY(open_lines(&l, path));
    if (folder == NULL) GE_TRY_PTR(own_folder, ge_fs_dirname(path));
    if (arena == NULL) GE_TRY_PTR(scratch, ge_arena_new());
    struct ge_fields f = {.arena = arena != NULL ? arena : scratch,
                          .place = l.name,
                          .prefix = "",
                          .folder = folder != NULL ? folder : own_folder};
    for (;;) {
        GE_TRY(next_object(&l, &object));
        if (object == NULL) break;
        f.object = object;
        GE_TRY(fn(ctx, &f, l.number));
        ge_json_delete(&object);
        if (scratch != NULL) ge_arena_reset(scratch);
    }
    if (content != NULL) *content = ge_hasher_get(l.hasher);
done:
    ge_json_delete(&object);
    ge_arena_delete(&scratch);
    free(own_folder);
    close_lines(&l);
    return rc;
}
