/* What the machinery costs by itself: a run whose chunks are no work. */
#include <stdlib.h>

#include "base/mem.h"
#include "dist/pump.h"

struct no_work {
    struct ge_work_task queue[GE_DIST_SLOTS];
    int n;
    size_t payload;
    uint64_t finished;
};

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct no_work *w = ctx;
    if (w->n == GE_DIST_SLOTS) return ge_fail(GE_EINTERNAL, "bench: too many chunks at once");
    w->queue[w->n++] = *task;
    return GE_OK;
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct no_work *w = ctx;
    if (w->n == 0) return false;
    *out = (struct ge_work_done){.lease = w->queue[0].lease, .samples = 1};
    w->queue[0] = w->queue[1];
    w->n--;
    w->finished++;
    if (w->payload == 0) return true;
    out->payload = ge_calloc(w->payload, 1);
    if (out->payload == NULL)
        out->status = GE_ENOMEM;
    else
        out->length = w->payload;
    return true;
}

static uint64_t progress(void *ctx)
{
    return ((struct no_work *)ctx)->finished;
}

static void cancel(void *ctx)
{
    ((struct no_work *)ctx)->n = 0;
}

static ge_status accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone)
{
    (void)ctx, (void)chunk, (void)payload, (void)length, (void)undone;
    return GE_OK;
}

static void undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    (void)ctx, (void)chunk, (void)status, (void)reason;
}

ge_status ge_dist_bench_grants(struct ge_comm *comm, uint32_t n_chunks, size_t payload,
                               double *rate, struct ge_dist_report *report)
{
    struct no_work state = {.payload = payload};
    struct ge_work_ops work = {
        .ctx = &state, .submit = submit, .poll = poll_done, .progress = progress, .cancel = cancel};
    struct ge_sink sink = {.accept = accept, .undone = undone};
    struct ge_dist_config cfg = {.coordinator = ge_coordinator_defaults()};
    cfg.coordinator.run = 1;
    cfg.coordinator.n_chunks = n_chunks;
    ge_status rc = ge_dist_run(comm, &cfg, &work, &sink, report);
    *rate = report->seconds > 0 ? report->stats.chunks_done / report->seconds : 0;
    return rc;
}
