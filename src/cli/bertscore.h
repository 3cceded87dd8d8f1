/* What BERTScore needs beside its encoder: which layer, which tokens are special, how much each one
 * counts. Shared by the commands that evaluate a job and by `gapeval metrics`. Local. */
#ifndef GE_CLI_BERTSCORE_H
#define GE_CLI_BERTSCORE_H

#include "job/spec.h"
#include "model/encoder.h"
#include "record/item.h"
#include "score/scorer.h"

/* Set scoring[].bertscore for an encoder that is called `name` in messages, and the layer whose states
 * are compared. With idf the references of each task type are counted over `items`; *idf (n_scoring)
 * then owns the counts, which the scoring borrows: free with ge_bertscore_free(), also after a failure.
 * GE_EUNSUPPORTED: an encoder without token states; GE_EINVAL: no such layer; GE_ENOMEM; errors of
 * ge_encoder_token_ids(), with the item. */
ge_status ge_bertscore_prepare(const struct ge_job_bertscore *how, const char *name,
                               struct ge_encoder *encoder, const struct ge_item *items,
                               size_t n_items, struct ge_task_scoring *scoring, size_t n_scoring,
                               struct ge_idf ***idf, size_t *layer);
void ge_bertscore_free(struct ge_idf ***idf, size_t n_scoring); /* NULL inside is fine */

/* Flags of a command without a job, with the meaning of the options scoring.bertscore. */
struct ge_bertscore_flags {
    long layer;           /* --bertscore-layer; -1: not given */
    bool idf;             /* --bertscore-idf */
    const char *baseline; /* --bertscore-baseline P,R,F1; NULL: not given */
};

/* GE_EINVAL: the baseline is not three numbers from -1 to 0.999999, or the layer is too large. */
ge_status ge_bertscore_flags_read(const struct ge_bertscore_flags *flags,
                                  struct ge_job_bertscore *how);

#endif
