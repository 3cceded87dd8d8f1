#include "text/normalizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

void ge_normalizer_free(struct normalizer *n)
{
    for (size_t i = 0; i < n->n; i++) {
        struct normalizer_step *step = &n->steps[i];
        ge_pattern_free(&step->pattern);
        free(step->content);
        ge_charsmap_free(&step->map);
        ge_trie_free(&step->kept);
    }
    memset(n, 0, sizeof *n);
}

/* ---- steps -------------------------------------------------------------------------------- */

static ge_status apply_nfc(const struct normalizer_step *step, const char *s, size_t len,
                           struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    return ge_unicode_nfc(s, len, out);
}

static ge_status apply_nfd(const struct normalizer_step *step, const char *s, size_t len,
                           struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    return ge_unicode_nfd(s, len, out);
}

static ge_status apply_nfkc(const struct normalizer_step *step, const char *s, size_t len,
                            struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    return ge_unicode_nfkc(s, len, out);
}

static ge_status apply_nfkd(const struct normalizer_step *step, const char *s, size_t len,
                            struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    return ge_unicode_nfkd(s, len, out);
}

static ge_status apply_lowercase(const struct normalizer_step *step, const char *s, size_t len,
                                 struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    ge_unicode_lowercase(s, len, out);
    return ge_buf_status(out);
}

static ge_status apply_strip_marks(const struct normalizer_step *step, const char *s, size_t len,
                                   struct ge_buf *out, bool *headless)
{
    size_t n;
    (void)step;
    if (ge_unicode_class(ge_unicode_at(s, len, &n)) & GE_CHAR_MARK) *headless = true;
    ge_unicode_strip_marks(s, len, out);
    return ge_buf_status(out);
}

static ge_status apply_strip_combining(const struct normalizer_step *step, const char *s,
                                       size_t len, struct ge_buf *out, bool *headless)
{
    size_t n;
    (void)step;
    if (ge_unicode_more(ge_unicode_at(s, len, &n)) & GE_MORE_COMBINING) *headless = true;
    ge_unicode_strip_combining(s, len, out);
    return ge_buf_status(out);
}

/* The library gives new text the place of the last character that it replaces. */
static bool loses_head(const char *content, const char *s, size_t begin, size_t end)
{
    size_t n = 0;
    if (begin > 0 || end == 0) return false;
    if (content[0] != '\0') ge_unicode_at(s, end, &n);
    return n < end;
}

static ge_status apply_replace(const struct normalizer_step *step, const char *s, size_t len,
                               struct ge_buf *out, bool *headless)
{
    ge_status rc = GE_OK;
    struct pattern_search at = {0};
    size_t from = 0;
    bool found;
    for (;;) {
        GE_TRY(ge_pattern_next(&step->pattern, s, len, &at, &found));
        if (!found) break;
        if (loses_head(step->content, s, at.begin, at.end)) *headless = true;
        ge_buf_add(out, s + from, at.begin - from);
        ge_buf_str(out, step->content);
        from = at.end;
    }
    ge_buf_add(out, s + from, len - from);
    rc = ge_buf_status(out);
done:
    ge_pattern_end(&at);
    return rc;
}

static ge_status apply_prepend(const struct normalizer_step *step, const char *s, size_t len,
                               struct ge_buf *out, bool *headless)
{
    (void)headless;
    ge_buf_str(out, step->content);
    ge_buf_add(out, s, len);
    return ge_buf_status(out);
}

static ge_status apply_strip(const struct normalizer_step *step, const char *s, size_t len,
                             struct ge_buf *out, bool *headless)
{
    size_t begin = 0, end = step->right ? ge_unicode_trimmed(s, len) : len, n;
    while (step->left && begin < end &&
           (ge_unicode_class(ge_unicode_at(s + begin, end - begin, &n)) & GE_CHAR_SPACE)) {
        begin += n;
    }
    if (begin > 0) *headless = true;
    ge_buf_add(out, s + begin, end - begin);
    return ge_buf_status(out);
}

/* BertNormalizer without accents and case: drop control characters, make white space a space, put
 * spaces around ideographs. */
static ge_status apply_bert(const struct normalizer_step *step, const char *s, size_t len,
                            struct ge_buf *out, bool *headless)
{
    size_t n, kept = 0; /* s[kept, i) stays as it is and is still to be copied */
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (cp >= ' ' && cp < 0x7F) continue;
        unsigned class = step->clean ? ge_unicode_class(cp) : 0;
        bool cjk = step->cjk && ge_unicode_is_cjk(cp);
        if (!(class & (GE_CHAR_CONTROL | GE_CHAR_SPACE)) && !cjk) continue;
        ge_buf_add(out, s + kept, i - kept);
        if (!(class & GE_CHAR_CONTROL)) ge_buf_char(out, ' ');
        if (cjk) {
            ge_buf_add(out, s + i, n);
            ge_buf_char(out, ' ');
        }
        if (i == 0 && (class & GE_CHAR_CONTROL)) *headless = true;
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
    return ge_buf_status(out);
}

static bool nmt_drops(uint32_t cp)
{
    return (cp >= 0x1 && cp <= 0x8) || cp == 0xB || (cp >= 0xE && cp <= 0x1F) || cp == 0x7F ||
           cp == 0x8F || cp == 0x9F;
}

static bool nmt_blanks(uint32_t cp)
{
    static const uint32_t blanks[] = {0x9,    0xA,    0xC,    0xD,    0x1680,
                                      0x200B, 0x200C, 0x200D, 0x200E, 0x200F,
                                      0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD};
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        if (cp <= blanks[i]) return cp == blanks[i];
    }
    return false;
}

static ge_status apply_nmt(const struct normalizer_step *step, const char *s, size_t len,
                           struct ge_buf *out, bool *headless)
{
    size_t n;
    (void)step;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (nmt_drops(cp)) {
            if (i == 0) *headless = true;
        } else if (nmt_blanks(cp)) {
            ge_buf_char(out, ' ');
        } else {
            ge_buf_add(out, s + i, n);
        }
    }
    return ge_buf_status(out);
}

static ge_status apply_byte_level(const struct normalizer_step *step, const char *s, size_t len,
                                  struct ge_buf *out, bool *headless)
{
    (void)step;
    (void)headless;
    ge_unicode_show_bytes(s, len, out);
    return ge_buf_status(out);
}

/* ---- building ----------------------------------------------------------------------------- */

ge_status ge_normalizer_add_step(struct normalizer *n, const char *name, normalizer_apply_fn *apply,
                                 struct normalizer_step **out)
{
    if (n->n == NORMALIZER_MAX_STEPS) {
        return ge_fail(GE_ELIMIT, "more than %d normalizer steps", NORMALIZER_MAX_STEPS);
    }
    struct normalizer_step *step = &n->steps[n->n++];
    *step = (struct normalizer_step){.name = name, .apply = apply};
    if (out != NULL) *out = step;
    return GE_OK;
}

ge_status ge_normalizer_add_form(struct normalizer *n, const char *name)
{
    static const struct {
        const char *name;
        normalizer_apply_fn *apply;
    } forms[] = {
        {"nfc", apply_nfc}, {"nfd", apply_nfd}, {"nfkc", apply_nfkc}, {"nfkd", apply_nfkd}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            return ge_normalizer_add_step(n, forms[i].name, forms[i].apply, NULL);
        }
    }
    return ge_fail(GE_EINTERNAL, "\"%s\" is no normal form", name);
}

ge_status ge_normalizer_add_lowercase(struct normalizer *n)
{
    return ge_normalizer_add_step(n, "lowercase", apply_lowercase, NULL);
}

ge_status ge_normalizer_add_strip_accents(struct normalizer *n)
{
    return ge_normalizer_add_step(n, "strip_accents", apply_strip_combining, NULL);
}

ge_status ge_normalizer_add_nmt(struct normalizer *n)
{
    return ge_normalizer_add_step(n, "nmt", apply_nmt, NULL);
}

ge_status ge_normalizer_add_byte_level(struct normalizer *n)
{
    return ge_normalizer_add_step(n, "byte_level", apply_byte_level, NULL);
}

ge_status ge_normalizer_add_replace(struct normalizer *n, const char *pattern, bool literal,
                                    const char *content)
{
    ge_status rc = GE_OK;
    struct normalizer_step *step = NULL;
    GE_TRY(ge_normalizer_add_step(n, "replace", apply_replace, &step));
    GE_TRY_PTR(step->content, ge_strdup(content));
    GE_TRY(ge_pattern_init(&step->pattern, pattern, literal));
done:
    return rc;
}

ge_status ge_normalizer_add_prepend(struct normalizer *n, const char *content)
{
    ge_status rc = GE_OK;
    struct normalizer_step *step = NULL;
    GE_TRY(ge_normalizer_add_step(n, "prepend", apply_prepend, &step));
    GE_TRY_PTR(step->content, ge_strdup(content));
done:
    return rc;
}

ge_status ge_normalizer_add_strip(struct normalizer *n, bool left, bool right)
{
    struct normalizer_step *step = NULL;
    ge_status rc = ge_normalizer_add_step(n, "strip", apply_strip, &step);
    if (rc != GE_OK) return rc;
    step->left = left;
    step->right = right;
    return GE_OK;
}

ge_status ge_normalizer_add_clip(struct normalizer *n)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_normalizer_add_form(n, "nfc"));
    GE_TRY(ge_normalizer_add_replace(n, GE_PATTERN_SPACES, false, " "));
    GE_TRY(ge_normalizer_add_lowercase(n));
done:
    return rc;
}

ge_status ge_normalizer_add_bert(struct normalizer *n, bool clean, bool cjk, bool strip_accents,
                                 bool lowercase)
{
    ge_status rc = GE_OK;
    struct normalizer_step *step = NULL;
    if (clean || cjk) {
        GE_TRY(ge_normalizer_add_step(n, "bert", apply_bert, &step));
        step->clean = clean;
        step->cjk = cjk;
    }
    if (strip_accents) {
        GE_TRY(ge_normalizer_add_form(n, "nfd"));
        GE_TRY(ge_normalizer_add_step(n, "strip_marks", apply_strip_marks, NULL));
    }
    if (lowercase) GE_TRY(ge_normalizer_add_lowercase(n));
done:
    return rc;
}

/* ---- running ------------------------------------------------------------------------------ */

ge_status ge_normalizer_run(const struct normalizer *n, struct ge_buf *text, struct ge_buf *spare,
                            bool *headless)
{
    ge_status rc = GE_OK;
    bool dropped = false;
    for (size_t i = 0; i < n->n && text->len > 0; i++) {
        ge_buf_reset(spare);
        GE_TRY(n->steps[i].apply(&n->steps[i], text->data, text->len, spare, &dropped));
        struct ge_buf t = *text;
        *text = *spare;
        *spare = t;
    }
    if (headless != NULL) *headless = dropped;
done:
    return rc;
}

static void describe_step(const struct normalizer_step *s, struct ge_buf *out)
{
    ge_buf_str(out, s->name);
    if (s->clean || s->cjk) ge_buf_printf(out, "(clean=%d,cjk=%d)", (int)s->clean, (int)s->cjk);
    if (s->pattern.source != NULL) {
        ge_buf_printf(out, "(%s ", s->pattern.literal ? "text" : "regex");
        ge_json_escape(out, s->pattern.source, strlen(s->pattern.source));
        ge_buf_char(out, ' ');
        ge_json_escape(out, s->content, strlen(s->content));
        ge_buf_char(out, ')');
    } else if (s->content != NULL) {
        ge_buf_char(out, '(');
        ge_json_escape(out, s->content, strlen(s->content));
        ge_buf_char(out, ')');
    }
    if (s->apply == apply_strip) ge_buf_printf(out, "(%d %d)", (int)s->left, (int)s->right);
    ge_normalizer_describe_sentencepiece(s, out);
}

void ge_normalizer_describe(const struct normalizer *n, struct ge_buf *out)
{
    for (size_t i = 0; i < n->n; i++) {
        if (i > 0) ge_buf_char(out, ' ');
        describe_step(&n->steps[i], out);
    }
}
