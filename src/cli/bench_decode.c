/* Speed of decoding, beside libjpeg-turbo's own loop, and of what an encoder wants after it.
 *
 * Every image goes through all stages, one after the other, beginning with another one each time,
 * so that all stages see the same machine. Rates are by the wall clock, shares by the threads' CPU
 * time, which stands still while others have the core. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "image/image.h"
#include "image/jpeg_loop.h"
#include "image/preprocess.h"

enum stage { LOOP, DECODE, PIXELS, TENSOR, STAGES };

static const char *const stage_names[STAGES] = {
    "libjpeg-turbo's own loop", "decode", "decode, resize, crop", "decode, resize, crop, floats"};

struct file {
    char *data;
    size_t len;
    double pixels;
};

/* What one thread has, and the seconds that it spent. */
struct worker {
    struct ge_jpeg_loop *loop;
    struct ge_image image;
    struct ge_image_scratch *scratch;
    uint8_t *pixels;
    float *tensor;
    double wall[STAGES], cpu[STAGES];
};

struct decode {
    const char *images;
    struct file *files;
    size_t n;
    double pixels; /* of all files */
    bool all_jpeg; /* else there is no loop to compare with */
    struct ge_preprocess p;
    struct worker *workers;
    int threads;
    size_t round;
    atomic_size_t bad;
};

/* ---- files ----------------------------------------------------------------------------------- */

static ge_status read_files(struct decode *d, const struct ge_inputs *inputs)
{
    enum { MOST = 1 << 30 }; /* bytes that are kept in memory */
    ge_status rc = GE_OK;
    size_t total = 0;
    GE_NEW(d->files, inputs->n);
    d->all_jpeg = true;
    for (; d->n < inputs->n; d->n++) {
        struct file *f = &d->files[d->n];
        enum ge_image_format format;
        int width, height;
        GE_TRY(ge_fs_read(inputs->v[d->n], MOST - total, &f->data, &f->len));
        rc = ge_image_probe(f->data, f->len, &width, &height, &format);
        if (rc != GE_OK) {
            free(f->data);
            rc = ge_fail_in(rc, "%s", inputs->v[d->n]);
            goto done;
        }
        total += f->len;
        f->pixels = (double)width * height;
        d->pixels += f->pixels;
        d->all_jpeg = d->all_jpeg && format == GE_IMAGE_JPEG;
    }
done:
    return rc;
}

/* ---- stages ---------------------------------------------------------------------------------- */

static ge_status run_stage(struct decode *d, struct worker *w, const struct file *f,
                           enum stage stage)
{
    ge_status rc = GE_OK;
    switch (stage) {
    case LOOP:
        return d->all_jpeg ? ge_jpeg_loop_run(w->loop, f->data, f->len, &w->image) : GE_OK;
    case DECODE:
        return ge_image_decode_into(f->data, f->len, &d->p.sw.image, &w->image);
    case PIXELS:
    case TENSOR:
        rc = ge_preprocess_decode(&d->p, f->data, f->len, w->scratch, w->pixels);
        if (rc == GE_OK && stage == TENSOR) ge_preprocess_tensor(&d->p, w->pixels, w->tensor);
        break;
    case STAGES:
        break;
    }
    return rc;
}

static void time_image(void *ctx, size_t i, int thread)
{
    struct decode *d = ctx;
    struct worker *w = &d->workers[thread];
    for (size_t s = 0; s < STAGES; s++) {
        enum stage stage = (enum stage)((i + d->round + s) % STAGES);
        double wall = ge_now(), cpu = ge_bench_cpu_now();
        if (run_stage(d, w, &d->files[i], stage) != GE_OK) d->bad++;
        w->cpu[stage] += ge_bench_cpu_now() - cpu;
        w->wall[stage] += ge_now() - wall;
    }
}

/* Seconds of all threads for all images. */
static ge_status time_round(struct decode *d, struct ge_pool *pool, double wall[STAGES],
                            double cpu[STAGES])
{
    for (int t = 0; t < d->threads; t++)
        for (int s = 0; s < STAGES; s++) d->workers[t].wall[s] = d->workers[t].cpu[s] = 0;
    ge_pool_run(pool, d->n, time_image, d);
    d->round++;
    for (int s = 0; s < STAGES; s++) wall[s] = cpu[s] = 0;
    for (int t = 0; t < d->threads; t++) {
        for (int s = 0; s < STAGES; s++) {
            wall[s] += d->workers[t].wall[s];
            cpu[s] += d->workers[t].cpu[s];
        }
    }
    if (d->bad == 0) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: some of the %zu files cannot be read as images (%s)", d->images,
                   d->n, ge_error());
}

/* ---- figures --------------------------------------------------------------------------------- */

/* Seconds of every repeat: on one thread, on all, and CPU time of the former. */
struct times {
    double *one[STAGES], *all[STAGES], *cpu[STAGES];
    double *ratio; /* scratch */
    size_t n;
};

static ge_status times_new(struct times *t, size_t n)
{
    ge_status rc = GE_OK;
    t->n = n;
    GE_NEW(t->ratio, n);
    for (int s = 0; s < STAGES; s++) {
        GE_NEW(t->one[s], n);
        GE_NEW(t->all[s], n);
        GE_NEW(t->cpu[s], n);
    }
done:
    return rc;
}

static void times_free(struct times *t)
{
    for (int s = 0; s < STAGES; s++) {
        free(t->one[s]);
        free(t->all[s]);
        free(t->cpu[s]);
    }
    free(t->ratio);
}

/* Quotients of every repeat in percent. */
static void quotients(struct times *t, const double *a, const double *b, double minus)
{
    for (size_t r = 0; r < t->n; r++) t->ratio[r] = 100 * (a[r] / b[r] - minus);
}

static void add_shares(struct ge_bench *b, const struct decode *d, struct times *t)
{
    if (d->all_jpeg) {
        quotients(t, t->cpu[LOOP], t->cpu[DECODE], 0);
        ge_bench_values(b, "decode, of libjpeg-turbo's loop", "%", t->ratio, t->n);
    }
    quotients(t, t->cpu[PIXELS], t->cpu[DECODE], 1);
    ge_bench_costs(b, "resize and crop, on top", "%", t->ratio, t->n);
    quotients(t, t->cpu[TENSOR], t->cpu[DECODE], 1);
    ge_bench_costs(b, "resize, crop and floats, on top", "%", t->ratio, t->n);
    if (d->threads == 1) return;
    for (int s = DECODE; s < STAGES; s++) {
        char name[64];
        snprintf(name, sizeof name, "%s, 1 to %d threads", stage_names[s], d->threads);
        quotients(t, t->one[s], t->all[s], 0);
        ge_bench_values(b, name, "% of linear", t->ratio, t->n);
    }
}

static void add_rates(struct ge_bench *b, const struct decode *d, struct times *t)
{
    for (int s = d->all_jpeg ? LOOP : DECODE; s < STAGES; s++) {
        ge_bench_rate(b, stage_names[s], "images/s per thread", (double)d->n, t->all[s], t->n);
        ge_bench_rate(b, stage_names[s], "Mpixel/s per thread", 1e-6 * d->pixels, t->all[s], t->n);
    }
}

/* ---- the measurement ------------------------------------------------------------------------- */

/* As CLIP takes them: the shorter side to 224 by bicubic, the middle 224 x 224. */
static void clip_settings(struct ge_preprocess *p)
{
    *p = (struct ge_preprocess){.height = 224,
                                .width = 224,
                                .do_resize = true,
                                .shortest_edge = 224,
                                .resample = GE_RESAMPLE_BICUBIC,
                                .do_center_crop = true,
                                .do_rescale = true,
                                .rescale_factor = 1.0 / 255,
                                .do_normalize = true,
                                .mean = {0.48145466, 0.4578275, 0.40821073},
                                .std = {0.26862954, 0.26130258, 0.27577711}};
}

static ge_status prepare(struct ge_bench *b, struct decode *d)
{
    ge_status rc = GE_OK;
    struct ge_inputs inputs = {0};
    struct ge_preprocess_switches sw;
    const struct ge_image_flags flags = {.resize = b->resize};
    GE_TRY(ge_image_flags_read(&flags, &sw));
    GE_TRY(ge_inputs_images(b->images, &inputs));
    GE_TRY(read_files(d, &inputs));
    clip_settings(&d->p);
    d->p.sw = sw;
    if (b->model != NULL) GE_TRY(ge_preprocess_load(b->model, &sw, &d->p));
    const size_t size = ge_preprocess_size(&d->p);
    GE_NEW(d->workers, (size_t)d->threads);
    for (int t = 0; t < d->threads; t++) {
        struct worker *w = &d->workers[t];
        GE_TRY(ge_jpeg_loop_new(&w->loop));
        GE_TRY(ge_image_scratch_new(&w->scratch));
        GE_NEW(w->pixels, size);
        GE_NEW(w->tensor, size);
    }
    ge_buf_printf(&b->notes,
                  "%zu images of %.2f Mpixel on average in memory, to %d x %d (%s); rates by the "
                  "wall clock, shares by CPU time",
                  d->n, 1e-6 * d->pixels / (double)d->n, d->p.width, d->p.height,
                  ge_resize_mode_name(d->p.sw.resize));
done:
    ge_inputs_free(&inputs);
    return rc;
}

static void clean_up(struct decode *d)
{
    for (size_t i = 0; i < d->n; i++) free(d->files[i].data);
    for (int t = 0; d->workers != NULL && t < d->threads; t++) {
        struct worker *w = &d->workers[t];
        ge_jpeg_loop_delete(&w->loop);
        ge_image_scratch_delete(&w->scratch);
        ge_image_free(&w->image);
        free(w->pixels);
        free(w->tensor);
    }
    free(d->files);
    free(d->workers);
}

ge_status ge_bench_decode(struct ge_bench *b)
{
    enum { MAX_THREADS = 1024 };
    ge_status rc = GE_OK;
    struct decode d = {.images = b->images, .threads = (int)b->threads};
    struct times t = {0};
    struct ge_pool *one = NULL, *all = NULL;
    if (b->threads > MAX_THREADS)
        return ge_fail(GE_EINVAL, "--threads %ld: at most %d", b->threads, MAX_THREADS);
    GE_TRY(prepare(b, &d));
    GE_TRY(times_new(&t, (size_t)b->repeats));
    GE_TRY(ge_pool_new(1, &one));
    if (d.threads > 1) GE_TRY(ge_pool_new(d.threads, &all));
    for (long r = -1; r < b->repeats; r++) { /* -1: warm-up */
        double wall[STAGES], cpu[STAGES], wall_all[STAGES], cpu_all[STAGES];
        GE_TRY(time_round(&d, one, wall, cpu));
        GE_TRY(time_round(&d, all != NULL ? all : one, wall_all, cpu_all));
        for (int s = 0; r >= 0 && s < STAGES; s++) {
            t.one[s][r] = wall[s];
            t.all[s][r] = wall_all[s];
            t.cpu[s][r] = cpu[s] + cpu_all[s];
        }
    }
    add_shares(b, &d, &t); /* before the rates, which sort the times */
    add_rates(b, &d, &t);
done:
    ge_pool_delete(&one);
    ge_pool_delete(&all);
    times_free(&t);
    clean_up(&d);
    return rc;
}
