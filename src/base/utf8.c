/* UTF-8 after the table of well-formed sequences (Unicode standard, table 3-7). */
#include "base/utf8.h"

#include <string.h>

static int continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

int32_t ge_utf8_decode(const char *s, size_t len, size_t *n)
{
    const unsigned char *u = (const unsigned char *)s;
    *n = 1;
    if (u[0] < 0x80) return u[0];
    if (u[0] < 0xc2 || u[0] > 0xf4) return -1; /* continuation, overlong or beyond U+10FFFF */
    size_t length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (len < length) return -1;
    uint32_t cp = u[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!continuation(u[i])) return -1;
        cp = cp << 6 | (u[i] & 0x3fu);
    }
    if (length == 3 && (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff))) return -1;
    if (length == 4 && (cp < 0x10000 || cp > 0x10ffff)) return -1;
    *n = length;
    return (int32_t)cp;
}

size_t ge_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

size_t ge_utf8_valid(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint64_t word; /* eight ASCII bytes at once */
        while (len - i >= sizeof word) {
            memcpy(&word, s + i, sizeof word);
            if ((word & 0x8080808080808080u) != 0) break;
            i += sizeof word;
        }
        if (i == len) break;
        size_t n;
        if (ge_utf8_decode(s + i, len - i, &n) < 0) break;
        i += n;
    }
    return i;
}
