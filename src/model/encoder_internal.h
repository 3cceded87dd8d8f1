/* An encoder's parts, shared by the encoder*.c files. Private to those. */
#ifndef GE_MODEL_ENCODER_INTERNAL_H
#define GE_MODEL_ENCODER_INTERNAL_H

#include "base/pool.h"
#include "model/encoder.h"
#include "model/model.h"

/* Embeddings on their way back from the device. */
struct ge_return {
    struct ge_tensor rows; /* (room, dim) in GE_F32, on the device */
    struct ge_fetch *fetch;
    size_t room;     /* rows that both can hold */
    size_t first, n; /* whose they are: inputs [first, first + n) of the call */
};

/* A batch of images on its way: pixels there, embeddings back. */
struct ge_flight {
    struct ge_stage *pixels;
    struct ge_return back;
};

/* Growing host arrays of one pass over texts. */
struct ge_packed {
    int32_t *ids, *positions, *ends, *skip;
    size_t tokens, texts, longest;
    size_t cap_ids, cap_positions, cap_ends, cap_skip;
};

/* Token ids of some texts that follow each other: what one tokenizing task gives. */
enum { GE_TEXTS_PER_TASK = 32 };
struct ge_token_run {
    int32_t *ids;
    size_t n, cap;
    size_t ends[GE_TEXTS_PER_TASK]; /* of each text in ids */
    ge_status status;               /* of the first text that failed, */
    size_t failed;                  /* its place in the call, */
    char *reason;                   /* and why; owned */
};

struct ge_encoder {
    struct ge_device *dev;
    struct ge_model *model;
    struct ge_hash hash;
    size_t weight_bytes;

    /* images */
    struct ge_preprocess preprocess;
    struct ge_tensor table; /* (3, 256): what normalising makes of every grey level */
    size_t max_batch;
    size_t pass; /* images per pass: max_batch, or fewer since the device's memory ran out */
    struct ge_flight flight[GE_ENCODER_AHEAD];
    size_t flown, flying; /* flights begun in all; of these not yet finished */

    /* texts */
    struct ge_tokenizer *tokenizer;
    struct ge_sentence_text text; /* prompt is borrowed from the model */
    size_t max_tokens;
    size_t max_states;        /* the most tokens of a text whose token states are asked for */
    size_t pass_tokens;       /* tokens per pass, unless one text has more */
    int32_t pad;              /* what texts are filled with, if they are */
    bool pad_left;            /* in front of the text */
    int32_t prompt_tokens;    /* that pooling leaves out */
    struct ge_pool *pool;     /* tokenizes; NULL: the caller does */
    struct ge_tokens *tokens; /* [threads of the pool] */
    int n_tokens;
    struct ge_token_run *runs; /* [cap_runs] of the current window */
    size_t cap_runs;
    struct ge_packed packed;
    struct ge_return back[GE_ENCODER_AHEAD]; /* of windows of texts */
};

/* Make `b` hold at least `rows` embeddings. GE_ENOMEM. */
ge_status ge_return_reserve(struct ge_encoder *e, struct ge_return *b, size_t rows);
void ge_return_free(struct ge_return *b);

/* Copy n rows of a pass, normalised if asked, to rows [at, at + n) of `b`. */
ge_status ge_return_put(struct ge_encoder *e, struct ge_return *b, size_t at, struct ge_tensor rows,
                        bool normalize);

/* Send back b->n rows, and wait for them: to `out`. GE_EFORMAT: one is not finite; `what` ("image")
 * and its place are in the message. */
ge_status ge_return_begin(struct ge_return *b);
ge_status ge_return_finish(struct ge_encoder *e, struct ge_return *b, const char *what, float *out);

/* A pass over `n` inputs failed with `rc`: true if it can be tried again with fewer, because memory
 * ran out and `n` is more than one. Gives the workspace back. */
bool ge_encoder_shrink(struct ge_encoder *e, ge_status rc, size_t n);

void ge_encoder_free_images(struct ge_encoder *e);
void ge_encoder_free_texts(struct ge_encoder *e);

#endif
