/* Rows of L one after the other: inner products of rows, which lie together in memory. */
#include "stats/cholesky.h"

#include <math.h>

bool ge_cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n, given = row[i];
        for (size_t j = 0; j <= i; j++) {
            const double *other = a + j * n;
            double sum = row[j];
            for (size_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (j < i) {
                row[j] = sum / other[j];
            } else {
                if (!(sum > 1e-14 * given)) return false; /* also for NaN */
                row[i] = sqrt(sum);
            }
        }
    }
    return true;
}

void ge_cholesky_solve(const double *l, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
        x[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        x[i] /= l[i * n + i];
        for (size_t k = 0; k < i; k++) x[k] -= l[i * n + k] * x[i];
    }
}

void ge_cholesky_inverse(const double *l, size_t n, double *inverse)
{
    for (size_t c = 0; c < n; c++) {
        double *x = inverse + c * n; /* symmetric: a column is a row */
        for (size_t i = 0; i < n; i++) x[i] = i == c;
        ge_cholesky_solve(l, n, x);
    }
}
