/* Predictions: a JSON line for each, holding the answer together with what it is compared with. Each
 * line is an item with one direction, and the answer to it. */

#include "base/mem.h"
#include "dataset/lines.h"
#include "dataset/parts.h"

static ge_status refuse_both(const struct ge_fields *f, const char *one, const char *other)
{
    return ge_fail(GE_EFORMAT, "%s: found both %s and %s, allowed: one of the two", f->place, one,
                   other);
}

/* A string that may be absent, then it is `otherwise`, but not empty. */
static ge_status read_name(const struct ge_fields *f, const char *key, const char *otherwise,
                           const char **out)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_fields_string(f, key, false, out));
    if (*out == NULL) {
        *out = otherwise;
    } else if ((*out)[0] == '\0') {
        rc = ge_fields_refuse(f, key, ge_json_get(f->object, key), "a string that is not empty");
    }
done:
    return rc;
}

/* What the line predicts: a text goes to `und`, an image to `gen`, unless the line says otherwise. */
static ge_status read_direction(const struct ge_fields *f, enum ge_direction *d)
{
    ge_status rc = GE_OK;
    const char *name;
    const ge_json *image = ge_json_get(f->object, "prediction_image");
    GE_TRY(ge_fields_string(f, "direction", false, &name));
    *d = image != NULL && ge_json_type(image) != GE_JSON_NULL ? GE_GEN : GE_UND;
    if (name != NULL && !ge_direction_find(name, d)) {
        rc = ge_fields_refuse(f, "direction", ge_json_get(f->object, "direction"), "und, gen");
    }
done:
    return rc;
}

/* ---- items --------------------------------------------------------------------------------- */

static ge_status read_item(void *ctx, const struct ge_fields *f, size_t line)
{
    struct ge_builder *b = ctx;
    ge_status rc = GE_OK;
    struct ge_item item = {0};
    const char *image;
    enum ge_direction d;
    (void)line;
    GE_TRY(read_direction(f, &d));
    struct ge_task *t = &item.task[d];
    GE_TRY(ge_fields_id(f, "id", &item.id));
    GE_TRY(read_name(f, "category", "uncategorised", &item.category));
    GE_TRY(ge_fields_string(f, "cluster", false, &item.cluster));
    GE_TRY(ge_manifest_task(f, t));
    GE_TRY(read_name(f, "task", d == GE_UND ? "text" : "image", &t->type));
    GE_TRY(ge_fields_string(f, "prompt", false, &t->prompt));
    GE_TRY(read_name(f, "image", NULL, &image));
    if (image != NULL && t->images.n > 0) {
        rc = refuse_both(f, "image", "images");
        goto done;
    }
    if (image != NULL) {
        GE_TRY_PTR(image, ge_fields_join(f, image));
        GE_TRY(ge_fields_one(f->arena, image, &t->images));
    }
    GE_TRY(ge_builder_add(b, item, f->place));
done:
    return rc;
}

ge_status ge_predictions_read(struct ge_builder *b, const char *path)
{
    ge_status rc = ge_lines_each(path, NULL, b->ds->arena, read_item, b, &b->ds->content);
    if (rc != GE_OK || b->n > 0) return rc;
    return ge_fail(GE_EFORMAT, "%s: found an empty file, allowed: a JSON object a line", path);
}

/* ---- answers ------------------------------------------------------------------------------- */

struct answer_lines {
    struct ge_gather *gather;
    const char *path;
};

static ge_status read_answer(void *ctx, const struct ge_fields *f, size_t line)
{
    struct answer_lines *l = ctx;
    ge_status rc = GE_OK;
    struct ge_raw_answer r = {.file = l->path, .line = line};
    const struct ge_item *item;
    const char *image;
    GE_TRY(read_direction(f, &r.a.direction));
    GE_TRY(ge_gather_item(l->gather, f, "id", &item));
    if (item == NULL) goto done;
    r.a.item = item->index;
    GE_TRY(ge_fields_string(f, "prediction", false, &r.a.text));
    GE_TRY(ge_fields_string(f, "prediction_image", false, &image));
    if (r.a.text != NULL && image != NULL) {
        rc = refuse_both(f, "prediction", "prediction_image");
        goto done;
    }
    if (image != NULL && image[0] != '\0') {
        GE_TRY_PTR(r.a.image, ge_fields_join(f, image));
    } else if (image != NULL) {
        r.a.problem = "prediction_image is empty";
    } else if (r.a.text == NULL) {
        r.a.problem = "no prediction";
    }
    GE_TRY(ge_gather_add(l->gather, r));
done:
    return rc;
}

ge_status ge_answers_read_predictions(struct ge_gather *g, const char *path)
{
    struct answer_lines l = {g, path};
    struct ge_hash content;
    ge_status rc = ge_lines_each(path, NULL, g->out->arena, read_answer, &l, &content);
    if (rc == GE_OK) ge_hasher_add(g->hasher, &content, sizeof content);
    return rc;
}
