/* The inner loops of resize.c: weighted sums of 8-bit inputs in 32-bit integers.
 *
 * resize_kernels.c is compiled once per instruction-set level. Sums are integers modulo 2^32, which
 * have the same bits whatever the width and the order of the additions. Private to src/image. */
#ifndef GE_IMAGE_RESIZE_KERNELS_H
#define GE_IMAGE_RESIZE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A wide weight is too long for the instructions that multiply 16-bit integers, and is kept in two
 * parts: weight = high * 2^11 + low, 0 <= low < 2^11. A narrow weight is its high part alone. */
enum { GE_LOW_BITS = 11 };

/* One output position: a weighted sum of consecutive inputs, which come in pairs because one
 * instruction multiplies two of them and adds. */
struct ge_tap {
    int32_t first; /* input position of the first pair */
    int32_t pairs;
    int32_t k; /* the first pair's weights */
};

/* Consecutive output positions of one axis. An input of a pair that is not wanted has weight 0. */
struct ge_taps {
    int n;              /* output positions */
    struct ge_tap *tap; /* (n); first is counted from `origin` */
    int origin, reach;  /* the input positions that the weights reach: the first, how many */
    int16_t (*k)[4];    /* weights of a pair: high parts, low parts */
    bool wide;
    int precision;                  /* fractional bits of a weight, 1…22 */
    uint32_t start_high, start_low; /* what sums begin with: the half that rounds, and 0 */
};

struct ge_resize_kernels {
    const char *level; /* "base", "avx2", "avx512" */
    int rows;          /* that the horizontal pass takes at once: a block */

    /* Bring `count` rows of `width` pixels, `stride` bytes apart, into the order in which
     * sum_columns reads them: block (pairs of columns, 3, rows, 2), the two columns of a pair side
     * by side. There are ceil(width / 4) * 2 pairs; missing columns are 0, missing rows repeat the
     * last one. */
    void (*gather)(const uint8_t *rgb, size_t stride, int width, int count, int16_t *block);

    /* All output columns of the first `count` rows of a block, into rows `stride` bytes apart. The
     * pairs of `t` begin at even positions. */
    void (*sum_columns)(const struct ge_taps *t, const int16_t *block, int count, uint8_t *out,
                        size_t stride);

    /* n bytes of output row i, from `reach` input rows that are `stride` bytes apart. */
    void (*sum_rows)(const struct ge_taps *t, int i, const uint8_t *rgb, size_t stride, size_t n,
                     uint8_t *out);
};

/* Those that this CPU runs, the fastest first; NULL beyond the last. */
const struct ge_resize_kernels *ge_resize_kernels(int i);

#endif
