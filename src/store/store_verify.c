/* Verification: every byte of a run's folder that something depends on. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "store/digest.h"
#include "store/files.h"
#include "store/journal.h"
#include "store/run_head.h"
#include "store/store.h"

struct verifier {
    ge_finding_fn *report;
    void *ctx;
    uint64_t faults;
};

static void find(struct verifier *v, bool fault, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct verifier *v, bool fault, const char *path, const char *format, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    struct ge_finding f = {.fault = fault, .path = path, .text = text};
    if (v->report != NULL) v->report(v->ctx, &f);
    if (fault) v->faults++;
}

/* Out of memory ends verification; everything else that goes wrong is a finding. */
static ge_status finding_of(struct verifier *v, const char *path, ge_status rc)
{
    if (rc == GE_OK || rc == GE_ENOMEM) return rc;
    find(v, true, path, "%s", ge_error());
    return GE_OK;
}

/* ---- journal ------------------------------------------------------------------------------------ */

static ge_status verify_tails(struct verifier *v, const struct ge_journal_scan *s)
{
    for (uint32_t i = 0; i < s->n_epochs; i++) {
        const struct ge_journal_epoch *e = &s->epochs[i];
        char *path = ge_sprintf("%s/%08u", s->dir, i);
        if (path == NULL) return GE_ENOMEM;
        if (e->sealed && !e->tail_intact) {
            find(v, true, path, "bytes after the %llu that count have changed",
                 (unsigned long long)e->valid);
        } else if (e->sealed && e->seen > e->valid) {
            find(v, false, path,
                 "%llu bytes torn by a crash after offset %llu; a later start left "
                 "them out",
                 (unsigned long long)(e->seen - e->valid), (unsigned long long)e->valid);
        }
        if (e->sealed && e->size > e->seen) {
            find(v, false, path, "%llu bytes were added after the next start; they do not count",
                 (unsigned long long)(e->size - e->seen));
        }
        if (!e->sealed && e->size > e->valid) {
            find(v, true, path, "offset %llu: %llu bytes at the end are no valid record",
                 (unsigned long long)e->valid, (unsigned long long)(e->size - e->valid));
        }
        free(path);
    }
    return GE_OK;
}

/* Load every chunk, check it, and compare with the close record. */
static ge_status verify_chunks(struct verifier *v, const struct ge_journal_scan *s)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = NULL;
    struct ge_digest running = {0};
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_digest_begin(&running, s->run));
    for (uint64_t i = 0; i < s->n_chunks; i++) {
        struct ge_result r;
        if (s->chunks[i].length == 0) continue;
        ge_arena_reset(arena);
        rc = ge_journal_load(s, i, arena, &r);
        if (rc == GE_OK) ge_digest_add(&running, &r);
        GE_TRY(finding_of(v, s->dir, rc));
    }
    struct ge_hash digest = ge_digest_end(&running);
    if (s->closed && !ge_hash_equal(digest, s->digest)) {
        find(v, true, s->dir, "the close record's digest is not that of the chunks");
    }
done:
    (void)ge_digest_end(&running);
    ge_arena_delete(&arena);
    return rc;
}

/* What one of the two forms of a run holds. */
struct content {
    bool readable;
    size_t chunks;
    struct ge_hash hash; /* of everything but provenance */
};

/* Take the measure of a run that was read, or report why it could not be. Frees the run. */
static ge_status measure(struct verifier *v, const char *path, ge_status rc, struct ge_run **run,
                         struct content *out)
{
    if (rc == GE_OK) {
        out->chunks = (*run)->n_results;
        rc = ge_content_hash(*run, &out->hash);
    }
    out->readable = rc == GE_OK;
    ge_run_delete(run);
    return finding_of(v, path, rc);
}

static ge_status verify_journal(struct verifier *v, const char *dir, bool *closed,
                                struct content *content)
{
    ge_status rc = GE_OK;
    struct ge_journal_scan s = {0};
    struct ge_run *run = NULL;
    char *journal = NULL;
    GE_TRY_PTR(journal, ge_sprintf("%s/%s", dir, GE_FILE_JOURNAL));
    rc = ge_journal_scan(journal, &s);
    if (rc != GE_OK) {
        rc = finding_of(v, journal, rc);
        goto done;
    }
    GE_TRY(verify_tails(v, &s));
    if (s.run == NULL) {
        find(v, true, journal, "no run was recorded");
        goto done;
    }
    *closed = s.closed;
    GE_TRY(verify_chunks(v, &s));
    if (s.duplicates > 0) {
        find(v, false, journal, "%llu records of chunks that were done already; they do not count",
             (unsigned long long)s.duplicates);
    }
    if (!s.closed) {
        find(v, false, journal, "unfinished: %llu of %llu chunks are done; run it again to go on",
             (unsigned long long)s.n_done, (unsigned long long)s.n_chunks);
    }
    rc = measure(v, journal, ge_store_read_journal(dir, &run), &run, content);
done:
    ge_journal_scan_free(&s);
    free(journal);
    return rc;
}

/* ---- store -------------------------------------------------------------------------------------- */

static ge_status verify_store(struct verifier *v, const char *path, struct content *content)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    enum ge_sum sum = GE_SUM_ABSENT;
    GE_TRY(finding_of(v, path, ge_sum_check(path, &sum)));
    if (sum == GE_SUM_ABSENT) find(v, true, path, "no right checksum file %s.sum", path);
    rc = measure(v, path, ge_store_read(path, &run), &run, content);
done:
    return rc;
}

/* ---- folder ------------------------------------------------------------------------------------- */

/* A finished run has its summary; both were written from the store. */
static ge_status verify_present(struct verifier *v, const char *dir, const char *name)
{
    char *path = ge_sprintf("%s/%s", dir, name);
    if (path == NULL) return GE_ENOMEM;
    if (!ge_fs_exists(path)) {
        find(v, true, path, "missing, though the run is finished; run aggregate to make it");
    }
    free(path);
    return GE_OK;
}

/* A store may be older than an unfinished run's journal, but never ahead of it. */
static void compare(struct verifier *v, const char *results, bool closed,
                    const struct content *recorded, const struct content *packed)
{
    if (packed->chunks > recorded->chunks) {
        find(v, true, results, "holds %zu chunks, the journal only %zu: records were lost",
             packed->chunks, recorded->chunks);
    } else if (closed && !ge_hash_equal(recorded->hash, packed->hash)) {
        find(v, true, results, "holds something else than the journal; pack it again");
    }
}

static ge_status verify_folder(struct verifier *v, const char *dir)
{
    ge_status rc = GE_OK;
    char *results = NULL, *journal = NULL;
    bool closed = false;
    struct content recorded = {0}, packed = {0};
    GE_TRY_PTR(results, ge_sprintf("%s/%s", dir, GE_FILE_RESULTS));
    GE_TRY_PTR(journal, ge_sprintf("%s/%s", dir, GE_FILE_JOURNAL));
    if (!ge_fs_exists(journal) && !ge_fs_exists(results)) {
        rc = ge_fail(GE_ENOENT, "%s: neither %s nor %s is there; not a run's folder", dir,
                     GE_FILE_JOURNAL, GE_FILE_RESULTS);
        goto done;
    }
    GE_TRY(verify_journal(v, dir, &closed, &recorded));
    if (ge_fs_exists(results)) {
        GE_TRY(verify_store(v, results, &packed));
        if (recorded.readable && packed.readable) compare(v, results, closed, &recorded, &packed);
    } else if (closed) {
        find(v, true, results, "missing, though the run is finished; pack it from the journal");
    }
    if (closed) {
        GE_TRY(verify_present(v, dir, GE_FILE_SUMMARY));
        GE_TRY(verify_present(v, dir, GE_FILE_SAMPLES));
    }
done:
    free(results);
    free(journal);
    return rc;
}

ge_status ge_store_verify(const char *path, ge_finding_fn *report, void *ctx, uint64_t *faults)
{
    ge_status rc;
    struct verifier v = {.report = report, .ctx = ctx};
    struct content content = {0};
    *faults = 0;
    if (!ge_fs_exists(path)) return ge_fail(GE_ENOENT, "%s: no such file or folder", path);
    rc = ge_fs_is_dir(path) ? verify_folder(&v, path) : verify_store(&v, path, &content);
    *faults = v.faults;
    return rc;
}
