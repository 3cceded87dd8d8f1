/* Exact match: 1 if the answer is one of the references.
 *   evaluate        exact_match of Hugging Face evaluate, lm-eval and lmms-eval 0.7.3 with its
 *                   defaults: the same characters; white space counts
 *   evaluate.loose  the same with ignore_case and ignore_punctuation: in lower case, without ASCII
 *                   punctuation. NumPy cuts a text that grows in lower case (of all letters only
 *                   U+0130 does) to the longest raw text of the batch; here nothing is cut.
 *   vlmevalkit      VLMEvalKit (ms-vlmeval 0.0.20), method accuracy: in lower case, without white
 *                   space around
 *
 * 0 or 1, higher is better; without references NaN. Unlike match.exact none of them has "no answer".
 * Used by score/'s metric table. Local; thread-safe. */
#ifndef GE_METRIC_EXACT_H
#define GE_METRIC_EXACT_H

#include "metric/metric.h"

ge_text_metric_fn ge_exact_evaluate;
ge_text_metric_fn ge_exact_evaluate_loose;
ge_text_metric_fn ge_exact_vlmevalkit;

#endif
