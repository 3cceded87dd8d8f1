/* WebP through libwebp's animation decoder, as Pillow: a still picture is an animation of one
 * frame, and of several frames the first one counts. */
#include <string.h>

#include <webp/demux.h>

#include "base/buf.h"
#include "image/decode.h"

static uint32_t read_u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The canvas as the first chunk's header declares it, before the library takes memory for it. */
ge_status ge_webp_probe(const uint8_t *data, size_t len, int *width, int *height)
{
    const uint8_t *chunk = data + 12, *body = data + 20; /* after "RIFF", size, "WEBP" */
    *width = *height = 0;
    if (len < 30) return ge_fail(GE_EFORMAT, "webp: the file is truncated in its header");
    if (memcmp(chunk, "VP8 ", 4) == 0 && memcmp(body + 3, "\x9d\x01\x2a", 3) == 0) {
        *width = (body[6] | body[7] << 8) & 0x3FFF;
        *height = (body[8] | body[9] << 8) & 0x3FFF;
    } else if (memcmp(chunk, "VP8X", 4) == 0) {
        *width = (int)(read_u32(body + 4) & 0xFFFFFF) + 1;
        *height = (int)(read_u32(body + 6) >> 8) + 1;
    } else if (memcmp(chunk, "VP8L", 4) == 0 && body[0] == 0x2F) {
        uint32_t bits = read_u32(body + 1);
        *width = (int)(bits & 0x3FFF) + 1;
        *height = (int)(bits >> 14 & 0x3FFF) + 1;
    } else {
        return ge_fail(GE_EFORMAT, "webp: the first chunk is not a VP8, VP8L or VP8X header");
    }
    return GE_OK;
}

static int read_orientation(const WebPDemuxer *demux)
{
    WebPChunkIterator exif = {0}, xmp = {0};
    int has_exif = WebPDemuxGetChunk(demux, "EXIF", 1, &exif);
    int has_xmp = WebPDemuxGetChunk(demux, "XMP ", 1, &xmp);
    int orientation =
        ge_orientation(has_exif ? exif.chunk.bytes : NULL, has_exif ? exif.chunk.size : 0,
                       has_xmp ? xmp.chunk.bytes : NULL, has_xmp ? xmp.chunk.size : 0);
    WebPDemuxReleaseChunkIterator(&exif);
    WebPDemuxReleaseChunkIterator(&xmp);
    return orientation;
}

/* (height, width, 4) to (height, width, 3). */
static void to_rgb(const uint8_t *rgba, struct ge_image *out, int over_white)
{
    size_t n = (size_t)out->width * (size_t)out->height;
    uint8_t *rgb = out->rgb;
    for (size_t i = 0; i < n; i++, rgba += 4, rgb += 3)
        for (int c = 0; c < 3; c++) rgb[c] = over_white ? ge_over_white(rgba[c], rgba[3]) : rgba[c];
}

ge_status ge_webp_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         struct ge_image *out, int *orientation)
{
    ge_status rc = GE_OK;
    WebPAnimDecoder *decoder = NULL;
    WebPAnimInfo info;
    int width, height, timestamp;
    uint8_t *rgba = NULL; /* the decoder's */
    const WebPData file = {.bytes = data, .size = len};

    GE_TRY(ge_webp_probe(data, len, &width, &height));
    GE_TRY(ge_image_check_size("webp", (uint64_t)width, (uint64_t)height, &opt->limits));
    decoder = WebPAnimDecoderNew(&file, NULL);
    if (decoder == NULL || !WebPAnimDecoderGetInfo(decoder, &info)) {
        rc = ge_fail(GE_EFORMAT, "webp: the file is truncated or its chunks are broken");
        goto done;
    }
    if (info.canvas_width != (uint32_t)width || info.canvas_height != (uint32_t)height) {
        rc = ge_fail(GE_EFORMAT, "webp: canvas of %u x %u pixels, but the header declares %d x %d",
                     info.canvas_width, info.canvas_height, width, height);
        goto done;
    }
    GE_TRY(ge_image_alloc(out, width, height));
    if (!WebPAnimDecoderGetNext(decoder, &rgba, &timestamp)) {
        rc = ge_fail(GE_EFORMAT, "webp: the image data are broken");
        goto done;
    }
    const WebPDemuxer *demux = WebPAnimDecoderGetDemuxer(decoder);
    int has_alpha = (WebPDemuxGetI(demux, WEBP_FF_FORMAT_FLAGS) & ALPHA_FLAG) != 0;
    to_rgb(rgba, out, has_alpha && opt->alpha == GE_ALPHA_WHITE);
    *orientation = read_orientation(demux);
done:
    WebPAnimDecoderDelete(decoder);
    return rc;
}

void ge_webp_library(struct ge_buf *out)
{
    unsigned v = (unsigned)WebPGetDecoderVersion(), demux = (unsigned)WebPGetDemuxVersion();
    ge_buf_printf(out, "libwebp %u.%u.%u, demuxer %u.%u.%u (compiled with ABI %x)", v >> 16,
                  v >> 8 & 255, v & 255, demux >> 16, demux >> 8 & 255, demux & 255,
                  WEBP_DEMUX_ABI_VERSION);
}
