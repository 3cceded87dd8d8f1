/* Speed of the matrix product, and of an image tower against it.
 *
 * The tower's share is measured in rounds of products and tower, one right after the other, so
 * that both see the same machine. Machines are shared and the clock of the product is the wall's,
 * so shares are given twice: by the wall clock of both sides, and by CPU time: the tower's thread
 * time against the product's time less what the thread had to wait (the product's median is seldom
 * a run that had to wait, so this one errs to the tower's disadvantage). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "model/encoder.h"

enum { GEMM_REPEATS = 5, MAX_SHAPES = 5 };

/* A product (m, k) x (k, n) and how often one pass of the tower needs it. */
struct gemm_shape {
    const char *name;
    size_t m, n, k, times;
};

static double gemm_flop(const struct gemm_shape *s)
{
    return 2.0 * (double)s->m * (double)s->n * (double)s->k;
}

/* ---- products -------------------------------------------------------------------------------- */

static ge_status bench_shape(struct ge_bench *b, struct ge_device *dev, const struct gemm_shape *s,
                             double *seconds)
{
    ge_status rc = GE_OK;
    char name[64];
    for (long r = 0; r < b->repeats; r++) {
        const struct ge_gemm_bench gemm = {s->m, s->n, s->k, GE_F32, 1, GEMM_REPEATS};
        GE_TRY(ge_device_bench_gemm(dev, &gemm, &seconds[r]));
    }
    snprintf(name, sizeof name, "%s (%zu, %zu) x (%zu, %zu)", s->name, s->m, s->k, s->k, s->n);
    ge_bench_rate(b, name, "GFLOP/s", 1e-9 * gemm_flop(s), seconds, (size_t)b->repeats);
done:
    return rc;
}

ge_status ge_bench_gemm(struct ge_bench *b)
{
    static const struct gemm_shape shapes[] = {
        {"patches", 800, 768, 3072, 1},      {"q, k, v", 800, 2304, 768, 1},
        {"attention out", 800, 768, 768, 1}, {"mlp up", 800, 3072, 768, 1},
        {"mlp down", 800, 768, 3072, 1},
    };
    ge_status rc = GE_OK;
    struct ge_device *dev = NULL;
    double *seconds = NULL;
    GE_NEW(seconds, (size_t)b->repeats);
    GE_TRY(ge_inputs_device(&(struct ge_device_flags){b->device_name, NULL, b->level, 1}, &dev));
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        GE_TRY(bench_shape(b, dev, &shapes[i], seconds));
    }
    b->threads = 1;
    ge_buf_printf(
        &b->notes,
        "%s; products of a CLIP ViT-B/32 with 16 images by the library's own routine, one "
        "thread, wall clock, each repeat the median of %d",
        ge_device_describe(dev), GEMM_REPEATS);
done:
    free(seconds);
    ge_device_close(&dev);
    return rc;
}

/* ---- the tower's work ------------------------------------------------------------------------ */

struct tower {
    struct gemm_shape shapes[MAX_SHAPES]; /* of one batch */
    double flop;                          /* of one image, attention and projection included */
    double gemm_flop;                     /* of one batch, the shapes above */
};

static ge_status read_size(const ge_json *object, const char *key, int64_t otherwise, int64_t most,
                           double *out)
{
    int64_t v = otherwise;
    const ge_json *n = ge_json_get(object, key);
    ge_status rc = n != NULL ? ge_json_int(n, key, 1, most, &v) : GE_OK;
    *out = (double)v;
    return rc;
}

/* Count what one image costs: two operations per multiply-add; norms and activations are left
 * out. */
static ge_status count_work(const char *folder, size_t batch, struct tower *t)
{
    ge_status rc = GE_OK;
    char *path = NULL;
    ge_json *doc = NULL;
    double d, ff, layers, size, patch, dim;
    GE_TRY_PTR(path, ge_fs_join(folder, "config.json"));
    GE_TRY(ge_json_read(path, &doc));
    const ge_json *v = ge_json_get(doc, "vision_config");
    GE_TRY(read_size(v, "hidden_size", 768, 1 << 16, &d));
    GE_TRY(read_size(v, "intermediate_size", 3072, 1 << 18, &ff));
    GE_TRY(read_size(v, "num_hidden_layers", 12, 1 << 10, &layers));
    GE_TRY(read_size(v, "image_size", 224, 1 << 13, &size));
    GE_TRY(read_size(v, "patch_size", 32, (int64_t)size, &patch));
    GE_TRY(read_size(doc, "projection_dim", 512, 1 << 16, &dim));
    const size_t side = (size_t)(size / patch), p = side * side, w = (size_t)d, f = (size_t)ff;
    const size_t rows = (p + 1) * batch, n = (size_t)layers, pixels = (size_t)(3 * patch * patch);
    const struct gemm_shape shapes[MAX_SHAPES] = {{"patches", p * batch, w, pixels, 1},
                                                  {"q, k, v", rows, 3 * w, w, n},
                                                  {"attention out", rows, w, w, n},
                                                  {"mlp up", rows, f, w, n},
                                                  {"mlp down", rows, w, f, n}};
    memcpy(t->shapes, shapes, sizeof shapes);
    t->gemm_flop = 0;
    for (size_t i = 0; i < MAX_SHAPES; i++) {
        t->gemm_flop += (double)shapes[i].times * gemm_flop(&shapes[i]);
    }
    double tokens = (double)(p + 1);
    t->flop = t->gemm_flop / (double)batch + layers * 4 * tokens * tokens * d + 2 * d * dim;
done:
    ge_json_delete(&doc);
    free(path);
    return rc;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

struct rounds {
    double *gemm, *tower;      /* GFLOP/s by the wall clock */
    double *images;            /* images/s by the wall clock */
    double *tower_cpu;         /* GFLOP/s by the thread's time */
    double *share, *share_cpu; /* tower over products, percent */
    double *waited;            /* percent of the tower's time that the thread had to wait */
};

static ge_status new_rounds(struct rounds *r, size_t n)
{
    ge_status rc = GE_OK;
    double *all;
    GE_NEW(all, 7 * n);
    *r = (struct rounds){all,         all + n,     all + 2 * n, all + 3 * n,
                         all + 4 * n, all + 5 * n, all + 6 * n};
done:
    return rc;
}

/* Seconds of the products of one batch; *busy: the part of the time that the thread was running. */
static ge_status time_products(struct ge_device *dev, const struct tower *t, double *seconds,
                               double *busy)
{
    ge_status rc = GE_OK;
    double wall = ge_now(), cpu = ge_bench_cpu_now();
    *seconds = 0;
    for (size_t i = 0; i < MAX_SHAPES; i++) {
        double one;
        const struct gemm_shape *s = &t->shapes[i];
        const struct ge_gemm_bench gemm = {s->m, s->n, s->k, GE_F32, 1, GEMM_REPEATS};
        GE_TRY(ge_device_bench_gemm(dev, &gemm, &one));
        *seconds += one * (double)s->times;
    }
    *busy = (ge_bench_cpu_now() - cpu) / (ge_now() - wall);
    if (*busy > 1) *busy = 1;
done:
    return rc;
}

static ge_status run_round(struct ge_bench *b, struct ge_device *dev, struct ge_encoder *e,
                           const struct tower *t, const float *pixels, float *out, struct rounds *r,
                           size_t at)
{
    ge_status rc = GE_OK;
    const double n = (double)b->batch_size;
    double products, busy;
    GE_TRY(time_products(dev, t, &products, &busy));
    double wall = ge_now(), cpu = ge_bench_cpu_now();
    GE_TRY(ge_encoder_images(e, pixels, (size_t)b->batch_size, true, out));
    cpu = ge_bench_cpu_now() - cpu;
    wall = ge_now() - wall;
    r->gemm[at] = 1e-9 * t->gemm_flop / products;
    r->tower[at] = 1e-9 * t->flop * n / wall;
    r->tower_cpu[at] = 1e-9 * t->flop * n / cpu;
    r->images[at] = n / wall;
    r->share[at] = 100 * r->tower[at] / r->gemm[at];
    r->share_cpu[at] = 100 * r->tower_cpu[at] * busy / r->gemm[at];
    r->waited[at] = cpu < wall ? 100 * (1 - cpu / wall) : 0;
done:
    return rc;
}

static void report_rounds(struct ge_bench *b, const struct rounds *r)
{
    const size_t n = (size_t)b->repeats;
    ge_bench_values(b, "images", "images/s", r->images, n);
    ge_bench_values(b, "tower", "GFLOP/s", r->tower, n);
    ge_bench_values(b, "products (one thread)", "GFLOP/s", r->gemm, n);
    if (b->threads > 1) return; /* several threads against one is no share */
    ge_bench_values(b, "tower, CPU time", "GFLOP/s", r->tower_cpu, n);
    ge_bench_values(b, "share, wall clock", "%", r->share, n);
    ge_bench_values(b, "share, CPU time", "%", r->share_cpu, n);
    ge_bench_values(b, "tower waited for a core", "%", r->waited, n);
}

static ge_status bench_tower(struct ge_bench *b, const char *folder)
{
    ge_status rc = GE_OK;
    struct ge_device *dev = NULL;
    struct ge_encoder *e = NULL;
    struct ge_encoder_options options = {.dtype = GE_F32, .max_batch = (size_t)b->batch_size};
    struct rounds r = {0};
    struct tower t;
    float *pixels = NULL, *out = NULL;
    size_t height, width, count;
    GE_TRY(ge_inputs_device(&(struct ge_device_flags){b->device_name, NULL, b->level, b->threads},
                            &dev));
    GE_TRY(ge_encoder_load(folder, dev, &options, &e));
    if (!ge_encoder_image_size(e, &height, &width)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no image tower", folder));
    }
    GE_TRY(count_work(folder, (size_t)b->batch_size, &t));
    GE_TRY(ge_mul((size_t)b->batch_size, 3 * height * width, &count));
    GE_NEW(pixels, count);
    GE_NEW(out, (size_t)b->batch_size * ge_encoder_dim(e));
    for (size_t i = 0; i < count; i++) pixels[i] = (float)(4 * ge_uniform(1, 0, i) - 2);
    GE_TRY(new_rounds(&r, (size_t)b->repeats));
    GE_TRY(ge_encoder_images(e, pixels, (size_t)b->batch_size, true, out)); /* warm-up */
    for (size_t at = 0; at < (size_t)b->repeats; at++) {
        GE_TRY(run_round(b, dev, e, &t, pixels, out, &r, at));
    }
    report_rounds(b, &r);
    ge_buf_printf(&b->notes,
                  "%s; batches of %ld, %.3f GFLOP per image, products by the library's own routine",
                  ge_device_describe(dev), b->batch_size, 1e-9 * t.flop);
done:
    free(r.gemm);
    free(pixels);
    free(out);
    ge_encoder_delete(&e);
    ge_device_close(&dev);
    return rc;
}

ge_status ge_bench_encode(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    char *folder = NULL;
    if (b->model != NULL) return bench_tower(b, b->model);
    GE_TRY(ge_bench_folder(b, &folder));
    GE_TRY(ge_bench_make_clip(b->shape, folder));
    GE_TRY(bench_tower(b, folder));
done:
    ge_bench_remove(folder);
    free(folder);
    return rc;
}
