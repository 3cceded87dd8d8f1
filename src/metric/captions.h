/* A corpus of texts cut into words, its n-grams numbered: what BLEU, ROUGE-L, CIDEr-D and the
 * homogeneity metrics count. Made once, read by as many of them as are wanted.
 *
 * Equal words and equal n-grams have equal numbers, others never: tables compare what they find,
 * not its hash. An entry is one text with the references of its task; several samples of an item
 * are entries of their own, as pycocoevalcap takes captions with distinct ids.
 *
 * Memory: 16 bytes per word and 20 per distinct n-gram, up to twice that for room to grow. Local;
 * thread-safe when only read. */
#ifndef GE_METRIC_CAPTIONS_H
#define GE_METRIC_CAPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "metric/corpus.h"
#include "metric/family.h"

enum { GE_NGRAM_ORDERS = 4 };

enum ge_caption_words {
    GE_CAPTION_PTB,       /* words of ge_ptb_caption(), with references */
    GE_CAPTION_TOKENIZED, /* texts and references are its output already (tests, other tokenizers) */
    GE_CAPTION_PLAIN      /* lowercase words between white space; no references */
};
enum { GE_CAPTION_KINDS = GE_CAPTION_PLAIN + 1 };

/* One text. Its n-grams of order k (1…4), in their order, are gram[k-1][first + k - 1] to
 * gram[k-1][first + n - 1]: an n-gram stands where its last word does. */
struct ge_caption {
    size_t first, n;
    /* The same text split at single spaces, as ROUGE-L does: its words are
     * gram[0][split_first …]. Differs for an empty text (one empty word) and a word with U+00A0. */
    size_t split_first, split_n;
};

struct ge_caption_entry {
    struct ge_caption text;
    size_t first_ref, n_refs; /* in refs */
};

struct ge_caption_corpus {
    struct ge_caption_entry *entries;
    size_t n; /* texts of the corpus, in its order */
    struct ge_caption *refs;
    uint32_t *gram[GE_NGRAM_ORDERS];  /* numbers from 0, by first appearance */
    size_t distinct[GE_NGRAM_ORDERS]; /* how many numbers there are */
    size_t words;                     /* length of each gram[] */
};

/* Cut a corpus. GE_ENOMEM; GE_ELIMIT beyond 2^32 words. */
ge_status ge_caption_corpus_new(const struct ge_corpus *c, enum ge_caption_words words,
                                struct ge_caption_corpus **out);
void ge_caption_corpus_delete(struct ge_caption_corpus **cc); /* NULL is fine */

/* Append the words of GE_CAPTION_PLAIN, one space between two. GE_ENOMEM, GE_ELIMIT (out's cap). */
ge_status ge_caption_plain_words(const char *text, struct ge_buf *out);

/* The n-grams of order k + 1 of a caption, their number in *n; NULL if it is too short. */
static inline const uint32_t *ge_caption_grams(const struct ge_caption_corpus *cc,
                                               const struct ge_caption *caption, int k, size_t *n)
{
    *n = caption->n > (size_t)k ? caption->n - (size_t)k : 0;
    return *n > 0 ? cc->gram[k] + caption->first + k : NULL;
}

/* The largest of distinct[], at least 1: room for counts of any order. */
size_t ge_caption_most_distinct(const struct ge_caption_corpus *cc);

/* BLEU-1…4 as pycocoevalcap's BleuScorer with option "closest": corpus[k-1] from sums over all
 * entries that have references (NaN without any), per_text[k-1] (n values each; NULL: not wanted)
 * each entry by itself, NaN without references. Matches are clipped by the largest count in one
 * reference; the closest length is used, of two equally close the shorter; 1e-15 and 1e-9 stand where
 * they stand there, so that a perfect text of three words has BLEU-4 .0316. GE_ENOMEM. */
ge_status ge_caption_bleu(const struct ge_caption_corpus *cc, double corpus[GE_NGRAM_ORDERS],
                          double *const per_text[GE_NGRAM_ORDERS]);

/* ROUGE-L as pycocoevalcap's Rouge: F with beta 1.2 of the best precision and the best recall, which
 * may be of different references; the corpus value is the mean. An empty text has one empty word,
 * so empty against empty is 1. Time: words of the text × words of the references / 64. GE_ENOMEM. */
ge_status ge_caption_rouge_l(const struct ge_caption_corpus *cc, double *mean, double *per_text);

/* CIDEr-D as pycocoevalcap's Cider: 10 · mean over n = 1…4 and references of the clipped tf-idf
 * cosine times exp(-Δ²/72), Δ the difference in bigrams; document frequencies over the entries'
 * references, log of the number of entries. One entry: 0, as every idf is. GE_ENOMEM. */
ge_status ge_caption_cider_d(const struct ge_caption_corpus *cc, double *mean, double *per_text);

/* What metrics over one plain corpus have cut so far, each kind of words once. Starts as {0} and is
 * named by ge_corpus.cache; owns what it holds until it is cleared. */
struct ge_caption_cache {
    struct ge_caption_corpus *made[GE_CAPTION_KINDS];
};
void ge_caption_cache_clear(struct ge_caption_cache *cache);

/* The corpus of a plain one, from its cache if it has one; put it back in any case. Errors as
 * ge_caption_corpus_new(). */
ge_status ge_caption_corpus_take(const struct ge_corpus *c, enum ge_caption_words words,
                                 struct ge_caption_corpus **out);
void ge_caption_corpus_put(const struct ge_corpus *c, struct ge_caption_corpus **cc);

/* The same from a plain corpus, for the table of corpus metrics. */
ge_status ge_corpus_bleu1(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_bleu2(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_bleu3(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_bleu4(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_rouge_l(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_cider_d(const struct ge_corpus *c, double *value, double *per_text);

/* And of one answer and its references (metric.h), together (family.h) or one by one. */
enum { GE_TEXT_CAPTIONS = GE_NGRAM_ORDERS + 1 /* BLEU-1…4, ROUGE-L */ };
ge_text_family_fn ge_text_captions;
ge_text_metric_fn ge_text_bleu1, ge_text_bleu2, ge_text_bleu3, ge_text_bleu4, ge_text_rouge_l;

#endif
