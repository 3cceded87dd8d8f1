/* Streams, events and launches of the emulated runtime. Work waits in its stream's queue until
 * something needs it, or until the test's choice (emu_set_queue()) runs it earlier; only what streams,
 * events and waiting calls promise is kept. */
#include "block.h"
#include "state.h"

#include <deque>
#include <map>
#include <mutex>

struct Item {
    enum Kind { WORK, RECORD, WAIT } kind;
    std::function<cudaError_t()> work;
    double ms;
    cudaEvent_t event;
    uint64_t turn; /* RECORD, WAIT: which recording of the event */
};

struct CUstream_st {
    int device;
    uint64_t number; /* streams of the process in order of creation */
    std::deque<Item> queue;
};

struct CUevent_st {
    bool timed;
    uint64_t recorded, done; /* recordings asked for, and reached */
    cudaStream_t stream;     /* of the last recording */
    double at_ms;            /* the device's clock then */
};

namespace emulator
{

extern std::recursive_mutex machine_lock;

static std::map<uint64_t, cudaStream_t> streams;
static uint64_t next_number;
static std::map<const void *, int> shared_limits; /* kernels that may use more than 48 KB */

/* ---- running the queues ----------------------------------------------------------------- */

static bool runnable(const CUstream_st &s)
{
    if (s.queue.empty()) return false;
    const Item &i = s.queue.front();
    return i.kind != Item::WAIT || i.event->done >= i.turn;
}

static void run_head(CUstream_st &s)
{
    Item item = std::move(s.queue.front());
    Gpu &g = machine.gpus[(size_t)s.device];

    s.queue.pop_front();
    if (item.kind == Item::WORK && g.lost == cudaSuccess) {
        g.lost = item.work();
        g.clock_ms += item.ms;
    } else if (item.kind == Item::RECORD) {
        item.event->done = item.turn;
        item.event->at_ms = g.clock_ms;
    }
}

static void reach(cudaEvent_t e, uint64_t turn);

/* Run a stream's queue until it is empty or `until` was reached. */
static void drain(CUstream_st &s, cudaEvent_t until, uint64_t turn)
{
    while (!s.queue.empty() && (until == nullptr || until->done < turn)) {
        if (!runnable(s)) reach(s.queue.front().event, s.queue.front().turn);
        run_head(s);
    }
}

static void reach(cudaEvent_t e, uint64_t turn)
{
    for (auto &s : streams)
        for (const Item &i : s.second->queue)
            if (i.kind == Item::RECORD && i.event == e && i.turn == turn) {
                drain(*s.second, e, turn);
                return;
            }
    fatal("a wait for an event that nothing will reach");
}

void drain_all()
{
    for (auto &s : streams) drain(*s.second, nullptr, 0);
}

static void run_ahead(bool first)
{
    bool more = true;

    while (more) {
        more = false;
        for (auto &s : streams) {
            if ((s.first == streams.begin()->first) != first) continue;
            for (; runnable(*s.second); more = true) run_head(*s.second);
        }
    }
}

/* What of the queues runs after a call. */
static void make_progress()
{
    switch (machine.queue) {
    case EMU_LATE:
        return;
    case EMU_AT_ONCE:
        drain_all();
        return;
    case EMU_FIRST_STREAM_AHEAD:
        run_ahead(true);
        return;
    case EMU_OTHER_STREAMS_AHEAD:
        run_ahead(false);
        return;
    case EMU_BY_CHANCE:
        for (auto &s : streams)
            while (runnable(*s.second) && machine.random() % 3 != 0) run_head(*s.second);
        return;
    }
}

static cudaError_t lost(cudaStream_t s)
{
    if (machine.driver == 0 || machine.gpus.empty()) return fail(cudaErrorNoDevice);
    return fail(machine.gpus[(size_t)s->device].lost);
}

static cudaError_t push(cudaStream_t stream, Item item)
{
    int now;

    if (stream == nullptr) fatal("work on the default stream, which waits for all others");
    if (lost(stream) != cudaSuccess) return lost(stream);
    if (cudaGetDevice(&now) != cudaSuccess || now != stream->device)
        return fail(cudaErrorInvalidResourceHandle);
    stream->queue.push_back(std::move(item));
    make_progress();
    return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, double ms, std::function<cudaError_t()> work)
{
    return push(stream, {Item::WORK, std::move(work), ms, nullptr, 0});
}

/* ---- streams ---------------------------------------------------------------------------- */

extern "C" cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    int device;

    if (current_gpu() == nullptr) return fail(cudaErrorNoDevice);
    if (current_gpu()->lost != cudaSuccess) return fail(current_gpu()->lost);
    if (flags != cudaStreamNonBlocking) fatal("a stream that waits for the default stream");
    cudaGetDevice(&device);
    *stream = new CUstream_st{device, next_number, {}};
    streams[next_number++] = *stream;
    return cudaSuccess;
}

extern "C" cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    drain(*stream, nullptr, 0);
    streams.erase(stream->number);
    delete stream;
    return cudaSuccess;
}

extern "C" cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    drain(*stream, nullptr, 0);
    return lost(stream);
}

extern "C" cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (lost(stream) != cudaSuccess) return lost(stream);
    return stream->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

extern "C" cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (event->recorded == 0) return lost(stream); /* never recorded: nothing to wait for */
    return push(stream, {Item::WAIT, nullptr, 0, event, event->recorded});
}

/* ---- events ----------------------------------------------------------------------------- */

extern "C" cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (current_gpu() == nullptr) return fail(cudaErrorNoDevice);
    if (current_gpu()->lost != cudaSuccess) return fail(current_gpu()->lost);
    *event = new CUevent_st{!(flags & cudaEventDisableTiming), 0, 0, nullptr, 0};
    return cudaSuccess;
}

extern "C" cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    drain_all();
    delete event;
    return cudaSuccess;
}

extern "C" cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (lost(stream) != cudaSuccess) return lost(stream);
    event->recorded++;
    event->stream = stream;
    return push(stream, {Item::RECORD, nullptr, 0, event, event->recorded});
}

extern "C" cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (event->recorded == 0) return cudaSuccess;
    if (event->done < event->recorded) reach(event, event->recorded);
    return lost(event->stream);
}

extern "C" cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);

    if (!start->timed || !end->timed || start->recorded == 0 || end->recorded == 0)
        return fail(cudaErrorInvalidResourceHandle);
    if (start->done < start->recorded || end->done < end->recorded) return fail(cudaErrorNotReady);
    *ms = (float)(end->at_ms - start->at_ms);
    return cudaSuccess;
}

/* ---- launches --------------------------------------------------------------------------- */

extern "C" cudaError_t cudaFuncSetAttribute(const void *func, enum cudaFuncAttribute attr,
                                            int value)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    struct cudaDeviceProp prop;
    int device;

    if (current_gpu() == nullptr) return fail(cudaErrorNoDevice);
    if (current_gpu()->lost != cudaSuccess) return fail(current_gpu()->lost);
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaGetDeviceProperties(&prop, device) != cudaSuccess)
        return fail(cudaErrorInvalidDevice);
    if (attr != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        (size_t)value > prop.sharedMemPerBlockOptin)
        return fail(cudaErrorInvalidValue);
    shared_limits[func] = value;
    return cudaSuccess;
}

cudaError_t launch(const void *kernel, const char *name, dim3 grid, dim3 block, size_t shared,
                   cudaStream_t stream, std::function<void()> body)
{
    std::lock_guard<std::recursive_mutex> lock(machine_lock);
    auto limit = shared_limits.find(kernel);
    size_t most = limit != shared_limits.end() ? (size_t)limit->second : (size_t)48 << 10;
    bool lose;

    if (lost(stream) != cudaSuccess) return lost(stream);
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7FFFFFFF || grid.y > 65535 ||
        grid.z > 65535 || block.x == 0 || block.y == 0 || block.z == 0 || block.z > 64 ||
        (uint64_t)block.x * block.y * block.z > 1024)
        return fail(cudaErrorInvalidConfiguration);
    if (shared > (most > (48 << 10) ? most : (size_t)48 << 10)) return fail(cudaErrorInvalidValue);
    cudaError_t e = admit_launch(&lose);
    if (e != cudaSuccess) return e;
    return enqueue(stream, 0.005, [=]() {
        Launch l = {name, grid, block, shared, &body};
        if (lose) return machine.lose_with;
        run_blocks(l);
        return cudaSuccess;
    });
}

} // namespace emulator
