#include "aggregate/corpus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "metric/corpus.h"

/* One corpus while it is gathered. */
struct gather {
    const struct ge_run *run;
    struct ge_arena *arena;
    const char **texts;
    const struct ge_task **tasks;
    struct ge_key *keys;
    size_t n, cap_texts, cap_tasks, cap_keys;
};

static int compare_errors(const void *key, const void *row)
{
    return ge_key_compare(*(const struct ge_key *)key, ((const struct ge_error_row *)row)->key);
}

static bool has_failed(const struct ge_result *r, struct ge_key key)
{
    return r->n_errors > 0 &&
           bsearch(&key, r->errors, r->n_errors, sizeof *r->errors, compare_errors) != NULL;
}

static ge_status add_texts(struct gather *g, const struct ge_result *r, enum ge_direction d,
                           const char *task)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < r->n_responses; i++) {
        const struct ge_response_row *row = &r->responses[i];
        if (row->key.direction != d || row->text == NULL) continue;
        if (row->key.item >= g->run->n_items) {
            GE_TRY(ge_fail(GE_EFORMAT, "a response row names item %u", row->key.item));
        }
        const struct ge_task *t = &g->run->items[row->key.item].task[d];
        if (!t->present || strcmp(t->type, task) != 0 || has_failed(r, row->key)) continue;
        GE_GROW(g->texts, g->n, g->cap_texts);
        GE_GROW(g->tasks, g->n, g->cap_tasks);
        GE_GROW(g->keys, g->n, g->cap_keys);
        g->texts[g->n] = row->text;
        g->tasks[g->n] = t;
        g->keys[g->n++] = row->key;
    }
done:
    return rc;
}

/* Results are sorted by (cell, first item) and their rows by key: the corpus comes in order. */
static ge_status gather_texts(struct gather *g, size_t cell, enum ge_direction d, const char *task)
{
    ge_status rc = GE_OK;
    g->n = 0;
    for (size_t i = 0; i < g->run->n_results; i++) {
        if (g->run->results[i].cell == cell) GE_TRY(add_texts(g, &g->run->results[i], d, task));
    }
done:
    return rc;
}

static ge_status make_row(const struct gather *g, const struct ge_corpus_metric *m,
                          struct ge_corpus_row *row)
{
    ge_status rc = GE_OK;
    const struct ge_corpus corpus = {g->texts, g->tasks, g->n};
    struct ge_key *keys;
    double *per_answer;
    GE_TRY_PTR(keys, ge_arena_alloc(g->arena, g->n, sizeof *keys));
    GE_TRY_PTR(per_answer, ge_arena_alloc(g->arena, g->n, sizeof *per_answer));
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
    struct gather g = {.run = run, .arena = arena};
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
        GE_TRY(gather_texts(&g, cell, d, wish->task));
        for (size_t k = 0; k < wish->metrics.n && g.n > 0; k++) {
            const struct ge_corpus_metric *m = ge_corpus_metric_find(wish->metrics.v[k]);
            if (m == NULL || m->texts == NULL) continue;
            struct ge_corpus_row *row = &(*rows)[(*n_rows)++];
            *row = (struct ge_corpus_row){
                .system = run->cells[cell].system, .task = wish->task, .direction = d};
            GE_TRY(make_row(&g, m, row));
        }
    }
done:
    free(g.texts);
    free(g.tasks);
    free(g.keys);
    return rc;
}
