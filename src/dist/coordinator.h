/* The coordinator: hands out chunks, takes results, notices who is gone. MPI-free.
 *
 * A step function: messages and the time go in, messages come out, accepted results go to the
 * sink. pump.c drives it over MPI, tests drive it through a simulated network.
 *
 *   - A chunk is handed out as a lease to a worker that wants one (want in its messages). A lease
 *     without progress runs out and the chunk is handed out again; whichever valid result comes
 *     first is taken, every other one is recognised and dropped, so each chunk reaches the sink
 *     at most once.
 *   - A worker that is silent too long is presumed dead for good: its leases are handed out again
 *     and what it still sends is dropped.
 *   - A chunk with samples undone by failures of the node is retried with backoff, on another
 *     worker if there is one; after the last retry it is taken as it is. A chunk that fails as a
 *     whole, or that costs too many workers, is left undone.
 *   - The run stops at once when too many of the last samples ended undone, when the sink fails,
 *     or when no worker is left. On request it stops handing out and drains first.
 *   - At the end every worker gets STOP, answers BYE, and gets END, which says whether anybody was
 *     lost: then nobody may call MPI_Finalize.
 *
 * Cost per event O(1); a scan over the workers a few times per heartbeat; memory O(chunks) +
 * O(workers), fixed at the start but for the outbox. */
#ifndef GE_DIST_COORDINATOR_H
#define GE_DIST_COORDINATOR_H

#include "dist/protocol.h"

struct ge_coordinator;

/* Where accepted results go; called inside ge_coordinator_receive(). */
struct ge_sink {
    void *ctx;
    /* Keep a chunk's packed rows (borrowed); undone > 0: these samples of it stay undone, and the
     * payload lists them. GE_EFORMAT: the payload is not a result of this chunk; it then counts as
     * a failure of the chunk. Any other failure ends the run with that status. Durability is
     * the sink's business. */
    ge_status (*accept)(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone);
    /* A chunk was given up as a whole: no rows of it exist. */
    void (*undone)(void *ctx, uint32_t chunk, ge_status status, const char *reason);
};

struct ge_coordinator_config {
    uint64_t run;
    uint32_t n_chunks;
    const uint8_t *done;   /* (n_chunks) non-zero: finished in an earlier start; NULL: none */
    const uint32_t *group; /* (n_chunks) affinity group, < n_chunks; NULL: none */
    uint32_t n_workers;    /* >= 1 */
    unsigned retries;      /* of a failed chunk; 3 by design, at most 8 */
    unsigned strikes;      /* a chunk that cost so many workers is left undone; 3 */
    unsigned window;       /* samples looked back on: 400, at most 65535; 0: never stop for this */
    unsigned window_limit; /* of these undone: stop; 20 */
    struct ge_dist_timers timers;
};

/* retries 3, strikes 3, window 400, window_limit 20, default timers, the rest 0. */
struct ge_coordinator_config ge_coordinator_defaults(void);

enum ge_run_state {
    GE_RUN_ACTIVE,   /* handing out */
    GE_RUN_DRAINING, /* stop requested, taking results */
    GE_RUN_STOPPING, /* STOP sent, waiting for BYE */
    GE_RUN_ENDED     /* nothing more will be said */
};

enum ge_worker_health {
    GE_HEALTH_UNHEARD, /* no message yet */
    GE_HEALTH_ALIVE,
    GE_HEALTH_GONE, /* said BYE */
    GE_HEALTH_DEAD  /* presumed dead or stuck */
};

/* Counts since this start. Messages that were dropped are counted by the reason. */
struct ge_coordinator_stats {
    uint32_t chunks;         /* in the run */
    uint32_t chunks_before;  /* finished in earlier starts */
    uint32_t chunks_done;    /* accepted now, partly undone ones included */
    uint32_t chunks_undone;  /* given up as a whole */
    uint32_t chunks_partial; /* accepted with undone samples */
    uint64_t samples;        /* in accepted chunks, undone ones included */
    uint64_t samples_undone; /* in accepted and given up chunks */
    uint64_t errors;         /* error rows in accepted chunks */
    uint64_t grants, retries, reissues;
    uint64_t dropped_foreign; /* another run, unknown worker, wrong direction or chunk number */
    uint64_t dropped_late;    /* the lease is no longer this worker's */
    uint64_t dropped_double;  /* the chunk is done already */
    uint64_t dropped_dead;    /* from a worker presumed dead */
    uint32_t workers_alive, workers_dead;
};

struct ge_worker_view {
    enum ge_worker_health health;
    uint32_t leases;   /* held now */
    uint32_t chunks;   /* results accepted */
    uint32_t failures; /* chunks failed or partly undone */
    uint64_t samples;  /* in results accepted */
    double silent;     /* seconds since it was last heard */
};

/* Copies the config's arrays; borrows sink until deletion. GE_EINVAL, GE_ENOMEM. */
ge_status ge_coordinator_new(const struct ge_coordinator_config *cfg, const struct ge_sink *sink,
                             struct ge_coordinator **out);
void ge_coordinator_delete(struct ge_coordinator **c);

/* One message that came from worker m->worker (the transport vouches for that) at time `now`.
 * Borrows m and its payload. GE_ENOMEM only; a message that makes no sense is dropped and counted,
 * and how the run ends is ge_coordinator_status()'s business. */
ge_status ge_coordinator_receive(struct ge_coordinator *c, double now, const struct ge_message *m);

/* Let time pass; call at least every 50 ms. GE_ENOMEM. */
ge_status ge_coordinator_tick(struct ge_coordinator *c, double now);

/* The next message to send, to worker out->worker; false if there is none. No payloads. */
bool ge_coordinator_next(struct ge_coordinator *c, struct ge_message *out);

/* Ask for a stop: hand out nothing more, drain, end with GE_EINTERRUPTED. */
ge_status ge_coordinator_stop(struct ge_coordinator *c, double now);

enum ge_run_state ge_coordinator_state(const struct ge_coordinator *c);

/* How the run ended, from GE_RUN_STOPPING on; before that GE_OK. GE_OK: every chunk is accepted or
 * left undone (see the counts). GE_EINTERRUPTED: asked to stop. GE_ECOMM: no worker left. Else:
 * the sink's status, or that of the failure that filled the window. ge_coordinator_message() tells
 * the story ("" for GE_OK). */
ge_status ge_coordinator_status(const struct ge_coordinator *c);
const char *ge_coordinator_message(const struct ge_coordinator *c);

/* From GE_RUN_ENDED on: every worker said BYE, so all ranks may call MPI_Finalize. */
bool ge_coordinator_clean(const struct ge_coordinator *c);

const struct ge_coordinator_stats *ge_coordinator_stats(const struct ge_coordinator *c);
struct ge_worker_view ge_coordinator_worker(const struct ge_coordinator *c, uint32_t worker);

#endif
