/* The `irt` estimator: abilities of all models in both directions on one scale, items' difficulties shared.
 *
 *   logit P(model m is right on item i in direction d) = theta_md - b_i,   b_i ~ N(0, sd^2)
 *
 * One item has one difficulty in both directions; this pairing is what makes theta_und - theta_gen mean
 * something. Abilities are fixed effects, difficulties random: the logistic mixed model
 * y ~ 0 + model:direction + (1 | item), fitted by marginal maximum likelihood with adaptive Gauss-Hermite
 * quadrature per item (1 node: Laplace's approximation). The same digits at any number of threads.
 * docs/statistics.md, section 8. Used by cli and estimators.c. */
#ifndef GE_AGGREGATE_IRT_H
#define GE_AGGREGATE_IRT_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "record/item.h"

enum { GE_IRT_NODES = 25, GE_IRT_NODES_MOST = 100 };

/* Judgements of one direction, and how many of them say right. */
struct ge_irt_count {
    uint32_t right, judged; /* right <= judged <= GE_IRT_JUDGED_MOST; 0 judged: not seen */
};
#define GE_IRT_JUDGED_MOST 1000000u

/* One model on one item. */
struct ge_irt_pair {
    uint32_t model, item;                     /* each (model, item) at most once */
    struct ge_irt_count count[GE_DIRECTIONS]; /* by GE_UND, GE_GEN */
};

/* Right ones of `judges` judgements, from their mean: GE_EINVAL unless verdict * judges is whole,
 * to 0.005 (verdicts may be rounded). */
ge_status ge_irt_right(double verdict, uint32_t judges, uint32_t *right);

/* What became of a model's ability in one direction. */
enum ge_irt_reason {
    GE_IRT_ESTIMATED,
    GE_IRT_SEPARATED, /* all right or all wrong: the estimate is infinite; takes no part in the fit */
    GE_IRT_NO_ITEMS,
    GE_IRT_UNIDENTIFIED, /* no item has two judgements: its difficulty cannot be told from chance */
    GE_IRT_UNBOUNDED     /* the likelihood rises with the sd of items, without a maximum */
};
#define GE_IRT_SD_MOST 20.0 /* beyond it the sd is taken for unbounded */

/* "estimated", "separated", "no_items", "unidentified", "unbounded". */
const char *ge_irt_reason_name(enum ge_irt_reason reason);

/* NaN wherever an ability is not GE_IRT_ESTIMATED. */
struct ge_irt_ability {
    double theta, se; /* logits */
    enum ge_irt_reason reason;
};

struct ge_irt_model {
    struct ge_irt_ability und, gen;
    double covariance;      /* of the two abilities */
    double delta, se_delta; /* theta_und - theta_gen */
};

struct ge_irt_fit {
    struct ge_irt_model *models; /* (n_models), owned */
    size_t n_models;
    size_t items; /* that took part */
    size_t judgements;
    double sd_item;   /* standard deviation of difficulties; NaN if nothing was fitted */
    double loglik;    /* with binomial coefficients; NaN likewise */
    int nodes, steps; /* quadrature nodes; steps of the optimiser */
};

struct ge_irt_options {
    int nodes;            /* 1…GE_IRT_NODES_MOST */
    struct ge_pool *pool; /* borrowed; NULL: the calling thread alone */
};

/* Fit n pairs of models 0…n_models-1 and items 0…n_items-1. Standard errors are from the observed
 * information of the marginal likelihood at the estimate. GE_EINVAL (nodes, a pair out of range, a pair
 * given twice), GE_ELIMIT (n_models beyond GE_IRT_MODELS_MOST), GE_ENOMEM; GE_EINTERNAL if the optimiser
 * does not settle. Free with ge_irt_free(). */
#define GE_IRT_MODELS_MOST 1000
ge_status ge_irt(const struct ge_irt_pair *pairs, size_t n, size_t n_models, size_t n_items,
                 const struct ge_irt_options *options, struct ge_irt_fit *fit);
void ge_irt_free(struct ge_irt_fit *fit);

#endif
