/* Groups of items, and a row of figures for each system and group. */
#include "aggregate/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/bca.h"
#include "aggregate/bounds.h"
#include "aggregate/estimators_make.h"
#include "aggregate/interval.h"
#include "aggregate/leaderboard.h"
#include "aggregate/people.h"
#include "aggregate/values.h"
#include "base/mem.h"

/* ---- groups -------------------------------------------------------------------------------------------- */

struct group {
    const char *dimension, *name;
    const uint32_t *items; /* (n) */
    size_t n;
};

struct groups {
    struct group *v;
    size_t n, cap;
    struct ge_arena *arena; /* borrowed */
};

/* Sort the members by name and make a group of each run. */
static ge_status add_groups(struct groups *g, const char *dimension, struct named *members,
                            size_t n)
{
    ge_status rc = GE_OK;
    uint32_t *items;
    GE_TRY_PTR(items, ge_arena_alloc(g->arena, n, sizeof *items));
    if (n > 0) qsort(members, n, sizeof *members, ge_compare_named);
    for (size_t i = 0, used = 0; i < n; i++) {
        bool first = i == 0 || strcmp(members[i].name, members[i - 1].name) != 0;
        if (!first && members[i].item == members[i - 1].item) continue; /* a tag given twice */
        items[used] = members[i].item;
        if (first) {
            GE_GROW(g->v, g->n, g->cap);
            g->v[g->n++] = (struct group){dimension, members[i].name, items + used, 0};
        }
        g->v[g->n - 1].n++;
        used++;
    }
done:
    return rc;
}

enum dimension { OVERALL, CATEGORY, SUBCATEGORY, TAG };
static const char *const dimension_names[] = {"overall", "category", "subcategory", "tag"};

/* Names of the groups that an item is in along one dimension. */
static struct ge_strings names_of(const struct ge_item *item, enum dimension d, const char **one)
{
    *one = d == OVERALL ? "" : d == CATEGORY ? item->category : item->subcategory;
    if (d == TAG) return item->tags;
    return (struct ge_strings){.v = one, .n = *one != NULL};
}

static ge_status add_dimension(struct groups *g, const struct ge_run *run, enum dimension d)
{
    ge_status rc = GE_OK;
    struct named *members = NULL;
    size_t n = 0, cap = 0;
    const char *one;
    for (size_t i = 0; i < run->n_items; i++) {
        struct ge_strings names = names_of(&run->items[i], d, &one);
        for (size_t k = 0; k < names.n; k++) {
            GE_GROW(members, n, cap);
            members[n++] = (struct named){names.v[k], (uint32_t)i};
        }
    }
    GE_TRY(add_groups(g, dimension_names[d], members, n));
done:
    free(members);
    return rc;
}

/* ---- a row of gap figures ------------------------------------------------------------------------------------ */

/* What a group of one cell holds; the arrays have room for every item of the run. */
struct work {
    const struct ge_run *run;
    const struct values *values;
    const struct ge_aggregate_options *options;
    struct ge_interval_options intervals;
    struct ge_pair *pairs;
    struct bounds_item *bounded;
};

/* Put one item into the group's counts; n_pairs counts the judged ones. */
static void add_item(struct work *w, size_t cell, uint32_t item, size_t *n_pairs,
                     struct ge_gap_row *row)
{
    const struct ge_item *it = &w->run->items[item];
    if (!it->task[GE_UND].present || !it->task[GE_GEN].present) return;
    const struct direction_value *du = ge_values_at(w->values, cell, item, GE_UND);
    const struct direction_value *dg = ge_values_at(w->values, cell, item, GE_GEN);
    double u = 0, g = 0;
    enum direction_state su = ge_direction_state(du, w->options->failures_wrong, &u);
    enum direction_state sg = ge_direction_state(dg, w->options->failures_wrong, &g);
    if (su == DIRECTION_UNDONE || sg == DIRECTION_UNDONE) {
        row->undone++;
        return;
    }
    w->bounded[row->items++] = (struct bounds_item){du, dg};
    row->failed_samples += du->failed + dg->failed;
    row->failed_und += du->judged == 0;
    row->failed_gen += dg->judged == 0;
    if (su == DIRECTION_JUDGED && sg == DIRECTION_JUDGED) {
        w->pairs[(*n_pairs)++] = (struct ge_pair){u, g, w->values->cluster[item]};
    }
}

/* Mean over items and directions of the standard deviation over samples, where there are
 * several. */
static double sample_spread(const struct work *w, size_t cell, const struct group *group)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < group->n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct direction_value *v =
                ge_values_at(w->values, cell, group->items[i], (enum ge_direction)d);
            if (v->judged < 2) continue;
            double mean = v->sum / v->judged;
            double var = (v->sum_squares - v->sum * mean) / (v->judged - 1);
            sum += sqrt(fmax(0, var));
            n++;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

static ge_status make_row(struct work *w, size_t cell, const struct group *group,
                          struct ge_gap_row *row)
{
    ge_status rc = GE_OK;
    size_t n_pairs = 0;
    row->system = w->run->cells[cell].system;
    row->dimension = group->dimension;
    row->group = group->name;
    for (size_t i = 0; i < group->n; i++) add_item(w, cell, group->items[i], &n_pairs, row);
    GE_TRY(ge_gap_logit_by(w->pairs, n_pairs, &w->intervals, row));
    GE_TRY(ge_bounds(w->bounded, row->items, row));
    row->sample_spread = sample_spread(w, cell, group);
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        row->repeats[d] =
            ge_repeated(w->values, cell, (enum ge_direction)d, group->items, group->n);
    }
done:
    return rc;
}

static ge_status make_rows(struct ge_summary *s, struct work *w, const struct groups *groups)
{
    ge_status rc = GE_OK;
    size_t n = 0;
    s->n_groups = groups->n;
    GE_TRY(ge_mul(w->run->n_cells, groups->n, &n));
    GE_TRY_PTR(s->rows, ge_arena_alloc(s->arena, n, sizeof *s->rows));
    for (size_t cell = 0; cell < w->run->n_cells; cell++) {
        for (size_t g = 0; g < groups->n; g++) {
            GE_TRY(make_row(w, cell, &groups->v[g], &s->rows[s->n_rows]));
            s->n_rows++;
        }
    }
done:
    return rc;
}

/* ---- means of metrics ----------------------------------------------------------------------------------------- */

/* Sums of one metric over one cell and direction, by cluster; `overall` only. */
struct metric_sum {
    double *sum, *count; /* (clusters) */
    double total;
    size_t n;
};

static void finish_metric(const struct metric_sum *m, size_t n_clusters, double level,
                          struct ge_metric_row *row)
{
    double mean = m->total / (double)m->n, squares = 0;
    size_t used = 0;
    for (size_t c = 0; c < n_clusters; c++) {
        if (m->count[c] == 0) continue;
        double deviation = m->sum[c] - m->count[c] * mean;
        squares += deviation * deviation;
        used++;
    }
    double t = ge_t_two_sided(level, used), scale = (double)used / ((double)used - 1);
    double half = t * sqrt(squares * scale) / (double)m->n;
    row->n = m->n;
    row->mean = (struct ge_estimate){mean, mean - half, mean + half};
}

/* Sums of all metrics, und before gen. */
struct metric_sums {
    struct metric_sum *v; /* (n) */
    size_t n;
    double *memory; /* (2, n, clusters): the sums, then the counts */
};

static ge_status add_scores(const struct work *w, size_t cell, struct metric_sums *sums)
{
    const struct ge_run *run = w->run;
    size_t n_metrics = run->metrics.n;
    for (size_t i = 0; i < run->n_results; i++) {
        const struct ge_result *r = &run->results[i];
        if (r->cell != cell) continue;
        for (size_t k = 0; k < r->n_scores; k++) {
            const struct ge_score_row *row = &r->scores[k];
            ge_status rc = ge_check_score_row(run, row);
            if (rc != GE_OK) return rc;
            struct metric_sum *m = &sums->v[row->key.direction * n_metrics + row->metric];
            uint32_t c = w->values->cluster[row->key.item];
            m->sum[c] += row->value;
            m->count[c] += 1;
            m->total += row->value;
            m->n++;
        }
    }
    return GE_OK;
}

/* BCa intervals of the last `rows` rows of the summary, which are this cell's. */
static ge_status bootstrap_metrics(struct ge_summary *s, const struct work *w,
                                   const struct metric_sums *sums, size_t rows)
{
    ge_status rc = GE_OK;
    struct ge_estimate **means = NULL, unused = {NAN, NAN, NAN};
    struct ge_metric_row *next = s->metrics + (s->n_metrics - rows);
    size_t clusters = w->values->n_clusters;
    GE_NEW(means, sums->n);
    for (size_t i = 0; i < sums->n; i++) means[i] = sums->v[i].n > 0 ? &next++->mean : &unused;
    GE_TRY(ge_means_bca(sums->memory, sums->memory + sums->n * clusters, sums->n, clusters,
                        &w->intervals, means));
done:
    free(means);
    return rc;
}

static ge_status metrics_of_cell(struct ge_summary *s, const struct work *w, size_t cell,
                                 struct metric_sums *sums, size_t *cap)
{
    ge_status rc = GE_OK;
    const struct ge_run *run = w->run;
    size_t n_metrics = run->metrics.n, clusters = w->values->n_clusters, rows = 0;
    memset(sums->memory, 0, 2 * sums->n * clusters * sizeof *sums->memory);
    for (size_t i = 0; i < sums->n; i++) {
        sums->v[i] = (struct metric_sum){.sum = sums->memory + i * clusters,
                                         .count = sums->memory + (sums->n + i) * clusters};
    }
    GE_TRY(add_scores(w, cell, sums));
    for (size_t i = 0; i < sums->n; i++) {
        struct metric_sum *m = &sums->v[i];
        if (m->n == 0) continue;
        GE_GROW(s->metrics, s->n_metrics, *cap);
        struct ge_metric_row *row = &s->metrics[s->n_metrics++];
        *row = (struct ge_metric_row){.system = run->cells[cell].system,
                                      .dimension = "overall",
                                      .group = "",
                                      .metric = run->metrics.v[i % n_metrics],
                                      .direction = (enum ge_direction)(i / n_metrics)};
        finish_metric(m, clusters, w->options->level, row);
        rows++;
    }
    if (w->intervals.method == GE_INTERVAL_BCA) GE_TRY(bootstrap_metrics(s, w, sums, rows));
done:
    return rc;
}

static ge_status make_metrics(struct ge_summary *s, const struct work *w)
{
    ge_status rc = GE_OK;
    struct metric_sums sums = {.n = GE_DIRECTIONS * w->run->metrics.n};
    size_t doubles = 0, cap = 0;
    GE_TRY(ge_mul(2 * sums.n, w->values->n_clusters, &doubles));
    GE_NEW(sums.v, sums.n);
    GE_NEW(sums.memory, doubles);
    for (size_t cell = 0; cell < w->run->n_cells; cell++) {
        GE_TRY(metrics_of_cell(s, w, cell, &sums, &cap));
    }
done:
    free(sums.memory);
    free(sums.v);
    return rc;
}

/* ---- everything --------------------------------------------------------------------------------------------------- */

static ge_status make_groups(struct groups *g, const struct ge_run *run,
                             const struct ge_aggregate_options *options)
{
    ge_status rc = GE_OK;
    GE_TRY(add_dimension(g, run, OVERALL));
    if (options->by_category) GE_TRY(add_dimension(g, run, CATEGORY));
    if (options->by_subcategory) GE_TRY(add_dimension(g, run, SUBCATEGORY));
    if (options->by_tag) GE_TRY(add_dimension(g, run, TAG));
done:
    return rc;
}

ge_status ge_aggregate(const struct ge_run *run, const struct ge_aggregate_options *options,
                       struct ge_summary **summary)
{
    ge_status rc = GE_OK;
    struct ge_summary *s = NULL;
    struct values values = {0};
    struct groups groups = {0};
    struct work w = {.run = run, .values = &values, .options = options};
    *summary = NULL;
    if (!(options->level > 0 && options->level < 1)) {
        GE_TRY(
            ge_fail(GE_EINVAL, "aggregation.level %g; allowed is between 0 and 1", options->level));
    }
    GE_NEW(s, 1);
    s->options = *options;
    s->ranked = run->n_cells > 1;
    GE_TRY_PTR(s->arena, ge_arena_new());
    groups.arena = s->arena;
    GE_TRY(ge_values_make(run, &values));
    GE_TRY(make_groups(&groups, run, options));
    GE_NEW(w.pairs, run->n_items);
    GE_NEW(w.bounded, run->n_items);
    w.intervals = (struct ge_interval_options){options->interval, options->level,
                                               options->resamples, options->seed, options->pool};
    GE_TRY(make_rows(s, &w, &groups));
    GE_TRY(ge_compare_rows(run, &values, options, s->rows, s->n_rows));
    GE_TRY(make_metrics(s, &w));
    GE_TRY(ge_estimates_make(run, &values, s));
    GE_TRY(ge_corpus_rows(run, options->corpus, options->n_corpus, s->arena, &s->corpus,
                          &s->n_corpus));
    GE_TRY(ge_diagnose(run, &values, s->arena, &s->diagnoses, &s->n_diagnoses));
    if (run->ratings.n > 0) GE_TRY(ge_people_make(run, &values, options, s->arena, &s->people));
    for (size_t i = 0; i < run->n_results; i++) {
        s->errors += run->results[i].n_errors;
        s->undone += run->results[i].n_undone;
    }
    s->options.pool = NULL; /* it was borrowed for the call */
    *summary = s;
    s = NULL;
done:
    ge_summary_delete(&s);
    ge_values_free(&values);
    free(groups.v);
    free(w.pairs);
    free(w.bounded);
    return rc;
}

void ge_summary_delete(struct ge_summary **summary)
{
    if (summary == NULL || *summary == NULL) return;
    struct ge_summary *s = *summary;
    *summary = NULL;
    ge_arena_delete(&s->arena);
    free(s->metrics);
    free(s);
}
