/* Corrected figures: from verdicts by item to ge_ppi_gap_stratified(). */
#include "aggregate/correction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/values.h"
#include "base/mem.h"

/* Strata of the run's items. */
struct strata {
    uint32_t *of; /* (n_items) */
    uint32_t n;
    const char *problem; /* in the arena: why the name gives none; NULL: it does */
};

/* ---- strata ---------------------------------------------------------------------------------- */

/* Value of an item's tag `name:value`, or the tag itself; NULL without one. *count of them. */
static const char *tag_value(const struct ge_item *item, const char *name, size_t *count)
{
    size_t len = strlen(name);
    const char *found = NULL;
    *count = 0;
    for (size_t i = 0; i < item->tags.n; i++) {
        const char *tag = item->tags.v[i];
        if (strncmp(tag, name, len) != 0 || (tag[len] != ':' && tag[len] != '\0')) continue;
        if (found != NULL && strcmp(found, tag) == 0) continue; /* given twice */
        found = tag;
        ++*count;
    }
    return found;
}

static const char *stratum_name(const struct ge_item *item, const char *name, size_t *count)
{
    *count = 1;
    if (strcmp(name, "category") == 0) return item->category;
    if (strcmp(name, "subcategory") == 0) return item->subcategory;
    return tag_value(item, name, count);
}

static ge_status make_strata(const struct ge_run *run, const char *within, struct ge_arena *arena,
                             struct strata *s)
{
    ge_status rc = GE_OK;
    struct named *names = NULL;
    bool any = false;
    *s = (struct strata){.n = 1};
    GE_NEW(s->of, run->n_items);
    if (within == NULL) goto done;
    GE_NEW(names, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) {
        size_t count;
        const char *name = stratum_name(&run->items[i], within, &count);
        any |= name != NULL;
        names[i] = (struct named){name != NULL ? name : "", (uint32_t)i};
        if (count < 2) continue;
        GE_TRY_PTR(s->problem, ge_arena_printf(arena,
                                               "item %s has several values of the tag %s, so the "
                                               "strata that answers were drawn in overlap",
                                               run->items[i].id, within));
        goto done;
    }
    if (!any) {
        GE_TRY_PTR(s->problem, ge_arena_printf(arena,
                                               "answers were drawn within the values of %s, and no "
                                               "item has one",
                                               within));
        goto done;
    }
    qsort(names, run->n_items, sizeof *names, ge_compare_named);
    for (size_t i = 0; i < run->n_items; i++) {
        s->n += i > 0 && strcmp(names[i].name, names[i - 1].name) != 0;
        s->of[names[i].item] = s->n - 1;
    }
done:
    free(names);
    return rc;
}

/* ---- one system ------------------------------------------------------------------------------ */

/* The items of a cell that enter, and their strata without the empty ones. */
struct sample {
    struct ge_ppi_pair *pairs;
    uint32_t *stratum; /* both (n_items) */
    size_t n;
    uint32_t strata;
};

static ge_status collect(const struct ge_run *run, const struct values *values,
                         const struct ge_human_verdict *human, size_t cell, bool failures_wrong,
                         const struct strata *s, struct sample *out)
{
    ge_status rc = GE_OK;
    uint32_t *number = NULL; /* of each stratum among those that occur, plus 1 */
    out->n = 0;
    out->strata = 0;
    GE_NEW(number, s->n);
    for (size_t i = 0; i < run->n_items; i++) {
        const struct ge_human_verdict *h = human + (cell * run->n_items + i) * GE_DIRECTIONS;
        struct ge_ppi_pair p = {.cluster = values->cluster[i]};
        if (!run->items[i].task[GE_UND].present || !run->items[i].task[GE_GEN].present) continue;
        enum direction_state und =
            ge_direction_state(ge_values_at(values, cell, i, GE_UND), failures_wrong, &p.und_f);
        enum direction_state gen =
            ge_direction_state(ge_values_at(values, cell, i, GE_GEN), failures_wrong, &p.gen_f);
        if (und != DIRECTION_JUDGED || gen != DIRECTION_JUDGED) continue;
        p.und_labelled = h[GE_UND].n > 0;
        p.gen_labelled = h[GE_GEN].n > 0;
        if (p.und_labelled) p.und_y = h[GE_UND].right / (double)h[GE_UND].n;
        if (p.gen_labelled) p.gen_y = h[GE_GEN].right / (double)h[GE_GEN].n;
        if (number[s->of[i]] == 0) number[s->of[i]] = ++out->strata;
        out->stratum[out->n] = number[s->of[i]] - 1;
        out->pairs[out->n++] = p;
    }
done:
    free(number);
    return rc;
}

/* Why the figures are not there or have no interval; NULL: all is well. */
static const char *shortcoming(const struct ge_ppi_gap *g, size_t strata)
{
    if (g->items == 0) return "no item has both verdicts";
    if (g->labelled_und == 0 || g->labelled_gen == 0) {
        return "people rated no judged item in one of the directions";
    }
    if (isnan(g->corrected.und.value) || isnan(g->corrected.gen.value)) {
        return "a stratum has no rated item in one of the directions";
    }
    if (isnan(g->corrected.und.lo) || isnan(g->corrected.gen.lo)) {
        return strata > 1 ? "no interval: a stratum has fewer than two rated clusters"
                          : "no interval: fewer than two clusters are rated";
    }
    if (g->labelled == 0) {
        return "the four cells are not known: no item is rated in both directions";
    }
    if (isnan(g->corrected.p11.value)) {
        return "the four cells are not known: a stratum has no item rated in both directions";
    }
    if (isnan(g->corrected.p11.lo)) {
        return "no interval of the four cells: too few clusters are rated in both directions";
    }
    return NULL;
}

static ge_status correct(const struct sample *sample, double level, struct ge_correction *c)
{
    ge_status rc = GE_OK;
    c->strata = sample->strata;
    if (sample->n > 0) {
        GE_TRY(ge_ppi_gap_stratified(sample->pairs, sample->n, sample->stratum, sample->strata,
                                     level, &c->gap));
    }
    c->reason = shortcoming(&c->gap, sample->strata);
    c->corrected = c->gap.items > 0 && !isnan(c->gap.corrected.und.value) &&
                   !isnan(c->gap.corrected.gen.value);
done:
    return rc;
}

/* ---- all systems ----------------------------------------------------------------------------- */

static const char *refusal(enum ge_drawn drawn)
{
    switch (drawn) {
    case GE_DRAWN_UNSAID:
        return "ratings.drawn does not say how the rated answers were chosen";
    case GE_DRAWN_OTHER:
        return "the rated answers are no random subset (ratings.drawn: other)";
    case GE_DRAWN_RANDOM:
    case GE_DRAWN_WITHIN:
        break;
    }
    return NULL;
}

ge_status ge_correction_make(const struct ge_run *run, const struct values *values,
                             const struct ge_human_verdict *human,
                             const struct ge_aggregate_options *options, struct ge_arena *arena,
                             struct ge_correction **out)
{
    ge_status rc = GE_OK;
    struct ge_correction *c;
    struct strata strata = {0};
    struct sample sample = {0};
    enum ge_drawn drawn;
    const char *within;
    GE_TRY(ge_drawn_parse(options->ratings.drawn, &drawn, &within));
    GE_TRY_PTR(c, ge_arena_alloc(arena, run->n_cells, sizeof *c));
    GE_TRY(make_strata(run, within, arena, &strata));
    GE_NEW(sample.pairs, run->n_items);
    GE_NEW(sample.stratum, run->n_items);
    for (size_t i = 0; i < run->n_cells; i++) {
        c[i] = (struct ge_correction){.system = run->cells[i].system, .strata = 1};
        c[i].reason = refusal(drawn) != NULL ? refusal(drawn) : strata.problem;
        if (c[i].reason != NULL) continue;
        GE_TRY(collect(run, values, human, i, options->failures_wrong, &strata, &sample));
        GE_TRY(correct(&sample, options->level, &c[i]));
    }
    *out = c;
done:
    free(sample.pairs);
    free(sample.stratum);
    free(strata.of);
    return rc;
}
