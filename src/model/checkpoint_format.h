/* What a checkpoint consists of, shared by checkpoint.c and the two formats. Private to those. */
#ifndef GE_MODEL_CHECKPOINT_FORMAT_H
#define GE_MODEL_CHECKPOINT_FORMAT_H

#include "model/checkpoint.h"

struct ge_shard {
    char *path;
    const void *map;
    size_t len;
    size_t first, n; /* its tensors in the checkpoint, while that is not yet sorted by name */
};

struct ge_checkpoint {
    struct ge_shard *shards;
    size_t n_shards, cap_shards;
    struct ge_stored *tensors; /* sorted by name once open */
    size_t n, cap;
};

/* Append an empty tensor of that name (n bytes, copied) from the file `path`. */
ge_status ge_checkpoint_add(struct ge_checkpoint *c, const char *path, const char *name, size_t n,
                            struct ge_stored **t);

/* Add the tensors of a mapped file, at least one byte long. */
ge_status ge_safetensors_parse(struct ge_checkpoint *c, struct ge_shard *s);
ge_status ge_torch_parse(struct ge_checkpoint *c, struct ge_shard *s);

#endif
