#include "metric/ssim.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"

/* The five means over a window that SSIM is made of. */
enum { MEAN_A, MEAN_B, MEAN_AA, MEAN_BB, MEAN_AB, MEANS };

static const double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);

static double similarity(const double m[MEANS], double norm, double least)
{
    double va = norm * (m[MEAN_AA] - m[MEAN_A] * m[MEAN_A]);
    double vb = norm * (m[MEAN_BB] - m[MEAN_B] * m[MEAN_B]);
    double vab = norm * (m[MEAN_AB] - m[MEAN_A] * m[MEAN_B]);
    va = fmax(va, least);
    vb = fmax(vb, least);
    return ((2 * m[MEAN_A] * m[MEAN_B] + c1) * (2 * vab + c2)) /
           ((m[MEAN_A] * m[MEAN_A] + m[MEAN_B] * m[MEAN_B] + c1) * (va + vb + c2));
}

static void products(double a, double b, double out[MEANS])
{
    out[MEAN_A] = a;
    out[MEAN_B] = b;
    out[MEAN_AA] = a * a;
    out[MEAN_BB] = b * b;
    out[MEAN_AB] = a * b;
}

/* A separable window of odd width `size` slides over one channel: `rows` keeps, for the lines of the
 * window, their horizontal sums; borders are reflected without the edge pixel (place -1 is 1). */
struct window {
    const struct ge_image *a, *b;
    const double *weights; /* (size) */
    int size, channel;
};

static int reflect(int i, int n)
{
    return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/* Horizontal sums of line y, (width, MEANS). */
static void sum_line(const struct window *w, int y, double *out)
{
    int width = w->a->width, half = w->size / 2;
    const uint8_t *a = w->a->rgb + (size_t)y * (size_t)width * 3 + w->channel;
    const uint8_t *b = w->b->rgb + (size_t)y * (size_t)width * 3 + w->channel;
    for (int x = 0; x < width; x++) {
        double sum[MEANS] = {0}, p[MEANS];
        for (int k = 0; k < w->size; k++) {
            int at = 3 * reflect(x + k - half, width);
            products(a[at], b[at], p);
            for (int m = 0; m < MEANS; m++) sum[m] += w->weights[k] * p[m];
        }
        for (int m = 0; m < MEANS; m++) out[(size_t)x * MEANS + (size_t)m] = sum[m];
    }
}

/* Sum of SSIM over the pixels that are `border` away from the edges. */
static ge_status sum_channel(const struct window *w, int border, double norm, double least,
                             double *sum)
{
    ge_status rc = GE_OK;
    int width = w->a->width, height = w->a->height, half = w->size / 2;
    double *lines = NULL; /* (height, width, MEANS) would be large: a ring of `size` lines */
    size_t line = (size_t)width * MEANS, cells = 0;
    int next = 0;
    GE_TRY(ge_mul(line, (size_t)w->size, &cells));
    GE_NEW(lines, cells);
    for (int y = border; y < height - border; y++) {
        int last = y + half < height ? y + half : height - 1;
        for (; next <= last; next++) sum_line(w, next, lines + (size_t)(next % w->size) * line);
        for (int x = border; x < width - border; x++) {
            double m[MEANS] = {0};
            for (int k = 0; k < w->size; k++) {
                int at = reflect(y + k - half, height);
                const double *p = lines + (size_t)(at % w->size) * line + (size_t)x * MEANS;
                for (int i = 0; i < MEANS; i++) m[i] += w->weights[k] * p[i];
            }
            *sum += similarity(m, norm, least);
        }
    }
done:
    free(lines);
    return rc;
}

ge_status ge_ssim(const struct ge_image *a, const struct ge_image *b, enum ge_ssim dialect,
                  double *value)
{
    enum { UNIFORM = 7, GAUSSIAN = 11 };
    ge_status rc = GE_OK;
    double weights[GAUSSIAN], total = 0, sum = 0;
    bool gaussian = dialect == GE_SSIM_TORCHMETRICS;
    int size = gaussian ? GAUSSIAN : UNIFORM, border = gaussian ? 0 : UNIFORM / 2;
    int least = gaussian ? GAUSSIAN / 2 + 1 : UNIFORM;
    *value = NAN;
    if (a->width != b->width || a->height != b->height) {
        GE_TRY(ge_fail(GE_EINVAL, "SSIM of pictures of %d x %d and %d x %d pixels; wanted one size",
                       a->width, a->height, b->width, b->height));
    }
    if (a->width < least || a->height < least) goto done;
    for (int i = 0; i < size; i++) {
        double d = i - size / 2;
        weights[i] = gaussian ? ge_exp(-(d / 1.5) * (d / 1.5) / 2) : 1;
        total += weights[i];
    }
    for (int i = 0; i < size; i++) weights[i] /= total;
    const double n = UNIFORM * UNIFORM;
    for (int channel = 0; channel < 3; channel++) {
        struct window w = {a, b, weights, size, channel};
        GE_TRY(sum_channel(&w, border, gaussian ? 1 : n / (n - 1), gaussian ? 0 : -INFINITY, &sum));
    }
    *value = sum / (3.0 * (a->width - 2 * border) * (a->height - 2 * border));
done:
    return rc;
}
