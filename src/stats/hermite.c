/* Nodes are roots of the Hermite polynomial, found between sign changes; weights are Christoffel's,
 * 1 / sum of squares of the orthonormal polynomials at the node. */
#include "stats/hermite.h"

#include <math.h>

#include "base/math.h"

/* The orthonormal polynomial of degree n at x; *squares gets the sum of squares of those below. */
static double polynomial(int n, double x, double *squares)
{
    double before = 0, h = 0.7511255444649425; /* pi^(-1/4) */
    *squares = 0;
    for (int m = 0; m < n; m++) {
        *squares += h * h;
        double next = x * sqrt(2.0 / (m + 1)) * h - sqrt((double)m / (m + 1)) * before;
        before = h;
        h = next;
    }
    return h;
}

/* The root between lo and hi, where the polynomial has different signs: to the last bit. */
static double root_between(int n, double lo, double hi)
{
    double squares, sign = polynomial(n, lo, &squares);
    for (;;) {
        double middle = 0.5 * (lo + hi);
        if (middle <= lo || middle >= hi) return middle;
        double value = polynomial(n, middle, &squares);
        if (value == 0) return middle;
        if ((value > 0) == (sign > 0)) {
            lo = middle;
        } else {
            hi = middle;
        }
    }
}

ge_status ge_hermite(int n, double *node, double *log_weight)
{
    if (n < 1 || n > GE_HERMITE_MOST) {
        return ge_fail(GE_EINVAL, "%d quadrature nodes; allowed are 1 to %d", n, GE_HERMITE_MOST);
    }
    /* Positive roots from 0 outwards; neighbours are at least pi / sqrt(2n + 1) apart. */
    double squares, step = 0.5 / sqrt(2.0 * n + 1), x = n % 2 == 1 ? 0.5 * step : 0;
    double sign = polynomial(n, x, &squares);
    if (n % 2 == 1) node[n / 2] = 0;
    for (int k = (n + 1) / 2; k < n; x += step) {
        double value = polynomial(n, x + step, &squares);
        if ((value > 0) == (sign > 0)) continue;
        node[k] = root_between(n, x, x + step);
        node[n - 1 - k] = -node[k];
        sign = value;
        k++;
    }
    for (int k = 0; k < n; k++) {
        polynomial(n, node[k], &squares);
        log_weight[k] = -ge_log(squares);
    }
    return GE_OK;
}
