/* Look-ups in the option table, names in words, and settings from the command line. */
#include "job/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "job/option_walk.h"

/* ---- the table as a tree ----------------------------------------------------------------- */

const char *ge_option_member(const struct ge_option *row, const char *parent)
{
    size_t len = strlen(parent);
    if (strncmp(row->path, parent, len) != 0) return NULL;
    const char *rest = row->path + len;
    if (len > 0 && strcmp(rest, "[]") == 0) return rest;
    if (len > 0) {
        if (*rest != '.') return NULL;
        rest++;
    }
    return *rest != '\0' && rest[strcspn(rest, ".[")] == '\0' ? rest : NULL;
}

const struct ge_option *ge_option_child(const char *parent, const char *key)
{
    size_t n;
    const struct ge_option *rows = ge_options(&n), *any = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = ge_option_member(&rows[i], parent);
        if (name == NULL) continue;
        if (strcmp(name, "*") == 0) {
            any = &rows[i];
        } else if (strcmp(name, key) == 0) {
            return &rows[i];
        }
    }
    return any;
}

bool ge_option_is_container(const struct ge_option *row)
{
    return row->type == GE_OPT_OBJECT || row->type == GE_OPT_MAP || row->type == GE_OPT_LIST;
}

bool ge_option_affects(const struct ge_option *row)
{
    if (!ge_option_is_container(row)) return row->affects_results;
    size_t n, len = strlen(row->path);
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        const char *path = rows[i].path;
        bool below = strncmp(path, row->path, len) == 0 && (path[len] == '.' || path[len] == '[');
        if (below && rows[i].affects_results) return true;
    }
    return false;
}

/* Whether a concrete path is one of a row: '*' stands for a segment, "[]" for an index. */
static bool path_matches(const char *row, const char *path)
{
    while (*row != '\0') {
        if (*row == '*') {
            size_t len = strcspn(path, ".[");
            if (len == 0) return false;
            row++;
            path += len;
        } else if (*row == '[' && *path == '[') {
            size_t digits = strspn(path + 1, "0123456789");
            if (digits == 0 || path[1 + digits] != ']') return false;
            row += 2;
            path += digits + 2;
        } else if (*row++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

const struct ge_option *ge_option_find(const char *path)
{
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (path_matches(rows[i].path, path)) return &rows[i];
    }
    return NULL;
}

const struct ge_option *ge_option_by_flag(const char *arg)
{
    size_t n, len = strcspn(arg, "=");
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        const char *flag = rows[i].flag;
        if (flag != NULL && strlen(flag) == len && strncmp(flag, arg, len) == 0) return &rows[i];
    }
    return NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(ge_json_key(*(const ge_json *const *)a), ge_json_key(*(const ge_json *const *)b));
}

ge_status ge_option_sorted_members(const ge_json *object, const ge_json ***members, size_t *n)
{
    ge_status rc = GE_OK;
    *n = 0;
    GE_NEW(*members, ge_json_count(object));
    for (const ge_json *m = ge_json_first(object); m != NULL; m = ge_json_next(m)) {
        (*members)[(*n)++] = m;
    }
    if (*n > 1) qsort(*members, *n, sizeof **members, by_key);
done:
    return rc;
}

/* ---- in words ---------------------------------------------------------------------------- */

bool ge_option_allows(const char *allowed, const char *value)
{
    size_t len = strlen(value);
    for (const char *p = allowed; *p != '\0';) {
        size_t word = strcspn(p, "|");
        if (word == len && strncmp(p, value, len) == 0) return true;
        p += word + (p[word] == '|');
    }
    return false;
}

/* "a|b|c" as "a", "b" or "c". */
static void describe_allowed(const char *allowed, struct ge_buf *out)
{
    for (const char *p = allowed; *p != '\0';) {
        size_t len = strcspn(p, "|");
        bool last = p[len] == '\0';
        if (p != allowed) ge_buf_str(out, last ? " or " : ", ");
        ge_buf_printf(out, "\"%.*s\"", (int)len, p);
        p += len + !last;
    }
}

static void describe_bounds(const struct ge_option *row, struct ge_buf *out)
{
    if (row->min == 0 && row->max == 0) return;
    char min[32], max[32];
    ge_double_text(row->min, min);
    ge_double_text(row->max, max);
    ge_buf_printf(out, " from %s to %s", min, max);
}

void ge_option_describe(const struct ge_option *row, struct ge_buf *out)
{
    switch (row->type) {
    case GE_OPT_STRING:
        ge_buf_str(out, "a string that is not empty");
        break;
    case GE_OPT_NAME:
        ge_buf_str(out, "a name of at most 100 letters, digits, '_', '-', '+', '.', not beginning "
                        "with '.'");
        break;
    case GE_OPT_PATH:
        ge_buf_str(out, "a path");
        break;
    case GE_OPT_INT:
        ge_buf_str(out, "a whole number");
        describe_bounds(row, out);
        break;
    case GE_OPT_REAL:
        ge_buf_str(out, "a number");
        describe_bounds(row, out);
        break;
    case GE_OPT_BOOL:
        ge_buf_str(out, "true or false");
        break;
    case GE_OPT_ENUM:
        describe_allowed(row->allowed, out);
        break;
    case GE_OPT_STRINGS:
        ge_buf_str(out, "a list of strings");
        if (row->allowed != NULL) {
            ge_buf_str(out, ", each ");
            describe_allowed(row->allowed, out);
        }
        break;
    case GE_OPT_PATHS:
        ge_buf_str(out, "a path or a list of paths");
        break;
    case GE_OPT_OBJECT:
        ge_buf_str(out, "an object");
        break;
    case GE_OPT_MAP:
        ge_buf_str(out, "an object with names of your choice as keys");
        break;
    case GE_OPT_LIST:
        ge_buf_str(out, "a list of at least one object");
        break;
    }
}

/* ---- suggestions ------------------------------------------------------------------------- */

enum { NAME_MAX_LEN = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein distance of two names of at most NAME_MAX_LEN bytes. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1], la = strlen(a), lb = strlen(b);
    for (size_t j = 0; j <= lb; j++) row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t above = row[j];
            row[j] = min3(row[j - 1] + 1, above + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[lb];
}

const char *ge_nearest_name(const char *name, const char *const *names, size_t n)
{
    size_t len = strlen(name), best = len / 3 + 2;
    const char *nearest = NULL;
    if (len > NAME_MAX_LEN) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) > NAME_MAX_LEN) continue;
        size_t d = edit_distance(name, names[i]);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- command line ------------------------------------------------------------------------ */

static ge_status unknown_option(const char *path)
{
    ge_status rc = GE_OK;
    const char **names = NULL;
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    GE_NEW(names, n);
    for (size_t i = 0; i < n; i++) names[i] = rows[i].path;
    const char *near = ge_nearest_name(path, names, n);
    rc = ge_fail(GE_EINVAL, "--set %s: no such option%s%s%s (docs/job.md lists all)", path,
                 near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
                 near != NULL ? "\"?" : "");
done:
    free(names);
    return rc;
}

ge_status ge_override_parse(const char *text, struct ge_arena *arena, struct ge_override *out)
{
    ge_status rc = GE_OK;
    const char *equals = strchr(text, '=');
    *out = (struct ge_override){0};
    if (equals == NULL || equals == text) {
        return ge_fail(GE_EINVAL, "--set %s: found no '=', allowed: key.path=value", text);
    }
    GE_TRY_PTR(out->path, ge_arena_strndup(arena, text, (size_t)(equals - text)));
    GE_TRY_PTR(out->value, ge_arena_strdup(arena, equals + 1));
    if (strchr(out->path, '[') != NULL) {
        rc = ge_fail(GE_EINVAL,
                     "--set %s: found an element of a list, allowed: the whole list, as JSON",
                     out->path);
        goto done;
    }
    if (ge_option_find(out->path) == NULL) GE_TRY(unknown_option(out->path));
done:
    return rc;
}

ge_status ge_override_from_args(int argc, char **argv, int *i, struct ge_arena *arena, bool *found,
                                struct ge_override *out)
{
    ge_status rc = GE_OK;
    const char *arg = argv[*i], *value = strchr(arg, '=');
    bool is_set = strcmp(arg, "--set") == 0 || strncmp(arg, "--set=", 6) == 0;
    const struct ge_option *row = is_set ? NULL : ge_option_by_flag(arg);
    *found = is_set || row != NULL;
    if (!*found) goto done;
    if (value != NULL) {
        value++;
    } else if (row != NULL && row->type == GE_OPT_BOOL) {
        value = "true";
    } else if (*i + 1 < argc) {
        value = argv[++*i];
    } else {
        rc = ge_fail(GE_EINVAL, "%s: found nothing after it, allowed: %s", arg,
                     is_set ? "key.path=value" : "a value");
        goto done;
    }
    if (is_set) {
        GE_TRY(ge_override_parse(value, arena, out));
    } else {
        *out = (struct ge_override){.path = row->path, .label = row->flag};
        GE_TRY_PTR(out->value, ge_arena_strdup(arena, value));
    }
done:
    return rc;
}
