/* What people said, summed up: means, agreement among raters, agreement of the verdicts with people.
 * Arithmetic over the run's ratings and rows alone. Read by report/; corrected figures are made by
 * correction.h from the same ratings. docs/people.md, docs/statistics.md.
 *
 * An answer is (system, item, direction, sample). A rating calls an answer right when its score on the
 * verdict's dimension is at least the least score; the verdict of people is the share of its raters who
 * do. */
#ifndef GE_AGGREGATE_PEOPLE_H
#define GE_AGGREGATE_PEOPLE_H

#include <stddef.h>

#include "aggregate/aggregate.h"
#include "aggregate/correction.h"
#include "base/arena.h"
#include "record/run.h"
#include "stats/agreement.h"

/* One dimension of the ratings. */
struct ge_people_dimension {
    const char *name;
    size_t ratings, raters, answers;
    struct ge_alpha alpha[GE_ALPHA_METRICS]; /* units are answers, drawn by the items' clusters */
};

/* Mean over a system's rated answers of one direction of each answer's mean over raters. */
struct ge_people_mean {
    const char *system, *dimension;
    enum ge_direction direction;
    size_t answers, ratings;
    struct ge_estimate mean; /* interval by clusters */
};

/* The run's verdicts beside those of people, over the answers that have both. */
struct ge_people_verdicts {
    const char *system;
    enum ge_direction direction;
    size_t answers;
    double people, automatic;     /* mean verdicts */
    struct ge_estimate agreement; /* mean of 1 - |people - automatic|; interval by clusters */
    size_t decided; /* answers with a 0/1 verdict on which people are not evenly split */
    double kappa;   /* Cohen's, of the majority and the verdict over these */
};

struct ge_people {
    size_t ratings, raters;
    struct ge_people_dimension *dimensions; /* in byte order */
    size_t n_dimensions;
    struct ge_people_mean *means; /* by system, direction, dimension */
    size_t n_means;
    const char *dimension; /* that verdicts are made from; NULL: the job names none */
    double min;
    struct ge_people_verdicts *verdicts; /* by system, direction */
    size_t n_verdicts;
    struct ge_correction *corrections; /* by system; none without a verdict */
    size_t n_corrections;
};

struct values;

/* Sum up the ratings of a run that has any. Everything lives in `arena`; strings are the run's.
 * GE_EINVAL: the verdict's dimension is none of the ratings' (the message lists them); GE_ENOMEM. */
ge_status ge_people_make(const struct ge_run *run, const struct values *values,
                         const struct ge_aggregate_options *options, struct ge_arena *arena,
                         struct ge_people **out);

/* ---- shared with calibration ----------------------------------------------------------------- */

/* What the raters of one answer say on one dimension. */
struct ge_rated_answer {
    uint32_t cell;
    struct ge_key key;
    size_t n;     /* raters */
    double score; /* their mean */
    double right; /* share of them with score >= min */
};

/* All answers rated on a dimension (index), in the order of the ratings, on the heap (free() them).
 * GE_ENOMEM. */
ge_status ge_rated_answers(const struct ge_ratings *r, size_t dimension, double min,
                           struct ge_rated_answer **out, size_t *n);

/* Index of a dimension of the ratings. GE_EINVAL with the names that there are. */
ge_status ge_rating_dimension(const struct ge_ratings *r, const char *name, size_t *index);

/* The result that holds an item's rows in a cell, or NULL (not computed). */
const struct ge_result *ge_find_result(const struct ge_run *run, uint32_t cell, uint32_t item);

/* Verdict of an answer; NaN if there is none. */
double ge_find_verdict(const struct ge_result *r, struct ge_key key);

/* The scores of an answer: the first of *n rows, in the order of metrics. */
const struct ge_score_row *ge_find_scores(const struct ge_result *r, struct ge_key key, size_t *n);

/* Mean of n values with the interval of a clustered mean; cluster (n), any numbering. NaN without
 * values; GE_ENOMEM. */
ge_status ge_clustered_mean(const double *x, const uint32_t *cluster, size_t n, double level,
                            struct ge_estimate *out);

/* The same for values in [0, 1]: Wilson's interval with the effective number of values, as for the
 * shares of the gap's table. */
ge_status ge_clustered_share(const double *x, const uint32_t *cluster, size_t n, double level,
                             struct ge_estimate *out);

#endif
