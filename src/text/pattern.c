#include "text/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/unicode.h"

#define WORDS "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"

const char GE_PATTERN_CLIP[] = WORDS;
const char GE_PATTERN_CLIP_SPECIALS[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|" WORDS;
const char GE_PATTERN_GPT2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char GE_PATTERN_SPACES[] = "\\s+";

#define MANY_BLANKS " {2,}"

enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 10000, HEAP_LIMIT_KIB = 65536 };

/* ---- scanners ----------------------------------------------------------------------------- */

enum { SPACE = GE_CHAR_SPACE, LETTER = GE_CHAR_LETTER, NUMBER = GE_CHAR_NUMBER, OTHER = 0 };

/* Class of the character at text[i]: exactly one of the four above. */
static unsigned class_at(const char *text, size_t len, size_t i, size_t *n)
{
    uint32_t cp = ge_unicode_at(text + i, len - i, n);
    if (cp < 0x80) {
        if ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z') return LETTER;
        if (cp >= '0' && cp <= '9') return NUMBER;
        return cp == ' ' || (cp >= 0x09 && cp <= 0x0D) ? SPACE : OTHER;
    }
    return ge_unicode_class(cp) & (SPACE | LETTER | NUMBER);
}

/* End of the run of characters of class `want` that begins at i. */
static size_t run_end(const char *text, size_t len, size_t i, unsigned want)
{
    size_t n;
    while (i < len && class_at(text, len, i, &n) == want) i += n;
    return i;
}

/* Length of an English contraction ('s 't 're 've 'm 'll 'd) at text[i], or 0. */
static size_t contraction(const char *text, size_t len, size_t i)
{
    static const char *const tails[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (text[i] != '\'') return 0;
    for (size_t k = 0; k < sizeof tails / sizeof tails[0]; k++) {
        size_t n = strlen(tails[k]);
        if (n <= len - i - 1 && memcmp(text + i + 1, tails[k], n) == 0) return n + 1;
    }
    return 0;
}

/* Length of one of CLIP's specials at text[i], or 0. */
static size_t clip_special(const char *text, size_t len, size_t i)
{
    static const char *const specials[] = {"<|startoftext|>", "<|endoftext|>"};
    if (text[i] != '<') return 0;
    for (size_t k = 0; k < sizeof specials / sizeof specials[0]; k++) {
        size_t n = strlen(specials[k]);
        if (n <= len - i && memcmp(text + i, specials[k], n) == 0) return n;
    }
    return 0;
}

static bool scan_clip_words(const char *text, size_t len, size_t from, bool specials, size_t *begin,
                            size_t *end)
{
    size_t i = run_end(text, len, from, SPACE), n;
    if (i >= len) return false;
    *begin = i;
    n = specials ? clip_special(text, len, i) : 0;
    if (n == 0) n = contraction(text, len, i);
    if (n == 0) {
        unsigned kind = class_at(text, len, i, &n);
        if (kind != NUMBER) n = run_end(text, len, i, kind) - i;
    }
    *end = i + n;
    return true;
}

static bool scan_clip(const char *text, size_t len, size_t from, size_t *begin, size_t *end)
{
    return scan_clip_words(text, len, from, false, begin, end);
}

static bool scan_clip_specials(const char *text, size_t len, size_t from, size_t *begin,
                               size_t *end)
{
    return scan_clip_words(text, len, from, true, begin, end);
}

static bool scan_spaces(const char *text, size_t len, size_t from, size_t *begin, size_t *end)
{
    for (size_t i = from, n; i < len; i += n) {
        if (class_at(text, len, i, &n) == SPACE) {
            *begin = i;
            *end = run_end(text, len, i, SPACE);
            return true;
        }
    }
    return false;
}

static bool scan_many_blanks(const char *text, size_t len, size_t from, size_t *begin, size_t *end)
{
    for (size_t i = from; i < len; i = *end + 1) {
        const char *at = memchr(text + i, ' ', len - i);
        if (at == NULL) return false;
        *begin = *end = (size_t)(at - text);
        while (*end < len && text[*end] == ' ') ++*end;
        if (*end - *begin >= 2) return true;
    }
    return false;
}

static unsigned word_class_at(const char *text, size_t len, size_t i, size_t *n)
{
    uint32_t cp = ge_unicode_at(text + i, len - i, n);
    return ge_unicode_class(cp) & (GE_CHAR_WORD | GE_CHAR_SPACE);
}

bool ge_pattern_scan_words(const char *text, size_t len, size_t from, size_t *begin, size_t *end)
{
    size_t i = from, n;
    while (i < len && (word_class_at(text, len, i, &n) & GE_CHAR_SPACE)) i += n;
    if (i >= len) return false;
    *begin = i;
    unsigned class = word_class_at(text, len, i, &n);
    while (i < len && word_class_at(text, len, i, &n) == class) i += n;
    *end = i;
    return true;
}

/* '(s|t|re|ve|m|ll|d), " ?" before a run of letters, numbers or others, \s+(?!\S), \s+ */
bool ge_pattern_scan_gpt2(const char *text, size_t len, size_t from, size_t *begin, size_t *end)
{
    size_t n, last = from, i = from;
    if (from >= len) return false;
    *begin = from;
    n = contraction(text, len, from);
    if (n > 0) {
        *end = from + n;
        return true;
    }
    if (text[i] == ' ' && i + 1 < len && class_at(text, len, i + 1, &n) != SPACE) i++;
    unsigned kind = class_at(text, len, i, &n);
    if (kind != SPACE) {
        *end = run_end(text, len, i, kind);
        return true;
    }
    for (; i < len && class_at(text, len, i, &n) == SPACE; i += n) last = i;
    /* A run of spaces before a word leaves its last space to the word, unless it is all of it. */
    *end = i < len && last > from ? last : i;
    return true;
}

/* ---- patterns ----------------------------------------------------------------------------- */

static const struct {
    const char *source;
    pattern_scan *scan;
} scanners[] = {{GE_PATTERN_CLIP, scan_clip},
                {GE_PATTERN_CLIP_SPECIALS, scan_clip_specials},
                {GE_PATTERN_GPT2, ge_pattern_scan_gpt2},
                {GE_PATTERN_SPACES, scan_spaces},
                {MANY_BLANKS, scan_many_blanks}};

#define WHITE_SPACE                                                                                \
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"    \
    "\\x{205f}"                                                                                    \
    "\\x{3000}"
#define HEXADECIMAL "0-9A-Fa-f"
/* A quirk: these are \w, but not in a class. */
#define WORD_OUTSIDE "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
#define WORD         "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"

/* What stands for an escape \c in a PCRE2 class; NULL: the escape itself. */
static const char *class_of_escape(char c)
{
    switch (c) {
    case 'h':
        return HEXADECIMAL;
    case 'H':
        return "\\x{0}-/:-@G-`g-\\x{10ffff}";
    case 's':
        return WHITE_SPACE;
    case 'w':
        return WORD;
    case 'S':
        return "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"
               "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"
               "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";
    default:
        return NULL;
    }
}

/* A class of POSIX from c to `end`, its ":]", in a PCRE2 class; the place of its last byte. */
static const char *posix_class(const char *c, const char *end, struct ge_buf *b, const char **bad)
{
    static const struct {
        const char *name, *set;
    } known[] = {{"alpha", "\\p{Alphabetic}"},
                 {"alnum", "\\p{Alphabetic}\\p{Nd}"},
                 {"upper", "\\p{Uppercase}"},
                 {"lower", "\\p{Lowercase}"},
                 {"punct", "\\p{P}\\p{S}"},
                 {"digit", "\\p{Nd}"},
                 {"space", WHITE_SPACE},
                 {"xdigit", HEXADECIMAL},
                 {"word", WORD}};
    const char *name = c + 2, *set = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].name);
        if (n == (size_t)(end - name) && memcmp(name, known[i].name, n) == 0) set = known[i].set;
    }
    if (set == NULL) *bad = "a class of POSIX that is negated or not known here";
    ge_buf_str(b, set == NULL ? "" : set);
    return end + 1;
}

/* The beginning of a class at c, and what is literal only there; the place of its last byte. A class
 * in a class becomes part of it: their union. */
static const char *open_class(const char *source, const char *c, int depth, struct ge_buf *b,
                              const char **bad)
{
    bool negated = c[1] == '^';
    if (depth == 0) ge_buf_str(b, negated ? "[^" : "[");
    if (depth > 0 && negated && *bad == NULL) *bad = "a negated class in a class";
    if (depth > 0 && c > source && c[-1] == '-') *bad = "a range that ends in a class";
    if (negated) c++;
    if (c[1] == ']') {
        ge_buf_str(b, "\\]");
        c++;
    }
    return c;
}

/* Where a class of POSIX that begins at c ends; NULL: none does. */
static const char *posix_end(const char *c)
{
    return c[0] == '[' && c[1] == ':' ? strstr(c + 2, ":]") : NULL;
}

/* The reference's regexes are Oniguruma's: \h is a hexadecimal digit there, \s is White_Space, to
 * which PCRE2 adds U+180E, \w has all marks, and a class may hold classes. NULL: out of memory. *bad: a
 * construct that has no counterpart. */
static char *translate(const char *source, const char **bad)
{
    struct ge_buf b;
    int depth = 0; /* of classes */
    ge_buf_init(&b, (size_t)1 << 24);
    ge_buf_str(&b, "");
    for (const char *c = source; *c != '\0'; c++) {
        const char *set = *c == '\\' ? class_of_escape(c[1]) : NULL;
        const char *end = depth > 0 ? posix_end(c) : NULL;
        if (*c == '\\' && c[1] == 'W') { /* what \w is not */
            if (depth > 0) *bad = "\\W in a class";
            ge_buf_str(&b, "[^" WORD WORD_OUTSIDE "]");
            c++;
        } else if (set != NULL) {
            c++;
            ge_buf_printf(&b, depth > 0 ? "%s" : "[%s", set);
            if (depth == 0) ge_buf_str(&b, *c == 'w' ? WORD_OUTSIDE "]" : "]");
        } else if (*c == '\\' && c[1] != '\0') {
            ge_buf_add(&b, c++, 2);
        } else if (end != NULL) {
            c = posix_class(c, end, &b, bad);
        } else if (*c == '[') {
            c = open_class(source, c, depth++, &b, bad);
        } else if (*c == ']' && depth > 0) {
            if (--depth == 0) ge_buf_char(&b, *c);
        } else {
            if (depth > 0 && *c == '&' && c[1] == '&') *bad = "an intersection of classes";
            ge_buf_char(&b, *c);
        }
    }
    char *out = ge_buf_take(&b, NULL);
    ge_buf_free(&b);
    return out;
}

static ge_status compile(struct pattern *p)
{
    ge_status rc = GE_OK;
    int code;
    PCRE2_SIZE offset;
    const char *bad = NULL;
    char *source = NULL;
    pcre2_compile_context *context = NULL;
    GE_TRY_PTR(source, translate(p->source, &bad));
    if (bad != NULL) {
        rc = ge_fail(GE_EUNSUPPORTED, "regex \"%.200s\": %s is not supported", p->source, bad);
        goto done;
    }
    GE_TRY_PTR(context, pcre2_compile_context_create(NULL));
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    p->regex = pcre2_compile((PCRE2_SPTR)source, PCRE2_ZERO_TERMINATED,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                             &code, &offset, context);
    if (p->regex == NULL) {
        PCRE2_UCHAR reason[128] = {0};
        pcre2_get_error_message(code, reason, sizeof reason);
        rc = ge_fail(GE_EFORMAT, "regex \"%.200s\": %s at byte %zu", source, (char *)reason,
                     (size_t)offset);
        goto done;
    }
    pcre2_jit_compile(p->regex, PCRE2_JIT_COMPLETE); /* it only saves time */
done:
    pcre2_compile_context_free(context);
    free(source);
    return rc;
}

ge_status ge_pattern_init(struct pattern *p, const char *source, bool literal)
{
    ge_status rc = GE_OK;
    *p = (struct pattern){.literal = literal};
    GE_TRY_PTR(p->source, ge_strdup(source));
    if (literal) return GE_OK;
    for (size_t i = 0; i < sizeof scanners / sizeof scanners[0]; i++) {
        if (strcmp(source, scanners[i].source) == 0) p->scan = scanners[i].scan;
    }
    if (p->scan == NULL) GE_TRY(compile(p));
done:
    if (rc != GE_OK) ge_pattern_free(p);
    return rc;
}

void ge_pattern_free(struct pattern *p)
{
    free(p->source);
    pcre2_code_free(p->regex);
    *p = (struct pattern){0};
}

/* ---- searching ---------------------------------------------------------------------------- */

struct memory {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static ge_status find_literal(const struct pattern *p, const char *text, size_t len,
                              struct pattern_search *s, bool *found)
{
    size_t n = strlen(p->source);
    const char *at = n > len - s->from ? NULL : memmem(text + s->from, len - s->from, p->source, n);
    *found = at != NULL;
    if (*found) {
        s->begin = (size_t)(at - text);
        s->end = s->begin + n;
    }
    return GE_OK;
}

static ge_status make_memory(struct pattern_search *s)
{
    ge_status rc = GE_OK;
    struct memory *m = NULL;
    if (s->memory != NULL) return GE_OK;
    GE_NEW(m, 1);
    s->memory = m;
    GE_TRY_PTR(m->data, pcre2_match_data_create(1, NULL));
    GE_TRY_PTR(m->context, pcre2_match_context_create(NULL));
    pcre2_set_match_limit(m->context, MATCH_LIMIT);
    pcre2_set_depth_limit(m->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
done:
    return rc;
}

static ge_status find_regex(const struct pattern *p, const char *text, size_t len,
                            struct pattern_search *s, bool *found)
{
    ge_status rc = GE_OK;
    GE_TRY(make_memory(s));
    const struct memory *m = s->memory;
    int code = pcre2_match(p->regex, (PCRE2_SPTR)text, len, s->from, PCRE2_NO_UTF_CHECK, m->data,
                           m->context);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
        code = pcre2_match(p->regex, (PCRE2_SPTR)text, len, s->from,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->data, m->context);
    }
    if (code < 0 && code != PCRE2_ERROR_NOMATCH) {
        return ge_fail(GE_ELIMIT, "regex \"%.200s\" takes too long on this text (PCRE2 error %d)",
                       p->source, code);
    }
    *found = code >= 0;
    if (*found) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
        s->begin = at[0] < s->from ? s->from : at[0]; /* \K in a look-around can move it */
        s->end = at[1] < s->begin ? s->begin : at[1];
    }
done:
    return rc;
}

ge_status ge_pattern_next(const struct pattern *p, const char *text, size_t len,
                          struct pattern_search *s, bool *found)
{
    ge_status rc = GE_OK;
    *found = false;
    while (s->from <= len) {
        if (p->scan != NULL) {
            *found = s->from < len && p->scan(text, len, s->from, &s->begin, &s->end);
        } else if (p->literal) {
            GE_TRY(find_literal(p, text, len, s, found));
        } else {
            GE_TRY(find_regex(p, text, len, s, found));
        }
        if (!*found) break;
        bool again = s->begin == s->end && s->any && s->last_end == s->end;
        if (!again) {
            s->from = s->last_end = s->end;
            s->any = true;
            return GE_OK;
        }
        size_t step = 1;
        *found = false;
        if (s->from < len) ge_unicode_at(text + s->from, len - s->from, &step);
        s->from += step;
    }
done:
    return rc;
}

void ge_pattern_end(struct pattern_search *s)
{
    struct memory *m = s->memory;
    if (m == NULL) return;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->context);
    free(m);
    s->memory = NULL;
}

void ge_pattern_library(struct ge_buf *out)
{
    char version[64] = "of unknown version"; /* asks for 24 bytes by its manual */
    pcre2_config(PCRE2_CONFIG_VERSION, version);
    ge_buf_printf(out, "PCRE2 %s (compiled with %d.%d)", version, PCRE2_MAJOR, PCRE2_MINOR);
}
