#include "evaluate/pixels.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { MAX_SIZES = 16 }; /* sizes that are kept apart: one per encoder */
#define SLAB_BYTES ((size_t)8 << 20)

/* A free piece holds the link to the next one. */
struct piece {
    struct piece *next;
};

struct slab {
    struct slab *next;
    void *memory;
    bool locked; /* else of the heap */
};

struct ge_pixels {
    struct ge_device *dev;
    pthread_mutex_t lock; /* guards what follows */
    struct slab *slabs;
    struct {
        size_t bytes;
        struct piece *free;
    } sizes[MAX_SIZES];
    size_t n_sizes;
};

ge_status ge_pixels_new(struct ge_device *dev, struct ge_pixels **p)
{
    ge_status rc = GE_OK;

    GE_NEW(*p, 1);
    (*p)->dev = dev;
    pthread_mutex_init(&(*p)->lock, NULL);
done:
    return rc;
}

void ge_pixels_delete(struct ge_pixels **p)
{
    if (*p == NULL) return;
    for (struct slab *s = (*p)->slabs, *next; s != NULL; s = next) {
        next = s->next;
        if (s->locked) ge_host_delete((*p)->dev, &s->memory);
        free(s->memory);
        free(s);
    }
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

/* Pieces are whole cache lines, and long enough for the link. */
static size_t rounded(size_t bytes)
{
    return bytes < 64 ? 64 : (bytes + 63) / 64 * 64;
}

/* Index of a size; MAX_SIZES when there are too many: such pieces come from the heap. */
static size_t find_size(struct ge_pixels *p, size_t bytes)
{
    size_t i = 0;

    while (i < p->n_sizes && p->sizes[i].bytes != bytes) i++;
    if (i < p->n_sizes || i == MAX_SIZES) return i;
    p->sizes[i].bytes = bytes;
    p->n_sizes++;
    return i;
}

/* Page-locked memory, or where the system gives no more of that, plain memory: copies from there are
 * slower, no more. */
static ge_status new_memory(const struct ge_pixels *p, size_t bytes, struct slab *s)
{
    ge_status rc = ge_host_new(p->dev, bytes, &s->memory);

    s->locked = rc == GE_OK;
    if (rc == GE_OK) return rc;
    ge_debug("pictures go through plain memory: %s", ge_error());
    s->memory = ge_calloc_aligned(bytes, 1);
    return s->memory != NULL ? GE_OK : GE_ENOMEM;
}

/* More pieces of a size, from one slab. */
static ge_status add_slab(struct ge_pixels *p, size_t size)
{
    size_t bytes = p->sizes[size].bytes, n = SLAB_BYTES / bytes > 0 ? SLAB_BYTES / bytes : 1;
    struct slab *s = NULL;
    ge_status rc = GE_OK;

    GE_NEW(s, 1);
    GE_TRY(new_memory(p, n * bytes, s));
    for (size_t i = 0; i < n; i++) {
        struct piece *piece = (void *)((char *)s->memory + i * bytes);
        piece->next = p->sizes[size].free;
        p->sizes[size].free = piece;
    }
    s->next = p->slabs;
    p->slabs = s;
    s = NULL;
done:
    free(s);
    return rc;
}

uint8_t *ge_pixels_get(struct ge_pixels *p, size_t bytes)
{
    struct piece *piece = NULL;
    size_t size;

    if (p == NULL) return ge_calloc(bytes, 1);
    pthread_mutex_lock(&p->lock);
    size = find_size(p, rounded(bytes));
    if (size < MAX_SIZES && (p->sizes[size].free != NULL || add_slab(p, size) == GE_OK)) {
        piece = p->sizes[size].free;
        p->sizes[size].free = piece->next;
    }
    pthread_mutex_unlock(&p->lock);
    return size < MAX_SIZES ? (uint8_t *)piece : ge_calloc(bytes, 1);
}

void ge_pixels_put(struct ge_pixels *p, uint8_t *piece, size_t bytes)
{
    size_t size = MAX_SIZES;

    if (piece == NULL) return;
    if (p != NULL) {
        pthread_mutex_lock(&p->lock);
        size = find_size(p, rounded(bytes));
        if (size < MAX_SIZES) {
            struct piece *link = (void *)piece;
            link->next = p->sizes[size].free;
            p->sizes[size].free = link;
        }
        pthread_mutex_unlock(&p->lock);
    }
    if (size == MAX_SIZES) free(piece);
}
