/* What a folder's tokenizer files say, before the tokenizer is put together from it
 * (tokenizer_load.c). Reading only: formats and ranges are checked here, meaning is not. Local. */
#ifndef GE_TEXT_TOKENIZER_FILES_H
#define GE_TEXT_TOKENIZER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "text/vocab.h"

/* The "model" of tokenizer.json, or vocab.json + merges.txt, or vocab.txt. */
struct model_file {
    char *type; /* NULL: not given */
    struct vocab vocab;
    struct ge_buf merges; /* left NUL right NUL, by rank */
    size_t n_merges;
    char *unk, *prefix, *suffix; /* NULL: not given */
    int64_t max_chars;           /* -1: not given */
    bool fuse_unk, ignore_merges, byte_fallback, dropout, vocab_is_list;
};

struct tokenizer_files {
    char *json_path; /* tokenizer.json; NULL: there is none */
    struct model_file model;
    /* Parts of tokenizer.json; NULL: not in it. */
    ge_json *added, *normalizer, *pretokenizer, *postprocessor;
    /* Whole files; NULL: not there. */
    ge_json *config;       /* tokenizer_config.json */
    ge_json *special_map;  /* special_tokens_map.json */
    ge_json *added_file;   /* added_tokens.json */
    char *config_path;     /* of tokenizer_config.json, for messages */
    char *tokenizer_class; /* from tokenizer_config.json or config.json, without "Fast"; or NULL */
};

/* Read everything in the folder; bpe: without tokenizer.json the vocabulary is vocab.json and
 * merges.txt, else vocab.txt. GE_ENOENT, GE_EFORMAT, GE_ELIMIT, GE_EIO, GE_ENOMEM. */
ge_status ge_tokenizer_files_read(const char *folder, bool bpe, struct tokenizer_files *f);
void ge_tokenizer_files_free(struct tokenizer_files *f); /* a zeroed one is fine */

/* tokenizer.json alone, as a stream. */
ge_status ge_tokenizer_json_read(const char *path, struct tokenizer_files *f);

/* Append a merge to the list. */
void ge_model_file_add_merge(struct model_file *m, const char *left, size_t left_len,
                             const char *right, size_t right_len);

#endif
