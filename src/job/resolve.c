/* A job against the option table: check, fill in defaults, write the canonical form. One walk over
 * the table's tree does all three. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "job/option_walk.h"

enum { NAME_BYTES_MAX = 100, KEY_BYTES_MAX = 200, FOUND_BYTES_MAX = 60 };

struct resolver {
    const char *source;
    const struct ge_origin *origins;
    size_t n_origins;
    struct ge_jsonw w;
    struct ge_buf path; /* concrete key path of the current node */
};

static ge_status resolve_value(struct resolver *r, const struct ge_option *row, const char *key,
                               const ge_json *node);

/* ---- messages ---------------------------------------------------------------------------- */

/* Whether `part` is `path` or a container of it. */
static bool path_holds(const char *part, const char *path)
{
    size_t len = strlen(part);
    if (len == 0) return true;
    return strncmp(part, path, len) == 0 &&
           (path[len] == '\0' || path[len] == '.' || path[len] == '[');
}

static const char *current_path(const struct resolver *r)
{
    return r->path.data != NULL ? r->path.data : "";
}

/* Who said what is at the current path: an override, a "$file", or the job file. */
static const char *origin_of(const struct resolver *r)
{
    const char *path = current_path(r);
    const char *name = r->source;
    size_t longest = 0;
    for (size_t i = 0; i < r->n_origins; i++) {
        size_t len = strlen(r->origins[i].path);
        if (len >= longest && path_holds(r->origins[i].path, path)) {
            longest = len;
            name = r->origins[i].name;
        }
    }
    return name;
}

/* "number 3", "string \"abc\"", "object": cut to a length that a line can hold. */
static void describe_found(const ge_json *node, struct ge_buf *out)
{
    enum ge_json_type type = ge_json_type(node);
    ge_buf_str(out, ge_json_type_name(type));
    if (type != GE_JSON_STRING && type != GE_JSON_NUMBER && type != GE_JSON_BOOL) return;
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_json_print(node, &text);
    size_t len = text.len;
    bool cut = len > FOUND_BYTES_MAX;
    if (cut) len = ge_utf8_valid(text.data, FOUND_BYTES_MAX);
    ge_buf_char(out, ' ');
    if (text.data != NULL) ge_buf_add(out, text.data, len);
    if (cut) ge_buf_str(out, "…");
    ge_buf_free(&text);
}

/* `node` (NULL: nothing) at the current path is not what the row allows. */
static ge_status refuse(struct resolver *r, const struct ge_option *row, const ge_json *node)
{
    struct ge_buf found, allowed;
    ge_buf_init(&found, 4096);
    ge_buf_init(&allowed, 4096);
    if (node != NULL) {
        describe_found(node, &found);
    } else {
        ge_buf_str(&found, "nothing");
    }
    ge_option_describe(row, &allowed);
    ge_status rc =
        ge_fail(GE_EINVAL, "%s: %s: found %s, allowed: %s", origin_of(r), current_path(r),
                found.data != NULL ? found.data : "?", allowed.data != NULL ? allowed.data : "?");
    ge_buf_free(&found);
    ge_buf_free(&allowed);
    return rc;
}

/* A key that the container `parent` does not have, with the nearest and all known ones. */
static ge_status refuse_key(struct resolver *r, const char *parent, const char *key)
{
    ge_status rc = GE_OK;
    size_t n, n_names = 0;
    const struct ge_option *rows = ge_options(&n);
    const char **names = ge_calloc(n, sizeof *names);
    struct ge_buf all;
    ge_buf_init(&all, 4096);
    for (size_t i = 0; names != NULL && i < n; i++) {
        const char *name = ge_option_member(&rows[i], parent);
        if (name == NULL) continue;
        ge_buf_printf(&all, "%s%s", n_names == 0 ? "" : ", ", name);
        names[n_names++] = name;
    }
    const char *near = ge_nearest_name(key, names, n_names);
    int len = (int)ge_utf8_valid(key, strnlen(key, FOUND_BYTES_MAX));
    rc = ge_fail(GE_EINVAL, "%s: %s%sfound unknown key \"%.*s\"%s%s%s, allowed: %s", origin_of(r),
                 current_path(r), r->path.len > 0 ? ": " : "", len, key,
                 near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
                 near != NULL ? "\"?)" : "", all.data != NULL ? all.data : "none");
    free(names);
    ge_buf_free(&all);
    return rc;
}

/* ---- the current path ---------------------------------------------------------------------- */

static size_t enter_key(struct resolver *r, const char *key)
{
    size_t len = r->path.len;
    if (len > 0) ge_buf_char(&r->path, '.');
    ge_buf_str(&r->path, key);
    return len;
}

static size_t enter_element(struct resolver *r, size_t i)
{
    size_t len = r->path.len;
    ge_buf_printf(&r->path, "[%zu]", i);
    return len;
}

static void leave(struct resolver *r, size_t len)
{
    if (r->path.data == NULL) return;
    r->path.len = len;
    r->path.data[len] = '\0';
}

/* ---- leaves ------------------------------------------------------------------------------ */

static bool is_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-+.";
    size_t len = strlen(s);
    return len > 0 && len <= NAME_BYTES_MAX && s[0] != '.' && strspn(s, letters) == len;
}

static bool is_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return true;
    }
    return false;
}

/* Whether the row takes this string. */
static bool string_fits(const struct ge_option *row, const char *s)
{
    if (s == NULL || s[0] == '\0' || is_control(s)) return false;
    if (row->type == GE_OPT_NAME) return is_name(s);
    return row->allowed == NULL || ge_option_allows(row->allowed, s);
}

/* Whether the row takes this number; an int is within 2^53 by its bounds. */
static bool number_fits(const struct ge_option *row, const ge_json *node)
{
    if (ge_json_type(node) != GE_JSON_NUMBER) return false;
    double v = ge_json_number(node, NAN);
    if (!(v >= row->min && v <= row->max)) return false;
    return row->type == GE_OPT_REAL || v == floor(v);
}

/* A list of strings, or one string, as a list. */
static ge_status resolve_strings(struct resolver *r, const struct ge_option *row, const char *key,
                                 const ge_json *node)
{
    bool is_list = ge_json_type(node) == GE_JSON_ARRAY;
    if (!is_list && ge_json_type(node) != GE_JSON_STRING) return refuse(r, row, node);
    ge_jsonw_array(&r->w, key);
    size_t i = 0;
    for (const ge_json *e = is_list ? ge_json_first(node) : node; e != NULL;
         e = is_list ? ge_json_next(e) : NULL) {
        size_t len = is_list ? enter_element(r, i++) : r->path.len;
        const char *s = ge_json_string(e, NULL);
        if (!string_fits(row, s)) return refuse(r, row, e);
        ge_jsonw_string(&r->w, NULL, s);
        leave(r, len);
    }
    ge_jsonw_array_end(&r->w);
    return GE_OK;
}

static ge_status resolve_leaf(struct resolver *r, const struct ge_option *row, const char *key,
                              const ge_json *node)
{
    switch (row->type) {
    case GE_OPT_INT:
        if (!number_fits(row, node)) return refuse(r, row, node);
        ge_jsonw_int(&r->w, key, (int64_t)ge_json_number(node, 0));
        return GE_OK;
    case GE_OPT_REAL:
        if (!number_fits(row, node)) return refuse(r, row, node);
        ge_jsonw_double(&r->w, key, ge_json_number(node, 0));
        return GE_OK;
    case GE_OPT_BOOL:
        if (ge_json_type(node) != GE_JSON_BOOL) return refuse(r, row, node);
        ge_jsonw_bool(&r->w, key, ge_json_bool(node, false));
        return GE_OK;
    case GE_OPT_STRINGS:
    case GE_OPT_PATHS:
        return resolve_strings(r, row, key, node);
    default:
        if (!string_fits(row, ge_json_string(node, NULL))) return refuse(r, row, node);
        ge_jsonw_string(&r->w, key, ge_json_string(node, NULL));
        return GE_OK;
    }
}

/* ---- containers -------------------------------------------------------------------------- */

/* The fixed keys of an object, or of the whole job (parent ""). node NULL: all are absent. */
static ge_status resolve_members(struct resolver *r, const char *parent, const ge_json *node)
{
    ge_status rc = GE_OK;
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    for (const ge_json *m = node != NULL ? ge_json_first(node) : NULL; m != NULL;
         m = ge_json_next(m)) {
        if (ge_option_child(parent, ge_json_key(m)) == NULL) {
            return refuse_key(r, parent, ge_json_key(m));
        }
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = ge_option_member(&rows[i], parent);
        if (name == NULL) continue;
        size_t len = enter_key(r, name);
        GE_TRY(resolve_value(r, &rows[i], name, ge_json_get(node, name)));
        leave(r, len);
    }
done:
    return rc;
}

static ge_status resolve_map(struct resolver *r, const struct ge_option *row, const ge_json *node)
{
    ge_status rc = GE_OK;
    const ge_json **members = NULL;
    size_t n = 0;
    const struct ge_option *value = ge_option_child(row->path, "*");
    if (node != NULL) GE_TRY(ge_option_sorted_members(node, &members, &n));
    for (size_t i = 0; i < n; i++) {
        const char *key = ge_json_key(members[i]);
        if (key[0] == '\0' || strlen(key) > KEY_BYTES_MAX || is_control(key)) {
            rc = ge_fail(GE_EINVAL,
                         "%s: %s: found a name that is empty, has control characters or more than "
                         "%d bytes; allowed: a short printable name",
                         origin_of(r), current_path(r), KEY_BYTES_MAX);
            goto done;
        }
        size_t len = enter_key(r, key);
        GE_TRY(resolve_value(r, value, key, members[i]));
        leave(r, len);
    }
done:
    free(members);
    return rc;
}

static ge_status resolve_list(struct resolver *r, const struct ge_option *row, const char *key,
                              const ge_json *node)
{
    ge_status rc = GE_OK;
    const struct ge_option *element = ge_option_child(row->path, "[]");
    size_t i = 0, n = ge_json_count(node);
    if (ge_json_type(node) != GE_JSON_ARRAY || (double)n < row->min || (double)n > row->max) {
        return refuse(r, row, node);
    }
    ge_jsonw_array(&r->w, key);
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        size_t len = enter_element(r, i++);
        if (ge_json_type(e) != GE_JSON_OBJECT) return refuse(r, element, e);
        GE_TRY(resolve_value(r, element, NULL, e));
        leave(r, len);
    }
    ge_jsonw_array_end(&r->w);
done:
    return rc;
}

/* An object without any row below it holds nothing that could be written. */
static bool has_members(const struct ge_option *row)
{
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (ge_option_member(&rows[i], row->path) != NULL) return true;
    }
    return false;
}

/* node NULL: not given; JSON null says the same. */
static ge_status resolve_value(struct resolver *r, const struct ge_option *row, const char *key,
                               const ge_json *node)
{
    ge_status rc = GE_OK;
    if (node != NULL && ge_json_type(node) == GE_JSON_NULL) node = NULL;
    if (node == NULL && row->required) return refuse(r, row, NULL);
    if (row->type == GE_OPT_LIST) {
        return node != NULL ? resolve_list(r, row, key, node) : GE_OK;
    }
    if (row->type == GE_OPT_OBJECT || row->type == GE_OPT_MAP) {
        if (node != NULL && ge_json_type(node) != GE_JSON_OBJECT) return refuse(r, row, node);
        if (!has_members(row)) return GE_OK;
        ge_jsonw_object(&r->w, key);
        GE_TRY(row->type == GE_OPT_MAP ? resolve_map(r, row, node)
                                       : resolve_members(r, row->path, node));
        ge_jsonw_object_end(&r->w);
    } else if (node != NULL) {
        GE_TRY(resolve_leaf(r, row, key, node));
    } else if (row->def != NULL) {
        ge_jsonw_raw(&r->w, key, row->def);
    }
done:
    return rc;
}

ge_status ge_options_resolve(const ge_json *job, const char *source,
                             const struct ge_origin *origins, size_t n_origins, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct resolver r = {.source = source, .origins = origins, .n_origins = n_origins};
    ge_buf_init(&r.path, 1 << 20);
    ge_jsonw_init(&r.w, out, 0);
    if (ge_json_type(job) != GE_JSON_OBJECT) {
        rc = ge_fail(GE_EINVAL, "%s: found %s, allowed: a job, which is an object", source,
                     ge_json_type_name(ge_json_type(job)));
        goto done;
    }
    ge_buf_str(&r.path, "");
    ge_jsonw_object(&r.w, NULL);
    GE_TRY(resolve_members(&r, "", job));
    ge_jsonw_object_end(&r.w);
    GE_TRY(ge_buf_status(out));
    GE_TRY(ge_buf_status(&r.path));
done:
    ge_buf_free(&r.path);
    return rc;
}
