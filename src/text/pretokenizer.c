#include "text/pretokenizer.h"

#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

void ge_pretokenizer_free(struct pretokenizer *p)
{
    for (size_t i = 0; i < p->n; i++) ge_pattern_free(&p->steps[i].pattern);
    memset(p, 0, sizeof *p);
}

/* Hand a part of a piece on to step i, or to the model after the last step. Depth is the number of
 * steps. */
static ge_status pass_on(const struct pretokenizer *p, size_t i, struct piece whole, size_t begin,
                         size_t end, struct pretokenizer_sink *sink)
{
    struct piece part = {whole.text + begin, end - begin, whole.first && begin == 0};
    if (part.len == 0 || sink->stop) return GE_OK;
    if (i == p->n) return sink->word(sink->ctx, part.text, part.len, &sink->stop);
    return p->steps[i].split(p, i, part, sink);
}

/* ---- splitting at matches ----------------------------------------------------------------- */

/* Matches and the stretches between them arrive in order; one of them waits to be joined with its
 * neighbour. */
struct splitter {
    const struct pretokenizer *p;
    size_t step;
    struct piece piece;
    struct pretokenizer_sink *sink;
    bool waiting, match_before;
    size_t begin, end; /* of what waits */
};

static ge_status emit_waiting(struct splitter *sp)
{
    if (!sp->waiting) return GE_OK;
    sp->waiting = false;
    return pass_on(sp->p, sp->step + 1, sp->piece, sp->begin, sp->end, sp->sink);
}

static ge_status put(struct splitter *sp, size_t begin, size_t end, bool match)
{
    ge_status rc = GE_OK;
    bool join = false;
    switch (sp->p->steps[sp->step].behavior) {
    case SPLIT_REMOVED:
        return match ? GE_OK : pass_on(sp->p, sp->step + 1, sp->piece, begin, end, sp->sink);
    case SPLIT_ISOLATED:
        return pass_on(sp->p, sp->step + 1, sp->piece, begin, end, sp->sink);
    case SPLIT_MERGED_WITH_PREVIOUS:
        join = match && !sp->match_before;
        break;
    case SPLIT_MERGED_WITH_NEXT:
        join = !match && sp->match_before;
        break;
    case SPLIT_CONTIGUOUS:
        join = match == sp->match_before;
        break;
    }
    if (!(join && sp->waiting)) {
        GE_TRY(emit_waiting(sp));
        sp->begin = begin;
    }
    sp->end = end;
    sp->waiting = true;
    sp->match_before = match;
done:
    return rc;
}

/* The next character that the step's predicate takes. */
static bool find_character(const struct pretokenizer_step *step, struct piece piece,
                           struct pattern_search *at)
{
    size_t n;
    for (size_t i = at->from; i < piece.len; i += n) {
        uint32_t cp = ge_unicode_at(piece.text + i, piece.len - i, &n);
        if (!step->matches(cp, step->delimiter)) continue;
        at->begin = i;
        at->from = at->end = i + n;
        return true;
    }
    return false;
}

static ge_status split_at(const struct pretokenizer *p, size_t i, struct piece piece,
                          struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    const struct pretokenizer_step *step = &p->steps[i];
    struct splitter sp = {.p = p, .step = i, .piece = piece, .sink = sink};
    struct pattern_search at = {0};
    size_t from = 0;
    bool found;
    while (!sink->stop) {
        if (step->matches != NULL) {
            found = find_character(step, piece, &at);
        } else {
            GE_TRY(ge_pattern_next(&step->pattern, piece.text, piece.len, &at, &found));
        }
        if (!found) break;
        if (at.begin > from) GE_TRY(put(&sp, from, at.begin, step->invert));
        GE_TRY(put(&sp, at.begin, at.end, !step->invert));
        from = at.end;
    }
    if (from < piece.len) GE_TRY(put(&sp, from, piece.len, step->invert));
    GE_TRY(emit_waiting(&sp));
done:
    ge_pattern_end(&at);
    return rc;
}

/* White space separates; each punctuation character is a word. */
static ge_status split_bert(const struct pretokenizer *p, size_t i, struct piece piece,
                            struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    const char *s = piece.text;
    size_t begin = 0, n;
    for (size_t k = 0; k < piece.len && !sink->stop; k += n) {
        uint32_t cp = ge_unicode_at(s + k, piece.len - k, &n);
        bool letter = (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
        unsigned class = letter ? 0 : ge_unicode_class(cp) & (GE_CHAR_SPACE | GE_CHAR_PUNCT);
        if (class == 0) continue;
        GE_TRY(pass_on(p, i + 1, piece, begin, k, sink));
        if (class & GE_CHAR_PUNCT) GE_TRY(pass_on(p, i + 1, piece, k, k + n, sink));
        begin = k + n;
    }
    GE_TRY(pass_on(p, i + 1, piece, begin, piece.len, sink));
done:
    return rc;
}

/* ---- rewriting ---------------------------------------------------------------------------- */

static ge_status map_bytes(const struct pretokenizer *p, size_t i, struct piece piece, size_t begin,
                           size_t end, struct pretokenizer_sink *sink)
{
    struct ge_buf *out = &sink->rewritten[i];
    ge_buf_reset(out);
    ge_unicode_show_bytes(piece.text + begin, end - begin, out);
    ge_status rc = ge_buf_status(out);
    if (rc != GE_OK) return rc;
    struct piece mapped = {out->data, out->len, piece.first && begin == 0};
    return pass_on(p, i + 1, mapped, 0, mapped.len, sink);
}

static ge_status split_byte_level(const struct pretokenizer *p, size_t i, struct piece piece,
                                  struct pretokenizer_sink *sink)
{
    ge_status rc = GE_OK;
    const struct pretokenizer_step *step = &p->steps[i];
    size_t begin, end;
    struct ge_buf spaced;
    ge_buf_init(&spaced, piece.len + 1);
    if (step->add_prefix_space && piece.text[0] != ' ') {
        ge_buf_char(&spaced, ' ');
        ge_buf_add(&spaced, piece.text, piece.len);
        GE_TRY(ge_buf_status(&spaced));
        piece.text = spaced.data;
        piece.len = spaced.len;
    }
    if (!step->use_regex) {
        GE_TRY(map_bytes(p, i, piece, 0, piece.len, sink));
        goto done;
    }
    for (size_t from = 0;
         !sink->stop && ge_pattern_scan_gpt2(piece.text, piece.len, from, &begin, &end);
         from = end) {
        GE_TRY(map_bytes(p, i, piece, begin, end, sink));
    }
done:
    ge_buf_free(&spaced);
    return rc;
}

/* The symbol for each space and perhaps one in front; then split before each symbol. */
static ge_status split_metaspace(const struct pretokenizer *p, size_t i, struct piece piece,
                                 struct pretokenizer_sink *sink)
{
    const struct pretokenizer_step *step = &p->steps[i];
    const char *symbol = step->pattern.source, *s = piece.text;
    size_t n = strlen(symbol), kept = 0;
    struct ge_buf *out = &sink->rewritten[i];
    ge_buf_reset(out);
    bool marked = s[0] == ' ' || (piece.len >= n && memcmp(s, symbol, n) == 0);
    bool wanted =
        step->scheme == METASPACE_ALWAYS || (step->scheme == METASPACE_FIRST && piece.first);
    if (wanted && !marked) ge_buf_add(out, symbol, n);
    for (const char *at; (at = memchr(s + kept, ' ', piece.len - kept)) != NULL;) {
        size_t k = (size_t)(at - s);
        ge_buf_add(out, s + kept, k - kept);
        ge_buf_add(out, symbol, n);
        kept = k + 1;
        if (out->status != GE_OK) break;
    }
    ge_buf_add(out, s + kept, piece.len - kept);
    ge_status rc = ge_buf_status(out);
    if (rc != GE_OK) return rc;
    piece.text = out->data;
    piece.len = out->len;
    return step->in_pieces ? split_at(p, i, piece, sink)
                           : pass_on(p, i + 1, piece, 0, piece.len, sink);
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

ge_status ge_pretokenizer_add_split(struct pretokenizer *p, const char *source, bool literal,
                                    enum split_behavior behavior, bool invert)
{
    ge_status rc = GE_OK;
    struct pretokenizer_step *step = NULL;
    GE_TRY(add_step(p, "split", split_at, &step));
    step->behavior = behavior;
    step->invert = invert;
    GE_TRY(ge_pattern_init(&step->pattern, source, literal));
done:
    return rc;
}

ge_status ge_pretokenizer_add_byte_level(struct pretokenizer *p, bool add_prefix_space,
                                         bool use_regex)
{
    struct pretokenizer_step *step = NULL;
    ge_status rc = add_step(p, "byte_level", split_byte_level, &step);
    if (rc != GE_OK) return rc;
    step->add_prefix_space = add_prefix_space;
    step->use_regex = use_regex;
    return GE_OK;
}

ge_status ge_pretokenizer_add_metaspace(struct pretokenizer *p, const char *symbol,
                                        enum metaspace_scheme scheme, bool in_pieces)
{
    ge_status rc = GE_OK;
    struct pretokenizer_step *step = NULL;
    GE_TRY(add_step(p, "metaspace", split_metaspace, &step));
    step->scheme = scheme;
    step->in_pieces = in_pieces;
    step->behavior = SPLIT_MERGED_WITH_NEXT;
    GE_TRY(ge_pattern_init(&step->pattern, symbol, true));
done:
    return rc;
}

ge_status ge_pretokenizer_add_whitespace(struct pretokenizer *p)
{
    struct pretokenizer_step *step = NULL;
    ge_status rc = add_step(p, "whitespace", split_at, &step);
    if (rc != GE_OK) return rc;
    step->pattern.scan = ge_pattern_scan_words;
    step->behavior = SPLIT_REMOVED;
    step->invert = true;
    return GE_OK;
}

static bool is_space(uint32_t cp, uint32_t delimiter)
{
    (void)delimiter;
    return (ge_unicode_class(cp) & GE_CHAR_SPACE) != 0;
}

static bool is_punctuation(uint32_t cp, uint32_t delimiter)
{
    (void)delimiter;
    return (ge_unicode_class(cp) & GE_CHAR_PUNCT) != 0;
}

static bool is_numeric(uint32_t cp, uint32_t delimiter)
{
    (void)delimiter;
    return cp < 0x80 ? cp >= '0' && cp <= '9' : (ge_unicode_more(cp) & GE_MORE_NUMERIC) != 0;
}

static bool is_delimiter(uint32_t cp, uint32_t delimiter)
{
    return cp == delimiter;
}

static ge_status add_by_character(struct pretokenizer *p, const char *name,
                                  bool (*matches)(uint32_t cp, uint32_t delimiter),
                                  enum split_behavior behavior)
{
    struct pretokenizer_step *step = NULL;
    ge_status rc = add_step(p, name, split_at, &step);
    if (rc != GE_OK) return rc;
    step->matches = matches;
    step->behavior = behavior;
    return GE_OK;
}

ge_status ge_pretokenizer_add_whitespace_split(struct pretokenizer *p)
{
    return add_by_character(p, "whitespace_split", is_space, SPLIT_REMOVED);
}

ge_status ge_pretokenizer_add_punctuation(struct pretokenizer *p, enum split_behavior behavior)
{
    return add_by_character(p, "punctuation", is_punctuation, behavior);
}

ge_status ge_pretokenizer_add_digits(struct pretokenizer *p, bool one_by_one)
{
    return add_by_character(p, "digits", is_numeric,
                            one_by_one ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
}

ge_status ge_pretokenizer_add_delimiter(struct pretokenizer *p, uint32_t cp)
{
    ge_status rc = add_by_character(p, "delimiter", is_delimiter, SPLIT_REMOVED);
    if (rc == GE_OK) p->steps[p->n - 1].delimiter = cp;
    return rc;
}

ge_status ge_pretokenizer_add_clip(struct pretokenizer *p)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_pretokenizer_add_split(p, GE_PATTERN_CLIP_SPECIALS, false, SPLIT_REMOVED, true));
    GE_TRY(ge_pretokenizer_add_byte_level(p, false, true));
done:
    return rc;
}

ge_status ge_pretokenizer_add_bert(struct pretokenizer *p)
{
    return add_step(p, "bert", split_bert, NULL);
}

/* ---- running ------------------------------------------------------------------------------ */

ge_status ge_pretokenizer_run(const struct pretokenizer *p, struct piece piece,
                              struct pretokenizer_sink *sink)
{
    return pass_on(p, 0, piece, 0, piece.len, sink);
}

static void describe_split(const struct pretokenizer_step *s, struct ge_buf *out)
{
    if (s->pattern.source != NULL) {
        ge_buf_printf(out, "(%s ", s->pattern.literal ? "text" : "regex");
        ge_json_escape(out, s->pattern.source, strlen(s->pattern.source));
        ge_buf_char(out, ' ');
    } else {
        ge_buf_printf(out, "(U+%04X ", (unsigned)s->delimiter);
    }
    /* Which parts go on; then how they are joined. */
    bool isolated = s->behavior == SPLIT_ISOLATED, removed = s->behavior == SPLIT_REMOVED;
    ge_buf_printf(out, "%d %d", (int)(!removed || s->invert), (int)(!removed || !s->invert));
    if (!isolated && !removed) {
        ge_buf_printf(out, " %d %d", (int)s->behavior, (int)s->invert);
    }
    ge_buf_char(out, ')');
}

void ge_pretokenizer_describe(const struct pretokenizer *p, struct ge_buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct pretokenizer_step *s = &p->steps[i];
        if (i > 0) ge_buf_char(out, ' ');
        ge_buf_str(out, s->name);
        if (s->split == split_at && s->pattern.scan != ge_pattern_scan_words) {
            describe_split(s, out);
        } else if (s->split == split_byte_level) {
            ge_buf_printf(out, "(%d %d)", (int)s->add_prefix_space, (int)s->use_regex);
        } else if (s->split == split_metaspace) {
            ge_buf_char(out, '(');
            ge_json_escape(out, s->pattern.source, strlen(s->pattern.source));
            ge_buf_printf(out, " %d %d)", (int)s->scheme, (int)s->in_pieces);
        }
    }
}
