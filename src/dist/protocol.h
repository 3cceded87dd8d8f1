/* What coordinator and workers say to each other: the messages as values, without transport.
 *
 * The packed form is wire.h's business and is described in docs/wire-protocol.md; who sends what
 * when is in coordinator.h and worker.h. Both tolerate loss, delay, repetition and reordering. */
#ifndef GE_DIST_PROTOCOL_H
#define GE_DIST_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Leases that a worker holds at most: the chunk in work and the next one, whose images are
 * decoded meanwhile. */
enum { GE_DIST_SLOTS = 2 };

/* Bytes of one chunk's packed rows at most; a chunk with more fails (use smaller chunks). */
#define GE_DIST_MAX_PAYLOAD ((size_t)256 << 20)

enum ge_message_type {
    GE_MSG_HEARTBEAT = 1, /* both ways: "I am here"; a worker's names its leases and its wants */
    GE_MSG_GRANT,         /* coordinator: a lease on a chunk */
    GE_MSG_RESULT,        /* worker: a chunk's rows */
    GE_MSG_FAILED, /* worker: the chunk failed for a reason of the node, not of its content */
    GE_MSG_STOP,   /* coordinator: drop everything, answer BYE */
    GE_MSG_BYE,    /* worker: takes no more chunks, waits for END */
    GE_MSG_END     /* coordinator: the run is over, leave */
};
enum { GE_MSG_TYPES = GE_MSG_END + 1 };

/* One message. Fields that a type does not use are 0. */
struct ge_message {
    enum ge_message_type type;
    uint32_t worker;   /* the worker that sends it or that it is for, 0…n_workers-1 */
    uint64_t run;      /* identifies this start of the run; messages of another are dropped */
    uint64_t lease;    /* GRANT, RESULT, FAILED: unique in the run, never 0 */
    uint32_t chunk;    /* GRANT, RESULT, FAILED */
    uint8_t attempt;   /* GRANT: failures of this chunk so far */
    uint8_t strikes;   /* GRANT: workers that were lost while they computed this chunk */
    uint8_t want;      /* HEARTBEAT, RESULT, FAILED: further chunks that the worker would take */
    ge_status status;  /* FAILED: why; STOP: how the run ended; END: GE_OK if nobody was lost;
                          BYE: why the worker leaves; HEARTBEAT: GE_EINTERRUPTED asks for a stop */
    uint32_t samples;  /* RESULT, FAILED: samples in the chunk */
    uint32_t undone;   /* RESULT, FAILED: of these, left undone by failures of the node */
    uint32_t errors;   /* RESULT: of these, error rows */
    uint64_t progress; /* worker's HEARTBEAT: any number that grows while it computes */
    uint64_t held[GE_DIST_SLOTS]; /* worker's HEARTBEAT: its leases; 0: none */
    void *payload;                /* RESULT: packed rows; FAILED: reason, not NUL-terminated */
    size_t length;
};

/* "heartbeat", …; "?" for a number that is no type. */
const char *ge_message_name(enum ge_message_type type);

/* True if workers send this type, false if only the coordinator does. A HEARTBEAT is both's. */
bool ge_message_is_workers(enum ge_message_type type);
bool ge_message_is_coordinators(enum ge_message_type type);

/* Messages on their way out, first in, first out. Payloads are owned by the queue until popped. */
struct ge_outbox {
    struct ge_message *v;
    size_t first, n, cap; /* cap is 0 or a power of two */
};
ge_status ge_outbox_push(struct ge_outbox *o, const struct ge_message *m); /* GE_ENOMEM */
bool ge_outbox_pop(struct ge_outbox *o, struct ge_message *m); /* caller owns m->payload */
void ge_outbox_free(struct ge_outbox *o);

/* A clock that runs only while somebody looks at it: a process that was itself stopped (a
 * suspended machine, a disk that hung) must not take the others' silence for their death. */
struct ge_watch {
    double time;   /* seconds of watched time */
    double seen;   /* the outer clock at the last look */
    double stride; /* a gap between two looks counts as this much at most */
    bool started;
};
double ge_watch_look(struct ge_watch *w, double now); /* the watched time */

/* Limits and timers, equal on all ranks. Seconds. */
struct ge_dist_timers {
    double heartbeat;      /* a worker speaks at least this often */
    double silence;        /* a worker not heard for this long is presumed dead */
    double start_silence;  /* the same before its first message */
    double master_silence; /* a worker that hears nothing from rank 0 for this long gives up */
    double lease;          /* a lease without progress for this long is handed out again; after
                              twice this long its holder counts as stuck and is given up */
    double backoff;        /* wait before the first retry of a failed chunk; doubles each time */
    double drain;          /* after a stop request results are taken for this long */
    double bye;            /* after STOP the workers have this long to answer */
};

/* heartbeat 2, silence 20, start_silence 120, master_silence 60, lease 600, backoff 1, drain 8,
 * bye 10: a dead rank is noticed within 30 s. */
struct ge_dist_timers ge_dist_default_timers(void);

/* GE_EINVAL unless all are positive and finite and the silences leave room for lost heartbeats:
 * silence and master_silence >= 3 heartbeats, lease >= silence. */
ge_status ge_dist_check_timers(const struct ge_dist_timers *t);

#endif
