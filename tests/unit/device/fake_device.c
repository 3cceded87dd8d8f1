#include "fake_device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_TENSORS = 7 };

enum kind {
    UPLOAD,
    PATCHES,
    PIXEL_PATCHES,
    PATCH_TOKENS,
    EMBED,
    MATMUL,
    LAYERNORM,
    ATTEND,
    ACTIVATE,
    ADD,
    MUL,
    GATHER,
    POOL,
    L2_NORMALIZE,
    COPY
};

/* One queued call with copies of its arguments. */
struct job {
    struct job *next;
    enum kind kind;
    struct ge_tensor t[MAX_TENSORS];
    bool has[MAX_TENSORS];
    void *src; /* UPLOAD: a copy; freed with the job */
    size_t size[5];
    float eps;
    int choice; /* activation or pooling */
    const struct ge_weight *w;
    struct ge_attention attention;
};

struct fake_device {
    struct ge_device head;
    struct ge_device *inner; /* computes; its memory stands for the device's */
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first, *last;
    bool flush, idle, stop;
    bool losing; /* from now on everything fails */
    ge_status failed;
};

struct fake_buffer {
    struct ge_buffer head;
    struct ge_buffer *inner;
};

struct fake_weight {
    struct ge_weight head;
    struct ge_weight *inner;
};

static int fail_at, lose_at;

void fake_device_fail_at(int n)
{
    fail_at = n;
}

void fake_device_lose_at(int n)
{
    lose_at = n;
}

/* ---- the worker --------------------------------------------------------------------------- */

static struct ge_tensor inner_tensor(struct ge_tensor t)
{
    if (t.buf != NULL) t.buf = ((struct fake_buffer *)t.buf)->inner;
    return t;
}

static ge_status run_attend(const struct ge_device_ops *ops, struct ge_device *dev,
                            struct ge_attention a)
{
    a.q = inner_tensor(a.q);
    a.k = inner_tensor(a.k);
    a.v = inner_tensor(a.v);
    a.out = inner_tensor(a.out);
    a.q_ends = inner_tensor(a.q_ends);
    a.kv_ends = inner_tensor(a.kv_ends);
    a.bias = inner_tensor(a.bias);
    return ops->attend(dev, &a);
}

static ge_status run_matmul(const struct ge_device_ops *ops, struct ge_device *dev,
                            const struct job *j, const struct ge_tensor *t)
{
    struct ge_matmul m = {t[0], ((const struct fake_weight *)j->w)->inner,
                          (enum ge_activation)j->choice, t[1], t[2]};

    return ops->matmul(dev, &m);
}

static ge_status run_job(struct fake_device *f, const struct job *j)
{
    const struct ge_device_ops *ops = f->inner->ops;
    struct ge_device *dev = f->inner;
    struct ge_tensor t[MAX_TENSORS];
    const struct ge_tensor *p[MAX_TENSORS];

    for (int i = 0; i < MAX_TENSORS; i++) {
        t[i] = inner_tensor(j->t[i]);
        p[i] = j->has[i] ? &t[i] : NULL;
    }
    switch (j->kind) {
    case UPLOAD:
        return ops->upload(t[0].buf, j->size[0], j->src, j->size[1]);
    case PATCHES:
        return ops->patches(dev, p[0], j->size[0], j->size[1], j->size[2], j->size[3], p[1]);
    case PIXEL_PATCHES:
        return ops->pixel_patches(dev, p[0], p[1], j->size[0], j->size[1], j->size[2], p[2]);
    case PATCH_TOKENS:
        return ops->patch_tokens(dev, p[0], p[1], p[2], p[3]);
    case EMBED:
        return ops->embed(dev, p[0], p[1], p[2], p[3], p[4], p[5]);
    case MATMUL:
        return run_matmul(ops, dev, j, t);
    case LAYERNORM:
        return ops->layernorm(dev, p[0], p[1], p[2], j->eps, p[3]);
    case ATTEND:
        return run_attend(ops, dev, j->attention);
    case ACTIVATE:
        return ops->activate(dev, (enum ge_activation)j->choice, p[0], p[1]);
    case ADD:
        return ops->add(dev, p[0], p[1], p[2]);
    case MUL:
        return ops->mul(dev, p[0], p[1], p[2]);
    case GATHER:
        return ops->gather(dev, p[0], p[1], p[2]);
    case POOL:
        return ops->pool(dev, (enum ge_pooling)j->choice, p[0], p[1], p[2], p[3]);
    case L2_NORMALIZE:
        return ops->l2_normalize(dev, p[0], j->eps, p[1]);
    case COPY:
        return ops->copy(dev, p[0], p[1]);
    }
    return GE_EINTERNAL;
}

static void *work(void *arg)
{
    struct fake_device *f = arg;

    pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        struct job *j = f->flush ? f->first : NULL;
        if (j == NULL) {
            f->flush = false;
            f->idle = true;
            pthread_cond_broadcast(&f->changed);
            pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        f->first = j->next;
        if (f->first == NULL) f->last = NULL;
        pthread_mutex_unlock(&f->lock);
        ge_status rc = run_job(f, j);
        free(j->src);
        free(j);
        pthread_mutex_lock(&f->lock);
        if (rc != GE_OK && f->failed == GE_OK) f->failed = rc;
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static ge_status fake_synchronize(struct ge_device *dev)
{
    struct fake_device *f = (struct fake_device *)dev;
    ge_status failed;

    pthread_mutex_lock(&f->lock);
    f->flush = true;
    f->idle = false;
    pthread_cond_broadcast(&f->changed);
    while (!f->idle) pthread_cond_wait(&f->changed, &f->lock);
    failed = f->failed;
    f->head.lost = f->losing;
    if (!f->losing) f->failed = GE_OK;
    pthread_mutex_unlock(&f->lock);
    return failed == GE_OK ? GE_OK : ge_fail(failed, "fake: a queued operation failed");
}

static ge_status push(struct ge_device *dev, struct job job)
{
    struct fake_device *f = (struct fake_device *)dev;
    struct job *j = ge_calloc(1, sizeof *j);

    if (j == NULL) return GE_ENOMEM;
    *j = job;
    pthread_mutex_lock(&f->lock);
    if (fail_at > 0 && --fail_at == 0 && f->failed == GE_OK) f->failed = GE_EDEVICE;
    if (lose_at > 0 && --lose_at == 0) {
        f->losing = true;
        f->failed = GE_EDEVICE;
    }
    if (f->last != NULL)
        f->last->next = j;
    else
        f->first = j;
    f->last = j;
    pthread_mutex_unlock(&f->lock);
    return GE_OK;
}

/* ---- device and memory -------------------------------------------------------------------- */

static void fake_close(struct ge_device *dev)
{
    struct fake_device *f = (struct fake_device *)dev;

    fake_synchronize(dev);
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->worker, NULL);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    ge_device_close(&f->inner);
    free(f);
}

static ge_status fake_open(const struct ge_device_options *opt, struct ge_device **dev)
{
    struct fake_device *f = ge_calloc(1, sizeof *f);
    ge_status rc = GE_OK;

    if (f == NULL) return GE_ENOMEM;
    f->head.ops = fake_device_ops();
    f->head.threads = opt->threads;
    strcpy(f->head.description, "fake device");
    GE_TRY(ge_cpu_ops()->open(opt, &f->inner));
    snprintf(f->head.numerics, sizeof f->head.numerics, "fake %s", ge_dtype_name(opt->dtype));
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    if (pthread_create(&f->worker, NULL, work, f) != 0) {
        rc = ge_fail(GE_EIO, "fake: no thread");
        goto done;
    }
    *dev = &f->head;
    f = NULL;
done:
    if (f != NULL) ge_device_close(&f->inner);
    free(f);
    return rc;
}

static bool fake_supports(const struct ge_device *dev, enum ge_dtype dtype)
{
    return ge_device_supports(((const struct fake_device *)dev)->inner, dtype);
}

static ge_status fake_alloc(struct ge_device *dev, size_t bytes, struct ge_buffer **buf)
{
    struct fake_device *f = (struct fake_device *)dev;
    struct fake_buffer *b = ge_calloc(1, sizeof *b);
    ge_status rc;

    if (b == NULL) return GE_ENOMEM;
    b->head = (struct ge_buffer){dev, bytes};
    rc = f->inner->ops->alloc(f->inner, bytes, &b->inner);
    if (rc != GE_OK) {
        free(b);
        return rc;
    }
    *buf = &b->head;
    return GE_OK;
}

static void fake_free(struct ge_buffer *buf)
{
    struct fake_buffer *b = (struct fake_buffer *)buf;

    fake_synchronize(buf->dev);
    ge_buffer_delete(&b->inner);
    free(b);
}

static ge_status fake_upload(struct ge_buffer *dst, size_t offset, const void *src, size_t bytes)
{
    void *copy = ge_calloc(bytes, 1);
    ge_status rc;

    if (copy == NULL) return GE_ENOMEM;
    memcpy(copy, src, bytes);
    rc = push(dst->dev, (struct job){.kind = UPLOAD,
                                     .t = {ge_tensor_at(dst, 0, 0, 0, GE_F32)},
                                     .has = {true},
                                     .src = copy,
                                     .size = {offset, bytes}});
    if (rc != GE_OK) free(copy);
    return rc;
}

static ge_status fake_download(const struct ge_buffer *src, size_t offset, void *dst, size_t bytes)
{
    const struct fake_buffer *b = (const struct fake_buffer *)src;
    ge_status rc = fake_synchronize(src->dev);

    return rc == GE_OK ? b->inner->dev->ops->download(b->inner, offset, dst, bytes) : rc;
}

static ge_status fake_prepare_weight(struct ge_device *dev, const float *w, const float *bias,
                                     size_t n, size_t k, enum ge_dtype dtype,
                                     struct ge_weight **out)
{
    struct fake_device *f = (struct fake_device *)dev;
    struct fake_weight *weight = ge_calloc(1, sizeof *weight);
    ge_status rc;

    if (weight == NULL) return GE_ENOMEM;
    weight->head = (struct ge_weight){dev, n, k, dtype};
    rc = f->inner->ops->prepare_weight(f->inner, w, bias, n, k, dtype, &weight->inner);
    if (rc != GE_OK) {
        free(weight);
        return rc;
    }
    *out = &weight->head;
    return GE_OK;
}

static void fake_free_weight(struct ge_weight *w)
{
    fake_synchronize(w->dev);
    ge_weight_delete(&((struct fake_weight *)w)->inner);
    free(w);
}

/* ---- queued operations -------------------------------------------------------------------- */

static struct job job_of(enum kind kind, const struct ge_tensor *const t[], int n)
{
    struct job j = {.kind = kind};

    for (int i = 0; i < n; i++) {
        if (t[i] == NULL) continue;
        j.t[i] = *t[i];
        j.has[i] = true;
    }
    return j;
}
#define JOB(kind, n, ...) job_of(kind, (const struct ge_tensor *const[]){__VA_ARGS__}, n)

static ge_status fake_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                              size_t channels, size_t height, size_t width, size_t patch,
                              const struct ge_tensor *out)
{
    struct job j = JOB(PATCHES, 2, pixels, out);

    j.size[0] = channels;
    j.size[1] = height;
    j.size[2] = width;
    j.size[3] = patch;
    return push(dev, j);
}

static ge_status fake_pixel_patches(struct ge_device *dev, const struct ge_tensor *pixels,
                                    const struct ge_tensor *table, size_t height, size_t width,
                                    size_t patch, const struct ge_tensor *out)
{
    struct job j = JOB(PIXEL_PATCHES, 3, pixels, table, out);

    j.size[0] = height;
    j.size[1] = width;
    j.size[2] = patch;
    return push(dev, j);
}

static ge_status fake_patch_tokens(struct ge_device *dev, const struct ge_tensor *patches,
                                   const struct ge_tensor *prefix,
                                   const struct ge_tensor *positions, const struct ge_tensor *out)
{
    return push(dev, JOB(PATCH_TOKENS, 4, patches, prefix, positions, out));
}

static ge_status fake_embed(struct ge_device *dev, const struct ge_tensor *ids,
                            const struct ge_tensor *pos, const struct ge_tensor *table,
                            const struct ge_tensor *shared, const struct ge_tensor *positions,
                            const struct ge_tensor *out)
{
    return push(dev, JOB(EMBED, 6, ids, pos, table, shared, positions, out));
}

static ge_status fake_matmul(struct ge_device *dev, const struct ge_matmul *m)
{
    struct job j = JOB(MATMUL, 3, &m->x, &m->residual, &m->y);

    j.w = m->w;
    j.choice = (int)m->act;
    return push(dev, j);
}

static ge_status fake_layernorm(struct ge_device *dev, const struct ge_tensor *x,
                                const struct ge_tensor *gain, const struct ge_tensor *bias,
                                float eps, const struct ge_tensor *y)
{
    struct job j = JOB(LAYERNORM, 4, x, gain, bias, y);

    j.eps = eps;
    return push(dev, j);
}

static ge_status fake_attend(struct ge_device *dev, const struct ge_attention *a)
{
    return push(dev, (struct job){.kind = ATTEND, .attention = *a});
}

static ge_status fake_activate(struct ge_device *dev, enum ge_activation act,
                               const struct ge_tensor *x, const struct ge_tensor *y)
{
    struct job j = JOB(ACTIVATE, 2, x, y);

    j.choice = (int)act;
    return push(dev, j);
}

static ge_status fake_add(struct ge_device *dev, const struct ge_tensor *a,
                          const struct ge_tensor *b, const struct ge_tensor *y)
{
    return push(dev, JOB(ADD, 3, a, b, y));
}

static ge_status fake_mul(struct ge_device *dev, const struct ge_tensor *a,
                          const struct ge_tensor *b, const struct ge_tensor *y)
{
    return push(dev, JOB(MUL, 3, a, b, y));
}

static ge_status fake_gather(struct ge_device *dev, const struct ge_tensor *x,
                             const struct ge_tensor *rows, const struct ge_tensor *out)
{
    return push(dev, JOB(GATHER, 3, x, rows, out));
}

static ge_status fake_pool(struct ge_device *dev, enum ge_pooling mode, const struct ge_tensor *x,
                           const struct ge_tensor *ends, const struct ge_tensor *skip,
                           const struct ge_tensor *out)
{
    struct job j = JOB(POOL, 4, x, ends, skip, out);

    j.choice = (int)mode;
    return push(dev, j);
}

static ge_status fake_l2_normalize(struct ge_device *dev, const struct ge_tensor *x, float eps,
                                   const struct ge_tensor *y)
{
    struct job j = JOB(L2_NORMALIZE, 2, x, y);

    j.eps = eps;
    return push(dev, j);
}

static ge_status fake_copy(struct ge_device *dev, const struct ge_tensor *x,
                           const struct ge_tensor *y)
{
    return push(dev, JOB(COPY, 2, x, y));
}

const struct ge_device_ops *fake_device_ops(void)
{
    static const struct ge_device_ops ops = {
        .abi = GE_DEVICE_ABI,
        .name = "fake",
        .priority = -1,
        .open = fake_open,
        .close = fake_close,
        .supports = fake_supports,
        .alloc = fake_alloc,
        .free = fake_free,
        .upload = fake_upload,
        .download = fake_download,
        .synchronize = fake_synchronize,
        .prepare_weight = fake_prepare_weight,
        .free_weight = fake_free_weight,
        .patches = fake_patches,
        .pixel_patches = fake_pixel_patches,
        .patch_tokens = fake_patch_tokens,
        .embed = fake_embed,
        .matmul = fake_matmul,
        .layernorm = fake_layernorm,
        .attend = fake_attend,
        .activate = fake_activate,
        .add = fake_add,
        .mul = fake_mul,
        .gather = fake_gather,
        .pool = fake_pool,
        .l2_normalize = fake_l2_normalize,
        .copy = fake_copy,
    };
    return &ops;
}
