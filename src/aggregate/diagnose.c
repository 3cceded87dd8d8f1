/* From findings to rows. */
#include "aggregate/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/finder.h"
#include "base/mem.h"

/* The kinds, in the order of the report. */
static const struct {
    struct ge_diagnosis_kind kind;
    finder_fn *find;
    bool all_systems; /* one row for all systems together */
} finders[] = {
    {{"says-not-shows", "understood, but not generated right"}, ge_find_says_not_shows, false},
    {{"shows-not-says", "generated right, but not understood"}, ge_find_shows_not_says, false},
    {{"templated",
      "the text opens with the four words that three texts of its task type and a fifth of "
      "them open with"},
     ge_find_templated,
     false},
    {{"missing-details", "share of the details that the text leaves out"},
     ge_find_missing_details,
     false},
    {{"invented-objects", "the text names an object that is not there"},
     ge_find_invented_objects,
     false},
    {{"broken-constraints", "share of the constraints that the text breaks"},
     ge_find_broken_constraints,
     false},
    {{"copies", "the generated picture is a copy of the reference"}, ge_find_copies, false},
    {{"metrics-disagree", "dialects of one metric differ: by how much at most"},
     ge_find_disagreement,
     false},
    {{"nobody-right", "a direction that no system gets right"}, ge_find_nobody_right, true},
};
enum { FINDERS = sizeof finders / sizeof finders[0] };

const struct ge_diagnosis_kind *ge_diagnosis_kinds(size_t *n)
{
    static struct ge_diagnosis_kind kinds[FINDERS];
    for (size_t i = 0; i < FINDERS; i++) kinds[i] = finders[i].kind;
    *n = FINDERS;
    return kinds;
}

/* ---- rows ---------------------------------------------------------------------------------- */

struct rows {
    struct ge_diagnosis *v; /* heap */
    size_t n, cap;
};

/* Keep the strongest few, first come first among equals. */
static void keep_item(struct ge_diagnosis *d, const char *id, const struct finding *f)
{
    size_t at = d->n_items;
    while (at > 0 && d->items[at - 1].strength < f->strength) at--;
    if (at == GE_DIAGNOSIS_ITEMS) return;
    size_t last = d->n_items < GE_DIAGNOSIS_ITEMS ? d->n_items++ : GE_DIAGNOSIS_ITEMS - 1;
    for (size_t i = last; i > at; i--) d->items[i] = d->items[i - 1];
    d->items[at] = (struct ge_diagnosed_item){id, f->strength, f->note != NULL ? f->note : ""};
}

static ge_status add_row(struct rows *rows, const struct finder_context *c, struct ge_diagnosis d,
                         const struct finding *found)
{
    ge_status rc = GE_OK;
    double sum = 0;
    for (size_t i = 0; i < c->run->n_items; i++) {
        const struct ge_item *item = &c->run->items[i];
        if (isnan(found[i].strength)) continue;
        if (d.category != NULL &&
            (item->category == NULL || strcmp(item->category, d.category) != 0)) {
            continue;
        }
        d.n++;
        sum += found[i].strength;
        if (found[i].strength == 0) continue;
        d.shown++;
        keep_item(&d, item->id, &found[i]);
    }
    if (d.shown == 0) goto done;
    d.share = sum / (double)d.n;
    GE_GROW(rows->v, rows->n, rows->cap);
    rows->v[rows->n++] = d;
done:
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The categories in byte order, each once. */
static ge_status list_categories(const struct ge_run *run, const char ***out, size_t *n)
{
    ge_status rc = GE_OK;
    size_t named = 0, used = 0;
    GE_NEW(*out, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) {
        if (run->items[i].category != NULL) (*out)[named++] = run->items[i].category;
    }
    if (named > 0) qsort(*out, named, sizeof **out, compare_names);
    for (size_t i = 0; i < named; i++) {
        if (i == 0 || strcmp((*out)[i], (*out)[used - 1]) != 0) (*out)[used++] = (*out)[i];
    }
    *n = used;
done:
    return rc;
}

ge_status ge_diagnose(const struct ge_run *run, const struct values *values, struct ge_arena *arena,
                      struct ge_diagnosis **out, size_t *n_rows)
{
    ge_status rc = GE_OK;
    struct finder_context c = {run, values, arena};
    struct finding *found = NULL;
    struct rows rows = {0};
    const char **categories = NULL;
    size_t n_categories = 0;
    *n_rows = 0;
    GE_NEW(found, run->n_items);
    GE_TRY(list_categories(run, &categories, &n_categories));
    for (size_t k = 0; k < FINDERS; k++) {
        size_t cells = finders[k].all_systems && run->n_cells > 0 ? 1 : run->n_cells;
        for (size_t cell = 0; cell < cells; cell++) {
            struct ge_diagnosis d = {.kind = finders[k].kind.name};
            if (!finders[k].all_systems) d.system = run->cells[cell].system;
            for (size_t i = 0; i < run->n_items; i++) found[i] = (struct finding){NAN, NULL};
            GE_TRY(finders[k].find(&c, cell, found));
            GE_TRY(add_row(&rows, &c, d, found));
            for (size_t i = 0; i < n_categories; i++) {
                d.category = categories[i];
                GE_TRY(add_row(&rows, &c, d, found));
            }
        }
    }
    GE_TRY_PTR(*out, ge_arena_alloc(arena, rows.n, sizeof **out));
    if (rows.n > 0) memcpy(*out, rows.v, rows.n * sizeof **out);
    *n_rows = rows.n;
done:
    free(found);
    free(rows.v);
    free(categories);
    return rc;
}
