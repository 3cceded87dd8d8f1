/* What a state dict's pickle imports and calls: OrderedDict, storages, tensors, parameters. */
#include <string.h>

#include "base/mem.h"
#include "model/pickle_machine.h"

/* The imports that are known; storage classes follow as G_STORAGE + place in storage_classes. */
enum global { G_ORDERED_DICT, G_TENSOR, G_PARAMETER, G_STORAGE };
static const struct {
    const char *module, *name;
} globals[] = {{"collections", "OrderedDict"},
               {"torch._utils", "_rebuild_tensor_v2"},
               {"torch._utils", "_rebuild_parameter"}};

static const struct {
    const char *name, *dtype;
    size_t element;
} storage_classes[] = {{"FloatStorage", "F32", 4},     {"HalfStorage", "F16", 2},
                       {"BFloat16Storage", "BF16", 2}, {"DoubleStorage", "F64", 8},
                       {"LongStorage", "I64", 8},      {"IntStorage", "I32", 4},
                       {"ShortStorage", "I16", 2},     {"CharStorage", "I8", 1},
                       {"ByteStorage", "U8", 1},       {"BoolStorage", "BOOL", 1}};
enum { STORAGE_CLASSES = sizeof storage_classes / sizeof storage_classes[0] };

/* The items of a tuple of min to max values (at most 8); *n = how many. */
static ge_status tuple_items(const struct ge_pickle_machine *m, struct ge_pickle_value v,
                             size_t min, size_t max, struct ge_pickle_value out[8], size_t *n)
{
    const struct ge_pickle_cell *c = ge_pickle_first(m->p, v);

    *n = v.kind == GE_PICKLE_TUPLE ? m->p->sequences[v.n].count : SIZE_MAX;
    if (*n < min || *n > max) return ge_pickle_bad(m, "wanted a tuple of another length");
    for (size_t i = 0; i < *n; i++, c = ge_pickle_next(m->p, c)) out[i] = c->value;
    return GE_OK;
}

/* ---- storages and tensors ----------------------------------------------------------------- */

/* ('storage', class, key, location, count), in the older format with None behind. */
ge_status ge_pickle_storage(struct ge_pickle_machine *m)
{
    struct ge_pickle *p = m->p;
    struct ge_pickle_value item[8];
    const struct ge_pickle_value *v;
    size_t n;
    ge_status rc = GE_OK;

    GE_TRY(ge_pickle_pop(m, 1, &v));
    GE_TRY(tuple_items(m, *v, 5, 6, item, &n));
    if (item[0].kind != GE_PICKLE_STRING || item[0].length != 7 ||
        memcmp(ge_pickle_text(p, item[0]), "storage", 7) != 0 || item[1].kind != GE_PICKLE_GLOBAL ||
        item[1].n < G_STORAGE || item[2].kind != GE_PICKLE_STRING ||
        item[4].kind != GE_PICKLE_INT || item[4].n < 0)
        return ge_pickle_bad(m, "not the description of a storage");
    if (n == 6 && item[5].kind != GE_PICKLE_NONE)
        return ge_fail(GE_EUNSUPPORTED,
                       "a storage that is a view of another one; load the file with torch and "
                       "save it again");
    GE_GROW(p->storages, p->n_storages, p->cap_storages);
    p->storages[p->n_storages] = (struct ge_pickle_storage){
        .dtype = storage_classes[item[1].n - G_STORAGE].dtype,
        .element = storage_classes[item[1].n - G_STORAGE].element,
        .key = ge_pickle_text(p, item[2]),
        .key_length = item[2].length,
        .count = (size_t)item[4].n,
    };
    GE_TRY(
        ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_STORAGE, 0, (int64_t)p->n_storages}));
    p->n_storages++;
done:
    return rc;
}

/* Sizes or strides: a tuple of whole numbers that are not negative. */
static ge_status read_sizes(const struct ge_pickle_machine *m, struct ge_pickle_value v,
                            size_t *out, size_t *n)
{
    struct ge_pickle_value item[GE_STORED_MAX_DIMS];
    ge_status rc = tuple_items(m, v, 0, GE_STORED_MAX_DIMS, item, n);

    if (rc != GE_OK) return rc;
    for (size_t i = 0; i < *n; i++) {
        if (item[i].kind != GE_PICKLE_INT || item[i].n < 0)
            return ge_pickle_bad(m, "a size or stride that is not a whole number");
        out[i] = (size_t)item[i].n;
    }
    return GE_OK;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]) */
static ge_status push_tensor(struct ge_pickle_machine *m, struct ge_pickle_value args)
{
    struct ge_pickle *p = m->p;
    struct ge_pickle_value item[8];
    struct ge_pickle_tensor *t;
    size_t n, strides;
    ge_status rc = GE_OK;

    GE_TRY(tuple_items(m, args, 6, 7, item, &n));
    if (item[0].kind != GE_PICKLE_STORAGE || item[1].kind != GE_PICKLE_INT || item[1].n < 0)
        return ge_pickle_bad(m, "not the description of a tensor");
    GE_GROW(p->tensors, p->n_tensors, p->cap_tensors);
    t = &p->tensors[p->n_tensors];
    t->storage = (size_t)item[0].n;
    t->offset = (size_t)item[1].n;
    GE_TRY(read_sizes(m, item[2], t->shape, &t->dims));
    GE_TRY(read_sizes(m, item[3], t->stride, &strides));
    if (strides != t->dims)
        return ge_pickle_bad(m, "a tensor with another number of strides than sizes");
    GE_TRY(ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_TENSOR, 0, (int64_t)p->n_tensors}));
    p->n_tensors++;
done:
    return rc;
}

/* ---- imports ------------------------------------------------------------------------------ */

static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

ge_status ge_pickle_import(struct ge_pickle_machine *m)
{
    const char *module, *name;
    size_t module_length, name_length;
    int64_t found = -1;
    ge_status rc = GE_OK;

    GE_TRY(ge_pickle_line(m, &module, &module_length));
    GE_TRY(ge_pickle_line(m, &name, &name_length));
    for (size_t i = 0; i < G_STORAGE; i++)
        if (is(module, module_length, globals[i].module) && is(name, name_length, globals[i].name))
            found = (int64_t)i;
    for (size_t i = 0; i < STORAGE_CLASSES && is(module, module_length, "torch"); i++)
        if (is(name, name_length, storage_classes[i].name)) found = (int64_t)(G_STORAGE + i);
    if (found < 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "the pickle imports %.*s.%.*s, which a state dict of tensors does not "
                       "need; it was not run. If you trust the file, load it with torch and save "
                       "its tensors as safetensors",
                       (int)(module_length < 64 ? module_length : 64), module,
                       (int)(name_length < 64 ? name_length : 64), name);
    GE_TRY(ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_GLOBAL, 0, found}));
done:
    return rc;
}

/* Call a global: callable and tuple of arguments on the stack. */
ge_status ge_pickle_call(struct ge_pickle_machine *m)
{
    const struct ge_pickle_value *v;
    struct ge_pickle_value item[8], args;
    size_t n;
    ge_status rc = GE_OK;

    GE_TRY(ge_pickle_pop(m, 2, &v));
    args = v[1];
    if (v[0].kind != GE_PICKLE_GLOBAL)
        return ge_pickle_bad(m, "a call of something that is no function");
    switch (v[0].n) {
    case G_ORDERED_DICT:
        GE_TRY(tuple_items(m, args, 0, 0, item, &n));
        return ge_pickle_push_sequence(m, GE_PICKLE_DICT, NULL, 0);
    case G_TENSOR:
        return push_tensor(m, args);
    case G_PARAMETER: /* (tensor, requires_grad, hooks) */
        GE_TRY(tuple_items(m, args, 3, 3, item, &n));
        if (item[0].kind != GE_PICKLE_TENSOR)
            return ge_pickle_bad(m, "a parameter of something else");
        return ge_pickle_push(m, item[0]);
    default:
        return ge_pickle_bad(m, "a call of a storage class");
    }
done:
    return rc;
}
