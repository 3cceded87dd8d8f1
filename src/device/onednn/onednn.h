/* What the files of this folder share. Private to src/device/onednn. */
#ifndef GE_DEVICE_ONEDNN_ONEDNN_H
#define GE_DEVICE_ONEDNN_ONEDNN_H

#include <dnnl.h>
#include <stddef.h>

#include "base/status.h"

/* GE_OK, or the library's failure to do `what`: GE_EDEVICE, GE_ENOMEM. */
ge_status ge_onednn_check(dnnl_status_t s, const char *what);

/* Median seconds of the library's own product (m, k) x (k, n) on the calling thread: the faster of
 * its matmul and its inner product, weights laid out as each likes best. */
ge_status ge_onednn_gemm_time(dnnl_engine_t engine, dnnl_stream_t stream, const size_t mnk[3],
                              int repeats, double *seconds);

#endif
