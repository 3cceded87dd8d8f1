/* Rated answers joined with their scores, then metric by metric. */
#include "aggregate/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/people.h"
#include "aggregate/values.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "score/metric.h"
#include "stats/groups.h"

static const double job_limit = 1e9; /* of thresholds */

/* One score of a rated answer. */
struct joined {
    const char *task;
    uint32_t metric;
    uint32_t place; /* of the answer among the rated ones: the rest of the order */
    uint32_t item;
    double value, score, right;
};

struct work {
    const struct ge_run *run;
    const struct ge_calibrate_options *options;
    struct ge_arena *arena;
    struct joined *joined;
    size_t n, cap;
    /* (n) each, for one metric */
    double *x, *y;
    struct ge_case *cases;
    uint64_t *key;
    uint32_t *cluster, *fold;
    bool *decided;
};

static int compare_joined(const void *a, const void *b)
{
    const struct joined *x = a, *y = b;
    int by = strcmp(x->task, y->task);
    if (by != 0) return by;
    if (x->metric != y->metric) return x->metric < y->metric ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* ---- joining --------------------------------------------------------------------------------- */

static ge_status join_answer(struct work *w, const struct ge_rated_answer *a, uint32_t place)
{
    ge_status rc = GE_OK;
    const struct ge_run *run = w->run;
    const char *task = run->items[a->key.item].task[a->key.direction].type;
    const struct ge_result *r = ge_find_result(run, a->cell, a->key.item);
    size_t n = 0;
    if (r == NULL || task == NULL) return GE_OK;
    if (w->options->task != NULL && strcmp(task, w->options->task) != 0) return GE_OK;
    const struct ge_score_row *row = ge_find_scores(r, a->key, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = run->metrics.v[row[i].metric];
        if (w->options->metric != NULL && strcmp(name, w->options->metric) != 0) continue;
        GE_GROW(w->joined, w->n, w->cap);
        w->joined[w->n++] = (struct joined){.task = task,
                                            .metric = row[i].metric,
                                            .place = place,
                                            .item = a->key.item,
                                            .value = row[i].value,
                                            .score = a->score,
                                            .right = a->right};
    }
done:
    return rc;
}

static ge_status join(struct work *w)
{
    ge_status rc = GE_OK;
    struct ge_rated_answer *a = NULL;
    size_t n, dimension;
    const struct ge_calibrate_options *o = w->options;
    GE_TRY(ge_rating_dimension(&w->run->ratings, o->dimension, &dimension));
    GE_TRY(ge_rated_answers(&w->run->ratings, dimension, o->min, &a, &n));
    for (size_t i = 0; i < n; i++) GE_TRY(join_answer(w, &a[i], (uint32_t)i));
    if (w->n == 0) {
        GE_TRY(ge_fail(GE_EINVAL,
                       "found no score of %s%s%s beside ratings on \"%s\", allowed: a metric and a "
                       "task type that rated answers have",
                       o->metric != NULL ? o->metric : "any metric",
                       o->task != NULL ? " for the task type " : "", o->task != NULL ? o->task : "",
                       o->dimension));
    }
    qsort(w->joined, w->n, sizeof *w->joined, compare_joined);
done:
    free(a);
    return rc;
}

/* ---- one metric ------------------------------------------------------------------------------ */

static ge_status correlate(struct work *w, const struct joined *v, size_t n,
                           struct ge_calibration *c)
{
    ge_status rc = GE_OK;
    double level = w->options->level;
    for (size_t i = 0; i < n; i++) {
        w->x[i] = v[i].value;
        w->y[i] = v[i].score;
    }
    GE_TRY(ge_pearson(w->x, w->y, n, c->clusters, level, &c->pearson));
    GE_TRY(ge_spearman(w->x, w->y, n, c->clusters, level, &c->spearman));
    GE_TRY(ge_kendall(w->x, w->y, n, c->clusters, level, &c->kendall));
done:
    return rc;
}

/* Answers on which most raters agree, as cases on the metric's side; the number of them. */
static size_t make_cases(struct work *w, const uint32_t *cluster, const struct joined *v, size_t n,
                         bool higher)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].right == 0.5) continue;
        const char *name = w->run->items[v[i].item].cluster;
        w->cases[m] = (struct ge_case){.score = higher ? v[i].value : -v[i].value,
                                       .positive = v[i].right > 0.5,
                                       .cluster = cluster[v[i].item]};
        w->key[m++] = ge_mix(ge_check64(name, strlen(name)), w->options->seed);
    }
    return m;
}

static ge_status draw_curve(struct work *w, size_t m, struct ge_calibration *c)
{
    ge_status rc = GE_OK;
    struct ge_roc_point *points = NULL;
    GE_TRY(ge_roc_curve(w->cases, m, &points, &c->n_curve));
    GE_TRY_PTR(c->curve, ge_arena_alloc(w->arena, c->n_curve, sizeof *c->curve));
    for (size_t i = 0; i < c->n_curve; i++) {
        c->curve[i] = points[i];
        if (!c->higher) c->curve[i].threshold = -points[i].threshold;
    }
done:
    free(points);
    return rc;
}

/* Share of the validated decisions that people share, by clusters. */
static ge_status share_agreed(struct work *w, size_t m, struct ge_calibration *c)
{
    for (size_t i = 0; i < m; i++) {
        w->x[i] = w->decided[i] == w->cases[i].positive;
        w->cluster[i] = w->cases[i].cluster;
    }
    return ge_clustered_share(w->x, w->cluster, m, w->options->level, &c->agreement);
}

static ge_status find_threshold(struct work *w, size_t m, struct ge_calibration *c)
{
    ge_status rc = GE_OK;
    struct ge_cutoff cutoff;
    GE_TRY(ge_best_cutoff(w->cases, m, w->options->by, &cutoff));
    c->threshold = c->higher ? cutoff.threshold : -cutoff.threshold;
    GE_TRY(ge_make_folds(w->cases, w->key, m, w->options->folds, w->fold, &c->folds));
    GE_TRY(
        ge_cross_validate(w->cases, w->fold, m, c->folds, w->options->by, w->decided, &c->checked));
    c->agreement = (struct ge_estimate){NAN, NAN, NAN};
    if (c->folds > 0) GE_TRY(share_agreed(w, m, c));
    c->usable =
        c->better != GE_BETTER_NEITHER && fabs(c->threshold) <= job_limit && c->checked.kappa > 0;
done:
    return rc;
}

static size_t count_clusters(const uint32_t *cluster, const struct joined *v, size_t n,
                             uint32_t *work)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) work[i] = cluster[v[i].item];
    return ge_group_index(work, n, work, &count) == GE_OK ? count : SIZE_MAX;
}

/* v (n): the scores of one metric in one task type. */
static ge_status calibrate_metric(struct work *w, const uint32_t *cluster, const struct joined *v,
                                  size_t n, struct ge_calibration *c)
{
    ge_status rc = GE_OK;
    enum ge_metric_id id = ge_metric_find(w->run->metrics.v[v->metric]);
    *c = (struct ge_calibration){.task = v->task, .metric = w->run->metrics.v[v->metric]};
    c->better = id < GE_METRICS ? ge_metric_info(id)->better : GE_BETTER_NEITHER;
    c->higher = c->better != GE_BETTER_LOWER;
    c->answers = n;
    c->clusters = count_clusters(cluster, v, n, w->cluster);
    if (c->clusters == SIZE_MAX) GE_TRY(GE_ENOMEM);
    GE_TRY(correlate(w, v, n, c));
    size_t m = make_cases(w, cluster, v, n, c->higher);
    c->split = n - m;
    GE_TRY(ge_roc_auc(w->cases, m, w->options->level, &c->auc));
    if (c->better == GE_BETTER_NEITHER && c->auc.value < 0.5) {
        c->higher = false;
        m = make_cases(w, cluster, v, n, false);
        GE_TRY(ge_roc_auc(w->cases, m, w->options->level, &c->auc));
    }
    GE_TRY(draw_curve(w, m, c));
    GE_TRY(find_threshold(w, m, c));
done:
    return rc;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool beats(const struct ge_calibration *a, const struct ge_calibration *b)
{
    if (b == NULL || a->checked.kappa != b->checked.kappa) {
        return b == NULL || a->checked.kappa > b->checked.kappa;
    }
    return a->auc.value > b->auc.value;
}

static void recommend(struct ge_calibration *rows, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        struct ge_calibration *best = NULL;
        for (end = i; end < n && strcmp(rows[end].task, rows[i].task) == 0; end++) {
            if (rows[end].usable && beats(&rows[end], best)) best = &rows[end];
        }
        if (best != NULL) best->recommended = true;
    }
}

static ge_status make_room(struct work *w)
{
    ge_status rc = GE_OK;
    GE_NEW(w->x, w->n);
    GE_NEW(w->y, w->n);
    GE_NEW(w->cases, w->n);
    GE_NEW(w->key, w->n);
    GE_NEW(w->cluster, w->n);
    GE_NEW(w->fold, w->n);
    GE_NEW(w->decided, w->n);
done:
    return rc;
}

static ge_status check_options(const struct ge_run *run, const struct ge_calibrate_options *o)
{
    if (run->ratings.n == 0) return ge_fail(GE_EINVAL, "found no ratings, allowed: one or more");
    if (!(o->level > 0 && o->level < 1) || o->folds < 2 || !isfinite(o->min)) {
        return ge_fail(GE_EINVAL,
                       "found level %g, %u folds, least score %g; allowed: a level between 0 "
                       "and 1, 2 folds or more, a finite score",
                       o->level, o->folds, o->min);
    }
    return GE_OK;
}

static void work_free(struct work *w)
{
    free(w->joined);
    free(w->x);
    free(w->y);
    free(w->cases);
    free(w->key);
    free(w->cluster);
    free(w->fold);
    free(w->decided);
}

ge_status ge_calibrate(const struct ge_run *run, const struct ge_calibrate_options *options,
                       struct ge_arena *arena, struct ge_calibration **rows, size_t *n)
{
    ge_status rc = GE_OK;
    struct work w = {.run = run, .options = options, .arena = arena};
    struct values values = {0};
    *n = 0;
    GE_TRY(check_options(run, options));
    GE_TRY(ge_values_make(run, &values));
    GE_TRY(join(&w));
    GE_TRY(make_room(&w));
    size_t groups = 1;
    for (size_t i = 1; i < w.n; i++) {
        groups += w.joined[i].metric != w.joined[i - 1].metric ||
                  strcmp(w.joined[i].task, w.joined[i - 1].task) != 0;
    }
    GE_TRY_PTR(*rows, ge_arena_alloc(arena, groups, sizeof **rows));
    for (size_t i = 0, end; i < w.n; i = end) {
        const struct joined *v = &w.joined[i];
        for (end = i; end < w.n && w.joined[end].metric == v->metric &&
                      strcmp(w.joined[end].task, v->task) == 0;
             end++) {
        }
        GE_TRY(calibrate_metric(&w, values.cluster, v, end - i, &(*rows)[*n]));
        ++*n;
    }
    recommend(*rows, *n);
done:
    ge_values_free(&values);
    work_free(&w);
    return rc;
}
