#include "fiber.h"

#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define GE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GE_ASAN 1
#endif
#endif
#ifdef GE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace emulator
{

#ifdef GE_ASAN
/* The bottom of the thread's own stack, told by the first switch away from it. */
static const void *own_bottom;
static size_t own_bytes;
static const Fiber *left; /* whom the running switch comes from */

static void before_switch(Fiber &from, const Fiber &to)
{
    left = &from;
    __sanitizer_start_switch_fiber(&from.sanitizer, to.stack != nullptr ? to.stack : own_bottom,
                                   to.stack != nullptr ? STACK_BYTES : own_bytes);
}

static void after_switch(void *sanitizer)
{
    const void *bottom;
    size_t bytes;

    __sanitizer_finish_switch_fiber(sanitizer, &bottom, &bytes);
    if (left->stack == nullptr) {
        own_bottom = bottom;
        own_bytes = bytes;
    }
}
#else
static void before_switch(Fiber &, const Fiber &)
{
}
static void after_switch(void *)
{
}
#endif

static char *new_stack()
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(nullptr, STACK_BYTES + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    /* The lowest page catches a stack that grows too far. */
    if (p == MAP_FAILED || mprotect(p, page, PROT_NONE) != 0) abort();
    return (char *)p + page;
}

void fiber_started()
{
    after_switch(nullptr);
}

#ifdef __x86_64__

/* Save what a called function must keep, change the stack, restore. */
extern "C" void emulator_switch(void **from, void *to);
asm(".text\n"
    ".globl emulator_switch\n"
    ".type emulator_switch, @function\n"
    "emulator_switch:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
    "    ret\n"
    ".size emulator_switch, .-emulator_switch\n");

void fiber_create(Fiber &f, void (*entry)())
{
    f.stack = new_stack();
    uintptr_t *top = (uintptr_t *)(f.stack + STACK_BYTES);

    *--top = 0; /* no caller, and the alignment that a call leaves */
    *--top = (uintptr_t)entry;
    top -= 6;
    for (int i = 0; i < 6; i++) top[i] = 0;
    f.context = top;
}

void fiber_switch(Fiber &from, Fiber &to)
{
    before_switch(from, to);
    emulator_switch(&from.context, to.context);
    after_switch(from.sanitizer);
}

#else

void fiber_create(Fiber &f, void (*entry)())
{
    ucontext_t *u = (ucontext_t *)calloc(1, sizeof *u);

    if (u == nullptr || getcontext(u) != 0) abort();
    f.stack = new_stack();
    u->uc_stack.ss_sp = f.stack;
    u->uc_stack.ss_size = STACK_BYTES;
    makecontext(u, entry, 0);
    f.context = u;
}

void fiber_switch(Fiber &from, Fiber &to)
{
    if (from.context == nullptr) from.context = calloc(1, sizeof(ucontext_t));
    if (from.context == nullptr) abort();
    before_switch(from, to);
    if (swapcontext((ucontext_t *)from.context, (ucontext_t *)to.context) != 0) abort();
    after_switch(from.sanitizer);
}

#endif

} // namespace emulator
