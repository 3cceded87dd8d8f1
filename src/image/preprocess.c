#include "image/preprocess.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "image/decode.h"
#include "image/resizer.h"

void ge_preprocess_switches_init(struct ge_preprocess_switches *sw)
{
    *sw = (struct ge_preprocess_switches){.pillow = GE_PILLOW_13, .resize = GE_RESIZE_PIL};
    ge_image_options_init(&sw->image);
}

size_t ge_preprocess_size(const struct ge_preprocess *p)
{
    return (size_t)p->height * (size_t)p->width * 3;
}

/* ---- scale and crop ---------------------------------------------------------------------- */

/* Size after scaling. The long side is cut, not rounded, as in transformers. */
static ge_status scaled_size(const struct ge_preprocess *p, int in_width, int in_height, int *width,
                             int *height)
{
    int64_t w = p->resize_width, h = p->resize_height, s = p->shortest_edge;
    if (s > 0 && in_width <= in_height) {
        w = s;
        h = (int64_t)((double)(s * in_height) / in_width);
    } else if (s > 0) {
        h = s;
        w = (int64_t)((double)(s * in_width) / in_height);
    }
    /* The bound holds for the result and for what lies between the two passes. */
    uint64_t max = p->sw.image.limits.max_pixels;
    uint64_t side_w = (uint64_t)(w > in_width ? w : in_width);
    uint64_t side_h = (uint64_t)(h > in_height ? h : in_height);
    if (side_w > INT32_MAX || side_h > INT32_MAX || side_w > max / side_h)
        return ge_fail(GE_ELIMIT,
                       "scaling %d x %d pixels to %lld x %lld wants room for %llu x %llu, at most "
                       "%llu pixels allowed; crop the picture",
                       in_width, in_height, (long long)w, (long long)h, (unsigned long long)side_w,
                       (unsigned long long)side_h, (unsigned long long)max);
    *width = (int)w;
    *height = (int)h;
    return GE_OK;
}

/* Offset of output position 0 in the input along one axis; negative: padding comes first. A margin
 * is cut with floor; what lacks in front is the larger half in the PIL backend, the smaller one in
 * the torchvision backend (their center_crop). */
static int crop_offset(const struct ge_preprocess *p, int in, int out)
{
    int lack = out - in;
    if (lack <= 0) return -lack / 2;
    return -(p->sw.resize == GE_RESIZE_PIL ? lack + 1 : lack) / 2;
}

/* Along one axis: `n` positions from `from` on of the scaled picture go to position `to`. */
struct span {
    int from, to, n;
};

static struct span crop_span(const struct ge_preprocess *p, int in, int out)
{
    int offset = crop_offset(p, in, out);
    return (struct span){
        .from = offset > 0 ? offset : 0, .to = offset < 0 ? -offset : 0, .n = in < out ? in : out};
}

/* Get `r` ready for a picture of width x height, and clear the pixels where it needs padding; *out
 * is where the scaled picture begins. */
static ge_status begin(const struct ge_preprocess *p, int width, int height, struct ge_resizer *r,
                       uint8_t *pixels, uint8_t **out)
{
    ge_status rc = GE_OK;
    struct ge_resize to = {.width = width,
                           .height = height,
                           .filter = p->resample,
                           .mode = p->sw.resize,
                           .pillow = p->sw.pillow};
    if (p->do_resize) GE_TRY(scaled_size(p, width, height, &to.width, &to.height));
    const struct span x = crop_span(p, to.width, p->width), y = crop_span(p, to.height, p->height);
    const struct ge_window part = {.left = x.from, .top = y.from, .width = x.n, .height = y.n};
    if (x.n < p->width || y.n < p->height) memset(pixels, 0, ge_preprocess_size(p));
    *out = pixels + ((size_t)y.to * (size_t)p->width + (size_t)x.to) * 3;
    rc = ge_resizer_begin(r, ge_resize_kernels(0), width, height, &to, &part);
done:
    return rc;
}

static ge_status scale_picture(const struct ge_preprocess *p, const struct ge_image *image,
                               struct ge_resizer *r, uint8_t *pixels)
{
    uint8_t *out;
    ge_status rc = begin(p, image->width, image->height, r, pixels, &out);
    return rc != GE_OK ? rc : ge_resizer_run(r, image->rgb, out, (size_t)p->width * 3);
}

ge_status ge_preprocess_pixels(const struct ge_preprocess *p, const struct ge_image *image,
                               uint8_t *pixels)
{
    struct ge_resizer r = {0};
    ge_status rc = scale_picture(p, image, &r, pixels);
    ge_resizer_free(&r);
    return rc;
}

/* ---- from a file's bytes ----------------------------------------------------------------- */

struct ge_image_scratch {
    struct ge_resizer resizer;
    struct ge_image picture;
};

ge_status ge_image_scratch_new(struct ge_image_scratch **s)
{
    *s = ge_calloc(1, sizeof **s);
    return *s != NULL ? GE_OK : GE_ENOMEM;
}

static void scratch_clear(struct ge_image_scratch *s)
{
    ge_resizer_free(&s->resizer);
    ge_image_free(&s->picture);
}

void ge_image_scratch_delete(struct ge_image_scratch **s)
{
    if (*s != NULL) scratch_clear(*s);
    free(*s);
    *s = NULL;
}

ge_status ge_image_scratches_new(size_t n, struct ge_image_scratch ***all)
{
    ge_status rc = GE_OK;
    *all = NULL;
    GE_NEW(*all, n);
    for (size_t i = 0; i < n; i++) GE_TRY(ge_image_scratch_new(&(*all)[i]));
done:
    if (rc != GE_OK) ge_image_scratches_delete(n, all);
    return rc;
}

void ge_image_scratches_delete(size_t n, struct ge_image_scratch ***all)
{
    for (size_t i = 0; *all != NULL && i < n; i++) ge_image_scratch_delete(&(*all)[i]);
    free(*all);
    *all = NULL;
}

static void put_rows(void *ctx, const uint8_t *rgb, size_t stride, int y, int n)
{
    ge_resizer_put(ctx, rgb, stride, y, n);
}

/* A JPEG whose rows can be scaled as they come. *streamed is false if it is not one, and nothing was
 * done. */
static ge_status stream_jpeg(const struct ge_preprocess *p, const uint8_t *data, size_t len,
                             struct ge_resizer *r, uint8_t *pixels, bool *streamed)
{
    ge_status rc = GE_OK;
    const struct ge_image_options *opt = &p->sw.image;
    int width, height, orientation;
    uint8_t *out;
    *streamed = false;
    if (ge_image_sniff(data, len) != GE_IMAGE_JPEG) return GE_OK;
    GE_TRY(ge_jpeg_probe(data, len, &width, &height, &orientation));
    if (orientation > 1 && opt->exif == GE_EXIF_APPLY) return GE_OK;
    GE_TRY(ge_image_check_size("jpeg", (uint64_t)width, (uint64_t)height, &opt->limits));
    GE_TRY(begin(p, width, height, r, pixels, &out));
    if (!ge_resizer_streams(r)) return GE_OK;
    const struct ge_row_sink sink = {
        .left = r->need.left, .columns = r->need.width, .put = put_rows, .ctx = r};
    GE_TRY(ge_jpeg_stream(data, len, opt, &sink));
    ge_resizer_finish(r, out, (size_t)p->width * 3);
    *streamed = true;
done:
    return rc;
}

ge_status ge_preprocess_decode(const struct ge_preprocess *p, const void *data, size_t len,
                               struct ge_image_scratch *scratch, uint8_t *pixels)
{
    enum { KEEP = 64 << 20 }; /* bytes of a picture; a larger one is not worth keeping */
    ge_status rc = GE_OK;
    struct ge_image_scratch own = {0}, *s = scratch != NULL ? scratch : &own;
    bool streamed;
    GE_TRY(stream_jpeg(p, data, len, &s->resizer, pixels, &streamed));
    if (!streamed) {
        GE_TRY(ge_image_decode_into(data, len, &p->sw.image, &s->picture));
        GE_TRY(scale_picture(p, &s->picture, &s->resizer, pixels));
    }
done:
    if (s->picture.room > KEEP) ge_image_free(&s->picture);
    scratch_clear(&own);
    return rc;
}

ge_status ge_preprocess_file(const struct ge_preprocess *p, const char *path,
                             struct ge_image_scratch *scratch, uint8_t *pixels)
{
    ge_status rc = GE_OK;
    const uint64_t max = p->sw.image.limits.max_file_bytes;
    char *data = NULL;
    size_t len = 0;
    GE_TRY(ge_fs_read(path, max < SIZE_MAX ? (size_t)max : SIZE_MAX, &data, &len));
    rc = ge_preprocess_decode(p, data, len, scratch, pixels);
    if (rc != GE_OK) ge_fail_in(rc, "%s", path);
done:
    free(data);
    return rc;
}

/* ---- numbers ----------------------------------------------------------------------------- */

void ge_preprocess_table(const struct ge_preprocess *p, float table[3][256])
{
    const bool fused = p->sw.resize == GE_RESIZE_TORCHVISION && p->do_rescale && p->do_normalize;
    const float inverse = (float)(1.0 / p->rescale_factor), factor = (float)p->rescale_factor;
    for (int c = 0; c < 3; c++) {
        float mean = (float)p->mean[c], std = (float)p->std[c];
        if (fused) {
            mean *= inverse;
            std *= inverse;
        }
        for (int v = 0; v < 256; v++) {
            float x = (float)v;
            if (p->do_rescale && p->sw.resize == GE_RESIZE_PIL) x = (float)(v * p->rescale_factor);
            if (p->do_rescale && p->sw.resize != GE_RESIZE_PIL && !fused) x *= factor;
            table[c][v] = p->do_normalize ? (x - mean) / std : x;
        }
    }
}

void ge_preprocess_tensor(const struct ge_preprocess *p, const uint8_t *pixels, float *tensor)
{
    const size_t plane = (size_t)p->height * (size_t)p->width;
    float table[3][256], *r = tensor, *g = r + plane, *b = g + plane;
    ge_preprocess_table(p, table);
    for (size_t i = 0; i < plane; i++, pixels += 3) {
        r[i] = table[0][pixels[0]];
        g[i] = table[1][pixels[1]];
        b[i] = table[2][pixels[2]];
    }
}

/* ---- description ------------------------------------------------------------------------- */

void ge_preprocess_json(const struct ge_preprocess *p, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "resize_mode", ge_resize_mode_name(p->sw.resize));
    if (p->sw.resize == GE_RESIZE_PIL) ge_jsonw_int(&w, "pillow", p->sw.pillow);
    ge_jsonw_string(&w, "exif", p->sw.image.exif == GE_EXIF_APPLY ? "apply" : "ignore");
    ge_jsonw_string(&w, "alpha", p->sw.image.alpha == GE_ALPHA_DROP ? "drop" : "white");
    ge_jsonw_int(&w, "height", p->height);
    ge_jsonw_int(&w, "width", p->width);
    ge_jsonw_bool(&w, "do_resize", p->do_resize);
    if (p->do_resize) {
        ge_jsonw_int(&w, "shortest_edge", p->shortest_edge);
        ge_jsonw_int(&w, "resize_height", p->resize_height);
        ge_jsonw_int(&w, "resize_width", p->resize_width);
        ge_jsonw_string(&w, "resample", ge_resample_name(p->resample));
    }
    ge_jsonw_bool(&w, "do_center_crop", p->do_center_crop);
    ge_jsonw_bool(&w, "do_rescale", p->do_rescale);
    if (p->do_rescale) ge_jsonw_double(&w, "rescale_factor", p->rescale_factor);
    ge_jsonw_bool(&w, "do_normalize", p->do_normalize);
    if (p->do_normalize) {
        ge_jsonw_array(&w, "mean");
        for (int c = 0; c < 3; c++) ge_jsonw_double(&w, NULL, p->mean[c]);
        ge_jsonw_array_end(&w);
        ge_jsonw_array(&w, "std");
        for (int c = 0; c < 3; c++) ge_jsonw_double(&w, NULL, p->std[c]);
        ge_jsonw_array_end(&w);
    }
    ge_jsonw_object_end(&w);
}

void ge_preprocess_describe(const struct ge_preprocess *p, struct ge_hasher *hasher)
{
    ge_hasher_add_str(hasher, "preprocess 1"); /* raise when the meaning of a field changes */
    ge_hasher_add_u64(hasher, (uint64_t)p->sw.resize);
    if (p->sw.resize == GE_RESIZE_PIL) ge_hasher_add_u64(hasher, (uint64_t)p->sw.pillow);
    ge_hasher_add_u64(hasher, (uint64_t)p->sw.image.exif);
    ge_hasher_add_u64(hasher, (uint64_t)p->sw.image.alpha);
    ge_hasher_add_u64(hasher, (uint64_t)p->height);
    ge_hasher_add_u64(hasher, (uint64_t)p->width);
    ge_hasher_add_u64(hasher, p->do_resize);
    if (p->do_resize) {
        ge_hasher_add_u64(hasher, (uint64_t)p->shortest_edge);
        ge_hasher_add_u64(hasher, (uint64_t)p->resize_height);
        ge_hasher_add_u64(hasher, (uint64_t)p->resize_width);
        ge_hasher_add_u64(hasher, (uint64_t)p->resample);
    }
    ge_hasher_add_u64(hasher, p->do_center_crop);
    ge_hasher_add_u64(hasher, p->do_rescale);
    if (p->do_rescale) ge_hasher_add_f64(hasher, p->rescale_factor);
    ge_hasher_add_u64(hasher, p->do_normalize);
    for (int c = 0; c < 3 && p->do_normalize; c++) {
        ge_hasher_add_f64(hasher, p->mean[c]);
        ge_hasher_add_f64(hasher, p->std[c]);
    }
}
