/* What both attention kernels share: their arguments, and which rows a block works on. */
#ifndef GE_CUDA_ATTENTION_CUH
#define GE_CUDA_ATTENTION_CUH

#include "kernel.cuh"

/* Grid: x = sequence * q_tiles + tile of queries, y = head (times column groups). */
template <typename T> struct Attention {
    Matrix<T> q, k, v, out;
    const int32_t *q_ends, *kv_ends;
    unsigned q_tiles, max_kv, dim;
    float scale;
    bool causal;
    const float *bias;
    size_t bias_stride;
};

template <typename T>
static Attention<T> attention(const struct ge_cuda_attention &a, unsigned tile_rows)
{
    return Attention<T>{matrix<T>(a.q),
                        matrix<T>(a.k),
                        matrix<T>(a.v),
                        matrix<T>(a.out),
                        a.q_ends,
                        a.kv_ends,
                        static_cast<unsigned>((a.max_q + tile_rows - 1) / tile_rows),
                        static_cast<unsigned>(a.max_kv),
                        static_cast<unsigned>(a.head_dim),
                        a.scale,
                        a.causal != 0,
                        a.bias,
                        a.bias_stride};
}

/* The sequence that a block works on, and its first query there. */
struct Span {
    size_t q, kv;      /* first rows */
    int nq, nk, first; /* rows; the block's first query */
};

template <typename T>
static __device__ __forceinline__ Span find_span(const Attention<T> &a, unsigned tile_rows)
{
    unsigned s = blockIdx.x / a.q_tiles;
    int q = s == 0 ? 0 : a.q_ends[s - 1], kv = s == 0 ? 0 : a.kv_ends[s - 1];

    return Span{static_cast<size_t>(q), static_cast<size_t>(kv), a.q_ends[s] - q, a.kv_ends[s] - kv,
                static_cast<int>(blockIdx.x % a.q_tiles * tile_rows)};
}

/* What is subtracted in the exponent: the largest score, or 0 while there is none but -inf. */
static __device__ __forceinline__ float exponent_base(float top)
{
    return top == -INFINITY ? 0.0f : top;
}

#endif
