/* Errors of CUDA and cuBLASLt as statuses of ours. */
#include "cuda_device.h"

static ge_status device_failed(struct ge_cuda_device *dev, cudaError_t e, const char *what)
{
    return ge_fail(GE_EDEVICE, "cuda: GPU %d (%s, %s): %s: %s (%s)%s", dev->index, dev->gpu,
                   dev->head.pci, what, cudaGetErrorName(e), cudaGetErrorString(e),
                   dev->head.lost ? "; the GPU is lost to this process" : "");
}

/* An error that sticks comes back from every call; others are gone once they have been read. */
static void look_whether_lost(struct ge_cuda_device *dev)
{
    cudaError_t now = cudaSuccess;

    (void)cudaGetLastError();
    if (dev->compute != NULL) now = cudaStreamQuery(dev->compute);
    if (now == cudaSuccess || now == cudaErrorNotReady) return;
    dev->head.lost = true;
    dev->error = now;
}

ge_status ge_cuda_check(struct ge_cuda_device *dev, cudaError_t e, const char *what)
{
    if (e == cudaSuccess) return GE_OK;
    if (e == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        return ge_fail(GE_ENOMEM, "cuda: GPU %d (%s): %s: out of memory", dev->index, dev->gpu,
                       what);
    }
    look_whether_lost(dev);
    return device_failed(dev, e, what);
}

ge_status ge_cuda_check_lt(struct ge_cuda_device *dev, cublasStatus_t s, const char *what)
{
    if (s == CUBLAS_STATUS_SUCCESS) return GE_OK;
    if (s == CUBLAS_STATUS_ALLOC_FAILED)
        return ge_fail(GE_ENOMEM, "cuda: GPU %d (%s): %s: cuBLASLt is out of memory", dev->index,
                       dev->gpu, what);
    look_whether_lost(dev);
    if (dev->head.lost) return device_failed(dev, dev->error, what);
    return ge_fail(GE_EDEVICE, "cuda: GPU %d (%s, %s): %s: %s", dev->index, dev->gpu, dev->head.pci,
                   what, cublasLtGetStatusName(s));
}

ge_status ge_cuda_enter(struct ge_cuda_device *dev)
{
    if (dev->head.lost) return device_failed(dev, dev->error, "failed earlier");
    return ge_cuda_check(dev, cudaSetDevice(dev->index), "select the GPU");
}
