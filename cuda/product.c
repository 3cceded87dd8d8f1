/* y = act(x W^T + bias) + residual.
 *
 * cuBLASLt does the product, the bias, the tanh form of GELU (bf16 and fp16) and the residual of a
 * layer without activation; any other activation is a pass of our own over the result. Operands
 * that are not aligned, or whose rows are no multiple of 16 elements, go through scratch memory:
 * the library would take other kernels for them, with other digits. */
#include <stdlib.h>

#include "algorithm.h"
#include "base/mem.h"

/* Weights travel in pieces of about this many bytes of fp32. */
enum { PIECE_BYTES = 16 << 20 };

struct weight {
    struct ge_weight head;
    void *w;    /* (n, padded k) in the weight's type, zeros after column k */
    void *bias; /* (n) in the weight's type, or NULL */
    size_t padded_k;
};

/* ---- weights ------------------------------------------------------------------------------ */

void ge_cuda_free_weight(struct ge_weight *head)
{
    struct weight *w = (struct weight *)head;

    (void)cudaSetDevice(((struct ge_cuda_device *)head->dev)->index);
    (void)cudaFree(w->w);
    (void)cudaFree(w->bias);
    free(w);
}

/* Send a dense fp32 matrix of the host and convert it into `to` on the device, by groups of rows. */
static ge_status send_converted(struct ge_cuda_device *dev, const float *from, size_t cols,
                                struct ge_cuda_matrix to)
{
    size_t row_bytes = cols * sizeof *from;
    size_t group = row_bytes < PIECE_BYTES ? PIECE_BYTES / row_bytes : 1;
    ge_status rc = GE_OK;
    void *fp32;

    for (size_t r = 0; r < to.rows; r += group) {
        size_t rows = to.rows - r < group ? to.rows - r : group;
        struct ge_cuda_matrix part = to;
        part.data = (char *)to.data + r * to.stride * ge_dtype_size(to.dtype);
        part.rows = rows;
        GE_TRY(ge_cuda_scratch(dev, rows * row_bytes, &fp32));
        GE_TRY(ge_cuda_send(dev, fp32, from + r * cols, rows * row_bytes));
        GE_CUDA(
            dev,
            ge_launch_copy(dev->compute, ge_cuda_matrix_at(fp32, rows, cols, cols, GE_F32), part),
            "convert a weight");
    }
done:
    return rc;
}

ge_status ge_cuda_prepare_weight(struct ge_device *head, const float *w, const float *bias,
                                 size_t n, size_t k, enum ge_dtype dtype, struct ge_weight **out)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct weight *weight = NULL;
    size_t bytes, padded;
    ge_status rc = GE_OK;
    int fits;

    GE_TRY(ge_cuda_enter(dev));
    GE_TRY(ge_to_int(n, &fits));
    GE_TRY(ge_to_int(k, &fits));
    padded = ge_cuda_padded(k);
    GE_TRY(ge_mul(n, padded * ge_dtype_size(dtype), &bytes));
    GE_NEW(weight, 1);
    weight->head = (struct ge_weight){head, n, k, dtype};
    weight->padded_k = padded;
    GE_TRY(ge_cuda_malloc(dev, bytes, &weight->w));
    GE_TRY(send_converted(dev, w, k, ge_cuda_matrix_at(weight->w, n, padded, padded, dtype)));
    if (bias != NULL) {
        GE_TRY(ge_cuda_malloc(dev, n * ge_dtype_size(dtype), &weight->bias));
        GE_TRY(send_converted(dev, bias, n, ge_cuda_matrix_at(weight->bias, 1, n, n, dtype)));
    }
    *out = &weight->head;
    weight = NULL;
done:
    if (weight != NULL) ge_cuda_free_weight(&weight->head);
    return rc;
}

/* ---- products ----------------------------------------------------------------------------- */

/* How a call is done: its operands as the library gets them. */
struct plan {
    struct ge_cuda_matrix x, residual, y; /* as the caller has them */
    struct ge_cuda_shape shape;
    enum ge_activation act;       /* done by us afterwards; GE_ACT_NONE: nothing is left to do */
    struct ge_cuda_matrix in;     /* x, or a copy with zeros up to the padded width */
    struct ge_cuda_matrix start;  /* the library's residual, or absent */
    struct ge_cuda_matrix result; /* y, or scratch memory */
};

/* What the library's epilogue does, and what is left. */
static void divide_work(struct plan *p, const struct weight *w, enum ge_activation act)
{
    bool half = w->head.dtype != GE_F32, residual = p->residual.data != NULL;
    unsigned epilogue = w->bias != NULL ? GE_CUDA_BIAS : 0;

    p->act = act;
    if (act == GE_ACT_GELU_TANH && half && !residual) {
        epilogue |= GE_CUDA_GELU_TANH;
        p->act = GE_ACT_NONE;
    } else if (act == GE_ACT_NONE && residual) {
        epilogue |= GE_CUDA_RESIDUAL;
    }
    p->shape = (struct ge_cuda_shape){w->head.n, w->padded_k, w->head.dtype, epilogue};
}

/* Copies in scratch memory where an operand cannot be used in place. */
static ge_status place_operands(struct ge_cuda_device *dev, struct plan *p)
{
    size_t size = ge_dtype_size(p->shape.dtype), ldy = ge_cuda_padded(p->y.cols), m = p->y.rows;
    bool fused_residual = p->shape.epilogue & GE_CUDA_RESIDUAL;
    bool copy_x = !ge_cuda_aligned(&p->x) || p->x.cols != p->shape.k;
    /* A residual that our own pass adds must not be overwritten before: it may be y. */
    bool copy_y = !ge_cuda_aligned(&p->y) || (p->residual.data != NULL && !fused_residual);
    bool copy_r = fused_residual && !ge_cuda_aligned(&p->residual);
    size_t x_bytes = 0, y_bytes = 0, r_bytes = 0, total;
    ge_status rc = GE_OK;
    void *scratch;

    if (copy_x) GE_TRY(ge_mul(m, p->shape.k * size, &x_bytes));
    if (copy_y) GE_TRY(ge_mul(m, ldy * size, &y_bytes));
    if (copy_r) GE_TRY(ge_mul(m, ldy * size, &r_bytes));
    GE_TRY(ge_add(x_bytes, y_bytes, &total));
    GE_TRY(ge_add(total, r_bytes, &total));
    GE_TRY(ge_cuda_scratch(dev, total, &scratch));
    char *at = scratch;
    p->in = copy_x ? ge_cuda_matrix_at(at, m, p->shape.k, p->shape.k, p->x.dtype) : p->x;
    at += x_bytes;
    p->result = copy_y ? ge_cuda_matrix_at(at, m, p->y.cols, ldy, p->y.dtype) : p->y;
    at += y_bytes;
    p->start = copy_r           ? ge_cuda_matrix_at(at, m, p->y.cols, ldy, p->y.dtype)
               : fused_residual ? p->residual
                                : (struct ge_cuda_matrix){0};
    if (copy_x) GE_CUDA(dev, ge_launch_copy(dev->compute, p->x, p->in), "matrix product");
    if (copy_r) GE_CUDA(dev, ge_launch_copy(dev->compute, p->residual, p->start), "matrix product");
done:
    return rc;
}

/* The activation and residual that the library did not do, and the way out of scratch memory. */
static ge_status finish(struct ge_cuda_device *dev, const struct plan *p)
{
    struct ge_cuda_matrix residual = p->residual;

    if (p->shape.epilogue & GE_CUDA_RESIDUAL) residual.data = NULL;
    if (p->act == GE_ACT_NONE && residual.data == NULL && p->result.data == p->y.data) return GE_OK;
    return ge_cuda_check(dev, ge_launch_activate(dev->compute, p->act, p->result, residual, p->y),
                         "activation");
}

ge_status ge_cuda_matmul(struct ge_device *head, const struct ge_matmul *m)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    const struct weight *w = (const struct weight *)m->w;
    struct plan p = {
        .x = ge_cuda_view(&m->x), .residual = ge_cuda_view(&m->residual), .y = ge_cuda_view(&m->y)};
    const struct ge_cuda_algorithm *a;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    divide_work(&p, w, m->act);
    GE_TRY(ge_cuda_algorithm_for(dev, &p.shape, &a));
    GE_TRY(place_operands(dev, &p));
    const struct ge_cuda_operands o = {.m = p.y.rows,
                                       .x = p.in.data,
                                       .w = w->w,
                                       .bias = w->bias,
                                       .residual = p.start.data,
                                       .y = p.result.data,
                                       .ldx = p.in.stride,
                                       .ldr = p.start.stride,
                                       .ldy = p.result.stride};
    GE_TRY(ge_cuda_run(dev, a, &o));
    GE_TRY(finish(dev, &p));
done:
    return rc;
}
