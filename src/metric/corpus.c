/* The table of corpus metrics. */
#include "metric/corpus.h"

#include <math.h>
#include <string.h>

#include "metric/captions.h"
#include "metric/chair.h"
#include "metric/constraints.h"
#include "metric/homogeneity.h"
#include "metric/mmd.h"

static const char coco[] = "pycocoevalcap 1.2";
static const char chair[] = "own definition, after Rohrbach et al. 2018";

static const struct ge_corpus_metric table[] = {
    {"length.words.mean", "mean number of words of the texts", NULL, GE_BETTER_NEITHER, 0, INFINITY,
     ge_corpus_length, NULL},

    /* checks */
    {"chair.i", "sum of hallucinated mentions / sum of mentions", chair, GE_BETTER_LOWER, 0, 1,
     ge_corpus_chair_i, NULL},
    {"constraints.share.strict", "constraints kept / constraints over the corpus",
     "IFEval instruction-level strict (lm-eval)", GE_BETTER_HIGHER, 0, 1,
     ge_corpus_constraints_strict, NULL},
    {"constraints.share.loose", "constraints kept loosely / constraints over the corpus",
     "IFEval instruction-level loose (lm-eval)", GE_BETTER_HIGHER, 0, 1,
     ge_corpus_constraints_loose, NULL},

    /* sets of embeddings */
    {"cmmd",
     "1000 times the biased squared MMD of unit embeddings to those of the reference images, "
     "Gaussian kernel of sigma 10",
     "google-research/cmmd, in double precision", GE_BETTER_LOWER, 0, INFINITY, NULL, ge_cmmd},
    {"kid.full",
     "unbiased squared MMD of unit embeddings to those of the reference images, kernel (x.y / dim "
     "+ 1)^3, over all pairs",
     "torch-fidelity kernel_mmd, without subsets", GE_BETTER_LOWER, -INFINITY, INFINITY, NULL,
     ge_kid},
    /* captions, against references */
    {"bleu1.coco",
     "clipped matches / words, each summed over all texts, times the brevity penalty of the summed "
     "lengths",
     coco, GE_BETTER_HIGHER, 0, 1, ge_corpus_bleu1, NULL},
    {"bleu2.coco",
     "geometric mean of 1- to 2-gram precisions over all texts, times the brevity penalty of the "
     "summed lengths",
     coco, GE_BETTER_HIGHER, 0, 1, ge_corpus_bleu2, NULL},
    {"bleu3.coco",
     "geometric mean of 1- to 3-gram precisions over all texts, times the brevity penalty of the "
     "summed lengths",
     coco, GE_BETTER_HIGHER, 0, 1, ge_corpus_bleu3, NULL},
    {"bleu4.coco",
     "geometric mean of 1- to 4-gram precisions over all texts, times the brevity penalty of the "
     "summed lengths",
     coco, GE_BETTER_HIGHER, 0, 1, ge_corpus_bleu4, NULL},
    {"rouge_l.coco",
     "mean over texts of the F (beta 1.2) of the best LCS precision and the best LCS recall", coco,
     GE_BETTER_HIGHER, 0, 1, ge_corpus_rouge_l, NULL},
    {"cider_d.coco",
     "mean over texts of 10 times the mean over 1- to 4-grams and references of the clipped tf-idf "
     "cosine times exp(-d^2/72), d the difference in 2-grams",
     coco, GE_BETTER_HIGHER, 0, 10, ge_corpus_cider_d, NULL},

    /* homogeneity, without references */
    {"distinct1", "different words over words of all texts", NULL, GE_BETTER_HIGHER, 0, 1,
     ge_corpus_distinct1, NULL},
    {"distinct2", "different 2-grams over 2-grams of all texts", NULL, GE_BETTER_HIGHER, 0, 1,
     ge_corpus_distinct2, NULL},
    {"distinct3", "different 3-grams over 3-grams of all texts", NULL, GE_BETTER_HIGHER, 0, 1,
     ge_corpus_distinct3, NULL},
    {"self_bleu3.first500",
     "mean BLEU-3 of each of the first 500 texts against the others of them, no match counted as "
     "0.1 (method1)",
     "nltk sentence_bleu, as Texygen calls it", GE_BETTER_LOWER, 0, 1, ge_corpus_self_bleu3, NULL},
    {"opening.share",
     "texts that begin with the commonest first four words / texts of four words or more", NULL,
     GE_BETTER_LOWER, 0, 1, ge_corpus_opening_share, NULL},
    {"compression.ratio", "bytes of all texts over their bytes after zlib's deflate, level 9",
     "zlib", GE_BETTER_LOWER, 0, INFINITY, ge_corpus_compression_ratio, NULL},
    {"pairwise_cosine", "mean cosine over the pairs of outputs", NULL, GE_BETTER_LOWER, -1, 1, NULL,
     ge_set_pairwise_cosine},
};

static const struct ge_absent_metric absent[] = {
    {"meteor",
     "its paraphrase table is tens of megabytes that cannot be shipped with this program; the "
     "figure without it is another metric"},
};

void ge_corpus_no_values(double *per_text, size_t n)
{
    for (size_t i = 0; per_text != NULL && i < n; i++) per_text[i] = NAN;
}

const struct ge_corpus_metric *ge_corpus_metrics(size_t *n)
{
    *n = sizeof table / sizeof table[0];
    return table;
}

const struct ge_corpus_metric *ge_corpus_metric_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) == 0) return &table[i];
    }
    return NULL;
}

const struct ge_absent_metric *ge_absent_metrics(size_t *n)
{
    *n = sizeof absent / sizeof absent[0];
    return absent;
}
