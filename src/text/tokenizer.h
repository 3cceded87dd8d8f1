/* Model tokenizers: text to the ids that a model was trained on, from Hugging Face folders.
 *
 * A tokenizer is a pipeline: added tokens, normalizer, pre-tokenizer, model, post-processor. Ids
 * equal those of transformers 5 with tokenizers 0.23 ("fast" tokenizers). tokenizer.json is read as a
 * general pipeline, and so are the older files of the families below; a kind of part that is not known
 * is GE_EUNSUPPORTED and names the file, the key and the kind. Not here: words for answer matching
 * (words.h).
 *
 * A loaded tokenizer is read-only: any number of threads may encode with it, each with a ge_tokens
 * of its own. Local. */
#ifndef GE_TEXT_TOKENIZER_H
#define GE_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

struct ge_tokenizer;

/* Which reference class reads the folder when tokenizer_config.json does not name one. It decides
 * what the files leave open. */
enum ge_tokenizer_family {
    GE_TOKENIZER_CLIP,        /* byte-level BPE; <|startoftext|> … <|endoftext|> */
    GE_TOKENIZER_BERT,        /* WordPiece; [CLS] … [SEP] */
    GE_TOKENIZER_ROBERTA,     /* byte-level BPE; <s> … </s> */
    GE_TOKENIZER_XLM_ROBERTA, /* sentencepiece Unigram; <s> … </s> */
    GE_TOKENIZER_MPNET,       /* WordPiece; <s> … </s> */
    GE_TOKENIZER_SIGLIP,      /* sentencepiece Unigram after lowercasing and dropping punctuation;
                                 … </s>, which is also the pad. A folder of SigLIP 2 at a fixed
                                 resolution, which is declared as SigLIP, is read as SIGLIP2 */
    GE_TOKENIZER_SIGLIP2      /* Gemma's BPE after lowercasing; … <eos>, pad <pad> */
};

struct ge_tokenizer_options {
    enum ge_tokenizer_family family;
    bool prepend_lowercase; /* lowercase before the normalizer: do_lower_case of
                               sentence_bert_config.json */
    bool keep_case; /* SigLIP 2: do not lowercase, as transformers before Siglip2Tokenizer */
};

/* Read a folder's tokenizer: tokenizer.json if there is one, else the family's own files: vocab.json +
 * merges.txt (CLIP, RoBERTa), vocab.txt (BERT, MPNet), spiece.model (SigLIP),
 * sentencepiece.bpe.model (XLM-R), tokenizer.model (SigLIP 2); beside it tokenizer_config.json, special_tokens_map.json, added_tokens.json.
 * GE_ENOENT: no vocabulary (the message lists the names looked for). GE_EFORMAT: a file breaks its
 * format, an id is out of range or given twice, a merge of unknown tokens, no unknown token
 * (WordPiece), or no token for one that wraps each text. GE_EUNSUPPORTED: another kind of component
 * or class. GE_ELIMIT, GE_EIO, GE_ENOMEM. A named special that the vocabulary lacks gets an id after
 * its end, as in the reference: encoding checks each id against the embedding table. */
ge_status ge_tokenizer_load(const char *folder, const struct ge_tokenizer_options *opt,
                            struct ge_tokenizer **out);
void ge_tokenizer_delete(struct ge_tokenizer **t); /* *t = NULL; NULL is fine */

/* Result and scratch memory of encoding; use it again to save allocations. */
struct ge_tokens {
    int32_t *ids;                      /* (count), owned */
    size_t count;                      /* with special tokens */
    bool truncated;                    /* the text gave more tokens than max_length left room for */
    size_t cap;                        /* allocated ids */
    struct ge_tokens_scratch *scratch; /* owned */
};
void ge_tokens_init(struct ge_tokens *tokens); /* empty; allocates nothing */
void ge_tokens_free(struct ge_tokens *tokens);

/* Encode text (UTF-8; a byte that is not part of a valid sequence counts as U+FFFD; NULs are
 * ordinary characters). max_length: the most ids, specials included; content is cut at its end, the
 * specials stay; 0: no limit. add_special: wrap as the post-processor says. Specials that are spelt
 * out in the text are recognised as the reference does.
 * GE_EINVAL: max_length is smaller than the number of specials. GE_ELIMIT: text beyond 64 MiB.
 * GE_EFORMAT: a piece is not in the vocabulary and there is no unknown token. GE_ENOMEM. */
ge_status ge_tokenizer_encode(const struct ge_tokenizer *t, const char *text, size_t len,
                              int max_length, bool add_special, struct ge_tokens *out);

enum ge_special_token {
    GE_TOKEN_BOS,
    GE_TOKEN_EOS,
    GE_TOKEN_UNK,
    GE_TOKEN_SEP,
    GE_TOKEN_PAD,
    GE_TOKEN_CLS,
    GE_TOKEN_MASK,
    GE_SPECIAL_TOKENS
};
int32_t ge_tokenizer_special(const struct ge_tokenizer *t, enum ge_special_token which); /* or -1 */

size_t ge_tokenizer_vocab_size(const struct ge_tokenizer *t); /* highest id + 1, added tokens too */
int32_t ge_tokenizer_id(const struct ge_tokenizer *t, const char *token); /* -1: not known */
const char *ge_tokenizer_token(const struct ge_tokenizer *t, int32_t id); /* borrowed or NULL */
size_t ge_tokenizer_special_count(const struct ge_tokenizer *t); /* that encoding adds to a text */

/* Whether transformers would pad texts at their beginning. Encoding itself never pads, so the hash
 * leaves it out. */
bool ge_tokenizer_pads_left(const struct ge_tokenizer *t);

/* model_max_length of tokenizer_config.json; 0 if it is not recorded or is a stand-in for "no
 * limit" (above 2^20). */
int ge_tokenizer_max_length(const struct ge_tokenizer *t);

/* Content hash of everything that decides ids: vocabulary, merges, pipeline, added tokens. Equal
 * for folders of different layouts that give the same tokenizer. */
struct ge_hash ge_tokenizer_hash(const struct ge_tokenizer *t);

/* Append the text of n ids to out, as the class decodes: unknown ids are passed over; skip_special:
 * special tokens too. GE_ELIMIT, GE_ENOMEM. */
struct ge_buf;
ge_status ge_tokenizer_decode(const struct ge_tokenizer *t, const int32_t *ids, size_t n,
                              bool skip_special, struct ge_buf *out);

#endif
