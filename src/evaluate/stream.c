#include "evaluate/stream.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/trace.h"
#include "image/preprocess.h"

enum { RING_BATCHES = 4 }; /* two on their way, one ready, one being decoded */

/* A place of the ring: image i of the list has place i % ring. */
struct place {
    uint8_t *pixels;
    char *reason; /* owned */
    ge_status status;
    bool ready;    /* decoded, or not readable */
    bool readable; /* it was sent to the encoder */
};

/* A batch that the encoder has. */
struct batch {
    size_t first, n, good; /* images of the list; of these, readable ones */
};

struct state {
    const struct ge_stream *stream;
    const struct ge_preprocess *preprocess;
    const char *const *paths;
    size_t n, batch, ring, dim, bytes;
    struct place *places;              /* [ring] */
    struct ge_image_scratch **scratch; /* of each thread that decodes */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t free_to; /* images below this may be decoded: their place is free */
    bool stop;
    double decode;

    /* of the encoder's thread */
    struct batch begun[GE_ENCODER_AHEAD]; /* oldest first */
    size_t n_begun;
    const uint8_t **pixels; /* [batch] */
    const char **reasons;   /* [batch] */
    ge_status *status;      /* [batch] */
    float *rows, *good;     /* (batch, dim) */
    double starved;
};

static struct place *place_of(struct state *s, size_t image)
{
    return &s->places[image % s->ring];
}

/* ---- decoding ----------------------------------------------------------------------------- */

/* False: the stream has been given up. */
static bool wait_for_place(struct state *s, size_t image)
{
    pthread_mutex_lock(&s->lock);
    while (image >= s->free_to && !s->stop) pthread_cond_wait(&s->changed, &s->lock);
    bool go = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return go;
}

/* Images are taken in order, so whoever waits for a place waits for earlier ones alone. */
static void decode_one(void *ctx, size_t i, int thread)
{
    struct state *s = ctx;
    struct place *p = place_of(s, i);
    double start, span;
    if (!wait_for_place(s, i)) return;
    start = ge_now();
    span = ge_trace_begin("decode");
    free(p->reason);
    p->reason = NULL;
    p->status = ge_preprocess_file(s->preprocess, s->paths[i], s->scratch[thread], p->pixels);
    if (p->status != GE_OK) p->reason = ge_strdup(ge_error());
    ge_trace_end("decode", span, 1);
    pthread_mutex_lock(&s->lock);
    p->ready = true;
    s->decode += ge_now() - start;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *decode_main(void *arg)
{
    struct state *s = arg;
    ge_trace_thread("decode");
    ge_pool_run(s->stream->decode_pool, s->n, decode_one, s);
    return NULL;
}

/* ---- encoding ----------------------------------------------------------------------------- */

static void wait_for_pictures(struct state *s, const struct batch *b)
{
    double start = ge_now();
    pthread_mutex_lock(&s->lock);
    for (size_t i = b->first; i < b->first + b->n; i++) {
        while (!place_of(s, i)->ready) pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    s->starved += ge_now() - start;
}

static void free_places(struct state *s, const struct batch *b)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = b->first; i < b->first + b->n; i++) place_of(s, i)->ready = false;
    s->free_to = b->first + b->n + s->ring;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static ge_status begin_batch(struct state *s, struct batch *b)
{
    ge_status rc = GE_OK;
    b->good = 0;
    for (size_t i = b->first; i < b->first + b->n; i++) {
        struct place *p = place_of(s, i);
        if (p->status == GE_ENOMEM) GE_TRY(ge_fail(GE_ENOMEM, "out of memory: %s", s->paths[i]));
        p->readable = p->status == GE_OK;
        if (p->readable) s->pixels[b->good++] = p->pixels;
    }
    if (b->good > 0) {
        GE_TRY(ge_encoder_begin(s->stream->encoder, s->pixels, b->good, s->stream->normalize));
    }
    s->begun[s->n_begun++] = *b;
done:
    return rc;
}

/* One of a batch's embeddings is not finite: each image alone, so that only the bad one is blamed. */
static ge_status encode_alone(struct state *s, const struct batch *b)
{
    ge_status rc = GE_OK;
    size_t good = 0;
    for (size_t i = b->first; i < b->first + b->n; i++) {
        struct place *p = place_of(s, i);
        const uint8_t *pixels = p->pixels;
        if (!p->readable) continue;
        rc = ge_encoder_images(s->stream->encoder, &pixels, 1, s->stream->normalize,
                               s->good + good++ * s->dim);
        if (!ge_status_is_content(rc)) GE_TRY(rc);
        if (rc == GE_OK) continue;
        p->status = rc;
        p->reason = ge_sprintf("%s: %s", s->paths[i], ge_error());
        rc = GE_OK;
    }
done:
    return rc;
}

/* Rows of the batch in the order of the list, from the good ones' embeddings. */
static ge_status give_rows(struct state *s, const struct batch *b)
{
    size_t good = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct place *p = place_of(s, b->first + i);
        float *row = s->rows + i * s->dim;
        s->status[i] = p->status;
        s->reasons[i] = p->reason != NULL ? p->reason : ge_status_name(p->status);
        if (p->status == GE_OK) memcpy(row, s->good + good * s->dim, s->dim * sizeof *row);
        for (size_t k = 0; p->status != GE_OK && k < s->dim; k++) row[k] = NAN;
        good += p->readable; /* it has an embedding, finite or not */
    }
    return s->stream->rows(s->stream->ctx, b->first, b->n, s->rows, s->status, s->reasons);
}

/* The oldest batch: its rows out, its places free. */
static ge_status finish_batch(struct state *s)
{
    const struct batch b = s->begun[0];
    ge_status rc = b.good > 0 ? ge_encoder_finish(s->stream->encoder, s->good) : GE_OK;
    if (ge_status_is_content(rc)) {
        rc = encode_alone(s, &b);
        /* the failure has dropped the batch behind it, too: begin that one again */
        const size_t behind = s->n_begun;
        for (size_t i = 1; rc == GE_OK && i < behind; i++) {
            struct batch again = s->begun[i];
            s->n_begun = i;
            rc = begin_batch(s, &again);
        }
    }
    GE_TRY(rc);
    GE_TRY(give_rows(s, &b));
    free_places(s, &b);
    memmove(&s->begun[0], &s->begun[1], (s->n_begun - 1) * sizeof s->begun[0]);
    s->n_begun--;
done:
    return rc;
}

static ge_status encode_all(struct state *s)
{
    ge_status rc = GE_OK;
    for (size_t first = 0; first < s->n || s->n_begun > 0;) {
        if (first == s->n || s->n_begun == GE_ENCODER_AHEAD) {
            double span = ge_trace_begin("embeddings back");
            GE_TRY(finish_batch(s));
            ge_trace_end("embeddings back", span, 1);
            continue;
        }
        struct batch b = {.first = first, .n = s->n - first < s->batch ? s->n - first : s->batch};
        wait_for_pictures(s, &b);
        double span = ge_trace_begin("encode batch");
        GE_TRY(begin_batch(s, &b));
        ge_trace_end("encode batch", span, b.n);
        first += b.n;
    }
done:
    return rc;
}

/* ---- the stream --------------------------------------------------------------------------- */

/* The pool's threads; without a pool the thread that runs the loop. */
static size_t decoders(const struct state *s)
{
    struct ge_pool *pool = s->stream->decode_pool;
    return pool != NULL ? (size_t)ge_pool_threads(pool) : 1;
}

static ge_status make_ring(struct state *s)
{
    ge_status rc = GE_OK;
    GE_NEW(s->places, s->ring);
    GE_TRY(ge_image_scratches_new(decoders(s), &s->scratch));
    GE_NEW(s->pixels, s->batch);
    GE_NEW(s->reasons, s->batch);
    GE_NEW(s->status, s->batch);
    GE_NEW(s->rows, s->batch * s->dim);
    GE_NEW(s->good, s->batch * s->dim);
    for (size_t i = 0; i < s->ring; i++) {
        GE_TRY_PTR(s->places[i].pixels, ge_pixels_get(s->stream->pixels, s->bytes));
    }
done:
    return rc;
}

static void free_ring(struct state *s)
{
    for (size_t i = 0; s->places != NULL && i < s->ring; i++) {
        ge_pixels_put(s->stream->pixels, s->places[i].pixels, s->bytes);
        free(s->places[i].reason);
    }
    ge_image_scratches_delete(decoders(s), &s->scratch);
    free(s->places);
    free(s->pixels);
    free(s->reasons);
    free(s->status);
    free(s->rows);
    free(s->good);
}

static ge_status run(struct state *s)
{
    ge_status rc = GE_OK;
    pthread_t decoder;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (pthread_create(&decoder, NULL, decode_main, s) != 0) {
        GE_TRY(ge_fail(GE_ENOMEM, "the decoding thread cannot start"));
    }
    rc = encode_all(s);
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(decoder, NULL);
    if (rc != GE_OK) ge_encoder_drop(s->stream->encoder); /* its pixels are about to go */
done:
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    return rc;
}

ge_status ge_stream_images(const struct ge_stream *stream, const char *const *paths, size_t n,
                           struct ge_stream_times *times)
{
    struct state s = {.stream = stream,
                      .preprocess = ge_encoder_preprocess(stream->encoder),
                      .paths = paths,
                      .n = n,
                      .dim = ge_encoder_dim(stream->encoder)};
    double start = ge_now();
    ge_status rc = GE_OK;
    if (s.preprocess == NULL) return ge_fail(GE_EINVAL, "the encoder has no image tower");
    s.batch = ge_encoder_batch(stream->encoder) < n ? ge_encoder_batch(stream->encoder) : n;
    s.ring = s.free_to = RING_BATCHES * s.batch < n ? RING_BATCHES * s.batch : n;
    s.bytes = ge_preprocess_size(s.preprocess);
    GE_TRY(make_ring(&s));
    GE_TRY(run(&s));
done:
    free_ring(&s);
    if (times != NULL) {
        *times = (struct ge_stream_times){
            .total = ge_now() - start, .decode = s.decode, .starved = s.starved};
        times->encode = times->total - s.starved;
    }
    return rc;
}
