/* Writing the journal: records gather in memory; a commit is one write, one fdatasync, and the
 * guard's word that the folder is still ours. Only then do they count as acknowledged. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/io.h"
#include "store/journal.h"
#include "store/journal_frame.h"
#include "store/run_head.h"

struct ge_journal {
    char *path;
    int fd;
    uint32_t epoch;
    const struct ge_run *run; /* borrowed */
    ge_journal_guard *guard;
    void *guard_ctx;
    struct ge_buf pending; /* records that are not written yet */
    double pending_since;  /* when the first of them was added */
    uint64_t durable;      /* bytes of the file that are on disk */
    uint64_t next;         /* sequence of the next record */
    uint64_t acknowledged; /* records before this one are acknowledged */
    ge_status failed;      /* the first failure */
    char *why;             /* and its message */
};

/* Keep the first failure, so that every later call says the same. */
static ge_status stick(struct ge_journal *j, ge_status rc)
{
    if (rc != GE_OK && j->failed == GE_OK) {
        j->failed = rc;
        j->why = ge_strdup(ge_error());
    }
    return rc;
}

static ge_status still_failed(const struct ge_journal *j)
{
    return ge_fail(j->failed, "%s (an earlier failure; nothing is recorded since)",
                   j->why != NULL ? j->why : j->path);
}

/* ---- records ------------------------------------------------------------------------------ */

/* Begin a record at the end of `pending`: room for its header. */
static size_t frame_begin(struct ge_journal *j)
{
    static const unsigned char room[GE_JOURNAL_HEADER];
    size_t at = j->pending.len;
    ge_buf_add(&j->pending, room, sizeof room);
    return at;
}

/* Fill in the header of the record that began at `at`. On failure the record is taken back. */
static ge_status frame_end(struct ge_journal *j, size_t at, enum ge_journal_type type)
{
    ge_status rc = ge_buf_status(&j->pending);
    if (rc != GE_OK) return rc;
    unsigned char *p = (unsigned char *)j->pending.data + at;
    size_t bytes = j->pending.len - at;
    struct ge_frame f = {.magic = GE_FRAME_MAGIC,
                         .version = GE_JOURNAL_VERSION,
                         .type = (uint16_t)type,
                         .length = bytes - GE_JOURNAL_HEADER,
                         .sequence = j->next,
                         .durable = j->durable,
                         .epoch = j->epoch};
    ge_frame_encode(&f, p);
    f.check = ge_check64(p + sizeof f.check, bytes - sizeof f.check);
    ge_frame_encode(&f, p);
    if (at == 0) j->pending_since = ge_now();
    j->next++;
    return GE_OK;
}

static ge_status put_start(struct ge_journal *j, const struct ge_journal_scan *scan,
                           const char *provenance)
{
    size_t at = frame_begin(j);
    ge_buf_lpstr(&j->pending, provenance);
    ge_buf_u32(&j->pending, scan->n_epochs);
    for (uint32_t e = 0; e < scan->n_epochs; e++) {
        ge_buf_u64(&j->pending, scan->epochs[e].valid);
        ge_buf_u64(&j->pending, scan->epochs[e].seen);
        ge_buf_u64(&j->pending, scan->epochs[e].tail_check);
    }
    return frame_end(j, at, GE_JOURNAL_START);
}

static ge_status put_run(struct ge_journal *j)
{
    size_t at = frame_begin(j);
    ge_run_head_pack(j->run, &j->pending);
    return frame_end(j, at, GE_JOURNAL_RUN);
}

/* ---- open and close ----------------------------------------------------------------------- */

ge_status ge_journal_open(const struct ge_journal_scan *scan, const struct ge_run *run,
                          const char *provenance, ge_journal_guard *guard, void *guard_ctx,
                          struct ge_journal **out)
{
    ge_status rc = GE_OK;
    struct ge_journal *j = NULL;
    bool created = false;
    *out = NULL;
    GE_TRY(ge_run_head_check(run));
    GE_NEW(j, 1);
    j->fd = -1;
    j->epoch = scan->n_epochs;
    j->run = run;
    j->guard = guard;
    j->guard_ctx = guard_ctx;
    ge_buf_init(&j->pending, SIZE_MAX / 2);
    GE_TRY_PTR(j->path, ge_journal_path(scan->dir, j->epoch));
    GE_TRY(ge_fs_mkdirs(scan->dir));
    GE_TRY(ge_io_open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, &j->fd));
    created = true;
    GE_TRY(put_start(j, scan, provenance));
    if (scan->run == NULL) GE_TRY(put_run(j));
    GE_TRY(ge_journal_sync(j));
    GE_TRY(ge_io_sync_dir(scan->dir));
    *out = j;
    j = NULL;
done:
    /* Nothing was acknowledged: do not leave an empty epoch behind for every try. */
    if (rc != GE_OK && created && rc != GE_ECONFLICT) (void)ge_io()->unlink(j->path);
    ge_journal_delete(&j);
    return rc;
}

void ge_journal_delete(struct ge_journal **j)
{
    if (*j == NULL) return;
    (void)ge_io_close(&(*j)->fd, (*j)->path);
    ge_buf_free(&(*j)->pending);
    free((*j)->path);
    free((*j)->why);
    free(*j);
    *j = NULL;
}

uint64_t ge_journal_acknowledged(const struct ge_journal *j)
{
    return j->acknowledged;
}

uint32_t ge_journal_epoch_number(const struct ge_journal *j)
{
    return j->epoch;
}

/* ---- append and commit -------------------------------------------------------------------- */

ge_status ge_journal_append(struct ge_journal *j, const struct ge_result *r, uint64_t *ticket)
{
    if (j->failed != GE_OK) return still_failed(j);
    uint64_t chunk = 0;
    if (ge_run_result_check(j->run, r) != GE_OK || ge_run_chunk_id(j->run, r, &chunk) != GE_OK) {
        return ge_fail_in(GE_EINTERNAL, "result refused");
    }
    size_t at = frame_begin(j);
    ge_buf_u64(&j->pending, chunk);
    ge_buf_u32(&j->pending, (uint32_t)r->n_undone);
    ge_result_pack(r, &j->pending);
    ge_status rc = frame_end(j, at, GE_JOURNAL_CHUNK);
    if (rc != GE_OK) return stick(j, rc);
    if (ticket != NULL) *ticket = j->next - 1;
    return j->pending.len >= GE_JOURNAL_BATCH ? ge_journal_sync(j) : GE_OK;
}

ge_status ge_journal_sync(struct ge_journal *j)
{
    if (j->failed != GE_OK) return still_failed(j);
    if (j->pending.len == 0) return GE_OK;
    ge_status rc = GE_OK;
    GE_TRY(ge_io_write(j->fd, j->pending.data, j->pending.len, j->path));
    GE_TRY(ge_io_datasync(j->fd, j->path));
    if (j->guard != NULL) GE_TRY(j->guard(j->guard_ctx));
    j->durable += j->pending.len;
    j->acknowledged = j->next;
    ge_buf_reset(&j->pending);
done:
    return stick(j, rc);
}

ge_status ge_journal_tick(struct ge_journal *j, double now)
{
    if (j->failed != GE_OK) return still_failed(j);
    if (j->pending.len == 0 || now - j->pending_since < GE_JOURNAL_PERIOD) return GE_OK;
    return ge_journal_sync(j);
}

ge_status ge_journal_finish(struct ge_journal *j, uint64_t chunks, struct ge_hash digest)
{
    if (j->failed != GE_OK) return still_failed(j);
    /* The close record must never be on disk before what it closes. */
    ge_status rc = ge_journal_sync(j);
    if (rc != GE_OK) return rc;
    size_t at = frame_begin(j);
    ge_buf_u64(&j->pending, chunks);
    ge_buf_u64(&j->pending, digest.hi);
    ge_buf_u64(&j->pending, digest.lo);
    rc = frame_end(j, at, GE_JOURNAL_CLOSE);
    if (rc != GE_OK) return stick(j, rc);
    return ge_journal_sync(j);
}
