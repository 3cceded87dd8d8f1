/* Counting, as published harnesses read a number off an answer: 1 if it is the right one.
 *   tallyqa     VLMEvalKit (ms-vlmeval 0.0.20), TallyQA: the first word that is 0 to 20, in digits or
 *               as a number word
 *   countbench  lmms-eval 0.7.3, task countbench: the whole answer, a number word up to twenty being
 *               its digits and "none" 0
 *   pixmo       lmms-eval 0.7.3, task pixmo_count: the first run of digits, of any script, or the
 *               whole answer if there is none; compared as text, so that "03" is not "3"
 * The right number is that of a reference text (any of them); without references, that of the only
 * object of the task, if it has one. An answer without a number is wrong, not missing.
 *
 * 0 or 1, higher is better. NaN without a right number; tallyqa needs a whole one and passes over
 * references that are none. match.number (score/match.h) reads several counts from one answer. Used by
 * score/'s metric table. Local; thread-safe. */
#ifndef GE_METRIC_COUNT_H
#define GE_METRIC_COUNT_H

#include "metric/metric.h"

ge_text_metric_fn ge_count_tallyqa;
ge_text_metric_fn ge_count_countbench;
ge_text_metric_fn ge_count_pixmo;

#endif
