/* Three threads and four queues under one lock. */
#include "evaluate/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/trace.h"

#define MAX_RESULT ((size_t)1 << 31)

enum { N_STAGES = 3 };

/* A chunk in one of the queues. */
struct job {
    struct job *next;
    uint32_t cell, first, count;
    struct ge_eval_chunk *chunk; /* after the prepare stage */
    struct ge_engine_done done;  /* its status decides whether a stage still has to do anything */
};

struct queue {
    struct job *head, **tail;
    size_t length;
};

struct ge_engine {
    struct ge_evaluator *ev;
    pthread_t threads[N_STAGES];
    int started; /* of threads */
    atomic_bool cancel;
    bool quit;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* any queue, or quit */
    struct queue waiting, prepared, encoded, finished;
    struct ge_eval_times times;
};

/* ---- queues, with the lock held ---------------------------------------------------------------- */

static void push(struct ge_engine *e, struct queue *q, struct job *j)
{
    j->next = NULL;
    *q->tail = j;
    q->tail = &j->next;
    q->length++;
    pthread_cond_broadcast(&e->changed);
}

static struct job *pop(struct ge_engine *e, struct queue *q)
{
    struct job *j = q->head;
    if (j == NULL) return NULL;
    q->head = j->next;
    if (q->head == NULL) q->tail = &q->head;
    q->length--;
    pthread_cond_broadcast(&e->changed);
    return j;
}

/* The next job of a queue, waiting for one; NULL when the engine ends. */
static struct job *wait_for(struct ge_engine *e, struct queue *q)
{
    pthread_mutex_lock(&e->lock);
    while (q->head == NULL && !e->quit) pthread_cond_wait(&e->changed, &e->lock);
    struct job *j = e->quit ? NULL : pop(e, q);
    pthread_mutex_unlock(&e->lock);
    return j;
}

/* ---- stages --------------------------------------------------------------------------------------- */

static void set_failure(struct job *j, ge_status status)
{
    j->done.status = status;
    j->done.payload = ge_strdup(ge_error());
    j->done.length = j->done.payload == NULL ? 0 : strlen(j->done.payload);
}

/* Hand a job on. One ahead is enough: more would only hold memory. */
static void hand_on(struct ge_engine *e, struct queue *q, struct job *j)
{
    pthread_mutex_lock(&e->lock);
    while (q->length > 0 && !e->quit) pthread_cond_wait(&e->changed, &e->lock);
    push(e, q, j);
    pthread_mutex_unlock(&e->lock);
}

static void *prepare_main(void *arg)
{
    struct ge_engine *e = arg;
    ge_trace_thread("prepare");
    for (struct job *j; (j = wait_for(e, &e->waiting)) != NULL;) {
        double span = ge_trace_begin("prepare chunk");
        ge_status rc = ge_eval_prepare(e->ev, j->cell, j->first, j->count, &j->chunk);
        if (rc != GE_OK) set_failure(j, rc);
        ge_trace_end("prepare chunk", span, j->count);
        hand_on(e, &e->prepared, j);
    }
    return NULL;
}

static void *encode_main(void *arg)
{
    struct ge_engine *e = arg;
    ge_trace_thread("encode");
    for (struct job *j; (j = wait_for(e, &e->prepared)) != NULL;) {
        ge_status rc = j->done.status == GE_OK ? ge_eval_encode(e->ev, j->chunk) : GE_OK;
        if (rc != GE_OK) set_failure(j, rc);
        j->done.device_lost = rc != GE_OK && e->ev->device != NULL && ge_device_lost(e->ev->device);
        hand_on(e, &e->encoded, j);
    }
    return NULL;
}

static void pack(struct job *j, const struct ge_result *r)
{
    struct ge_buf packed;
    ge_buf_init(&packed, MAX_RESULT);
    ge_result_pack(r, &packed);
    ge_status rc = ge_buf_status(&packed);
    j->done.payload = ge_buf_take(&packed, &j->done.length);
    if (j->done.payload == NULL) {
        set_failure(j, rc != GE_OK ? rc : GE_ENOMEM);
        return;
    }
    j->done.samples = r->n_samples;
    j->done.undone = (uint32_t)r->n_undone;
    j->done.errors = (uint32_t)r->n_errors;
}

static void *score_main(void *arg)
{
    struct ge_engine *e = arg;
    ge_trace_thread("score");
    for (struct job *j; (j = wait_for(e, &e->encoded)) != NULL;) {
        const struct ge_result *result;
        struct ge_eval_times times = {0};
        if (j->done.status == GE_OK) {
            ge_status rc = ge_eval_score(e->ev, j->chunk, &result);
            if (rc == GE_OK) {
                pack(j, result);
            } else {
                set_failure(j, rc);
            }
        }
        if (j->chunk != NULL) times = *ge_eval_chunk_times(j->chunk);
        ge_eval_chunk_delete(&j->chunk);
        pthread_mutex_lock(&e->lock);
        ge_eval_times_add(&e->times, &times);
        push(e, &e->finished, j);
        pthread_mutex_unlock(&e->lock);
    }
    return NULL;
}

/* ---- interface ------------------------------------------------------------------------------------- */

ge_status ge_engine_new(struct ge_evaluator *ev, struct ge_engine **engine)
{
    static void *(*const stages[N_STAGES])(void *) = {prepare_main, encode_main, score_main};
    ge_status rc = GE_OK;
    struct ge_engine *e;
    GE_NEW(e, 1);
    e->ev = ev;
    ev->cancel = &e->cancel;
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->changed, &attr);
    pthread_condattr_destroy(&attr);
    e->waiting.tail = &e->waiting.head;
    e->prepared.tail = &e->prepared.head;
    e->encoded.tail = &e->encoded.head;
    e->finished.tail = &e->finished.head;
    *engine = e;
    while (e->started < N_STAGES) {
        if (pthread_create(&e->threads[e->started], NULL, stages[e->started], e) != 0) {
            GE_TRY(ge_fail(GE_ENOMEM, "the evaluation threads cannot start"));
        }
        e->started++;
    }
done:
    if (rc != GE_OK && e != NULL) ge_engine_delete(engine);
    return rc;
}

static void free_queue(struct queue *q)
{
    for (struct job *j = q->head, *next; j != NULL; j = next) {
        next = j->next;
        ge_eval_chunk_delete(&j->chunk);
        free(j->done.payload);
        free(j);
    }
}

void ge_engine_delete(struct ge_engine **engine)
{
    if (engine == NULL || *engine == NULL) return;
    struct ge_engine *e = *engine;
    *engine = NULL;
    atomic_store(&e->cancel, true);
    pthread_mutex_lock(&e->lock);
    e->quit = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    for (int i = 0; i < e->started; i++) pthread_join(e->threads[i], NULL);
    free_queue(&e->waiting);
    free_queue(&e->prepared);
    free_queue(&e->encoded);
    free_queue(&e->finished);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    e->ev->cancel = NULL;
    free(e);
}

ge_status ge_engine_submit(struct ge_engine *e, uint64_t ticket, uint32_t cell, uint32_t first,
                           uint32_t count)
{
    struct job *j = ge_calloc(1, sizeof *j);
    if (j == NULL) return GE_ENOMEM;
    j->cell = cell;
    j->first = first;
    j->count = count;
    j->done.ticket = ticket;
    pthread_mutex_lock(&e->lock);
    push(e, &e->waiting, j);
    pthread_mutex_unlock(&e->lock);
    return GE_OK;
}

bool ge_engine_poll(struct ge_engine *e, struct ge_engine_done *done)
{
    pthread_mutex_lock(&e->lock);
    struct job *j = pop(e, &e->finished);
    pthread_mutex_unlock(&e->lock);
    if (j == NULL) return false;
    *done = j->done;
    free(j);
    return true;
}

void ge_engine_wait(struct ge_engine *e, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    long ns = until.tv_nsec + (long)(seconds * 1e9);
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&e->lock);
    int err = 0;
    while (e->finished.head == NULL && err == 0) {
        err = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    }
    pthread_mutex_unlock(&e->lock);
}

void ge_engine_cancel(struct ge_engine *e)
{
    atomic_store(&e->cancel, true);
}

uint64_t ge_engine_progress(const struct ge_engine *e)
{
    return atomic_load(&e->ev->progress);
}

void ge_engine_times(struct ge_engine *e, struct ge_eval_times *times)
{
    pthread_mutex_lock(&e->lock);
    *times = e->times;
    pthread_mutex_unlock(&e->lock);
}
