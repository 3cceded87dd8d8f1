/* Diagnoses from the texts that were generated: alike openings, details left out, objects made up,
 * constraints broken. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/corpus_texts.h"
#include "aggregate/finder.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/sort.h"
#include "metric/chair.h"
#include "metric/constraints.h"
#include "metric/details.h"
#include "metric/homogeneity.h"

/* What a finder says of one text; NaN in *strength: nothing. Notes are appended to an empty buffer. */
typedef ge_status text_fn(const char *text, const struct ge_task *task, double *strength,
                          struct ge_buf *note);

/* The strongest of an item's samples counts. */
static ge_status keep(const struct finder_context *c, struct finding *f, double strength,
                      const struct ge_buf *note)
{
    ge_status rc = GE_OK;
    if (isnan(strength) || (!isnan(f->strength) && f->strength >= strength)) goto done;
    f->strength = strength;
    f->note = NULL;
    if (strength > 0 && note->len > 0) {
        GE_TRY_PTR(f->note, ge_arena_strndup(c->arena, note->data, note->len));
    }
done:
    return rc;
}

/* Every text that a system generated and that was scored. */
static ge_status each_text(const struct finder_context *c, size_t cell, text_fn *fn,
                           struct finding *found)
{
    ge_status rc = GE_OK;
    struct corpus_texts texts = {0};
    struct ge_buf note;
    ge_buf_init(&note, SIZE_MAX); /* as long as the lists of the dataset */
    GE_TRY(corpus_texts_gather(c->run, cell, GE_GEN, NULL, &texts));
    for (size_t i = 0; i < texts.n; i++) {
        double strength = NAN;
        ge_buf_reset(&note);
        GE_TRY(fn(texts.texts[i], texts.tasks[i], &strength, &note));
        GE_TRY(ge_buf_status(&note));
        GE_TRY(keep(c, &found[texts.keys[i].item], strength, &note));
    }
done:
    corpus_texts_free(&texts);
    ge_buf_free(&note);
    return rc;
}

static void add_name(struct ge_buf *note, const char *name)
{
    if (note->len > 0) ge_buf_str(note, "; ");
    ge_buf_str(note, name);
}

/* ---- details, objects, constraints ------------------------------------------------------------- */

static ge_status missing_details(const char *text, const struct ge_task *task, double *strength,
                                 struct ge_buf *note)
{
    ge_status rc = GE_OK;
    bool *missing = NULL;
    double recall;
    GE_NEW(missing, task->details.n);
    GE_TRY(ge_details_missing(text, task, missing, &recall));
    *strength = 1 - recall;
    for (size_t i = 0; i < task->details.n; i++) {
        if (missing[i]) add_name(note, task->details.v[i]);
    }
done:
    free(missing);
    return rc;
}

ge_status ge_find_missing_details(const struct finder_context *c, size_t cell,
                                  struct finding *found)
{
    return each_text(c, cell, missing_details, found);
}

static ge_status invented_objects(const char *text, const struct ge_task *task, double *strength,
                                  struct ge_buf *note)
{
    ge_status rc = GE_OK;
    size_t *mentions = NULL;
    GE_TRY(ge_chair_s(text, task, strength));
    if (!(*strength > 0)) goto done;
    GE_NEW(mentions, task->n_objects);
    GE_TRY(ge_chair_mentions(text, task, mentions));
    for (size_t i = 0; i < task->n_objects; i++) {
        if (mentions[i] > 0 && !task->objects[i].present) add_name(note, task->objects[i].name);
    }
done:
    free(mentions);
    return rc;
}

ge_status ge_find_invented_objects(const struct finder_context *c, size_t cell,
                                   struct finding *found)
{
    return each_text(c, cell, invented_objects, found);
}

static ge_status broken_constraints(const char *text, const struct ge_task *task, double *strength,
                                    struct ge_buf *note)
{
    ge_status rc = GE_OK;
    double share;
    GE_TRY(ge_constraints_share_strict(text, task, &share));
    *strength = 1 - share;
    if (!(*strength > 0)) goto done;
    GE_TRY(ge_constraints_failed(text, task, false, note));
    for (size_t i = 0; i < note->len; i++) {
        if (note->data[i] == '\n') note->data[i] = i + 1 < note->len ? ' ' : '\0';
    }
done:
    return rc;
}

ge_status ge_find_broken_constraints(const struct finder_context *c, size_t cell,
                                     struct finding *found)
{
    return each_text(c, cell, broken_constraints, found);
}

/* ---- openings ------------------------------------------------------------------------------------- */

/* Texts that must share an opening before it is a template: some, and one in five. */
enum { LEAST_ALIKE = 3, LEAST_SHARE = 5 };

/* Texts of one task type: those with the commonest opening are templated. */
static ge_status find_openings(const struct finder_context *c, const struct corpus_texts *t,
                               struct finding *found)
{
    ge_status rc = GE_OK;
    const struct ge_corpus corpus = {.texts = t->texts, .tasks = t->tasks, .n = t->n};
    struct ge_opening opening = {0};
    double share, *per_text = NULL;
    const char *note = NULL;
    GE_NEW(per_text, t->n);
    GE_TRY(ge_opening_find(&corpus, &opening));
    GE_TRY(ge_corpus_opening_share(&corpus, &share, per_text));
    bool template =
        opening.n_members >= LEAST_ALIKE && LEAST_SHARE * opening.n_members >= opening.n_texts;
    if (template) GE_TRY_PTR(note, ge_arena_printf(c->arena, "\"%s …\"", opening.words));
    for (size_t i = 0; i < t->n; i++) {
        struct finding *f = &found[t->keys[i].item];
        double strength = template ? per_text[i] : isnan(per_text[i]) ? NAN : 0;
        if (isnan(strength) || f->strength >= strength) continue;
        *f = (struct finding){strength, strength > 0 ? note : NULL};
    }
done:
    ge_opening_free(&opening);
    free(per_text);
    return rc;
}

/* The task types of generation, each once; free(*out). */
static ge_status list_types(const struct ge_run *run, const char ***out, size_t *n)
{
    ge_status rc = GE_OK;
    size_t all = 0;
    *n = 0;
    GE_NEW(*out, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) {
        const struct ge_task *task = &run->items[i].task[GE_GEN];
        if (task->present && task->type != NULL) (*out)[all++] = task->type;
    }
    *n = ge_unique_strings(*out, all);
done:
    return rc;
}

ge_status ge_find_templated(const struct finder_context *c, size_t cell, struct finding *found)
{
    ge_status rc = GE_OK;
    struct corpus_texts texts = {0};
    const char **types = NULL;
    size_t n_types = 0;
    GE_TRY(list_types(c->run, &types, &n_types));
    for (size_t i = 0; i < n_types; i++) {
        GE_TRY(corpus_texts_gather(c->run, cell, GE_GEN, types[i], &texts));
        if (texts.n > 0) GE_TRY(find_openings(c, &texts, found));
    }
done:
    corpus_texts_free(&texts);
    free(types);
    return rc;
}
