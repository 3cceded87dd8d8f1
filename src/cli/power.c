#include "cli/power.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "stats/power.h"

struct wanted {
    struct ge_paired_rates rates;
    double gap, alpha, power;
};

static ge_status read_number(const char *flag, const char *text, double lo, double hi, double def,
                             double *out)
{
    char *end;
    *out = def;
    if (text == NULL) return GE_OK;
    *out = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(*out > lo && *out < hi)) {
        return ge_fail(GE_EINVAL, "%s %s: wanted a number between %g and %g", flag, text, lo, hi);
    }
    return GE_OK;
}

static ge_status read_options(const struct ge_power_options *o, struct wanted *w)
{
    ge_status rc = GE_OK;
    double und, gap, level;
    GE_TRY(read_number("--und", o->und, 0, 100, 80, &und));
    GE_TRY(read_number("--gap", o->gap, 0, 100, 5, &gap));
    GE_TRY(read_number("--phi", o->phi, -1, 1, 0.3, &w->rates.phi));
    GE_TRY(read_number("--confidence", o->level, 0, 1, 0.95, &level));
    GE_TRY(read_number("--chance", o->power, 0, 1, 0.8, &w->power));
    w->rates.und = und / 100;
    w->gap = gap / 100;
    w->alpha = 1 - level;
    if (o->gap != NULL && w->gap >= w->rates.und) {
        GE_TRY(ge_fail(GE_EINVAL, "--gap %s: wanted less than --und, %g", o->gap, und));
    }
done:
    return rc;
}

static void print_group(const char *name, size_t n, const struct wanted *w)
{
    double gap = ge_smallest_gap(n, w->rates, w->alpha, w->power);
    printf("%-32s %8zu ", name, n);
    if (isnan(gap)) {
        printf("%12s\n", "none");
    } else {
        printf("%12.1f\n", 100 * gap);
    }
}

/* All items with both directions, and each category's. */
static ge_status print_dataset(const struct ge_dataset *d, const struct wanted *w)
{
    ge_status rc = GE_OK;
    const char **names = NULL;
    size_t n = 0, named = 0;
    GE_NEW(names, d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct ge_item *item = &d->items[i];
        if (!item->task[GE_UND].present || !item->task[GE_GEN].present) continue;
        n++;
        if (item->category != NULL) names[named++] = item->category;
    }
    if (named > 0) qsort(names, named, sizeof *names, ge_compare_strings);
    print_group("all items", n, w);
    for (size_t i = 0, first = 0; i < named; i++) {
        if (i + 1 < named && strcmp(names[i], names[i + 1]) == 0) continue;
        print_group(names[i], i + 1 - first, w);
        first = i + 1;
    }
done:
    free(names);
    return rc;
}

ge_status ge_plan_power_check(const struct ge_power_options *o, bool job)
{
    ge_status rc = GE_OK;
    struct wanted w;
    double p10, p01;
    GE_TRY(read_options(o, &w));
    if (o->items > 1000000) {
        GE_TRY(ge_fail(GE_EINVAL, "--items %ld: allowed are 1 to 1000000", o->items));
    }
    if (!job && o->items == 0 && o->gap == NULL) {
        GE_TRY(ge_fail(GE_EINVAL, "--power: wanted --items N, --gap POINTS or a job"));
    }
    w.rates.gen = w.rates.und - w.gap;
    if (o->gap != NULL) GE_TRY(ge_paired_disagreement(w.rates, &p10, &p01));
done:
    return rc;
}

ge_status ge_plan_power(const struct ge_power_options *o, const struct ge_dataset *dataset)
{
    ge_status rc = GE_OK;
    struct wanted w;
    GE_TRY(read_options(o, &w));
    size_t items = 0;
    w.rates.gen = w.rates.und - w.gap;
    if (o->gap != NULL) GE_TRY(ge_items_needed(w.rates, w.alpha, w.power, &items));
    printf(
        "McNemar's exact test, two-sided, level %g; shown with a chance of %g; und %g %%, phi %g; "
        "independent items, 0/1 verdicts\n",
        w.alpha, w.power, 100 * w.rates.und, w.rates.phi);
    if (o->gap != NULL && items > 0) {
        printf("a gap of %g points needs %zu items\n", 100 * w.gap, items);
    } else if (o->gap != NULL) {
        printf("a gap of %g points needs more than 1000000 items\n", 100 * w.gap);
    }
    if (dataset == NULL && o->items == 0) return GE_OK;
    printf("%-32s %8s %12s\n", "", "items", "gap, points");
    if (o->items > 0) print_group("as given", (size_t)o->items, &w);
    if (dataset != NULL) GE_TRY(print_dataset(dataset, &w));
done:
    return rc;
}
