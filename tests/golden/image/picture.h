/* The pictures that make_resize.py and make_preprocess.py draw, for the tests that read their
 * files. */
#ifndef GE_TESTS_GOLDEN_IMAGE_PICTURE_H
#define GE_TESTS_GOLDEN_IMAGE_PICTURE_H

#include "base/mem.h"
#include "image/image.h"

/* Byte i is the top byte of a 32-bit hash of i; one picture in four has only 0 and 255. The caller
 * frees it. */
static inline void draw_picture(uint32_t seed, int width, int height, struct ge_image *image)
{
    size_t n = (size_t)width * (size_t)height * 3;
    *image = (struct ge_image){.width = width, .height = height, .rgb = ge_calloc(n, 1)};
    assert_non_null(image->rgb);
    for (size_t i = 0; i < n; i++) {
        uint32_t x = ((uint32_t)i + seed * 7919u) * 2654435761u;
        x = (x ^ (x >> 15)) * 2246822519u;
        uint8_t v = (uint8_t)((x ^ (x >> 13)) >> 24);
        image->rgb[i] = seed % 4 != 0 ? v : v < 128 ? 0 : 255;
    }
}

#endif
