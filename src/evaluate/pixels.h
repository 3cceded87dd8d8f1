/* Memory for pictures on their way to a device: pieces of page-locked slabs, used again and again,
 * because locking pages is slow. Thread-safe. Used by the stages of evaluation and by streams. */
#ifndef GE_EVALUATE_PIXELS_H
#define GE_EVALUATE_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "device/device.h"

struct ge_pixels;

/* Pieces that `dev` reads without a copy in between, as far as the system lets pages be locked. The device outlives the pool. GE_ENOMEM. */
ge_status ge_pixels_new(struct ge_device *dev, struct ge_pixels **p);
void ge_pixels_delete(struct ge_pixels **p); /* all pieces are back; NULL is fine */

/* A piece of `bytes`, content undefined; p = NULL: from the heap. NULL: out of memory (GE_ENOMEM is
 * the thread's message). Give it back with the same p and size; NULL is fine there. */
uint8_t *ge_pixels_get(struct ge_pixels *p, size_t bytes);
void ge_pixels_put(struct ge_pixels *p, uint8_t *piece, size_t bytes);

#endif
