#include "metric/clipscore.h"

#include <math.h>

double ge_clipscore_25(double cosine)
{
    return 2.5 * (cosine > 0 || isnan(cosine) ? cosine : 0);
}

double ge_clipscore_100(double cosine)
{
    return 100 * cosine;
}

double ge_refclipscore_25(double clipscore, double reference_cosine)
{
    double mean = 2 * clipscore * reference_cosine / (clipscore + reference_cosine);

    return isfinite(mean) ? mean : NAN;
}
