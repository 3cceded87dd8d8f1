/* Relaxed accuracy (Methani et al. 2020, Masry et al. 2022): 1 if the answer agrees with a reference;
 * two numbers agree within 5 % of the reference, anything else if it is equal in lower case. A text
 * is a number if Python's float() takes it, so "1_000", "nan" and digits of any script are numbers and
 * "1,000" is not; with % at its end it is a hundredth. A reference of 0 is compared as text: "0.0" is
 * not "0".
 *   pix2struct  relaxed_correctness() of google-research/pix2struct, maximum over the references;
 *               lmms-eval 0.7.3, task chartqa, has the same digits
 *   vlmevalkit  VLMEvalKit (ms-vlmeval 0.0.20): white space around the answer goes first
 *
 * 0 or 1, higher is better; without references NaN. Used by score/'s metric table. Local;
 * thread-safe. */
#ifndef GE_METRIC_RELAXED_H
#define GE_METRIC_RELAXED_H

#include "metric/metric.h"

ge_text_metric_fn ge_relaxed_pix2struct;
ge_text_metric_fn ge_relaxed_vlmevalkit;

#endif
