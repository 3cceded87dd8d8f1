/* gapeval preprocess: pictures as an encoder sees them, before (pixels) or after (tensor) they
 * become numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/npy.h"

enum { BATCH = 64 };

struct preprocess {
    const char *model, *images, *out, *stage;
    struct ge_image_flags switches;
    long threads;
    bool tensor;
    struct ge_preprocess p;
    struct ge_inputs inputs;
    struct ge_pool *pool;
    struct ge_image_batch batch;
    struct ge_npy *file;
    float *row; /* one tensor */
    size_t bad;
};

static ge_status prepare(struct preprocess *c)
{
    ge_status rc = GE_OK;
    struct ge_preprocess_switches switches;
    int threads;
    GE_TRY(ge_image_flags_read(&c->switches, &switches));
    GE_TRY(ge_preprocess_load(c->model, &switches, &c->p));
    GE_TRY(ge_inputs_images(c->images, &c->inputs));
    GE_TRY(ge_to_int((size_t)c->threads, &threads));
    GE_TRY(ge_pool_new(threads > 0 ? threads : ge_cpu_count(), &c->pool));
    GE_TRY(ge_image_batch_init(&c->batch, &c->p, c->pool, BATCH));
    GE_NEW(c->row, c->batch.size);
    size_t h = (size_t)c->p.height, w = (size_t)c->p.width, n = c->inputs.n;
    const size_t pixels[] = {n, h, w, 3}, tensor[] = {n, 3, h, w};
    GE_TRY(ge_npy_new(c->out, c->tensor ? "<f4" : "|u1", c->tensor ? tensor : pixels, 4, &c->file));
done:
    return rc;
}

static ge_status write_tensor(struct preprocess *c, size_t i)
{
    if (c->batch.status[i] == GE_OK) {
        ge_preprocess_tensor(&c->p, c->batch.pixels + i * c->batch.size, c->row);
    } else {
        for (size_t k = 0; k < c->batch.size; k++) c->row[k] = NAN;
    }
    return ge_npy_add(c->file, c->row, c->batch.size * sizeof *c->row);
}

static ge_status preprocess(struct preprocess *c)
{
    ge_status rc = GE_OK;
    GE_TRY(prepare(c));
    for (size_t from = 0; from < c->inputs.n; from += BATCH) {
        size_t n = c->inputs.n - from < BATCH ? c->inputs.n - from : BATCH;
        GE_TRY(ge_image_batch_read(&c->batch, c->inputs.v + from, n, &c->bad));
        if (!c->tensor) {
            GE_TRY(ge_npy_add(c->file, c->batch.pixels, n * c->batch.size));
            continue;
        }
        for (size_t i = 0; i < n; i++) GE_TRY(write_tensor(c, i));
    }
    GE_TRY(ge_npy_finish(c->file));
done:
    ge_npy_delete(&c->file);
    free(c->row);
    ge_image_batch_free(&c->batch);
    ge_pool_delete(&c->pool);
    ge_inputs_free(&c->inputs);
    return rc;
}

static ge_status read_args(struct preprocess *c, struct ge_args *args, int argc, char **argv)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_args_parse(args, argc, argv));
    if (args->n_words > 0) GE_TRY(ge_fail(GE_EINVAL, "\"%s\" is not wanted", args->words[0]));
    if (c->model == NULL || c->images == NULL || c->out == NULL) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted --model, --images and --out"));
    }
    c->tensor = c->stage == NULL || strcmp(c->stage, "tensor") == 0;
    if (!c->tensor && strcmp(c->stage, "pixels") != 0) {
        GE_TRY(ge_fail(GE_EINVAL, "--stage %s: wanted pixels or tensor", c->stage));
    }
done:
    return rc;
}

int ge_cmd_preprocess(int argc, char **argv)
{
    struct preprocess c = {0};
    const struct ge_flag flags[] = {{"--model", &c.model, NULL, NULL},
                                    {"--images", &c.images, NULL, NULL},
                                    {"--out", &c.out, NULL, NULL},
                                    {"--stage", &c.stage, NULL, NULL},
                                    {"--threads", NULL, &c.threads, NULL},
                                    {"--exif", &c.switches.exif, NULL, NULL},
                                    {"--alpha", &c.switches.alpha, NULL, NULL},
                                    {"--pillow", &c.switches.pillow, NULL, NULL},
                                    {"--resize", &c.switches.resize, NULL, NULL},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "preprocess", .flags = flags};
    int code = GE_EXIT_DONE;
    if (read_args(&c, &args, argc, argv) != GE_OK) {
        code = ge_cli_usage("preprocess", "%s", ge_error());
    } else {
        ge_status rc = preprocess(&c);
        if (rc != GE_OK) code = ge_cli_fail(rc);
        if (rc == GE_OK && c.bad > 0) {
            ge_error_log("%zu of the images could not be read; their rows are %s", c.bad,
                         c.tensor ? "NaN" : "zero");
            code = GE_EXIT_FAILED;
        }
    }
    ge_args_free(&args);
    return code;
}
