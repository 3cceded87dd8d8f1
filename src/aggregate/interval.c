/* Clusters and intervals. */
#include "aggregate/interval.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"

struct place {
    uint32_t cluster, pair;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->cluster != y->cluster) return x->cluster < y->cluster ? -1 : 1;
    return (x->pair > y->pair) - (x->pair < y->pair);
}

ge_status ge_cluster_index(const struct ge_pair *pairs, size_t n, uint32_t *index, size_t *count)
{
    ge_status rc = GE_OK;
    struct place *places = NULL;
    size_t clusters = 0;
    GE_NEW(places, n);
    for (size_t i = 0; i < n; i++) places[i] = (struct place){pairs[i].cluster, (uint32_t)i};
    if (n > 0) qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || places[i].cluster != places[i - 1].cluster) clusters++;
        index[places[i].pair] = (uint32_t)clusters - 1;
    }
    *count = clusters;
done:
    free(places);
    return rc;
}

double ge_t_two_sided(double level, size_t clusters)
{
    if (clusters < 2) return NAN;
    return ge_t_quantile(0.5 + level / 2, (double)clusters - 1);
}

struct ge_estimate ge_wilson(double p, double p_smooth, double var, double most, double t)
{
    if (isnan(t)) return (struct ge_estimate){p, NAN, NAN};
    double effective = fmin(most, p_smooth * (1 - p_smooth) / var);
    double t2 = t * t / effective;
    double centre = (p + t2 / 2) / (1 + t2);
    double half = t / (1 + t2) * sqrt(p * (1 - p) / effective + t2 / (4 * effective));
    return (struct ge_estimate){p, fmax(0, centre - half), fmin(1, centre + half)};
}
