/* One item's part of the irt likelihood: an integral over its difficulty. Private to aggregate/irt*.
 *
 * With b = -sd z the item's terms are g(z) = sum_j [y_j eta_j - n_j ln(1 + exp eta_j)] - z^2/2,
 * eta_j = theta_j + sd z, j over the abilities. Adaptive Gauss-Hermite quadrature (Liu and Pierce 1994) puts
 * nodes around g's mode, spread by its curvature there. */
#ifndef GE_AGGREGATE_IRT_ITEM_H
#define GE_AGGREGATE_IRT_ITEM_H

#include <stddef.h>

#include "base/status.h"
#include "stats/hermite.h"

/* Where the likelihood is evaluated. */
struct irt_point {
    size_t n;            /* abilities */
    const double *theta; /* (n) */
    const double *odds;  /* (n): exp(-theta) */
    double sd;
};

struct irt_rule {
    int n;
    double node[GE_HERMITE_MOST], log_weight[GE_HERMITE_MOST];
};

/* An item's counts: right ones of total, for each ability; total 0 where it was not seen. */
struct irt_counts {
    const float *right, *total; /* (n) */
};

/* What is known about an item at a point; scratch of one thread. */
struct irt_work {
    double *memory;
    double *mode_p;                 /* (n) probabilities at the mode */
    double *p;                      /* (nodes, n) probabilities at the nodes */
    double mode, curvature, spread; /* z of the mode; D = -g''; 1 / sqrt(D) */
    double residual;                /* sum of y - n p at the mode */
    int nodes;
    double z[GE_HERMITE_MOST], weight[GE_HERMITE_MOST]; /* nodes, their posterior weights (sum 1) */
    double residuals[GE_HERMITE_MOST];                  /* sum of y - n p at each node */
    double loglik;                                      /* without binomial coefficients */
};

/* GE_ENOMEM; free with irt_work_free(), also after a failure. */
ge_status irt_work_make(struct irt_work *w, size_t n, int most_nodes);
void irt_work_free(struct irt_work *w);

/* Fill *w for an item. w->mode on entry: where the search begins, any finite value. */
void irt_integrate(const struct irt_point *at, struct irt_counts item, const struct irt_rule *rule,
                   struct irt_work *w);

/* Add the gradient of w->loglik to grad (n + 1): abilities, then sd. Exact also where the quadrature is
 * not: the nodes move with the mode and the curvature, and that is differentiated too. */
void irt_add_gradient(const struct irt_point *at, struct irt_counts item,
                      const struct irt_rule *rule, const struct irt_work *w, double *grad);

/* The observed information by Louis' identity (1982), E[-g''] - Cov[g'] over the item's posterior. Adds
 * E[-g''], which has the form of an arrow, to diagonal (n + 1) and shaft (n); writes the deviations of g'
 * from its mean, times the root of their weight, to rows (nodes, n + 1): the sum of their squares is what
 * is to be subtracted. mean (n + 1): scratch. */
void irt_add_information(const struct irt_point *at, struct irt_counts item,
                         const struct irt_work *w, double *diagonal, double *shaft, double *rows,
                         double *mean);

#endif
