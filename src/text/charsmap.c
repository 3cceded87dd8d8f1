#include "text/charsmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#define MAX_BYTES ((size_t)64 << 20)
enum { BLOCK = 256 };

/* A unit of the trie. Bit 31: a leaf, whose lower bits are an offset among the replacements. Others:
 * bits 0…7 label, bit 8: a rule ends here, the rest: distance to the children, whose places differ
 * from each other in the lowest byte. */
#define LEAF (UINT32_C(1) << 31)

static uint32_t distance(uint32_t unit)
{
    return (unit >> 10) << ((unit & UINT32_C(1) << 9) >> 6);
}

static uint32_t label(uint32_t unit)
{
    return unit & (LEAF | 0xFF);
}

static bool ends_rule(uint32_t unit)
{
    return (unit >> 8 & 1) != 0;
}

/* Byte i continues a character. */
static bool is_inside(const char *s, size_t i)
{
    return ((unsigned char)s[i] & 0xC0) == 0x80;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Every place that looking up can reach lies within the trie: the blocks that distances lead to
 * exist, and what a leaf points at does. */
static ge_status check(const struct charsmap *m)
{
    for (size_t i = 0; i < m->n_units; i++) {
        uint32_t unit = m->units[i];
        if (unit & LEAF) {
            const uint32_t offset = unit & ~LEAF;
            if (offset >= m->texts_len || is_inside(m->texts, offset)) {
                return ge_fail(GE_EFORMAT,
                               "precompiled charsmap: unit %zu points at byte %u of %zu, which is "
                               "not there or inside a character",
                               i, (unsigned)offset, m->texts_len);
            }
        } else if ((i ^ distance(unit)) >= m->n_units) {
            return ge_fail(GE_EFORMAT, "precompiled charsmap: unit %zu points at unit %zu of %zu",
                           i, (size_t)(i ^ distance(unit)), m->n_units);
        } else if (ends_rule(unit) && !(m->units[i ^ distance(unit)] & LEAF)) {
            return ge_fail(GE_EFORMAT, "precompiled charsmap: the rule at unit %zu has no value",
                           i);
        }
    }
    if (ge_utf8_valid(m->texts, m->texts_len) != m->texts_len) {
        return ge_fail(GE_EFORMAT, "precompiled charsmap: a replacement is not UTF-8");
    }
    return GE_OK;
}

static uint32_t read_u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

ge_status ge_charsmap_read(struct charsmap *m, const void *data, size_t len)
{
    ge_status rc = GE_OK;
    const unsigned char *bytes = data;
    *m = (struct charsmap){0};
    if (len > MAX_BYTES) {
        return ge_fail(GE_ELIMIT, "precompiled charsmap: %zu bytes, at most %zu are read", len,
                       MAX_BYTES);
    }
    size_t trie = len < 4 ? 0 : read_u32(bytes);
    if (trie == 0 || trie % (4 * BLOCK) != 0 || trie >= len - 4 || bytes[len - 1] != '\0') {
        return ge_fail(GE_EFORMAT,
                       "precompiled charsmap: %zu bytes with a trie of %zu, wanted a trie of whole "
                       "blocks of %d bytes and NUL-terminated replacements",
                       len, trie, 4 * BLOCK);
    }
    m->n_units = trie / 4;
    m->texts_len = len - 4 - trie;
    GE_NEW(m->units, m->n_units);
    GE_NEW(m->texts, m->texts_len);
    for (size_t i = 0; i < m->n_units; i++) m->units[i] = read_u32(bytes + 4 + 4 * i);
    memcpy(m->texts, bytes + 4 + trie, m->texts_len);
    GE_TRY(check(m));
    for (uint32_t c = 1; c < 128; c++) {
        m->ascii[c] = label(m->units[distance(m->units[0]) ^ c]) == c;
    }
done:
    if (rc != GE_OK) ge_charsmap_free(m);
    return rc;
}

static int base64_digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ge_status ge_charsmap_read_base64(struct charsmap *m, const char *text)
{
    ge_status rc = GE_OK;
    unsigned char *bytes = NULL;
    size_t n = strlen(text), len = 0;
    uint32_t bits = 0;
    *m = (struct charsmap){0};
    size_t digits = n - (n > 0 && text[n - 1] == '=') - (n > 1 && text[n - 2] == '=');
    GE_NEW(bytes, n / 4 * 3 + 3);
    for (size_t i = 0; i < digits; i++) {
        int digit = base64_digit((unsigned char)text[i]);
        if (digit < 0 || n % 4 != 0) {
            rc = ge_fail(GE_EFORMAT, "precompiled charsmap: byte %zu is not base64", i);
            goto done;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) bytes[len++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    rc = ge_charsmap_read(m, bytes, len);
done:
    free(bytes);
    return rc;
}

void ge_charsmap_free(struct charsmap *m)
{
    free(m->units);
    free(m->texts);
    *m = (struct charsmap){0};
}

/* ---- looking up --------------------------------------------------------------------------- */

static const char *find(const struct charsmap *m, const char *s, size_t len, bool longest,
                        size_t *match)
{
    const char *text = NULL;
    if (m->units == NULL) return NULL;
    uint32_t at = distance(m->units[0]);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        at ^= c;
        uint32_t unit = m->units[at];
        if (label(unit) != c || c == 0) break;
        at ^= distance(unit);
        if (ends_rule(unit) && (i + 1 == len || !longest || !is_inside(s, i + 1))) {
            text = m->texts + (m->units[at] & ~LEAF);
            *match = i + 1;
            if (!longest) break;
        }
    }
    return text;
}

const char *ge_charsmap_longest(const struct charsmap *m, const char *s, size_t len, size_t *match)
{
    return find(m, s, len, true, match);
}

const char *ge_charsmap_shortest(const struct charsmap *m, const char *s, size_t len, size_t *match)
{
    return find(m, s, len, false, match);
}
