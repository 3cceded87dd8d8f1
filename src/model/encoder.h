/* Encoders: images and texts to embeddings, loaded from Hugging Face folders as they are.
 *
 * One handle for every kind of model: CLIP (image and text towers) and BERT sentence encoders with
 * their sentence-transformers modules. The folder's config.json decides the kind. Includes what
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

#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "device/device.h"

struct ge_encoder;
struct ge_preprocess;          /* image/preprocess.h */
struct ge_preprocess_switches; /* image/preprocess.h */
struct ge_tokenizer;           /* text/tokenizer.h */

struct ge_encoder_options {
    enum ge_dtype dtype; /* the type that is computed in; GE_F32 */
    size_t max_batch;    /* images per pass; a bound on memory, no influence on digits; 0: 16 */
    const struct ge_preprocess_switches *switches; /* borrowed for the call; NULL: defaults */
    const char *prompt; /* name in config_sentence_transformers.json; NULL: its default or none */
};

/* Load a folder onto a device; `opt` may be NULL. The device must outlive the encoder.
 * GE_ENOENT, GE_EIO: a file is missing or unreadable. GE_EFORMAT: a file breaks its format, or a
 * tensor is missing or misshapen (named). GE_EUNSUPPORTED: another kind of model, activation,
 * tokenizer or dtype; the message lists the known ones. GE_ELIMIT, GE_ENOMEM, GE_EDEVICE. */
ge_status ge_encoder_load(const char *folder, struct ge_device *dev,
                          const struct ge_encoder_options *opt, struct ge_encoder **enc);
void ge_encoder_delete(struct ge_encoder **enc); /* NULL is fine */

const char *ge_encoder_kind(const struct ge_encoder *enc); /* "clip" or "bert" */
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

/* Content hash of what the embeddings depend on besides the device: configuration, weights,
 * preprocessing record with its switches, tokenizer files, modules. Paths are not in it. */
struct ge_hash ge_encoder_hash(const struct ge_encoder *enc);

/* Append a JSON object: kind, sizes, dtype, files' hash, preprocessing and pooling. */
void ge_encoder_describe(const struct ge_encoder *enc, struct ge_buf *out);

/* Embed n preprocessed images: pixels (n, 3, height, width) as the preprocessing leaves them,
 * out (n, dim), both on the host. `normalize`: divided by the Euclidean norm. GE_EFORMAT: an
 * embedding is not finite (broken weights or pixels; the message gives the row). GE_EINVAL: no
 * image tower. GE_EDEVICE, GE_ENOMEM. */
ge_status ge_encoder_images(struct ge_encoder *enc, const float *pixels, size_t n, bool normalize,
                            float *out);

/* Embed n texts (UTF-8; broken bytes count as U+FFFD): out (n, dim) on the host; truncated[i] (may
 * be NULL) tells whether text i was longer than the model takes and was cut as the reference does.
 * Texts are packed, so padding is neither computed nor seen. A prompt of the model stands in front
 * of each. Errors as above, and those of ge_tokenizer_encode(). */
ge_status ge_encoder_texts(struct ge_encoder *enc, const char *const *texts, size_t n,
                           bool normalize, float *out, unsigned char *truncated);

#endif
