/* Two views of a resolved job by the table's flags: what affects results, and what differs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "job/option_walk.h"

/* ---- the part that affects results --------------------------------------------------------- */

struct results {
    struct ge_jsonw w;
    size_t system;
};

static ge_status write_results(struct results *r, const struct ge_option *row, const char *key,
                               const ge_json *node);

/* Members of an object or map in their resolved order, which is canonical. */
static ge_status write_members(struct results *r, const char *parent, const ge_json *node)
{
    ge_status rc = GE_OK;
    for (const ge_json *m = ge_json_first(node); m != NULL; m = ge_json_next(m)) {
        const struct ge_option *row = ge_option_child(parent, ge_json_key(m));
        if (row != NULL) GE_TRY(write_results(r, row, ge_json_key(m), m));
    }
done:
    return rc;
}

static ge_status write_system(struct results *r, const struct ge_option *row, const ge_json *list)
{
    const ge_json *e = ge_json_first(list);
    for (size_t i = 0; i < r->system && e != NULL; i++) e = ge_json_next(e);
    if (e == NULL) return ge_fail(GE_EINVAL, "job: found no system %zu", r->system);
    return write_results(r, ge_option_child(row->path, "[]"), "system", e);
}

static ge_status write_results(struct results *r, const struct ge_option *row, const char *key,
                               const ge_json *node)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    if (!ge_option_affects(row)) goto done;
    if (row->type == GE_OPT_LIST) {
        GE_TRY(write_system(r, row, node));
    } else if (ge_option_is_container(row)) {
        ge_jsonw_object(&r->w, key);
        GE_TRY(write_members(r, row->path, node));
        ge_jsonw_object_end(&r->w);
    } else {
        ge_json_print(node, &text);
        GE_TRY(ge_buf_status(&text));
        ge_jsonw_raw(&r->w, key, text.data);
    }
done:
    ge_buf_free(&text);
    return rc;
}

ge_status ge_options_results(const ge_json *resolved, size_t system, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct results r = {.system = system};
    ge_jsonw_init(&r.w, out, 0);
    ge_jsonw_object(&r.w, NULL);
    GE_TRY(write_members(&r, "", resolved));
    ge_jsonw_object_end(&r.w);
    GE_TRY(ge_buf_status(out));
done:
    return rc;
}

/* ---- differences --------------------------------------------------------------------------- */

struct diff {
    struct ge_arena *arena;
    struct ge_option_change *changes;
    size_t n, cap;
};

static ge_status diff_nodes(struct diff *d, const struct ge_option *row, const char *path,
                            const ge_json *a, const ge_json *b);

/* Compact text of a node in the arena; NULL for NULL. */
static ge_status print_node(struct diff *d, const ge_json *node, const char **text)
{
    ge_status rc = GE_OK;
    struct ge_buf buf;
    ge_buf_init(&buf, GE_JSON_MAX_BYTES);
    *text = NULL;
    if (node == NULL) goto done;
    ge_json_print(node, &buf);
    GE_TRY(ge_buf_status(&buf));
    GE_TRY_PTR(*text, ge_arena_strndup(d->arena, buf.data, buf.len));
done:
    ge_buf_free(&buf);
    return rc;
}

/* Record a difference unless both print the same. row NULL: a key that we do not know. */
static ge_status diff_whole(struct diff *d, const struct ge_option *row, const char *path,
                            const ge_json *a, const ge_json *b)
{
    ge_status rc = GE_OK;
    struct ge_option_change c = {.path = path};
    GE_TRY(print_node(d, a, &c.old_value));
    GE_TRY(print_node(d, b, &c.new_value));
    if (a != NULL && b != NULL && strcmp(c.old_value, c.new_value) == 0) goto done;
    c.affects_results = row == NULL || ge_option_affects(row);
    GE_GROW(d->changes, d->n, d->cap);
    d->changes[d->n++] = c;
done:
    return rc;
}

static ge_status diff_members(struct diff *d, const char *parent, const char *path,
                              const ge_json *a, const ge_json *b)
{
    ge_status rc = GE_OK;
    const char *dot = path[0] == '\0' ? "" : ".";
    for (int pass = 0; pass < 2; pass++) {
        const ge_json *from = pass == 0 ? a : b;
        for (const ge_json *m = ge_json_first(from); m != NULL; m = ge_json_next(m)) {
            const char *key = ge_json_key(m), *below;
            const ge_json *old_node = ge_json_get(a, key);
            if (pass == 1 && old_node != NULL) continue;
            GE_TRY_PTR(below, ge_arena_printf(d->arena, "%s%s%s", path, dot, key));
            GE_TRY(
                diff_nodes(d, ge_option_child(parent, key), below, old_node, ge_json_get(b, key)));
        }
    }
done:
    return rc;
}

/* The list's element with the same name as `e`, or NULL. */
static const ge_json *find_named(const ge_json *list, const ge_json *e)
{
    const char *name = ge_json_string(ge_json_get(e, "name"), NULL);
    for (const ge_json *o = ge_json_first(list); name != NULL && o != NULL; o = ge_json_next(o)) {
        const char *other = ge_json_string(ge_json_get(o, "name"), NULL);
        if (other != NULL && strcmp(other, name) == 0) return o;
    }
    return NULL;
}

/* Elements that share a name are compared; the others were added or removed. */
static ge_status diff_list(struct diff *d, const struct ge_option *row, const char *path,
                           const ge_json *a, const ge_json *b)
{
    ge_status rc = GE_OK;
    const struct ge_option *element = ge_option_child(row->path, "[]");
    for (int pass = 0; pass < 2; pass++) {
        size_t i = 0;
        for (const ge_json *e = ge_json_first(pass == 0 ? a : b); e != NULL; e = ge_json_next(e)) {
            const ge_json *other = find_named(pass == 0 ? b : a, e);
            const char *below;
            GE_TRY_PTR(below, ge_arena_printf(d->arena, "%s[%zu]", path, i++));
            if (pass == 1 && other != NULL) continue;
            GE_TRY(diff_nodes(d, element, below, pass == 0 ? e : NULL, pass == 0 ? other : e));
        }
    }
done:
    return rc;
}

static ge_status diff_nodes(struct diff *d, const struct ge_option *row, const char *path,
                            const ge_json *a, const ge_json *b)
{
    bool both = a != NULL && b != NULL && ge_json_type(a) == ge_json_type(b);
    if (row != NULL && both && row->type == GE_OPT_LIST) return diff_list(d, row, path, a, b);
    if (row != NULL && both && ge_option_is_container(row)) {
        return diff_members(d, row->path, path, a, b);
    }
    return diff_whole(d, row, path, a, b);
}

ge_status ge_options_diff(const ge_json *old_job, const ge_json *new_job, struct ge_arena *arena,
                          struct ge_option_change **changes, size_t *n)
{
    ge_status rc = GE_OK;
    struct diff d = {.arena = arena};
    GE_TRY(diff_members(&d, "", "", old_job, new_job));
    GE_TRY_PTR(*changes, ge_arena_alloc(arena, d.n, sizeof *d.changes));
    if (d.n > 0) memcpy(*changes, d.changes, d.n * sizeof *d.changes);
    *n = d.n;
done:
    free(d.changes);
    return rc;
}
