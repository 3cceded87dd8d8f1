/* The stack machine of a pickle, shared by pickle.c (opcodes) and pickle_torch.c (imports, storages
 * and tensors). Private to those. */
#ifndef GE_MODEL_PICKLE_MACHINE_H
#define GE_MODEL_PICKLE_MACHINE_H

#include <stdbool.h>

#include "model/pickle.h"

struct ge_pickle_machine {
    struct ge_pickle *p;
    size_t at, len;
    bool capped; /* len is GE_PICKLE_MAX_BYTES, not the file's end */
    struct ge_pickle_value *stack, *memo;
    size_t n_stack, n_memo, cap_stack, cap_memo;
    size_t *marks; /* heights of the stack */
    size_t n_marks, cap_marks;
};

/* GE_EFORMAT that names the byte. */
ge_status ge_pickle_bad(const struct ge_pickle_machine *m, const char *what);

/* Up to a newline, which is not in *length. */
ge_status ge_pickle_line(struct ge_pickle_machine *m, const char **text, size_t *length);

ge_status ge_pickle_push(struct ge_pickle_machine *m, struct ge_pickle_value v);

/* The upper n values, in the order in which they were pushed; valid until the next push. None is
 * below the last mark. */
ge_status ge_pickle_pop(struct ge_pickle_machine *m, size_t n, const struct ge_pickle_value **out);

/* Push a new sequence of n values that were just popped. */
ge_status ge_pickle_push_sequence(struct ge_pickle_machine *m, enum ge_pickle_kind kind,
                                  const struct ge_pickle_value *items, size_t n);

/* Carry out GLOBAL (an import), REDUCE (a call of one) and BINPERSID (a storage). */
ge_status ge_pickle_import(struct ge_pickle_machine *m);
ge_status ge_pickle_call(struct ge_pickle_machine *m);
ge_status ge_pickle_storage(struct ge_pickle_machine *m);

#endif
