/* An item's integral, its gradient and its information. exp(-eta) = exp(-theta) exp(-sd z), so that a
 * probability costs a division and no exponential. */
#include "aggregate/irt_item.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"

ge_status irt_work_make(struct irt_work *w, size_t n, int most_nodes)
{
    ge_status rc = GE_OK;
    size_t doubles = 0;
    memset(w, 0, sizeof *w);
    GE_TRY(ge_mul(n, (size_t)most_nodes + 1, &doubles));
    GE_NEW(w->memory, doubles);
    w->mode_p = w->memory;
    w->p = w->memory + n;
done:
    return rc;
}

void irt_work_free(struct irt_work *w)
{
    free(w->memory);
    w->memory = w->mode_p = w->p = NULL;
}

/* exp(-sd z), kept where products of it stay finite. */
static double odds_factor(double sd, double z)
{
    double x = -sd * z;
    return ge_exp(x > 300 ? 300 : x < -300 ? -300 : x);
}

/* Probabilities at z, and the sum of y - n p. */
static double probabilities(const struct irt_point *at, struct irt_counts item, double z, double *p)
{
    double factor = odds_factor(at->sd, z), sum = 0;
    for (size_t j = 0; j < at->n; j++) p[j] = 1 / (1 + at->odds[j] * factor);
    for (size_t j = 0; j < at->n; j++) sum += (double)item.right[j] - (double)item.total[j] * p[j];
    return sum;
}

/* The sum of n p (1 - p). */
static double information(const struct irt_point *at, struct irt_counts item, const double *p)
{
    double sum = 0;
    for (size_t j = 0; j < at->n; j++) sum += (double)item.total[j] * p[j] * (1 - p[j]);
    return sum;
}

/* g is strictly concave, so Newton's method within a bracket finds the mode; a step out of the bracket
 * halves it instead. */
static void find_mode(const struct irt_point *at, struct irt_counts item, struct irt_work *w)
{
    double sd = at->sd, judged = 0, z = w->mode;
    for (size_t j = 0; j < at->n; j++) judged += (double)item.total[j];
    double lo = -fabs(sd) * judged - 1, hi = -lo;
    if (!(z > lo && z < hi)) z = 0;
    for (int i = 0; i < 100; i++) {
        double slope = sd * probabilities(at, item, z, w->mode_p) - z;
        double curvature = 1 + sd * sd * information(at, item, w->mode_p);
        double step = slope / curvature;
        if (fabs(step) <= 1e-9 * (1 + fabs(z))) { /* the rest is of the order of its square */
            z += step;
            break;
        }
        if (slope > 0) lo = z;
        if (slope < 0) hi = z;
        z += step;
        if (!(z > lo && z < hi)) z = 0.5 * (lo + hi);
    }
    w->mode = z;
    w->residual = probabilities(at, item, z, w->mode_p);
    w->curvature = 1 + sd * sd * information(at, item, w->mode_p);
    w->spread = 1 / sqrt(w->curvature);
}

/* The sum of n ln(1 + exp(-eta)) = -n ln p; of single judgements the logarithm of a product, taken before
 * it underflows. p >= 1e-140: abilities of the fit are far from what odds_factor() leaves room for. */
static double sum_of_logs(struct irt_counts item, const double *p, size_t n)
{
    double product = 1, sum = 0;
    for (size_t j = 0; j < n; j++) {
        if (item.total[j] == 1) {
            product *= p[j];
            if (product < 1e-100) {
                sum -= ge_log(product);
                product = 1;
            }
        } else if (item.total[j] > 0) {
            sum -= (double)item.total[j] * ge_log(p[j]);
        }
    }
    return sum - ge_log(product);
}

void irt_integrate(const struct irt_point *at, struct irt_counts item, const struct irt_rule *rule,
                   struct irt_work *w)
{
    const double log_root_pi = 0.5723649429247001;
    double g[GE_HERMITE_MOST], most = -INFINITY, sum = 0, constant = 0, linear = 0;
    find_mode(at, item, w);
    w->nodes = rule->n;
    for (size_t j = 0; j < at->n; j++) {
        double miss = (double)item.right[j] - (double)item.total[j];
        constant += miss * at->theta[j];
        linear += miss;
    }
    for (int k = 0; k < rule->n; k++) {
        double x = rule->node[k], z = w->mode + sqrt(2) * w->spread * x,
               *p = w->p + (size_t)k * at->n;
        w->z[k] = z;
        w->residuals[k] = probabilities(at, item, z, p);
        g[k] = constant + linear * at->sd * z - sum_of_logs(item, p, at->n) - 0.5 * z * z +
               rule->log_weight[k] + x * x;
        most = fmax(most, g[k]);
    }
    for (int k = 0; k < rule->n; k++) {
        w->weight[k] = ge_exp(g[k] - most);
        sum += w->weight[k];
    }
    for (int k = 0; k < rule->n; k++) w->weight[k] /= sum;
    w->loglik = most + ge_log(sum) + ge_log(w->spread) - log_root_pi;
}

/* d loglik = sum_k weight_k [dg(z_k) + g'(z_k) dz_k] + d ln spread, with
 * dz_k = dmode + sqrt(2) x_k spread d ln spread and d ln spread = -dD / (2 D). */
void irt_add_gradient(const struct irt_point *at, struct irt_counts item,
                      const struct irt_rule *rule, const struct irt_work *w, double *grad)
{
    double sd = at->sd, D = w->curvature, shift = 0, stretch = 1, to_sd = 0;
    for (int k = 0; k < w->nodes; k++) {
        const double *p = w->p + (size_t)k * at->n;
        double weight = w->weight[k], slope = sd * w->residuals[k] - w->z[k];
        for (size_t j = 0; j < at->n; j++) {
            grad[j] += weight * ((double)item.right[j] - (double)item.total[j] * p[j]);
        }
        to_sd += weight * w->residuals[k] * w->z[k];
        shift += weight * slope;
        stretch += weight * slope * sqrt(2) * rule->node[k] * w->spread;
    }
    /* At the mode: sums of n p (1-p) and of its derivative by eta, n p (1-p) (1-2p). */
    double W = information(at, item, w->mode_p), W1 = 0;
    for (size_t j = 0; j < at->n; j++) {
        double p = w->mode_p[j];
        W1 += (double)item.total[j] * p * (1 - p) * (1 - 2 * p);
    }
    double share = sd * sd / D;
    for (size_t j = 0; j < at->n; j++) {
        double p = w->mode_p[j], v = (double)item.total[j] * p * (1 - p);
        double dD = sd * sd * (v * (1 - 2 * p) - share * W1 * v);
        grad[j] -= shift * sd * v / D + stretch * 0.5 * dD / D;
    }
    double dmode = (w->residual - sd * W * w->mode) / D;
    double dD = 2 * sd * W + sd * sd * W1 * (w->mode + sd * dmode);
    grad[at->n] += to_sd + shift * dmode - stretch * 0.5 * dD / D;
}

void irt_add_information(const struct irt_point *at, struct irt_counts item,
                         const struct irt_work *w, double *diagonal, double *shaft, double *rows,
                         double *mean)
{
    size_t n = at->n;
    memset(mean, 0, (n + 1) * sizeof *mean);
    for (int k = 0; k < w->nodes; k++) {
        const double *p = w->p + (size_t)k * n;
        double *row = rows + (size_t)k * (n + 1), weight = w->weight[k], z = w->z[k];
        for (size_t j = 0; j < n; j++) {
            double total = (double)item.total[j], v = weight * total * p[j] * (1 - p[j]);
            diagonal[j] += v;
            shaft[j] += v * z;
            row[j] = (double)item.right[j] - total * p[j];
            mean[j] += weight * row[j];
        }
        diagonal[n] += weight * information(at, item, p) * z * z;
        row[n] = w->residuals[k] * z;
        mean[n] += weight * row[n];
    }
    for (int k = 0; k < w->nodes; k++) {
        double *row = rows + (size_t)k * (n + 1), root = sqrt(w->weight[k]);
        for (size_t j = 0; j <= n; j++) row[j] = root * (row[j] - mean[j]);
    }
}
