#include "dist/protocol.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

const char *ge_message_name(enum ge_message_type type)
{
    static const char *const names[GE_MSG_TYPES] = {
        [GE_MSG_HEARTBEAT] = "heartbeat",
        [GE_MSG_GRANT] = "grant",
        [GE_MSG_RESULT] = "result",
        [GE_MSG_FAILED] = "failed",
        [GE_MSG_STOP] = "stop",
        [GE_MSG_BYE] = "bye",
        [GE_MSG_END] = "end",
    };
    unsigned i = (unsigned)type;
    return i < GE_MSG_TYPES && names[i] != NULL ? names[i] : "?";
}

bool ge_message_is_workers(enum ge_message_type type)
{
    return type == GE_MSG_HEARTBEAT || type == GE_MSG_RESULT || type == GE_MSG_FAILED ||
           type == GE_MSG_BYE;
}

bool ge_message_is_coordinators(enum ge_message_type type)
{
    return type == GE_MSG_HEARTBEAT || type == GE_MSG_GRANT || type == GE_MSG_STOP ||
           type == GE_MSG_END;
}

/* ---- outbox ------------------------------------------------------------------------------ */

static ge_status outbox_grow(struct ge_outbox *o)
{
    ge_status rc = GE_OK;
    struct ge_message *v = NULL;
    size_t cap = 0;
    GE_TRY(ge_mul(o->cap == 0 ? 8 : o->cap, 2, &cap));
    GE_NEW(v, cap);
    for (size_t i = 0; i < o->n; i++) v[i] = o->v[(o->first + i) & (o->cap - 1)];
    free(o->v);
    o->v = v;
    o->first = 0;
    o->cap = cap;
done:
    return rc;
}

ge_status ge_outbox_push(struct ge_outbox *o, const struct ge_message *m)
{
    ge_status rc = GE_OK;
    if (o->n == o->cap) GE_TRY(outbox_grow(o));
    o->v[(o->first + o->n++) & (o->cap - 1)] = *m;
done:
    return rc;
}

bool ge_outbox_pop(struct ge_outbox *o, struct ge_message *m)
{
    if (o->n == 0) return false;
    *m = o->v[o->first];
    o->first = (o->first + 1) & (o->cap - 1);
    o->n--;
    return true;
}

void ge_outbox_free(struct ge_outbox *o)
{
    struct ge_message m;
    while (ge_outbox_pop(o, &m)) free(m.payload);
    free(o->v);
    *o = (struct ge_outbox){0};
}

/* ---- time -------------------------------------------------------------------------------- */

double ge_watch_look(struct ge_watch *w, double now)
{
    double gap = w->started ? now - w->seen : 0;
    w->started = true;
    w->seen = now;
    /* A clock that goes back, or is NaN, counts as standing still. */
    if (gap > 0) w->time += gap < w->stride ? gap : w->stride;
    return w->time;
}

struct ge_dist_timers ge_dist_default_timers(void)
{
    return (struct ge_dist_timers){.heartbeat = 2,
                                   .silence = 20,
                                   .start_silence = 120,
                                   .master_silence = 60,
                                   .lease = 600,
                                   .backoff = 1,
                                   .drain = 8,
                                   .bye = 10};
}

ge_status ge_dist_check_timers(const struct ge_dist_timers *t)
{
    const struct {
        const char *name;
        double value, min;
    } rows[] = {
        {"heartbeat", t->heartbeat, 0},
        {"silence", t->silence, 3 * t->heartbeat},
        {"start_silence", t->start_silence, t->silence},
        {"master_silence", t->master_silence, 3 * t->heartbeat},
        {"lease", t->lease, t->silence},
        {"backoff", t->backoff, 0},
        {"drain", t->drain, 0},
        {"bye", t->bye, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(rows[i].value > 0 && rows[i].value >= rows[i].min && isfinite(rows[i].value)))
            return ge_fail(GE_EINVAL, "timer %s is %g s; wanted a positive number, at least %g s",
                           rows[i].name, rows[i].value, rows[i].min);
    return GE_OK;
}
