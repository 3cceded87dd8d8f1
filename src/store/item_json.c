/* Items as JSON text: the form in which journal and store keep them. */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/run_head.h"

/* ---- printing ----------------------------------------------------------------------------- */

static void put_string(struct ge_jsonw *w, const char *key, const char *value)
{
    if (value != NULL) ge_jsonw_string(w, key, value);
}

static void put_strings(struct ge_jsonw *w, const char *key, struct ge_strings s)
{
    if (s.n == 0) return;
    ge_jsonw_array(w, key);
    for (size_t i = 0; i < s.n; i++) ge_jsonw_string(w, NULL, s.v[i]);
    ge_jsonw_array_end(w);
}

static void put_objects(struct ge_jsonw *w, const struct ge_object *objects, size_t n)
{
    if (n == 0) return;
    ge_jsonw_array(w, "objects");
    for (size_t i = 0; i < n; i++) {
        ge_jsonw_object(w, NULL);
        put_string(w, "name", objects[i].name);
        put_strings(w, "synonyms", objects[i].synonyms);
        ge_jsonw_int(w, "number", objects[i].number);
        ge_jsonw_bool(w, "present", objects[i].present);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_array_end(w);
}

static void put_task(struct ge_jsonw *w, const char *key, const struct ge_task *t)
{
    if (!t->present) return;
    ge_jsonw_object(w, key);
    put_string(w, "task", t->type);
    put_string(w, "prompt", t->prompt);
    put_strings(w, "images", t->images);
    put_strings(w, "references", t->references);
    put_strings(w, "reference_images", t->reference_images);
    put_strings(w, "choices", t->choices);
    put_string(w, "answer", t->answer);
    put_strings(w, "labels", t->labels);
    put_objects(w, t->objects, t->n_objects);
    put_strings(w, "details", t->details);
    put_strings(w, "text_distractors", t->text_distractors);
    put_strings(w, "image_distractors", t->image_distractors);
    put_string(w, "constraints", t->constraints);
    if (t->may_copy) ge_jsonw_bool(w, "may_copy", true);
    ge_jsonw_object_end(w);
}

void ge_item_print(const struct ge_item *item, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    put_string(&w, "id", item->id);
    put_string(&w, "category", item->category);
    put_string(&w, "subcategory", item->subcategory);
    put_strings(&w, "tags", item->tags);
    put_string(&w, "cluster", item->cluster);
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        put_task(&w, ge_direction_name((enum ge_direction)d), &item->task[d]);
    }
    put_string(&w, "extra", item->extra);
    ge_jsonw_object_end(&w);
}

/* ---- reading ------------------------------------------------------------------------------ */

static ge_status get_string(const ge_json *object, const char *key, struct ge_arena *arena,
                            const char **out)
{
    const ge_json *n = ge_json_get(object, key);
    *out = NULL;
    if (n == NULL) return GE_OK;
    if (ge_json_type(n) != GE_JSON_STRING) {
        return ge_fail(GE_EFORMAT, "%s: %s, a string is wanted", key,
                       ge_json_type_name(ge_json_type(n)));
    }
    *out = ge_arena_strdup(arena, ge_json_string(n, ""));
    return *out != NULL ? GE_OK : GE_ENOMEM;
}

static ge_status get_strings(const ge_json *object, const char *key, struct ge_arena *arena,
                             struct ge_strings *out)
{
    ge_status rc = GE_OK;
    const char **borrowed = NULL;
    *out = (struct ge_strings){0};
    GE_TRY(ge_json_strings(ge_json_get(object, key), key, &borrowed, &out->n));
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, out->n, sizeof *out->v));
    for (size_t i = 0; i < out->n; i++) {
        GE_TRY_PTR(out->v[i], ge_arena_strdup(arena, borrowed[i]));
    }
done:
    free(borrowed);
    return rc;
}

static ge_status get_bool(const ge_json *object, const char *key, bool fallback, bool *out)
{
    const ge_json *n = ge_json_get(object, key);
    *out = ge_json_bool(n, fallback);
    if (n == NULL || ge_json_type(n) == GE_JSON_BOOL) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: true or false is wanted", key);
}

static ge_status get_objects(const ge_json *task, struct ge_arena *arena, struct ge_task *out)
{
    const ge_json *list = ge_json_get(task, "objects");
    if (list == NULL) return GE_OK;
    if (ge_json_type(list) != GE_JSON_ARRAY) return ge_fail(GE_EFORMAT, "objects: not a list");
    out->objects = ge_arena_alloc(arena, ge_json_count(list), sizeof *out->objects);
    if (out->objects == NULL) return GE_ENOMEM;

    ge_status rc = GE_OK;
    for (const ge_json *n = ge_json_first(list); n != NULL; n = ge_json_next(n)) {
        struct ge_object *o = &out->objects[out->n_objects++];
        GE_TRY(get_string(n, "name", arena, &o->name));
        if (o->name == NULL) {
            rc = ge_fail(GE_EFORMAT, "objects: an entry without a name");
            goto done;
        }
        GE_TRY(get_strings(n, "synonyms", arena, &o->synonyms));
        GE_TRY(ge_json_int(ge_json_get(n, "number"), "number", -1, INT64_MAX, &o->number));
        GE_TRY(get_bool(n, "present", true, &o->present));
    }
done:
    return rc;
}

static ge_status get_task(const ge_json *item, const char *key, struct ge_arena *arena,
                          struct ge_task *out)
{
    const ge_json *n = ge_json_get(item, key);
    if (n == NULL) return GE_OK;
    if (ge_json_type(n) != GE_JSON_OBJECT) return ge_fail(GE_EFORMAT, "%s: not an object", key);

    ge_status rc = GE_OK;
    out->present = true;
    GE_TRY(get_string(n, "task", arena, &out->type));
    GE_TRY(get_string(n, "prompt", arena, &out->prompt));
    GE_TRY(get_strings(n, "images", arena, &out->images));
    GE_TRY(get_strings(n, "references", arena, &out->references));
    GE_TRY(get_strings(n, "reference_images", arena, &out->reference_images));
    GE_TRY(get_strings(n, "choices", arena, &out->choices));
    GE_TRY(get_string(n, "answer", arena, &out->answer));
    GE_TRY(get_strings(n, "labels", arena, &out->labels));
    GE_TRY(get_objects(n, arena, out));
    GE_TRY(get_strings(n, "details", arena, &out->details));
    GE_TRY(get_strings(n, "text_distractors", arena, &out->text_distractors));
    GE_TRY(get_strings(n, "image_distractors", arena, &out->image_distractors));
    GE_TRY(get_string(n, "constraints", arena, &out->constraints));
    GE_TRY(get_bool(n, "may_copy", false, &out->may_copy));
done:
    return rc;
}

ge_status ge_item_parse(const char *json, size_t len, uint32_t index, struct ge_arena *arena,
                        struct ge_item *out)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    *out = (struct ge_item){.index = index};
    GE_TRY(ge_json_parse(json, len, "item", &doc));
    GE_TRY(get_string(doc, "id", arena, &out->id));
    GE_TRY(get_string(doc, "category", arena, &out->category));
    GE_TRY(get_string(doc, "subcategory", arena, &out->subcategory));
    GE_TRY(get_strings(doc, "tags", arena, &out->tags));
    GE_TRY(get_string(doc, "cluster", arena, &out->cluster));
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        const char *key = ge_direction_name((enum ge_direction)d);
        GE_TRY(get_task(doc, key, arena, &out->task[d]));
    }
    GE_TRY(get_string(doc, "extra", arena, &out->extra));
done:
    ge_json_delete(&doc);
    if (rc != GE_OK) ge_fail_in(rc, "item %u", index);
    return rc;
}
