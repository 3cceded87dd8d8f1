/* A growing byte buffer with a hard size cap; the one way to build strings and messages.
 *
 * The first failure sticks (out of memory or cap): later calls do nothing, so a writer can append
 * freely and check once with ge_buf_status(). Content is always NUL-terminated. Local. */
#ifndef GE_BASE_BUF_H
#define GE_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_buf {
    char *data; /* owned; NULL while empty, otherwise NUL-terminated */
    size_t len; /* bytes used, without the NUL */
    size_t cap; /* bytes allocated */
    size_t max; /* cap on len */
    ge_status status;
};

/* An empty buffer that holds at most `max` bytes. Allocates nothing. */
void ge_buf_init(struct ge_buf *b, size_t max);
void ge_buf_free(struct ge_buf *b);  /* back to empty; the cap is kept */
void ge_buf_reset(struct ge_buf *b); /* len 0, status GE_OK, memory kept */

void ge_buf_add(struct ge_buf *b, const void *data, size_t len);
void ge_buf_str(struct ge_buf *b, const char *s);
void ge_buf_char(struct ge_buf *b, char c);
void ge_buf_printf(struct ge_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ge_buf_vprintf(struct ge_buf *b, const char *fmt, va_list ap);

/* Little-endian fixed-width integers and IEEE bits: the wire and journal forms. A string or blob
 * is a u32 length followed by the bytes; a NULL string is length 0xFFFFFFFF. */
void ge_buf_u8(struct ge_buf *b, uint8_t v);
void ge_buf_u32(struct ge_buf *b, uint32_t v);
void ge_buf_u64(struct ge_buf *b, uint64_t v);
void ge_buf_f64(struct ge_buf *b, double v);
void ge_buf_blob(struct ge_buf *b, const void *data, size_t len);
void ge_buf_lpstr(struct ge_buf *b, const char *s);

/* GE_OK, or the first failure (message set again for this thread). */
ge_status ge_buf_status(const struct ge_buf *b);

/* Hand the content to the caller (free() it; "" if empty); the buffer is empty again.
 * NULL if a failure stuck. *len may be NULL. */
char *ge_buf_take(struct ge_buf *b, size_t *len);

/* Reader over the same encodings. The first overrun sticks as GE_EFORMAT; later reads give 0. */
struct ge_reader {
    const unsigned char *data; /* borrowed */
    size_t len, pos;
    ge_status status;
};
void ge_reader_init(struct ge_reader *r, const void *data, size_t len);
uint8_t ge_read_u8(struct ge_reader *r);
uint32_t ge_read_u32(struct ge_reader *r);
uint64_t ge_read_u64(struct ge_reader *r);
double ge_read_f64(struct ge_reader *r);

/* A blob in place: borrowed pointer into the reader's data, its length in *len. NULL on overrun
 * or for a NULL string. */
const void *ge_read_blob(struct ge_reader *r, size_t *len);

/* A length-prefixed string as an owned, NUL-terminated copy; NULL for a NULL string, on overrun
 * (status GE_EFORMAT) or when out of memory (status GE_ENOMEM). */
char *ge_read_lpstr(struct ge_reader *r);

/* GE_OK if all reads succeeded and nothing is left; GE_EFORMAT (message set) otherwise. */
ge_status ge_reader_end(const struct ge_reader *r);

#endif
