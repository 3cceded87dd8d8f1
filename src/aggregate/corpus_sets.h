/* Embeddings of one system, direction and task type as sets, gathered from the rows of a run. Private to
 * aggregate/. */
#ifndef GE_AGGREGATE_CORPUS_SETS_H
#define GE_AGGREGATE_CORPUS_SETS_H

#include "metric/corpus.h"
#include "record/run.h"

/* What one encoder made of the answers and of their reference images. Arrays on the heap; {0}: empty;
 * may be filled again and again. */
struct corpus_sets {
    const char *encoder; /* its name in the job: the first encoder_len bytes. Borrowed */
    int encoder_len;
    float *answers, *references;
    size_t n, m, cap_answers, cap_references; /* rows; caps in floats */
    int dim;
};

/* Fill anew from the rows of an embedding kind, "<encoder>:image" or "<encoder>:text"; the references
 * are those of "<encoder>:reference", of each item once. Answers that ended in an error are left out,
 * and so is the reference of an item that has no other answer. Another kind, or no row: n = 0.
 * GE_EFORMAT (a row that names no item, or is empty, rows of different length), GE_ENOMEM. */
ge_status corpus_sets_gather(const struct ge_run *run, size_t cell, enum ge_direction d,
                             const char *task, size_t kind, struct corpus_sets *out);
void corpus_sets_free(struct corpus_sets *s);

#endif
