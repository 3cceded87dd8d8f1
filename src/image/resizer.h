/* A resize whose input may come row by row, and whose tables and memory serve again for the next
 * picture. One per thread. Private to src/image. */
#ifndef GE_IMAGE_RESIZER_H
#define GE_IMAGE_RESIZER_H

#include <stdbool.h>

#include "image/resize.h"
#include "image/resize_axis.h"

/* Memory that is used again, and lost only when it has to grow. */
struct ge_room {
    void *at;
    size_t bytes;
};

/* Make it n * size bytes at least. What was in it is lost. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_room_make(struct ge_room *room, size_t n, size_t size);
void ge_room_free(struct ge_room *room);

/* {0} is an empty one. */
struct ge_resizer {
    const struct ge_resize_kernels *kernels;
    struct ge_resize to;
    struct ge_window part;         /* of the result: what is wanted */
    int width, height;             /* of the input */
    struct ge_window need;         /* of the input: what the part depends on */
    bool across, down;             /* the axes that change */
    struct ge_axis x_axis, y_axis; /* whose weights are in x_taps, y_taps */
    struct ge_taps x_taps, y_taps;
    struct ge_room block;  /* of the horizontal pass */
    struct ge_room middle; /* the picture between the passes */
};

void ge_resizer_free(struct ge_resizer *r);

/* Get ready for a picture of width x height pixels. Errors as ge_image_resize(). */
ge_status ge_resizer_begin(struct ge_resizer *r, const struct ge_resize_kernels *kernels, int width,
                           int height, const struct ge_resize *to, const struct ge_window *part);

/* True if the picture may come row by row: the horizontal pass is the first, or the only one. */
bool ge_resizer_streams(const struct ge_resizer *r);

/* Rows y … y+n-1 of the picture from column need.left on, `stride` bytes apart. Each row once, in
 * any order; those beyond `need` are ignored. */
void ge_resizer_put(struct ge_resizer *r, const uint8_t *rgb, size_t stride, int y, int n);

/* The result, when all rows of `need` are there. */
void ge_resizer_finish(struct ge_resizer *r, uint8_t *out, size_t stride);

/* The result from the whole picture, whether it streams or not. GE_ENOMEM. */
ge_status ge_resizer_run(struct ge_resizer *r, const uint8_t *rgb, uint8_t *out, size_t stride);

#endif
