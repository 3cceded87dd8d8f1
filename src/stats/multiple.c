#include "stats/multiple.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

struct ranked {
    double p;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

ge_status ge_holm(const double *p, size_t n, double *adjusted)
{
    ge_status rc = GE_OK;
    struct ranked *order = NULL;
    size_t m = 0;
    double most = 0;
    GE_NEW(order, n);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i])) order[m++] = (struct ranked){p[i], i};
        adjusted[i] = p[i];
    }
    qsort(order, m, sizeof *order, compare_ranked);
    for (size_t k = 0; k < m; k++) {
        most = fmax(most, fmin(1, (double)(m - k) * order[k].p));
        adjusted[order[k].index] = most;
    }
done:
    free(order);
    return rc;
}
