#include "model/safetensors.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/json_pull.h"
#include "base/mem.h"

#define MAX_HEADER   100000000u /* the format's own limit */
#define MAX_ELEMENTS ((double)((uint64_t)1 << 53))

struct shard {
    char *path;
    const void *map;
    size_t len;
    size_t first, n; /* its tensors in the set, by data offset until the set is sorted by name */
};

struct ge_safetensors {
    struct shard *shards;
    size_t n_shards, cap_shards;
    struct ge_stored *tensors; /* sorted by name once open */
    size_t n, cap;
};

static const struct {
    const char *name;
    size_t bytes;
} types[] = {{"F32", 4},  {"F16", 2}, {"BF16", 2},    {"F64", 8},     {"I64", 8},    {"I32", 4},
             {"I16", 2},  {"I8", 1},  {"U64", 8},     {"U32", 4},     {"U16", 2},    {"U8", 1},
             {"BOOL", 1}, {"C64", 8}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1}};

/* ---- header ------------------------------------------------------------------------------- */

struct header {
    struct ge_jsonp json;
    const char *path;
    const unsigned char *data; /* byte buffer after the header */
    size_t data_len;
};

static ge_status bad(const struct header *h, const char *name, const char *what)
{
    return ge_fail(GE_EFORMAT, "%s: tensor %s: %s", h->path, name, what);
}

/* The next event must be `want`. */
static ge_status expect(struct header *h, const char *name, enum ge_jsonp_event want,
                        const char *what)
{
    enum ge_jsonp_event e;
    ge_status rc = ge_jsonp_next(&h->json, &e);

    if (rc == GE_OK && e != want) rc = bad(h, name, what);
    return rc;
}

/* An array of whole numbers; *n of them, at most max. */
static ge_status read_sizes(struct header *h, const char *name, const char *key, size_t max,
                            size_t *out, size_t *n)
{
    enum ge_jsonp_event e;
    ge_status rc = GE_OK;

    *n = 0;
    GE_TRY(expect(h, name, GE_JSONP_ARRAY, key));
    for (;;) {
        GE_TRY(ge_jsonp_next(&h->json, &e));
        if (e == GE_JSONP_ARRAY_END) return GE_OK;
        double v = h->json.number;
        if (e != GE_JSONP_NUMBER || !(v >= 0 && v <= MAX_ELEMENTS) || v != floor(v) || *n == max)
            return bad(h, name, key);
        out[(*n)++] = (size_t)v;
    }
done:
    return rc;
}

static ge_status read_type(struct header *h, struct ge_stored *t)
{
    ge_status rc = expect(h, t->name, GE_JSONP_STRING, "dtype must be a string");

    if (rc != GE_OK) return rc;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, h->json.text.data) != 0) continue;
        t->dtype = types[i].name;
        t->element = types[i].bytes;
        return GE_OK;
    }
    return ge_fail(GE_EUNSUPPORTED, "%s: tensor %s: dtype \"%.32s\" is not handled; convert to F32",
                   h->path, t->name, h->json.text.data);
}

/* One entry: {"dtype": …, "shape": […], "data_offsets": [begin, end]}. */
static ge_status read_entry(struct header *h, struct ge_stored *t)
{
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4, ALL = 7 };
    enum ge_jsonp_event e;
    ge_status rc = GE_OK;
    size_t offsets[2] = {0, 0}, n = 0, bytes;
    int seen = 0, key;

    GE_TRY(expect(h, t->name, GE_JSONP_OBJECT, "must be an object"));
    for (;;) {
        GE_TRY(ge_jsonp_next(&h->json, &e));
        if (e == GE_JSONP_OBJECT_END) break;
        const char *text = h->json.text.data;
        key = strcmp(text, "dtype") == 0          ? DTYPE
              : strcmp(text, "shape") == 0        ? SHAPE
              : strcmp(text, "data_offsets") == 0 ? OFFSETS
                                                  : 0;
        if ((seen & key) != 0) return bad(h, t->name, "a key is given twice");
        seen |= key;
        if (key == DTYPE) GE_TRY(read_type(h, t));
        if (key == SHAPE)
            GE_TRY(read_sizes(h, t->name, "shape must be an array of up to 8 sizes",
                              GE_STORED_MAX_DIMS, t->shape, &t->dims));
        if (key == OFFSETS)
            GE_TRY(read_sizes(h, t->name, "data_offsets must be [begin, end]", 2, offsets, &n));
        if (key == 0) GE_TRY(ge_jsonp_skip(&h->json));
    }
    if (seen != ALL || n != 2) return bad(h, t->name, "needs dtype, shape and data_offsets");
    if (offsets[0] > offsets[1] || offsets[1] > h->data_len)
        return bad(h, t->name, "data_offsets are outside the file; is it truncated?");
    t->count = 1;
    for (size_t i = 0; i < t->dims; i++) GE_TRY(ge_mul(t->count, t->shape[i], &t->count));
    GE_TRY(ge_mul(t->count, t->element, &bytes));
    if (bytes != offsets[1] - offsets[0])
        return bad(h, t->name, "data_offsets do not match shape and dtype");
    t->data = h->data + offsets[0];
done:
    return rc == GE_OK ? GE_OK : ge_fail_in(rc, "%s: tensor %s", h->path, t->name);
}

static ge_status add_tensor(struct ge_safetensors *st, struct header *h, const char *name)
{
    struct ge_stored *t;
    ge_status rc = GE_OK;

    GE_GROW(st->tensors, st->n, st->cap);
    t = &st->tensors[st->n];
    memset(t, 0, sizeof *t);
    GE_TRY_PTR(t->name, ge_strdup(name));
    t->file = h->path;
    st->n++;
    GE_TRY(read_entry(h, t));
done:
    return rc;
}

static int by_offset(const void *a, const void *b)
{
    const struct ge_stored *x = a, *y = b;

    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->count > 0) - (y->count > 0); /* a tensor of no elements comes before its neighbour */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ge_stored *)a)->name, ((const struct ge_stored *)b)->name);
}

/* Tensors must follow each other from 0 to the file's end. */
static ge_status check_layout(const struct ge_safetensors *st, const struct shard *s,
                              const struct header *h)
{
    struct ge_stored *t = st->tensors + s->first;
    const unsigned char *at = h->data;

    if (s->n > 0) qsort(t, s->n, sizeof *t, by_offset);
    for (size_t i = 0; i < s->n; i++) {
        if (t[i].data != at)
            return bad(h, t[i].name, "its data overlaps another tensor's or leaves a hole");
        at += t[i].count * t[i].element;
    }
    if (at != h->data + h->data_len)
        return ge_fail(GE_EFORMAT, "%s: %zu bytes after the last tensor", h->path,
                       (size_t)(h->data + h->data_len - at));
    return GE_OK;
}

static ge_status parse_header(struct ge_safetensors *st, struct header *h)
{
    enum ge_jsonp_event e;
    ge_status rc = GE_OK;

    GE_TRY(ge_jsonp_next(&h->json, &e));
    if (e != GE_JSONP_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: the header is not a JSON object", h->path);
    for (;;) {
        GE_TRY(ge_jsonp_next(&h->json, &e));
        if (e == GE_JSONP_OBJECT_END) break;
        if (strcmp(h->json.text.data, "__metadata__") == 0)
            GE_TRY(ge_jsonp_skip(&h->json));
        else
            GE_TRY(add_tensor(st, h, h->json.text.data));
    }
    GE_TRY(ge_jsonp_next(&h->json, &e)); /* only spaces may follow */
    if (e != GE_JSONP_END) return ge_fail(GE_EFORMAT, "%s: text after the header", h->path);
done:
    return rc;
}

/* Map a file and add its tensors. Takes `path`. */
static ge_status open_shard(struct ge_safetensors *st, char *path)
{
    struct header h = {.path = path};
    struct shard *s;
    const unsigned char *bytes;
    uint64_t n = 0;
    ge_status rc = GE_OK;

    GE_GROW(st->shards, st->n_shards, st->cap_shards);
    s = &st->shards[st->n_shards++];
    *s = (struct shard){.path = path, .first = st->n};
    path = NULL;
    GE_TRY(ge_fs_map(s->path, &s->map, &s->len));
    bytes = s->map;
    for (int i = 7; s->len >= 8 && i >= 0; i--) n = n << 8 | bytes[i];
    if (s->len < 8 || n > MAX_HEADER || n > s->len - 8 || n == 0 || bytes[8] != '{')
        return ge_fail(GE_EFORMAT,
                       "%s: not a safetensors file, or truncated: %zu bytes, header of %llu",
                       s->path, s->len, (unsigned long long)n);
    h.data = bytes + 8 + n;
    h.data_len = s->len - 8 - (size_t)n;
    ge_jsonp_init(&h.json, (const char *)bytes + 8, (size_t)n, s->path);
    rc = parse_header(st, &h);
    ge_jsonp_free(&h.json);
    s->n = st->n - s->first;
    if (rc == GE_OK) rc = check_layout(st, s, &h);
done:
    free(path);
    return rc;
}

/* ---- one file or shards ------------------------------------------------------------------- */

static ge_status sort_by_name(struct ge_safetensors *st)
{
    if (st->n > 0) qsort(st->tensors, st->n, sizeof *st->tensors, by_name);
    for (size_t i = 1; i < st->n; i++) {
        if (strcmp(st->tensors[i - 1].name, st->tensors[i].name) == 0)
            return ge_fail(GE_EFORMAT, "%s: tensor %s is given twice", st->tensors[i].file,
                           st->tensors[i].name);
    }
    return GE_OK;
}

static bool has_shard(const struct ge_safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->n_shards; i++)
        if (strcmp(ge_fs_basename(st->shards[i].path), name) == 0) return true;
    return false;
}

static ge_status open_indexed(struct ge_safetensors *st, const char *folder, const ge_json *map,
                              const char *index)
{
    char *path = NULL;
    ge_status rc = GE_OK;

    if (ge_json_first(map) == NULL || ge_json_type(map) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: weight_map must be an object that names tensors", index);
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e)) {
        const char *name = ge_json_string(e, "");
        if (name[0] == '\0' || strchr(name, '/') != NULL || strstr(name, "..") != NULL)
            return ge_fail(GE_EFORMAT,
                           "%s: weight_map: %s: \"%s\" is not the name of a file in the folder",
                           index, ge_json_key(e), name);
        if (has_shard(st, name)) continue;
        GE_TRY_PTR(path, ge_fs_join(folder, name));
        GE_TRY(open_shard(st, path));
    }
    GE_TRY(sort_by_name(st));
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e)) {
        const struct ge_stored *t = ge_safetensors_find(st, ge_json_key(e));
        if (t == NULL || strcmp(ge_fs_basename(t->file), ge_json_string(e, "")) != 0)
            return ge_fail(GE_EFORMAT, "%s: weight_map: tensor %s is not in %s", index,
                           ge_json_key(e), ge_json_string(e, ""));
    }
done:
    return rc;
}

ge_status ge_safetensors_open(const char *folder, struct ge_safetensors **out)
{
    struct ge_safetensors *st = NULL;
    ge_json *index = NULL;
    char *single = NULL, *index_path = NULL;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_NEW(st, 1);
    GE_TRY_PTR(single, ge_fs_join(folder, "model.safetensors"));
    GE_TRY_PTR(index_path, ge_fs_join(folder, "model.safetensors.index.json"));
    if (ge_fs_exists(single)) {
        rc = open_shard(st, single);
        single = NULL;
        GE_TRY(rc);
        GE_TRY(sort_by_name(st));
    } else if (ge_fs_exists(index_path)) {
        GE_TRY(ge_json_read(index_path, &index));
        GE_TRY(open_indexed(st, folder, ge_json_get(index, "weight_map"), index_path));
    } else {
        rc = ge_fail(GE_ENOENT,
                     "%s: no weights: neither model.safetensors nor model.safetensors.index.json "
                     "is there (pytorch_model.bin is not read; convert it to safetensors)",
                     folder);
        goto done;
    }
    *out = st;
    st = NULL;
done:
    free(single);
    free(index_path);
    ge_json_delete(&index);
    ge_safetensors_close(&st);
    return rc;
}

void ge_safetensors_close(struct ge_safetensors **st)
{
    if (*st == NULL) return;
    for (size_t i = 0; i < (*st)->n; i++) free((*st)->tensors[i].name);
    free((*st)->tensors);
    for (size_t i = 0; i < (*st)->n_shards; i++) {
        ge_fs_unmap((*st)->shards[i].map, (*st)->shards[i].len);
        free((*st)->shards[i].path);
    }
    free((*st)->shards);
    free(*st);
    *st = NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

const struct ge_stored *ge_safetensors_find(const struct ge_safetensors *st, const char *name)
{
    size_t lo = 0, hi = st->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(name, st->tensors[mid].name);
        if (c == 0) return &st->tensors[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

static float from_bf16(uint16_t v)
{
    uint32_t bits = (uint32_t)v << 16;
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static float from_f16(uint16_t v)
{
    uint32_t sign = (uint32_t)(v & 0x8000u) << 16, exponent = v >> 10 & 31u, mantissa = v & 1023u;
    uint32_t bits;
    float f;

    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24, exact in float32 */
        f = (float)mantissa * 5.9604644775390625e-8f;
        return sign != 0 ? -f : f;
    }
    bits = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | mantissa << 13;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void convert(const struct ge_stored *t, float *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const unsigned char *p = t->data + i * t->element;
        uint16_t half;
        double wide;
        if (t->element == 2) {
            memcpy(&half, p, 2);
            out[i] = t->dtype[0] == 'B' ? from_bf16(half) : from_f16(half);
        } else {
            memcpy(&wide, p, 8);
            out[i] = (float)wide;
        }
    }
}

ge_status ge_stored_read(const struct ge_stored *t, float *out)
{
    if (strcmp(t->dtype, "F32") == 0) {
        if (t->count > 0) memcpy(out, t->data, t->count * sizeof *out);
    } else if (strcmp(t->dtype, "F16") == 0 || strcmp(t->dtype, "BF16") == 0 ||
               strcmp(t->dtype, "F64") == 0) {
        convert(t, out);
    } else {
        return ge_fail(GE_EUNSUPPORTED, "%s: tensor %s is %s; wanted F32, F16, BF16 or F64",
                       t->file, t->name, t->dtype);
    }
    for (size_t i = 0; i < t->count; i++) {
        if (!isfinite(out[i]))
            return ge_fail(GE_EFORMAT,
                           "%s: tensor %s: element %zu is not finite; the file is damaged or "
                           "training failed",
                           t->file, t->name, i);
    }
    return GE_OK;
}

void ge_safetensors_describe(const struct ge_safetensors *st, struct ge_hasher *h)
{
    for (size_t i = 0; i < st->n_shards; i++) {
        struct ge_hash file = ge_hash_bytes(st->shards[i].map, st->shards[i].len);
        ge_hasher_add_u64(h, file.hi);
        ge_hasher_add_u64(h, file.lo);
    }
}
