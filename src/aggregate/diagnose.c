/* From findings to rows. */
#include "aggregate/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/finder.h"
#include "base/mem.h"
#include "base/sort.h"

/* The kinds, in the order of the report. */
static const struct {
    struct ge_diagnosis_kind kind;
    finder_fn *find;
    bool all_systems; /* one row for all systems together */
} finders[] = {
    {{"says-not-shows", "understood, but not generated right"}, ge_find_says_not_shows, false},
    {{"shows-not-says", "generated right, but not understood"}, ge_find_shows_not_says, false},
    {{"templated", "the text opens with the four words that three texts of its task type and a "
                   "fifth of them open with"},
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

/* ---- categories ---------------------------------------------------------------------------- */

struct categories {
    const char **names; /* (n) in byte order, each once */
    size_t *of;         /* (n_items); n: the item has none */
    size_t n;
};

static ge_status number_categories(const struct ge_run *run, struct categories *c)
{
    ge_status rc = GE_OK;
    GE_NEW(c->names, run->n_items);
    GE_NEW(c->of, run->n_items);
    size_t named = 0;
    for (size_t i = 0; i < run->n_items; i++) {
        if (run->items[i].category != NULL) c->names[named++] = run->items[i].category;
    }
    c->n = ge_unique_strings(c->names, named);
    for (size_t i = 0; i < run->n_items; i++) {
        const char *const *own = (const char *const *)&run->items[i].category;
        const char **found =
            *own == NULL ? NULL
                         : bsearch(own, c->names, c->n, sizeof *c->names, ge_compare_strings);
        c->of[i] = found == NULL ? c->n : (size_t)(found - c->names);
    }
done:
    return rc;
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

/* Until all items are counted, share is the sum of strengths. */
static void count_item(struct ge_diagnosis *d, const char *id, const struct finding *f)
{
    d->n++;
    d->share += f->strength;
    if (f->strength == 0) return;
    d->shown++;
    keep_item(d, id, f);
}

/* Rows of one kind and system: all items, then each category. `tally` is room for 1 + categories. */
static ge_status add_rows(struct rows *rows, const struct ge_run *run, const struct categories *c,
                          const struct ge_diagnosis *head, const struct finding *found,
                          struct ge_diagnosis *tally)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i <= c->n; i++) {
        tally[i] = *head;
        if (i > 0) tally[i].category = c->names[i - 1];
    }
    for (size_t i = 0; i < run->n_items; i++) {
        if (isnan(found[i].strength)) continue;
        count_item(&tally[0], run->items[i].id, &found[i]);
        if (c->of[i] < c->n) count_item(&tally[1 + c->of[i]], run->items[i].id, &found[i]);
    }
    for (size_t i = 0; i <= c->n; i++) {
        if (tally[i].shown == 0) continue;
        tally[i].share /= (double)tally[i].n;
        GE_GROW(rows->v, rows->n, rows->cap);
        rows->v[rows->n++] = tally[i];
    }
done:
    return rc;
}

ge_status ge_diagnose(const struct ge_run *run, const struct values *values, struct ge_arena *arena,
                      struct ge_diagnosis **out, size_t *n_rows)
{
    ge_status rc = GE_OK;
    struct finder_context c = {run, values, arena};
    struct categories categories = {0};
    struct finding *found = NULL;
    struct ge_diagnosis *tally = NULL;
    struct rows rows = {0};
    *n_rows = 0;
    GE_NEW(found, run->n_items);
    GE_TRY(number_categories(run, &categories));
    GE_NEW(tally, 1 + categories.n);
    for (size_t k = 0; k < FINDERS; k++) {
        size_t cells = finders[k].all_systems && run->n_cells > 0 ? 1 : run->n_cells;
        for (size_t cell = 0; cell < cells; cell++) {
            struct ge_diagnosis head = {.kind = finders[k].kind.name};
            if (!finders[k].all_systems) head.system = run->cells[cell].system;
            for (size_t i = 0; i < run->n_items; i++) found[i] = (struct finding){NAN, NULL};
            GE_TRY(finders[k].find(&c, cell, found));
            GE_TRY(add_rows(&rows, run, &categories, &head, found, tally));
        }
    }
    GE_TRY_PTR(*out, ge_arena_alloc(arena, rows.n, sizeof **out));
    if (rows.n > 0) memcpy(*out, rows.v, rows.n * sizeof **out);
    *n_rows = rows.n;
done:
    free(found);
    free(tally);
    free(rows.v);
    free(categories.names);
    free(categories.of);
    return rc;
}
