/* gapeval embed: images or texts to rows of a .npy file, in input order. Rows are written as they
 * come, so memory is bounded by the batch and the list of names. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/npy.h"
#include "model/encoder.h"

enum { DEFAULT_BATCH = 32, MAX_BATCH = 4096 };

struct embed {
    const char *model, *images, *texts, *out;
    struct ge_device_flags where;
    struct ge_image_flags switches;
    long batch_size;
    bool normalize, quiet;

    struct ge_inputs inputs;
    struct ge_device *device;
    struct ge_encoder *encoder;
    struct ge_pool *pool;
    struct ge_image_batch batch;
    struct ge_npy *file;
    size_t limit, dim;
    float *tensors; /* (limit, 3, height, width) of the images that could be read */
    float *rows;    /* (limit, dim) */
    size_t bad, truncated;
};

/* ---- images -------------------------------------------------------------------------------------- */

static void fill_nan(float *row, size_t dim)
{
    for (size_t k = 0; k < dim; k++) row[k] = NAN;
}

/* Encode n tensors to rows. If all together fail over a content (an embedding that is not finite),
 * each is tried alone, so that only the bad one is NaN. `paths` names them. */
static ge_status encode_images(struct embed *c, const char *const *paths, const float *tensors,
                               size_t n, float *rows)
{
    ge_status rc = ge_encoder_images(c->encoder, tensors, n, c->normalize, rows);
    if (!ge_status_is_content(rc)) return rc;
    if (n == 1) {
        ge_error_log("%s: %s", paths[0], ge_error());
        fill_nan(rows, c->dim);
        c->bad++;
        return GE_OK;
    }
    rc = GE_OK;
    for (size_t i = 0; i < n; i++) {
        GE_TRY(encode_images(c, paths + i, tensors + i * c->batch.size, 1, rows + i * c->dim));
    }
done:
    return rc;
}

/* Runs of readable images are encoded together, right into their rows. */
static ge_status embed_image_batch(struct embed *c, const char *const *paths, size_t n)
{
    ge_status rc = GE_OK;
    const struct ge_preprocess *p = ge_encoder_preprocess(c->encoder);
    GE_TRY(ge_image_batch_read(&c->batch, paths, n, &c->bad));
    for (size_t i = 0; i < n;) {
        size_t good = 0;
        while (i + good < n && c->batch.status[i + good] == GE_OK) {
            ge_preprocess_tensor(p, c->batch.pixels + (i + good) * c->batch.size,
                                 c->tensors + good * c->batch.size);
            good++;
        }
        if (good > 0) {
            GE_TRY(encode_images(c, paths + i, c->tensors, good, c->rows + i * c->dim));
        }
        i += good;
        if (i < n) fill_nan(c->rows + i++ * c->dim, c->dim);
    }
done:
    return rc;
}

/* ---- texts ----------------------------------------------------------------------------------------- */

static ge_status embed_text_batch(struct embed *c, const char *const *texts, size_t first, size_t n)
{
    unsigned char cut[MAX_BATCH];
    ge_status rc = ge_encoder_texts(c->encoder, texts, n, c->normalize, c->rows, cut);
    if (ge_status_is_content(rc) && n > 1) {
        rc = ge_fail_in(rc, "%s, texts %zu to %zu", c->texts, first + 1, first + n);
    } else if (rc != GE_OK) {
        rc = ge_fail_in(rc, "%s, text %zu", c->texts, first + 1);
    }
    for (size_t i = 0; rc == GE_OK && i < n; i++) c->truncated += cut[i];
    return rc;
}

/* ---- the command ------------------------------------------------------------------------------------ */

static ge_status load_encoder(struct embed *c)
{
    ge_status rc = GE_OK;
    struct ge_preprocess_switches switches;
    struct ge_encoder_options options = {.max_batch = c->limit, .switches = &switches};
    GE_TRY(ge_inputs_dtype(c->where.dtype, &options.dtype));
    GE_TRY(ge_image_flags_read(&c->switches, &switches));
    GE_TRY(ge_inputs_device(&c->where, &c->device));
    GE_TRY(ge_encoder_load(c->model, c->device, &options, &c->encoder));
    if (c->images != NULL && !ge_encoder_has_image(c->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s (%s) has no image tower; use --texts", c->model,
                       ge_encoder_kind(c->encoder)));
    }
    if (c->texts != NULL && !ge_encoder_has_text(c->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s (%s) has no text tower; use --images", c->model,
                       ge_encoder_kind(c->encoder)));
    }
done:
    return rc;
}

static ge_status prepare(struct embed *c)
{
    ge_status rc = GE_OK;
    size_t bytes;
    c->limit = c->batch_size > 0 ? (size_t)c->batch_size : DEFAULT_BATCH;
    GE_TRY(c->images != NULL ? ge_inputs_images(c->images, &c->inputs)
                             : ge_inputs_texts(c->texts, &c->inputs));
    GE_TRY(load_encoder(c));
    c->dim = ge_encoder_dim(c->encoder);
    if (c->limit > c->inputs.n) c->limit = c->inputs.n;
    GE_TRY(ge_mul(c->limit, c->dim, &bytes));
    GE_NEW(c->rows, bytes);
    if (c->images != NULL) {
        GE_TRY(ge_pool_new(ge_device_threads(c->device), &c->pool));
        GE_TRY(
            ge_image_batch_init(&c->batch, ge_encoder_preprocess(c->encoder), c->pool, c->limit));
        GE_TRY(ge_mul(c->limit, c->batch.size, &bytes));
        GE_NEW(c->tensors, bytes);
    }
    const size_t shape[] = {c->inputs.n, c->dim};
    GE_TRY(ge_npy_new(c->out, "<f4", shape, 2, &c->file));
done:
    return rc;
}

static ge_status embed(struct embed *c)
{
    ge_status rc = GE_OK;
    GE_TRY(prepare(c));
    for (size_t from = 0; from < c->inputs.n; from += c->limit) {
        size_t n = c->inputs.n - from < c->limit ? c->inputs.n - from : c->limit;
        const char *const *v = c->inputs.v + from;
        GE_TRY(c->images != NULL ? embed_image_batch(c, v, n) : embed_text_batch(c, v, from, n));
        GE_TRY(ge_npy_add(c->file, c->rows, n * c->dim * sizeof *c->rows));
    }
    GE_TRY(ge_npy_finish(c->file));
    if (!c->quiet) {
        ge_info("%s: %zu rows of %zu (%s)", c->out, c->inputs.n, c->dim,
                ge_device_describe(c->device));
        if (c->truncated > 0) ge_info("%zu texts were cut to the model's length", c->truncated);
    }
done:
    ge_npy_delete(&c->file);
    free(c->tensors);
    free(c->rows);
    ge_image_batch_free(&c->batch);
    ge_pool_delete(&c->pool);
    ge_encoder_delete(&c->encoder);
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
    if (c->batch_size > MAX_BATCH) {
        GE_TRY(ge_fail(GE_EINVAL, "--batch-size %ld: at most %d", c->batch_size, MAX_BATCH));
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
