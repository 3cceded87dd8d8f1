/* Rows to values by item. */
#include "aggregate/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- clusters ---------------------------------------------------------------------------------------- */

int ge_compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : (x->item > y->item) - (x->item < y->item);
}

/* Items with one cluster name get one number. */
static ge_status number_clusters(const struct ge_run *run, struct values *v)
{
    ge_status rc = GE_OK;
    struct named *names = NULL;
    GE_NEW(names, run->n_items);
    GE_NEW(v->cluster, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) {
        names[i] = (struct named){run->items[i].cluster, (uint32_t)i};
    }
    if (run->n_items > 0) qsort(names, run->n_items, sizeof *names, ge_compare_named);
    for (size_t i = 0; i < run->n_items; i++) {
        bool same = i > 0 && strcmp(names[i - 1].name, names[i].name) == 0;
        if (!same) v->n_clusters++;
        v->cluster[names[i].item] = (uint32_t)v->n_clusters - 1;
    }
done:
    free(names);
    return rc;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static ge_status find(const struct values *v, uint32_t cell, struct ge_key key,
                      struct direction_value **out)
{
    if (cell >= v->n_cells || key.item >= v->n_items || key.direction >= GE_DIRECTIONS) {
        return ge_fail(GE_EFORMAT, "a row names cell %u, item %u, direction %u, of %zu x %zu", cell,
                       key.item, key.direction, v->n_cells, v->n_items);
    }
    *out = &v->v[(cell * v->n_items + key.item) * GE_DIRECTIONS + key.direction];
    return GE_OK;
}

ge_status ge_check_score_row(const struct ge_run *run, const struct ge_score_row *row)
{
    if (row->metric < run->metrics.n && row->key.item < run->n_items &&
        row->key.direction < GE_DIRECTIONS) {
        return GE_OK;
    }
    return ge_fail(GE_EFORMAT, "a score row names metric %u, item %u", row->metric, row->key.item);
}

static ge_status add_result(struct values *v, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    struct direction_value *d = NULL;
    for (size_t i = 0; i < r->n_verdicts; i++) {
        double value = r->verdicts[i].value;
        GE_TRY(find(v, r->cell, r->verdicts[i].key, &d));
        d->sum += value;
        d->sum_squares += value * value;
        d->judged++;
    }
    for (size_t i = 0; i < r->n_errors; i++) {
        GE_TRY(find(v, r->cell, r->errors[i].key, &d));
        d->failed++;
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        GE_TRY(find(v, r->cell, r->undone[i].key, &d));
        d->undone++;
    }
done:
    return rc;
}

ge_status ge_values_make(const struct ge_run *run, struct values *out)
{
    ge_status rc = GE_OK;
    size_t n = 0;
    *out = (struct values){.n_cells = run->n_cells, .n_items = run->n_items};
    GE_TRY(ge_mul(run->n_cells, run->n_items, &n));
    GE_TRY(ge_mul(n, GE_DIRECTIONS, &n));
    GE_NEW(out->v, n);
    GE_TRY(number_clusters(run, out));
    for (size_t i = 0; i < run->n_results; i++) GE_TRY(add_result(out, &run->results[i]));
done:
    if (rc != GE_OK) ge_values_free(out);
    return rc;
}

void ge_values_free(struct values *v)
{
    free(v->v);
    free(v->cluster);
    memset(v, 0, sizeof *v);
}

const struct direction_value *ge_values_at(const struct values *v, size_t cell, size_t item,
                                           enum ge_direction d)
{
    return &v->v[(cell * v->n_items + item) * GE_DIRECTIONS + d];
}

enum direction_state ge_direction_state(const struct direction_value *d, bool failures_wrong,
                                        double *value)
{
    if (d->undone > 0 || d->judged + d->failed == 0) return DIRECTION_UNDONE;
    uint32_t n = failures_wrong ? d->judged + d->failed : d->judged;
    if (n == 0) return DIRECTION_FAILED;
    *value = d->sum / n;
    return DIRECTION_JUDGED;
}
