/* An encoder's parts, shared by encoder_load.c and encoder.c. Private to those. */
#ifndef GE_MODEL_ENCODER_INTERNAL_H
#define GE_MODEL_ENCODER_INTERNAL_H

#include "model/encoder.h"
#include "model/model.h"

/* Growing host arrays of one pass over texts. */
struct ge_packed {
    int32_t *ids, *positions, *ends, *skip;
    size_t tokens, texts, longest;
    size_t cap_ids, cap_positions, cap_ends, cap_skip;
};

struct ge_encoder {
    struct ge_device *dev;
    struct ge_model *model;
    struct ge_preprocess preprocess; /* of an image tower */
    struct ge_tokenizer *tokenizer;  /* of a text tower */
    struct ge_hash hash;
    struct ge_sentence_text text; /* prompt is borrowed from the model */
    size_t max_batch, max_tokens;
    int32_t pad;           /* what texts are filled with, if they are */
    bool pad_left;         /* in front of the text */
    int32_t prompt_tokens; /* that pooling leaves out */
    struct ge_packed packed;
    struct ge_tokens tokens;
};

#endif
