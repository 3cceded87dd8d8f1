/* Prediction-powered means: what must hold whatever the numbers are, and refusals. */
#include "test.h"

#include <stdbool.h>

#include "base/mem.h"
#include "base/rng.h"
#include "stats/ppi.h"

enum { ITEMS = 60, MEANS = 2 };

static double predicted[ITEMS * MEANS], truth[ITEMS * MEANS];
static bool labelled[ITEMS * MEANS];
static uint32_t clusters[ITEMS];

/* Two means whose automatic values agree with the human ones in three of four cases. */
static struct ge_ppi_data sample(void)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        clusters[i] = 1000 - i / 3 * 7;
        for (uint32_t k = 0; k < MEANS; k++) {
            double y = ge_uniform(1, k, i) < 0.6;
            truth[i * MEANS + k] = y;
            predicted[i * MEANS + k] = ge_uniform(2, k, i) < 0.75 ? y : 1 - y;
            labelled[i * MEANS + k] = ge_uniform(3, k, i) < 0.4;
        }
    }
    return (struct ge_ppi_data){ITEMS, MEANS, predicted, truth, labelled, NULL};
}

struct answer {
    double mean[MEANS], covariance[MEANS * MEANS], lambda[MEANS];
    size_t n[MEANS], clusters[MEANS];
};

static struct answer estimate(const struct ge_ppi_data *data, const double *fixed)
{
    struct answer a;
    struct ge_ppi out = {a.mean, a.covariance, a.lambda, a.n, a.clusters};
    assert_ok(ge_ppi_estimate(data, fixed, &out));
    return a;
}

/* lambda = 0 is the mean of the labelled items with its own variance. */
static void test_labelled_alone(void **state)
{
    (void)state;
    struct ge_ppi_data data = sample();
    double zero[MEANS] = {0, 0}, sum = 0, n = 0;
    struct answer a = estimate(&data, zero);
    for (size_t i = 0; i < ITEMS; i++) {
        sum += labelled[i * MEANS] ? truth[i * MEANS] : 0;
        n += labelled[i * MEANS];
    }
    double p = sum / n;
    assert_int_equal(a.n[0], (size_t)n);
    assert_close(a.mean[0], p, 1e-14);
    assert_close(a.covariance[0], p * (1 - p) / n, 1e-14);
    assert_close(a.covariance[1], a.covariance[2], 0);
}

/* The tuned lambda is the best one where the variance is its own measure: with clusters. */
static void test_clusters(void **state)
{
    (void)state;
    struct ge_ppi_data data = sample();
    struct answer alone = estimate(&data, NULL);
    data.clusters = clusters;
    struct answer tuned = estimate(&data, NULL);
    assert_true(tuned.clusters[0] <= ITEMS / 3 && tuned.clusters[0] < alone.clusters[0]);
    assert_true(tuned.lambda[0] > 0 && tuned.lambda[0] < 1);
    for (int step = 0; step <= 20; step++) {
        double fixed[MEANS] = {step / 20.0, step / 20.0};
        struct answer other = estimate(&data, fixed);
        assert_true(other.covariance[0] >= tuned.covariance[0] * (1 - 1e-12));
        assert_true(other.covariance[3] >= tuned.covariance[3] * (1 - 1e-12));
    }
}

/* Copies of every item as a cluster say no more than the items themselves. */
static void test_copies(void **state)
{
    (void)state;
    struct ge_ppi_data data = sample();
    double half[MEANS] = {0.5, 0.5}, f[2 * ITEMS * MEANS], y[2 * ITEMS * MEANS];
    bool l[2 * ITEMS * MEANS];
    uint32_t c[2 * ITEMS];
    for (size_t i = 0; i < 2 * ITEMS; i++) {
        c[i] = (uint32_t)(i % ITEMS);
        for (size_t k = 0; k < MEANS; k++) {
            size_t from = i % ITEMS * MEANS + k;
            f[i * MEANS + k] = predicted[from];
            y[i * MEANS + k] = truth[from];
            l[i * MEANS + k] = labelled[from];
        }
    }
    struct ge_ppi_data twice = {2 * ITEMS, MEANS, f, y, l, c};
    struct answer a = estimate(&data, half), b = estimate(&twice, half);
    for (size_t k = 0; k < MEANS; k++) assert_close(a.mean[k], b.mean[k], 1e-14);
    for (size_t k = 0; k < MEANS * MEANS; k++) {
        assert_close(a.covariance[k], b.covariance[k], 1e-14);
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct ge_ppi_data data = sample();
    for (size_t i = 0; i < ITEMS; i++) {
        labelled[i * MEANS] = i == 3;    /* one */
        labelled[i * MEANS + 1] = false; /* none */
    }
    struct answer a = estimate(&data, NULL);
    assert_close(a.mean[0] - truth[3 * MEANS], 0, 1);
    assert_true(isnan(a.covariance[0]) && isnan(a.covariance[1]));
    assert_true(isnan(a.mean[1]) && isnan(a.covariance[3]));
    for (size_t i = 0; i < ITEMS * MEANS; i++) labelled[i] = true; /* all: nothing to correct */
    a = estimate(&data, NULL);
    assert_close(a.lambda[0], 0, 0);
    data = sample();
    for (size_t i = 0; i < ITEMS * MEANS; i++) predicted[i] = 0.5; /* says nothing */
    a = estimate(&data, NULL);
    assert_close(a.lambda[0], 0, 0);
    assert_true(a.covariance[0] > 0);
}

static void test_refusals(void **state)
{
    (void)state;
    struct answer a;
    struct ge_ppi out = {a.mean, a.covariance, a.lambda, a.n, a.clusters};
    struct ge_ppi_data data = sample();
    double fixed[MEANS] = {0.5, 1.5};
    assert_status(ge_ppi_estimate(&data, fixed, &out), GE_EINVAL);
    fixed[1] = NAN;
    assert_status(ge_ppi_estimate(&data, fixed, &out), GE_EINVAL);
    predicted[5] = NAN;
    assert_status(ge_ppi_estimate(&data, NULL, &out), GE_EINVAL);
    predicted[5] = 0;
    data.n_items = 0;
    assert_status(ge_ppi_estimate(&data, NULL, &out), GE_EINVAL);
}

static void test_memory(void **state)
{
    (void)state;
    struct answer a;
    struct ge_ppi out = {a.mean, a.covariance, a.lambda, a.n, a.clusters};
    struct ge_ppi_data data = sample();
    data.clusters = clusters;
    uint64_t failed = 0;
    for (uint64_t at = 1;; at++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_ppi_estimate(&data, NULL, &out);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_int_equal(rc, GE_OK);
            break;
        }
        assert_int_equal(rc, GE_ENOMEM);
        failed++;
    }
    assert_true(failed >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labelled_alone), cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_copies),         cmocka_unit_test(test_edges),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
