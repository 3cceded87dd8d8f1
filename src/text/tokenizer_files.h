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
#include "text/spm_file.h"
#include "text/vocab.h"

/* The "model" of tokenizer.json, or vocab.json + merges.txt, or vocab.txt. */
struct model_file {
    char *type; /* NULL: not given */
    struct vocab vocab;
    double *scores; /* by id, of vocab.n_ids pieces; NULL: the vocabulary is no list of pieces */
    size_t scores_cap;
    struct ge_buf merges; /* left NUL right NUL, by rank */
    size_t n_merges;
    char *unk, *prefix, *suffix; /* NULL: not given */
    int64_t max_chars;           /* -1: not given */
    int64_t unk_id;              /* -1: not given */
    bool fuse_unk, ignore_merges, byte_fallback, dropout;
};

/* Where the vocabulary is when there is no tokenizer.json. */
enum vocab_layout {
    VOCAB_JSON_AND_MERGES, /* vocab.json, merges.txt */
    VOCAB_TXT,             /* vocab.txt */
    VOCAB_SPM              /* a sentencepiece model */
};

struct tokenizer_files {
    char *json_path; /* tokenizer.json; NULL: there is none, or it does not count */
    struct model_file model;
    char *spm_path; /* the sentencepiece model; NULL: the vocabulary comes from elsewhere */
    struct spm_file spm;
    /* Parts of tokenizer.json; NULL: not in it. */
    ge_json *added, *normalizer, *pretokenizer, *postprocessor, *decoder, *truncation;
    /* Whole files; NULL: not there. */
    ge_json *config;       /* tokenizer_config.json */
    ge_json *special_map;  /* special_tokens_map.json */
    ge_json *added_file;   /* added_tokens.json */
    char *config_path;     /* of tokenizer_config.json, for messages */
    char *tokenizer_class; /* from tokenizer_config.json or config.json, without "Fast"; or NULL */
};

/* Read the folder's small files; the vocabulary comes after. GE_ENOENT, GE_EFORMAT, GE_ELIMIT,
 * GE_EIO, GE_ENOMEM. */
ge_status ge_tokenizer_files_read(const char *folder, struct tokenizer_files *f);

/* Read tokenizer.json, or else the layout's files (spm: name of the sentencepiece model, or NULL).
 * spm_first: the sentencepiece model counts if both are there. Errors as above, and those of
 * ge_spm_read(). */
ge_status ge_tokenizer_files_read_vocab(const char *folder, enum vocab_layout layout,
                                        const char *spm, bool spm_first, struct tokenizer_files *f);
void ge_tokenizer_files_free(struct tokenizer_files *f); /* a zeroed one is fine */

/* tokenizer.json alone, as a stream. */
ge_status ge_tokenizer_json_read(const char *path, struct tokenizer_files *f);

/* Append a piece, whose id is its place. GE_EFORMAT, GE_ENOMEM. */
ge_status ge_model_file_add_piece(struct model_file *m, const char *text, size_t len, double score);

/* Append a merge to the list. */
void ge_model_file_add_merge(struct model_file *m, const char *left, size_t left_len,
                             const char *right, size_t right_len);

#endif
