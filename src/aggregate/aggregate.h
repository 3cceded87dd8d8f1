/* From a run's rows to its tables: pure arithmetic over a struct ge_run, no files, no MPI, no
 * clock; the same run gives the same bits on every machine. Used by cli (after a run, and by
 * `gapeval aggregate`), read by report/.
 *
 * Unit of analysis. Of one system and item, und and gen are the means of the verdicts over the
 * samples of that direction (each a fraction in [0,1]). An item is judged when both are there. A
 * direction whose samples all ended in errors has failed; one with any sample left undone is not
 * counted at all. With failures = wrong, a failed direction's value is 0 and the item is judged.
 *
 * Groups: all items ("overall"), and one group for each category, subcategory and tag that the
 * job asks for, in byte order of their names; a tag's groups overlap.
 *
 * Point estimates over the n judged items of a group: p11 = mean und*gen, p10 = mean und*(1-gen),
 * p01, p00 likewise (expected counts under independence of the two draws for fractional verdicts);
 * Succ = p11, Und = p11+p10, Gen = p11+p01, as in specs of the GapEval paper (arXiv 2602.02140).
 * Intervals: docs/statistics.md. */
#ifndef GE_AGGREGATE_AGGREGATE_H
#define GE_AGGREGATE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate/corpus.h"
#include "aggregate/diagnose.h"
#include "base/pool.h"
#include "base/status.h"
#include "record/run.h"
#include "stats/ranks.h"

/* How the intervals of Und - Gen and Delta are made (and with BCa those of shares and metric means,
 * which otherwise are Wilson's and the clustered t interval). docs/statistics.md compares them. */
enum ge_interval_method {
    GE_INTERVAL_SCORE, /* score and profile likelihood at the effective number of items */
    GE_INTERVAL_DELTA, /* delta method */
    GE_INTERVAL_BCA    /* bias-corrected accelerated bootstrap over clusters */
};

/* "score", "delta", "bca". */
const char *ge_interval_name(enum ge_interval_method method);

struct ge_interval_options {
    enum ge_interval_method method;
    double level;     /* confidence, in (0, 1) */
    size_t resamples; /* of the bootstrap, and its seed */
    uint64_t seed;
    struct ge_pool
        *pool; /* for the bootstrap; NULL: the caller's thread. Digits do not depend on it */
};

/* What the run's ratings mean; strings are borrowed and must outlive the summary. */
struct ge_rating_options {
    const char *drawn;     /* record/rating.h, ge_drawn_parse(); NULL: not said */
    const char *dimension; /* of the verdict; NULL: ratings give no verdict */
    double min;            /* least score of a right answer */
};

struct ge_aggregate_options {
    bool by_category, by_subcategory, by_tag;
    double level;         /* confidence, e.g. 0.95 */
    bool failures_wrong;  /* a failed direction counts as wrong, otherwise it is left out */
    bool upstream, irt;   /* these estimators too, beside logit: estimators.h */
    int irt_nodes;        /* quadrature nodes of irt; 1 is Laplace's approximation */
    struct ge_pool *pool; /* for upstream, irt and bca; borrowed, NULL: the calling thread alone */
    const struct ge_corpus_wish *corpus; /* (n_corpus) corpus metrics by task type */
    size_t n_corpus;
    struct ge_rating_options ratings;
    enum ge_interval_method interval;
    size_t resamples; /* of the bootstrap, and its seed */
    uint64_t seed;
};

/* Repeated samples of one direction: what luck of the draw does. */
struct ge_repeats {
    size_t items;          /* with two judged samples or more; 0: all figures NaN */
    size_t samples;        /* fewest judged samples of these items: k of pass@k */
    double pass_1, pass_k; /* of 0/1 verdicts; NaN for fractions. Mean over these items */
    double seed_sd;        /* of these items' mean verdict when each is sampled once */
};

/* A value with its interval; NaN where it is not defined (no judged item, one cluster, …). */
struct ge_estimate {
    double value, lo, hi;
};

/* What the value would be over all items of the group (judged and failed) if every failed sample
 * were decided in the least and in the most favourable way, whatever failures_wrong says. Equal to
 * each other without failures. */
struct ge_bounds {
    double lo, hi;
};

struct ge_gap_row {
    const char *system;
    const char *dimension;         /* "overall", "category", "subcategory", "tag" */
    const char *group;             /* "" for overall */
    size_t items;                  /* in the group with both directions, undone ones left out */
    size_t judged;                 /* n of the estimates */
    size_t clusters;               /* among the judged */
    size_t failed_und, failed_gen; /* items whose direction failed */
    size_t failed_samples;         /* error rows */
    size_t undone;                 /* items with anything left undone, in no figure */

    double k11, k10, k01, k00;         /* (expected) counts; their sum is `judged` */
    struct ge_estimate succ, und, gen; /* shares in [0,1] */
    struct ge_bounds succ_bounds, und_bounds, gen_bounds;

    struct ge_estimate points; /* Und - Gen, in [-1,1] */
    struct ge_bounds points_bounds;
    struct ge_estimate delta;    /* signed gap: logit of smoothed und - logit of smoothed gen */
    struct ge_estimate gap;      /* G in [0,1], unsigned; the image of a joint region */
    struct ge_bounds gap_bounds; /* smallest and largest G over all assignments of failures */

    double p_holm;                /* p_value adjusted over all rows of the summary (Holm 1979) */
    struct ge_rank rank;          /* overall rows of two systems or more: by Succ; otherwise 0s */
    struct ge_repeats repeats[2]; /* of und and gen */
    double p_value;               /* of "no difference": McNemar exact, or sign flips by cluster */
    const char *test;             /* "mcnemar.exact", "signflip.cluster" or NULL */
    double phi, kappa;            /* association of und and gen for 0/1 verdicts, otherwise NaN */
    double sample_spread; /* mean over items of the standard deviation over samples; NaN if no
                              item has several */
};

/* Mean of one metric over a system's samples of one direction and group. */
struct ge_metric_row {
    const char *system, *dimension, *group, *metric;
    enum ge_direction direction;
    size_t n;                /* samples */
    struct ge_estimate mean; /* interval by clusters */
};

struct ge_summary {
    struct ge_arena *arena;
    struct ge_aggregate_options options;
    struct ge_gap_row *rows; /* by system in the job's order; overall first, then dimensions */
    size_t n_rows,
        n_groups; /* a system has n_groups rows: row g of system k is rows[k n_groups + g] */
    struct ge_metric_row *metrics;
    size_t n_metrics;
    struct ge_estimates *estimates; /* upstream and irt (estimators.h); NULL if not asked for */
    struct ge_corpus_row *corpus;
    size_t n_corpus;
    struct ge_diagnosis *diagnoses;
    size_t n_diagnoses;
    size_t errors, undone;    /* samples, in total */
    struct ge_people *people; /* aggregate/people.h; NULL: the run has no ratings */
    bool ranked;              /* overall rows have ranks: two systems or more */
};

/* Compute every table. GE_EINVAL (options), GE_EFORMAT (rows that name no item or cell),
 * GE_ENOMEM. Free with ge_summary_delete(). The run must outlive the summary. */
ge_status ge_aggregate(const struct ge_run *run, const struct ge_aggregate_options *options,
                       struct ge_summary **summary);
void ge_summary_delete(struct ge_summary **summary);

/* ---- the logit estimator, from items alone (also for `gapeval gap` and tests) ---------------- */

/* One judged item. */
struct ge_pair {
    double und, gen;  /* in [0,1] */
    uint32_t cluster; /* any numbering */
};

/* Fill the estimate fields of *row (k*, succ, und, gen, points, delta, gap, tests) from n pairs.
 * No pairs: everything NaN, counts 0. GE_EINVAL: resamples out of range; GE_ENOMEM. */
ge_status ge_gap_logit_by(const struct ge_pair *pairs, size_t n,
                          const struct ge_interval_options *options, struct ge_gap_row *row);

/* The same without the test, which takes the longest for large clustered groups: p_value NaN. */
ge_status ge_gap_intervals(const struct ge_pair *pairs, size_t n,
                           const struct ge_interval_options *options, struct ge_gap_row *row);

/* ge_gap_logit_by() with the default intervals, GE_INTERVAL_SCORE. */
ge_status ge_gap_logit(const struct ge_pair *pairs, size_t n, double level, struct ge_gap_row *row);

/* G from a signed gap and two cells: g = |d|/(1+|d|), clamped to [1e-6, 1-1e-6];
 * G = logistic(logit g + 2.7 p00 - 1.05 p11). The published script's formula. */
double ge_gap_score(double delta, double p00, double p11);

#endif
