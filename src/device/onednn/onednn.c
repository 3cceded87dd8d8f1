/* The fast CPU device: matrix products by oneDNN, everything else from cpu/. This folder is the
 * sole user of dnnl.h.
 *
 * A product runs as 1x1 convolutions over row panels of one fixed height, each on one thread with
 * weights packed once: oneDNN's kernel for that shape takes packed weights at every level, where
 * its GEMM packs them again in each call (measured on AVX2 at 64 rows: 80-90 against 60-70
 * GFLOP/s), and a row's digits do not depend on its place in the panel. The last panel is padded
 * with zero rows, k and n with zeros to whole registers. Bias, activation and residual are our own
 * code (kernels.h), applied while the panel is in cache.
 *
 * bf16 is offered where the CPU multiplies it: operands in bf16, sums in float, the rest as on the
 * cpu device. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "device/cpu/cpu.h"
#include "device/onednn/onednn.h"

enum {
    PANEL_ROWS = 64,
    BLOCK_COLS = 384, /* most columns of one product; wider weights are split evenly */
    ALIGN = 16        /* k and n are padded to this */
};

/* One compiled product (PANEL_ROWS, k) x (k, n) of operands of a type; kept until the device
 * closes. */
struct product {
    struct product *next;
    size_t n, k;
    enum ge_dtype dtype;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    size_t scratch_bytes;
};

struct onednn_device {
    struct ge_cpu_device cpu;
    dnnl_engine_t engine;
    dnnl_stream_t *streams; /* [threads] */
    struct product *products;
    void (*omp_set_num_threads)(int n); /* NULL: the library does not use OpenMP */
};

struct onednn_weight {
    struct ge_weight head;
    const struct product *product; /* of one block */
    size_t padded_k, block_cols, blocks;
    dnnl_memory_t *packed; /* [blocks] */
    float *bias;           /* (n), or NULL */
};

/* oneDNN may be built on OpenMP, as Debian's is; a product must stay on the thread that asked for
 * it. The runtime comes with the library, so it is looked up, not linked. Per calling thread. */
static void one_thread(const struct onednn_device *dev)
{
    if (dev->omp_set_num_threads != NULL) dev->omp_set_num_threads(1);
}

static void find_openmp(struct onednn_device *dev)
{
    void *symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads");

    memcpy(&dev->omp_set_num_threads, &symbol, sizeof symbol);
}

static size_t round_up(size_t v, size_t unit)
{
    return (v + unit - 1) / unit * unit;
}

/* ---- compiled products -------------------------------------------------------------------- */

/* Descriptor of a product as a 1x1 convolution: rows are the width of an image of one line, whose
 * channels-last layout is a row-major matrix. */
static dnnl_status_t describe_product(dnnl_engine_t engine, size_t n, size_t k, enum ge_dtype dtype,
                                      dnnl_primitive_desc_t *out)
{
    const dnnl_data_type_t type = dtype == GE_BF16 ? dnnl_bf16 : dnnl_f32;
    const dnnl_dims_t x_dims = {1, (dnnl_dim_t)k, 1, PANEL_ROWS};
    const dnnl_dims_t w_dims = {(dnnl_dim_t)n, (dnnl_dim_t)k, 1, 1};
    const dnnl_dims_t y_dims = {1, (dnnl_dim_t)n, 1, PANEL_ROWS};
    const dnnl_dims_t strides = {1, 1}, padding = {0, 0};
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t conv;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&x, 4, x_dims, type, dnnl_nhwc);

    if (s == dnnl_success)
        s = dnnl_memory_desc_init_by_tag(&w, 4, w_dims, type, dnnl_format_tag_any);
    if (s == dnnl_success) s = dnnl_memory_desc_init_by_tag(&y, 4, y_dims, dnnl_f32, dnnl_nhwc);
    if (s == dnnl_success)
        s = dnnl_convolution_forward_desc_init(&conv, dnnl_forward_inference,
                                               dnnl_convolution_direct, &x, &w, NULL, &y, strides,
                                               padding, padding);
    if (s == dnnl_success) s = dnnl_primitive_attr_create(&attr);
    /* Scratch memory of ours: the library's own is not safe when threads share a primitive. */
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (s == dnnl_success) s = dnnl_primitive_desc_create(out, &conv, attr, engine, NULL);
    dnnl_primitive_attr_destroy(attr);
    return s;
}

static void free_product(struct product *p)
{
    dnnl_primitive_destroy(p->primitive);
    dnnl_primitive_desc_destroy(p->desc);
    free(p);
}

static ge_status find_product(struct onednn_device *dev, size_t n, size_t k, enum ge_dtype dtype,
                              const struct product **out)
{
    struct product *p = NULL;
    ge_status rc = GE_OK;

    for (const struct product *known = dev->products; known != NULL; known = known->next) {
        if (known->n == n && known->k == k && known->dtype == dtype) {
            *out = known;
            return GE_OK;
        }
    }
    GE_NEW(p, 1);
    p->n = n;
    p->k = k;
    p->dtype = dtype;
    GE_TRY(ge_onednn_check(describe_product(dev->engine, n, k, dtype, &p->desc),
                           "describe a product"));
    GE_TRY(ge_onednn_check(dnnl_primitive_create(&p->primitive, p->desc), "compile a product"));
    p->scratch_bytes = dnnl_memory_desc_get_size(
        dnnl_primitive_desc_query_md(p->desc, dnnl_query_scratchpad_md, 0));
    p->next = dev->products;
    dev->products = p;
    *out = p;
    p = NULL;
done:
    if (p != NULL) free_product(p);
    return rc;
}

/* ---- device ------------------------------------------------------------------------------- */

/* Pin the library's level. It can be set once, before the library has compiled anything. */
static ge_status pin_level(const char *level)
{
    static const struct {
        const char *name;
        dnnl_cpu_isa_t isa;
    } levels[] = {{"base", dnnl_cpu_isa_sse41},
                  {"avx2", dnnl_cpu_isa_avx2},
                  {"avx512", dnnl_cpu_isa_avx512_core}};

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].name, level) != 0) continue;
        dnnl_status_t s = dnnl_set_max_cpu_isa(levels[i].isa);
        if (s == dnnl_unimplemented)
            return ge_fail(GE_EUNSUPPORTED, "oneDNN was built without level pinning; use native");
        if (dnnl_get_effective_cpu_isa() != levels[i].isa)
            return ge_fail(GE_EUNSUPPORTED,
                           "oneDNN: level \"%s\" cannot be set: this process uses another level "
                           "already, or the CPU lacks it",
                           level);
    }
    return GE_OK;
}

/* The id names the kernel that the library chooses for a common shape: it differs by level, and
 * between CPUs of one level where the library distinguishes them. */
static ge_status identify(struct onednn_device *dev, enum ge_dtype dtype)
{
    const dnnl_version_t *v = dnnl_version();
    const struct product *probe;
    const char *impl = "";
    ge_status rc = GE_OK;

    GE_TRY(find_product(dev, 768, 768, dtype, &probe));
    GE_TRY(ge_onednn_check(
        dnnl_primitive_desc_query(probe->desc, dnnl_query_impl_info_str, 0, (void *)&impl),
        "name a product"));
    /* Seen on 64-bit ARM: there a row's bits depend on its place in the panel. */
    if (strncmp(impl, "gemm:", 5) == 0)
        GE_TRY(
            ge_fail(GE_EUNSUPPORTED,
                    "oneDNN has no kernel of its own for products on this CPU (only \"%s\", whose "
                    "digits depend on the place of a row); use the device simd or cpu",
                    impl));
    snprintf(dev->cpu.head.numerics, sizeof dev->cpu.head.numerics,
             "onednn %d.%d.%d %s %s rows-%d kernels-1", v->major, v->minor, v->patch,
             ge_dtype_name(dtype), impl, PANEL_ROWS);
    snprintf(dev->cpu.head.description, sizeof dev->cpu.head.description,
             "oneDNN %d.%d.%d, %s, %d thread%s", v->major, v->minor, v->patch, impl,
             dev->cpu.head.threads, dev->cpu.head.threads == 1 ? "" : "s");
done:
    return rc;
}

static void onednn_close(struct ge_device *head)
{
    struct onednn_device *dev = (struct onednn_device *)head;

    while (dev->products != NULL) {
        struct product *p = dev->products;
        dev->products = p->next;
        free_product(p);
    }
    for (int i = 0; dev->streams != NULL && i < head->threads; i++)
        dnnl_stream_destroy(dev->streams[i]);
    free(dev->streams);
    dnnl_engine_destroy(dev->engine);
    ge_cpu_fini(&dev->cpu);
    free(dev);
}

/* Levels are sets of bits; those with bf16 products contain that of AVX512_BF16. */
static bool multiplies_bf16(void)
{
    const unsigned has = dnnl_get_effective_cpu_isa(), wanted = dnnl_cpu_isa_avx512_core_bf16;

    return (has & wanted) == wanted;
}

static bool onednn_supports(const struct ge_device *dev, enum ge_dtype dtype)
{
    (void)dev;
    return dtype == GE_F32 || (dtype == GE_BF16 && multiplies_bf16());
}

static ge_status onednn_open(const struct ge_device_options *opt, struct ge_device **out)
{
    struct onednn_device *dev = NULL;
    const struct ge_kernels *kernels;
    ge_status rc = GE_OK;

    GE_TRY(ge_kernels_find("onednn", opt->level, &kernels));
    GE_NEW(dev, 1);
    dev->cpu.head.ops = ge_onednn_ops();
    GE_TRY(ge_cpu_init(&dev->cpu, opt, kernels));
    find_openmp(dev);
    one_thread(dev);
    GE_TRY(pin_level(opt->level));
    GE_TRY(ge_onednn_check(dnnl_engine_create(&dev->engine, dnnl_cpu, 0), "make an engine"));
    GE_NEW(dev->streams, (size_t)opt->threads);
    for (int i = 0; i < opt->threads; i++)
        GE_TRY(ge_onednn_check(
            dnnl_stream_create(&dev->streams[i], dev->engine, dnnl_stream_default_flags),
            "make a stream"));
    GE_TRY(identify(dev, onednn_supports(&dev->cpu.head, opt->dtype) ? opt->dtype : GE_F32));
    *out = &dev->cpu.head;
    dev = NULL;
done:
    if (dev != NULL) onednn_close(&dev->cpu.head);
    return rc;
}

/* ---- weights ------------------------------------------------------------------------------ */

static void onednn_free_weight(struct ge_weight *head)
{
    struct onednn_weight *w = (struct onednn_weight *)head;

    for (size_t i = 0; w->packed != NULL && i < w->blocks; i++) dnnl_memory_destroy(w->packed[i]);
    free(w->packed);
    free(w->bias);
    free(w);
}

/* Pack `plain` (block_cols, padded_k) into the layout that the product wants. */
static ge_status pack_block(const struct onednn_device *dev, const struct product *p, float *plain,
                            dnnl_memory_t *packed)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)p->n, (dnnl_dim_t)p->k, 1, 1};
    const dnnl_memory_desc_t *want =
        dnnl_primitive_desc_query_md(p->desc, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t from;
    dnnl_memory_t src = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    ge_status rc = GE_OK;

    GE_TRY(
        ge_onednn_check(dnnl_memory_desc_init_by_tag(&from, 4, dims, dnnl_f32, dnnl_oihw), "pack"));
    GE_TRY(ge_onednn_check(dnnl_memory_create(&src, &from, dev->engine, plain), "pack"));
    GE_TRY(ge_onednn_check(dnnl_memory_create(packed, want, dev->engine, DNNL_MEMORY_ALLOCATE),
                           "pack"));
    GE_TRY(ge_onednn_check(
        dnnl_reorder_primitive_desc_create(&desc, &from, dev->engine, want, dev->engine, NULL),
        "pack"));
    GE_TRY(ge_onednn_check(dnnl_primitive_create(&reorder, desc), "pack"));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, *packed}};
    GE_TRY(ge_onednn_check(dnnl_primitive_execute(reorder, dev->streams[0], 2, args), "pack"));
    GE_TRY(ge_onednn_check(dnnl_stream_wait(dev->streams[0]), "pack"));
done:
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    dnnl_memory_destroy(src);
    return rc;
}

static ge_status onednn_prepare_weight(struct ge_device *head, const float *w, const float *bias,
                                       size_t n, size_t k, enum ge_dtype dtype,
                                       struct ge_weight **out)
{
    struct onednn_device *dev = (struct onednn_device *)head;
    struct onednn_weight *weight = NULL;
    float *plain = NULL;
    ge_status rc = GE_OK;
    size_t floats;

    one_thread(dev);
    GE_TRY(ge_mul(n + BLOCK_COLS, k + ALIGN, &floats));
    GE_NEW(weight, 1);
    weight->head = (struct ge_weight){head, n, k, dtype};
    weight->padded_k = round_up(k, ALIGN);
    weight->block_cols = round_up((n + (n - 1) / BLOCK_COLS) / ((n - 1) / BLOCK_COLS + 1), ALIGN);
    weight->blocks = (n + weight->block_cols - 1) / weight->block_cols;
    GE_NEW(weight->packed, weight->blocks);
    GE_TRY(find_product(dev, weight->block_cols, weight->padded_k, dtype, &weight->product));
    GE_TRY_PTR(plain, ge_calloc_aligned(weight->block_cols * weight->padded_k, sizeof *plain));
    for (size_t b = 0; b < weight->blocks; b++) {
        memset(plain, 0, weight->block_cols * weight->padded_k * sizeof *plain);
        for (size_t r = 0; r < weight->block_cols && b * weight->block_cols + r < n; r++)
            memcpy(plain + r * weight->padded_k, w + (b * weight->block_cols + r) * k,
                   k * sizeof *plain);
        GE_TRY(pack_block(dev, weight->product, plain, &weight->packed[b]));
    }
    GE_TRY(ge_cpu_keep_bias(bias, n, &weight->bias));
    *out = &weight->head;
    weight = NULL;
done:
    free(plain);
    if (weight != NULL) onednn_free_weight(&weight->head);
    return rc;
}

/* ---- matrix product ----------------------------------------------------------------------- */

struct matmul_op {
    const struct onednn_device *dev;
    const struct ge_matmul *m;
    const struct onednn_weight *w;
    dnnl_status_t *failed; /* [threads] first failure of each */
};

/* Scratch of a thread: the panel of x (when it must be copied), the result, two rows of it for
 * ge_cpu_finish(), the library's own. */
static size_t scratch_floats(const struct onednn_weight *w)
{
    return PANEL_ROWS * (w->padded_k + w->block_cols) + 2 * w->block_cols +
           round_up(w->product->scratch_bytes, 64) / sizeof(float);
}

/* The panel's rows of x with padding: in place where they already are a whole dense panel. */
static void *panel_of(const struct matmul_op *op, size_t row, size_t rows, void *copy)
{
    const struct ge_tensor *x = &op->m->x;
    const size_t k = op->w->head.k, padded = op->w->padded_k, size = ge_dtype_size(x->dtype);
    char *to = copy;

    if (rows == PANEL_ROWS && x->stride == padded && k == padded) return ge_cpu_at(x, row, 0);
    for (size_t r = 0; r < rows; r++, to += padded * size) {
        memcpy(to, ge_cpu_at(x, row + r, 0), k * size);
        memset(to + k * size, 0, (padded - k) * size);
    }
    memset(to, 0, (PANEL_ROWS - rows) * padded * size);
    return copy;
}

static dnnl_status_t execute(const struct onednn_device *dev, const struct product *p,
                             dnnl_memory_t weights, void *x, float *y, float *scratch, int thread)
{
    dnnl_memory_t xm = NULL, ym = NULL, sm = NULL;
    dnnl_status_t s = dnnl_memory_create(
        &xm, dnnl_primitive_desc_query_md(p->desc, dnnl_query_src_md, 0), dev->engine, x);

    if (s == dnnl_success)
        s = dnnl_memory_create(&ym, dnnl_primitive_desc_query_md(p->desc, dnnl_query_dst_md, 0),
                               dev->engine, y);
    if (s == dnnl_success)
        s = dnnl_memory_create(&sm,
                               dnnl_primitive_desc_query_md(p->desc, dnnl_query_scratchpad_md, 0),
                               dev->engine, scratch);
    if (s == dnnl_success) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, xm},
                                        {DNNL_ARG_WEIGHTS, weights},
                                        {DNNL_ARG_DST, ym},
                                        {DNNL_ARG_SCRATCHPAD, sm}};
        s = dnnl_primitive_execute(p->primitive, dev->streams[thread], 4, args);
    }
    if (s == dnnl_success) s = dnnl_stream_wait(dev->streams[thread]);
    dnnl_memory_destroy(xm);
    dnnl_memory_destroy(ym);
    dnnl_memory_destroy(sm);
    return s;
}

static void matmul_task(void *ctx, size_t i, int thread)
{
    const struct matmul_op *op = ctx;
    const struct ge_matmul *m = op->m;
    const struct onednn_weight *w = op->w;
    size_t block = i % w->blocks;
    struct ge_cpu_block at = {i / w->blocks * PANEL_ROWS, block * w->block_cols, PANEL_ROWS,
                              w->block_cols};
    float *copy = op->dev->cpu.scratch[thread], *c = copy + PANEL_ROWS * w->padded_k;
    float *room = c + PANEL_ROWS * w->block_cols, *library = room + 2 * w->block_cols;
    dnnl_status_t s;

    if (m->y.rows - at.row < at.rows) at.rows = m->y.rows - at.row;
    if (w->head.n - at.col < at.cols) at.cols = w->head.n - at.col;
    one_thread(op->dev);
    s = execute(op->dev, w->product, w->packed[block], panel_of(op, at.row, at.rows, copy), c,
                library, thread);
    if (s == dnnl_success)
        ge_cpu_finish(&op->dev->cpu, m, w->bias, c, w->block_cols, at, room);
    else if (op->failed[thread] == dnnl_success)
        op->failed[thread] = s;
}

static ge_status onednn_matmul(struct ge_device *head, const struct ge_matmul *m)
{
    struct onednn_device *dev = (struct onednn_device *)head;
    struct matmul_op op = {dev, m, (const struct onednn_weight *)m->w, NULL};
    ge_status rc = GE_OK;

    GE_TRY(ge_cpu_reserve(&dev->cpu, scratch_floats(op.w)));
    GE_NEW(op.failed, (size_t)head->threads);
    ge_pool_run(dev->cpu.pool, (m->y.rows + PANEL_ROWS - 1) / PANEL_ROWS * op.w->blocks,
                matmul_task, &op);
    for (int t = 0; t < head->threads; t++) GE_TRY(ge_onednn_check(op.failed[t], "matrix product"));
done:
    free(op.failed);
    return rc;
}

static ge_status onednn_bench_gemm(struct ge_device *head, const struct ge_gemm_bench *b,
                                   double *seconds)
{
    const struct onednn_device *dev = (const struct onednn_device *)head;
    ge_status rc;

    if (b->dtype != GE_F32)
        return ge_fail(GE_EUNSUPPORTED, "oneDNN: products of %s are not timed",
                       ge_dtype_name(b->dtype));
    if (dev->omp_set_num_threads != NULL) dev->omp_set_num_threads(b->threads);
    rc = ge_onednn_gemm_time(dev->engine, dev->streams[0], (const size_t[]){b->m, b->n, b->k},
                             b->repeats, seconds);
    one_thread(dev);
    return rc;
}

const struct ge_device_ops *ge_onednn_ops(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "onednn",
        .priority = 10,
        .open = onednn_open,
        .close = onednn_close,
        .supports = onednn_supports,
        .bench_gemm = onednn_bench_gemm,
        .prepare_weight = onednn_prepare_weight,
        .free_weight = onednn_free_weight,
        .matmul = onednn_matmul,
        GE_CPU_SHARED_OPS,
    };
    return &ops;
}
