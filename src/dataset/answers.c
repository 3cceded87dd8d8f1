/* Recorded answers: our JSON lines, and what all layouts share (order, doubles, counts). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "dataset/lines.h"
#include "dataset/parts.h"

#define SAMPLE_MAX INT64_C(1000000)

/* ---- gathering ----------------------------------------------------------------------------- */

ge_status ge_gather_add(struct ge_gather *g, struct ge_raw_answer a)
{
    ge_status rc = GE_OK;
    GE_GROW(g->v, g->n, g->cap);
    g->v[g->n++] = a;
done:
    return rc;
}

ge_status ge_gather_item(struct ge_gather *g, const struct ge_fields *f, const char *key,
                         const struct ge_item **item)
{
    ge_status rc = GE_OK;
    const char *id;
    bool known;
    *item = NULL;
    GE_TRY(ge_fields_id(f, key, &id));
    *item = ge_dataset_find(g->ds, id, &known);
    if (!known) {
        rc = ge_fields_refuse(f, key, ge_json_get(f->object, key),
                              "an id of an item in the dataset");
        goto done;
    }
    if (*item == NULL) g->out->n_skipped++;
done:
    return rc;
}

double ge_judged_score(const ge_json *parsed, bool *has)
{
    static const char *const keys[] = {"score", "judge_result", "judeg_result"};
    static const char *const right[] = {"1", "true", "yes"};
    const ge_json *node = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && node == NULL; i++) {
        node = ge_json_get(parsed, keys[i]);
        if (node != NULL && ge_json_type(node) == GE_JSON_NULL) node = NULL;
    }
    *has = node != NULL;
    if (node == NULL) return 0;
    const char *s = ge_json_string(node, NULL);
    for (size_t i = 0; s != NULL && i < sizeof right / sizeof *right; i++) {
        if (strcasecmp(s, right[i]) == 0) return 1;
    }
    return ge_json_bool(node, false) || ge_json_number(node, 0) == 1;
}

/* ---- JSON lines ---------------------------------------------------------------------------- */

/* A verdict in [0,1]; NaN for anything else. */
static double judgement_of(const ge_json *node)
{
    if (ge_json_type(node) == GE_JSON_BOOL) return ge_json_bool(node, false);
    double v = ge_json_number(node, NAN);
    return v >= 0 && v <= 1 ? v : NAN;
}

static ge_status read_verdict(const struct ge_fields *f, struct ge_answer *a)
{
    ge_status rc = GE_OK;
    const ge_json *node = ge_json_get(f->object, "verdict");
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) goto done;
    bool list = ge_json_type(node) == GE_JSON_ARRAY;
    double *v;
    GE_TRY_PTR(v, ge_arena_alloc(f->arena, list ? ge_json_count(node) : 1, sizeof *v));
    for (const ge_json *e = list ? ge_json_first(node) : node; e != NULL;
         e = list ? ge_json_next(e) : NULL) {
        double value = judgement_of(e);
        if (isnan(value)) {
            rc = ge_fields_refuse(f, "verdict", e,
                                  "a number from 0 to 1, true, false, or a list of these");
            goto done;
        }
        v[a->n_judgements++] = value;
    }
    if (a->n_judgements > 0) a->judgements = v;
done:
    return rc;
}

/* Exactly one of text, image, images; its node and in *which the position of its key. */
static ge_status find_answer(const struct ge_fields *f, const ge_json **node, size_t *which)
{
    static const char *const keys[] = {"text", "image", "images"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const ge_json *member = ge_json_get(f->object, keys[i]);
        if (member == NULL) continue;
        n++;
        *node = member;
        *which = i;
    }
    if (n == 1) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: found %s, allowed: exactly one of text, image, images",
                   f->place, n == 0 ? "no answer" : "several answers");
}

static bool is_blank(const char *s)
{
    return s[strspn(s, " \t\r\n")] == '\0';
}

/* Fill in the answer's text or image. Null and blank ones are the system's failure, not the file's:
 * they become answers with a problem. */
static ge_status set_answer(const struct ge_fields *f, const char *key, const ge_json *node,
                            struct ge_answer *a)
{
    ge_status rc = GE_OK;
    const char *s = ge_json_string(node, NULL);
    if (ge_json_type(node) == GE_JSON_NULL || (s != NULL && is_blank(s))) {
        GE_TRY_PTR(a->problem, ge_arena_printf(f->arena, "the recorded %s is %s", key,
                                               s != NULL ? "empty" : "null"));
    } else if (s == NULL) {
        rc = ge_fields_refuse(f, key, node, "a string");
    } else if (strcmp(key, "text") == 0) {
        GE_TRY_PTR(a->text, ge_arena_strdup(f->arena, s));
    } else {
        GE_TRY_PTR(a->image, ge_fields_join(f, s));
    }
done:
    return rc;
}

static ge_status check_system(const struct ge_fields *f, const char *system)
{
    const ge_json *node = ge_json_get(f->object, "system");
    if (node == NULL || strcmp(ge_json_string(node, ""), system) == 0) return GE_OK;
    char *allowed = ge_sprintf("\"%.200s\", the name of the system in the job", system);
    if (allowed == NULL) return GE_ENOMEM;
    ge_status rc = ge_fields_refuse(f, "system", node, allowed);
    free(allowed);
    return rc;
}

static ge_status read_direction(const struct ge_fields *f, enum ge_direction *d)
{
    const ge_json *node = ge_json_get(f->object, "direction");
    if (ge_direction_find(ge_json_string(node, ""), d)) return GE_OK;
    return ge_fields_refuse(f, "direction", node, "\"und\" or \"gen\"");
}

/* Direction, sample and verdict of a line: what all its answers share. */
static ge_status read_line(const struct ge_fields *f, const struct ge_item *item,
                           struct ge_answer *a)
{
    ge_status rc = GE_OK;
    int64_t sample = 0;
    *a = (struct ge_answer){.item = item != NULL ? item->index : 0};
    GE_TRY(read_direction(f, &a->direction));
    if (item != NULL && !item->task[a->direction].present) {
        rc = ge_fields_refuse(f, "direction", ge_json_get(f->object, "direction"),
                              "a direction that the item has");
        goto done;
    }
    GE_TRY(ge_fields_int(f, "sample", 0, SAMPLE_MAX, &sample));
    a->sample = (uint32_t)sample;
    GE_TRY(read_verdict(f, a));
done:
    return rc;
}

struct answer_file {
    struct ge_gather *g;
    const char *path;
};

static ge_status add_line(void *ctx, const struct ge_fields *f, size_t line)
{
    struct answer_file *file = ctx;
    struct ge_gather *g = file->g;
    static const char *const keys[] = {"text", "image", "images"};
    ge_status rc = GE_OK;
    const struct ge_item *item;
    struct ge_raw_answer r = {.file = file->path, .line = line};
    const ge_json *node = NULL;
    size_t which = 0;
    GE_TRY(check_system(f, g->system));
    GE_TRY(ge_gather_item(g, f, "item", &item));
    GE_TRY(read_line(f, item, &r.a));
    GE_TRY(find_answer(f, &node, &which));
    bool list = which == 2;
    if (list && (ge_json_type(node) != GE_JSON_ARRAY || ge_json_count(node) == 0)) {
        rc = ge_fields_refuse(f, keys[which], node, "a list of at least one path");
        goto done;
    }
    for (const ge_json *e = list ? ge_json_first(node) : node; e != NULL;
         e = list ? ge_json_next(e) : NULL) {
        r.a.text = r.a.image = r.a.problem = NULL;
        GE_TRY(set_answer(f, list ? "image" : keys[which], e, &r.a));
        if (item != NULL) GE_TRY(ge_gather_add(g, r));
        r.a.sample++;
    }
done:
    return rc;
}

ge_status ge_answers_read_lines(struct ge_gather *g, const char *path)
{
    ge_status rc = GE_OK;
    struct answer_file file = {.g = g};
    struct ge_hash content;
    GE_TRY_PTR(file.path, ge_arena_strdup(g->out->arena, path));
    GE_TRY(ge_lines_each(path, NULL, g->out->arena, add_line, &file, &content));
    ge_hasher_add_u64(g->hasher, content.hi);
    ge_hasher_add_u64(g->hasher, content.lo);
done:
    return rc;
}

/* ---- all together -------------------------------------------------------------------------- */

static int compare_keys(const struct ge_answer *a, const struct ge_answer *b)
{
    if (a->item != b->item) return a->item < b->item ? -1 : 1;
    if (a->direction != b->direction) return a->direction < b->direction ? -1 : 1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

/* By key; equal keys by place, so that the message names the later one. */
static int compare_raw(const void *x, const void *y)
{
    const struct ge_raw_answer *a = x, *b = y;
    int order = compare_keys(&a->a, &b->a);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static ge_status refuse_double(const struct ge_gather *g, const struct ge_raw_answer *r)
{
    return ge_fail(GE_EFORMAT,
                   "%s line %zu: found a second answer to item \"%s\", direction %s, sample %u; "
                   "allowed: one for each",
                   r->file, r->line, g->ds->items[r->a.item].id, ge_direction_name(r->a.direction),
                   r->a.sample);
}

/* Sort, refuse doubles, move into the arena. */
static ge_status finish(struct ge_gather *g)
{
    ge_status rc = GE_OK;
    struct ge_answers *out = &g->out->answers;
    if (g->n > 1) qsort(g->v, g->n, sizeof *g->v, compare_raw);
    GE_TRY_PTR(out->v, ge_arena_alloc(g->out->arena, g->n, sizeof *out->v));
    for (size_t i = 0; i < g->n; i++) {
        if (i > 0 && compare_keys(&g->v[i - 1].a, &g->v[i].a) == 0) {
            rc = refuse_double(g, &g->v[i]);
            goto done;
        }
        out->v[i] = g->v[i].a;
        g->out->problems += g->v[i].a.problem != NULL;
        g->out->judged += g->v[i].a.n_judgements > 0;
    }
    out->n = g->n;
    g->out->content = ge_hasher_get(g->hasher);
done:
    return rc;
}

/* Directions of selected items without an answer; one walk over both sorted lists. */
static void count_missing(const struct ge_dataset *ds, struct ge_answers_file *out)
{
    const struct ge_answer *a = out->answers.v, *end = a + out->answers.n;
    for (size_t i = 0; i < ds->n; i++) {
        bool has[GE_DIRECTIONS] = {false};
        for (; a != end && a->item == i; a++) has[a->direction] = true;
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            out->missing[d] += ds->items[i].task[d].present && !has[d];
        }
    }
}

static ge_status read_source(struct ge_gather *g, const struct ge_answers_source *source)
{
    ge_status rc = GE_OK;
    enum ge_dataset_format format = g->ds->format;
    for (size_t i = 0; i < source->files.n; i++) {
        GE_TRY(ge_answers_read_lines(g, source->files.v[i]));
    }
    if (source->files.n > 0) goto done;
    if (format == GE_DATASET_GAPEVAL && source->folder != NULL) {
        rc = ge_answers_read_folders(g, source->folder);
    } else if (format == GE_DATASET_GAPEVAL_JSONL) {
        bool own = source->folder_path == NULL;
        rc = ge_answers_read_jsonl(g, own ? g->ds->path : source->folder_path);
    } else if (format == GE_DATASET_PREDICTIONS && source->folder == NULL) {
        rc = ge_answers_read_predictions(g, g->ds->path);
    } else {
        rc = ge_fail(GE_EINVAL, "system \"%s\": found %s for the %s dataset %s, allowed: %s",
                     g->system, source->folder != NULL ? "a folder of answers" : "no answers",
                     ge_dataset_format_name(format), g->ds->path,
                     format == GE_DATASET_GAPEVAL ? "answers or folder" : "answers");
    }
done:
    return rc;
}

ge_status ge_answers_load(const struct ge_dataset *ds, const char *system,
                          const struct ge_answers_source *source, struct ge_answers_file **out)
{
    ge_status rc = GE_OK;
    struct ge_gather g = {.ds = ds, .system = system};
    *out = NULL;
    GE_NEW(g.out, 1);
    GE_TRY_PTR(g.out->arena, ge_arena_new());
    GE_TRY_PTR(g.hasher, ge_hasher_new());
    GE_TRY_PTR(g.out->answers.system, ge_arena_strdup(g.out->arena, system));
    GE_TRY(read_source(&g, source));
    GE_TRY(finish(&g));
    count_missing(ds, g.out);
    *out = g.out;
    g.out = NULL;
done:
    free(g.v);
    ge_hasher_delete(&g.hasher);
    ge_answers_delete(&g.out);
    return rc;
}

void ge_answers_delete(struct ge_answers_file **file)
{
    if (*file == NULL) return;
    ge_arena_delete(&(*file)->arena);
    free(*file);
    *file = NULL;
}
