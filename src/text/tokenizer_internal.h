/* A tokenizer from the inside: tokenizer.c encodes with it, tokenizer_load.c builds it. */
#ifndef GE_TEXT_TOKENIZER_INTERNAL_H
#define GE_TEXT_TOKENIZER_INTERNAL_H

#include "base/buf.h"
#include "text/added.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pretokenizer.h"
#include "text/tokenizer.h"
#include "text/vocab.h"
#include "text/wordpiece.h"

enum { TOKENIZER_MAX_WRAP = 16 };
#define TOKENIZER_MAX_TEXT ((size_t)64 << 20)

enum tokenizer_model { MODEL_BPE, MODEL_WORDPIECE };

struct ge_tokenizer {
    enum tokenizer_model model;
    struct vocab vocab; /* the model's */
    struct vocab extra; /* added tokens that the model does not have */
    struct bpe bpe;
    struct wordpiece wordpiece;
    struct normalizer normalizer;
    struct pretokenizer pretokenizer;
    struct added added;
    int32_t before[TOKENIZER_MAX_WRAP], after[TOKENIZER_MAX_WRAP]; /* the post-processor's */
    size_t n_before, n_after;
    int32_t special[GE_SPECIAL_TOKENS];
    int max_length;
    struct ge_hash hash;
};

struct ge_tokens_scratch {
    struct ge_buf clean;       /* the text with bad bytes replaced */
    struct ge_buf text, spare; /* normalization */
    struct ge_buf bytes;       /* ByteLevel */
    struct bpe_scratch *bpe;
};

#endif
