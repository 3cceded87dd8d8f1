/* A short program over the device seam that uses every kernel of the CUDA module: what the tests of
 * thread orders, streams and faults run. */
#ifndef GE_TESTS_CUDA_PROGRAM_H
#define GE_TESTS_CUDA_PROGRAM_H

#include "device/device_ops.h"

struct program_options {
    enum ge_dtype dtype;
    bool small;     /* fewer rows, for runs over all faults */
    size_t longest; /* max_q and max_kv of attention, if larger than the sequences */
};

/* Open the device, run, and give the bytes of all results; free() them. On failure everything has
 * been given back, and the program may be run again. */
ge_status run_program(const struct program_options *opt, unsigned char **bytes, size_t *n);

#endif
