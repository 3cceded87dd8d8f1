/* What embed, tokenize, preprocess and bench read: lists of images and texts, the image switches,
 * a device, and batches of decoded images. Local. */
#ifndef GE_CLI_INPUTS_H
#define GE_CLI_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/pool.h"
#include "base/status.h"
#include "device/device.h"
#include "image/preprocess.h"

/* Paths or texts in order; everything is in the arena. */
struct ge_inputs {
    struct ge_arena *arena;
    const char **v;
    size_t n;
};
void ge_inputs_free(struct ge_inputs *in); /* an empty one ({0}) is fine */

/* Images: the regular files of a folder in byte order, not of the folders in it; or a list, one
 * path per line, relative to the current folder, empty lines skipped. GE_EINVAL: no image is
 * named. GE_EFORMAT: a NUL in the list. GE_ENOENT, GE_EIO, GE_ELIMIT (list beyond 2 GiB). */
ge_status ge_inputs_images(const char *path, struct ge_inputs *out);

/* Texts: one per line, an empty line being an empty text; or a JSON string per line when the name
 * ends in ".jsonl". Bytes that are not UTF-8 stay as they are, with a warning that names the first
 * such line (JSON: GE_EFORMAT). Errors as above. */
ge_status ge_inputs_texts(const char *path, struct ge_inputs *out);

/* The image switches as given on the command line; NULL: the default. GE_EINVAL names the flag and
 * what it takes. */
struct ge_image_flags {
    const char *exif, *alpha, *pillow, *resize;
};
ge_status ge_image_flags_read(const struct ge_image_flags *f, struct ge_preprocess_switches *out);

/* Open a device by name (NULL: auto) for a type (NULL: fp32) at an instruction-set level (NULL:
 * native); threads 0: all; with the tuned table of a file (NULL: none). */
struct ge_device_flags {
    const char *device, *dtype, *level;
    long threads;
    const char *tuned;
};
ge_status ge_inputs_device(const struct ge_device_flags *f, struct ge_device **dev);

/* The type that `name` says; NULL: fp32. GE_EINVAL. */
ge_status ge_inputs_dtype(const char *name, enum ge_dtype *dtype);

/* Refuse an output path that is there and no regular file: it would be replaced. GE_EINVAL. */
ge_status ge_check_out(const char *path);

/* ---- batches of images ---------------------------------------------------------------------- */

/* Up to `cap` images, decoded and resized by a pool. */
struct ge_image_batch {
    const struct ge_preprocess *p;
    struct ge_pool *pool;              /* borrowed; NULL: the caller's thread */
    struct ge_image_scratch **scratch; /* of each thread */
    size_t cap, size;                  /* size: bytes of one image's pixels */
    uint8_t *pixels;   /* (cap, height, width, 3); zeros where an image cannot be read */
    ge_status *status; /* (cap) */
    char **reason;     /* (cap) why not, owned; NULL where it can be read */
};
ge_status ge_image_batch_init(struct ge_image_batch *b, const struct ge_preprocess *p,
                              struct ge_pool *pool, size_t cap);
void ge_image_batch_free(struct ge_image_batch *b);

/* Read n <= cap images. One that cannot be read is said to people and counted in *bad. GE_ENOMEM:
 * the batch is unusable. */
ge_status ge_image_batch_read(struct ge_image_batch *b, const char *const *paths, size_t n,
                              size_t *bad);

#endif
