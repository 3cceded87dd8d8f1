#include "image/preprocess.h"

#include <string.h>

#include "base/json.h"

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
static ge_status scaled_size(const struct ge_preprocess *p, const struct ge_image *image,
                             int *width, int *height)
{
    int64_t w = p->resize_width, h = p->resize_height, s = p->shortest_edge;
    if (s > 0 && image->width <= image->height) {
        w = s;
        h = (int64_t)((double)(s * image->height) / image->width);
    } else if (s > 0) {
        h = s;
        w = (int64_t)((double)(s * image->width) / image->height);
    }
    /* The bound holds for the result and for what lies between the two passes. */
    uint64_t max = p->sw.image.limits.max_pixels;
    uint64_t side_w = (uint64_t)(w > image->width ? w : image->width);
    uint64_t side_h = (uint64_t)(h > image->height ? h : image->height);
    if (side_w > INT32_MAX || side_h > INT32_MAX || side_w > max / side_h)
        return ge_fail(GE_ELIMIT,
                       "scaling %d x %d pixels to %lld x %lld wants room for %llu x %llu, at most "
                       "%llu pixels allowed; crop the picture",
                       image->width, image->height, (long long)w, (long long)h,
                       (unsigned long long)side_w, (unsigned long long)side_h,
                       (unsigned long long)max);
    *width = (int)w;
    *height = (int)h;
    return GE_OK;
}

/* Offset of output position 0 in the input along one axis; negative: padding comes first. A
 * margin is cut with floor, a lack is padded with ceil (transformers' center_crop). */
static int crop_offset(int in, int out)
{
    return in >= out ? (in - out) / 2 : -((out - in + 1) / 2);
}

static void crop(const struct ge_image *in, int width, int height, uint8_t *pixels)
{
    const int top = crop_offset(in->height, height), left = crop_offset(in->width, width);
    const int skip = left < 0 ? -left : 0, from = left < 0 ? 0 : left;
    const int run = in->width < width ? in->width : width;
    const size_t row_bytes = (size_t)width * 3;
    for (int y = 0; y < height; y++) {
        uint8_t *to = pixels + (size_t)y * row_bytes;
        int row = y + top;
        memset(to, 0, row_bytes);
        if (row < 0 || row >= in->height) continue;
        memcpy(to + (size_t)skip * 3,
               in->rgb + ((size_t)row * (size_t)in->width + (size_t)from) * 3, (size_t)run * 3);
    }
}

ge_status ge_preprocess_pixels(const struct ge_preprocess *p, const struct ge_image *image,
                               uint8_t *pixels)
{
    ge_status rc = GE_OK;
    struct ge_image scaled = {0};
    const struct ge_image *source = image;
    if (p->do_resize) {
        int width = 0, height = 0;
        GE_TRY(scaled_size(p, image, &width, &height));
        if (width != image->width || height != image->height) {
            GE_TRY(ge_image_resize(image, width, height, p->resample, p->sw.pillow, &scaled));
            source = &scaled;
        }
    }
    crop(source, p->width, p->height, pixels);
done:
    ge_image_free(&scaled);
    return rc;
}

ge_status ge_preprocess_file(const struct ge_preprocess *p, const char *path, uint8_t *pixels)
{
    struct ge_image image = {0};
    ge_status rc = ge_image_decode_file(path, &p->sw.image, &image);
    if (rc != GE_OK) return rc;
    rc = ge_preprocess_pixels(p, &image, pixels);
    if (rc != GE_OK) ge_fail_in(rc, "%s", path);
    ge_image_free(&image);
    return rc;
}

/* ---- numbers ----------------------------------------------------------------------------- */

void ge_preprocess_table(const struct ge_preprocess *p, float table[3][256])
{
    for (size_t c = 0; c < 3; c++) {
        const float mean = (float)p->mean[c], std = (float)p->std[c];
        for (int v = 0; v < 256; v++) {
            float x = p->do_rescale ? (float)(v * p->rescale_factor) : (float)v;
            table[c][v] = p->do_normalize ? (x - mean) / std : x;
        }
    }
}

void ge_preprocess_tensor(const struct ge_preprocess *p, const uint8_t *pixels, float *tensor)
{
    const size_t plane = (size_t)p->height * (size_t)p->width;
    float table[3][256];
    ge_preprocess_table(p, table);
    for (size_t c = 0; c < 3; c++) {
        float *to = tensor + c * plane;
        for (size_t i = 0; i < plane; i++) to[i] = table[c][pixels[3 * i + c]];
    }
}

/* ---- description ------------------------------------------------------------------------- */

void ge_preprocess_json(const struct ge_preprocess *p, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "resize_mode", "pil");
    ge_jsonw_int(&w, "pillow", p->sw.pillow);
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
    ge_hasher_add_u64(hasher, (uint64_t)p->sw.pillow);
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
