/* A run's folder: what goes on between lock, journal, status file and store. */
#include "store/run_dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/digest.h"
#include "store/files.h"
#include "store/io.h"
#include "store/journal.h"
#include "store/lock.h"
#include "store/run_head.h"
#include "store/store.h"

struct ge_rundir {
    char *dir, *status_path;
    struct ge_lock *lock;
    struct ge_journal_scan scan; /* as found at opening */
    struct ge_journal *journal;  /* NULL until begun */
    const struct ge_run *run;    /* stored head, or the caller's for a new run */
    uint8_t *done;               /* (chunks) */
    uint64_t n_chunks, n_done, failures;
    double status_s;  /* seconds between status files */
    double status_at; /* when the status file was last written */
};

/* ---- open --------------------------------------------------------------------------------------- */

/* Note which chunks of the stored run are done. */
static ge_status take_stored(struct ge_rundir *d)
{
    ge_status rc = GE_OK;
    d->run = d->scan.run;
    if (d->run == NULL) goto done;
    d->n_chunks = d->scan.n_chunks;
    d->n_done = d->scan.n_done;
    GE_NEW(d->done, (size_t)d->n_chunks);
    for (uint64_t i = 0; i < d->n_chunks; i++) {
        const struct ge_journal_place *p = &d->scan.chunks[i];
        d->done[i] = p->length > 0 && p->undone == 0;
    }
done:
    return rc;
}

/* Free everything; the thread's message survives. */
static void delete_rundir(struct ge_rundir **d)
{
    if (*d == NULL) return;
    char *why = ge_strdup(ge_error());
    ge_journal_delete(&(*d)->journal);
    ge_journal_scan_free(&(*d)->scan);
    ge_lock_release(&(*d)->lock);
    free((*d)->done);
    free((*d)->status_path);
    free((*d)->dir);
    free(*d);
    *d = NULL;
    if (why != NULL && why[0] != '\0') ge_fail(GE_EINTERNAL, "%s", why);
    free(why);
}

ge_status ge_rundir_open(const struct ge_rundir_options *options, struct ge_rundir **out)
{
    ge_status rc = GE_OK;
    struct ge_rundir *d = NULL;
    char *lock_path = NULL, *journal = NULL;
    *out = NULL;
    GE_NEW(d, 1);
    d->status_s = options->status_s > 0 ? options->status_s : 5;
    GE_TRY_PTR(d->dir, ge_strdup(options->dir));
    GE_TRY_PTR(d->status_path, ge_sprintf("%s/%s", options->dir, GE_FILE_STATUS));
    GE_TRY_PTR(lock_path, ge_sprintf("%s/%s", options->dir, GE_FILE_LOCK));
    GE_TRY_PTR(journal, ge_sprintf("%s/%s", options->dir, GE_FILE_JOURNAL));
    GE_TRY(ge_fs_mkdirs(options->dir));
    struct ge_lock_options lock = {.path = lock_path,
                                   .stale_s = options->lock_stale_s,
                                   .job_id = options->job_id,
                                   .restarts = options->restarts};
    GE_TRY(ge_lock_acquire(&lock, &d->lock));
    GE_TRY(ge_journal_scan(journal, &d->scan));
    if (d->scan.torn > 0) {
        ge_warn("%s: %llu bytes at the end were never acknowledged (a crash); leaving them out",
                journal, (unsigned long long)d->scan.torn);
    }
    GE_TRY(take_stored(d));
    *out = d;
    d = NULL;
done:
    delete_rundir(&d);
    free(lock_path);
    free(journal);
    return rc;
}

const struct ge_run *ge_rundir_stored(const struct ge_rundir *d)
{
    return d->scan.run;
}

bool ge_rundir_closed(const struct ge_rundir *d)
{
    return d->scan.closed;
}

bool ge_rundir_chunk_done(const struct ge_rundir *d, uint64_t chunk)
{
    return chunk < d->n_chunks && d->done != NULL && d->done[chunk] != 0;
}

uint64_t ge_rundir_chunks_done(const struct ge_rundir *d)
{
    return d->n_done;
}

/* ---- status file ---------------------------------------------------------------------------------- */

/* exit_code < 0: still running. */
static ge_status write_status(struct ge_rundir *d, const char *state, int exit_code)
{
    struct ge_buf text;
    struct ge_jsonw w;
    char now[21];
    ge_utc(now);
    ge_buf_init(&text, 65536);
    ge_jsonw_init(&w, &text, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "state", state);
    if (exit_code < 0) {
        ge_jsonw_null(&w, "exit");
    } else {
        ge_jsonw_int(&w, "exit", exit_code);
    }
    ge_jsonw_string(&w, "run_id", d->run->id);
    ge_jsonw_int(&w, "chunks_done", (int64_t)d->n_done);
    ge_jsonw_int(&w, "chunks", (int64_t)d->n_chunks);
    ge_jsonw_int(&w, "failures", (int64_t)d->failures);
    ge_jsonw_string(&w, "updated", now);
    ge_jsonw_object_end(&w);
    ge_buf_char(&text, '\n');
    ge_status rc = ge_buf_status(&text);
    if (rc == GE_OK) rc = ge_io_replace(d->status_path, text.data, text.len);
    ge_buf_free(&text);
    return rc;
}

void ge_rundir_set_failures(struct ge_rundir *d, uint64_t failures)
{
    d->failures = failures;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static ge_status guard(void *ctx)
{
    return ge_lock_still_ours(ctx);
}

ge_status ge_rundir_begin(struct ge_rundir *d, const struct ge_run *run, const char *provenance)
{
    ge_status rc = GE_OK;
    if (d->journal != NULL || (run == NULL) == (d->scan.run == NULL) || d->scan.closed) {
        return ge_fail(GE_EINVAL, "%s: %s", d->dir,
                       d->scan.closed ? "the run is finished; nothing can be added"
                                      : "a new run needs a head, a stored one has its own");
    }
    if (run != NULL) {
        GE_TRY(ge_run_head_check(run));
        d->run = run;
        d->n_chunks = ge_run_chunks(run);
        GE_NEW(d->done, (size_t)d->n_chunks);
    }
    GE_TRY(ge_journal_open(&d->scan, d->run, provenance, guard, d->lock, &d->journal));
    GE_TRY(write_status(d, "running", -1));
    d->status_at = ge_now();
done:
    return rc;
}

ge_status ge_rundir_append(struct ge_rundir *d, const struct ge_result *r, uint64_t *ticket)
{
    ge_status rc = GE_OK;
    uint64_t chunk = 0;
    GE_TRY(ge_journal_append(d->journal, r, ticket));
    GE_TRY(ge_run_chunk_id(d->run, r, &chunk));
    if (r->n_undone == 0 && d->done[chunk] == 0) {
        d->done[chunk] = 1;
        d->n_done++;
    }
done:
    return rc;
}

uint64_t ge_rundir_acknowledged(const struct ge_rundir *d)
{
    return d->journal != NULL ? ge_journal_acknowledged(d->journal) : 0;
}

ge_status ge_rundir_sync(struct ge_rundir *d)
{
    return d->journal != NULL ? ge_journal_sync(d->journal) : GE_OK;
}

ge_status ge_rundir_tick(struct ge_rundir *d, double now)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_lock_tick(d->lock, now));
    if (d->journal == NULL) goto done;
    GE_TRY(ge_journal_tick(d->journal, now));
    if (now - d->status_at >= d->status_s) {
        d->status_at = now;
        GE_TRY(write_status(d, "running", -1));
    }
done:
    return rc;
}

/* Digest of everything in the journal, one chunk in memory at a time. */
static ge_status digest_journal(const struct ge_rundir *d, struct ge_hash *out)
{
    ge_status rc = GE_OK;
    struct ge_journal_scan scan = {0};
    struct ge_arena *arena = NULL;
    struct ge_digest running = {0};
    GE_TRY(ge_journal_scan(d->scan.dir, &scan));
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_digest_begin(&running, scan.run));
    for (uint64_t i = 0; i < scan.n_chunks; i++) {
        struct ge_result r;
        ge_arena_reset(arena);
        GE_TRY(ge_journal_load(&scan, i, arena, &r));
        ge_digest_add(&running, &r);
    }
    *out = ge_digest_end(&running);
done:
    (void)ge_digest_end(&running);
    ge_arena_delete(&arena);
    ge_journal_scan_free(&scan);
    return rc;
}

ge_status ge_rundir_finish(struct ge_rundir *d, bool *complete)
{
    ge_status rc = GE_OK;
    struct ge_hash digest;
    bool all = d->n_done == d->n_chunks;
    if (complete != NULL) *complete = all;
    GE_TRY(ge_rundir_sync(d));
    if (d->journal != NULL && all) {
        GE_TRY(digest_journal(d, &digest));
        GE_TRY(ge_journal_finish(d->journal, d->n_chunks, digest));
    }
    GE_TRY(ge_lock_tick(d->lock, ge_now()));
    rc = ge_store_pack(d->dir);
done:
    return rc;
}

void ge_rundir_close(struct ge_rundir **d, int exit_code)
{
    if (*d == NULL) return;
    bool finished = (*d)->scan.closed && exit_code == 0;
    if (((*d)->journal != NULL || finished) && ge_lock_still_ours((*d)->lock) == GE_OK) {
        const char *state = exit_code == 0 ? "done" : exit_code == 75 ? "interrupted" : "failed";
        if (write_status(*d, state, exit_code) != GE_OK) ge_warn("%s", ge_error());
    }
    delete_rundir(d);
}
