/* Checked size arithmetic and allocation with fault injection.
 *
 * All heap memory of the program comes from here, so that a test can make the N-th allocation
 * fail (GAPEVAL_FAULT_ALLOC=N in the environment, or ge_mem_fail_at()). Local; thread-safe. */
#ifndef GE_BASE_MEM_H
#define GE_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* *out = a*b or a+b. GE_ELIMIT (message set) on overflow, *out untouched. */
ge_status ge_mul(size_t a, size_t b, size_t *out);
ge_status ge_add(size_t a, size_t b, size_t *out);

/* *out = v as int. GE_ELIMIT if it does not fit. */
ge_status ge_to_int(size_t v, int *out);

/* Zeroed memory for n elements of `size` bytes; NULL (message set) when out of memory or on
 * overflow. n = 0 gives a valid pointer, so NULL always means failure. Free with free(). */
void *ge_calloc(size_t n, size_t size);

/* Resize to n elements; the new part is not zeroed. On NULL the old block is still valid. */
void *ge_realloc(void *p, size_t n, size_t size);

/* Zeroed memory aligned to 64 bytes (cache line, AVX-512). Free with free(). */
void *ge_calloc_aligned(size_t n, size_t size);

/* Copy of a string, or of its first n bytes plus NUL; NULL when out of memory. Free with free(). */
char *ge_strdup(const char *s);
char *ge_strndup(const char *s, size_t n);

/* Heap string from a format; NULL when out of memory. Free with free(). */
char *ge_sprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Make the n-th allocation from now on (1 = the next) fail once; `persistent`: and all after it.
 * n = 0 switches injection off. Test use. */
void ge_mem_fail_at(uint64_t n, int persistent);
int ge_mem_fault_pending(void); /* it has not come to the n-th yet */

/* Allocate n elements for pointer p; on failure rc = GE_ENOMEM and goto done. */
#define GE_NEW(p, n)                                                                               \
    do {                                                                                           \
        (p) = ge_calloc((n), sizeof *(p));                                                         \
        if ((p) == NULL) {                                                                         \
            rc = GE_ENOMEM;                                                                        \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/* Assign a pointer-valued expression to p; NULL means GE_ENOMEM and goto done. */
#define GE_TRY_PTR(p, expr)                                                                        \
    do {                                                                                           \
        (p) = (expr);                                                                              \
        if ((p) == NULL) {                                                                         \
            rc = GE_ENOMEM;                                                                        \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/* Resize array p to n elements; on failure rc = GE_ENOMEM and goto done (the array stays valid). */
#define GE_RESIZE(p, n)                                                                            \
    do {                                                                                           \
        void *resize_p_ = ge_realloc((p), (n), sizeof *(p));                                       \
        if (resize_p_ == NULL) {                                                                   \
            rc = GE_ENOMEM;                                                                        \
            goto done;                                                                             \
        }                                                                                          \
        (p) = resize_p_;                                                                           \
    } while (0)

/* Make room for one more element in a growing array of n used and *cap allocated ones.
 * Doubles; on failure rc = GE_ENOMEM and goto done (the array stays valid). */
#define GE_GROW(p, n, cap)                                                                         \
    do {                                                                                           \
        if ((n) >= (cap)) {                                                                        \
            size_t grow_cap_ = (cap) == 0 ? 8 : 2 * (size_t)(cap);                                 \
            void *grow_p_ = ge_realloc((p), grow_cap_, sizeof *(p));                               \
            if (grow_p_ == NULL) {                                                                 \
                rc = GE_ENOMEM;                                                                    \
                goto done;                                                                         \
            }                                                                                      \
            (p) = grow_p_;                                                                         \
            (cap) = grow_cap_;                                                                     \
        }                                                                                          \
    } while (0)

#endif
