/* Corpus metrics of a run: all answers of one system, direction and task type at once, from the rows
 * of the store alone, so that they are exact whatever the number of ranks. Local. */
#ifndef GE_AGGREGATE_CORPUS_H
#define GE_AGGREGATE_CORPUS_H

#include "base/arena.h"
#include "base/status.h"
#include "record/run.h"

/* Which corpus metrics a task type's answers get. Names that are no corpus metric are passed over:
 * a job lists both kinds together. Borrowed. */
struct ge_corpus_wish {
    const char *task;
    struct ge_strings metrics;
};

struct ge_corpus_row {
    const char *system, *task, *metric;
    enum ge_direction direction;
    size_t n;                  /* answers in the corpus */
    double value;              /* NaN: not defined for it */
    const struct ge_key *keys; /* (n) the answers, in the order of (item, sample); NULL: of a set */
    const double *per_answer;  /* (n) what each answer has by itself, NaN where there is none; NULL:
                                * of a set */
};

/* Rows by system, direction and wish, in the arena: first the metrics of texts, then those of sets,
 * encoder by encoder under the name "<metric>.<encoder>", each once and in the order of the wish. A
 * corpus without an answer has no row. Answers that ended in an error are left out. GE_EFORMAT (rows
 * that name no item), GE_ENOMEM, and what the metrics return. */
ge_status ge_corpus_rows(const struct ge_run *run, const struct ge_corpus_wish *wishes, size_t n,
                         struct ge_arena *arena, struct ge_corpus_row **rows, size_t *n_rows);

#endif
