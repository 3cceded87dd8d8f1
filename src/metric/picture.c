#include "metric/picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "image/resize.h"

/* ---- making one ---------------------------------------------------------------------------- */

/* Grey, three times, so that the scaler of RGB serves. Pillow: L = (19595 R + 38470 G + 7471 B +
 * 32768) >> 16. */
static ge_status make_grey(const struct ge_image *image, struct ge_image *grey)
{
    ge_status rc = GE_OK;
    size_t pixels = 0, bytes = 0;
    GE_TRY(ge_mul((size_t)image->width, (size_t)image->height, &pixels));
    GE_TRY(ge_mul(pixels, 3, &bytes));
    *grey = (struct ge_image){.width = image->width, .height = image->height};
    GE_NEW(grey->rgb, bytes);
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *p = image->rgb + 3 * i;
        uint32_t level = (UINT32_C(19595) * p[0] + UINT32_C(38470) * p[1] + UINT32_C(7471) * p[2] +
                          UINT32_C(32768)) >>
                         16;
        memset(grey->rgb + 3 * i, (int)level, 3);
    }
done:
    return rc;
}

/* Every step-th sample of the picture at side x side pixels. */
static ge_status shrink(const struct ge_image *image, int side, enum ge_resample filter, int step,
                        float *out)
{
    ge_status rc = GE_OK;
    struct ge_image small = {0};
    const struct ge_resize to = {.width = side,
                                 .height = side,
                                 .filter = filter,
                                 .mode = GE_RESIZE_PIL,
                                 .pillow = GE_PILLOW_13};
    GE_TRY(ge_image_resize(image, &to, &small));
    for (int i = 0; i < 3 * side * side; i += step) out[i / step] = small.rgb[i];
done:
    ge_image_free(&small);
    return rc;
}

ge_status ge_picture_make(const struct ge_image *image, float *out)
{
    ge_status rc = GE_OK;
    struct ge_image grey = {0};
    GE_TRY(make_grey(image, &grey));
    GE_TRY(shrink(&grey, GE_PICTURE_GREY, GE_RESAMPLE_LANCZOS, 3, out));
    GE_TRY(shrink(image, GE_PICTURE_COLOUR, GE_RESAMPLE_BICUBIC, 1,
                  out + GE_PICTURE_GREY * GE_PICTURE_GREY));
done:
    ge_image_free(&grey);
    return rc;
}

/* ---- hash ---------------------------------------------------------------------------------- */

enum { LOW = 8 }; /* coefficients of an axis */

/* cos(pi j / 64), the quarter wave; exact by symmetry at 0 and 32. */
static double cosine(int j)
{
    static const double quarter[GE_PICTURE_GREY + 1] = {
        1.0,
        0.9987954562051724,
        0.9951847266721969,
        0.989176509964781,
        0.9807852804032304,
        0.970031253194544,
        0.9569403357322088,
        0.9415440651830208,
        0.9238795325112867,
        0.9039892931234433,
        0.881921264348355,
        0.8577286100002721,
        0.8314696123025452,
        0.8032075314806449,
        0.773010453362737,
        0.7409511253549591,
        0.7071067811865476,
        0.6715589548470183,
        0.6343932841636455,
        0.5956993044924335,
        0.5555702330196023,
        0.5141027441932217,
        0.4713967368259978,
        0.4275550934302822,
        0.38268343236508984,
        0.33688985339222005,
        0.29028467725446233,
        0.24298017990326398,
        0.19509032201612833,
        0.14673047445536175,
        0.09801714032956077,
        0.049067674327418126,
        0,
    };
    j %= 128;
    if (j > 64) j = 128 - j;
    return j <= 32 ? quarter[j] : -quarter[64 - j];
}

/* Coefficient k of a line's cosine transform (type II, factor 2), by the pairs that share a cosine but
 * for its sign. Where k is even and not 0 the cosines sum to 0, and the first pair is taken off:
 * constant lines and even slopes have coefficients of exactly 0 then, and the hash does not make bits
 * of rounding. */
static double coefficient(const double line[GE_PICTURE_GREY], int k)
{
    enum { LAST = GE_PICTURE_GREY - 1 };
    double sum = 0, off = k > 0 ? line[0] + line[LAST] : 0;
    for (int x = 0; x < GE_PICTURE_GREY / 2; x++) {
        double pair = k % 2 == 0 ? line[x] + line[LAST - x] - off : line[x] - line[LAST - x];
        sum += 2 * pair * cosine(k * (2 * x + 1));
    }
    return sum;
}

/* The lowest coefficients of both axes. */
static void transform(const float *grey, double out[LOW * LOW])
{
    enum { N = GE_PICTURE_GREY };
    double rows[LOW][N], line[N];
    for (int x = 0; x < N; x++) {
        for (int y = 0; y < N; y++) line[y] = (double)grey[y * N + x];
        for (int u = 0; u < LOW; u++) rows[u][x] = coefficient(line, u);
    }
    for (int u = 0; u < LOW; u++) {
        for (int v = 0; v < LOW; v++) out[u * LOW + v] = coefficient(rows[u], v);
    }
}

uint64_t ge_picture_phash(const float *picture)
{
    enum { N = LOW * LOW };
    double coefficients[N], sorted[N];
    uint64_t hash = 0;
    transform(picture, coefficients);
    memcpy(sorted, coefficients, sizeof sorted);
    qsort(sorted, N, sizeof *sorted, ge_compare_doubles);
    double median = (sorted[N / 2 - 1] + sorted[N / 2]) / 2;
    for (int i = 0; i < N; i++) hash = hash << 1 | (coefficients[i] > median);
    return hash;
}

int ge_phash_distance(uint64_t a, uint64_t b)
{
    int n = 0;
    for (uint64_t d = a ^ b; d != 0; d &= d - 1) n++;
    return n;
}

/* ---- copies -------------------------------------------------------------------------------- */

enum { CELLS = GE_PICTURE_COLOUR * GE_PICTURE_COLOUR, LEAST_CELLS = 4, SAME = 8 };

/* Cells that count: where the reference departs from the input. */
static int choose_cells(const float *reference, const float *input, bool chosen[CELLS])
{
    int n = 0;
    for (int i = 0; i < CELLS; i++) {
        chosen[i] = input == NULL;
        for (int c = 0; c < 3 && !chosen[i]; c++) {
            chosen[i] = fabsf(reference[3 * i + c] - input[3 * i + c]) > SAME;
        }
        n += chosen[i];
    }
    return n;
}

static void mean_colour(const float *v, const bool chosen[CELLS], int n, double out[3])
{
    for (int c = 0; c < 3; c++) {
        double sum = 0;
        for (int i = 0; i < CELLS; i++) sum += chosen[i] ? (double)v[3 * i + c] : 0;
        out[c] = sum / n;
    }
}

double ge_picture_correlation(const float *answer, const float *reference, const float *input)
{
    const size_t skip = (size_t)GE_PICTURE_GREY * GE_PICTURE_GREY;
    bool chosen[CELLS];
    double ma[3], mr[3], aa = 0, rr = 0, ar = 0;
    answer += skip;
    reference += skip;
    int n = choose_cells(reference, input == NULL ? NULL : input + skip, chosen);
    if (n < LEAST_CELLS) return NAN;
    mean_colour(answer, chosen, n, ma);
    mean_colour(reference, chosen, n, mr);
    for (int i = 0; i < 3 * CELLS; i++) {
        if (!chosen[i / 3]) continue;
        double a = answer[i] - ma[i % 3], r = reference[i] - mr[i % 3];
        aa += a * a;
        rr += r * r;
        ar += a * r;
    }
    double least = 3.0 * n; /* a standard deviation of one level */
    return aa < least || rr < least ? NAN : ar / sqrt(aa * rr);
}
