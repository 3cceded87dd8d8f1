/* Normalizers: what a tokenizer does to a text before it splits it. A pipeline of steps, each from
 * text to text. The kinds of tokenizer.json are the rows of a table in normalizer_json.c; a kind that
 * has no row is GE_EUNSUPPORTED. Local; read-only after it is built. */
#ifndef GE_TEXT_NORMALIZER_H
#define GE_TEXT_NORMALIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "text/charsmap.h"
#include "text/pattern.h"
#include "text/trie.h"

/* SentencePiece's visible space, U+2581, in UTF-8. */
#define SPACE_SYMBOL_TEXT "\xE2\x96\x81"

enum { NORMALIZER_MAX_STEPS = 32 };

struct normalizer_step;

/* Append the normal form of s to out; *headless = true when the first character was dropped, or
 * replaced together with the next. */
typedef ge_status normalizer_apply_fn(const struct normalizer_step *step, const char *s, size_t len,
                                      struct ge_buf *out, bool *headless);

/* How SentencePiece treats white space. */
struct normalizer_spaces {
    bool dummy_prefix; /* one space more in front of the text, or after it: */
    bool at_end;
    bool collapse; /* none at the ends of the text, one at a time within */
    bool escape;   /* U+2581 for a space */
};

struct normalizer_step {
    const char *name; /* for the description */
    normalizer_apply_fn *apply;
    struct pattern pattern;          /* Replace */
    char *content;                   /* Replace, Prepend; owned */
    bool clean, cjk;                 /* BertNormalizer's first half */
    bool left, right;                /* Strip */
    bool lowercase;                  /* SigLIP */
    struct charsmap map;             /* Precompiled, SentencePiece; owned */
    struct normalizer_spaces spaces; /* SentencePiece */
    struct trie kept;                /* SentencePiece: symbols that are not changed; owned */
};

struct normalizer {
    struct normalizer_step steps[NORMALIZER_MAX_STEPS];
    size_t n;
};

void ge_normalizer_free(struct normalizer *n); /* a zeroed one is empty and fine */

/* Append the steps of a tokenizer.json node (null: none). `where` names it in messages:
 * "…/tokenizer.json: normalizer". */
ge_status ge_normalizer_parse(struct normalizer *n, const ge_json *node, const char *where);

/* Append single kinds. */
ge_status ge_normalizer_add_form(struct normalizer *n, const char *name); /* "nfc", …, "nfkd" */
ge_status ge_normalizer_add_lowercase(struct normalizer *n);
ge_status ge_normalizer_add_replace(struct normalizer *n, const char *pattern, bool literal,
                                    const char *content);
ge_status ge_normalizer_add_prepend(struct normalizer *n, const char *content);
ge_status ge_normalizer_add_strip(struct normalizer *n, bool left, bool right);
ge_status ge_normalizer_add_strip_accents(struct normalizer *n);
ge_status ge_normalizer_add_nmt(struct normalizer *n);
ge_status ge_normalizer_add_byte_level(struct normalizer *n);
ge_status ge_normalizer_add_bert(struct normalizer *n, bool clean, bool cjk, bool strip_accents,
                                 bool lowercase);

/* The tokenizers library's reading of a precompiled map: a grapheme shorter than 6 bytes becomes the
 * replacement of the first rule that it begins with; failing that, each of its characters does. */
ge_status ge_normalizer_add_precompiled(struct normalizer *n, struct charsmap *map); /* moved */

/* SentencePiece's own: the longest rule at each place, then the spaces. Both are moved. */
ge_status ge_normalizer_add_sentencepiece(struct normalizer *n, struct charsmap *map,
                                          struct trie *kept, struct normalizer_spaces spaces);

/* SigLIP's: Python's lower(), without ASCII punctuation, single spaces, none at the ends. */
ge_status ge_normalizer_add_siglip(struct normalizer *n, bool lowercase);

/* The classes' own pipelines. */
ge_status ge_normalizer_add_clip(struct normalizer *n);

/* text becomes its normal form; `spare` is scratch. *headless (may be NULL) = true when its first
 * character is not what the first one of the text became. */
ge_status ge_normalizer_run(const struct normalizer *n, struct ge_buf *text, struct ge_buf *spare,
                            bool *headless);

/* Append one line that says what it does; equal lines mean equal effect. */
void ge_normalizer_describe(const struct normalizer *n, struct ge_buf *out);

/* For the normalizer's own files: append a new step to fill in (GE_ELIMIT), describe the kinds of
 * normalizer_sentencepiece.c. */
ge_status ge_normalizer_add_step(struct normalizer *n, const char *name, normalizer_apply_fn *apply,
                                 struct normalizer_step **out);
void ge_normalizer_describe_sentencepiece(const struct normalizer_step *step, struct ge_buf *out);

#endif
