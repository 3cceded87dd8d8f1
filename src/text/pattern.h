/* Patterns that normalizers, pre-tokenizers and decoders look for in a text. Sole user of PCRE2.
 *
 * The regexes of published CLIP, byte-level and sentencepiece files are matched by hand-written
 * scanners: linear in the text and with the reference's character classes. Any other regex goes to
 * PCRE2 with match limits, so it may give up but never hangs; \p{…} and \w are then of that
 * library's version of Unicode. Local; a pattern is read-only after ge_pattern_init(), each search
 * has a place of its own. */
#ifndef GE_TEXT_PATTERN_H
#define GE_TEXT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Finds the first match in text[from, len): true and its bytes [*begin, *end), end > begin. */
typedef bool pattern_scan(const char *text, size_t len, size_t from, size_t *begin, size_t *end);

struct pattern {
    char *source;       /* owned: the regex, or the literal text */
    bool literal;       /* matches the source itself */
    pattern_scan *scan; /* hand-written scanner, or NULL */
    void *regex;        /* compiled by PCRE2, or NULL */
};

/* The split regex of CLIP as published, and as transformers 5 builds it, with the specials first. */
extern const char GE_PATTERN_CLIP[];
extern const char GE_PATTERN_CLIP_SPECIALS[];
extern const char GE_PATTERN_GPT2[];   /* what ByteLevel splits by itself */
extern const char GE_PATTERN_SPACES[]; /* \s+ */

/* Prepare. GE_EFORMAT: not a regex; the message gives the place in it. GE_ENOMEM. */
ge_status ge_pattern_init(struct pattern *p, const char *source, bool literal);
void ge_pattern_free(struct pattern *p); /* a zeroed pattern is fine */

extern pattern_scan ge_pattern_scan_gpt2;
extern pattern_scan ge_pattern_scan_words; /* Whitespace's \w+|[^\w\s]+ */

/* A walk over the matches in one text. Begin with all zeros. */
struct pattern_search {
    size_t from;       /* where to look next */
    size_t last_end;   /* end of the match before, if there was one */
    bool any;          /* … which there was */
    size_t begin, end; /* the match: bytes; they may be equal */
    void *memory;      /* PCRE2's; ge_pattern_end() frees it */
};

/* The next match; *found = false when there is none. An empty match does not follow the match
 * before at once, as in the reference. GE_ELIMIT: PCRE2 gave up. GE_ENOMEM. */
ge_status ge_pattern_next(const struct pattern *p, const char *text, size_t len,
                          struct pattern_search *search, bool *found);
void ge_pattern_end(struct pattern_search *search); /* after the last call, also after a failure */

/* Append the library's name and version, as found now and as compiled with. */
struct ge_buf;
void ge_pattern_library(struct ge_buf *out);

#endif
