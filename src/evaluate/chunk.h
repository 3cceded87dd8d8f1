/* A chunk on its way through the stages. Private to evaluate/. */
#ifndef GE_EVALUATE_CHUNK_H
#define GE_EVALUATE_CHUNK_H

#include "base/arena.h"
#include "evaluate/evaluate.h"

/* One text or image that one encoder must embed; unique in the chunk by (encoder, kind, prefix,
 * what). */
struct eval_input {
    int encoder;
    enum ge_input_kind kind;
    const char *prefix;     /* before a text; "" for none */
    const char *what;       /* the text, or the image's path; borrowed from the records */
    const char *text;       /* prefix and text; in the arena if there is a prefix */
    struct ge_hash content; /* of the text's or the file's bytes */
    ge_status status;       /* why it has no embedding */
    const char *reason;     /* in the arena; NULL while status is GE_OK */
    bool node_fault;        /* the failure is the node's, not the input's */
    bool truncated;         /* the text was cut to the encoder's length */
    uint8_t *pixels;        /* (height, width, 3), of the pool; NULL for texts and once embedded */
    float *embedding; /* (dim), in the arena; NULL until known, and for tokens. Of pictures and
                               pairs their numbers */
    struct ge_token_states *tokens; /* in `states`; NULL unless known, and for other kinds */
};

/* One answer to score, or one that is missing. */
struct eval_sample {
    struct ge_key key;
    const struct ge_task *task;
    const struct ge_answer *answer;        /* NULL: missing */
    const struct ge_task_scoring *scoring; /* NULL: the job does not say how */
    ge_status status;                      /* why it cannot be scored, known before encoding */
    const char *reason;
    bool node_fault;           /* the failure is the node's, not the answer's */
    struct ge_hash image_hash; /* of an answer image that no encoder looks at */
};

struct ge_eval_chunk {
    const struct ge_evaluator *ev; /* which made it */
    struct ge_arena *arena;
    struct ge_arena *states; /* token states, which only scoring needs; NULL: none */
    uint32_t cell, first, count;
    struct eval_sample *samples;
    size_t n_samples, cap_samples;
    struct eval_input *inputs;
    size_t n_inputs, cap_inputs;
    uint32_t *table; /* open addressing: input index + 1, 0 = free; size a power of two */
    size_t table_size;
    struct ge_result result;
    struct ge_eval_times times;
};

/* The encoder that a role's inputs go to; inputs without one (pictures and pairs) have a number of
 * their own. -1: the job names none. */
enum { GE_EVAL_NO_ENCODER = GE_EVAL_MAX_ENCODERS };
static inline int ge_eval_role_encoder(const struct ge_evaluator *ev, enum ge_role role)
{
    return ge_role_needs_encoder(role) ? ev->role_encoder[role] : GE_EVAL_NO_ENCODER;
}

/* The role by whose encoder an answer stands in a set of its like. */
static inline enum ge_role ge_eval_set_role(const struct ge_evaluator *ev,
                                            const struct ge_answer *answer)
{
    if (answer->text != NULL) return GE_ROLE_TEXT_TEXT;
    return ev->role_encoder[GE_ROLE_IMAGE_IMAGE] >= 0 ? GE_ROLE_IMAGE_IMAGE : GE_ROLE_IMAGE_TEXT;
}

/* Index of an input, or SIZE_MAX. */
size_t ge_eval_find_input(const struct ge_eval_chunk *c, int encoder, enum ge_input_kind kind,
                          const char *prefix, const char *what);

static inline bool ge_eval_is_embedded(const struct eval_input *in)
{
    return in->embedding != NULL || in->tokens != NULL;
}

/* Cache key of an input whose content is known. */
struct ge_hash ge_eval_cache_key(const struct ge_evaluator *ev, const struct eval_input *in);

/* Give an input's pixels back, if it has any. */
void ge_eval_free_pixels(const struct ge_evaluator *ev, struct eval_input *in);

/* Keep this thread's error message with an input. */
void ge_eval_fail_input(struct ge_eval_chunk *c, struct eval_input *in, ge_status status,
                        bool node_fault);

/* Keep a reason with a sample that cannot be scored. */
void ge_eval_fail_sample(struct ge_eval_chunk *c, struct eval_sample *s, ge_status status,
                         const char *reason);

/* Floats of an image input's embedding, or of what stands for it. */
size_t ge_eval_input_size(const struct ge_evaluator *ev, const struct eval_input *in);

/* Read, decode and resize the image inputs; failures are kept with them. */
ge_status ge_eval_prepare_images(struct ge_evaluator *ev, struct ge_eval_chunk *c);

/* Token states of one encoder's texts that are to be compared by them; the second stage's other half. */
ge_status ge_eval_encode_tokens(struct ge_evaluator *ev, struct ge_eval_chunk *c, int encoder);

/* Give the token states back: they are a thousand times the size of what is scored. */
void ge_eval_drop_tokens(struct ge_eval_chunk *c);

/* Samples whose answer image is broken or missing cannot be scored, whatever their rule. After
 * ge_eval_prepare_images(). */
ge_status ge_eval_check_answers(struct ge_evaluator *ev, struct ge_eval_chunk *c);

static inline bool ge_eval_is_cancelled(const struct ge_evaluator *ev)
{
    return ev->cancel != NULL && atomic_load(ev->cancel);
}

#endif
