#include "dist/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { MAX_REASON = 1024 }; /* bytes of a failure's reason that are passed on */

/* A lease in hand. */
struct slot {
    uint64_t lease; /* 0: free */
    uint32_t chunk;
};

struct ge_worker {
    struct ge_worker_config cfg;
    const struct ge_work_ops *ops;
    struct ge_watch watch;
    struct slot slot[GE_DIST_SLOTS];
    struct ge_outbox out;
    double heard; /* when the coordinator was last heard */
    double spoke; /* when the last heartbeat or BYE was sent */
    bool started, stop_asked, stop_said;
    uint64_t beats, dropped;
    enum ge_worker_state state;
    ge_status status;
    bool clean;
    char message[512]; /* why this rank gave up; "" if rank 0 ended the run */
};

ge_status ge_worker_new(const struct ge_worker_config *cfg, const struct ge_work_ops *ops,
                        struct ge_worker **out)
{
    ge_status rc = GE_OK;
    struct ge_worker *w = NULL;
    GE_TRY(ge_dist_check_timers(&cfg->timers));
    GE_NEW(w, 1);
    w->cfg = *cfg;
    w->ops = ops;
    w->watch.stride = cfg->timers.heartbeat;
    *out = w;
    w = NULL;
done:
    ge_worker_delete(&w);
    return rc;
}

void ge_worker_delete(struct ge_worker **w)
{
    if (*w == NULL) return;
    ge_outbox_free(&(*w)->out);
    free(*w);
    *w = NULL;
}

/* ---- messages out ------------------------------------------------------------------------ */

static struct ge_message message(const struct ge_worker *w, enum ge_message_type type)
{
    return (struct ge_message){.type = type, .worker = w->cfg.worker, .run = w->cfg.run};
}

static uint8_t free_slots(const struct ge_worker *w)
{
    uint8_t n = 0;
    for (int i = 0; i < GE_DIST_SLOTS; i++) n += w->slot[i].lease == 0;
    return n;
}

static ge_status say_heartbeat(struct ge_worker *w, double t)
{
    struct ge_message m = message(w, GE_MSG_HEARTBEAT);
    w->beats++;
    /* Work that cannot tell its progress is taken to make some. */
    m.progress = w->ops->progress != NULL ? w->ops->progress(w->ops->ctx) : w->beats;
    m.want = free_slots(w);
    for (int i = 0; i < GE_DIST_SLOTS; i++) m.held[i] = w->slot[i].lease;
    if (w->stop_asked) m.status = GE_EINTERRUPTED;
    w->stop_said = w->stop_asked;
    w->spoke = t;
    return ge_outbox_push(&w->out, &m);
}

static ge_status say_bye(struct ge_worker *w, double t)
{
    struct ge_message m = message(w, GE_MSG_BYE);
    m.status = w->status;
    w->spoke = t;
    return ge_outbox_push(&w->out, &m);
}

/* The whole chunk failed on this node; the reason is this thread's message. */
static ge_status say_failed(struct ge_worker *w, struct slot *slot, ge_status why, uint32_t samples)
{
    ge_status rc = GE_OK;
    struct ge_message m = message(w, GE_MSG_FAILED);
    m.lease = slot->lease;
    m.chunk = slot->chunk;
    *slot = (struct slot){0};
    m.want = free_slots(w);
    m.status = why;
    m.samples = m.undone = samples;
    GE_TRY_PTR(m.payload, ge_strdup(ge_error()));
    m.length = strlen(m.payload);
    GE_TRY(ge_outbox_push(&w->out, &m));
    m.payload = NULL;
done:
    free(m.payload);
    return rc;
}

/* Send a lease's rows; takes done->payload. The answer also asks for the next chunk. */
static ge_status say_result(struct ge_worker *w, struct slot *slot, struct ge_work_done *done)
{
    struct ge_message m = message(w, GE_MSG_RESULT);
    m.lease = slot->lease;
    m.chunk = slot->chunk;
    *slot = (struct slot){0};
    m.want = free_slots(w);
    m.samples = done->samples;
    m.undone = done->undone;
    m.errors = done->errors;
    m.payload = done->payload;
    m.length = done->length;
    ge_status rc = ge_outbox_push(&w->out, &m);
    if (rc != GE_OK) free(done->payload);
    return rc;
}

static ge_status say_outcome(struct ge_worker *w, struct slot *slot, struct ge_work_done *done)
{
    if (done->status == GE_OK && done->length <= GE_DIST_MAX_PAYLOAD)
        return say_result(w, slot, done);
    ge_status why = done->status;
    if (why == GE_OK)
        why = ge_fail(GE_ELIMIT,
                      "the rows of chunk %u take %zu bytes, at most %zu can be sent; use smaller "
                      "chunks or keep no embeddings",
                      slot->chunk, done->length, GE_DIST_MAX_PAYLOAD);
    else
        (void)ge_fail(why, "%.*s", (int)(done->length < MAX_REASON ? done->length : MAX_REASON),
                      done->length > 0 ? (const char *)done->payload : "no reason given");
    free(done->payload);
    return say_failed(w, slot, why, done->samples);
}

/* ---- messages in ------------------------------------------------------------------------- */

static struct slot *find_slot(struct ge_worker *w, uint64_t lease)
{
    for (int i = 0; i < GE_DIST_SLOTS; i++)
        if (w->slot[i].lease == lease) return &w->slot[i];
    return NULL;
}

static ge_status take_grant(struct ge_worker *w, const struct ge_message *m)
{
    struct slot *slot = find_slot(w, 0);
    if (m->lease == 0 || m->chunk >= w->cfg.n_chunks || slot == NULL ||
        find_slot(w, m->lease) != NULL || w->state != GE_WORKER_RUNNING) {
        w->dropped++;
        return GE_OK;
    }
    *slot = (struct slot){m->lease, m->chunk};
    struct ge_work_task task = {
        .chunk = m->chunk, .lease = m->lease, .attempt = m->attempt, .strikes = m->strikes};
    ge_status rc = w->ops->submit(w->ops->ctx, &task);
    return rc == GE_OK ? GE_OK : say_failed(w, slot, rc, 0);
}

static void drop_work(struct ge_worker *w)
{
    w->ops->cancel(w->ops->ctx);
    for (int i = 0; i < GE_DIST_SLOTS; i++) w->slot[i] = (struct slot){0};
}

/* Go without END: GE_ECOMM, with this story. */
static void leave_unclean(struct ge_worker *w, const char *story)
{
    if (w->state == GE_WORKER_RUNNING) drop_work(w);
    w->state = GE_WORKER_ENDED;
    w->status = GE_ECOMM;
    w->clean = false;
    snprintf(w->message, sizeof w->message, "worker %u: %s", w->cfg.worker, story);
}

static ge_status take_stop(struct ge_worker *w, double t, ge_status status)
{
    if (w->state != GE_WORKER_RUNNING) return GE_OK;
    if (status == GE_ECOMM) {
        leave_unclean(w, "the coordinator has given this rank up; others do its chunks");
        return GE_OK;
    }
    drop_work(w);
    w->state = GE_WORKER_LEAVING;
    w->status = status;
    return say_bye(w, t);
}

ge_status ge_worker_receive(struct ge_worker *w, double now, const struct ge_message *m)
{
    double t = ge_watch_look(&w->watch, now);
    if (w->state == GE_WORKER_ENDED || m->run != w->cfg.run || m->worker != w->cfg.worker ||
        !ge_message_is_coordinators(m->type)) {
        w->dropped++;
        return GE_OK;
    }
    w->heard = t;
    switch (m->type) {
    case GE_MSG_GRANT:
        return take_grant(w, m);
    case GE_MSG_STOP:
        return take_stop(w, t, m->status);
    case GE_MSG_END:
        if (w->state == GE_WORKER_LEAVING) {
            w->state = GE_WORKER_ENDED;
            w->clean = m->status == GE_OK;
        }
        return GE_OK;
    default: /* a heartbeat: hearing it was all */
        return GE_OK;
    }
}

/* ---- time -------------------------------------------------------------------------------- */

/* This node can compute no more: leave all leases to others. Takes done->payload, the reason. */
static ge_status leave(struct ge_worker *w, double t, struct ge_work_done *done)
{
    int length = (int)(done->length < MAX_REASON ? done->length : MAX_REASON);
    snprintf(w->message, sizeof w->message, "worker %u leaves, others do its chunks: %.*s",
             w->cfg.worker, length, length > 0 ? (const char *)done->payload : "no reason given");
    free(done->payload);
    ge_warn("%s", w->message);
    drop_work(w);
    w->state = GE_WORKER_LEAVING;
    w->status = done->status;
    return say_bye(w, t);
}

static ge_status fetch_work(struct ge_worker *w, double t)
{
    ge_status rc = GE_OK;
    struct ge_work_done done;
    while (w->state == GE_WORKER_RUNNING && w->ops->poll(w->ops->ctx, &done)) {
        struct slot *slot = done.lease != 0 ? find_slot(w, done.lease) : NULL;
        if (done.leave && done.status != GE_OK)
            GE_TRY(leave(w, t, &done));
        else if (slot != NULL)
            GE_TRY(say_outcome(w, slot, &done));
        else
            free(done.payload);
    }
done:
    return rc;
}

ge_status ge_worker_tick(struct ge_worker *w, double now)
{
    ge_status rc = GE_OK;
    double t = ge_watch_look(&w->watch, now);
    if (w->state == GE_WORKER_ENDED) return GE_OK;
    if (t - w->heard >= w->cfg.timers.master_silence) {
        leave_unclean(w, "rank 0 is silent, so this rank gives up; run again to go on");
        return GE_OK;
    }
    if (w->state == GE_WORKER_RUNNING) GE_TRY(fetch_work(w, t));
    bool first = !w->started, due = t - w->spoke >= w->cfg.timers.heartbeat;
    w->started = true;
    if (w->state == GE_WORKER_RUNNING && (first || due || w->stop_asked != w->stop_said))
        GE_TRY(say_heartbeat(w, t));
    else if (w->state == GE_WORKER_LEAVING && due)
        GE_TRY(say_bye(w, t));
done:
    return rc;
}

/* ---- views ------------------------------------------------------------------------------- */

bool ge_worker_next(struct ge_worker *w, struct ge_message *out)
{
    return ge_outbox_pop(&w->out, out);
}

void ge_worker_ask_stop(struct ge_worker *w)
{
    w->stop_asked = true;
}

enum ge_worker_state ge_worker_state(const struct ge_worker *w)
{
    return w->state;
}

ge_status ge_worker_status(const struct ge_worker *w)
{
    return w->status;
}

const char *ge_worker_message(const struct ge_worker *w)
{
    return w->message;
}

bool ge_worker_clean(const struct ge_worker *w)
{
    return w->state == GE_WORKER_ENDED && w->clean;
}

uint64_t ge_worker_dropped(const struct ge_worker *w)
{
    return w->dropped;
}
