/* Normalizers of sentencepiece models: precompiled maps, SentencePiece's treatment of spaces, and
 * what SigLIP does to a text before. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/normalizer.h"
#include "text/unicode.h"

enum { SYMBOL_BYTES = 3, SHORT_GRAPHEME = 6 };

/* ---- Precompiled -------------------------------------------------------------------------- */

static void map_characters(const struct charsmap *map, const char *s, size_t len,
                           struct ge_buf *out)
{
    size_t n, match;
    for (size_t i = 0; i < len; i += n) {
        ge_unicode_at(s + i, len - i, &n);
        const char *text = ge_charsmap_shortest(map, s + i, n, &match);
        if (text != NULL) {
            ge_buf_str(out, text);
        } else {
            ge_buf_add(out, s + i, n);
        }
    }
}

static bool is_plain(const struct charsmap *map, unsigned char c)
{
    return c >= 0x20 && c < 0x7F && !map->ascii[c];
}

/* End of the characters from i on that no rule concerns: ASCII before ASCII, each its own grapheme. */
static size_t skip_plain(const struct charsmap *map, const char *s, size_t len, size_t i)
{
    while (i < len && is_plain(map, (unsigned char)s[i]) &&
           (i + 1 == len || ((unsigned char)s[i + 1] >= 0x20 && (unsigned char)s[i + 1] < 0x7F))) {
        i++;
    }
    return i;
}

static ge_status apply_precompiled(const struct normalizer_step *step, const char *s, size_t len,
                                   struct ge_buf *out, bool *headless)
{
    size_t n;
    (void)headless; /* the library keeps the first place even when a rule drops the character */
    for (size_t i = 0; i < len; i += n) {
        size_t match, plain = skip_plain(&step->map, s, len, i) - i;
        ge_buf_add(out, s + i, plain);
        i += plain;
        if (i == len) break;
        n = ge_unicode_grapheme(s + i, len - i);
        const char *text =
            n < SHORT_GRAPHEME ? ge_charsmap_shortest(&step->map, s + i, n, &match) : NULL;
        if (text != NULL) {
            ge_buf_str(out, text);
        } else {
            map_characters(&step->map, s + i, n, out);
        }
    }
    return ge_buf_status(out);
}

ge_status ge_normalizer_add_precompiled(struct normalizer *n, struct charsmap *map)
{
    struct normalizer_step *step = NULL;
    ge_status rc = ge_normalizer_add_step(n, "precompiled", apply_precompiled, &step);
    if (rc != GE_OK) return rc;
    step->map = *map;
    *map = (struct charsmap){0};
    return GE_OK;
}

/* ---- SentencePiece ------------------------------------------------------------------------ */

/* What the text at s becomes next: bytes of its own, or a replacement. */
struct mapped {
    const char *text;
    size_t len;
    size_t taken; /* bytes of s */
};

static struct mapped map_next(const struct normalizer_step *step, const char *s, size_t len)
{
    size_t n;
    if (ge_trie_longest(&step->kept, s, len, &n) >= 0) return (struct mapped){s, n, n};
    const char *text = ge_charsmap_longest(&step->map, s, len, &n);
    if (text != NULL) return (struct mapped){text, strlen(text), n};
    ge_unicode_at(s, len, &n);
    return (struct mapped){s, n, n};
}

static void add_space(const struct normalizer_spaces *spaces, struct ge_buf *out)
{
    if (spaces->escape) {
        ge_buf_add(out, SPACE_SYMBOL_TEXT, SYMBOL_BYTES);
    } else {
        ge_buf_char(out, ' ');
    }
}

static void add_mapped(const struct normalizer_spaces *spaces, const char *s, size_t len,
                       struct ge_buf *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] != ' ' || !spaces->escape) continue;
        ge_buf_add(out, s + kept, i - kept);
        ge_buf_add(out, SPACE_SYMBOL_TEXT, SYMBOL_BYTES);
        kept = i + 1;
    }
    ge_buf_add(out, s + kept, len - kept);
}

/* Take the spaces off the end; those that the text spells as U+2581 too. */
static void trim_spaces(const struct normalizer_spaces *spaces, struct ge_buf *out)
{
    const char *space = spaces->escape ? SPACE_SYMBOL_TEXT : " ";
    size_t n = strlen(space);
    while (out->status == GE_OK && out->len >= n &&
           memcmp(out->data + out->len - n, space, n) == 0) {
        out->len -= n;
        out->data[out->len] = '\0';
    }
}

static ge_status apply_sentencepiece(const struct normalizer_step *step, const char *s, size_t len,
                                     struct ge_buf *out, bool *headless)
{
    const struct normalizer_spaces *spaces = &step->spaces;
    struct mapped m;
    size_t i = 0;
    bool after_space = spaces->collapse;
    (void)headless;
    for (; spaces->collapse && i < len; i += m.taken) {
        m = map_next(step, s + i, len - i);
        if (m.len != 1 || m.text[0] != ' ') break;
    }
    if (i == len) return ge_buf_status(out);
    if (spaces->dummy_prefix && !spaces->at_end) add_space(spaces, out);
    for (; i < len; i += m.taken) {
        m = map_next(step, s + i, len - i);
        while (after_space && m.len > 0 && m.text[0] == ' ') {
            m.text++;
            m.len--;
        }
        if (m.len == 0) continue;
        add_mapped(spaces, m.text, m.len, out);
        after_space = spaces->collapse && m.text[m.len - 1] == ' ';
    }
    if (spaces->collapse) trim_spaces(spaces, out);
    if (spaces->dummy_prefix && spaces->at_end) add_space(spaces, out);
    return ge_buf_status(out);
}

ge_status ge_normalizer_add_sentencepiece(struct normalizer *n, struct charsmap *map,
                                          struct trie *kept, struct normalizer_spaces spaces)
{
    struct normalizer_step *step = NULL;
    ge_status rc = ge_normalizer_add_step(n, "sentencepiece", apply_sentencepiece, &step);
    if (rc != GE_OK) return rc;
    step->map = *map;
    step->kept = *kept;
    step->spaces = spaces;
    *map = (struct charsmap){0};
    *kept = (struct trie){0};
    return GE_OK;
}

/* ---- SigLIP ------------------------------------------------------------------------------- */

enum { CAPITAL_SIGMA = 0x3A3, SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2 };

/* White space of Python's str: the separators U+001C to U+001F too. */
static bool is_python_space(uint32_t cp)
{
    if (cp < 0x80) return cp == ' ' || (cp >= 0x9 && cp <= 0xD) || (cp >= 0x1C && cp <= 0x1F);
    return (ge_unicode_class(cp) & GE_CHAR_SPACE) != 0;
}

static bool is_ascii_punctuation(uint32_t cp)
{
    return cp > ' ' && cp < 0x7F && (ge_unicode_class(cp) & GE_CHAR_PUNCT) != 0;
}

/* Whether a letter follows, over what is ignored in this: then a sigma before it is not final. */
static bool letter_follows(const char *s, size_t len)
{
    size_t n;
    for (size_t i = 0; i < len; i += n) {
        unsigned more = ge_unicode_more(ge_unicode_at(s + i, len - i, &n));
        if (!(more & GE_MORE_CASE_IGNORABLE)) return (more & GE_MORE_CASED) != 0;
    }
    return false;
}

static ge_status apply_siglip(const struct normalizer_step *step, const char *s, size_t len,
                              struct ge_buf *out, bool *headless)
{
    size_t n, start = out->len;
    bool letter_before = false, space = false;
    (void)headless;
    for (size_t i = 0; i < len; i += n) {
        uint32_t low[2], cp = ge_unicode_at(s + i, len - i, &n);
        if (is_ascii_punctuation(cp)) {
            if (!(ge_unicode_more(cp) & GE_MORE_CASE_IGNORABLE)) letter_before = false;
            continue;
        }
        if (is_python_space(cp)) {
            space = true;
            letter_before = false;
            continue;
        }
        size_t count = 1;
        low[0] = cp;
        if (step->lowercase) {
            count = ge_unicode_lower_of(cp, low);
            if (cp == CAPITAL_SIGMA) {
                bool final = letter_before && !letter_follows(s + i + n, len - i - n);
                low[0] = final ? FINAL_SIGMA : SIGMA;
            }
            unsigned more = ge_unicode_more(cp);
            if (!(more & GE_MORE_CASE_IGNORABLE)) letter_before = (more & GE_MORE_CASED) != 0;
        }
        if (space && out->len > start) ge_buf_char(out, ' ');
        space = false;
        for (size_t k = 0; k < count; k++) ge_unicode_put(out, low[k]);
    }
    return ge_buf_status(out);
}

ge_status ge_normalizer_add_siglip(struct normalizer *n, bool lowercase)
{
    struct normalizer_step *step = NULL;
    ge_status rc = ge_normalizer_add_step(n, "siglip", apply_siglip, &step);
    if (rc == GE_OK) step->lowercase = lowercase;
    return rc;
}

/* ---- description -------------------------------------------------------------------------- */

void ge_normalizer_describe_sentencepiece(const struct normalizer_step *s, struct ge_buf *out)
{
    if (s->map.units != NULL) {
        uint64_t sums[] = {ge_check64(s->map.units, s->map.n_units * sizeof *s->map.units),
                           ge_check64(s->map.texts, s->map.texts_len)};
        ge_buf_printf(out, "(map %016llx)", (unsigned long long)ge_check64(sums, sizeof sums));
    }
    if (s->apply == apply_sentencepiece) {
        ge_buf_printf(out, "(%d %d %d %d kept %016llx)", (int)s->spaces.dummy_prefix,
                      (int)s->spaces.at_end, (int)s->spaces.collapse, (int)s->spaces.escape,
                      (unsigned long long)ge_trie_check(&s->kept));
    }
    if (s->apply == apply_siglip) ge_buf_printf(out, "(%d)", (int)s->lowercase);
}
