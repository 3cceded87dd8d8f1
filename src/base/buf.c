/* Growing byte buffer and the little-endian encodings that messages and the journal use. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_CAP = 64 };

static const uint32_t null_string = 0xFFFFFFFFu; /* the length that stands for NULL */

void ge_buf_init(struct ge_buf *b, size_t max)
{
    *b = (struct ge_buf){.max = max};
}

void ge_buf_free(struct ge_buf *b)
{
    free(b->data);
    ge_buf_init(b, b->max);
}

void ge_buf_reset(struct ge_buf *b)
{
    b->len = 0;
    b->status = GE_OK;
    if (b->data != NULL) b->data[0] = '\0';
}

/* Room for `extra` more bytes and the NUL; false once a failure stuck. */
static int reserve(struct ge_buf *b, size_t extra)
{
    if (b->status != GE_OK) return 0;
    if (b->max == SIZE_MAX) b->max = SIZE_MAX - 1; /* the NUL needs one */
    if (extra > b->max - b->len) {
        b->status = GE_ELIMIT;
        ge_buf_status(b);
        return 0;
    }
    size_t need = b->len + extra + 1;
    if (need <= b->cap) return 1;
    size_t cap = b->cap == 0 ? FIRST_CAP : b->cap;
    while (cap < need) cap = cap > b->max / 2 ? b->max + 1 : 2 * cap;
    char *data = ge_realloc(b->data, cap, 1);
    if (data == NULL) {
        b->status = GE_ENOMEM;
        return 0;
    }
    b->data = data;
    b->cap = cap;
    return 1;
}

void ge_buf_add(struct ge_buf *b, const void *data, size_t len)
{
    if (!reserve(b, len)) return;
    if (len > 0) memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void ge_buf_str(struct ge_buf *b, const char *s)
{
    ge_buf_add(b, s, strlen(s));
}

void ge_buf_char(struct ge_buf *b, char c)
{
    ge_buf_add(b, &c, 1);
}

void ge_buf_vprintf(struct ge_buf *b, const char *fmt, va_list ap)
{
    va_list measure;
    va_copy(measure, ap);
    int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    if (n < 0) {
        if (b->status == GE_OK) b->status = GE_EINTERNAL;
        return;
    }
    if (!reserve(b, (size_t)n)) return;
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void ge_buf_printf(struct ge_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ge_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

/* ---- encodings ------------------------------------------------------------------------------- */

void ge_buf_u8(struct ge_buf *b, uint8_t v)
{
    ge_buf_add(b, &v, 1);
}

static void add_little_endian(struct ge_buf *b, uint64_t v, int bytes)
{
    unsigned char raw[8];
    for (int i = 0; i < bytes; i++) raw[i] = (unsigned char)(v >> (8 * i));
    ge_buf_add(b, raw, (size_t)bytes);
}

void ge_buf_u32(struct ge_buf *b, uint32_t v)
{
    add_little_endian(b, v, 4);
}

void ge_buf_u64(struct ge_buf *b, uint64_t v)
{
    add_little_endian(b, v, 8);
}

void ge_buf_f64(struct ge_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    ge_buf_u64(b, bits);
}

void ge_buf_blob(struct ge_buf *b, const void *data, size_t len)
{
    if (len >= null_string) {
        if (b->status == GE_OK) {
            b->status = ge_fail(GE_ELIMIT, "a field of %zu bytes exceeds 4 GiB", len);
        }
        return;
    }
    ge_buf_u32(b, (uint32_t)len);
    ge_buf_add(b, data, len);
}

void ge_buf_lpstr(struct ge_buf *b, const char *s)
{
    if (s == NULL) {
        ge_buf_u32(b, null_string);
    } else {
        ge_buf_blob(b, s, strlen(s));
    }
}

ge_status ge_buf_status(const struct ge_buf *b)
{
    switch (b->status) {
    case GE_OK:
        return GE_OK;
    case GE_ELIMIT:
        return ge_fail(GE_ELIMIT, "the text or message exceeds its cap of %zu bytes", b->max);
    case GE_ENOMEM:
        return ge_fail(GE_ENOMEM, "out of memory while a buffer of %zu bytes grew", b->len);
    default:
        return ge_fail(b->status, "a value could not be written to a buffer");
    }
}

char *ge_buf_take(struct ge_buf *b, size_t *len)
{
    if (b->status == GE_OK && b->data == NULL) ge_buf_add(b, "", 0);
    if (ge_buf_status(b) != GE_OK) return NULL;
    char *data = b->data;
    if (len != NULL) *len = b->len;
    ge_buf_init(b, b->max);
    return data;
}

/* ---- reader ---------------------------------------------------------------------------------- */

void ge_reader_init(struct ge_reader *r, const void *data, size_t len)
{
    *r = (struct ge_reader){.data = data, .len = len};
}

/* The next n bytes, or NULL on overrun. */
static const unsigned char *take_bytes(struct ge_reader *r, size_t n)
{
    if (r->status != GE_OK) return NULL;
    if (n > r->len - r->pos) {
        r->status = ge_fail(GE_EFORMAT, "message ends early: %zu bytes wanted at byte %zu of %zu",
                            n, r->pos, r->len);
        return NULL;
    }
    const unsigned char *p = r->data + r->pos;
    r->pos += n;
    return p;
}

static uint64_t read_little_endian(struct ge_reader *r, size_t bytes)
{
    const unsigned char *p = take_bytes(r, bytes);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < bytes; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint8_t ge_read_u8(struct ge_reader *r)
{
    return (uint8_t)read_little_endian(r, 1);
}

uint32_t ge_read_u32(struct ge_reader *r)
{
    return (uint32_t)read_little_endian(r, 4);
}

uint64_t ge_read_u64(struct ge_reader *r)
{
    return read_little_endian(r, 8);
}

double ge_read_f64(struct ge_reader *r)
{
    uint64_t bits = ge_read_u64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

const void *ge_read_blob(struct ge_reader *r, size_t *len)
{
    *len = 0;
    uint32_t n = ge_read_u32(r);
    if (r->status != GE_OK || n == null_string) return NULL;
    const void *p = take_bytes(r, n);
    if (p != NULL) *len = n;
    return p;
}

char *ge_read_lpstr(struct ge_reader *r)
{
    size_t len;
    const char *data = ge_read_blob(r, &len);
    if (data == NULL) return NULL;
    if (memchr(data, '\0', len) != NULL) {
        r->status =
            ge_fail(GE_EFORMAT, "a string before byte %zu of a message holds a NUL", r->pos);
        return NULL;
    }
    char *s = ge_strndup(data, len);
    if (s == NULL) r->status = GE_ENOMEM;
    return s;
}

ge_status ge_reader_end(const struct ge_reader *r)
{
    if (r->status == GE_ENOMEM) return ge_fail(GE_ENOMEM, "out of memory while reading a message");
    if (r->status != GE_OK) {
        return ge_fail(r->status, "malformed message: overrun at byte %zu of %zu", r->pos, r->len);
    }
    if (r->pos != r->len) {
        return ge_fail(GE_EFORMAT, "message has %zu bytes after its end at byte %zu",
                       r->len - r->pos, r->pos);
    }
    return GE_OK;
}
