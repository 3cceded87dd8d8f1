/* The weights of a resize along one axis. Private to src/image. */
#ifndef GE_IMAGE_RESIZE_AXIS_H
#define GE_IMAGE_RESIZE_AXIS_H

#include "base/status.h"
#include "image/resize.h"
#include "image/resize_kernels.h"

/* What the weights of an axis follow from. */
struct ge_axis {
    int in, out;     /* pixels along the axis */
    int from, n;     /* output positions that are wanted */
    bool even_pairs; /* pairs of inputs begin at even positions */
    enum ge_resample filter;
    enum ge_resize_mode mode;
};

/* The weights, in *t, which is {0} on entry; ge_taps_free() also after a failure. GE_ELIMIT: so
 * long a side that they would take gigabytes. GE_ENOMEM. */
ge_status ge_taps_new(const struct ge_axis *axis, struct ge_taps *t);
void ge_taps_free(struct ge_taps *t);

#endif
