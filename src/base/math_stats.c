/* Log-gamma, incomplete beta, and the normal and Student t distributions. */
#include <float.h>
#include <math.h>

#include "base/math.h"

static const double half_log_two_pi = 0.91893853320467274178;
static const double sqrt_half = 0.70710678118654752440;
static const double inverse_sqrt_two_pi = 0.39894228040143267794;

/* ---- log-gamma -------------------------------------------------------------------------------- */

/* lgamma(x) - [(x - 1/2) log x - x + log(2 pi)/2]: Stirling's series, for x >= 10. */
static double stirling_error(double x)
{
    double z = 1.0 / (x * x);
    double s = -3617.0 / 122400;
    s = s * z + 1.0 / 156;
    s = s * z - 691.0 / 360360;
    s = s * z + 1.0 / 1188;
    s = s * z - 1.0 / 1680;
    s = s * z + 1.0 / 1260;
    s = s * z - 1.0 / 360;
    s = s * z + 1.0 / 12;
    return s / x;
}

/* lgamma(2 + z) for |z| <= 1/2. Chebyshev fit of lgamma(2 + z)/z. */
static double lgamma_near_two(double z)
{
    static const double c[] = {
        0.42278433509846713,     0.3224670334241132,      -0.06735230105319814,
        0.02058080842778457,     -0.0073855510286681535,  0.002890510330738737,
        -0.0011927539120010226,  0.0005096695248853096,   -0.00022315475074520367,
        9.945750909889392e-05,   -4.4926351103833334e-05, 2.050726741605779e-05,
        -9.438458716242811e-06,  4.374374916915131e-06,   -2.0449201467015115e-06,
        9.578663334114758e-07,   -4.303558760359961e-07,  2.0304806751615227e-07,
        -1.3412819758517287e-07, 6.379047507619774e-08,
    };
    double p = 0;
    for (int i = (int)(sizeof c / sizeof c[0]) - 1; i >= 0; i--) p = p * z + c[i];
    return p * z;
}

double ge_lgamma(double x)
{
    if (isnan(x) || x < 0) return NAN;
    if (x == 0 || isinf(x)) return INFINITY;
    if (x < 0.5) return lgamma_near_two(x) - ge_log1p(x) - ge_log(x);
    if (x < 1.5) return lgamma_near_two(x - 1.0) - ge_log1p(x - 1.0);
    if (x < 12) {
        double product = 1;
        while (x > 2.5) {
            x -= 1.0;
            product *= x;
        }
        return ge_log(product) + lgamma_near_two(x - 2.0);
    }
    return (x - 0.5) * ge_log(x) - x + half_log_two_pi + stirling_error(x);
}

/* lgamma(a + b) - lgamma(a) - lgamma(b) without the cancellation of large arguments. */
static double log_inverse_beta(double a, double b)
{
    if (a < b) {
        double swap = a;
        a = b;
        b = swap;
    }
    if (a < 12) return ge_lgamma(a + b) - ge_lgamma(a) - ge_lgamma(b);
    double sum = a + b;
    double rise = stirling_error(sum) - stirling_error(a); /* with the next lines: lgamma(a+b) */
    rise += (a - 0.5) * ge_log1p(b / a) + b * ge_log(sum) - b; /* - lgamma(a) */
    if (b < 12) return rise - ge_lgamma(b);
    return (a - 0.5) * ge_log1p(b / a) - (b - 0.5) * ge_log(b / sum) + 0.5 * ge_log(sum) -
           half_log_two_pi + stirling_error(sum) - stirling_error(a) - stirling_error(b);
}

/* ---- incomplete beta -------------------------------------------------------------------------- */

/* The continued fraction of I_x(a,b) (DLMF 8.17.22) by Lentz's method; converges quickly for
 * x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1.0 - (a + b) * x / (a + 1.0);
    if (fabs(d) < tiny) d = tiny;
    d = 1.0 / d;
    double h = d;
    for (int m = 1; m < 100000; m++) {
        double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        double step = 1;
        for (int part = 0; part < 2; part++) {
            double term = part == 0 ? even : odd;
            d = 1.0 + term * d;
            if (fabs(d) < tiny) d = tiny;
            c = 1.0 + term / c;
            if (fabs(c) < tiny) c = tiny;
            d = 1.0 / d;
            step = d * c;
            h *= step;
        }
        if (fabs(step - 1.0) <= DBL_EPSILON) break;
    }
    return h;
}

/* log x, where y = 1 - x is known as precisely as x. */
static double log_of(double x, double y)
{
    return x > 0.5 ? ge_log1p(-y) : ge_log(x);
}

/* I_x(a,b) with y = 1 - x given, so that an x near 1 loses nothing. */
static double incomplete_beta(double a, double b, double x, double y)
{
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    double front = ge_exp(a * log_of(x, y) + b * log_of(y, x) + log_inverse_beta(a, b));
    if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
    return 1.0 - front * beta_fraction(b, a, y) / b;
}

double ge_betainc(double a, double b, double x)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0) || !(x <= 1)) return NAN;
    return incomplete_beta(a, b, x, 1.0 - x);
}

/* ---- normal ----------------------------------------------------------------------------------- */

double ge_norm_cdf(double x)
{
    return 0.5 * ge_erfc(-x * sqrt_half);
}

double ge_norm_quantile(double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    if (p == 0.5) return 0;
    double q = p < 0.5 ? p : 1.0 - p; /* lower tail: x < 0 */
    /* Abramowitz and Stegun 26.2.23 (error 4.5e-4), then Halley steps, which cube the error. */
    double u = sqrt(-2.0 * ge_log(q));
    double x = (2.515517 + u * (0.802853 + u * 0.010328)) /
                   (1.0 + u * (1.432788 + u * (0.189269 + u * 0.001308))) -
               u;
    for (int i = 0; i < 3; i++) {
        double density = inverse_sqrt_two_pi * ge_exp(-0.5 * x * x);
        if (density == 0) break;
        double step = (ge_norm_cdf(x) - q) / density;
        x -= step / (1.0 + 0.5 * x * step);
    }
    return p < 0.5 ? x : -x;
}

/* ---- Student t -------------------------------------------------------------------------------- */

/* Above this the expansion below is exact to 1e-12, and the continued fraction gets long. */
static const double many_df = 7e5;

/* P(T > t) for t >= 0. */
static double t_upper_tail(double t, double df)
{
    double s = t * t;
    if (df >= many_df) { /* Abramowitz and Stegun 26.7.8, two terms */
        double density = inverse_sqrt_two_pi * ge_exp(-0.5 * s);
        if (density == 0 || isinf(df)) return ge_norm_cdf(-t);
        double first = t * (s + 1.0) / 4.0;
        double second = t * (((3.0 * s - 7.0) * s - 5.0) * s - 3.0) / 96.0;
        return ge_norm_cdf(-t) + density * (first + second / df) / df;
    }
    double total = df + s;
    if (isinf(total)) return 0;
    return 0.5 * incomplete_beta(0.5 * df, 0.5, df / total, s / total);
}

static double t_density(double t, double df)
{
    if (df >= many_df) return inverse_sqrt_two_pi * ge_exp(-0.5 * t * t);
    double log_norm = log_inverse_beta(0.5 * df, 0.5) - 0.5 * ge_log(df);
    return ge_exp(log_norm - 0.5 * (df + 1.0) * ge_log1p(t * t / df));
}

double ge_t_cdf(double t, double df)
{
    if (isnan(t) || !(df >= 1)) return NAN;
    return t < 0 ? t_upper_tail(-t, df) : 1.0 - t_upper_tail(t, df);
}

/* t >= 0 with P(T > t) = q: Newton inside a bracket, bisection when a step leaves it. */
static double t_upper_quantile(double q, double df)
{
    double low = 0, high = 1;
    while (t_upper_tail(high, df) > q && high < 1e300) {
        low = high;
        high *= 2.0;
    }
    double t = 0.5 * (low + high);
    for (int i = 0; i < 200; i++) {
        double excess = t_upper_tail(t, df) - q;
        if (excess > 0) {
            low = t;
        } else {
            high = t;
        }
        double next = t + excess / t_density(t, df);
        if (!(next >= low && next <= high)) next = 0.5 * (low + high);
        if (fabs(next - t) <= 4 * DBL_EPSILON * t) return next;
        t = next;
    }
    return t;
}

double ge_t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df >= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    if (isinf(df)) return ge_norm_quantile(p);
    if (p == 0.5) return 0;
    return p < 0.5 ? -t_upper_quantile(p, df) : t_upper_quantile(1.0 - p, df);
}
