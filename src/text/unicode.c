#include "text/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/unicode_tables.h"

enum { CLASS_BITS = 11, REPLACEMENT = 0xFFFD };

/* ---- classes ------------------------------------------------------------------------------ */

unsigned ge_unicode_class(uint32_t cp)
{
    /* The last row that begins in an earlier block, to the last one that begins in this block. */
    size_t low = ge_unicode_blocks[cp >> 8], high = (size_t)ge_unicode_blocks[(cp >> 8) + 1] + 1;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (ge_unicode_classes[mid] >> CLASS_BITS <= cp) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return ge_unicode_classes[low] & ((1u << CLASS_BITS) - 1);
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

/* ---- normal forms ------------------------------------------------------------------------- */

/* Decomposed code points of one stretch of text. */
struct stretch {
    int32_t *cp;
    size_t n, cap;
    int32_t *sorted; /* scratch for the sort, of cap elements */
    size_t sorted_cap;
};

static void stretch_free(struct stretch *st)
{
    free(st->cp);
    free(st->sorted);
}

static unsigned combining_class(int32_t cp)
{
    return (unsigned)utf8proc_get_property(cp)->combining_class;
}

static ge_status decompose(struct stretch *st, uint32_t cp)
{
    enum { MOST = 8 }; /* the longest canonical decomposition has 4 code points */
    ge_status rc = GE_OK;
    utf8proc_int32_t parts[MOST];
    utf8proc_ssize_t n =
        utf8proc_decompose_char((utf8proc_int32_t)cp, parts, MOST, UTF8PROC_DECOMPOSE, NULL);
    if (n < 0 || n > MOST) {
        return ge_fail(GE_EINTERNAL, "utf8proc cannot decompose U+%04X", (unsigned)cp);
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        GE_GROW(st->cp, st->n, st->cap);
        st->cp[st->n++] = parts[i];
    }
done:
    return rc;
}

/* Sort each run of marks by combining class, equal ones in their old order (counting sort over
 * the classes that occur; utf8proc's own insertion sort is quadratic on a long run). */
static ge_status sort_marks(struct stretch *st)
{
    ge_status rc = GE_OK;
    size_t i = 0;
    while (i < st->n) {
        if (combining_class(st->cp[i]) == 0) {
            i++;
            continue;
        }
        size_t count[257] = {0};
        size_t end = i;
        bool ordered = true;
        for (unsigned last = 0; end < st->n; end++) {
            unsigned c = combining_class(st->cp[end]);
            if (c == 0) break;
            if (c < last) ordered = false;
            last = c;
            count[c + 1]++;
        }
        if (!ordered) {
            if (st->sorted_cap < st->cap) {
                GE_TRY_PTR(st->sorted, ge_realloc(st->sorted, st->cap, sizeof *st->sorted));
                st->sorted_cap = st->cap;
            }
            for (size_t c = 1; c < 257; c++) count[c] += count[c - 1];
            for (size_t k = i; k < end; k++) {
                st->sorted[count[combining_class(st->cp[k])]++] = st->cp[k];
            }
            memcpy(st->cp + i, st->sorted, (end - i) * sizeof *st->cp);
        }
        i = end;
    }
done:
    return rc;
}

/* Append the stretch in its normal form and empty it. */
static ge_status finish(struct stretch *st, bool compose, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    GE_TRY(sort_marks(st));
    if (compose) {
        utf8proc_ssize_t n = utf8proc_normalize_utf32(st->cp, (utf8proc_ssize_t)st->n,
                                                      UTF8PROC_COMPOSE | UTF8PROC_STABLE);
        if (n < 0) return ge_fail(GE_EINTERNAL, "utf8proc cannot compose a decomposed text");
        st->n = (size_t)n;
    }
    for (size_t i = 0; i < st->n; i++) ge_unicode_put(out, (uint32_t)st->cp[i]);
    st->n = 0;
done:
    return rc;
}

/* Only stretches of active characters, with the inactive one before them, go through utf8proc: a
 * newer version of it may know characters that the tables, hence the reference, do not. */
static ge_status normalize(const char *s, size_t len, unsigned active, bool compose,
                           struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct stretch st = {0};
    size_t n, before = 0; /* where the last inactive character starts */
    size_t copied = 0;    /* s[0, copied) is done with */
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        bool is_active = cp >= 0xC0 && (ge_unicode_class(cp) & active) != 0;
        if (is_active) {
            if (st.n == 0) {
                size_t from = i, m;
                uint32_t base = i > before ? ge_unicode_at(s + before, len - before, &m) : 0;
                if (compose && i > before && combining_class((int32_t)base) == 0) {
                    GE_TRY(decompose(&st, base));
                    from = before;
                }
                ge_buf_add(out, s + copied, from - copied);
            }
            GE_TRY(decompose(&st, cp));
            copied = before = i + n;
        } else {
            if (st.n > 0) GE_TRY(finish(&st, compose, out));
            before = i;
        }
    }
    if (st.n > 0) GE_TRY(finish(&st, compose, out));
    ge_buf_add(out, s + copied, len - copied);
    rc = ge_buf_status(out);
done:
    stretch_free(&st);
    return rc;
}

ge_status ge_unicode_nfc(const char *s, size_t len, struct ge_buf *out)
{
    return normalize(s, len, GE_CHAR_NFC, true, out);
}

ge_status ge_unicode_nfd(const char *s, size_t len, struct ge_buf *out)
{
    return normalize(s, len, GE_CHAR_NFD, false, out);
}

void ge_unicode_library(struct ge_buf *out)
{
    ge_buf_printf(out, "utf8proc %s (compiled with %d.%d.%d)", utf8proc_version(),
                  UTF8PROC_VERSION_MAJOR, UTF8PROC_VERSION_MINOR, UTF8PROC_VERSION_PATCH);
}
