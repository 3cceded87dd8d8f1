#include "dist/coordinator.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "dist/coordinator_state.h"

enum { MAX_RETRIES = 8, MAX_WINDOW = 65535, LOST_AFTER = 3 };

struct ge_coordinator_config ge_coordinator_defaults(void)
{
    return (struct ge_coordinator_config){.retries = 3,
                                          .strikes = 3,
                                          .window = 400,
                                          .window_limit = 20,
                                          .timers = ge_dist_default_timers()};
}

/* ---- life -------------------------------------------------------------------------------- */

static ge_status check_config(const struct ge_coordinator_config *cfg)
{
    if (cfg->n_workers < 1 || cfg->retries > MAX_RETRIES || cfg->strikes < 1 ||
        cfg->strikes > UINT8_MAX || cfg->window > MAX_WINDOW ||
        (cfg->window > 0 && cfg->window_limit < 1))
        return ge_fail(
            GE_EINVAL,
            "coordinator: %u workers, %u retries, %u strikes, window %u of %u; wanted at "
            "least 1, at most %d, 1 to %d, at most %d with a limit of at least 1",
            cfg->n_workers, cfg->retries, cfg->strikes, cfg->window_limit, cfg->window, MAX_RETRIES,
            UINT8_MAX, MAX_WINDOW);
    return ge_dist_check_timers(&cfg->timers);
}

static void fill_chunks(struct ge_coordinator *c, const uint8_t *done)
{
    c->stats.chunks = c->remaining = c->cfg.n_chunks;
    for (uint32_t i = 0; done != NULL && i < c->cfg.n_chunks; i++) {
        if (!done[i]) continue;
        c->chunks[i].phase = GE_CHUNK_DONE;
        c->stats.chunks_before++;
        c->remaining--;
    }
}

ge_status ge_coordinator_new(const struct ge_coordinator_config *cfg, const struct ge_sink *sink,
                             struct ge_coordinator **out)
{
    ge_status rc = GE_OK;
    struct ge_coordinator *c = NULL;
    GE_TRY(check_config(cfg));
    GE_NEW(c, 1);
    c->cfg = *cfg;
    c->cfg.done = NULL;
    c->cfg.group = NULL;
    c->sink = sink;
    c->watch.stride = cfg->timers.heartbeat;
    c->left = cfg->n_workers;
    GE_NEW(c->chunks, cfg->n_chunks);
    GE_NEW(c->peers, cfg->n_workers);
    GE_NEW(c->window, cfg->window);
    /* One waiting time for each number of failures, and one for chunks of lost leases. */
    GE_TRY(ge_schedule_new(cfg->n_chunks, cfg->done, cfg->group, cfg->n_workers, cfg->retries + 1,
                           &c->schedule));
    fill_chunks(c, cfg->done);
    for (uint32_t w = 0; w < cfg->n_workers; w++) c->peers[w].queue = GE_QUEUE_NONE;
    for (int q = 0; q < GE_QUEUE_NONE; q++) c->queue[q].first = c->queue[q].last = GE_NOBODY;
    *out = c;
    c = NULL;
done:
    ge_coordinator_delete(&c);
    return rc;
}

void ge_coordinator_delete(struct ge_coordinator **c)
{
    if (*c == NULL) return;
    ge_schedule_delete(&(*c)->schedule);
    ge_outbox_free(&(*c)->out);
    free((*c)->chunks);
    free((*c)->peers);
    free((*c)->window);
    free(*c);
    *c = NULL;
}

/* ---- the end ----------------------------------------------------------------------------- */

ge_status ge_coordinator_say(struct ge_coordinator *c, uint32_t worker, enum ge_message_type type,
                             ge_status status)
{
    struct ge_message m = {.type = type, .worker = worker, .run = c->cfg.run, .status = status};
    return ge_outbox_push(&c->out, &m);
}

/* STOPPING is over when every worker is gone or dead: tell those that wait. */
static ge_status end_if_all_left(struct ge_coordinator *c)
{
    ge_status rc = GE_OK;
    if (c->state != GE_RUN_STOPPING || c->left > 0) return rc;
    c->state = GE_RUN_ENDED;
    c->clean = c->stats.workers_dead == 0;
    for (uint32_t w = 0; w < c->cfg.n_workers; w++)
        if (c->peers[w].health == GE_HEALTH_GONE)
            GE_TRY(ge_coordinator_say(c, w, GE_MSG_END, c->clean ? GE_OK : GE_ECOMM));
done:
    return rc;
}

ge_status ge_coordinator_finish(struct ge_coordinator *c, double t, ge_status status,
                                const char *message)
{
    ge_status rc = GE_OK;
    if (c->state >= GE_RUN_STOPPING) return rc;
    c->state = GE_RUN_STOPPING;
    c->status = status;
    snprintf(c->message, sizeof c->message, "%s", message);
    c->bye_end = t + c->cfg.timers.bye;
    for (uint32_t w = 0; w < c->cfg.n_workers; w++)
        if (c->peers[w].health <= GE_HEALTH_ALIVE)
            GE_TRY(ge_coordinator_say(c, w, GE_MSG_STOP, status));
    GE_TRY(end_if_all_left(c));
done:
    return rc;
}

/* The worker takes part no longer: gone or dead. Its first lease was in work and, if the worker was
 * lost over it, is a strike against its chunk; the one behind it was not begun. */
static ge_status part_with(struct ge_coordinator *c, double t, uint32_t worker,
                           enum ge_worker_health health, bool lost)
{
    ge_status rc = GE_OK;
    struct ge_peer *p = &c->peers[worker];
    if (p->health == GE_HEALTH_ALIVE) c->stats.workers_alive--;
    p->health = health;
    c->left--;
    ge_schedule_release(c->schedule, worker);
    struct ge_slot *first = NULL;
    for (int i = 0; i < GE_DIST_SLOTS; i++)
        if (p->slot[i].lease != 0 && (first == NULL || p->slot[i].lease < first->lease))
            first = &p->slot[i];
    for (int i = 0; i < GE_DIST_SLOTS; i++) {
        struct ge_slot *slot = &p->slot[i];
        GE_TRY(ge_coordinator_reclaim(c, t, worker, slot, slot == first && lost));
        ge_coordinator_free_slot(c, slot);
    }
    ge_coordinator_requeue(c, worker);
    if (c->left == 0 && c->state < GE_RUN_STOPPING)
        GE_TRY(ge_coordinator_finish(c, t, GE_ECOMM,
                                     "no worker is left (the log says why each one went); what is "
                                     "finished is kept, run again"));
    GE_TRY(end_if_all_left(c));
done:
    return rc;
}

static ge_status presume_dead(struct ge_coordinator *c, double t, uint32_t worker, const char *why)
{
    ge_warn("worker %u is given up: %s; others do its chunks", worker, why);
    c->stats.workers_dead++;
    return part_with(c, t, worker, GE_HEALTH_DEAD, true);
}

/* ---- messages ---------------------------------------------------------------------------- */

static bool names(const struct ge_message *m, uint64_t lease)
{
    for (int i = 0; i < GE_DIST_SLOTS; i++)
        if (m->held[i] == lease) return true;
    return false;
}

static ge_status heartbeat(struct ge_coordinator *c, double t, const struct ge_message *m)
{
    ge_status rc = GE_OK;
    struct ge_peer *p = &c->peers[m->worker];
    if (c->state >= GE_RUN_STOPPING)
        return ge_coordinator_say(c, m->worker, GE_MSG_STOP, c->status);
    bool progress = m->progress != p->progress;
    p->progress = m->progress;
    for (int i = 0; i < GE_DIST_SLOTS; i++) {
        struct ge_slot *slot = &p->slot[i];
        if (slot->lease == 0) continue;
        if (names(m, slot->lease)) {
            slot->missed = 0;
            if (progress) slot->deadline = t + c->cfg.timers.lease;
        } else if (++slot->missed >= LOST_AFTER) {
            /* The grant or the answer was lost on the way. */
            GE_TRY(ge_coordinator_reclaim(c, t, m->worker, slot, false));
            ge_coordinator_free_slot(c, slot);
        }
    }
    p->want = m->want;
    GE_TRY(ge_coordinator_say(c, m->worker, GE_MSG_HEARTBEAT, GE_OK));
    if (m->status == GE_EINTERRUPTED) GE_TRY(ge_coordinator_stop(c, c->watch.seen));
done:
    return rc;
}

/* A BYE answers STOP; before that it means that the worker can compute no more. */
static ge_status goodbye(struct ge_coordinator *c, double t, const struct ge_message *m)
{
    bool lost = c->state < GE_RUN_STOPPING;
    if (lost)
        ge_warn("worker %u has left (%s); others do its chunks", m->worker,
                ge_status_name(m->status));
    return part_with(c, t, m->worker, GE_HEALTH_GONE, lost);
}

/* A message of a known, living worker. */
static ge_status handle(struct ge_coordinator *c, double t, const struct ge_message *m)
{
    ge_status rc = GE_OK;
    struct ge_peer *p = &c->peers[m->worker];
    switch (m->type) {
    case GE_MSG_HEARTBEAT:
        GE_TRY(heartbeat(c, t, m));
        break;
    case GE_MSG_RESULT:
    case GE_MSG_FAILED:
        p->want = m->want;
        GE_TRY(ge_coordinator_settle(c, t, m));
        break;
    default:
        GE_TRY(goodbye(c, t, m));
        break;
    }
    ge_coordinator_requeue(c, m->worker);
    GE_TRY(ge_coordinator_dispatch(c, t));
done:
    return rc;
}

static bool is_sound(const struct ge_coordinator *c, const struct ge_message *m)
{
    bool about_chunk = m->type == GE_MSG_RESULT || m->type == GE_MSG_FAILED;
    return m->worker < c->cfg.n_workers && m->run == c->cfg.run && ge_message_is_workers(m->type) &&
           m->want <= GE_DIST_SLOTS && m->undone <= m->samples &&
           (!about_chunk || m->chunk < c->cfg.n_chunks);
}

ge_status ge_coordinator_receive(struct ge_coordinator *c, double now, const struct ge_message *m)
{
    double t = ge_watch_look(&c->watch, now);
    if (!is_sound(c, m)) {
        c->stats.dropped_foreign++;
        return GE_OK;
    }
    struct ge_peer *p = &c->peers[m->worker];
    if (p->health == GE_HEALTH_DEAD) {
        c->stats.dropped_dead++;
        if (p->told) return GE_OK;
        p->told = true;
        return ge_coordinator_say(c, m->worker, GE_MSG_STOP, GE_ECOMM);
    }
    p->heard = t;
    if (p->health == GE_HEALTH_GONE) /* it waits for END: let it know that we live */
        return c->state < GE_RUN_ENDED ? ge_coordinator_say(c, m->worker, GE_MSG_HEARTBEAT, GE_OK)
                                       : GE_OK;
    if (p->health == GE_HEALTH_UNHEARD) {
        p->health = GE_HEALTH_ALIVE;
        c->stats.workers_alive++;
    }
    return handle(c, t, m);
}

/* ---- time -------------------------------------------------------------------------------- */

static ge_status check_leases(struct ge_coordinator *c, double t, uint32_t worker)
{
    ge_status rc = GE_OK;
    struct ge_peer *p = &c->peers[worker];
    for (int i = 0; i < GE_DIST_SLOTS && p->health == GE_HEALTH_ALIVE; i++) {
        struct ge_slot *slot = &p->slot[i];
        if (slot->lease == 0 || t < slot->deadline) continue;
        if (slot->expired) {
            GE_TRY(presume_dead(c, t, worker, "it is stuck"));
        } else {
            ge_warn("worker %u: no progress on chunk %u for %g s; it is handed out again", worker,
                    slot->chunk, c->cfg.timers.lease);
            GE_TRY(ge_coordinator_reclaim(c, t, worker, slot, true));
            slot->expired = true;
            slot->deadline = t + c->cfg.timers.lease;
            c->leased--;
        }
    }
    ge_coordinator_requeue(c, worker);
done:
    return rc;
}

static ge_status scan_workers(struct ge_coordinator *c, double t)
{
    ge_status rc = GE_OK;
    const struct ge_dist_timers *timers = &c->cfg.timers;
    for (uint32_t w = 0; w < c->cfg.n_workers; w++) {
        const struct ge_peer *p = &c->peers[w];
        if (p->health > GE_HEALTH_ALIVE) continue;
        bool unheard = p->health == GE_HEALTH_UNHEARD;
        if (t - p->heard >= (unheard ? timers->start_silence : timers->silence))
            GE_TRY(presume_dead(c, t, w, unheard ? "it never spoke" : "it is silent"));
        else if (c->state < GE_RUN_STOPPING)
            GE_TRY(check_leases(c, t, w));
        else if (t >= c->bye_end)
            GE_TRY(presume_dead(c, t, w, "it did not answer STOP"));
    }
done:
    return rc;
}

ge_status ge_coordinator_tick(struct ge_coordinator *c, double now)
{
    ge_status rc = GE_OK;
    double t = ge_watch_look(&c->watch, now);
    if (c->remaining == 0) GE_TRY(ge_coordinator_finish(c, t, GE_OK, ""));
    if (t - c->scanned >= c->cfg.timers.heartbeat / 4) {
        c->scanned = t;
        GE_TRY(scan_workers(c, t));
    }
    if (c->state == GE_RUN_DRAINING && (c->leased == 0 || t >= c->drain_end))
        GE_TRY(ge_coordinator_finish(c, t, GE_EINTERRUPTED, "asked to stop; run again to go on"));
    GE_TRY(ge_coordinator_dispatch(c, t));
done:
    return rc;
}

ge_status ge_coordinator_stop(struct ge_coordinator *c, double now)
{
    double t = ge_watch_look(&c->watch, now);
    if (c->state != GE_RUN_ACTIVE) return GE_OK;
    c->state = GE_RUN_DRAINING;
    c->drain_end = t + c->cfg.timers.drain;
    return GE_OK;
}

/* ---- views ------------------------------------------------------------------------------- */

bool ge_coordinator_next(struct ge_coordinator *c, struct ge_message *out)
{
    return ge_outbox_pop(&c->out, out);
}

enum ge_run_state ge_coordinator_state(const struct ge_coordinator *c)
{
    return c->state;
}

ge_status ge_coordinator_status(const struct ge_coordinator *c)
{
    return c->status;
}

const char *ge_coordinator_message(const struct ge_coordinator *c)
{
    return c->message;
}

bool ge_coordinator_clean(const struct ge_coordinator *c)
{
    return c->state == GE_RUN_ENDED && c->clean;
}

const struct ge_coordinator_stats *ge_coordinator_stats(const struct ge_coordinator *c)
{
    return &c->stats;
}

struct ge_worker_view ge_coordinator_worker(const struct ge_coordinator *c, uint32_t worker)
{
    const struct ge_peer *p = &c->peers[worker];
    struct ge_worker_view v = {.health = p->health,
                               .chunks = p->chunks,
                               .failures = p->failures,
                               .samples = p->samples,
                               .silent = c->watch.time - p->heard};
    for (int i = 0; i < GE_DIST_SLOTS; i++)
        if (p->slot[i].lease != 0) v.leases++;
    return v;
}
