/* The three stages of evaluation on threads of their own, a queue in front of each:
 *
 *   submit ─► [waiting] ─► prepare ─► [prepared] ─► encode ─► [encoded] ─► score ─► [finished] ─► poll
 *
 * so that reading and decoding the next chunk and scoring the one before overlap the inference of
 * this one. Submit and poll never block: they are called from the rank's message loop. Used by cli,
 * which ties it to dist. */
#ifndef GE_EVALUATE_ENGINE_H
#define GE_EVALUATE_ENGINE_H

#include "evaluate/evaluate.h"

struct ge_engine;

/* Outcome of one submitted chunk. */
struct ge_engine_done {
    uint64_t ticket;
    ge_status status; /* GE_OK: payload is the packed result. Otherwise it is the reason as text */
    void *payload;    /* owned by the caller: free() */
    size_t length;
    uint32_t samples, undone, errors;
    bool device_lost; /* the device failed for good: no further chunk can be encoded here */
};

/* Start the threads. `ev` is borrowed until deletion; its `cancel` is set by the engine.
 * GE_ENOMEM. */
ge_status ge_engine_new(struct ge_evaluator *ev, struct ge_engine **engine);

/* Cancels, waits for the threads, frees; NULL is fine. */
void ge_engine_delete(struct ge_engine **engine);

/* Queue items first…first+count-1 of a cell; the outcome carries the ticket. GE_ENOMEM. */
ge_status ge_engine_submit(struct ge_engine *engine, uint64_t ticket, uint32_t cell, uint32_t first,
                           uint32_t count);

/* A finished chunk, in order of submission; false if there is none yet. */
bool ge_engine_poll(struct ge_engine *engine, struct ge_engine_done *done);

/* Wait until a chunk is finished, at most `seconds`. */
void ge_engine_wait(struct ge_engine *engine, double seconds);

/* Give up all queued and running chunks soon; they finish with GE_EINTERRUPTED. */
void ge_engine_cancel(struct ge_engine *engine);

/* Grows while work goes on. */
uint64_t ge_engine_progress(const struct ge_engine *engine);

/* Time spent by finished chunks. */
void ge_engine_times(struct ge_engine *engine, struct ge_eval_times *times);

#endif
