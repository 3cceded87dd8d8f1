/* Clusters and intervals. */
#include "aggregate/interval.h"

#include <math.h>

#include "base/math.h"
#include "stats/groups.h"

ge_status ge_cluster_index(const struct ge_pair *pairs, size_t n, uint32_t *index, size_t *count)
{
    for (size_t i = 0; i < n; i++) index[i] = pairs[i].cluster;
    return ge_group_index(index, n, index, count);
}

const char *ge_interval_name(enum ge_interval_method method)
{
    static const char *const names[] = {"score", "delta", "bca"};
    return names[method];
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
