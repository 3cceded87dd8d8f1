/* Pillow's Image.resize on 8-bit RGB, bit for bit (libImaging/Resample.c and Geometry.c): weights
 * with 22 fractional bits, one pass per axis, each pass rounded and clamped to 8 bits.
 *
 * Not here: choosing the size (preprocess.h). Local; thread-safe. */
#ifndef GE_IMAGE_RESIZE_H
#define GE_IMAGE_RESIZE_H

#include "image/image.h"

/* Filters by the codes of Pillow and of Hugging Face files. */
enum ge_resample {
    GE_RESAMPLE_NEAREST = 0,
    GE_RESAMPLE_LANCZOS = 1,
    GE_RESAMPLE_BILINEAR = 2,
    GE_RESAMPLE_BICUBIC = 3,
    GE_RESAMPLE_BOX = 4
};

/* "nearest", …; NULL for a code that is not handled. */
const char *ge_resample_name(int code);

/* Whose order of the two passes: up to Pillow 12 the horizontal pass comes first, unless the
 * height shrinks and is more than 100 times the width; Pillow 13 takes the vertical pass first
 * when the height shrinks, and by more than twice as much as the width. */
enum ge_pillow { GE_PILLOW_12 = 12, GE_PILLOW_13 = 13 };

/* Scale `in` to width x height into *out (owned; empty after a failure). GE_EINVAL for a size
 * below 1, GE_ELIMIT for a side of a million pixels or more (a hostile shape: the weights would
 * take gigabytes), GE_ENOMEM. Memory: the result, one intermediate picture (new width and old
 * height, or the reverse), 16 rows and at most 48 MiB of weights. */
ge_status ge_image_resize(const struct ge_image *in, int width, int height, enum ge_resample filter,
                          enum ge_pillow pillow, struct ge_image *out);

#endif
