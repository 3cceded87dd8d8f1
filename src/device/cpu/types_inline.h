/* Rows of the 16-bit types to float and back, for the kernel tables: every level compiles a copy of
 * its own. Private to src/device. */
#ifndef GE_DEVICE_CPU_TYPES_INLINE_H
#define GE_DEVICE_CPU_TYPES_INLINE_H

#include <stddef.h>

#include "base/half.h"
#include "device/device.h"

static void widen(enum ge_dtype type, const void *x, size_t n, float *y)
{
    const uint16_t *h = x;

    if (type == GE_BF16)
        for (size_t i = 0; i < n; i++) y[i] = ge_bf16_to_float(h[i]);
    else
        for (size_t i = 0; i < n; i++) y[i] = ge_fp16_to_float(h[i]);
}

static void narrow(enum ge_dtype type, const float *x, size_t n, void *y)
{
    uint16_t *h = y;

    if (type == GE_BF16)
        for (size_t i = 0; i < n; i++) h[i] = ge_float_to_bf16(x[i]);
    else
        for (size_t i = 0; i < n; i++) h[i] = ge_float_to_fp16(x[i]);
}

#endif
