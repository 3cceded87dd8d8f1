/* Which way up: the orientation note of EXIF and XMP, and the eight turns of a picture. */
#include <string.h>

#include "image/decode.h"

/* TIFF integers in the block's byte order. */
struct tiff {
    const uint8_t *data;
    size_t len;
    int big_endian;
};

static uint32_t read_uint(const struct tiff *t, size_t pos, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | t->data[t->big_endian ? pos + (size_t)i : pos + (size_t)(bytes - 1 - i)];
    return v;
}

/* Bytes of one value of a TIFF integer type; 0 for the others, BYTE among them: Pillow reads that
 * one as a string, which is no orientation. */
static int integer_bytes(uint32_t type)
{
    switch (type) {
    case 6: /* SBYTE */
        return 1;
    case 3: /* SHORT */
    case 8: /* SSHORT */
        return 2;
    case 4:  /* LONG */
    case 9:  /* SLONG */
    case 13: /* IFD */
        return 4;
    default:
        return 0;
    }
}

/* Tag 0x0112 of the first directory; 0 if absent or malformed. The last entry counts when there
 * are several, as in Pillow. */
static uint32_t tiff_orientation(const struct tiff *t)
{
    enum { HEADER = 8, ENTRY = 12, TAG_ORIENTATION = 0x0112 };
    size_t pos = read_uint(t, 4, 4);
    uint32_t found = 0;
    if (pos > t->len || t->len - pos < 2) return 0;
    uint32_t entries = read_uint(t, pos, 2);
    pos += 2;
    for (uint32_t i = 0; i < entries && t->len - pos >= ENTRY; i++, pos += ENTRY) {
        int bytes = integer_bytes(read_uint(t, pos + 2, 2));
        if (read_uint(t, pos, 2) != TAG_ORIENTATION || bytes == 0) continue;
        if (read_uint(t, pos + 4, 4) == 1) found = read_uint(t, pos + 8, bytes);
    }
    return found;
}

static uint32_t exif_orientation(const uint8_t *exif, size_t len)
{
    for (int i = 0; i < 2 && len >= 6 && memcmp(exif, "Exif\0\0", 6) == 0; i++) {
        exif += 6;
        len -= 6;
    }
    if (len < 8) return 0;
    struct tiff t = {.data = exif, .len = len, .big_endian = exif[0] == 'M'};
    if (memcmp(exif, "II", 2) != 0 && memcmp(exif, "MM", 2) != 0) return 0;
    if (read_uint(&t, 2, 2) != 42) return 0;
    return tiff_orientation(&t);
}

/* The first tiff:Orientation="N" or <tiff:Orientation>N; 0 if there is none. */
static uint32_t xmp_orientation(const uint8_t *xmp, size_t len)
{
    static const char name[] = "tiff:Orientation";
    const size_t n = sizeof name - 1;
    for (size_t i = 0; i + n < len; i++) {
        if (xmp[i] != 't' || memcmp(xmp + i, name, n) != 0) continue;
        size_t pos = i + n;
        if (len - pos >= 3 && xmp[pos] == '=' && xmp[pos + 1] == '"')
            pos += 2;
        else if (len - pos >= 2 && xmp[pos] == '>')
            pos += 1;
        else
            continue;
        if (xmp[pos] >= '0' && xmp[pos] <= '9') return (uint32_t)(xmp[pos] - '0');
    }
    return 0;
}

int ge_orientation(const uint8_t *exif, size_t exif_len, const uint8_t *xmp, size_t xmp_len)
{
    uint32_t v = exif_orientation(exif, exif_len);
    if (v == 0) v = xmp_orientation(xmp, xmp_len);
    return v >= 1 && v <= 8 ? (int)v : 1;
}

ge_status ge_image_turn(struct ge_image *image, int orientation)
{
    const int w = image->width, h = image->height;
    struct ge_image out = {0};
    if (orientation <= 1 || orientation > 8) return GE_OK;
    int swapped = orientation >= 5;
    ge_status rc = ge_image_alloc_raw(&out, swapped ? h : w, swapped ? w : h);
    if (rc != GE_OK) return rc;

    /* Column and row of the source for output pixel (0, 0), and their steps along an output row
     * and column, in bytes. */
    ptrdiff_t px = 3, row = (ptrdiff_t)w * 3;
    int from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    ptrdiff_t start =
        (from_right ? (ptrdiff_t)(w - 1) * px : 0) + (from_bottom ? (ptrdiff_t)(h - 1) * row : 0);
    ptrdiff_t step_x = from_right ? -px : px, step_y = from_bottom ? -row : row;
    ptrdiff_t along = swapped ? step_y : step_x, down = swapped ? step_x : step_y;

    uint8_t *to = out.rgb;
    for (int y = 0; y < out.height; y++) {
        ptrdiff_t from = start + (ptrdiff_t)y * down;
        for (int x = 0; x < out.width; x++, to += 3, from += along)
            memcpy(to, image->rgb + from, 3);
    }
    ge_image_free(image);
    *image = out;
    return GE_OK;
}
