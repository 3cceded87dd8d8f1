/* Operations by elements: activations, sums, products, conversions. A thread does eight
 * neighbouring elements of a row. All are bound by memory traffic. */
#include "kernel.cuh"

/* ---- activations ---------------------------------------------------------------------------- */

static __device__ __forceinline__ float gelu(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

static __device__ __forceinline__ float gelu_tanh(float x)
{
    return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

/* x sigmoid(c x) */
static __device__ __forceinline__ float swish(float x, float c)
{
    return x / (1.0f + expf(-c * x));
}

/* The same for results of 16 bits, where the functions above would take longer than the memory. */

/* gelu(x) = x P(X <= x) of a normal X. For z > 0, P(X > z) = exp(-z^2 / 2) t q(t) with
 * t = 1 / (1 + 0.31 z), q the polynomial whose largest relative error is least: 4.7e-6, a hundredth
 * of what rounding to fp16 may cost. (The form is that of Abramowitz and Stegun, 26.2.17.) */
static __device__ __forceinline__ float quick_gelu_erf(float x)
{
    float z = fabsf(x), t = quick_divide(1.0f, fmaf(0.31f, z, 1.0f));
    float q = fmaf(-0.0739309424f, t, 0.180456124f);

    q = fmaf(q, t, 0.0157377794f);
    q = fmaf(q, t, 0.13343364f);
    q = fmaf(q, t, 0.120440288f);
    q = fmaf(q, t, 0.123860796f);
    float above = quick_exp2(-0.72134752f * z * z) * (t * q); /* log2(e) / 2 */
    return x * (x >= 0.0f ? 1.0f - above : above);
}

/* x sigmoid(c x) */
static __device__ __forceinline__ float quick_swish(float x, float c)
{
    return quick_divide(x, 1.0f + quick_exp2(-1.44269504f * c * x));
}

template <typename T>
static __device__ __forceinline__ void act_piece(enum ge_activation act, float f[PIECE])
{
    constexpr bool quick = sizeof(T) == 2;

    switch (act) { /* the same for all threads */
    case GE_ACT_NONE:
        break;
    case GE_ACT_GELU:
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] = quick ? quick_gelu_erf(f[i]) : gelu(f[i]);
        break;
    case GE_ACT_GELU_TANH:
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] = gelu_tanh(f[i]);
        break;
    case GE_ACT_QUICK_GELU:
#pragma unroll
        for (int i = 0; i < PIECE; i++)
            f[i] = quick ? quick_swish(f[i], 1.702f) : swish(f[i], 1.702f);
        break;
    case GE_ACT_TANH:
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] = tanhf(f[i]);
        break;
    case GE_ACT_SILU:
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] = quick ? quick_swish(f[i], 1.0f) : swish(f[i], 1.0f);
        break;
    case GE_ACT_RELU:
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] = f[i] < 0.0f ? 0.0f : f[i]; /* a NaN stays */
        break;
    }
}

/* A thread does two pieces, the second BLOCK pieces after the first: more loads on their way. */
template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    activate_kernel(enum ge_activation act, size_t rows, unsigned cols, bool aligned, Matrix<T> x,
                    Matrix<T> residual, Matrix<T> y)
{
    GE_MAX_THREADS(BLOCK);
    float f[2][PIECE], r[PIECE];
    bool found[2];
    Piece p[2];

#pragma unroll
    for (unsigned i = 0; i < 2; i++) {
        found[i] = find_piece_at((2 * static_cast<size_t>(blockIdx.x) + i) * BLOCK + threadIdx.x,
                                 rows, cols, &p[i]);
        if (found[i]) load_piece(x.at(p[i].row, p[i].col), aligned, p[i].n, f[i]);
    }
#pragma unroll
    for (unsigned i = 0; i < 2; i++) {
        if (!found[i]) continue;
        act_piece<T>(act, f[i]);
        if (residual.data != nullptr) {
            load_piece(residual.at(p[i].row, p[i].col), aligned, p[i].n, r);
#pragma unroll
            for (int e = 0; e < PIECE; e++) f[i][e] += r[e];
        }
        store_piece(y.at(p[i].row, p[i].col), aligned, p[i].n, f[i]);
    }
}

extern "C" cudaError_t ge_launch_activate(cudaStream_t stream, enum ge_activation act,
                                          struct ge_cuda_matrix x, struct ge_cuda_matrix residual,
                                          struct ge_cuda_matrix y)
{
    bool aligned = rows_aligned(x) && rows_aligned(residual) && rows_aligned(y);
    dim3 grid((piece_grid(y.rows, y.cols).x + 1) / 2);

    return with_type(y.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(activate_kernel<T>, grid, BLOCK, 0, stream, act, y.rows,
                         static_cast<unsigned>(y.cols), aligned, matrix<T>(x), matrix<T>(residual),
                         matrix<T>(y));
    });
}

/* ---- two operands --------------------------------------------------------------------------- */

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    binary_kernel(bool product, size_t rows, unsigned cols, bool aligned, Matrix<T> a, Matrix<T> b,
                  Matrix<T> y)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE], g[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    load_piece(a.at(p.row, p.col), aligned, p.n, f);
    load_piece(b.at(p.row, p.col), aligned, p.n, g);
#pragma unroll
    for (int i = 0; i < PIECE; i++) f[i] = product ? f[i] * g[i] : f[i] + g[i];
    store_piece(y.at(p.row, p.col), aligned, p.n, f);
}

static cudaError_t binary(cudaStream_t stream, bool product, const struct ge_cuda_matrix &a,
                          struct ge_cuda_matrix b, const struct ge_cuda_matrix &y)
{
    bool aligned = rows_aligned(a) && rows_aligned(b) && rows_aligned(y);

    if (b.rows == 1) b.stride = 0; /* the same row for all */
    return with_type(y.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(binary_kernel<T>, piece_grid(y.rows, y.cols), BLOCK, 0, stream, product,
                         y.rows, static_cast<unsigned>(y.cols), aligned, matrix<T>(a), matrix<T>(b),
                         matrix<T>(y));
    });
}

extern "C" cudaError_t ge_launch_add(cudaStream_t stream, struct ge_cuda_matrix a,
                                     struct ge_cuda_matrix b, struct ge_cuda_matrix y)
{
    return binary(stream, false, a, b, y);
}

extern "C" cudaError_t ge_launch_mul(cudaStream_t stream, struct ge_cuda_matrix a,
                                     struct ge_cuda_matrix b, struct ge_cuda_matrix y)
{
    return binary(stream, true, a, b, y);
}

/* ---- copies --------------------------------------------------------------------------------- */

template <typename X, typename Y>
static __global__ void __launch_bounds__(BLOCK)
    copy_kernel(size_t rows, unsigned x_cols, unsigned cols, bool aligned, Matrix<X> x, Matrix<Y> y)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    unsigned left = p.col < x_cols ? x_cols - p.col : 0;
    load_piece(x.at(p.row, p.col), aligned, left < p.n ? left : p.n, f);
    store_piece(y.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_copy(cudaStream_t stream, struct ge_cuda_matrix x,
                                      struct ge_cuda_matrix y)
{
    bool aligned = rows_aligned(x) && rows_aligned(y);

    return with_type(x.dtype, [&](auto from) {
        using X = decltype(from);
        return with_type(y.dtype, [&](auto to) {
            using Y = decltype(to);
            return GE_LAUNCH((copy_kernel<X, Y>), piece_grid(y.rows, y.cols), BLOCK, 0, stream,
                             y.rows, static_cast<unsigned>(x.cols), static_cast<unsigned>(y.cols),
                             aligned, matrix<X>(x), matrix<Y>(y));
        });
    });
}

/* ---- for checking the choice of product algorithms ------------------------------------------ */

static __global__ void __launch_bounds__(BLOCK)
    differ_kernel(const unsigned *a, const unsigned *b, size_t n, unsigned *flag)
{
    GE_MAX_THREADS(BLOCK);
    size_t i = blockIdx.x * static_cast<size_t>(BLOCK) + threadIdx.x;

    if (i < n && a[i] != b[i]) *flag = 1;
}

extern "C" cudaError_t ge_launch_differ(cudaStream_t stream, const void *a, const void *b,
                                        size_t bytes, unsigned *flag)
{
    size_t n = bytes / sizeof(unsigned);

    return GE_LAUNCH(differ_kernel, dim3(static_cast<unsigned>((n + BLOCK - 1) / BLOCK)), BLOCK, 0,
                     stream, static_cast<const unsigned *>(a), static_cast<const unsigned *>(b), n,
                     flag);
}

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    noise_kernel(size_t rows, unsigned cols, bool aligned, Matrix<T> x)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
#pragma unroll
    for (int i = 0; i < PIECE; i++) {
        unsigned z = static_cast<unsigned>(p.row) * 2654435761u + (p.col + i) * 2246822519u;
        z = (z ^ z >> 15) * 3266489917u;
        f[i] = static_cast<float>((z ^ z >> 16) >> 8) * (2.0f / 16777216.0f) - 1.0f;
    }
    store_piece(x.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_noise(cudaStream_t stream, struct ge_cuda_matrix x)
{
    return with_type(x.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(noise_kernel<T>, piece_grid(x.rows, x.cols), BLOCK, 0, stream, x.rows,
                         static_cast<unsigned>(x.cols), rows_aligned(x), matrix<T>(x));
    });
}
