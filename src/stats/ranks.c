#include "stats/ranks.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "stats/multiple.h"

/* The comparisons of ranked systems in a row, adjusted, and back in their places (i, j), i < j. */
static ge_status adjust(const double *score, const double *p, size_t n, double *adjusted)
{
    ge_status rc = GE_OK;
    double *family = NULL;
    size_t m = 0;
    GE_NEW(family, n * n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            family[m++] = isnan(score[i]) || isnan(score[j]) ? NAN : p[i * n + j];
        }
    }
    GE_TRY(ge_holm(family, m, family));
    m = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) adjusted[i * n + j] = family[m++];
    }
done:
    free(family);
    return rc;
}

ge_status ge_ranks(const double *score, const double *p, size_t n, double level,
                   struct ge_rank *out)
{
    ge_status rc = GE_OK;
    double *adjusted = NULL;
    size_t ranked = 0, cells = 0;
    GE_TRY(ge_mul(n, n, &cells));
    GE_NEW(adjusted, cells);
    GE_TRY(adjust(score, p, n, adjusted));
    for (size_t i = 0; i < n; i++) ranked += !isnan(score[i]);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct ge_rank){0, 0, 0};
        if (isnan(score[i])) continue;
        size_t above = 0, better = 0, worse = 0;
        for (size_t j = 0; j < n; j++) {
            double q = adjusted[i < j ? i * n + j : j * n + i];
            if (j == i || isnan(score[j])) continue;
            above += score[j] > score[i];
            better += score[j] > score[i] && q <= 1 - level;
            worse += score[j] < score[i] && q <= 1 - level;
        }
        out[i] = (struct ge_rank){above + 1, better + 1, ranked - worse};
    }
done:
    free(adjusted);
    return rc;
}

double ge_pass_at_k(size_t n, size_t c, size_t k)
{
    double none = 1; /* chance that all k are wrong */
    if (k < 1 || k > n || c > n) return NAN;
    if (n - c < k) return 1;
    for (size_t i = 0; i < k; i++) none *= (double)(n - c - i) / (double)(n - i);
    return 1 - none;
}
