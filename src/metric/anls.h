/* ANLS, average normalised Levenshtein similarity (Biten et al. 2019): 1 - NL of the nearest
 * reference, NL being edits per character, and 0 where that is too far. The texts are compared in
 * lower case, runs of white space as one space.
 *   lmmseval  lmms-eval 0.7.3, metric anls: NL by the longer raw text, counted in upper case; 0 if
 *             1 - NL < 0.5, so that exactly 0.5 stays
 *   strict    the paper's: NL by the longer of the compared texts; 0 unless NL < 0.5, so that exactly
 *             0.5 does not stay. No tool was found that has it; it is tested against the formula.
 * VLMEvalKit (ms-vlmeval 0.0.20) gives lmmseval's digits.
 *
 * In [0, 1], higher is better. Without references NaN; also where an answer and a reference are
 * nearly as long as each other and both so long that the distance has no bounded time (edit.h: some
 * 65,000 differing code points). Used by score/'s metric table. Local; thread-safe. */
#ifndef GE_METRIC_ANLS_H
#define GE_METRIC_ANLS_H

#include "metric/metric.h"

ge_text_metric_fn ge_anls_lmmseval;
ge_text_metric_fn ge_anls_strict;

#endif
