/* The device for NVIDIA GPUs: what opening one checks and takes, its names, and the module's table.
 *
 * The table is defined here, in C: in a .cu file nvcc would give it internal linkage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nvtx3/nvToolsExt.h>

#include "algorithm.h"
#include "base/hash.h"
#include "base/mem.h"
#include "cuda_device.h"

/* Raised by whoever changes the digits of the kernels: other operations, attention. */
#define KERNELS   "kernels-2"
#define ATTENTION "flash-2"

/* Oldest generation that the kernels are built for. */
enum { OLDEST_MAJOR = 7, OLDEST_MINOR = 5 };

/* ---- open --------------------------------------------------------------------------------- */

static ge_status no_gpu(cudaError_t e)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");

    if (e != cudaSuccess && e != cudaErrorNoDevice)
        return ge_fail(GE_EUNSUPPORTED, "cuda: the driver does not start: %s (%s)",
                       cudaGetErrorName(e), cudaGetErrorString(e));
    return ge_fail(GE_EUNSUPPORTED,
                   "cuda: no GPU to be seen; CUDA_VISIBLE_DEVICES is %s%s%s; under Slurm ask for "
                   "one with --gres=gpu:1 or --gpus-per-task=1",
                   visible != NULL ? "\"" : "", visible != NULL ? visible : "unset",
                   visible != NULL ? "\"" : "");
}

/* A driver that is there and new enough, and at least one GPU. */
static ge_status find_gpus(int *count)
{
    int driver = 0, runtime = 0;
    cudaError_t e;

    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    if (driver == 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "cuda: there is no NVIDIA driver here (libcuda.so.1 is missing, or its "
                       "kernel module is not loaded); in a container, start it with GPU access");
    e = cudaGetDeviceCount(count);
    (void)cudaGetLastError(); /* a later open must not find it */
    if (e == cudaErrorInsufficientDriver || driver / 1000 < runtime / 1000)
        return ge_fail(GE_EUNSUPPORTED,
                       "cuda: the driver is for CUDA %d.%d, this module was built with CUDA %d.%d; "
                       "install a newer driver, or build the module with an older CUDA Toolkit",
                       driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    if (e != cudaSuccess || *count == 0) return no_gpu(e);
    return GE_OK;
}

/* The caller's GPU: the runtime numbers those that CUDA_VISIBLE_DEVICES leaves. */
static ge_status choose_gpu(struct ge_cuda_device *dev, const struct ge_device_options *opt)
{
    struct cudaDeviceProp prop;
    ge_status rc = GE_OK;
    int count = 0;

    GE_TRY(find_gpus(&count));
    dev->index = (opt->index < 0 ? 0 : opt->index) % count;
    GE_CUDA(dev, cudaGetDeviceProperties(&prop, dev->index), "ask for the GPU's properties");
    snprintf(dev->gpu, sizeof dev->gpu, "%.255s", prop.name);
    dev->major = prop.major;
    dev->minor = prop.minor;
    GE_CUDA(dev, cudaDeviceGetPCIBusId(dev->head.pci, sizeof dev->head.pci, dev->index),
            "ask for the GPU's address");
    /* Here at the latest a GPU that another process has for itself is refused. */
    GE_CUDA(dev, cudaSetDevice(dev->index), "select the GPU");
    if (10 * dev->major + dev->minor < 10 * OLDEST_MAJOR + OLDEST_MINOR) {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "cuda: GPU %d (%s) has compute capability %d.%d; the kernels need %d.%d",
                     dev->index, dev->gpu, dev->major, dev->minor, OLDEST_MAJOR, OLDEST_MINOR);
        goto done;
    }
    if (opt->dtype == GE_BF16 && dev->major < 8)
        rc = ge_fail(GE_EUNSUPPORTED,
                     "cuda: GPU %d (%s, compute capability %d.%d) has no bf16, which came with "
                     "8.0; use fp16 or fp32",
                     dev->index, dev->gpu, dev->major, dev->minor);
done:
    return rc;
}

static bool cuda_supports(const struct ge_device *head, enum ge_dtype dtype)
{
    const struct ge_cuda_device *dev = (const struct ge_cuda_device *)head;

    return dtype == GE_F32 || dtype == GE_F16 || (dtype == GE_BF16 && dev->major >= 8);
}

/* A GPU's name has spaces; the id is a list of words. */
static void without_spaces(char *s)
{
    for (; *s != '\0'; s++)
        if (*s == ' ') *s = '-';
}

static void name_device(struct ge_cuda_device *dev, const struct ge_device_options *opt)
{
    size_t lt = cublasLtGetVersion();
    char gpu[64], tuned[8 + GE_HASH_HEX] = "", hex[GE_HASH_HEX];

    snprintf(gpu, sizeof gpu, "%.63s", dev->gpu);
    without_spaces(gpu);
    if (opt->tuned != NULL) {
        ge_hash_hex(ge_hash_bytes(opt->tuned, strlen(opt->tuned)), hex);
        snprintf(tuned, sizeof tuned, " tuned-%s", hex);
    }
    snprintf(dev->head.numerics, sizeof dev->head.numerics,
             "cuda %s sm_%d%d %s%s cublaslt-%zu rows-%d nvcc-%d %s %s%s", gpu, dev->major,
             dev->minor, ge_dtype_name(opt->dtype), dev->tf32 ? "-tf32" : "", lt,
             GE_CUDA_CANONICAL_ROWS, CUDART_VERSION, ATTENTION, KERNELS, tuned);
    snprintf(dev->head.description, sizeof dev->head.description,
             "%.100s (GPU %d, %s), compute capability %d.%d, CUDA %d.%d, cuBLASLt %zu", dev->gpu,
             dev->index, dev->head.pci, dev->major, dev->minor, CUDART_VERSION / 1000,
             CUDART_VERSION % 1000 / 10, lt);
}

static void cuda_close(struct ge_device *head)
{
    struct ge_cuda_device *dev = (struct ge_cuda_device *)head;

    (void)cudaSetDevice(dev->index);
    ge_cuda_products_close(dev);
    ge_cuda_memory_close(dev);
    free(dev);
}

static ge_status cuda_open(const struct ge_device_options *opt, struct ge_device **out)
{
    struct ge_cuda_device *dev = NULL;
    ge_status rc = GE_OK;

    if (strcmp(opt->level, "native") != 0)
        return ge_fail(GE_EINVAL, "cuda: there is no level \"%s\" on a GPU; use native",
                       opt->level);
    GE_NEW(dev, 1);
    dev->head.ops = ge_device_module();
    dev->head.threads = opt->threads;
    dev->tf32 = opt->tf32 && opt->dtype == GE_F32;
    GE_TRY(choose_gpu(dev, opt));
    GE_TRY(ge_cuda_memory_open(dev));
    GE_CUDA(dev, ge_cuda_tensor_setup(), "set up attention");
    GE_CUDA(dev, ge_cuda_plain_setup(), "set up attention");
    GE_TRY(ge_cuda_products_open(dev, opt->tuned));
    name_device(dev, opt);
    *out = &dev->head;
    dev = NULL;
done:
    if (dev != NULL) cuda_close(&dev->head);
    return rc;
}

static void cuda_memory(struct ge_device *head, size_t *free, size_t *total)
{
    *free = *total = 0;
    (void)cudaSetDevice(((struct ge_cuda_device *)head)->index);
    if (cudaMemGetInfo(free, total) != cudaSuccess) (void)cudaGetLastError();
}

/* ---- ranges for profilers ----------------------------------------------------------------- */

static void cuda_range_push(struct ge_device *dev, const char *name)
{
    (void)dev;
    (void)nvtxRangePushA(name);
}

static void cuda_range_pop(struct ge_device *dev)
{
    (void)dev;
    (void)nvtxRangePop();
}

/* The one symbol that a module shows. */
__attribute__((visibility("default"))) const struct ge_device_ops *ge_device_module(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "cuda",
        .priority = 30,
        .open = cuda_open,
        .close = cuda_close,
        .supports = cuda_supports,
        .bench_gemm = ge_cuda_bench_gemm,
        .tune = ge_cuda_tune,
        .memory = cuda_memory,
        .range_push = cuda_range_push,
        .range_pop = cuda_range_pop,
        .alloc = ge_cuda_alloc,
        .free = ge_cuda_free,
        .upload = ge_cuda_upload,
        .download = ge_cuda_download,
        .synchronize = ge_cuda_synchronize,
        .prepare_weight = ge_cuda_prepare_weight,
        .free_weight = ge_cuda_free_weight,
        .host_new = ge_cuda_host_new,
        .host_delete = ge_cuda_host_delete,
        .stage_new = ge_cuda_stage_new,
        .stage_delete = ge_cuda_stage_delete,
        .stage_send = ge_cuda_stage_send,
        .stage_acquire = ge_cuda_stage_acquire,
        .stage_release = ge_cuda_stage_release,
        .stage_wait = ge_cuda_stage_wait,
        .fetch_new = ge_cuda_fetch_new,
        .fetch_delete = ge_cuda_fetch_delete,
        .fetch_begin = ge_cuda_fetch_begin,
        .fetch_wait = ge_cuda_fetch_wait,
        .patches = ge_cuda_patches,
        .pixel_patches = ge_cuda_pixel_patches,
        .patch_tokens = ge_cuda_patch_tokens,
        .embed = ge_cuda_embed,
        .matmul = ge_cuda_matmul,
        .layernorm = ge_cuda_layernorm,
        .attend = ge_cuda_attend,
        .activate = ge_cuda_activate,
        .add = ge_cuda_add,
        .mul = ge_cuda_mul,
        .gather = ge_cuda_gather,
        .pool = ge_cuda_pool,
        .l2_normalize = ge_cuda_l2_normalize,
        .copy = ge_cuda_copy,
    };
    return &ops;
}
