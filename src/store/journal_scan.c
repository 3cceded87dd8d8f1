/* Reading the journal: which records count, and where each chunk's latest one is. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "store/io.h"
#include "store/journal.h"
#include "store/journal_frame.h"
#include "store/run_head.h"

enum {
    WINDOW = 1 << 20,       /* bytes read at once */
    CHUNK_PREFIX = 8 + 4,   /* chunk number, undone */
    SEAL_BYTES = 8 + 8 + 8, /* per older epoch in START */
    CLOSE_BYTES = 8 + 8 + 8 /* chunks, digest */
};

/* ---- one epoch file through a window -------------------------------------------------------- */

struct file {
    int fd;
    char *path;
    uint64_t size;
    unsigned char *window;
    size_t cap, len; /* of the window */
    uint64_t at;     /* file offset of the window */
};

static ge_status file_open(struct file *f, const char *dir, uint32_t epoch)
{
    ge_status rc = GE_OK;
    *f = (struct file){.fd = -1};
    GE_TRY_PTR(f->path, ge_journal_path(dir, epoch));
    GE_TRY(ge_io_open(f->path, O_RDONLY | O_NONBLOCK, &f->fd));
    GE_TRY(ge_io_size(f->fd, f->path, &f->size));
done:
    return rc;
}

static void file_close(struct file *f)
{
    (void)ge_io_close(&f->fd, f->path);
    free(f->path);
    free(f->window);
    *f = (struct file){.fd = -1};
}

/* Bytes [at, at+len) of the file, valid until the next call; the caller has checked that they are
 * inside `size`. A file that shrank meanwhile is GE_EIO. */
static ge_status file_bytes(struct file *f, uint64_t at, size_t len, const unsigned char **out)
{
    ge_status rc = GE_OK;
    if (at < f->at || at + len > f->at + f->len) {
        size_t want = len > WINDOW ? len : WINDOW;
        if (want > f->size - at) want = (size_t)(f->size - at);
        if (want > f->cap) {
            free(f->window);
            f->window = NULL;
            f->cap = 0;
            GE_NEW(f->window, want);
            f->cap = want;
        }
        f->at = at;
        GE_TRY(ge_io_pread(f->fd, f->window, want, at, &f->len, f->path));
        if (f->len < len) {
            rc = ge_fail(GE_EIO, "%s: became shorter while it was read", f->path);
            goto done;
        }
    }
    *out = f->window + (at - f->at);
done:
    return rc;
}

/* The record at `at`, if a whole one with a right checksum lies before `end`. `*ok` says so; the
 * status is about reading only. *payload is valid until the next read. */
static ge_status frame_at(struct file *f, uint64_t at, uint64_t end, uint32_t epoch,
                          struct ge_frame *frame, const unsigned char **payload, bool *ok)
{
    ge_status rc = GE_OK;
    const unsigned char *p = NULL;
    *ok = false;
    if (at > end || end - at < GE_JOURNAL_HEADER) return GE_OK;
    GE_TRY(file_bytes(f, at, GE_JOURNAL_HEADER, &p));
    ge_frame_decode(p, frame);
    if (frame->magic != GE_FRAME_MAGIC || frame->epoch != epoch ||
        frame->length > end - at - GE_JOURNAL_HEADER) {
        return GE_OK;
    }
    size_t bytes = GE_JOURNAL_HEADER + (size_t)frame->length;
    GE_TRY(file_bytes(f, at, bytes, &p));
    *ok = ge_check64(p + sizeof frame->check, bytes - sizeof frame->check) == frame->check;
    *payload = p + GE_JOURNAL_HEADER;
done:
    return rc;
}

/* ---- tails ---------------------------------------------------------------------------------- */

/* Whether bytes from `at` on were ever known to be on disk: whether some valid record further on
 * says so. Work is bounded even for content made to look like many records. */
static ge_status known_durable(struct file *f, uint64_t at, uint32_t epoch, bool *known)
{
    ge_status rc = GE_OK;
    uint64_t budget = 8 * (f->size - at) + ((uint64_t)64 << 20);
    *known = false;
    for (uint64_t p = at + 1; p + GE_JOURNAL_HEADER <= f->size; p++) {
        static const unsigned char magic[] = {'G', 'E', 'J', '1'};
        const unsigned char *head = NULL, *payload = NULL;
        struct ge_frame frame;
        bool ok = false;
        GE_TRY(file_bytes(f, p, GE_JOURNAL_HEADER, &head));
        if (memcmp(head + 8, magic, sizeof magic) != 0) continue;
        ge_frame_decode(head, &frame);
        if (frame.epoch != epoch || frame.durable <= at) continue;
        uint64_t bytes = frame.length <= f->size - p ? frame.length : 0;
        *known = bytes > budget; /* too many candidates: nothing that a crash leaves */
        if (*known) goto done;
        budget -= bytes;
        GE_TRY(frame_at(f, p, f->size, epoch, &frame, &payload, &ok));
        *known = ok;
        if (*known) goto done;
    }
done:
    return rc;
}

static ge_status tail_check(struct file *f, uint64_t from, uint64_t to, uint64_t *check)
{
    const unsigned char *p = (const unsigned char *)"";
    ge_status rc = from < to ? file_bytes(f, from, (size_t)(to - from), &p) : GE_OK;
    if (rc == GE_OK) *check = ge_check64(p, (size_t)(to - from));
    return rc;
}

/* ---- records -------------------------------------------------------------------------------- */

/* What scanning needs beside the result. */
struct scanner {
    struct ge_journal_scan *s;
    struct ge_buf starts; /* provenance of all starts: JSON array under construction */
};

static ge_status damaged(const struct file *f, uint64_t at, const char *what)
{
    return ge_fail(GE_EFORMAT,
                   "%s: offset %llu: %s; restore the file from a copy, or start the run anew",
                   f->path, (unsigned long long)at, what);
}

/* Take over one older epoch's seal, or check that it agrees with the first one. */
static ge_status take_seal(struct ge_journal_epoch *e, uint64_t valid, uint64_t seen,
                           uint64_t check, uint32_t number, uint32_t by)
{
    if (e->sealed && (e->valid != valid || e->seen != seen || e->tail_check != check)) {
        return ge_fail(GE_EFORMAT, "START of epoch %u and an earlier one disagree on epoch %u", by,
                       number);
    }
    if (valid > seen) {
        return ge_fail(GE_EFORMAT, "START of epoch %u: epoch %u: %llu valid bytes of %llu", by,
                       number, (unsigned long long)valid, (unsigned long long)seen);
    }
    e->valid = valid;
    e->seen = seen;
    e->tail_check = check;
    e->sealed = true;
    return GE_OK;
}

/* Read the START record of an epoch for its seals; an epoch without one has none. */
static ge_status read_seals(struct ge_journal_scan *s, struct file *f, uint32_t epoch)
{
    ge_status rc = GE_OK;
    struct ge_frame frame;
    const unsigned char *payload = NULL;
    bool ok = false;
    GE_TRY(frame_at(f, 0, f->size, epoch, &frame, &payload, &ok));
    if (!ok || frame.type != GE_JOURNAL_START) goto done;
    if (frame.version != GE_JOURNAL_VERSION) {
        rc = ge_fail(GE_EUNSUPPORTED, "%s: journal version %u, this program reads %u", f->path,
                     frame.version, GE_JOURNAL_VERSION);
        goto done;
    }
    struct ge_reader r;
    size_t len = 0;
    ge_reader_init(&r, payload, (size_t)frame.length);
    (void)ge_read_blob(&r, &len);
    uint32_t older = ge_read_u32(&r);
    if (r.status != GE_OK || older != epoch || (r.len - r.pos) != (size_t)older * SEAL_BYTES) {
        rc = damaged(f, 0, "START does not list the older epochs");
        goto done;
    }
    for (uint32_t e = 0; e < older; e++) {
        uint64_t valid = ge_read_u64(&r), seen = ge_read_u64(&r), check = ge_read_u64(&r);
        GE_TRY(take_seal(&s->epochs[e], valid, seen, check, e, epoch));
    }
done:
    return rc;
}

static ge_status take_start(struct scanner *c, const struct file *f, struct ge_reader *r)
{
    size_t len = 0;
    const char *provenance = ge_read_blob(r, &len);
    if (provenance == NULL || memchr(provenance, '\0', len) != NULL) {
        return damaged(f, 0, "START without provenance");
    }
    ge_buf_char(&c->starts, c->starts.len == 0 ? '[' : ',');
    ge_buf_add(&c->starts, provenance, len);
    return ge_buf_status(&c->starts);
}

static ge_status take_run(struct scanner *c, const struct file *f, uint64_t at,
                          const unsigned char *payload, size_t len)
{
    struct ge_journal_scan *s = c->s;
    if (s->run != NULL) return damaged(f, at, "a second RUN record");
    ge_status rc = ge_run_head_unpack(payload, len, &s->run);
    if (rc != GE_OK) return ge_fail_in(rc, "%s: offset %llu", f->path, (unsigned long long)at);
    s->n_chunks = ge_run_chunks(s->run);
    s->chunks = ge_calloc((size_t)s->n_chunks, sizeof *s->chunks);
    return s->chunks != NULL ? GE_OK : GE_ENOMEM;
}

static ge_status take_chunk(struct scanner *c, const struct file *f, uint64_t at,
                            const struct ge_frame *frame, struct ge_reader *r)
{
    struct ge_journal_scan *s = c->s;
    uint64_t chunk = ge_read_u64(r);
    uint32_t undone = ge_read_u32(r);
    if (r->status != GE_OK || s->run == NULL || chunk >= s->n_chunks) {
        return damaged(f, at, "a record of a chunk that the run does not have");
    }
    struct ge_journal_place *p = &s->chunks[chunk];
    if (p->length > 0 && p->undone == 0) {
        s->duplicates++;
        return GE_OK;
    }
    *p = (struct ge_journal_place){.epoch = frame->epoch,
                                   .undone = undone,
                                   .offset = at,
                                   .length = GE_JOURNAL_HEADER + frame->length};
    if (undone == 0) s->n_done++;
    return GE_OK;
}

static ge_status take_close(struct scanner *c, const struct file *f, uint64_t at,
                            const struct ge_frame *frame, struct ge_reader *r)
{
    struct ge_journal_scan *s = c->s;
    if (frame->length != CLOSE_BYTES || ge_read_u64(r) != s->n_chunks || s->n_done != s->n_chunks) {
        return damaged(f, at, "the close record does not fit the chunks before it");
    }
    s->digest.hi = ge_read_u64(r);
    s->digest.lo = ge_read_u64(r);
    s->closed = true;
    return GE_OK;
}

static ge_status take_record(struct scanner *c, const struct file *f, uint64_t at,
                             const struct ge_frame *frame, const unsigned char *payload)
{
    if (frame->version != GE_JOURNAL_VERSION) return damaged(f, at, "unknown record version");
    if (c->s->closed) return damaged(f, at, "a record after the close record");
    if ((frame->type == GE_JOURNAL_START) != (frame->sequence == 0)) {
        return damaged(f, at, "START is not the first record, or is missing");
    }
    struct ge_reader r;
    ge_reader_init(&r, payload, (size_t)frame->length);
    switch (frame->type) {
    case GE_JOURNAL_START:
        return take_start(c, f, &r);
    case GE_JOURNAL_RUN:
        return take_run(c, f, at, payload, (size_t)frame->length);
    case GE_JOURNAL_CHUNK:
        return take_chunk(c, f, at, frame, &r);
    case GE_JOURNAL_CLOSE:
        return take_close(c, f, at, frame, &r);
    default:
        return damaged(f, at, "unknown record type");
    }
}

/* ---- epochs --------------------------------------------------------------------------------- */

/* Read an epoch's records in order, up to its seal or its first invalid byte. */
static ge_status read_epoch(struct scanner *c, struct file *f, uint32_t epoch)
{
    ge_status rc = GE_OK;
    struct ge_journal_epoch *e = &c->s->epochs[epoch];
    uint64_t at = 0, end = e->sealed ? e->valid : f->size;
    if (end > f->size) {
        rc = ge_fail(GE_EFORMAT, "%s: %llu bytes, a later start counted %llu: the file was cut",
                     f->path, (unsigned long long)f->size, (unsigned long long)end);
        goto done;
    }
    while (at < end) {
        struct ge_frame frame;
        const unsigned char *payload = NULL;
        bool ok = false;
        GE_TRY(frame_at(f, at, end, epoch, &frame, &payload, &ok));
        if (!ok || frame.sequence != e->records) break;
        GE_TRY(take_record(c, f, at, &frame, payload));
        e->records++;
        at += GE_JOURNAL_HEADER + frame.length;
    }
    bool damage = e->sealed && at < end;
    if (!e->sealed && at < end) GE_TRY(known_durable(f, at, epoch, &damage));
    if (damage) {
        rc = damaged(f, at, "no valid record, but what follows was on disk before");
        goto done;
    }
    e->size = f->size;
    e->valid = at;
    if (!e->sealed) {
        e->seen = f->size;
        c->s->torn += f->size - at;
        GE_TRY(tail_check(f, at, f->size, &e->tail_check));
        e->tail_intact = true;
    } else {
        uint64_t check = 0;
        if (f->size >= e->seen) GE_TRY(tail_check(f, at, e->seen, &check));
        e->tail_intact = f->size >= e->seen && check == e->tail_check;
    }
done:
    return rc;
}

/* Number of epoch files; they must be 0, 1, 2, … without a gap. Other names are not ours. */
static ge_status count_epochs(const char *dir, uint32_t *n)
{
    ge_status rc = GE_OK;
    char **names = NULL;
    size_t n_names = 0;
    *n = 0;
    if (!ge_fs_is_dir(dir)) return GE_OK;
    GE_TRY(ge_fs_list(dir, &names, &n_names));
    for (size_t i = 0; i < n_names; i++) {
        if (strlen(names[i]) != 8 || strspn(names[i], "0123456789") != 8) continue;
        if (strtoul(names[i], NULL, 10) != *n) {
            rc = ge_fail(GE_EFORMAT, "%s: epoch %08u is missing, but %s is there", dir, *n,
                         names[i]);
            goto done;
        }
        (*n)++;
    }
done:
    ge_fs_list_free(names, n_names);
    return rc;
}

static ge_status read_all(struct scanner *c, bool seals)
{
    ge_status rc = GE_OK;
    struct file f = {.fd = -1};
    for (uint32_t e = 0; e < c->s->n_epochs; e++) {
        GE_TRY(file_open(&f, c->s->dir, e));
        GE_TRY(seals ? read_seals(c->s, &f, e) : read_epoch(c, &f, e));
        file_close(&f);
    }
done:
    file_close(&f);
    return rc;
}

ge_status ge_journal_scan(const char *dir, struct ge_journal_scan *out)
{
    ge_status rc = GE_OK;
    struct scanner c = {.s = out};
    *out = (struct ge_journal_scan){0};
    ge_buf_init(&c.starts, SIZE_MAX / 2);
    GE_TRY_PTR(out->dir, ge_strdup(dir));
    GE_TRY(count_epochs(dir, &out->n_epochs));
    GE_NEW(out->epochs, out->n_epochs);
    GE_TRY(read_all(&c, true));
    GE_TRY(read_all(&c, false));
    if (out->run != NULL) {
        ge_buf_char(&c.starts, ']');
        GE_TRY(ge_buf_status(&c.starts));
        GE_TRY_PTR(out->run->provenance, ge_arena_strdup(out->run->arena, c.starts.data));
    }
done:
    ge_buf_free(&c.starts);
    if (rc != GE_OK) ge_journal_scan_free(out);
    return rc;
}

void ge_journal_scan_free(struct ge_journal_scan *s)
{
    ge_run_delete(&s->run);
    free(s->dir);
    free(s->epochs);
    free(s->chunks);
    *s = (struct ge_journal_scan){0};
}

/* ---- loading -------------------------------------------------------------------------------- */

ge_status ge_journal_load(const struct ge_journal_scan *s, uint64_t chunk, struct ge_arena *arena,
                          struct ge_result *out)
{
    ge_status rc = GE_OK;
    struct file f = {.fd = -1};
    const struct ge_journal_place *p = &s->chunks[chunk];
    const unsigned char *payload = NULL;
    struct ge_frame frame;
    bool ok = false;
    uint64_t id = 0;
    if (p->length == 0) {
        return ge_fail(GE_ENOENT, "%s: chunk %llu has no record", s->dir,
                       (unsigned long long)chunk);
    }
    GE_TRY(file_open(&f, s->dir, p->epoch));
    if (p->offset + p->length <= f.size) {
        GE_TRY(frame_at(&f, p->offset, p->offset + p->length, p->epoch, &frame, &payload, &ok));
    }
    if (!ok || frame.length < CHUNK_PREFIX) {
        rc = damaged(&f, p->offset, "the record changed since it was scanned");
        goto done;
    }
    GE_TRY(
        ge_result_unpack(payload + CHUNK_PREFIX, (size_t)frame.length - CHUNK_PREFIX, arena, out));
    GE_TRY(ge_run_result_check(s->run, out));
    GE_TRY(ge_run_chunk_id(s->run, out, &id));
    if (id != chunk || out->n_undone != p->undone) {
        rc = damaged(&f, p->offset, "the record's result is not of the chunk that it names");
    }
done:
    if (rc == GE_EFORMAT && f.path != NULL) {
        ge_fail_in(rc, "%s: offset %llu", f.path, (unsigned long long)p->offset);
    }
    file_close(&f);
    return rc;
}
