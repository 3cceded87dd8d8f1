/* gapeval metrics in its three parts: the command and its evaluation (metrics.c), encoders
 * (metrics_encoders.c), what comes out (metrics_write.c). Private to these. */
#ifndef GE_CLI_METRICS_INTERNAL_H
#define GE_CLI_METRICS_INTERNAL_H

#include "aggregate/corpus.h"
#include "cli/bertscore.h"
#include "cli/inputs.h"
#include "dataset/dataset.h"
#include "evaluate/evaluate.h"

enum { METRICS_ENCODERS = 3 };

struct metrics {
    const char *predictions, *names, *encoders, *out; /* as given */
    bool list;
    struct ge_device_flags where;
    struct ge_image_flags switches;
    struct ge_bertscore_flags bertscore;
    long batch_size;

    struct ge_arena *arena;
    struct ge_strings wanted; /* in the order given */
    struct ge_dataset *dataset;
    struct ge_answers_file *answers;
    struct ge_task_scoring *scoring; /* (n_scoring) a row for each task type, all alike */
    struct ge_corpus_wish *wishes;   /* (n_scoring) */
    size_t n_scoring;
    struct ge_idf **idf; /* (n_scoring) */
    struct ge_device *device;
    struct ge_preprocess_switches image;
    struct ge_encoder *encoder[METRICS_ENCODERS];
    const char *encoder_name[METRICS_ENCODERS];
    size_t n_encoders;
    struct ge_pool *pool;
    struct ge_eval_cell cell;
    struct ge_evaluator evaluator;
    struct ge_eval_chunk **chunks; /* (n_chunks) kept: the results borrow from them */
    size_t n_chunks;
    struct ge_cell run_cell;
    struct ge_run run;
    struct ge_corpus_row *corpus;
    size_t n_corpus;
};

/* Load what --encoder names, check that every metric wanted has its encoder, and prepare BERTScore. Sets
 * c->device, encoders and roles. GE_EINVAL, errors of the loaders. */
ge_status metrics_load_encoders(struct metrics *c);

/* Names of the embedding kinds, as a run has them: the encoders under the names of their flags.
 * GE_ENOMEM. */
ge_status metrics_name_kinds(struct metrics *c);

/* Whether a metric was asked for by name; others are computed for its sake. */
bool metrics_is_wanted(const struct metrics *c, const char *name);

/* Write --out: a line for each prediction, then the summary. GE_EIO, GE_ENOMEM, GE_ELIMIT. */
ge_status metrics_write_file(const struct metrics *c);

/* The table on the standard output. */
void metrics_print_table(const struct metrics *c);

#endif
