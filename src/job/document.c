/* From a job file to one document: "$file" parts, overrides, built-in scoring. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "job/spec_parts.h"

static ge_status add_origin(struct ge_job_document *d, const char *path, const char *name)
{
    ge_status rc = GE_OK;
    struct ge_origin o = {0};
    GE_TRY_PTR(o.path, ge_arena_strdup(d->arena, path));
    GE_TRY_PTR(o.name, ge_arena_strdup(d->arena, name));
    GE_GROW(d->origins, d->n_origins, d->cap_origins);
    d->origins[d->n_origins++] = o;
done:
    return rc;
}

/* ---- "$file" ------------------------------------------------------------------------------- */

struct inliner {
    struct ge_job_document *d;
    const char *source, *folder;
    struct ge_buf path; /* key path of the current node */
    struct ge_jsonw w;
};

/* Whether a document has "$file" as a key anywhere. Depth is bounded by the parser. */
static bool mentions_file(const ge_json *node)
{
    enum ge_json_type type = ge_json_type(node);
    if (type != GE_JSON_OBJECT && type != GE_JSON_ARRAY) return false;
    if (type == GE_JSON_OBJECT && ge_json_get(node, "$file") != NULL) return true;
    for (const ge_json *c = ge_json_first(node); c != NULL; c = ge_json_next(c)) {
        if (mentions_file(c)) return true;
    }
    return false;
}

static const char *inliner_path(const struct inliner *in)
{
    return in->path.len > 0 ? in->path.data : "job";
}

static ge_status write_node(struct ge_jsonw *w, const char *key, const ge_json *node)
{
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_json_print(node, &text);
    ge_status rc = ge_buf_status(&text);
    if (rc == GE_OK) ge_jsonw_raw(w, key, text.data);
    ge_buf_free(&text);
    return rc;
}

/* Write the object that a "$file" object stands for. */
static ge_status inline_file(struct inliner *in, const char *key, const ge_json *node)
{
    ge_status rc = GE_OK;
    ge_json *part = NULL;
    char *path = NULL;
    const char *name = ge_json_string(ge_json_get(node, "$file"), NULL);
    if (name == NULL || name[0] == '\0' || ge_json_count(node) != 1) {
        rc =
            ge_fail(GE_EINVAL,
                    "%s: %s: found an object with \"$file\", allowed: {\"$file\": \"path\"} and no "
                    "further key",
                    in->source, inliner_path(in));
        goto done;
    }
    GE_TRY_PTR(path, ge_fs_join(in->folder, name));
    rc = ge_json_read(path, &part);
    if (rc != GE_OK) {
        rc = ge_fail_in(rc, "%s: %s", in->source, inliner_path(in));
        goto done;
    }
    if (ge_json_type(part) != GE_JSON_OBJECT || mentions_file(part)) {
        rc = ge_fail(GE_EINVAL, "%s: %s: found %s in %s, allowed: an object without \"$file\"",
                     in->source, inliner_path(in),
                     ge_json_type(part) == GE_JSON_OBJECT ? "another \"$file\""
                                                          : ge_json_type_name(ge_json_type(part)),
                     path);
        goto done;
    }
    GE_TRY(write_node(&in->w, key, part));
    GE_TRY(add_origin(in->d, in->path.data != NULL ? in->path.data : "", path));
done:
    ge_json_delete(&part);
    free(path);
    return rc;
}

static ge_status inline_node(struct inliner *in, const char *key, const ge_json *node)
{
    ge_status rc = GE_OK;
    enum ge_json_type type = ge_json_type(node);
    size_t len = in->path.len, i = 0;
    if (type != GE_JSON_OBJECT && type != GE_JSON_ARRAY) return write_node(&in->w, key, node);
    if (type == GE_JSON_OBJECT && ge_json_get(node, "$file") != NULL) {
        return inline_file(in, key, node);
    }
    if (type == GE_JSON_OBJECT) {
        ge_jsonw_object(&in->w, key);
    } else {
        ge_jsonw_array(&in->w, key);
    }
    for (const ge_json *c = ge_json_first(node); c != NULL; c = ge_json_next(c)) {
        const char *name = ge_json_key(c);
        if (type == GE_JSON_OBJECT) {
            ge_buf_printf(&in->path, "%s%s", len > 0 ? "." : "", name);
        } else {
            ge_buf_printf(&in->path, "[%zu]", i++);
        }
        GE_TRY(ge_buf_status(&in->path));
        GE_TRY(inline_node(in, type == GE_JSON_OBJECT ? name : NULL, c));
        in->path.len = len;
        in->path.data[len] = '\0';
    }
    if (type == GE_JSON_OBJECT) {
        ge_jsonw_object_end(&in->w);
    } else {
        ge_jsonw_array_end(&in->w);
    }
done:
    return rc;
}

ge_status ge_job_inline_files(struct ge_job_document *d, const char *source, const char *folder)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct inliner in = {.d = d, .source = source, .folder = folder};
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_buf_init(&in.path, 1 << 20);
    if (!mentions_file(d->root)) goto done;
    ge_jsonw_init(&in.w, &text, 0);
    GE_TRY(inline_node(&in, NULL, d->root));
    GE_TRY(ge_buf_status(&text));
    ge_json_delete(&d->root);
    GE_TRY(ge_json_parse(text.data, text.len, source, &d->root));
done:
    ge_buf_free(&in.path);
    ge_buf_free(&text);
    return rc;
}

/* ---- overrides ----------------------------------------------------------------------------- */

static bool is_path(const struct ge_option *row)
{
    return row != NULL && (row->type == GE_OPT_PATH || row->type == GE_OPT_PATHS);
}

/* Whether the row wants text, so that --set name=123 means "123". */
static bool wants_text(const struct ge_option *row)
{
    if (row == NULL) return false;
    switch (row->type) {
    case GE_OPT_STRING:
    case GE_OPT_NAME:
    case GE_OPT_PATH:
    case GE_OPT_ENUM:
    case GE_OPT_STRINGS:
    case GE_OPT_PATHS:
        return true;
    default:
        return false;
    }
}

static void write_path(struct ge_jsonw *w, const char *folder, const char *path)
{
    char *absolute = ge_fs_join(folder, path);
    if (absolute == NULL) w->out->status = GE_ENOMEM;
    ge_jsonw_string(w, NULL, absolute);
    free(absolute);
}

/* The value with its paths made absolute, parsed. */
static ge_status absolute_paths(const ge_json *value, ge_json **out)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    char *folder = NULL;
    bool is_list = ge_json_type(value) == GE_JSON_ARRAY;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    folder = realpath(".", NULL);
    if (folder == NULL) {
        rc = ge_fail(GE_EIO, "the current folder cannot be read; change to one that exists");
        goto done;
    }
    ge_jsonw_init(&w, &text, 0);
    if (is_list) ge_jsonw_array(&w, NULL);
    for (const ge_json *e = is_list ? ge_json_first(value) : value; e != NULL;
         e = is_list ? ge_json_next(e) : NULL) {
        const char *path = ge_json_string(e, NULL);
        if (path != NULL && path[0] != '\0') {
            write_path(&w, folder, path);
        } else {
            GE_TRY(write_node(&w, NULL, e)); /* resolving names the fault */
        }
    }
    if (is_list) ge_jsonw_array_end(&w);
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_json_parse(text.data, text.len, "paths", out));
done:
    free(folder);
    ge_buf_free(&text);
    return rc;
}

/* The override's text as a JSON value. */
static ge_status override_value(const struct ge_override *o, const char *label, ge_json **out)
{
    ge_status rc = GE_OK;
    const struct ge_option *row = ge_option_find(o->path);
    struct ge_buf quoted;
    ge_json *value = NULL;
    ge_buf_init(&quoted, GE_JSON_MAX_BYTES);
    rc = ge_json_parse(o->value, strlen(o->value), label, &value);
    if (rc == GE_ENOMEM) goto done;
    bool number = value != NULL &&
                  (ge_json_type(value) == GE_JSON_NUMBER || ge_json_type(value) == GE_JSON_BOOL);
    if (rc != GE_OK || (number && wants_text(row))) {
        ge_error_clear();
        ge_json_delete(&value);
        ge_json_escape(&quoted, o->value, strlen(o->value));
        GE_TRY(ge_buf_status(&quoted));
        GE_TRY(ge_json_parse(quoted.data, quoted.len, label, &value));
    }
    if (is_path(row) && ge_json_type(value) != GE_JSON_NULL) {
        GE_TRY(absolute_paths(value, out));
    } else {
        *out = value;
        value = NULL;
    }
done:
    ge_json_delete(&value);
    ge_buf_free(&quoted);
    return rc;
}

ge_status ge_job_apply(struct ge_job_document *d, const struct ge_override *sets, size_t n)
{
    ge_status rc = GE_OK;
    ge_json *value = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *label = sets[i].label;
        if (label == NULL) {
            GE_TRY_PTR(label, ge_arena_printf(d->arena, "--set %s", sets[i].path));
        }
        GE_TRY(override_value(&sets[i], label, &value));
        rc = ge_json_set_path(d->root, sets[i].path, value);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s", label);
            goto done;
        }
        GE_TRY(add_origin(d, sets[i].path, label));
        ge_json_delete(&value);
    }
done:
    ge_json_delete(&value);
    return rc;
}

/* ---- built-in scoring ---------------------------------------------------------------------- */

const struct ge_job_metric *ge_job_find_metric(const struct ge_job_vocabulary *v, const char *name)
{
    for (size_t i = 0; v != NULL && i < v->n_metrics; i++) {
        if (strcmp(v->metrics[i].name, name) == 0) return &v->metrics[i];
    }
    return NULL;
}

/* Whether the job has an encoder for what the metric compares. */
static bool metric_has_encoder(const ge_json *root, const struct ge_job_vocabulary *vocabulary,
                               const char *name)
{
    const struct ge_job_metric *m = ge_job_find_metric(vocabulary, name);
    if (m == NULL || m->role == NULL) return true;
    const ge_json *roles = ge_json_get_path(root, "scoring.roles");
    return ge_json_string(ge_json_get(roles, m->role), NULL) != NULL;
}

/* doc[scoring.tasks.<type>.<key>] = the text in `buf`. */
static ge_status set_task(struct ge_job_document *d, const char *type, const char *key,
                          const struct ge_buf *buf)
{
    ge_status rc = GE_OK;
    ge_json *value = NULL;
    char *path = NULL;
    GE_TRY(ge_buf_status(buf));
    GE_TRY_PTR(path, ge_sprintf("scoring.tasks.%s.%s", type, key));
    GE_TRY(ge_json_parse(buf->data, buf->len, path, &value));
    GE_TRY(ge_json_set_path(d->root, path, value));
done:
    free(path);
    ge_json_delete(&value);
    return rc;
}

static ge_status fill_task(struct ge_job_document *d, const struct ge_job_vocabulary *vocabulary,
                           const struct ge_task_default *t, const ge_json *given)
{
    ge_status rc = GE_OK;
    struct ge_buf buf;
    struct ge_jsonw w;
    bool has_metrics = ge_json_get(given, "metrics") != NULL;
    bool has_verdict = ge_json_get(given, "verdict") != NULL;
    ge_buf_init(&buf, 1 << 16);
    if (!has_metrics) {
        ge_jsonw_init(&w, &buf, 0);
        ge_jsonw_array(&w, NULL);
        for (size_t i = 0; i < sizeof t->metrics / sizeof *t->metrics; i++) {
            const char *name = t->metrics[i];
            if (name == NULL) break;
            if (metric_has_encoder(d->root, vocabulary, name)) ge_jsonw_string(&w, NULL, name);
        }
        ge_jsonw_array_end(&w);
        GE_TRY(set_task(d, t->type, "metrics", &buf));
    }
    if (!has_verdict) {
        ge_buf_reset(&buf);
        ge_jsonw_init(&w, &buf, 0);
        ge_jsonw_object(&w, NULL);
        ge_jsonw_string(&w, "rule", t->rule);
        if (t->metric != NULL) ge_jsonw_string(&w, "metric", t->metric);
        if (t->fallback != NULL) ge_jsonw_string(&w, "fallback", t->fallback);
        ge_jsonw_object_end(&w);
        GE_TRY(set_task(d, t->type, "verdict", &buf));
    }
done:
    ge_buf_free(&buf);
    return rc;
}

/* Absent, null or an object: something that defaults can be put into. */
static bool can_fill(const ge_json *node)
{
    return node == NULL || ge_json_type(node) == GE_JSON_OBJECT;
}

ge_status ge_job_fill_tasks(struct ge_job_document *d, const struct ge_job_vocabulary *vocabulary)
{
    ge_status rc = GE_OK;
    size_t n;
    const struct ge_task_default *defaults = ge_task_defaults(&n);
    for (size_t i = 0; i < n; i++) {
        const ge_json *scoring = ge_json_get(d->root, "scoring");
        const ge_json *tasks = ge_json_get(scoring, "tasks");
        const ge_json *given = ge_json_get(tasks, defaults[i].type);
        if (!can_fill(scoring) || !can_fill(tasks) || !can_fill(given)) continue;
        GE_TRY(fill_task(d, vocabulary, &defaults[i], given));
    }
done:
    return rc;
}
