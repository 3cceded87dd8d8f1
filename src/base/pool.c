/* Threads that sleep on a condition variable between loops and take indices from one counter. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct worker {
    struct ge_pool *pool;
    pthread_t thread;
    int number; /* 1…threads-1; the caller is 0 */
};

struct ge_pool {
    int threads, started;
    struct worker *workers; /* threads - 1 */

    pthread_mutex_t lock; /* guards what follows, up to `next` */
    pthread_cond_t begin, end;
    uint64_t loop; /* number of the current loop: a worker joins each loop once */
    int busy;      /* workers that have not finished the current loop */
    int stop;
    ge_pool_fn *fn;
    void *ctx;
    size_t n;

    atomic_size_t next; /* first index that nobody took */
};

static void take_indices(struct ge_pool *pool, int number)
{
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= pool->n) return;
        pool->fn(pool->ctx, i, number);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct ge_pool *pool = w->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->stop && pool->loop == seen) pthread_cond_wait(&pool->begin, &pool->lock);
        if (pool->stop) break;
        seen = pool->loop;
        pthread_mutex_unlock(&pool->lock);
        take_indices(pool, w->number);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0) pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static ge_status start_workers(struct ge_pool *pool)
{
    while (pool->started < pool->threads - 1) {
        struct worker *w = &pool->workers[pool->started];
        w->pool = pool;
        w->number = pool->started + 1;
        int error = pthread_create(&w->thread, NULL, work, w);
        if (error != 0) {
            return ge_fail(GE_ENOMEM, "cannot start thread %d of %d: %s", w->number + 1,
                           pool->threads, strerror(error));
        }
        pool->started++;
    }
    return GE_OK;
}

ge_status ge_pool_new(int threads, struct ge_pool **out)
{
    ge_status rc = GE_OK;
    struct ge_pool *pool = NULL;
    *out = NULL;
    if (threads < 1) return ge_fail(GE_EINVAL, "%d threads: at least 1 wanted", threads);
    GE_NEW(pool, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    pool->threads = threads;
    GE_NEW(pool->workers, (size_t)threads - 1);
    GE_TRY(start_workers(pool));
    *out = pool;
    pool = NULL;
done:
    ge_pool_delete(&pool);
    return rc;
}

void ge_pool_delete(struct ge_pool **out)
{
    if (out == NULL || *out == NULL) return;
    struct ge_pool *pool = *out;
    pthread_mutex_lock(&pool->lock);
    pool->stop = 1;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->begin);
    pthread_cond_destroy(&pool->end);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
    *out = NULL;
}

int ge_pool_threads(const struct ge_pool *pool)
{
    return pool == NULL ? 1 : pool->threads;
}

void ge_pool_run(struct ge_pool *pool, size_t n, ge_pool_fn *fn, void *ctx)
{
    if (pool == NULL || pool->threads == 1 || n <= 1) {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n = n;
    pool->busy = pool->started;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->loop++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);

    take_indices(pool, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0) pthread_cond_wait(&pool->end, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

int ge_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < 1 << 16 ? (int)online : 1;
}
