/* What a kind of model gives to the encoder: sizes and two forward functions over the device's
 * operations. clip.c and bert.c implement it; encoder.c chooses. Private to src/model. */
#ifndef GE_MODEL_MODEL_H
#define GE_MODEL_MODEL_H

#include "base/json.h"
#include "model/config.h"
#include "model/layers.h"

/* Packed texts of one pass, on the host. Stays unchanged until the pass's download. */
struct ge_text_batch {
    const int32_t *ids;       /* (tokens) */
    const int32_t *positions; /* (tokens): place within the text */
    const int32_t *ends;      /* (texts): end of each one's tokens */
    const int32_t *skip;      /* (texts): tokens of a prompt that pooling leaves out */
    size_t tokens, texts, longest;
};

struct ge_model;
struct ge_model_ops {
    const char *kind;
    /* pixels (n, 3, size, size) on the host to *out (n, dim) on the device; NULL: no image tower */
    ge_status (*images)(struct ge_model *m, const float *pixels, size_t n, struct ge_tensor *out);
    ge_status (*texts)(struct ge_model *m, const struct ge_text_batch *b, struct ge_tensor *out);
    void (*describe)(const struct ge_model *m, struct ge_jsonw *w);
    void (*free)(struct ge_model *m);
};

/* Common head of the models' own structs. */
struct ge_model {
    const struct ge_model_ops *ops;
    struct ge_workspace ws;
    enum ge_dtype dtype;
    size_t dim;
    size_t image_size;  /* height and width; 0: no image tower */
    size_t vocab;       /* rows of the token table */
    size_t max_tokens;  /* of one text, specials included */
    bool has_scale;     /* a trained similarity scale */
    float logit_scale;  /* its natural logarithm */
    float norm_epsilon; /* floor of the norm when an embedding is normalised */
};

struct ge_model_source {
    const char *folder;             /* the model as published */
    const char *transformer_folder; /* where its config.json and weights are; mostly the same */
    struct ge_device *dev;
    enum ge_dtype dtype;
    const ge_json *config;    /* config.json */
    const char *config_path;  /* for messages */
    struct ge_hasher *hasher; /* is fed with every file that is read */
    const char *prompt;       /* asked for by name; NULL: the folder's default */
};

ge_status ge_clip_load(const struct ge_model_source *src, struct ge_model **m);
ge_status ge_bert_load(const struct ge_model_source *src, struct ge_model **m);

/* Text settings of a sentence encoder, which the encoder needs around its tokenizer. */
struct ge_sentence_text {
    const char *prompt;  /* put in front of every text; "" for none; borrowed */
    bool exclude_prompt; /* pooling leaves the prompt's tokens out */
    bool lowercase;      /* before the tokenizer's normalizer */
    size_t max_tokens;   /* 0: the tokenizer's own limit */
};
const struct ge_sentence_text *ge_bert_text(const struct ge_model *m);

#endif
