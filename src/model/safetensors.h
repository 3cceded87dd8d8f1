/* Stored weights: one .safetensors file, or the shards named by an index, mapped read-only.
 *
 * Every rule of the format is checked when a file is opened, so that reading a tensor cannot run
 * outside the file. Not here: what the tensors mean (weights.h). Local; read-only after opening. */
#ifndef GE_MODEL_SAFETENSORS_H
#define GE_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

enum { GE_STORED_MAX_DIMS = 8 };

struct ge_stored {
    char *name;
    const char *file;  /* for messages; borrowed from the set */
    const char *dtype; /* "F32", …; static */
    size_t element;    /* bytes of one */
    size_t dims, shape[GE_STORED_MAX_DIMS];
    size_t count;              /* elements: the product of the shape */
    const unsigned char *data; /* count * element bytes in the mapping; any alignment */
};

struct ge_safetensors;

/* Open `folder`/model.safetensors, or else the shards of `folder`/model.safetensors.index.json.
 * GE_ENOENT: neither is there. GE_EFORMAT: a rule of the format is broken (header beyond the file
 * or over 100,000,000 bytes, holes, overlaps, sizes that do not match, names given twice, a tensor
 * missing from its shard, a shard name with a path in it). GE_EUNSUPPORTED: an element type that
 * has no size in whole bytes. GE_EIO, GE_ENOMEM. */
ge_status ge_safetensors_open(const char *folder, struct ge_safetensors **st);
void ge_safetensors_close(struct ge_safetensors **st); /* NULL is fine */

/* A tensor by its exact name, or NULL. */
const struct ge_stored *ge_safetensors_find(const struct ge_safetensors *st, const char *name);

/* Convert to float32, row-major; `out` has room for t->count. F64, F32, F16, BF16.
 * GE_EUNSUPPORTED: another type. GE_EFORMAT: a value is not finite. */
ge_status ge_stored_read(const struct ge_stored *t, float *out);

/* Feed the content of the files to a hash, in the order in which the index names them. */
void ge_safetensors_describe(const struct ge_safetensors *st, struct ge_hasher *h);

#endif
