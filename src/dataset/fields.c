#include "dataset/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { FOUND_BYTES_MAX = 60, ID_BYTES_MAX = 1024 };

/* "number 3", "string \"abc\"", "object", "nothing". */
static void describe(const ge_json *node, struct ge_buf *out)
{
    if (node == NULL) {
        ge_buf_str(out, "nothing");
        return;
    }
    enum ge_json_type type = ge_json_type(node);
    ge_buf_str(out, ge_json_type_name(type));
    if (type != GE_JSON_STRING && type != GE_JSON_NUMBER && type != GE_JSON_BOOL) return;
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_json_print(node, &text);
    if (text.data != NULL) {
        bool cut = text.len > FOUND_BYTES_MAX;
        size_t len = cut ? ge_utf8_valid(text.data, FOUND_BYTES_MAX) : text.len;
        ge_buf_printf(out, " %.*s%s", (int)len, text.data, cut ? "…" : "");
    }
    ge_buf_free(&text);
}

ge_status ge_fields_refuse(const struct ge_fields *f, const char *key, const ge_json *found,
                           const char *allowed)
{
    struct ge_buf text;
    ge_buf_init(&text, 4096);
    describe(found, &text);
    ge_status rc = ge_fail(GE_EFORMAT, "%s: %s%s: found %s, allowed: %s", f->place, f->prefix, key,
                           text.data != NULL ? text.data : "?", allowed);
    ge_buf_free(&text);
    return rc;
}

/* The member, with null as good as absent. */
static const ge_json *get(const struct ge_fields *f, const char *key)
{
    const ge_json *node = ge_json_get(f->object, key);
    return node != NULL && ge_json_type(node) == GE_JSON_NULL ? NULL : node;
}

ge_status ge_fields_string(const struct ge_fields *f, const char *key, bool required,
                           const char **out)
{
    ge_status rc = GE_OK;
    const ge_json *node = get(f, key);
    *out = NULL;
    if (node == NULL && !required) goto done;
    const char *s = ge_json_string(node, NULL);
    if (s == NULL || (required && s[0] == '\0')) {
        rc = ge_fields_refuse(f, key, node, required ? "a string that is not empty" : "a string");
        goto done;
    }
    GE_TRY_PTR(*out, ge_arena_strdup(f->arena, s));
done:
    return rc;
}

static ge_status read_list(const struct ge_fields *f, const char *key, bool paths,
                           struct ge_strings *out)
{
    static const char *const allowed[] = {"a list of strings", "a list of paths, none empty"};
    ge_status rc = GE_OK;
    const ge_json *node = get(f, key);
    *out = (struct ge_strings){0};
    if (node == NULL) goto done;
    if (ge_json_type(node) != GE_JSON_ARRAY) {
        rc = ge_fields_refuse(f, key, node, allowed[paths]);
        goto done;
    }
    GE_TRY_PTR(out->v, ge_arena_alloc(f->arena, ge_json_count(node), sizeof *out->v));
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        const char *s = ge_json_string(e, NULL);
        if (s == NULL || (paths && s[0] == '\0')) {
            rc = ge_fields_refuse(f, key, e, allowed[paths]);
            goto done;
        }
        GE_TRY_PTR(out->v[out->n], paths ? ge_fields_join(f, s) : ge_arena_strdup(f->arena, s));
        out->n++;
    }
done:
    return rc;
}

ge_status ge_fields_strings(const struct ge_fields *f, const char *key, struct ge_strings *out)
{
    return read_list(f, key, false, out);
}

ge_status ge_fields_paths(const struct ge_fields *f, const char *key, struct ge_strings *out)
{
    return read_list(f, key, true, out);
}

ge_status ge_fields_bool(const struct ge_fields *f, const char *key, bool *out)
{
    const ge_json *node = get(f, key);
    if (node == NULL) return GE_OK;
    if (ge_json_type(node) != GE_JSON_BOOL) return ge_fields_refuse(f, key, node, "true or false");
    *out = ge_json_bool(node, false);
    return GE_OK;
}

ge_status ge_fields_int(const struct ge_fields *f, const char *key, int64_t min, int64_t max,
                        int64_t *out)
{
    const ge_json *node = get(f, key);
    if (node == NULL) return GE_OK;
    double v = ge_json_number(node, NAN);
    if (v >= (double)min && v <= (double)max && v == floor(v)) {
        *out = (int64_t)v;
        return GE_OK;
    }
    char *allowed = ge_sprintf("a whole number from %lld to %lld", (long long)min, (long long)max);
    if (allowed == NULL) return GE_ENOMEM;
    ge_status rc = ge_fields_refuse(f, key, node, allowed);
    free(allowed);
    return rc;
}

ge_status ge_fields_id(const struct ge_fields *f, const char *key, const char **out)
{
    ge_status rc = GE_OK;
    const ge_json *node = get(f, key);
    const char *s = ge_json_string(node, NULL);
    double v = ge_json_number(node, NAN);
    *out = NULL;
    if (s != NULL && s[0] != '\0' && strlen(s) <= ID_BYTES_MAX) {
        GE_TRY_PTR(*out, ge_arena_strdup(f->arena, s));
    } else if (fabs(v) <= 9007199254740992.0 && v == floor(v)) {
        GE_TRY_PTR(*out, ge_arena_printf(f->arena, "%.0f", v));
    } else {
        rc =
            ge_fields_refuse(f, key, node, "an id: a string of 1 to 1024 bytes, or a whole number");
    }
done:
    return rc;
}

const char *ge_fields_join(const struct ge_fields *f, const char *path)
{
    char *joined = ge_fs_join(f->folder, path);
    const char *kept = joined != NULL ? ge_arena_strdup(f->arena, joined) : NULL;
    free(joined);
    return kept;
}

ge_status ge_fields_text(struct ge_arena *arena, const ge_json *node, const char **out)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_json_print(node, &text);
    GE_TRY(ge_buf_status(&text));
    GE_TRY_PTR(*out, ge_arena_strndup(arena, text.data, text.len));
done:
    ge_buf_free(&text);
    return rc;
}

ge_status ge_fields_one(struct ge_arena *arena, const char *s, struct ge_strings *out)
{
    ge_status rc = GE_OK;
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, 1, sizeof *out->v));
    out->v[0] = s;
    out->n = 1;
done:
    return rc;
}
