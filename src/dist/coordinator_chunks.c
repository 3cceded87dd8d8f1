#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "dist/coordinator_state.h"

enum { TRIES = 8 }; /* waiting workers tried in one event that nothing suits */

/* ---- workers that wait ------------------------------------------------------------------- */

static void queue_remove(struct ge_coordinator *c, uint32_t worker)
{
    struct ge_peer *p = &c->peers[worker];
    if (p->queue == GE_QUEUE_NONE) return;
    if (p->prev == GE_NOBODY)
        c->queue[p->queue].first = p->next;
    else
        c->peers[p->prev].next = p->next;
    if (p->next == GE_NOBODY)
        c->queue[p->queue].last = p->prev;
    else
        c->peers[p->next].prev = p->prev;
    p->queue = GE_QUEUE_NONE;
}

static void queue_append(struct ge_coordinator *c, uint32_t worker, enum ge_queue q)
{
    struct ge_peer *p = &c->peers[worker];
    p->queue = q;
    p->prev = c->queue[q].last;
    p->next = GE_NOBODY;
    if (p->prev == GE_NOBODY)
        c->queue[q].first = worker;
    else
        c->peers[p->prev].next = worker;
    c->queue[q].last = worker;
}

static enum ge_queue queue_of(const struct ge_peer *p)
{
    if (p->health != GE_HEALTH_ALIVE || p->want == 0) return GE_QUEUE_NONE;
    int held = 0;
    for (int i = 0; i < GE_DIST_SLOTS; i++) {
        /* A worker that is late with one chunk gets no other: it may be stuck. */
        if (p->slot[i].expired) return GE_QUEUE_NONE;
        if (p->slot[i].lease != 0) held++;
    }
    if (held == GE_DIST_SLOTS) return GE_QUEUE_NONE;
    return held == 0 ? GE_QUEUE_IDLE : GE_QUEUE_BUSY;
}

void ge_coordinator_requeue(struct ge_coordinator *c, uint32_t worker)
{
    enum ge_queue q = queue_of(&c->peers[worker]);
    if (q == c->peers[worker].queue) return;
    queue_remove(c, worker);
    if (q != GE_QUEUE_NONE) queue_append(c, worker, q);
}

/* ---- leases ------------------------------------------------------------------------------ */

void ge_coordinator_free_slot(struct ge_coordinator *c, struct ge_slot *slot)
{
    if (slot->lease != 0 && !slot->expired) c->leased--;
    *slot = (struct ge_slot){0};
}

static ge_status grant(struct ge_coordinator *c, double t, uint32_t worker, uint32_t chunk)
{
    struct ge_peer *p = &c->peers[worker];
    struct ge_chunk_state *s = &c->chunks[chunk];
    struct ge_slot *slot = p->slot;
    while (slot->lease != 0) slot++; /* the worker is queued, so it has a free one */
    *slot = (struct ge_slot){
        .lease = ++c->last_lease, .chunk = chunk, .deadline = t + c->cfg.timers.lease};
    s->phase = GE_CHUNK_LEASED;
    c->leased++;
    c->stats.grants++;
    p->want--;
    ge_coordinator_requeue(c, worker);
    struct ge_message m = {.type = GE_MSG_GRANT,
                           .worker = worker,
                           .run = c->cfg.run,
                           .lease = slot->lease,
                           .chunk = chunk,
                           .attempt = s->attempts,
                           .strikes = s->strikes};
    return ge_outbox_push(&c->out, &m);
}

ge_status ge_coordinator_dispatch(struct ge_coordinator *c, double t)
{
    ge_status rc = GE_OK;
    if (c->state != GE_RUN_ACTIVE) return rc;
    bool alone = c->stats.workers_alive <= 1;
    for (enum ge_queue q = GE_QUEUE_IDLE; q < GE_QUEUE_NONE; q++) {
        int misses = 0;
        while (c->queue[q].first != GE_NOBODY && misses < TRIES) {
            /* Near the end a chunk is better kept for the next idle worker than fetched ahead. */
            uint32_t wanted = q == GE_QUEUE_BUSY ? c->stats.workers_alive : 1;
            if (ge_schedule_count(c->schedule) < wanted) break;
            uint32_t worker = c->queue[q].first, chunk;
            if (ge_schedule_take(c->schedule, worker, t, alone, &chunk)) {
                GE_TRY(grant(c, t, worker, chunk));
            } else {
                queue_remove(c, worker);
                queue_append(c, worker, q);
                misses++;
            }
        }
    }
done:
    return rc;
}

/* ---- outcomes of a chunk ----------------------------------------------------------------- */

/* Remember the outcome of samples; true when too many of the last ones ended undone. */
static bool window_is_full(struct ge_coordinator *c, uint32_t samples, uint32_t undone)
{
    unsigned n = c->cfg.window;
    if (n == 0) return false;
    uint32_t good = samples - undone;
    if (undone > n) undone = n;
    if (good > n) good = n;
    for (uint32_t i = 0; i < good + undone; i++) {
        uint8_t bad = i >= good;
        c->window_sum = c->window_sum - c->window[c->window_at] + bad;
        c->window[c->window_at] = bad;
        c->window_at = (c->window_at + 1) % n;
    }
    return c->window_sum >= c->cfg.window_limit;
}

static ge_status chunk_is_over(struct ge_coordinator *c, double t, uint32_t samples,
                               uint32_t undone, ge_status why, const char *reason)
{
    c->remaining--;
    c->stats.samples_undone += undone;
    if (window_is_full(c, samples, undone)) {
        char text[sizeof c->message];
        snprintf(text, sizeof text,
                 "%u of the last %u samples could not be done because of failures of the node, "
                 "the last one: %s; repair it and run again",
                 c->window_sum, c->cfg.window, reason);
        return ge_coordinator_finish(c, t, why, text);
    }
    if (c->remaining == 0) return ge_coordinator_finish(c, t, GE_OK, "");
    return GE_OK;
}

static ge_status give_up(struct ge_coordinator *c, double t, uint32_t chunk, uint32_t samples,
                         ge_status why, const char *reason)
{
    c->chunks[chunk].phase = GE_CHUNK_UNDONE;
    c->stats.chunks_undone++;
    c->sink->undone(c->sink->ctx, chunk, why, reason);
    return chunk_is_over(c, t, samples, samples, why, reason);
}

ge_status ge_coordinator_reclaim(struct ge_coordinator *c, double t, uint32_t worker,
                                 struct ge_slot *slot, bool strike)
{
    struct ge_chunk_state *s = &c->chunks[slot->chunk];
    if (slot->lease == 0 || slot->expired || s->phase != GE_CHUNK_LEASED) return GE_OK;
    s->phase = GE_CHUNK_OPEN;
    if (c->state != GE_RUN_ACTIVE) return GE_OK;
    if (strike && ++s->strikes >= c->cfg.strikes) {
        char reason[96];
        snprintf(reason, sizeof reason, "%u workers were lost while they computed this chunk",
                 s->strikes);
        return give_up(c, t, slot->chunk, 1, GE_ECOMM, reason);
    }
    c->stats.reissues++;
    ge_schedule_return(c->schedule, slot->chunk, 0, t, worker, t + c->cfg.timers.lease);
    return GE_OK;
}

/* The chunk failed in its unexpired lease: retry, or give it up. */
static ge_status chunk_failed(struct ge_coordinator *c, double t, const struct ge_message *m,
                              ge_status why, const char *reason)
{
    struct ge_chunk_state *s = &c->chunks[m->chunk];
    s->phase = GE_CHUNK_OPEN;
    if (c->state != GE_RUN_ACTIVE) return GE_OK; /* the next start will retry */
    if (s->attempts >= c->cfg.retries)
        return give_up(c, t, m->chunk, m->samples > 0 ? m->samples : 1, why, reason);
    double due = t + ldexp(c->cfg.timers.backoff, s->attempts);
    s->attempts++;
    c->stats.retries++;
    ge_schedule_return(c->schedule, m->chunk, s->attempts, due, m->worker,
                       due + c->cfg.timers.lease);
    return GE_OK;
}

static ge_status accept(struct ge_coordinator *c, double t, const struct ge_message *m, bool held)
{
    ge_status rc = c->sink->accept(c->sink->ctx, m->chunk, m->payload, m->length, m->undone);
    if (rc == GE_EFORMAT) {
        ge_warn("worker %u: its result of chunk %u cannot be read and is not used: %s", m->worker,
                m->chunk, ge_error());
        return held ? chunk_failed(c, t, m, GE_EFORMAT, "its result could not be read") : GE_OK;
    }
    if (rc != GE_OK) return ge_coordinator_finish(c, t, rc, ge_error());
    struct ge_peer *p = &c->peers[m->worker];
    c->chunks[m->chunk].phase = GE_CHUNK_DONE;
    ge_schedule_drop(c->schedule, m->chunk);
    p->chunks++;
    p->samples += m->samples;
    c->stats.chunks_done++;
    c->stats.samples += m->samples;
    c->stats.errors += m->errors;
    if (m->undone > 0) c->stats.chunks_partial++;
    return chunk_is_over(c, t, m->samples, m->undone, GE_EIO, "samples left undone");
}

static struct ge_slot *find_slot(struct ge_peer *p, uint64_t lease, uint32_t chunk)
{
    for (int i = 0; i < GE_DIST_SLOTS; i++)
        if (lease != 0 && p->slot[i].lease == lease && p->slot[i].chunk == chunk)
            return &p->slot[i];
    return NULL;
}

ge_status ge_coordinator_settle(struct ge_coordinator *c, double t, const struct ge_message *m)
{
    struct ge_peer *p = &c->peers[m->worker];
    struct ge_slot *slot = find_slot(p, m->lease, m->chunk);
    if (slot == NULL || c->state >= GE_RUN_STOPPING) {
        c->stats.dropped_late++;
        return GE_OK;
    }
    bool held = !slot->expired; /* otherwise somebody else may hold the chunk by now */
    ge_coordinator_free_slot(c, slot);
    struct ge_chunk_state *s = &c->chunks[m->chunk];
    if (s->phase == GE_CHUNK_DONE || s->phase == GE_CHUNK_UNDONE) {
        c->stats.dropped_double++;
        return GE_OK;
    }
    if (m->type == GE_MSG_FAILED || m->undone > 0) p->failures++;
    if (m->type == GE_MSG_FAILED) {
        char reason[512];
        snprintf(reason, sizeof reason, "%.*s",
                 (int)(m->length < sizeof reason ? m->length : sizeof reason - 1),
                 m->length > 0 ? (const char *)m->payload : "");
        return held ? chunk_failed(c, t, m, m->status, reason) : GE_OK;
    }
    /* A partial result is taken only when nothing better can come. */
    if (m->undone > 0 && (!held || s->attempts < c->cfg.retries))
        return held ? chunk_failed(c, t, m, GE_EIO, "samples left undone") : GE_OK;
    return accept(c, t, m, held);
}
