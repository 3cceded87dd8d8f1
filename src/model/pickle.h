/* The pickles that torch.save() writes, and no others.
 *
 * A pickle is a program for a stack machine that may import and call anything. This machine knows
 * the opcodes of protocol 2 that a state dict needs, builds dicts, lists, tuples, plain values and
 * tensors, and refuses every import other than OrderedDict, the storage classes and the two
 * functions that rebuild tensors and parameters, which it carries out itself. Nothing is ever
 * imported or called. Not here: the file around it (torch_file.c). Private to src/model; local. */
#ifndef GE_MODEL_PICKLE_H
#define GE_MODEL_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/checkpoint.h"

enum { GE_PICKLE_MAX_BYTES = 4 << 20 }; /* some 20,000 tensors */

enum ge_pickle_kind {
    GE_PICKLE_ABSENT, /* no value at all */
    GE_PICKLE_NONE,
    GE_PICKLE_BOOL,
    GE_PICKLE_INT,
    GE_PICKLE_FLOAT, /* its value is not kept */
    GE_PICKLE_STRING,
    GE_PICKLE_TUPLE,
    GE_PICKLE_LIST,
    GE_PICKLE_DICT, /* keys and values in turn */
    GE_PICKLE_GLOBAL,
    GE_PICKLE_STORAGE,
    GE_PICKLE_TENSOR
};
const char *ge_pickle_kind_name(enum ge_pickle_kind k); /* "dict", … */

struct ge_pickle_value {
    enum ge_pickle_kind kind;
    uint32_t length; /* of a string, bytes */
    int64_t n;       /* a BOOL's or INT's value; the others' place in an array of ge_pickle */
};

struct ge_pickle_cell {
    struct ge_pickle_value value;
    uint32_t next; /* the next one's place + 1; 0: none */
};

/* A tuple, list or dict. Sequences may share items, even hold themselves; whoever walks deeper than
 * the top must bound it. */
struct ge_pickle_sequence {
    uint32_t first, last; /* places of cells + 1; 0: empty */
    uint32_t count;       /* cells */
};

struct ge_pickle_storage {
    const char *dtype; /* as in struct ge_stored */
    size_t element;    /* bytes of one */
    const char *key;   /* names its bytes in the file; not terminated */
    size_t key_length;
    size_t count; /* elements */
};

struct ge_pickle_tensor {
    size_t storage; /* its place in storages */
    size_t offset;  /* of element 0, in elements */
    size_t dims, shape[GE_STORED_MAX_DIMS], stride[GE_STORED_MAX_DIMS];
};

struct ge_pickle {
    const unsigned char *data; /* borrowed: strings are there */
    struct ge_pickle_value root;
    struct ge_pickle_cell *cells;
    struct ge_pickle_sequence *sequences;
    struct ge_pickle_storage *storages;
    struct ge_pickle_tensor *tensors;
    size_t n_cells, n_sequences, n_storages, n_tensors;
    size_t cap_cells, cap_sequences, cap_storages, cap_tensors;
};

/* Run the pickle at the start of `data` (up to len bytes, kept by the caller as long as p);
 * *used = its bytes. The caller frees after a failure, too. Messages do not name the file.
 * GE_EFORMAT: broken. GE_EUNSUPPORTED: an opcode or an import (named) that a state dict does not
 * need. GE_ELIMIT: over GE_PICKLE_MAX_BYTES. GE_ENOMEM. */
ge_status ge_pickle_read(struct ge_pickle *p, const unsigned char *data, size_t len, size_t *used);
void ge_pickle_free(struct ge_pickle *p);

/* Bytes of a STRING. */
const char *ge_pickle_text(const struct ge_pickle *p, struct ge_pickle_value v);

/* First cell of a tuple, list or dict and the one after a cell; NULL: none. */
const struct ge_pickle_cell *ge_pickle_first(const struct ge_pickle *p, struct ge_pickle_value v);
const struct ge_pickle_cell *ge_pickle_next(const struct ge_pickle *p,
                                            const struct ge_pickle_cell *c);

#endif
