#include "block.h"

#include "emulator.h"
#include "fiber.h"
#include "state.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <vector>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator
{

enum ThreadState { READY, WAITING, DONE };

struct Copy {
    void *dst;
    const void *src;
    unsigned valid;
};

struct Thread {
    Fiber fiber;
    ThreadState state = DONE;
    uint3 index{};
    std::vector<std::vector<Copy>> groups; /* asynchronous copies on their way; last: open */
};

struct Warp {
    Kind kind;
    unsigned mask = 0, arrived = 0;
    void *lanes[32];
    unsigned ready = 0; /* lanes that can go on */
};

/* One block runs at a time; fibers are kept for the next one, and for good: one may still be on its
 * stack when the program ends. */
static std::vector<Thread *> &threads = *new std::vector<Thread *>;
static std::vector<Warp> warps;
static Fiber scheduler;
static Thread *current;
static const Launch *launch_now;
static unsigned n_threads, n_waiting, n_done;
static std::vector<char> shared_bytes;
static char *shared_base;

void fatal(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (launch_now != nullptr)
        fprintf(stderr, "emulator: %s, block (%u,%u,%u), thread (%u,%u,%u): ", launch_now->name,
                blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    else
        fprintf(stderr, "emulator: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    abort();
}

/* ---- threads ---------------------------------------------------------------------------- */

static unsigned number_of(const Thread *t)
{
    return t->index.x + blockDim.x * (t->index.y + blockDim.y * t->index.z);
}

static void leave()
{
    fiber_switch(current->fiber, scheduler);
}

static void thread_main()
{
    fiber_started();
    for (;;) {
        (*launch_now->body)();
        for (const auto &group : current->groups)
            if (!group.empty()) fatal("ends with asynchronous copies on their way");
        current->state = DONE;
        n_done++;
        leave();
    }
}

static void resume(Thread *t)
{
    Warp &w = warps[number_of(t) / 32];

    w.ready &= ~(1u << number_of(t) % 32);
    current = t;
    threadIdx = t->index;
    fiber_switch(scheduler, t->fiber);
}

static void wake(unsigned number)
{
    threads[number]->state = READY;
    warps[number / 32].ready |= 1u << number % 32;
}

void block_barrier()
{
    current->state = WAITING;
    n_waiting++;
    if (n_waiting == n_threads) {
        n_waiting = 0;
        for (unsigned i = 0; i < n_threads; i++) wake(i);
    }
    leave();
}

void warp_collective(Kind kind, unsigned mask, void *mine, Complete *complete)
{
    unsigned number = number_of(current), lane = number % 32;
    Warp &w = warps[number / 32];

    if (!(mask >> lane & 1)) fatal("lane %u is not in its own mask %08x", lane, mask);
    if (w.arrived == 0) {
        w.kind = kind;
        w.mask = mask;
    } else if (w.kind != kind || w.mask != mask) {
        fatal("lanes diverge: operation %d with mask %08x meets operation %d with mask %08x", kind,
              mask, w.kind, w.mask);
    }
    w.arrived |= 1u << lane;
    w.lanes[lane] = mine;
    current->state = WAITING;
    if (w.arrived == w.mask) {
        complete(w.lanes, mask);
        w.arrived = 0;
        for (unsigned i = 0; i < 32; i++)
            if (mask >> i & 1) wake(number / 32 * 32 + i);
    }
    leave();
}

/* ---- order ------------------------------------------------------------------------------ */

/* The warp to run next: in forward and reverse order one warp goes as far ahead of the others as
 * barriers let it. */
static int next_warp()
{
    int n = (int)warps.size(), start = 0;

    if (machine.order == EMU_SHUFFLED) start = (int)(machine.random() % (unsigned)n);
    for (int i = 0; i < n; i++) {
        int at = machine.order == EMU_REVERSE ? n - 1 - i : (start + i) % n;
        if (warps[(size_t)at].ready != 0) return at;
    }
    return -1;
}

static void run_warp(unsigned warp)
{
    unsigned turn = machine.order == EMU_SHUFFLED ? (unsigned)machine.random() % 32 : 0;

    for (unsigned i = 0; i < 32; i++) {
        unsigned lane =
            machine.order == EMU_REVERSE ? 31 - i : (i * (turn != 0 ? 5 : 1) + turn) % 32;
        if (warps[warp].ready >> lane & 1) resume(threads[warp * 32 + lane]);
    }
}

static void run_block()
{
    n_waiting = n_done = 0;
    memset(shared_base, 0xFF, launch_now->shared); /* NaN in every floating-point type */
    for (unsigned i = 0; i < n_threads; i++) {
        threads[i]->groups.assign(1, {});
        wake(i);
    }
    for (int w = next_warp(); w >= 0; w = next_warp()) run_warp((unsigned)w);
    if (n_done == n_threads) return;
    for (const Warp &w : warps)
        if (w.arrived != 0)
            fatal("lanes %08x wait for %08x in operation %d, which the others never reach",
                  w.arrived, w.mask, w.kind);
    fatal("%u of %u threads wait at a barrier that the others never reach", n_waiting, n_threads);
}

static void set_up(const Launch &l)
{
    n_threads = l.block.x * l.block.y * l.block.z;
    while (threads.size() < n_threads) {
        threads.push_back(new Thread);
        fiber_create(threads.back()->fiber, thread_main);
    }
    blockDim = l.block;
    gridDim = l.grid;
    for (unsigned i = 0; i < n_threads; i++)
        threads[i]->index = {i % l.block.x, i / l.block.x % l.block.y, i / l.block.x / l.block.y};
    warps.assign((n_threads + 31) / 32, Warp());
    /* Of exactly the size asked for, at the end of its memory, so that sanitizers see an overrun. */
    shared_bytes = std::vector<char>(l.shared + 1024);
    shared_bytes.shrink_to_fit();
    shared_base = (char *)(((uintptr_t)shared_bytes.data() + 1023) / 1024 * 1024);
    poison_shared(shared_base + l.shared, shared_bytes.data() + shared_bytes.size());
}

void run_blocks(const Launch &l)
{
    uint64_t n = (uint64_t)l.grid.x * l.grid.y * l.grid.z;
    uint64_t start = machine.order == EMU_SHUFFLED ? machine.random() % n : 0;

    launch_now = &l;
    set_up(l);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = machine.order == EMU_REVERSE ? n - 1 - i : (start + i) % n;
        blockIdx = {(unsigned)(at % l.grid.x), (unsigned)(at / l.grid.x % l.grid.y),
                    (unsigned)(at / l.grid.x / l.grid.y)};
        run_block();
    }
    unpoison_shared(shared_base + l.shared, shared_bytes.data() + shared_bytes.size());
    launch_now = nullptr;
}

/* ---- what threads ask ------------------------------------------------------------------- */

void *shared_memory()
{
    return shared_base;
}

void check_bounds(unsigned max_threads)
{
    if (n_threads > max_threads)
        fatal("%u threads in a block, launch bound %u", n_threads, max_threads);
}

void check_access(const void *p, size_t bytes)
{
    const char *c = (const char *)p;

    if ((uintptr_t)p % bytes != 0) fatal("access of %zu bytes at misaligned %p", bytes, p);
    if (c >= shared_base && c + bytes <= shared_base + launch_now->shared) return;
    if (!in_device_memory(p, bytes)) fatal("access of %zu bytes outside device memory", bytes);
}

/* ---- asynchronous copies ---------------------------------------------------------------- */

static void arrive(const Copy &c)
{
    memcpy(c.dst, c.src, c.valid);
    memset((char *)c.dst + c.valid, 0, 16 - c.valid);
}

void complete_copy_async(void *const lanes[32], unsigned mask)
{
    unsigned first = number_of(current) / 32 * 32;
    const void *rows[32];

    for (unsigned i = 0; i < 32; i++) {
        const CopyAsync *c = (const CopyAsync *)lanes[i];
        if (mask != 0xFFFFFFFF) fatal("asynchronous copy with mask %08x", mask);
        check_access(c->dst, 16);
        if (c->valid > 0) check_access(c->src, 16);
        rows[i] = c->dst;
        Copy copy = {c->dst, c->src, c->valid};
        bool now = machine.order == EMU_REVERSE ||
                   (machine.order == EMU_SHUFFLED && machine.random() % 2 == 0);
        if (now)
            arrive(copy);
        else
            threads[first + i]->groups.back().push_back(copy);
    }
    count_banks(rows, 32);
}

void cp_async_commit()
{
    current->groups.emplace_back();
}

void cp_async_wait(unsigned newest)
{
    auto &groups = current->groups; /* the last one is open */

    while (groups.size() > (size_t)newest + 1) {
        for (const Copy &c : groups.front()) arrive(c);
        groups.erase(groups.begin());
    }
}

} // namespace emulator
