/* Inside the Penn Treebank tokenizer: a decoded caption, the longest match at a place, and the rules
 * in the order that decides between equals. Not for use outside of ptb*.c. */
#ifndef GE_METRIC_PTB_SCAN_H
#define GE_METRIC_PTB_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a character may be part of; bits. */
enum {
    PTB_ALPHA = 1 << 0,  /* ASCII letter */
    PTB_DIGIT = 1 << 1,  /* decimal digit of any script */
    PTB_LETTER = 1 << 2, /* letter of any script */
    PTB_WORD = 1 << 3,   /* LETTER, combining marks, soft hyphen: what words are made of */
    PTB_SPACE = 1 << 4,
    PTB_SYMBOL = 1 << 5, /* a token by itself */
    PTB_ASCII_DIGIT = 1 << 6
};
unsigned ptb_kind(uint32_t c);

/* What is done to the text of a token. */
enum ptb_norm {
    PTB_KEEP,
    PTB_DROP,        /* no token */
    PTB_SOFT,        /* soft hyphens vanish */
    PTB_NUMBER,      /* soft hyphens and Arabic thousands separators vanish */
    PTB_NBSP,        /* spaces become U+00A0, parentheses -lrb- and -rrb- */
    PTB_QUOTE_RIGHT, /* quotes become ' and '' … */
    PTB_QUOTE_LEFT,  /* … or ` and `` where they are straight */
    PTB_AMPERSAND,   /* &amp; becomes & */
    PTB_DASH,        /* -- */
    PTB_ELLIPSIS,    /* ... */
    PTB_ONE          /* one character, by ptb_symbol() */
};

/* Text of a single-character token that has another text than itself; NULL: itself. */
const char *ptb_symbol(uint32_t c);

/* A remembered stretch, so that a rule which looks far ahead does so once: places in [from, to) see
 * the same `at` and `end`. */
struct ptb_run {
    size_t from, to, at, end;
};

static inline bool ptb_covers(const struct ptb_run *run, size_t p)
{
    return p >= run->from && p < run->to;
}

struct ptb_scan {
    const uint32_t *c;      /* n characters, a line break, PTB_END … */
    const unsigned char *k; /* … and their kinds */
    size_t n;
    struct ptb_run host, www, mail, file, hyphened;
    bool no_tag_end; /* no '>' from here on */
    size_t total;    /* of the longest match so far, with what must follow */
    size_t length;   /* its token */
    enum ptb_norm norm;
};
#define PTB_END UINT32_MAX
enum { PTB_PADDING = 8 }; /* characters behind the text that may be looked at */

/* A match at the present place: `total` characters with what must follow, `length` of them the
 * token. The first of the longest ones stays. */
static inline void ptb_offer(struct ptb_scan *s, size_t total, size_t length, enum ptb_norm norm)
{
    if (length == 0 || total <= s->total) return;
    s->total = total;
    s->length = length;
    s->norm = norm;
}

static inline bool ptb_is(const struct ptb_scan *s, size_t p, unsigned kinds)
{
    return (s->k[p] & kinds) != 0;
}

static inline uint32_t ptb_lower(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Is the character at p one of those of an ASCII string? */
static inline bool ptb_among(const struct ptb_scan *s, size_t p, const char *set)
{
    for (; *set != '\0'; set++) {
        if (s->c[p] == (unsigned char)*set) return true;
    }
    return false;
}

/* Length of `word` at p, letters in either case, ' standing for any apostrophe; 0: not there. */
size_t ptb_literal_slow(const struct ptb_scan *s, size_t p, const char *word);
static inline size_t ptb_literal(const struct ptb_scan *s, size_t p, const char *word)
{
    if (*word != '\'' && ptb_lower(s->c[p]) != (unsigned char)*word) return 0;
    return ptb_literal_slow(s, p, word);
}

/* Length of an apostrophe at p (', U+0092, U+2019, &apos;); `wide`: also ` U+0091 U+2018 U+201B. */
size_t ptb_apostrophe(const struct ptb_scan *s, size_t p, bool wide);

/* Length of a word at p: letters and digits from a letter on, with single . ! ? between letters. */
size_t ptb_word(const struct ptb_scan *s, size_t p);

/* Length of what looks like a mark-up tag at p. */
size_t ptb_tag(struct ptb_scan *s, size_t p);

/* Is the run of n ASCII letters at p a token that no other rule has a say in? Most of any text is. */
bool ptb_is_plain_word(const struct ptb_scan *s, size_t p, size_t n);

/* Rules, each for the match at p. ptb_words.c: */
void ptb_rule_words(struct ptb_scan *s, size_t p);
/* 's, n't, and so on; first where no letter follows, at last wherever. */
void ptb_rule_contraction(struct ptb_scan *s, size_t p, bool wherever);
void ptb_rule_apostrophe_words(struct ptb_scan *s, size_t p);
void ptb_rule_abbreviations(struct ptb_scan *s, size_t p);
void ptb_rule_hyphened(struct ptb_scan *s, size_t p);
void ptb_rule_slashed(struct ptb_scan *s, size_t p);

/* ptb_marks.c: */
void ptb_rule_tag(struct ptb_scan *s, size_t p);
void ptb_rule_entities(struct ptb_scan *s, size_t p);
void ptb_rule_address(struct ptb_scan *s, size_t p); /* URLs, e-mail, @names, #tags */
void ptb_rule_file_name(struct ptb_scan *s, size_t p);
void ptb_rule_double_quotes(struct ptb_scan *s, size_t p);
void ptb_rule_smileys(struct ptb_scan *s, size_t p);
void ptb_rule_punctuation(struct ptb_scan *s, size_t p);
void ptb_rule_quotes(struct ptb_scan *s, size_t p);
void ptb_rule_symbols(struct ptb_scan *s, size_t p);

/* ptb_numbers.c: */
void ptb_rule_numbers(struct ptb_scan *s, size_t p);
void ptb_rule_phone(struct ptb_scan *s, size_t p);

#endif
