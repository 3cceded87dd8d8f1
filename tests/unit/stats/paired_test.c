/* Intervals of paired shares: symmetry, edges, and what must hold of every table. */
#include "test.h"

#include "stats/paired.h"

#define Z 1.959963984540054

static struct ge_paired_table table(double a, double b, double c, double d)
{
    return (struct ge_paired_table){a, b, c, d};
}

/* Ends that a search over the likelihood with SciPy gave. */
static void test_values(void **state)
{
    (void)state;
    struct ge_range r = ge_paired_difference(table(30, 10, 8, 12), Z);
    assert_close(r.lo, -0.109956506223, 1e-11);
    assert_close(r.hi, 0.176483264502, 1e-11);
    r = ge_paired_logit(table(30.25, 10.25, 8.25, 12.25), Z);
    assert_close(r.lo, -0.4726513373734, 1e-9);
    assert_close(r.hi, 0.7669528377039, 1e-9);
    r = ge_paired_logit(table(0.25, 49.25, 0.25, 1.25), Z);
    assert_close(r.lo, 5.1716100159620, 1e-8);
    assert_close(r.hi, 13.360125254821, 1e-8);
}

/* Exchanging the sides, or right and wrong, turns the interval round. */
static void test_symmetry(void **state)
{
    (void)state;
    static const double counts[] = {0, 1, 3, 40, 500};
    enum { N = sizeof counts / sizeof counts[0] };
    for (int i = 1; i < N * N * N * N; i++) {
        double a = counts[i % N], b = counts[i / N % N], c = counts[i / N / N % N];
        double d = counts[i / N / N / N];
        double n = a + b + c + d, estimate = (b - c) / n;
        struct ge_range r = ge_paired_difference(table(a, b, c, d), Z);
        struct ge_range s = ge_paired_difference(table(d, c, b, a), Z);
        assert_true(r.lo >= -1 && r.hi <= 1 && r.lo <= estimate && estimate <= r.hi);
        assert_true(r.hi > r.lo);
        assert_close(r.lo, -s.hi, 1e-12);
        assert_close(r.hi, -s.lo, 1e-12);
        a += 0.25;
        b += 0.25;
        c += 0.25;
        d += 0.25;
        double logit = log((a + b) / (c + d)) - log((a + c) / (b + d));
        r = ge_paired_logit(table(a, b, c, d), Z);
        s = ge_paired_logit(table(a, c, b, d), Z);
        assert_true(isfinite(r.lo) && isfinite(r.hi) && r.lo < logit && logit < r.hi);
        assert_close(r.lo, -s.hi, 1e-7);
        assert_close(r.hi, -s.lo, 1e-7);
        s = ge_paired_logit(table(d, b, c, a), Z); /* right and wrong exchanged, and the sides */
        assert_close(r.lo, s.lo, 1e-7);
    }
}

/* A higher level holds a lower one. */
static void test_levels(void **state)
{
    (void)state;
    struct ge_range last = {0.1, 0.1}, last_logit = {0.5, 0.5};
    for (int i = 1; i <= 40; i++) {
        struct ge_range r = ge_paired_difference(table(20, 9, 5, 6), 0.1 * i);
        struct ge_range l = ge_paired_logit(table(20, 9, 5, 6), 0.1 * i);
        if (i > 1) {
            assert_true(r.lo < last.lo && r.hi > last.hi);
            assert_true(l.lo < last_logit.lo && l.hi > last_logit.hi);
        }
        last = r;
        last_logit = l;
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct ge_range r = ge_paired_difference(table(0, 30, 0, 0), Z);
    assert_close(r.hi, 1, 0);
    assert_true(r.lo > 0.7 && r.lo < 1);
    assert_true(isnan(ge_paired_difference(table(0, 0, 0, 0), Z).lo));
    assert_true(isnan(ge_paired_difference(table(1, 2, 3, 4), NAN).lo));
    assert_true(isnan(ge_paired_logit(table(1, 0, 3, 4), Z).lo));
    assert_true(isnan(ge_paired_logit(table(1, 2, 3, NAN), Z).hi));
    assert_true(isnan(ge_paired_logit(table(1, 2, 3, INFINITY), Z).hi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_symmetry),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
