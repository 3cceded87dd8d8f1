#include "aggregate/corpus_sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The name before ':' and what stands behind it; NULL for a name without. */
static const char *split_kind(const char *kind, char *encoder, size_t size)
{
    const char *colon = strchr(kind, ':');
    if (colon == NULL || (size_t)(colon - kind) >= size) return NULL;
    memcpy(encoder, kind, (size_t)(colon - kind));
    encoder[colon - kind] = '\0';
    return colon + 1;
}

static size_t find_kind(const struct ge_run *run, const char *encoder, const char *what)
{
    for (size_t i = 0; i < run->embedding_kinds.n; i++) {
        char name[64];
        const char *rest = split_kind(run->embedding_kinds.v[i], name, sizeof name);
        if (rest != NULL && strcmp(name, encoder) == 0 && strcmp(rest, what) == 0) return i;
    }
    return SIZE_MAX;
}

static ge_status add_row(float **rows, size_t *n, size_t *cap, int *dim,
                         const struct ge_embedding_row *row)
{
    ge_status rc = GE_OK;
    if (*dim == 0) *dim = (int)row->dim;
    if ((int)row->dim != *dim) {
        GE_TRY(ge_fail(GE_EFORMAT, "embedding rows of one kind have %u and %d elements", row->dim,
                       *dim));
    }
    size_t used = *n * row->dim, wanted = used + row->dim;
    if (wanted > *cap) {
        GE_RESIZE(*rows, 2 * wanted);
        *cap = 2 * wanted;
    }
    memcpy(*rows + used, row->values, row->dim * sizeof **rows);
    ++*n;
done:
    return rc;
}

ge_status corpus_sets_gather(const struct ge_run *run, size_t cell, enum ge_direction d,
                             const char *task, size_t kind, struct corpus_sets *out)
{
    ge_status rc = GE_OK;
    const char *what = split_kind(run->embedding_kinds.v[kind], out->encoder, sizeof out->encoder);
    out->n = out->m = 0;
    out->dim = 0;
    if (what == NULL || (strcmp(what, "image") != 0 && strcmp(what, "text") != 0)) return GE_OK;
    size_t reference = find_kind(run, out->encoder, "reference");
    int64_t last = -1; /* item of the last reference taken: rows come in the order of items */
    for (size_t i = 0; i < run->n_results; i++) {
        const struct ge_result *r = &run->results[i];
        for (size_t k = 0; r->cell == cell && k < r->n_embeddings; k++) {
            const struct ge_embedding_row *row = &r->embeddings[k];
            if (row->key.direction != d || (row->kind != kind && row->kind != reference)) continue;
            if (row->key.item >= run->n_items) {
                GE_TRY(ge_fail(GE_EFORMAT, "an embedding row names item %u", row->key.item));
            }
            const struct ge_task *of = &run->items[row->key.item].task[d];
            if (!of->present || strcmp(of->type, task) != 0) continue;
            if (row->kind == kind) {
                GE_TRY(add_row(&out->answers, &out->n, &out->cap_answers, &out->dim, row));
            } else if (row->key.item != last) {
                GE_TRY(add_row(&out->references, &out->m, &out->cap_references, &out->dim, row));
                last = row->key.item;
            }
        }
    }
done:
    return rc;
}

void corpus_sets_free(struct corpus_sets *s)
{
    free(s->answers);
    free(s->references);
    *s = (struct corpus_sets){0};
}
