/* Answers in the published folder layout: data_<id>/<system>/ with text.json, images and a judge's
 * new_res.json. What is broken in one item's folder is a problem of that answer, not of the run. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "dataset/parts.h"

enum { ANSWER_BYTES_MAX = 16 << 20 };

bool ge_is_system_folder(const char *name)
{
    static const char *const others[] = {"image", "inage", "ref", "lumoo"};
    size_t len = strlen(name);
    if (len == 0 || name[0] == '.' || strchr(name, '/') != NULL) return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i]) == 0) return false;
    }
    return strncmp(name, "output_", 7) != 0 || name[len - 1] == '1';
}

/* One item's folder of one system. */
struct folder {
    struct ge_gather *g;
    const struct ge_item *item;
    const char *path;
};

/* Read a JSON file of the folder. *doc stays NULL if there is none; a file that cannot be used
 * gives *problem instead of a failure. Failures of the node are returned. */
static ge_status read_json(const struct folder *f, const char *name, ge_json **doc,
                           const char **problem)
{
    ge_status rc = GE_OK;
    char *path = NULL, *text = NULL;
    size_t len = 0;
    *doc = NULL;
    *problem = NULL;
    GE_TRY_PTR(path, ge_fs_join(f->path, name));
    if (!ge_fs_exists(path)) {
        ge_hasher_add_u64(f->g->hasher, 0);
        goto done;
    }
    rc = ge_fs_read(path, ANSWER_BYTES_MAX, &text, &len);
    if (rc == GE_OK) {
        ge_hasher_add_u64(f->g->hasher, 1);
        ge_hasher_add_u64(f->g->hasher, len);
        ge_hasher_add(f->g->hasher, text, len);
        rc = ge_json_parse(text, len, path, doc);
    }
    if (rc == GE_EFORMAT || rc == GE_ELIMIT) {
        rc = GE_OK;
        GE_TRY_PTR(*problem, ge_arena_strdup(f->g->out->arena, ge_error()));
        ge_error_clear();
    }
done:
    free(text);
    free(path);
    return rc;
}

/* The first element of a list, anything else as it is. */
static const ge_json *only(const ge_json *node)
{
    return node != NULL && ge_json_type(node) == GE_JSON_ARRAY ? ge_json_first(node) : node;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* Score of one record of new_res.json: from `parsed`, otherwise from the JSON object inside
 * `raw_response`, between its first '{' and its last '}'. *has is false for a record whose status
 * is not ok, or without a score. */
static ge_status record_score(const ge_json *record, double *score, bool *has)
{
    ge_status rc = GE_OK;
    ge_json *inner = NULL;
    *has = false;
    if (record == NULL || strcmp(ge_json_string(ge_json_get(record, "status"), "ok"), "ok") != 0) {
        goto done;
    }
    *score = ge_judged_score(ge_json_get(record, "parsed"), has);
    const char *raw = ge_json_string(ge_json_get(record, "raw_response"), NULL);
    const char *from = raw != NULL ? strchr(raw, '{') : NULL;
    const char *to = raw != NULL ? strrchr(raw, '}') : NULL;
    if (*has || from == NULL || to == NULL || to < from) goto done;
    rc = ge_json_parse(from, (size_t)(to - from) + 1, "raw_response", &inner);
    if (rc == GE_OK) {
        *score = ge_judged_score(inner, has);
    } else if (rc != GE_ENOMEM) {
        ge_error_clear(); /* a judge's prose: no verdict */
        rc = GE_OK;
    }
done:
    ge_json_delete(&inner);
    return rc;
}

static ge_status set_judgement(struct ge_arena *arena, struct ge_answer *a, const ge_json *record)
{
    ge_status rc = GE_OK;
    double score = 0, *v;
    bool has;
    GE_TRY(record_score(record, &score, &has));
    if (!has) goto done;
    GE_TRY_PTR(v, ge_arena_alloc(arena, 1, sizeof *v));
    *v = score;
    a->judgements = v;
    a->n_judgements = 1;
done:
    return rc;
}

/* The judge's record of an image: by file name; records without a name go by position. */
static const ge_json *image_record(const ge_json *records, const char *image, size_t position)
{
    size_t i = 0;
    if (records == NULL) return NULL;
    bool list = ge_json_type(records) == GE_JSON_ARRAY;
    for (const ge_json *r = list ? ge_json_first(records) : records; r != NULL;
         r = list ? ge_json_next(r) : NULL, i++) {
        const char *name = ge_json_string(ge_json_get(r, "generated_image"), NULL);
        if (name != NULL && strcmp(ge_fs_basename(name), ge_fs_basename(image)) == 0) return r;
        if (name == NULL && i == position) return r;
    }
    return NULL;
}

/* ---- one item ------------------------------------------------------------------------------ */

static ge_status read_text(const struct folder *f, const ge_json *judged)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = f->g->out->arena;
    ge_json *doc = NULL;
    struct ge_raw_answer r = {.a = {.item = f->item->index, .direction = GE_UND}, .file = f->path};
    GE_TRY(read_json(f, "text.json", &doc, &r.a.problem));
    if (doc == NULL && r.a.problem == NULL) goto done;
    if (doc != NULL) {
        const char *text = ge_json_string(ge_json_get(only(doc), "output_text"), NULL);
        if (text == NULL || text[strspn(text, " \t\r\n")] == '\0') {
            GE_TRY_PTR(r.a.problem, ge_arena_printf(arena, "%s/text.json: output_text is %s",
                                                    f->path, text == NULL ? "missing" : "empty"));
        } else {
            GE_TRY_PTR(r.a.text, ge_arena_strdup(arena, text));
        }
    }
    GE_TRY(set_judgement(arena, &r.a, only(ge_json_get(judged, "text_eval"))));
    GE_TRY(ge_gather_add(f->g, r));
done:
    ge_json_delete(&doc);
    return rc;
}

static ge_status read_images(const struct folder *f, const ge_json *judged)
{
    ge_status rc = GE_OK;
    struct ge_strings images;
    const ge_json *records = ge_json_get(judged, "image_eval");
    GE_TRY(ge_list_images(f->g->out->arena, f->path, &images));
    ge_hasher_add_u64(f->g->hasher, images.n);
    for (size_t i = 0; i < images.n; i++) {
        struct ge_raw_answer r = {.a = {.item = f->item->index,
                                        .direction = GE_GEN,
                                        .sample = (uint32_t)i,
                                        .image = images.v[i]},
                                  .file = f->path};
        ge_hasher_add_str(f->g->hasher, ge_fs_basename(images.v[i]));
        GE_TRY(set_judgement(f->g->out->arena, &r.a, image_record(records, images.v[i], i)));
        GE_TRY(ge_gather_add(f->g, r));
    }
done:
    return rc;
}

static ge_status read_item(const struct folder *f)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    const char *problem;
    ge_hasher_add_str(f->g->hasher, f->item->id);
    GE_TRY(read_json(f, "new_res.json", &doc, &problem));
    const ge_json *judged = doc != NULL ? only(doc) : NULL;
    GE_TRY(read_text(f, judged));
    GE_TRY(read_images(f, judged));
done:
    ge_json_delete(&doc);
    return rc;
}

ge_status ge_answers_read_folders(struct ge_gather *g, const char *folder)
{
    ge_status rc = GE_OK;
    size_t found = 0;
    if (!ge_is_system_folder(folder)) {
        return ge_fail(GE_EINVAL,
                       "system \"%s\": folder: found \"%s\", allowed: the name of a folder of "
                       "answers (not image, inage, ref, lumoo, .*, nor output_* without a final 1)",
                       g->system, folder);
    }
    for (size_t i = 0; i < g->ds->n; i++) {
        struct folder f = {.g = g, .item = &g->ds->items[i]};
        GE_TRY_PTR(f.path,
                   ge_arena_printf(g->out->arena, "%s/%s/%s", g->ds->path, f.item->id, folder));
        if (!ge_fs_is_dir(f.path)) continue;
        found++;
        GE_TRY(read_item(&f));
    }
    if (found == 0) {
        rc = ge_fail(GE_ENOENT,
                     "%s: found no folder \"%s\" in any of %zu items, allowed: a folder that at "
                     "least one item has, as the answers of system \"%s\"",
                     g->ds->path, folder, g->ds->n, g->system);
    }
done:
    return rc;
}
