/* The computation behind a worker, as dist sees it: chunks go in, packed rows come out.
 *
 * Implemented by whoever runs the evaluation threads (cli wires it); called only from the rank's
 * main thread, which must never be kept for 100 ms: no function here may block. */
#ifndef GE_DIST_WORK_H
#define GE_DIST_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dist/protocol.h" /* GE_DIST_SLOTS */

/* One lease. */
struct ge_work_task {
    uint32_t chunk;
    uint64_t lease;
    uint8_t attempt; /* failures of this chunk so far, 0 for the first attempt */
    uint8_t strikes; /* workers lost over this chunk so far */
};

/* A lease's outcome. */
struct ge_work_done {
    uint64_t lease;
    ge_status status; /* GE_OK: payload is the packed rows. Otherwise the whole chunk failed for a
                         reason of the node and payload is that reason as text */
    void *payload;    /* handed over: heap block, may be NULL when length is 0 */
    size_t length;
    uint32_t samples; /* samples in the chunk */
    uint32_t undone;  /* of these, undone for a reason of the node; the payload lists them */
    uint32_t errors;  /* of these, error rows */
    bool leave;       /* this node can compute no more (its device is lost): status says why; the
                         worker reports it and leaves, and others do its chunks */
};

struct ge_work_ops {
    void *ctx;
    /* Queue a chunk; at most GE_DIST_SLOTS are queued or in work. A failure counts as a failure of
     * the chunk on this node. */
    ge_status (*submit)(void *ctx, const struct ge_work_task *task);
    /* Fetch a finished chunk; false if there is none now. */
    bool (*poll)(void *ctx, struct ge_work_done *out);
    /* A number that grows while work goes on (samples decoded or encoded). NULL: unknown, then a
     * computation that hangs is not noticed. */
    uint64_t (*progress)(void *ctx);
    /* Sleep until a chunk finishes or `seconds` (<= 0.05) passed. NULL: a plain sleep. */
    void (*wait)(void *ctx, double seconds);
    /* Give up everything queued or in work as soon as possible; outcomes are no longer fetched. */
    void (*cancel)(void *ctx);
};

#endif
