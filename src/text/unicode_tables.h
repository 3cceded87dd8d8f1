/* Generated tables behind unicode.c; nobody else includes this. */
#ifndef GE_TEXT_UNICODE_TABLES_H
#define GE_TEXT_UNICODE_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* One word per run of code points of equal class: first code point << 11 | class bits. Sorted. The
 * second table has the classes that are asked for rarely. */
extern const uint32_t ge_unicode_classes[], ge_unicode_more_classes[];

/* By block of 256 code points, and one more: the row that holds the block's first code point. */
extern const uint16_t ge_unicode_blocks[], ge_unicode_more_blocks[];

/* Lowercase: every step-th code point of first…last moves by delta. Sorted, disjoint. U+0130, the
 * only one that becomes two, is not in it. */
struct ge_unicode_lower {
    uint32_t first, last, step;
    int32_t delta;
};
extern const struct ge_unicode_lower ge_unicode_lower[];
extern const size_t ge_unicode_n_lower;

#endif
