#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    HEIGHT = 20,
    WIDTH = 23,
    PATCH = 5,
    HEADS = 2,
    HEAD_DIM = 40,
    D = HEADS * HEAD_DIM,
    HIDDEN = 112
};

struct state {
    struct ge_device *dev;
    enum ge_dtype dtype;
    struct ge_tensor table, embeddings, positions, gain, ends, ids, places; /* inputs */
    struct ge_tensor patches, tokens, x, y, qkv, hidden, pooled;
    struct ge_weight *project, *attend, *up, *down;
    struct ge_stage *stage;
    struct ge_fetch *fetch;
    void *host;
    size_t images, per_image, rows;
    unsigned char *out;
    size_t used, room;
};

static float value(uint64_t stream, uint64_t i)
{
    return (float)(2 * ge_uniform(11, stream, i) - 1);
}

/* A matrix of random numbers in fp32, or converted to the type. */
static ge_status make_matrix(struct state *s, size_t rows, size_t cols, enum ge_dtype dtype,
                             uint64_t stream, struct ge_tensor *t)
{
    struct ge_tensor fp32 = {0};
    float *host = NULL;
    ge_status rc = GE_OK;

    GE_NEW(host, rows * cols);
    for (size_t i = 0; i < rows * cols; i++) host[i] = value(stream, i);
    GE_TRY(ge_tensor_new(s->dev, rows, cols, dtype, t));
    GE_TRY(ge_tensor_new(s->dev, rows, cols, GE_F32, &fp32));
    GE_TRY(ge_upload(fp32, host));
    memset(host, 0, rows * cols * sizeof *host); /* the source may change */
    GE_TRY(ge_copy(s->dev, fp32, *t));
done:
    ge_buffer_delete(&fp32.buf);
    free(host);
    return rc;
}

static ge_status make_weight(struct state *s, size_t n, size_t k, uint64_t stream,
                             struct ge_weight **w)
{
    float *host = NULL;
    ge_status rc = GE_OK;

    GE_NEW(host, n * k + n);
    for (size_t i = 0; i < n * k + n; i++) host[i] = 0.2f * value(stream, i);
    GE_TRY(ge_weight_new(s->dev, host, host + n * k, n, k, s->dtype, w));
done:
    free(host);
    return rc;
}

static ge_status make_ints(struct state *s, size_t n, int32_t (*f)(const struct state *, size_t),
                           struct ge_tensor *t)
{
    int32_t *host = NULL;
    ge_status rc = GE_OK;

    GE_NEW(host, n);
    for (size_t i = 0; i < n; i++) host[i] = f(s, i);
    GE_TRY(ge_tensor_new(s->dev, 1, n, GE_I32, t));
    GE_TRY(ge_upload(*t, host));
done:
    free(host);
    return rc;
}

static int32_t end_of(const struct state *s, size_t i)
{
    return (int32_t)((i + 1) * (s->per_image + 1));
}

static int32_t id_of(const struct state *s, size_t i)
{
    return (int32_t)(i * 7 % s->rows);
}

static int32_t place_of(const struct state *s, size_t i)
{
    return (int32_t)(i % (s->per_image + 1));
}

static ge_status set_up(struct state *s)
{
    size_t bytes = s->images * HEIGHT * WIDTH * 3, n = s->per_image + 1;
    ge_status rc = GE_OK;

    GE_TRY(make_matrix(s, 3, 256, GE_F32, 1, &s->table));
    GE_TRY(make_matrix(s, n, D, s->dtype, 2, &s->positions));
    GE_TRY(make_matrix(s, s->rows, D, s->dtype, 3, &s->embeddings));
    GE_TRY(make_matrix(s, 1, D, GE_F32, 4, &s->gain));
    GE_TRY(make_ints(s, s->images, end_of, &s->ends));
    GE_TRY(make_ints(s, s->rows, id_of, &s->ids));
    GE_TRY(make_ints(s, s->rows, place_of, &s->places));
    GE_TRY(
        ge_tensor_new(s->dev, s->images * s->per_image, 3 * PATCH * PATCH, s->dtype, &s->patches));
    GE_TRY(ge_tensor_new(s->dev, s->images * s->per_image, D, s->dtype, &s->tokens));
    GE_TRY(ge_tensor_new(s->dev, s->rows, D, s->dtype, &s->x));
    GE_TRY(ge_tensor_new(s->dev, s->rows, D, s->dtype, &s->y));
    GE_TRY(ge_tensor_new(s->dev, s->rows, 3 * D, s->dtype, &s->qkv));
    GE_TRY(ge_tensor_new(s->dev, s->rows, HIDDEN, s->dtype, &s->hidden));
    GE_TRY(ge_tensor_new(s->dev, s->images, D, s->dtype, &s->pooled));
    GE_TRY(make_weight(s, D, 3 * PATCH * PATCH, 5, &s->project));
    GE_TRY(make_weight(s, 3 * D, D, 6, &s->attend));
    GE_TRY(make_weight(s, HIDDEN, D, 7, &s->up));
    GE_TRY(make_weight(s, D, HIDDEN, 8, &s->down));
    GE_TRY(ge_stage_new(s->dev, bytes, &s->stage));
    GE_TRY(ge_host_new(s->dev, bytes, &s->host));
    GE_TRY(ge_fetch_new(s->dev, s->rows * 3 * D * sizeof(float), &s->fetch));
    for (size_t i = 0; i < bytes; i++)
        ((unsigned char *)s->host)[i] = (unsigned char)(i * 37 % 251);
done:
    return rc;
}

/* Append a result's bytes. */
static ge_status keep(struct state *s, struct ge_tensor t)
{
    size_t bytes = t.rows * t.cols * ge_dtype_size(t.dtype);
    const void *data;
    ge_status rc = GE_OK;

    GE_TRY(ge_fetch_begin(s->fetch, t));
    GE_TRY(ge_fetch_wait(s->fetch, &data));
    if (s->used + bytes > s->room) {
        void *more = ge_realloc(s->out, 2 * s->room + bytes, 1);
        if (more == NULL) return GE_ENOMEM;
        s->out = more;
        s->room = 2 * s->room + bytes;
    }
    memcpy(s->out + s->used, data, bytes);
    s->used += bytes;
done:
    return rc;
}

static ge_status embed(struct state *s)
{
    struct ge_tensor pixels, prefix = ge_tensor_rows(s->positions, 0, 1);
    size_t bytes = (size_t)HEIGHT * WIDTH * 3;
    ge_status rc = GE_OK;

    GE_TRY(ge_stage_send(s->stage, 0, s->host, s->images * bytes));
    GE_TRY(ge_stage_acquire(s->stage, s->images, bytes, GE_U8, &pixels));
    GE_TRY(ge_pixel_patches(s->dev, pixels, s->table, HEIGHT, WIDTH, PATCH, s->patches));
    GE_TRY(ge_stage_release(s->stage));
    GE_TRY(
        ge_matmul(s->dev, s->patches, s->project, GE_ACT_NONE, (struct ge_tensor){0}, s->tokens));
    GE_TRY(ge_patch_tokens(s->dev, s->tokens, prefix, ge_tensor_rows(s->positions, 1, s->per_image),
                           s->x));
    GE_TRY(ge_embed(s->dev, s->ids, s->places, s->embeddings, prefix, s->positions, s->y));
    GE_TRY(ge_add_to(s->dev, s->x, s->y, s->x));
    GE_TRY(keep(s, s->x));
done:
    return rc;
}

static ge_status layer(struct state *s, size_t longest, enum ge_activation act)
{
    struct ge_attention a = {.q = ge_tensor_cols(s->qkv, 0, D),
                             .k = ge_tensor_cols(s->qkv, D, D),
                             .v = ge_tensor_cols(s->qkv, 2 * (size_t)D, D),
                             .out = s->y,
                             .q_ends = s->ends,
                             .kv_ends = s->ends,
                             .max_q = longest,
                             .max_kv = longest,
                             .heads = HEADS,
                             .head_dim = HEAD_DIM,
                             .scale = 0.3f};
    struct ge_tensor none = {0};
    ge_status rc = GE_OK;

    GE_TRY(ge_layernorm(s->dev, s->x, s->gain, s->gain, 1e-5f, s->y));
    GE_TRY(ge_matmul(s->dev, s->y, s->attend, GE_ACT_NONE, none, s->qkv));
    GE_TRY(ge_attend(s->dev, &a));
    GE_TRY(keep(s, s->y));
    GE_TRY(ge_matmul(s->dev, s->y, s->up, act, none, s->hidden));
    GE_TRY(ge_matmul(s->dev, s->hidden, s->down, GE_ACT_NONE, s->x, s->x));
    GE_TRY(keep(s, s->x));
done:
    return rc;
}

static ge_status run(struct state *s, const struct program_options *opt)
{
    size_t longest = s->per_image + 1 > opt->longest ? s->per_image + 1 : opt->longest;
    ge_status rc = GE_OK;

    GE_TRY(embed(s));
    GE_TRY(layer(s, longest, GE_ACT_GELU_TANH));
    GE_TRY(layer(s, longest, GE_ACT_QUICK_GELU));
    GE_TRY(ge_gather(s->dev, s->x, s->ids, s->y));
    GE_TRY(ge_mul_by(s->dev, s->y, ge_tensor_rows(s->positions, 0, 1), s->y));
    GE_TRY(ge_activate(s->dev, GE_ACT_TANH, s->y, s->y));
    GE_TRY(ge_pool_rows(s->dev, GE_POOL_MEAN, s->y, s->ends, (struct ge_tensor){0}, s->pooled));
    GE_TRY(ge_l2_normalize(s->dev, s->pooled, 1e-12f, s->pooled));
    GE_TRY(keep(s, s->pooled));
    GE_TRY(ge_synchronize(s->dev));
done:
    return rc;
}

static void tear_down(struct state *s)
{
    struct ge_tensor *tensors[] = {&s->table, &s->embeddings, &s->positions, &s->gain,   &s->ends,
                                   &s->ids,   &s->places,     &s->patches,   &s->tokens, &s->x,
                                   &s->y,     &s->qkv,        &s->hidden,    &s->pooled};

    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        ge_buffer_delete(&tensors[i]->buf);
    ge_weight_delete(&s->project);
    ge_weight_delete(&s->attend);
    ge_weight_delete(&s->up);
    ge_weight_delete(&s->down);
    ge_stage_delete(&s->stage);
    ge_fetch_delete(&s->fetch);
    if (s->dev != NULL) ge_host_delete(s->dev, &s->host);
    ge_device_close(&s->dev);
}

ge_status run_program(const struct program_options *opt, unsigned char **bytes, size_t *n)
{
    struct ge_device_options device = {.dtype = opt->dtype};
    struct state s = {.dtype = opt->dtype, .images = opt->small ? 1 : 5};
    ge_status rc = GE_OK;

    s.per_image = (size_t)(HEIGHT / PATCH) * (WIDTH / PATCH);
    s.rows = s.images * (s.per_image + 1);
    GE_TRY(ge_device_open("cuda", &device, &s.dev));
    GE_TRY(set_up(&s));
    GE_TRY(run(&s, opt));
    *bytes = s.out;
    *n = s.used;
    s.out = NULL;
done:
    tear_down(&s);
    free(s.out);
    return rc;
}
