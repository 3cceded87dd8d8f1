/* The published JSONL variant: und_outputs.jsonl and gen_outputs.jsonl hold questions together
 * with one system's answers, und_judged.jsonl and gen_judged.jsonl a judge's verdicts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "dataset/lines.h"
#include "dataset/parts.h"

/* A category for items that no judged file mentions. */
static const char no_category[] = "uncategorised";

static const char *const output_files[GE_DIRECTIONS] = {"und_outputs.jsonl", "gen_outputs.jsonl"};
static const char *const judged_files[GE_DIRECTIONS] = {"und_judged.jsonl", "gen_judged.jsonl"};
static const char *const prompt_keys[GE_DIRECTIONS] = {"und_prompt", "gen_prompt"};
static const char *const answer_keys[GE_DIRECTIONS] = {"answer", "image_path"};

/* Called for every line of one file of the layout. */
typedef ge_status line_fn(void *ctx, const struct ge_fields *f, enum ge_direction d);

struct lines_of {
    line_fn *fn;
    void *ctx;
    enum ge_direction direction;
};

static ge_status read_line(void *ctx, const struct ge_fields *f, size_t number)
{
    const struct lines_of *l = ctx;
    (void)number;
    return l->fn(l->ctx, f, l->direction);
}

/* Read <folder>/<file> if it is there; *found says whether. The file's hash is added to `hasher`. */
static ge_status read_file(struct ge_arena *arena, struct ge_hasher *hasher, const char *folder,
                           const char *file, enum ge_direction d, line_fn *fn, void *ctx,
                           bool *found)
{
    ge_status rc = GE_OK;
    struct lines_of lines = {fn, ctx, d};
    struct ge_hash content;
    char *path = NULL;
    GE_TRY_PTR(path, ge_fs_join(folder, file));
    *found = ge_fs_exists(path);
    ge_hasher_add_u64(hasher, *found);
    if (!*found) goto done;
    GE_TRY(ge_lines_each(path, folder, arena, read_line, &lines, &content));
    ge_hasher_add_u64(hasher, content.hi);
    ge_hasher_add_u64(hasher, content.lo);
done:
    free(path);
    return rc;
}

/* ---- the dataset --------------------------------------------------------------------------- */

/* A line of an outputs file: the prompt of one direction of one item. */
static ge_status read_prompt(void *ctx, const struct ge_fields *f, enum ge_direction d)
{
    ge_status rc = GE_OK;
    struct ge_builder *b = ctx;
    const char *id;
    GE_TRY(ge_fields_id(f, "id", &id));
    const uint32_t *index = ge_index_find(b->ds->ids, id);
    if (index == NULL) {
        struct ge_item item = {.id = id, .category = no_category};
        GE_TRY(ge_builder_add(b, item, f->place));
        index = ge_index_find(b->ds->ids, id);
    }
    struct ge_task *t = &b->items[*index].task[d];
    if (t->present) {
        rc = ge_fail(GE_EFORMAT, "%s: id: found \"%s\" for the second time, allowed: each id once",
                     f->place, id);
        goto done;
    }
    t->present = true;
    GE_TRY(ge_fields_string(f, prompt_keys[d], true, &t->prompt));
done:
    return rc;
}

/* A line of a judged file: the item's category. The verdict belongs to the answers. */
static ge_status read_category(void *ctx, const struct ge_fields *f, enum ge_direction d)
{
    (void)d;
    ge_status rc = GE_OK;
    struct ge_builder *b = ctx;
    const char *id, *category;
    GE_TRY(ge_fields_id(f, "id", &id));
    GE_TRY(ge_fields_string(f, "category", false, &category));
    const uint32_t *index = ge_index_find(b->ds->ids, id);
    if (index == NULL || category == NULL || category[0] == '\0') goto done;
    struct ge_item *item = &b->items[*index];
    if (item->category != no_category && strcmp(item->category, category) != 0) {
        rc = ge_fail(GE_EFORMAT,
                     "%s: category: found \"%s\", allowed: \"%s\", which \"%s\" has elsewhere",
                     f->place, category, item->category, id);
        goto done;
    }
    if (item->category == no_category) item->category = category;
done:
    return rc;
}

/* Task types and the tag that names the paper's category. */
static ge_status finish_item(struct ge_arena *arena, struct ge_item *item)
{
    ge_status rc = GE_OK;
    const char *tag;
    struct ge_category c = ge_category_find(item->category);
    item->task[GE_UND].type = c.und_type;
    item->task[GE_GEN].type = "generation";
    GE_TRY_PTR(tag, ge_arena_printf(arena, "paper:%s", c.paper));
    GE_TRY(ge_fields_one(arena, tag, &item->tags));
done:
    return rc;
}

ge_status ge_jsonl_read(struct ge_builder *b, const char *path)
{
    ge_status rc = GE_OK;
    struct ge_hasher *hasher = NULL;
    bool found[GE_DIRECTIONS], judged;
    GE_TRY_PTR(hasher, ge_hasher_new());
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        GE_TRY(read_file(b->ds->arena, hasher, path, output_files[d], (enum ge_direction)d,
                         read_prompt, b, &found[d]));
    }
    if (!found[GE_UND] && !found[GE_GEN]) {
        rc = ge_fail(GE_ENOENT,
                     "%s: found neither und_outputs.jsonl nor gen_outputs.jsonl, allowed: a folder "
                     "with at least one of them",
                     path);
        goto done;
    }
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        GE_TRY(read_file(b->ds->arena, hasher, path, judged_files[d], (enum ge_direction)d,
                         read_category, b, &judged));
    }
    for (size_t i = 0; i < b->n; i++) GE_TRY(finish_item(b->ds->arena, &b->items[i]));
    b->ds->content = ge_hasher_get(hasher);
done:
    ge_hasher_delete(&hasher);
    return rc;
}

/* ---- answers ------------------------------------------------------------------------------- */

static ge_status read_answer(void *ctx, const struct ge_fields *f, enum ge_direction d)
{
    ge_status rc = GE_OK;
    struct ge_gather *g = ctx;
    const struct ge_item *item;
    const char *key = answer_keys[d], *value;
    GE_TRY(ge_gather_item(g, f, "id", &item));
    if (item == NULL) goto done;
    if (!item->task[d].present) {
        rc = ge_fields_refuse(f, "id", ge_json_get(f->object, "id"),
                              "an id that the dataset has in this direction");
        goto done;
    }
    struct ge_raw_answer r = {.a = {.item = item->index, .direction = d}};
    GE_TRY_PTR(r.file, ge_arena_strdup(f->arena, f->place));
    const ge_json *node = ge_json_get(f->object, key);
    value = ge_json_string(node, NULL);
    if (value == NULL || value[strspn(value, " \t\r\n")] == '\0') {
        GE_TRY_PTR(r.a.problem, ge_arena_printf(f->arena, "%s: %s is %s", f->place, key,
                                                value != NULL ? "empty" : "no string"));
    } else if (d == GE_UND) {
        GE_TRY_PTR(r.a.text, ge_arena_strdup(f->arena, value));
    } else {
        GE_TRY_PTR(r.a.image, ge_fields_join(f, value));
    }
    GE_TRY(ge_gather_add(g, r));
done:
    return rc;
}

/* A judge's verdict on an answer; kept until all are read, as an id may be judged several times. */
struct judged {
    uint32_t item;
    double value;
};

struct judged_list {
    struct ge_gather *g;
    struct judged *v; /* heap */
    size_t n, cap;
};

static ge_status read_judged(void *ctx, const struct ge_fields *f, enum ge_direction d)
{
    (void)d;
    ge_status rc = GE_OK;
    struct judged_list *list = ctx;
    const struct ge_item *item;
    bool has;
    GE_TRY(ge_gather_item(list->g, f, "id", &item));
    double value = ge_judged_score(f->object, &has);
    if (item == NULL || !has) goto done;
    GE_GROW(list->v, list->n, list->cap);
    list->v[list->n++] = (struct judged){.item = item->index, .value = value};
done:
    return rc;
}

/* Give each answer of a direction the verdicts with its item; both in time linear in the items. */
static ge_status attach_judged(struct ge_gather *g, const struct judged_list *list,
                               enum ge_direction d)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = g->out->arena;
    uint32_t *count = NULL;
    double **values = NULL;
    GE_NEW(count, g->ds->n);
    GE_NEW(values, g->ds->n);
    for (size_t i = 0; i < list->n; i++) count[list->v[i].item]++;
    for (size_t i = 0; i < list->n; i++) {
        uint32_t item = list->v[i].item;
        if (values[item] == NULL) {
            GE_TRY_PTR(values[item], ge_arena_alloc(arena, count[item], sizeof(double)));
            count[item] = 0;
        }
        values[item][count[item]++] = list->v[i].value;
    }
    for (size_t i = 0; i < g->n; i++) {
        struct ge_answer *a = &g->v[i].a;
        if (a->direction != d || values[a->item] == NULL) continue;
        a->judgements = values[a->item];
        a->n_judgements = count[a->item];
    }
done:
    free(count);
    free(values);
    return rc;
}

ge_status ge_answers_read_jsonl(struct ge_gather *g, const char *folder)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = g->out->arena;
    struct judged_list list = {.g = g};
    bool found, any = false;
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        GE_TRY(read_file(arena, g->hasher, folder, output_files[d], (enum ge_direction)d,
                         read_answer, g, &found));
        any = any || found;
    }
    if (!any) {
        rc = ge_fail(GE_ENOENT,
                     "%s: found neither und_outputs.jsonl nor gen_outputs.jsonl, allowed: a folder "
                     "of the published JSONL layout, as the answers of system \"%s\"",
                     folder, g->system);
        goto done;
    }
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        size_t skipped = g->out->n_skipped;
        list.n = 0;
        GE_TRY(read_file(arena, g->hasher, folder, judged_files[d], (enum ge_direction)d,
                         read_judged, &list, &found));
        g->out->n_skipped = skipped; /* verdicts are no answers */
        GE_TRY(attach_judged(g, &list, (enum ge_direction)d));
    }
done:
    free(list.v);
    return rc;
}
