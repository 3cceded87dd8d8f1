/* The files that torch.save() writes for a state dict: since torch 1.6 a ZIP archive
 * (<root>/data.pkl, <root>/data/<key>), before that five pickles and the storages behind them. The
 * pickle names tensors, strides, and storages by key; here the keys are bound to bytes. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/checkpoint_format.h"
#include "model/pickle.h"
#include "model/torch_zip.h"

/* A file while it is read. */
struct source {
    struct ge_checkpoint *c;
    struct ge_shard *s;
    struct ge_pickle pickle;
    const unsigned char **bytes; /* [pickle.n_storages]: where each storage begins */
};

/* ---- tensors ------------------------------------------------------------------------------ */

/* All elements are inside the storage. A stride may be 0 or leave gaps, but a tensor of more elements
 * than its storage has (an expanded one) would let a few bytes ask for any amount of memory. */
static ge_status check_extent(const struct source *src, const struct ge_stored *t,
                              const struct ge_pickle_tensor *from)
{
    const struct ge_pickle_storage *storage = &src->pickle.storages[from->storage];
    size_t last = from->offset, step;
    ge_status rc = GE_OK;

    for (size_t i = 0; i < t->dims && t->count > 0; i++) {
        GE_TRY(ge_mul(t->shape[i] - 1, t->stride[i], &step));
        GE_TRY(ge_add(last, step, &last));
    }
    if (t->count > 0 && (last >= storage->count || t->count > storage->count))
        return ge_fail(GE_EFORMAT, "its elements are outside its storage");
done:
    return rc;
}

static ge_status add_tensor(struct source *src, const char *name, size_t length,
                            const struct ge_pickle_tensor *from)
{
    const struct ge_pickle_storage *storage = &src->pickle.storages[from->storage];
    struct ge_stored *t;
    ge_status rc = GE_OK;

    if (memchr(name, '\0', length) != NULL)
        return ge_fail(GE_EFORMAT, "a tensor's name has a NUL in it");
    GE_TRY(ge_checkpoint_add(src->c, src->s->path, name, length, &t));
    t->dtype = storage->dtype;
    t->element = storage->element;
    t->dims = from->dims;
    memcpy(t->shape, from->shape, sizeof t->shape);
    memcpy(t->stride, from->stride, sizeof t->stride);
    t->count = 1;
    for (size_t i = 0; i < t->dims; i++) GE_TRY(ge_mul(t->count, t->shape[i], &t->count));
    GE_TRY(check_extent(src, t, from));
    t->data = src->bytes[from->storage];
    if (t->count > 0) t->data += from->offset * t->element;
done:
    return rc == GE_OK ? GE_OK : ge_fail_in(rc, "tensor %.*s", (int)length, name);
}

/* The tensors of the state dict. Other values beside them mean nothing to a model. */
static ge_status add_tensors(struct source *src)
{
    const struct ge_pickle *p = &src->pickle;
    const struct ge_pickle_cell *key, *value;
    ge_status rc = GE_OK;

    if (p->root.kind != GE_PICKLE_DICT)
        return ge_fail(GE_EFORMAT, "holds a %s, wanted a state dict (names to tensors)",
                       ge_pickle_kind_name(p->root.kind));
    for (key = ge_pickle_first(p, p->root); key != NULL; key = ge_pickle_next(p, value)) {
        value = ge_pickle_next(p, key); /* a dict's cells come in pairs */
        if (key->value.kind == GE_PICKLE_STRING && value->value.kind == GE_PICKLE_TENSOR)
            GE_TRY(add_tensor(src, ge_pickle_text(p, key->value), key->value.length,
                              &p->tensors[value->value.n]));
    }
    if (src->c->n == src->s->first)
        return ge_fail(GE_EFORMAT,
                       "the dict has no tensors of its own; is it a training checkpoint? Save "
                       "model.state_dict() alone");
done:
    return rc;
}

/* ---- ZIP ---------------------------------------------------------------------------------- */

/* The entry <root>/data.pkl, of which there must be one. */
static ge_status find_pickle(const struct ge_zip *z, struct ge_zip_entry **out)
{
    static const char tail[] = "/data.pkl";
    size_t n = sizeof tail - 1, found = 0;

    for (size_t i = 0; i < z->n; i++) {
        struct ge_zip_entry *e = &z->entries[i];
        if (e->name_length <= n || memcmp(e->name + e->name_length - n, tail, n) != 0) continue;
        *out = e;
        found++;
    }
    if (found == 1) return GE_OK;
    return ge_fail(GE_EFORMAT, "the ZIP archive has %zu entries named data.pkl, wanted one", found);
}

/* <root>/byteorder says "little", or is absent in older files, which are. */
static ge_status check_byte_order(const struct ge_zip *z, const char *root, size_t length)
{
    char *name = ge_sprintf("%.*sbyteorder", (int)length, root);
    const struct ge_zip_entry *e;

    if (name == NULL) return GE_ENOMEM;
    e = ge_zip_find(z, name, strlen(name));
    free(name);
    if (e == NULL || (e->size == 6 && memcmp(e->data, "little", 6) == 0)) return GE_OK;
    return ge_fail(GE_EUNSUPPORTED, "written on a machine of another byte order");
}

static ge_status bind_entries(struct source *src, struct ge_zip *z, const char *root, size_t length)
{
    struct ge_zip_entry *e;
    char *name = NULL;
    size_t bytes;
    ge_status rc = GE_OK;

    GE_NEW(src->bytes, src->pickle.n_storages);
    for (size_t i = 0; i < src->pickle.n_storages; i++) {
        const struct ge_pickle_storage *s = &src->pickle.storages[i];
        free(name);
        GE_TRY_PTR(name,
                   ge_sprintf("%.*sdata/%.*s", (int)length, root, (int)s->key_length, s->key));
        e = ge_zip_find(z, name, strlen(name));
        GE_TRY(ge_mul(s->count, s->element, &bytes));
        if (e == NULL || e->size != bytes) {
            rc = ge_fail(GE_EFORMAT,
                         "the entry %s is missing or has another size than %zu elements of %s",
                         name, s->count, s->dtype);
            goto done;
        }
        GE_TRY(ge_zip_check(e));
        src->bytes[i] = e->data;
    }
done:
    free(name);
    return rc;
}

static ge_status read_zip(struct source *src)
{
    struct ge_zip z = {0};
    struct ge_zip_entry *e = NULL;
    size_t used, root;
    ge_status rc = GE_OK;

    GE_TRY(ge_zip_open(&z, src->s->map, src->s->len));
    GE_TRY(find_pickle(&z, &e));
    root = e->name_length - strlen("data.pkl");
    GE_TRY(ge_zip_check(e));
    GE_TRY(check_byte_order(&z, e->name, root));
    GE_TRY(ge_pickle_read(&src->pickle, e->data, e->size, &used));
    GE_TRY(bind_entries(src, &z, e->name, root));
    GE_TRY(add_tensors(src));
done:
    ge_zip_free(&z);
    return rc;
}

/* ---- before torch 1.6 --------------------------------------------------------------------- */

/* Pickles of the magic number 0x1950a86a20f9469cfc6c and of the protocol version 1001. */
static const unsigned char legacy_head[] = {0x80, 2,    0x8A, 10,   0x6C, 0xFC, 0x9C,
                                            0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
                                            '.',  0x80, 2,    'M',  0xE9, 3,    '.'};

/* A value of a dict by key, or an absent one. */
static struct ge_pickle_value dict_get(const struct ge_pickle *p, const char *name)
{
    const struct ge_pickle_cell *key, *value;

    for (key = ge_pickle_first(p, p->root); key != NULL && p->root.kind == GE_PICKLE_DICT;
         key = ge_pickle_next(p, value)) {
        value = ge_pickle_next(p, key);
        if (key->value.kind == GE_PICKLE_STRING && key->value.length == strlen(name) &&
            memcmp(ge_pickle_text(p, key->value), name, strlen(name)) == 0)
            return value->value;
    }
    return (struct ge_pickle_value){0};
}

static ge_status check_system(const struct source *src, size_t *at)
{
    struct ge_pickle info = {0};
    const unsigned char *map = src->s->map;
    struct ge_pickle_value little;
    size_t used;
    ge_status rc = ge_pickle_read(&info, map + *at, src->s->len - *at, &used);

    if (rc == GE_OK) {
        *at += used;
        little = dict_get(&info, "little_endian");
        if (little.kind != GE_PICKLE_BOOL || little.n == 0)
            rc = ge_fail(GE_EUNSUPPORTED, "written on a machine of another byte order");
    }
    ge_pickle_free(&info);
    return rc;
}

struct keyed {
    const struct ge_pickle_storage *storage;
    size_t place; /* in pickle.storages */
};

static int by_key(const void *a, const void *b)
{
    const struct ge_pickle_storage *x = ((const struct keyed *)a)->storage;
    const struct ge_pickle_storage *y = ((const struct keyed *)b)->storage;
    size_t n = x->key_length < y->key_length ? x->key_length : y->key_length;
    int order = memcmp(x->key, y->key, n);

    return order != 0 ? order : (x->key_length > n) - (y->key_length > n);
}

/* The storage whose count and bytes are at *at, which moves behind them. `sorted` has all storages
 * that the pickle names by key; those of one key are the same storage. */
static ge_status bind_key(struct source *src, const struct keyed *sorted, const char *key,
                          size_t length, size_t *at)
{
    const struct ge_pickle_storage wanted = {.key = key, .key_length = length}, *s;
    const struct keyed want = {.storage = &wanted};
    const unsigned char *map = src->s->map;
    size_t left = src->s->len - *at, n = src->pickle.n_storages, bytes, lo = 0, hi = n;
    uint64_t count = 0;
    ge_status rc = GE_OK;

    while (lo < hi) { /* the first that is not below */
        size_t mid = lo + (hi - lo) / 2;
        if (by_key(&sorted[mid], &want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (size_t i = 8; left >= 8 && i-- > 0;) count = count << 8 | map[*at + i];
    if (left < 8 || lo == n || by_key(&sorted[lo], &want) != 0 ||
        count != sorted[lo].storage->count || src->bytes[sorted[lo].place] != NULL)
        return ge_fail(GE_EFORMAT, "the storages do not match the pickle, or are cut off");
    s = sorted[lo].storage;
    GE_TRY(ge_mul(s->count, s->element, &bytes));
    if (bytes > left - 8) return ge_fail(GE_EFORMAT, "a storage is cut off");
    for (size_t i = lo; i < n && by_key(&sorted[i], &want) == 0; i++) {
        if (sorted[i].storage->count != s->count || sorted[i].storage->element != s->element)
            return ge_fail(GE_EFORMAT, "one storage has two sizes");
        src->bytes[sorted[i].place] = map + *at + 8;
    }
    *at += 8 + bytes;
done:
    return rc;
}

/* A pickled list of keys, then the storages in that order: a count of elements (8 bytes) and the
 * elements of each. */
static ge_status bind_storages(struct source *src, size_t at)
{
    struct ge_pickle keys = {0};
    struct keyed *sorted = NULL;
    size_t n = src->pickle.n_storages, used;
    ge_status rc = GE_OK;

    GE_TRY(ge_pickle_read(&keys, (const unsigned char *)src->s->map + at, src->s->len - at, &used));
    at += used;
    GE_NEW(sorted, n);
    GE_NEW(src->bytes, n);
    for (size_t i = 0; i < n; i++) sorted[i] = (struct keyed){&src->pickle.storages[i], i};
    if (n > 0) qsort(sorted, n, sizeof *sorted, by_key);
    for (const struct ge_pickle_cell *c = ge_pickle_first(&keys, keys.root); c != NULL;
         c = ge_pickle_next(&keys, c)) {
        if (c->value.kind != GE_PICKLE_STRING) {
            rc = ge_fail(GE_EFORMAT, "a storage's key is not a string");
            goto done;
        }
        GE_TRY(bind_key(src, sorted, ge_pickle_text(&keys, c->value), c->value.length, &at));
    }
    for (size_t i = 0; i < n; i++) {
        if (src->bytes[i] != NULL) continue;
        rc = ge_fail(GE_EFORMAT, "the storage of a tensor is missing");
        goto done;
    }
done:
    free(sorted);
    ge_pickle_free(&keys);
    return rc;
}

static ge_status read_legacy(struct source *src)
{
    const unsigned char *map = src->s->map;
    size_t at = sizeof legacy_head, used;
    ge_status rc = GE_OK;

    GE_TRY(check_system(src, &at));
    GE_TRY(ge_pickle_read(&src->pickle, map + at, src->s->len - at, &used));
    GE_TRY(bind_storages(src, at + used));
    GE_TRY(add_tensors(src));
done:
    return rc;
}

/* ---- either ------------------------------------------------------------------------------- */

ge_status ge_torch_parse(struct ge_checkpoint *c, struct ge_shard *s)
{
    struct source src = {.c = c, .s = s};
    const unsigned char *map = s->map;
    ge_status rc;

    if (s->len >= 4 && memcmp(map, "PK\3\4", 4) == 0)
        rc = read_zip(&src);
    else if (s->len > sizeof legacy_head && memcmp(map, legacy_head, sizeof legacy_head) == 0)
        rc = read_legacy(&src);
    else
        rc = ge_fail(GE_EFORMAT, "not a file that torch.save() writes, or cut off");
    if (rc != GE_OK) rc = ge_fail_in(rc, "%s", s->path);
    s->n = c->n - s->first;
    ge_pickle_free(&src.pickle);
    free(src.bytes);
    return rc;
}
