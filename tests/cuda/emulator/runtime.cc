/* The emulated CUDA runtime: devices, errors, memory. queues.cc has streams and events. */
#include "state.h"

#include "block.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#if defined(__SANITIZE_ADDRESS__)
#define GE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GE_ASAN 1
#endif
#endif
#ifdef GE_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace emulator
{

Machine machine;
std::recursive_mutex machine_lock;

static thread_local int current_device;
static thread_local cudaError_t last_error;

/* ---- settings --------------------------------------------------------------------------- */

uint64_t Machine::random()
{
    uint64_t z = seed += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static const struct Init {
    Init()
    {
        emu_reset();
    }
} init;

extern "C" void emu_reset(void)
{
    const struct emu_gpu one = {"Emulated GPU", "0000:1a:00.0", 9, 0, 132, (size_t)4 << 30};

    machine = Machine();
    machine.driver = 13000;
    machine.lose_with = cudaErrorLaunchFailure;
    machine.lt_version = 130101;
    last_error = cudaSuccess;
    emu_gpus(&one, 1);
}

extern "C" void emu_gpus(const struct emu_gpu *gpus, int n)
{
    machine.gpus.clear();
    for (int i = 0; i < n; i++)
        machine.gpus.push_back({gpus[i].name, gpus[i].pci, gpus[i].major, gpus[i].minor,
                                gpus[i].sms, gpus[i].memory, 0, cudaSuccess, 0});
    current_device = 0;
}

extern "C" void emu_driver(int version)
{
    machine.driver = version;
}

extern "C" void emu_set_order(enum emu_order order, uint64_t seed)
{
    machine.order = order;
    machine.seed = seed;
}

extern "C" void emu_set_queue(enum emu_queue queue, uint64_t seed)
{
    machine.queue = queue;
    machine.seed = seed;
}

extern "C" void emu_fail_malloc_at(long n)
{
    machine.fail_malloc = n;
}

extern "C" void emu_fail_host_alloc_at(long n)
{
    machine.fail_host_alloc = n;
}

extern "C" void emu_refuse_launch_at(long n)
{
    machine.refuse_launch = n;
}

extern "C" void emu_lose_device_at(long n)
{
    machine.lose_device = n;
}

extern "C" void emu_lose_with(int cuda_error)
{
    machine.lose_with = (cudaError_t)cuda_error;
}

extern "C" void emu_lt_version(size_t version)
{
    machine.lt_version = version;
}

extern "C" void emu_lt_unsteady(bool unsteady)
{
    machine.lt_unsteady = unsteady;
}

extern "C" struct emu_counts emu_count(void)
{
    return machine.counts;
}

/* ---- errors ----------------------------------------------------------------------------- */

cudaError_t fail(cudaError_t e)
{
    if (e != cudaSuccess) last_error = e;
    return e;
}

/* What every call begins with: no driver, no device, a lost one. */
static cudaError_t usable()
{
    if (machine.driver == 0 || machine.driver < CUDART_VERSION / 1000 * 1000)
        return fail(cudaErrorInsufficientDriver);
    if (machine.gpus.empty()) return fail(cudaErrorNoDevice);
    return fail(machine.gpus[(size_t)current_device].lost);
}

Gpu *current_gpu()
{
    if (machine.driver == 0 || machine.gpus.empty()) return nullptr;
    return &machine.gpus[(size_t)current_device];
}

cudaError_t admit_launch(bool *lose)
{
    machine.counts.launches++;
    *lose = machine.lose_device > 0 && --machine.lose_device == 0;
    if (machine.refuse_launch > 0 && --machine.refuse_launch == 0)
        return fail(cudaErrorLaunchOutOfResources);
    return cudaSuccess;
}

/* What sticks is told again and again; anything else once. */
extern "C" cudaError_t cudaGetLastError(void)
{
    cudaError_t e = last_error;

    last_error = cudaSuccess;
    return current_gpu() != nullptr && current_gpu()->lost != cudaSuccess ? current_gpu()->lost : e;
}

extern "C" cudaError_t cudaPeekAtLastError(void)
{
    return last_error;
}

extern "C" const char *cudaGetErrorName(cudaError_t e)
{
    switch (e) {
#define NAME(x)                                                                                    \
    case x:                                                                                        \
        return #x;
        NAME(cudaSuccess)
        NAME(cudaErrorInvalidValue)
        NAME(cudaErrorMemoryAllocation)
        NAME(cudaErrorInitializationError)
        NAME(cudaErrorInvalidConfiguration)
        NAME(cudaErrorInsufficientDriver)
        NAME(cudaErrorNoDevice)
        NAME(cudaErrorInvalidDevice)
        NAME(cudaErrorECCUncorrectable)
        NAME(cudaErrorInvalidResourceHandle)
        NAME(cudaErrorNotReady)
        NAME(cudaErrorIllegalAddress)
        NAME(cudaErrorLaunchOutOfResources)
        NAME(cudaErrorLaunchFailure)
        NAME(cudaErrorUnknown)
#undef NAME
    }
    return "unrecognized error code";
}

extern "C" const char *cudaGetErrorString(cudaError_t e)
{
    return e == cudaSuccess ? "no error" : "an emulated error";
}

/* ---- devices ---------------------------------------------------------------------------- */

extern "C" cudaError_t cudaDriverGetVersion(int *version)
{
    *version = machine.driver;
    return cudaSuccess;
}

extern "C" cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

extern "C" cudaError_t cudaGetDeviceCount(int *count)
{
    *count = (int)machine.gpus.size();
    if (machine.driver == 0 || machine.driver < CUDART_VERSION / 1000 * 1000)
        return fail(cudaErrorInsufficientDriver);
    return machine.gpus.empty() ? fail(cudaErrorNoDevice) : cudaSuccess;
}

extern "C" cudaError_t cudaSetDevice(int device)
{
    if (current_gpu() == nullptr) return usable();
    if (device < 0 || device >= (int)machine.gpus.size()) return fail(cudaErrorInvalidDevice);
    current_device = device;
    return cudaSuccess;
}

extern "C" cudaError_t cudaGetDevice(int *device)
{
    *device = current_device;
    return cudaSuccess;
}

extern "C" cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
{
    if (device < 0 || device >= (int)machine.gpus.size()) return fail(cudaErrorInvalidDevice);
    const Gpu &g = machine.gpus[(size_t)device];
    *prop = cudaDeviceProp();
    snprintf(prop->name, sizeof prop->name, "%s", g.name.c_str());
    prop->totalGlobalMem = g.memory;
    prop->sharedMemPerBlock = 48 << 10;
    prop->sharedMemPerBlockOptin = (size_t)(g.major < 8 ? 64 : 99) << 10;
    prop->major = g.major;
    prop->minor = g.minor;
    prop->multiProcessorCount = g.sms;
    return cudaSuccess;
}

extern "C" cudaError_t cudaDeviceGetPCIBusId(char *id, int len, int device)
{
    if (device < 0 || device >= (int)machine.gpus.size()) return fail(cudaErrorInvalidDevice);
    snprintf(id, (size_t)len, "%s", machine.gpus[(size_t)device].pci.c_str());
    return cudaSuccess;
}

/* ---- memory ----------------------------------------------------------------------------- */

enum { CANARY = 64 };

struct Block {
    char *base; /* what malloc gave; the user's part begins here */
    size_t bytes;
    int device; /* -1: page-locked host memory */
};

static std::map<uintptr_t, Block> blocks; /* by address */

#ifdef GE_ASAN
static const size_t canary = 0; /* AddressSanitizer has red zones of its own */
void poison_shared(const char *from, const char *to)
{
    ASAN_POISON_MEMORY_REGION(from, (size_t)(to - from));
}
void unpoison_shared(const char *from, const char *to)
{
    ASAN_UNPOISON_MEMORY_REGION(from, (size_t)(to - from));
}
#else
static const size_t canary = CANARY;
void poison_shared(const char *, const char *)
{
}
void unpoison_shared(const char *, const char *)
{
}
#endif

/* The block that holds `bytes` bytes at p, or nullptr. */
static const Block *find_block(const void *p, size_t bytes)
{
    auto it = blocks.upper_bound((uintptr_t)p);

    if (it == blocks.begin()) return nullptr;
    const Block &b = (--it)->second;
    size_t offset = (uintptr_t)p - it->first;
    return offset <= b.bytes && bytes <= b.bytes - offset ? &b : nullptr;
}

bool in_device_memory(const void *p, size_t bytes)
{
    const Block *b = find_block(p, bytes);

    return b != nullptr && b->device >= 0;
}

static cudaError_t new_block(void **p, size_t bytes, int device)
{
    void *base = nullptr;

    *p = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (posix_memalign(&base, 256, bytes + canary) != 0) return fail(cudaErrorMemoryAllocation);
    memset(base, 0xFF, bytes); /* NaN */
    memset((char *)base + bytes, 0xA5, canary);
    blocks[(uintptr_t)base] = {(char *)base, bytes, device};
    machine.counts.live_blocks++;
    machine.counts.live_bytes += bytes;
    *p = base;
    return cudaSuccess;
}

static void drop_block(void *p, bool device)
{
    auto it = blocks.find((uintptr_t)p);

    if (it == blocks.end() || (it->second.device >= 0) != device)
        fatal("free of %p, which is no allocation of its kind", p);
    const Block b = it->second;
    for (size_t i = 0; i < canary; i++)
        if ((unsigned char)b.base[b.bytes + i] != 0xA5)
            fatal("an allocation of %zu bytes was written beyond its end", b.bytes);
    if (device) machine.gpus[(size_t)b.device].used -= b.bytes;
    machine.counts.live_blocks--;
    machine.counts.live_bytes -= b.bytes;
    blocks.erase(it);
    free(b.base);
}

void drain_all();

extern "C" cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    cudaError_t e = usable();

    if (e != cudaSuccess) return e;
    *total = current_gpu()->memory;
    *free = current_gpu()->memory - current_gpu()->used;
    return cudaSuccess;
}

extern "C" cudaError_t cudaMalloc(void **p, size_t bytes)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    cudaError_t e = usable();

    if (e != cudaSuccess) return e;
    machine.counts.mallocs++;
    Gpu *g = current_gpu();
    if ((machine.fail_malloc > 0 && --machine.fail_malloc == 0) || bytes > g->memory - g->used)
        return fail(cudaErrorMemoryAllocation);
    e = new_block(p, bytes, current_device);
    if (e == cudaSuccess) g->used += bytes;
    return e;
}

/* Freeing waits for the device; a lost one still lets go of its memory here. */
extern "C" cudaError_t cudaFree(void *p)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (p == nullptr) return usable();
    drain_all();
    drop_block(p, true);
    return usable();
}

extern "C" cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    cudaError_t e = usable();

    if (e != cudaSuccess) return e;
    machine.counts.host_allocs++;
    if (machine.fail_host_alloc > 0 && --machine.fail_host_alloc == 0)
        return fail(cudaErrorMemoryAllocation);
    return new_block(p, bytes, -1);
}

extern "C" cudaError_t cudaFreeHost(void *p)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (p == nullptr) return usable();
    drain_all();
    drop_block(p, false);
    return usable();
}

static void check_range(const void *p, size_t bytes, bool device)
{
    const Block *b = find_block(p, bytes);

    if (device && (b == nullptr || b->device < 0))
        fatal("%zu bytes at %p are not inside one device allocation", bytes, p);
    if (!device && b != nullptr && b->device >= 0)
        fatal("%p is device memory, wanted host memory", p);
}

extern "C" cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes,
                                       enum cudaMemcpyKind kind, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    check_range(dst, bytes, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice);
    check_range(src, bytes, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice);
    return enqueue(stream, (double)bytes / 50e6, [=]() {
        memcpy(dst, src, bytes);
        return cudaSuccess;
    });
}

extern "C" cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    check_range(dst, bytes, true);
    return enqueue(stream, 0.002, [=]() {
        memset(dst, value, bytes);
        return cudaSuccess;
    });
}

/* ---- NVTX ------------------------------------------------------------------------------- */

extern "C" int nvtxRangePushA(const char *)
{
    return machine.counts.open_ranges++;
}

extern "C" int nvtxRangePop(void)
{
    return --machine.counts.open_ranges;
}

} // namespace emulator
