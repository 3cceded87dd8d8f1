/* The embedding metrics of one sample: which inputs are compared, and the values from their
 * embeddings. Private to score/; ge_score_needs() of scorer.h is here, too. */
#ifndef GE_SCORE_COMPARE_H
#define GE_SCORE_COMPARE_H

#include "score/scorer.h"

/* Set value[id] of every enabled metric with an encoder's role; margins are derived from them by
 * scorer.c. A metric whose inputs the task or the answer lacks keeps its value. GE_EFORMAT: a value is
 * not finite; GE_EINVAL: the task's answer is none of its labels; the lookup's failures; GE_ENOMEM. */
ge_status ge_compare_values(const struct ge_task_scoring *s, const struct ge_task *task,
                            const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                            double value[GE_METRICS]);

#endif
