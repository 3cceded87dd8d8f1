/* Means of ratings, agreement of raters, agreement of verdicts with people. */
#include "aggregate/people.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/interval.h"
#include "aggregate/values.h"
#include "base/buf.h"
#include "base/mem.h"
#include "stats/groups.h"
#include "stats/roc.h"

enum { ALPHA_SEED = 2004 }; /* any fixed number: the same ratings give the same interval */

/* ---- means over clusters --------------------------------------------------------------------- */

/* Sum over clusters of the squared sum of x - centre, and how many clusters there are. */
static ge_status cluster_squares(const double *x, const uint32_t *cluster, size_t n, double centre,
                                 double *squares, size_t *clusters)
{
    ge_status rc = GE_OK;
    uint32_t *index = NULL;
    double *sum = NULL;
    GE_NEW(index, n);
    GE_TRY(ge_group_index(cluster, n, index, clusters));
    GE_NEW(sum, *clusters);
    for (size_t i = 0; i < n; i++) sum[index[i]] += x[i] - centre;
    *squares = 0;
    for (size_t c = 0; c < *clusters; c++) *squares += sum[c] * sum[c];
done:
    free(sum);
    free(index);
    return rc;
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

ge_status ge_clustered_mean(const double *x, const uint32_t *cluster, size_t n, double level,
                            struct ge_estimate *out)
{
    double squares, size = (double)n, mean = sum_of(x, n) / size;
    size_t clusters = 0;
    *out = (struct ge_estimate){mean, NAN, NAN};
    if (n == 0) return GE_OK;
    ge_status rc = cluster_squares(x, cluster, n, mean, &squares, &clusters);
    double t = ge_t_two_sided(level, clusters), c = (double)clusters;
    if (rc != GE_OK || isnan(t)) return rc;
    double half = t * sqrt(c / (c - 1) * squares) / size;
    *out = (struct ge_estimate){mean, mean - half, mean + half};
    return GE_OK;
}

ge_status ge_clustered_share(const double *x, const uint32_t *cluster, size_t n, double level,
                             struct ge_estimate *out)
{
    double squares, size = (double)n, sum = sum_of(x, n), smooth = (sum + 0.5) / (size + 1);
    size_t clusters = 0;
    *out = (struct ge_estimate){sum / size, NAN, NAN};
    if (n == 0) return GE_OK;
    ge_status rc = cluster_squares(x, cluster, n, smooth, &squares, &clusters);
    if (rc != GE_OK || clusters < 2) return rc;
    double corners = 0.5 * (smooth * smooth + (1 - smooth) * (1 - smooth)), c = (double)clusters;
    double var = c / (c - 1) * (squares + corners) / ((size + 1) * (size + 1));
    *out = ge_wilson(sum / size, smooth, var, INFINITY, ge_t_two_sided(level, clusters));
    return GE_OK;
}

/* ---- looking rows up ------------------------------------------------------------------------- */

const struct ge_result *ge_find_result(const struct ge_run *run, uint32_t cell, uint32_t item)
{
    size_t lo = 0, hi = run->n_results;
    while (lo < hi) { /* the first result that begins behind the item */
        size_t mid = lo + (hi - lo) / 2;
        const struct ge_result *r = &run->results[mid];
        bool behind = r->cell > cell || (r->cell == cell && r->first > item);
        if (behind) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    if (lo == 0) return NULL;
    const struct ge_result *r = &run->results[lo - 1];
    return r->cell == cell && item >= r->first && item - r->first < r->count ? r : NULL;
}

double ge_find_verdict(const struct ge_result *r, struct ge_key key)
{
    size_t lo = 0, hi = r->n_verdicts;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int by = ge_key_compare(r->verdicts[mid].key, key);
        if (by == 0) return r->verdicts[mid].value;
        if (by < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NAN;
}

const struct ge_score_row *ge_find_scores(const struct ge_result *r, struct ge_key key, size_t *n)
{
    size_t lo = 0, hi = r->n_scores;
    while (lo < hi) { /* the first row that is not before the key */
        size_t mid = lo + (hi - lo) / 2;
        if (ge_key_compare(r->scores[mid].key, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *n = 0;
    while (lo + *n < r->n_scores && ge_key_compare(r->scores[lo + *n].key, key) == 0) ++*n;
    return r->scores + lo;
}

/* ---- answers --------------------------------------------------------------------------------- */

ge_status ge_rating_dimension(const struct ge_ratings *r, const char *name, size_t *index)
{
    struct ge_buf names;
    *index = ge_rating_name(&r->dimensions, name);
    if (*index != SIZE_MAX) return GE_OK;
    ge_buf_init(&names, 1024);
    for (size_t i = 0; i < r->dimensions.n; i++) {
        ge_buf_printf(&names, "%s%s", i > 0 ? ", " : "", r->dimensions.v[i]);
    }
    ge_status rc = ge_fail(GE_EINVAL, "found no ratings on the dimension \"%.80s\", allowed: %s",
                           name, names.data != NULL ? names.data : "none, there are no ratings");
    ge_buf_free(&names);
    return rc;
}

static bool same_answer(const struct ge_rating *a, const struct ge_rated_answer *b)
{
    return a->cell == b->cell && ge_key_compare(a->key, b->key) == 0;
}

ge_status ge_rated_answers(const struct ge_ratings *r, size_t dimension, double min,
                           struct ge_rated_answer **out, size_t *n)
{
    ge_status rc = GE_OK;
    struct ge_rated_answer *v = NULL;
    size_t cap = 0;
    *n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct ge_rating *x = &r->v[i];
        if (x->dimension != dimension) continue;
        if (*n == 0 || !same_answer(x, &v[*n - 1])) {
            GE_GROW(v, *n, cap);
            v[(*n)++] = (struct ge_rated_answer){.cell = x->cell, .key = x->key};
        }
        struct ge_rated_answer *a = &v[*n - 1];
        a->n++;
        a->score += x->score;
        a->right += x->score >= min;
    }
    for (size_t i = 0; i < *n; i++) {
        v[i].score /= (double)v[i].n;
        v[i].right /= (double)v[i].n;
    }
    *out = v;
    v = NULL;
done:
    free(v);
    return rc;
}

/* ---- agreement of raters --------------------------------------------------------------------- */

struct work {
    const struct ge_run *run;
    const struct values *values;
    const struct ge_aggregate_options *options;
    struct ge_arena *arena;
    struct ge_people *people;
    double *x;         /* (n ratings) work space */
    uint32_t *cluster; /* (n ratings) */
};

static size_t count_raters(const struct ge_ratings *r, size_t dimension, bool *seen)
{
    size_t n = 0;
    memset(seen, 0, r->raters.n * sizeof *seen);
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].dimension != dimension || seen[r->v[i].rater]) continue;
        seen[r->v[i].rater] = true;
        n++;
    }
    return n;
}

static ge_status make_dimension(struct work *w, size_t d, struct ge_people_dimension *out)
{
    ge_status rc = GE_OK;
    const struct ge_ratings *r = &w->run->ratings;
    struct ge_rated *rated = NULL;
    bool *seen = NULL;
    const struct ge_rating *last = NULL;
    *out = (struct ge_people_dimension){.name = r->dimensions.v[d]};
    GE_NEW(rated, r->n);
    GE_NEW(seen, r->raters.n);
    out->raters = count_raters(r, d, seen);
    for (size_t i = 0; i < r->n; i++) {
        const struct ge_rating *x = &r->v[i];
        if (x->dimension != d) continue;
        bool same = last != NULL && last->cell == x->cell && ge_key_compare(last->key, x->key) == 0;
        if (!same) w->cluster[out->answers++] = w->values->cluster[x->key.item];
        rated[out->ratings++] = (struct ge_rated){(uint32_t)out->answers - 1, x->score};
        last = x;
    }
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        GE_TRY(ge_krippendorff(rated, out->ratings, out->answers, w->cluster,
                               (enum ge_alpha_metric)m, w->options->level, ALPHA_SEED,
                               &out->alpha[m]));
    }
done:
    free(seen);
    free(rated);
    return rc;
}

static ge_status make_dimensions(struct work *w)
{
    ge_status rc = GE_OK;
    size_t n = w->run->ratings.dimensions.n;
    struct ge_people_dimension *d;
    GE_TRY_PTR(d, ge_arena_alloc(w->arena, n, sizeof *d));
    for (size_t i = 0; i < n; i++) GE_TRY(make_dimension(w, i, &d[i]));
    w->people->dimensions = d;
    w->people->n_dimensions = n;
done:
    return rc;
}

/* ---- means ----------------------------------------------------------------------------------- */

/* Means of one dimension: answers of one system and direction after another. */
static ge_status add_means(struct work *w, const struct ge_rated_answer *a, size_t n, size_t d,
                           struct ge_people_mean *means)
{
    ge_status rc = GE_OK;
    size_t dimensions = w->run->ratings.dimensions.n;
    for (size_t cell = 0, i = 0; cell < w->run->n_cells; cell++) {
        size_t begin = i;
        while (i < n && a[i].cell == cell) i++;
        for (int k = 0; k < GE_DIRECTIONS; k++) {
            struct ge_people_mean *m = &means[(cell * GE_DIRECTIONS + (size_t)k) * dimensions + d];
            *m = (struct ge_people_mean){.system = w->run->cells[cell].system,
                                         .dimension = w->run->ratings.dimensions.v[d],
                                         .direction = (enum ge_direction)k};
            for (size_t j = begin; j < i; j++) {
                if (a[j].key.direction != k) continue;
                w->x[m->answers] = a[j].score;
                w->cluster[m->answers++] = w->values->cluster[a[j].key.item];
                m->ratings += a[j].n;
            }
            GE_TRY(ge_clustered_mean(w->x, w->cluster, m->answers, w->options->level, &m->mean));
        }
    }
done:
    return rc;
}

static ge_status make_means(struct work *w)
{
    ge_status rc = GE_OK;
    size_t dimensions = w->run->ratings.dimensions.n, n = 0, answers, kept = 0;
    struct ge_rated_answer *a = NULL;
    struct ge_people_mean *means;
    GE_TRY(ge_mul(w->run->n_cells, GE_DIRECTIONS * dimensions, &n));
    GE_TRY_PTR(means, ge_arena_alloc(w->arena, n, sizeof *means));
    for (size_t d = 0; d < dimensions; d++) {
        free(a);
        a = NULL;
        GE_TRY(ge_rated_answers(&w->run->ratings, d, 0, &a, &answers));
        GE_TRY(add_means(w, a, answers, d, means));
    }
    for (size_t i = 0; i < n; i++) {
        if (means[i].answers > 0) means[kept++] = means[i];
    }
    w->people->means = means;
    w->people->n_means = kept;
done:
    free(a);
    return rc;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* Agreement over the answers from a[0] on that are of one system, in one direction. */
static ge_status compare_verdicts(struct work *w, const struct ge_rated_answer *a, size_t n,
                                  struct ge_people_verdicts *out)
{
    struct ge_decisions table = {0};
    double people = 0, automatic = 0;
    for (size_t i = 0; i < n; i++) {
        if (a[i].key.direction != out->direction) continue;
        const struct ge_result *r = ge_find_result(w->run, a[i].cell, a[i].key.item);
        double verdict = r != NULL ? ge_find_verdict(r, a[i].key) : NAN;
        if (isnan(verdict)) continue;
        people += a[i].right;
        automatic += verdict;
        w->x[out->answers] = 1 - fabs(a[i].right - verdict);
        w->cluster[out->answers++] = w->values->cluster[a[i].key.item];
        if ((verdict != 0 && verdict != 1) || a[i].right == 0.5) continue;
        bool right = a[i].right > 0.5;
        table.tp += right && verdict == 1;
        table.fp += !right && verdict == 1;
        table.tn += !right && verdict == 0;
        table.fn += right && verdict == 0;
    }
    ge_decisions_finish(&table);
    out->decided = table.n;
    out->kappa = table.kappa;
    out->people = people / (double)out->answers;
    out->automatic = automatic / (double)out->answers;
    return ge_clustered_share(w->x, w->cluster, out->answers, w->options->level, &out->agreement);
}

static ge_status make_verdicts(struct work *w, const struct ge_rated_answer *a, size_t n)
{
    ge_status rc = GE_OK;
    struct ge_people_verdicts *v;
    struct ge_people *p = w->people;
    GE_TRY_PTR(v, ge_arena_alloc(w->arena, GE_DIRECTIONS * w->run->n_cells, sizeof *v));
    p->verdicts = v;
    for (size_t cell = 0, i = 0; cell < w->run->n_cells; cell++) {
        size_t begin = i;
        while (i < n && a[i].cell == cell) i++;
        for (int k = 0; k < GE_DIRECTIONS; k++) {
            struct ge_people_verdicts *out = &v[p->n_verdicts];
            *out = (struct ge_people_verdicts){.system = w->run->cells[cell].system,
                                               .direction = (enum ge_direction)k};
            GE_TRY(compare_verdicts(w, a + begin, i - begin, out));
            p->n_verdicts += out->answers > 0;
        }
    }
done:
    return rc;
}

static ge_status make_corrections(struct work *w, const struct ge_rated_answer *a, size_t n)
{
    ge_status rc = GE_OK;
    struct ge_human_verdict *human = NULL;
    size_t size = 0;
    GE_TRY(ge_mul(w->run->n_cells, w->run->n_items, &size));
    GE_TRY(ge_mul(size, GE_DIRECTIONS, &size));
    GE_NEW(human, size);
    for (size_t i = 0; i < n; i++) {
        size_t at = (a[i].cell * w->run->n_items + a[i].key.item) * GE_DIRECTIONS;
        struct ge_human_verdict *h = &human[at + a[i].key.direction];
        h->right += a[i].right * (double)a[i].n;
        h->n += a[i].n;
    }
    GE_TRY(ge_correction_make(w->run, w->values, human, w->options, w->arena,
                              &w->people->corrections));
    w->people->n_corrections = w->run->n_cells;
done:
    free(human);
    return rc;
}

/* What needs to know when people call an answer right. */
static ge_status judge(struct work *w)
{
    ge_status rc = GE_OK;
    const struct ge_rating_options *o = &w->options->ratings;
    struct ge_rated_answer *a = NULL;
    size_t dimension, n;
    if (o->dimension == NULL) return GE_OK;
    w->people->dimension = o->dimension;
    w->people->min = o->min;
    rc = ge_rating_dimension(&w->run->ratings, o->dimension, &dimension);
    if (rc != GE_OK) return ge_fail_in(rc, "ratings.verdict.dimension");
    GE_TRY(ge_rated_answers(&w->run->ratings, dimension, o->min, &a, &n));
    GE_TRY(make_verdicts(w, a, n));
    GE_TRY(make_corrections(w, a, n));
done:
    free(a);
    return rc;
}

ge_status ge_people_make(const struct ge_run *run, const struct values *values,
                         const struct ge_aggregate_options *options, struct ge_arena *arena,
                         struct ge_people **out)
{
    ge_status rc = GE_OK;
    struct work w = {.run = run, .values = values, .options = options, .arena = arena};
    GE_TRY_PTR(w.people, ge_arena_alloc(arena, 1, sizeof *w.people));
    w.people->ratings = run->ratings.n;
    w.people->raters = run->ratings.raters.n;
    GE_NEW(w.x, run->ratings.n);
    GE_NEW(w.cluster, run->ratings.n);
    GE_TRY(make_dimensions(&w));
    GE_TRY(make_means(&w));
    GE_TRY(judge(&w));
    *out = w.people;
done:
    free(w.x);
    free(w.cluster);
    return rc;
}
