#include "aggregate/corpus.h"

#include <math.h>
#include <string.h>

#include "aggregate/corpus_texts.h"
#include "base/mem.h"
#include "metric/corpus.h"

static ge_status make_row(const struct corpus_texts *g, const struct ge_corpus_metric *m,
                          struct ge_arena *arena, struct ge_corpus_row *row)
{
    ge_status rc = GE_OK;
    const struct ge_corpus corpus = {g->texts, g->tasks, g->n};
    struct ge_key *keys;
    double *per_answer;
    GE_TRY_PTR(keys, ge_arena_alloc(arena, g->n, sizeof *keys));
    GE_TRY_PTR(per_answer, ge_arena_alloc(arena, g->n, sizeof *per_answer));
    memcpy(keys, g->keys, g->n * sizeof *keys);
    for (size_t i = 0; i < g->n; i++) per_answer[i] = NAN;
    GE_TRY(m->texts(&corpus, &row->value, per_answer));
    row->metric = m->name;
    row->n = g->n;
    row->keys = keys;
    row->per_answer = per_answer;
done:
    return rc;
}

ge_status ge_corpus_rows(const struct ge_run *run, const struct ge_corpus_wish *wishes, size_t n,
                         struct ge_arena *arena, struct ge_corpus_row **rows, size_t *n_rows)
{
    ge_status rc = GE_OK;
    struct corpus_texts g = {0};
    size_t most = 0;
    *n_rows = 0;
    for (size_t i = 0; i < n; i++) most += wishes[i].metrics.n;
    GE_TRY(ge_mul(most, GE_DIRECTIONS * run->n_cells, &most));
    GE_TRY_PTR(*rows, ge_arena_alloc(arena, most, sizeof **rows));
    for (size_t i = 0; i < run->n_cells * GE_DIRECTIONS * n; i++) {
        const struct ge_corpus_wish *wish = &wishes[i % n];
        enum ge_direction d = (enum ge_direction)(i / n % GE_DIRECTIONS);
        size_t cell = i / n / GE_DIRECTIONS;
        if (wish->metrics.n == 0) continue;
        GE_TRY(corpus_texts_gather(run, cell, d, wish->task, &g));
        for (size_t k = 0; k < wish->metrics.n && g.n > 0; k++) {
            const struct ge_corpus_metric *m = ge_corpus_metric_find(wish->metrics.v[k]);
            if (m == NULL || m->texts == NULL) continue;
            struct ge_corpus_row *row = &(*rows)[(*n_rows)++];
            *row = (struct ge_corpus_row){
                .system = run->cells[cell].system, .task = wish->task, .direction = d};
            GE_TRY(make_row(&g, m, arena, row));
        }
    }
done:
    corpus_texts_free(&g);
    return rc;
}
