/* PNG. The chunks are walked here, with Pillow's rules; libspng sees a stream put together from
 * the header, the image data and at most two text chunks that can hold an orientation, so other
 * text and profiles never reach it. Palettes and transparency are applied here with Pillow's
 * arithmetic.
 *
 * Stricter than Pillow in two places, so that broken pixels never pass in silence: checksums of
 * image data chunks count, and image data that end early are an error also when they end at the
 * end of a row. */
#include <stdlib.h>
#include <string.h>

#include <spng.h>

#include "base/buf.h"
#include "base/mem.h"
#include "image/decode.h"

enum {
    HEADER_BYTES = 33, /* signature and IHDR chunk */
    TRAILER_BYTES = 12,
    CHUNK_EXTRA = 12, /* length, type, checksum */
    IHDR_BYTES = 13,
    COLOR_GREY = 0,
    COLOR_RGB = 2,
    COLOR_PALETTE = 3,
    COLOR_GREY_ALPHA = 4,
    COLOR_RGBA = 6
};

/* Texts that can hold an orientation: EXIF as ImageMagick writes it, and XMP. */
enum { TEXT_EXIF, TEXT_XMP, TEXTS };
static const char *const text_keys[TEXTS] = {"Raw profile type exif", "XML:com.adobe.xmp"};

struct png {
    const uint8_t *data; /* the file; everything below is borrowed from it */
    size_t len;
    uint32_t width, height;
    int depth, color, interlaced;
    const uint8_t *palette, *trns, *exif; /* NULL if absent */
    size_t palette_len, trns_len, exif_len;
    const uint8_t *text[TEXTS]; /* whole chunks with a keyword of text_keys; NULL if absent */
    size_t text_len[TEXTS];
    size_t image_pos, image_len; /* the run of IDAT chunks; 0 if none was seen */
};

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* CRC-32 of ISO 3309, four bits at a time. */
static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* ---- chunks ------------------------------------------------------------------------------ */

static int is_type(const uint8_t *chunk, const char *type)
{
    return memcmp(chunk + 4, type, 4) == 0;
}

static int is_word(const uint8_t *chunk)
{
    for (int i = 4; i < 8; i++) {
        uint8_t c = chunk[i];
        int word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!word) return 0;
    }
    return 1;
}

static ge_status read_ihdr(struct png *png)
{
    static const char depths[7][6] = {[COLOR_GREY] = {1, 2, 4, 8, 16},
                                      [COLOR_RGB] = {8, 16},
                                      [COLOR_PALETTE] = {1, 2, 4, 8},
                                      [COLOR_GREY_ALPHA] = {8, 16},
                                      [COLOR_RGBA] = {8, 16}};
    const uint8_t *chunk = png->data + 8, *body = chunk + 8;
    if (png->len < HEADER_BYTES)
        return ge_fail(GE_EFORMAT, "png: the file is truncated in its header");
    if (!is_type(chunk, "IHDR") || read_u32(chunk) != IHDR_BYTES)
        return ge_fail(GE_EFORMAT, "png: the first chunk is not an IHDR of 13 bytes");
    if (read_u32(body + IHDR_BYTES) != crc32_of(chunk + 4, 4 + IHDR_BYTES))
        return ge_fail(GE_EFORMAT, "png: byte 29: IHDR has a wrong checksum");
    png->width = read_u32(body);
    png->height = read_u32(body + 4);
    png->depth = body[8];
    png->color = body[9];
    png->interlaced = body[12] != 0;
    if (png->color > COLOR_RGBA || png->depth == 0 ||
        memchr(depths[png->color], png->depth, sizeof depths[0]) == NULL)
        return ge_fail(GE_EFORMAT, "png: bit depth %d with colour type %d is not allowed",
                       png->depth, png->color);
    if (body[10] != 0 || body[11] != 0 || body[12] > 1)
        return ge_fail(GE_EFORMAT, "png: unknown compression, filter or interlace method");
    return GE_OK;
}

/* Remember a text chunk that can hold an orientation; the last one of a kind counts. */
static void text_chunk(const uint8_t *chunk, size_t n, struct png *png)
{
    for (int i = 0; i < TEXTS; i++) {
        size_t key = strlen(text_keys[i]) + 1;
        if (n < key || memcmp(chunk + 8, text_keys[i], key) != 0) continue;
        png->text[i] = chunk;
        png->text_len[i] = n + CHUNK_EXTRA;
    }
}

static ge_status ancillary(const uint8_t *chunk, size_t n, struct png *png)
{
    const uint8_t *body = chunk + 8;
    if (is_type(chunk, "IHDR")) return ge_fail(GE_EFORMAT, "png: a second IHDR chunk");
    if (is_type(chunk, "PLTE")) {
        png->palette = body;
        png->palette_len = n;
    } else if (is_type(chunk, "tRNS")) {
        size_t want = png->color == COLOR_GREY ? 2 : png->color == COLOR_RGB ? 6 : 0;
        if (n < want) return ge_fail(GE_EFORMAT, "png: tRNS of %zu bytes, %zu wanted", n, want);
        png->trns = body;
        png->trns_len = n;
    } else if (is_type(chunk, "eXIf")) {
        png->exif = body;
        png->exif_len = n;
    } else if (is_type(chunk, "tEXt") || is_type(chunk, "zTXt") || is_type(chunk, "iTXt")) {
        text_chunk(chunk, n, png);
    } else if (is_type(chunk, "fcTL")) {
        if (n < 26) return ge_fail(GE_EFORMAT, "png: fcTL of %zu bytes, 26 wanted", n);
        if (png->image_len == 0 &&
            (read_u32(body + 4) != png->width || read_u32(body + 8) != png->height))
            return ge_fail(GE_EUNSUPPORTED,
                           "png: an animation whose first frame does not cover the picture");
    }
    return GE_OK;
}

/* Remember the run of IDAT chunks that starts at `pos`; *next is the position after it. */
static ge_status image_data(struct png *png, size_t pos, size_t *next)
{
    png->image_pos = pos;
    while (png->len - pos >= 8 && is_type(png->data + pos, "IDAT")) {
        size_t n = read_u32(png->data + pos);
        if (png->len - pos < CHUNK_EXTRA || n > png->len - pos - CHUNK_EXTRA)
            return ge_fail(GE_EFORMAT, "png: byte %zu: the file is truncated in its image data",
                           pos);
        pos += n + CHUNK_EXTRA;
    }
    png->image_len = pos - png->image_pos;
    *next = pos;
    return GE_OK;
}

/* Walk all chunks. As in Pillow: before the image data everything must be sound; after it, a
 * missing end is accepted, a chunk that is cut off is not. */
static ge_status read_chunks(struct png *png, uint32_t max_chunk)
{
    ge_status rc = GE_OK;
    size_t pos = HEADER_BYTES;
    for (;;) {
        int after = png->image_len > 0;
        const uint8_t *chunk = png->data + pos;
        if (png->len - pos < 8 || !is_word(chunk)) {
            if (after) return GE_OK;
            return ge_fail(GE_EFORMAT,
                           "png: byte %zu: the file is truncated or broken before its "
                           "image data",
                           pos);
        }
        if (is_type(chunk, "IEND")) break;
        if (is_type(chunk, "IDAT") && !after) {
            GE_TRY(image_data(png, pos, &pos));
            continue;
        }
        size_t n = read_u32(chunk), left = png->len - pos - 8;
        if (n > left || (!after && left - n < 4))
            return ge_fail(GE_EFORMAT, "png: byte %zu: chunk %.4s is truncated", pos, chunk + 4);
        if (n > max_chunk && !is_type(chunk, "IDAT"))
            return ge_fail(GE_ELIMIT, "png: byte %zu: chunk %.4s of %zu bytes, at most %u allowed",
                           pos, chunk + 4, n, max_chunk);
        if (!after && read_u32(chunk + 8 + n) != crc32_of(chunk + 4, 4 + n))
            return ge_fail(GE_EFORMAT, "png: byte %zu: chunk %.4s has a wrong checksum", pos,
                           chunk + 4);
        if (left - n < 4) return GE_OK;
        GE_TRY(ancillary(chunk, n, png));
        pos += n + CHUNK_EXTRA;
    }
    if (png->image_len == 0) return ge_fail(GE_EFORMAT, "png: no image data");
done:
    return rc;
}

ge_status ge_png_probe(const uint8_t *data, size_t len, int *width, int *height)
{
    struct png png = {.data = data, .len = len};
    ge_status rc = read_ihdr(&png);
    if (rc != GE_OK) return rc;
    if (png.width > INT32_MAX || png.height > INT32_MAX)
        return ge_fail(GE_EFORMAT, "png: %u x %u pixels declared, at most 2147483647 wanted",
                       png.width, png.height);
    *width = (int)png.width;
    *height = (int)png.height;
    return GE_OK;
}

/* ---- pixels ------------------------------------------------------------------------------ */

/* A sample of fewer than 8 bits from a packed row. */
static unsigned packed_sample(const uint8_t *row, size_t x, int depth)
{
    size_t bit = x * (size_t)depth;
    return (unsigned)row[bit >> 3] >> (8 - depth - (int)(bit & 7)) & ((1u << depth) - 1);
}

/* Sample i of an 8- or 16-bit row; 16 bits are in the machine's byte order. */
static unsigned wide_sample(const uint8_t *row, size_t i, int depth)
{
    uint16_t v;
    if (depth == 8) return row[i];
    memcpy(&v, row + 2 * i, sizeof v);
    return v;
}

/* Grey in Pillow's modes "1", "L" and "I;16": stretched below 8 bits, clipped above. The
 * transparent value is compared after that, unstretched and cut to 8 bits, as in Pillow. */
static void grey_pixel(const struct png *png, const uint8_t *row, size_t x, unsigned px[4])
{
    static const uint8_t stretch[5] = {[1] = 255, [2] = 85, [4] = 17};
    unsigned v = png->depth < 8 ? packed_sample(row, x, png->depth) * stretch[png->depth]
                                : wide_sample(row, x, png->depth);
    if (v > 255) v = 255;
    px[0] = px[1] = px[2] = v;
    px[3] = 255;
    if (png->trns == NULL) return;
    unsigned hidden = png->trns[1];
    if (png->depth == 1) hidden = (png->trns[0] | png->trns[1]) != 0 ? 255 : 0;
    if (v == hidden) px[3] = 0;
}

/* Entries that the palette lacks are black and opaque. */
static void palette_pixel(const struct png *png, const uint8_t *row, size_t x, unsigned px[4])
{
    size_t i = png->depth < 8 ? packed_sample(row, x, png->depth) : row[x];
    for (size_t c = 0; c < 3; c++) px[c] = i < png->palette_len / 3 ? png->palette[3 * i + c] : 0;
    px[3] = i < png->trns_len ? png->trns[i] : 255;
}

static void rgb_pixel(const struct png *png, const uint8_t *row, size_t x, unsigned px[4])
{
    int shift = png->depth - 8, hidden = png->trns != NULL;
    for (size_t c = 0; c < 3; c++) {
        px[c] = wide_sample(row, 3 * x + c, png->depth) >> shift;
        hidden = hidden && px[c] == png->trns[2 * c + 1];
    }
    px[3] = hidden ? 0 : 255;
}

static void alpha_pixel(const struct png *png, const uint8_t *row, size_t x, unsigned px[4])
{
    int shift = png->depth - 8;
    size_t channels = png->color == COLOR_RGBA ? 4 : 2;
    for (size_t c = 0; c < 3; c++)
        px[c] = wide_sample(row, channels * x + (channels == 4 ? c : 0), png->depth) >> shift;
    px[3] = wide_sample(row, channels * x + channels - 1, png->depth) >> shift;
}

static void convert_row(const struct png *png, const uint8_t *row, int over_white, uint8_t *rgb)
{
    if (png->color == COLOR_RGB && png->depth == 8 && png->trns == NULL) {
        memcpy(rgb, row, (size_t)png->width * 3);
        return;
    }
    for (size_t x = 0; x < png->width; x++, rgb += 3) {
        unsigned px[4];
        if (png->color == COLOR_GREY)
            grey_pixel(png, row, x, px);
        else if (png->color == COLOR_PALETTE)
            palette_pixel(png, row, x, px);
        else if (png->color == COLOR_RGB)
            rgb_pixel(png, row, x, px);
        else
            alpha_pixel(png, row, x, px);
        for (int c = 0; c < 3; c++)
            rgb[c] = over_white ? ge_over_white(px[c], px[3]) : (uint8_t)px[c];
    }
}

/* ---- libspng ----------------------------------------------------------------------------- */

/* The stream that libspng reads: parts of the file, one after the other. */
struct stream {
    uint8_t header[HEADER_BYTES];
    struct {
        const uint8_t *data;
        size_t len;
    } part[3 + TEXTS];
    int parts, at;
};

static void stream_add(struct stream *s, const uint8_t *data, size_t len)
{
    if (len == 0) return;
    s->part[s->parts].data = data;
    s->part[s->parts].len = len;
    s->parts++;
}

static void stream_init(struct stream *s, const struct png *png)
{
    static const uint8_t trailer[TRAILER_BYTES] = {0,   0,   0,    0,    'I',  'E',
                                                   'N', 'D', 0xae, 0x42, 0x60, 0x82};
    s->parts = s->at = 0;
    memcpy(s->header, png->data, HEADER_BYTES);
    if (png->color == COLOR_PALETTE) { /* the same data layout, but no palette is wanted */
        s->header[25] = COLOR_GREY;
        write_u32(s->header + 29, crc32_of(s->header + 12, 4 + IHDR_BYTES));
    }
    stream_add(s, s->header, HEADER_BYTES);
    for (int i = 0; i < TEXTS; i++) stream_add(s, png->text[i], png->text_len[i]);
    stream_add(s, png->data + png->image_pos, png->image_len);
    stream_add(s, trailer, TRAILER_BYTES);
}

static int stream_read(spng_ctx *spng, void *user, void *to, size_t n)
{
    struct stream *s = user;
    (void)spng;
    while (n > 0 && s->at < s->parts) {
        size_t part = n < s->part[s->at].len ? n : s->part[s->at].len;
        memcpy(to, s->part[s->at].data, part);
        to = (uint8_t *)to + part;
        s->part[s->at].data += part;
        s->part[s->at].len -= part;
        n -= part;
        if (s->part[s->at].len == 0) s->at++;
    }
    return n == 0 ? 0 : SPNG_IO_EOF;
}

static ge_status spng_status(int code)
{
    if (code == 0) return GE_OK;
    if (code == SPNG_EMEM) return ge_fail(GE_ENOMEM, "png: out of memory");
    if (code == SPNG_ECHUNK_LIMITS) return ge_fail(GE_ELIMIT, "png: a text chunk is too large");
    return ge_fail(GE_EFORMAT, "png: the image data are broken or truncated: %s",
                   spng_strerror(code));
}

/* All rows at once for an interlaced file, one at a time otherwise. */
static ge_status read_pixels(const struct png *png, spng_ctx *spng, int over_white,
                             struct ge_image *out)
{
    ge_status rc = GE_OK;
    uint8_t *rows = NULL;
    size_t size, row_len, row_rgb = (size_t)png->width * 3;
    GE_TRY(spng_status(spng_decoded_image_size(spng, SPNG_FMT_PNG, &size)));
    row_len = size / png->height;
    GE_NEW(rows, png->interlaced ? size : row_len);
    if (png->interlaced) {
        GE_TRY(spng_status(spng_decode_image(spng, rows, size, SPNG_FMT_PNG, 0)));
    } else {
        GE_TRY(
            spng_status(spng_decode_image(spng, NULL, 0, SPNG_FMT_PNG, SPNG_DECODE_PROGRESSIVE)));
    }
    for (uint32_t y = 0; y < png->height; y++) {
        uint8_t *row = png->interlaced ? rows + (size_t)y * row_len : rows;
        if (!png->interlaced) {
            int code = spng_decode_row(spng, row, row_len);
            int last = y + 1 == png->height;
            if (!(last && code == SPNG_EOI)) GE_TRY(spng_status(code));
        }
        convert_row(png, row, over_white, out->rgb + (size_t)y * row_rgb);
    }
done:
    free(rows);
    return rc;
}

/* Bytes of the hexadecimal digits after the third line break, as ImageMagick writes a profile:
 * in place, into `text`. Their number; 0 if anything else stands there. */
static size_t raw_profile(char *text, size_t len)
{
    size_t pos = 0, n = 0;
    unsigned value = 0;
    for (int lines = 0; lines < 3; pos++) {
        if (pos >= len) return 0;
        lines += text[pos] == '\n';
    }
    for (size_t digits = 0; pos < len; pos++) {
        char c = text[pos];
        if (c == '\n' || c == ' ') continue;
        if (c >= '0' && c <= '9')
            value = value << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (unsigned)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value << 4 | (unsigned)(c - 'A' + 10);
        else
            return 0;
        if (++digits % 2 == 0) text[n++] = (char)value;
    }
    return n;
}

/* An eXIf chunk comes before EXIF as text, and that before XMP. */
static ge_status read_orientation(const struct png *png, spng_ctx *spng, int *orientation)
{
    ge_status rc = GE_OK;
    struct spng_text text[TEXTS];
    uint32_t n = 0;
    const uint8_t *exif = png->exif, *xmp = NULL;
    size_t exif_len = png->exif_len, xmp_len = 0;
    int code = SPNG_ECHUNKAVAIL;
    if (png->text[TEXT_EXIF] != NULL || png->text[TEXT_XMP] != NULL)
        code = spng_get_text(spng, NULL, &n);
    if (code != SPNG_ECHUNKAVAIL) GE_TRY(spng_status(code));
    if (n > TEXTS) return ge_fail(GE_EINTERNAL, "png: %u texts from %d chunks", n, TEXTS);
    if (n > 0) GE_TRY(spng_status(spng_get_text(spng, text, &n)));
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(text[i].keyword, text_keys[TEXT_XMP]) == 0) {
            xmp = (const uint8_t *)text[i].text;
            xmp_len = text[i].length;
        } else if (exif == NULL) {
            exif = (const uint8_t *)text[i].text;
            exif_len = raw_profile(text[i].text, text[i].length);
        }
    }
    *orientation = ge_orientation(exif, exif_len, xmp, xmp_len);
done:
    return rc;
}

ge_status ge_png_decode(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                        struct ge_image *out, int *orientation)
{
    ge_status rc = GE_OK;
    struct png png = {.data = data, .len = len};
    struct stream stream;
    spng_ctx *spng = NULL;

    GE_TRY(read_ihdr(&png));
    GE_TRY(ge_image_check_size("png", png.width, png.height, &opt->limits));
    GE_TRY(read_chunks(&png, opt->limits.max_chunk));
    GE_TRY(ge_image_alloc(out, (int)png.width, (int)png.height));

    spng = spng_ctx_new(0);
    if (spng == NULL) GE_TRY(spng_status(SPNG_EMEM));
    stream_init(&stream, &png);
    GE_TRY(spng_status(
        spng_set_chunk_limits(spng, opt->limits.max_chunk, 2 * (size_t)opt->limits.max_chunk)));
    GE_TRY(spng_status(spng_set_png_stream(spng, stream_read, &stream)));
    GE_TRY(read_orientation(&png, spng, orientation));
    rc = read_pixels(&png, spng, opt->alpha == GE_ALPHA_WHITE, out);
done:
    spng_ctx_free(spng);
    return rc;
}

void ge_png_library(struct ge_buf *out)
{
    ge_buf_printf(out, "libspng %s (compiled with %d.%d.%d)", spng_version_string(),
                  SPNG_VERSION_MAJOR, SPNG_VERSION_MINOR, SPNG_VERSION_PATCH);
}
