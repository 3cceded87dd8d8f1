#include "aggregate/corpus_sets.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/corpus_texts.h"
#include "base/mem.h"

/* An embedding kind's name, "<encoder>:<what>", in its two parts; what is NULL if it has no ':'. */
struct kind_name {
    const char *encoder, *what;
    int encoder_len;
};

static struct kind_name split_kind(const char *kind)
{
    const char *colon = strrchr(kind, ':');
    if (colon == NULL) return (struct kind_name){0};
    return (struct kind_name){kind, colon + 1, (int)(colon - kind)};
}

/* The kind of the same encoder's references; SIZE_MAX if the run has none. */
static size_t find_references(const struct ge_run *run, const struct kind_name *of)
{
    for (size_t i = 0; i < run->embedding_kinds.n; i++) {
        struct kind_name k = split_kind(run->embedding_kinds.v[i]);
        if (k.what != NULL && strcmp(k.what, "reference") == 0 &&
            k.encoder_len == of->encoder_len &&
            memcmp(k.encoder, of->encoder, (size_t)of->encoder_len) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static ge_status add_row(float **rows, size_t *n, size_t *cap, int *dim,
                         const struct ge_embedding_row *row)
{
    ge_status rc = GE_OK;
    if (*dim == 0) GE_TRY(ge_to_int(row->dim, dim));
    if (row->dim == 0 || (int)row->dim != *dim) {
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

/* Whether a row belongs to an answer that counts: of this direction and task type, and not failed. */
static ge_status counts(const struct ge_run *run, const struct ge_result *r,
                        const struct ge_embedding_row *row, enum ge_direction d, const char *task,
                        bool *out)
{
    *out = false;
    if (row->key.item >= run->n_items) {
        return ge_fail(GE_EFORMAT, "an embedding row names item %u of %zu", row->key.item,
                       run->n_items);
    }
    if (row->key.direction != d) return GE_OK;
    const struct ge_task *of = &run->items[row->key.item].task[d];
    *out = corpus_is_of(of, task) && !corpus_has_failed(r, row->key);
    return GE_OK;
}

ge_status corpus_sets_gather(const struct ge_run *run, size_t cell, enum ge_direction d,
                             const char *task, size_t kind, struct corpus_sets *out)
{
    ge_status rc = GE_OK;
    struct kind_name name = split_kind(run->embedding_kinds.v[kind]);
    out->encoder = name.encoder;
    out->encoder_len = name.encoder_len;
    out->n = out->m = 0;
    out->dim = 0;
    if (name.what == NULL) return GE_OK;
    if (strcmp(name.what, "image") != 0 && strcmp(name.what, "text") != 0) return GE_OK;
    size_t reference = find_references(run, &name);
    int64_t last = -1; /* item of the last reference taken: rows come in the order of items */
    for (size_t i = 0; i < run->n_results; i++) {
        const struct ge_result *r = &run->results[i];
        for (size_t k = 0; r->cell == cell && k < r->n_embeddings; k++) {
            const struct ge_embedding_row *row = &r->embeddings[k];
            bool wanted;
            GE_TRY(counts(run, r, row, d, task, &wanted));
            if (wanted && row->kind == kind) {
                GE_TRY(add_row(&out->answers, &out->n, &out->cap_answers, &out->dim, row));
            } else if (wanted && row->kind == reference && row->key.item != last) {
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
