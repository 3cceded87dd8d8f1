/* JPEG through libjpeg-turbo with Pillow's settings: slow integer DCT, fancy upsampling, colour
 * space as the library guesses it, CMYK in Adobe's inverted convention. As in Pillow, warnings of
 * the library are not errors, but data that end before the last row are.
 *
 * The source never refills: at the end of the data the library suspends, which is how a truncated
 * file is told from a broken one. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/buf.h"
#include "base/mem.h"
#include "image/decode.h"

/* ---- markers before the first scan ------------------------------------------------------- */

enum {
    MARKER_SOF0 = 0xC0,
    MARKER_DHT = 0xC4,
    MARKER_JPG = 0xC8,
    MARKER_DAC = 0xCC,
    MARKER_SOF15 = 0xCF,
    MARKER_RST0 = 0xD0,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA,
    MARKER_APP1 = 0xE1,
    MARKER_APP15 = 0xEF,
    MARKER_COM = 0xFE
};

struct header {
    int width, height, components; /* 0 until a frame header is seen */
    struct ge_buf exif;            /* all EXIF segments, joined */
    const uint8_t *xmp;            /* borrowed; NULL if absent */
    size_t xmp_len;
};

static int is_frame_header(int marker)
{
    return marker >= MARKER_SOF0 && marker <= MARKER_SOF15 && marker != MARKER_DHT &&
           marker != MARKER_JPG && marker != MARKER_DAC;
}

/* True for a marker that stands alone, without a length. */
static int is_bare(int marker)
{
    return marker == MARKER_JPG || (marker >= MARKER_RST0 && marker <= MARKER_EOI) ||
           (marker > MARKER_APP15 && marker < MARKER_COM);
}

static ge_status frame_header(const uint8_t *body, size_t n, struct header *h)
{
    if (n < 6) return ge_fail(GE_EFORMAT, "jpeg: frame header of %zu bytes, at least 6 wanted", n);
    if (body[0] != 8)
        return ge_fail(GE_EUNSUPPORTED, "jpeg: %d bits per sample, only 8 are handled", body[0]);
    h->height = body[1] << 8 | body[2];
    h->width = body[3] << 8 | body[4];
    h->components = body[5];
    if (h->components != 1 && h->components != 3 && h->components != 4)
        return ge_fail(GE_EUNSUPPORTED, "jpeg: %d colour components, 1, 3 or 4 wanted",
                       h->components);
    return GE_OK;
}

static void app1(const uint8_t *body, size_t n, struct header *h)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    if (n >= 6 && memcmp(body, "Exif\0\0", 6) == 0) {
        ge_buf_add(&h->exif, body + 6, n - 6);
    } else if (n >= sizeof xmp && memcmp(body, xmp, sizeof xmp) == 0) {
        h->xmp = body + sizeof xmp;
        h->xmp_len = n - sizeof xmp;
    }
}

/* Walk the segments up to the first scan, as Pillow does. */
static ge_status read_header(const uint8_t *data, size_t len, struct header *h)
{
    ge_status rc = GE_OK;
    size_t pos = 2;
    while (len - pos >= 2) {
        int marker = data[pos + 1];
        if (data[pos] != 0xFF || marker == 0xFF) { /* junk or padding */
            pos += 1;
            continue;
        }
        pos += 2;
        if (marker == 0 || is_bare(marker)) continue;
        if (marker < MARKER_SOF0)
            return ge_fail(GE_EFORMAT, "jpeg: byte %zu: 0x%02x is not a marker", pos - 1,
                           (unsigned)marker);
        size_t n = len - pos >= 2 ? (size_t)(data[pos] << 8 | data[pos + 1]) : 0;
        if (n < 2 || n > len - pos)
            return ge_fail(GE_EFORMAT, "jpeg: byte %zu: segment 0x%02x is truncated", pos - 1,
                           (unsigned)marker);
        const uint8_t *body = data + pos + 2;
        if (is_frame_header(marker)) GE_TRY(frame_header(body, n - 2, h));
        if (marker == MARKER_APP1) app1(body, n - 2, h);
        if (marker == MARKER_SOS) break;
        pos += n;
    }
    if (h->components == 0)
        return ge_fail(GE_EFORMAT, "jpeg: no frame header before the image data");
    return ge_buf_status(&h->exif);
done:
    return rc;
}

ge_status ge_jpeg_probe(const uint8_t *data, size_t len, int *width, int *height, int *orientation)
{
    struct header h = {0};
    ge_buf_init(&h.exif, len);
    ge_status rc = read_header(data, len, &h);
    *width = h.width;
    *height = h.height;
    *orientation = ge_orientation((const uint8_t *)h.exif.data, h.exif.len, h.xmp, h.xmp_len);
    ge_buf_free(&h.exif);
    return rc;
}

/* ---- decoding ---------------------------------------------------------------------------- */

enum { STRIP = 16 }; /* rows that are read at once: as many as the library decodes at once */

/* Everything that must survive a longjmp lives here, none of it in a local variable. */
struct decoder {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    ge_status status; /* why we escaped */
    int max_scans;
    int width, height, components; /* as declared */
    struct ge_image *out;          /* where the picture goes, or NULL and */
    const struct ge_row_sink *sink;
    uint8_t *strip; /* STRIP rows on their way to the sink; owned */
    uint8_t *row;   /* one row as the library gives it; owned; NULL for RGB */
};

static void on_error(j_common_ptr lib)
{
    struct decoder *d = lib->client_data;
    char text[JMSG_LENGTH_MAX];
    lib->err->format_message(lib, text);
    d->status = ge_fail(lib->err->msg_code == JERR_OUT_OF_MEMORY ? GE_ENOMEM : GE_EFORMAT,
                        "jpeg: %s", text);
    longjmp(d->escape, 1);
}

static void on_message(j_common_ptr lib)
{
    (void)lib;
}

static void on_source(j_decompress_ptr lib)
{
    (void)lib;
}

static boolean on_empty(j_decompress_ptr lib)
{
    (void)lib;
    return FALSE;
}

static void on_skip(j_decompress_ptr lib, long bytes)
{
    struct jpeg_source_mgr *source = lib->src;
    size_t n = bytes <= 0 ? 0 : (size_t)bytes;
    if (n > source->bytes_in_buffer) n = source->bytes_in_buffer;
    source->next_input_byte += n;
    source->bytes_in_buffer -= n;
}

/* Called between rows of every scan: a cheap file can ask for very many scans. */
static void on_progress(j_common_ptr lib)
{
    struct decoder *d = lib->client_data;
    if (d->lib.input_scan_number <= d->max_scans) return;
    d->status = ge_fail(GE_ELIMIT, "jpeg: more than %d scans; save the picture as baseline JPEG",
                        d->max_scans);
    longjmp(d->escape, 1);
}

static void connect(struct decoder *d, const uint8_t *data, size_t len)
{
    d->lib.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.output_message = on_message;
    d->lib.client_data = d;
    jpeg_create_decompress(&d->lib); /* keeps err and client_data */
    d->source = (struct jpeg_source_mgr){.next_input_byte = data,
                                         .bytes_in_buffer = len,
                                         .init_source = on_source,
                                         .fill_input_buffer = on_empty,
                                         .skip_input_data = on_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = on_source};
    d->lib.src = &d->source;
    d->progress.progress_monitor = on_progress;
    d->lib.progress = &d->progress;
}

/* Pillow's cmyk2rgb on Adobe's inverted samples. */
static void cmyk_row(const uint8_t *in, uint8_t *out, int width)
{
    for (int x = 0; x < width; x++, in += 4, out += 3) {
        int white = in[3];
        for (int c = 0; c < 3; c++) {
            int ink = (255 - in[c]) * white + 128;
            out[c] = (uint8_t)(white - ((ink + (ink >> 8)) >> 8));
        }
    }
}

static void grey_row(const uint8_t *in, uint8_t *out, int width)
{
    for (int x = 0; x < width; x++, out += 3) out[0] = out[1] = out[2] = in[x];
}

static ge_status truncated(const struct decoder *d)
{
    return ge_fail(GE_EFORMAT, "jpeg: the file is truncated: it ends in row %u of %d",
                   d->lib.output_scanline, d->height);
}

/* The next n <= STRIP rows, `stride` bytes apart. */
static ge_status read_rows(struct decoder *d, uint8_t *rgb, size_t stride, int n)
{
    const int width = (int)d->lib.output_width;
    JSAMPROW rows[STRIP];
    for (int i = 0; i < n; i++) rows[i] = d->row != NULL ? d->row : rgb + (size_t)i * stride;
    for (int i = 0; i < n;) {
        int most = d->row != NULL ? 1 : n - i;
        int got = (int)jpeg_read_scanlines(&d->lib, rows + i, (JDIMENSION)most);
        if (got == 0) return truncated(d);
        if (d->components == 1) grey_row(d->row, rgb + (size_t)i * stride, width);
        if (d->components == 4) cmyk_row(d->row, rgb + (size_t)i * stride, width);
        i += got;
    }
    return GE_OK;
}

/* Do not decode columns that the sink does not want; the first one that is decoded. The library
 * cuts at whole blocks, and interpolates colours as if the picture ended there: one block more on
 * either side keeps the wanted columns as they are. In a progressive file the library may smooth
 * blocks with their neighbours, so that one is decoded whole. */
static int crop_columns(struct decoder *d)
{
    JDIMENSION left = 0;
#if defined(LIBJPEG_TURBO_VERSION_NUMBER) && LIBJPEG_TURBO_VERSION_NUMBER >= 2000000
    const JDIMENSION block = (JDIMENSION)(DCTSIZE * d->lib.max_h_samp_factor);
    JDIMENSION end = (JDIMENSION)(d->sink->left + d->sink->columns) + block;
    if (jpeg_has_multiple_scans(&d->lib)) return 0;
    if ((JDIMENSION)d->sink->left > block) left = (JDIMENSION)d->sink->left - block;
    if (end > d->lib.output_width) end = d->lib.output_width;
    JDIMENSION columns = end - left;
    jpeg_crop_scanline(&d->lib, &left, &columns);
#endif
    return (int)left;
}

static ge_status read_to_sink(struct decoder *d)
{
    ge_status rc = GE_OK;
    const struct ge_row_sink *sink = d->sink;
    const int first = crop_columns(d);
    const size_t stride = (size_t)d->lib.output_width * 3;
    for (int y = 0; y < d->height; y += STRIP) {
        int n = d->height - y < STRIP ? d->height - y : STRIP;
        GE_TRY(read_rows(d, d->strip, stride, n));
        sink->put(sink->ctx, d->strip + (size_t)(sink->left - first) * 3, stride, y, n);
    }
done:
    return rc;
}

static ge_status read_picture(struct decoder *d)
{
    ge_status rc = GE_OK;
    const size_t stride = (size_t)d->width * 3;
    for (int y = 0; y < d->height; y += STRIP) {
        int n = d->height - y < STRIP ? d->height - y : STRIP;
        GE_TRY(read_rows(d, d->out->rgb + (size_t)y * stride, stride, n));
    }
done:
    return rc;
}

/* The library's part, under setjmp. */
static ge_status run(struct decoder *d, const uint8_t *data, size_t len)
{
    if (setjmp(d->escape) != 0) return d->status;
    connect(d, data, len);
    int ok = JPEG_HEADER_TABLES_ONLY;
    while (ok == JPEG_HEADER_TABLES_ONLY) ok = jpeg_read_header(&d->lib, FALSE);
    if (ok != JPEG_HEADER_OK) return truncated(d);
    if (d->lib.image_width != (JDIMENSION)d->width ||
        d->lib.image_height != (JDIMENSION)d->height || d->lib.num_components != d->components)
        return ge_fail(GE_EFORMAT, "jpeg: two frame headers that contradict each other");

    d->lib.out_color_space = d->components == 1   ? JCS_GRAYSCALE
                             : d->components == 3 ? JCS_RGB
                                                  : JCS_CMYK;
    d->lib.dct_method = JDCT_ISLOW;
    d->lib.do_fancy_upsampling = TRUE;
    if (!jpeg_start_decompress(&d->lib)) return truncated(d);
    if (d->lib.output_components != d->components)
        return ge_fail(GE_EFORMAT, "jpeg: %d output components, %d wanted",
                       d->lib.output_components, d->components);
    ge_status rc = d->sink != NULL ? read_to_sink(d) : read_picture(d);
    /* Reads on to the end marker. A missing one is accepted, garbage before it is not. */
    if (rc == GE_OK) jpeg_finish_decompress(&d->lib);
    return rc;
}

/* To *out, or to the sink if there is one. */
static ge_status decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                        struct ge_image *out, const struct ge_row_sink *sink, int *orientation)
{
    ge_status rc = GE_OK;
    struct header h = {0};
    struct decoder *d = NULL;
    ge_buf_init(&h.exif, len);

    GE_TRY(read_header(data, len, &h));
    *orientation = ge_orientation((const uint8_t *)h.exif.data, h.exif.len, h.xmp, h.xmp_len);
    GE_TRY(ge_image_check_size("jpeg", (uint64_t)h.width, (uint64_t)h.height, &opt->limits));
    GE_NEW(d, 1);
    d->width = h.width;
    d->height = h.height;
    d->components = h.components;
    d->out = out;
    d->sink = sink;
    d->max_scans = opt->limits.max_scans;
    if (sink == NULL)
        GE_TRY(ge_image_alloc_raw(out, h.width, h.height));
    else
        GE_TRY_PTR(d->strip, ge_realloc(NULL, (size_t)h.width, 3 * STRIP));
    if (h.components != 3) GE_TRY_PTR(d->row, ge_calloc((size_t)h.width, (size_t)h.components));
    rc = run(d, data, len);
    jpeg_destroy_decompress(&d->lib);
done:
    if (d != NULL) {
        free(d->strip);
        free(d->row);
    }
    free(d);
    ge_buf_free(&h.exif);
    return rc;
}

ge_status ge_jpeg_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         struct ge_image *out, int *orientation)
{
    return decode(data, len, opt, out, NULL, orientation);
}

ge_status ge_jpeg_stream(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                         const struct ge_row_sink *sink)
{
    int orientation;
    return decode(data, len, opt, NULL, sink, &orientation);
}

void ge_jpeg_library(struct ge_buf *out)
{
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
    int v = LIBJPEG_TURBO_VERSION_NUMBER; /* the library itself cannot be asked */
    ge_buf_printf(out, "libjpeg-turbo (compiled with %d.%d.%d)", v / 1000000, v / 1000 % 1000,
                  v % 1000);
#else
    ge_buf_printf(out, "libjpeg, not libjpeg-turbo (compiled with API %d)", JPEG_LIB_VERSION);
#endif
}
