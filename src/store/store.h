/* The result store: results.h5, packed from the journal; reading either into a ge_run; digest and
 * verification. docs/store.md documents the file; schema.h is the same as a table.
 *
 *   journal ──pack──► results.h5 + results.h5.sum ──read──► struct ge_run ──► aggregate, report
 *
 * HDF5 is not thread-safe here: all of store.h is called from one thread at a time. Knows no MPI.
 * Used by cli/, run_dir.c and tests. */
#ifndef GE_STORE_STORE_H
#define GE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "record/run.h"

enum { GE_STORE_SCHEMA = 1 }; /* version of results.h5 */

/* Pack `<dir>/journal` into `<dir>/results.h5`: written aside, closed, synced, renamed, with
 * `results.h5.sum` beside it. On failure the old store stays as it was. The caller holds the
 * folder's lock. Memory: the run's head, one chunk, about 16 MiB of column buffers.
 * An unfinished run gives a store that says so. GE_ENOENT: nothing was recorded yet. */
ge_status ge_store_pack(const char *dir);

/* Read a results.h5 whole. Its checksum file is checked first when there is one; a file without
 * one is read with every extent and index checked, and a warning. GE_EFORMAT, GE_EUNSUPPORTED
 * (a newer schema), GE_ENOENT, GE_EIO, GE_ENOMEM. Free with ge_run_delete(). */
ge_status ge_store_read(const char *path, struct ge_run **out);

/* The same from a run folder's journal. Chunks without a record are absent from run->results. */
ge_status ge_store_read_journal(const char *dir, struct ge_run **out);

/* Whichever the path names: a results.h5, or a run folder: its journal, which is never older than
 * the store, or its results.h5 when there is no journal or a damaged one. */
ge_status ge_store_open(const char *path, struct ge_run **out);

/* Digest of the score, verdict and error rows in key order: item ids, direction, sample, system
 * and position of the cell, metric, value bits, error code. Equal for any number of ranks and
 * threads; provenance, device and time are not in it. GE_ENOMEM. */
ge_status ge_store_digest(const struct ge_run *run, struct ge_hash *out);

/* ---- verification ------------------------------------------------------------------------- */

struct ge_finding {
    bool fault;       /* false: worth saying, but nothing is wrong */
    const char *path; /* file or folder */
    const char *text; /* one line */
};
typedef void ge_finding_fn(void *ctx, const struct ge_finding *finding);

/* Check a run folder (journal frames, sequences, every record, close record; results.h5 and its
 * checksum; that both hold the same; summary files of a finished run) or one results.h5. Each
 * finding is reported; *faults counts those with `fault`. The status is only about verification
 * itself (GE_ENOENT: nothing is there, GE_ENOMEM); damage is a finding, not a failure. */
ge_status ge_store_verify(const char *path, ge_finding_fn *report, void *ctx, uint64_t *faults);

/* Append the library's name and version, as found now and as compiled with. */
struct ge_buf;
void ge_store_library(struct ge_buf *out);

#endif
