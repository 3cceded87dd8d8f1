/* Lists of inputs and batches of decoded images. */
#include "cli/inputs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/backends.h"
#include "cli/tuned.h"

#define MAX_LIST ((size_t)2 << 30)

void ge_inputs_free(struct ge_inputs *in)
{
    ge_arena_delete(&in->arena);
    free(in->v);
    memset(in, 0, sizeof *in);
}

/* ---- lines ------------------------------------------------------------------------------------ */

/* One line of a file: kept in in->v or skipped. */
typedef ge_status line_fn(struct ge_inputs *in, const char *line, size_t len, const char *place,
                          const char **kept);

static ge_status keep_path(struct ge_inputs *in, const char *line, size_t len, const char *place,
                           const char **kept)
{
    (void)place;
    *kept = NULL;
    if (len == 0) return GE_OK;
    *kept = ge_arena_strndup(in->arena, line, len);
    return *kept == NULL ? GE_ENOMEM : GE_OK;
}

static ge_status keep_text(struct ge_inputs *in, const char *line, size_t len, const char *place,
                           const char **kept)
{
    (void)place;
    *kept = ge_arena_strndup(in->arena, line, len);
    return *kept == NULL ? GE_ENOMEM : GE_OK;
}

static ge_status keep_json(struct ge_inputs *in, const char *line, size_t len, const char *place,
                           const char **kept)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    GE_TRY(ge_json_parse(line, len, place, &doc));
    const char *text = ge_json_string(doc, NULL);
    if (text == NULL) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: %s; wanted a JSON string", place,
                       ge_json_type_name(ge_json_type(doc))));
    }
    GE_TRY_PTR(*kept, ge_arena_strdup(in->arena, text));
done:
    ge_json_delete(&doc);
    return rc;
}

static ge_status read_lines(const char *path, line_fn *keep, struct ge_inputs *in)
{
    ge_status rc = GE_OK;
    char *data = NULL, place[4352];
    size_t len = 0, cap = 0, line = 0;
    bool warned = keep != keep_text;
    GE_TRY_PTR(in->arena, ge_arena_new());
    GE_TRY(ge_fs_read(path, MAX_LIST, &data, &len));
    for (size_t at = 0, next; at < len; at = next) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end - data) - at : len - at;
        next = at + n + (end != NULL);
        if (n > 0 && data[at + n - 1] == '\r') n--;
        snprintf(place, sizeof place, "%s, line %zu", path, ++line);
        if (memchr(data + at, '\0', n) != NULL) {
            GE_TRY(ge_fail(GE_EFORMAT, "%s: a NUL byte; wanted text", place));
        }
        if (!warned && ge_utf8_valid(data + at, n) < n) {
            ge_warn("%s: not UTF-8; broken bytes count as U+FFFD", place);
            warned = true;
        }
        GE_GROW(in->v, in->n, cap);
        GE_TRY(keep(in, data + at, n, place, &in->v[in->n]));
        in->n += in->v[in->n] != NULL;
    }
    if (in->n == 0) GE_TRY(ge_fail(GE_EINVAL, "%s is empty; wanted one input per line", path));
done:
    free(data);
    return rc;
}

/* ---- lists -------------------------------------------------------------------------------------- */

static ge_status read_folder(const char *path, struct ge_inputs *in)
{
    ge_status rc = GE_OK;
    char **names = NULL;
    size_t n = 0;
    GE_TRY_PTR(in->arena, ge_arena_new());
    GE_TRY(ge_fs_list(path, &names, &n));
    GE_NEW(in->v, n);
    for (size_t i = 0; i < n; i++) {
        struct ge_fs_stat st;
        const char *file = ge_arena_printf(in->arena, "%s/%s", path, names[i]);
        if (file == NULL) GE_TRY(GE_ENOMEM);
        /* a dangling link is an input that cannot be read, not nothing */
        if (ge_fs_stat(file, &st) == GE_OK && !st.is_file) continue;
        in->v[in->n++] = file;
    }
    if (in->n == 0) GE_TRY(ge_fail(GE_EINVAL, "%s holds no files", path));
done:
    ge_fs_list_free(names, n);
    return rc;
}

ge_status ge_inputs_images(const char *path, struct ge_inputs *out)
{
    memset(out, 0, sizeof *out);
    return ge_fs_is_dir(path) ? read_folder(path, out) : read_lines(path, keep_path, out);
}

ge_status ge_inputs_texts(const char *path, struct ge_inputs *out)
{
    memset(out, 0, sizeof *out);
    bool json = strcmp(ge_fs_extension(path), "jsonl") == 0;
    return read_lines(path, json ? keep_json : keep_text, out);
}

/* ---- flags ---------------------------------------------------------------------------------------- */

/* Index of a flag's value among two; 0 if it is not given. */
static ge_status choose(const char *flag, const char *value, const char *first, const char *second,
                        int *chosen)
{
    *chosen = 0;
    if (value == NULL || strcmp(value, first) == 0) return GE_OK;
    *chosen = 1;
    if (strcmp(value, second) == 0) return GE_OK;
    return ge_fail(GE_EINVAL, "%s %s: wanted %s or %s", flag, value, first, second);
}

ge_status ge_image_flags_read(const struct ge_image_flags *f, struct ge_preprocess_switches *out)
{
    ge_status rc = GE_OK;
    int exif, alpha, pillow;
    ge_preprocess_switches_init(out);
    GE_TRY(choose("--exif", f->exif, "apply", "ignore", &exif));
    GE_TRY(choose("--alpha", f->alpha, "drop", "white", &alpha));
    GE_TRY(choose("--pillow", f->pillow, "13", "12", &pillow));
    if (f->resize != NULL && !ge_resize_mode_find(f->resize, &out->resize))
        GE_TRY(ge_fail(GE_EINVAL, "--resize %s: wanted pil or torchvision", f->resize));
    out->image.exif = exif == 0 ? GE_EXIF_APPLY : GE_EXIF_IGNORE;
    out->image.alpha = alpha == 0 ? GE_ALPHA_DROP : GE_ALPHA_WHITE;
    out->pillow = pillow == 0 ? GE_PILLOW_13 : GE_PILLOW_12;
done:
    return rc;
}

ge_status ge_inputs_dtype(const char *name, enum ge_dtype *dtype)
{
    *dtype = GE_F32;
    if (name == NULL) return GE_OK;
    if (ge_dtype_parse(name, dtype) &&
        (*dtype == GE_F32 || *dtype == GE_BF16 || *dtype == GE_F16)) {
        return GE_OK;
    }
    return ge_fail(GE_EINVAL, "--dtype %s: wanted fp32, bf16 or fp16", name);
}

ge_status ge_inputs_device(const struct ge_device_flags *f, struct ge_device **dev)
{
    enum { MAX_THREADS = 4096 };
    ge_status rc = GE_OK;
    struct ge_device_options options = {.threads = (int)f->threads, .level = f->level};
    char *table = NULL;
    if (f->threads > MAX_THREADS) {
        GE_TRY(ge_fail(GE_EINVAL, "--threads %ld: at most %d", f->threads, MAX_THREADS));
    }
    GE_TRY(ge_inputs_dtype(f->dtype, &options.dtype));
    if (f->tuned != NULL) GE_TRY(ge_tuned_read(f->tuned, &table));
    options.tuned = table;
    GE_TRY(ge_backends_open(f->device, &options, dev));
done:
    free(table);
    return rc;
}

ge_status ge_check_out(const char *path)
{
    struct ge_fs_stat st;
    if (ge_fs_stat(path, &st) != GE_OK || st.is_file) return GE_OK;
    return ge_fail(GE_EINVAL, "%s is %s; wanted the name of a file", path,
                   st.is_dir ? "a folder" : "a device or pipe");
}

/* ---- batches of images ---------------------------------------------------------------------------- */

static size_t batch_threads(const struct ge_image_batch *b)
{
    return b->pool != NULL ? (size_t)ge_pool_threads(b->pool) : 1;
}

ge_status ge_image_batch_init(struct ge_image_batch *b, const struct ge_preprocess *p,
                              struct ge_pool *pool, size_t cap)
{
    ge_status rc = GE_OK;
    size_t bytes;
    *b = (struct ge_image_batch){.p = p, .pool = pool, .cap = cap, .size = ge_preprocess_size(p)};
    GE_TRY(ge_mul(cap, b->size, &bytes));
    GE_TRY(ge_image_scratches_new(batch_threads(b), &b->scratch));
    GE_NEW(b->pixels, bytes);
    GE_NEW(b->status, cap);
    GE_NEW(b->reason, cap);
done:
    return rc;
}

void ge_image_batch_free(struct ge_image_batch *b)
{
    for (size_t i = 0; b->reason != NULL && i < b->cap; i++) free(b->reason[i]);
    ge_image_scratches_delete(batch_threads(b), &b->scratch);
    free(b->pixels);
    free(b->status);
    free(b->reason);
    memset(b, 0, sizeof *b);
}

struct batch_read {
    struct ge_image_batch *batch;
    const char *const *paths;
};

static void read_one(void *ctx, size_t i, int thread)
{
    struct batch_read *r = ctx;
    struct ge_image_batch *b = r->batch;
    free(b->reason[i]);
    b->reason[i] = NULL;
    b->status[i] =
        ge_preprocess_file(b->p, r->paths[i], b->scratch[thread], b->pixels + i * b->size);
    if (b->status[i] == GE_OK) return;
    memset(b->pixels + i * b->size, 0, b->size);
    b->reason[i] = ge_strdup(ge_error());
    if (b->reason[i] == NULL) b->status[i] = GE_ENOMEM;
}

ge_status ge_image_batch_read(struct ge_image_batch *b, const char *const *paths, size_t n,
                              size_t *bad)
{
    struct batch_read r = {b, paths};
    GE_ASSERT(n <= b->cap);
    ge_pool_run(b->pool, n, read_one, &r);
    for (size_t i = 0; i < n; i++) {
        if (b->status[i] == GE_OK) continue;
        if (b->status[i] == GE_ENOMEM) {
            return ge_fail(GE_ENOMEM,
                           "out of memory while reading %s; try a smaller --batch-size "
                           "or fewer --threads",
                           paths[i]);
        }
        ge_error_log("%s", b->reason[i]);
        (*bad)++;
    }
    return GE_OK;
}
