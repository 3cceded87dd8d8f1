/* Encoders: images and texts to embeddings, loaded from Hugging Face folders as they are.
 *
 * One handle for every kind of model: CLIP and SigLIP (image and text towers), DINOv2 (images), and
 * sentence encoders of the BERT family with their sentence-transformers modules. The folder's config.json decides the kind. Includes what
 * belongs to the published model: tokenizer and preprocessing record. Not here: decoding and
 * resizing files (src/image), similarity (src/score).
 *
 * Digits: an input's embedding has the same bits whatever else is in the call, however the inputs
 * are split into calls, and for any number of threads (device.h). Local; an encoder and its device
 * are used by one thread at a time. */
#ifndef GE_MODEL_ENCODER_H
#define GE_MODEL_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "device/device.h"

struct ge_arena; /* base/arena.h */
struct ge_encoder;
struct ge_preprocess;          /* image/preprocess.h */
struct ge_preprocess_switches; /* image/preprocess.h */
struct ge_tokenizer;           /* text/tokenizer.h */
struct ge_tokens;              /* text/tokenizer.h */

struct ge_encoder_options {
    enum ge_dtype dtype; /* the type that is computed in; GE_F32 */
    size_t max_batch;    /* images per pass; a bound on memory, no influence on digits; 0: 16 */
    int threads;         /* that tokenize texts; 0: the caller's alone */
    size_t memory;       /* bytes of the device's memory that the weights may take; 0: all that is
                            free */
    const struct ge_preprocess_switches *switches; /* borrowed for the call; NULL: defaults */
    const char *prompt; /* name in config_sentence_transformers.json; NULL: its default or none */
};

/* Load a folder onto a device; `opt` may be NULL. The device must outlive the encoder.
 * GE_ENOENT, GE_EIO: a file is missing or unreadable. GE_EFORMAT: a file breaks its format, or a
 * tensor is missing or misshapen (named). GE_EUNSUPPORTED: another kind of model, activation,
 * tokenizer or dtype; the message lists the known ones. GE_ENOMEM: also when the device's memory
 * will not hold the weights; the message gives the figures. GE_ELIMIT, GE_EDEVICE. */
ge_status ge_encoder_load(const char *folder, struct ge_device *dev,
                          const struct ge_encoder_options *opt, struct ge_encoder **enc);
void ge_encoder_delete(struct ge_encoder **enc); /* NULL is fine */

const char *ge_encoder_kind(const struct ge_encoder *enc); /* model_type: "clip", "bert", … */
bool ge_encoder_has_image(const struct ge_encoder *enc);
bool ge_encoder_has_text(const struct ge_encoder *enc);
size_t ge_encoder_dim(const struct ge_encoder *enc); /* elements of an embedding */

/* True if the model has a trained similarity scale; then *scale = exp(logit_scale). `scale` may be
 * NULL. */
bool ge_encoder_logit_scale(const struct ge_encoder *enc, float *scale);

/* Height and width of the pixels that the image tower takes; false without an image tower. */
bool ge_encoder_image_size(const struct ge_encoder *enc, size_t *height, size_t *width);

/* The folder's preprocessing (NULL without an image tower) and tokenizer (NULL without a text
 * tower); borrowed. */
const struct ge_preprocess *ge_encoder_preprocess(const struct ge_encoder *enc);
const struct ge_tokenizer *ge_encoder_tokenizer(const struct ge_encoder *enc);

/* The most tokens of a text, specials included. */
size_t ge_encoder_max_tokens(const struct ge_encoder *enc);

/* Content hash of what the embeddings depend on besides the device: configuration, weights, type,
 * preprocessing record with its switches, tokenizer files, modules. Paths are not in it. */
struct ge_hash ge_encoder_hash(const struct ge_encoder *enc);

/* Append a JSON object: kind, sizes, dtype, files' hash, preprocessing and pooling. */
void ge_encoder_describe(const struct ge_encoder *enc, struct ge_buf *out);

/* Bytes of the device's memory: what the weights take, and what passes over the largest batches will
 * take beside them. */
size_t ge_encoder_weight_bytes(const struct ge_encoder *enc);
size_t ge_encoder_pass_bytes(const struct ge_encoder *enc);

/* Embed n preprocessed images: pixels[i] (height, width, 3) as ge_preprocess_pixels() leaves them,
 * out (n, dim), both on the host. `normalize`: divided by the Euclidean norm. When the device's
 * memory runs out the batches are halved from there on, which changes no digit. GE_EFORMAT: an
 * embedding is not finite (broken weights; the message gives the image's place). GE_EINVAL: no image
 * tower. GE_EDEVICE, GE_ENOMEM. */
ge_status ge_encoder_images(struct ge_encoder *enc, const uint8_t *const *pixels, size_t n,
                            bool normalize, float *out);

/* The same of tensors (n, 3, height, width), the numbers that the reference's image processor gives:
 * for comparing an encoder alone. */
ge_status ge_encoder_tensors(struct ge_encoder *enc, const float *tensors, size_t n, bool normalize,
                             float *out);

/* The same in two halves, so that the next batch travels to the device while one is computed and its
 * results travel back: begin with a batch of at most ge_encoder_batch() images, finish gives the
 * embeddings of the oldest batch that is on its way. At most GE_ENCODER_AHEAD may be; pixels stay as
 * they are until their batch is finished, and are read without a copy if they are in memory of
 * ge_host_new(). After a failure no batch is on its way. */
enum { GE_ENCODER_AHEAD = 2 };
size_t ge_encoder_batch(const struct ge_encoder *enc);
ge_status ge_encoder_begin(struct ge_encoder *enc, const uint8_t *const *pixels, size_t n,
                           bool normalize);
ge_status ge_encoder_finish(struct ge_encoder *enc, float *out);

/* Forget the batches that are on their way; waits until their pixels are no longer read. */
void ge_encoder_drop(struct ge_encoder *enc);

/* Embed n texts (UTF-8; broken bytes count as U+FFFD): out (n, dim) on the host; truncated[i] (may
 * be NULL) tells whether text i was longer than the model takes and was cut as the reference does.
 * Texts are packed, so padding is neither computed nor seen, unless the model counts its pads as
 * tokens. A prompt of the model stands in front of each. Errors as above, and those of
 * ge_tokenizer_encode(): of the first text that fails, whose place the message gives. */
ge_status ge_encoder_texts(struct ge_encoder *enc, const char *const *texts, size_t n,
                           bool normalize, float *out, unsigned char *truncated);

/* Token states: what the transformer has for each token of a text, as BERTScore compares them. Texts are
 * taken as bert_score takes them: without the white space around them (Python's), for RoBERTa with one
 * space in front, without the prompt of a sentence encoder, and cut at the tokenizer's own limit. */
struct ge_token_shape {
    size_t layers, width, vocab; /* of the transformer */
};

/* True if the model has token states (the BERT family); then *shape, which may be NULL. */
bool ge_encoder_token_shape(const struct ge_encoder *enc, struct ge_token_shape *shape);

/* Ids of a text that is taken like that. Errors of ge_tokenizer_encode(). */
ge_status ge_encoder_token_ids(struct ge_encoder *enc, const char *text, struct ge_tokens *out);

struct ge_token_states {
    size_t n, dim;      /* tokens, the specials around the text included; width */
    const int32_t *ids; /* (n) */
    const float *rows;  /* (n, dim), not normalised */
    bool truncated;     /* the text was longer than the model takes */
};

/* The states of n texts behind `layer` layers (0: the embeddings; at most shape.layers), in the arena.
 * GE_EINVAL: a model without token states, or no such layer. Other errors as above. */
ge_status ge_encoder_token_states(struct ge_encoder *enc, const char *const *texts, size_t n,
                                  size_t layer, struct ge_arena *arena,
                                  struct ge_token_states *out);

#endif
