/* Und, Gen, the cells and the gap from few human verdicts and many automatic ones: the estimates
 * of stats/ppi.h carried through the logit by the delta method. docs/statistics.md, "Corrected
 * figures". Whether the labelled items are a random subset is the caller's to know: without
 * that nothing here is valid. Used by correction.c. Pure; thread-safe. */
#ifndef GE_AGGREGATE_PPI_GAP_H
#define GE_AGGREGATE_PPI_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate/aggregate.h"
#include "base/status.h"

/* One item with automatic verdicts of both directions, and human ones where people looked. */
struct ge_ppi_pair {
    double und_f, gen_f;             /* automatic verdicts, in [0,1] */
    double und_y, gen_y;             /* means of the human verdicts, in [0,1]; read if labelled */
    bool und_labelled, gen_labelled; /* which directions people judged */
    uint32_t cluster;                /* any numbering */
};

/* Figures of one estimator, each with its interval. */
struct ge_ppi_figures {
    struct ge_estimate und, gen;           /* shares, within [0,1] */
    struct ge_estimate p11, p10, p01, p00; /* cells, from items with both directions labelled */
    struct ge_estimate points;             /* Und - Gen, within [-1,1] */
    struct ge_estimate delta;              /* logit Und - logit Gen, smoothed */
};

struct ge_ppi_gap {
    size_t items, clusters;                      /* all of them */
    size_t labelled_und, labelled_gen, labelled; /* items judged by people; both directions */
    size_t labelled_clusters;                    /* fewest of the two directions; t has one degree
                                                    of freedom less per stratum */
    double lambda_und, lambda_gen;   /* weight of the automatic verdicts, in [0,1]; 0: none */
    struct ge_ppi_figures corrected; /* by all items: this is the one to report */
    struct ge_ppi_figures human;     /* by the labelled items alone, for comparison */
};

/* Estimate from n items. NaN where too little is labelled: no labelled item, intervals with fewer
 * than two labelled clusters. GE_EINVAL: a verdict that is used is outside [0,1]; GE_ENOMEM. */
ge_status ge_ppi_gap(const struct ge_ppi_pair *items, size_t n, double level,
                     struct ge_ppi_gap *out);

/* The same where the labelled items were drawn at random within strata: stratum (n), below `strata`,
 * says which one each item is in. Each stratum is estimated by itself and weighs as its share of the
 * items; the variances add up, and t has the labelled clusters less the strata as degrees of freedom. A
 * stratum without a labelled item makes everything NaN, one with a single labelled cluster the
 * intervals. The lambdas are means over the strata by the same weights. strata = 1: ge_ppi_gap(). */
ge_status ge_ppi_gap_stratified(const struct ge_ppi_pair *items, size_t n, const uint32_t *stratum,
                                uint32_t strata, double level, struct ge_ppi_gap *out);

#endif
