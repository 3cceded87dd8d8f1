/* Known backends, opening by name, and modules that are found at run time. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "device/device_ops.h"

enum { MAX_BACKENDS = 8 };

/* Written while the program starts, before threads exist. */
static const struct ge_device_ops *backends[MAX_BACKENDS];
static size_t n_backends;

ge_status ge_device_register(const struct ge_device_ops *ops)
{
    size_t at = 0;

    if (ops->abi != GE_DEVICE_ABI)
        return ge_fail(GE_EUNSUPPORTED,
                       "device module: built for version %u of the device interface, this program "
                       "has %u; install the module that came with this program",
                       ops->abi, GE_DEVICE_ABI);
    for (size_t i = 0; i < n_backends; i++) {
        if (strcmp(backends[i]->name, ops->name) == 0) {
            backends[i] = ops;
            return GE_OK;
        }
    }
    if (n_backends == MAX_BACKENDS)
        return ge_fail(GE_ELIMIT, "device %s: already %d devices known", ops->name, MAX_BACKENDS);
    while (at < n_backends && backends[at]->priority >= ops->priority) at++;
    memmove(&backends[at + 1], &backends[at], (n_backends - at) * sizeof backends[0]);
    backends[at] = ops;
    n_backends++;
    return GE_OK;
}

ge_status ge_device_register_builtin(void)
{
    ge_status rc = ge_device_register(ge_cpu_ops());

    if (rc == GE_OK) rc = ge_device_register(ge_simd_ops());
    if (rc == GE_OK && ge_onednn_ops() != NULL) rc = ge_device_register(ge_onednn_ops());
    return rc;
}

const char *ge_device_name_at(size_t i)
{
    return i < n_backends ? backends[i]->name : NULL;
}

/* ---- modules ------------------------------------------------------------------------------ */

static ge_status register_module(const char *path)
{
    typedef const struct ge_device_ops *module_fn(void);
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    module_fn *entry = NULL;

    if (lib == NULL)
        return ge_fail(GE_EUNSUPPORTED,
                       "device module %s cannot be loaded: %s; if a library is missing, install it "
                       "(cuda: cuBLAS of the CUDA Toolkit) or add its folder to LD_LIBRARY_PATH",
                       path, dlerror());
    void *symbol = dlsym(lib, "ge_device_module");
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function pointer */
    if (entry == NULL || entry() == NULL) {
        dlclose(lib);
        return ge_fail(GE_EUNSUPPORTED, "device module %s offers no ge_device_module()", path);
    }
    ge_status rc = ge_device_register(entry());
    if (rc != GE_OK) {
        dlclose(lib);
        return ge_fail_in(rc, "%s", path);
    }
    return GE_OK; /* the table lives in the module, which stays loaded */
}

/* Path of the module in folder `dir` (heap string), or NULL if it is not there. */
static char *module_in(const char *dir, const char *below, const char *name)
{
    char *path = ge_sprintf("%s%s/gapeval_%s.so", dir, below, name);

    if (path != NULL && !ge_fs_exists(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

ge_status ge_device_load(const char *name, bool *found)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    const char *dir = getenv("GAPEVAL_MODULE_DIR");
    char *path = NULL;
    ge_status rc = GE_OK;

    *found = false;
    if (dir != NULL) {
        path = module_in(dir, "", name);
    } else if (len > 0) {
        exe[len] = '\0';
        *strrchr(exe, '/') = '\0';
        path = module_in(exe, "", name);
        if (path == NULL) path = module_in(exe, "/../lib/gapeval", name);
    }
    if (path == NULL) return GE_OK;
    GE_TRY(register_module(path));
    *found = true;
done:
    free(path);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------ */

static ge_status unknown_device(const char *name)
{
    struct ge_buf known;
    ge_status rc;

    ge_buf_init(&known, 256);
    for (size_t i = 0; i < n_backends; i++)
        ge_buf_printf(&known, "%s%s", i > 0 ? ", " : "", backends[i]->name);
    rc = ge_fail(GE_EINVAL, "device: \"%s\" is not available; this program has: auto, %s", name,
                 known.len > 0 ? known.data : "(none)");
    ge_buf_free(&known);
    return rc;
}

/* Open one backend, which must compute in the type that is asked for. */
static ge_status open_backend(const struct ge_device_ops *ops, const struct ge_device_options *opt,
                              struct ge_device **dev)
{
    ge_status rc = ops->open(opt, dev);

    if (rc != GE_OK || ops->supports(*dev, opt->dtype)) return rc;
    rc = ge_fail(GE_EUNSUPPORTED, "device %s (%s) does not compute in %s", ops->name,
                 ge_device_describe(*dev), ge_dtype_name(opt->dtype));
    ge_device_close(dev);
    return rc;
}

ge_status ge_device_open(const char *name, const struct ge_device_options *opt,
                         struct ge_device **dev)
{
    struct ge_device_options o = {0};
    bool automatic = name == NULL || strcmp(name, "auto") == 0;
    ge_status rc = GE_EINVAL;

    *dev = NULL;
    if (opt != NULL) o = *opt;
    if (o.level == NULL) o.level = "native";
    if (o.threads == 0) o.threads = ge_cpu_count();
    if (o.threads < 1)
        return ge_fail(GE_EINVAL, "device: %d threads; use 0 (all CPUs) or more", o.threads);
    for (size_t i = 0; i < n_backends; i++) {
        if (!automatic && strcmp(backends[i]->name, name) != 0) continue;
        rc = open_backend(backends[i], &o, dev);
        if (rc == GE_OK || !automatic) return rc;
        ge_debug("device %s: %s", backends[i]->name, ge_error());
    }
    if (automatic && n_backends > 0) return rc;
    return unknown_device(automatic ? "auto" : name);
}

void ge_device_close(struct ge_device **dev)
{
    if (*dev != NULL) (*dev)->ops->close(*dev);
    *dev = NULL;
}

const char *ge_device_name(const struct ge_device *dev)
{
    return dev->ops->name;
}

int ge_device_threads(const struct ge_device *dev)
{
    return dev->threads;
}

bool ge_device_supports(const struct ge_device *dev, enum ge_dtype dtype)
{
    return dev->ops->supports(dev, dtype);
}

const char *ge_device_numerics(const struct ge_device *dev)
{
    return dev->numerics;
}

const char *ge_device_describe(const struct ge_device *dev)
{
    return dev->description;
}

const char *ge_device_pci(const struct ge_device *dev)
{
    return dev->pci;
}

bool ge_device_lost(const struct ge_device *dev)
{
    return dev->lost;
}

bool ge_device_memory(struct ge_device *dev, size_t *free, size_t *total)
{
    if (dev->ops->memory == NULL) return false;
    dev->ops->memory(dev, free, total);
    return true;
}

ge_status ge_device_bench_gemm(struct ge_device *dev, const struct ge_gemm_bench *b,
                               double *seconds)
{
    if (dev->ops->bench_gemm == NULL)
        return ge_fail(GE_EUNSUPPORTED, "device %s offers no matrix product to compare with",
                       dev->ops->name);
    if (b->m == 0 || b->n == 0 || b->k == 0 || b->repeats < 1 || b->threads < 1)
        return ge_fail(GE_EINVAL, "bench: %zux%zux%zu with %d repeats on %d threads", b->m, b->n,
                       b->k, b->repeats, b->threads);
    return dev->ops->bench_gemm(dev, b, seconds);
}

ge_status ge_device_tune(struct ge_device *dev, const struct ge_tune_shape *shapes, size_t n,
                         struct ge_buf *json)
{
    if (dev->ops->tune == NULL)
        return ge_fail(GE_EUNSUPPORTED, "device %s has no product algorithms to choose from",
                       dev->ops->name);
    for (size_t i = 0; i < n; i++) {
        const struct ge_tune_shape *s = &shapes[i];
        if (s->m == 0 || s->n == 0 || s->k == 0 || !ge_device_supports(dev, s->dtype))
            return ge_fail(GE_EINVAL, "tuning: a product of %zux%zux%zu in %s", s->m, s->n, s->k,
                           ge_dtype_name(s->dtype));
    }
    return dev->ops->tune(dev, shapes, n, json);
}

void ge_device_range_push(struct ge_device *dev, const char *name)
{
    if (dev->ops->range_push != NULL) dev->ops->range_push(dev, name);
}

void ge_device_range_pop(struct ge_device *dev)
{
    if (dev->ops->range_pop != NULL) dev->ops->range_pop(dev);
}
