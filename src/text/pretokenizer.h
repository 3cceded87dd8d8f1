/* Pre-tokenizers: split a normalized text into the words that the model sees one by one. A
 * pipeline of steps, each splitting or rewriting what the one before gave. The kinds are the rows
 * of a table in pretokenizer.c; a kind of tokenizer.json that has no row is GE_EUNSUPPORTED.
 * Local; read-only after it is built. */
#ifndef GE_TEXT_PRETOKENIZER_H
#define GE_TEXT_PRETOKENIZER_H

#include <stdbool.h>
#include <stddef.h>

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
    struct ge_buf *bytes; /* scratch for ByteLevel */
    bool stop;
};

struct pretokenizer;
struct pretokenizer_step;
typedef ge_status pretokenizer_split_fn(const struct pretokenizer *p, size_t i, const char *s,
                                        size_t len, struct pretokenizer_sink *sink);

struct pretokenizer_step {
    const char *name;
    pretokenizer_split_fn *split;
    struct pattern pattern;           /* Split */
    bool keep_matches, keep_between;  /* Split: which parts go on */
    bool add_prefix_space, use_regex; /* ByteLevel */
};

struct pretokenizer {
    struct pretokenizer_step steps[PRETOKENIZER_MAX_STEPS];
    size_t n;
};

void ge_pretokenizer_free(struct pretokenizer *p); /* a zeroed one is empty and fine */

ge_status ge_pretokenizer_parse(struct pretokenizer *p, const ge_json *node, const char *where);
ge_status ge_pretokenizer_add_clip(struct pretokenizer *p); /* as transformers 5 builds it */
ge_status ge_pretokenizer_add_bert(struct pretokenizer *p);

/* Hand the words of s, which is not empty, to sink->word in order. */
ge_status ge_pretokenizer_run(const struct pretokenizer *p, const char *s, size_t len,
                              struct pretokenizer_sink *sink);

void ge_pretokenizer_describe(const struct pretokenizer *p, struct ge_buf *out);

#endif
