/* The coordinator's state and the steps that its two files share. Private to coordinator.c (life,
 * messages, time) and coordinator_chunks.c (leases, retries, outcomes of chunks). */
#ifndef GE_DIST_COORDINATOR_STATE_H
#define GE_DIST_COORDINATOR_STATE_H

#include "dist/coordinator.h"
#include "dist/schedule.h"

#define GE_NOBODY UINT32_MAX

/* A lease as its holder's slot. An expired one stays until its holder answers, no longer names it
 * or is given up, so that a late result is still recognised. */
struct ge_slot {
    uint64_t lease; /* 0: free */
    uint32_t chunk;
    double deadline; /* not expired: expires then; expired: the holder counts as stuck then */
    uint8_t missed;  /* heartbeats in a row that did not name it */
    bool expired;
};

enum ge_chunk_phase { GE_CHUNK_OPEN, GE_CHUNK_LEASED, GE_CHUNK_DONE, GE_CHUNK_UNDONE };

struct ge_chunk_state {
    uint8_t phase; /* enum ge_chunk_phase; LEASED: exactly one slot holds it unexpired */
    uint8_t attempts, strikes;
};

/* Workers that want a chunk wait in one of two lists: first served are those that hold none. */
enum ge_queue { GE_QUEUE_IDLE, GE_QUEUE_BUSY, GE_QUEUE_NONE };

struct ge_peer {
    enum ge_worker_health health;
    struct ge_slot slot[GE_DIST_SLOTS];
    double heard;
    uint64_t progress;
    uint8_t want;
    bool told; /* presumed dead, spoke again, was sent STOP */
    enum ge_queue queue;
    uint32_t prev, next; /* in that list */
    uint32_t chunks, failures;
    uint64_t samples;
};

struct ge_coordinator {
    struct ge_coordinator_config cfg; /* its arrays are not kept */
    const struct ge_sink *sink;
    struct ge_watch watch;
    struct ge_schedule *schedule;
    struct ge_chunk_state *chunks;
    struct ge_peer *peers;
    struct {
        uint32_t first, last;
    } queue[GE_QUEUE_NONE];
    struct ge_outbox out;
    uint64_t last_lease;
    uint32_t remaining; /* chunks neither done nor given up */
    uint32_t leased;    /* unexpired leases */
    uint32_t left;      /* workers neither gone nor dead */
    double scanned, drain_end, bye_end;
    uint8_t *window; /* (cfg.window) ring: 1 = undone */
    unsigned window_at, window_sum;
    enum ge_run_state state;
    ge_status status;
    bool clean;
    char message[1024];
    struct ge_coordinator_stats stats;
};

/* Times `t` below are watched time (c->watch). Functions that can push messages give GE_ENOMEM. */

/* coordinator.c */
ge_status ge_coordinator_say(struct ge_coordinator *c, uint32_t worker, enum ge_message_type type,
                             ge_status status);
ge_status ge_coordinator_finish(struct ge_coordinator *c, double t, ge_status status,
                                const char *message);

/* coordinator_chunks.c */
/* Put the worker into the list where it belongs now, or out of all. */
void ge_coordinator_requeue(struct ge_coordinator *c, uint32_t worker);
/* Grant chunks to workers that wait, as far as there are any. */
ge_status ge_coordinator_dispatch(struct ge_coordinator *c, double t);
/* A RESULT or FAILED. */
ge_status ge_coordinator_settle(struct ge_coordinator *c, double t, const struct ge_message *m);
/* A lease is lost: hand its chunk out again; with `strike`, hold it against the chunk. */
ge_status ge_coordinator_reclaim(struct ge_coordinator *c, double t, uint32_t worker,
                                 struct ge_slot *slot, bool strike);
void ge_coordinator_free_slot(struct ge_coordinator *c, struct ge_slot *slot);

#endif
