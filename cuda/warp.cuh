/* Tensor-core and copy instructions of a warp, as functions. All 32 lanes must call them together.
 * Fragment layouts are those of the PTX ISA (mma.m16n8k16, ldmatrix): with group = lane / 4 and pair =
 * lane % 4 a lane holds
 *
 *   a[0], a[1]  rows group, group + 8 of A, columns 2 pair, 2 pair + 1; a[2], a[3] columns + 8
 *   b[0], b[1]  rows 2 pair, 2 pair + 1 (+ 8) of B, column group
 *   c[0], c[1]  row group of C, columns 2 pair, 2 pair + 1; c[2], c[3] row group + 8
 *
 * On the CPU (tests/cuda/emulator) each is a collective that does the same with checks. Turing
 * (sm_75) has neither copies past the registers nor products over 16, nor bf16. */
#ifndef GE_CUDA_WARP_CUH
#define GE_CUDA_WARP_CUH

#include "kernel.cuh"

#ifdef __CUDA_ARCH__
#define GE_AMPERE (__CUDA_ARCH__ >= 800)
#else
#define GE_AMPERE 1
#endif

/* ---- copies to shared memory ---------------------------------------------------------------- */

#ifdef __CUDACC__
static __device__ __forceinline__ unsigned shared_address(const void *p)
{
    return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
#endif

/* Start copying 16 bytes from device to shared memory; zeros instead if not `valid`. They are there
 * after copies_wait() and a barrier. */
static __device__ __forceinline__ void copy_async(void *dst, const void *src, bool valid)
{
#ifndef __CUDACC__
#if GE_AMPERE
    emulator::CopyAsync c = {dst, src, valid ? 16u : 0u};
    emulator::warp_collective(emulator::COPY_ASYNC, 0xFFFFFFFF, &c, emulator::complete_copy_async);
#else
    store16(dst, valid ? load16(src) : make_uint4(0, 0, 0, 0));
#endif
#elif GE_AMPERE
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(dst)),
                 "l"(src), "r"(valid ? 16 : 0)
                 : "memory");
#else
    store16(dst, valid ? load16(src) : make_uint4(0, 0, 0, 0));
#endif
}

/* The copies started since the last commit form a group. */
static __device__ __forceinline__ void copies_commit()
{
#ifndef __CUDACC__
    if (GE_AMPERE) emulator::cp_async_commit();
#elif GE_AMPERE
    asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}

/* Wait for this thread's groups but the NEWEST last ones. */
template <int NEWEST> static __device__ __forceinline__ void copies_wait()
{
#ifndef __CUDACC__
    if (GE_AMPERE) emulator::cp_async_wait(NEWEST);
#elif GE_AMPERE
    asm volatile("cp.async.wait_group %0;\n" ::"n"(NEWEST) : "memory");
#endif
}

/* ---- fragments ------------------------------------------------------------------------------ */

/* Four 8 x 8 matrices of 16-bit elements: lanes 8 i ... 8 i + 7 point to the rows of matrix i, of
 * which lane l gets the elements 2 (l % 4), + 1 of row l / 4 in out[i]. */
static __device__ __forceinline__ void load_matrices(const void *row, uint32_t out[4])
{
#ifndef __CUDACC__
    emulator::Ldmatrix m = {row, out};
    emulator::warp_collective(emulator::LDMATRIX, 0xFFFFFFFF, &m, emulator::complete_ldmatrix);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

/* The same with each matrix transposed. */
static __device__ __forceinline__ void load_matrices_transposed(const void *row, uint32_t out[4])
{
#ifndef __CUDACC__
    emulator::Ldmatrix m = {row, out};
    emulator::warp_collective(emulator::LDMATRIX_TRANS, 0xFFFFFFFF, &m,
                              emulator::complete_ldmatrix_trans);
#else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
#endif
}

/* c (16, 8) = a (16, 16) b (16, 8), added to what c has if `add`; sums in fp32. */
static __device__ __forceinline__ void multiply(float c[4], const uint32_t a[4],
                                                const uint32_t b[2], bool add, __nv_bfloat16)
{
    const float start[4] = {add ? c[0] : 0.0f, add ? c[1] : 0.0f, add ? c[2] : 0.0f,
                            add ? c[3] : 0.0f};
#ifndef __CUDACC__
    for (int i = 0; i < 4; i++) c[i] = start[i];
    emulator::Mma m = {a, b, c};
    emulator::warp_collective(emulator::MMA_BF16, 0xFFFFFFFF, &m, emulator::complete_mma_bf16);
#elif GE_AMPERE
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\n"
        : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(start[0]),
          "f"(start[1]), "f"(start[2]), "f"(start[3]));
#else
    (void)start;
    __trap(); /* opening the device refuses bf16 here */
#endif
}

static __device__ __forceinline__ void multiply(float c[4], const uint32_t a[4],
                                                const uint32_t b[2], bool add, __half)
{
    const float start[4] = {add ? c[0] : 0.0f, add ? c[1] : 0.0f, add ? c[2] : 0.0f,
                            add ? c[3] : 0.0f};
#ifndef __CUDACC__
    emulator::Mma m = {a, b, c}, second = {a + 2, b + 1, c};
    for (int i = 0; i < 4; i++) c[i] = start[i];
    if (GE_AMPERE) {
        emulator::warp_collective(emulator::MMA_F16, 0xFFFFFFFF, &m, emulator::complete_mma_f16);
        return;
    }
    emulator::warp_collective(emulator::MMA_F16_K8, 0xFFFFFFFF, &m, emulator::complete_mma_f16_k8);
    emulator::warp_collective(emulator::MMA_F16_K8, 0xFFFFFFFF, &second,
                              emulator::complete_mma_f16_k8);
#elif GE_AMPERE
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\n"
        : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(start[0]),
          "f"(start[1]), "f"(start[2]), "f"(start[3]));
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
        "{%4, %5}, {%6}, {%7, %8, %9, %10};\n"
        : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]), "f"(start[0]), "f"(start[1]), "f"(start[2]),
          "f"(start[3]));
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
        "{%4, %5}, {%6}, {%0, %1, %2, %3};\n"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[2]), "r"(a[3]), "r"(b[1]));
#endif
}

/* Two numbers as neighbours in a register, the first in the lower half. */
static __device__ __forceinline__ uint32_t pack(float x, float y, __nv_bfloat16)
{
    union {
        __nv_bfloat162 pair;
        uint32_t bits;
    } u;
    u.pair = __floats2bfloat162_rn(x, y);
    return u.bits;
}

static __device__ __forceinline__ uint32_t pack(float x, float y, __half)
{
    union {
        __half2 pair;
        uint32_t bits;
    } u;
    u.pair = __floats2half2_rn(x, y);
    return u.bits;
}

#endif
