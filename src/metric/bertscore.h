/* BERTScore (Zhang et al. 2020, arXiv 1904.09675) as bert_score 0.3.13 computes it: greedy matching of
 * token states by cosine. Knows no encoder: the states come from model/encoder.h. Pure; local. */
#ifndef GE_METRIC_BERTSCORE_H
#define GE_METRIC_BERTSCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "metric/idf.h"

/* One text's tokens, the specials around it included. Borrowed. */
struct ge_bertscore_text {
    const float *rows;     /* (n, dim): states of the chosen layer, of any length */
    const double *weights; /* (n): what each token counts */
    size_t n;
};

struct ge_bertscore {
    double p, r, f1;
};

/* Precision, recall and F1 of an answer against one reference:
 *   P = sum_i w_i max_j cos(a_i, r_j) / sum_i w_i,  R likewise over the reference,  F1 = 2PR/(P+R).
 * As bert_score: a text of specials alone (n <= 2) makes all three 0; where the weights of a text sum
 * to 0, P or R is NaN; F1 is 0 where it would be NaN. bert_score pads the pairs of a batch and takes
 * 0 for the cosine with a pad, so that there a token without a positive cosine may count 0; here a
 * pair's value depends on the pair alone. Sums in double, in the order of elements and tokens.
 * GE_ENOMEM. */
ge_status ge_bertscore_pair(const struct ge_bertscore_text *answer,
                            const struct ge_bertscore_text *reference, size_t dim,
                            struct ge_bertscore *out);

/* *best = the larger of the two, of P, R and F1 each by itself; NaN wins: bert_score's value of an
 * answer with several references. */
void ge_bertscore_max(struct ge_bertscore *best, const struct ge_bertscore *other);

/* (x - b) / (1 - b), of P, R and F1 each. */
struct ge_bertscore ge_bertscore_rescale(const struct ge_bertscore *score,
                                         const struct ge_bertscore *baseline);

/* How tokens count and values are rescaled. */
struct ge_bertscore_options {
    int32_t cls, sep;         /* ids that count 0 without idf (-1: none); all others count 1 */
    const struct ge_idf *idf; /* weights by document frequency; NULL: without */
    bool has_baseline;        /* for the rescaled metrics */
    struct ge_bertscore baseline;
};

/* Weights of n tokens. */
void ge_bertscore_weights(const struct ge_bertscore_options *o, const int32_t *ids, size_t n,
                          double *weights);

/* The layer that bert_score's authors chose for a published model of these sizes, by its model_type
 * ("bert", …), number of layers, width and size of vocabulary; the last layer for any other. Models
 * of one size whose layers differ (a fine-tuned one) count as the plain one. */
size_t ge_bertscore_layer(const char *type, size_t layers, size_t width, size_t vocab);

#endif
