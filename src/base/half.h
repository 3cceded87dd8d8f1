/* The two 16-bit floating-point types of neural networks, converted from and to float in software:
 * the same bits on every machine, and without branches, so that the compiler can vectorise loops.
 *
 *   bf16   1 sign, 8 exponent, 7 fraction bits: the upper half of a float
 *   fp16   1 sign, 5 exponent, 10 fraction bits: IEEE 754 binary16
 *
 * To float is exact. From float rounds to the nearest value, ties to the even one; what is beyond
 * the largest number becomes infinity, small numbers become subnormal ones or zero, NaN stays NaN
 * with its sign. */
#ifndef GE_BASE_HALF_H
#define GE_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t ge_float_bits(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float ge_bits_float(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline float ge_bf16_to_float(uint16_t h)
{
    return ge_bits_float((uint32_t)h << 16);
}

static inline uint16_t ge_float_to_bf16(float f)
{
    uint32_t bits = ge_float_bits(f);
    uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    uint32_t nan = bits >> 16 | 0x40u; /* quiet, or a small payload would round to infinity */

    return (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? nan : rounded);
}

static inline float ge_fp16_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, magnitude = (uint32_t)(h & 0x7FFFu) << 13;
    /* The bits in a float's places, 112 exponents too low: a product by a power of two is exact and
     * makes normal numbers of the subnormal ones. */
    uint32_t finite = ge_float_bits(ge_bits_float(magnitude) * 0x1p112f);
    uint32_t special = magnitude | 0x7F800000u; /* infinity, NaN */

    return ge_bits_float(sign | (magnitude >= 0x0F800000u ? special : finite));
}

static inline uint16_t ge_float_to_fp16(float f)
{
    uint32_t bits = ge_float_bits(f), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
    uint32_t normal = (magnitude - 0x38000000u + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
    /* Below 2^-14: the last place of 0.5f is the smallest fp16, so the sum rounds to a multiple. */
    uint32_t small = ge_float_bits(ge_bits_float(magnitude) + 0.5f) - 0x3F000000u;
    uint32_t nan = 0x7E00u | (magnitude >> 13 & 0x3FFu);
    uint32_t h = magnitude < 0x38800000u ? small : normal;

    h = magnitude >= 0x477FF000u ? 0x7C00u : h; /* 65520, half way to 2^16, and beyond */
    h = magnitude > 0x7F800000u ? nan : h;
    return (uint16_t)(sign | h);
}

#endif
