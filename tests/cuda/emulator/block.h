/* Runs one block of a kernel: every thread is a fiber with a stack of its own, and goes on until it
 * waits for others. In which order threads, warps and blocks run is chosen by the test
 * (emu_set_order()); the result of a correct kernel does not depend on it, while a missing barrier shows
 * in one order or another. Private to the emulator. */
#ifndef GE_EMULATOR_BLOCK_H
#define GE_EMULATOR_BLOCK_H

#include "include/cuda_runtime.h"

namespace emulator
{

struct Launch {
    const char *name;
    dim3 grid, block;
    size_t shared;
    const std::function<void()> *body;
};

/* All blocks of a launch, one after the other. */
void run_blocks(const Launch &launch);

/* A mistake that hardware would punish with undefined behaviour: say what and where, and abort. */
[[noreturn]] void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

} // namespace emulator

#endif
