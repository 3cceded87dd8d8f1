/* Stored weights: the tensors of a folder's checkpoint files, mapped read-only.
 *
 * Two formats behind one interface: safetensors, and what torch.save() writes (pytorch_model.bin).
 * Every rule of a format is checked when a file is opened, so that reading a tensor cannot run
 * outside the file. Not here: what the tensors mean (weights.h). Local; read-only after opening. */
#ifndef GE_MODEL_CHECKPOINT_H
#define GE_MODEL_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

enum { GE_STORED_MAX_DIMS = 8 };

struct ge_stored {
    char *name;
    const char *file;  /* for messages; borrowed from the checkpoint */
    const char *dtype; /* "F32", …; static */
    size_t element;    /* bytes of one */
    size_t dims, shape[GE_STORED_MAX_DIMS];
    size_t stride[GE_STORED_MAX_DIMS]; /* elements; all of them are inside the mapping */
    size_t count;                      /* elements: the product of the shape */
    const unsigned char *data;         /* element 0, in the mapping; any alignment */
};

struct ge_checkpoint;

/* Open a folder's weights, in the order in which transformers looks for them: model.safetensors, the
 * shards of model.safetensors.index.json, pytorch_model.bin, the shards of
 * pytorch_model.bin.index.json. GE_ENOENT: none is there. GE_EFORMAT: a rule of the format is broken
 * (a header beyond the file, holes, overlaps, sizes that do not match, names given twice, a tensor
 * missing from its shard, a shard name with a path in it, a checksum). GE_EUNSUPPORTED: an element
 * type that has no size in whole bytes, or a pickle that holds more than tensors and plain values.
 * GE_ELIMIT, GE_EIO, GE_ENOMEM. */
ge_status ge_checkpoint_open(const char *folder, struct ge_checkpoint **c);
void ge_checkpoint_close(struct ge_checkpoint **c); /* NULL is fine */

/* A tensor by its exact name, or NULL. */
const struct ge_stored *ge_checkpoint_find(const struct ge_checkpoint *c, const char *name);

/* Elements of all tensors together. */
size_t ge_checkpoint_elements(const struct ge_checkpoint *c);

/* Convert to float32, row-major; `out` has room for t->count. F64, F32, F16, BF16.
 * GE_EUNSUPPORTED: another type. GE_EFORMAT: a value is not finite. */
ge_status ge_stored_read(const struct ge_stored *t, float *out);

/* Feed the content of the files to a hash, in the order in which the index names them. */
void ge_checkpoint_describe(const struct ge_checkpoint *c, struct ge_hasher *h);

#endif
