/* The reference device: plain C on host memory. Here: the device itself and its memory; matmul.c has
 * the matrix product, cpu_ops.c the other operations, kernels.c the inner loops.
 *
 * In bf16 and fp16 the operands are numbers of that type, all arithmetic is the fp32 path's, and
 * each operation's result is rounded once, to nearest even. What an operation has inside (sums,
 * scores and weights of attention) is never rounded to the type.
 *
 * Work is split over threads so that every element is computed whole by one task, in an order of
 * additions that depends on nothing but the shapes k and head_dim: digits do not depend on the
 * number of rows, a row's place, the threads or the instruction-set level. */
#include "device/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- device ------------------------------------------------------------------------------- */

ge_status ge_cpu_init(struct ge_cpu_device *cpu, const struct ge_device_options *opt,
                      const struct ge_kernels *kernels)
{
    ge_status rc = GE_OK;

    cpu->head.threads = opt->threads;
    cpu->kernels = kernels;
    GE_TRY(ge_pool_new(opt->threads, &cpu->pool));
    GE_NEW(cpu->scratch, (size_t)opt->threads);
done:
    return rc;
}

void ge_cpu_fini(struct ge_cpu_device *cpu)
{
    ge_pool_delete(&cpu->pool);
    for (int i = 0; cpu->scratch != NULL && i < cpu->head.threads; i++) free(cpu->scratch[i]);
    free(cpu->scratch);
    cpu->scratch = NULL;
}

ge_status ge_cpu_reserve(struct ge_cpu_device *cpu, size_t floats)
{
    ge_status rc = GE_OK;

    if (floats <= cpu->scratch_floats) return GE_OK;
    cpu->scratch_floats = 0;
    for (int i = 0; i < cpu->head.threads; i++) {
        free(cpu->scratch[i]);
        cpu->scratch[i] = NULL;
    }
    for (int i = 0; i < cpu->head.threads; i++)
        GE_TRY_PTR(cpu->scratch[i], ge_calloc_aligned(floats, sizeof(float)));
    cpu->scratch_floats = floats;
done:
    return rc;
}

ge_status ge_cpu_open(const struct ge_device_ops *ops, const struct ge_device_options *opt,
                      const struct ge_kernels *kernels, const char *what, struct ge_device **dev)
{
    struct ge_cpu_device *cpu = NULL;
    ge_status rc = GE_OK;

    GE_NEW(cpu, 1);
    cpu->head.ops = ops;
    GE_TRY(ge_cpu_init(cpu, opt, kernels));
    /* The level is not in the id: all levels of a table give the same bits (kernels.h). */
    snprintf(cpu->head.numerics, sizeof cpu->head.numerics, "%s %s kernels-1", ops->name,
             ge_dtype_name(opt->dtype));
    snprintf(cpu->head.description, sizeof cpu->head.description, "%s, %s, %d thread%s", what,
             kernels->level, opt->threads, opt->threads == 1 ? "" : "s");
    *dev = &cpu->head;
    cpu = NULL;
done:
    if (cpu != NULL) ge_cpu_close(&cpu->head);
    return rc;
}

void ge_cpu_close(struct ge_device *dev)
{
    ge_cpu_fini((struct ge_cpu_device *)dev);
    free(dev);
}

bool ge_cpu_supports(const struct ge_device *dev, enum ge_dtype dtype)
{
    (void)dev;
    return dtype == GE_F32 || dtype == GE_BF16 || dtype == GE_F16;
}

/* ---- memory ------------------------------------------------------------------------------- */

ge_status ge_cpu_alloc(struct ge_device *dev, size_t bytes, struct ge_buffer **buf)
{
    struct ge_cpu_buffer *b = NULL;
    ge_status rc = GE_OK;

    GE_NEW(b, 1);
    b->head = (struct ge_buffer){dev, bytes};
    GE_TRY_PTR(b->data, ge_calloc_aligned(bytes, 1));
    *buf = &b->head;
    b = NULL;
done:
    free(b);
    return rc;
}

void ge_cpu_free(struct ge_buffer *buf)
{
    free(((struct ge_cpu_buffer *)buf)->data);
    free(buf);
}

ge_status ge_cpu_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes)
{
    memcpy(((struct ge_cpu_buffer *)dst)->data + offset, src, bytes);
    return GE_OK;
}

ge_status ge_cpu_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes)
{
    if (bytes > 0) memcpy(dst, ((const struct ge_cpu_buffer *)src)->data + offset, bytes);
    return GE_OK;
}

ge_status ge_cpu_synchronize(struct ge_device *dev)
{
    (void)dev;
    return GE_OK;
}

static ge_status cpu_open(const struct ge_device_options *opt, struct ge_device **dev)
{
    const struct ge_kernels *kernels;
    ge_status rc = ge_kernels_find("cpu", opt->level, &kernels);

    return rc == GE_OK ? ge_cpu_open(ge_cpu_ops(), opt, kernels, "plain C", dev) : rc;
}

const struct ge_device_ops *ge_cpu_ops(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "cpu",
        .priority = 0,
        .open = cpu_open,
        GE_CPU_DEVICE_OPS,
        GE_CPU_SHARED_OPS,
    };
    return &ops;
}
