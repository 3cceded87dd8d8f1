/* cJSON behind checks that it does not make itself: it truncates at \u0000, keeps duplicate keys
 * and accepts invalid UTF-8. A ge_json is a cJSON node under another name. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/json_pull.h"
#include "base/mem.h"

static const cJSON *node(const ge_json *n)
{
    return (const cJSON *)n;
}

static const ge_json *handle(const cJSON *n)
{
    return (const ge_json *)n;
}

/* ---- checks before parsing -------------------------------------------------------------------- */

struct key_mark {
    struct ge_hash hash;
    size_t pos; /* in the text, after the key's colon */
};

/* Keys of the objects that are open, outer ones first. */
struct key_stack {
    struct key_mark *marks;
    size_t n, cap;
    size_t start[GE_JSON_MAX_DEPTH + 1]; /* first mark of the level */
};

static int compare_marks(const void *a, const void *b)
{
    const struct key_mark *x = a, *y = b;
    int order = ge_hash_compare(x->hash, y->hash);
    if (order != 0) return order;
    return (x->pos > y->pos) - (x->pos < y->pos);
}

static ge_status push_key(struct key_stack *keys, const struct ge_jsonp *p)
{
    ge_status rc = GE_OK;
    GE_GROW(keys->marks, keys->n, keys->cap);
    keys->marks[keys->n++] = (struct key_mark){
        .hash = ge_hash_bytes(p->text.data, p->text.len),
        .pos = p->pos,
    };
done:
    return rc;
}

/* Name the key that ends at `pos`: parse again up to there. */
static ge_status fail_duplicate(const struct ge_jsonp *p, size_t pos)
{
    struct ge_jsonp again;
    enum ge_jsonp_event event;
    size_t line, column;
    ge_jsonp_init(&again, p->data, p->len, p->name);
    ge_status rc = GE_OK;
    while (rc == GE_OK && again.pos < pos) rc = ge_jsonp_next(&again, &event);
    if (rc == GE_OK) {
        ge_jsonp_where(&again, &line, &column);
        rc = ge_fail(GE_EFORMAT,
                     "%s: line %zu, before column %zu: key \"%.100s\" appears twice in "
                     "one object",
                     p->name, line, column, again.text.data);
    }
    ge_jsonp_free(&again);
    return rc;
}

/* An object ends: its keys must differ. Sorting by hash keeps hostile input at O(n log n); equal
 * hashes of different keys do not happen by accident. */
static ge_status pop_object(struct key_stack *keys, const struct ge_jsonp *p)
{
    size_t start = keys->start[p->depth];
    size_t n = keys->n - start;
    keys->n = start;
    if (n < 2) return GE_OK;
    struct key_mark *marks = keys->marks + start;
    qsort(marks, n, sizeof *marks, compare_marks);
    for (size_t i = 1; i < n; i++) {
        if (ge_hash_equal(marks[i - 1].hash, marks[i].hash)) return fail_duplicate(p, marks[i].pos);
    }
    return GE_OK;
}

static ge_status check(const char *text, size_t len, const char *name)
{
    ge_status rc = GE_OK;
    struct ge_jsonp p;
    struct key_stack keys = {0};
    enum ge_jsonp_event event;
    ge_jsonp_init(&p, text, len, name);
    do {
        GE_TRY(ge_jsonp_next(&p, &event));
        if (event == GE_JSONP_OBJECT) keys.start[p.depth - 1] = keys.n;
        if (event == GE_JSONP_KEY) GE_TRY(push_key(&keys, &p));
        if (event == GE_JSONP_OBJECT_END) GE_TRY(pop_object(&keys, &p));
    } while (event != GE_JSONP_END);
done:
    free(keys.marks);
    ge_jsonp_free(&p);
    return rc;
}

/* ---- parsing ---------------------------------------------------------------------------------- */

static void *hook_malloc(size_t size)
{
    return ge_calloc(size, 1);
}

static void install_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
}

static void use_own_memory(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_hooks);
}

ge_status ge_json_parse(const char *text, size_t len, const char *name, ge_json **doc)
{
    *doc = NULL;
    if (len > GE_JSON_MAX_BYTES) {
        return ge_fail(GE_ELIMIT, "%s: %zu bytes of JSON, the cap is %zu", name, len,
                       GE_JSON_MAX_BYTES);
    }
    ge_status rc = check(text, len, name);
    if (rc != GE_OK) return rc;
    use_own_memory();
    *doc = (ge_json *)cJSON_ParseWithLength(text, len);
    if (*doc == NULL) return ge_fail(GE_ENOMEM, "%s: out of memory while parsing", name);
    return GE_OK;
}

ge_status ge_json_read(const char *path, ge_json **doc)
{
    char *text;
    size_t len;
    *doc = NULL;
    ge_status rc = ge_fs_read(path, GE_JSON_MAX_BYTES, &text, &len);
    if (rc == GE_OK) rc = ge_json_parse(text, len, path, doc);
    free(text);
    return rc;
}

void ge_json_delete(ge_json **doc)
{
    if (doc == NULL) return;
    cJSON_Delete((cJSON *)*doc);
    *doc = NULL;
}

/* ---- reading ---------------------------------------------------------------------------------- */

enum ge_json_type ge_json_type(const ge_json *n)
{
    const cJSON *c = node(n);
    if (cJSON_IsObject(c)) return GE_JSON_OBJECT;
    if (cJSON_IsArray(c)) return GE_JSON_ARRAY;
    if (cJSON_IsString(c)) return GE_JSON_STRING;
    if (cJSON_IsNumber(c)) return GE_JSON_NUMBER;
    if (cJSON_IsBool(c)) return GE_JSON_BOOL;
    return GE_JSON_NULL;
}

const char *ge_json_type_name(enum ge_json_type t)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    return (size_t)t < sizeof names / sizeof names[0] ? names[t] : "unknown";
}

/* Member whose key is the first len bytes of `key`. */
static cJSON *member(const cJSON *object, const char *key, size_t len)
{
    if (!cJSON_IsObject(object)) return NULL;
    cJSON *c = object->child;
    while (c != NULL && !(strncmp(c->string, key, len) == 0 && c->string[len] == '\0')) {
        c = c->next;
    }
    return c;
}

const ge_json *ge_json_get(const ge_json *object, const char *key)
{
    return object == NULL ? NULL : handle(member(node(object), key, strlen(key)));
}

const ge_json *ge_json_first(const ge_json *parent)
{
    return parent == NULL ? NULL : handle(node(parent)->child);
}

const ge_json *ge_json_next(const ge_json *child)
{
    return child == NULL ? NULL : handle(node(child)->next);
}

const char *ge_json_key(const ge_json *n)
{
    return n == NULL ? NULL : node(n)->string;
}

size_t ge_json_count(const ge_json *parent)
{
    size_t n = 0;
    for (const ge_json *c = ge_json_first(parent); c != NULL; c = ge_json_next(c)) n++;
    return n;
}

const char *ge_json_string(const ge_json *n, const char *fallback)
{
    return cJSON_IsString(node(n)) ? node(n)->valuestring : fallback;
}

double ge_json_number(const ge_json *n, double fallback)
{
    return cJSON_IsNumber(node(n)) ? node(n)->valuedouble : fallback;
}

bool ge_json_bool(const ge_json *n, bool fallback)
{
    return cJSON_IsBool(node(n)) ? cJSON_IsTrue(node(n)) : fallback;
}

ge_status ge_json_int(const ge_json *n, const char *what, int64_t min, int64_t max, int64_t *out)
{
    const double exact = 0x1p53; /* doubles hold every whole number up to here */
    if (ge_json_type(n) != GE_JSON_NUMBER) {
        return ge_fail(GE_EFORMAT, "%s is %s, a whole number is wanted", what,
                       n == NULL ? "missing" : ge_json_type_name(ge_json_type(n)));
    }
    double v = node(n)->valuedouble;
    if (!(fabs(v) <= exact) || v != floor(v)) {
        return ge_fail(GE_EFORMAT, "%s is %.17g, a whole number is wanted", what, v);
    }
    if ((int64_t)v < min || (int64_t)v > max) {
        return ge_fail(GE_EFORMAT, "%s is %.0f, wanted from %lld to %lld", what, v, (long long)min,
                       (long long)max);
    }
    *out = (int64_t)v;
    return GE_OK;
}

ge_status ge_json_strings(const ge_json *n, const char *what, const char ***out, size_t *count)
{
    ge_status rc = GE_OK;
    const char **list = NULL;
    size_t i = 0;
    *out = NULL;
    *count = 0;
    enum ge_json_type type = ge_json_type(n);
    if (n != NULL && type != GE_JSON_STRING && type != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s is %s, a string or an array of strings is wanted", what,
                       ge_json_type_name(type));
    }
    GE_NEW(list, type == GE_JSON_ARRAY ? ge_json_count(n) : 1);
    if (type == GE_JSON_STRING) list[i++] = ge_json_string(n, NULL);
    for (const ge_json *c = ge_json_first(n); c != NULL; c = ge_json_next(c)) {
        if (ge_json_type(c) != GE_JSON_STRING) {
            rc = ge_fail(GE_EFORMAT, "%s[%zu] is %s, a string is wanted", what, i,
                         ge_json_type_name(ge_json_type(c)));
            goto done;
        }
        list[i++] = ge_json_string(c, NULL);
    }
    *out = list;
    *count = i;
    list = NULL;
done:
    free(list);
    return rc;
}

/* ---- editing ---------------------------------------------------------------------------------- */

static int depth_of(const cJSON *n)
{
    int deepest = 0;
    for (const cJSON *c = n->child; c != NULL; c = c->next) {
        int depth = depth_of(c);
        if (depth > deepest) deepest = depth;
    }
    return cJSON_IsObject(n) || cJSON_IsArray(n) ? deepest + 1 : 0;
}

/* Length of the first key of a dotted path. */
static size_t first_key(const char *path)
{
    return strcspn(path, ".");
}

/* Put `value` (consumed, also on failure) into the object under this key. */
static ge_status put(cJSON *object, const char *key, size_t len, cJSON *value)
{
    cJSON *old = member(object, key, len);
    if (old != NULL) { /* takes over the old node's key and place */
        cJSON_free(value->string);
        value->string = old->string;
        old->string = NULL;
        cJSON_ReplaceItemViaPointer(object, old, value);
        return GE_OK;
    }
    char *name = ge_strndup(key, len);
    if (name == NULL || !cJSON_AddItemToObject(object, name, value)) {
        cJSON_Delete(value);
        free(name);
        return ge_fail(GE_ENOMEM, "out of memory while setting a key");
    }
    free(name);
    return GE_OK;
}

/* The object at the path's next key, made if it is not there. */
static ge_status enter(cJSON **object, const char *path, const char *key, size_t len)
{
    cJSON *next = member(*object, key, len);
    if (next == NULL) {
        next = cJSON_CreateObject();
        if (next == NULL) return ge_fail(GE_ENOMEM, "out of memory while setting %.200s", path);
        ge_status rc = put(*object, key, len, next);
        if (rc != GE_OK) return rc;
    } else if (!cJSON_IsObject(next)) {
        return ge_fail(GE_EINVAL, "cannot set %.200s: %.*s is %s, not an object", path,
                       (int)(key + len - path), path,
                       ge_json_type_name(ge_json_type(handle(next))));
    }
    *object = next;
    return GE_OK;
}

static ge_status check_path(const ge_json *doc, const char *path, const ge_json *value)
{
    if (ge_json_type(doc) != GE_JSON_OBJECT) {
        return ge_fail(GE_EINVAL, "cannot set %.200s: the document is not an object", path);
    }
    size_t levels = 1;
    const char *key = path;
    for (;; levels++) {
        size_t len = first_key(key);
        if (len == 0) return ge_fail(GE_EINVAL, "path \"%.200s\" has an empty key", path);
        if (key[len] == '\0') break;
        key += len + 1;
    }
    if (levels + (size_t)depth_of(node(value)) > GE_JSON_MAX_DEPTH) {
        return ge_fail(GE_ELIMIT, "setting %.200s nests deeper than %d levels", path,
                       GE_JSON_MAX_DEPTH);
    }
    return GE_OK;
}

ge_status ge_json_set_path(ge_json *doc, const char *path, const ge_json *value)
{
    ge_json *copy;
    ge_status rc = check_path(doc, path, value);
    if (rc != GE_OK) return rc;
    rc = ge_json_copy(value, &copy);
    if (rc != GE_OK) return rc;
    cJSON *object = (cJSON *)doc;
    const char *key = path;
    size_t len = first_key(key);
    while (rc == GE_OK && key[len] == '.') {
        rc = enter(&object, path, key, len);
        key += len + 1;
        len = first_key(key);
    }
    if (rc == GE_OK) return put(object, key, len, (cJSON *)copy);
    ge_json_delete(&copy);
    return rc;
}

const ge_json *ge_json_get_path(const ge_json *doc, const char *path)
{
    const cJSON *c = node(doc);
    for (;;) {
        size_t len = first_key(path);
        c = member(c, path, len);
        if (c == NULL || path[len] == '\0') return handle(c);
        path += len + 1;
    }
}

ge_status ge_json_copy(const ge_json *n, ge_json **out)
{
    use_own_memory();
    *out = (ge_json *)cJSON_Duplicate(node(n), 1);
    if (*out == NULL) return ge_fail(GE_ENOMEM, "out of memory while copying JSON");
    return GE_OK;
}

void ge_json_library(struct ge_buf *out)
{
    ge_buf_printf(out, "cJSON %s (compiled with %d.%d.%d)", cJSON_Version(), CJSON_VERSION_MAJOR,
                  CJSON_VERSION_MINOR, CJSON_VERSION_PATCH);
}
