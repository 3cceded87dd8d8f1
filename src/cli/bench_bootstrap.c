/* Speed of the bootstrap: BCa intervals of 16 metric means over 100,000 clusters, 10,000 resamples;
 * and of the gap of 646 items. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/math.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "stats/bootstrap.h"

enum { RESAMPLES = 10000, METRICS = 16, ROWS = 100000, ITEMS = 646 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void means(const void *ctx, const double *sums, size_t rows, double *out)
{
    (void)ctx;
    for (int k = 0; k < METRICS; k++) out[k] = sums[k] / (double)rows;
}

/* Columns: und, gen. */
static void gap(const void *ctx, const double *sums, size_t rows, double *out)
{
    double n = (double)rows + 1;
    (void)ctx;
    out[0] = ge_logit((sums[0] + 0.5) / n) - ge_logit((sums[1] + 0.5) / n);
    out[1] = (sums[0] - sums[1]) / (double)rows;
}

static ge_status measure(struct ge_bench *b, const char *name, struct ge_pool *pool,
                         const struct ge_bootstrap_data *data, const struct ge_statistics *what)
{
    ge_status rc = GE_OK;
    struct ge_bca out[METRICS];
    const struct ge_bootstrap_options options = {1, RESAMPLES, 0.95};
    double *seconds = NULL, *cpu = NULL;
    char of_cpu[64];
    GE_NEW(seconds, (size_t)b->repeats);
    GE_NEW(cpu, (size_t)b->repeats);
    for (long r = -1; r < b->repeats; r++) { /* -1: warm-up */
        double start = now(CLOCK_MONOTONIC), cpu_start = now(CLOCK_PROCESS_CPUTIME_ID);
        GE_TRY(ge_bootstrap_bca(data, what, &options, pool, out));
        if (r < 0) continue;
        seconds[r] = now(CLOCK_MONOTONIC) - start;
        cpu[r] = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    }
    ge_bench_costs(b, name, "s", seconds, (size_t)b->repeats);
    snprintf(of_cpu, sizeof of_cpu, "%s, CPU time", name);
    ge_bench_costs(b, of_cpu, "s", cpu, (size_t)b->repeats);
done:
    free(cpu);
    free(seconds);
    return rc;
}

ge_status ge_bench_bootstrap(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    struct ge_pool *pool = NULL;
    double *values = NULL;
    GE_TRY(ge_pool_new((int)b->threads, &pool));
    GE_NEW(values, (size_t)ROWS * METRICS);
    for (uint64_t i = 0; i < (uint64_t)ROWS * METRICS; i++) values[i] = ge_uniform(1, 0, i);
    const struct ge_bootstrap_data table = {ROWS, METRICS, values};
    const struct ge_statistics metrics = {means, NULL, METRICS};
    GE_TRY(measure(b, "16 means, 100,000 clusters", pool, &table, &metrics));
    for (uint64_t i = 0; i < (uint64_t)ROWS * 2; i++) values[i] = ge_uniform(1, 0, i) < 0.7;
    const struct ge_statistics gaps = {gap, NULL, 2};
    const struct ge_bootstrap_data binary = {ROWS, 2, values}, paper = {ITEMS, 2, values};
    GE_TRY(measure(b, "gap, 100,000 items", pool, &binary, &gaps));
    GE_TRY(measure(b, "gap, 646 items", pool, &paper, &gaps));
    ge_buf_printf(&b->notes, "BCa intervals, %d resamples, %ld threads, wall clock", RESAMPLES,
                  b->threads);
done:
    free(values);
    ge_pool_delete(&pool);
    return rc;
}
