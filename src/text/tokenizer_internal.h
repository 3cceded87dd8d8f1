/* A tokenizer from the inside: tokenizer.c encodes with it, tokenizer_decode.c decodes,
 * tokenizer_load.c and what it calls build it. */
#ifndef GE_TEXT_TOKENIZER_INTERNAL_H
#define GE_TEXT_TOKENIZER_INTERNAL_H

#include "base/buf.h"
#include "text/added.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pretokenizer.h"
#include "text/tokenizer.h"
#include "text/unigram.h"
#include "text/vocab.h"
#include "text/wordpiece.h"

enum { TOKENIZER_MAX_WRAP = 16 };
#define TOKENIZER_MAX_TEXT ((size_t)64 << 20)

enum tokenizer_model { MODEL_BPE, MODEL_WORDPIECE, MODEL_UNIGRAM };

struct ge_tokenizer {
    enum tokenizer_model model;
    struct vocab vocab; /* the model's */
    struct vocab extra; /* added tokens that the model does not have */
    struct bpe bpe;
    struct wordpiece wordpiece;
    struct unigram unigram;
    struct normalizer normalizer;
    struct pretokenizer pretokenizer;
    struct added added;
    int32_t before[TOKENIZER_MAX_WRAP], after[TOKENIZER_MAX_WRAP]; /* the post-processor's */
    size_t n_before, n_after;
    bool after_once;    /* SigLIP: not after a text that ends with it */
    bool truncate_left; /* a long text loses its beginning */

    /* SigLIP: what is done to a text before added tokens are looked for, and how many ids of each
     * stretch between them belong to what the normalizer puts in front of it. */
    struct normalizer prepare;
    size_t n_in_front;

    struct decoder decoder;
    char *decoded_suffix; /* CLIP: a space in decoded text; NULL: none; owned */
    bool clean_up;        /* decoded text loses spaces before punctuation */

    int32_t special[GE_SPECIAL_TOKENS];
    int max_length;
    struct ge_hash hash;
};

struct ge_tokens_scratch {
    struct ge_buf clean;       /* the text with bad bytes replaced */
    struct ge_buf prepared;    /* … and prepared */
    struct ge_buf text, spare; /* normalization */
    struct ge_buf rewritten[PRETOKENIZER_MAX_STEPS];
    struct bpe_scratch *bpe;
    struct unigram_scratch *unigram;
};

#endif
