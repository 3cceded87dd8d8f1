/* Running hashes over results in key order. Private to store/. */
#ifndef GE_STORE_DIGEST_H
#define GE_STORE_DIGEST_H

#include "base/hash.h"
#include "base/status.h"
#include "record/run.h"

enum ge_digest_rows { GE_DIGEST_SCORES, GE_DIGEST_VERDICTS, GE_DIGEST_ERRORS, GE_DIGEST_KINDS };

/* The run's digest (ge_store_digest()) for results that arrive one by one, in order. Each kind of
 * rows has a hash of its own, so that where one chunk ends and the next begins leaves no trace. */
struct ge_digest {
    const struct ge_run *run; /* borrowed: names of systems, items, metrics */
    struct ge_hasher *hasher[GE_DIGEST_KINDS];
    uint64_t rows[GE_DIGEST_KINDS];
};
ge_status ge_digest_begin(struct ge_digest *d, const struct ge_run *run);
void ge_digest_add(struct ge_digest *d, const struct ge_result *r);
struct ge_hash ge_digest_end(struct ge_digest *d); /* frees; harmless on a zeroed one */

/* Hash of everything in a run but its provenance: head and packed results. Tells whether two
 * sources hold the same, down to texts and embeddings. GE_ENOMEM. */
ge_status ge_content_hash(const struct ge_run *run, struct ge_hash *out);

#endif
