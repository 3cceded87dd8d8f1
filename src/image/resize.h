/* Scaling 8-bit RGB pictures, bit for bit as the reference libraries do it: one pass per axis with
 * fixed-point weights, each pass rounded and clamped to 8 bits.
 *
 *   pil          Pillow's Image.resize (libImaging/Resample.c and Geometry.c): weights with 22
 *                fractional bits.
 *   torchvision  transforms.v2.functional.resize(antialias=True) of an 8-bit tensor on a CPU with
 *                AVX2 (aten/native/cpu/UpSampleKernel.cpp): 16-bit weights, with as many
 *                fractional bits as the largest weight of an axis allows; the horizontal pass is
 *                always first. No box filter.
 *
 * Not here: choosing the size (preprocess.h). Used by image/ alone. Local; thread-safe. */
#ifndef GE_IMAGE_RESIZE_H
#define GE_IMAGE_RESIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Whose resize: they differ in a few grey levels. */
enum ge_resize_mode { GE_RESIZE_PIL, GE_RESIZE_TORCHVISION };

/* "pil", "torchvision"; and back: false for another name. */
const char *ge_resize_mode_name(enum ge_resize_mode mode);
bool ge_resize_mode_find(const char *name, enum ge_resize_mode *mode);

/* Whose order of the two passes: up to Pillow 12 the horizontal pass comes first, unless the
 * height shrinks and is more than 100 times the width; Pillow 13 takes the vertical pass first
 * when the height shrinks, and by more than twice as much as the width. */
enum ge_pillow { GE_PILLOW_12 = 12, GE_PILLOW_13 = 13 };

struct ge_resize {
    int width, height; /* of the scaled picture */
    enum ge_resample filter;
    enum ge_resize_mode mode;
    enum ge_pillow pillow; /* for the mode pil */
};

/* A part of a picture. */
struct ge_window {
    int left, top, width, height;
};

/* Scale `in` into *out (owned; empty after a failure). GE_EINVAL for a size below 1, GE_ELIMIT for
 * a side of a million pixels or more (a hostile shape: the weights would take gigabytes),
 * GE_EUNSUPPORTED for a filter that the mode has not, GE_ENOMEM. Memory: the result, one
 * intermediate picture (new width and old height, or the reverse), 16 rows, and at most 20 MiB of
 * weights. */
ge_status ge_image_resize(const struct ge_image *in, const struct ge_resize *to,
                          struct ge_image *out);

/* Only a part of the scaled picture, which lies within it, into rows of `out` that are `stride`
 * bytes apart, with the i-th of the instruction-set levels that this CPU runs, 0 being the fastest,
 * which the function above uses: the same pixels. GE_EINVAL beyond the last level; other errors as
 * above. For tests. */
ge_status ge_image_resize_level(int level, const struct ge_image *in, const struct ge_resize *to,
                                const struct ge_window *part, uint8_t *out, size_t stride);

#endif
