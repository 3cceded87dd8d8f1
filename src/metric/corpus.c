/* The table of corpus metrics. */
#include "metric/corpus.h"

#include <math.h>
#include <string.h>

static const struct ge_corpus_metric table[] = {
    {"length.words.mean", "mean number of words of the texts", "-", GE_BETTER_NEITHER, 0, INFINITY,
     ge_corpus_length, NULL},
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
