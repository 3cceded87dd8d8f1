/* What a kind of model gives to the encoder: sizes and two forward functions over the device's
 * operations. clip.c, siglip.c, dinov2.c and bert.c implement it; model.c lists them. Private to
 * src/model. */
#ifndef GE_MODEL_MODEL_H
#define GE_MODEL_MODEL_H

#include "base/json.h"
#include "image/preprocess.h"
#include "model/config.h"
#include "model/layers.h"
#include "model/vit.h"
#include "text/tokenizer.h"

/* Packed texts of one pass, on the host. */
struct ge_text_batch {
    const int32_t *ids;       /* (tokens) */
    const int32_t *positions; /* (tokens): place within the text */
    const int32_t *ends;      /* (texts): end of each one's tokens */
    const int32_t *skip;      /* (texts): tokens of a prompt that pooling leaves out */
    size_t tokens, texts, longest;
};

/* Text settings of a sentence encoder, which the encoder needs around its tokenizer. */
struct ge_sentence_text {
    const char *prompt;  /* put in front of every text; "" for none; borrowed */
    bool exclude_prompt; /* pooling leaves the prompt's tokens out */
    bool lowercase;      /* before the tokenizer's normalizer */
    size_t max_tokens;   /* 0: the tokenizer's own limit */
};

struct ge_model;
struct ge_model_source;
struct ge_model_ops {
    size_t size; /* bytes of the model's own struct, whose first member is struct ge_model */
    /* Fill a zeroed struct whose kind, dtype and workspace are set. `free` follows a failure, too. */
    ge_status (*load)(struct ge_model *m, const struct ge_model_source *src);
    /* n pictures to *out (n, dim), on the device */
    ge_status (*images)(struct ge_model *m, const struct ge_pictures *in, struct ge_tensor *out);
    ge_status (*texts)(struct ge_model *m, const struct ge_text_batch *b, struct ge_tensor *out);
    /* Token rows behind `layer` layers to *out (tokens, token_width); NULL: the kind has none */
    ge_status (*states)(struct ge_model *m, const struct ge_text_batch *b, size_t layer,
                        struct ge_tensor *out);
    /* Bytes of workspace of a pass over so many images, or over packed texts of so many tokens. */
    size_t (*bytes)(const struct ge_model *m, size_t images, size_t tokens);
    void (*describe)(const struct ge_model *m, struct ge_jsonw *w);
    void (*free)(struct ge_model *m); /* what `load` made; not the struct and its workspace */
};

/* One model_type of config.json. */
struct ge_model_kind {
    const char *type;
    const struct ge_model_ops *ops;
    bool images, texts; /* the towers that it has */
    enum ge_tokenizer_family tokenizer;
};

/* GE_EUNSUPPORTED for a type that is not handled (the message lists the known ones); `file` is the
 * config.json. */
ge_status ge_model_kind(const char *type, const char *file, const struct ge_model_kind **out);

/* Common head of the models' own structs. */
struct ge_model {
    const struct ge_model_kind *kind;
    struct ge_workspace ws;
    enum ge_dtype dtype;
    size_t dim;
    size_t height, width; /* of the pixels; 0: no image tower */
    size_t vocab;         /* rows of the token table */
    size_t max_tokens;    /* of one text, specials included */
    size_t token_layers;  /* layers, and elements of a token's row, of a kind with `states` */
    size_t token_width;
    size_t pad_to; /* every text is filled to this many tokens with pads, which count as
                             others do; 0: none is */
    const struct ge_sentence_text *sentence; /* NULL: not a sentence encoder */
    bool has_scale;                          /* a trained similarity scale */
    float logit_scale;                       /* its natural logarithm */
    float norm_epsilon;                      /* floor of the norm when an embedding is normalised */
};

struct ge_model_source {
    const struct ge_model_kind *kind;
    const char *folder;             /* the model as published */
    const char *transformer_folder; /* where its config.json and weights are; mostly the same */
    struct ge_device *dev;
    enum ge_dtype dtype;
    const ge_json *config;   /* config.json */
    const char *config_path; /* for messages */
    const struct ge_checkpoint *checkpoint;
    const struct ge_preprocess *preprocess; /* NULL without an image tower */
    struct ge_hasher *hasher;               /* is fed with every file that is read */
    const char *prompt;                     /* asked for by name; NULL: the folder's default */
};

/* The source's tensors; see struct ge_weights. */
struct ge_weights ge_model_weights(const struct ge_model_source *src, const char *const *prefixes);

/* The settings of one of two towers: the object `key` of config.json, or `override` (may be NULL) where
 * that is there, which is how transformers reads <tower>_config_dict. A kind of one tower has them at
 * the top. `section` is for messages. GE_EFORMAT: not an object. */
ge_status ge_model_tower(const struct ge_model_source *src, const char *key, const char *override,
                         const char *section, struct ge_config *out);

/* Read logit_scale. GE_EFORMAT: it is missing. */
ge_status ge_model_load_scale(struct ge_model *m, const struct ge_weights *w);

/* Load a model of src->kind. */
ge_status ge_model_new(const struct ge_model_source *src, struct ge_model **m);
void ge_model_delete(struct ge_model **m); /* NULL is fine */

extern const struct ge_model_ops ge_clip_ops, ge_siglip_ops, ge_dinov2_ops, ge_bert_ops;

#endif
