#include "text/pretokenizer.h"

#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

void ge_pretokenizer_free(struct pretokenizer *p)
{
    for (size_t i = 0; i < p->n; i++) ge_pattern_free(&p->steps[i].pattern);
    memset(p, 0, sizeof *p);
}

/* ---- steps -------------------------------------------------------------------------------- */

/* Hand a part on to step i, or to the model after the last step. Depth is the number of steps. */
static ge_status pass_on(const struct pretokenizer *p, size_t i, const char *s, size_t len,
                         struct pretokenizer_sink *sink)
{
    if (len == 0 || sink->stop) return GE_OK;
    if (i == p->n) return sink->word(sink->ctx, s, len, &sink->stop);
    return p->steps[i].split(p, i, s, len, sink);
}

static ge_status split_pattern(const struct pretokenizer *p, size_t i, const char *s, size_t len,
                               struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    const struct pretokenizer_step *step = &p->steps[i];
    size_t from = 0, begin, end;
    bool found;
    while (!sink->stop) {
        GE_TRY(ge_pattern_find(&step->pattern, s, len, from, &begin, &end, &found));
        if (!found) break;
        if (step->keep_between) GE_TRY(pass_on(p, i + 1, s + from, begin - from, sink));
        if (step->keep_matches) GE_TRY(pass_on(p, i + 1, s + begin, end - begin, sink));
        from = end;
    }
    if (step->keep_between) GE_TRY(pass_on(p, i + 1, s + from, len - from, sink));
done:
    return rc;
}

/* Code point that stands for a byte in byte-level vocabularies: printable bytes for themselves, the
 * other 68 as U+0100 and up, in order. */
static uint32_t byte_symbol(unsigned byte)
{
    if (byte <= 0x20) return 0x100 + byte;
    if (byte <= 0x7E) return byte;
    if (byte <= 0xA0) return 0x100 + 33 + (byte - 0x7F);
    return byte == 0xAD ? 0x143 : byte;
}

static ge_status map_bytes(const struct pretokenizer *p, size_t i, const char *s, size_t len,
                           struct pretokenizer_sink *sink)
{
    ge_buf_reset(sink->bytes);
    size_t kept = 0; /* s[kept, k) stands for itself and is still to be copied */
    for (size_t k = 0; k < len; k++) {
        unsigned byte = (unsigned char)s[k];
        if (byte > 0x20 && byte < 0x7F) continue;
        ge_buf_add(sink->bytes, s + kept, k - kept);
        ge_unicode_put(sink->bytes, byte_symbol(byte));
        kept = k + 1;
    }
    ge_buf_add(sink->bytes, s + kept, len - kept);
    ge_status rc = ge_buf_status(sink->bytes);
    if (rc != GE_OK) return rc;
    return pass_on(p, i + 1, sink->bytes->data, sink->bytes->len, sink);
}

static ge_status split_byte_level(const struct pretokenizer *p, size_t i, const char *s, size_t len,
                                  struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    const struct pretokenizer_step *step = &p->steps[i];
    size_t begin, end;
    struct ge_buf spaced;
    ge_buf_init(&spaced, len + 1);
    if (step->add_prefix_space && s[0] != ' ') {
        ge_buf_char(&spaced, ' ');
        ge_buf_add(&spaced, s, len);
        GE_TRY(ge_buf_status(&spaced));
        s = spaced.data;
        len = spaced.len;
    }
    if (!step->use_regex) {
        GE_TRY(map_bytes(p, i, s, len, sink));
        goto done;
    }
    for (size_t from = 0; !sink->stop && ge_pattern_scan_gpt2(s, len, from, &begin, &end);
         from = end) {
        GE_TRY(map_bytes(p, i, s + begin, end - begin, sink));
    }
done:
    ge_buf_free(&spaced);
    return rc;
}

/* White space separates; each punctuation character is a word. */
static ge_status split_bert(const struct pretokenizer *p, size_t i, const char *s, size_t len,
                            struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    size_t begin = 0, n;
    for (size_t k = 0; k < len && !sink->stop; k += n) {
        uint32_t cp = ge_unicode_at(s + k, len - k, &n);
        bool letter = (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
        unsigned class = letter ? 0 : ge_unicode_class(cp) & (GE_CHAR_SPACE | GE_CHAR_PUNCT);
        if (class == 0) continue;
        GE_TRY(pass_on(p, i + 1, s + begin, k - begin, sink));
        if (class & GE_CHAR_PUNCT) GE_TRY(pass_on(p, i + 1, s + k, n, sink));
        begin = k + n;
    }
    GE_TRY(pass_on(p, i + 1, s + begin, len - begin, sink));
done:
    return rc;
}

/* ---- building ----------------------------------------------------------------------------- */

static ge_status add_step(struct pretokenizer *p, const char *name, pretokenizer_split_fn *split,
                          struct pretokenizer_step **out)
{
    if (p->n == PRETOKENIZER_MAX_STEPS) {
        return ge_fail(GE_ELIMIT, "more than %d pre-tokenizer steps", PRETOKENIZER_MAX_STEPS);
    }
    struct pretokenizer_step *step = &p->steps[p->n++];
    *step = (struct pretokenizer_step){.name = name, .split = split};
    if (out != NULL) *out = step;
    return GE_OK;
}

static ge_status add_split(struct pretokenizer *p, const char *source, bool literal,
                           bool keep_matches, bool keep_between)
{
    ge_status rc = GE_OK;
    struct pretokenizer_step *step = NULL;
    GE_TRY(add_step(p, "split", split_pattern, &step));
    step->keep_matches = keep_matches;
    step->keep_between = keep_between;
    GE_TRY(ge_pattern_init(&step->pattern, source, literal));
done:
    return rc;
}

static ge_status add_byte_level(struct pretokenizer *p, bool add_prefix_space, bool use_regex)
{
    ge_status rc = GE_OK;
    struct pretokenizer_step *step = NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (p->steps[i].split == split_byte_level) {
            return ge_fail(GE_EUNSUPPORTED, "ByteLevel twice in one pre-tokenizer");
        }
    }
    GE_TRY(add_step(p, "byte_level", split_byte_level, &step));
    step->add_prefix_space = add_prefix_space;
    step->use_regex = use_regex;
done:
    return rc;
}

ge_status ge_pretokenizer_add_clip(struct pretokenizer *p)
{
    ge_status rc = GE_OK;
    GE_TRY(add_split(p, GE_PATTERN_CLIP_SPECIALS, false, true, false));
    GE_TRY(add_byte_level(p, false, true));
done:
    return rc;
}

ge_status ge_pretokenizer_add_bert(struct pretokenizer *p)
{
    return add_step(p, "bert", split_bert, NULL);
}

/* ---- tokenizer.json ----------------------------------------------------------------------- */

static ge_status parse_sequence(struct pretokenizer *p, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "pretokenizers");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: a Sequence needs \"pretokenizers\", an array", where);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_pretokenizer_parse(p, c, where));
    }
done:
    return rc;
}

static ge_status parse_split(struct pretokenizer *p, const ge_json *node, const char *where)
{
    const ge_json *pattern = ge_json_get(node, "pattern");
    const char *regex = ge_json_string(ge_json_get(pattern, "Regex"), NULL);
    const char *literal = ge_json_string(ge_json_get(pattern, "String"), NULL);
    const char *behavior = ge_json_string(ge_json_get(node, "behavior"), NULL);
    bool invert = ge_json_bool(ge_json_get(node, "invert"), false);
    if ((regex == NULL) == (literal == NULL) || behavior == NULL) {
        return ge_fail(GE_EFORMAT,
                       "%s: a Split needs \"pattern\", {\"Regex\": …} or {\"String\": …}, and "
                       "\"behavior\"",
                       where);
    }
    bool isolated = strcmp(behavior, "Isolated") == 0;
    if (!isolated && strcmp(behavior, "Removed") != 0) {
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: Split behavior \"%.64s\" is not supported (known: Isolated, Removed)",
                       where, behavior);
    }
    return add_split(p, regex != NULL ? regex : literal, regex == NULL, isolated || invert,
                     isolated || !invert);
}

static ge_status parse_byte_level(struct pretokenizer *p, const ge_json *node, const char *where)
{
    (void)where;
    return add_byte_level(p, ge_json_bool(ge_json_get(node, "add_prefix_space"), true),
                          ge_json_bool(ge_json_get(node, "use_regex"), true));
}

static ge_status parse_bert(struct pretokenizer *p, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_pretokenizer_add_bert(p);
}

static const struct {
    const char *kind;
    ge_status (*parse)(struct pretokenizer *p, const ge_json *node, const char *where);
} kinds[] = {{"Sequence", parse_sequence},
             {"Split", parse_split},
             {"ByteLevel", parse_byte_level},
             {"BertPreTokenizer", parse_bert}};

ge_status ge_pretokenizer_parse(struct pretokenizer *p, const ge_json *node, const char *where)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: an entry has no \"type\"", where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(p, node, where);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: kind \"%.64s\" is not supported (known: Sequence, Split, ByteLevel, "
                   "BertPreTokenizer)",
                   where, kind);
}

/* ---- running ------------------------------------------------------------------------------ */

ge_status ge_pretokenizer_run(const struct pretokenizer *p, const char *s, size_t len,
                              struct pretokenizer_sink *sink)
{
    return pass_on(p, 0, s, len, sink);
}

void ge_pretokenizer_describe(const struct pretokenizer *p, struct ge_buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct pretokenizer_step *s = &p->steps[i];
        if (i > 0) ge_buf_char(out, ' ');
        ge_buf_str(out, s->name);
        if (s->pattern.source != NULL) {
            ge_buf_printf(out, "(%s ", s->pattern.literal ? "text" : "regex");
            ge_json_escape(out, s->pattern.source, strlen(s->pattern.source));
            ge_buf_printf(out, " %d %d)", (int)s->keep_matches, (int)s->keep_between);
        }
        if (s->split == split_byte_level) {
            ge_buf_printf(out, "(%d %d)", (int)s->add_prefix_space, (int)s->use_regex);
        }
    }
}
