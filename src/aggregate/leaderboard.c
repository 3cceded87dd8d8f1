#include "aggregate/leaderboard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/interval.h"
#include "aggregate/tests.h"
#include "base/mem.h"
#include "stats/multiple.h"
#include "stats/ranks.h"

/* ---- ranks -------------------------------------------------------------------------------------- */

/* Whether an item is judged in both directions, and the share right in both. */
static bool success(const struct values *values, size_t cell, size_t item, bool failures_wrong,
                    double *out)
{
    double u = 0, g = 0;
    const struct direction_value *du = ge_values_at(values, cell, item, GE_UND);
    const struct direction_value *dg = ge_values_at(values, cell, item, GE_GEN);
    bool judged = ge_direction_state(du, failures_wrong, &u) == DIRECTION_JUDGED &&
                  ge_direction_state(dg, failures_wrong, &g) == DIRECTION_JUDGED;
    *out = u * g;
    return judged;
}

/* p value of "a and b are equally good" over the items of both. */
static ge_status compare(const struct ge_run *run, const struct values *values, bool failures_wrong,
                         size_t a, size_t b, struct ge_pair *pairs, uint32_t *cluster, double *p)
{
    ge_status rc = GE_OK;
    struct ge_gap_row row = {0};
    size_t n = 0, clusters = 0;
    for (size_t i = 0; i < run->n_items; i++) {
        struct ge_pair pair = {.cluster = values->cluster[i]};
        if (!run->items[i].task[GE_UND].present || !run->items[i].task[GE_GEN].present) continue;
        if (!success(values, a, i, failures_wrong, &pair.und)) continue;
        if (!success(values, b, i, failures_wrong, &pair.gen)) continue;
        row.k10 += pair.und * (1 - pair.gen);
        row.k01 += (1 - pair.und) * pair.gen;
        row.k11 += pair.und * pair.gen;
        pairs[n++] = pair;
    }
    *p = NAN;
    row.judged = n;
    row.k00 = (double)n - row.k11 - row.k10 - row.k01;
    if (n == 0) return GE_OK;
    GE_TRY(ge_cluster_index(pairs, n, cluster, &clusters));
    GE_TRY(ge_test_difference(pairs, n, cluster, clusters, &row));
    *p = row.p_value;
done:
    return rc;
}

/* Overall rows come in the order of the cells, one for each. */
static ge_status rank_cells(const struct ge_run *run, const struct values *values,
                            const struct ge_aggregate_options *options, struct ge_gap_row *rows,
                            size_t n_rows)
{
    ge_status rc = GE_OK;
    struct ge_gap_row **overall = NULL;
    struct ge_pair *pairs = NULL;
    struct ge_rank *ranks = NULL;
    uint32_t *cluster = NULL;
    double *score = NULL, *p = NULL;
    size_t n = 0, cells = 0;
    GE_TRY(ge_mul(run->n_cells, run->n_cells, &cells));
    GE_NEW(overall, run->n_cells);
    GE_NEW(pairs, run->n_items);
    GE_NEW(cluster, run->n_items);
    GE_NEW(ranks, run->n_cells);
    GE_NEW(score, run->n_cells);
    GE_NEW(p, cells);
    for (size_t i = 0; i < n_rows; i++) {
        if (strcmp(rows[i].dimension, "overall") == 0) overall[n++] = &rows[i];
    }
    for (size_t i = 0; i < n; i++) {
        score[i] = overall[i]->succ.value;
        for (size_t j = i + 1; j < n; j++) {
            GE_TRY(
                compare(run, values, options->failures_wrong, i, j, pairs, cluster, &p[i * n + j]));
        }
    }
    GE_TRY(ge_ranks(score, p, n, options->level, ranks));
    for (size_t i = 0; i < n; i++) overall[i]->rank = ranks[i];
done:
    free(p);
    free(score);
    free(cluster);
    free(ranks);
    free(pairs);
    free(overall);
    return rc;
}

ge_status ge_compare_rows(const struct ge_run *run, const struct values *values,
                          const struct ge_aggregate_options *options, struct ge_gap_row *rows,
                          size_t n_rows)
{
    ge_status rc = GE_OK;
    double *p = NULL;
    GE_NEW(p, n_rows);
    for (size_t i = 0; i < n_rows; i++) p[i] = rows[i].p_value;
    GE_TRY(ge_holm(p, n_rows, p));
    for (size_t i = 0; i < n_rows; i++) rows[i].p_holm = p[i];
    if (run->n_cells > 1) GE_TRY(rank_cells(run, values, options, rows, n_rows));
done:
    free(p);
    return rc;
}

/* ---- repeated samples --------------------------------------------------------------------------- */

/* Verdicts of 0 and 1 alone have equal sums and sums of squares. */
static bool is_binary(const struct direction_value *v)
{
    return v->sum == v->sum_squares && v->sum == floor(v->sum);
}

struct ge_repeats ge_repeated(const struct values *values, size_t cell, enum ge_direction d,
                              const uint32_t *items, size_t n)
{
    struct ge_repeats r = {.pass_1 = NAN, .pass_k = NAN, .seed_sd = NAN};
    double variance = 0, first = 0, best = 0;
    bool binary = true;
    for (size_t i = 0; i < n; i++) {
        const struct direction_value *v = ge_values_at(values, cell, items[i], d);
        if (v->judged < 2) continue;
        double mean = v->sum / v->judged;
        variance += fmax(0, (v->sum_squares - v->sum * mean) / (v->judged - 1));
        binary = binary && is_binary(v);
        r.samples = r.items == 0 || v->judged < r.samples ? v->judged : r.samples;
        r.items++;
    }
    if (r.items == 0) return r;
    r.seed_sd = sqrt(variance) / (double)r.items;
    for (size_t i = 0; binary && i < n; i++) {
        const struct direction_value *v = ge_values_at(values, cell, items[i], d);
        if (v->judged < 2) continue;
        first += v->sum / v->judged;
        best += ge_pass_at_k(v->judged, (size_t)v->sum, r.samples);
    }
    if (binary) r.pass_1 = first / (double)r.items;
    if (binary) r.pass_k = best / (double)r.items;
    return r;
}
