/* Fibers: switching stacks without the kernel, known to AddressSanitizer. Private to the emulator. */
#ifndef GE_EMULATOR_FIBER_H
#define GE_EMULATOR_FIBER_H

#include <cstddef>

namespace emulator
{

struct Fiber {
    void *context = nullptr;   /* where it stopped: stack pointer, or ucontext_t */
    char *stack = nullptr;     /* lowest address; nullptr for the thread's own stack */
    void *sanitizer = nullptr; /* AddressSanitizer's record of a stopped stack */
};

constexpr size_t STACK_BYTES = 128 * 1024;

/* A fiber that runs entry(), which must not return. */
void fiber_create(Fiber &f, void (*entry)());

/* Stop `from`, which is running, and go on with `to`. */
void fiber_switch(Fiber &from, Fiber &to);

/* The first thing that entry() does. */
void fiber_started();

} // namespace emulator

#endif
