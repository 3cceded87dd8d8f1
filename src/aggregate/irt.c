/* From pairs to the table that is fitted, and from the fit to figures by model. */
#include "aggregate/irt.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/irt_fit.h"
#include "base/math.h"
#include "base/mem.h"

enum { SIDES = GE_DIRECTIONS, OUT = -1 }; /* OUT: an ability that takes no part */

const char *ge_irt_reason_name(enum ge_irt_reason reason)
{
    static const char *const names[] = {"estimated", "separated", "no_items", "unidentified",
                                        "unbounded"};
    return names[reason];
}

ge_status ge_irt_right(double verdict, uint32_t judges, uint32_t *right)
{
    double product = verdict * judges, whole = floor(product + 0.5);
    if (judges < 1 || judges > GE_IRT_JUDGED_MOST) {
        return ge_fail(GE_EINVAL, "%u judges; allowed are 1 to %u", judges, GE_IRT_JUDGED_MOST);
    }
    if (!(verdict >= 0 && verdict <= 1)) {
        return ge_fail(GE_EINVAL, "verdict %g; wanted a value from 0 to 1", verdict);
    }
    if (!(fabs(product - whole) <= 0.005)) {
        return ge_fail(GE_EINVAL,
                       "verdict %g of %u judgements is %g right ones; irt counts judgements: give "
                       "how many are behind each verdict (judges), or use another estimator",
                       verdict, judges, product);
    }
    *right = (uint32_t)whole;
    return GE_OK;
}

/* ---- the table ------------------------------------------------------------------------------------- */

struct problem {
    const struct ge_irt_pair *pairs;
    size_t n, n_models, n_items;
    double *right, *total;      /* (n_models, SIDES) judgements */
    enum ge_irt_reason *reason; /* (n_models, SIDES) */
    int *column;                /* (n_models, SIDES) in the table, or OUT */
    int *row;                   /* (n_items) in the table, or OUT */
    struct irt_table table;
    double coefficients; /* sum of ln C(judges, right) */
    bool identified;
};

static ge_status check_pairs(const struct problem *p)
{
    ge_status rc = GE_OK;
    unsigned char *seen = NULL; /* (n_models, n_items) bits */
    size_t cells = 0;
    GE_TRY(ge_mul(p->n_models, p->n_items, &cells));
    GE_NEW(seen, cells / 8 + 1);
    for (size_t i = 0; i < p->n; i++) {
        const struct ge_irt_pair *x = &p->pairs[i];
        const struct ge_irt_count *u = &x->count[GE_UND], *g = &x->count[GE_GEN];
        if (x->model >= p->n_models || x->item >= p->n_items || u->judged > GE_IRT_JUDGED_MOST ||
            g->judged > GE_IRT_JUDGED_MOST || u->right > u->judged || g->right > g->judged) {
            GE_TRY(ge_fail(GE_EINVAL,
                           "irt: pair %zu: model %u, item %u, %u of %u and %u of %u right", i,
                           x->model, x->item, u->right, u->judged, g->right, g->judged));
        }
        size_t cell = x->model * p->n_items + x->item;
        if (seen[cell / 8] >> (cell % 8) & 1) {
            GE_TRY(ge_fail(GE_EINVAL, "irt: model %u, item %u: given twice", x->model, x->item));
        }
        seen[cell / 8] |= (unsigned char)(1u << (cell % 8));
    }
done:
    free(seen);
    return rc;
}

/* Which abilities take part. */
static void set_columns(struct problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct ge_irt_pair *x = &p->pairs[i];
        for (int d = 0; d < SIDES; d++) {
            p->right[SIDES * x->model + (size_t)d] += x->count[d].right;
            p->total[SIDES * x->model + (size_t)d] += x->count[d].judged;
        }
    }
    for (size_t c = 0; c < SIDES * p->n_models; c++) {
        bool extreme = p->right[c] == 0 || p->right[c] == p->total[c];
        p->reason[c] = p->total[c] == 0 ? GE_IRT_NO_ITEMS
                       : extreme        ? GE_IRT_SEPARATED
                                        : GE_IRT_ESTIMATED;
        p->column[c] = p->reason[c] == GE_IRT_ESTIMATED ? (int)p->table.n++ : OUT;
    }
}

static double log_choose(uint32_t n, uint32_t k)
{
    if (k == 0 || k == n) return 0;
    return ge_lgamma(n + 1.0) - ge_lgamma(k + 1.0) - ge_lgamma(n - k + 1.0);
}

static int column_of(const struct problem *p, const struct ge_irt_pair *x, int direction)
{
    return x->count[direction].judged == 0 ? OUT : p->column[SIDES * x->model + (size_t)direction];
}

static void add_count(struct problem *p, const struct ge_irt_pair *x, int direction)
{
    int column = column_of(p, x, direction);
    const struct ge_irt_count *count = &x->count[direction];
    if (column == OUT) return;
    size_t at = (size_t)p->row[x->item] * p->table.n + (size_t)column;
    p->table.right[at] = (float)count->right;
    p->table.total[at] = (float)count->judged;
    p->coefficients += log_choose(count->judged, count->right);
}

/* Rows for the items that take part; difficulties can be told from chance if one of them has two
 * judgements. */
static void set_rows(struct problem *p)
{
    for (size_t i = 0; i < p->n_items; i++) p->row[i] = OUT;
    for (size_t i = 0; i < p->n; i++) {
        const struct ge_irt_pair *x = &p->pairs[i];
        for (int d = 0; d < SIDES; d++) {
            if (column_of(p, x, d) == OUT) continue;
            bool seen = p->row[x->item] != OUT;
            if (!seen) p->row[x->item] = (int)p->table.items++;
            p->identified = p->identified || seen || x->count[d].judged > 1;
        }
    }
}

static ge_status fill_table(struct problem *p)
{
    ge_status rc = GE_OK;
    size_t cells = 0;
    set_rows(p);
    GE_TRY(ge_mul(p->table.items, p->table.n, &cells));
    GE_NEW(p->table.right, cells);
    GE_NEW(p->table.total, cells);
    for (size_t i = 0; i < p->n; i++) {
        for (int d = 0; d < SIDES; d++) add_count(p, &p->pairs[i], d);
    }
done:
    return rc;
}

static ge_status make_problem(struct problem *p)
{
    ge_status rc = GE_OK;
    size_t columns = SIDES * p->n_models;
    GE_TRY(check_pairs(p));
    GE_NEW(p->right, columns);
    GE_NEW(p->total, columns);
    GE_NEW(p->reason, columns);
    GE_NEW(p->column, columns);
    GE_NEW(p->row, p->n_items);
    set_columns(p);
    GE_TRY(fill_table(p));
done:
    return rc;
}

static void free_problem(struct problem *p)
{
    free(p->right);
    free(p->total);
    free(p->reason);
    free(p->column);
    free(p->row);
    free(p->table.right);
    free(p->table.total);
}

/* ---- the result -------------------------------------------------------------------------------------- */

/* No ability of the fit has an estimate. */
static void give_up(struct problem *p, enum ge_irt_reason reason)
{
    for (size_t c = 0; c < SIDES * p->n_models; c++) {
        if (p->reason[c] == GE_IRT_ESTIMATED) p->reason[c] = reason;
    }
}

static void set_model(const struct problem *p, const struct irt_optimum *best, size_t model,
                      struct ge_irt_model *out)
{
    struct ge_irt_ability *side[SIDES] = {&out->und, &out->gen};
    const int *column = p->column + SIDES * model;
    size_t n = p->table.n;
    for (int d = 0; d < SIDES; d++) {
        *side[d] = (struct ge_irt_ability){NAN, NAN, p->reason[SIDES * model + (size_t)d]};
        if (side[d]->reason != GE_IRT_ESTIMATED) continue;
        size_t c = (size_t)column[d];
        side[d]->theta = best->x[c];
        side[d]->se = sqrt(best->covariance[c * n + c]);
    }
    out->covariance = out->delta = out->se_delta = NAN;
    if (out->und.reason != GE_IRT_ESTIMATED || out->gen.reason != GE_IRT_ESTIMATED) return;
    size_t u = (size_t)column[0], g = (size_t)column[1];
    out->covariance = best->covariance[u * n + g];
    out->delta = out->und.theta - out->gen.theta;
    out->se_delta =
        sqrt(best->covariance[u * n + u] + best->covariance[g * n + g] - 2 * out->covariance);
}

static ge_status maximise(struct problem *p, const struct ge_irt_options *options,
                          struct ge_irt_fit *fit)
{
    ge_status rc = GE_OK;
    size_t n = p->table.n;
    struct irt_optimum best = {0};
    fit->sd_item = fit->loglik = NAN;
    GE_NEW(best.x, n + 1);
    GE_NEW(best.covariance, n * n);
    if (n > 0 && !p->identified) give_up(p, GE_IRT_UNIDENTIFIED);
    if (n > 0 && p->identified) {
        for (size_t c = 0; c < SIDES * p->n_models; c++) {
            double share = (p->right[c] + 0.5) / (p->total[c] + 1);
            if (p->column[c] != OUT) best.x[p->column[c]] = ge_logit(share);
        }
        best.x[n] = 1;
        GE_TRY(irt_maximise(&p->table, options->nodes, GE_IRT_SD_MOST, options->pool, &best));
        fit->steps = best.steps;
        if (best.unbounded) {
            give_up(p, GE_IRT_UNBOUNDED);
        } else {
            fit->sd_item = best.x[n];
            fit->loglik = best.loglik + p->coefficients;
        }
    }
    for (size_t m = 0; m < p->n_models; m++) set_model(p, &best, m, &fit->models[m]);
done:
    free(best.x);
    free(best.covariance);
    return rc;
}

ge_status ge_irt(const struct ge_irt_pair *pairs, size_t n, size_t n_models, size_t n_items,
                 const struct ge_irt_options *options, struct ge_irt_fit *fit)
{
    ge_status rc = GE_OK;
    struct problem p = {.pairs = pairs, .n = n, .n_models = n_models, .n_items = n_items};
    *fit = (struct ge_irt_fit){.n_models = n_models, .nodes = options->nodes};
    if (options->nodes < 1 || options->nodes > GE_IRT_NODES_MOST) {
        GE_TRY(ge_fail(GE_EINVAL, "%d quadrature nodes; allowed are 1 to %d", options->nodes,
                       GE_IRT_NODES_MOST));
    }
    if (n_models > GE_IRT_MODELS_MOST || n_items > INT32_MAX) {
        GE_TRY(ge_fail(GE_ELIMIT,
                       "irt: %zu models and %zu items; at most %d models are fitted together",
                       n_models, n_items, GE_IRT_MODELS_MOST));
    }
    GE_TRY(make_problem(&p));
    GE_NEW(fit->models, n_models);
    GE_TRY(maximise(&p, options, fit));
    fit->items = p.table.items;
    for (size_t i = 0; i < p.table.items * p.table.n; i++) {
        fit->judgements += (size_t)p.table.total[i];
    }
done:
    free_problem(&p);
    if (rc != GE_OK) ge_irt_free(fit);
    return rc;
}

void ge_irt_free(struct ge_irt_fit *fit)
{
    free(fit->models);
    fit->models = NULL;
    fit->n_models = 0;
}
