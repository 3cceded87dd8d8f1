/* gapeval bench: what the measurements share. Each one fills a list of figures, which bench.c
 * prints as a table or as JSON. Nothing here decides a result of an evaluation. Local. */
#ifndef GE_CLI_BENCH_H
#define GE_CLI_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "device/device.h"

enum { GE_BENCH_FIGURES = 64, GE_BENCH_REPEATS = 1000, GE_BENCH_BATCH = 16 };

/* One quantity over the repeats. */
struct ge_bench_figure {
    char name[64];
    const char *unit;
    double best, median;
};

struct ge_bench {
    /* options; NULL: not given */
    const char *model, *shape, *images, *resize, *device_name, *level, *dir;
    long threads, batch_size, repeats; /* as resolved */
    bool json;

    struct ge_bench_figure figures[GE_BENCH_FIGURES];
    size_t n_figures;
    struct ge_buf notes; /* what a reader must know to compare; one line */
};

/* Add a rate: `work` units per run over the seconds of n runs (sorted here). The best is the
 * fastest run's. */
void ge_bench_rate(struct ge_bench *b, const char *name, const char *unit, double work,
                   double *seconds, size_t n);

/* Add n values as they are (sorted here); the best is the largest. */
void ge_bench_values(struct ge_bench *b, const char *name, const char *unit, double *values,
                     size_t n);

/* The same for values of which the smallest is the best. */
void ge_bench_costs(struct ge_bench *b, const char *name, const char *unit, double *values,
                    size_t n);

/* CPU time of the calling thread in seconds: unlike the wall clock it stands still while others
 * have the core. */
double ge_bench_cpu_now(void);

/* A new folder in b->dir, $TMPDIR or /tmp (heap string). GE_EIO. */
ge_status ge_bench_folder(const struct ge_bench *b, char **path);

/* Remove a folder of ge_bench_folder(): its files, and the files of one folder in it. */
void ge_bench_remove(const char *path);

/* Write a CLIP folder with the shape `name` ("vit-b-32") and random weights; the text tower is a
 * stub. GE_EINVAL: another shape. GE_EIO, GE_ENOMEM. */
ge_status ge_bench_make_clip(const char *name, const char *folder);

/* The measurements. encode needs b->model or b->shape, decode b->images. */
ge_status ge_bench_gemm(struct ge_bench *b);
ge_status ge_bench_encode(struct ge_bench *b);
ge_status ge_bench_decode(struct ge_bench *b);
ge_status ge_bench_grants(struct ge_bench *b);
ge_status ge_bench_store(struct ge_bench *b);

#endif
