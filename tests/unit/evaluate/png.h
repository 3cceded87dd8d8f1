/* A PNG file of 8-bit RGB pixels, uncompressed, so that a test can say what is in a picture. */
#ifndef GE_TESTS_EVALUATE_PNG_H
#define GE_TESTS_EVALUATE_PNG_H

#include "base/buf.h"
#include "base/fs.h"
#include "test.h"

static inline void png_u32(struct ge_buf *b, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8) ge_buf_u8(b, (uint8_t)(v >> shift));
}

static inline void png_chunk(struct ge_buf *b, const char *type, const void *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    png_u32(b, (uint32_t)len);
    size_t start = b->len;
    ge_buf_add(b, type, 4);
    ge_buf_add(b, data, len);
    assert_ok(ge_buf_status(b));
    for (size_t i = start; i < b->len; i++) {
        crc ^= (uint8_t)b->data[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    png_u32(b, ~crc);
}

/* One stored block of deflate: at most 65535 bytes of lines, each behind a filter byte 0. */
static inline void png_write(const char *path, int width, int height, const uint8_t *rgb)
{
    struct ge_buf file, z, header;
    uint32_t low = 1, high = 0; /* Adler-32 */
    size_t line = 3 * (size_t)width, len = (line + 1) * (size_t)height;
    assert_true(len <= UINT16_MAX);
    ge_buf_init(&file, 1 << 20);
    ge_buf_init(&z, 1 << 20);
    ge_buf_init(&header, 64);
    ge_buf_add(&z, "\x78\x01\x01", 3);
    const uint8_t lengths[] = {len & 255, len >> 8 & 255, ~len & 255, ~len >> 8 & 255};
    ge_buf_add(&z, lengths, 4);
    for (size_t i = 0; i < len; i++) {
        size_t x = i % (line + 1), y = i / (line + 1);
        uint8_t byte = x == 0 ? 0 : rgb[y * line + x - 1];
        ge_buf_u8(&z, byte);
        low = (low + byte) % 65521;
        high = (high + low) % 65521;
    }
    png_u32(&z, high << 16 | low);
    png_u32(&header, (uint32_t)width);
    png_u32(&header, (uint32_t)height);
    ge_buf_add(&header, "\x08\x02\0\0", 5);
    ge_buf_add(&file, "\x89PNG\r\n\x1a\n", 8);
    png_chunk(&file, "IHDR", header.data, header.len);
    png_chunk(&file, "IDAT", z.data, z.len);
    png_chunk(&file, "IEND", "", 0);
    assert_ok(ge_fs_replace(path, file.data, file.len));
    ge_buf_free(&file);
    ge_buf_free(&z);
    ge_buf_free(&header);
}

#endif
