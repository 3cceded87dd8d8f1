/* Pictures: a file's bytes in, 8-bit RGB out, with exactly the pixels that Pillow 13 gives for
 * Image.convert("RGB"): palettes expanded, grey replicated, 16-bit grey clipped at 255, other
 * 16-bit samples cut to their high byte, CMYK converted. JPEG, PNG and WebP (of an animation its
 * first frame). The kind is taken from the content, never from the file's name.
 *
 * Not here: scaling (resize.h), what an encoder wants (preprocess.h), encoding. Used by evaluate/
 * and cli/. Local; thread-safe: there is no state between calls.
 *
 * Hostile input: width, height, scans and chunk lengths are checked before any memory is taken
 * for them. Peak memory of one call is at most 12 bytes per declared pixel plus 32 MiB, beside the
 * file's own bytes. */
#ifndef GE_IMAGE_IMAGE_H
#define GE_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_image {
    int width, height; /* pixels, >= 1 */
    uint8_t *rgb;      /* (height, width, 3), row-major, owned */
    size_t room;       /* bytes at rgb that ge_image_decode_into() may use again; 0: unknown */
};

/* Free the pixels; the image is empty again. An empty one is fine. */
void ge_image_free(struct ge_image *image);

enum ge_image_format { GE_IMAGE_UNKNOWN, GE_IMAGE_JPEG, GE_IMAGE_PNG, GE_IMAGE_WEBP };

/* "jpeg", "png", "webp", "unknown". */
const char *ge_image_format_name(enum ge_image_format format);

/* What to do with an orientation note (EXIF, or XMP when EXIF has none). */
enum ge_image_exif {
    GE_EXIF_APPLY, /* turn the picture upright, as PIL.ImageOps.exif_transpose */
    GE_EXIF_IGNORE
};

/* What to do with transparency. */
enum ge_image_alpha {
    GE_ALPHA_DROP, /* keep the colour values, as Pillow's convert("RGB") */
    GE_ALPHA_WHITE /* composite over white, as Pillow's alpha_composite */
};

/* Caps on what a file may declare. */
struct ge_image_limits {
    uint64_t max_pixels;     /* width * height */
    int max_scans;           /* of a progressive JPEG */
    uint32_t max_chunk;      /* bytes of a PNG chunk other than image data */
    uint64_t max_file_bytes; /* of a file that is read by path */
};

#define GE_IMAGE_MAX_PIXELS     UINT64_C(89478485) /* Pillow's warning level */
#define GE_IMAGE_MAX_SCANS      100
#define GE_IMAGE_MAX_CHUNK      (UINT32_C(8) << 20)
#define GE_IMAGE_MAX_FILE_BYTES (UINT64_C(256) << 20)

struct ge_image_options {
    enum ge_image_exif exif;
    enum ge_image_alpha alpha;
    struct ge_image_limits limits;
};

/* Apply, drop, and the caps above: what transformers does when it is given a path. */
void ge_image_options_init(struct ge_image_options *opt);

/* Decode the bytes of one file; opt = NULL: the defaults. *out is owned by the caller
 * (ge_image_free), and empty after a failure. Every failure but the last is a property of the
 * input: GE_EFORMAT (broken, truncated, empty, not an image), GE_ELIMIT (beyond a cap),
 * GE_EUNSUPPORTED (a kind that is not handled), GE_ENOMEM. */
ge_status ge_image_decode(const void *data, size_t len, const struct ge_image_options *opt,
                          struct ge_image *out);

/* The same into a picture that was decoded before, or {0}: its memory is used again if it is enough,
 * which saves the time that fresh pages cost. After a failure it is empty but keeps its memory. */
ge_status ge_image_decode_into(const void *data, size_t len, const struct ge_image_options *opt,
                               struct ge_image *out);

/* The same as ge_image_decode() for a file; the message names the path. Also GE_ENOENT, GE_EIO. */
ge_status ge_image_decode_file(const char *path, const struct ge_image_options *opt,
                               struct ge_image *out);

/* Kind and stored size (before any turning) from the headers, without decoding. Out pointers may
 * be NULL. GE_EFORMAT. No cap is applied. */
ge_status ge_image_probe(const void *data, size_t len, int *width, int *height,
                         enum ge_image_format *format);

/* Append the name and version of the library for one format, as found now (where it can tell) and
 * as compiled with. */
struct ge_buf;
void ge_jpeg_library(struct ge_buf *out);
void ge_png_library(struct ge_buf *out);
void ge_webp_library(struct ge_buf *out);

#endif
