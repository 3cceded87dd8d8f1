#include "image/resize_axis.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    PRECISION = 22,       /* fractional bits of Pillow's weights, and the most of torch's */
    NARROW = 1 << 15,     /* torch's weights stay below this */
    MAX_WEIGHTS = 1 << 22 /* of one axis: enough for a million pixels on a side */
};

static const double PI = 3.14159265358979323846;

/* ---- filters ----------------------------------------------------------------------------- */

/* sin(x) for |x| <= 10, within 1 ulp: reduced to |r| <= pi/2 with pi in two parts, then its
 * Taylor series. Our own because libm picks its code by CPU. */
static double sine(double x)
{
    const double pi_tail = 1.2246467991473532e-16; /* pi - PI */
    double n = floor(x / PI + 0.5);
    double r = x - n * 3.1415926218032837; /* first 26 bits of pi: the product is exact */
    r -= n * 3.1786509424591713e-08;       /* the rest of PI */
    r -= n * pi_tail;
    double r2 = r * r, term = r, sum = 0;
    for (int k = 1; k <= 12; k++) {
        term *= -r2 / (2.0 * k * (2.0 * k + 1.0));
        sum += term;
    }
    sum += r;
    return fmod(n, 2.0) != 0 ? -sum : sum;
}

static double sinc(double x)
{
    if (x == 0) return 1;
    x *= PI;
    return sine(x) / x;
}

static double filter_value(enum ge_resample filter, double x)
{
    const double a = -0.5;
    double t = fabs(x);
    switch (filter) {
    case GE_RESAMPLE_BOX:
        return x > -0.5 && x <= 0.5 ? 1 : 0;
    case GE_RESAMPLE_BILINEAR:
        return t < 1 ? 1 - t : 0;
    case GE_RESAMPLE_BICUBIC:
        if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
        return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
    case GE_RESAMPLE_LANCZOS:
        return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    case GE_RESAMPLE_NEAREST:
        break;
    }
    return 0;
}

static double filter_support(enum ge_resample filter)
{
    switch (filter) {
    case GE_RESAMPLE_BOX:
        return 0.5;
    case GE_RESAMPLE_BICUBIC:
        return 2;
    case GE_RESAMPLE_LANCZOS:
        return 3;
    default:
        return 1;
    }
}

/* ---- weights ----------------------------------------------------------------------------- */

struct weights {
    const struct ge_axis *axis;
    double scale, stretch, support;
    double *w;    /* of one output position */
    int first, n; /* the inputs that they are for */
};

/* The exact weights of output position i. */
static void exact_weights(struct weights *e, int i)
{
    const double centre = (i + 0.5) * e->scale, inverse = 1.0 / e->stretch;
    int lo = (int)(centre - e->support + 0.5), hi = (int)(centre + e->support + 0.5);
    double sum = 0;
    if (lo < 0) lo = 0;
    if (hi > e->axis->in) hi = e->axis->in;
    e->first = lo;
    e->n = hi - lo;
    for (int x = 0; x < e->n; x++) {
        e->w[x] = filter_value(e->axis->filter, (x + lo - centre + 0.5) * inverse);
        sum += e->w[x];
    }
    for (int x = 0; x < e->n && sum != 0; x++) e->w[x] /= sum;
}

/* torch's choice: as many bits as keep the largest weight of the whole axis below 2^15. */
static int narrow_precision(struct weights *e)
{
    int bits = 0;
    double largest = 0;
    for (int i = 0; i < e->axis->out; i++) {
        exact_weights(e, i);
        for (int x = 0; x < e->n; x++)
            if (e->w[x] > largest) largest = e->w[x];
    }
    while (bits < PRECISION && (int)(0.5 + largest * (1 << (bits + 1))) < NARROW) bits++;
    return bits;
}

/* Fixed-point weights of output position i, as number `at` of the table; its pairs are those from
 * t->tap[at].k on, which are 0. */
static void fixed_weights(struct weights *e, int i, struct ge_taps *t, int at)
{
    struct ge_tap *tap = &t->tap[at];
    exact_weights(e, i);
    const int lead = e->axis->even_pairs ? e->first & 1 : 0;
    tap->first = e->first - lead;
    tap->pairs = (e->n + lead + 1) / 2;
    for (int x = 0; x < e->n; x++) {
        double w = e->w[x];
        int32_t fixed = (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << t->precision));
        int16_t *k = &t->k[tap->k + (x + lead) / 2][(x + lead) & 1];
        k[0] = (int16_t)(t->wide ? fixed >> GE_LOW_BITS : fixed);
        k[2] = (int16_t)(t->wide ? fixed & ((1 << GE_LOW_BITS) - 1) : 0);
    }
}

static void fill_table(struct weights *e, struct ge_taps *t)
{
    int k = 0, end = 0;
    for (int i = 0; i < t->n; i++) {
        t->tap[i].k = k;
        fixed_weights(e, e->axis->from + i, t, i);
        k += t->tap[i].pairs;
        if (e->first + e->n > end) end = e->first + e->n;
    }
    t->origin = t->tap[0].first;
    t->reach = end - t->origin;
    for (int i = 0; i < t->n; i++) t->tap[i].first -= t->origin;
}

ge_status ge_taps_new(const struct ge_axis *axis, struct ge_taps *t)
{
    ge_status rc = GE_OK;
    struct weights e = {.axis = axis, .scale = (double)axis->in / axis->out};
    e.stretch = e.scale < 1 ? 1 : e.scale;
    e.support = filter_support(axis->filter) * e.stretch;
    if ((2 * ceil(e.support) + 1) * axis->out > MAX_WEIGHTS)
        return ge_fail(GE_ELIMIT, "resize of a side from %d to %d pixels: too long; crop it",
                       axis->in, axis->out);
    const size_t taps = (size_t)ceil(e.support) * 2 + 1;
    t->n = axis->n;
    t->wide = axis->mode == GE_RESIZE_PIL;
    GE_NEW(e.w, taps);
    GE_NEW(t->tap, (size_t)t->n);
    GE_NEW(t->k, (size_t)t->n * (taps / 2 + 1));
    t->precision = t->wide ? PRECISION : narrow_precision(&e);
    *(t->wide ? &t->start_low : &t->start_high) = 1u << (t->precision - 1);
    fill_table(&e, t);
done:
    free(e.w);
    return rc;
}

void ge_taps_free(struct ge_taps *t)
{
    free(t->tap);
    free(t->k);
    *t = (struct ge_taps){0};
}
