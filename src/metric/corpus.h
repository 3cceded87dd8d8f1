/* Metrics over all answers of one system, direction and task type at once. They are exact over the whole
 * corpus: computed from the stored answers after the run, never as a mean over ranks or chunks. Used
 * by aggregate/. Local; thread-safe. */
#ifndef GE_METRIC_CORPUS_H
#define GE_METRIC_CORPUS_H

#include "metric/metric.h"

struct ge_caption_cache; /* captions.h */

/* The texts of a system in the order of (item, sample), each with its task. Borrowed. */
struct ge_corpus {
    const char *const *texts;
    const struct ge_task *const *tasks;
    size_t n;
    struct ge_caption_cache *cache; /* keeps what one metric cuts for the next; NULL: none */
};

/* Value over the corpus in *value (NaN: not defined for it), and in per_text (n; may be NULL) what
 * each text has by itself, NaN where there is no such thing. GE_ENOMEM. */
typedef ge_status ge_corpus_metric_fn(const struct ge_corpus *c, double *value, double *per_text);

/* Unit embeddings of a system's answers and of what they are compared with: (n, dim) and (m, dim),
 * rows in the order of (item, sample). Borrowed. */
struct ge_embedding_set {
    const float *answers, *references;
    size_t n, m;
    int dim;
};
typedef ge_status ge_set_metric_fn(const struct ge_embedding_set *s, double *value);

struct ge_corpus_metric {
    const char *name, *help; /* formula in one line */
    const char *reference;   /* whose digits it gives; NULL: our own definition */
    enum ge_better better;
    double min, max;
    ge_corpus_metric_fn *texts;   /* of texts, or NULL */
    ge_set_metric_fn *embeddings; /* of embeddings, or NULL */
};

/* Fill per_text with n times NaN, for a metric that has no values per text; NULL is fine. */
void ge_corpus_no_values(double *per_text, size_t n);

/* Mean number of words (length.words); NaN of no text. Per text: its number. */
ge_status ge_corpus_length(const struct ge_corpus *c, double *value, double *per_text);

/* The table; constant. */
const struct ge_corpus_metric *ge_corpus_metrics(size_t *n);

/* Row of a name, or NULL. */
const struct ge_corpus_metric *ge_corpus_metric_find(const char *name);

/* Metrics that the field knows and this program leaves out, and why; constant. */
struct ge_absent_metric {
    const char *name, *reason;
};
const struct ge_absent_metric *ge_absent_metrics(size_t *n);

#endif
