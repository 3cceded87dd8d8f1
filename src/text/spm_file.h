/* SentencePiece models (spiece.model, sentencepiece.bpe.model, tokenizer.model): the parts of their
 * protocol buffer that decide how a text is split. Reading only; what is made of it is the loader's
 * business (tokenizer_model.c). Local. */
#ifndef GE_TEXT_SPM_FILE_H
#define GE_TEXT_SPM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "text/normalizer.h"

enum spm_type {
    SPM_NORMAL = 1,
    SPM_UNKNOWN = 2,
    SPM_CONTROL = 3,
    SPM_USER_DEFINED = 4,
    SPM_UNUSED = 5,
    SPM_BYTE = 6
};

struct spm_piece {
    const char *text; /* UTF-8 without NUL, not terminated; in the file's bytes */
    size_t len;
    float score;
    enum spm_type type;
};

enum spm_model { SPM_UNIGRAM = 1, SPM_BPE = 2 };

struct spm_file {
    char *data; /* owned */
    size_t len;
    struct spm_piece *pieces; /* owned; the place is the id */
    size_t n, cap;
    enum spm_model model;
    bool byte_fallback;
    const char *charsmap; /* in the file's bytes; NULL: none */
    size_t charsmap_len;
    struct normalizer_spaces spaces;
};

/* Read. GE_EFORMAT: not such a file, cut off, a piece that is empty, not UTF-8, or given twice, a
 * score that is not finite, not exactly one unknown piece. GE_EUNSUPPORTED: trained as another kind
 * of model (word, char). GE_ELIMIT, GE_ENOENT, GE_EIO, GE_ENOMEM. */
ge_status ge_spm_read(const char *path, struct spm_file *f);
void ge_spm_free(struct spm_file *f); /* a zeroed one is fine */

#endif
