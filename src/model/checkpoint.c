#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/half.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/checkpoint_format.h"

/* In the order of preference. */
static const struct format {
    const char *file, *index;
    ge_status (*parse)(struct ge_checkpoint *c, struct ge_shard *s);
} formats[] = {
    {"model.safetensors", "model.safetensors.index.json", ge_safetensors_parse},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", ge_torch_parse},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

/* ---- files -------------------------------------------------------------------------------- */

ge_status ge_checkpoint_add(struct ge_checkpoint *c, const char *path, const char *name, size_t n,
                            struct ge_stored **t)
{
    ge_status rc = GE_OK;

    GE_GROW(c->tensors, c->n, c->cap);
    *t = &c->tensors[c->n];
    memset(*t, 0, sizeof **t);
    GE_TRY_PTR((*t)->name, ge_strndup(name, n));
    (*t)->file = path;
    c->n++;
done:
    return rc;
}

/* Map a file and add its tensors. Takes `path`. */
static ge_status open_shard(struct ge_checkpoint *c, const struct format *f, char *path)
{
    static const char lfs[] = "version https://git-lfs";
    struct ge_shard *s;
    ge_status rc = GE_OK;

    GE_GROW(c->shards, c->n_shards, c->cap_shards);
    s = &c->shards[c->n_shards++];
    *s = (struct ge_shard){.path = path, .first = c->n};
    path = NULL;
    GE_TRY(ge_fs_map(s->path, &s->map, &s->len));
    if (s->len == 0) return ge_fail(GE_EFORMAT, "%s: the file is empty", s->path);
    if (s->len >= sizeof lfs - 1 && memcmp(s->map, lfs, sizeof lfs - 1) == 0)
        return ge_fail(GE_EFORMAT,
                       "%s: only the place-holder of a Git LFS file; fetch it with git lfs pull",
                       s->path);
    GE_TRY(f->parse(c, s));
done:
    free(path);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ge_stored *)a)->name, ((const struct ge_stored *)b)->name);
}

static ge_status sort_by_name(struct ge_checkpoint *c)
{
    if (c->n > 0) qsort(c->tensors, c->n, sizeof *c->tensors, by_name);
    for (size_t i = 1; i < c->n; i++) {
        if (strcmp(c->tensors[i - 1].name, c->tensors[i].name) == 0)
            return ge_fail(GE_EFORMAT, "%s: tensor %s is given twice", c->tensors[i].file,
                           c->tensors[i].name);
    }
    return GE_OK;
}

static bool has_shard(const struct ge_checkpoint *c, const char *name)
{
    for (size_t i = 0; i < c->n_shards; i++)
        if (strcmp(ge_fs_basename(c->shards[i].path), name) == 0) return true;
    return false;
}

static ge_status open_indexed(struct ge_checkpoint *c, const struct format *f, const char *folder,
                              const ge_json *map, const char *index)
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
        if (has_shard(c, name)) continue;
        GE_TRY_PTR(path, ge_fs_join(folder, name));
        GE_TRY(open_shard(c, f, path));
    }
    GE_TRY(sort_by_name(c));
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e)) {
        const struct ge_stored *t = ge_checkpoint_find(c, ge_json_key(e));
        if (t == NULL || strcmp(ge_fs_basename(t->file), ge_json_string(e, "")) != 0)
            return ge_fail(GE_EFORMAT, "%s: weight_map: tensor %s is not in %s", index,
                           ge_json_key(e), ge_json_string(e, ""));
    }
done:
    return rc;
}

/* One file or shards of a format; *found = false if neither is in the folder. */
static ge_status open_format(struct ge_checkpoint *c, const struct format *f, const char *folder,
                             bool *found)
{
    ge_json *index = NULL;
    char *single = NULL, *index_path = NULL;
    ge_status rc = GE_OK;

    *found = true;
    GE_TRY_PTR(single, ge_fs_join(folder, f->file));
    GE_TRY_PTR(index_path, ge_fs_join(folder, f->index));
    if (ge_fs_exists(single)) {
        rc = open_shard(c, f, single);
        single = NULL;
        if (rc == GE_OK) rc = sort_by_name(c);
    } else if (ge_fs_exists(index_path)) {
        GE_TRY(ge_json_read(index_path, &index));
        GE_TRY(open_indexed(c, f, folder, ge_json_get(index, "weight_map"), index_path));
    } else {
        *found = false;
    }
done:
    free(single);
    free(index_path);
    ge_json_delete(&index);
    return rc;
}

ge_status ge_checkpoint_open(const char *folder, struct ge_checkpoint **out)
{
    struct ge_checkpoint *c = NULL;
    bool found = false;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_NEW(c, 1);
    for (size_t i = 0; i < FORMATS && !found; i++)
        GE_TRY(open_format(c, &formats[i], folder, &found));
    if (!found) {
        rc = ge_fail(GE_ENOENT,
                     "%s: no weights: none of model.safetensors, model.safetensors.index.json, "
                     "pytorch_model.bin and pytorch_model.bin.index.json is there",
                     folder);
        goto done;
    }
    *out = c;
    c = NULL;
done:
    ge_checkpoint_close(&c);
    return rc;
}

void ge_checkpoint_close(struct ge_checkpoint **c)
{
    if (*c == NULL) return;
    for (size_t i = 0; i < (*c)->n; i++) free((*c)->tensors[i].name);
    free((*c)->tensors);
    for (size_t i = 0; i < (*c)->n_shards; i++) {
        ge_fs_unmap((*c)->shards[i].map, (*c)->shards[i].len);
        free((*c)->shards[i].path);
    }
    free((*c)->shards);
    free(*c);
    *c = NULL;
}

const struct ge_stored *ge_checkpoint_find(const struct ge_checkpoint *c, const char *name)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(name, c->tensors[mid].name);
        if (order == 0) return &c->tensors[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

void ge_checkpoint_describe(const struct ge_checkpoint *c, struct ge_hasher *h)
{
    for (size_t i = 0; i < c->n_shards; i++) {
        struct ge_hash file = ge_hash_bytes(c->shards[i].map, c->shards[i].len);
        ge_hasher_add_u64(h, file.hi);
        ge_hasher_add_u64(h, file.lo);
    }
}

/* ---- reading ------------------------------------------------------------------------------ */

/* n elements that stand `step` bytes apart. */
static void convert(const struct ge_stored *t, const unsigned char *p, size_t step, size_t n,
                    float *out)
{
    bool bf16 = t->dtype[0] == 'B';

    for (size_t i = 0; i < n; i++, p += step) {
        uint16_t half;
        double wide;
        if (t->element == 2) {
            memcpy(&half, p, 2);
            out[i] = bf16 ? ge_bf16_to_float(half) : ge_fp16_to_float(half);
        } else if (t->element == 4) {
            memcpy(&out[i], p, 4);
        } else {
            memcpy(&wide, p, 8);
            out[i] = (float)wide;
        }
    }
}

/* True if the elements follow each other in row-major order. */
static bool is_contiguous(const struct ge_stored *t)
{
    size_t run = 1;

    for (size_t i = t->dims; i-- > 0; run *= t->shape[i])
        if (t->shape[i] != 1 && t->stride[i] != run) return false;
    return true;
}

/* Row by row, a row being the last dimension; `at` counts through the others. */
static void convert_strided(const struct ge_stored *t, float *out)
{
    size_t last = t->dims - 1, at[GE_STORED_MAX_DIMS] = {0}, row = t->shape[last];

    for (size_t done = 0; done < t->count; done += row) {
        size_t offset = 0;
        for (size_t i = 0; i < last; i++) offset += at[i] * t->stride[i];
        convert(t, t->data + offset * t->element, t->stride[last] * t->element, row, out + done);
        for (size_t i = last; i-- > 0 && ++at[i] == t->shape[i];) at[i] = 0;
    }
}

ge_status ge_stored_read(const struct ge_stored *t, float *out)
{
    static const char *const known[] = {"F32", "F16", "BF16", "F64"};
    bool is_float = false;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        is_float = is_float || strcmp(t->dtype, known[i]) == 0;
    if (!is_float)
        return ge_fail(GE_EUNSUPPORTED, "%s: tensor %s is %s; wanted F32, F16, BF16 or F64",
                       t->file, t->name, t->dtype);
    if (t->count == 0) return GE_OK;
    if (!is_contiguous(t))
        convert_strided(t, out);
    else if (t->element == sizeof *out)
        memcpy(out, t->data, t->count * sizeof *out);
    else
        convert(t, t->data, t->element, t->count, out);
    for (size_t i = 0; i < t->count; i++) {
        if (!isfinite(out[i]))
            return ge_fail(GE_EFORMAT,
                           "%s: tensor %s: element %zu is not finite; the file is damaged or "
                           "training failed",
                           t->file, t->name, i);
    }
    return GE_OK;
}

size_t ge_checkpoint_elements(const struct ge_checkpoint *c)
{
    size_t sum = 0;

    for (size_t i = 0; i < c->n; i++) sum += c->tensors[i].count;
    return sum;
}
