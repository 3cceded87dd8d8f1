/* Elementary functions of our own: libm chooses its code by CPU, so its last bit may differ
 * between nodes; these give the same bits on every IEEE machine (built with -ffp-contract=off).
 * float versions: within 1 ulp of the correctly rounded value; double versions: within 2 ulp
 * (erfc: 5). NaN in, NaN out. sqrt, floor, fabs come from <math.h>: IEEE defines their bits.
 * Local; thread-safe. */
#ifndef GE_BASE_MATH_H
#define GE_BASE_MATH_H

/* In loops over arrays use math_inline.h: same bits, but the compiler can vectorise them. */
float ge_expf(float x);
float ge_logf(float x); /* log(0) = -inf, log(<0) = NaN */
float ge_erff(float x);
float ge_tanhf(float x);

double ge_exp(double x);
double ge_log(double x);
double ge_log1p(double x);
double ge_erf(double x);
double ge_erfc(double x);
double ge_pow(double x, double y); /* x > 0: exp(y log x) with the log in double-double */
double ge_lgamma(double x);        /* x > 0, 1e-13 relative */

/* logit p = log(p/(1-p)); logistic x = 1/(1+exp(-x)). */
double ge_logit(double p);
double ge_logistic(double x);

/* Standard normal and Student t: distribution functions within 1e-12, quantiles within
 * 1e-12 max(1, |q|) as long as |q| < 1e150. df >= 1, may be fractional; df = INFINITY gives the
 * normal. 0 < p < 1 (0 and 1 give infinities). Anything else gives NaN. */
double ge_norm_cdf(double x);
double ge_norm_quantile(double p);
double ge_t_cdf(double t, double df);
double ge_t_quantile(double p, double df);

/* Regularised incomplete beta function I_x(a,b); a, b > 0. Within 1e-12 for a, b up to 1e4; the
 * error grows in proportion beyond. */
double ge_betainc(double a, double b, double x);

#endif
