/* gapeval embed: images or texts to rows of a .npy file, in input order. Rows are written as they
 * come, so memory is bounded by the batch and the list of names. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/backends.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/npy.h"
#include "evaluate/stream.h"
#include "model/encoder.h"

enum { MAX_BATCH = 4096, TEXTS_PER_CALL = 4096 };

struct embed {
    const char *model, *images, *texts, *out;
    struct ge_device_flags where;
    struct ge_image_flags switches;
    long batch_size, decode_threads;
    bool normalize, quiet;

    struct ge_inputs inputs;
    struct ge_device *device;
    struct ge_encoder *encoder;
    struct ge_pool *pool;
    struct ge_pixels *pixels;
    struct ge_npy *file;
    size_t dim, bad, truncated;
};

/* ---- images -------------------------------------------------------------------------------------- */

static ge_status keep_rows(void *ctx, size_t first, size_t n, const float *rows,
                           const ge_status *status, const char *const *reason)
{
    struct embed *c = ctx;
    (void)first;
    for (size_t i = 0; i < n; i++) {
        if (status[i] == GE_OK) continue;
        ge_error_log("%s", reason[i]);
        c->bad++;
    }
    return ge_npy_add(c->file, rows, n * c->dim * sizeof *rows);
}

static ge_status embed_images(struct embed *c)
{
    ge_status rc = GE_OK;
    int threads = c->decode_threads > 0 ? (int)c->decode_threads : ge_device_threads(c->device);
    GE_TRY(ge_pool_new(threads, &c->pool));
    GE_TRY(ge_pixels_new(c->device, &c->pixels));
    struct ge_stream stream = {.encoder = c->encoder,
                               .decode_pool = c->pool,
                               .pixels = c->pixels,
                               .normalize = c->normalize,
                               .rows = keep_rows,
                               .ctx = c};
    GE_TRY(ge_stream_images(&stream, c->inputs.v, c->inputs.n, NULL));
done:
    return rc;
}

/* ---- texts ----------------------------------------------------------------------------------------- */

static ge_status embed_texts(struct embed *c)
{
    ge_status rc = GE_OK;
    float *rows = NULL;
    unsigned char *cut = NULL;
    size_t limit = c->inputs.n < TEXTS_PER_CALL ? c->inputs.n : TEXTS_PER_CALL;
    GE_NEW(rows, limit * c->dim);
    GE_NEW(cut, limit);
    for (size_t from = 0; from < c->inputs.n; from += limit) {
        size_t n = c->inputs.n - from < limit ? c->inputs.n - from : limit;
        rc = ge_encoder_texts(c->encoder, c->inputs.v + from, n, c->normalize, rows, cut);
        if (ge_status_is_content(rc)) {
            rc = ge_fail_in(rc, "%s, counted from line %zu", c->texts, from + 1);
        }
        GE_TRY(rc);
        for (size_t i = 0; i < n; i++) c->truncated += cut[i];
        GE_TRY(ge_npy_add(c->file, rows, n * c->dim * sizeof *rows));
    }
done:
    free(rows);
    free(cut);
    return rc;
}

/* ---- the command ------------------------------------------------------------------------------------ */

static ge_status load_encoder(struct embed *c)
{
    ge_status rc = GE_OK;
    struct ge_preprocess_switches switches;
    struct ge_encoder_options options = {.switches = &switches};
    GE_TRY(ge_inputs_dtype(c->where.dtype, &options.dtype));
    GE_TRY(ge_image_flags_read(&c->switches, &switches));
    GE_TRY(ge_inputs_device(&c->where, &c->device));
    options.threads = ge_device_threads(c->device);
    options.max_batch = ge_backends_batch(c->device, c->batch_size);
    options.memory = ge_backends_budget(c->device, 1);
    GE_TRY(ge_encoder_load(c->model, c->device, &options, &c->encoder));
    if (c->images != NULL && !ge_encoder_has_image(c->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s (%s) has no image tower; use --texts", c->model,
                       ge_encoder_kind(c->encoder)));
    }
    if (c->texts != NULL && !ge_encoder_has_text(c->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s (%s) has no text tower; use --images", c->model,
                       ge_encoder_kind(c->encoder)));
    }
    GE_TRY(ge_backends_check_memory(&c->encoder, 1, options.memory));
done:
    return rc;
}

static ge_status embed(struct embed *c)
{
    ge_status rc = GE_OK;
    GE_TRY(c->images != NULL ? ge_inputs_images(c->images, &c->inputs)
                             : ge_inputs_texts(c->texts, &c->inputs));
    GE_TRY(load_encoder(c));
    c->dim = ge_encoder_dim(c->encoder);
    const size_t shape[] = {c->inputs.n, c->dim};
    GE_TRY(ge_npy_new(c->out, "<f4", shape, 2, &c->file));
    GE_TRY(c->images != NULL ? embed_images(c) : embed_texts(c));
    GE_TRY(ge_npy_finish(c->file));
    if (!c->quiet) {
        ge_info("%s: %zu rows of %zu (%s)", c->out, c->inputs.n, c->dim,
                ge_device_describe(c->device));
        if (c->truncated > 0) ge_info("%zu texts were cut to the model's length", c->truncated);
    }
done:
    ge_npy_delete(&c->file);
    ge_pool_delete(&c->pool);
    ge_encoder_delete(&c->encoder);
    ge_pixels_delete(&c->pixels);
    ge_device_close(&c->device);
    ge_inputs_free(&c->inputs);
    return rc;
}

static ge_status read_args(struct embed *c, struct ge_args *args, int argc, char **argv)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_args_parse(args, argc, argv));
    if (args->n_words > 0) GE_TRY(ge_fail(GE_EINVAL, "\"%s\" is not wanted", args->words[0]));
    if (c->model == NULL || c->out == NULL || (c->images == NULL) == (c->texts == NULL)) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted --model, --out and one of --images and --texts"));
    }
    if (c->batch_size > MAX_BATCH || c->decode_threads > MAX_BATCH) {
        GE_TRY(ge_fail(GE_EINVAL, "--batch-size and --decode-threads: at most %d", MAX_BATCH));
    }
done:
    return rc;
}

int ge_cmd_embed(int argc, char **argv)
{
    struct embed c = {0};
    const struct ge_flag flags[] = {{"--model", &c.model, NULL, NULL},
                                    {"--images", &c.images, NULL, NULL},
                                    {"--texts", &c.texts, NULL, NULL},
                                    {"--out", &c.out, NULL, NULL},
                                    {"--dtype", &c.where.dtype, NULL, NULL},
                                    {"--device", &c.where.device, NULL, NULL},
                                    {"--level", &c.where.level, NULL, NULL},
                                    {"--batch-size", NULL, &c.batch_size, NULL},
                                    {"--threads", NULL, &c.where.threads, NULL},
                                    {"--decode-threads", NULL, &c.decode_threads, NULL},
                                    {"--exif", &c.switches.exif, NULL, NULL},
                                    {"--alpha", &c.switches.alpha, NULL, NULL},
                                    {"--pillow", &c.switches.pillow, NULL, NULL},
                                    {"--resize", &c.switches.resize, NULL, NULL},
                                    {"--normalize", NULL, NULL, &c.normalize},
                                    {"--quiet", NULL, NULL, &c.quiet},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "embed", .flags = flags};
    int code = GE_EXIT_DONE;
    if (read_args(&c, &args, argc, argv) != GE_OK) {
        code = ge_cli_usage("embed", "%s", ge_error());
    } else {
        ge_status rc = embed(&c);
        if (rc != GE_OK) code = ge_cli_fail(rc);
        if (rc == GE_OK && c.bad > 0) {
            ge_error_log("%zu of the images could not be embedded; their rows are NaN", c.bad);
            code = GE_EXIT_FAILED;
        }
    }
    ge_args_free(&args);
    return code;
}
