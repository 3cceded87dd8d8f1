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
const char GE_PATTERN_SPACES[] = "\\s+";

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
                {GE_PATTERN_SPACES, scan_spaces}};

static ge_status compile(struct pattern *p)
{
    int code;
    PCRE2_SIZE offset;
    p->regex = pcre2_compile((PCRE2_SPTR)p->source, PCRE2_ZERO_TERMINATED,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
    if (p->regex != NULL) return GE_OK;
    PCRE2_UCHAR reason[128] = {0};
    pcre2_get_error_message(code, reason, sizeof reason);
    return ge_fail(GE_EFORMAT, "regex \"%.200s\": %s at byte %zu", p->source, (char *)reason,
                   (size_t)offset);
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

static ge_status find_regex(const struct pattern *p, const char *text, size_t len, size_t from,
                            size_t *begin, size_t *end, bool *found)
{
    ge_status rc = GE_OK;
    pcre2_match_data *data = NULL;
    pcre2_match_context *context = NULL;
    GE_TRY_PTR(data, pcre2_match_data_create(1, NULL));
    GE_TRY_PTR(context, pcre2_match_context_create(NULL));
    pcre2_set_match_limit(context, MATCH_LIMIT);
    pcre2_set_depth_limit(context, DEPTH_LIMIT);
    pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
    *found = false;
    while (from < len && !*found) {
        int code =
            pcre2_match(p->regex, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK, data, context);
        if (code == PCRE2_ERROR_NOMATCH) break;
        if (code < 0) {
            rc = ge_fail(GE_ELIMIT, "regex \"%.200s\" takes too long on this text (PCRE2 error %d)",
                         p->source, code);
            goto done;
        }
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
        size_t step;
        *begin = at[0];
        *end = at[1];
        *found = at[1] > at[0];
        if (!*found) {
            if (at[1] >= len) break;
            ge_unicode_at(text + at[1], len - at[1], &step);
            from = at[1] + step;
        }
    }
done:
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return rc;
}

ge_status ge_pattern_find(const struct pattern *p, const char *text, size_t len, size_t from,
                          size_t *begin, size_t *end, bool *found)
{
    *found = false;
    if (p->literal) {
        size_t n = strlen(p->source);
        const char *at =
            n == 0 || from >= len ? NULL : memmem(text + from, len - from, p->source, n);
        if (at == NULL) return GE_OK;
        *found = true;
        *begin = (size_t)(at - text);
        *end = *begin + n;
        return GE_OK;
    }
    if (p->scan != NULL) {
        *found = p->scan(text, len, from, begin, end);
        return GE_OK;
    }
    return find_regex(p, text, len, from, begin, end, found);
}

void ge_pattern_library(struct ge_buf *out)
{
    char version[64] = "of unknown version"; /* asks for 24 bytes by its manual */
    pcre2_config(PCRE2_CONFIG_VERSION, version);
    ge_buf_printf(out, "PCRE2 %s (compiled with %d.%d)", version, PCRE2_MAJOR, PCRE2_MINOR);
}
