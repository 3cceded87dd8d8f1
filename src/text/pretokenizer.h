/* Pre-tokenizers: split a normalized text into the words that the model sees one by one. A
 * pipeline of steps, each splitting or rewriting what the one before gave. The kinds of
 * tokenizer.json are the rows of a table in pretokenizer_json.c; a kind that has no row is
 * GE_EUNSUPPORTED. Local; read-only after it is built. */
#ifndef GE_TEXT_PRETOKENIZER_H
#define GE_TEXT_PRETOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "text/pattern.h"

enum { PRETOKENIZER_MAX_STEPS = 16 };

/* Takes one word; *stop = true: no more are wanted. */
typedef ge_status pretokenizer_word_fn(void *ctx, const char *word, size_t len, bool *stop);

struct pretokenizer_sink {
    pretokenizer_word_fn *word;
    void *ctx;
    struct ge_buf *rewritten; /* PRETOKENIZER_MAX_STEPS buffers: scratch of the steps */
    bool stop;
};

/* A piece of text on its way through the steps. */
struct piece {
    const char *text;
    size_t len;
    bool first; /* begins where the whole text begins */
};

struct pretokenizer;
struct pretokenizer_step;
typedef ge_status pretokenizer_split_fn(const struct pretokenizer *p, size_t i, struct piece piece,
                                        struct pretokenizer_sink *sink);

/* What becomes of the matches that a text is split at. */
enum split_behavior {
    SPLIT_REMOVED,
    SPLIT_ISOLATED,
    SPLIT_MERGED_WITH_PREVIOUS,
    SPLIT_MERGED_WITH_NEXT,
    SPLIT_CONTIGUOUS /* neighbouring matches stay together */
};

enum metaspace_scheme { METASPACE_ALWAYS, METASPACE_FIRST, METASPACE_NEVER };

struct pretokenizer_step {
    const char *name;
    pretokenizer_split_fn *split;
    struct pattern pattern; /* Split; Metaspace: its symbol; Whitespace: a scanner */
    bool (*matches)(uint32_t cp, uint32_t delimiter); /* by character, instead of the pattern */
    uint32_t delimiter;
    enum split_behavior behavior;
    bool invert;                      /* matches and what is between them change places */
    bool add_prefix_space, use_regex; /* ByteLevel */
    enum metaspace_scheme scheme;     /* Metaspace: which pieces get its symbol in front */
    bool in_pieces;                   /* Metaspace: split before each symbol */
};

struct pretokenizer {
    struct pretokenizer_step steps[PRETOKENIZER_MAX_STEPS];
    size_t n;
};

void ge_pretokenizer_free(struct pretokenizer *p); /* a zeroed one is empty and fine */

ge_status ge_pretokenizer_parse(struct pretokenizer *p, const ge_json *node, const char *where);

/* Append single kinds. */
ge_status ge_pretokenizer_add_split(struct pretokenizer *p, const char *source, bool literal,
                                    enum split_behavior behavior, bool invert);
ge_status ge_pretokenizer_add_byte_level(struct pretokenizer *p, bool add_prefix_space,
                                         bool use_regex);
ge_status ge_pretokenizer_add_metaspace(struct pretokenizer *p, const char *symbol,
                                        enum metaspace_scheme scheme, bool in_pieces);
ge_status ge_pretokenizer_add_whitespace(struct pretokenizer *p); /* \w+|[^\w\s]+ */
ge_status ge_pretokenizer_add_whitespace_split(struct pretokenizer *p);
ge_status ge_pretokenizer_add_punctuation(struct pretokenizer *p, enum split_behavior behavior);
ge_status ge_pretokenizer_add_digits(struct pretokenizer *p, bool one_by_one);
ge_status ge_pretokenizer_add_delimiter(struct pretokenizer *p, uint32_t cp);
ge_status ge_pretokenizer_add_clip(struct pretokenizer *p); /* as transformers 5 builds it */
ge_status ge_pretokenizer_add_bert(struct pretokenizer *p);

/* Hand the words of the piece, which is not empty, to sink->word in order. */
ge_status ge_pretokenizer_run(const struct pretokenizer *p, struct piece piece,
                              struct pretokenizer_sink *sink);

/* Append one line that says what it does; equal lines mean equal effect. */
void ge_pretokenizer_describe(const struct pretokenizer *p, struct ge_buf *out);

#endif
