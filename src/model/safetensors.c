/* The safetensors format: 8 bytes of header length (little-endian), a JSON header that names the
 * tensors, their bytes. Specification: the format's own documentation, "Format". */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_pull.h"
#include "base/mem.h"
#include "model/checkpoint_format.h"

#define MAX_HEADER   100000000u /* the format's own limit */
#define MAX_ELEMENTS ((double)((uint64_t)1 << 53))

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
    for (size_t i = t->dims; i-- > 0;) {
        t->stride[i] = t->count;
        GE_TRY(ge_mul(t->count, t->shape[i], &t->count));
    }
    GE_TRY(ge_mul(t->count, t->element, &bytes));
    if (bytes != offsets[1] - offsets[0])
        return bad(h, t->name, "data_offsets do not match shape and dtype");
    t->data = h->data + offsets[0];
done:
    return rc == GE_OK ? GE_OK : ge_fail_in(rc, "%s: tensor %s", h->path, t->name);
}

static ge_status add_tensor(struct ge_checkpoint *c, struct header *h, const char *name)
{
    struct ge_stored *t;
    ge_status rc = ge_checkpoint_add(c, h->path, name, strlen(name), &t);

    return rc == GE_OK ? read_entry(h, t) : rc;
}

static int by_offset(const void *a, const void *b)
{
    const struct ge_stored *x = a, *y = b;

    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->count > 0) - (y->count > 0); /* a tensor of no elements comes before its neighbour */
}

/* Tensors must follow each other from 0 to the file's end. */
static ge_status check_layout(const struct ge_checkpoint *c, const struct ge_shard *s,
                              const struct header *h)
{
    struct ge_stored *t = c->tensors + s->first;
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

static ge_status parse_header(struct ge_checkpoint *c, struct header *h)
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
            GE_TRY(add_tensor(c, h, h->json.text.data));
    }
    GE_TRY(ge_jsonp_next(&h->json, &e)); /* only spaces may follow */
    if (e != GE_JSONP_END) return ge_fail(GE_EFORMAT, "%s: text after the header", h->path);
done:
    return rc;
}

ge_status ge_safetensors_parse(struct ge_checkpoint *c, struct ge_shard *s)
{
    struct header h = {.path = s->path};
    const unsigned char *bytes = s->map;
    uint64_t n = 0;
    ge_status rc;

    for (int i = 7; s->len >= 8 && i >= 0; i--) n = n << 8 | bytes[i];
    if (s->len < 8 || n > MAX_HEADER || n > s->len - 8 || n == 0 || bytes[8] != '{')
        return ge_fail(GE_EFORMAT,
                       "%s: not a safetensors file, or truncated: %zu bytes, header of %llu",
                       s->path, s->len, (unsigned long long)n);
    h.data = bytes + 8 + n;
    h.data_len = s->len - 8 - (size_t)n;
    ge_jsonp_init(&h.json, (const char *)bytes + 8, (size_t)n, s->path);
    rc = parse_header(c, &h);
    ge_jsonp_free(&h.json);
    s->n = c->n - s->first;
    return rc == GE_OK ? check_layout(c, s, &h) : rc;
}
