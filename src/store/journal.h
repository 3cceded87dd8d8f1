/* The journal: append-only framed records, the only thing that decides what is done.
 *
 *   <run>/journal/00000000   START RUN CHUNK CHUNK …            one file per start ("epoch")
 *   <run>/journal/00000001   START CHUNK … CLOSE
 *
 * A record is a 48-byte header and a payload; docs/store.md has the layout. A checksum covers
 * header and payload, so "done" is a fact about bytes, never about a file's existence. START
 * carries the provenance of one start and, for each older epoch, the length that counts: what a
 * superseded writer adds later is ignored. RUN carries the head of the run (record/run.h without
 * its results). CHUNK carries one packed result. CLOSE ends a finished run.
 *
 * Not here: who may write (lock.h), the HDF5 store (store.h). Used by run_dir.c, store_*.c and
 * tests. Local; one thread at a time per object. */
#ifndef GE_STORE_JOURNAL_H
#define GE_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "record/run.h"

enum ge_journal_type {
    GE_JOURNAL_END = 0, /* reader only: nothing follows */
    GE_JOURNAL_START = 1,
    GE_JOURNAL_RUN = 2,
    GE_JOURNAL_CHUNK = 3,
    GE_JOURNAL_CLOSE = 4
};

enum { GE_JOURNAL_VERSION = 1, GE_JOURNAL_HEADER = 48 };

#define GE_JOURNAL_BATCH  ((size_t)4 << 20) /* a commit is due at this many pending bytes */
#define GE_JOURNAL_PERIOD 1.0               /* … or this many seconds after the first of them */

/* ---- scanning ---------------------------------------------------------------------------- */

/* Where the record of a chunk is; length 0: there is none. */
struct ge_journal_place {
    uint32_t epoch;
    uint32_t undone;         /* samples that the record left undone; 0: the chunk is done */
    uint64_t offset, length; /* of the whole record, header included */
};

/* One epoch file as the scan found it. The first later START seals it: fixes how many of its
 * bytes count. The tail is what lies between `valid` and `seen`: bytes torn by a crash. */
struct ge_journal_epoch {
    uint64_t size;       /* bytes in the file now */
    uint64_t valid;      /* bytes that count */
    uint64_t seen;       /* bytes in the file when it was sealed; `size` if it is not */
    uint64_t tail_check; /* checksum of the tail as recorded in the seal, or as it is now */
    uint64_t records;    /* records in the bytes that count */
    bool sealed;
    bool tail_intact; /* the tail still has its checksum */
};

/* What a journal holds: the head of the run and where each chunk's latest record is. Memory: the
 * head, 32 bytes a chunk, and one record while scanning. */
struct ge_journal_scan {
    char *dir;          /* <run>/journal */
    struct ge_run *run; /* head without results; NULL: the run never started */
    struct ge_journal_epoch *epochs;
    uint32_t n_epochs;
    struct ge_journal_place *chunks; /* (n_chunks) */
    uint64_t n_chunks;               /* chunks of the run: ge_run_chunks() */
    uint64_t n_done;                 /* chunks whose latest record has undone = 0 */
    uint64_t duplicates;             /* records of a chunk that was done already */
    uint64_t torn;                   /* invalid bytes at the end of the newest epoch */
    bool closed;
    struct ge_hash digest; /* of the close record */
};

/* Read and check all epochs of `dir`. No folder or no epoch: GE_OK with run = NULL. An invalid
 * tail that no later record calls durable is dropped and counted in `torn`; any other damage is
 * GE_EFORMAT naming file and offset. GE_EIO, GE_ENOMEM. Free with ge_journal_scan_free(). */
ge_status ge_journal_scan(const char *dir, struct ge_journal_scan *out);
void ge_journal_scan_free(struct ge_journal_scan *s);

/* Read one chunk's record again, check it against the run and unpack it into `arena`.
 * GE_ENOENT: the chunk has no record. GE_EFORMAT, GE_EIO, GE_ENOMEM. */
ge_status ge_journal_load(const struct ge_journal_scan *s, uint64_t chunk, struct ge_arena *arena,
                          struct ge_result *out);

/* ---- writing ----------------------------------------------------------------------------- */

struct ge_journal;

/* Asked after each fdatasync and before its records count as acknowledged: the lock's "is it
 * still ours". A failure sticks. */
typedef ge_status ge_journal_guard(void *ctx);

/* Open the epoch after those of `scan` and write START (with `provenance`, a JSON object) and,
 * when the journal has none yet, RUN with `run`'s head; both are durable on return. `run` is kept
 * borrowed to check results against. GE_ECONFLICT: the epoch exists already. GE_EIO, GE_ENOMEM. */
ge_status ge_journal_open(const struct ge_journal_scan *scan, const struct ge_run *run,
                          const char *provenance, ge_journal_guard *guard, void *guard_ctx,
                          struct ge_journal **out);

/* Append a chunk's result; *ticket (may be NULL) is the record's number. It is acknowledged when
 * ge_journal_acknowledged() > ticket. A result that breaks the run's tables, ranges or row order
 * is GE_EINTERNAL and is not written. Commits when GE_JOURNAL_BATCH bytes are pending. The first
 * I/O failure sticks: later calls return it, and nothing more is acknowledged. */
ge_status ge_journal_append(struct ge_journal *j, const struct ge_result *r, uint64_t *ticket);

/* Commit if records have waited for GE_JOURNAL_PERIOD; now = ge_now(). Blocks for an fdatasync. */
ge_status ge_journal_tick(struct ge_journal *j, double now);

/* Commit what is pending: one write, one fdatasync, the guard. */
ge_status ge_journal_sync(struct ge_journal *j);

/* End the journal of a finished run and commit. */
ge_status ge_journal_finish(struct ge_journal *j, uint64_t chunks, struct ge_hash digest);

uint64_t ge_journal_acknowledged(const struct ge_journal *j);
uint32_t ge_journal_epoch_number(const struct ge_journal *j);

/* Close without committing (sync first). *j = NULL; NULL is fine. */
void ge_journal_delete(struct ge_journal **j);

#endif
