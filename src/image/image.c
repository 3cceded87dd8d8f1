#include "image/image.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "image/decode.h"

void ge_image_free(struct ge_image *image)
{
    free(image->rgb);
    *image = (struct ge_image){0};
}

const char *ge_image_format_name(enum ge_image_format format)
{
    switch (format) {
    case GE_IMAGE_JPEG:
        return "jpeg";
    case GE_IMAGE_PNG:
        return "png";
    case GE_IMAGE_WEBP:
        return "webp";
    case GE_IMAGE_UNKNOWN:
        break;
    }
    return "unknown";
}

void ge_image_options_init(struct ge_image_options *opt)
{
    *opt = (struct ge_image_options){.exif = GE_EXIF_APPLY,
                                     .alpha = GE_ALPHA_DROP,
                                     .limits = {.max_pixels = GE_IMAGE_MAX_PIXELS,
                                                .max_scans = GE_IMAGE_MAX_SCANS,
                                                .max_chunk = GE_IMAGE_MAX_CHUNK,
                                                .max_file_bytes = GE_IMAGE_MAX_FILE_BYTES}};
}

ge_status ge_image_check_size(const char *format, uint64_t width, uint64_t height,
                              const struct ge_image_limits *limits)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return ge_fail(GE_EFORMAT, "%s: declared size is %llu x %llu pixels, at least 1 x 1 wanted",
                       format, (unsigned long long)width, (unsigned long long)height);
    if (width > limits->max_pixels / height)
        return ge_fail(GE_ELIMIT,
                       "%s: %llu x %llu pixels declared, at most %llu pixels allowed; scale the "
                       "picture down or raise the cap",
                       format, (unsigned long long)width, (unsigned long long)height,
                       (unsigned long long)limits->max_pixels);
    return GE_OK;
}

static ge_status alloc_pixels(struct ge_image *out, int width, int height, bool clear)
{
    size_t n, bytes;
    ge_status rc = ge_mul((size_t)width, (size_t)height, &n);
    if (rc == GE_OK) rc = ge_mul(n, 3, &bytes);
    if (rc != GE_OK) return rc;
    if (out->rgb == NULL || out->room < bytes) {
        ge_image_free(out);
        out->rgb = clear ? ge_calloc(n, 3) : ge_realloc(NULL, n, 3);
        if (out->rgb == NULL) return GE_ENOMEM;
        out->room = bytes;
    } else if (clear) {
        memset(out->rgb, 0, bytes);
    }
    out->width = width;
    out->height = height;
    return GE_OK;
}

ge_status ge_image_alloc(struct ge_image *out, int width, int height)
{
    return alloc_pixels(out, width, height, true);
}

ge_status ge_image_alloc_raw(struct ge_image *out, int width, int height)
{
    return alloc_pixels(out, width, height, false);
}

enum ge_image_format ge_image_sniff(const uint8_t *data, size_t len)
{
    if (len >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0) return GE_IMAGE_JPEG;
    if (len >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) return GE_IMAGE_PNG;
    if (len >= 16 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBPVP8", 7) == 0)
        return GE_IMAGE_WEBP;
    return GE_IMAGE_UNKNOWN;
}

static ge_status unknown(size_t len)
{
    if (len == 0) return ge_fail(GE_EFORMAT, "the file is empty, an image wanted");
    return ge_fail(GE_EFORMAT, "not an image of a known kind: the first bytes are not those of a "
                               "JPEG, PNG or WebP file; convert it to one of these");
}

ge_status ge_image_probe(const void *data, size_t len, int *width, int *height,
                         enum ge_image_format *format)
{
    ge_status rc = GE_EFORMAT;
    enum ge_image_format kind = ge_image_sniff(data, len);
    int w = 0, h = 0, orientation;
    switch (kind) {
    case GE_IMAGE_JPEG:
        rc = ge_jpeg_probe(data, len, &w, &h, &orientation);
        break;
    case GE_IMAGE_PNG:
        rc = ge_png_probe(data, len, &w, &h);
        break;
    case GE_IMAGE_WEBP:
        rc = ge_webp_probe(data, len, &w, &h);
        break;
    case GE_IMAGE_UNKNOWN:
        rc = unknown(len);
        break;
    }
    if (rc != GE_OK) return rc;
    if (width != NULL) *width = w;
    if (height != NULL) *height = h;
    if (format != NULL) *format = kind;
    return GE_OK;
}

ge_status ge_image_decode_into(const void *data, size_t len, const struct ge_image_options *opt,
                               struct ge_image *out)
{
    struct ge_image_options defaults;
    ge_status rc = GE_EFORMAT;
    int orientation = 1;
    out->width = out->height = 0;
    if (opt == NULL) {
        ge_image_options_init(&defaults);
        opt = &defaults;
    }
    switch (ge_image_sniff(data, len)) {
    case GE_IMAGE_JPEG:
        rc = ge_jpeg_decode(data, len, opt, out, &orientation);
        break;
    case GE_IMAGE_PNG:
        rc = ge_png_decode(data, len, opt, out, &orientation);
        break;
    case GE_IMAGE_WEBP:
        rc = ge_webp_decode(data, len, opt, out, &orientation);
        break;
    case GE_IMAGE_UNKNOWN:
        rc = unknown(len);
        break;
    }
    if (rc == GE_OK && opt->exif == GE_EXIF_APPLY) rc = ge_image_turn(out, orientation);
    if (rc != GE_OK) out->width = out->height = 0;
    return rc;
}

ge_status ge_image_decode(const void *data, size_t len, const struct ge_image_options *opt,
                          struct ge_image *out)
{
    *out = (struct ge_image){0};
    ge_status rc = ge_image_decode_into(data, len, opt, out);
    if (rc != GE_OK) ge_image_free(out);
    return rc;
}

ge_status ge_image_decode_file(const char *path, const struct ge_image_options *opt,
                               struct ge_image *out)
{
    ge_status rc = GE_OK;
    char *data = NULL;
    size_t len = 0;
    uint64_t max = opt != NULL ? opt->limits.max_file_bytes : GE_IMAGE_MAX_FILE_BYTES;
    *out = (struct ge_image){0};
    GE_TRY(ge_fs_read(path, max < SIZE_MAX ? (size_t)max : SIZE_MAX, &data, &len));
    rc = ge_image_decode(data, len, opt, out);
    if (rc != GE_OK) ge_fail_in(rc, "%s", path);
done:
    free(data);
    return rc;
}
