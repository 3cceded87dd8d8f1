/* The language of kernels for the emulator: qualifiers, built-in variables, vector types, barriers,
 * shuffles and the warp-wide operations that cuda/warp.cuh wraps. Included by the stand-in
 * cuda_runtime.h. A kernel is an ordinary function; each of its threads is a fiber (block.h), and
 * whatever joins several threads is a collective there, which checks who takes part. */
#ifndef GE_EMULATOR_DEVICE_SIDE_H
#define GE_EMULATOR_DEVICE_SIDE_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
    {
    }
};
struct __align__(16) uint4
{
    unsigned x, y, z, w;
};
struct __align__(16) float4
{
    float x, y, z, w;
};
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w)
{
    return uint4{x, y, z, w};
}
static inline float4 make_float4(float x, float y, float z, float w)
{
    return float4{x, y, z, w};
}

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emulator
{

/* ---- what joins threads ---------------------------------------------------------------- */

enum Kind {
    BARRIER,
    SYNCWARP,
    SHUFFLE,
    MMA_BF16,
    MMA_F16,
    MMA_F16_K8,
    LDMATRIX,
    LDMATRIX_TRANS,
    COPY_ASYNC
};

void block_barrier();

/* All lanes of `mask` must come here with the same kind; then `complete` sees what each brought,
 * and all go on. */
typedef void Complete(void *const lanes[32], unsigned mask);
void warp_collective(Kind kind, unsigned mask, void *mine, Complete *complete);

Complete complete_nothing, complete_shuffle, complete_mma_bf16, complete_mma_f16,
    complete_mma_f16_k8, complete_ldmatrix, complete_ldmatrix_trans, complete_copy_async;

struct Shuffle {
    uint32_t in, out;
    unsigned from; /* lane that is read */
};
struct Mma {
    const uint32_t *a, *b;
    float *c;
};
struct Ldmatrix {
    const void *row;
    uint32_t *out; /* [4] */
};
struct CopyAsync {
    void *dst;
    const void *src;
    unsigned valid; /* bytes that are read; the rest of 16 becomes zero */
};

void cp_async_commit();
void cp_async_wait(unsigned newest); /* all but the `newest` last groups have arrived */

/* Fails unless `bytes` bytes at p are aligned to as many and lie in this block's shared memory or
 * in an allocation of the device. */
void check_access(const void *p, size_t bytes);

void check_bounds(unsigned max_threads); /* __launch_bounds__ */
void *shared_memory();                   /* of this block, of the size given at the launch */

/* ---- launches --------------------------------------------------------------------------- */

cudaError_t launch(const void *kernel, const char *name, dim3 grid, dim3 block, size_t shared,
                   cudaStream_t stream, std::function<void()> body);

template <typename... Params, typename... Args>
cudaError_t launch_kernel(void (*kernel)(Params...), const char *name, dim3 grid, dim3 block,
                          size_t shared, cudaStream_t stream, Args... args)
{
    std::tuple<Params...> params(args...); /* by value, now: as a launch copies its arguments */

    return launch((const void *)kernel, name, grid, block, shared, stream,
                  [kernel, params]() { std::apply(kernel, params); });
}

} // namespace emulator

static inline void __syncthreads()
{
    emulator::block_barrier();
}

static inline void __syncwarp(unsigned mask = 0xFFFFFFFF)
{
    emulator::warp_collective(emulator::SYNCWARP, mask, nullptr, emulator::complete_nothing);
}

static inline float __shfl_sync(unsigned mask, float v, int from)
{
    emulator::Shuffle s = {0, 0, (unsigned)from & 31};

    memcpy(&s.in, &v, sizeof v);
    emulator::warp_collective(emulator::SHUFFLE, mask, &s, emulator::complete_shuffle);
    memcpy(&v, &s.out, sizeof v);
    return v;
}

static inline float __shfl_xor_sync(unsigned mask, float v, int lanes)
{
    return __shfl_sync(mask, v, (int)(threadIdx.x % 32) ^ lanes);
}

/* CUDA has these as device functions; the host's are at least as exact. */
static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

#endif
