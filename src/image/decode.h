/* Between image.c and the decoders: one pair of functions per format. Not used outside this
 * folder. */
#ifndef GE_IMAGE_DECODE_H
#define GE_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* The format, from the first bytes. */
enum ge_image_format ge_image_sniff(const uint8_t *data, size_t len);

/* Size from the headers, of a JPEG also its orientation. GE_EFORMAT. */
ge_status ge_jpeg_probe(const uint8_t *data, size_t len, int *width, int *height, int *orientation);
ge_status ge_png_probe(const uint8_t *data, size_t len, int *width, int *height);
ge_status ge_webp_probe(const uint8_t *data, size_t len, int *width, int *height);

/* Decode into *out ({0}, or memory to use again; the caller frees it also after a failure). *orientation is
 * the file's note, 1…8, whatever opt->exif says; 1 if there is none. */
ge_status ge_jpeg_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         struct ge_image *out, int *orientation);
ge_status ge_png_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                        struct ge_image *out, int *orientation);
ge_status ge_webp_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         struct ge_image *out, int *orientation);

/* Where rows go as they are decoded: n of them, `stride` bytes apart, the first being row y of the
 * picture from column `left` on. Rows come in order; only the wanted columns are decoded. */
struct ge_row_sink {
    int left, columns; /* the columns that are wanted; within the picture */
    void (*put)(void *ctx, const uint8_t *rgb, size_t stride, int y, int n);
    void *ctx;
};

/* The same as ge_jpeg_decode() without a picture in memory. After a failure, which is the same one,
 * some rows may have been put. The sink must not fail. */
ge_status ge_jpeg_stream(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         const struct ge_row_sink *sink);

/* Refuse a declared size of zero or beyond the cap, before memory is taken for it. */
ge_status ge_image_check_size(const char *format, uint64_t width, uint64_t height,
                              const struct ge_image_limits *limits);

/* Memory for a checked size in *out, new or what it has; black, or _raw: not initialised, for whoever
 * writes every pixel or fails. */
ge_status ge_image_alloc(struct ge_image *out, int width, int height);
ge_status ge_image_alloc_raw(struct ge_image *out, int width, int height);

/* Orientation 1…8 from an EXIF block (with or without its "Exif\0\0" prefix) or, when that has
 * none, from XMP text. Either may be NULL with length 0. Anything malformed counts as absent. */
int ge_orientation(const uint8_t *exif, size_t exif_len, const uint8_t *xmp, size_t xmp_len);

/* Turn the picture upright for an orientation of 1…8. GE_ENOMEM. */
ge_status ge_image_turn(struct ge_image *image, int orientation);

/* One channel of Pillow's alpha_composite over opaque white (libImaging/AlphaComposite.c): 7
 * extra bits, rounded division by 255. */
static inline uint8_t ge_over_white(unsigned value, unsigned alpha)
{
    if (alpha == 0) return 255;
    unsigned front = alpha << 7, back = (255u << 7) - front;
    unsigned sum = value * front + 255u * back + (0x80u << 7);
    return (uint8_t)((((sum >> 8) + sum) >> 8) >> 7);
}

#endif
