#include "model/grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* The taps of one output coordinate: weight[0…n) for the inputs first…; those before 0 and beyond the
 * last one count as these. */
struct taps {
    long first;
    size_t n;
    double *weight;
};

/* Keys (1981), "Cubic convolution interpolation", with the free parameter a. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static void plain_taps(size_t in, size_t out, size_t i, struct taps *t)
{
    double at = ((double)i + 0.5) * (double)in / (double)out - 0.5, below = floor(at);

    t->first = (long)below - 1;
    t->n = 4;
    for (size_t k = 0; k < 4; k++) t->weight[k] = cubic((double)t->first + (double)k - at, -0.75);
}

static void antialias_taps(size_t in, size_t out, size_t i, struct taps *t)
{
    double scale = (double)in / (double)out, widen = scale > 1 ? scale : 1, support = 2 * widen;
    double centre = ((double)i + 0.5) * scale, sum = 0;
    long first = (long)(centre - support + 0.5), end = (long)(centre + support + 0.5);

    if (first < 0) first = 0;
    if (end > (long)in) end = (long)in;
    t->first = first;
    t->n = (size_t)(end - first);
    for (size_t k = 0; k < t->n; k++) {
        t->weight[k] = cubic(((double)first + (double)k - centre + 0.5) / widen, -0.5);
        sum += t->weight[k];
    }
    for (size_t k = 0; k < t->n; k++) t->weight[k] /= sum;
}

/* One axis: `lines` times (in, d) to (out, d). The rows of a line are `step` rows apart in both. */
static ge_status resize_axis(const double *from, size_t in, double *to, size_t out, bool antialias,
                             size_t lines, size_t line_from, size_t line_to, size_t step, size_t d)
{
    struct taps t = {0};
    ge_status rc = GE_OK;

    GE_NEW(t.weight, 2 * (2 * (in > out ? in / out + 1 : 1) + 2));
    for (size_t i = 0; i < out; i++) {
        (antialias ? antialias_taps : plain_taps)(in, out, i, &t);
        for (size_t l = 0; l < lines; l++) {
            double *y = to + (l * line_to + i * step) * d;
            for (size_t c = 0; c < d; c++) y[c] = 0;
            for (size_t k = 0; k < t.n; k++) {
                long at = t.first + (long)k;
                size_t row = at < 0 ? 0 : (size_t)at >= in ? in - 1 : (size_t)at;
                const double *x = from + (l * line_from + row * step) * d;
                for (size_t c = 0; c < d; c++) y[c] += t.weight[k] * x[c];
            }
        }
    }
done:
    free(t.weight);
    return rc;
}

ge_status ge_grid_resize(const float *in, size_t side, size_t d, bool antialias, size_t rows,
                         size_t cols, float *out)
{
    double *wide = NULL, *across = NULL, *both = NULL;
    size_t n_in, n_across, n_out;
    ge_status rc = GE_OK;

    GE_TRY(ge_mul(side * side, d, &n_in));
    GE_TRY(ge_mul(side * cols, d, &n_across));
    GE_TRY(ge_mul(rows * cols, d, &n_out));
    GE_NEW(wide, n_in);
    GE_NEW(across, n_across);
    GE_NEW(both, n_out);
    for (size_t i = 0; i < n_in; i++) wide[i] = (double)in[i];
    GE_TRY(resize_axis(wide, side, across, cols, antialias, side, side, cols, 1, d));
    GE_TRY(resize_axis(across, side, both, rows, antialias, cols, 1, 1, cols, d));
    for (size_t i = 0; i < n_out; i++) out[i] = (float)both[i];
done:
    free(wide);
    free(across);
    free(both);
    return rc;
}
