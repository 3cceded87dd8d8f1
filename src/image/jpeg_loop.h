/* libjpeg-turbo's own decoding loop, as its documentation writes it, with the settings of
 * decode_jpeg.c: what `gapeval bench decode` compares decoding with. Nothing else uses it. Local; a
 * loop belongs to one thread. */
#ifndef GE_IMAGE_JPEG_LOOP_H
#define GE_IMAGE_JPEG_LOOP_H

#include "image/image.h"

/* One decompressor, used again for every picture. */
struct ge_jpeg_loop;
ge_status ge_jpeg_loop_new(struct ge_jpeg_loop **loop); /* GE_ENOMEM */
void ge_jpeg_loop_delete(struct ge_jpeg_loop **loop);   /* NULL is fine */

/* Decode a grey or colour JPEG row by row; *out ({0} or decoded before) as for
 * ge_image_decode_into(), so that both write to the same memory. No cap is applied: only for files
 * that ge_image_decode() has taken. GE_EFORMAT, GE_ENOMEM. */
ge_status ge_jpeg_loop_run(struct ge_jpeg_loop *loop, const void *data, size_t len,
                           struct ge_image *out);

#endif
