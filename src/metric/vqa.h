/* VQA soft accuracy (Antol et al. 2015, Goyal et al. 2017): an answer is right in the measure in
 * which people agree with it. Over all ways to leave one of the reference answers out, the mean of
 * min(1, equal answers among the others / 3); with ten references, 3 equal ones give 0.9.
 *
 * Four dialects, which differ in the normal form (vqa_normalize.h) and in whether it is taken at all.
 * Each gives the digits of its reference, answers being distinct records there:
 *   official    GT-Vision-Lab/VQA, vqaEval.py; normalises only if the references differ
 *   lmmseval    lmms-eval 0.7.3, task vqav2; always normalises
 *   vlmevalkit  VLMEvalKit (ms-vlmeval 0.0.20), vqa_eval.py, method vqa_score; always normalises
 *   textvqa     lmms-eval 0.7.3, tasks textvqa and ok_vqa: the answer processor of EvalAI
 *
 * In [0, 1], higher is better. Without references NaN. One reference alone gives 0, as in all four
 * tools: nothing is left to agree with. Used by score/'s metric table. Local; thread-safe. */
#ifndef GE_METRIC_VQA_H
#define GE_METRIC_VQA_H

#include "metric/metric.h"

ge_text_metric_fn ge_vqa_official;
ge_text_metric_fn ge_vqa_lmmseval;
ge_text_metric_fn ge_vqa_vlmevalkit;
ge_text_metric_fn ge_vqa_textvqa;

#endif
