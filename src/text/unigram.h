/* Unigram: of all ways to split a word into pieces the one with the largest sum of scores (Viterbi).
 * A character that no piece fits is unknown; neighbouring unknowns are one. Used by the tokenizer.
 * Local; read-only after ge_unigram_finish(), scratch memory belongs to one thread. */
#ifndef GE_TEXT_UNIGRAM_H
#define GE_TEXT_UNIGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "text/ids.h"
#include "text/trie.h"
#include "text/vocab.h"

struct unigram {
    const struct vocab *vocab; /* borrowed */
    double *scores;            /* by id, owned; NAN: the piece is never used */
    size_t n_scores;
    int32_t unk_id;     /* -1: none */
    bool byte_fallback; /* <0xNN> for the bytes of what is unknown, if all of them exist */
    bool single;        /* sums are rounded to float, as SentencePiece does */
    double unk_score;
    int32_t bytes[256]; /* of <0xNN>, or -1 */
    struct trie trie;
};

struct unigram_scratch; /* one thread's memory */

/* After the settings: build the trie. `lowest`: the smallest score that counts for unknown
 * characters, which get 10 less. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_unigram_finish(struct unigram *m, double lowest);
void ge_unigram_free(struct unigram *m); /* a zeroed model is fine */

/* Ids of one word. GE_EFORMAT: a character that no piece fits, and there is no unknown piece.
 * *scratch may be NULL at first. */
ge_status ge_unigram_encode(const struct unigram *m, const char *word, size_t len,
                            struct unigram_scratch **scratch, struct ids *ids);
void ge_unigram_scratch_delete(struct unigram_scratch **scratch);

void ge_unigram_hash(const struct unigram *m, struct ge_hasher *h);

#endif
