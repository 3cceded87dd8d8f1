/* The state of loading, shared by tokenizer_load.c (the whole), tokenizer_class.c (what the reference
 * class fixes), tokenizer_model.c (the model) and tokenizer_added.c (added tokens). Local. */
#ifndef GE_TEXT_TOKENIZER_LOAD_H
#define GE_TEXT_TOKENIZER_LOAD_H

#include <stdbool.h>

#include "base/json.h"
#include "base/status.h"
#include "text/tokenizer_files.h"
#include "text/tokenizer_internal.h"

struct loader;

/* A reference class: which files it reads, what it takes from them, what it builds itself. */
struct tokenizer_class {
    const char *name;
    const char *json_type; /* model.type in tokenizer.json */
    enum tokenizer_model model;
    enum vocab_layout layout;
    const char *spm;    /* name of its sentencepiece model; NULL: it has none */
    bool sentencepiece; /* works as SentencePiece itself: tokenizer.json does not count beside it */
    const char *special[GE_SPECIAL_TOKENS]; /* defaults; NULL: none */
    bool mask_takes_space;                  /* of a mask token given as a string */
    enum ge_special_token first, last;      /* what a text is wrapped in; equal: as the files say */
    ge_status (*build)(struct loader *l);   /* normalizer, pre-tokenizer, decoder */
};

struct loader {
    const char *folder;
    const struct ge_tokenizer_options *opt;
    const struct tokenizer_class *class;
    bool literal; /* tokenizer.json counts as it is */
    struct tokenizer_files files;
    struct added_token special[GE_SPECIAL_TOKENS]; /* content borrowed; NULL: none */
    struct ge_tokenizer *t;
};

/* ---- tokenizer_class.c ---- */

/* The class that reads the folder: the named one, or the family's. GE_EUNSUPPORTED. */
ge_status ge_loader_choose_class(struct loader *l);

/* After the vocabulary is read: whether the class or tokenizer.json itself decides. */
void ge_loader_settle_class(struct loader *l);

/* The map of characters of the tokenizer's sentencepiece model or tokenizer.json, if there is one. */
ge_status ge_loader_charsmap(const struct loader *l, struct charsmap *map);

/* SigLIP, with the model there: count what the normalizer's own text becomes. */
ge_status ge_loader_count_in_front(struct loader *l);

/* ---- tokenizer_model.c ---- */

ge_status ge_loader_build_model(struct loader *l);

/* ---- tokenizer_added.c ---- */

/* An added token from a string or an object with content and flags. `special`: what an entry
 * without its own "special" counts as; specials are not normalized unless they say so. False:
 * neither. The content is borrowed from the node. */
bool ge_loader_read_token(const ge_json *node, bool special, struct added_token *out);

/* GE_EFORMAT for a token that ge_loader_read_token() refused. */
ge_status ge_loader_bad_special(const struct loader *l, const char *key);

/* Add all tokens that the files and l->special name. The model's vocabulary is there already. */
ge_status ge_loader_add_tokens(struct loader *l);

#endif
