/* Where the time goes: spans of named work on threads, written as a Chrome trace (chrome://tracing,
 * Perfetto), one file per rank. Used by evaluate, model and cli around their stages.
 *
 *   double t = ge_trace_begin("decode");
 *   …
 *   ge_trace_end("decode", t, 1);
 *
 * Spans of one thread nest. Without ge_trace_start() a pair costs two comparisons, so they stay in
 * the program; a device's own timeline is not here (a GPU's is nsys's, which sees the same names
 * through the hooks). Local; thread-safe. */
#ifndef GE_BASE_TRACE_H
#define GE_BASE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Begin to keep spans; `rank` is the trace's process number. */
void ge_trace_start(int rank);

/* Write what was kept to `path` and stop. Spans beyond a million are not kept, only counted (a
 * warning tells how many). GE_EIO, GE_ENOMEM. Without a start: nothing happens. */
ge_status ge_trace_stop(const char *path);

/* Name the calling thread in the trace. `name` stays valid until the trace is written. */
void ge_trace_thread(const char *name);

/* A span of the calling thread: `name` (static) from begin to end; `items`, how many things were
 * done in it, goes into the trace. */
double ge_trace_begin(const char *name);
void ge_trace_end(const char *name, double begin, uint64_t items);

/* Functions that see the same spans, whether a trace is kept or not: how cli gives a GPU's profiler
 * their names (NVTX ranges). Set while no other thread has a span. NULL, NULL: none. */
void ge_trace_hooks(void (*push)(const char *name), void (*pop)(void));

#endif
