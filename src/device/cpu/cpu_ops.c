/* The operations besides the matrix product, shared by the CPU backends. Each is a task over a
 * block of rows (attention: over a sequence and head), run on the device's threads.
 *
 * A row function loads its operands as floats, computes in float and stores the result: load() and
 * store() convert where the type is another one, and cost nothing where it is not. Functions that
 * only move elements copy bytes. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "device/cpu/cpu.h"

enum {
    ROWS_PER_TASK = 16,
    ROOM_ROWS = 4 /* rows of floats that a row function needs where types are converted */
};

/* A row-wise operation: `row` computes one row of the result. */
struct row_op {
    void (*row)(const struct row_op *op, size_t r, float *room);
    const struct ge_cpu_device *cpu;
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

    for (size_t r = i * ROWS_PER_TASK; r < end; r++) op->row(op, r, op->cpu->scratch[thread]);
}

static ge_status run_rows(struct ge_device *dev, struct row_op op)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;
    ge_status rc = GE_OK;

    op.cpu = cpu;
    op.kernels = cpu->kernels;
    op.rows = op.y->rows;
    GE_TRY(ge_cpu_reserve(cpu, ROOM_ROWS * op.y->cols));
    ge_pool_run(cpu->pool, (op.rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK, row_task, &op);
done:
    return rc;
}

/* Row r of an operand as floats; takes from the room what it needs. */
static const float *load(const struct row_op *op, const struct ge_tensor *t, size_t r, float **room)
{
    const float *x = ge_cpu_load(op->kernels, t, r, 0, t->cols, *room);

    if (x == *room) *room += t->cols;
    return x;
}

/* Row r of the result: where to compute it, and storing it from there. */
static float *place(const struct row_op *op, size_t r, float *room)
{
    return ge_cpu_place(op->y, r, 0, room);
}

static void store(const struct row_op *op, size_t r, const float *y)
{
    ge_cpu_store(op->kernels, op->y, r, 0, op->y->cols, y);
}

/* ---- into tokens -------------------------------------------------------------------------- */

static void patches_row(const struct row_op *op, size_t r, float *room)
{
    size_t gx = op->width / op->patch, per_image = gx * (op->height / op->patch), p = op->patch;
    size_t y = r % per_image / gx * p, x = r % per_image % gx * p;
    size_t line = p * ge_dtype_size(op->y->dtype);
    char *out = ge_cpu_at(op->y, r, 0);

    (void)room;
    for (size_t c = 0; c < op->channels; c++) {
        for (size_t dy = 0; dy < p; dy++) {
            size_t at = (c * op->height + y + dy) * op->width + x;
            memcpy(out, ge_cpu_at(op->x, r / per_image, at), line);
            out += line;
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

static void pixel_patches_row(const struct row_op *op, size_t r, float *room)
{
    size_t gx = op->width / op->patch, per_image = gx * (op->height / op->patch), p = op->patch;
    size_t y = r % per_image / gx * p, x = r % per_image % gx * p;
    float *first = place(op, r, room), *out = first;

    for (size_t c = 0; c < 3; c++) {
        const float *value = ge_cpu_row(op->b, c);
        for (size_t dy = 0; dy < p; dy++) {
            size_t at = ((y + dy) * op->width + x) * 3 + c;
            const uint8_t *line = ge_cpu_at(op->x, r / per_image, at);
            for (size_t dx = 0; dx < p; dx++) *out++ = value[line[3 * dx]];
        }
    }
    store(op, r, first);
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

static void patch_tokens_row(const struct row_op *op, size_t r, float *room)
{
    size_t prefix = op->b != NULL ? op->b->rows : 0, patches = op->c->rows, d = op->y->cols;
    size_t image = r / (prefix + patches), at = r % (prefix + patches);

    if (at < prefix) {
        memcpy(ge_cpu_at(op->y, r, 0), ge_cpu_at(op->b, at, 0), d * ge_dtype_size(op->y->dtype));
        return;
    }
    const float *x = load(op, op->x, image * patches + at - prefix, &room);
    const float *position = load(op, op->c, at - prefix, &room);
    float *out = place(op, r, room);
    for (size_t i = 0; i < d; i++) out[i] = x[i] + position[i];
    store(op, r, out);
}

ge_status ge_cpu_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                              const struct ge_tensor *prefix, const struct ge_tensor *positions,
                              const struct ge_tensor *out)
{
    return run_rows(
        dev, (struct row_op){
                 .row = patch_tokens_row, .x = patches, .b = prefix, .c = positions, .y = out});
}

static void embed_row(const struct row_op *op, size_t r, float *room)
{
    const float *token = load(op, op->c, (size_t)ge_cpu_ints(op->x)[r], &room);
    const float *position = load(op, op->e, (size_t)ge_cpu_ints(op->b)[r], &room);
    const float *shared = op->d != NULL ? load(op, op->d, 0, &room) : NULL;
    float *out = place(op, r, room);

    for (size_t i = 0; i < op->y->cols; i++)
        out[i] = (shared != NULL ? token[i] + shared[i] : token[i]) + position[i];
    store(op, r, out);
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

static void layernorm_row(const struct row_op *op, size_t r, float *room)
{
    const float *x = load(op, op->x, r, &room);
    float *y = place(op, r, room);

    op->kernels->layernorm(x, op->y->cols, ge_cpu_row(op->b, 0), ge_cpu_row(op->c, 0), op->eps, y);
    store(op, r, y);
}

ge_status ge_cpu_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                           const struct ge_tensor *gain, const struct ge_tensor *bias, float eps,
                           const struct ge_tensor *y)
{
    return run_rows(
        dev,
        (struct row_op){.row = layernorm_row, .x = x, .b = gain, .c = bias, .eps = eps, .y = y});
}

static void activate_row(const struct row_op *op, size_t r, float *room)
{
    const float *x = load(op, op->x, r, &room);
    float *y = place(op, r, room);

    op->kernels->activate(op->act, x, op->y->cols, y);
    store(op, r, y);
}

ge_status ge_cpu_activate(struct ge_device *dev, enum ge_activation act, const struct ge_tensor *x,
                          const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = activate_row, .x = x, .act = act, .y = y});
}

static void add_row(const struct row_op *op, size_t r, float *room)
{
    const float *a = load(op, op->x, r, &room);
    const float *b = load(op, op->b, op->b->rows == 1 ? 0 : r, &room);
    float *y = place(op, r, room);

    for (size_t i = 0; i < op->y->cols; i++) y[i] = a[i] + b[i];
    store(op, r, y);
}

ge_status ge_cpu_add(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = add_row, .x = a, .b = b, .y = y});
}

static void mul_row(const struct row_op *op, size_t r, float *room)
{
    const float *a = load(op, op->x, r, &room);
    const float *b = load(op, op->b, op->b->rows == 1 ? 0 : r, &room);
    float *y = place(op, r, room);

    for (size_t i = 0; i < op->y->cols; i++) y[i] = a[i] * b[i];
    store(op, r, y);
}

ge_status ge_cpu_mul(struct ge_device *dev, const struct ge_tensor *a, const struct ge_tensor *b,
                     const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = mul_row, .x = a, .b = b, .y = y});
}

static void gather_row(const struct row_op *op, size_t r, float *room)
{
    (void)room;
    memcpy(ge_cpu_at(op->y, r, 0), ge_cpu_at(op->x, (size_t)ge_cpu_ints(op->b)[r], 0),
           op->y->cols * ge_dtype_size(op->y->dtype));
}

ge_status ge_cpu_gather(struct ge_device *dev, const struct ge_tensor *x,
                        const struct ge_tensor *rows, const struct ge_tensor *out)
{
    return run_rows(dev, (struct row_op){.row = gather_row, .x = x, .b = rows, .y = out});
}

static void l2_normalize_row(const struct row_op *op, size_t r, float *room)
{
    const float *x = load(op, op->x, r, &room);
    float *y = place(op, r, room);

    op->kernels->l2_normalize(x, op->y->cols, op->eps, y);
    store(op, r, y);
}

ge_status ge_cpu_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                              const struct ge_tensor *y)
{
    return run_rows(dev, (struct row_op){.row = l2_normalize_row, .x = x, .eps = eps, .y = y});
}

static void copy_row(const struct row_op *op, size_t r, float *room)
{
    size_t n = op->y->cols;

    if (op->x->dtype == op->y->dtype) {
        memcpy(ge_cpu_at(op->y, r, 0), ge_cpu_at(op->x, r, 0), n * ge_dtype_size(op->y->dtype));
        return;
    }
    float *y = place(op, r, room); /* a float result takes the converted row as it comes */
    const float *x = ge_cpu_load(op->kernels, op->x, r, 0, n, y);
    store(op, r, x);
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

static void pool_row(const struct row_op *op, size_t r, float *room)
{
    const int32_t *ends = ge_cpu_ints(op->b);
    size_t begin = r == 0 ? 0 : (size_t)ends[r - 1], len = (size_t)ends[r] - begin;
    size_t skip = op->c != NULL ? (size_t)ge_cpu_ints(op->c)[r] : 0, n = op->y->cols;
    float *y = place(op, r, room), weights = 0.0f, divisor = 1.0f;

    memset(y, 0, n * sizeof *y);
    for (size_t t = skip; t < len; t++) {
        const float *x = ge_cpu_load(op->kernels, op->x, begin + t, 0, n, room + n);
        pool_add(op->pooling, x, n, t, t == skip, y);
        weights += (float)(t + 1);
    }
    if (op->pooling == GE_POOL_WEIGHTED_MEAN)
        divisor = weights;
    else if (op->pooling == GE_POOL_MEAN_SQRT_LEN)
        divisor = sqrtf((float)(len - skip));
    else if (op->pooling == GE_POOL_MEAN)
        divisor = (float)(len - skip);
    for (size_t i = 0; skip < len && i < n; i++) y[i] /= divisor;
    store(op, r, y);
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
    size_t kernel_floats; /* of scratch, before the room for converted operands */
};

/* A head's columns of n rows as floats, `stride` apart: in place, or converted into the room. */
static const float *load_head(const struct attention_op *op, const struct ge_tensor *t, size_t row,
                              size_t n, size_t col, size_t *stride, float **room)
{
    size_t dim = op->a->head_dim;
    float *to = *room;

    *stride = t->dtype == GE_F32 ? t->stride : dim;
    if (t->dtype == GE_F32) return n > 0 ? ge_cpu_at(t, row, col) : NULL;
    for (size_t r = 0; r < n; r++)
        ge_cpu_load(op->cpu->kernels, t, row + r, col, dim, to + r * dim);
    *room += n * dim;
    return to;
}

static void attention_task(void *ctx, size_t i, int thread)
{
    const struct attention_op *op = ctx;
    const struct ge_attention *a = op->a;
    const int32_t *q_ends = ge_cpu_ints(&a->q_ends), *kv_ends = ge_cpu_ints(&a->kv_ends);
    size_t s = i / a->heads, head = i % a->heads, col = head * a->head_dim;
    size_t q = s == 0 ? 0 : (size_t)q_ends[s - 1], kv = s == 0 ? 0 : (size_t)kv_ends[s - 1];
    size_t nq = (size_t)q_ends[s] - q, nk = (size_t)kv_ends[s] - kv;
    float *scratch = op->cpu->scratch[thread], *room = scratch + op->kernel_floats;
    struct ge_kernel_attention k = {
        .nq = nq,
        .nk = nk,
        .head_dim = a->head_dim,
        .scale = a->scale,
        .causal = a->causal,
        .bias = a->bias.buf != NULL ? ge_cpu_row(&a->bias, head) + a->max_kv - 1 : NULL,
    };

    if (nq == 0) return;
    k.q = load_head(op, &a->q, q, nq, col, &k.ldq, &room);
    k.k = load_head(op, &a->k, kv, nk, col, &k.ldk, &room);
    k.v = load_head(op, &a->v, kv, nk, col, &k.ldv, &room);
    k.ldo = a->out.dtype == GE_F32 ? a->out.stride : a->head_dim;
    k.out = ge_cpu_place(&a->out, q, col, room);
    op->cpu->kernels->attend(&k, scratch);
    for (size_t r = 0; r < nq; r++)
        ge_cpu_store(op->cpu->kernels, &a->out, q + r, col, a->head_dim, k.out + r * k.ldo);
}

ge_status ge_cpu_attend(struct ge_device *dev, const struct ge_attention *a)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;
    struct attention_op op = {cpu, a, 0};
    ge_status rc = GE_OK;
    size_t room = 0;

    GE_TRY(ge_attention_scratch(cpu->kernels, a->max_kv, a->head_dim, &op.kernel_floats));
    if (a->out.dtype != GE_F32) { /* q, out; k, v */
        GE_TRY(ge_add(a->max_q, a->max_kv, &room));
        GE_TRY(ge_mul(2 * room, a->head_dim, &room));
    }
    GE_TRY(ge_add(op.kernel_floats, room, &room));
    GE_TRY(ge_cpu_reserve(cpu, room));
    ge_pool_run(cpu->pool, a->q_ends.cols * a->heads, attention_task, &op);
done:
    return rc;
}
