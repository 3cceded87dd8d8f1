/* The reference device: plain C on host memory. Here: the device itself, memory, and the matrix
 * product; cpu_ops.c has the other operations and kernels.c the inner loops.
 *
 * In bf16 and fp16 the operands are numbers of that type, all arithmetic is the fp32 path's, and
 * each operation's result is rounded once, to nearest even. What an operation has inside (sums,
 * scores and weights of attention) is never rounded to the type.
 *
 * Work is split over threads so that every element is computed whole by one task, in an order of
 * additions that depends on nothing but the shapes k and head_dim: digits do not depend on the
 * number of rows, a row's place, the threads or the instruction-set level. */
#include "device/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Block of a result that one task computes: its operands stay in a core's second-level cache. */
enum { BLOCK_ROWS = 48, BLOCK_COLS = 256 };

struct cpu_weight {
    struct ge_weight head;
    float *panels; /* ceil(n/16) panels of (k, 16), of values that the weight's type has */
    float *bias;   /* (n), or NULL */
};

/* ---- device ------------------------------------------------------------------------------- */

ge_status ge_cpu_init(struct ge_cpu_device *cpu, const struct ge_device_options *opt)
{
    ge_status rc = GE_OK;

    cpu->head.threads = opt->threads;
    GE_TRY(ge_kernels_find(opt->level, &cpu->kernels));
    GE_TRY(ge_pool_new(opt->threads, &cpu->pool));
    GE_NEW(cpu->scratch, (size_t)opt->threads);
done:
    return rc;
}

void ge_cpu_fini(struct ge_cpu_device *cpu)
{
    ge_pool_delete(&cpu->pool);
    for (int i = 0; cpu->scratch != NULL && i < cpu->head.threads; i++) free(cpu->scratch[i]);
    free(cpu->scratch);
    cpu->scratch = NULL;
}

ge_status ge_cpu_reserve(struct ge_cpu_device *cpu, size_t floats)
{
    ge_status rc = GE_OK;

    if (floats <= cpu->scratch_floats) return GE_OK;
    cpu->scratch_floats = 0;
    for (int i = 0; i < cpu->head.threads; i++) {
        free(cpu->scratch[i]);
        cpu->scratch[i] = NULL;
    }
    for (int i = 0; i < cpu->head.threads; i++)
        GE_TRY_PTR(cpu->scratch[i], ge_calloc_aligned(floats, sizeof(float)));
    cpu->scratch_floats = floats;
done:
    return rc;
}

static void cpu_close(struct ge_device *dev)
{
    ge_cpu_fini((struct ge_cpu_device *)dev);
    free(dev);
}

static ge_status cpu_open(const struct ge_device_options *opt, struct ge_device **dev)
{
    struct ge_cpu_device *cpu = NULL;
    ge_status rc = GE_OK;

    GE_NEW(cpu, 1);
    cpu->head.ops = ge_cpu_ops();
    GE_TRY(ge_cpu_init(cpu, opt));
    /* The level is not in the id: all levels give the same bits (kernels.h). */
    snprintf(cpu->head.numerics, sizeof cpu->head.numerics, "cpu %s kernels-1",
             ge_dtype_name(opt->dtype));
    snprintf(cpu->head.description, sizeof cpu->head.description, "plain C, %s, %d thread%s",
             cpu->kernels->level, opt->threads, opt->threads == 1 ? "" : "s");
    *dev = &cpu->head;
    cpu = NULL;
done:
    if (cpu != NULL) cpu_close(&cpu->head);
    return rc;
}

static bool cpu_supports(const struct ge_device *dev, enum ge_dtype dtype)
{
    (void)dev;
    return dtype == GE_F32 || dtype == GE_BF16 || dtype == GE_F16;
}

/* ---- memory ------------------------------------------------------------------------------- */

ge_status ge_cpu_alloc(struct ge_device *dev, size_t bytes, struct ge_buffer **buf)
{
    struct ge_cpu_buffer *b = NULL;
    ge_status rc = GE_OK;

    GE_NEW(b, 1);
    b->head = (struct ge_buffer){dev, bytes};
    GE_TRY_PTR(b->data, ge_calloc_aligned(bytes, 1));
    *buf = &b->head;
    b = NULL;
done:
    free(b);
    return rc;
}

void ge_cpu_free(struct ge_buffer *buf)
{
    free(((struct ge_cpu_buffer *)buf)->data);
    free(buf);
}

ge_status ge_cpu_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes)
{
    memcpy(((struct ge_cpu_buffer *)dst)->data + offset, src, bytes);
    return GE_OK;
}

ge_status ge_cpu_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes)
{
    if (bytes > 0) memcpy(dst, ((const struct ge_cpu_buffer *)src)->data + offset, bytes);
    return GE_OK;
}

ge_status ge_cpu_synchronize(struct ge_device *dev)
{
    (void)dev;
    return GE_OK;
}

/* ---- matrix product ----------------------------------------------------------------------- */

ge_status ge_cpu_keep_bias(const float *bias, size_t n, float **out)
{
    *out = NULL;
    if (bias == NULL) return GE_OK;
    *out = ge_calloc(n, sizeof **out);
    if (*out == NULL) return GE_ENOMEM;
    memcpy(*out, bias, n * sizeof **out);
    return GE_OK;
}

static void cpu_free_weight(struct ge_weight *w)
{
    struct cpu_weight *weight = (struct cpu_weight *)w;

    free(weight->panels);
    free(weight->bias);
    free(weight);
}

/* The values that floats have in a type, as floats. */
static void round_to_type(const struct ge_kernels *k, enum ge_dtype type, float *x, size_t n)
{
    uint16_t h[256];

    for (size_t i = 0; i < n; i += 256) {
        size_t m = n - i < 256 ? n - i : 256;
        k->narrow(type, x + i, m, h);
        k->widen(type, h, m, x + i);
    }
}

static ge_status cpu_prepare_weight(struct ge_device *dev, const float *w, const float *bias,
                                    size_t n, size_t k, enum ge_dtype dtype, struct ge_weight **out)
{
    const struct ge_cpu_device *cpu = (const struct ge_cpu_device *)dev;
    struct cpu_weight *weight = NULL;
    ge_status rc = GE_OK;
    size_t padded, floats;

    GE_NEW(weight, 1);
    weight->head = (struct ge_weight){dev, n, k, dtype};
    GE_TRY(ge_add(n, GE_PANEL - 1, &padded));
    GE_TRY(ge_mul(padded / GE_PANEL * GE_PANEL, k, &floats));
    GE_TRY_PTR(weight->panels, ge_calloc_aligned(floats, sizeof(float)));
    ge_pack_panels(w, k, n, k, weight->panels);
    if (dtype != GE_F32) round_to_type(cpu->kernels, dtype, weight->panels, floats);
    GE_TRY(ge_cpu_keep_bias(bias, n, &weight->bias));
    *out = &weight->head;
    weight = NULL;
done:
    if (weight != NULL) cpu_free_weight(&weight->head);
    return rc;
}

void ge_cpu_finish(const struct ge_cpu_device *cpu, const struct ge_matmul *m, const float *bias,
                   const float *c, size_t ldc, struct ge_cpu_block at, float *room)
{
    const struct ge_kernels *k = cpu->kernels;
    bool residual = m->residual.buf != NULL;

    if (bias != NULL) bias += at.col;
    if (m->y.dtype == GE_F32) {
        k->epilogue(c, ldc, at.rows, at.cols, bias, m->act,
                    residual ? ge_cpu_at(&m->residual, at.row, at.col) : NULL, m->residual.stride,
                    ge_cpu_at(&m->y, at.row, at.col), m->y.stride);
        return;
    }
    for (size_t r = 0; r < at.rows; r++) {
        const float *add = NULL;
        if (residual) add = ge_cpu_load(k, &m->residual, at.row + r, at.col, at.cols, room);
        k->epilogue(c + r * ldc, ldc, 1, at.cols, bias, m->act, add, 0, room + at.cols, 0);
        ge_cpu_store(k, &m->y, at.row + r, at.col, at.cols, room + at.cols);
    }
}

struct product {
    const struct ge_cpu_device *cpu;
    const struct ge_matmul *m;
    size_t column_blocks;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows of x as floats and the distance between them: in place, or converted into `room`. */
static const float *product_rows(const struct product *p, struct ge_cpu_block at, size_t *stride,
                                 float *room)
{
    const struct ge_tensor *x = &p->m->x;

    *stride = x->dtype == GE_F32 ? x->stride : x->cols;
    if (x->dtype == GE_F32) return ge_cpu_row(x, at.row);
    for (size_t r = 0; r < at.rows; r++)
        ge_cpu_load(p->cpu->kernels, x, at.row + r, 0, x->cols, room + r * x->cols);
    return room;
}

static void product_task(void *ctx, size_t i, int thread)
{
    const struct product *p = ctx;
    const struct ge_matmul *m = p->m;
    const struct cpu_weight *w = (const struct cpu_weight *)m->w;
    struct ge_cpu_block at = {i / p->column_blocks * BLOCK_ROWS, i % p->column_blocks * BLOCK_COLS,
                              BLOCK_ROWS, BLOCK_COLS};
    float *c = p->cpu->scratch[thread], *room = c + BLOCK_ROWS * BLOCK_COLS;
    size_t stride;

    at.rows = smaller(at.rows, m->y.rows - at.row);
    at.cols = smaller(at.cols, m->y.cols - at.col);
    const float *x = product_rows(p, at, &stride, room + 2 * BLOCK_COLS);
    p->cpu->kernels->gemm(x, stride, at.rows, w->panels + at.col * w->head.k, at.cols, w->head.k, c,
                          BLOCK_COLS);
    ge_cpu_finish(p->cpu, m, w->bias, c, BLOCK_COLS, at, room);
}

static ge_status cpu_matmul(struct ge_device *dev, const struct ge_matmul *m)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;
    struct product p = {cpu, m, (m->y.cols + BLOCK_COLS - 1) / BLOCK_COLS};
    size_t floats = (size_t)(BLOCK_ROWS + 2) * BLOCK_COLS;
    ge_status rc;

    if (m->x.dtype != GE_F32) floats += BLOCK_ROWS * m->x.cols;
    rc = ge_cpu_reserve(cpu, floats);
    if (rc == GE_OK)
        ge_pool_run(cpu->pool, (m->y.rows + BLOCK_ROWS - 1) / BLOCK_ROWS * p.column_blocks,
                    product_task, &p);
    return rc;
}

const struct ge_device_ops *ge_cpu_ops(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "cpu",
        .priority = 0,
        .open = cpu_open,
        .close = cpu_close,
        .supports = cpu_supports,
        .alloc = ge_cpu_alloc,
        .free = ge_cpu_free,
        .upload = ge_cpu_upload,
        .download = ge_cpu_download,
        .synchronize = ge_cpu_synchronize,
        .prepare_weight = cpu_prepare_weight,
        .free_weight = cpu_free_weight,
        .patches = ge_cpu_patches,
        .pixel_patches = ge_cpu_pixel_patches,
        .patch_tokens = ge_cpu_patch_tokens,
        .embed = ge_cpu_embed,
        .matmul = cpu_matmul,
        .layernorm = ge_cpu_layernorm,
        .attend = ge_cpu_attend,
        .activate = ge_cpu_activate,
        .add = ge_cpu_add,
        .mul = ge_cpu_mul,
        .gather = ge_cpu_gather,
        .pool = ge_cpu_pool,
        .l2_normalize = ge_cpu_l2_normalize,
        .copy = ge_cpu_copy,
    };
    return &ops;
}
