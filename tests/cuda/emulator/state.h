/* What the parts of the emulator share: the machine's settings, counts and random numbers.
 * Private to the emulator. */
#ifndef GE_EMULATOR_STATE_H
#define GE_EMULATOR_STATE_H

#include "emulator.h"
#include "include/cuda_runtime.h"

#include <functional>
#include <string>
#include <vector>

namespace emulator
{

struct Gpu {
    std::string name, pci;
    int major, minor, sms;
    size_t memory, used;
    cudaError_t lost; /* sticky */
    double clock_ms;  /* of its work */
};

struct Machine {
    std::vector<Gpu> gpus;
    int driver;
    emu_order order;
    enum emu_queue queue;
    uint64_t seed;
    long fail_malloc, fail_host_alloc, refuse_launch, lose_device;
    cudaError_t lose_with;
    struct emu_counts counts;
    size_t lt_version;
    bool lt_unsteady;

    uint64_t random(); /* splitmix64 */
};
extern Machine machine;

/* Whether the range lies in one live allocation of the current launch's device. */
bool in_device_memory(const void *p, size_t bytes);

/* Queue work on a stream; it runs now or later (emu_set_queue()). `ms` is how long it takes on the
 * emulated clock. Fails at once if the device is lost. */
cudaError_t enqueue(cudaStream_t stream, double ms, std::function<cudaError_t()> work);

/* Count a launch and inject its faults: an error for the caller, or *lose set: the work must return
 * machine.lose_with when it runs. */
cudaError_t admit_launch(bool *lose);

Gpu *current_gpu();            /* nullptr: none, or no driver */
cudaError_t fail(cudaError_t); /* keep as the last error, give it back */

/* `n` lanes touch 16 bytes each: count phases of eight lanes, and those in which two lanes want
 * other bytes of one bank. */
void count_banks(const void *const rows[], unsigned n);

/* Forbid and allow again [from, to) to AddressSanitizer. */
void poison_shared(const char *from, const char *to);
void unpoison_shared(const char *from, const char *to);

} // namespace emulator

#endif
