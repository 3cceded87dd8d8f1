/* What an image encoder wants of a picture: scale, crop, and turn into numbers, as the image
 * processor of a Hugging Face folder does it in transformers, bit for bit, with its PIL backend or
 * with its torchvision backend on a CPU.
 *
 * Not here: decoding (image.h), the filters (resize.h), the encoder. Used by model/ (which owns
 * one per encoder), evaluate/ and cli/. Local; thread-safe: read-only after loading. */
#ifndef GE_IMAGE_PREPROCESS_H
#define GE_IMAGE_PREPROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "image/image.h"
#include "image/resize.h"

/* The job's choices; everything else comes from the model's folder. */
struct ge_preprocess_switches {
    struct ge_image_options image; /* EXIF, transparency, caps */
    enum ge_pillow pillow;
    enum ge_resize_mode resize;
};

/* Apply EXIF, drop alpha, Pillow 13, PIL resize, the caps of image.h. */
void ge_preprocess_switches_init(struct ge_preprocess_switches *sw);

struct ge_preprocess {
    struct ge_preprocess_switches sw;
    int height, width; /* of the result, 1…8192: the encoder's input size */
    bool do_resize;
    int shortest_edge; /* scale the shorter side to this; 0: to (resize_height, resize_width) */
    int resize_height, resize_width;
    enum ge_resample resample;
    bool do_center_crop; /* to (height, width); a smaller picture is padded with zeros */
    bool do_rescale;
    double rescale_factor;
    bool do_normalize;
    double mean[3], std[3]; /* of R, G, B after rescaling */
};

/* Load a model folder's settings: the "image_processor" object of processor_config.json, or else
 * preprocessor_config.json; what the file leaves out comes from the defaults of the processor's
 * class (CLIP, SigLIP, BiT as DINOv2 uses it, ViT). sw = NULL: the default switches.
 * GE_ENOENT (neither file), GE_EFORMAT (wrong type or out of range), GE_EUNSUPPORTED (a class or
 * a setting that would change pixels and is not handled, or a result without a fixed size),
 * GE_EIO, GE_ENOMEM. Messages name the file and the key. */
ge_status ge_preprocess_load(const char *folder, const struct ge_preprocess_switches *sw,
                             struct ge_preprocess *out);

/* Bytes of the pixels (also the number of floats of the tensor): height * width * 3. */
size_t ge_preprocess_size(const struct ge_preprocess *p);

/* Scale and crop into `pixels`, (height, width, 3) 8-bit RGB. GE_ELIMIT when a very long, thin
 * picture would be scaled beyond the pixel cap; GE_ENOMEM. */
ge_status ge_preprocess_pixels(const struct ge_preprocess *p, const struct ge_image *image,
                               uint8_t *pixels);

/* Memory and tables that serve again for the next picture. One per thread. */
struct ge_image_scratch;
ge_status ge_image_scratch_new(struct ge_image_scratch **s); /* GE_ENOMEM */
void ge_image_scratch_delete(struct ge_image_scratch **s);   /* NULL is fine */

/* One for each of n threads, in an array that is owned, too. GE_ENOMEM: *all is NULL. */
ge_status ge_image_scratches_new(size_t n, struct ge_image_scratch ***all);
void ge_image_scratches_delete(size_t n, struct ge_image_scratch ***all); /* NULL is fine */

/* Decode, scale and crop the bytes of one file: the same pixels as ge_image_decode() with sw.image
 * and then ge_preprocess_pixels(), in less time and memory: the rows of a JPEG that stands upright
 * are scaled as they are decoded, and columns that the crop cuts off are not decoded. scratch =
 * NULL: for this call only. Errors as those two. */
ge_status ge_preprocess_decode(const struct ge_preprocess *p, const void *data, size_t len,
                               struct ge_image_scratch *scratch, uint8_t *pixels);

/* The same for a file. Also GE_ENOENT, GE_EIO; the path is in the message. */
ge_status ge_preprocess_file(const struct ge_preprocess *p, const char *path,
                             struct ge_image_scratch *scratch, uint8_t *pixels);

/* Of every channel and grey level, exactly the number that ge_preprocess_tensor() makes of it: for a
 * device that turns pixels into numbers itself. */
void ge_preprocess_table(const struct ge_preprocess *p, float table[3][256]);

/* Pixels (height, width, 3) to `tensor`, (3, height, width) float32, in float32 but for the first
 * product:
 *   pil          v * factor in double, rounded; (x - mean) / std
 *   torchvision  (v - m) / s, with m and s the products of mean, of std, and 1 / factor; with one
 *                of the two steps alone: v * factor, or (v - mean) / std */
void ge_preprocess_tensor(const struct ge_preprocess *p, const uint8_t *pixels, float *tensor);

/* Feed every setting that can change a result (switches, too, but not the caps) to a hash. */
void ge_preprocess_describe(const struct ge_preprocess *p, struct ge_hasher *hasher);

/* The same settings as one line of JSON with a fixed order of keys. */
void ge_preprocess_json(const struct ge_preprocess *p, struct ge_buf *out);

#endif
