/* The library's own matrix product, timed: what our speed is measured against. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sort.h"
#include "device/onednn/onednn.h"

ge_status ge_onednn_check(dnnl_status_t s, const char *what)
{
    static const char *const names[] = {"success",       "out of memory", "invalid arguments",
                                        "unimplemented", "iterator ends", "runtime error",
                                        "not required"};

    if (s == dnnl_success) return GE_OK;
    return ge_fail(s == dnnl_out_of_memory ? GE_ENOMEM : GE_EDEVICE, "oneDNN: %s: %s", what,
                   (size_t)s < sizeof names / sizeof names[0] ? names[s] : "unknown error");
}

/* Descriptor of (m, k) x (n, k)^T as a matmul or an inner product, weights laid out as it likes. */
static dnnl_status_t describe_gemm(dnnl_engine_t engine, bool inner, const dnnl_dim_t mnk[3],
                                   dnnl_primitive_desc_t *out)
{
    const dnnl_dims_t x_dims = {mnk[0], mnk[2]}, y_dims = {mnk[0], mnk[1]};
    const dnnl_dims_t w_dims = {inner ? mnk[1] : mnk[2], inner ? mnk[2] : mnk[1]};
    dnnl_memory_desc_t x, w, y;
    dnnl_matmul_desc_t matmul;
    dnnl_inner_product_desc_t product;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&x, 2, x_dims, dnnl_f32, dnnl_ab);

    if (s == dnnl_success)
        s = dnnl_memory_desc_init_by_tag(&w, 2, w_dims, dnnl_f32, dnnl_format_tag_any);
    if (s == dnnl_success) s = dnnl_memory_desc_init_by_tag(&y, 2, y_dims, dnnl_f32, dnnl_ab);
    if (s != dnnl_success) return s;
    s = inner ? dnnl_inner_product_forward_desc_init(&product, dnnl_forward_inference, &x, &w, NULL,
                                                     &y)
              : dnnl_matmul_desc_init(&matmul, &x, &w, NULL, &y);
    if (s != dnnl_success) return s;
    return dnnl_primitive_desc_create(out, inner ? (const void *)&product : (const void *)&matmul,
                                      NULL, engine, NULL);
}

/* Median time of one primitive on memory of its own. */
static ge_status time_gemm(dnnl_engine_t engine, dnnl_stream_t stream, bool inner,
                           const dnnl_dim_t mnk[3], int repeats, double *seconds)
{
    static const dnnl_query_t mds[] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, NULL}, {DNNL_ARG_WEIGHTS, NULL}, {DNNL_ARG_DST, NULL}};
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t gemm = NULL;
    double *times = NULL;
    ge_status rc = GE_OK;

    GE_NEW(times, (size_t)repeats);
    GE_TRY(ge_onednn_check(describe_gemm(engine, inner, mnk, &desc), "describe a product"));
    GE_TRY(ge_onednn_check(dnnl_primitive_create(&gemm, desc), "compile a product"));
    for (int i = 0; i < 3; i++) {
        const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(desc, mds[i], 0);
        void *data;
        GE_TRY(ge_onednn_check(
            dnnl_memory_create(&args[i].memory, md, engine, DNNL_MEMORY_ALLOCATE), "allocate"));
        GE_TRY(ge_onednn_check(dnnl_memory_get_data_handle(args[i].memory, &data), "allocate"));
        memset(data, 0, dnnl_memory_desc_get_size(md));
    }
    for (int r = -1; r < repeats; r++) { /* -1: warm-up */
        double start = ge_now();
        GE_TRY(ge_onednn_check(dnnl_primitive_execute(gemm, stream, 3, args), "matrix product"));
        GE_TRY(ge_onednn_check(dnnl_stream_wait(stream), "matrix product"));
        if (r >= 0) times[r] = ge_now() - start;
    }
    qsort(times, (size_t)repeats, sizeof *times, ge_compare_doubles);
    *seconds = times[repeats / 2];
done:
    for (int i = 0; i < 3; i++) dnnl_memory_destroy(args[i].memory);
    dnnl_primitive_destroy(gemm);
    dnnl_primitive_desc_destroy(desc);
    free(times);
    return rc;
}

ge_status ge_onednn_gemm_time(dnnl_engine_t engine, dnnl_stream_t stream, const size_t mnk[3],
                              int repeats, double *seconds)
{
    const dnnl_dim_t dims[3] = {(dnnl_dim_t)mnk[0], (dnnl_dim_t)mnk[1], (dnnl_dim_t)mnk[2]};
    double matmul, inner;
    ge_status rc = GE_OK;

    GE_TRY(time_gemm(engine, stream, false, dims, repeats, &matmul));
    GE_TRY(time_gemm(engine, stream, true, dims, repeats, &inner));
    *seconds = matmul < inner ? matmul : inner;
done:
    return rc;
}
