/* pool and rng. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "test.h"

enum { N = 10000 };

struct counts {
    atomic_int times[N];
    atomic_int bad_thread;
    int threads;
};

static void count(void *ctx, size_t i, int thread)
{
    struct counts *c = ctx;
    atomic_fetch_add(&c->times[i], 1);
    if (thread < 0 || thread >= c->threads) atomic_store(&c->bad_thread, 1);
}

static void assert_each_once(struct ge_pool *pool, size_t n)
{
    static struct counts c;
    memset(&c, 0, sizeof c);
    c.threads = ge_pool_threads(pool);
    ge_pool_run(pool, n, count, &c);
    assert_int_equal(c.bad_thread, 0);
    for (size_t i = 0; i < N; i++) assert_int_equal(c.times[i], i < n ? 1 : 0);
}

static void test_pool(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 100, N};
    for (int threads = 1; threads <= 9; threads += 4) {
        struct ge_pool *pool;
        assert_ok(ge_pool_new(threads, &pool));
        assert_int_equal(ge_pool_threads(pool), threads);
        for (int round = 0; round < 50; round++) assert_each_once(pool, sizes[round % 6]);
        ge_pool_delete(&pool);
        assert_null(pool);
    }
    assert_each_once(NULL, N);
    assert_int_equal(ge_pool_threads(NULL), 1);
}

static void test_many_short_loops(void **state)
{
    (void)state;
    struct ge_pool *pool;
    assert_ok(ge_pool_new(4, &pool));
    static struct counts c;
    memset(&c, 0, sizeof c);
    c.threads = 4;
    for (int round = 0; round < 5000; round++) ge_pool_run(pool, 5, count, &c);
    for (int i = 0; i < 5; i++) assert_int_equal(c.times[i], 5000);
    ge_pool_delete(&pool);
}

static void test_pool_failures(void **state)
{
    (void)state;
    struct ge_pool *pool;
    assert_status(ge_pool_new(0, &pool), GE_EINVAL);
    assert_null(pool);
    assert_status(ge_pool_new(-1, &pool), GE_EINVAL);
    for (uint64_t fault = 1; fault <= 2; fault++) {
        ge_mem_fail_at(fault, 0);
        assert_status(ge_pool_new(3, &pool), GE_ENOMEM);
        ge_mem_fail_at(0, 0);
        assert_null(pool);
    }
    ge_pool_delete(&pool);
    assert_true(ge_cpu_count() >= 1);
}

/* Known answers of Random123 (kat_vectors, philox4x32 10). */
static void test_philox_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t key, hi, lo;
        uint32_t out[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822u,
         0x0370734413198a2eu,
         0x85a308d3243f6a88u,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        ge_philox(known[i].key, known[i].hi, known[i].lo, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 100000, BINS = 20 };
    int bins[BINS] = {0};
    double sum = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = ge_uniform(7, 1, i);
        assert_true(u >= 0 && u < 1);
        assert_true(u == ge_uniform(7, 1, i));
        bins[(int)(u * BINS)]++;
        sum += u;
    }
    assert_close(sum / DRAWS, 0.5, 5 * 0.2887 / sqrt(DRAWS));
    for (int i = 0; i < BINS; i++) assert_close(bins[i], DRAWS / BINS, 5 * sqrt(DRAWS / BINS));
    assert_true(ge_uniform(7, 1, 0) != ge_uniform(7, 2, 0));
    assert_true(ge_uniform(7, 1, 0) != ge_uniform(8, 1, 0));
}

static void test_mix(void **state)
{
    (void)state;
    assert_int_equal(ge_mix(0, 0), 0xe220a8397b1dcdafu); /* SplitMix64's first value for seed 0 */
    assert_true(ge_mix(1, 2) != ge_mix(2, 1));
    assert_true(ge_mix(0, 1) != ge_mix(0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),          cmocka_unit_test(test_many_short_loops),
        cmocka_unit_test(test_pool_failures), cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_uniform),       cmocka_unit_test(test_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
