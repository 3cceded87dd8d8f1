/* Normalizers: what a tokenizer does to a text before it splits it. A pipeline of steps, each from
 * text to text. The kinds are the rows of a table in normalizer.c; a kind of tokenizer.json that
 * has no row is GE_EUNSUPPORTED. Local; read-only after it is built. */
#ifndef GE_TEXT_NORMALIZER_H
#define GE_TEXT_NORMALIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "text/pattern.h"

enum { NORMALIZER_MAX_STEPS = 32 };

struct normalizer_step;
typedef ge_status normalizer_apply_fn(const struct normalizer_step *step, const char *s, size_t len,
                                      struct ge_buf *out);

struct normalizer_step {
    const char *name; /* for the description */
    normalizer_apply_fn *apply;
    struct pattern pattern; /* Replace */
    char *content;          /* Replace; owned */
    bool clean, cjk;        /* BertNormalizer's first half */
};

struct normalizer {
    struct normalizer_step steps[NORMALIZER_MAX_STEPS];
    size_t n;
};

void ge_normalizer_free(struct normalizer *n); /* a zeroed one is empty and fine */

/* Append the steps of a tokenizer.json node (null: none). `where` names it in messages:
 * "…/tokenizer.json: normalizer". */
ge_status ge_normalizer_parse(struct normalizer *n, const ge_json *node, const char *where);

/* Append single kinds. strip_accents and so on as in BertNormalizer. */
ge_status ge_normalizer_add_lowercase(struct normalizer *n);
ge_status ge_normalizer_add_clip(struct normalizer *n);
ge_status ge_normalizer_add_bert(struct normalizer *n, bool clean, bool cjk, bool strip_accents,
                                 bool lowercase);

/* text becomes its normal form; `spare` is scratch. */
ge_status ge_normalizer_run(const struct normalizer *n, struct ge_buf *text, struct ge_buf *spare);

/* Append one line that says what it does; equal lines mean equal effect. */
void ge_normalizer_describe(const struct normalizer *n, struct ge_buf *out);

#endif
