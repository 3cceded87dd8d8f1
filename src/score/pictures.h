/* The pixel metrics of one sample: an answer's picture against the task's reference pictures, without an
 * encoder. Private to score/. */
#ifndef GE_SCORE_PICTURES_H
#define GE_SCORE_PICTURES_H

#include "score/scorer.h"

/* The part of ge_score_needs() for them. */
ge_status ge_picture_needs(const struct ge_task_scoring *s, const struct ge_task *task,
                           const struct ge_answer *answer, ge_score_need_fn *need, void *ctx);

/* Set value[id] of every enabled one. A reference that cannot be read is passed over (whether the answer
 * is right does not hang on it); the answer's own failure, and one of the node, is returned. */
ge_status ge_picture_values(const struct ge_task_scoring *s, const struct ge_task *task,
                            const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                            double value[GE_METRICS]);

#endif
