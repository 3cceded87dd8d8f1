#include "stats/roc.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"
#include "stats/correlation.h"

static ge_status check(const struct ge_case *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isfinite(v[i].score)) continue;
        return ge_fail(GE_EINVAL, "case %zu: found the score %g, allowed: a finite number", i,
                       v[i].score);
    }
    return GE_OK;
}

/* Cases of one score, from the highest score down. */
struct step {
    double score;
    size_t positives, negatives;
};

static int compare_falling(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

/* The distinct scores on the heap. */
static ge_status make_steps(const struct ge_case *v, size_t n, struct step **out, size_t *count)
{
    ge_status rc = GE_OK;
    struct step *s = NULL;
    size_t m = 0;
    *out = NULL;
    GE_TRY(check(v, n));
    GE_NEW(s, n);
    for (size_t i = 0; i < n; i++) s[i] = (struct step){v[i].score, v[i].positive, !v[i].positive};
    if (n > 0) qsort(s, n, sizeof *s, compare_falling);
    for (size_t i = 0; i < n; i++) {
        if (m > 0 && s[m - 1].score == s[i].score) {
            s[m - 1].positives += s[i].positives;
            s[m - 1].negatives += s[i].negatives;
        } else {
            s[m++] = s[i];
        }
    }
    *count = m;
    *out = s;
done:
    return rc;
}

static void count_kinds(const struct step *s, size_t m, double *positives, double *negatives)
{
    *positives = *negatives = 0;
    for (size_t i = 0; i < m; i++) {
        *positives += (double)s[i].positives;
        *negatives += (double)s[i].negatives;
    }
}

/* ---- the curve ------------------------------------------------------------------------------- */

ge_status ge_roc_curve(const struct ge_case *v, size_t n, struct ge_roc_point **points,
                       size_t *count)
{
    ge_status rc = GE_OK;
    struct step *s = NULL;
    struct ge_roc_point *p = NULL;
    size_t m;
    double positives, negatives, tp = 0, fp = 0;
    *points = NULL;
    *count = 0;
    GE_TRY(make_steps(v, n, &s, &m));
    count_kinds(s, m, &positives, &negatives);
    GE_NEW(p, m + 1);
    p[0] = (struct ge_roc_point){INFINITY, 0 / negatives, 0 / positives};
    for (size_t i = 0; i < m; i++) {
        tp += (double)s[i].positives;
        fp += (double)s[i].negatives;
        p[i + 1] = (struct ge_roc_point){s[i].score, fp / negatives, tp / positives};
    }
    *points = p;
    *count = m + 1;
done:
    free(s);
    return rc;
}

/* ---- the area -------------------------------------------------------------------------------- */

/* A case's placement: the share of the other kind that it beats, ties by half. */
struct placement {
    uint32_t cluster;
    bool positive;
    double share;
};

static int compare_placements(const void *a, const void *b)
{
    const struct placement *x = a, *y = b;
    if (x->cluster != y->cluster) return x->cluster < y->cluster ? -1 : 1;
    if (x->positive != y->positive) return x->positive ? -1 : 1;
    return (x->share > y->share) - (x->share < y->share);
}

/* Placements of all cases from their ranks among all and among their own kind. */
static ge_status place(const struct ge_case *v, size_t n, size_t kinds[2], struct placement *p)
{
    ge_status rc = GE_OK;
    double *score = NULL, *rank = NULL, *own = NULL;
    size_t *index = NULL;
    GE_NEW(score, n);
    GE_NEW(rank, n);
    GE_NEW(own, n);
    GE_NEW(index, n);
    for (size_t i = 0; i < n; i++) score[i] = v[i].score;
    GE_TRY(ge_midranks(score, n, rank));
    for (int kind = 0; kind < 2; kind++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (v[i].positive != (kind == 1)) continue;
            score[m] = v[i].score;
            index[m++] = i;
        }
        GE_TRY(ge_midranks(score, m, own));
        kinds[kind] = m;
        for (size_t k = 0; k < m; k++) {
            size_t i = index[k];
            double below = (rank[i] - own[k]) / (double)(n - m);
            p[i] = (struct placement){v[i].cluster, kind == 1, kind == 1 ? below : 1 - below};
        }
    }
done:
    free(score);
    free(rank);
    free(own);
    free(index);
    return rc;
}

/* Obuchowski's variance of the area, and the number of clusters of the rarer kind. */
static double clustered_variance(struct placement *p, size_t n, const size_t kinds[2], double area,
                                 double *fewest)
{
    double positives = 0, negatives = 0, both = 0, s10 = 0, s01 = 0, s11 = 0;
    qsort(p, n, sizeof *p, compare_placements);
    for (size_t i = 0, end; i < n; i = end) {
        double d10 = 0, d01 = 0;
        bool has10 = false, has01 = false;
        for (end = i; end < n && p[end].cluster == p[i].cluster; end++) {
            if (p[end].positive) {
                d10 += p[end].share - area;
                has10 = true;
            } else {
                d01 += p[end].share - area;
                has01 = true;
            }
        }
        positives += has10;
        negatives += has01;
        both += 1;
        s10 += d10 * d10;
        s01 += d01 * d01;
        s11 += d10 * d01;
    }
    *fewest = fmin(positives, negatives);
    if (*fewest < 2) return NAN;
    double m1 = (double)kinds[1], m0 = (double)kinds[0];
    return positives / (positives - 1) * s10 / (m1 * m1) +
           negatives / (negatives - 1) * s01 / (m0 * m0) + 2 * both / (both - 1) * s11 / (m1 * m0);
}

/* On the logit scale, where the ends stay in (0, 1) and the distribution is less lopsided. */
static void set_interval(struct ge_auc *a, double variance, double fewest, double level)
{
    if (a->value == 0 || a->value == 1) {
        double bound = ge_pow((1 - level) / 2, 1 / fewest);
        a->lo = a->value == 1 ? bound : 0;
        a->hi = a->value == 1 ? 1 : 1 - bound;
        return;
    }
    double middle = ge_logit(a->value), scale = a->value * (1 - a->value);
    double half = ge_norm_quantile((1 + level) / 2) * sqrt(variance) / scale;
    a->lo = ge_logistic(middle - half);
    a->hi = ge_logistic(middle + half);
}

ge_status ge_roc_auc(const struct ge_case *v, size_t n, double level, struct ge_auc *out)
{
    ge_status rc = GE_OK;
    struct placement *p = NULL;
    size_t kinds[2] = {0, 0};
    double sum = 0;
    *out = (struct ge_auc){.value = NAN, .lo = NAN, .hi = NAN};
    if (!(level > 0 && level < 1)) {
        GE_TRY(ge_fail(GE_EINVAL, "level %g; allowed is between 0 and 1", level));
    }
    GE_TRY(check(v, n));
    GE_NEW(p, n);
    GE_TRY(place(v, n, kinds, p));
    out->negatives = kinds[0];
    out->positives = kinds[1];
    if (kinds[0] == 0 || kinds[1] == 0) goto done;
    for (size_t i = 0; i < n; i++) sum += p[i].positive ? p[i].share : 0;
    out->value = sum / (double)kinds[1];
    double fewest, variance = clustered_variance(p, n, kinds, out->value, &fewest);
    if (fewest >= 2) set_interval(out, fmax(0, variance), fewest, level);
done:
    free(p);
    return rc;
}

/* ---- thresholds ------------------------------------------------------------------------------ */

/* Value of calling the first i scores positive. */
static double merit_of(enum ge_cutoff_by by, double tp, double fp, double positives,
                       double negatives)
{
    if (by == GE_CUTOFF_YOUDEN) return tp / positives - fp / negatives;
    return (tp + negatives - fp) / (positives + negatives);
}

/* Halfway between two scores, or the upper one where no number lies between. */
static double between(double upper, double lower)
{
    double middle = lower + (upper - lower) / 2;
    return middle > lower ? middle : upper;
}

static struct ge_cutoff choose(const struct step *s, size_t m, enum ge_cutoff_by by)
{
    double positives, negatives, tp = 0, fp = 0, widest = 0;
    count_kinds(s, m, &positives, &negatives);
    struct ge_cutoff best = {INFINITY, merit_of(by, 0, 0, positives, negatives)};
    for (size_t i = 0; i < m; i++) {
        tp += (double)s[i].positives;
        fp += (double)s[i].negatives;
        double merit = merit_of(by, tp, fp, positives, negatives);
        double gap = i + 1 < m ? s[i].score - s[i + 1].score : 0;
        bool better = merit > best.merit || (merit == best.merit && gap > widest);
        if (!better) continue;
        widest = gap;
        best.merit = merit;
        best.threshold = i + 1 < m ? between(s[i].score, s[i + 1].score) : s[i].score;
    }
    return best;
}

ge_status ge_best_cutoff(const struct ge_case *v, size_t n, enum ge_cutoff_by by,
                         struct ge_cutoff *out)
{
    struct step *s = NULL;
    size_t m = 0;
    *out = (struct ge_cutoff){INFINITY, NAN};
    ge_status rc = make_steps(v, n, &s, &m);
    if (rc == GE_OK && m > 0) *out = choose(s, m, by);
    free(s);
    return rc;
}

/* ---- cross-validation ------------------------------------------------------------------------ */

struct dealt {
    uint64_t key;
    uint32_t cluster;
    size_t index;
};

static int compare_dealt(const void *a, const void *b)
{
    const struct dealt *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->cluster != y->cluster) return x->cluster < y->cluster ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

ge_status ge_make_folds(const struct ge_case *v, const uint64_t *key, size_t n, uint32_t most,
                        uint32_t *fold, uint32_t *folds)
{
    ge_status rc = GE_OK;
    struct dealt *d = NULL;
    uint32_t cluster = 0;
    *folds = 0;
    GE_NEW(d, n);
    for (size_t i = 0; i < n; i++) d[i] = (struct dealt){key[i], v[i].cluster, i};
    if (n > 0) qsort(d, n, sizeof *d, compare_dealt);
    for (size_t i = 0; i < n; i++) {
        bool same = i > 0 && d[i].key == d[i - 1].key && d[i].cluster == d[i - 1].cluster;
        cluster += i > 0 && !same;
        fold[d[i].index] = most > 0 ? cluster % most : 0;
    }
    uint32_t clusters = n > 0 ? cluster + 1 : 0;
    *folds = clusters < most ? clusters : most;
    if (*folds < 2) *folds = 0;
done:
    free(d);
    return rc;
}

void ge_decisions_finish(struct ge_decisions *d)
{
    double tp = (double)d->tp, fp = (double)d->fp, tn = (double)d->tn, fn = (double)d->fn;
    d->n = d->tp + d->fp + d->tn + d->fn;
    double n = (double)d->n;
    d->agreement = (tp + tn) / n;
    double chance = ((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)) / (n * n);
    d->kappa = chance < 1 ? (d->agreement - chance) / (1 - chance) : NAN;
}

static void decide(const struct ge_case *c, double threshold, bool *decided,
                   struct ge_decisions *out)
{
    *decided = c->score >= threshold;
    out->tp += *decided && c->positive;
    out->fp += *decided && !c->positive;
    out->tn += !*decided && !c->positive;
    out->fn += !*decided && c->positive;
}

ge_status ge_cross_validate(const struct ge_case *v, const uint32_t *fold, size_t n, uint32_t folds,
                            enum ge_cutoff_by by, bool *decided, struct ge_decisions *out)
{
    ge_status rc = GE_OK;
    struct ge_case *others = NULL;
    struct ge_cutoff cutoff;
    *out = (struct ge_decisions){0};
    GE_TRY(check(v, n));
    GE_NEW(others, n);
    for (uint32_t f = 0; f < folds; f++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            if (fold[i] != f) others[m++] = v[i];
        }
        GE_TRY(ge_best_cutoff(others, m, by, &cutoff));
        for (size_t i = 0; i < n; i++) {
            bool here;
            if (fold[i] == f) decide(&v[i], cutoff.threshold, decided ? &decided[i] : &here, out);
        }
    }
    ge_decisions_finish(out);
done:
    free(others);
    return rc;
}
