/* Maximises the irt likelihood over abilities and the items' standard deviation. Private to
 * aggregate/irt*. */
#ifndef GE_AGGREGATE_IRT_FIT_H
#define GE_AGGREGATE_IRT_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate/irt_item.h"
#include "base/pool.h"
#include "base/status.h"

/* Counts as a table: every item has a judgement, every ability is neither all right nor all wrong. */
struct irt_table {
    size_t n, items;      /* abilities, items: at least 1 */
    float *right, *total; /* (items, n) */
};

struct irt_optimum {
    double *x;          /* (n + 1): abilities, then sd >= 0; given by the caller, with a start */
    double *covariance; /* (n, n) of the abilities; given by the caller */
    double loglik;      /* without binomial coefficients */
    bool unbounded;     /* sd went beyond sd_most: x and covariance mean nothing */
    int steps;
};

/* GE_ENOMEM; GE_EINTERNAL if it does not settle. */
ge_status irt_maximise(const struct irt_table *table, int nodes, double sd_most,
                       struct ge_pool *pool, struct irt_optimum *best);

#endif
