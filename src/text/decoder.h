/* Decoders: tokens back to text. A pipeline of steps, each from a list of tokens to a list of
 * tokens; the text is the last list, joined. The kinds of tokenizer.json are the rows of a table in
 * decoder_json.c; a kind that has no row is GE_EUNSUPPORTED. Used by the tokenizer. Local; read-only after
 * it is built. */
#ifndef GE_TEXT_DECODER_H
#define GE_TEXT_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "text/pattern.h"

enum { DECODER_MAX_STEPS = 16 };

/* Texts one after the other, and where each of them ends. */
struct token_list {
    struct ge_buf text;
    size_t *ends;
    size_t n, cap;
};
void ge_token_list_init(struct token_list *l);
void ge_token_list_free(struct token_list *l);
ge_status ge_token_list_add(struct token_list *l, const char *text, size_t len);

struct decoder_step;
typedef ge_status decoder_apply_fn(const struct decoder_step *step, const struct token_list *in,
                                   struct token_list *out);

struct decoder_step {
    decoder_apply_fn *apply;
    struct pattern pattern; /* Replace */
    char *content;          /* Replace; WordPiece: prefix; owned */
    bool cleanup;           /* WordPiece */
    uint32_t cp;            /* Strip: what to strip; Metaspace: the symbol */
    size_t left, right;     /* Strip: at most so many */
    bool keeps_first;       /* Metaspace: the first token's symbols are spaces, too */
};

struct decoder {
    struct decoder_step steps[DECODER_MAX_STEPS];
    size_t n;
    bool none; /* there is no decoder: tokens are joined with spaces */
};

void ge_decoder_free(struct decoder *d); /* a zeroed one joins the tokens and is fine */

/* Append the steps of a tokenizer.json node. `where` names it in messages. */
ge_status ge_decoder_parse(struct decoder *d, const ge_json *node, const char *where);

/* Append single kinds. */
ge_status ge_decoder_add_byte_level(struct decoder *d);
ge_status ge_decoder_add_wordpiece(struct decoder *d, const char *prefix, bool cleanup);
ge_status ge_decoder_add_metaspace(struct decoder *d, uint32_t symbol, bool keeps_first);
ge_status ge_decoder_add_replace(struct decoder *d, const char *pattern, bool literal,
                                 const char *content);
ge_status ge_decoder_add_strip(struct decoder *d, uint32_t cp, size_t left, size_t right);
ge_status ge_decoder_add_byte_fallback(struct decoder *d);
ge_status ge_decoder_add_fuse(struct decoder *d);

/* Append the text of the tokens to out; the list is used up. */
ge_status ge_decoder_run(const struct decoder *d, struct token_list *tokens, struct ge_buf *out);

#endif
