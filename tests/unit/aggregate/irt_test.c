/* The irt estimator where it has no estimate, its gradient, and what holds for any data. */
#include <stdbool.h>

#include "aggregate/irt.h"
#include "aggregate/irt_item.h"
#include "base/math.h"
#include "base/mem.h"
#include "base/rng.h"
#include "test.h"

enum { MOST = 4096 };

static struct ge_irt_pair pairs[MOST];
static size_t n;

static void add(uint32_t model, uint32_t item, uint32_t und, uint32_t gen, uint32_t judges)
{
    pairs[n++] = (struct ge_irt_pair){model, item, {{und, judges}, {gen, judges}}};
}

static double uniform(uint64_t seed, uint64_t i)
{
    return (double)(ge_mix(seed, i) >> 11) * 0x1p-53;
}

/* Models of rising ability on items of rising difficulty. */
static void simulate(uint32_t models, uint32_t items, uint32_t judges)
{
    n = 0;
    for (uint32_t m = 0; m < models; m++) {
        for (uint32_t i = 0; i < items; i++) {
            double b = 3.0 * i / items - 1.5, theta = 0.4 * m;
            uint32_t und = 0, gen = 0;
            for (uint32_t k = 0; k < judges; k++) {
                und += uniform(m, 2000 * i + 2 * k) < ge_logistic(theta + 0.8 - b);
                gen += uniform(m, 2000 * i + 2 * k + 1) < ge_logistic(theta - b);
            }
            add(m, i, und, gen, judges);
        }
    }
}

static struct ge_irt_fit fit_with(size_t models, size_t items, int nodes, struct ge_pool *pool)
{
    struct ge_irt_fit fit;
    struct ge_irt_options options = {.nodes = nodes, .pool = pool};
    assert_ok(ge_irt(pairs, n, models, items, &options, &fit));
    assert_int_equal(fit.n_models, models);
    return fit;
}

static struct ge_irt_fit fit_all(size_t models, size_t items)
{
    return fit_with(models, items, GE_IRT_NODES, NULL);
}

static void assert_none(struct ge_irt_ability a, enum ge_irt_reason reason)
{
    assert_int_equal(a.reason, reason);
    assert_true(isnan(a.theta) && isnan(a.se));
}

static void test_right(void **state)
{
    (void)state;
    uint32_t right = 9;
    assert_ok(ge_irt_right(1, 1, &right));
    assert_int_equal(right, 1);
    assert_ok(ge_irt_right(0.333, 3, &right));
    assert_int_equal(right, 1);
    assert_ok(ge_irt_right(0.7, 10, &right));
    assert_int_equal(right, 7);
    assert_status(ge_irt_right(0.5, 1, &right), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "judges"));
    assert_status(ge_irt_right(0.35, 10, &right), GE_EINVAL);
    assert_status(ge_irt_right(1.5, 2, &right), GE_EINVAL);
    assert_status(ge_irt_right(-1, 1, &right), GE_EINVAL);
    assert_status(ge_irt_right(NAN, 1, &right), GE_EINVAL);
    assert_status(ge_irt_right(1, 0, &right), GE_EINVAL);
}

/* The gradient against differences of the likelihood, at few nodes, where the moving nodes matter. */
static void test_gradient(void **state)
{
    (void)state;
    enum { N = 4 };
    float right[N] = {1, 0, 3, 0}, total[N] = {1, 1, 5, 0};
    double x[N + 1] = {0.5, -0.3, 1.2, 0.1, 1.4}, odds[N];
    struct irt_counts item = {right, total};
    struct irt_work w;
    struct irt_point at = {.n = N, .theta = x, .odds = odds};
    assert_ok(irt_work_make(&w, N, 7));
    static const int nodes[] = {1, 2, 3, 7};
    for (size_t r = 0; r < sizeof nodes / sizeof nodes[0]; r++) {
        struct irt_rule rule = {.n = nodes[r]};
        double gradient[N + 1] = {0}, h = 1e-5;
        assert_ok(ge_hermite(rule.n, rule.node, rule.log_weight));
        for (int j = -1; j <= N; j++) {
            double value[2] = {0};
            for (int side = 0; side < (j < 0 ? 1 : 2); side++) {
                if (j >= 0) x[j] += side == 0 ? h : -2 * h;
                for (int k = 0; k < N; k++) odds[k] = ge_exp(-x[k]);
                at.sd = x[N];
                irt_integrate(&at, item, &rule, &w);
                value[side] = w.loglik;
            }
            if (j < 0) {
                irt_add_gradient(&at, item, &rule, &w, gradient);
                continue;
            }
            x[j] += h;
            assert_close(gradient[j], (value[0] - value[1]) / (2 * h), 1e-8);
        }
        assert_true(gradient[3] == 0); /* was not seen */
    }
    irt_work_free(&w);
}

/* One item's likelihood against the integral by brute force. */
static void test_integral(void **state)
{
    (void)state;
    enum { STEPS = 4000 };
    float right[2] = {1, 2}, total[2] = {1, 6};
    double theta[2] = {0.7, -0.4}, odds[2], sum = 0;
    struct irt_rule rule = {.n = 30};
    struct irt_work w;
    struct irt_point at = {2, theta, odds, 1.7};
    for (int j = 0; j < 2; j++) odds[j] = ge_exp(-theta[j]);
    assert_ok(ge_hermite(rule.n, rule.node, rule.log_weight));
    assert_ok(irt_work_make(&w, 2, rule.n));
    irt_integrate(&at, (struct irt_counts){right, total}, &rule, &w);
    for (int s = 0; s < STEPS; s++) {
        double z = -10 + 20 * (s + 0.5) / STEPS, product = ge_exp(-z * z / 2) / 2.5066282746310002;
        for (int j = 0; j < 2; j++) {
            double p = ge_logistic(theta[j] + 1.7 * z);
            product *= ge_pow(p, right[j]) * ge_pow(1 - p, total[j] - right[j]);
        }
        sum += product * 20 / STEPS;
    }
    assert_close(w.loglik, ge_log(sum), 1e-10);
    irt_work_free(&w);
}

static void test_separated(void **state)
{
    (void)state;
    simulate(3, 60, 1);
    struct ge_irt_fit without = fit_all(3, 60);
    for (uint32_t i = 0; i < 60; i++) add(3, i, 1, 0, 1); /* all right, and all wrong */
    struct ge_irt_fit fit = fit_all(5, 60);               /* and a model without items */
    assert_none(fit.models[3].und, GE_IRT_SEPARATED);
    assert_none(fit.models[3].gen, GE_IRT_SEPARATED);
    assert_none(fit.models[4].und, GE_IRT_NO_ITEMS);
    assert_true(isnan(fit.models[3].delta) && isnan(fit.models[3].se_delta));
    /* The others as if it were not there. */
    for (int m = 0; m < 3; m++) {
        assert_true(fit.models[m].delta == without.models[m].delta);
        assert_true(fit.models[m].se_delta > 0);
    }
    assert_true(fit.loglik == without.loglik);
    assert_int_equal(fit.judgements, 360);
    ge_irt_free(&fit);
    ge_irt_free(&without);
}

static void test_degenerate(void **state)
{
    (void)state;
    n = 0;
    struct ge_irt_fit fit = fit_all(2, 3); /* nothing at all */
    assert_none(fit.models[1].gen, GE_IRT_NO_ITEMS);
    assert_true(isnan(fit.sd_item) && isnan(fit.loglik));
    ge_irt_free(&fit);

    add(0, 0, 1, 0, 1); /* one item */
    fit = fit_all(1, 1);
    assert_none(fit.models[0].und, GE_IRT_SEPARATED);
    ge_irt_free(&fit);

    n = 0; /* one direction is left, with one judgement an item */
    for (uint32_t i = 0; i < 10; i++) add(0, i, i % 2, 1, 1);
    fit = fit_all(1, 10);
    assert_none(fit.models[0].und, GE_IRT_UNIDENTIFIED);
    assert_none(fit.models[0].gen, GE_IRT_SEPARATED);
    ge_irt_free(&fit);

    n = 0; /* both directions always agree: the likelihood rises with sd without end */
    for (uint32_t i = 0; i < 10; i++) add(0, i, i % 2, i % 2, 1);
    fit = fit_all(1, 10);
    assert_none(fit.models[0].und, GE_IRT_UNBOUNDED);
    assert_true(isnan(fit.sd_item));
    ge_irt_free(&fit);

    n = 0; /* they never agree: sd is 0, and the abilities are plain logits */
    for (uint32_t i = 0; i < 10; i++) add(0, i, i < 4, i >= 4, 1);
    fit = fit_all(1, 10);
    assert_true(fit.sd_item == 0);
    assert_close(fit.models[0].und.theta, ge_logit(0.4), 1e-6);
    assert_close(fit.models[0].und.se, sqrt(1 / 2.4), 1e-5);
    ge_irt_free(&fit);
}

/* The same bits at any number of threads, and whatever the order of the pairs. */
static void test_threads(void **state)
{
    (void)state;
    struct ge_pool *pool = NULL;
    simulate(4, 700, 1);
    struct ge_irt_fit one = fit_all(4, 700);
    assert_ok(ge_pool_new(3, &pool));
    struct ge_irt_fit three = fit_with(4, 700, GE_IRT_NODES, pool);
    ge_pool_delete(&pool);
    assert_true(one.sd_item == three.sd_item && one.loglik == three.loglik);
    assert_memory_equal(one.models, three.models, 4 * sizeof *one.models);
    assert_true(one.sd_item > 0.5 && one.sd_item < 1.3);
    for (int m = 0; m < 4; m++) assert_close(one.models[m].delta, 0.8, 0.35);
    ge_irt_free(&one);
    ge_irt_free(&three);
}

/* A direction that was not judged is as if it were not there. */
static void test_one_side(void **state)
{
    (void)state;
    simulate(3, 60, 1);
    for (uint32_t i = 0; i < 60; i++)
        pairs[i].count[GE_GEN].judged = pairs[i].count[GE_GEN].right = 0;
    struct ge_irt_fit fit = fit_all(3, 60);
    assert_none(fit.models[0].gen, GE_IRT_NO_ITEMS);
    assert_int_equal(fit.models[0].und.reason, GE_IRT_ESTIMATED);
    assert_true(isnan(fit.models[0].delta));
    assert_int_equal(fit.judgements, 300);
    ge_irt_free(&fit);
}

/* Difficulties have either sign: right and wrong exchanged gives the opposite abilities. */
static void test_symmetry(void **state)
{
    (void)state;
    simulate(3, 80, 4);
    struct ge_irt_fit a = fit_all(3, 80);
    for (size_t i = 0; i < n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            pairs[i].count[d].right = pairs[i].count[d].judged - pairs[i].count[d].right;
        }
    }
    struct ge_irt_fit b = fit_all(3, 80);
    for (int m = 0; m < 3; m++) {
        assert_close(a.models[m].delta, -b.models[m].delta, 1e-7);
        assert_close(a.models[m].se_delta, b.models[m].se_delta, 1e-7);
    }
    assert_close(a.loglik, b.loglik, 1e-9);
    ge_irt_free(&a);
    ge_irt_free(&b);
}

/* Small tables of every kind, with sd of items up to 6: the optimiser settles on each, whatever the number of
 * nodes, and says of each ability either what it is or why not. */
static void test_small_tables(void **state)
{
    (void)state;
    static const int nodes[] = {1, 2, 3, GE_IRT_NODES};
    size_t outcomes[5] = {0};
    for (uint64_t seed = 0; seed < 400; seed++) {
        uint32_t models = 1 + (uint32_t)(ge_mix(seed, 1) % 4),
                 items = 1 + (uint32_t)(ge_mix(seed, 2) % 14);
        uint32_t judges = ge_mix(seed, 3) % 3 == 0 ? 1 + (uint32_t)(ge_mix(seed, 4) % 9) : 1;
        double sd = 1.5 * (double)(ge_mix(seed, 5) % 5);
        n = 0;
        for (uint32_t m = 0; m < models; m++) {
            for (uint32_t i = 0; i < items; i++) {
                double b = sd * ge_norm_quantile(0.001 + 0.998 * uniform(seed, 100 + i));
                uint32_t und = 0, gen = 0;
                for (uint32_t k = 0; k < judges; k++) {
                    und += uniform(seed, 1000 * (m + 1) + 20 * i + k) < ge_logistic(1 - b);
                    gen +=
                        uniform(seed, 1000 * (m + 1) + 20 * i + 10 + k) < ge_logistic(0.8 * m - b);
                }
                add(m, i, und, gen, judges);
            }
        }
        struct ge_irt_fit fit = fit_with(models, items, nodes[ge_mix(seed, 8) % 4], NULL);
        for (uint32_t m = 0; m < models; m++) {
            struct ge_irt_ability a = fit.models[m].und;
            outcomes[a.reason]++;
            if (a.reason == GE_IRT_ESTIMATED) assert_true(isfinite(a.theta) && a.se > 0);
        }
        ge_irt_free(&fit);
    }
    assert_true(outcomes[GE_IRT_ESTIMATED] > 200);
    assert_true(outcomes[GE_IRT_SEPARATED] > 20 && outcomes[GE_IRT_UNBOUNDED] > 20);
    assert_true(outcomes[GE_IRT_UNIDENTIFIED] > 0);
}

static void test_refused(void **state)
{
    (void)state;
    struct ge_irt_fit fit;
    struct ge_irt_options options = {.nodes = 25}, none = {.nodes = 0}, many = {.nodes = 101};
    simulate(2, 10, 1);
    assert_status(ge_irt(pairs, n, 2, 10, &none, &fit), GE_EINVAL);
    assert_status(ge_irt(pairs, n, 2, 10, &many, &fit), GE_EINVAL);
    assert_status(ge_irt(pairs, n, 1, 10, &options, &fit), GE_EINVAL);
    assert_status(ge_irt(pairs, n, 2, 9, &options, &fit), GE_EINVAL);
    assert_status(ge_irt(pairs, n, GE_IRT_MODELS_MOST + 1, 10, &options, &fit), GE_ELIMIT);
    add(1, 3, 0, 0, 1);
    assert_status(ge_irt(pairs, n, 2, 10, &options, &fit), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "twice"));
    pairs[n - 1] = (struct ge_irt_pair){0, 9, {{2, 1}, {0, 1}}};
    assert_status(ge_irt(pairs, n, 2, 10, &options, &fit), GE_EINVAL);
    assert_null(fit.models);
}

static void test_memory_failures(void **state)
{
    (void)state;
    struct ge_irt_options options = {.nodes = 3};
    struct ge_irt_fit fit;
    uint64_t at = 1;
    simulate(2, 20, 1);
    for (;; at++) {
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_irt(pairs, n, 2, 20, &options, &fit);
        bool pending = ge_mem_fault_pending() != 0;
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_int_equal(rc, GE_OK);
            break;
        }
        assert_int_equal(rc, GE_ENOMEM);
        assert_null(fit.models);
    }
    assert_true(at > 15);
    ge_irt_free(&fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),           cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_integral),        cmocka_unit_test(test_separated),
        cmocka_unit_test(test_degenerate),      cmocka_unit_test(test_threads),
        cmocka_unit_test(test_symmetry),        cmocka_unit_test(test_one_side),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_small_tables),
        cmocka_unit_test(test_memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
