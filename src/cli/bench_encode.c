/* Speed of one tower of an encoder, and its share of what the products alone would take.
 *
 * A run embeds one batch of pictures, or all lines of a file. The products of a run are counted as
 * they happen, and timed alone by a well-known library's own routine, in rounds of products and tower,
 * one right after the other, so that both see the same machine. Machines are shared and the clock of
 * the product is the wall's, so with one thread shares are given twice: by the wall clock of both
 * sides, and by CPU time: the tower's thread time against the product's time less what the thread had
 * to wait (the product's median is seldom a run that had to wait, so this one errs to the tower's
 * disadvantage). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/backends.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

enum { GEMM_REPEATS = 5, GPU_BATCHES = 8 /* of a run on a device that copies beside computing */ };
enum { DIFFERENT = 64 /* pictures that are drawn; others repeat them */ };

struct load {
    struct ge_device *dev;
    struct ge_encoder *encoder;
    enum ge_dtype dtype;
    size_t items;
    float *out; /* (items, dim) */

    void *pixels; /* of one batch; ge_host_new(), as where decoding puts them */
    const uint8_t **pictures;
    struct ge_inputs texts;
    double tokens; /* of all texts */

    struct ge_device *library; /* whose product is the measure; NULL: there is none. May be dev */
    struct ge_work work;       /* of one run */
};

/* ---- what a run embeds --------------------------------------------------------------------- */

static bool of_texts(const struct load *l)
{
    return l->texts.n > 0;
}

static ge_status make_pictures(struct ge_bench *b, struct load *l)
{
    ge_status rc = GE_OK;
    const size_t batch = ge_encoder_batch(l->encoder);
    size_t height, width, bytes;
    if (!ge_encoder_image_size(l->encoder, &height, &width)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no image tower; wanted --texts FILE", b->model));
    }
    GE_TRY(ge_mul(3 * height, width, &bytes));
    GE_TRY(ge_host_new(l->dev, batch * bytes, &l->pixels));
    uint8_t *pixels = l->pixels;
    for (size_t i = 0; i < batch * bytes; i++)
        pixels[i] = i < DIFFERENT * bytes ? (uint8_t)(256 * ge_uniform(1, 0, i))
                                          : pixels[i - DIFFERENT * bytes];
    l->items = ge_backends_is_accelerator(l->dev) ? GPU_BATCHES * batch : batch;
    GE_NEW(l->pictures, l->items);
    for (size_t i = 0; i < l->items; i++) l->pictures[i] = pixels + i % batch * bytes;
done:
    return rc;
}

static ge_status read_texts(struct ge_bench *b, struct load *l)
{
    ge_status rc = GE_OK;
    if (!ge_encoder_has_text(l->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no text tower; leave --texts out", b->model));
    }
    GE_TRY(ge_inputs_texts(b->texts, &l->texts));
    GE_TRY(ge_bench_tokens(l->encoder, &l->texts, NULL, &l->tokens));
    l->items = l->texts.n;
done:
    return rc;
}

static ge_status run_load(const struct load *l)
{
    return of_texts(l) ? ge_encoder_texts(l->encoder, l->texts.v, l->items, true, l->out, NULL)
                       : ge_encoder_images(l->encoder, l->pictures, l->items, true, l->out);
}

/* The first run: warms up, and counts the work. */
static ge_status first_run(struct load *l)
{
    ge_device_count(l->dev, &l->work);
    ge_status rc = run_load(l);
    ge_device_count(l->dev, NULL);
    return rc;
}

static ge_status open_load(struct ge_bench *b, struct load *l)
{
    ge_status rc = GE_OK;
    struct ge_encoder_options options = {.threads = (int)b->threads};
    GE_TRY(ge_inputs_dtype(b->dtype, &l->dtype));
    options.dtype = l->dtype;
    GE_TRY(ge_inputs_device(
        &(struct ge_device_flags){b->device_name, b->dtype, b->level, b->threads, b->tuned},
        &l->dev));
    options.max_batch = ge_backends_batch(l->dev, b->batch_size);
    GE_TRY(ge_encoder_load(b->model, l->dev, &options, &l->encoder));
    GE_TRY(b->texts != NULL ? read_texts(b, l) : make_pictures(b, l));
    GE_NEW(l->out, l->items * ge_encoder_dim(l->encoder));
    GE_TRY(first_run(l));
done:
    return rc;
}

static void close_load(struct load *l)
{
    free(l->out);
    free(l->pictures);
    ge_inputs_free(&l->texts);
    ge_encoder_delete(&l->encoder);
    ge_host_delete(l->dev, &l->pixels);
    if (l->library == l->dev) l->library = NULL;
    ge_device_close(&l->library);
    ge_device_close(&l->dev);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

struct rounds {
    double *gemm, *tower;      /* GFLOP/s by the wall clock */
    double *items, *tokens;    /* per second by the wall clock */
    double *tower_cpu;         /* GFLOP/s by the thread's time */
    double *share, *share_cpu; /* tower over products, percent */
    double *waited;            /* percent of the tower's time that the thread had to wait */
};

static ge_status new_rounds(struct rounds *r, size_t n)
{
    ge_status rc = GE_OK;
    double *all;
    GE_NEW(all, 8 * n);
    *r = (struct rounds){all,         all + n,     all + 2 * n, all + 3 * n,
                         all + 4 * n, all + 5 * n, all + 6 * n, all + 7 * n};
done:
    return rc;
}

/* Seconds of the products of one run; *busy: the part of the time that the thread was running. */
static ge_status time_products(const struct ge_bench *b, const struct load *l, double *seconds,
                               double *busy)
{
    ge_status rc = GE_OK;
    double wall = ge_now(), cpu = ge_bench_cpu_now();
    *seconds = 0;
    for (size_t i = 0; i < l->work.n_shapes; i++) {
        const struct ge_work_shape *s = &l->work.shapes[i];
        const size_t rows = (s->rows + s->times - 1) / s->times;
        const struct ge_gemm_bench gemm = {rows,        s->n, s->k, l->dtype, (int)b->threads,
                                           GEMM_REPEATS};
        double one;
        GE_TRY(ge_device_bench_gemm(l->library, &gemm, &one));
        *seconds += one * (double)s->rows / (double)rows;
    }
    *busy = (ge_bench_cpu_now() - cpu) / (ge_now() - wall);
    if (*busy > 1) *busy = 1;
done:
    return rc;
}

/* Operations of one run. Attention over texts is left out: it is counted as if all were as long as
 * the longest. */
static double flop_of(const struct load *l)
{
    return l->work.product_flop + (of_texts(l) ? 0 : l->work.attention_flop);
}

static ge_status run_round(struct ge_bench *b, const struct load *l, struct rounds *r, size_t at)
{
    ge_status rc = GE_OK;
    double products = 0, busy = 1;
    if (l->library != NULL) GE_TRY(time_products(b, l, &products, &busy));
    double wall = ge_now(), cpu = ge_bench_cpu_now();
    GE_TRY(run_load(l));
    cpu = ge_bench_cpu_now() - cpu;
    wall = ge_now() - wall;
    r->items[at] = (double)l->items / wall;
    r->tokens[at] = l->tokens / wall;
    r->tower[at] = 1e-9 * flop_of(l) / wall;
    r->tower_cpu[at] = 1e-9 * flop_of(l) / cpu;
    r->waited[at] = cpu < wall ? 100 * (1 - cpu / wall) : 0;
    if (l->library == NULL) goto done;
    r->gemm[at] = 1e-9 * l->work.product_flop / products;
    r->share[at] = 100 * r->tower[at] / r->gemm[at];
    r->share_cpu[at] = 100 * r->tower_cpu[at] * busy / r->gemm[at];
done:
    return rc;
}

static void report_rounds(struct ge_bench *b, const struct load *l, const struct rounds *r)
{
    const size_t n = (size_t)b->repeats;
    const bool timed = b->threads == 1 && !ge_backends_is_accelerator(l->dev);
    ge_bench_values(b, of_texts(l) ? "texts" : "images", of_texts(l) ? "texts/s" : "images/s",
                    r->items, n);
    if (of_texts(l)) ge_bench_values(b, "tokens", "tokens/s", r->tokens, n);
    ge_bench_values(b, "tower", "GFLOP/s", r->tower, n);
    if (timed) ge_bench_values(b, "tower, CPU time", "GFLOP/s", r->tower_cpu, n);
    if (timed) ge_bench_values(b, "tower waited for a core", "%", r->waited, n);
    if (l->library == NULL) return;
    ge_bench_values(b, "products alone", "GFLOP/s", r->gemm, n);
    ge_bench_values(b, "share, wall clock", "%", r->share, n);
    if (timed) ge_bench_values(b, "share, CPU time", "%", r->share_cpu, n);
}

static ge_status run_rounds(struct ge_bench *b, struct load *l)
{
    ge_status rc = GE_OK;
    struct rounds r = {0};
    GE_TRY(ge_bench_library(l->dev, l->dtype, &l->library));
    GE_TRY(new_rounds(&r, (size_t)b->repeats));
    for (size_t at = 0; at < (size_t)b->repeats; at++) GE_TRY(run_round(b, l, &r, at));
    report_rounds(b, l, &r);
    ge_buf_printf(&b->notes, "%s; %s; runs of %zu, batches of %zu, %.3f GFLOP each; products by %s",
                  ge_device_describe(l->dev), ge_dtype_name(l->dtype), l->items,
                  ge_encoder_batch(l->encoder), 1e-9 * flop_of(l) / (double)l->items,
                  l->library != NULL ? ge_device_describe(l->library) : "no library");
done:
    free(r.gemm);
    return rc;
}

/* ---- in turn with others ------------------------------------------------------------------- */

static ge_status say_ready(const struct load *l)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    ge_buf_init(&text, 1 << 16);
    ge_jsonw_init(&w, &text, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_bool(&w, "ready", true);
    ge_jsonw_int(&w, "items", (int64_t)l->items);
    ge_jsonw_string(&w, "dtype", ge_dtype_name(l->dtype));
    ge_jsonw_string(&w, "device", ge_device_describe(l->dev));
    ge_jsonw_object_end(&w);
    GE_TRY(ge_buf_status(&text));
    puts(text.data);
    fflush(stdout);
done:
    ge_buf_free(&text);
    return rc;
}

/* A run for each line of the standard input, and its seconds as a JSON line. */
static ge_status follow(const struct load *l)
{
    ge_status rc = GE_OK;
    char line[16];
    GE_TRY(say_ready(l));
    while (fgets(line, sizeof line, stdin) != NULL) {
        double start = ge_now();
        GE_TRY(run_load(l));
        printf("{\"seconds\": %.9f}\n", ge_now() - start);
        fflush(stdout);
    }
done:
    return rc;
}

ge_status ge_bench_encode(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    struct load load = {0};
    GE_TRY(open_load(b, &load));
    GE_TRY(b->follow ? follow(&load) : run_rounds(b, &load));
done:
    close_load(&load);
    return rc;
}
