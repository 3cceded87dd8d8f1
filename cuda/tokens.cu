/* From pixels and ids to token rows: patches, embeddings, gathered rows. A thread makes eight
 * neighbouring elements of a result's row. */
#include "kernel.cuh"

/* ---- patches -------------------------------------------------------------------------------- */

struct Picture {
    unsigned height, width, patch, across, per_image; /* patches in a row, in a picture */
};

static Picture picture(size_t height, size_t width, size_t patch)
{
    size_t across = width / patch;

    return Picture{static_cast<unsigned>(height), static_cast<unsigned>(width),
                   static_cast<unsigned>(patch), static_cast<unsigned>(across),
                   static_cast<unsigned>(across * (height / patch))};
}

/* Where element `col` of patch row `row` lies: its picture, and channel, y and x in that. Moves on
 * to the following elements without dividing again. */
struct PatchElement {
    size_t image;
    unsigned c, y, x, top, left, patch;

    __device__ __forceinline__ PatchElement(const Picture &g, size_t row, unsigned col)
    {
        unsigned at = static_cast<unsigned>(row % g.per_image), area = g.patch * g.patch;

        image = row / g.per_image;
        patch = g.patch;
        top = at / g.across * g.patch;
        left = at % g.across * g.patch;
        c = col / area;
        y = top + col % area / g.patch;
        x = left + col % g.patch;
    }

    __device__ __forceinline__ void next()
    {
        if (++x < left + patch) return;
        x = left;
        if (++y < top + patch) return;
        y = top;
        c++;
    }
};

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    patches_kernel(Picture g, size_t rows, unsigned cols, bool aligned, Matrix<T> pixels,
                   Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE] = {0};
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    PatchElement e(g, p.row, p.col);
    const T *image = pixels.at(e.image, 0);
#pragma unroll
    for (unsigned i = 0; i < PIECE; i++) {
        if (i < p.n)
            f[i] = to_float(image[(static_cast<size_t>(e.c) * g.height + e.y) * g.width + e.x]);
        e.next();
    }
    store_piece(out.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_patches(cudaStream_t stream, struct ge_cuda_matrix pixels, size_t,
                                         size_t height, size_t width, size_t patch,
                                         struct ge_cuda_matrix out)
{
    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(patches_kernel<T>, piece_grid(out.rows, out.cols), BLOCK, 0, stream,
                         picture(height, width, patch), out.rows, static_cast<unsigned>(out.cols),
                         rows_aligned(out), matrix<T>(pixels), matrix<T>(out));
    });
}

enum { LEVELS = 256 };

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    pixel_patches_kernel(Picture g, size_t rows, unsigned cols, bool aligned,
                         Matrix<uint8_t> pixels, Matrix<float> table, Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    GE_SHARED(float, levels); /* [3][LEVELS] */
    float f[PIECE] = {0};
    Piece p;

    for (unsigned i = threadIdx.x; i < 3 * LEVELS; i += BLOCK)
        levels[i] = *table.at(i / LEVELS, i % LEVELS);
    __syncthreads();
    if (!find_piece(rows, cols, &p)) return;
    PatchElement e(g, p.row, p.col);
    const uint8_t *image = pixels.at(e.image, 0);
#pragma unroll
    for (unsigned i = 0; i < PIECE; i++) {
        if (i < p.n) {
            size_t at = (static_cast<size_t>(e.y) * g.width + e.x) * 3 + e.c;
            f[i] = levels[e.c * LEVELS + image[at]];
        }
        e.next();
    }
    store_piece(out.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_pixel_patches(cudaStream_t stream, struct ge_cuda_matrix pixels,
                                               struct ge_cuda_matrix table, size_t height,
                                               size_t width, size_t patch,
                                               struct ge_cuda_matrix out)
{
    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(pixel_patches_kernel<T>, piece_grid(out.rows, out.cols), BLOCK,
                         3 * LEVELS * sizeof(float), stream, picture(height, width, patch),
                         out.rows, static_cast<unsigned>(out.cols), rows_aligned(out),
                         matrix<uint8_t>(pixels), matrix<float>(table), matrix<T>(out));
    });
}

/* ---- token rows ----------------------------------------------------------------------------- */

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    patch_tokens_kernel(size_t rows, unsigned cols, bool aligned, unsigned n_prefix,
                        unsigned n_patches, Matrix<T> patches, Matrix<T> prefix,
                        Matrix<T> positions, Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE], g[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    size_t image = p.row / (n_prefix + n_patches);
    unsigned at = static_cast<unsigned>(p.row % (n_prefix + n_patches));
    if (at < n_prefix) {
        load_piece(prefix.at(at, p.col), aligned, p.n, f);
    } else {
        load_piece(patches.at(image * n_patches + at - n_prefix, p.col), aligned, p.n, f);
        load_piece(positions.at(at - n_prefix, p.col), aligned, p.n, g);
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] += g[i];
    }
    store_piece(out.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_patch_tokens(cudaStream_t stream, struct ge_cuda_matrix patches,
                                              struct ge_cuda_matrix prefix,
                                              struct ge_cuda_matrix positions,
                                              struct ge_cuda_matrix out)
{
    bool aligned = rows_aligned(patches) && rows_aligned(prefix) && rows_aligned(positions) &&
                   rows_aligned(out);

    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(patch_tokens_kernel<T>, piece_grid(out.rows, out.cols), BLOCK, 0, stream,
                         out.rows, static_cast<unsigned>(out.cols), aligned,
                         static_cast<unsigned>(prefix.data != nullptr ? prefix.rows : 0),
                         static_cast<unsigned>(positions.rows), matrix<T>(patches),
                         matrix<T>(prefix), matrix<T>(positions), matrix<T>(out));
    });
}

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    embed_kernel(size_t rows, unsigned cols, bool aligned, const int32_t *ids, const int32_t *pos,
                 Matrix<T> table, Matrix<T> shared, Matrix<T> positions, Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE], g[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    load_piece(table.at(static_cast<size_t>(ids[p.row]), p.col), aligned, p.n, f);
    if (shared.data != nullptr) {
        load_piece(shared.at(0, p.col), aligned, p.n, g);
#pragma unroll
        for (int i = 0; i < PIECE; i++) f[i] += g[i];
    }
    load_piece(positions.at(static_cast<size_t>(pos[p.row]), p.col), aligned, p.n, g);
#pragma unroll
    for (int i = 0; i < PIECE; i++) f[i] += g[i];
    store_piece(out.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_embed(cudaStream_t stream, const int32_t *ids, const int32_t *pos,
                                       struct ge_cuda_matrix table, struct ge_cuda_matrix shared,
                                       struct ge_cuda_matrix positions, struct ge_cuda_matrix out)
{
    bool aligned =
        rows_aligned(table) && rows_aligned(shared) && rows_aligned(positions) && rows_aligned(out);

    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(embed_kernel<T>, piece_grid(out.rows, out.cols), BLOCK, 0, stream,
                         out.rows, static_cast<unsigned>(out.cols), aligned, ids, pos,
                         matrix<T>(table), matrix<T>(shared), matrix<T>(positions), matrix<T>(out));
    });
}

template <typename T>
static __global__ void __launch_bounds__(BLOCK)
    gather_kernel(size_t rows, unsigned cols, bool aligned, const int32_t *ids, Matrix<T> x,
                  Matrix<T> out)
{
    GE_MAX_THREADS(BLOCK);
    float f[PIECE];
    Piece p;

    if (!find_piece(rows, cols, &p)) return;
    load_piece(x.at(static_cast<size_t>(ids[p.row]), p.col), aligned, p.n, f);
    store_piece(out.at(p.row, p.col), aligned, p.n, f);
}

extern "C" cudaError_t ge_launch_gather(cudaStream_t stream, struct ge_cuda_matrix x,
                                        const int32_t *rows, struct ge_cuda_matrix out)
{
    bool aligned = rows_aligned(x) && rows_aligned(out);

    return with_type(out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return GE_LAUNCH(gather_kernel<T>, piece_grid(out.rows, out.cols), BLOCK, 0, stream,
                         out.rows, static_cast<unsigned>(out.cols), aligned, rows, matrix<T>(x),
                         matrix<T>(out));
    });
}
