#include "text/normalizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

void ge_normalizer_free(struct normalizer *n)
{
    for (size_t i = 0; i < n->n; i++) {
        ge_pattern_free(&n->steps[i].pattern);
        free(n->steps[i].content);
    }
    memset(n, 0, sizeof *n);
}

/* ---- steps -------------------------------------------------------------------------------- */

static ge_status apply_nfc(const struct normalizer_step *step, const char *s, size_t len,
                           struct ge_buf *out)
{
    (void)step;
    return ge_unicode_nfc(s, len, out);
}

static ge_status apply_nfd(const struct normalizer_step *step, const char *s, size_t len,
                           struct ge_buf *out)
{
    (void)step;
    return ge_unicode_nfd(s, len, out);
}

static ge_status apply_lowercase(const struct normalizer_step *step, const char *s, size_t len,
                                 struct ge_buf *out)
{
    (void)step;
    ge_unicode_lowercase(s, len, out);
    return ge_buf_status(out);
}

static ge_status apply_strip_marks(const struct normalizer_step *step, const char *s, size_t len,
                                   struct ge_buf *out)
{
    (void)step;
    ge_unicode_strip_marks(s, len, out);
    return ge_buf_status(out);
}

static ge_status apply_replace(const struct normalizer_step *step, const char *s, size_t len,
                               struct ge_buf *out)
{
    ge_status rc = GE_OK;
    size_t from = 0, begin, end;
    bool found;
    for (;;) {
        GE_TRY(ge_pattern_find(&step->pattern, s, len, from, &begin, &end, &found));
        if (!found) break;
        ge_buf_add(out, s + from, begin - from);
        ge_buf_str(out, step->content);
        from = end;
    }
    ge_buf_add(out, s + from, len - from);
    rc = ge_buf_status(out);
done:
    return rc;
}

/* BertNormalizer without accents and case: drop control characters, make white space a space, put
 * spaces around ideographs. */
static ge_status apply_bert(const struct normalizer_step *step, const char *s, size_t len,
                            struct ge_buf *out)
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
        kept = i + n;
    }
    ge_buf_add(out, s + kept, len - kept);
    return ge_buf_status(out);
}

/* ---- building ----------------------------------------------------------------------------- */

static ge_status add_step(struct normalizer *n, const char *name, normalizer_apply_fn *apply,
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

static ge_status add_replace(struct normalizer *n, const char *pattern, bool literal,
                             const char *content)
{
    ge_status rc = GE_OK;
    struct normalizer_step *step = NULL;
    GE_TRY(add_step(n, "replace", apply_replace, &step));
    GE_TRY_PTR(step->content, ge_strdup(content));
    GE_TRY(ge_pattern_init(&step->pattern, pattern, literal));
done:
    return rc;
}

ge_status ge_normalizer_add_lowercase(struct normalizer *n)
{
    return add_step(n, "lowercase", apply_lowercase, NULL);
}

ge_status ge_normalizer_add_clip(struct normalizer *n)
{
    ge_status rc = GE_OK;
    GE_TRY(add_step(n, "nfc", apply_nfc, NULL));
    GE_TRY(add_replace(n, GE_PATTERN_SPACES, false, " "));
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
        GE_TRY(add_step(n, "bert", apply_bert, &step));
        step->clean = clean;
        step->cjk = cjk;
    }
    if (strip_accents) {
        GE_TRY(add_step(n, "nfd", apply_nfd, NULL));
        GE_TRY(add_step(n, "strip_marks", apply_strip_marks, NULL));
    }
    if (lowercase) GE_TRY(ge_normalizer_add_lowercase(n));
done:
    return rc;
}

/* ---- tokenizer.json ----------------------------------------------------------------------- */

static ge_status parse_sequence(struct normalizer *n, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "normalizers");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: a Sequence needs \"normalizers\", an array", where);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_normalizer_parse(n, c, where));
    }
done:
    return rc;
}

static ge_status parse_replace(struct normalizer *n, const ge_json *node, const char *where)
{
    const ge_json *pattern = ge_json_get(node, "pattern");
    const char *regex = ge_json_string(ge_json_get(pattern, "Regex"), NULL);
    const char *literal = ge_json_string(ge_json_get(pattern, "String"), NULL);
    const char *content = ge_json_string(ge_json_get(node, "content"), NULL);
    if ((regex == NULL) == (literal == NULL) || content == NULL) {
        return ge_fail(GE_EFORMAT,
                       "%s: a Replace needs \"pattern\", {\"Regex\": …} or {\"String\": …}, and "
                       "\"content\"",
                       where);
    }
    return add_replace(n, regex != NULL ? regex : literal, regex == NULL, content);
}

static ge_status parse_bert(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)where;
    bool lowercase = ge_json_bool(ge_json_get(node, "lowercase"), true);
    return ge_normalizer_add_bert(n, ge_json_bool(ge_json_get(node, "clean_text"), true),
                                  ge_json_bool(ge_json_get(node, "handle_chinese_chars"), true),
                                  ge_json_bool(ge_json_get(node, "strip_accents"), lowercase),
                                  lowercase);
}

static ge_status parse_nfc(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return add_step(n, "nfc", apply_nfc, NULL);
}

static ge_status parse_nfd(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return add_step(n, "nfd", apply_nfd, NULL);
}

static ge_status parse_lowercase(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_normalizer_add_lowercase(n);
}

static const struct {
    const char *kind;
    ge_status (*parse)(struct normalizer *n, const ge_json *node, const char *where);
} kinds[] = {{"Sequence", parse_sequence}, {"NFC", parse_nfc},
             {"NFD", parse_nfd},           {"Lowercase", parse_lowercase},
             {"Replace", parse_replace},   {"BertNormalizer", parse_bert}};

ge_status ge_normalizer_parse(struct normalizer *n, const ge_json *node, const char *where)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: an entry has no \"type\"", where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(n, node, where);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: kind \"%.64s\" is not supported (known: Sequence, NFC, NFD, Lowercase, "
                   "Replace, BertNormalizer)",
                   where, kind);
}

/* ---- running ------------------------------------------------------------------------------ */

ge_status ge_normalizer_run(const struct normalizer *n, struct ge_buf *text, struct ge_buf *spare)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < n->n && text->len > 0; i++) {
        ge_buf_reset(spare);
        GE_TRY(n->steps[i].apply(&n->steps[i], text->data, text->len, spare));
        struct ge_buf t = *text;
        *text = *spare;
        *spare = t;
    }
done:
    return rc;
}

void ge_normalizer_describe(const struct normalizer *n, struct ge_buf *out)
{
    for (size_t i = 0; i < n->n; i++) {
        const struct normalizer_step *s = &n->steps[i];
        if (i > 0) ge_buf_char(out, ' ');
        ge_buf_str(out, s->name);
        if (s->clean || s->cjk) {
            ge_buf_printf(out, "(clean=%d,cjk=%d)", (int)s->clean, (int)s->cjk);
        }
        if (s->content != NULL) {
            ge_buf_printf(out, "(%s ", s->pattern.literal ? "text" : "regex");
            ge_json_escape(out, s->pattern.source, strlen(s->pattern.source));
            ge_buf_char(out, ' ');
            ge_json_escape(out, s->content, strlen(s->content));
            ge_buf_char(out, ')');
        }
    }
}
