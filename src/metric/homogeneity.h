/* How alike a system's outputs are to each other, without references: repeated n-grams, self-BLEU,
 * common openings, how far the texts compress, how close their embeddings lie.
 *
 * Words are what stands between white space, in lower case, punctuation left on. (Texygen cuts words
 * with nltk.word_tokenize instead.) All are functions for the table of corpus.h, but for the opening
 * itself, which diagnoses ask for. Local; thread-safe. */
#ifndef GE_METRIC_HOMOGENEITY_H
#define GE_METRIC_HOMOGENEITY_H

#include "metric/corpus.h"

/* Different n-grams / n-grams of the corpus; per text of its own. NaN without any. GE_ENOMEM, GE_ELIMIT. */
ge_corpus_metric_fn ge_corpus_distinct1, ge_corpus_distinct2, ge_corpus_distinct3;

/* Mean BLEU-3 of each of the first 500 texts against the other 499, as Texygen's fast self-BLEU with
 * nltk's sentence_bleu does: weights 1/3, an order without a match counts as 0.1 matches (method1),
 * the closest length, 0 without a common word. Per text: its own; NaN from the 501st on. NaN for fewer
 * than two texts. GE_ENOMEM, GE_ELIMIT. */
enum { GE_SELF_BLEU_TEXTS = 500, GE_SELF_BLEU_ORDER = 3 };
ge_corpus_metric_fn ge_corpus_self_bleu3;

/* Share of texts that begin with the commonest opening, of the texts with four words or more. Per
 * text: 1 if it does, 0 if not, NaN if it has fewer words. NaN without such texts. GE_ENOMEM,
 * GE_ELIMIT. */
ge_corpus_metric_fn ge_corpus_opening_share;

/* The commonest first four words; of equally common ones the first. */
struct ge_opening {
    char *words;     /* lowercase, a space between two; NULL: no text has four words. Owned */
    size_t *members; /* indices of the texts that begin with it, ascending. Owned */
    size_t n_members;
    size_t n_texts; /* with four words or more */
};
ge_status ge_opening_find(const struct ge_corpus *c, struct ge_opening *out);
void ge_opening_free(struct ge_opening *o); /* its content; all 0 is fine */

/* Bytes of the texts, a line break between two, over their bytes after zlib's deflate at level 9: the
 * higher, the more repetition. No values per text. Another version of zlib may differ by a few
 * bytes. NaN for no bytes: no text, or a single empty one. GE_ENOMEM, GE_ELIMIT (4 GiB). */
ge_corpus_metric_fn ge_corpus_compression_ratio;

/* Append the library's name and version, as found now and as compiled with. */
struct ge_buf;
void ge_zlib_library(struct ge_buf *out);

/* Mean cosine over the pairs of different answers, (|Σx|² - Σ|x|²) / (n(n - 1)) in double; x are unit
 * vectors. NaN for fewer than two. GE_ENOMEM. */
ge_set_metric_fn ge_set_pairwise_cosine;

#endif
