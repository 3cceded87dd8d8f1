/* Gauss-Hermite quadrature. Pure; thread-safe. */
#ifndef GE_STATS_HERMITE_H
#define GE_STATS_HERMITE_H

#include "base/status.h"

enum { GE_HERMITE_MOST = 100 };

/* The rule of n nodes for integrals of exp(-x^2) f(x) over the line: the sum of exp(log_weight[k])
 * f(node[k]) is exact for polynomials of degree 2n - 1. node (n): ascending, symmetric about 0;
 * log_weight (n): logarithms, since weights of outer nodes are as small as 1e-80. GE_EINVAL for n
 * outside 1…GE_HERMITE_MOST. */
ge_status ge_hermite(int n, double *node, double *log_weight);

#endif
