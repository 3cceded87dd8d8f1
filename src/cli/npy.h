/* NumPy .npy files, written row by row: version 1.0, C order, little-endian. The file is written
 * aside and renamed when it is whole, so that a half-written one is never found under its name.
 * Used by embed and preprocess. Local. */
#ifndef GE_CLI_NPY_H
#define GE_CLI_NPY_H

#include <stddef.h>

#include "base/status.h"

struct ge_npy;

enum { GE_NPY_MAX_DIMS = 4 };

/* Begin `path`, an array of the given shape; type is "<f4" (float32) or "|u1" (uint8). GE_EINVAL:
 * `path` is a folder or device. GE_EIO: its folder cannot be written. GE_ELIMIT: a size beyond size_t. */
ge_status ge_npy_new(const char *path, const char *type, const size_t *shape, int n_dims,
                     struct ge_npy **out);

/* Append elements. GE_EINVAL: more than the shape holds. GE_EIO. */
ge_status ge_npy_add(struct ge_npy *f, const void *data, size_t bytes);

/* Sync and rename. GE_EINTERNAL: fewer elements than the shape holds. GE_EIO. */
ge_status ge_npy_finish(struct ge_npy *f);

/* Free; removes what is not finished. *f = NULL; NULL is fine. */
void ge_npy_delete(struct ge_npy **f);

#endif
