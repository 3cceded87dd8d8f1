#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/decode.h"

/* The inner loops are compiled twice and chosen by CPU. They hold integer sums only, which have
 * the same bits at every vector width. */
#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum {
    PRECISION = 22,
    HALF = 1 << (PRECISION - 1),
    MAX_WEIGHTS = 1 << 22 /* of one axis: enough for a million pixels on a side */
};

static const double PI = 3.14159265358979323846;

const char *ge_resample_name(int code)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic", "box"};
    return code >= 0 && code < (int)(sizeof names / sizeof names[0]) ? names[code] : NULL;
}

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

/* ---- weights of one axis ----------------------------------------------------------------- */

struct axis {
    int taps;      /* room per output position */
    int *first;    /* (out) first input position */
    int *count;    /* (out) number of inputs */
    int32_t *k;    /* (out, taps) weights, 22 fractional bits */
    double *exact; /* (taps) weights of one output position before rounding */
};

static void axis_free(struct axis *axis)
{
    free(axis->first);
    free(axis->count);
    free(axis->k);
    free(axis->exact);
}

static void axis_weights(struct axis *axis, int i, enum ge_resample filter, double centre,
                         double inverse)
{
    int first = axis->first[i], n = axis->count[i];
    int32_t *k = axis->k + (size_t)i * (size_t)axis->taps;
    double sum = 0;
    for (int x = 0; x < n; x++) {
        axis->exact[x] = filter_value(filter, (x + first - centre + 0.5) * inverse);
        sum += axis->exact[x];
    }
    for (int x = 0; x < n; x++) {
        double w = sum != 0 ? axis->exact[x] / sum : axis->exact[x];
        k[x] = (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << PRECISION));
    }
}

static ge_status axis_new(int in, int out, enum ge_resample filter, struct axis *axis)
{
    ge_status rc = GE_OK;
    double scale = (double)in / out, stretch = scale < 1 ? 1 : scale;
    double support = filter_support(filter) * stretch;
    size_t cells;
    if ((2 * ceil(support) + 1) * out > MAX_WEIGHTS)
        return ge_fail(GE_ELIMIT, "resize of a side from %d to %d pixels: too long; crop it", in,
                       out);
    axis->taps = (int)ceil(support) * 2 + 1;
    GE_TRY(ge_mul((size_t)out, (size_t)axis->taps, &cells));
    GE_NEW(axis->first, (size_t)out);
    GE_NEW(axis->count, (size_t)out);
    GE_NEW(axis->k, cells);
    GE_NEW(axis->exact, (size_t)axis->taps);
    for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        int lo = (int)(centre - support + 0.5), hi = (int)(centre + support + 0.5);
        if (lo < 0) lo = 0;
        if (hi > in) hi = in;
        axis->first[i] = lo;
        axis->count[i] = hi - lo;
        axis_weights(axis, i, filter, centre, 1.0 / stretch);
    }
done:
    return rc;
}

/* ---- passes ------------------------------------------------------------------------------ */

static uint8_t clip8(int32_t sum)
{
    int32_t v = sum >> PRECISION; /* arithmetic on every compiler that we build with */
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* The horizontal pass takes BLOCK rows at once, stored column by column, so that the bytes that
 * share a weight are neighbours. */
enum { BLOCK = 16, COLUMN = 3 * BLOCK };

/* One output column of a block: the weighted sum of `taps` input columns. */
WIDE static void sum_columns(const uint8_t *restrict from, const int32_t *restrict k, int taps,
                             uint8_t *restrict to)
{
    int32_t sum[COLUMN];
    for (int j = 0; j < COLUMN; j++) sum[j] = HALF;
    for (int x = 0; x < taps; x++, from += COLUMN)
        for (int j = 0; j < COLUMN; j++) sum[j] += from[j] * k[x];
    for (int j = 0; j < COLUMN; j++) to[j] = clip8(sum[j]);
}

static void gather_block(const uint8_t *rgb, int rows, size_t width, uint8_t *block)
{
    for (int r = 0; r < rows; r++) {
        uint8_t *to = block + (size_t)r * 3;
        for (size_t x = 0; x < width; x++, rgb += 3, to += COLUMN) {
            to[0] = rgb[0];
            to[1] = rgb[1];
            to[2] = rgb[2];
        }
    }
}

static ge_status pass_horizontal(const struct ge_image *in, int width, enum ge_resample filter,
                                 struct ge_image *out)
{
    ge_status rc = GE_OK;
    struct axis axis = {0};
    uint8_t *block = NULL, column[COLUMN];
    const size_t in_row = (size_t)in->width * 3, out_row = (size_t)width * 3;
    GE_TRY(axis_new(in->width, width, filter, &axis));
    GE_NEW(block, in_row * BLOCK);
    GE_TRY(ge_image_alloc(out, width, in->height));
    for (int y = 0; y < in->height; y += BLOCK) {
        int rows = in->height - y < BLOCK ? in->height - y : BLOCK;
        gather_block(in->rgb + (size_t)y * in_row, rows, (size_t)in->width, block);
        for (int i = 0; i < width; i++) {
            sum_columns(block + (size_t)axis.first[i] * COLUMN,
                        axis.k + (size_t)i * (size_t)axis.taps, axis.count[i], column);
            uint8_t *to = out->rgb + (size_t)y * out_row + (size_t)i * 3;
            for (int r = 0; r < rows; r++, to += out_row) memcpy(to, column + 3 * r, 3);
        }
    }
done:
    free(block);
    axis_free(&axis);
    return rc;
}

/* sum[j] += from[j] * k over a row of n bytes. */
WIDE static void add_row(int32_t *restrict sum, const uint8_t *restrict from, int32_t k, size_t n)
{
    for (size_t j = 0; j < n; j++) sum[j] += from[j] * k;
}

static ge_status pass_vertical(const struct ge_image *in, int height, enum ge_resample filter,
                               struct ge_image *out)
{
    ge_status rc = GE_OK;
    struct axis axis = {0};
    int32_t *sum = NULL;
    size_t n = (size_t)in->width * 3;
    GE_TRY(axis_new(in->height, height, filter, &axis));
    GE_NEW(sum, n);
    GE_TRY(ge_image_alloc(out, in->width, height));
    for (int i = 0; i < height; i++) {
        const uint8_t *from = in->rgb + (size_t)axis.first[i] * n;
        const int32_t *k = axis.k + (size_t)i * (size_t)axis.taps;
        uint8_t *to = out->rgb + (size_t)i * n;
        for (size_t j = 0; j < n; j++) sum[j] = HALF;
        for (int x = 0; x < axis.count[i]; x++, from += n) add_row(sum, from, k[x], n);
        for (size_t j = 0; j < n; j++) to[j] = clip8(sum[j]);
    }
done:
    free(sum);
    axis_free(&axis);
    return rc;
}

/* Pillow's nearest filter is an affine transform that steps through the source in doubles;
 * positions that rounding carries past the edge stay black. */
static ge_status resize_nearest(const struct ge_image *in, int width, int height,
                                struct ge_image *out)
{
    ge_status rc = GE_OK;
    int *column = NULL;
    double step_x = (double)in->width / width, step_y = (double)in->height / height;
    double at = step_x * 0.5;
    GE_NEW(column, (size_t)width);
    GE_TRY(ge_image_alloc(out, width, height));
    for (int x = 0; x < width; x++, at += step_x) column[x] = (int)at;
    at = step_y * 0.5;
    for (int y = 0; y < height; y++, at += step_y) {
        int row = (int)at;
        if (row >= in->height) break;
        const uint8_t *from = in->rgb + (size_t)row * (size_t)in->width * 3;
        uint8_t *to = out->rgb + (size_t)y * (size_t)width * 3;
        for (int x = 0; x < width && column[x] < in->width; x++)
            memcpy(to + (size_t)x * 3, from + (size_t)column[x] * 3, 3);
    }
done:
    free(column);
    return rc;
}

static int vertical_first(const struct ge_image *in, int width, int height, enum ge_pillow pillow)
{
    int64_t less_h = (int64_t)in->height - height, less_w = (int64_t)in->width - width;
    if (pillow == GE_PILLOW_12) return less_h > 0 && in->height > 100 * (int64_t)in->width;
    return less_h > 0 && less_h > 2 * less_w;
}

static ge_status copy(const struct ge_image *in, struct ge_image *out)
{
    ge_status rc = ge_image_alloc(out, in->width, in->height);
    if (rc == GE_OK) memcpy(out->rgb, in->rgb, (size_t)in->width * (size_t)in->height * 3);
    return rc;
}

ge_status ge_image_resize(const struct ge_image *in, int width, int height, enum ge_resample filter,
                          enum ge_pillow pillow, struct ge_image *out)
{
    ge_status rc = GE_OK;
    struct ge_image middle = {0};
    const int same_w = in->width == width, same_h = in->height == height;
    *out = (struct ge_image){0};
    if (width < 1 || height < 1)
        return ge_fail(GE_EINVAL, "resize to %d x %d: at least 1 x 1 wanted", width, height);

    if (same_w && same_h) {
        rc = copy(in, out);
    } else if (filter == GE_RESAMPLE_NEAREST) {
        rc = resize_nearest(in, width, height, out);
    } else if (same_h) {
        rc = pass_horizontal(in, width, filter, out);
    } else if (same_w) {
        rc = pass_vertical(in, height, filter, out);
    } else if (vertical_first(in, width, height, pillow)) {
        GE_TRY(pass_vertical(in, height, filter, &middle));
        rc = pass_horizontal(&middle, width, filter, out);
    } else {
        GE_TRY(pass_horizontal(in, width, filter, &middle));
        rc = pass_vertical(&middle, height, filter, out);
    }
done:
    ge_image_free(&middle);
    if (rc != GE_OK) ge_image_free(out);
    return rc;
}
