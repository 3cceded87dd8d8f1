/* What the evaluation of one chunk gives: the rows that travel from worker to journal to store.
 *
 * A row's key is (cell, item, direction, sample[, metric]); rows of one result are sorted by it.
 * Metrics and rules are named by index into the run's name tables (record/run.h), which every
 * rank derives from the job alone. The packed form is the MPI payload and the journal payload;
 * it is little-endian and versioned. Filled by evaluate/, read by store/. */
#ifndef GE_RECORD_RESULT_H
#define GE_RECORD_RESULT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "record/item.h"

/* Key of a sample inside a chunk's cell. */
struct ge_key {
    uint32_t item;
    uint8_t direction; /* enum ge_direction */
    uint32_t sample;
};

struct ge_response_row {
    struct ge_key key;
    const char *text;          /* NULL for an image */
    const char *image;         /* path as recorded, NULL for a text */
    struct ge_hash image_hash; /* content; zero when there is none or it could not be read */
    uint8_t truncated;         /* the text was cut to the encoder's length for scoring */
};

struct ge_score_row {
    struct ge_key key;
    uint16_t metric; /* index into ge_run.metrics */
    double value;    /* finite */
};

struct ge_verdict_row {
    struct ge_key key;
    double value;    /* in [0,1] */
    uint16_t rule;   /* index into ge_run.rules */
    uint32_t judges; /* judgements averaged; 1 for a rule's own verdict */
};

/* A sample that could not be judged for a reason in its content: design invariant 3. */
struct ge_error_row {
    struct ge_key key;
    uint8_t status;     /* enum ge_status */
    const char *reason; /* one line */
};

struct ge_embedding_row {
    struct ge_key key;
    uint16_t kind; /* index into ge_run.embedding_kinds: "<encoder>:<image|text>" */
    uint32_t dim;
    const float *values; /* (dim) */
};

/* A sample left undone: a failure of the node, not of the content. No row of it is kept. */
struct ge_undone_row {
    struct ge_key key;
    uint8_t status;
    const char *reason;
};

struct ge_result {
    uint32_t cell;         /* index into ge_run.cells */
    uint32_t first, count; /* the chunk's items: positions first…first+count-1 of the selection */
    struct ge_response_row *responses;
    struct ge_score_row *scores;
    struct ge_verdict_row *verdicts;
    struct ge_error_row *errors;
    struct ge_embedding_row *embeddings;
    struct ge_undone_row *undone;
    size_t n_responses, n_scores, n_verdicts, n_errors, n_embeddings, n_undone;
    uint32_t n_samples; /* samples looked at, for rates */
};

/* Append the packed form. Fails through the buffer's status. */
void ge_result_pack(const struct ge_result *r, struct ge_buf *out);

/* Read a packed form; rows and strings are allocated in `arena`. Every count and string is
 * checked against the data's length: GE_EFORMAT for anything that does not add up. GE_ENOMEM. */
ge_status ge_result_unpack(const void *data, size_t len, struct ge_arena *arena,
                           struct ge_result *out);

/* Order of keys: item, direction, sample. -1, 0, 1. */
int ge_key_compare(struct ge_key a, struct ge_key b);

#endif
