/* A run's folder `<output>/<job name>/`: lock, journal, status file, and the store at the end.
 *
 *   open ─► (stored head: compare with the job, refuse or go on) ─► begin ─► append, tick … ─► close
 *
 * Used by cli/ (rank 0) and tests. Local; one thread. ge_rundir_append(), _tick() and _sync() may
 * block for an fdatasync. */
#ifndef GE_STORE_RUN_DIR_H
#define GE_STORE_RUN_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "record/run.h"

struct ge_rundir;

struct ge_rundir_options {
    const char *dir;     /* made with its parents if missing */
    double lock_stale_s; /* runtime.lock_stale_s */
    double status_s;     /* runtime.status_s: seconds between status files; 0: 5 s */
    const char *job_id;  /* batch system's job id, or NULL */
    uint32_t restarts;
};

/* Lock the folder and scan its journal; opens no epoch. GE_ECONFLICT: another run writes here.
 * GE_EFORMAT: the journal is damaged. Either leaves the folder as it was. */
ge_status ge_rundir_open(const struct ge_rundir_options *options, struct ge_rundir **out);

/* What was found: the stored head (borrowed; NULL: a new run), whether it is closed, which chunks
 * are done, and how many. The count follows ge_rundir_append(). */
const struct ge_run *ge_rundir_stored(const struct ge_rundir *d);
bool ge_rundir_closed(const struct ge_rundir *d);
bool ge_rundir_chunk_done(const struct ge_rundir *d, uint64_t chunk);
uint64_t ge_rundir_chunks_done(const struct ge_rundir *d);

/* Open a new epoch. `run`: the head of a new run (borrowed until close), or NULL to go on with the
 * stored one. GE_EINVAL: neither or both. Writes status "running". */
ge_status ge_rundir_begin(struct ge_rundir *d, const struct ge_run *run, const char *provenance);

/* Record one chunk's result. Durable after the next commit; see ge_rundir_acknowledged(). */
ge_status ge_rundir_append(struct ge_rundir *d, const struct ge_result *r, uint64_t *ticket);
uint64_t ge_rundir_acknowledged(const struct ge_rundir *d);

/* Timers: group commit, lock counter, status file; now = ge_now(). Call it a few times a second. */
ge_status ge_rundir_tick(struct ge_rundir *d, double now);
ge_status ge_rundir_sync(struct ge_rundir *d); /* commit now */

void ge_rundir_set_failures(struct ge_rundir *d, uint64_t failures); /* for the status file */

/* Commit; when every chunk is done, write the close record with the run's digest; pack the store.
 * *complete (may be NULL): every chunk is done. */
ge_status ge_rundir_finish(struct ge_rundir *d, bool *complete);

/* Write the last status file ("done" for exit 0, "interrupted" for 75, otherwise "failed"), give
 * the lock back, free. *d = NULL; NULL is fine. Uncommitted records are lost unless synced.
 * Without ge_rundir_begin() the status file is left alone, except that a finished run's is
 * written again: a batch script may have deleted it. */
void ge_rundir_close(struct ge_rundir **d, int exit_code);

#endif
