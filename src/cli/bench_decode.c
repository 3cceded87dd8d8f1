/* Speed of decoding and of decoding and resizing the images of a folder or list. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "image/image.h"
#include "image/preprocess.h"

struct decode {
    const struct ge_inputs *inputs;
    struct ge_preprocess p;
    bool resize;
    uint8_t *pixels; /* (threads, size) */
    size_t size;
    atomic_size_t bad;
};

static void decode_one(void *ctx, size_t i, int thread)
{
    struct decode *d = ctx;
    struct ge_image image;
    if (d->resize) {
        uint8_t *pixels = d->pixels + (size_t)thread * d->size;
        if (ge_preprocess_file(&d->p, d->inputs->v[i], NULL, pixels) != GE_OK) d->bad++;
        return;
    }
    if (ge_image_decode_file(d->inputs->v[i], &d->p.sw.image, &image) != GE_OK) {
        d->bad++;
        return;
    }
    ge_image_free(&image);
}

/* As CLIP takes them: the shorter side to 224 by bicubic, the middle 224 x 224. */
static void clip_settings(struct ge_preprocess *p)
{
    *p = (struct ge_preprocess){.height = 224,
                                .width = 224,
                                .do_resize = true,
                                .shortest_edge = 224,
                                .resample = GE_RESAMPLE_BICUBIC,
                                .do_center_crop = true};
    ge_preprocess_switches_init(&p->sw);
}

static ge_status time_folder(struct ge_bench *b, struct decode *d, struct ge_pool *pool,
                             const char *name)
{
    ge_status rc = GE_OK;
    double *seconds = NULL;
    GE_NEW(seconds, (size_t)b->repeats);
    for (long r = -1; r < b->repeats; r++) { /* -1: warm-up, which also fills the page cache */
        double start = ge_now();
        ge_pool_run(pool, d->inputs->n, decode_one, d);
        if (r >= 0) seconds[r] = ge_now() - start;
        if (d->bad > 0) {
            GE_TRY(ge_fail(GE_EFORMAT, "%s: %zu of %zu files cannot be read as images", b->images,
                           (size_t)d->bad, d->inputs->n));
        }
    }
    ge_bench_rate(b, name, "images/s per thread", (double)d->inputs->n / (double)b->threads,
                  seconds, (size_t)b->repeats);
done:
    free(seconds);
    return rc;
}

ge_status ge_bench_decode(struct ge_bench *b)
{
    enum { MAX_THREADS = 1024 };
    ge_status rc = GE_OK;
    struct ge_inputs inputs = {0};
    struct decode d = {.inputs = &inputs};
    struct ge_pool *pool = NULL;
    if (b->threads > MAX_THREADS) {
        return ge_fail(GE_EINVAL, "--threads %ld: at most %d", b->threads, MAX_THREADS);
    }
    GE_TRY(ge_inputs_images(b->images, &inputs));
    clip_settings(&d.p);
    if (b->model != NULL) GE_TRY(ge_preprocess_load(b->model, NULL, &d.p));
    d.size = ge_preprocess_size(&d.p);
    GE_NEW(d.pixels, (size_t)b->threads * d.size);
    GE_TRY(ge_pool_new((int)b->threads, &pool));
    GE_TRY(time_folder(b, &d, pool, "decode"));
    d.resize = true;
    GE_TRY(time_folder(b, &d, pool, "decode and resize"));
    ge_buf_printf(&b->notes, "%zu images, resized to %d x %d, wall clock", inputs.n, d.p.width,
                  d.p.height);
done:
    ge_pool_delete(&pool);
    free(d.pixels);
    ge_inputs_free(&inputs);
    return rc;
}
