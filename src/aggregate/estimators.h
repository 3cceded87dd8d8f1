/* The estimators upstream and irt for the rows of a summary, beside its own (logit). Filled by
 * ge_aggregate() where its options ask for them, read by report/ and cli/. */
#ifndef GE_AGGREGATE_ESTIMATORS_H
#define GE_AGGREGATE_ESTIMATORS_H

#include "aggregate/aggregate.h"
#include "aggregate/irt.h"
#include "aggregate/upstream.h"

enum ge_estimator { GE_LOGIT, GE_UPSTREAM, GE_IRT, GE_ESTIMATORS };

/* "logit", "upstream", "irt". */
const char *ge_estimator_name(enum ge_estimator e);

struct ge_irt_row {
    struct ge_irt_model model;
    struct ge_estimate delta; /* theta_und - theta_gen, Wald interval at the summary's level */
    double p_value;           /* of delta = 0, Wald */
    double gap;               /* G of this delta and the row's smoothed cells; no interval */
};

/* One fit: all systems on a group's items. */
struct ge_irt_group {
    const char *dimension, *group;
    size_t items, judgements;
    double sd_item, loglik; /* NaN if no ability could be estimated */
};

struct ge_estimates {
    bool has_upstream, has_irt; /* asked for, and not refused */
    double *upstream;       /* (n_rows of the summary) G of a category, in the overall row the mean
                                    over categories; NaN elsewhere. Without the dimension "category" all
                                    items count as one */
    struct ge_irt_row *irt; /* (n_rows) */
    struct ge_irt_group *groups; /* (summary's n_groups) in the order of a system's rows */
    int irt_nodes;
    const char *irt_refused; /* why there is no irt though it was asked for; NULL */
};

#endif
