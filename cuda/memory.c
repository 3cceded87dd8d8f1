/* Memory of the device and of the host that it reads, and the copies between them.
 *
 * Two streams: operations, uploads and downloads are on `compute`, in the order of the calls; what
 * stages send is on `copies`. An event each way keeps a stage's copy behind the operations that
 * still read the stage, and operations behind the copy that they need. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cuda_device.h"

/* ---- device memory ------------------------------------------------------------------------ */

ge_status ge_cuda_malloc(struct ge_cuda_device *dev, size_t bytes, void **p)
{
    size_t free = 0, total = 0;
    cudaError_t e;

    *p = NULL;
    if (bytes == 0) return GE_OK;
    e = cudaMalloc(p, bytes);
    if (e != cudaErrorMemoryAllocation) return ge_cuda_check(dev, e, "take device memory");
    (void)cudaGetLastError(); /* it does not stick, but would be found by the next check */
    (void)cudaMemGetInfo(&free, &total);
    return ge_fail(GE_ENOMEM,
                   "cuda: GPU %d (%s): %.1f MB of device memory wanted, %.1f of %.1f MB "
                   "free; use a smaller batch or fewer ranks on this GPU",
                   dev->index, dev->gpu, (double)bytes / 1e6, (double)free / 1e6,
                   (double)total / 1e6);
}

ge_status ge_cuda_scratch(struct ge_cuda_device *dev, size_t bytes, void **p)
{
    ge_status rc = GE_OK;
    void *grown = NULL;

    if (bytes > dev->scratch_bytes) {
        void *old = dev->scratch;
        dev->scratch = NULL;
        dev->scratch_bytes = 0;
        GE_CUDA(dev, cudaFree(old), "free scratch memory"); /* waits for what still uses it */
        GE_TRY(ge_cuda_malloc(dev, bytes, &grown));
        dev->scratch = grown;
        dev->scratch_bytes = bytes;
    }
    *p = dev->scratch;
done:
    return rc;
}

ge_status ge_cuda_alloc(struct ge_device *head, size_t bytes, struct ge_buffer **buf)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct ge_cuda_buffer *b = NULL;
    ge_status rc = GE_OK;
    void *data;

    GE_TRY(ge_cuda_enter(dev));
    GE_NEW(b, 1);
    b->head = (struct ge_buffer){head, bytes};
    GE_TRY(ge_cuda_malloc(dev, bytes, &data));
    b->data = data;
    *buf = &b->head;
    b = NULL;
done:
    free(b);
    return rc;
}

void ge_cuda_free(struct ge_buffer *buf)
{
    struct ge_cuda_buffer *b = (struct ge_cuda_buffer *)buf;

    (void)cudaSetDevice(((struct ge_cuda_device *)buf->dev)->index);
    (void)cudaFree(b->data); /* waits; a lost device has been reported by who noticed */
    free(b);
}

/* ---- page-locked host memory -------------------------------------------------------------- */

/* From any thread, so the device's state is neither read nor changed. */
ge_status ge_cuda_host_new(struct ge_device *head, size_t bytes, void **p)
{
    const struct ge_cuda_device *dev = (const struct ge_cuda_device *)head;
    cudaError_t e = cudaSetDevice(dev->index);

    if (e == cudaSuccess) e = cudaHostAlloc(p, bytes > 0 ? bytes : 1, cudaHostAllocPortable);
    if (e == cudaSuccess) return GE_OK;
    (void)cudaGetLastError();
    return ge_fail(e == cudaErrorMemoryAllocation ? GE_ENOMEM : GE_EDEVICE,
                   "cuda: %.1f MB of page-locked host memory: %s (%s); see ulimit -l and the "
                   "memory limit of this job",
                   (double)bytes / 1e6, cudaGetErrorName(e), cudaGetErrorString(e));
}

void ge_cuda_host_delete(struct ge_device *head, void *p)
{
    (void)cudaSetDevice(((const struct ge_cuda_device *)head)->index);
    (void)cudaFreeHost(p);
}

/* ---- copies ------------------------------------------------------------------------------- */

ge_status ge_cuda_memory_open(struct ge_cuda_device *dev)
{
    ge_status rc = GE_OK;
    void *ring = NULL;

    GE_CUDA(dev, cudaStreamCreateWithFlags(&dev->compute, cudaStreamNonBlocking), "make a stream");
    GE_CUDA(dev, cudaStreamCreateWithFlags(&dev->copies, cudaStreamNonBlocking), "make a stream");
    for (int i = 0; i < GE_CUDA_SLOTS; i++)
        GE_CUDA(dev, cudaEventCreateWithFlags(&dev->slot_free[i], cudaEventDisableTiming),
                "make an event");
    GE_TRY(ge_cuda_host_new(&dev->head, (size_t)GE_CUDA_SLOTS * GE_CUDA_SLOT_BYTES, &ring));
    dev->ring = ring;
done:
    return rc;
}

void ge_cuda_memory_close(struct ge_cuda_device *dev)
{
    if (dev->compute != NULL) (void)cudaStreamSynchronize(dev->compute);
    if (dev->copies != NULL) (void)cudaStreamSynchronize(dev->copies);
    if (dev->scratch != NULL) (void)cudaFree(dev->scratch);
    for (int i = 0; i < GE_CUDA_SLOTS; i++)
        if (dev->slot_free[i] != NULL) (void)cudaEventDestroy(dev->slot_free[i]);
    if (dev->ring != NULL) (void)cudaFreeHost(dev->ring);
    if (dev->copies != NULL) (void)cudaStreamDestroy(dev->copies);
    if (dev->compute != NULL) (void)cudaStreamDestroy(dev->compute);
}

ge_status ge_cuda_send(struct ge_cuda_device *dev, void *dst, const void *src, size_t bytes)
{
    ge_status rc = GE_OK;

    for (size_t at = 0; at < bytes; at += GE_CUDA_SLOT_BYTES) {
        size_t n = bytes - at < GE_CUDA_SLOT_BYTES ? bytes - at : GE_CUDA_SLOT_BYTES;
        unsigned i = dev->next_slot;
        char *slot = dev->ring + (size_t)i * GE_CUDA_SLOT_BYTES;
        GE_CUDA(dev, cudaEventSynchronize(dev->slot_free[i]), "upload");
        memcpy(slot, (const char *)src + at, n);
        GE_CUDA(dev,
                cudaMemcpyAsync((char *)dst + at, slot, n, cudaMemcpyHostToDevice, dev->compute),
                "upload");
        GE_CUDA(dev, cudaEventRecord(dev->slot_free[i], dev->compute), "upload");
        dev->next_slot = (i + 1) % GE_CUDA_SLOTS;
    }
done:
    return rc;
}

ge_status ge_cuda_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)dst->dev;
    ge_status rc = ge_cuda_enter(dev);

    if (rc != GE_OK) return rc;
    return ge_cuda_send(dev, ((struct ge_cuda_buffer *)dst)->data + offset, src, bytes);
}

/* Everything queued is done, on both streams: what stages have sent has been read, too. */
static ge_status wait_for_all(struct ge_cuda_device *dev, const char *what)
{
    ge_status rc = GE_OK;

    GE_CUDA(dev, cudaStreamSynchronize(dev->compute), what);
    GE_CUDA(dev, cudaStreamSynchronize(dev->copies), what);
done:
    return rc;
}

ge_status ge_cuda_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)src->dev;
    const char *from = ((const struct ge_cuda_buffer *)src)->data;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    if (bytes > 0)
        GE_CUDA(dev,
                cudaMemcpyAsync(dst, from + offset, bytes, cudaMemcpyDeviceToHost, dev->compute),
                "download");
    GE_TRY(wait_for_all(dev, "download"));
done:
    return rc;
}

ge_status ge_cuda_synchronize(struct ge_device *head)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    ge_status rc = ge_cuda_enter(dev);

    return rc == GE_OK ? wait_for_all(dev, "synchronize") : rc;
}

/* ---- stages ------------------------------------------------------------------------------- */

struct stage {
    struct ge_stage head;
    cudaEvent_t filled;   /* on copies: what was sent has arrived */
    cudaEvent_t consumed; /* on compute: the operations before the last release are done */
};

static void stage_drop(struct stage *s)
{
    if (s->filled != NULL) (void)cudaEventDestroy(s->filled);
    if (s->consumed != NULL) (void)cudaEventDestroy(s->consumed);
    ge_buffer_delete(&s->head.buf);
    free(s);
}

ge_status ge_cuda_stage_new(struct ge_device *head, size_t bytes, struct ge_stage **stage)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct stage *s = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_NEW(s, 1);
    s->head.dev = head;
    GE_TRY(ge_buffer_new(head, bytes, &s->head.buf));
    GE_CUDA(dev, cudaEventCreateWithFlags(&s->filled, cudaEventDisableTiming), "make an event");
    GE_CUDA(dev, cudaEventCreateWithFlags(&s->consumed, cudaEventDisableTiming), "make an event");
    *stage = &s->head;
    s = NULL;
done:
    if (s != NULL) stage_drop(s);
    return rc;
}

void ge_cuda_stage_delete(struct ge_stage *stage)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)stage->dev;

    (void)cudaSetDevice(dev->index);
    (void)cudaStreamSynchronize(dev->copies);
    (void)cudaStreamSynchronize(dev->compute);
    stage_drop((struct stage *)stage);
}

ge_status ge_cuda_stage_send(struct ge_stage *stage, size_t offset, const void *src, size_t bytes)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)stage->dev;
    struct stage *s = (struct stage *)stage;
    char *dst = ((struct ge_cuda_buffer *)stage->buf)->data + offset;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_CUDA(dev, cudaStreamWaitEvent(dev->copies, s->consumed, 0), "send to a stage");
    GE_CUDA(dev, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, dev->copies),
            "send to a stage");
    GE_CUDA(dev, cudaEventRecord(s->filled, dev->copies), "send to a stage");
done:
    return rc;
}

ge_status ge_cuda_stage_acquire(struct ge_stage *stage)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)stage->dev;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_CUDA(dev, cudaStreamWaitEvent(dev->compute, ((struct stage *)stage)->filled, 0),
            "acquire a stage");
done:
    return rc;
}

ge_status ge_cuda_stage_release(struct ge_stage *stage)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)stage->dev;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_CUDA(dev, cudaEventRecord(((struct stage *)stage)->consumed, dev->compute),
            "release a stage");
done:
    return rc;
}

ge_status ge_cuda_stage_wait(struct ge_stage *stage)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)stage->dev;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_CUDA(dev, cudaEventSynchronize(((struct stage *)stage)->filled), "wait for a stage");
done:
    return rc;
}

/* ---- fetches ------------------------------------------------------------------------------ */

/* The copy is on the compute stream: what is called later may overwrite its source. */
struct fetch {
    struct ge_fetch head;
    cudaEvent_t arrived;
};

static void fetch_drop(struct fetch *f)
{
    if (f->arrived != NULL) (void)cudaEventDestroy(f->arrived);
    if (f->head.host != NULL) ge_cuda_host_delete(f->head.dev, f->head.host);
    free(f);
}

ge_status ge_cuda_fetch_new(struct ge_device *head, size_t bytes, struct ge_fetch **fetch)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;
    struct fetch *f = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_NEW(f, 1);
    f->head = (struct ge_fetch){.dev = head, .bytes = bytes};
    GE_TRY(ge_cuda_host_new(head, bytes, &f->head.host));
    GE_CUDA(dev, cudaEventCreateWithFlags(&f->arrived, cudaEventDisableTiming), "make an event");
    *fetch = &f->head;
    f = NULL;
done:
    if (f != NULL) fetch_drop(f);
    return rc;
}

void ge_cuda_fetch_delete(struct ge_fetch *fetch)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)fetch->dev;

    (void)cudaSetDevice(dev->index);
    (void)cudaEventSynchronize(((struct fetch *)fetch)->arrived);
    fetch_drop((struct fetch *)fetch);
}

ge_status ge_cuda_fetch_begin(struct ge_fetch *fetch, const struct ge_buffer *src, size_t offset,
                              size_t bytes)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)fetch->dev;
    const char *from = ((const struct ge_cuda_buffer *)src)->data;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    if (bytes > 0)
        GE_CUDA(dev,
                cudaMemcpyAsync(fetch->host, from + offset, bytes, cudaMemcpyDeviceToHost,
                                dev->compute),
                "fetch");
    GE_CUDA(dev, cudaEventRecord(((struct fetch *)fetch)->arrived, dev->compute), "fetch");
done:
    return rc;
}

ge_status ge_cuda_fetch_wait(struct ge_fetch *fetch)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)fetch->dev;
    ge_status rc = GE_OK;

    GE_TRY(ge_cuda_enter(dev));
    GE_CUDA(dev, cudaEventSynchronize(((struct fetch *)fetch)->arrived), "fetch");
done:
    return rc;
}
