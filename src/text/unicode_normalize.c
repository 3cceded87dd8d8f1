/* Normal forms. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "text/unicode.h"

/* What makes a form. */
struct form {
    unsigned active; /* class bits of characters that it may change or that react with the one
                        before */
    bool compose, compat;
};

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
    return cp < 0x300 ? 0 : (unsigned)utf8proc_get_property(cp)->combining_class;
}

static ge_status decompose(struct stretch *st, uint32_t cp, bool compat)
{
    enum { MOST = 18 }; /* code points of the longest decomposition, U+FDFA's */
    ge_status rc = GE_OK;
    utf8proc_int32_t parts[MOST];
    int options = UTF8PROC_DECOMPOSE | (compat ? UTF8PROC_COMPAT : 0);
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, MOST,
                                                 (utf8proc_option_t)options, NULL);
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

/* Counting sort of cp[begin, end) by combining class. */
static ge_status sort_run(struct stretch *st, size_t begin, size_t end)
{
    ge_status rc = GE_OK;
    size_t count[257] = {0};
    if (st->sorted_cap < st->cap) {
        GE_RESIZE(st->sorted, st->cap);
        st->sorted_cap = st->cap;
    }
    for (size_t k = begin; k < end; k++) count[combining_class(st->cp[k]) + 1]++;
    for (size_t c = 1; c < 257; c++) count[c] += count[c - 1];
    for (size_t k = begin; k < end; k++) {
        st->sorted[count[combining_class(st->cp[k])]++] = st->cp[k];
    }
    memcpy(st->cp + begin, st->sorted, (end - begin) * sizeof *st->cp);
done:
    return rc;
}

/* Sort each run of marks by combining class, equal ones in their old order (utf8proc's own insertion
 * sort is quadratic on a long run). */
static ge_status sort_marks(struct stretch *st)
{
    ge_status rc = GE_OK;
    size_t i = 0;
    while (i < st->n) {
        if (combining_class(st->cp[i]) == 0) {
            i++;
            continue;
        }
        size_t end = i;
        bool ordered = true;
        for (unsigned c, last = 0; end < st->n; end++, last = c) {
            c = combining_class(st->cp[end]);
            if (c == 0) break;
            if (c < last) ordered = false;
        }
        if (!ordered) GE_TRY(sort_run(st, i, end));
        i = end;
    }
done:
    return rc;
}

/* Append the stretch in its normal form and empty it. */
static ge_status finish(struct stretch *st, const struct form *form, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    GE_TRY(sort_marks(st));
    if (form->compose) {
        int options = UTF8PROC_COMPOSE | UTF8PROC_STABLE | (form->compat ? UTF8PROC_COMPAT : 0);
        utf8proc_ssize_t n =
            utf8proc_normalize_utf32(st->cp, (utf8proc_ssize_t)st->n, (utf8proc_option_t)options);
        if (n < 0) return ge_fail(GE_EINTERNAL, "utf8proc cannot compose a decomposed text");
        st->n = (size_t)n;
    }
    for (size_t i = 0; i < st->n; i++) ge_unicode_put(out, (uint32_t)st->cp[i]);
    st->n = 0;
done:
    return rc;
}

static bool is_active(const struct form *form, uint32_t cp)
{
    if (cp < 0xA0) return false;
    return (ge_unicode_class(cp) & form->active) != 0 ||
           (form->compat && (ge_unicode_more(cp) & GE_MORE_COMPAT) != 0);
}

/* An inactive character in front of active ones: composed, it may take part. */
static ge_status add_base(struct stretch *st, uint32_t cp)
{
    ge_status rc = GE_OK;
    if (cp >= 0xC0 && (ge_unicode_class(cp) & GE_CHAR_NFD)) return decompose(st, cp, false);
    GE_GROW(st->cp, st->n, st->cap);
    st->cp[st->n++] = (int32_t)cp;
done:
    return rc;
}

/* Only stretches of active characters, with the inactive one before them, go through utf8proc: a
 * newer version of it may know characters that the tables, hence the reference, do not. */
static ge_status normalize(const struct form *form, const char *s, size_t len, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct stretch st = {0};
    size_t n, before = 0; /* where the last inactive character starts */
    size_t copied = 0;    /* s[0, copied) is done with */
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (is_active(form, cp)) {
            if (st.n == 0) {
                size_t from = i, m;
                uint32_t base = i > before ? ge_unicode_at(s + before, len - before, &m) : 0;
                if (form->compose && i > before && combining_class((int32_t)base) == 0) {
                    GE_TRY(add_base(&st, base));
                    from = before;
                }
                ge_buf_add(out, s + copied, from - copied);
            }
            GE_TRY(decompose(&st, cp, form->compat));
            copied = before = i + n;
        } else {
            if (st.n > 0) GE_TRY(finish(&st, form, out));
            before = i;
        }
    }
    if (st.n > 0) GE_TRY(finish(&st, form, out));
    ge_buf_add(out, s + copied, len - copied);
    rc = ge_buf_status(out);
done:
    stretch_free(&st);
    return rc;
}

ge_status ge_unicode_nfc(const char *s, size_t len, struct ge_buf *out)
{
    static const struct form form = {.active = GE_CHAR_NFC, .compose = true};
    return normalize(&form, s, len, out);
}

ge_status ge_unicode_nfd(const char *s, size_t len, struct ge_buf *out)
{
    static const struct form form = {.active = GE_CHAR_NFD};
    return normalize(&form, s, len, out);
}

ge_status ge_unicode_nfkc(const char *s, size_t len, struct ge_buf *out)
{
    static const struct form form = {.active = GE_CHAR_NFC, .compose = true, .compat = true};
    return normalize(&form, s, len, out);
}

ge_status ge_unicode_nfkd(const char *s, size_t len, struct ge_buf *out)
{
    static const struct form form = {.active = GE_CHAR_NFD, .compat = true};
    return normalize(&form, s, len, out);
}
