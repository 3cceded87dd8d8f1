#include "toy.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct toy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t to_do, done;
    struct ge_work_task queue[GE_DIST_SLOTS];
    int n;
    struct ge_work_done out[2 * GE_DIST_SLOTS];
    int n_out;
    uint64_t steps;
    bool stop;
    double milliseconds;
    int die_at, hang_at, begun;
};

size_t toy_size(uint32_t chunk)
{
    static const size_t sizes[] = {8, 3000, 100 << 10, 3 << 19};
    return sizes[chunk % 4];
}

void toy_fill(uint32_t chunk, unsigned char *out)
{
    uint32_t x = chunk * 2654435761u + 1;
    for (size_t i = 0; i < toy_size(chunk); i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (unsigned char)(x >> 24);
    }
}

static void nap(double milliseconds)
{
    struct timespec t = {.tv_sec = (time_t)(milliseconds / 1e3)};
    t.tv_nsec = (long)((milliseconds - 1e3 * (double)t.tv_sec) * 1e6);
    nanosleep(&t, NULL);
}

/* Compute no further, until the program ends. */
static void hang(struct toy *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->stop) pthread_cond_wait(&t->to_do, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static struct ge_work_done compute(struct toy *t, const struct ge_work_task *task)
{
    if (t->begun == t->die_at) raise(SIGKILL);
    if (t->begun++ == t->hang_at) hang(t);
    nap(t->milliseconds);
    struct ge_work_done d = {.lease = task->lease, .samples = 4, .length = toy_size(task->chunk)};
    d.payload = malloc(d.length);
    toy_fill(task->chunk, d.payload);
    return d;
}

static void *work(void *arg)
{
    struct toy *t = arg;
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        if (t->n == 0) {
            pthread_cond_wait(&t->to_do, &t->lock);
            continue;
        }
        struct ge_work_task task = t->queue[0];
        pthread_mutex_unlock(&t->lock);
        struct ge_work_done d = compute(t, &task);
        pthread_mutex_lock(&t->lock);
        t->steps++;
        if (t->n == 0) { /* cancelled meanwhile */
            free(d.payload);
            continue;
        }
        t->queue[0] = t->queue[1];
        t->n--;
        t->out[t->n_out++] = d;
        pthread_cond_signal(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

struct toy *toy_new(double milliseconds, int die_at, int hang_at)
{
    struct toy *t = calloc(1, sizeof *t);
    t->milliseconds = milliseconds;
    t->die_at = die_at;
    t->hang_at = hang_at;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->to_do, NULL);
    pthread_cond_init(&t->done, NULL);
    pthread_create(&t->thread, NULL, work, t);
    return t;
}

void toy_delete(struct toy **t)
{
    pthread_mutex_lock(&(*t)->lock);
    (*t)->stop = true;
    pthread_cond_signal(&(*t)->to_do);
    pthread_mutex_unlock(&(*t)->lock);
    pthread_join((*t)->thread, NULL);
    for (int i = 0; i < (*t)->n_out; i++) free((*t)->out[i].payload);
    free(*t);
    *t = NULL;
}

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct toy *t = ctx;
    pthread_mutex_lock(&t->lock);
    t->queue[t->n++] = *task;
    pthread_cond_signal(&t->to_do);
    pthread_mutex_unlock(&t->lock);
    return GE_OK;
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct toy *t = ctx;
    pthread_mutex_lock(&t->lock);
    bool any = t->n_out > 0;
    if (any) {
        *out = t->out[0];
        memmove(t->out, t->out + 1, (size_t)--t->n_out * sizeof *t->out);
    }
    pthread_mutex_unlock(&t->lock);
    return any;
}

static uint64_t progress(void *ctx)
{
    struct toy *t = ctx;
    pthread_mutex_lock(&t->lock);
    uint64_t steps = t->steps;
    pthread_mutex_unlock(&t->lock);
    return steps;
}

static void wait_done(void *ctx, double seconds)
{
    struct toy *t = ctx;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(seconds * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&t->lock);
    if (t->n_out == 0) pthread_cond_timedwait(&t->done, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
}

static void cancel(void *ctx)
{
    struct toy *t = ctx;
    pthread_mutex_lock(&t->lock);
    t->n = 0;
    pthread_mutex_unlock(&t->lock);
}

struct ge_work_ops toy_ops(struct toy *t)
{
    return (struct ge_work_ops){.ctx = t,
                                .submit = submit,
                                .poll = poll_done,
                                .progress = progress,
                                .wait = wait_done,
                                .cancel = cancel};
}
