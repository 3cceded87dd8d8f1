/* Distances between two sets of unit embeddings: how far what a system draws lies from the reference
 * pictures as a whole. For the table of corpus.h; lower is better. Pure; thread-safe. */
#ifndef GE_METRIC_MMD_H
#define GE_METRIC_MMD_H

#include "metric/corpus.h"

/* CMMD (Jayasumana et al., arXiv 2401.09603): 1000 times the biased squared maximum mean discrepancy with
 * the Gaussian kernel of sigma 10 between unit embeddings. In double precision; the reference
 * cancels in single precision and agrees to about 1e-3. NaN if a set is empty. 0 or more. */
ge_status ge_cmmd(const struct ge_embedding_set *s, double *value);

/* KID (Binkowski et al., arXiv 1801.01401): the unbiased estimate of the same with the kernel
 * (x.y / dim + 1)^3, over all pairs instead of random subsets, so that it has one value. NaN if a
 * set has fewer than two members. May be negative. */
ge_status ge_kid(const struct ge_embedding_set *s, double *value);

#endif
