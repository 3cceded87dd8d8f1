/* Attention on tensor cores for bf16 and fp16.
 *
 * A warp does 16 queries of a head, a block 16 per warp. Keys and values pass through shared memory
 * in tiles of 64 from the sequence's start, the next tile travelling while this one is computed. Per
 * tile a warp makes its 16 x 64 scores by mma, weighs them with the online softmax in fp32 (sums so
 * far are scaled when a larger score turns up), and multiplies the weights, rounded to the type and
 * still in registers, with the values.
 *
 * Tile, order and arithmetic of a query are the same whatever the number of warps, the longest
 * sequence and the neighbours; groups of 16 keys beyond the sequence's end are left out, which
 * depends on its own length alone.
 *
 * DIM is head_dim rounded up to an instance (32, 64, 80, 128); what is beyond is zero. */
#include "attention.cuh"
#include "warp.cuh"

enum { KEYS = 64, ROWS = 16, MAX_WARPS = 8, LANES = 32 };

/* A tile (64, DIM) in shared memory, in units of eight elements, of which it has CHUNKS in a row. The
 * units of a row are exchanged by a pattern of the row, so that eight rows at one column, which
 * ldmatrix reads together, and eight units in sequence, which a copy writes together, lie in
 * different banks. */
template <typename T, int DIM> struct Tile {
    enum { CHUNKS = DIM / 8, BYTES = KEYS * DIM * 2 };
    static_assert(DIM == 32 || DIM == 64 || DIM == 80 || DIM == 128, "no bank pattern for DIM");

    static __device__ __forceinline__ T *at(T *tile, unsigned row, unsigned chunk)
    {
        unsigned x = CHUNKS == 4 ? row >> 1 & 3 : CHUNKS == 10 ? row >> 2 & 1 : row & 7;
        return tile + (row * CHUNKS + (chunk ^ x)) * 8;
    }
};

/* Start copying a tile of keys or values; zeros beyond the sequence and beyond head_dim. */
template <typename T, int DIM>
static __device__ __forceinline__ void start_tile(T *tile, const Matrix<T> &m, const Span &s,
                                                  int key0, size_t head_col, unsigned dim)
{
    typedef Tile<T, DIM> L;

    for (unsigned i = threadIdx.x; i < KEYS * L::CHUNKS; i += blockDim.x) {
        unsigned row = i / L::CHUNKS, chunk = i % L::CHUNKS;
        bool valid = key0 + static_cast<int>(row) < s.nk && chunk * 8 < dim;
        size_t at =
            valid ? (s.kv + static_cast<unsigned>(key0) + row) * m.stride + head_col + chunk * 8
                  : 0;
        copy_async(L::at(tile, row, chunk), m.data + at, valid);
    }
}

/* A warp's share: 16 queries from `row` on, in fragments. */
template <typename T, int DIM> struct Queries {
    unsigned group, pair; /* of the lane */
    int row, nq;
    uint32_t q[DIM / 16][4];
    float o[DIM / 8][4];    /* sums of weighted values */
    float top[2], total[2]; /* of the rows group and group + 8; total: this lane's part */

    __device__ __forceinline__ int row_of(int half) const
    {
        return row + static_cast<int>(group) + 8 * half;
    }

    __device__ __forceinline__ void load(const Matrix<T> &m, size_t begin, size_t head_col,
                                         unsigned dim)
    {
#pragma unroll
        for (int k = 0; k < DIM / 16; k++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int r = row_of(i % 2);
                unsigned col = k * 16 + i / 2 * 8 + 2 * pair;
                q[k][i] = r < nq && col < dim
                              ? *reinterpret_cast<const uint32_t *>(
                                    m.data + (begin + static_cast<unsigned>(r)) * m.stride +
                                    head_col + col)
                              : 0;
            }
#pragma unroll
        for (int j = 0; j < DIM / 8; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) o[j][i] = 0.0f;
        top[0] = top[1] = -INFINITY;
        total[0] = total[1] = 0.0f;
    }

    /* s = q k^T for the tile's first `keys` keys, rounded up to 16. */
    __device__ __forceinline__ void score(T *tile, int keys, float s[KEYS / 8][4]) const
    {
        unsigned lane = threadIdx.x % LANES;

#pragma unroll
        for (int j = 0; j < KEYS / 8; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) s[j][i] = 0.0f;
#pragma unroll
        for (int j = 0; j < KEYS / 16; j++) {
#pragma unroll
            for (int k = 0; k < DIM / 16; k++) {
                if (j * 16 >= keys) continue; /* the same for all lanes */
                /* Matrices: keys 0-7 and 8-15 of the group, each columns 0-7 and 8-15 of the 16. */
                uint32_t b[4];
                load_matrices(
                    Tile<T, DIM>::at(tile, j * 16 + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2),
                    b);
                multiply(s[2 * j], q[k], b, T());
                multiply(s[2 * j + 1], q[k], b + 2, T());
            }
        }
    }

    /* Scores to exponents of 2, with bias and mask. */
    __device__ __forceinline__ void adjust(const Attention<T> &a, const Span &sp, unsigned head,
                                           int key0, float s[KEYS / 8][4]) const
    {
        const float log2e = 1.44269504088896341f;
        float scale = a.scale * log2e;
        bool edge = key0 + KEYS > sp.nk || (a.causal && key0 + KEYS > row + 1);

#pragma unroll
        for (int j = 0; j < KEYS / 8; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                s[j][i] *= scale;
                if (!edge && a.bias == nullptr) continue; /* the same for all lanes */
                int key = key0 + 8 * j + static_cast<int>(2 * pair) + i % 2, r = row_of(i / 2);
                bool visible = key < sp.nk && !(a.causal && key > r);
                if (visible && r < nq && a.bias != nullptr)
                    s[j][i] +=
                        log2e *
                        a.bias[head * a.bias_stride +
                               static_cast<size_t>(key - r + static_cast<int>(a.max_kv) - 1)];
                if (!visible) s[j][i] = -INFINITY;
            }
    }

    /* Exponents to weights; what was summed before is scaled to the new largest score. */
    __device__ __forceinline__ void soften(float s[KEYS / 8][4])
    {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float most = top[half], sum = 0.0f;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++)
                most = fmaxf(most, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
            most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFF, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFF, most, 2));
            float base = exponent_base(most), factor = exp2f(top[half] - base);
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++)
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    s[j][i] = exp2f(s[j][i] - base);
                    sum += s[j][i];
                }
            total[half] = total[half] * factor + sum;
            top[half] = most;
#pragma unroll
            for (int j = 0; j < DIM / 8; j++) {
                o[j][2 * half] *= factor;
                o[j][2 * half + 1] *= factor;
            }
        }
    }

    /* o += weights times values: the scores' fragments are, packed, those of a left operand. */
    __device__ __forceinline__ void weigh(T *tile, int keys, const float p[KEYS / 8][4])
    {
        unsigned lane = threadIdx.x % LANES;

#pragma unroll
        for (int k = 0; k < KEYS / 16; k++) {
            if (k * 16 >= keys) continue; /* the same for all lanes */
            const uint32_t w[4] = {pack(p[2 * k][0], p[2 * k][1], T()),
                                   pack(p[2 * k][2], p[2 * k][3], T()),
                                   pack(p[2 * k + 1][0], p[2 * k + 1][1], T()),
                                   pack(p[2 * k + 1][2], p[2 * k + 1][3], T())};
#pragma unroll
            for (int j = 0; j < DIM / 16; j++) {
                /* Matrices: columns 0-7 and 8-15 of the 16, each keys 0-7 and 8-15 of the group. */
                uint32_t b[4];
                load_matrices_transposed(
                    Tile<T, DIM>::at(tile, k * 16 + lane / 8 % 2 * 8 + lane % 8, 2 * j + lane / 16),
                    b);
                multiply(o[2 * j], w, b, T());
                multiply(o[2 * j + 1], w, b + 2, T());
            }
        }
    }

    __device__ __forceinline__ void store(const Matrix<T> &m, const Span &sp, size_t head_col,
                                          unsigned dim)
    {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float sum = total[half];
            sum += __shfl_xor_sync(0xFFFFFFFF, sum, 1);
            sum += __shfl_xor_sync(0xFFFFFFFF, sum, 2);
            float factor = sp.nk > 0 ? 1.0f / sum : 0.0f;
            int r = row_of(half);
            T *to = m.data + (sp.q + static_cast<unsigned>(r)) * m.stride + head_col;
#pragma unroll
            for (int j = 0; j < DIM / 8; j++) {
                unsigned col = 8 * j + 2 * pair;
                if (r < nq && col < dim)
                    *reinterpret_cast<uint32_t *>(to + col) =
                        pack(o[j][2 * half] * factor, o[j][2 * half + 1] * factor, T());
            }
        }
    }
};

template <typename T, int DIM>
static __global__ void __launch_bounds__(MAX_WARPS *LANES) tensor_kernel(Attention<T> a)
{
    GE_MAX_THREADS(MAX_WARPS * LANES);
    GE_SHARED(T, shared); /* keys and values, two tiles of each */
    unsigned rows = blockDim.x / LANES * ROWS, head = blockIdx.y;
    size_t head_col = static_cast<size_t>(head) * a.dim;
    const Span s = find_span(a, rows);
    Queries<T, DIM> w;

    if (s.first >= s.nq) return; /* the whole block */
    int last = s.first + static_cast<int>(rows) < s.nq ? s.first + static_cast<int>(rows) : s.nq;
    int seen = a.causal && last < s.nk ? last : s.nk;
    w.group = threadIdx.x % LANES / 4;
    w.pair = threadIdx.x % 4;
    w.row = s.first + static_cast<int>(threadIdx.x / LANES * ROWS);
    w.nq = s.nq;
    auto start = [&](int key0) {
        T *keys = shared + key0 / KEYS % 2 * 2 * KEYS * DIM;
        if (key0 < seen) {
            start_tile<T, DIM>(keys, a.k, s, key0, head_col, a.dim);
            start_tile<T, DIM>(keys + KEYS * DIM, a.v, s, key0, head_col, a.dim);
        }
        copies_commit();
    };
    start(0);
    w.load(a.q, s.q, head_col, a.dim);
    for (int key0 = 0; key0 < seen; key0 += KEYS) {
        T *keys = shared + key0 / KEYS % 2 * 2 * KEYS * DIM;
        start(key0 + KEYS);
        copies_wait<1>();
        __syncthreads(); /* everyone's part of this tile is there */
        /* A warp without queries, or whose queries come before the tile, only keeps step. */
        if (w.row < s.nq && !(a.causal && key0 > w.row + ROWS - 1)) {
            float p[KEYS / 8][4];
            w.score(keys, s.nk - key0, p);
            w.adjust(a, s, head, key0, p);
            w.soften(p);
            w.weigh(keys + KEYS * DIM, s.nk - key0, p);
        }
        __syncthreads(); /* nobody reads this tile any more */
    }
    copies_wait<0>();
    if (w.row < s.nq) w.store(a.out, s, head_col, a.dim);
}

/* ---- starting ------------------------------------------------------------------------------- */

/* Enough warps for the longest sequence; more queries in a block share its keys. */
static unsigned warps_for(size_t max_q)
{
    if (max_q <= ROWS) return 1;
    if (max_q <= 2 * ROWS) return 2;
    return max_q <= 8 * ROWS ? 4 : MAX_WARPS;
}

template <typename T, int DIM> static constexpr unsigned shared_bytes()
{
    return 4 * Tile<T, DIM>::BYTES;
}

template <typename T, int DIM>
static cudaError_t launch_tensor(cudaStream_t stream, const struct ge_cuda_attention &a)
{
    unsigned warps = warps_for(a.max_q);
    Attention<T> args = attention<T>(a, warps * ROWS);
    dim3 grid(static_cast<unsigned>(a.sequences) * args.q_tiles, static_cast<unsigned>(a.heads));

    return GE_LAUNCH((tensor_kernel<T, DIM>), grid, warps * LANES, (shared_bytes<T, DIM>()), stream,
                     args);
}

template <typename T>
static cudaError_t launch_for(cudaStream_t stream, const struct ge_cuda_attention &a)
{
    if (a.head_dim <= 32) return launch_tensor<T, 32>(stream, a);
    if (a.head_dim <= 64) return launch_tensor<T, 64>(stream, a);
    if (a.head_dim <= 80) return launch_tensor<T, 80>(stream, a);
    return launch_tensor<T, 128>(stream, a);
}

extern "C" cudaError_t ge_launch_attend_tensor(cudaStream_t stream,
                                               const struct ge_cuda_attention *a)
{
    return a->out.dtype == GE_BF16 ? launch_for<__nv_bfloat16>(stream, *a)
                                   : launch_for<__half>(stream, *a);
}

template <typename T, int DIM> static cudaError_t allow_shared()
{
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(tensor_kernel<T, DIM>),
                                cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes<T, DIM>());
}

extern "C" cudaError_t ge_cuda_tensor_setup(void)
{
    cudaError_t e = allow_shared<__nv_bfloat16, 128>();

    return e == cudaSuccess ? allow_shared<__half, 128>() : e;
}
