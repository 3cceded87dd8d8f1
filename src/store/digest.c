/* Digests: what a run says, without where, when and on what it was computed. */
#include "store/digest.h"

#include <string.h>

#include "base/mem.h"
#include "store/run_head.h"
#include "store/store.h"

ge_status ge_digest_begin(struct ge_digest *d, const struct ge_run *run)
{
    d->run = run;
    for (int k = 0; k < GE_DIGEST_KINDS; k++) {
        d->hasher[k] = ge_hasher_new();
        d->rows[k] = 0;
        if (d->hasher[k] == NULL) return GE_ENOMEM; /* ge_digest_end() frees the others */
    }
    return GE_OK;
}

/* The hasher of a kind of rows, fed with the key of the next row. */
static struct ge_hasher *next_row(struct ge_digest *d, enum ge_digest_rows kind, uint32_t cell,
                                  struct ge_key key)
{
    struct ge_hasher *h = d->hasher[kind];
    d->rows[kind]++;
    ge_hasher_add_u64(h, cell);
    ge_hasher_add_str(h, d->run->cells[cell].system);
    ge_hasher_add_str(h, d->run->items[key.item].id);
    ge_hasher_add_u64(h, key.direction);
    ge_hasher_add_u64(h, key.sample);
    return h;
}

void ge_digest_add(struct ge_digest *d, const struct ge_result *r)
{
    for (size_t i = 0; i < r->n_scores; i++) {
        struct ge_hasher *h = next_row(d, GE_DIGEST_SCORES, r->cell, r->scores[i].key);
        ge_hasher_add_str(h, d->run->metrics.v[r->scores[i].metric]);
        ge_hasher_add_f64(h, r->scores[i].value);
    }
    for (size_t i = 0; i < r->n_verdicts; i++) {
        struct ge_hasher *h = next_row(d, GE_DIGEST_VERDICTS, r->cell, r->verdicts[i].key);
        ge_hasher_add_f64(h, r->verdicts[i].value);
    }
    for (size_t i = 0; i < r->n_errors; i++) {
        struct ge_hasher *h = next_row(d, GE_DIGEST_ERRORS, r->cell, r->errors[i].key);
        ge_hasher_add_u64(h, r->errors[i].status);
    }
}

struct ge_hash ge_digest_end(struct ge_digest *d)
{
    struct {
        struct ge_hash hash;
        uint64_t rows;
    } kinds[GE_DIGEST_KINDS];
    memset(kinds, 0, sizeof kinds);
    for (int k = 0; k < GE_DIGEST_KINDS; k++) {
        if (d->hasher[k] == NULL) continue;
        kinds[k].hash = ge_hasher_get(d->hasher[k]);
        kinds[k].rows = d->rows[k];
        ge_hasher_delete(&d->hasher[k]);
    }
    return ge_hash_bytes(kinds, sizeof kinds);
}

ge_status ge_store_digest(const struct ge_run *run, struct ge_hash *out)
{
    struct ge_digest d = {0};
    ge_status rc = ge_digest_begin(&d, run);
    for (size_t i = 0; rc == GE_OK && i < run->n_results; i++) {
        ge_digest_add(&d, &run->results[i]);
    }
    *out = ge_digest_end(&d);
    return rc;
}

ge_status ge_content_hash(const struct ge_run *run, struct ge_hash *out)
{
    ge_status rc = GE_OK;
    struct ge_hasher *hasher = NULL;
    struct ge_buf packed;
    ge_buf_init(&packed, SIZE_MAX / 2);
    GE_TRY_PTR(hasher, ge_hasher_new());
    ge_run_head_pack(run, &packed);
    for (size_t i = 0; i <= run->n_results; i++) {
        GE_TRY(ge_buf_status(&packed));
        ge_hasher_add_u64(hasher, packed.len);
        ge_hasher_add(hasher, packed.data, packed.len);
        ge_buf_reset(&packed);
        if (i < run->n_results) ge_result_pack(&run->results[i], &packed);
    }
    *out = ge_hasher_get(hasher);
done:
    ge_hasher_delete(&hasher);
    ge_buf_free(&packed);
    return rc;
}
