#include "aggregate/corpus.h"

#include <string.h>

#include "aggregate/corpus_sets.h"
#include "aggregate/corpus_texts.h"
#include "base/mem.h"
#include "metric/captions.h"
#include "metric/corpus.h"

static ge_status make_row(const struct corpus_texts *g, struct ge_caption_cache *cache,
                          const struct ge_corpus_metric *m, struct ge_arena *arena,
                          struct ge_corpus_row *row)
{
    ge_status rc = GE_OK;
    const struct ge_corpus corpus = {g->texts, g->tasks, g->n, cache};
    struct ge_key *keys;
    double *per_answer;
    GE_TRY_PTR(keys, ge_arena_alloc(arena, g->n, sizeof *keys));
    GE_TRY_PTR(per_answer, ge_arena_alloc(arena, g->n, sizeof *per_answer));
    memcpy(keys, g->keys, g->n * sizeof *keys);
    GE_TRY(m->texts(&corpus, &row->value, per_answer));
    row->metric = m->name;
    row->n = g->n;
    row->keys = keys;
    row->per_answer = per_answer;
done:
    return rc;
}

/* Rows on their way: room for every one that there can be. */
struct corpus_rows {
    const struct ge_run *run;
    struct ge_arena *arena;
    struct ge_corpus_row *v;
    size_t n;
    struct corpus_texts texts;
    struct corpus_sets sets;
};

static struct ge_corpus_row *next_row(struct corpus_rows *rows, const struct ge_corpus_wish *wish,
                                      size_t cell, enum ge_direction d)
{
    struct ge_corpus_row *row = &rows->v[rows->n++];
    *row = (struct ge_corpus_row){
        .system = rows->run->cells[cell].system, .task = wish->task, .direction = d};
    return row;
}

/* The k-th corpus metric of a wish; NULL if it is none, or was listed before. */
static const struct ge_corpus_metric *wished(const struct ge_corpus_wish *wish, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (strcmp(wish->metrics.v[i], wish->metrics.v[k]) == 0) return NULL;
    }
    return ge_corpus_metric_find(wish->metrics.v[k]);
}

static ge_status text_rows(struct corpus_rows *rows, const struct ge_corpus_wish *wish, size_t cell,
                           enum ge_direction d)
{
    ge_status rc = GE_OK;
    struct ge_caption_cache cache = {0};
    GE_TRY(corpus_texts_gather(rows->run, cell, d, wish->task, &rows->texts));
    for (size_t k = 0; k < wish->metrics.n && rows->texts.n > 0; k++) {
        const struct ge_corpus_metric *m = wished(wish, k);
        if (m == NULL || m->texts == NULL) continue;
        GE_TRY(make_row(&rows->texts, &cache, m, rows->arena, next_row(rows, wish, cell, d)));
    }
done:
    ge_caption_cache_clear(&cache);
    return rc;
}

/* Metrics of sets, by the encoders that embedded the answers; their names end in the encoder's. */
static ge_status set_rows(struct corpus_rows *rows, const struct ge_corpus_wish *wish, size_t cell,
                          enum ge_direction d)
{
    ge_status rc = GE_OK;
    struct corpus_sets *s = &rows->sets;
    for (size_t i = 0; i < rows->run->embedding_kinds.n; i++) {
        GE_TRY(corpus_sets_gather(rows->run, cell, d, wish->task, i, s));
        for (size_t k = 0; k < wish->metrics.n && s->n > 0; k++) {
            const struct ge_corpus_metric *m = wished(wish, k);
            if (m == NULL || m->embeddings == NULL) continue;
            const struct ge_embedding_set set = {s->answers, s->references, s->n, s->m, s->dim};
            struct ge_corpus_row *row = next_row(rows, wish, cell, d);
            GE_TRY_PTR(row->metric, ge_arena_printf(rows->arena, "%s.%.*s", m->name, s->encoder_len,
                                                    s->encoder));
            row->n = s->n;
            GE_TRY(m->embeddings(&set, &row->value));
        }
    }
done:
    return rc;
}

static bool wants_sets(const struct ge_corpus_wish *wish)
{
    for (size_t k = 0; k < wish->metrics.n; k++) {
        const struct ge_corpus_metric *m = ge_corpus_metric_find(wish->metrics.v[k]);
        if (m != NULL && m->embeddings != NULL) return true;
    }
    return false;
}

ge_status ge_corpus_rows(const struct ge_run *run, const struct ge_corpus_wish *wishes, size_t n,
                         struct ge_arena *arena, struct ge_corpus_row **out, size_t *n_rows)
{
    ge_status rc = GE_OK;
    struct corpus_rows rows = {.run = run, .arena = arena};
    size_t most = 0;
    *n_rows = 0;
    for (size_t i = 0; i < n; i++) most += wishes[i].metrics.n;
    GE_TRY(ge_mul(most, GE_DIRECTIONS * run->n_cells, &most));
    GE_TRY(ge_mul(most, 1 + run->embedding_kinds.n, &most));
    GE_TRY_PTR(rows.v, ge_arena_alloc(arena, most, sizeof *rows.v));
    for (size_t i = 0; i < run->n_cells * GE_DIRECTIONS * n; i++) {
        const struct ge_corpus_wish *wish = &wishes[i % n];
        enum ge_direction d = (enum ge_direction)(i / n % GE_DIRECTIONS);
        size_t cell = i / n / GE_DIRECTIONS;
        if (wish->metrics.n > 0) GE_TRY(text_rows(&rows, wish, cell, d));
        if (wants_sets(wish)) GE_TRY(set_rows(&rows, wish, cell, d));
    }
    *out = rows.v;
    *n_rows = rows.n;
done:
    corpus_texts_free(&rows.texts);
    corpus_sets_free(&rows.sets);
    return rc;
}
