/* Operations that need a whole row at once: layer norm and normalisation to length 1.
 *
 * A warp does a row. Lane l holds the pieces l, l + 32, l + 64, ... of eight elements; it adds its
 * elements in order, then the lanes' sums are folded by exchanging with lane ^ 16, ^ 8, ... ^ 1.
 * That order depends on nothing but the row's length. Rows of up to 2,048 elements stay in registers
 * and are read once; longer ones are read again for every pass. */
#include "kernel.cuh"

enum { WARPS = BLOCK / 32, LANES = 32 };

static __device__ __forceinline__ float warp_sum(float v)
{
#pragma unroll
    for (int lanes = 16; lanes > 0; lanes /= 2) v += __shfl_xor_sync(0xFFFFFFFF, v, lanes);
    return v;
}

/* The pieces of a row that this lane holds; KEPT of them in registers, 0: none. */
template <typename T, int KEPT> struct Row {
    const T *x;
    unsigned cols;
    bool aligned;
    Raw<T> kept[KEPT > 0 ? KEPT : 1]; /* as they came: fewer registers, more rows at a time */

    __device__ __forceinline__ Row(const T *row, unsigned n, bool whole)
        : x(row), cols(n), aligned(whole)
    {
#pragma unroll
        for (int i = 0; i < KEPT; i++) load_raw(x + col(i), aligned, count(i), &kept[i]);
    }

    __device__ __forceinline__ unsigned col(unsigned i) const
    {
        return (i * LANES + threadIdx.x % LANES) * PIECE;
    }

    __device__ __forceinline__ unsigned count(unsigned i) const
    {
        unsigned c = col(i);
        return c >= cols ? 0 : cols - c < PIECE ? cols - c : static_cast<unsigned>(PIECE);
    }

    /* visit(i, n, f): piece i has n elements f, the rest zeros */
    template <typename V> __device__ __forceinline__ void each(const V &visit)
    {
        if constexpr (KEPT > 0) {
#pragma unroll
            for (int i = 0; i < KEPT; i++) {
                float f[PIECE];
                to_floats(kept[i], f);
                visit(static_cast<unsigned>(i), count(i), f);
            }
        } else {
            for (unsigned i = 0; i * LANES * PIECE < cols; i++) {
                float f[PIECE];
                load_piece(x + col(i), aligned, count(i), f);
                visit(i, count(i), f);
            }
        }
    }
};

template <typename T, int KEPT>
static __global__ void __launch_bounds__(BLOCK)
    layernorm_kernel(size_t rows, unsigned cols, bool aligned, Matrix<T> x, const float *gain,
                     const float *bias, float eps, Matrix<T> y)
{
    GE_MAX_THREADS(BLOCK);
    size_t r = blockIdx.x * static_cast<size_t>(WARPS) + threadIdx.x / LANES;
    float sum = 0.0f, squares = 0.0f;

    if (r >= rows) return; /* a whole warp */
    Row<T, KEPT> row(x.at(r, 0), cols, aligned);
    row.each([&](unsigned, unsigned, const float *f) {
#pragma unroll
        for (int e = 0; e < PIECE; e++) sum += f[e];
    });
    float mean = warp_sum(sum) / static_cast<float>(cols);
    row.each([&](unsigned, unsigned n, const float *f) {
#pragma unroll
        for (unsigned e = 0; e < PIECE; e++)
            if (e < n) squares += (f[e] - mean) * (f[e] - mean);
    });
    float scale = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(cols) + eps);
    row.each([&](unsigned i, unsigned n, const float *f) {
        float g[PIECE], b[PIECE], out[PIECE];
        if (n == 0) return;
        load_piece(gain + row.col(i), aligned, n, g);
        load_piece(bias + row.col(i), aligned, n, b);
#pragma unroll
        for (int e = 0; e < PIECE; e++) out[e] = (f[e] - mean) * scale * g[e] + b[e];
        store_piece(y.at(r, row.col(i)), aligned, n, out);
    });
}

template <typename T, int KEPT>
static __global__ void __launch_bounds__(BLOCK)
    l2_kernel(size_t rows, unsigned cols, bool aligned, Matrix<T> x, float eps, Matrix<T> y)
{
    GE_MAX_THREADS(BLOCK);
    size_t r = blockIdx.x * static_cast<size_t>(WARPS) + threadIdx.x / LANES;
    float squares = 0.0f;

    if (r >= rows) return; /* a whole warp */
    Row<T, KEPT> row(x.at(r, 0), cols, aligned);
    row.each([&](unsigned, unsigned, const float *f) {
#pragma unroll
        for (int e = 0; e < PIECE; e++) squares += f[e] * f[e];
    });
    float norm = sqrtf(warp_sum(squares));
    if (norm < eps) norm = eps; /* a NaN stays */
    row.each([&](unsigned i, unsigned n, const float *f) {
        float out[PIECE];
#pragma unroll
        for (int e = 0; e < PIECE; e++) out[e] = f[e] / norm;
        if (n > 0) store_piece(y.at(r, row.col(i)), aligned, n, out);
    });
}

/* Call f with the number of pieces that a lane keeps, as a type: 2, 3, 4, 8 or 0. */
template <int N> struct Kept {
    static constexpr int value = N;
};
template <typename F> static cudaError_t with_kept(size_t cols, const F &f)
{
    if (cols <= 2 * LANES * PIECE) return f(Kept<2>());
    if (cols <= 3 * LANES * PIECE) return f(Kept<3>());
    if (cols <= 4 * LANES * PIECE) return f(Kept<4>());
    if (cols <= 8 * LANES * PIECE) return f(Kept<8>());
    return f(Kept<0>());
}

static dim3 row_grid(size_t rows)
{
    return dim3(static_cast<unsigned>((rows + WARPS - 1) / WARPS));
}

extern "C" cudaError_t ge_launch_layernorm(cudaStream_t stream, struct ge_cuda_matrix x,
                                           const float *gain, const float *bias, float eps,
                                           struct ge_cuda_matrix y)
{
    bool aligned = rows_aligned(x) && rows_aligned(y) &&
                   reinterpret_cast<uintptr_t>(gain) % 16 == 0 &&
                   reinterpret_cast<uintptr_t>(bias) % 16 == 0;

    return with_type(y.dtype, [&](auto zero) {
        using T = decltype(zero);
        return with_kept(y.cols, [&](auto kept) {
            constexpr int KEPT = decltype(kept)::value;
            return GE_LAUNCH((layernorm_kernel<T, KEPT>), row_grid(y.rows), BLOCK, 0, stream,
                             y.rows, static_cast<unsigned>(y.cols), aligned, matrix<T>(x), gain,
                             bias, eps, matrix<T>(y));
        });
    });
}

extern "C" cudaError_t ge_launch_l2_normalize(cudaStream_t stream, struct ge_cuda_matrix x,
                                              float eps, struct ge_cuda_matrix y)
{
    bool aligned = rows_aligned(x) && rows_aligned(y);

    return with_type(y.dtype, [&](auto zero) {
        using T = decltype(zero);
        return with_kept(y.cols, [&](auto kept) {
            constexpr int KEPT = decltype(kept)::value;
            return GE_LAUNCH((l2_kernel<T, KEPT>), row_grid(y.rows), BLOCK, 0, stream, y.rows,
                             static_cast<unsigned>(y.cols), aligned, matrix<T>(x), eps,
                             matrix<T>(y));
        });
    });
}
