/* Column sums of bootstrap resamples. Private to stats/.
 *
 * A resample's n draws are split over the rows as over the leaves of a tree: at a node of a + b rows
 * its draws fall on the first a with probability a/(a + b), so how many do is a binomial number,
 * which popcounts of random words give exactly. A leaf has 2^k <= 256 rows: each draw in it takes k
 * bits of one random byte, no rejection, and the rows of a leaf stay in the first-level cache.
 * Rows are sorted first: a node whose rows are all equal needs no draws below it. */
#ifndef GE_STATS_RESAMPLE_H
#define GE_STATS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "stats/bootstrap.h"

struct resample_node {
    uint32_t first, rows;
    uint32_t left, right; /* nodes; 0: this one is not split */
    uint32_t equal;       /* all rows are */
};

struct resampler {
    size_t rows, columns, stride; /* stride: columns rounded up to whole vectors */
    double *values;               /* (rows, stride), sorted; the padding is 0 */
    uint32_t *group;              /* (rows) number of the distinct row */
    size_t n_groups;
    struct resample_node *nodes; /* parents before children */
    size_t n_nodes;
    uint32_t *leaves; /* (n_leaves) nodes that need draws, in order of their rows */
    size_t n_leaves;
};

/* GE_EINVAL (shape, values not finite), GE_ENOMEM. */
ge_status ge_resampler_make(const struct ge_bootstrap_data *data, struct resampler *out);
void ge_resampler_free(struct resampler *r);

/* Resamples first…first+n-1 of the seed: sums (n, stride). n is at most RESAMPLE_GROUP. GE_ENOMEM. */
enum { RESAMPLE_GROUP = 32 };
ge_status ge_resample(const struct resampler *r, uint64_t seed, uint64_t first, size_t n,
                      double *sums);

#endif
