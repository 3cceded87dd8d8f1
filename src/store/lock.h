/* One writer per output folder, also on a shared file system where flock() cannot be trusted.
 *
 * The lock is a small file that names its holder: host, process and its start time, boot, job id,
 * restart count, and a counter that the holder bumps every 5 s. A starter takes it over at once
 * when the holder's process is dead on this very host and boot, or when the holder is an earlier
 * start of this same job; otherwise it watches: a counter that moves means refusal, one that
 * stands still for stale_s means that the holder is gone. A holder that was wrongly given up finds
 * out at ge_lock_still_ours(), before it acknowledges anything more.
 *
 * Used by run_dir.c and tests. Local; one thread. */
#ifndef GE_STORE_LOCK_H
#define GE_STORE_LOCK_H

#include <stdint.h>

#include "base/status.h"

#define GE_LOCK_PERIOD 5.0 /* seconds between bumps of the counter */

struct ge_lock;

struct ge_lock_options {
    const char *path;   /* the lock file */
    double stale_s;     /* a counter that stands still this long is a dead holder's */
    const char *job_id; /* batch system's job id; NULL or "": none */
    uint32_t restarts;  /* how often the batch system restarted this job */
    double period_s;    /* 0: GE_LOCK_PERIOD; at most stale_s / 2 is used */
};

/* Take the lock. May block for about stale_s. GE_ECONFLICT: someone else writes here; the message
 * names host, process and job. GE_EIO, GE_ENOMEM. */
ge_status ge_lock_acquire(const struct ge_lock_options *options, struct ge_lock **out);

/* Bump the counter when it is due; now = ge_now(). GE_ECONFLICT: the lock was taken from us. */
ge_status ge_lock_tick(struct ge_lock *l, double now);

/* Read the lock file again: GE_OK while it is ours, GE_ECONFLICT naming the new holder. */
ge_status ge_lock_still_ours(struct ge_lock *l);

/* Give it up: the file is removed if it is still ours. *l = NULL; NULL is fine. */
void ge_lock_release(struct ge_lock **l);

#endif
