/* What all kernels share: how they are started, conversions between fp32 and the storage types, and
 * access to rows in pieces of eight elements.
 *
 * Arithmetic is fp32 whatever the storage type; a value is rounded once, when it is stored. The
 * same sources run on the CPU in the tests (tests/cuda/emulator), where GE_LAUNCH, GE_SHARED and
 * load16/store16 are checked. */
#ifndef GE_CUDA_KERNEL_CUH
#define GE_CUDA_KERNEL_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "launchers.h"

/* GE_LAUNCH(kernel, grid, block, shared bytes, stream, arguments...) gives the launch's error.
 * GE_SHARED(type, name): the block's shared memory, of the size given at the launch.
 * GE_MAX_THREADS(n): the first line of a kernel with __launch_bounds__(n). */
#ifdef __CUDACC__
#define GE_LAUNCH(kernel, grid, block, shared, stream, ...)                                        \
    (kernel<<<grid, block, shared, stream>>>(__VA_ARGS__), cudaGetLastError())
#define GE_SHARED(type, name)                                                                      \
    extern __shared__ __align__(128) unsigned char ge_shared_memory[];                             \
    type *name = reinterpret_cast<type *>(ge_shared_memory)
#define GE_MAX_THREADS(n)
#else
#define GE_LAUNCH(kernel, grid, block, shared, stream, ...)                                        \
    emulator::launch_kernel(kernel, #kernel, grid, block, shared, stream, __VA_ARGS__)
#define GE_SHARED(type, name) type *name = (type *)emulator::shared_memory()
#define GE_MAX_THREADS(n)     emulator::check_bounds(n)
#endif

/* ---- storage types -------------------------------------------------------------------------- */

static __device__ __forceinline__ float to_float(float v)
{
    return v;
}
static __device__ __forceinline__ float to_float(__nv_bfloat16 v)
{
    return __bfloat162float(v);
}
static __device__ __forceinline__ float to_float(__half v)
{
    return __half2float(v);
}

template <typename T> __device__ __forceinline__ T from_float(float f);
template <> __device__ __forceinline__ float from_float<float>(float f)
{
    return f;
}
template <> __device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float f)
{
    return __float2bfloat16_rn(f);
}
template <> __device__ __forceinline__ __half from_float<__half>(float f)
{
    return __float2half_rn(f);
}

/* ---- quick functions ------------------------------------------------------------------------ */

/* For results that are rounded to 16 bits: within 2 ulp of fp32. */

/* 2^x; results below the normal numbers are 0. */
static __device__ __forceinline__ float quick_exp2(float x)
{
#ifdef __CUDACC__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return exp2f(x);
#endif
}

/* x / y; may be 0 where |y| > 2^126. */
static __device__ __forceinline__ float quick_divide(float x, float y)
{
#ifdef __CUDACC__
    return __fdividef(x, y);
#else
    return x / y;
#endif
}

/* Call f with a value of the storage type. */
template <typename F> static cudaError_t with_type(enum ge_dtype dtype, const F &f)
{
    switch (dtype) {
    case GE_F32:
        return f(float());
    case GE_BF16:
        return f(__nv_bfloat16());
    case GE_F16:
        return f(__half());
    default:
        return cudaErrorInvalidValue;
    }
}

/* ---- pieces of eight elements --------------------------------------------------------------- */

enum { PIECE = 8, BLOCK = 256 };

static __device__ __forceinline__ uint4 load16(const void *p)
{
#ifndef __CUDACC__
    emulator::check_access(p, 16);
#endif
    return *static_cast<const uint4 *>(p);
}

static __device__ __forceinline__ void store16(void *p, uint4 v)
{
#ifndef __CUDACC__
    emulator::check_access(p, 16);
#endif
    *static_cast<uint4 *>(p) = v;
}

/* A piece as it lies in memory. */
template <typename T> union Raw {
    uint4 u[sizeof(T) / 2];
    T v[PIECE];
};

/* n <= 8 elements at p; the rest is zero. `aligned`: p is a multiple of 16 bytes. */
template <typename T>
static __device__ __forceinline__ void load_raw(const T *p, bool aligned, unsigned n, Raw<T> *raw)
{
    if (aligned && n == PIECE) {
#pragma unroll
        for (unsigned i = 0; i < sizeof(T) / 2; i++) raw->u[i] = load16(p + i * 16 / sizeof(T));
    } else {
#pragma unroll
        for (unsigned i = 0; i < PIECE; i++) raw->v[i] = i < n ? p[i] : from_float<T>(0.0f);
    }
}

template <typename T>
static __device__ __forceinline__ void to_floats(const Raw<T> &raw, float f[PIECE])
{
#pragma unroll
    for (unsigned i = 0; i < PIECE; i++) f[i] = to_float(raw.v[i]);
}

template <typename T>
static __device__ __forceinline__ void load_piece(const T *p, bool aligned, unsigned n,
                                                  float f[PIECE])
{
    Raw<T> raw;

    load_raw(p, aligned, n, &raw);
    to_floats(raw, f);
}

template <typename T>
static __device__ __forceinline__ void store_piece(T *p, bool aligned, unsigned n,
                                                   const float f[PIECE])
{
    if (aligned && n == PIECE) {
        Raw<T> raw;
#pragma unroll
        for (unsigned i = 0; i < PIECE; i++) raw.v[i] = from_float<T>(f[i]);
#pragma unroll
        for (unsigned i = 0; i < sizeof(T) / 2; i++) store16(p + i * 16 / sizeof(T), raw.u[i]);
    } else {
#pragma unroll
        for (unsigned i = 0; i < PIECE; i++)
            if (i < n) p[i] = from_float<T>(f[i]);
    }
}

/* Whether every row of a matrix begins at a multiple of 16 bytes. */
static inline bool rows_aligned(const struct ge_cuda_matrix &m)
{
    return m.data == nullptr || (reinterpret_cast<uintptr_t>(m.data) % 16 == 0 &&
                                 m.stride * ge_dtype_size(m.dtype) % 16 == 0);
}

/* A matrix as kernels see it. */
template <typename T> struct Matrix {
    T *data;
    size_t stride;

    __device__ __forceinline__ T *at(size_t row, unsigned col) const
    {
        return data + row * stride + col;
    }
};

template <typename T> static Matrix<T> matrix(const struct ge_cuda_matrix &m)
{
    return Matrix<T>{static_cast<T *>(m.data), m.stride};
}

/* A piece of a (rows, cols) matrix. */
struct Piece {
    size_t row;
    unsigned col, n;
};

/* Piece i of the matrix, row by row; false if it has fewer. */
static __device__ __forceinline__ bool find_piece_at(size_t i, size_t rows, unsigned cols, Piece *p)
{
    unsigned per_row = (cols + PIECE - 1) / PIECE, at;

    /* A division of 64-bit numbers costs more than all the rest; it is rarely needed. */
    p->row = i >> 32 == 0 ? static_cast<unsigned>(i) / per_row : i / per_row;
    at = static_cast<unsigned>(i - p->row * per_row);
    p->col = at * PIECE;
    p->n = cols - p->col < PIECE ? cols - p->col : static_cast<unsigned>(PIECE);
    return p->row < rows;
}

/* The piece that is this thread's business. */
static __device__ __forceinline__ bool find_piece(size_t rows, unsigned cols, Piece *p)
{
    return find_piece_at(blockIdx.x * static_cast<size_t>(BLOCK) + threadIdx.x, rows, cols, p);
}

/* Blocks that give every piece a thread. */
static inline dim3 piece_grid(size_t rows, size_t cols)
{
    return dim3(static_cast<unsigned>((rows * ((cols + PIECE - 1) / PIECE) + BLOCK - 1) / BLOCK));
}

#endif
