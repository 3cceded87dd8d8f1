/* Evaluation of chunks: items of one cell in, score and verdict rows out.
 *
 *   gather inputs ─► read, hash, decode, resize ─► encode ─► score ─► pack
 *   `──────────── prepare stage ───────────────'   `stage'   `─ score stage ─'
 *
 * One function a stage, so that a caller without threads (tests, `gapeval score`) runs them one
 * after the other and the engine (engine.h) overlaps them over consecutive chunks. What a sample
 * scores depends on that sample alone: neither on the chunk, nor the cache, nor the threads.
 *
 * Knows no MPI, no job file and no store: cli fills struct ge_evaluator. Local. */
#ifndef GE_EVALUATE_EVALUATE_H
#define GE_EVALUATE_EVALUATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/pool.h"
#include "base/status.h"
#include "evaluate/cache.h"
#include "evaluate/pixels.h"
#include "image/image.h"
#include "model/encoder.h"
#include "record/item.h"
#include "record/result.h"
#include "respond/respond.h"
#include "score/scorer.h"

/* One cell's part: whose answers. */
struct ge_eval_cell {
    struct ge_responder responder;
};

/* Everything that evaluation reads; read-only while chunks are evaluated, except the encoders
 * (used by the encode stage's thread alone) and the cache. All borrowed. */
struct ge_evaluator {
    const struct ge_item *items;
    const struct ge_eval_cell *cells;
    const struct ge_task_scoring *scoring; /* (n_scoring), sorted by task in byte order */
    size_t n_scoring;
    const struct ge_device *device;     /* of the encoders; NULL: a lost one is not noticed */
    struct ge_encoder *const *encoders; /* (n_encoders) */
    size_t n_encoders;                  /* at most GE_EVAL_MAX_ENCODERS */
    int role_encoder[GE_ROLES];         /* index into encoders; -1: none */
    size_t bertscore_layer;             /* whose token states GE_ROLE_BERTSCORE compares */
    struct ge_image_options image;      /* how files are decoded */
    bool drop_responses;                /* no response rows: what was answered */
    bool keep_embeddings;               /* embedding rows of the answers */
    bool empty_texts;                   /* an empty text is an answer to score, no error row */
    struct ge_cache *cache;             /* embeddings over chunks; NULL: none */
    struct ge_pixels *pixels;           /* memory of prepared images; NULL: the heap */
    struct ge_pool *decode_pool;        /* of the prepare stage; NULL: its own thread */
    double retry_backoff;               /* seconds before the second try of a failed read */
    /* Whether a path was missing when the run was planned: then ENOENT is content, otherwise a
     * failure of the node (design invariant 3). NULL: every ENOENT is content. */
    bool (*was_missing)(void *ctx, const char *path);
    void *was_missing_ctx;
    atomic_ullong progress;    /* grows with every input prepared or encoded */
    const atomic_bool *cancel; /* non-NULL and true: give up soon with GE_EINTERRUPTED */
};
enum { GE_EVAL_MAX_ENCODERS = 16 };

/* A chunk on its way through the stages; opaque. */
struct ge_eval_chunk;

/* Prepare stage: find the answers of items first…first+count-1 of a cell, collect the inputs that
 * their scores need, each once; look them up in the cache, read, decode and resize the rest.
 * Failures of single inputs are kept with them. GE_ENOMEM, GE_EINTERRUPTED. */
ge_status ge_eval_prepare(struct ge_evaluator *ev, uint32_t cell, uint32_t first, uint32_t count,
                          struct ge_eval_chunk **chunk);

/* Encode stage, the only one that uses the device: embed what is missing. A failure of the device
 * fails the whole chunk: GE_EDEVICE. GE_ENOMEM, GE_EINTERRUPTED. */
ge_status ge_eval_encode(struct ge_evaluator *ev, struct ge_eval_chunk *chunk);

/* Score stage: every sample's scores, verdict and rows. *result borrows from the chunk.
 * GE_ENOMEM. */
ge_status ge_eval_score(struct ge_evaluator *ev, struct ge_eval_chunk *chunk,
                        const struct ge_result **result);

void ge_eval_chunk_delete(struct ge_eval_chunk **chunk); /* NULL is fine */

/* Seconds spent in each part since the start, for provenance and `gapeval bench`. The prepare
 * stage's parts are summed over its threads. */
struct ge_eval_times {
    double read, decode, encode_images, encode_texts, score;
    uint64_t images_read, images_encoded, texts_encoded, cache_hits;
};
void ge_eval_times_add(struct ge_eval_times *sum, const struct ge_eval_times *part);
const struct ge_eval_times *ge_eval_chunk_times(const struct ge_eval_chunk *chunk);

/* Hash over the embeddings of fixed images and texts by every encoder: two nodes that compute the
 * same bits give the same hash. `full`: the images are also embedded as a whole batch, which takes
 * all the memory that a run will want, before it begins. GE_EDEVICE: also when an image's bits depend
 * on its batch. GE_ENOMEM. */
ge_status ge_eval_golden(struct ge_encoder *const *encoders, size_t n, bool full,
                         struct ge_hash *out);

#endif
