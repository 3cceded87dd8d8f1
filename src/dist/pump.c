#include "dist/pump.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "dist/wire.h"
#include "dist/worker.h"

enum { FRAMES = 256, YIELDS = 16 }; /* frames taken in one turn; idle turns before sleeping */
#define SHORTEST_SLEEP 20e-6
#define LONGEST_SLEEP  1e-3  /* with other ranks: how late a message may be noticed */
#define SERIAL_SLEEP   20e-3 /* alone: how late a signal may be noticed */
#define FLUSH_TIME     2.0   /* for the last messages to leave */

struct pump {
    struct ge_comm *comm;
    const struct ge_dist_config *cfg;
    const struct ge_work_ops *work;
    const struct ge_sink *sink;         /* the caller's */
    struct ge_sink timed;               /* measures it */
    struct ge_coordinator *coordinator; /* rank 0 */
    struct ge_worker *worker;           /* ranks that work */
    struct ge_worker_view *views;       /* (n_workers), for progress */
    uint32_t n_workers, dead;           /* dead: given up and abandoned so far */
    int first_rank;                     /* of worker 0 */
    int idle;                           /* turns without anything to do */
    double start, next_progress;
    double coordinator_seconds, sink_seconds;
    uint64_t garbled;
};

/* ---- the sink, timed --------------------------------------------------------------------- */

static ge_status timed_accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                              uint32_t undone)
{
    struct pump *p = ctx;
    double start = ge_now();
    ge_status rc = p->sink->accept(p->sink->ctx, chunk, payload, length, undone);
    p->sink_seconds += ge_now() - start;
    return rc;
}

static void timed_undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    struct pump *p = ctx;
    double start = ge_now();
    p->sink->undone(p->sink->ctx, chunk, status, reason);
    p->sink_seconds += ge_now() - start;
}

/* ---- messages ---------------------------------------------------------------------------- */

static ge_status to_coordinator(struct pump *p, const struct ge_message *m)
{
    double start = ge_now(), sink = p->sink_seconds;
    ge_status rc = ge_coordinator_receive(p->coordinator, start, m);
    p->coordinator_seconds += ge_now() - start - (p->sink_seconds - sink);
    return rc;
}

/* Send m to a rank; takes its payload. A message that is lost on the way is not a failure here:
 * the protocol repeats what matters. */
static ge_status to_rank(struct pump *p, int rank, struct ge_message *m)
{
    void *frame = NULL;
    size_t size = 0;
    ge_status rc = ge_wire_pack(m, &frame, &size);
    free(m->payload);
    if (rc == GE_OK && ge_comm_send(p->comm, rank, frame, size) != GE_OK)
        ge_debug("%s to rank %d: %s", ge_message_name(m->type), rank, ge_error());
    return rc;
}

static ge_status frame_in(struct pump *p, int rank, const void *frame, size_t size)
{
    struct ge_message m;
    bool sound = ge_wire_unpack(frame, size, &m) == GE_OK;
    if (p->coordinator != NULL)
        sound = sound && rank >= p->first_rank && m.worker == (uint32_t)(rank - p->first_rank);
    else
        sound = sound && rank == 0;
    if (!sound) {
        if (p->garbled++ == 0) ge_warn("a message from rank %d is garbled and not used", rank);
        return GE_OK;
    }
    if (p->coordinator != NULL) return to_coordinator(p, &m);
    return ge_worker_receive(p->worker, ge_now(), &m);
}

static ge_status frames_in(struct pump *p, bool *busy)
{
    ge_status rc = GE_OK;
    int rank = 0;
    void *frame = NULL;
    size_t size = 0;
    for (int i = 0; i < FRAMES && rc == GE_OK; i++) {
        if (!ge_comm_receive(p->comm, &rank, &frame, &size)) break;
        rc = frame_in(p, rank, frame, size);
        free(frame);
        *busy = true;
    }
    return rc;
}

static ge_status worker_out(struct pump *p, bool *busy)
{
    ge_status rc = GE_OK;
    struct ge_message m;
    /* BYE leaves after everything before it has arrived, so that rank 0 does not end the run while
     * a result is on its way. */
    if (p->worker == NULL || (ge_worker_state(p->worker) == GE_WORKER_LEAVING &&
                              p->coordinator == NULL && ge_comm_unsent(p->comm) > 0))
        return rc;
    while (rc == GE_OK && ge_worker_next(p->worker, &m)) {
        *busy = true;
        if (p->coordinator == NULL) {
            rc = to_rank(p, 0, &m);
        } else {
            rc = to_coordinator(p, &m);
            free(m.payload);
        }
    }
    return rc;
}

static ge_status coordinator_out(struct pump *p, bool *busy)
{
    ge_status rc = GE_OK;
    struct ge_message m;
    while (rc == GE_OK && p->coordinator != NULL && ge_coordinator_next(p->coordinator, &m)) {
        *busy = true;
        int rank = p->first_rank + (int)m.worker;
        rc = rank == 0 ? ge_worker_receive(p->worker, ge_now(), &m) : to_rank(p, rank, &m);
    }
    return rc;
}

/* ---- time -------------------------------------------------------------------------------- */

static void abandon_dead(struct pump *p)
{
    uint32_t dead = ge_coordinator_stats(p->coordinator)->workers_dead;
    if (dead == p->dead) return;
    p->dead = dead;
    for (uint32_t w = 0; w < p->n_workers; w++)
        if (ge_coordinator_worker(p->coordinator, w).health == GE_HEALTH_DEAD)
            ge_comm_abandon(p->comm, p->first_rank + (int)w);
}

static ge_status tick_coordinator(struct pump *p)
{
    ge_status rc = GE_OK;
    double start = ge_now(), sink = p->sink_seconds;
    if (p->cfg->stop != NULL && *p->cfg->stop) GE_TRY(ge_coordinator_stop(p->coordinator, start));
    GE_TRY(ge_coordinator_tick(p->coordinator, start));
    abandon_dead(p);
    p->coordinator_seconds += ge_now() - start - (p->sink_seconds - sink);
done:
    return rc;
}

static ge_status tick_worker(struct pump *p)
{
    if (p->cfg->stop != NULL && *p->cfg->stop && p->coordinator == NULL)
        ge_worker_ask_stop(p->worker);
    return ge_worker_tick(p->worker, ge_now());
}

static void tell_progress(struct pump *p, bool last)
{
    double now = ge_now();
    if (p->coordinator == NULL || p->cfg->progress == NULL || (now < p->next_progress && !last))
        return;
    p->next_progress = now + (p->cfg->interval > 0 ? p->cfg->interval : 1);
    for (uint32_t w = 0; w < p->n_workers; w++)
        p->views[w] = ge_coordinator_worker(p->coordinator, w);
    struct ge_dist_progress said = {.seconds = now - p->start,
                                    .state = ge_coordinator_state(p->coordinator),
                                    .stats = ge_coordinator_stats(p->coordinator),
                                    .workers = p->views,
                                    .n_workers = p->n_workers,
                                    .first_rank = p->first_rank,
                                    .coordinator_seconds = p->coordinator_seconds,
                                    .sink_seconds = p->sink_seconds,
                                    .dropped_garbled = p->garbled};
    p->cfg->progress(p->cfg->progress_ctx, &said);
}

static void sleep_for(double seconds)
{
    struct timespec t = {.tv_nsec = (long)(seconds * 1e9)};
    nanosleep(&t, NULL);
}

/* Nothing to do: leave the core to those that compute, at first only for a moment. */
static void rest(struct pump *p)
{
    if (p->idle++ < YIELDS) {
        sched_yield();
        return;
    }
    double longest = ge_comm_size(p->comm) > 1 ? LONGEST_SLEEP : SERIAL_SLEEP;
    if (p->worker == NULL || p->work->wait == NULL) {
        double sleep = SHORTEST_SLEEP * (p->idle - YIELDS);
        sleep_for(sleep < LONGEST_SLEEP ? sleep : LONGEST_SLEEP);
    } else {
        p->work->wait(p->work->ctx, longest);
    }
}

/* ---- a run ------------------------------------------------------------------------------- */

static bool is_over(const struct pump *p)
{
    if (p->coordinator != NULL) return ge_coordinator_state(p->coordinator) == GE_RUN_ENDED;
    return ge_worker_state(p->worker) == GE_WORKER_ENDED;
}

static ge_status turn(struct pump *p)
{
    ge_status rc = GE_OK;
    bool busy = false;
    GE_TRY(frames_in(p, &busy));
    if (p->worker != NULL) GE_TRY(tick_worker(p));
    GE_TRY(worker_out(p, &busy));
    if (p->coordinator != NULL) GE_TRY(tick_coordinator(p));
    GE_TRY(coordinator_out(p, &busy));
    tell_progress(p, false);
    if (busy)
        p->idle = 0;
    else
        rest(p);
done:
    return rc;
}

/* Let the last messages leave; what still comes in is of no use. */
static void flush(struct pump *p)
{
    double end = ge_now() + FLUSH_TIME;
    int rank = 0;
    void *frame = NULL;
    size_t size = 0;
    while (ge_comm_unsent(p->comm) > 0 && ge_now() < end) {
        while (ge_comm_receive(p->comm, &rank, &frame, &size)) free(frame);
        sleep_for(SHORTEST_SLEEP);
    }
}

static ge_status start(struct pump *p)
{
    ge_status rc = GE_OK;
    int rank = ge_comm_rank(p->comm), size = ge_comm_size(p->comm);
    p->first_rank = p->cfg->dedicated && size > 1 ? 1 : 0;
    p->n_workers = (uint32_t)(size - p->first_rank);
    p->start = p->next_progress = ge_now();
    if (rank == 0) {
        struct ge_coordinator_config cfg = p->cfg->coordinator;
        cfg.n_workers = p->n_workers;
        p->timed = (struct ge_sink){p, timed_accept, timed_undone};
        GE_NEW(p->views, p->n_workers);
        GE_TRY(ge_coordinator_new(&cfg, &p->timed, &p->coordinator));
    }
    if (rank >= p->first_rank) {
        struct ge_worker_config cfg = {.run = p->cfg->coordinator.run,
                                       .worker = (uint32_t)(rank - p->first_rank),
                                       .n_chunks = p->cfg->coordinator.n_chunks,
                                       .timers = p->cfg->coordinator.timers};
        GE_TRY(ge_worker_new(&cfg, p->work, &p->worker));
    }
done:
    return rc;
}

static ge_status outcome(const struct pump *p)
{
    if (p->coordinator != NULL) {
        ge_status rc = ge_coordinator_status(p->coordinator);
        return rc == GE_OK ? GE_OK : ge_fail(rc, "%s", ge_coordinator_message(p->coordinator));
    }
    ge_status rc = ge_worker_status(p->worker);
    if (rc == GE_OK) return GE_OK;
    if (ge_worker_message(p->worker)[0] != '\0')
        return ge_fail(rc, "%s", ge_worker_message(p->worker));
    return ge_fail(rc, "rank 0 has ended the run (%s); its message says why", ge_status_name(rc));
}

static void fill_report(const struct pump *p, bool whole, struct ge_dist_report *report)
{
    report->seconds = ge_now() - p->start;
    report->coordinator_seconds = p->coordinator_seconds;
    report->sink_seconds = p->sink_seconds;
    report->dropped_garbled = p->garbled;
    if (p->coordinator != NULL) {
        report->stats = *ge_coordinator_stats(p->coordinator);
        report->clean = whole && ge_coordinator_clean(p->coordinator);
    } else if (p->worker != NULL) {
        report->clean = whole && ge_worker_clean(p->worker);
    }
}

ge_status ge_dist_run(struct ge_comm *comm, const struct ge_dist_config *cfg,
                      const struct ge_work_ops *work, const struct ge_sink *sink,
                      struct ge_dist_report *report)
{
    ge_status rc = GE_OK;
    bool started = false, whole = false;
    struct pump p = {.comm = comm, .cfg = cfg, .work = work, .sink = sink};
    *report = (struct ge_dist_report){0};
    GE_TRY(ge_comm_agree(comm, start(&p)));
    started = true;
    while (!is_over(&p)) GE_TRY(turn(&p));
    bool busy = false;
    GE_TRY(coordinator_out(&p, &busy));
    tell_progress(&p, true);
    flush(&p);
    whole = true;
    rc = outcome(&p);
done:
    fill_report(&p, whole, report);
    if (!started) report->clean = true; /* nobody has begun, and all ranks know it */
    ge_worker_delete(&p.worker);
    ge_coordinator_delete(&p.coordinator);
    free(p.views);
    return rc;
}
