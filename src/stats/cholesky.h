/* Symmetric positive definite systems, by Cholesky's factor. Pure; thread-safe. */
#ifndef GE_STATS_CHOLESKY_H
#define GE_STATS_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Replace the lower triangle of a (n, n), row-major, by its factor L, a = L L'; the upper triangle is
 * not touched. False if a is not positive definite to working precision: a is then in pieces. */
bool ge_cholesky(double *a, size_t n);

/* x (n) becomes the solution of L L' x = b, b given in x. */
void ge_cholesky_solve(const double *l, size_t n, double *x);

/* inverse (n, n) becomes (L L')^-1, both triangles; not l itself. */
void ge_cholesky_inverse(const double *l, size_t n, double *inverse);

#endif
