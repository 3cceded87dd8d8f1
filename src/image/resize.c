#include "image/resize.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/decode.h"
#include "image/resizer.h"

/* ---- names ------------------------------------------------------------------------------- */

const char *ge_resample_name(int code)
{
    static const char *const names[] = {"nearest", "lanczos", "bilinear", "bicubic", "box"};
    return code >= 0 && code < (int)(sizeof names / sizeof names[0]) ? names[code] : NULL;
}

const char *ge_resize_mode_name(enum ge_resize_mode mode)
{
    return mode == GE_RESIZE_PIL ? "pil" : "torchvision";
}

bool ge_resize_mode_find(const char *name, enum ge_resize_mode *mode)
{
    *mode = GE_RESIZE_PIL;
    if (strcmp(name, ge_resize_mode_name(*mode)) == 0) return true;
    *mode = GE_RESIZE_TORCHVISION;
    return strcmp(name, ge_resize_mode_name(*mode)) == 0;
}

/* ---- instruction-set levels -------------------------------------------------------------- */

extern const struct ge_resize_kernels ge_resize_base;

#if defined(__x86_64__)
extern const struct ge_resize_kernels ge_resize_avx2;
extern const struct ge_resize_kernels ge_resize_avx512;

const struct ge_resize_kernels *ge_resize_kernels(int i)
{
    const struct ge_resize_kernels *runs[3];
    int n = 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        runs[n++] = &ge_resize_avx512;
    if (__builtin_cpu_supports("avx2")) runs[n++] = &ge_resize_avx2;
    runs[n++] = &ge_resize_base;
    return i >= 0 && i < n ? runs[i] : NULL;
}
#else
const struct ge_resize_kernels *ge_resize_kernels(int i)
{
    return i == 0 ? &ge_resize_base : NULL;
}
#endif

/* ---- memory ------------------------------------------------------------------------------ */

ge_status ge_room_make(struct ge_room *room, size_t n, size_t size)
{
    size_t bytes;
    ge_status rc = ge_mul(n, size, &bytes);
    if (rc != GE_OK || (room->at != NULL && bytes <= room->bytes)) return rc;
    ge_room_free(room);
    room->at = ge_calloc_aligned(bytes, 1);
    if (room->at == NULL) return GE_ENOMEM;
    room->bytes = bytes;
    return GE_OK;
}

void ge_room_free(struct ge_room *room)
{
    free(room->at);
    *room = (struct ge_room){0};
}

void ge_resizer_free(struct ge_resizer *r)
{
    ge_taps_free(&r->x_taps);
    ge_taps_free(&r->y_taps);
    ge_room_free(&r->block);
    ge_room_free(&r->middle);
    *r = (struct ge_resizer){0};
}

/* ---- getting ready ----------------------------------------------------------------------- */

static bool same_axis(const struct ge_axis *a, const struct ge_axis *b)
{
    return a->in == b->in && a->out == b->out && a->from == b->from && a->n == b->n &&
           a->even_pairs == b->even_pairs && a->filter == b->filter && a->mode == b->mode;
}

/* Weights of one axis, unless they are those of the picture before. */
static ge_status make_taps(const struct ge_axis *axis, struct ge_axis *made, struct ge_taps *t)
{
    if (t->tap != NULL && same_axis(axis, made)) return GE_OK;
    ge_taps_free(t);
    *made = *axis;
    ge_status rc = ge_taps_new(axis, t);
    if (rc != GE_OK) ge_taps_free(t);
    return rc;
}

static bool vertical_first(const struct ge_resizer *r)
{
    int64_t less_h = (int64_t)r->height - r->to.height, less_w = (int64_t)r->width - r->to.width;
    if (!r->across || !r->down || r->to.mode == GE_RESIZE_TORCHVISION) return false;
    if (r->to.pillow == GE_PILLOW_12) return less_h > 0 && r->height > 100 * (int64_t)r->width;
    return less_h > 0 && less_h > 2 * less_w;
}

bool ge_resizer_streams(const struct ge_resizer *r)
{
    return r->to.filter != GE_RESAMPLE_NEAREST && !vertical_first(r);
}

/* Weights, what they reach, and room for both passes. */
static ge_status begin_passes(struct ge_resizer *r)
{
    ge_status rc = GE_OK;
    const struct ge_axis x = {.in = r->width,
                              .out = r->to.width,
                              .from = r->part.left,
                              .n = r->part.width,
                              .even_pairs = true,
                              .filter = r->to.filter,
                              .mode = r->to.mode};
    const struct ge_axis y = {.in = r->height,
                              .out = r->to.height,
                              .from = r->part.top,
                              .n = r->part.height,
                              .filter = r->to.filter,
                              .mode = r->to.mode};
    if (r->across) {
        GE_TRY(make_taps(&x, &r->x_axis, &r->x_taps));
        r->need.left = r->x_taps.origin;
        r->need.width = r->x_taps.reach;
    }
    if (r->down) {
        GE_TRY(make_taps(&y, &r->y_axis, &r->y_taps));
        r->need.top = r->y_taps.origin;
        r->need.height = r->y_taps.reach;
    }
    const size_t columns = ((size_t)r->need.width + 3) / 4 * 4;
    GE_TRY(ge_room_make(&r->block, columns * 3 * sizeof(int16_t), (size_t)r->kernels->rows));
    if (vertical_first(r))
        rc = ge_room_make(&r->middle, (size_t)r->need.width * 3, (size_t)r->part.height);
    else
        rc = ge_room_make(&r->middle, (size_t)r->part.width * 3, (size_t)r->need.height);
done:
    return rc;
}

ge_status ge_resizer_begin(struct ge_resizer *r, const struct ge_resize_kernels *kernels, int width,
                           int height, const struct ge_resize *to, const struct ge_window *part)
{
    if (to->width < 1 || to->height < 1)
        return ge_fail(GE_EINVAL, "resize to %d x %d: at least 1 x 1 wanted", to->width,
                       to->height);
    if (to->mode == GE_RESIZE_TORCHVISION && to->filter == GE_RESAMPLE_BOX)
        return ge_fail(GE_EUNSUPPORTED, "resize: torchvision has no box filter for tensors");
    r->kernels = kernels;
    r->to = *to;
    r->width = width;
    r->height = height;
    r->part = r->need = *part;
    r->across = to->width != width;
    r->down = to->height != height;
    return to->filter == GE_RESAMPLE_NEAREST ? GE_OK : begin_passes(r);
}

/* ---- passes ------------------------------------------------------------------------------ */

static void copy_rows(const uint8_t *from, size_t from_stride, int n, size_t bytes, uint8_t *to,
                      size_t to_stride)
{
    for (; n > 0; n--, from += from_stride, to += to_stride) memcpy(to, from, bytes);
}

/* n rows of need.width pixels to part.width pixels. */
static void pass_horizontal(struct ge_resizer *r, const uint8_t *rgb, size_t stride, int n,
                            uint8_t *out, size_t out_stride)
{
    const int rows = r->kernels->rows;
    if (!r->across) {
        copy_rows(rgb, stride, n, (size_t)r->part.width * 3, out, out_stride);
        return;
    }
    for (int y = 0; y < n; y += rows, rgb += (size_t)rows * stride) {
        int count = n - y < rows ? n - y : rows;
        r->kernels->gather(rgb, stride, r->need.width, count, r->block.at);
        r->kernels->sum_columns(&r->x_taps, r->block.at, count, out, out_stride);
        out += (size_t)rows * out_stride;
    }
}

/* need.height rows of `bytes` bytes to part.height rows. */
static void pass_vertical(struct ge_resizer *r, const uint8_t *rgb, size_t stride, size_t bytes,
                          uint8_t *out, size_t out_stride)
{
    if (!r->down) {
        copy_rows(rgb, stride, r->part.height, bytes, out, out_stride);
        return;
    }
    for (int i = 0; i < r->part.height; i++, out += out_stride)
        r->kernels->sum_rows(&r->y_taps, i, rgb, stride, bytes, out);
}

void ge_resizer_put(struct ge_resizer *r, const uint8_t *rgb, size_t stride, int y, int n)
{
    const size_t bytes = (size_t)r->part.width * 3;
    int from = y > r->need.top ? y : r->need.top, end = r->need.top + r->need.height;
    if (end > y + n) end = y + n;
    if (from >= end) return;
    pass_horizontal(r, rgb + (size_t)(from - y) * stride, stride, end - from,
                    (uint8_t *)r->middle.at + (size_t)(from - r->need.top) * bytes, bytes);
}

void ge_resizer_finish(struct ge_resizer *r, uint8_t *out, size_t stride)
{
    const size_t bytes = (size_t)r->part.width * 3;
    pass_vertical(r, r->middle.at, bytes, bytes, out, stride);
}

/* ---- nearest ----------------------------------------------------------------------------- */

/* Pillow's nearest filter is an affine transform that steps through the source in doubles; a
 * position that rounding carries past the edge (-1 here) stays black. */
static void nearest_pil(int in, int out, int from, int n, int *index)
{
    double step = (double)in / out, at = step * 0.5;
    for (int i = 0; i < from + n; i++, at += step)
        if (i >= from) index[i - from] = (int)at < in ? (int)at : -1;
}

/* torch's "nearest-exact", to which transformers turns it, in floats; it has two kernels that
 * round differently, one of them for results whose width and height add up to at most 128. */
static void nearest_torch(int in, int out, bool small, int from, int n, int *index)
{
    const float scale = (float)in / (float)out;
    for (int i = 0; i < n; i++) {
        float centre = (float)(from + i) + 0.5f, at = centre * scale;
        if (!small) at = (float)((double)centre * (double)scale - 0.5) + 0.5f;
        int v = (int)at;
        index[i] = v < in ? v : in - 1;
    }
}

static ge_status resize_nearest(const struct ge_resizer *r, const uint8_t *rgb, uint8_t *out,
                                size_t stride)
{
    ge_status rc = GE_OK;
    int *column = NULL, *row = NULL;
    const struct ge_resize *to = &r->to;
    const struct ge_window *part = &r->part;
    const bool small = (int64_t)to->width + to->height <= 128;
    GE_NEW(column, (size_t)part->width);
    GE_NEW(row, (size_t)part->height);
    if (to->mode == GE_RESIZE_TORCHVISION) {
        nearest_torch(r->width, to->width, small, part->left, part->width, column);
        nearest_torch(r->height, to->height, small, part->top, part->height, row);
    } else {
        nearest_pil(r->width, to->width, part->left, part->width, column);
        nearest_pil(r->height, to->height, part->top, part->height, row);
    }
    for (int y = 0; y < part->height; y++, out += stride) {
        memset(out, 0, (size_t)part->width * 3);
        if (row[y] < 0) continue;
        const uint8_t *from = rgb + (size_t)row[y] * (size_t)r->width * 3;
        for (int x = 0; x < part->width; x++)
            if (column[x] >= 0) memcpy(out + (size_t)x * 3, from + (size_t)column[x] * 3, 3);
    }
done:
    free(column);
    free(row);
    return rc;
}

/* ---- all together ------------------------------------------------------------------------ */

ge_status ge_resizer_run(struct ge_resizer *r, const uint8_t *rgb, uint8_t *out, size_t stride)
{
    const size_t row = (size_t)r->width * 3, bytes = (size_t)r->need.width * 3;
    if (r->to.filter == GE_RESAMPLE_NEAREST) return resize_nearest(r, rgb, out, stride);
    rgb += (size_t)r->need.left * 3;
    if (vertical_first(r)) {
        pass_vertical(r, rgb + (size_t)r->need.top * row, row, bytes, r->middle.at, bytes);
        pass_horizontal(r, r->middle.at, bytes, r->part.height, out, stride);
    } else {
        ge_resizer_put(r, rgb, row, 0, r->height);
        ge_resizer_finish(r, out, stride);
    }
    return GE_OK;
}

ge_status ge_image_resize_level(int level, const struct ge_image *in, const struct ge_resize *to,
                                const struct ge_window *part, uint8_t *out, size_t stride)
{
    struct ge_resizer r = {0};
    const struct ge_resize_kernels *kernels = ge_resize_kernels(level);
    if (kernels == NULL) return ge_fail(GE_EINVAL, "resize: no instruction-set level %d", level);
    ge_status rc = ge_resizer_begin(&r, kernels, in->width, in->height, to, part);
    if (rc == GE_OK) rc = ge_resizer_run(&r, in->rgb, out, stride);
    ge_resizer_free(&r);
    return rc;
}

ge_status ge_image_resize(const struct ge_image *in, const struct ge_resize *to,
                          struct ge_image *out)
{
    ge_status rc = GE_OK;
    struct ge_resizer r = {0};
    const struct ge_window all = {.width = to->width, .height = to->height};
    *out = (struct ge_image){0};
    GE_TRY(ge_resizer_begin(&r, ge_resize_kernels(0), in->width, in->height, to, &all));
    GE_TRY(ge_image_alloc_raw(out, to->width, to->height));
    GE_TRY(ge_resizer_run(&r, in->rgb, out->rgb, (size_t)to->width * 3));
done:
    ge_resizer_free(&r);
    if (rc != GE_OK) ge_image_free(out);
    return rc;
}
