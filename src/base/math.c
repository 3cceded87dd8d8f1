/* Elementary functions from +, -, *, / and bit operations; the distributions are in
 * math_stats.c. Polynomials are Taylor series or Chebyshev fits made with mpmath. */
#include "base/math.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/math_inline.h"

/* ln2 in two parts; the first has trailing zeros, so that its small multiples are exact. */
static const double ln2_hi = 0x1.62e42feep-1, ln2_lo = 0x1.a39ef35793c76p-33;
static const double log2_e = 0x1.71547652b82fep+0;

float ge_expf(float x)
{
    return ge_inline_expf(x);
}

float ge_logf(float x)
{
    return (float)ge_log((double)x);
}

float ge_erff(float x)
{
    return ge_inline_erff(x);
}

float ge_tanhf(float x)
{
    return ge_inline_tanhf(x);
}

/* ---- double-double: an unevaluated sum hi + lo ------------------------------------------------ */

struct dd {
    double hi, lo;
};

/* a + b exactly, |a| >= |b|. */
static struct dd fast_sum(double a, double b)
{
    double s = a + b;
    return (struct dd){s, b - (s - a)};
}

/* a + b exactly (Knuth). */
static struct dd two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (struct dd){s, (a - (s - t)) + (b - t)};
}

/* a * b exactly (Dekker, with Veltkamp's split). */
static struct dd two_product(double a, double b)
{
    const double split = 0x1p27 + 1;
    double ta = split * a, tb = split * b;
    double ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
    double p = a * b;
    return (struct dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static struct dd dd_mul(struct dd a, struct dd b)
{
    struct dd p = two_product(a.hi, b.hi);
    return fast_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static struct dd dd_add(struct dd a, struct dd b)
{
    struct dd s = two_sum(a.hi, b.hi);
    return fast_sum(s.hi, s.lo + (a.lo + b.lo));
}

/* ---- exp -------------------------------------------------------------------------------------- */

static double power_of_two(int n)
{
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* exp(x + tail) for a tail of at most an ulp of x or so. */
static double exp_sum(double x, double tail)
{
    /* (exp(r) - 1 - r) / r^2 by Taylor: the inverse factorials of 2…14. */
    static const double c[] = {
        1.0 / 2,         1.0 / 6,          1.0 / 24,          1.0 / 120,     1.0 / 720,
        1.0 / 5040,      1.0 / 40320,      1.0 / 362880,      1.0 / 3628800, 1.0 / 39916800,
        1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200,
    };
    if (isnan(x)) return x;
    if (x > 709.79) return INFINITY;
    if (x < -745.2) return 0;
    double n = floor(x * log2_e + 0.5);
    double hi = x - n * ln2_hi, lo = n * ln2_lo - tail;
    double r = hi - lo;
    double p = 0;
    for (int k = (int)(sizeof c / sizeof c[0]) - 1; k >= 0; k--) p = p * r + c[k];
    p *= r * r;
    double y = 1.0 + (hi - (lo - p));
    int half = (int)n / 2; /* in two steps: 2^n itself may be out of range */
    return y * power_of_two(half) * power_of_two((int)n - half);
}

double ge_exp(double x)
{
    return exp_sum(x, 0);
}

/* ---- log -------------------------------------------------------------------------------------- */

/* x = m 2^k with m in [sqrt(1/2), sqrt(2)), for finite x > 0. */
static double split_power(double x, int *k)
{
    int shift = 0;
    if (x < DBL_MIN) {
        x *= 0x1p54;
        shift = -54;
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        e++;
    }
    *k = e + shift;
    return m;
}

/* sum over i >= first of 2 z^(i - first) / (2 i + 1): the series of 2 atanh(s)/s in z = s^2. */
static double atanh_series(double z, int first)
{
    double sum = 0;
    for (int i = 12; i >= first; i--) sum = sum * z + 2.0 / (2 * i + 1);
    return sum;
}

/* k ln2 + log(1 + f) for |f| < 0.42: with s = f/(2+f), log(1+f) = 2 atanh(s), arranged so that f
 * itself enters exactly (as in FreeBSD's e_log.c). */
static double log_sum(int k, double f)
{
    double s = f / (2.0 + f), z = s * s, half_square = 0.5 * f * f;
    double series = z * atanh_series(z, 1);
    return k * ln2_hi - ((half_square - (s * (half_square + series) + k * ln2_lo)) - f);
}

double ge_log(double x)
{
    if (isnan(x) || x < 0) return NAN;
    if (x == 0) return -INFINITY;
    if (isinf(x)) return x;
    int k;
    double m = split_power(x, &k);
    return log_sum(k, m - 1.0);
}

double ge_log1p(double x)
{
    if (isnan(x) || x < -1) return NAN;
    if (x == -1) return -INFINITY;
    if (x > -0.29 && x < 0.41) return log_sum(0, x);
    if (isinf(x)) return x;
    double u = 1.0 + x;
    double lost = x >= 1.0 ? 1.0 - (u - x) : x - (u - 1.0);
    return ge_log(u) + lost / u;
}

/* ---- pow -------------------------------------------------------------------------------------- */

/* log x in double-double, relative error about 2^-65: the first two terms of the series in
 * double-double, the rest in double. */
static struct dd log_dd(double x)
{
    const struct dd two_thirds = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
    int k;
    double f = split_power(x, &k) - 1.0;
    struct dd denominator = two_sum(2.0, f);
    double s = f / denominator.hi; /* one Newton step gives the quotient's low part */
    struct dd back = two_product(s, denominator.hi);
    double rest = ((f - back.hi) - back.lo) - s * denominator.lo;
    struct dd q = fast_sum(s, rest / denominator.hi);
    struct dd z = dd_mul(q, q);
    struct dd series = dd_add(two_thirds, two_product(z.hi, atanh_series(z.hi, 2)));
    struct dd tail = dd_mul(dd_mul(q, z), series);
    struct dd sum = dd_add((struct dd){2.0 * q.hi, 2.0 * q.lo}, tail);
    struct dd scale = fast_sum(k * ln2_hi, k * ln2_lo);
    return dd_add(scale, sum);
}

double ge_pow(double x, double y)
{
    if (isnan(x) || isnan(y) || x < 0) return NAN;
    if (y == 0 || x == 1) return 1;
    if (x == 0 || isinf(x)) return (x == 0) == (y > 0) ? 0 : INFINITY;
    if (isinf(y)) return (x < 1) == (y > 0) ? 0 : INFINITY;
    struct dd l = log_dd(x);
    if (fabs(y) < 1e-300 || fabs(l.hi * y) > 1000) return exp_sum(l.hi * y, 0);
    struct dd p = two_product(l.hi, y);
    p = fast_sum(p.hi, p.lo + l.lo * y);
    return exp_sum(p.hi, p.lo);
}

/* ---- error function --------------------------------------------------------------------------- */

/* erf(x)/x = 2/sqrt(pi) sum of (-x^2)^n / (n! (2n+1)), for |x| < 0.9. */
static double erf_series(double z)
{
    double sum = 0;
    for (int n = 20; n >= 1; n--) sum = -z / n * (1.0 / (2 * n + 1) + sum);
    return sum;
}

/* erfc(x) for x >= 1/4: exp(-x^2)/(1 + 2x) times a smooth function of t = (x-3)/(x+3). */
static double erfc_tail(double x)
{
    static const double c[] = {
        1.2530080582697296,      -0.1356211061245815,     -0.04756229435345282,
        0.12964515870279847,     -0.11927366341519599,    0.0683080273426768,
        -0.023770514921002923,   0.0025293918368756723,   0.0018886903835857985,
        -0.0007798324581568739,  -0.00010515993784516344, 0.00012510037467365934,
        4.949915382593113e-06,   -2.010419473222351e-05,  -7.321291684353981e-07,
        3.4808877223674502e-06,  3.565804609376293e-07,   -6.296075880401472e-07,
        -1.3907935673381544e-07, 1.143554740398776e-07,   3.76870271401864e-08,
        -2.0203493224643994e-08, -5.455861961765072e-09,  2.639541329898922e-09,
    };
    if (x > 28) return 0;
    double t = (x - 3.0) / (x + 3.0), p = 0;
    for (int i = (int)(sizeof c / sizeof c[0]) - 1; i >= 0; i--) p = p * t + c[i];
    struct dd square = two_product(x, x);
    return exp_sum(-square.hi, -square.lo) * (p / (1.0 + 2.0 * x));
}

double ge_erf(double x)
{
    const double two_over_sqrt_pi = 0x1.20dd750429b6dp+0;
    if (isnan(x)) return x;
    if (fabs(x) > 0.88) return copysign(1.0 - erfc_tail(fabs(x)), x);
    double y = two_over_sqrt_pi * x;
    return y + y * erf_series(x * x);
}

double ge_erfc(double x)
{
    if (isnan(x)) return x;
    if (x > 0.25) return erfc_tail(x);
    return 1.0 - ge_erf(x);
}

double ge_logistic(double x)
{
    if (x >= 0) return 1.0 / (1.0 + ge_exp(-x));
    double e = ge_exp(x);
    return e / (1.0 + e);
}

double ge_logit(double p)
{
    if (p > 0.25 && p < 0.75) return ge_log1p((2.0 * p - 1.0) / (1.0 - p));
    if (p == 1.0) return INFINITY;
    return ge_log(p / (1.0 - p));
}
