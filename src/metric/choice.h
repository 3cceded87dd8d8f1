/* Multiple choice as the published harnesses read an answer. Where their reading ends in a random
 * guess or in a judge model, this one ends with "no answer", which is not right.
 *   mmmu        MMMU and lmms-eval 0.7.3, parse_multi_choice_response(): "(A)", else "A ", else "A.",
 *               else, in more than five words, the text of an option, anywhere in the answer; of
 *               several the last one. These are plain searches: "IDEA " is an A.
 *   vlmevalkit  VLMEvalKit (ms-vlmeval 0.0.20), can_infer(): the only letter among the words, if one
 *               of the last four is its first place; else the only option whose text is in an answer
 *               that is at most twice as long as all options. A refusal that it knows, or Z, is no
 *               answer; but with 26 options it is the last one, as in the reference.
 * Each comes as
 *   choice.X            1 if the right option is chosen, 0 if another or none
 *   choice.X.answered   1 if any option is chosen
 *   choice.X.corrected  for k options 1 if right, else -1 / (k - 1): its mean is the accuracy corrected
 *                       for chance, (accuracy - 1/k) / (1 - 1/k) if all tasks have k options
 * which lie in [0, 1], [0, 1] and [-1, 1]; higher is better, for `answered` neither.
 *
 * NaN without options, with more than 26, and, but for `answered`, where the task's key is neither a
 * letter nor the text of an option; `corrected` also with one option. match.choice (score/match.h) is
 * a stricter reading of our own. Used by score/'s metric table. Local; thread-safe. */
#ifndef GE_METRIC_CHOICE_H
#define GE_METRIC_CHOICE_H

#include "metric/metric.h"

ge_text_metric_fn ge_choice_mmmu;
ge_text_metric_fn ge_choice_mmmu_answered;
ge_text_metric_fn ge_choice_mmmu_corrected;

ge_text_metric_fn ge_choice_vlmevalkit;
ge_text_metric_fn ge_choice_vlmevalkit_answered;
ge_text_metric_fn ge_choice_vlmevalkit_corrected;

#endif
