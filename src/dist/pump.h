/* A run over the ranks: drives coordinator and worker until the run is over.
 *
 * Rank 0 runs the coordinator and, unless it is dedicated, a worker beside it; the other ranks run
 * a worker each. The calling thread does messages and timers only and sleeps when there are none.
 * Called by cli with an evaluation engine (work.h) and a journal (struct ge_sink). */
#ifndef GE_DIST_PUMP_H
#define GE_DIST_PUMP_H

#include <signal.h>

#include "dist/comm.h"
#include "dist/coordinator.h"
#include "dist/work.h"

/* What rank 0 tells its caller once per interval. Borrowed for the call. */
struct ge_dist_progress {
    double seconds; /* since the start of the run */
    enum ge_run_state state;
    const struct ge_coordinator_stats *stats;
    const struct ge_worker_view *workers; /* (n_workers) */
    uint32_t n_workers;
    int first_rank;             /* rank of worker 0 */
    double coordinator_seconds; /* spent in the coordinator, without the sink */
    double sink_seconds;        /* spent in the sink */
    uint64_t dropped_garbled;   /* frames that were no sound message */
};

struct ge_dist_config {
    struct ge_coordinator_config coordinator; /* all ranks: run, n_chunks, timers; rank 0: all but
                                                 n_workers, which follows from the ranks */
    bool dedicated;                           /* rank 0 computes nothing (ignored for one rank) */
    double interval;                          /* seconds between progress calls; 0: 1 s */
    void (*progress)(void *ctx, const struct ge_dist_progress *p); /* rank 0 only; may be NULL */
    void *progress_ctx;
    const volatile sig_atomic_t *stop; /* non-zero: stop in good order; may be NULL. On other ranks
                                          than 0 the wish is passed on to rank 0 */
};

struct ge_dist_report {
    bool clean;                        /* ge_comm_finish() may finalise; otherwise end by _exit() */
    struct ge_coordinator_stats stats; /* rank 0; zero elsewhere */
    double seconds, coordinator_seconds, sink_seconds;
    uint64_t dropped_garbled;
};

/* Run to the end. Every rank calls it with the same run, n_chunks, timers and `dedicated`; work is
 * needed on every rank that works, sink on rank 0. Returns how the run ended: see
 * ge_coordinator_status() and ge_worker_status(). GE_OK with stats.samples_undone or
 * stats.chunks_undone > 0: the rest is finished, these are to be run again. `report` is filled in
 * any case. */
ge_status ge_dist_run(struct ge_comm *comm, const struct ge_dist_config *cfg,
                      const struct ge_work_ops *work, const struct ge_sink *sink,
                      struct ge_dist_report *report);

/* Rate of the machinery itself: a run over `comm` of n_chunks chunks whose work is nothing and
 * whose results are `payload` bytes each. *rate (rank 0): grants answered per second. */
ge_status ge_dist_bench_grants(struct ge_comm *comm, uint32_t n_chunks, size_t payload,
                               double *rate, struct ge_dist_report *report);

#endif
