/* Allocation with checked sizes; every block of the program is counted here. */
#include "base/mem.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

ge_status ge_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) return ge_fail(GE_ELIMIT, "size %zu x %zu overflows", a, b);
    *out = a * b;
    return GE_OK;
}

ge_status ge_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) return ge_fail(GE_ELIMIT, "size %zu + %zu overflows", a, b);
    *out = a + b;
    return GE_OK;
}

ge_status ge_to_int(size_t v, int *out)
{
    if (v > INT_MAX) return ge_fail(GE_ELIMIT, "%zu does not fit an int", v);
    *out = (int)v;
    return GE_OK;
}

/* ---- fault injection ------------------------------------------------------------------------ */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_ullong countdown; /* allocations until the failing one; 0: off */
static atomic_bool persistent_fault;

/* GAPEVAL_FAULT_ALLOC=N fails the N-th allocation, N+ also all after it. */
static void read_environment(void)
{
    const char *text = getenv("GAPEVAL_FAULT_ALLOC");
    if (text == NULL) return;
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    atomic_store(&persistent_fault, *end == '+');
    atomic_store(&countdown, n);
}

int ge_mem_fault_pending(void)
{
    return atomic_load(&countdown) != 0;
}

void ge_mem_fail_at(uint64_t n, int persistent)
{
    pthread_once(&once, read_environment);
    atomic_store(&persistent_fault, persistent != 0);
    atomic_store(&countdown, n);
}

static bool injected(void)
{
    pthread_once(&once, read_environment);
    unsigned long long n = atomic_load(&countdown);
    while (n != 0) {
        if (n == 1 && atomic_load(&persistent_fault)) return true;
        if (atomic_compare_exchange_weak(&countdown, &n, n - 1)) return n == 1;
    }
    return false;
}

/* ---- allocation ------------------------------------------------------------------------------ */

static void *out_of_memory(size_t bytes)
{
    ge_fail(GE_ENOMEM, "out of memory: %zu bytes wanted", bytes);
    return NULL;
}

void *ge_calloc(size_t n, size_t size)
{
    size_t bytes = 0;
    if (ge_mul(n, size, &bytes) != GE_OK) return NULL;
    void *p = injected() ? NULL : calloc(bytes > 0 ? bytes : 1, 1);
    return p != NULL ? p : out_of_memory(bytes);
}

void *ge_realloc(void *p, size_t n, size_t size)
{
    size_t bytes = 0;
    if (ge_mul(n, size, &bytes) != GE_OK) return NULL;
    void *q = injected() ? NULL : realloc(p, bytes > 0 ? bytes : 1);
    return q != NULL ? q : out_of_memory(bytes);
}

void *ge_calloc_aligned(size_t n, size_t size)
{
    enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };
    size_t bytes = 0, padded = 0;
    void *p = NULL;
    if (ge_mul(n, size, &bytes) != GE_OK || ge_add(bytes, CACHE_LINE, &padded) != GE_OK)
        return NULL;
    padded -= padded % CACHE_LINE;
    size_t alignment = padded >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
    if (injected() || posix_memalign(&p, alignment, padded) != 0) return out_of_memory(bytes);
    /* Weights and activations are read in strides over many pages: asking for huge ones makes
     * products 1 to 6 % faster. A system that does not give them gives plain ones. */
    if (padded >= HUGE_PAGE) madvise(p, padded, MADV_HUGEPAGE);
    return memset(p, 0, padded);
}

char *ge_strndup(const char *s, size_t n)
{
    size_t bytes = 0;
    if (ge_add(n, 1, &bytes) != GE_OK) return NULL;
    char *p = ge_calloc(bytes, 1);
    if (p != NULL) memcpy(p, s, n);
    return p;
}

char *ge_strdup(const char *s)
{
    return ge_strndup(s, strlen(s));
}

char *ge_sprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) return out_of_memory(0);
    char *p = ge_calloc((size_t)n + 1, 1);
    if (p == NULL) return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
