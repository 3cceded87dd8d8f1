/* Attention on tensor cores for bf16 and fp16.
 *
 * A warp does one or two groups of 16 queries of a head (two where the registers are there: what is
 * read of keys and values then serves twice), a block those of its warps. Keys and values pass through
 * shared memory in tiles of 64 from the sequence's start, the next tile travelling while this one is
 * computed. Per tile a warp makes the 16 x 64 scores of a group by mma, weighs them with the online
 * softmax in fp32 (sums so far are scaled when a larger score turns up), and multiplies the weights,
 * rounded to the type and still in registers, with the values.
 *
 * Tile, order and arithmetic of a query are the same whatever the number of warps, the longest
 * sequence and the neighbours; groups of 16 keys beyond the sequence's end are left out, which
 * depends on its own length alone.
 *
 * DIM is head_dim rounded up to an instance (32, 64, 80, 128); what is beyond is zero. */
#include "attention.cuh"
#include "warp.cuh"

enum { KEYS = 64, ROWS = 16, LANES = 32 };

/* How the queries of an instance are divided. */
template <int DIM> struct Division {
    enum {
        GROUPS = 1,
        MAX_WARPS = 8,
        BLOCKS = DIM <= 80 ? 2 : 1 /* at least, on a multiprocessor */
    };
};

/* A tile (64, DIM) in shared memory, in units of eight elements, of which it has CHUNKS in a row. The
 * units of a row are exchanged by a pattern of the row, so that eight rows at one column, which
 * ldmatrix reads together, and eight units in sequence, which a copy writes together, lie in
 * different banks. */
template <typename T, int DIM> struct Tile {
    enum { CHUNKS = DIM / 8, BYTES = KEYS * DIM * 2 };
    static_assert(DIM == 32 || DIM == 64 || DIM == 80 || DIM == 128, "no bank pattern for DIM");

    /* Where a unit is, in elements from the tile's begin. */
    static __device__ __forceinline__ unsigned at(unsigned row, unsigned chunk)
    {
        unsigned x = CHUNKS == 4 ? row >> 1 & 3 : CHUNKS == 10 ? row >> 2 & 1 : row & 7;
        return (row * CHUNKS + (chunk ^ x)) * 8;
    }

    /* at(row + 16 rows, chunk + 2 pairs) of at(row, chunk), chunk < 2: the pattern repeats every 8
     * rows, and exchanges pairs of units by their bits or not at all. */
    static __device__ __forceinline__ unsigned move(unsigned at, unsigned rows, unsigned pairs)
    {
        return (CHUNKS == 10 ? at + 16 * pairs : at ^ 16 * pairs) + rows * 16 * DIM;
    }
};

/* A thread's part in copying tiles: units of eight elements, one of every blockDim.x. With a power of
 * two of them in a row, all of a thread are in one column. */
template <typename T, int DIM> struct Copier {
    typedef Tile<T, DIM> L;
    static constexpr bool COLUMN = (L::CHUNKS & (L::CHUNKS - 1)) == 0;

    const T *k, *v; /* the sequence's first row, at the head's first column or the thread's */
    unsigned k_stride, v_stride, dim;
    int nk;

    __device__ __forceinline__ Copier(const Attention<T> &a, const Span &s, size_t head_col)
        : k_stride(static_cast<unsigned>(a.k.stride)), v_stride(static_cast<unsigned>(a.v.stride)),
          dim(a.dim), nk(s.nk)
    {
        unsigned chunk = COLUMN ? threadIdx.x % L::CHUNKS : 0;
        size_t col = head_col + (chunk * 8 < dim ? chunk * 8 : 0);
        k = a.k.data + (s.kv * a.k.stride + col);
        v = a.v.data + (s.kv * a.v.stride + col);
    }

    /* Start copying a tile of keys and, behind it, of values; zeros beyond the sequence and beyond
     * head_dim. */
    __device__ __forceinline__ void start(T *tile, int key0) const
    {
        for (unsigned i = threadIdx.x; i < KEYS * L::CHUNKS; i += blockDim.x) {
            unsigned row = i / L::CHUNKS;
            unsigned chunk = (COLUMN ? threadIdx.x : i) % L::CHUNKS;
            bool valid = key0 + static_cast<int>(row) < nk && chunk * 8 < dim;
            size_t key = valid ? static_cast<unsigned>(key0) + row : 0;
            unsigned col = !COLUMN && valid ? chunk * 8 : 0;
            T *to = tile + L::at(row, chunk);
            copy_async(to, k + (key * k_stride + col), valid);
            copy_async(to + KEYS * DIM, v + (key * v_stride + col), valid);
        }
    }
};

/* 16 queries of a warp, in fragments. */
template <typename T, int DIM> struct Group {
    int row; /* this lane's first; the other is row + 8 */
    uint32_t q[DIM / 16][4];
    float o[DIM / 8][4];    /* sums of weighted values */
    float top[2], total[2]; /* of the two rows; total: this lane's part */
    float s[KEYS / 8][4];   /* scores of a tile, then weights */

    __device__ __forceinline__ void load(const Matrix<T> &m, const Span &sp, size_t head_col,
                                         unsigned dim)
    {
        unsigned pair = threadIdx.x % 4;

#pragma unroll
        for (int k = 0; k < DIM / 16; k++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int r = row + i % 2 * 8;
                unsigned col = k * 16 + i / 2 * 8 + 2 * pair;
                q[k][i] = r < sp.nq && col < dim
                              ? *reinterpret_cast<const uint32_t *>(
                                    m.data + (sp.q + static_cast<unsigned>(r)) * m.stride +
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

    /* Scale and add the bias, or leave that to soften(); -inf for what a query must not see. */
    template <bool FULL>
    __device__ __forceinline__ void adjust(const Attention<T> &a, const Span &sp, unsigned head,
                                           int key0, int keys, bool scaling)
    {
        const float log2e = 1.44269504088896341f;

#pragma unroll
        for (int j = 0; j < KEYS / 8; j++) {
            if (!FULL && j / 2 * 16 >= keys) continue; /* the same for all lanes */
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int key = key0 + 8 * j + static_cast<int>(2 * (threadIdx.x % 4)) + i % 2;
                int r = row + i / 2 * 8;
                bool visible = key < sp.nk && !(a.causal && key > r);
                if (scaling) s[j][i] *= a.scale * log2e;
                if (visible && r < sp.nq && a.bias != nullptr)
                    s[j][i] +=
                        log2e *
                        a.bias[head * a.bias_stride +
                               static_cast<size_t>(key - r + static_cast<int>(a.max_kv) - 1)];
                if (!visible) s[j][i] = -INFINITY;
            }
        }
    }

    /* Scores times `scale` (> 0), which are exponents of 2, to weights; what was summed before is
     * scaled to the new largest one. */
    template <bool FULL> __device__ __forceinline__ void soften(int keys, float scale)
    {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float most = -INFINITY, sum = 0.0f;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++)
                if (FULL || j / 2 * 16 < keys)
                    most = fmaxf(most, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
            most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFF, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFF, most, 2));
            most = fmaxf(top[half], most * scale);
            float base = exponent_base(most), factor = quick_exp2(top[half] - base);
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
                if (!FULL && j / 2 * 16 >= keys) continue;
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    s[j][i] = quick_exp2(fmaf(s[j][i], scale, -base));
                    sum += s[j][i];
                }
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

    __device__ __forceinline__ void store(const Matrix<T> &m, const Span &sp, size_t head_col,
                                          unsigned dim) const
    {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float sum = total[half];
            sum += __shfl_xor_sync(0xFFFFFFFF, sum, 1);
            sum += __shfl_xor_sync(0xFFFFFFFF, sum, 2);
            float factor = sp.nk > 0 ? 1.0f / sum : 0.0f;
            int r = row + 8 * half;
            T *to = m.data + (sp.q + static_cast<unsigned>(r)) * m.stride + head_col;
#pragma unroll
            for (int j = 0; j < DIM / 8; j++) {
                unsigned col = 8 * j + 2 * (threadIdx.x % 4);
                if (r < sp.nq && col < dim)
                    *reinterpret_cast<uint32_t *>(to + col) =
                        pack(o[j][2 * half] * factor, o[j][2 * half + 1] * factor, T());
            }
        }
    }
};

/* s = q k^T */
template <bool FULL, typename T, int DIM, int GROUPS>
static __device__ __forceinline__ void score(Group<T, DIM> (&g)[GROUPS], T *tile, int keys)
{
    typedef Tile<T, DIM> L;
    unsigned lane = threadIdx.x % LANES;
    /* Matrices: keys 0-7 and 8-15 of the 16, each columns 0-7 and 8-15 of the 16. */
    unsigned at = L::at(lane / 16 * 8 + lane % 8, lane / 8 % 2);

#pragma unroll
    for (int j = 0; j < KEYS / 16; j++) {
        if (!FULL && j * 16 >= keys) continue; /* the same for all lanes */
#pragma unroll
        for (int k = 0; k < DIM / 16; k++) {
            uint32_t b[4];
            load_matrices(tile + L::move(at, j, k), b);
#pragma unroll
            for (int n = 0; n < GROUPS; n++) {
                multiply(g[n].s[2 * j], g[n].q[k], b, k > 0, T());
                multiply(g[n].s[2 * j + 1], g[n].q[k], b + 2, k > 0, T());
            }
        }
    }
}

/* o += weights times values: the scores' fragments are, packed, those of a left operand. */
template <bool FULL, typename T, int DIM, int GROUPS>
static __device__ __forceinline__ void weigh(Group<T, DIM> (&g)[GROUPS], T *tile, int keys)
{
    typedef Tile<T, DIM> L;
    unsigned lane = threadIdx.x % LANES;
    /* Matrices: columns 0-7 and 8-15 of the 16, each keys 0-7 and 8-15 of the 16. */
    unsigned at = L::at(lane / 8 % 2 * 8 + lane % 8, lane / 16);

#pragma unroll
    for (int k = 0; k < KEYS / 16; k++) {
        if (!FULL && k * 16 >= keys) continue; /* the same for all lanes */
        uint32_t w[GROUPS][4];
#pragma unroll
        for (int n = 0; n < 4 * GROUPS; n++) {
            const float *p = g[n / 4].s[2 * k + n % 4 / 2] + n % 2 * 2;
            w[n / 4][n % 4] = pack(p[0], p[1], T());
        }
#pragma unroll
        for (int j = 0; j < DIM / 16; j++) {
            uint32_t b[4];
            load_matrices_transposed(tile + L::move(at, k, j), b);
#pragma unroll
            for (int n = 0; n < GROUPS; n++) {
                multiply(g[n].o[2 * j], w[n], b, true, T());
                multiply(g[n].o[2 * j + 1], w[n], b + 2, true, T());
            }
        }
    }
}

/* A tile of keys and of values. `left`: keys of the sequence from the tile's first on; of the tile as
 * many groups of 16 as that needs are used, with FULL all, without a branch: instructions of all
 * groups can then overlap. */
template <bool FULL, typename T, int DIM, int GROUPS>
static __device__ __forceinline__ void do_tile(Group<T, DIM> (&g)[GROUPS], const Attention<T> &a,
                                               const Span &sp, unsigned head, int key0, T *keys,
                                               T *values, bool edge, bool scaling, float scale)
{
    int left = sp.nk - key0;

    score<FULL>(g, keys, left);
    if (edge || scaling)
#pragma unroll
        for (int n = 0; n < GROUPS; n++)
            g[n].template adjust<FULL>(a, sp, head, key0, left, scaling);
#pragma unroll
    for (int n = 0; n < GROUPS; n++) g[n].template soften<FULL>(left, scale);
    weigh<FULL>(g, values, left);
}

template <typename T, int DIM>
static __global__ void __launch_bounds__(Division<DIM>::MAX_WARPS *LANES, Division<DIM>::BLOCKS)
    tensor_kernel(Attention<T> a)
{
    GE_MAX_THREADS(Division<DIM>::MAX_WARPS * LANES);
    GE_SHARED(T, shared); /* keys and values, two tiles of each */
    enum { GROUPS = Division<DIM>::GROUPS, WARP_ROWS = GROUPS * ROWS };
    const float log2e = 1.44269504088896341f;
    unsigned head = blockIdx.y;
    int rows = static_cast<int>(blockDim.x / LANES * WARP_ROWS);
    size_t head_col = static_cast<size_t>(head) * a.dim;
    const Span s = find_span(a, static_cast<unsigned>(rows));
    Group<T, DIM> g[GROUPS];

    if (s.first >= s.nq) return; /* the whole block */
    int row = s.first + static_cast<int>(threadIdx.x / LANES * WARP_ROWS);
    int last = s.first + rows < s.nq ? s.first + rows : s.nq;
    int seen = a.causal && last < s.nk ? last : s.nk;
    bool scaling = a.bias != nullptr || !(a.scale > 0.0f); /* before the largest is sought */
    float scale = scaling ? 1.0f : a.scale * log2e;
    const Copier<T, DIM> copier(a, s, head_col);
    auto start = [&](int key0) {
        T *keys = shared + key0 / KEYS % 2 * 2 * KEYS * DIM;
        if (key0 < seen) copier.start(keys, key0);
        copies_commit();
    };
    start(0);
#pragma unroll
    for (int n = 0; n < GROUPS; n++) {
        g[n].row = row + n * ROWS + static_cast<int>(threadIdx.x % LANES / 4);
        g[n].load(a.q, s, head_col, a.dim);
    }
    for (int key0 = 0; key0 < seen; key0 += KEYS) {
        T *keys = shared + key0 / KEYS % 2 * 2 * KEYS * DIM;
        copies_wait<0>();
        __syncthreads(); /* everyone's part of this tile is there, and nobody reads the other one */
        start(key0 + KEYS);
        /* A warp without queries, or whose queries come before the tile, only keeps step. */
        if (row >= s.nq || (a.causal && key0 > row + WARP_ROWS - 1)) continue;
        bool edge = key0 + KEYS > s.nk || (a.causal && key0 + KEYS > row + 1);
        if (s.nk - key0 > KEYS - 16)
            do_tile<true>(g, a, s, head, key0, keys, keys + KEYS * DIM, edge, scaling, scale);
        else
            do_tile<false>(g, a, s, head, key0, keys, keys + KEYS * DIM, edge, scaling, scale);
    }
    copies_wait<0>();
    if (row >= s.nq) return; /* a whole warp */
#pragma unroll
    for (int n = 0; n < GROUPS; n++) g[n].store(a.out, s, head_col, a.dim);
}

/* ---- starting ------------------------------------------------------------------------------- */

/* As few blocks as the longest sequence needs, and as few warps as these need: more queries in a
 * block share its keys, and a warp without queries holds a place. */
static unsigned warps_for(size_t max_q, size_t warp_rows, size_t max_warps)
{
    size_t warps = (max_q + warp_rows - 1) / warp_rows;
    size_t blocks = (warps + max_warps - 1) / max_warps;

    return static_cast<unsigned>((warps + blocks - 1) / blocks);
}

template <typename T, int DIM> static constexpr unsigned shared_bytes()
{
    return 4 * Tile<T, DIM>::BYTES;
}

template <typename T, int DIM>
static cudaError_t launch_tensor(cudaStream_t stream, const struct ge_cuda_attention &a)
{
    const unsigned warp_rows = Division<DIM>::GROUPS * ROWS;
    unsigned warps = warps_for(a.max_q, warp_rows, Division<DIM>::MAX_WARPS);
    Attention<T> args = attention<T>(a, warps * warp_rows);
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
    if (a->k.stride > UINT32_MAX || a->v.stride > UINT32_MAX) return cudaErrorInvalidValue;
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
