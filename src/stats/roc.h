/* How well a score tells right from wrong: the ROC curve, the area under it, the best threshold, and
 * what that threshold is worth on cases it was not chosen on. Higher scores speak for "positive";
 * negate a score of which less is better. Pure; thread-safe. */
#ifndef GE_STATS_ROC_H
#define GE_STATS_ROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* One case. */
struct ge_case {
    double score;     /* finite */
    bool positive;    /* the truth */
    uint32_t cluster; /* any numbering: cases of one cluster are not independent */
};

/* ---- the curve ------------------------------------------------------------------------------- */

struct ge_roc_point {
    double threshold; /* positive when score >= threshold; INFINITY for the first point (0, 0) */
    double fpr, tpr;  /* shares of the negatives and of the positives; NaN without any */
};

/* Points for every distinct score, from the highest down, on the heap (free() them). GE_EINVAL: a
 * score that is not finite; GE_ENOMEM. */
ge_status ge_roc_curve(const struct ge_case *v, size_t n, struct ge_roc_point **points,
                       size_t *count);

struct ge_auc {
    double value;  /* P(positive scores higher) + P(equal)/2; NaN without both kinds */
    double lo, hi; /* NaN with fewer than two clusters of either kind */
    size_t positives, negatives;
};

/* Area by mid-ranks, its variance by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988) with the
 * placements summed by cluster (Obuchowski, Biometrics 53, 1997): equal to DeLong's where every case
 * is its own cluster. The interval is normal on the logit scale; at 0 and 1, where that variance is 0, the far
 * end is the exact binomial bound with as many trials as there are clusters of the rarer kind. O(n log n). GE_EINVAL as above, level outside (0, 1); GE_ENOMEM. */
ge_status ge_roc_auc(const struct ge_case *v, size_t n, double level, struct ge_auc *out);

/* ---- thresholds ------------------------------------------------------------------------------ */

enum ge_cutoff_by {
    GE_CUTOFF_AGREEMENT, /* share of cases decided as people did */
    GE_CUTOFF_YOUDEN     /* tpr - fpr (Youden 1950): does not depend on how many are positive */
};

struct ge_cutoff {
    double
        threshold; /* positive when score >= threshold; INFINITY: best is to call nothing positive */
    double merit;  /* what was maximised; NaN without cases (Youden: without both kinds) */
};

/* The best threshold: halfway between two neighbouring scores, or the lowest score, or INFINITY. Of
 * equally good ones the one with the widest gap around it, of these the highest. GE_EINVAL, GE_ENOMEM. */
ge_status ge_best_cutoff(const struct ge_case *v, size_t n, enum ge_cutoff_by by,
                         struct ge_cutoff *out);

/* Deal clusters into folds: fold (n) of each case, below *folds; all cases of a cluster in one, folds
 * of equal numbers of clusters (one more or less), in the order of `key` (n), which is equal within a
 * cluster and should be a hash of its name and a seed. *folds: at most `most`; 0 with fewer than two
 * clusters. GE_ENOMEM. */
ge_status ge_make_folds(const struct ge_case *v, const uint64_t *key, size_t n, uint32_t most,
                        uint32_t *fold, uint32_t *folds);

struct ge_decisions {
    size_t n; /* cases */
    size_t tp, fp, tn, fn;
    double agreement; /* (tp + tn) / n */
    double kappa;     /* Cohen (1960); NaN when chance alone would agree fully */
};

/* Decide each case by the threshold that is best on the cases of the other folds; decided (n) may be
 * NULL. Without folds everything is NaN and 0. GE_EINVAL, GE_ENOMEM. */
ge_status ge_cross_validate(const struct ge_case *v, const uint32_t *fold, size_t n, uint32_t folds,
                            enum ge_cutoff_by by, bool *decided, struct ge_decisions *out);

/* Agreement and kappa of a table whose counts are set. */
void ge_decisions_finish(struct ge_decisions *d);

#endif
