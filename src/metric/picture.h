/* What a picture looks like, in a few numbers: for perceptual hashes and for finding copies. Two
 * pictures of the same prompt differ in many places; a copy, also one that was scaled or compressed
 * again, agrees in all of them, unless it was cropped or put into a larger picture: such copies are
 * not found. Pure; thread-safe. */
#ifndef GE_METRIC_PICTURE_H
#define GE_METRIC_PICTURE_H

#include <stdint.h>

#include "base/status.h"
#include "image/image.h"

enum {
    GE_PICTURE_GREY = 32,   /* side of the grey picture that the hash is made of */
    GE_PICTURE_COLOUR = 16, /* side of the colour picture that copies are compared by */
    GE_PICTURE_SIZE = GE_PICTURE_GREY * GE_PICTURE_GREY + 3 * GE_PICTURE_COLOUR * GE_PICTURE_COLOUR
};

/* The two small pictures, grey levels and RGB of 0 to 255, in out (GE_PICTURE_SIZE): grey by
 * Pillow's convert("L") and scaled by its Lanczos filter, RGB by its bicubic one, as Pillow 13 does.
 * Errors of ge_image_resize(). */
ge_status ge_picture_make(const struct ge_image *image, float *out);

/* The 64-bit perceptual hash of the PyPI package ImageHash (imagehash.phash): signs of the 8 x 8 lowest
 * cosine coefficients of the grey picture around their median, row-major, the first in the highest
 * bit. A constant picture has the first bit alone, a black one none. */
uint64_t ge_picture_phash(const float *picture);

/* Number of bits in which two hashes differ, 0 to 64. */
int ge_phash_distance(uint64_t a, uint64_t b);

/* Correlation of the colour pictures of an answer and a reference, in [-1, 1], after the mean colour of
 * each is taken off, so that a uniform change of brightness or tint hides no copy. Where an input
 * picture is given (of an edit), only the cells count in which the reference departs from it by more
 * than 8 levels: what both left as it was says nothing. NaN when fewer than 4 cells count or one of
 * the pictures is (nearly) constant there. input may be NULL. */
double ge_picture_correlation(const float *answer, const float *reference, const float *input);

/* From this correlation on an answer is a copy of the reference. docs/metric-notes.md tells how it
 * was chosen. */
#define GE_PICTURE_COPY 0.99

#endif
