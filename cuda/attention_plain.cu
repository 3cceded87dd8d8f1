/* Attention in fp32 arithmetic for every type, head_dim and alignment.
 *
 * A block of 16 x 16 threads does 64 queries of a head; thread (ty, tx) has the queries ty + 16 i and
 * the keys (then the columns of the result) tx + 16 j. It goes over the keys in tiles of 64 from the
 * sequence's start with the online softmax: the sums so far are scaled when a larger score turns
 * up. So a row's digits depend on its own sequence alone. head_dim is worked through in chunks of
 * 64; a block keeps 64 HALVES columns of the result, and wider heads get several blocks. */
#include "attention.cuh"

enum { TILE = 64, SIDE = 16, THREADS = SIDE * SIDE, PITCH = TILE + 4, EACH = TILE / SIDE };

/* Three tiles: queries, keys or values, weights. 68 = 4 * 17 floats between rows, so that 16-byte
 * reads of eight neighbouring rows touch all banks once. */
enum { TILE_FLOATS = TILE * PITCH, SHARED_BYTES = 3 * TILE_FLOATS * 4 };

/* tile[r][c] = rows first + r, columns col + c of m, zero outside. */
template <typename T>
static __device__ __forceinline__ void load_tile(float *tile, const Matrix<T> &m, size_t begin,
                                                 int first, int rows, size_t head_col, unsigned col,
                                                 unsigned dim)
{
    for (unsigned i = threadIdx.x; i < TILE * TILE; i += THREADS) {
        unsigned r = i / TILE, c = i % TILE;
        bool inside = first + static_cast<int>(r) < rows && col + c < dim;
        tile[r * PITCH + c] =
            inside ? to_float(m.data[(begin + static_cast<unsigned>(first) + r) * m.stride +
                                     head_col + col + c])
                   : 0.0f;
    }
}

/* s[i][j] += rows of a times rows of b over one chunk. */
static __device__ __forceinline__ void dot_tile(const float *a, const float *b, unsigned ty,
                                                unsigned tx, float s[EACH][EACH])
{
#pragma unroll 4
    for (unsigned d = 0; d < TILE; d += 4) {
        float4 x[EACH], y[EACH];
#pragma unroll
        for (unsigned i = 0; i < EACH; i++) {
            x[i] = *reinterpret_cast<const float4 *>(a + (ty + SIDE * i) * PITCH + d);
            y[i] = *reinterpret_cast<const float4 *>(b + (tx + SIDE * i) * PITCH + d);
        }
#pragma unroll
        for (unsigned i = 0; i < EACH; i++)
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                s[i][j] += x[i].x * y[j].x;
                s[i][j] += x[i].y * y[j].y;
                s[i][j] += x[i].z * y[j].z;
                s[i][j] += x[i].w * y[j].w;
            }
    }
}

/* o[i][j] += weights times values over the tile's keys. */
static __device__ __forceinline__ void weigh_tile(const float *p, const float *v, unsigned ty,
                                                  unsigned tx, float (*o)[EACH])
{
#pragma unroll 4
    for (unsigned key = 0; key < TILE; key += 4) {
        float4 w[EACH];
#pragma unroll
        for (unsigned i = 0; i < EACH; i++)
            w[i] = *reinterpret_cast<const float4 *>(p + (ty + SIDE * i) * PITCH + key);
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) {
            const float *col = v + key * PITCH + tx + SIDE * j;
            float v0 = col[0], v1 = col[PITCH], v2 = col[2 * PITCH], v3 = col[3 * PITCH];
#pragma unroll
            for (unsigned i = 0; i < EACH; i++) {
                o[i][j] += w[i].x * v0;
                o[i][j] += w[i].y * v1;
                o[i][j] += w[i].z * v2;
                o[i][j] += w[i].w * v3;
            }
        }
    }
}

/* Largest value and sum over the 16 threads that share a query. */
static __device__ __forceinline__ float row_max(float v)
{
#pragma unroll
    for (int lanes = SIDE / 2; lanes > 0; lanes /= 2)
        v = fmaxf(v, __shfl_xor_sync(0xFFFFFFFF, v, lanes));
    return v;
}

static __device__ __forceinline__ float row_sum(float v)
{
#pragma unroll
    for (int lanes = SIDE / 2; lanes > 0; lanes /= 2) v += __shfl_xor_sync(0xFFFFFFFF, v, lanes);
    return v;
}

/* Scores of one query become weights; *top and *total take them in. Gives the factor by which what
 * was summed before must be scaled. */
static __device__ __forceinline__ float soften(float s[EACH], float *top, float *total)
{
    float most = s[0], sum = 0.0f;

#pragma unroll
    for (unsigned j = 1; j < EACH; j++) most = fmaxf(most, s[j]);
    most = fmaxf(*top, row_max(most));
    float base = exponent_base(most), factor = expf(*top - base);
#pragma unroll
    for (unsigned j = 0; j < EACH; j++) {
        s[j] = expf(s[j] - base);
        sum += s[j];
    }
    *total = *total * factor + row_sum(sum);
    *top = most;
    return factor;
}

template <typename T, int HALVES>
static __global__ void __launch_bounds__(THREADS) plain_kernel(Attention<T> a, unsigned groups)
{
    GE_MAX_THREADS(THREADS);
    GE_SHARED(float, qs);
    float *ks = qs + TILE_FLOATS, *ps = ks + TILE_FLOATS;
    unsigned ty = threadIdx.x / SIDE, tx = threadIdx.x % SIDE, head = blockIdx.y / groups;
    unsigned col0 = blockIdx.y % groups * TILE * HALVES;
    size_t head_col = static_cast<size_t>(head) * a.dim;
    const Span s = find_span(a, TILE);
    float o[HALVES][EACH][EACH] = {{{0}}}, top[EACH], total[EACH] = {0};

    if (s.first >= s.nq) return; /* the whole block */
    int seen = a.causal && s.first + TILE < s.nk ? s.first + TILE : s.nk;
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) top[i] = -INFINITY;
    for (int key0 = 0; key0 < seen; key0 += TILE) {
        float score[EACH][EACH] = {{0}};
        for (unsigned d = 0; d < a.dim; d += TILE) {
            __syncthreads(); /* nobody reads the tiles any more */
            if (key0 == 0 || a.dim > TILE)
                load_tile(qs, a.q, s.q, s.first, s.nq, head_col, d, a.dim);
            load_tile(ks, a.k, s.kv, key0, s.nk, head_col, d, a.dim);
            __syncthreads();
            dot_tile(qs, ks, ty, tx, score);
        }
#pragma unroll
        for (unsigned i = 0; i < EACH; i++) {
            int row = s.first + static_cast<int>(ty + SIDE * i);
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                int key = key0 + static_cast<int>(tx + SIDE * j);
                bool visible = key < s.nk && row < s.nq && !(a.causal && key > row);
                float v = score[i][j] * a.scale;
                if (visible && a.bias != nullptr)
                    v += a.bias[head * a.bias_stride +
                                static_cast<size_t>(key - row + static_cast<int>(a.max_kv) - 1)];
                score[i][j] = visible ? v : -INFINITY;
            }
            float factor = soften(score[i], &top[i], &total[i]);
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                ps[(ty + SIDE * i) * PITCH + tx + SIDE * j] = score[i][j];
#pragma unroll
                for (int h = 0; h < HALVES; h++) o[h][i][j] *= factor;
            }
        }
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            __syncthreads(); /* weights are there, keys or the other half are read */
            load_tile(ks, a.v, s.kv, key0, s.nk, head_col, col0 + h * TILE, a.dim);
            __syncthreads();
            weigh_tile(ps, ks, ty, tx, o[h]);
        }
    }
#pragma unroll
    for (int h = 0; h < HALVES; h++)
#pragma unroll
        for (unsigned i = 0; i < EACH; i++)
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                int row = s.first + static_cast<int>(ty + SIDE * i);
                unsigned col = col0 + h * TILE + tx + SIDE * j;
                if (row < s.nq && col < a.dim)
                    a.out.data[(s.q + static_cast<unsigned>(row)) * a.out.stride + head_col + col] =
                        from_float<T>(s.nk > 0 ? o[h][i][j] / total[i] : 0.0f);
            }
}

template <typename T, int HALVES>
static cudaError_t launch_plain(cudaStream_t stream, const struct ge_cuda_attention &a)
{
    Attention<T> args = attention<T>(a, TILE);
    unsigned columns = TILE * HALVES, groups = (args.dim + columns - 1) / columns;
    dim3 grid(static_cast<unsigned>(a.sequences) * args.q_tiles,
              static_cast<unsigned>(a.heads) * groups);

    return GE_LAUNCH((plain_kernel<T, HALVES>), grid, THREADS, SHARED_BYTES, stream, args, groups);
}

extern "C" cudaError_t ge_launch_attend_plain(cudaStream_t stream,
                                              const struct ge_cuda_attention *a)
{
    return with_type(a->out.dtype, [&](auto zero) {
        using T = decltype(zero);
        return a->head_dim <= TILE ? launch_plain<T, 1>(stream, *a)
                                   : launch_plain<T, 2>(stream, *a);
    });
}

template <typename T, int HALVES> static cudaError_t allow_shared()
{
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(plain_kernel<T, HALVES>),
                                cudaFuncAttributeMaxDynamicSharedMemorySize, SHARED_BYTES);
}

extern "C" cudaError_t ge_cuda_plain_setup(void)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    cudaError_t e = cudaSuccess;

    for (int i = 0; i < 3 && e == cudaSuccess; i++)
        e = with_type(dtypes[i], [](auto zero) {
            using T = decltype(zero);
            cudaError_t first = allow_shared<T, 1>();
            return first == cudaSuccess ? allow_shared<T, 2>() : first;
        });
    return e;
}
