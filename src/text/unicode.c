#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/unicode_tables.h"

enum { CLASS_BITS = 11, REPLACEMENT = 0xFFFD };

/* ---- classes ------------------------------------------------------------------------------ */

static unsigned look_up(const uint32_t *rows, const uint16_t *blocks, uint32_t cp)
{
    /* The last row that begins in an earlier block, to the last one that begins in this block. */
    size_t low = blocks[cp >> 8], high = (size_t)blocks[(cp >> 8) + 1] + 1;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (rows[mid] >> CLASS_BITS <= cp) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return rows[low] & ((1u << CLASS_BITS) - 1);
}

unsigned ge_unicode_class(uint32_t cp)
{
    return look_up(ge_unicode_classes, ge_unicode_blocks, cp);
}

unsigned ge_unicode_more(uint32_t cp)
{
    return look_up(ge_unicode_more_classes, ge_unicode_more_blocks, cp);
}

bool ge_unicode_is_cjk(uint32_t cp)
{
    static const uint32_t ranges[][2] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                         {0x20000, 0x2A6DF}, {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF},
                                         {0x2F800, 0x2FA1F}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (cp < ranges[i][0]) return false;
        if (cp <= ranges[i][1]) return true;
    }
    return false;
}

size_t ge_unicode_lower_of(uint32_t cp, uint32_t out[2])
{
    out[0] = cp;
    if (cp < 0x80) {
        if (cp >= 'A' && cp <= 'Z') out[0] = cp + ('a' - 'A');
        return 1;
    }
    if (cp == 0x130) { /* İ becomes i and a combining dot above */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    size_t low = 0, high = ge_unicode_n_lower;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct ge_unicode_lower *row = &ge_unicode_lower[mid];
        if (cp > row->last) {
            low = mid + 1;
        } else if (cp < row->first) {
            high = mid;
        } else {
            if ((cp - row->first) % row->step == 0) {
                out[0] = (uint32_t)((int32_t)cp + row->delta);
            }
            break;
        }
    }
    return 1;
}

/* ---- UTF-8 -------------------------------------------------------------------------------- */

uint32_t ge_unicode_at(const char *s, size_t len, size_t *n)
{
    if ((unsigned char)s[0] < 0x80) {
        *n = 1;
        return (unsigned char)s[0];
    }
    int32_t cp = ge_utf8_decode(s, len, n);
    return cp < 0 ? REPLACEMENT : (uint32_t)cp;
}

void ge_unicode_put(struct ge_buf *out, uint32_t cp)
{
    char bytes[4];
    ge_buf_add(out, bytes, ge_utf8_encode(cp, bytes));
}

void ge_unicode_sanitize(const char *s, size_t len, struct ge_buf *out)
{
    while (len > 0 && out->status == GE_OK) {
        size_t valid = ge_utf8_valid(s, len);
        ge_buf_add(out, s, valid);
        s += valid;
        len -= valid;
        if (len > 0) {
            ge_unicode_put(out, REPLACEMENT);
            s++;
            len--;
        }
    }
}

size_t ge_unicode_trimmed(const char *s, size_t len)
{
    while (len > 0) {
        size_t begin = len - 1, n;
        while (begin > 0 && ((unsigned char)s[begin] & 0xC0) == 0x80) begin--;
        uint32_t cp = ge_unicode_at(s + begin, len - begin, &n);
        if (!(ge_unicode_class(cp) & GE_CHAR_SPACE)) break;
        len = begin;
    }
    return len;
}

/* ---- bytes as characters ------------------------------------------------------------------ */

static uint32_t byte_symbol(unsigned byte)
{
    if (byte <= 0x20) return 0x100 + byte;
    if (byte <= 0x7E) return byte;
    if (byte <= 0xA0) return 0x100 + 33 + (byte - 0x7F);
    return byte == 0xAD ? 0x143 : byte;
}

void ge_unicode_show_bytes(const char *s, size_t len, struct ge_buf *out)
{
    size_t kept = 0; /* s[kept, k) stands for itself and is still to be copied */
    for (size_t k = 0; k < len; k++) {
        unsigned byte = (unsigned char)s[k];
        if (byte > 0x20 && byte < 0x7F) continue;
        ge_buf_add(out, s + kept, k - kept);
        ge_unicode_put(out, byte_symbol(byte));
        kept = k + 1;
    }
    ge_buf_add(out, s + kept, len - kept);
}

bool ge_unicode_shown_byte(uint32_t cp, unsigned char *byte)
{
    if (cp >= 0x100) {
        uint32_t k = cp - 0x100;
        if (k > 67) return false;
        *byte = (unsigned char)(k <= 0x20 ? k : k < 67 ? 0x7F + (k - 33) : 0xAD);
        return true;
    }
    *byte = (unsigned char)cp;
    return byte_symbol(cp) == cp;
}

/* ---- mappings by code point --------------------------------------------------------------- */

/* Stretches that stay as they are go out in one piece: [kept, i) is waiting. */
void ge_unicode_lowercase(const char *s, size_t len, struct ge_buf *out)
{
    size_t n, kept = 0;
    for (size_t i = 0; i < len && out->status == GE_OK; i += n) {
        uint32_t low[2], cp = ge_unicode_at(s + i, len - i, &n);
        if (cp < 0x80 && !(cp >= 'A' && cp <= 'Z')) continue;
        size_t count = ge_unicode_lower_of(cp, low);
        if (count == 1 && low[0] == cp) continue;
        ge_buf_add(out, s + kept, i - kept);
        for (size_t k = 0; k < count; k++) ge_unicode_put(out, low[k]);
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
}

void ge_unicode_strip_marks(const char *s, size_t len, struct ge_buf *out)
{
    size_t n, kept = 0;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (cp < 0x300 || !(ge_unicode_class(cp) & GE_CHAR_MARK)) continue;
        ge_buf_add(out, s + kept, i - kept);
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
}

void ge_unicode_strip_combining(const char *s, size_t len, struct ge_buf *out)
{
    size_t n, kept = 0;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (cp < 0x300 || !(ge_unicode_more(cp) & GE_MORE_COMBINING)) continue;
        ge_buf_add(out, s + kept, i - kept);
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
}

void ge_unicode_library(struct ge_buf *out)
{
    ge_buf_printf(out, "utf8proc %s (compiled with %d.%d.%d)", utf8proc_version(),
                  UTF8PROC_VERSION_MAJOR, UTF8PROC_VERSION_MINOR, UTF8PROC_VERSION_PATCH);
}
