/* Open questions as MMMU scores them (lmms-eval 0.7.3, task mmmu: parse_open_response(),
 * eval_open()): 1 if a key part of the answer has a reference in it.
 *
 * Key parts are the shortest tails of its lines after words that lead to an answer ("is ", "so ",
 * "answer ", …; in the last line "=" too), or else the whole answer, in lower case. A part that is a
 * number, and each number that is written in a part, is right if it equals a reference that is a
 * number, both rounded to two decimals; commas do not count. Any other part is right if a reference
 * that is no number occurs in it anywhere, in lower case; a reference of one letter needs a space
 * beside it.
 *
 * 0 or 1, higher is better; without references NaN. Used by score/'s metric table. Local;
 * thread-safe. */
#ifndef GE_METRIC_OPEN_H
#define GE_METRIC_OPEN_H

#include "metric/metric.h"

ge_text_metric_fn ge_open_mmmu;

#endif
