/* The pairs that the embedding metrics of one answer compare, computed once more one by one and
 * printed. Private to `gapeval score`. */
#ifndef GE_CLI_SCORE_PAIRS_H
#define GE_CLI_SCORE_PAIRS_H

#include "cli/session.h"

/* Print every pair of the enabled metrics: cosines with the norms before normalising, and for BERTScore
 * each token of the answer with the token that it is matched with. After ge_session_make_evaluator().
 * An input that cannot be embedded is a line, not a failure. GE_ENOMEM, GE_EDEVICE. */
ge_status ge_show_pairs(const struct ge_session *s, const struct ge_task_scoring *scoring,
                        const struct ge_task *task, const struct ge_answer *answer);

#endif
