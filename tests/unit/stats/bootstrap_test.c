/* The bootstrap: exact draws, the same bits for any number of threads, what intervals are when there
 * is nothing to learn, refusals. */
#include "test.h"

#include <stdbool.h>

#include "base/mem.h"
#include "base/rng.h"
#include "stats/bootstrap.h"

static void first_columns(const void *ctx, const double *sums, size_t rows, double *out)
{
    (void)rows;
    for (size_t k = 0; k < *(const size_t *)ctx; k++) out[k] = sums[k];
}

/* The sums themselves as statistics, resample by resample: (columns, resamples) on the heap. */
static double *sums_of(const double *values, size_t rows, size_t columns, size_t resamples,
                       struct ge_pool *pool)
{
    const struct ge_bootstrap_data data = {rows, columns, values};
    const struct ge_statistics what = {first_columns, &columns, columns};
    const struct ge_bootstrap_options options = {99, resamples, 0.95};
    double *out = malloc(columns * resamples * sizeof *out);
    assert_non_null(out);
    assert_ok(ge_bootstrap_distribution(&data, &what, &options, pool, out));
    return out;
}

/* Three rows, 1, 10 and 100: the ten possible resamples come with their multinomial frequencies.
 * Two rows of four equal: likewise, through the branch for equal rows. */
static void check_frequencies(const double *values, size_t rows)
{
    enum { RESAMPLES = 60000 };
    double *sums = sums_of(values, rows, 1, RESAMPLES, NULL), chi = 0;
    size_t outcomes = 1, kinds = 0;
    for (size_t i = 0; i < rows; i++) outcomes *= rows;
    static double seen[512], probability[512];
    for (size_t code = 0; code < outcomes; code++) { /* every sequence of draws */
        double sum = 0;
        for (size_t i = 0, rest = code; i < rows; i++, rest /= rows) sum += values[rest % rows];
        size_t k = 0;
        while (k < kinds && seen[k] != sum) k++;
        if (k == kinds) {
            seen[kinds] = sum;
            probability[kinds++] = 0;
        }
        probability[k] += 1.0 / (double)outcomes;
    }
    for (size_t k = 0; k < kinds; k++) {
        double n = 0, want = probability[k] * RESAMPLES;
        for (size_t b = 0; b < RESAMPLES; b++) n += sums[b] == seen[k];
        chi += (n - want) * (n - want) / want;
    }
    double df = (double)kinds - 1;
    assert_true(kinds > 4);
    assert_close(chi, df, 4 * sqrt(2 * df));
    free(sums);
}

static void test_frequencies(void **state)
{
    (void)state;
    const double three[] = {1, 10, 100}, four[] = {7, 7, 1, 100}, five[] = {1, 10, 100, 1000, 10};
    check_frequencies(three, 3);
    check_frequencies(four, 4);
    check_frequencies(five, 5);
}

/* Counts of rows all over a tree with leaves of 256, 32 and 8 rows: mean 1, variance 1 - 1/n,
 * covariance -1/n; and n draws in all. */
static void test_counts(void **state)
{
    (void)state;
    enum { ROWS = 256 * 3 + 32 + 8 + 1, RESAMPLES = 20000, WATCHED = 6 };
    static const size_t watched[WATCHED] = {0, 300, 767, 768, 800, ROWS - 1};
    static double values[ROWS * (WATCHED + 2)];
    for (size_t i = 0; i < ROWS; i++) {
        double *row = values + i * (WATCHED + 2);
        for (size_t k = 0; k < WATCHED; k++) row[k + 1] = i == watched[k];
        row[0] = (double)i; /* keeps the rows distinct and in this order */
        row[WATCHED + 1] = 1;
    }
    double *sums = sums_of(values, ROWS, WATCHED + 2, RESAMPLES, NULL), product = 0;
    for (size_t k = 1; k <= WATCHED; k++) {
        double sum = 0, squares = 0;
        for (size_t b = 0; b < RESAMPLES; b++) {
            double n = sums[k * RESAMPLES + b];
            sum += n;
            squares += n * n;
            if (k > 1) product += n * sums[RESAMPLES + b];
        }
        double mean = sum / RESAMPLES;
        assert_close(mean, 1, 5 / sqrt(RESAMPLES));
        assert_close(squares / RESAMPLES - mean * mean, 1 - 1.0 / ROWS, 9 / sqrt(RESAMPLES));
    }
    assert_close(product / (WATCHED - 1) / RESAMPLES, 1 - 1.0 / ROWS, 5 / sqrt(RESAMPLES));
    for (size_t b = 0; b < RESAMPLES; b++) {
        assert_close(sums[(WATCHED + 1) * RESAMPLES + b], ROWS, 0);
    }
    free(sums);
}

/* The order of the rows does not matter, nor does the number of columns beside one. */
static void test_order(void **state)
{
    (void)state;
    enum { ROWS = 1000, RESAMPLES = 70 };
    static double values[ROWS], reversed[ROWS], wide[ROWS * 19];
    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = reversed[ROWS - 1 - i] = ge_uniform(4, 0, i);
        for (uint32_t k = 0; k < 19; k++) wide[i * 19 + k] = values[i];
    }
    double *a = sums_of(values, ROWS, 1, RESAMPLES, NULL);
    double *b = sums_of(reversed, ROWS, 1, RESAMPLES, NULL);
    double *c = sums_of(wide, ROWS, 19, RESAMPLES, NULL);
    assert_memory_equal(a, b, RESAMPLES * sizeof *a);
    for (size_t k = 0; k < 19; k++)
        assert_memory_equal(a, c + k * RESAMPLES, RESAMPLES * sizeof *a);
    free(a);
    free(b);
    free(c);
}

static void ratio(const void *ctx, const double *sums, size_t rows, double *out)
{
    (void)ctx;
    out[0] = sums[0] / sums[1];
    out[1] = sums[2] / (double)rows;
}

static void test_threads(void **state)
{
    (void)state;
    enum { ROWS = 700, COLUMNS = 3 };
    static double values[ROWS * COLUMNS];
    struct ge_bca want[2], got[2];
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) values[i] = 0.5 + ge_uniform(8, 0, i);
    const struct ge_bootstrap_data data = {ROWS, COLUMNS, values};
    const struct ge_statistics what = {ratio, NULL, 2};
    const struct ge_bootstrap_options options = {17, 1001, 0.95};
    assert_ok(ge_bootstrap_bca(&data, &what, &options, NULL, want));
    assert_true(want[0].lo < want[0].value && want[0].value < want[0].hi);
    for (int threads = 1; threads <= 5; threads += threads == 1 ? 1 : 3) {
        struct ge_pool *pool = NULL;
        assert_ok(ge_pool_new(threads, &pool));
        memset(got, 0, sizeof got);
        assert_ok(ge_bootstrap_bca(&data, &what, &options, pool, got));
        assert_memory_equal(got, want, sizeof got);
        ge_pool_delete(&pool);
    }
}

/* Digits that were right once stay: a change of the stream or of an order of sums shows here. */
static void test_digits(void **state)
{
    (void)state;
    enum { ROWS = 300, RESAMPLES = 3 };
    static double values[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) values[i] = i * i % 97;
    double *sums = sums_of(values, ROWS, 1, RESAMPLES, NULL);
    const double want[RESAMPLES] = {14682, 14361, 13898};
    for (size_t b = 0; b < RESAMPLES; b++) assert_close(sums[b], want[b], 0);
    free(sums);
}

static void test_words(void **state)
{
    (void)state;
    uint32_t many[GE_PHILOX_WORDS], four[4];
    ge_philox_fill(0x123456789abcdef0u, 42, 0xfffffffeu, many); /* the counter's words carry over */
    for (uint64_t i = 0; i < GE_PHILOX_COUNTERS; i++) {
        ge_philox(0x123456789abcdef0u, 42, 0xfffffffeu + i, four);
        for (size_t w = 0; w < 4; w++) {
            assert_int_equal(many[w * GE_PHILOX_COUNTERS + i], four[w]);
        }
    }
}

static void undefined(const void *ctx, const double *sums, size_t rows, double *out)
{
    (void)ctx;
    out[0] = sums[0] / (double)rows;
    out[1] = NAN;
}

static void test_edges(void **state)
{
    (void)state;
    const double same[] = {0.3, 0.3, 0.3, 0.3}, two[] = {0, 1};
    const struct ge_statistics what = {undefined, NULL, 2};
    const struct ge_bootstrap_options options = {1, 500, 0.9};
    struct ge_bca out[2];
    struct ge_bootstrap_data data = {4, 1, same};
    assert_ok(ge_bootstrap_bca(&data, &what, &options, NULL, out));
    assert_close(out[0].lo, out[0].hi, 0);
    assert_close(out[0].lo, 0.3, 1e-15);
    assert_close(out[0].acceleration, 0, 0);
    assert_true(isnan(out[1].lo) && isnan(out[1].hi));
    data = (struct ge_bootstrap_data){1, 1, same};
    assert_ok(ge_bootstrap_bca(&data, &what, &options, NULL, out));
    assert_true(out[0].value == 0.3 && isnan(out[0].lo));
    data = (struct ge_bootstrap_data){2, 1, two};
    assert_ok(ge_bootstrap_bca(&data, &what, &options, NULL, out));
    assert_close(out[0].lo, 0, 0);
    assert_close(out[0].hi, 1, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    const double values[] = {0, 1, INFINITY};
    struct ge_statistics what = {undefined, NULL, 2};
    struct ge_bootstrap_options options = {1, 500, 0.9};
    struct ge_bootstrap_data data = {3, 1, values};
    struct ge_bca out[2];
    assert_status(ge_bootstrap_bca(&data, &what, &options, NULL, out), GE_EINVAL);
    data.rows = 0;
    assert_status(ge_bootstrap_bca(&data, &what, &options, NULL, out), GE_EINVAL);
    data.rows = 2;
    options.level = 1;
    assert_status(ge_bootstrap_bca(&data, &what, &options, NULL, out), GE_EINVAL);
    options.level = 0.9;
    options.resamples = 0;
    assert_status(ge_bootstrap_bca(&data, &what, &options, NULL, out), GE_EINVAL);
    options.resamples = 100;
    what.n = 0;
    assert_status(ge_bootstrap_bca(&data, &what, &options, NULL, out), GE_EINVAL);
}

static void test_memory(void **state)
{
    (void)state;
    static double values[600];
    for (uint32_t i = 0; i < 600; i++) values[i] = ge_uniform(4, 0, i);
    const struct ge_bootstrap_data data = {600, 1, values};
    const struct ge_statistics what = {undefined, NULL, 2};
    const struct ge_bootstrap_options options = {1, 40, 0.9};
    struct ge_bca out[2];
    uint64_t failed = 0;
    for (uint64_t at = 1;; at++, failed++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_bootstrap_bca(&data, &what, &options, NULL, out);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        if (pending) break;
    }
    assert_true(failed >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frequencies), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_order),       cmocka_unit_test(test_threads),
        cmocka_unit_test(test_digits),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_edges),       cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
