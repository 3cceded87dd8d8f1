/* Our own layout: a header line, then one item a line. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dataset/lines.h"
#include "dataset/parts.h"

enum { MANIFEST_VERSION = 1, CHOICES_MAX = 26 };

#define NUMBER_MAX INT64_C(1000000000)

static const char *const item_keys[] = {"id",      "category", "subcategory", "tags",
                                        "cluster", "und",      "gen",         NULL};
static const char *const task_keys[] = {
    "task",        "prompt",           "images",   "references",        "reference_images",
    "choices",     "answer",           "labels",   "objects",           "details",
    "constraints", "text_distractors", "may_copy", "image_distractors", NULL};

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) return true;
    }
    return false;
}

/* ---- one direction ------------------------------------------------------------------------- */

static ge_status read_object(const struct ge_fields *f, struct ge_object *o)
{
    static const char *const keys[] = {"name", "number", "synonyms", "present", NULL};
    ge_status rc = GE_OK;
    *o = (struct ge_object){.number = -1, .present = true};
    for (const ge_json *m = ge_json_first(f->object); m != NULL; m = ge_json_next(m)) {
        if (is_one_of(ge_json_key(m), keys)) continue;
        rc = ge_fail(GE_EFORMAT,
                     "%s: %s: found the key \"%.60s\", allowed: name, number, synonyms, present",
                     f->place, f->prefix, ge_json_key(m));
        goto done;
    }
    GE_TRY(ge_fields_string(f, "name", true, &o->name));
    GE_TRY(ge_fields_int(f, "number", 0, NUMBER_MAX, &o->number));
    GE_TRY(ge_fields_strings(f, "synonyms", &o->synonyms));
    GE_TRY(ge_fields_bool(f, "present", &o->present));
done:
    return rc;
}

/* The list of a direction under `key` that must hold objects only; NULL if absent. */
static ge_status get_objects(const struct ge_fields *f, const char *key, const ge_json **list)
{
    const ge_json *node = ge_json_get(f->object, key);
    *list = NULL;
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    if (ge_json_type(node) != GE_JSON_ARRAY) {
        return ge_fields_refuse(f, key, node, "a list of objects");
    }
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        if (ge_json_type(e) != GE_JSON_OBJECT) {
            return ge_fields_refuse(f, key, e, "a list of objects");
        }
    }
    *list = node;
    return GE_OK;
}

static ge_status read_objects(const struct ge_fields *f, struct ge_task *t)
{
    ge_status rc = GE_OK;
    const ge_json *list;
    char *prefix = NULL;
    GE_TRY(get_objects(f, "objects", &list));
    if (list == NULL) goto done;
    GE_TRY_PTR(prefix, ge_sprintf("%sobjects[].", f->prefix));
    GE_TRY_PTR(t->objects, ge_arena_alloc(f->arena, ge_json_count(list), sizeof *t->objects));
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        struct ge_fields g = *f;
        g.prefix = prefix;
        g.object = e;
        GE_TRY(read_object(&g, &t->objects[t->n_objects]));
        t->n_objects++;
    }
done:
    free(prefix);
    return rc;
}

/* The arguments that most kinds of docs/dataset.md have; the rest is the business of the metrics,
 * whose check of the whole list (metric/constraints.h) comes before a run. The texts of the first
 * two kinds may stand in a list instead. */
static ge_status check_constraint(const struct ge_fields *f)
{
    static const char *const texts[][2] = {{"include", "text"},
                                           {"exclude", "text"},
                                           {"format", "format"},
                                           {"case", "case"},
                                           {"language", "language"}};
    ge_status rc = GE_OK;
    const char *kind = ge_json_string(ge_json_get(f->object, "kind"), NULL);
    int64_t bound = 0;
    if (kind == NULL || kind[0] == '\0') {
        return ge_fields_refuse(f, "kind", ge_json_get(f->object, "kind"),
                                "a string that is not empty");
    }
    bool listed =
        ge_json_get(f->object, "any_of") != NULL || ge_json_get(f->object, "all_of") != NULL;
    for (size_t i = listed ? 2 : 0; i < sizeof texts / sizeof *texts; i++) {
        const ge_json *node = ge_json_get(f->object, texts[i][1]);
        if (strcmp(kind, texts[i][0]) == 0 && ge_json_string(node, NULL) == NULL) {
            return ge_fields_refuse(f, texts[i][1], node, "a string");
        }
    }
    GE_TRY(ge_fields_int(f, "min", 0, NUMBER_MAX, &bound));
    GE_TRY(ge_fields_int(f, "max", 0, NUMBER_MAX, &bound));
    GE_TRY(ge_fields_int(f, "count", 0, NUMBER_MAX, &bound));
done:
    return rc;
}

static ge_status read_constraints(const struct ge_fields *f, struct ge_task *t)
{
    ge_status rc = GE_OK;
    const ge_json *list;
    char *prefix = NULL;
    GE_TRY(get_objects(f, "constraints", &list));
    if (list == NULL) goto done;
    GE_TRY_PTR(prefix, ge_sprintf("%sconstraints[].", f->prefix));
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        struct ge_fields g = *f;
        g.prefix = prefix;
        g.object = e;
        GE_TRY(check_constraint(&g));
    }
    GE_TRY(ge_fields_text(f->arena, list, &t->constraints));
done:
    free(prefix);
    return rc;
}

static bool holds(const struct ge_strings *list, const char *s)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i], s) == 0) return true;
    }
    return false;
}

/* The key must be one that an answer can meet; otherwise every answer would be wrong in silence. */
static ge_status check_answer(const struct ge_fields *f, const struct ge_task *t)
{
    const ge_json *node = ge_json_get(f->object, "answer");
    if (t->choices.n > CHOICES_MAX) {
        return ge_fields_refuse(f, "choices", ge_json_get(f->object, "choices"),
                                "a list of at most 26 strings");
    }
    if (t->choices.n > 0) {
        bool letter = t->answer != NULL && strlen(t->answer) == 1 && t->answer[0] >= 'A' &&
                      (size_t)(t->answer[0] - 'A') < t->choices.n;
        if (letter || (t->answer != NULL && holds(&t->choices, t->answer))) return GE_OK;
        return ge_fields_refuse(f, "answer", node, "the letter or the text of one of the choices");
    }
    if (t->labels.n > 0 && (t->answer == NULL || !holds(&t->labels, t->answer))) {
        return ge_fields_refuse(f, "answer", node, "one of the labels");
    }
    return GE_OK;
}

ge_status ge_manifest_task(const struct ge_fields *f, struct ge_task *t)
{
    ge_status rc = GE_OK;
    *t = (struct ge_task){.present = true};
    GE_TRY(ge_fields_paths(f, "images", &t->images));
    GE_TRY(ge_fields_strings(f, "references", &t->references));
    GE_TRY(ge_fields_paths(f, "reference_images", &t->reference_images));
    GE_TRY(ge_fields_strings(f, "choices", &t->choices));
    GE_TRY(ge_fields_string(f, "answer", false, &t->answer));
    GE_TRY(ge_fields_strings(f, "labels", &t->labels));
    GE_TRY(ge_fields_strings(f, "details", &t->details));
    GE_TRY(ge_fields_strings(f, "text_distractors", &t->text_distractors));
    GE_TRY(ge_fields_paths(f, "image_distractors", &t->image_distractors));
    GE_TRY(ge_fields_bool(f, "may_copy", &t->may_copy));
    GE_TRY(read_objects(f, t));
    GE_TRY(read_constraints(f, t));
    GE_TRY(check_answer(f, t));
done:
    return rc;
}

/* ---- unknown keys -------------------------------------------------------------------------- */

/* Write the members of `object` that are not known. */
static void write_unknown(struct ge_jsonw *w, const ge_json *object, const char *const *known)
{
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    for (const ge_json *m = ge_json_first(object); m != NULL; m = ge_json_next(m)) {
        if (is_one_of(ge_json_key(m), known)) continue;
        ge_buf_reset(&text);
        ge_json_print(m, &text);
        if (text.status != GE_OK) w->out->status = text.status;
        if (text.data != NULL) ge_jsonw_raw(w, ge_json_key(m), text.data);
    }
    ge_buf_free(&text);
}

static bool has_unknown(const ge_json *object, const char *const *known)
{
    for (const ge_json *m = object != NULL ? ge_json_first(object) : NULL; m != NULL;
         m = ge_json_next(m)) {
        if (!is_one_of(ge_json_key(m), known)) return true;
    }
    return false;
}

ge_status ge_extra_text(const struct ge_fields *f, const char *const *known, const char **out)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    *out = NULL;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    if (!has_unknown(f->object, known)) goto done;
    ge_jsonw_init(&w, &text, 0);
    ge_jsonw_object(&w, NULL);
    write_unknown(&w, f->object, known);
    ge_jsonw_object_end(&w);
    GE_TRY(ge_buf_status(&text));
    GE_TRY_PTR(*out, ge_arena_strndup(f->arena, text.data, text.len));
done:
    ge_buf_free(&text);
    return rc;
}

/* Unknown members of the item and, under "und" and "gen", of its directions. */
static ge_status item_extra(const struct ge_fields *f, const char **out)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    bool any = has_unknown(f->object, item_keys);
    *out = NULL;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_jsonw_init(&w, &text, 0);
    ge_jsonw_object(&w, NULL);
    write_unknown(&w, f->object, item_keys);
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        const char *name = ge_direction_name((enum ge_direction)d);
        const ge_json *task = ge_json_get(f->object, name);
        if (!has_unknown(task, task_keys)) continue;
        any = true;
        ge_jsonw_object(&w, name);
        write_unknown(&w, task, task_keys);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_object_end(&w);
    GE_TRY(ge_buf_status(&text));
    if (any) GE_TRY_PTR(*out, ge_arena_strndup(f->arena, text.data, text.len));
done:
    ge_buf_free(&text);
    return rc;
}

/* ---- items --------------------------------------------------------------------------------- */

static ge_status read_direction(const struct ge_fields *f, enum ge_direction d, struct ge_task *t)
{
    ge_status rc = GE_OK;
    const char *name = ge_direction_name(d);
    const ge_json *node = ge_json_get(f->object, name);
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    if (ge_json_type(node) != GE_JSON_OBJECT) return ge_fields_refuse(f, name, node, "an object");
    struct ge_fields g = *f;
    g.object = node;
    g.prefix = d == GE_UND ? "und." : "gen.";
    GE_TRY(ge_manifest_task(&g, t));
    GE_TRY(ge_fields_string(&g, "task", true, &t->type));
    GE_TRY(ge_fields_string(&g, "prompt", true, &t->prompt));
done:
    return rc;
}

ge_status ge_manifest_item(const struct ge_fields *f, struct ge_item *item)
{
    ge_status rc = GE_OK;
    *item = (struct ge_item){0};
    if (ge_json_type(ge_json_get(f->object, "id")) != GE_JSON_STRING) {
        rc = ge_fields_refuse(f, "id", ge_json_get(f->object, "id"), "a string");
        goto done;
    }
    GE_TRY(ge_fields_id(f, "id", &item->id));
    GE_TRY(ge_fields_string(f, "category", true, &item->category));
    GE_TRY(ge_fields_string(f, "subcategory", false, &item->subcategory));
    GE_TRY(ge_fields_strings(f, "tags", &item->tags));
    GE_TRY(ge_fields_string(f, "cluster", false, &item->cluster));
    GE_TRY(read_direction(f, GE_UND, &item->task[GE_UND]));
    GE_TRY(read_direction(f, GE_GEN, &item->task[GE_GEN]));
    if (!item->task[GE_UND].present && !item->task[GE_GEN].present) {
        rc = ge_fields_refuse(f, "und, gen", NULL, "at least one of the two directions");
        goto done;
    }
    GE_TRY(item_extra(f, &item->extra));
done:
    return rc;
}

/* ---- the file ------------------------------------------------------------------------------ */

static ge_status read_header(struct ge_builder *b, const struct ge_fields *f)
{
    static const char *const keys[] = {"gapeval", "version", "name", NULL};
    ge_status rc = GE_OK;
    int64_t version = 0;
    const ge_json *kind = ge_json_get(f->object, "gapeval");
    if (strcmp(ge_json_string(kind, ""), "manifest") != 0) {
        rc = ge_fields_refuse(f, "gapeval", kind,
                              "\"manifest\": the first line is the header (docs/dataset.md §1)");
        goto done;
    }
    GE_TRY(ge_fields_int(f, "version", 1, NUMBER_MAX, &version));
    if (version != MANIFEST_VERSION) {
        rc = ge_fields_refuse(f, "version", ge_json_get(f->object, "version"),
                              "1, the version that this program reads");
        goto done;
    }
    const char *name;
    GE_TRY(ge_fields_string(f, "name", false, &name));
    if (name != NULL && name[0] != '\0') b->ds->name = name;
    GE_TRY(ge_extra_text(f, keys, &b->ds->extra));
done:
    return rc;
}

struct manifest {
    struct ge_builder *b;
    bool header;
};

static ge_status read_line(void *ctx, const struct ge_fields *f, size_t number)
{
    ge_status rc = GE_OK;
    struct manifest *m = ctx;
    struct ge_item item;
    (void)number;
    if (!m->header) {
        GE_TRY(read_header(m->b, f));
        m->header = true;
    } else {
        GE_TRY(ge_manifest_item(f, &item));
        GE_TRY(ge_builder_add(m->b, item, f->place));
    }
done:
    return rc;
}

ge_status ge_manifest_read(struct ge_builder *b, const char *path)
{
    struct manifest m = {.b = b};
    ge_status rc = ge_lines_each(path, NULL, b->ds->arena, read_line, &m, &b->ds->content);
    if (rc != GE_OK || m.header) return rc;
    return ge_fail(GE_EFORMAT, "%s: found an empty file, allowed: a header line and items", path);
}
