/* The texts of one system, direction and task type, gathered from the rows of a run. Private to
 * aggregate/. */
#ifndef GE_AGGREGATE_CORPUS_TEXTS_H
#define GE_AGGREGATE_CORPUS_TEXTS_H

#include <stdbool.h>

#include "base/status.h"
#include "record/run.h"

/* Arrays (n) on the heap, in the order of (item, sample); what they point to is the run's. {0}: empty;
 * may be filled again and again. */
struct corpus_texts {
    const char **texts;
    const struct ge_task **tasks;
    struct ge_key *keys;
    size_t n, cap_texts, cap_tasks, cap_keys;
};

/* Fill anew, `task` NULL: of every type; answers that ended in an error are left out. GE_EFORMAT (a row that names no item),
 * GE_ENOMEM. */
ge_status corpus_texts_gather(const struct ge_run *run, size_t cell, enum ge_direction d,
                              const char *task, struct corpus_texts *out);
void corpus_texts_free(struct corpus_texts *t);

/* Whether a task is there and of this type; a damaged store may hold one without a type. */
bool corpus_is_of(const struct ge_task *task, const char *type);

/* Whether a sample has an error row. */
bool corpus_has_failed(const struct ge_result *r, struct ge_key key);

#endif
