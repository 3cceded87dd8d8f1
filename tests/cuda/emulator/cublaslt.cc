/* The emulated cuBLASLt: column-major products with the documented rules, and a handful of
 * algorithms that add in different orders, so that taking another one shows in the digits. As in
 * the real library the best-rated one depends on the number of rows, some split the sum over k, and
 * operands that are not aligned to 16 bytes are not for any of them. */
#include "include/cublasLt.h"

#include "block.h"
#include "include/cuda_bf16.h"
#include "include/cuda_fp16.h"
#include "state.h"

#include <algorithm>
#include <mutex>
#include <vector>

struct cublasLtContext {
    int unused;
};
struct emulated_matmul_desc {
    cublasComputeType_t compute;
    cublasOperation_t a, b;
    cublasLtEpilogue_t epilogue;
    const void *bias;
};
struct emulated_layout {
    cudaDataType_t type;
    uint64_t rows, cols;
    int64_t ld;
};
struct emulated_preference {
    uint64_t workspace;
    uint32_t schemes;
};

namespace emulator
{

extern std::recursive_mutex machine_lock;

/* ---- algorithms ------------------------------------------------------------------------- */

/* Sums over blocks of `block` products, then over the blocks; `overhead` and `rate` are what the
 * heuristic knows: estimated time = overhead + rows / rate. */
static const struct Algorithm {
    int id, block, parts;
    uint32_t scheme;
    double overhead, rate;
    size_t workspace;
} algorithms[] = {
    {10, 64, 4, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 1, 50, 1 << 20},
    {20, 16, 1, CUBLASLT_REDUCTION_SCHEME_NONE, 3, 100, 0},
    {21, 32, 1, CUBLASLT_REDUCTION_SCHEME_NONE, 5, 150, 0},
    {66, 64, 1, CUBLASLT_REDUCTION_SCHEME_NONE, 9, 400, 4096},
};

/* Another one, for any number of rows the best-rated: its order depends on that number. */
static const Algorithm unsteady = {77, 8, 1, CUBLASLT_REDUCTION_SCHEME_NONE, 0, 1e9, 0};

enum Setting { ID, TILE, PARTS, SCHEME, SWIZZLE, CUSTOM, STAGES, INNER, CLUSTER };

static uint32_t setting(const cublasLtMatmulAlgo_t &a, int i)
{
    return (uint32_t)(a.data[i / 2] >> 32 * (i % 2));
}

static void set(cublasLtMatmulAlgo_t *a, int i, uint32_t v)
{
    a->data[i / 2] &= ~((uint64_t)0xFFFFFFFF << 32 * (i % 2));
    a->data[i / 2] |= (uint64_t)v << 32 * (i % 2);
}

static const Algorithm *algorithm(int id)
{
    if (id == unsteady.id && machine.lt_unsteady) return &unsteady;
    for (const Algorithm &a : algorithms)
        if (a.id == id) return &a;
    return nullptr;
}

static cublasLtMatmulAlgo_t configured(const Algorithm &a)
{
    cublasLtMatmulAlgo_t out = {};

    set(&out, ID, (uint32_t)a.id);
    set(&out, TILE, 20 + (uint32_t)a.block / 16);
    set(&out, PARTS, (uint32_t)a.parts);
    set(&out, SCHEME, a.scheme);
    set(&out, STAGES, 3);
    set(&out, CLUSTER, 2);
    return out;
}

static size_t setting_bytes(cublasLtMatmulAlgoConfigAttributes_t attr)
{
    return attr == CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID ||
                   attr == CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID
               ? 2
               : 4;
}

/* ---- descriptors ------------------------------------------------------------------------ */

extern "C" size_t cublasLtGetVersion(void)
{
    return machine.lt_version;
}

extern "C" const char *cublasLtGetStatusName(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
        return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    }
    return "unknown";
}

extern "C" cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    if (current_gpu() == nullptr || current_gpu()->lost != cudaSuccess)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasLtContext();
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc,
                                                   cublasComputeType_t compute,
                                                   cudaDataType_t scale)
{
    if (scale != CUDA_R_32F) return CUBLAS_STATUS_INVALID_VALUE;
    *desc = new emulated_matmul_desc{compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT,
                                     nullptr};
    return CUBLAS_STATUS_SUCCESS;
}

template <typename T> static cublasStatus_t take(T *to, const void *value, size_t bytes)
{
    if (bytes != sizeof *to) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                                         cublasLtMatmulDescAttributes_t attr,
                                                         const void *value, size_t bytes)
{
    switch (attr) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        return take(&desc->a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
        return take(&desc->b, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return take(&desc->epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return take(&desc->bias, value, bytes);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

extern "C" cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
    delete desc;
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout,
                                                     cudaDataType_t type, uint64_t rows,
                                                     uint64_t cols, int64_t ld)
{
    *layout = new emulated_layout{type, rows, cols, ld};
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *pref)
{
    *pref = new emulated_preference{0, CUBLASLT_REDUCTION_SCHEME_MASK};
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t
cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t pref,
                                     cublasLtMatmulPreferenceAttributes_t attr, const void *value,
                                     size_t bytes)
{
    uint32_t alignment;

    if (attr == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        return take(&pref->workspace, value, bytes);
    if (attr == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
        return take(&pref->schemes, value, bytes);
    return take(&alignment, value, bytes);
}

extern "C" cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t pref)
{
    delete pref;
    return CUBLAS_STATUS_SUCCESS;
}

/* ---- what is supported ------------------------------------------------------------------ */

static size_t type_bytes(cudaDataType_t t)
{
    return t == CUDA_R_32F ? 4 : 2;
}

/* Shapes and types of a product D (m, n) = op(A) op(B) + C, as documented. */
static cublasStatus_t check_shapes(const emulated_matmul_desc &d, const emulated_layout &a,
                                   const emulated_layout &b, const emulated_layout &c,
                                   const emulated_layout &out)
{
    uint64_t m = d.a == CUBLAS_OP_N ? a.rows : a.cols, k = d.a == CUBLAS_OP_N ? a.cols : a.rows;
    uint64_t kb = d.b == CUBLAS_OP_N ? b.rows : b.cols, n = d.b == CUBLAS_OP_N ? b.cols : b.rows;
    const emulated_layout *all[] = {&a, &b, &c, &out};
    Gpu *g = current_gpu();

    for (const emulated_layout *l : all) {
        if (l->ld < (int64_t)l->rows || l->rows == 0 || l->cols == 0 || l->type != a.type)
            return CUBLAS_STATUS_INVALID_VALUE;
        if (l->ld * (int64_t)type_bytes(l->type) % 16 != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (k != kb || out.rows != m || out.cols != n || c.rows != m || c.cols != n)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (d.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && a.type != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (a.type == CUDA_R_16BF && g != nullptr && g->major < 8) return CUBLAS_STATUS_NOT_SUPPORTED;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t check_algorithm(const cublasLtMatmulAlgo_t *algo, const Algorithm **out)
{
    *out = algorithm((int)setting(*algo, ID));
    if (*out == nullptr) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (setting(*algo, TILE) != 20 + (uint32_t)(*out)->block / 16 ||
        setting(*algo, PARTS) != (uint32_t)(*out)->parts ||
        setting(*algo, SCHEME) != (*out)->scheme)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
    cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t pref,
    int requested, cublasLtMatmulHeuristicResult_t results[], int *returned)
{
    cublasStatus_t s = check_shapes(*desc, *a, *b, *c, *d);
    std::vector<const Algorithm *> found;
    double rows = (double)d->cols;

    machine.counts.heuristics++;
    *returned = 0;
    if (s != CUBLAS_STATUS_SUCCESS) return s;
    if (machine.lt_unsteady) found.push_back(&unsteady);
    for (const Algorithm &x : algorithms)
        if (x.workspace <= pref->workspace && (x.scheme & ~pref->schemes) == 0) found.push_back(&x);
    std::sort(found.begin(), found.end(), [=](const Algorithm *x, const Algorithm *y) {
        return x->overhead + rows / x->rate < y->overhead + rows / y->rate;
    });
    for (const Algorithm *x : found) {
        if (*returned == requested) break;
        results[(*returned)++] = {configured(*x), x->workspace, CUBLAS_STATUS_SUCCESS, 1.0f, {}};
    }
    return *returned > 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

extern "C" cublasStatus_t cublasLtMatmulAlgoInit(cublasLtHandle_t, cublasComputeType_t,
                                                 cudaDataType_t, cudaDataType_t, cudaDataType_t,
                                                 cudaDataType_t, cudaDataType_t, int id,
                                                 cublasLtMatmulAlgo_t *algo)
{
    *algo = {};
    if (algorithm(id) == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    set(algo, ID, (uint32_t)id);
    set(algo, PARTS, 1);
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t
cublasLtMatmulAlgoConfigSetAttribute(cublasLtMatmulAlgo_t *algo,
                                     cublasLtMatmulAlgoConfigAttributes_t attr, const void *value,
                                     size_t bytes)
{
    uint32_t v = 0;

    if (attr == CUBLASLT_ALGO_CONFIG_ID || bytes != setting_bytes(attr))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(&v, value, bytes);
    set(algo, attr, v);
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t
cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t *algo,
                                     cublasLtMatmulAlgoConfigAttributes_t attr, void *value,
                                     size_t bytes, size_t *written)
{
    uint32_t v = setting(*algo, attr);

    if (bytes != setting_bytes(attr)) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(value, &v, bytes);
    *written = bytes;
    return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t
cublasLtMatmulAlgoCheck(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
                        cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                        cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t *algo,
                        cublasLtMatmulHeuristicResult_t *result)
{
    const Algorithm *x;
    cublasStatus_t s = check_shapes(*desc, *a, *b, *c, *d);

    if (s == CUBLAS_STATUS_SUCCESS) s = check_algorithm(algo, &x);
    if (s == CUBLAS_STATUS_SUCCESS) *result = {*algo, x->workspace, s, 1.0f, {}};
    return s;
}

/* ---- products --------------------------------------------------------------------------- */

static float get(const void *p, cudaDataType_t type, size_t i)
{
    if (type == CUDA_R_16BF) return __bfloat162float(((const __nv_bfloat16 *)p)[i]);
    if (type == CUDA_R_16F) return __half2float(((const __half *)p)[i]);
    return ((const float *)p)[i];
}

static void put(void *p, cudaDataType_t type, size_t i, float v)
{
    if (type == CUDA_R_16BF)
        ((__nv_bfloat16 *)p)[i] = __float2bfloat16_rn(v);
    else if (type == CUDA_R_16F)
        ((__half *)p)[i] = __float2half_rn(v);
    else
        ((float *)p)[i] = v;
}

/* TF32 keeps 10 bits of the fraction. */
static float to_tf32(float v)
{
    uint32_t u;

    memcpy(&u, &v, sizeof u);
    if (std::isfinite(v)) u = (u + 0x1000) & ~(uint32_t)0x1FFF;
    memcpy(&v, &u, sizeof v);
    return v;
}

struct Product {
    emulated_matmul_desc desc;
    emulated_layout a, b, c, d;
    const void *A, *B, *C;
    void *D;
    float alpha, beta;
    int block;
};

/* op(P) as floats, in strips of STRIP of its own rows: within a strip k is the slow index, so that a
 * strip's sums are vectors. `k_first`: P is stored with k along its columns. */
enum { STRIP = 64 };

static std::vector<float> operand(const void *p, const emulated_layout &l, bool k_first, bool tf32)
{
    uint64_t k = k_first ? l.rows : l.cols, n = k_first ? l.cols : l.rows;
    std::vector<float> out((n + STRIP - 1) / STRIP * STRIP * k);

    for (uint64_t c = 0; c < l.cols; c++)
        for (uint64_t r = 0; r < l.rows; r++) {
            float v = get(p, l.type, c * (uint64_t)l.ld + r);
            uint64_t row = k_first ? c : r, at = k_first ? r : c;
            out[(row / STRIP * k + at) * STRIP + row % STRIP] = tf32 ? to_tf32(v) : v;
        }
    return out;
}

static float finish(const Product &p, float sum, uint64_t row, uint64_t col)
{
    float v = p.alpha * sum;
    unsigned epilogue = (unsigned)p.desc.epilogue;

    if (p.beta != 0) v += p.beta * get(p.C, p.c.type, col * (uint64_t)p.c.ld + row);
    if (epilogue & CUBLASLT_EPILOGUE_BIAS) v += get(p.desc.bias, p.d.type, row);
    if (epilogue & CUBLASLT_EPILOGUE_GELU)
        v = 0.5f * v * (1.0f + tanhf(0.7978845608f * (v + 0.044715f * v * v * v)));
    return v;
}

/* Sums of one strip of A with one column of B. */
static void dot(const float *strip, const float *x, uint64_t k, int block, float sum[STRIP])
{
    float part[STRIP];

    for (int r = 0; r < STRIP; r++) sum[r] = 0;
    for (uint64_t k0 = 0; k0 < k; k0 += (uint64_t)block) {
        for (int r = 0; r < STRIP; r++) part[r] = 0;
        for (uint64_t i = k0; i < k && i < k0 + (uint64_t)block; i++)
            for (int r = 0; r < STRIP; r++)
                part[r] += x[i * STRIP] * strip[i * STRIP + (uint64_t)r];
        for (int r = 0; r < STRIP; r++) sum[r] += part[r];
    }
}

static void multiply(const Product &p)
{
    bool tf32 = p.desc.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    uint64_t m = p.d.rows, n = p.d.cols, k = p.desc.a == CUBLAS_OP_T ? p.a.rows : p.a.cols;
    std::vector<float> a = operand(p.A, p.a, p.desc.a == CUBLAS_OP_T, tf32);
    std::vector<float> b = operand(p.B, p.b, p.desc.b == CUBLAS_OP_N, tf32);
    float sum[STRIP];

    for (uint64_t r0 = 0; r0 < m; r0 += STRIP) {
        for (uint64_t col = 0; col < n; col++) {
            dot(&a[r0 * k], &b[col / STRIP * STRIP * k + col % STRIP], k, p.block, sum);
            for (uint64_t r = 0; r < STRIP && r0 + r < m; r++)
                put(p.D, p.d.type, col * (uint64_t)p.d.ld + r0 + r, finish(p, sum[r], r0 + r, col));
        }
    }
}

static void check_matrix(const char *name, const void *p, const emulated_layout &l)
{
    size_t elements = (l.cols - 1) * (uint64_t)l.ld + l.rows;

    if (!in_device_memory(p, elements * type_bytes(l.type)))
        fatal("cublasLtMatmul: %s is not inside one device allocation", name);
}

extern "C" cublasStatus_t
cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha, const void *A,
               cublasLtMatrixLayout_t Adesc, const void *B, cublasLtMatrixLayout_t Bdesc,
               const void *beta, const void *C, cublasLtMatrixLayout_t Cdesc, void *D,
               cublasLtMatrixLayout_t Ddesc, const cublasLtMatmulAlgo_t *algo, void *workspace,
               size_t workspace_bytes, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    const void *pointers[] = {A, B, C, D};
    const Algorithm *x;
    bool lose;

    if (handle == nullptr || algo == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    cublasStatus_t s = check_shapes(*desc, *Adesc, *Bdesc, *Cdesc, *Ddesc);
    if (s == CUBLAS_STATUS_SUCCESS) s = check_algorithm(algo, &x);
    if (s != CUBLAS_STATUS_SUCCESS) return s;
    for (const void *p : pointers)
        if ((uintptr_t)p % 16 != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (C == D && (Cdesc->ld != Ddesc->ld || Cdesc->rows != Ddesc->rows))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (x->workspace > 0 &&
        (workspace_bytes < x->workspace || workspace == nullptr || (uintptr_t)workspace % 16 != 0))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (((unsigned)desc->epilogue & CUBLASLT_EPILOGUE_BIAS) &&
        !in_device_memory(desc->bias, Ddesc->rows * type_bytes(Ddesc->type)))
        return CUBLAS_STATUS_INVALID_VALUE;
    check_matrix("A", A, *Adesc);
    check_matrix("B", B, *Bdesc);
    check_matrix("C", C, *Cdesc);
    check_matrix("D", D, *Ddesc);
    Product p = {*desc,
                 *Adesc,
                 *Bdesc,
                 *Cdesc,
                 *Ddesc,
                 A,
                 B,
                 C,
                 D,
                 *(const float *)alpha,
                 *(const float *)beta,
                 x->block};
    if (x == &unsteady && Ddesc->cols < 100) p.block = 24;
    machine.counts.products++;
    if (admit_launch(&lose) != cudaSuccess) return CUBLAS_STATUS_EXECUTION_FAILED;
    double ms = 0.01 * (x->overhead + (double)Ddesc->cols / x->rate);
    cudaError_t e = enqueue(stream, ms, [=]() {
        if (lose) return machine.lose_with;
        multiply(p);
        return cudaSuccess;
    });
    return e == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

} // namespace emulator
