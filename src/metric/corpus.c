/* The table of corpus metrics. */
#include "metric/corpus.h"

#include <math.h>
#include <string.h>

#include "metric/chair.h"
#include "metric/constraints.h"
#include "metric/mmd.h"

static const struct ge_corpus_metric table[] = {
    {"length.words.mean", "mean number of words of the texts", "-", GE_BETTER_NEITHER, 0, INFINITY,
     ge_corpus_length, NULL},

    /* checks */
    {"chair.i", "sum of hallucinated mentions / sum of mentions", "-", GE_BETTER_LOWER, 0, 1,
     ge_corpus_chair_i, NULL},
    {"constraints.share.strict", "constraints kept / constraints over the corpus",
     "IFEval instruction-level strict (lm-eval)", GE_BETTER_HIGHER, 0, 1,
     ge_corpus_constraints_strict, NULL},
    {"constraints.share.loose", "constraints kept loosely / constraints over the corpus",
     "IFEval instruction-level loose (lm-eval)", GE_BETTER_HIGHER, 0, 1,
     ge_corpus_constraints_loose, NULL},

    /* sets of embeddings */
    {"cmmd",
     "1000 × biased squared MMD of unit embeddings to those of the reference images, Gaussian "
     "kernel of sigma 10",
     "google-research/cmmd, in double precision", GE_BETTER_LOWER, 0, INFINITY, NULL, ge_cmmd},
    {"kid.full",
     "unbiased squared MMD of the same with the kernel (x·y / dim + 1)³, over all pairs",
     "torch-fidelity kernel_mmd, without subsets", GE_BETTER_LOWER, -INFINITY, INFINITY, NULL,
     ge_kid},
};

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
