/* The operations besides the matrix product, shared by the CPU backends. Each is a task over a
 * block of rows (attention: over a sequence and head), run on the device's threads. */
#include <math.h>
#include <string.h>

#include "device/cpu/cpu.h"

enum { ROWS_PER_TASK = 16 };

/* A row-wise operation: `row` computes one row of the result. */
struct row_op {
    void (*row)(const struct row_op *op, size_t r);
    const struct ge_kernels *kernels;
    size_t rows;
    const struct ge_tensor *x, *b, *c, *d, *e, *y; /* operands as the operation names them */
    float eps;
    enum ge_activation act;
    enum ge_pooling pooling;
    size_t channels, height, width, patch;
};

static void row_task(void *ctx, size_t i, int thread)
{
    const struct row_op *op = ctx;
    size_t end = (i + 1) * ROWS_PER_TASK < op->rows ? (i + 1) * ROWS_PER_TASK : op->rows;

    (void)thread;
    for (size_t r = i * ROWS_PER_TASK; r < end; r++) op->row(op, r);
}

static ge_status run_rows(struct ge_device *dev, struct row_op op)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;

    op.kernels = cpu->kernels;
    op.rows = op.y->rows;
    ge_pool_run(cpu->pool, (op.rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK, row_task, &op);
    return GE_OK;
}

/* ---- into tokens -------------------------------------------------------------------------- */

static void patches_row(const struct row_op *op, size_t r)
{
    size_t gx = op->width / op->patch, per_image = gx * (op->height / op->patch), p = op->patch;
    size_t y = r % per_image / gx * p, x = r % per_image % gx * p;
    const float *image = ge_cpu_row(op->x, r / per_image);
    float *out = ge_cpu_row(op->y, r);

    for (size_t c = 0; c < op->channels; c++) {
        for (size_t dy = 0; dy < p; dy++) {
            memcpy(out, image + (c * op->height + y + dy) * op->width + x, p * sizeof *out);
            out += p;
        }
    }
}

ge_status ge_cpu_patches(struct ge_device *dev, const struct ge_tensor *pixels, size_t channels,
                         size_t height, size_t width, size_t patch, const struct ge_tensor *out)
{
    return run_rows(dev, (struct row_op){.row = patches_row,
                                         .x = pixels,
                                         .y = out,
                                         .channels = channels,
                                         .height = height,
                                         .width = width,
                                         .patch = patch});
}

static void pixel_patches_row(const struct row_op *op, size_t r)
{
    size_t gx = op->width / op->patch, per_image = gx * (op->height / op->patch), p = op->patch;
    size_t y = r % per_image / gx * p, x = r % per_image % gx * p;
    const uint8_t *image = ge_cpu_bytes(op->x) + r / per_image * op->x->stride;
    float *out = ge_cpu_row(op->y, r);

    for (size_t c = 0; c < 3; c++) {
        const float *value = ge_cpu_row(op->b, c);
        for (size_t dy = 0; dy < p; dy++) {
            const uint8_t *line = image + ((y + dy) * op->width + x) * 3 + c;
            for (size_t dx = 0; dx < p; dx++) *out++ = value[line[3 * dx]];
        }
    }
}

ge_status ge_cpu_pixel_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                               const struct ge_tensor *table, size_t height, size_t width,
                               size_t patch, const struct ge_tensor *out)
{
    return run_rows(dev, (struct row_op){.row = pixel_patches_row,
                                         .x = pixels,
                                         .b = table,
                                         .y = out,
                                         .height = height,
                                         .width = width,
                                         .patch = patch});
}

static void patch_tokens_row(const struct row_op *op, size_t r)
{
    size_t prefix = op->b != NULL ? op->b->rows : 0, patches = op->c->rows, d = op->y->cols;
    size_t image = r / (prefix + patches), at = r % (prefix + patches);
    float *out = ge_cpu_row(op->y, r);

    if (at < prefix) {
        memcpy(out, ge_cpu_row(op->b, at), d * sizeof *out);
        return;
    }
    const float *x = ge_cpu_row(op->x, image * patches + at - prefix);
    const float *position = ge_cpu_row(op->c, at - prefix);
    for (size_t i = 0; i < d; i++) out[i] = x[i] + position[i];
}

ge_status ge_cpu_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                              const struct ge_tensor *prefix, const struct ge_tensor *positions,
                              const struct ge_tensor *out)
{
    return run_rows(
        dev, (struct row_op){
                 .row = patch_tokens_row, .x = patches, .b = prefix, .c = positions, .y = out});
}

static void embed_row(const struct row_op *op, size_t r)
{
    const float *token = ge_cpu_row(op->c, (size_t)ge_cpu_ints(op->x)[r]);
    const float *position = ge_cpu_row(op->e, (size_t)ge_cpu_ints(op->b)[r]);
    const float *shared = op->d != NULL ? ge_cpu_row(op->d, 0) : NULL;
    float *out = ge_cpu_row(op->y, r);

    for (size_t i = 0; i < op->y->cols; i++)
        out[i] = (shared != NULL ? token[i] + shared[i] : token[i]) + position[i];
}

ge_status ge_cpu_embed(struct ge_device *dev, const struct ge_tensor *ids,
                       const struct ge_tensor *pos, const struct ge_tensor *table,
                       const struct ge_tensor *shared, const struct ge_tensor *positions,
                       const struct ge_tensor *out)
{
    return run_rows(dev, (struct row_op){.row = embed_row,
                                         .x = ids,
                                         .b = pos,
                                         .c = table,
                                         .d = shared,
                                         .e = positions,
                                         .y = out});
}

/* ---- by rows ------------------------------------------------------------------------------ */

static void layernorm_row(const struct row_op *op, size_t r)
{
    op->kernels->layernorm(ge_cpu_row(op->x, r), op->y->cols, ge_cpu_row(op->b, 0),
                           ge_cpu_row(op->c, 0), op->eps, ge_cpu_row(op->y, r));
}

ge_status ge_cpu_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                           const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                           const struct ge_tensor *y)
{
    return run_rows(
        dev,
        (struct row_op){.row = layernorm_row, .x = x, .b = gain, .c = bias, .eps = eps, .y = y});
}

static void activate_row(const struct row_op *op, size_t r)
{
    op->kernels->activate(op->act, ge_cpu_row(op->x, r), op->y->cols, ge_cpu_row(op->y, r));
}

ge_status ge_cpu_activate(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                          const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = activate_row, .x = x, .act = act, .y = y});
}

static void add_row(const struct row_op *op, size_t r)
{
    const float *a = ge_cpu_row(op->x, r), *b = ge_cpu_row(op->b, op->b->rows == 1 ? 0 : r);
    float *y = ge_cpu_row(op->y, r);

    for (size_t i = 0; i < op->y->cols; i++) y[i] = a[i] + b[i];
}

ge_status ge_cpu_add(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = add_row, .x = a, .b = b, .y = y});
}

static void mul_row(const struct row_op *op, size_t r)
{
    const float *a = ge_cpu_row(op->x, r), *b = ge_cpu_row(op->b, op->b->rows == 1 ? 0 : r);
    float *y = ge_cpu_row(op->y, r);

    for (size_t i = 0; i < op->y->cols; i++) y[i] = a[i] * b[i];
}

ge_status ge_cpu_mul(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = mul_row, .x = a, .b = b, .y = y});
}

static void gather_row(const struct row_op *op, size_t r)
{
    memcpy(ge_cpu_row(op->y, r), ge_cpu_row(op->x, (size_t)ge_cpu_ints(op->b)[r]),
           op->y->cols * sizeof(float));
}

ge_status ge_cpu_gather(struct ge_device *dev, const struct ge_tensor *x,
                        const struct ge_tensor *rows, const struct ge_tensor *out)
{
    return run_rows(dev, (struct row_op){.row = gather_row, .x = x, .b = rows, .y = out});
}

static void l2_normalize_row(const struct row_op *op, size_t r)
{
    op->kernels->l2_normalize(ge_cpu_row(op->x, r), op->y->cols, op->eps, ge_cpu_row(op->y, r));
}

ge_status ge_cpu_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                              const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = l2_normalize_row, .x = x, .eps = eps, .y = y});
}

static void copy_row(const struct row_op *op, size_t r)
{
    memcpy(ge_cpu_row(op->y, r), ge_cpu_row(op->x, r), op->y->cols * sizeof(float));
}

ge_status ge_cpu_copy(struct ge_device *dev, const struct ge_tensor *x, const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = copy_row, .x = x, .y = y});
}

/* ---- over sequences ----------------------------------------------------------------------- */

/* Add row t of a sequence to its pooled row. */
static void pool_add(enum ge_pooling mode, const float *x, size_t n, size_t t, bool first, float *y)
{
    float weight = (float)(t + 1);

    if (mode == GE_POOL_MAX) {
        /* A NaN stays: it must reach the caller, not vanish in a comparison. */
        for (size_t i = 0; i < n; i++) y[i] = first || x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
    } else if (mode == GE_POOL_WEIGHTED_MEAN) {
        for (size_t i = 0; i < n; i++) y[i] += weight * x[i];
    } else {
        for (size_t i = 0; i < n; i++) y[i] += x[i];
    }
}

static void pool_row(const struct row_op *op, size_t r)
{
    const int32_t *ends = ge_cpu_ints(op->b);
    size_t begin = r == 0 ? 0 : (size_t)ends[r - 1], len = (size_t)ends[r] - begin;
    size_t skip = op->c != NULL ? (size_t)ge_cpu_ints(op->c)[r] : 0, n = op->y->cols;
    float *y = ge_cpu_row(op->y, r), weights = 0.0f, divisor;

    memset(y, 0, n * sizeof *y);
    if (skip >= len) return;
    for (size_t t = skip; t < len; t++) {
        pool_add(op->pooling, ge_cpu_row(op->x, begin + t), n, t, t == skip, y);
        weights += (float)(t + 1);
    }
    switch (op->pooling) {
    case GE_POOL_MAX:
        return;
    case GE_POOL_WEIGHTED_MEAN:
        divisor = weights;
        break;
    case GE_POOL_MEAN_SQRT_LEN:
        divisor = sqrtf((float)(len - skip));
        break;
    default:
        divisor = (float)(len - skip);
        break;
    }
    for (size_t i = 0; i < n; i++) y[i] /= divisor;
}

ge_status ge_cpu_pool(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                      const struct ge_tensor *ends, const struct ge_tensor *skip,
                      const struct ge_tensor *out)
{
    return run_rows(
        dev,
        (struct row_op){.row = pool_row, .x = x, .b = ends, .c = skip, .pooling = mode, .y = out});
}

struct attention_op {
    const struct ge_cpu_device *cpu;
    const struct ge_attention *a;
};

static void attention_task(void *ctx, size_t i, int thread)
{
    const struct attention_op *op = ctx;
    const struct ge_attention *a = op->a;
    const int32_t *q_ends = ge_cpu_ints(&a->q_ends), *kv_ends = ge_cpu_ints(&a->kv_ends);
    size_t s = i / a->heads, head = i % a->heads, col = head * a->head_dim;
    size_t q = s == 0 ? 0 : (size_t)q_ends[s - 1], kv = s == 0 ? 0 : (size_t)kv_ends[s - 1];
    struct ge_kernel_attention k = {
        .q = ge_cpu_row(&a->q, q) + col,
        .k = ge_cpu_row(&a->k, kv) + col,
        .v = ge_cpu_row(&a->v, kv) + col,
        .out = ge_cpu_row(&a->out, q) + col,
        .ldq = a->q.stride,
        .ldk = a->k.stride,
        .ldv = a->v.stride,
        .ldo = a->out.stride,
        .nq = (size_t)q_ends[s] - q,
        .nk = (size_t)kv_ends[s] - kv,
        .head_dim = a->head_dim,
        .scale = a->scale,
        .causal = a->causal,
        .bias = a->bias.buf != NULL ? ge_cpu_row(&a->bias, head) + a->max_kv - 1 : NULL,
    };

    op->cpu->kernels->attend(&k, op->cpu->scratch[thread]);
}

ge_status ge_cpu_attend(struct ge_device *dev, const struct ge_attention *a)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;
    struct attention_op op = {cpu, a};
    ge_status rc = GE_OK;
    size_t floats;

    GE_TRY(ge_attention_scratch(a->max_kv, a->head_dim, &floats));
    GE_TRY(ge_cpu_reserve(cpu, floats));
    ge_pool_run(cpu->pool, a->q_ends.cols * a->heads, attention_task, &op);
done:
    return rc;
}
