/* Automatic metrics beside what people said: correlation, area under the ROC curve, the best threshold
 * and what it is worth on answers that it was not chosen on. Pure arithmetic over a run and its
 * ratings. Used by `gapeval calibrate`. docs/people.md, docs/statistics.md. */
#ifndef GE_AGGREGATE_CALIBRATE_H
#define GE_AGGREGATE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate/aggregate.h"
#include "base/arena.h"
#include "metric/metric.h"
#include "record/run.h"
#include "stats/correlation.h"
#include "stats/roc.h"

struct ge_calibrate_options {
    const char *dimension; /* of the ratings */
    double min;         /* people call an answer right when most of its raters give at least this */
    const char *metric; /* one of the run's; NULL: all that have values */
    const char *task;   /* a task type; NULL: all that people rated */
    enum ge_cutoff_by by; /* what the best threshold maximises */
    uint32_t folds;       /* at most, at least 2 */
    double level;         /* confidence */
    uint64_t seed;        /* of the folds */
};

/* One metric over the rated answers of one task type, of all systems together. */
struct ge_calibration {
    const char *task, *metric;
    enum ge_better better; /* as the metric table says; unknown metrics: GE_BETTER_NEITHER */
    bool higher; /* side of the threshold that is right: from `better`, otherwise where the
                              area is at least a half */
    size_t answers, clusters;
    struct ge_correlation pearson, spearman, kendall; /* with people's mean score; clusters count */
    size_t split; /* answers whose raters are evenly split: left out of what follows */
    struct ge_roc_point *curve; /* (n_curve), thresholds in the metric's own unit; in the arena */
    size_t n_curve;
    struct ge_auc auc; /* of the metric on its side */
    double threshold;  /* best over all answers; not finite: calling nothing right is best */
    uint32_t folds;    /* 0: too few clusters to validate */
    struct ge_decisions checked;  /* cross-validated */
    struct ge_estimate agreement; /* checked.agreement with its interval by clusters */
    bool usable; /* a side is better by definition, the threshold is finite and within what a job
                         takes, and validated kappa is above 0 */
    bool
        recommended; /* the usable one of its task with the largest validated kappa; of equals the one
                         with the larger area, then the earlier */
};

/* Rows by task type in byte order, then in the order of the run's metrics; in `arena`.
 * GE_EINVAL: no ratings, an unknown dimension, metric or task type, a metric without values beside
 * ratings; GE_ENOMEM. */
ge_status ge_calibrate(const struct ge_run *run, const struct ge_calibrate_options *options,
                       struct ge_arena *arena, struct ge_calibration **rows, size_t *n);

#endif
