/* upstream: per system, over its categories. irt: per group, over all systems. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/estimators_make.h"
#include "base/math.h"
#include "base/mem.h"

const char *ge_estimator_name(enum ge_estimator e)
{
    static const char *const names[] = {"logit", "upstream", "irt"};
    return names[e];
}

/* ---- upstream -------------------------------------------------------------------------------------- */

struct upstream {
    struct ge_summary *s;
    struct ge_cells *cells; /* (n_rows) the judged categories of a system, from its first row on */
    double *gaps;           /* (n_rows) */
    ge_status *status;      /* (systems) */
};

static bool is_dimension(const struct ge_gap_row *row, const char *dimension)
{
    return strcmp(row->dimension, dimension) == 0;
}

/* The rows that upstream fits together: categories, or everything where there are none. */
static bool has_categories(const struct ge_summary *s)
{
    for (size_t g = 0; g < s->n_groups; g++) {
        if (is_dimension(&s->rows[g], "category")) return true;
    }
    return false;
}

static void fit_system(void *ctx, size_t system, int thread)
{
    (void)thread;
    struct upstream *u = ctx;
    size_t n_groups = u->s->n_groups, first = system * n_groups, n = 0, used = 0;
    const struct ge_gap_row *rows = u->s->rows + first;
    const char *dimension = has_categories(u->s) ? "category" : "overall";
    double *out = u->s->estimates->upstream + first, mean;
    for (size_t g = 0; g < n_groups; g++) {
        const struct ge_gap_row *r = &rows[g];
        double judged = (double)r->judged;
        if (!is_dimension(r, dimension) || r->judged == 0) continue;
        u->cells[first + n++] =
            (struct ge_cells){r->k11 / judged, r->k10 / judged, r->k01 / judged, r->k00 / judged};
    }
    u->status[system] = ge_gap_upstream(u->cells + first, n, u->gaps + first, &mean);
    for (size_t g = 0; g < n_groups; g++) {
        bool fitted = is_dimension(&rows[g], dimension) && rows[g].judged > 0;
        out[g] = fitted ? u->gaps[first + used++] : NAN;
        if (is_dimension(&rows[g], "overall")) out[g] = mean;
    }
}

static ge_status make_upstream(struct ge_summary *s, size_t systems)
{
    ge_status rc = GE_OK;
    struct upstream u = {.s = s};
    GE_TRY_PTR(s->estimates->upstream, ge_arena_alloc(s->arena, s->n_rows, sizeof(double)));
    GE_NEW(u.cells, s->n_rows);
    GE_NEW(u.gaps, s->n_rows);
    GE_NEW(u.status, systems);
    ge_pool_run(s->options.pool, systems, fit_system, &u);
    for (size_t i = 0; i < systems; i++) {
        if (u.status[i] != GE_OK) GE_TRY(ge_fail(u.status[i], "upstream: out of memory"));
    }
    s->estimates->has_upstream = true;
done:
    free(u.cells);
    free(u.gaps);
    free(u.status);
    return rc;
}

/* ---- irt: judgements --------------------------------------------------------------------------------- */

struct irt {
    const struct ge_run *run;
    const struct values *values;
    struct ge_summary *s;
    struct ge_irt_count *counts; /* (cells, items, GE_DIRECTIONS) */
    struct ge_irt_pair *pairs;   /* (cells * items) */
};

static struct ge_irt_count *count_at(const struct irt *x, uint32_t cell, struct ge_key key)
{
    return &x->counts[(cell * x->run->n_items + key.item) * GE_DIRECTIONS + key.direction];
}

/* Add up the judgements of all samples; values.c has checked the keys. */
static ge_status count_judgements(struct irt *x)
{
    for (size_t i = 0; i < x->run->n_results; i++) {
        const struct ge_result *r = &x->run->results[i];
        for (size_t k = 0; k < r->n_verdicts; k++) {
            const struct ge_verdict_row *v = &r->verdicts[k];
            struct ge_irt_count *count = count_at(x, r->cell, v->key);
            uint32_t right = 0;
            ge_status rc = ge_irt_right(v->value, v->judges, &right);
            if (rc != GE_OK) {
                return ge_fail_in(rc, "system \"%s\", item \"%s\", %s",
                                  x->run->cells[r->cell].system, x->run->items[v->key.item].id,
                                  ge_direction_name((enum ge_direction)v->key.direction));
            }
            count->right += right;
            count->judged += v->judges;
        }
        if (!x->s->options.failures_wrong) continue;
        for (size_t k = 0; k < r->n_errors; k++) count_at(x, r->cell, r->errors[k].key)->judged++;
    }
    return GE_OK;
}

static bool in_group(const struct ge_item *item, const struct ge_gap_row *group)
{
    const char *name = group->group;
    if (is_dimension(group, "overall")) return true;
    if (is_dimension(group, "category")) return item->category && !strcmp(item->category, name);
    if (is_dimension(group, "subcategory")) {
        return item->subcategory != NULL && strcmp(item->subcategory, name) == 0;
    }
    for (size_t i = 0; i < item->tags.n; i++) {
        if (strcmp(item->tags.v[i], name) == 0) return true;
    }
    return false;
}

/* Items that a system has judged in both directions, as the other estimators count them. */
static size_t collect_pairs(struct irt *x, const struct ge_gap_row *group)
{
    size_t n = 0;
    for (size_t item = 0; item < x->run->n_items; item++) {
        const struct ge_item *it = &x->run->items[item];
        if (!it->task[GE_UND].present || !it->task[GE_GEN].present) continue;
        if (!in_group(it, group)) continue;
        for (size_t cell = 0; cell < x->run->n_cells; cell++) {
            struct ge_irt_pair *p = &x->pairs[n];
            bool judged = true;
            *p = (struct ge_irt_pair){.model = (uint32_t)cell, .item = (uint32_t)item};
            for (int d = 0; d < GE_DIRECTIONS; d++) {
                double value;
                const struct direction_value *v =
                    ge_values_at(x->values, cell, item, (enum ge_direction)d);
                judged = judged && ge_direction_state(v, x->s->options.failures_wrong, &value) ==
                                       DIRECTION_JUDGED;
                p->count[d] =
                    x->counts[(cell * x->run->n_items + item) * GE_DIRECTIONS + (size_t)d];
            }
            n += judged;
        }
    }
    return n;
}

/* ---- irt: fits ----------------------------------------------------------------------------------------- */

static void set_row(const struct ge_irt_model *m, double level, const struct ge_gap_row *counts,
                    struct ge_irt_row *out)
{
    double half = ge_norm_quantile(0.5 + 0.5 * level) * m->se_delta, n = (double)counts->judged + 1;
    out->model = *m;
    out->delta = (struct ge_estimate){m->delta, m->delta - half, m->delta + half};
    out->p_value = ge_erfc(fabs(m->delta) / m->se_delta / sqrt(2));
    out->gap = isnan(m->delta)
                   ? NAN
                   : ge_gap_score(m->delta, (counts->k00 + 0.25) / n, (counts->k11 + 0.25) / n);
}

static ge_status fit_group(struct irt *x, size_t g)
{
    ge_status rc = GE_OK;
    struct ge_summary *s = x->s;
    struct ge_estimates *e = s->estimates;
    struct ge_irt_fit fit = {0};
    struct ge_irt_options options = {.nodes = s->options.irt_nodes, .pool = s->options.pool};
    size_t n = collect_pairs(x, &s->rows[g]);
    GE_TRY(ge_irt(x->pairs, n, x->run->n_cells, x->run->n_items, &options, &fit));
    e->groups[g] = (struct ge_irt_group){s->rows[g].dimension, s->rows[g].group, fit.items,
                                         fit.judgements,       fit.sd_item,      fit.loglik};
    for (size_t cell = 0; cell < x->run->n_cells; cell++) {
        size_t row = cell * s->n_groups + g;
        set_row(&fit.models[cell], s->options.level, &s->rows[row], &e->irt[row]);
    }
done:
    ge_irt_free(&fit);
    return rc;
}

static ge_status make_irt(const struct ge_run *run, const struct values *values,
                          struct ge_summary *s)
{
    ge_status rc = GE_OK;
    struct irt x = {.run = run, .values = values, .s = s};
    struct ge_estimates *e = s->estimates;
    size_t n = 0, sides = 0;
    e->irt_nodes = s->options.irt_nodes;
    GE_TRY(ge_mul(run->n_cells, run->n_items, &n));
    GE_TRY(ge_mul(n, GE_DIRECTIONS, &sides));
    GE_TRY_PTR(e->irt, ge_arena_alloc(s->arena, s->n_rows, sizeof *e->irt));
    GE_TRY_PTR(e->groups, ge_arena_alloc(s->arena, s->n_groups, sizeof *e->groups));
    GE_NEW(x.counts, sides);
    GE_NEW(x.pairs, n + 1); /* one more: where the last pair is tried */
    GE_TRY(count_judgements(&x));
    for (size_t g = 0; g < s->n_groups; g++) GE_TRY(fit_group(&x, g));
    e->has_irt = true;
done:
    free(x.counts);
    free(x.pairs);
    if (rc == GE_OK || rc == GE_ENOMEM) return rc;
    e->irt_refused = ge_arena_strdup(s->arena, ge_error());
    return e->irt_refused != NULL ? GE_OK : GE_ENOMEM;
}

/* ---- both ------------------------------------------------------------------------------------------------ */

ge_status ge_estimates_make(const struct ge_run *run, const struct values *values,
                            struct ge_summary *s)
{
    ge_status rc = GE_OK;
    if (!s->options.upstream && !s->options.irt) return GE_OK;
    GE_TRY_PTR(s->estimates, ge_arena_alloc(s->arena, 1, sizeof *s->estimates));
    if (s->options.upstream) GE_TRY(make_upstream(s, run->n_cells));
    if (s->options.irt) GE_TRY(make_irt(run, values, s));
done:
    return rc;
}
