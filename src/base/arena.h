/* Region allocator: many small objects with one lifetime (a dataset, a chunk's rows).
 * Local; an arena is used by one thread at a time. */
#ifndef GE_BASE_ARENA_H
#define GE_BASE_ARENA_H

#include <stddef.h>

struct ge_arena;

struct ge_arena *ge_arena_new(void);       /* NULL when out of memory */
void ge_arena_delete(struct ge_arena **a); /* frees everything in it; *a = NULL; NULL is fine */
void ge_arena_reset(struct ge_arena *a);   /* frees the content, keeps one block */

/* Zeroed memory for n elements, 16-byte aligned, valid until reset or delete; NULL when out of
 * memory. n = 0 gives a valid pointer. */
void *ge_arena_alloc(struct ge_arena *a, size_t n, size_t size);
char *ge_arena_strdup(struct ge_arena *a, const char *s); /* NULL in, NULL out (not an error) */
char *ge_arena_strndup(struct ge_arena *a, const char *s, size_t n);
char *ge_arena_printf(struct ge_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t ge_arena_bytes(const struct ge_arena *a); /* allocated in total */

#endif
