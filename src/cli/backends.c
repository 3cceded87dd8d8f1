#include "cli/backends.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "model/encoder.h"

enum {
    CPU_BATCH = 64,
    CPU_CHUNK = 32,
    GPU_BATCH = 256, /* fills an H100 with every published tower */
    GPU_CHUNK = 256
};

/* The kernel driver's file of the first GPU. */
#define NVIDIA_FILE "/dev/nvidia0"

/* Load the module; *why says what is wrong when it is not there or cannot be used. */
static ge_status load_cuda(char *why, size_t size)
{
    bool found = false;
    ge_status rc = ge_device_load("cuda", &found);

    if (rc == GE_OK && !found)
        rc = ge_fail(GE_EUNSUPPORTED,
                     "device cuda: there is no gapeval_cuda.so beside the program or in "
                     "../lib/gapeval; build with the CUDA Toolkit (nvcc), or name the module's "
                     "folder in GAPEVAL_MODULE_DIR");
    snprintf(why, size, "%s", rc == GE_OK ? "" : ge_error());
    return rc;
}

/* A GPU is there, but another device was opened: say why. */
static void explain_unused_gpu(const struct ge_device_options *opt, const char *why)
{
    struct ge_device *gpu = NULL;

    if (why[0] == '\0') {
        if (ge_device_open("cuda", opt, &gpu) == GE_OK) { /* it opens now: somebody was quicker */
            ge_device_close(&gpu);
            return;
        }
        why = ge_error();
    }
    ge_warn("a GPU is there but not used: %s", why);
}

ge_status ge_backends_open(const char *name, const struct ge_device_options *opt,
                           struct ge_device **dev)
{
    bool automatic = name == NULL || strcmp(name, "auto") == 0;
    char why[512] = "";
    ge_status rc = GE_OK;

    *dev = NULL;
    GE_TRY(ge_device_register_builtin());
    if (automatic || strcmp(name, "cuda") == 0) rc = load_cuda(why, sizeof why);
    if (rc != GE_OK && !automatic) goto done;
    rc = ge_device_open(name, opt, dev);
    if (rc == GE_OK && automatic && strcmp(ge_device_name(*dev), "cuda") != 0 &&
        ge_fs_exists(NVIDIA_FILE))
        explain_unused_gpu(opt, why);
done:
    return rc;
}

bool ge_backends_is_accelerator(struct ge_device *dev)
{
    size_t free, total;

    return ge_device_memory(dev, &free, &total);
}

size_t ge_backends_batch(struct ge_device *dev, long asked)
{
    if (asked > 0) return (size_t)asked;
    return ge_backends_is_accelerator(dev) ? GPU_BATCH : CPU_BATCH;
}

uint32_t ge_backends_chunk(struct ge_device *dev, long asked)
{
    if (asked > 0) return (uint32_t)asked;
    return ge_backends_is_accelerator(dev) ? GPU_CHUNK : CPU_CHUNK;
}

size_t ge_backends_budget(struct ge_device *dev, int sharers)
{
    size_t free, total;

    if (!ge_device_memory(dev, &free, &total)) return 0;
    return free / (size_t)(sharers > 1 ? sharers : 1);
}

ge_status ge_backends_check_memory(struct ge_encoder *const *encoders, size_t n, size_t budget)
{
    const double gib = 1 << 30;
    size_t weights = 0, passes = 0, batch = 0, fits;

    for (size_t i = 0; i < n; i++) {
        weights += ge_encoder_weight_bytes(encoders[i]);
        passes += ge_encoder_pass_bytes(encoders[i]);
        if (ge_encoder_has_image(encoders[i])) batch = ge_encoder_batch(encoders[i]);
    }
    if (budget == 0 || weights + passes <= budget) return GE_OK;
    fits = budget > weights ? (size_t)((double)batch * (double)(budget - weights) / (double)passes)
                            : 0;
    if (fits == 0) /* or texts alone, whose passes are as short as they are planned */
        return ge_fail(
            GE_ENOMEM,
            "device memory: weights take about %.2f GiB and passes beside them %.2f GiB; "
            "this process may take %.2f GiB; use a smaller type, or start fewer ranks on "
            "a node",
            (double)weights / gib, (double)passes / gib, (double)budget / gib);
    return ge_fail(
        GE_ENOMEM,
        "device memory: weights take about %.2f GiB and batches of %zu images beside them %.2f "
        "GiB; this process may take %.2f GiB; lower runtime.batch_size (--batch-size) to "
        "%zu, or start fewer ranks on a node",
        (double)weights / gib, batch, (double)passes / gib, (double)budget / gib, fits);
}
