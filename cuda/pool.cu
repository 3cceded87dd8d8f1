/* One row per packed sequence: means and maxima over its rows. A thread does eight neighbouring
 * columns of one sequence and adds its rows from the first to the last. */
#include "kernel.cuh"

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    pool_kernel(enum ge_pooling mode, size_t sequences, unsigned cols, bool aligned, Matrix<T> x,
                const int32_t *ends, const int32_t *skip, Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE], sum[PIECE] = {0}, weights = 0.0f;
    Piece p;

    if (!find_piece(sequences, cols, &p)) return;
    int begin = p.row == 0 ? 0 : ends[p.row - 1], length = ends[p.row] - begin;
    int from = skip != nullptr ? skip[p.row] : 0;
    for (int t = from; t < length; t++) {
        load_piece(x.at(static_cast<size_t>(begin + t), p.col), aligned, p.n, f);
        float weight = static_cast<float>(t + 1);
        weights += weight;
#pragma unroll
        for (int i = 0; i < PIECE; i++) {
            if (mode == GE_POOL_MAX) /* a NaN stays */
                sum[i] = t == from || f[i] > sum[i] || f[i] != f[i] ? f[i] : sum[i];
            else
                sum[i] += mode == GE_POOL_WEIGHTED_MEAN ? weight * f[i] : f[i];
        }
    }
    float count = static_cast<float>(length - from), divisor = count;
    if (mode == GE_POOL_MAX || from >= length)
        divisor = 1.0f;
    else if (mode == GE_POOL_WEIGHTED_MEAN)
        divisor = weights;
    else if (mode == GE_POOL_MEAN_SQRT_LEN)
        divisor = sqrtf(count);
#pragma unroll
    for (int i = 0; i < PIECE; i++) sum[i] /= divisor;
    store_piece(out.at(p.row, p.col), aligned, p.n, sum);
}

extern "C" cudaError_t ge_launch_pool(cudaStream_t stream, enum ge_pooling mode,
                                      struct ge_cuda_matrix x, const int32_t *ends,
                                      const int32_t *skip, struct ge_cuda_matrix out)
{
    bool aligned = rows_aligned(x) && rows_aligned(out);

    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(pool_kernel<T>, piece_grid(out.rows, out.cols), BLOCK, 0, stream, mode,
                         out.rows, static_cast<unsigned>(out.cols), aligned, matrix<T>(x), ends,
                         skip, matrix<T>(out));
    });
}
