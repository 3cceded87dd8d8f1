/* A pool of threads for loops whose iterations are independent. Results never depend on the
 * number of threads, because an iteration is always computed whole by one thread. */
#ifndef GE_BASE_POOL_H
#define GE_BASE_POOL_H

#include <stddef.h>

#include "base/status.h"

struct ge_pool;

/* One iteration. `thread` is 0…threads-1, for per-thread scratch. */
typedef void ge_pool_fn(void *ctx, size_t i, int thread);

/* A pool that runs loops on `threads` threads, the caller among them (threads = 1: no thread is
 * started). GE_EINVAL for threads < 1, GE_ENOMEM. */
ge_status ge_pool_new(int threads, struct ge_pool **pool);
void ge_pool_delete(struct ge_pool **pool); /* no loop may be running; NULL is fine */
int ge_pool_threads(const struct ge_pool *pool);

/* Run fn for i = 0…n-1, each once, in any order; returns when all are done. Called from one
 * thread at a time; fn must not call it on the same pool. pool = NULL: runs on the caller. */
void ge_pool_run(struct ge_pool *pool, size_t n, ge_pool_fn *fn, void *ctx);

/* CPUs that this process may use (affinity mask), at least 1. */
int ge_cpu_count(void);

#endif
