/* The state of loading, shared by tokenizer_load.c (the whole) and tokenizer_added.c (added
 * tokens). Local. */
#ifndef GE_TEXT_TOKENIZER_LOAD_H
#define GE_TEXT_TOKENIZER_LOAD_H

#include <stdbool.h>

#include "base/json.h"
#include "base/status.h"
#include "text/tokenizer_files.h"
#include "text/tokenizer_internal.h"

/* What the reference class fixes. */
struct family {
    const char *name;      /* class */
    const char *json_type; /* model.type in tokenizer.json */
    enum tokenizer_model model;
    const char *special[GE_SPECIAL_TOKENS]; /* defaults; NULL: none */
    enum ge_special_token first, last;      /* what a text is wrapped in */
};

struct loader {
    const char *folder;
    const struct family *family;
    bool literal; /* tokenizer.json counts as it is */
    struct tokenizer_files files;
    struct added_token special[GE_SPECIAL_TOKENS]; /* content borrowed; NULL: none */
    struct ge_tokenizer *t;
};

/* An added token from a string or an object with content and flags. `special`: what an entry
 * without its own "special" counts as; specials are not normalized unless they say so. False:
 * neither. The content is borrowed from the node. */
bool ge_loader_read_token(const ge_json *node, bool special, struct added_token *out);

/* GE_EFORMAT for a token that ge_loader_read_token() refused. */
ge_status ge_loader_bad_special(const struct loader *l, const char *key);

/* Add all tokens that the files and l->special name. The model's vocabulary is there already. */
ge_status ge_loader_add_tokens(struct loader *l);

#endif
