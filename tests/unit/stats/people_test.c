/* Agreement, correlation, thresholds: edge cases, intervals, determinism, failures of memory. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "stats/agreement.h"
#include "stats/correlation.h"
#include "stats/roc.h"

/* ---- alpha ----------------------------------------------------------------------------------- */

static struct ge_alpha alpha_of(const struct ge_rated *v, size_t n, size_t units,
                                const uint32_t *cluster, enum ge_alpha_metric m)
{
    struct ge_alpha a;
    assert_ok(ge_krippendorff(v, n, units, cluster, m, 0.95, 7, &a));
    return a;
}

static void alpha_without_meaning(void **state)
{
    (void)state;
    const struct ge_rated single[] = {{0, 1}, {1, 2}, {2, 3}};
    const struct ge_rated equal[] = {{0, 4}, {0, 4}, {1, 4}, {1, 4}};
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        struct ge_alpha a = alpha_of(single, 3, 3, NULL, (enum ge_alpha_metric)m);
        assert_true(isnan(a.value) && isnan(a.lo) && a.units == 0 && a.values == 0);
        a = alpha_of(equal, 4, 2, NULL, (enum ge_alpha_metric)m);
        assert_true(isnan(a.value) && isnan(a.hi) && a.units == 2 && a.values == 4);
        a = alpha_of(NULL, 0, 0, NULL, (enum ge_alpha_metric)m);
        assert_true(isnan(a.value));
    }
}

static void alpha_of_full_agreement(void **state)
{
    (void)state;
    const struct ge_rated v[] = {{0, 1}, {0, 1}, {1, 2}, {1, 2}, {2, 5}, {2, 5}, {3, 9}};
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        struct ge_alpha a = alpha_of(v, 7, 4, NULL, (enum ge_alpha_metric)m);
        assert_close(a.value, 1, 0);
        assert_close(a.lo, 1, 0);
        assert_close(a.hi, 1, 0);
        assert_int_equal(a.units, 3);
        assert_int_equal(a.values, 6);
    }
}

/* Three raters, 40 units in pairs: ratings of the second unit repeat the first. */
static size_t doubled_units(struct ge_rated *v, uint32_t *cluster)
{
    size_t n = 0;
    for (uint32_t u = 0; u < 40; u++) {
        cluster[u] = 100 - u / 2;
        for (uint32_t r = 0; r < 3; r++) {
            double noise = ge_uniform(1, r, u / 2), base = (double)(u / 2 % 5);
            v[n++] = (struct ge_rated){u, base + (noise < 0.3)};
        }
    }
    return n;
}

static void alpha_intervals_count_clusters(void **state)
{
    (void)state;
    static struct ge_rated v[120];
    static uint32_t cluster[40];
    size_t n = doubled_units(v, cluster);
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        struct ge_alpha alone = alpha_of(v, n, 40, NULL, (enum ge_alpha_metric)m);
        struct ge_alpha pairs = alpha_of(v, n, 40, cluster, (enum ge_alpha_metric)m);
        struct ge_alpha again = alpha_of(v, n, 40, cluster, (enum ge_alpha_metric)m);
        assert_true(alone.value == pairs.value);
        assert_true(pairs.lo < pairs.value && pairs.value < pairs.hi);
        assert_true(pairs.hi - pairs.lo > 1.15 * (alone.hi - alone.lo));
        assert_memory_equal(&pairs, &again, sizeof pairs);
    }
    uint32_t one[40] = {0};
    struct ge_alpha a = alpha_of(v, n, 40, one, GE_ALPHA_NOMINAL);
    assert_true(!isnan(a.value) && isnan(a.lo));
}

static void alpha_refuses(void **state)
{
    (void)state;
    struct ge_alpha a;
    const struct ge_rated far[] = {{2, 1}}, bad[] = {{0, NAN}}, big[] = {{0, INFINITY}};
    assert_status(ge_krippendorff(far, 1, 2, NULL, GE_ALPHA_NOMINAL, 0.95, 0, &a), GE_EINVAL);
    assert_status(ge_krippendorff(bad, 1, 2, NULL, GE_ALPHA_NOMINAL, 0.95, 0, &a), GE_EINVAL);
    assert_status(ge_krippendorff(big, 1, 2, NULL, GE_ALPHA_NOMINAL, 0.95, 0, &a), GE_EINVAL);
    assert_status(ge_krippendorff(NULL, 0, 0, NULL, GE_ALPHA_NOMINAL, 1, 0, &a), GE_EINVAL);
}

/* ---- correlation ----------------------------------------------------------------------------- */

static void correlation_edges(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5, 6}, y[] = {2, 1, 4, 3, 6, 5}, nan_[] = {1, NAN};
    const double huge[] = {-1e308, 1e308, 0}, three[] = {-1, 1, 0.25};
    struct ge_correlation c, wide;
    assert_ok(ge_pearson(x, x, 1, 1, 0.95, &c));
    assert_true(isnan(c.value));
    assert_ok(ge_kendall(x, y, 6, 6, 0.95, &c));
    assert_close(c.value, 0.6, 1e-15);
    assert_ok(ge_kendall(x, y, 6, 4, 0.95, &c));
    assert_true(!isnan(c.value) && isnan(c.lo));
    assert_ok(ge_spearman(x, y, 6, 6, 0.95, &c));
    assert_ok(ge_spearman(x, y, 6, 4, 0.95, &wide));
    assert_true(c.value == wide.value && wide.lo < c.lo && c.hi < wide.hi);
    /* Bonett and Wright: z = artanh r, standard error sqrt((1 + r^2/2)/(n - 3)). */
    double r = c.value, se = sqrt((1 + r * r / 2) / 3);
    assert_close(c.lo, tanh(atanh(r) - 1.959963984540054 * se), 1e-12);
    assert_close(c.hi, tanh(atanh(r) + 1.959963984540054 * se), 1e-12);
    assert_ok(ge_pearson(huge, three, 3, 3, 0.95, &c));
    assert_true(c.value > 0.9 && c.value <= 1);
    assert_status(ge_pearson(nan_, x, 2, 2, 0.95, &c), GE_EINVAL);
    assert_status(ge_spearman(x, nan_, 2, 2, 0.95, &c), GE_EINVAL);
    assert_status(ge_kendall(x, y, 6, 6, 0, &c), GE_EINVAL);
}

/* tau-b by looking at every pair. */
static double tau_slow(const double *x, const double *y, size_t n)
{
    double score = 0, free_x = 0, free_y = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
            score += a * b;
            free_x += a * a;
            free_y += b * b;
        }
    }
    return score / sqrt(free_x * free_y);
}

static void kendall_is_every_pair(void **state)
{
    (void)state;
    double x[37], y[37];
    for (uint64_t round = 0; round < 60; round++) {
        size_t n = 3 + round % 35;
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)(int)(5 * ge_uniform(round, 0, i));
            y[i] = (double)(int)(9 * ge_uniform(round, 1, i));
        }
        struct ge_correlation c;
        double want = tau_slow(x, y, n);
        assert_ok(ge_kendall(x, y, n, n, 0.95, &c));
        if (isnan(want)) {
            assert_true(isnan(c.value));
        } else {
            assert_close(c.value, want, 1e-14);
        }
    }
}

/* ---- ROC, thresholds ------------------------------------------------------------------------- */

static void auc_counts_clusters(void **state)
{
    (void)state;
    struct ge_case v[80], doubled[160];
    struct ge_auc once, twice, naive;
    for (uint32_t i = 0; i < 80; i++) {
        bool positive = i % 3 == 0;
        v[i] = (struct ge_case){ge_uniform(3, 0, i) + 0.4 * positive, positive, i};
        doubled[2 * i] = doubled[2 * i + 1] = v[i];
    }
    assert_ok(ge_roc_auc(v, 80, 0.95, &once));
    assert_ok(ge_roc_auc(doubled, 160, 0.95, &twice));
    for (uint32_t i = 0; i < 160; i++) doubled[i].cluster = i;
    assert_ok(ge_roc_auc(doubled, 160, 0.95, &naive));
    assert_close(once.value, twice.value, 1e-14);
    assert_close(twice.lo, once.lo, 1e-12); /* saying everything twice adds nothing */
    assert_true(naive.lo > once.lo + 0.01);
    assert_int_equal(twice.positives, 54);
    for (uint32_t i = 0; i < 80; i++) v[i].cluster = 5;
    assert_ok(ge_roc_auc(v, 80, 0.95, &once));
    assert_true(!isnan(once.value) && isnan(once.lo));
    assert_ok(ge_roc_auc(v, 0, 0.95, &once));
    assert_true(isnan(once.value));
    v[3].score = NAN;
    assert_status(ge_roc_auc(v, 80, 0.95, &once), GE_EINVAL);
}

static void cutoffs(void **state)
{
    (void)state;
    struct ge_cutoff c;
    const struct ge_case clear[] = {{1, false, 0}, {2, false, 1}, {6, true, 2}, {7, true, 3}};
    assert_ok(ge_best_cutoff(clear, 4, GE_CUTOFF_AGREEMENT, &c));
    assert_true(c.threshold == 4 && c.merit == 1);
    /* Two equally good places: between 1 and 2, and between 3 and 9: the wider one. */
    const struct ge_case two[] = {{1, false, 0}, {2, true, 1}, {3, false, 2}, {9, true, 3}};
    assert_ok(ge_best_cutoff(two, 4, GE_CUTOFF_YOUDEN, &c));
    assert_true(c.threshold == 6 && c.merit == 0.5);
    const struct ge_case all[] = {{1, true, 0}, {2, true, 1}}, none[] = {{1, false, 0}};
    assert_ok(ge_best_cutoff(all, 2, GE_CUTOFF_AGREEMENT, &c));
    assert_true(c.threshold == 1 && c.merit == 1);
    assert_ok(ge_best_cutoff(all, 2, GE_CUTOFF_YOUDEN, &c));
    assert_true(isinf(c.threshold) && isnan(c.merit));
    assert_ok(ge_best_cutoff(none, 1, GE_CUTOFF_AGREEMENT, &c));
    assert_true(isinf(c.threshold) && c.merit == 1);
    assert_ok(ge_best_cutoff(none, 0, GE_CUTOFF_AGREEMENT, &c));
    assert_true(isinf(c.threshold) && isnan(c.merit));
    /* Neighbouring doubles: nothing lies between, the threshold is the upper one. */
    const struct ge_case close[] = {{1, false, 0}, {nextafter(1, 2), true, 1}};
    assert_ok(ge_best_cutoff(close, 2, GE_CUTOFF_AGREEMENT, &c));
    assert_true(c.threshold == nextafter(1, 2));
}

static void folds_keep_clusters_together(void **state)
{
    (void)state;
    struct ge_case v[90];
    uint64_t key[90];
    uint32_t fold[90], size[10] = {0}, folds;
    for (uint32_t i = 0; i < 90; i++) {
        v[i] = (struct ge_case){i, i % 2, i / 2};
        key[i] = ge_mix(i / 2 < 4 ? 0 : i / 2, 9); /* clusters may share a key */
    }
    assert_ok(ge_make_folds(v, key, 90, 10, fold, &folds));
    assert_int_equal(folds, 10);
    for (int i = 0; i < 90; i++) {
        assert_true(fold[i] < 10);
        assert_int_equal(fold[i], fold[i / 2 * 2]);
        size[fold[i]]++;
    }
    for (int f = 0; f < 10; f++) assert_true(size[f] == 8 || size[f] == 10);
    assert_ok(ge_make_folds(v, key, 6, 10, fold, &folds));
    assert_int_equal(folds, 3);
    assert_ok(ge_make_folds(v, key, 2, 10, fold, &folds));
    assert_int_equal(folds, 0);
    assert_ok(ge_make_folds(v, key, 0, 10, fold, &folds));
    assert_int_equal(folds, 0);
}

static void validation_is_out_of_fold(void **state)
{
    (void)state;
    /* Without the middle pair the threshold lies at 0, with it elsewhere. */
    const struct ge_case v[] = {{-1, false, 0}, {1, true, 1}, {-3, true, 2}, {3, false, 3}};
    const uint32_t fold[] = {0, 0, 1, 1};
    bool decided[4];
    struct ge_decisions d;
    assert_ok(ge_cross_validate(v, fold, 4, 2, GE_CUTOFF_AGREEMENT, decided, &d));
    assert_int_equal(d.n, 4);
    assert_true(!decided[2] && decided[3]); /* by the threshold 0 of the first fold */
    assert_true(d.fn >= 1 && d.fp >= 1);
    assert_ok(ge_cross_validate(v, fold, 4, 0, GE_CUTOFF_AGREEMENT, NULL, &d));
    assert_true(d.n == 0 && isnan(d.agreement) && isnan(d.kappa));
    d = (struct ge_decisions){.tp = 20, .fp = 10, .tn = 15, .fn = 5};
    ge_decisions_finish(&d);
    assert_close(d.agreement, 0.7, 1e-15);
    assert_close(d.kappa, 0.4, 1e-15);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static ge_status everything(void)
{
    ge_status rc = GE_OK;
    static struct ge_rated rated[120];
    static uint32_t cluster[40];
    static uint64_t key[40];
    struct ge_case v[40];
    double x[40], y[40];
    uint32_t fold[40], folds;
    struct ge_alpha alpha;
    struct ge_correlation c;
    struct ge_auc auc;
    struct ge_decisions d;
    struct ge_roc_point *points = NULL;
    size_t n = doubled_units(rated, cluster), count;
    for (uint32_t i = 0; i < 40; i++) {
        v[i] = (struct ge_case){i % 7, i % 3 == 0, i};
        x[i] = i % 7;
        y[i] = i % 5;
        key[i] = i;
    }
    GE_TRY(ge_krippendorff(rated, n, 40, cluster, GE_ALPHA_ORDINAL, 0.9, 1, &alpha));
    GE_TRY(ge_spearman(x, y, 40, 40, 0.9, &c));
    GE_TRY(ge_kendall(x, y, 40, 40, 0.9, &c));
    GE_TRY(ge_roc_auc(v, 40, 0.9, &auc));
    GE_TRY(ge_make_folds(v, key, 40, 4, fold, &folds));
    GE_TRY(ge_cross_validate(v, fold, 40, folds, GE_CUTOFF_YOUDEN, NULL, &d));
    GE_TRY(ge_roc_curve(v, 40, &points, &count));
done:
    free(points);
    return rc;
}

static void memory_failures(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        ge_mem_fail_at(n, 0);
        ge_status rc = everything();
        bool pending = ge_mem_fault_pending() != 0;
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_int_equal(rc, GE_OK);
            assert_true(n > 15);
            return;
        }
        assert_int_equal(rc, GE_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alpha_without_meaning),
        cmocka_unit_test(alpha_of_full_agreement),
        cmocka_unit_test(alpha_intervals_count_clusters),
        cmocka_unit_test(alpha_refuses),
        cmocka_unit_test(correlation_edges),
        cmocka_unit_test(kendall_is_every_pair),
        cmocka_unit_test(auc_counts_clusters),
        cmocka_unit_test(cutoffs),
        cmocka_unit_test(folds_keep_clusters_together),
        cmocka_unit_test(validation_is_out_of_fold),
        cmocka_unit_test(memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
