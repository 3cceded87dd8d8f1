/* The worker: holds leases, passes them to the computation, returns results. MPI-free.
 *
 * A step function like the coordinator: messages and the time go in, messages come out. It keeps
 * one chunk in work and one behind it, tells the coordinator in every heartbeat which leases it
 * holds, and gives up when the coordinator is silent too long. */
#ifndef GE_DIST_WORKER_H
#define GE_DIST_WORKER_H

#include "dist/protocol.h"
#include "dist/work.h"

struct ge_worker;

struct ge_worker_config {
    uint64_t run;
    uint32_t worker;   /* own number */
    uint32_t n_chunks; /* to check grants against */
    struct ge_dist_timers timers;
};

enum ge_worker_state {
    GE_WORKER_RUNNING,
    GE_WORKER_LEAVING, /* BYE said, because of STOP or of itself; waiting for END */
    GE_WORKER_ENDED
};

/* Borrows ops until deletion. GE_EINVAL, GE_ENOMEM. */
ge_status ge_worker_new(const struct ge_worker_config *cfg, const struct ge_work_ops *ops,
                        struct ge_worker **out);
void ge_worker_delete(struct ge_worker **w); /* frees unsent payloads */

/* One message from the coordinator. Borrows m. One that makes no sense is dropped and counted.
 * GE_ENOMEM. */
ge_status ge_worker_receive(struct ge_worker *w, double now, const struct ge_message *m);

/* Fetch finished work, send heartbeats, watch the coordinator. GE_ENOMEM. */
ge_status ge_worker_tick(struct ge_worker *w, double now);

/* The next message to send; the caller owns its payload. False if there is none. */
bool ge_worker_next(struct ge_worker *w, struct ge_message *out);

/* This rank was signalled: pass the wish to stop on to the coordinator. */
void ge_worker_ask_stop(struct ge_worker *w);

enum ge_worker_state ge_worker_state(const struct ge_worker *w);

/* How the run ended for this worker, from GE_WORKER_LEAVING on: what STOP said; GE_ECOMM: the
 * coordinator was silent or has given this worker up; another status: this node could compute no
 * more. ge_worker_message() tells the story ("" if STOP ended it). */
ge_status ge_worker_status(const struct ge_worker *w);
const char *ge_worker_message(const struct ge_worker *w);
bool ge_worker_clean(const struct ge_worker *w); /* END said that nobody was lost */
uint64_t ge_worker_dropped(const struct ge_worker *w);

#endif
