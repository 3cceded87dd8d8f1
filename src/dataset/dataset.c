/* Loading: choose the reader, apply the selection, look for what is missing. */
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "dataset/parts.h"

/* Index value of an id that the selection leaves out. */
#define NOT_SELECTED UINT32_MAX

static const char *const format_names[] = {"auto", "manifest", "gapeval", "gapeval-jsonl",
                                           "predictions"};

const char *ge_dataset_format_name(enum ge_dataset_format f)
{
    return (size_t)f < sizeof format_names / sizeof *format_names ? format_names[f] : "?";
}

ge_status ge_dataset_format_parse(const char *name, enum ge_dataset_format *out)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++) {
        if (strcmp(format_names[i], name) == 0) {
            *out = (enum ge_dataset_format)i;
            return GE_OK;
        }
    }
    return ge_fail(GE_EINVAL,
                   "dataset format: found \"%s\", allowed: auto, manifest, gapeval, gapeval-jsonl, "
                   "predictions",
                   name);
}

/* Whether a dataset of this format is one file; otherwise it is a folder. */
static bool is_file_format(enum ge_dataset_format f)
{
    return f == GE_DATASET_MANIFEST || f == GE_DATASET_PREDICTIONS;
}

/* ---- building ------------------------------------------------------------------------------ */

/* A path without the dataset's own folder in front, so that a name made of it is the same wherever
 * the dataset lies. */
static const char *inside_dataset(const struct ge_dataset *ds, const char *path)
{
    const char *file = strrchr(ds->path, '/');
    bool folder = !is_file_format(ds->format);
    size_t n = folder ? strlen(ds->path) : file != NULL ? (size_t)(file - ds->path) : 0;
    while (n > 0 && ds->path[n - 1] == '/') n--;
    return n > 0 && strncmp(path, ds->path, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

ge_status ge_builder_add(struct ge_builder *b, struct ge_item item, const char *place)
{
    ge_status rc = GE_OK;
    bool fresh;
    if (b->n >= NOT_SELECTED) {
        rc = ge_fail(GE_ELIMIT, "%s: found more than 4294967294 items", place);
        goto done;
    }
    item.index = (uint32_t)b->n;
    for (int d = 0; d < GE_DIRECTIONS && item.cluster == NULL; d++) {
        const struct ge_strings *images = &item.task[d].images;
        if (images->n > 0) item.cluster = inside_dataset(b->ds, images->v[0]);
    }
    if (item.cluster == NULL) item.cluster = item.id;
    GE_TRY(ge_index_add(b->ds->ids, item.id, item.index, &fresh));
    if (!fresh) {
        rc = ge_fail(GE_EFORMAT,
                     "%s: id: found \"%s\", which an earlier item has, allowed: each id once",
                     place, item.id);
        goto done;
    }
    GE_GROW(b->items, b->n, b->cap);
    b->items[b->n++] = item;
done:
    return rc;
}

static ge_status detect_format(const char *path, enum ge_dataset_format *format)
{
    ge_status rc = GE_OK;
    struct ge_fs_stat st;
    char *und = NULL, *gen = NULL;
    GE_TRY(ge_fs_stat(path, &st));
    if (!st.is_dir) {
        *format = GE_DATASET_MANIFEST;
        goto done;
    }
    GE_TRY_PTR(und, ge_fs_join(path, "und_outputs.jsonl"));
    GE_TRY_PTR(gen, ge_fs_join(path, "gen_outputs.jsonl"));
    *format =
        ge_fs_exists(und) || ge_fs_exists(gen) ? GE_DATASET_GAPEVAL_JSONL : GE_DATASET_GAPEVAL;
done:
    free(und);
    free(gen);
    return rc;
}

/* "data/items.jsonl" -> "items", "data/bench/" -> "bench". */
static ge_status name_from_path(struct ge_dataset *ds)
{
    ge_status rc = GE_OK;
    char *copy, *dot;
    GE_TRY_PTR(copy, ge_arena_strdup(ds->arena, ds->path));
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--) copy[len - 1] = '\0';
    const char *base = ge_fs_basename(copy);
    dot = strrchr(copy, '.');
    if (is_file_format(ds->format) && dot != NULL && dot > base) *dot = '\0';
    ds->name = base;
done:
    return rc;
}

/* ---- selection ----------------------------------------------------------------------------- */

/* Which values of one list are wanted, and which of them some item has. */
struct wanted {
    const char *key;
    const struct ge_strings *list;
    struct ge_dataset_index *index;
    bool *seen;
};

static ge_status wanted_init(struct wanted *w, const char *key, const struct ge_strings *list)
{
    ge_status rc = GE_OK;
    bool fresh;
    *w = (struct wanted){.key = key, .list = list};
    GE_TRY_PTR(w->index, ge_index_new());
    GE_NEW(w->seen, list->n);
    for (size_t i = 0; i < list->n; i++) {
        GE_TRY(ge_index_add(w->index, list->v[i], (uint32_t)i, &fresh));
        if (!fresh) w->seen[i] = true; /* named twice; the first one counts */
    }
done:
    return rc;
}

static void wanted_free(struct wanted *w)
{
    ge_index_delete(&w->index);
    free(w->seen);
}

static bool wanted_has(struct wanted *w, const char *value)
{
    if (w->list->n == 0) return false; /* the usual case, for every item */
    const uint32_t *i = ge_index_find(w->index, value);
    if (i != NULL) w->seen[*i] = true;
    return i != NULL;
}

/* A name that no item has is a slip: it would select nothing in silence. */
static ge_status wanted_check(const struct wanted *w, const struct ge_dataset *ds)
{
    for (size_t i = 0; i < w->list->n; i++) {
        if (w->seen[i]) continue;
        return ge_fail(GE_EINVAL,
                       "%s: dataset.select.%s: found \"%s\", allowed: a value that an item of the "
                       "dataset has",
                       ds->path, w->key, w->list->v[i]);
    }
    return GE_OK;
}

enum { BY_CATEGORY, BY_TAG, BY_ID, SELECTIONS };

static bool is_selected(struct wanted *w, const struct ge_item *item)
{
    bool category = wanted_has(&w[BY_CATEGORY], item->category);
    bool id = wanted_has(&w[BY_ID], item->id), tag = false;
    for (size_t i = 0; i < item->tags.n; i++) {
        if (wanted_has(&w[BY_TAG], item->tags.v[i])) tag = true;
    }
    return (category || w[BY_CATEGORY].list->n == 0) && (tag || w[BY_TAG].list->n == 0) &&
           (id || w[BY_ID].list->n == 0);
}

/* Keep the selected items, in order, in the arena. */
static ge_status select_items(struct ge_builder *b, const struct ge_dataset_options *o)
{
    ge_status rc = GE_OK;
    struct ge_dataset *ds = b->ds;
    struct wanted w[SELECTIONS] = {0};
    GE_TRY(wanted_init(&w[BY_CATEGORY], "categories", &o->categories));
    GE_TRY(wanted_init(&w[BY_TAG], "tags", &o->tags));
    GE_TRY(wanted_init(&w[BY_ID], "items", &o->items));
    ds->n_total = b->n;
    for (size_t i = 0; i < b->n; i++) {
        uint32_t *index = ge_index_find(ds->ids, b->items[i].id);
        bool take = is_selected(w, &b->items[i]) && (o->limit == 0 || ds->n < o->limit);
        *index = take ? (uint32_t)ds->n : NOT_SELECTED;
        if (!take) continue;
        b->items[ds->n] = b->items[i];
        b->items[ds->n].index = (uint32_t)ds->n;
        ds->n++;
    }
    for (int i = 0; i < SELECTIONS; i++) GE_TRY(wanted_check(&w[i], ds));
    if (ds->n == 0) {
        rc = ge_fail(b->n == 0 ? GE_EFORMAT : GE_EINVAL,
                     "%s: found no item%s, allowed: at least one", ds->path,
                     b->n == 0 ? "" : " in the selection (dataset.select)");
        goto done;
    }
    GE_TRY_PTR(ds->items, ge_arena_alloc(ds->arena, ds->n, sizeof *ds->items));
    memcpy(ds->items, b->items, ds->n * sizeof *ds->items);
done:
    for (int i = 0; i < SELECTIONS; i++) wanted_free(&w[i]);
    return rc;
}

/* ---- public -------------------------------------------------------------------------------- */

ge_status ge_dataset_load(const struct ge_dataset_options *options, struct ge_dataset **out)
{
    ge_status rc = GE_OK;
    struct ge_builder b = {0};
    struct ge_dataset *ds = NULL;
    *out = NULL;
    GE_NEW(ds, 1);
    b.ds = ds;
    GE_TRY_PTR(ds->arena, ge_arena_new());
    GE_TRY_PTR(ds->ids, ge_index_new());
    GE_TRY_PTR(ds->path, ge_arena_strdup(ds->arena, options->path));
    ds->format = options->format;
    if (ds->format == GE_DATASET_AUTO) GE_TRY(detect_format(ds->path, &ds->format));
    GE_TRY(name_from_path(ds));
    switch (ds->format) {
    case GE_DATASET_GAPEVAL:
        rc = ge_folders_read(&b, ds->path);
        break;
    case GE_DATASET_GAPEVAL_JSONL:
        rc = ge_jsonl_read(&b, ds->path);
        break;
    case GE_DATASET_PREDICTIONS:
        rc = ge_predictions_read(&b, ds->path);
        break;
    default:
        rc = ge_manifest_read(&b, ds->path);
        break;
    }
    if (rc != GE_OK) goto done;
    GE_TRY(select_items(&b, options));
    *out = ds;
    ds = NULL;
done:
    free(b.items);
    ge_dataset_delete(&ds);
    return rc;
}

void ge_dataset_delete(struct ge_dataset **ds)
{
    if (*ds == NULL) return;
    ge_index_delete(&(*ds)->ids);
    ge_arena_delete(&(*ds)->arena);
    free(*ds);
    *ds = NULL;
}

const struct ge_item *ge_dataset_find(const struct ge_dataset *ds, const char *id, bool *known)
{
    const uint32_t *index = ge_index_find(ds->ids, id);
    if (known != NULL) *known = index != NULL;
    return index != NULL && *index != NOT_SELECTED ? &ds->items[*index] : NULL;
}

/* ---- what is not there --------------------------------------------------------------------- */

/* Look at a path once; counts into *n and *missing. */
static ge_status look_at(struct ge_dataset_index *seen, const char *path, size_t *n,
                         size_t *missing, const char **first_missing)
{
    ge_status rc = GE_OK;
    struct ge_fs_stat st;
    bool fresh;
    GE_TRY(ge_index_add(seen, path, 0, &fresh));
    if (!fresh) goto done;
    (*n)++;
    if (ge_fs_stat(path, &st) == GE_OK && st.is_file) goto done;
    ge_error_clear();
    (*missing)++;
    if (*first_missing == NULL) *first_missing = path;
done:
    return rc;
}

static ge_status check_items(const struct ge_dataset *ds, struct ge_dataset_check *c)
{
    ge_status rc = GE_OK;
    struct ge_dataset_index *seen = NULL;
    GE_TRY_PTR(seen, ge_index_new());
    for (size_t i = 0; i < ds->n * GE_DIRECTIONS; i++) {
        const struct ge_task *t = &ds->items[i / GE_DIRECTIONS].task[i % GE_DIRECTIONS];
        const struct ge_strings *lists[] = {&t->images, &t->reference_images,
                                            &t->image_distractors};
        for (size_t j = 0; j < sizeof lists / sizeof *lists; j++) {
            for (size_t k = 0; k < lists[j]->n; k++) {
                GE_TRY(look_at(seen, lists[j]->v[k], &c->images, &c->missing_images,
                               &c->first_missing));
            }
        }
    }
done:
    ge_index_delete(&seen);
    return rc;
}

ge_status ge_dataset_check_files(const struct ge_dataset *ds,
                                 struct ge_answers_file *const *answers, size_t n,
                                 struct ge_dataset_check *out)
{
    ge_status rc = GE_OK;
    struct ge_dataset_index *seen = NULL;
    *out = (struct ge_dataset_check){0};
    GE_TRY(check_items(ds, out));
    GE_TRY_PTR(seen, ge_index_new());
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < answers[i]->answers.n; j++) {
            const char *path = answers[i]->answers.v[j].image;
            if (path == NULL) continue;
            GE_TRY(look_at(seen, path, &out->answer_images, &out->missing_answer_images,
                           &out->first_missing));
        }
    }
done:
    ge_index_delete(&seen);
    return rc;
}
