/* The matrix product over a table of kernels.
 *
 * A task is a block of columns of the weight times some rows. It goes through them in strips: products
 * of a strip, then bias, activation and residual while its sums are in the first-level cache. An element is one sum over k whatever the strips,
 * blocks and tasks are, so these may be chosen by speed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/cpu/cpu.h"

enum {
    /* Columns of a block. Narrower ones read x again too often, from the last-level cache or memory;
     * wider ones win nothing (measured for k = 384…4096: within 1 % from 96 to 192, where blocks cut
     * to fit the second-level cache lose 8 to 14 % at k >= 1536). */
    BLOCK_COLS = 128,
    PART_ROWS = 48,       /* fewest rows of a task: below it, fetching the block is the work */
    TASKS_PER_THREAD = 16 /* that many even out what threads lose to others on their cores */
};

struct cpu_weight {
    struct ge_weight head;
    float *panels; /* of values that the weight's type has */
    float *bias;   /* (n), or NULL */
};

ge_status ge_cpu_keep_bias(const float *bias, size_t n, float **out)
{
    *out = NULL;
    if (bias == NULL) return GE_OK;
    *out = ge_calloc(n, sizeof **out);
    if (*out == NULL) return GE_ENOMEM;
    memcpy(*out, bias, n * sizeof **out);
    return GE_OK;
}

void ge_cpu_free_weight(struct ge_weight *w)
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

ge_status ge_cpu_prepare_weight(struct ge_device *dev, const float *w, const float *bias, size_t n,
                                size_t k, enum ge_dtype dtype, struct ge_weight **out)
{
    const struct ge_cpu_device *cpu = (const struct ge_cpu_device *)dev;
    struct cpu_weight *weight = NULL;
    ge_status rc = GE_OK;
    size_t padded, floats;

    GE_NEW(weight, 1);
    weight->head = (struct ge_weight){dev, n, k, dtype};
    GE_TRY(ge_add(n, cpu->kernels->panel - 1, &padded));
    GE_TRY(ge_mul(padded / cpu->kernels->panel * cpu->kernels->panel, k, &floats));
    GE_TRY_PTR(weight->panels, ge_calloc_aligned(floats, sizeof(float)));
    ge_pack_panels(w, k, n, k, cpu->kernels->panel, weight->panels);
    if (dtype != GE_F32) round_to_type(cpu->kernels, dtype, weight->panels, floats);
    GE_TRY(ge_cpu_keep_bias(bias, n, &weight->bias));
    *out = &weight->head;
    weight = NULL;
done:
    if (weight != NULL) ge_cpu_free_weight(&weight->head);
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
    size_t rows, parts;  /* of a task; tasks per block of columns */
    size_t cols, blocks; /* of a block; blocks */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static void plan_tasks(struct product *p)
{
    const struct ge_kernels *kernels = p->cpu->kernels;
    size_t n = p->m->w->n, rows = p->m->y.rows, threads = (size_t)p->cpu->head.threads;

    p->blocks = divide_up(n, BLOCK_COLS);
    p->cols = ge_kernels_padded(kernels, divide_up(n, p->blocks));
    p->blocks = divide_up(n, p->cols);
    p->parts = threads == 1 ? 1 : divide_up(TASKS_PER_THREAD * threads, p->blocks);
    p->parts = smaller(p->parts, divide_up(rows, PART_ROWS));
    p->rows = divide_up(divide_up(rows, p->parts), kernels->strip_rows) * kernels->strip_rows;
    p->parts = divide_up(rows, p->rows);
}

/* Rows of x as floats and the distance between them: in place, or converted into `room`. */
static const float *strip_of(const struct product *p, struct ge_cpu_block at, size_t *stride,
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
    const struct ge_kernels *kernels = p->cpu->kernels;
    const struct cpu_weight *w = (const struct cpu_weight *)p->m->w;
    size_t k = w->head.k, row = i % p->parts * p->rows, end = smaller(row + p->rows, p->m->y.rows);
    struct ge_cpu_block at = {.col = i / p->parts * p->cols};
    float *c = p->cpu->scratch[thread], *room = c + kernels->strip_rows * p->cols;

    at.cols = smaller(p->cols, w->head.n - at.col);
    for (at.row = row; at.row < end; at.row += at.rows) {
        size_t stride;
        at.rows = smaller(kernels->strip_rows, end - at.row);
        const float *x = strip_of(p, at, &stride, room + 2 * p->cols);
        kernels->gemm(x, stride, at.rows, w->panels + at.col * k, at.cols, k, c, p->cols);
        ge_cpu_finish(p->cpu, p->m, w->bias, c, p->cols, at, room);
    }
}

ge_status ge_cpu_matmul(struct ge_device *dev, const struct ge_matmul *m)
{
    struct ge_cpu_device *cpu = (struct ge_cpu_device *)dev;
    struct product p = {.cpu = cpu, .m = m};
    size_t strip = cpu->kernels->strip_rows, floats;
    ge_status rc;

    plan_tasks(&p);
    floats = (strip + 2) * p.cols + (m->x.dtype != GE_F32 ? strip * m->x.cols : 0);
    rc = ge_cpu_reserve(cpu, floats);
    if (rc == GE_OK) ge_pool_run(cpu->pool, p.parts * p.blocks, product_task, &p);
    return rc;
}
