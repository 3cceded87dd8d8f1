#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dist/wire.h"

enum { SAMPLES = 4, QUEUE = 4096 };
#define STEP      0.02
#define TIME_OVER 2000.0

struct letter {
    double at;
    int from, to; /* worker, or -1 for the coordinator */
    void *frame;
    size_t size;
};

struct bench {
    struct sim *sim;
    int worker;
    struct ge_work_task queue[GE_DIST_SLOTS];
    int n;
    double done_at; /* of queue[0] */
    uint64_t steps;
};

struct sim {
    const struct sim_plan *plan;
    struct sim_result *r;
    uint64_t rng;
    double now;
    struct ge_coordinator *c;
    struct ge_worker *w[SIM_WORKERS];
    struct bench bench[SIM_WORKERS];
    struct ge_work_ops ops[SIM_WORKERS];
    bool dead[SIM_WORKERS];
    struct letter post[QUEUE];
    int n_post;
};

double sim_uniform(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u; /* SplitMix64 */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static bool chance(struct sim *s, double p)
{
    return sim_uniform(&s->rng) < p;
}

static void broken(struct sim *s, const char *rule)
{
    if (s->r->broken == NULL) s->r->broken = rule;
}

struct ge_dist_timers sim_timers(void)
{
    return (struct ge_dist_timers){.heartbeat = 0.2,
                                   .silence = 3,
                                   .start_silence = 6,
                                   .master_silence = 4,
                                   .lease = 6,
                                   .backoff = 0.1,
                                   .drain = 2,
                                   .bye = 2};
}

/* ---- a chunk's rows are a function of its number ------------------------------------------- */

static void fill(unsigned char out[8], uint32_t chunk, uint32_t undone)
{
    for (int i = 0; i < 4; i++) out[i] = (unsigned char)(chunk >> (8 * i));
    for (int i = 0; i < 4; i++) out[4 + i] = (unsigned char)(undone >> (8 * i));
}

static ge_status sink_accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                             uint32_t undone)
{
    struct sim *s = ctx;
    unsigned char want[8];
    fill(want, chunk, undone);
    if (length != sizeof want || memcmp(payload, want, sizeof want) != 0)
        return ge_fail(GE_EFORMAT, "not the rows of chunk %u", chunk);
    if (++s->r->accepted[chunk] > 1) broken(s, "a chunk was accepted twice");
    if (s->plan->done[chunk]) broken(s, "a finished chunk was done again");
    s->r->undone[chunk] = undone;
    return GE_OK;
}

static void sink_undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    struct sim *s = ctx;
    if (++s->r->given_up[chunk] > 1) broken(s, "a chunk was given up twice");
    if (s->r->accepted[chunk] > 0) broken(s, "an accepted chunk was given up");
    if (status == GE_OK || reason[0] == '\0') broken(s, "a chunk was given up without a reason");
}

/* ---- work ---------------------------------------------------------------------------------- */

static void begin(struct bench *b)
{
    struct sim *s = b->sim;
    s->r->computed[b->queue[0].chunk]++;
    b->done_at = s->now + s->plan->cost * (0.5 + sim_uniform(&s->rng));
}

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct bench *b = ctx;
    if (b->n == GE_DIST_SLOTS) {
        broken(b->sim, "a worker got more chunks than it has room for");
        return ge_fail(GE_EINTERNAL, "full");
    }
    b->queue[b->n++] = *task;
    if (b->n == 1) begin(b);
    return GE_OK;
}

static bool is_hung(const struct bench *b)
{
    double at = b->sim->plan->hang_at[b->worker], length = b->sim->plan->hang_for[b->worker];
    return at > 0 && b->sim->now >= at && (length <= 0 || b->sim->now < at + length);
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct bench *b = ctx;
    struct sim *s = b->sim;
    if (b->n == 0 || is_hung(b) || s->now < b->done_at) return false;
    struct ge_work_task task = b->queue[0];
    b->queue[0] = b->queue[1];
    b->n--;
    if (s->plan->poison[task.chunk] ||
        (s->plan->lost_at[b->worker] > 0 && s->now >= s->plan->lost_at[b->worker])) {
        *out = (struct ge_work_done){.lease = task.lease, .status = GE_EDEVICE, .leave = true};
        out->payload = strdup("the GPU is gone");
        out->length = strlen(out->payload);
        return true;
    }
    if (b->n > 0) begin(b);
    bool faulty = task.attempt < s->plan->faulty_attempts[task.chunk];
    *out = (struct ge_work_done){.lease = task.lease, .samples = SAMPLES};
    if (faulty && s->plan->fault[task.chunk] == SIM_FAILS) {
        out->status = GE_EIO;
        out->payload = strdup("disk gone");
        out->length = strlen(out->payload);
        return true;
    }
    if (faulty && s->plan->fault[task.chunk] == SIM_PARTIAL) out->undone = 1;
    out->payload = malloc(8);
    out->length = 8;
    fill(out->payload, task.chunk, out->undone);
    return true;
}

static uint64_t progress(void *ctx)
{
    struct bench *b = ctx;
    if (b->n > 0 && !is_hung(b)) b->steps++;
    return b->steps;
}

static void cancel(void *ctx)
{
    ((struct bench *)ctx)->n = 0;
}

/* ---- network ------------------------------------------------------------------------------- */

static void post_one(struct sim *s, int from, int to, const struct ge_message *m)
{
    struct letter l = {
        .at = s->now + s->plan->delay * sim_uniform(&s->rng), .from = from, .to = to};
    if (s->n_post == QUEUE || ge_wire_pack(m, &l.frame, &l.size) != GE_OK) {
        broken(s, "too many messages");
        return;
    }
    if (chance(s, s->plan->damage)) {
        size_t at = (size_t)(sim_uniform(&s->rng) * (double)l.size);
        ((unsigned char *)l.frame)[at] ^= (unsigned char)(1 + sim_uniform(&s->rng) * 255);
    }
    s->post[s->n_post++] = l;
}

/* A liar answers for other leases and chunks, or with rows of its own making. */
static void lie(struct sim *s, struct ge_message *m)
{
    if (m->type != GE_MSG_RESULT) return;
    switch ((int)(sim_uniform(&s->rng) * 5)) {
    case 0:
        m->lease++;
        break;
    case 1:
        m->chunk = (m->chunk + 1) % s->plan->n_chunks;
        break;
    case 2:
        m->chunk += 1000000;
        break;
    case 3:
        m->run++;
        break;
    default:
        if (m->length > 0) ((unsigned char *)m->payload)[0] ^= 0x55;
        break;
    }
}

static void post_message(struct sim *s, int from, int to, struct ge_message *m)
{
    if (from >= 0 && chance(s, s->plan->lie[from])) lie(s, m);
    if (!chance(s, s->plan->drop)) post_one(s, from, to, m);
    while (chance(s, s->plan->repeat)) post_one(s, from, to, m);
    free(m->payload);
}

static bool stands_still(const struct sim *s, int w)
{
    double at = s->plan->pause_at[w];
    return at > 0 && s->now >= at && s->now < at + s->plan->pause_for[w];
}

static bool coordinator_is_up(const struct sim *s)
{
    return s->plan->coordinator_dies_at <= 0 || s->now < s->plan->coordinator_dies_at;
}

static void deliver_one(struct sim *s, const struct letter *l)
{
    struct ge_message m;
    if (ge_wire_unpack(l->frame, l->size, &m) != GE_OK) return;
    if (l->to < 0) {
        if (m.worker != (uint32_t)l->from || !coordinator_is_up(s)) return;
        if (ge_coordinator_receive(s->c, s->now, &m) != GE_OK) broken(s, "receive failed");
    } else if (!s->dead[l->to]) {
        if (ge_worker_receive(s->w[l->to], s->now, &m) != GE_OK) broken(s, "receive failed");
    }
}

static void deliver(struct sim *s)
{
    for (int i = 0; i < s->n_post;) {
        struct letter l = s->post[i];
        if (l.at > s->now || (l.to >= 0 && !s->dead[l.to] && stands_still(s, l.to))) {
            i++;
            continue;
        }
        s->post[i] = s->post[--s->n_post]; /* also shuffles */
        deliver_one(s, &l);
        free(l.frame);
    }
}

/* ---- time ---------------------------------------------------------------------------------- */

static void step_worker(struct sim *s, int w)
{
    const struct sim_plan *p = s->plan;
    struct bench *b = &s->bench[w];
    if (p->die_at[w] > 0 && s->now >= p->die_at[w]) s->dead[w] = true;
    if (b->n > 0 && p->fatal[b->queue[0].chunk] && s->now >= b->done_at) s->dead[w] = true;
    if (s->dead[w] || stands_still(s, w)) return;
    if (p->stop_at > 0 && p->signalled == w && s->now >= p->stop_at) ge_worker_ask_stop(s->w[w]);
    if (ge_worker_tick(s->w[w], s->now) != GE_OK) broken(s, "a worker's tick failed");
    struct ge_message m;
    while (ge_worker_next(s->w[w], &m)) post_message(s, w, -1, &m);
    if (ge_worker_state(s->w[w]) == GE_WORKER_ENDED && s->r->worker_ended_at[w] < 0)
        s->r->worker_ended_at[w] = s->now;
}

static void step_coordinator(struct sim *s)
{
    const struct sim_plan *p = s->plan;
    if (!coordinator_is_up(s) || s->r->ended_at >= 0) return;
    if (p->stop_at > 0 && p->signalled < 0 && s->now >= p->stop_at &&
        ge_coordinator_stop(s->c, s->now) != GE_OK)
        broken(s, "the stop request failed");
    if (ge_coordinator_tick(s->c, s->now) != GE_OK) broken(s, "the coordinator's tick failed");
    struct ge_message m;
    while (ge_coordinator_next(s->c, &m)) {
        if (m.payload != NULL) broken(s, "the coordinator sent a payload");
        post_message(s, -1, (int)m.worker, &m);
    }
    if (ge_coordinator_state(s->c) == GE_RUN_ENDED) s->r->ended_at = s->now;
}

static bool is_over(const struct sim *s)
{
    if (coordinator_is_up(s) && s->r->ended_at < 0) return false;
    for (int w = 0; w < s->plan->n_workers; w++)
        if (!s->dead[w] && s->r->worker_ended_at[w] < 0) return false;
    return true;
}

static void start(struct sim *s, const struct ge_sink *sink)
{
    const struct sim_plan *p = s->plan;
    uint8_t done[SIM_CHUNKS] = {0};
    uint32_t group[SIM_CHUNKS];
    for (uint32_t i = 0; i < p->n_chunks; i++) {
        done[i] = p->done[i];
        group[i] = i % 7 < p->n_chunks ? i % 7 : 0;
    }
    struct ge_coordinator_config cfg = ge_coordinator_defaults();
    cfg.run = 42;
    cfg.n_chunks = p->n_chunks;
    cfg.done = done;
    cfg.group = group;
    cfg.n_workers = (uint32_t)p->n_workers;
    cfg.strikes = p->strikes > 0 ? p->strikes : 255;
    cfg.window = p->window;
    cfg.window_limit = p->window_limit;
    cfg.timers = sim_timers();
    if (ge_coordinator_new(&cfg, sink, &s->c) != GE_OK) broken(s, "no coordinator");
    for (int w = 0; w < p->n_workers; w++) {
        s->bench[w] = (struct bench){.sim = s, .worker = w};
        s->ops[w] = (struct ge_work_ops){.ctx = &s->bench[w],
                                         .submit = submit,
                                         .poll = poll_done,
                                         .progress = progress,
                                         .cancel = cancel};
        struct ge_worker_config wc = {
            .run = 42, .worker = (uint32_t)w, .n_chunks = p->n_chunks, .timers = sim_timers()};
        if (ge_worker_new(&wc, &s->ops[w], &s->w[w]) != GE_OK) broken(s, "no worker");
        s->r->worker_ended_at[w] = -1;
    }
}

static void finish(struct sim *s)
{
    struct sim_result *r = s->r;
    r->status = ge_coordinator_status(s->c);
    r->clean = ge_coordinator_clean(s->c);
    r->stats = *ge_coordinator_stats(s->c);
    snprintf(r->message, sizeof r->message, "%s", ge_coordinator_message(s->c));
    for (int w = 0; w < s->plan->n_workers; w++) {
        r->worker_status[w] = ge_worker_status(s->w[w]);
        r->worker_clean[w] = ge_worker_clean(s->w[w]);
        ge_worker_delete(&s->w[w]);
    }
    ge_coordinator_delete(&s->c);
    while (s->n_post > 0) free(s->post[--s->n_post].frame);
}

void sim_run(const struct sim_plan *plan, struct sim_result *r)
{
    *r = (struct sim_result){.ended_at = -1};
    struct sim *s = calloc(1, sizeof *s);
    s->plan = plan;
    s->r = r;
    s->rng = plan->seed;
    struct ge_sink sink = {s, sink_accept, sink_undone};
    start(s, &sink);
    while (r->broken == NULL && !is_over(s) && s->now < TIME_OVER) {
        s->now += STEP;
        deliver(s);
        for (int w = 0; w < plan->n_workers; w++) step_worker(s, w);
        step_coordinator(s);
    }
    if (!is_over(s)) broken(s, "the run never ended");
    finish(s);
    free(s);
}
