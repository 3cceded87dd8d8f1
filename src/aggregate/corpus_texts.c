#include "aggregate/corpus_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare_errors(const void *key, const void *row)
{
    return ge_key_compare(*(const struct ge_key *)key, ((const struct ge_error_row *)row)->key);
}

bool corpus_is_of(const struct ge_task *task, const char *type)
{
    return task->present && task->type != NULL && strcmp(task->type, type) == 0;
}

bool corpus_has_failed(const struct ge_result *r, struct ge_key key)
{
    return r->n_errors > 0 &&
           bsearch(&key, r->errors, r->n_errors, sizeof *r->errors, compare_errors) != NULL;
}

static ge_status add_texts(struct corpus_texts *t, const struct ge_run *run,
                           const struct ge_result *r, enum ge_direction d, const char *task)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < r->n_responses; i++) {
        const struct ge_response_row *row = &r->responses[i];
        if (row->key.item >= run->n_items) {
            GE_TRY(ge_fail(GE_EFORMAT, "a response row names item %u of %zu", row->key.item,
                           run->n_items));
        }
        if (row->key.direction != d || row->text == NULL) continue;
        const struct ge_task *of = &run->items[row->key.item].task[d];
        if (task != NULL && !corpus_is_of(of, task)) continue;
        if (corpus_has_failed(r, row->key)) continue;
        GE_GROW(t->texts, t->n, t->cap_texts);
        GE_GROW(t->tasks, t->n, t->cap_tasks);
        GE_GROW(t->keys, t->n, t->cap_keys);
        t->texts[t->n] = row->text;
        t->tasks[t->n] = of;
        t->keys[t->n++] = row->key;
    }
done:
    return rc;
}

/* Results are sorted by (cell, first item) and their rows by key: the corpus comes in order. */
ge_status corpus_texts_gather(const struct ge_run *run, size_t cell, enum ge_direction d,
                              const char *task, struct corpus_texts *out)
{
    ge_status rc = GE_OK;
    out->n = 0;
    for (size_t i = 0; i < run->n_results; i++) {
        if (run->results[i].cell == cell) GE_TRY(add_texts(out, run, &run->results[i], d, task));
    }
done:
    return rc;
}

void corpus_texts_free(struct corpus_texts *t)
{
    free(t->texts);
    free(t->tasks);
    free(t->keys);
    *t = (struct corpus_texts){0};
}
