/* gapeval bench: what the measurements share. Each one fills a list of figures, which bench.c
 * prints as a table or as JSON. Nothing here decides a result of an evaluation. Local. */
#ifndef GE_CLI_BENCH_H
#define GE_CLI_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "device/device.h"

enum { GE_BENCH_FIGURES = 64, GE_BENCH_REPEATS = 1000 };

/* One quantity over the repeats. */
struct ge_bench_figure {
    char name[64];
    const char *unit;
    double best, median;
};

struct ge_bench {
    /* options; NULL: not given */
    const char *model; /* of a shape: the folder made for it */
    const char *shape, *images, *texts, *resize, *device_name, *dtype, *level, *dir;
    const char *tune, *tuned;
    long threads, decode_threads, repeats; /* as resolved */
    long batch_size;                       /* 0: what suits the device */
    bool json, follow;

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

/* The value in the middle of n >= 1 (sorted here). */
double ge_bench_median(double *values, size_t n);

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

/* Tokenize all texts once; *tokens: how many in all. pool = NULL: on the caller's thread.
 * GE_EFORMAT: some cannot be tokenized. GE_ENOMEM. */
struct ge_encoder;
struct ge_inputs;
struct ge_pool;
ge_status ge_bench_tokens(const struct ge_encoder *encoder, const struct ge_inputs *texts,
                          struct ge_pool *pool, double *tokens);

/* The device whose library's own product is the measure for `dev`: itself, or another that
 * is opened here and that the caller closes; NULL: there is none for this type. */
ge_status ge_bench_library(struct ge_device *dev, enum ge_dtype dtype, struct ge_device **library);

/* The measurements; what each one needs of the options is in the table of bench.c. */
ge_status ge_bench_gemm(struct ge_bench *b);
ge_status ge_bench_tune(struct ge_bench *b); /* gemm with --tune */
ge_status ge_bench_ops(struct ge_bench *b);
ge_status ge_bench_encode(struct ge_bench *b);
ge_status ge_bench_tokenize(struct ge_bench *b);
ge_status ge_bench_decode(struct ge_bench *b);
ge_status ge_bench_pipeline(struct ge_bench *b);
ge_status ge_bench_grants(struct ge_bench *b);
ge_status ge_bench_store(struct ge_bench *b);
ge_status ge_bench_bootstrap(struct ge_bench *b);

#endif
