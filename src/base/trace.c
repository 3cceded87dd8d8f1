#include "base/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

enum { MAX_SPANS = 1000000, MAX_THREADS = 4096, SPAN_BYTES = 256 };

struct span {
    const char *name;
    double begin, end; /* ge_now() */
    uint64_t items;
    int thread;
};

static struct {
    atomic_bool on;
    pthread_mutex_t lock; /* guards what follows */
    int rank;
    struct span *spans;
    size_t n, cap, lost;
    const char *threads[MAX_THREADS]; /* names; NULL: none */
    int n_threads;
    double start;   /* ge_now() at the start */
    double started; /* the same moment by the clock on the wall, which other nodes share */
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void (*_Atomic hook_push)(const char *name);
static void (*_Atomic hook_pop)(void);

static _Thread_local int thread_number; /* from 1; 0: not given yet */

/* ---- keeping ------------------------------------------------------------------------------ */

void ge_trace_start(int rank)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    pthread_mutex_lock(&trace.lock);
    trace.rank = rank;
    trace.n = trace.lost = 0;
    trace.start = ge_now();
    trace.started = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    pthread_mutex_unlock(&trace.lock);
    atomic_store(&trace.on, true);
}

/* With the lock held. */
static int number_thread(void)
{
    if (thread_number == 0 && trace.n_threads < MAX_THREADS) thread_number = ++trace.n_threads;
    return thread_number;
}

void ge_trace_thread(const char *name)
{
    pthread_mutex_lock(&trace.lock);
    int number = number_thread();
    if (number > 0) trace.threads[number - 1] = name;
    pthread_mutex_unlock(&trace.lock);
}

static ge_status keep(const struct span *span)
{
    ge_status rc = GE_OK;

    if (trace.n == MAX_SPANS) {
        trace.lost++;
        return GE_OK;
    }
    GE_GROW(trace.spans, trace.n, trace.cap);
    trace.spans[trace.n] = *span;
    trace.spans[trace.n++].thread = number_thread();
done:
    return rc;
}

double ge_trace_begin(const char *name)
{
    void (*push)(const char *) = atomic_load(&hook_push);

    if (push != NULL) push(name);
    return atomic_load(&trace.on) ? ge_now() : 0;
}

void ge_trace_end(const char *name, double begin, uint64_t items)
{
    void (*pop)(void) = atomic_load(&hook_pop);

    if (pop != NULL) pop();
    if (begin <= 0 || !atomic_load(&trace.on)) return;
    const struct span span = {name, begin, ge_now(), items, 0};
    pthread_mutex_lock(&trace.lock);
    if (keep(&span) != GE_OK) trace.lost++;
    pthread_mutex_unlock(&trace.lock);
}

void ge_trace_hooks(void (*push)(const char *name), void (*pop)(void))
{
    atomic_store(&hook_push, push);
    atomic_store(&hook_pop, pop);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_head(struct ge_jsonw *w, const char *phase, const char *name, int thread)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "ph", phase);
    ge_jsonw_string(w, "name", name);
    ge_jsonw_int(w, "pid", trace.rank);
    ge_jsonw_int(w, "tid", thread);
}

static void write_name(struct ge_jsonw *w, const char *what, int thread, const char *name)
{
    write_head(w, "M", what, thread);
    ge_jsonw_object(w, "args");
    ge_jsonw_string(w, "name", name);
    ge_jsonw_object_end(w);
    ge_jsonw_object_end(w);
}

static void write_span(struct ge_jsonw *w, const struct span *s)
{
    write_head(w, "X", s->name, s->thread);
    ge_jsonw_double(w, "ts", 1e6 * (trace.started + (s->begin - trace.start)));
    ge_jsonw_double(w, "dur", 1e6 * (s->end - s->begin));
    ge_jsonw_object(w, "args");
    ge_jsonw_int(w, "items", (int64_t)s->items);
    ge_jsonw_object_end(w);
    ge_jsonw_object_end(w);
}

static ge_status write_file(const char *path)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    char process[32];

    ge_buf_init(&text, (size_t)SPAN_BYTES * (MAX_SPANS + MAX_THREADS + 16));
    ge_jsonw_init(&w, &text, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_array(&w, "traceEvents");
    snprintf(process, sizeof process, "rank %d", trace.rank);
    write_name(&w, "process_name", 0, process);
    for (int i = 0; i < trace.n_threads; i++)
        if (trace.threads[i] != NULL) write_name(&w, "thread_name", i + 1, trace.threads[i]);
    for (size_t i = 0; i < trace.n; i++) write_span(&w, &trace.spans[i]);
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_fs_replace(path, text.data, text.len));
    if (trace.lost > 0) ge_warn("%s: %zu spans more were not kept", path, trace.lost);
done:
    ge_buf_free(&text);
    return rc;
}

ge_status ge_trace_stop(const char *path)
{
    ge_status rc = GE_OK;

    if (!atomic_exchange(&trace.on, false)) return GE_OK;
    pthread_mutex_lock(&trace.lock);
    rc = write_file(path);
    free(trace.spans);
    trace.spans = NULL;
    trace.n = trace.cap = trace.lost = 0;
    pthread_mutex_unlock(&trace.lock);
    return rc;
}
