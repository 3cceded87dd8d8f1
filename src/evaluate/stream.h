/* A list of image files to embeddings, as one stream:
 *
 *   decode pool: read, decode, resize ─► ring of pictures ─► encoder: batches there and back ─► rows
 *
 * Decoding runs ahead of the encoder by a few batches, and rows come in the order of the list,
 * whoever was quicker. Used by `gapeval embed` and `gapeval bench pipeline`; chunks of a run have
 * the engine (engine.h). Local. */
#ifndef GE_EVALUATE_STREAM_H
#define GE_EVALUATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"
#include "base/status.h"
#include "evaluate/pixels.h"
#include "model/encoder.h"

/* Rows of images [first, first + n) of the list: row i (dim) is NaN where status[i] is not GE_OK;
 * then reason[i] says why. All borrowed for the call. A failure ends the stream with it. */
typedef ge_status ge_stream_rows_fn(void *ctx, size_t first, size_t n, const float *rows,
                                    const ge_status *status, const char *const *reason);

struct ge_stream {
    struct ge_encoder *encoder; /* has an image tower */
    struct ge_pool *decode_pool;
    struct ge_pixels *pixels; /* NULL: the heap */
    bool normalize;
    ge_stream_rows_fn *rows;
    void *ctx;
};

/* Where the time went. Seconds. */
struct ge_stream_times {
    double total;
    double decode;  /* reading, decoding, resizing, summed over the threads */
    double starved; /* the encoder waited for pictures */
    double encode;  /* the rest of the encoder's thread: handing batches out, waiting for rows */
};

/* Embed n files. An image that cannot be read, or whose embedding is not finite, is a row of its
 * own status. GE_ENOMEM, GE_EDEVICE, and what `rows` returns. times may be NULL. */
ge_status ge_stream_images(const struct ge_stream *stream, const char *const *paths, size_t n,
                           struct ge_stream_times *times);

#endif
