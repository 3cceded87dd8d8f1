/* Descriptors of products, the choice of algorithms, and running them. In the library's terms, which
 * are those of column-major matrices, W^T is its A (transposed), x its B, y its D: the rows of y are
 * columns of D, and a bias goes along D's rows. */
#include "algorithm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct ge_cuda_setting ge_cuda_settings[GE_CUDA_SETTINGS] = {
    {"id", CUBLASLT_ALGO_CONFIG_ID, 4},
    {"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, 4},
    {"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4},
    {"swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4},
    {"custom", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, 4},
    {"inner_shape", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, 2},
    {"cluster_shape", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2},
};

/* ---- descriptors -------------------------------------------------------------------------- */

cudaDataType_t ge_cuda_data_type(enum ge_dtype dtype)
{
    return dtype == GE_BF16 ? CUDA_R_16BF : dtype == GE_F16 ? CUDA_R_16F : CUDA_R_32F;
}

static cublasComputeType_t compute_type(const struct ge_cuda_device *dev, enum ge_dtype dtype)
{
    return dtype == GE_F32 && dev->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

const char *ge_cuda_epilogue_name(unsigned epilogue, char out[40])
{
    snprintf(out, 40, "%s%s%s", epilogue & GE_CUDA_BIAS ? "+bias" : "",
             epilogue & GE_CUDA_GELU_TANH ? "+gelu_tanh" : "",
             epilogue & GE_CUDA_RESIDUAL ? "+residual" : "");
    return out[0] == '+' ? out + 1 : "none";
}

/* cuBLASLt's GELU is the tanh approximation. */
static cublasLtEpilogue_t library_epilogue(unsigned epilogue)
{
    switch (epilogue & (GE_CUDA_BIAS | GE_CUDA_GELU_TANH)) {
    case GE_CUDA_BIAS:
        return CUBLASLT_EPILOGUE_BIAS;
    case GE_CUDA_GELU_TANH:
        return CUBLASLT_EPILOGUE_GELU;
    case GE_CUDA_BIAS | GE_CUDA_GELU_TANH:
        return CUBLASLT_EPILOGUE_GELU_BIAS;
    default:
        return CUBLASLT_EPILOGUE_DEFAULT;
    }
}

ge_status ge_cuda_algorithm_init(struct ge_cuda_device *dev, const struct ge_cuda_shape *shape,
                                 struct ge_cuda_algorithm *a)
{
    const cublasOperation_t transposed = CUBLAS_OP_T;
    const cublasLtEpilogue_t epilogue = library_epilogue(shape->epilogue);
    /* How it is aligned counts when algorithms are chosen; every call sets its own. */
    void *bias = shape->epilogue & GE_CUDA_BIAS ? dev->workspace : NULL;
    ge_status rc = GE_OK;

    *a = (struct ge_cuda_algorithm){.shape = *shape};
    GE_LT(dev, cublasLtMatmulDescCreate(&a->desc, compute_type(dev, shape->dtype), CUDA_R_32F),
          "describe a product");
    GE_LT(dev,
          cublasLtMatmulDescSetAttribute(a->desc, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                         sizeof transposed),
          "describe a product");
    GE_LT(dev,
          cublasLtMatmulDescSetAttribute(a->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                         sizeof epilogue),
          "describe a product");
    if (bias != NULL)
        GE_LT(dev,
              cublasLtMatmulDescSetAttribute(a->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                             sizeof bias),
              "describe a product");
    GE_LT(dev,
          cublasLtMatrixLayoutCreate(&a->w, ge_cuda_data_type(shape->dtype), shape->k, shape->n,
                                     (int64_t)shape->k),
          "describe a weight");
done:
    return rc;
}

void ge_cuda_algorithm_fini(struct ge_cuda_algorithm *a)
{
    if (a->desc != NULL) (void)cublasLtMatmulDescDestroy(a->desc);
    if (a->w != NULL) (void)cublasLtMatrixLayoutDestroy(a->w);
    a->desc = NULL;
    a->w = NULL;
}

/* Layouts of x and y for m rows. */
struct layouts {
    cublasLtMatrixLayout_t x, residual, y;
};

static void drop_layouts(struct layouts *l)
{
    if (l->x != NULL) (void)cublasLtMatrixLayoutDestroy(l->x);
    if (l->residual != NULL) (void)cublasLtMatrixLayoutDestroy(l->residual);
    if (l->y != NULL) (void)cublasLtMatrixLayoutDestroy(l->y);
}

static ge_status make_layouts(struct ge_cuda_device *dev, const struct ge_cuda_shape *s, size_t m,
                              size_t ldx, size_t ldr, size_t ldy, struct layouts *l)
{
    cudaDataType_t type = ge_cuda_data_type(s->dtype);
    ge_status rc = GE_OK;

    *l = (struct layouts){0};
    GE_LT(dev, cublasLtMatrixLayoutCreate(&l->x, type, s->k, m, (int64_t)ldx), "describe x");
    GE_LT(dev, cublasLtMatrixLayoutCreate(&l->residual, type, s->n, m, (int64_t)ldr),
          "describe a residual");
    GE_LT(dev, cublasLtMatrixLayoutCreate(&l->y, type, s->n, m, (int64_t)ldy), "describe y");
done:
    return rc;
}

/* ---- running ------------------------------------------------------------------------------ */

ge_status ge_cuda_run(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                      const struct ge_cuda_operands *o)
{
    const float one = 1.0f, beta = a->shape.epilogue & GE_CUDA_RESIDUAL ? 1.0f : 0.0f;
    const void *residual = a->shape.epilogue & GE_CUDA_RESIDUAL ? o->residual : o->y;
    size_t ldr = a->shape.epilogue & GE_CUDA_RESIDUAL ? o->ldr : o->ldy;
    struct layouts l = {0};
    ge_status rc = GE_OK;

    GE_TRY(make_layouts(dev, &a->shape, o->m, o->ldx, ldr, o->ldy, &l));
    if (a->shape.epilogue & GE_CUDA_BIAS)
        GE_LT(dev,
              cublasLtMatmulDescSetAttribute(a->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &o->bias,
                                             sizeof o->bias),
              "matrix product");
    GE_LT(dev,
          cublasLtMatmul(dev->lt, a->desc, &one, o->w, a->w, o->x, l.x, &beta, residual, l.residual,
                         o->y, l.y, &a->algo, dev->workspace, GE_CUDA_WORKSPACE_BYTES,
                         dev->compute),
          "matrix product");
    GE_CUDA(dev, cudaGetLastError(), "matrix product");
done:
    drop_layouts(&l);
    return rc;
}

/* ---- candidates --------------------------------------------------------------------------- */

static ge_status make_preference(struct ge_cuda_device *dev, bool any,
                                 cublasLtMatmulPreference_t *out)
{
    static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    const uint64_t workspace = GE_CUDA_WORKSPACE_BYTES;
    const uint32_t alignment = 16, none = CUBLASLT_REDUCTION_SCHEME_NONE;
    ge_status rc = GE_OK;

    GE_LT(dev, cublasLtMatmulPreferenceCreate(out), "choose an algorithm");
    GE_LT(dev,
          cublasLtMatmulPreferenceSetAttribute(*out, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace, sizeof workspace),
          "choose an algorithm");
    if (!any)
        GE_LT(dev,
              cublasLtMatmulPreferenceSetAttribute(*out, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                                   &none, sizeof none),
              "choose an algorithm");
    for (size_t i = 0; i < 4; i++)
        GE_LT(
            dev,
            cublasLtMatmulPreferenceSetAttribute(*out, alignments[i], &alignment, sizeof alignment),
            "choose an algorithm");
done:
    return rc;
}

/* Splits the sum over k, or cannot say that it does not. */
static bool splits(const cublasLtMatmulAlgo_t *algo)
{
    uint32_t scheme = CUBLASLT_REDUCTION_SCHEME_MASK;
    int32_t parts = 0;
    size_t got;

    if (cublasLtMatmulAlgoConfigGetAttribute(algo, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &parts,
                                             sizeof parts, &got) != CUBLAS_STATUS_SUCCESS ||
        cublasLtMatmulAlgoConfigGetAttribute(algo, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, &scheme,
                                             sizeof scheme, &got) != CUBLAS_STATUS_SUCCESS)
        return true;
    return (parts != 0 && parts != 1) || scheme != CUBLASLT_REDUCTION_SCHEME_NONE;
}

ge_status ge_cuda_candidates(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                             size_t m, bool any, cublasLtMatmulAlgo_t out[GE_CUDA_CANDIDATES],
                             int *n)
{
    cublasLtMatmulHeuristicResult_t *found = NULL;
    cublasLtMatmulPreference_t preference = NULL;
    struct layouts l = {0};
    ge_status rc = GE_OK;
    size_t ldy = ge_cuda_padded(a->shape.n);
    int count = 0;

    *n = 0;
    GE_NEW(found, GE_CUDA_CANDIDATES);
    GE_TRY(make_preference(dev, any, &preference));
    GE_TRY(make_layouts(dev, &a->shape, m, a->shape.k, ldy, ldy, &l));
    if (cublasLtMatmulAlgoGetHeuristic(dev->lt, a->desc, a->w, l.x, l.residual, l.y, preference,
                                       GE_CUDA_CANDIDATES, found, &count) != CUBLAS_STATUS_SUCCESS)
        count = 0; /* "not supported" when there is none */
    for (int i = 0; i < count; i++)
        if (found[i].state == CUBLAS_STATUS_SUCCESS && (any || !splits(&found[i].algo)))
            out[(*n)++] = found[i].algo;
done:
    if (preference != NULL) (void)cublasLtMatmulPreferenceDestroy(preference);
    drop_layouts(&l);
    free(found);
    return rc;
}

ge_status ge_cuda_configure(struct ge_cuda_device *dev, struct ge_cuda_algorithm *a)
{
    cudaDataType_t type = ge_cuda_data_type(a->shape.dtype);
    cublasLtMatmulHeuristicResult_t result;
    size_t ldy = ge_cuda_padded(a->shape.n);
    struct layouts l = {0};
    ge_status rc = GE_OK;
    cublasStatus_t s =
        cublasLtMatmulAlgoInit(dev->lt, compute_type(dev, a->shape.dtype), CUDA_R_32F, type, type,
                               type, type, (int)a->setting[0], &a->algo);

    for (int i = 1; i < GE_CUDA_SETTINGS && s == CUBLAS_STATUS_SUCCESS; i++) {
        uint16_t narrow = (uint16_t)a->setting[i];
        const void *value = ge_cuda_settings[i].bytes == 2 ? (void *)&narrow : &a->setting[i];
        s = cublasLtMatmulAlgoConfigSetAttribute(&a->algo, ge_cuda_settings[i].attribute, value,
                                                 ge_cuda_settings[i].bytes);
    }
    GE_TRY(make_layouts(dev, &a->shape, GE_CUDA_CANONICAL_ROWS, a->shape.k, ldy, ldy, &l));
    if (s == CUBLAS_STATUS_SUCCESS)
        s = cublasLtMatmulAlgoCheck(dev->lt, a->desc, a->w, l.x, l.residual, l.y, &a->algo,
                                    &result);
    if (s == CUBLAS_STATUS_SUCCESS && result.workspaceSize > GE_CUDA_WORKSPACE_BYTES)
        s = CUBLAS_STATUS_NOT_SUPPORTED;
    if (s != CUBLAS_STATUS_SUCCESS || splits(&a->algo))
        rc = ge_fail(GE_EUNSUPPORTED, "it does not run here (%s); tune again",
                     cublasLtGetStatusName(s));
done:
    drop_layouts(&l);
    return rc;
}

/* ---- the check ---------------------------------------------------------------------------- */

/* Heights and first rows of products whose rows must have the bits of one product of all rows. */
enum { ALL_ROWS = 520 };
static const struct {
    size_t first, rows;
} places[] = {{0, 1}, {3, 33}, {100, 257}, {519, 1}};
enum { PLACES = sizeof places / sizeof places[0] };

struct trial {
    void *memory; /* x, w, bias, two results, a flag */
    struct ge_cuda_operands o;
    char *other;
    unsigned *flag;
};

static ge_status make_trial(struct ge_cuda_device *dev, const struct ge_cuda_shape *s,
                            struct trial *t)
{
    size_t size = ge_dtype_size(s->dtype), ldy = ge_cuda_padded(s->n), k = s->k;
    size_t x = ALL_ROWS * k * size, w, y = ALL_ROWS * ldy * size, bias = ldy * size, total;
    ge_status rc = GE_OK;

    GE_TRY(ge_mul(s->n, k * size, &w));
    GE_TRY(ge_add(w, x + 2 * y + bias + 16, &total));
    GE_TRY(ge_cuda_malloc(dev, total, &t->memory));
    char *at = t->memory;
    t->o = (struct ge_cuda_operands){.m = ALL_ROWS,
                                     .x = at,
                                     .w = at + x,
                                     .bias = at + x + w,
                                     .residual = at + x + w + bias,
                                     .y = at + x + w + bias,
                                     .ldx = k,
                                     .ldr = ldy,
                                     .ldy = ldy};
    t->other = at + x + w + bias + y;
    t->flag = (unsigned *)(void *)(t->other + y);
    GE_CUDA(dev,
            ge_launch_noise(dev->compute, ge_cuda_matrix_at(at, ALL_ROWS + s->n, k, k, s->dtype)),
            "check an algorithm");
    GE_CUDA(dev, cudaMemsetAsync(at + x + w, 0, bias + 2 * y + 16, dev->compute),
            "check an algorithm");
done:
    return rc;
}

/* The rows of one place, alone; sets the flag if they differ from those of the whole product. */
static ge_status try_place(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                           const struct trial *t, size_t first, size_t rows)
{
    size_t size = ge_dtype_size(a->shape.dtype);
    struct ge_cuda_operands o = t->o;
    ge_status rc = GE_OK;

    o.m = rows;
    o.x = (const char *)o.x + first * o.ldx * size;
    o.y = t->other;
    o.residual = t->other; /* zeros: y's rows began as zeros, too */
    GE_CUDA(dev, cudaMemsetAsync(t->other, 0, rows * o.ldy * size, dev->compute),
            "check an algorithm");
    GE_TRY(ge_cuda_run(dev, a, &o));
    GE_CUDA(dev,
            ge_launch_differ(dev->compute, t->other, (const char *)t->o.y + first * o.ldy * size,
                             rows * o.ldy * size, t->flag),
            "check an algorithm");
done:
    return rc;
}

ge_status ge_cuda_is_steady(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                            bool *steady)
{
    struct trial t = {0};
    ge_status rc = GE_OK;
    unsigned flag = 1;

    *steady = false;
    GE_TRY(make_trial(dev, &a->shape, &t));
    GE_TRY(ge_cuda_run(dev, a, &t.o));
    for (size_t i = 0; i < PLACES; i++)
        GE_TRY(try_place(dev, a, &t, places[i].first, places[i].rows));
    GE_CUDA(dev, cudaMemcpyAsync(&flag, t.flag, sizeof flag, cudaMemcpyDeviceToHost, dev->compute),
            "check an algorithm");
    GE_CUDA(dev, cudaStreamSynchronize(dev->compute), "check an algorithm");
    *steady = flag == 0;
done:
    (void)cudaFree(t.memory);
    return rc;
}

/* ---- the choice --------------------------------------------------------------------------- */

static bool same_shape(const struct ge_cuda_shape *a, const struct ge_cuda_shape *b)
{
    return a->n == b->n && a->k == b->k && a->dtype == b->dtype && a->epilogue == b->epilogue;
}

static const struct ge_cuda_algorithm *find(const struct ge_cuda_algorithm *list,
                                            const struct ge_cuda_shape *shape)
{
    while (list != NULL && !same_shape(&list->shape, shape)) list = list->next;
    return list;
}

static ge_status take_tuned(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *entry,
                            struct ge_cuda_algorithm *a)
{
    char name[40];
    ge_status rc = GE_OK;
    bool steady;

    memcpy(a->setting, entry->setting, sizeof a->setting);
    GE_TRY(ge_cuda_configure(dev, a));
    GE_TRY(ge_cuda_is_steady(dev, a, &steady));
    if (!steady)
        rc = ge_fail(GE_EUNSUPPORTED,
                     "it gives a row other bits at another number of rows; tune again");
done:
    if (rc == GE_EUNSUPPORTED)
        rc = ge_fail_in(rc, "tuned table: algorithm %u of n %zu, k %zu, %s, %s", a->setting[0],
                        a->shape.n, a->shape.k, ge_dtype_name(a->shape.dtype),
                        ge_cuda_epilogue_name(a->shape.epilogue, name));
    return rc;
}

static ge_status take_heuristic(struct ge_cuda_device *dev, struct ge_cuda_algorithm *a)
{
    cublasLtMatmulAlgo_t *candidates = NULL;
    char name[40];
    ge_status rc = GE_OK;
    bool steady = false;
    int n;

    GE_NEW(candidates, GE_CUDA_CANDIDATES);
    GE_TRY(ge_cuda_candidates(dev, a, GE_CUDA_CANONICAL_ROWS, false, candidates, &n));
    for (int i = 0; i < n && !steady; i++) {
        a->algo = candidates[i];
        GE_TRY(ge_cuda_is_steady(dev, a, &steady));
    }
    if (!steady)
        rc = ge_fail(GE_EUNSUPPORTED,
                     "cuda: GPU %d (%s): none of cuBLASLt's %d algorithms for products with "
                     "n %zu, k %zu, %s, %s gives a row the same bits at every number of rows; use "
                     "another dtype or device",
                     dev->index, dev->gpu, n, a->shape.n, a->shape.k, ge_dtype_name(a->shape.dtype),
                     ge_cuda_epilogue_name(a->shape.epilogue, name));
done:
    free(candidates);
    return rc;
}

ge_status ge_cuda_algorithm_for(struct ge_cuda_device *dev, const struct ge_cuda_shape *shape,
                                const struct ge_cuda_algorithm **out)
{
    const struct ge_cuda_algorithm *entry;
    struct ge_cuda_algorithm *a = NULL;
    ge_status rc = GE_OK;

    *out = find(dev->algorithms, shape);
    if (*out != NULL) return GE_OK;
    GE_NEW(a, 1);
    GE_TRY(ge_cuda_algorithm_init(dev, shape, a));
    entry = find(dev->tuned, shape);
    GE_TRY(entry != NULL ? take_tuned(dev, entry, a) : take_heuristic(dev, a));
    a->next = dev->algorithms;
    dev->algorithms = a;
    *out = a;
    a = NULL;
done:
    if (a != NULL) ge_cuda_algorithm_fini(a);
    free(a);
    return rc;
}

ge_status ge_cuda_products_open(struct ge_cuda_device *dev, const char *tuned)
{
    ge_status rc = GE_OK;

    GE_LT(dev, cublasLtCreate(&dev->lt), "start cuBLASLt");
    GE_TRY(ge_cuda_malloc(dev, GE_CUDA_WORKSPACE_BYTES, &dev->workspace));
    if (tuned != NULL) GE_TRY(ge_cuda_read_table(dev, tuned));
done:
    return rc;
}

static void drop_list(struct ge_cuda_algorithm *list)
{
    while (list != NULL) {
        struct ge_cuda_algorithm *a = list;
        list = a->next;
        ge_cuda_algorithm_fini(a);
        free(a);
    }
}

void ge_cuda_products_close(struct ge_cuda_device *dev)
{
    drop_list(dev->algorithms);
    drop_list(dev->tuned);
    if (dev->workspace != NULL) (void)cudaFree(dev->workspace);
    if (dev->lt != NULL) (void)cublasLtDestroy(dev->lt);
}
