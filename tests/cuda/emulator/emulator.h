/* An emulated CUDA machine for tests: the module's very sources run on the CPU, without a GPU or
 * any CUDA library. These calls set the machine up, choose the order of everything that a real GPU
 * leaves open, make things fail, and count.
 *
 * What it is not: a measure of speed, or of the last bits: sums inside a tensor-core operation and
 * the functions exp2f, expf, erff, tanhf are the host's.
 *
 * Wrong use that hardware answers with undefined behaviour (lanes that miss a shuffle, a misaligned
 * 16-byte access, a barrier that some threads never reach, ...) ends the program with a message. */
#ifndef GE_EMULATOR_EMULATOR_H
#define GE_EMULATOR_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct emu_gpu {
    const char *name, *pci;
    int major, minor, sms;
    size_t memory;
};

/* One GPU of compute capability 9.0 with 4 GB, a current driver, forward order, late streams, no
 * faults, counts at zero. Every device must have been closed. */
void emu_reset(void);

void emu_gpus(const struct emu_gpu *gpus, int n); /* copied; n = 0: cudaErrorNoDevice */
void emu_driver(int version);                     /* 0: no driver; 12080 stands for 12.8 */

/* Order of threads within a warp, of warps within a block, of blocks within a grid; asynchronous
 * copies arrive as late as they may, at once, or by chance. */
enum emu_order { EMU_FORWARD, EMU_REVERSE, EMU_SHUFFLED };
void emu_set_order(enum emu_order order, uint64_t seed);

/* When queued work runs: only when something waits for it; at the call; as soon as it may on the
 * stream that was made first (or on all others), late on the rest; by chance. */
enum emu_queue {
    EMU_LATE,
    EMU_AT_ONCE,
    EMU_FIRST_STREAM_AHEAD,
    EMU_OTHER_STREAMS_AHEAD,
    EMU_BY_CHANCE
};
void emu_set_queue(enum emu_queue queue, uint64_t seed);

/* Faults, counted from now; 0 switches one off. A lost device fails every later call with the
 * error of the name given by emu_lose_with() (719, cudaErrorLaunchFailure, at first). */
void emu_fail_malloc_at(long n);     /* cudaMalloc: out of memory */
void emu_fail_host_alloc_at(long n); /* cudaHostAlloc: out of memory */
void emu_refuse_launch_at(long n);   /* the launch itself fails, nothing sticks */
void emu_lose_device_at(long n);     /* the n-th launch loses the device while it runs */
void emu_lose_with(int cuda_error);

struct emu_counts {
    long launches, mallocs, host_allocs;
    long live_blocks; /* device and page-locked allocations that were not freed */
    size_t live_bytes;
    long shared_phases, bank_conflicts; /* of ldmatrix and of asynchronous 16-byte stores */
    long products, heuristics;          /* cublasLtMatmul(), cublasLtMatmulAlgoGetHeuristic() */
    int open_ranges;                    /* NVTX */
};
struct emu_counts emu_count(void);

/* Limits: the emulated cuBLASLt's own version, and whether its best-rated algorithm gives a row
 * other bits at another height although it does not split K. */
void emu_lt_version(size_t version);
void emu_lt_unsteady(bool unsteady);

#ifdef __cplusplus
}
#endif

#endif
