/* Blocks that double in size up to a limit; larger objects get a block of their own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) unsigned char data[];
};

struct ge_arena {
    struct block *blocks; /* the current one first */
    size_t next_size, bytes;
};

struct ge_arena *ge_arena_new(void)
{
    struct ge_arena *a = ge_calloc(1, sizeof *a);
    if (a != NULL) a->next_size = FIRST_BLOCK;
    return a;
}

static void free_blocks(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void ge_arena_delete(struct ge_arena **a)
{
    if (a == NULL || *a == NULL) return;
    free_blocks((*a)->blocks);
    free(*a);
    *a = NULL;
}

void ge_arena_reset(struct ge_arena *a)
{
    struct block *kept = a->blocks;
    if (kept == NULL) return;
    free_blocks(kept->next);
    kept->next = NULL;
    memset(kept->data, 0, kept->used);
    kept->used = 0;
    a->bytes = kept->size;
}

/* A new current block with room for `bytes`. */
static struct block *add_block(struct ge_arena *a, size_t bytes)
{
    size_t size = bytes > a->next_size ? bytes : a->next_size, total;
    if (ge_add(size, sizeof(struct block), &total) != GE_OK) return NULL;
    struct block *b = ge_calloc(total, 1);
    if (b == NULL) return NULL;
    if (a->next_size < LARGEST_BLOCK) a->next_size *= 2;
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    a->bytes += size;
    return b;
}

void *ge_arena_alloc(struct ge_arena *a, size_t n, size_t size)
{
    size_t bytes = 0, padded = 0;
    if (ge_mul(n, size, &bytes) != GE_OK) return NULL;
    if (ge_add(bytes > 0 ? bytes : 1, ALIGNMENT - 1, &padded) != GE_OK) return NULL;
    padded -= padded % ALIGNMENT;
    struct block *b = a->blocks;
    if (b == NULL || b->size - b->used < padded) b = add_block(a, padded);
    if (b == NULL) return NULL;
    void *p = b->data + b->used;
    b->used += padded;
    return p;
}

char *ge_arena_strndup(struct ge_arena *a, const char *s, size_t n)
{
    size_t bytes = 0;
    if (s == NULL || ge_add(n, 1, &bytes) != GE_OK) return NULL;
    char *p = ge_arena_alloc(a, bytes, 1);
    if (p != NULL) memcpy(p, s, n);
    return p;
}

char *ge_arena_strdup(struct ge_arena *a, const char *s)
{
    return s == NULL ? NULL : ge_arena_strndup(a, s, strlen(s));
}

char *ge_arena_printf(struct ge_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : ge_arena_alloc(a, (size_t)n + 1, 1);
    if (p == NULL) return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

size_t ge_arena_bytes(const struct ge_arena *a)
{
    return a->bytes;
}
