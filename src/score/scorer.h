/* Scores and verdict of one sample: a task, an answer and the embeddings of what they name in,
 * score and verdict rows out. Knows no encoder and no files: evaluate/ asks needs() what must be
 * embedded, embeds it, and passes a lookup to ge_score_sample(). Pure; thread-safe. */
#ifndef GE_SCORE_SCORER_H
#define GE_SCORE_SCORER_H

#include <stdbool.h>

#include "base/status.h"
#include "record/item.h"
#include "score/metric.h"

/* What to do with verdicts that came with the answers. */
enum ge_recorded {
    GE_RECORDED_IGNORE, /* never used */
    GE_RECORDED_PREFER, /* used where there is one, the rule elsewhere */
    GE_RECORDED_REQUIRE /* used always; an answer without one is an error row */
};

/* How answers of one task type are scored; made from the job by cli. Borrowed by the scorer. */
struct ge_task_scoring {
    const char *task;         /* task type */
    bool metrics[GE_METRICS]; /* scored for their own sake; those that the rule reads are
                                         added by ge_task_scoring_complete() */
    enum ge_rule rule;
    enum ge_metric_id metric; /* for threshold and contrastive */
    double margin;            /* contrastive: right if margin metric > margin */
    double threshold;         /* threshold: right if metric >= (or <=) threshold */
    bool lower_is_better;     /* threshold: direction */
    /* contrastive, for items without distractors: threshold on this metric instead */
    enum ge_metric_id fallback; /* GE_METRIC_NONE: an error row */
    enum ge_recorded recorded;
};

/* Check the rule against its metric (contrastive wants a margin metric, threshold any) and switch
 * on the metrics that the rule reads. GE_EINVAL names task, found, allowed. */
ge_status ge_task_scoring_complete(struct ge_task_scoring *s);

/* One input that must be embedded: a text, or an image file. */
enum ge_input_kind { GE_INPUT_TEXT, GE_INPUT_IMAGE };
typedef ge_status ge_score_need_fn(void *ctx, enum ge_role role, enum ge_input_kind kind,
                                   const char *what, bool is_answer);

/* Call need() for every input that the enabled similarity metrics compare for this task and
 * answer; the answer itself has is_answer set. A failure of need() is returned at once. */
ge_status ge_score_needs(const struct ge_task_scoring *s, const struct ge_task *task,
                         const struct ge_answer *answer, ge_score_need_fn *need, void *ctx);

/* Embedding of an input, normalised, (dim), in *out. A failure says why it could not be embedded
 * (a broken or missing image, say) and becomes the sample's. */
typedef ge_status ge_score_lookup_fn(void *ctx, enum ge_role role, enum ge_input_kind kind,
                                     const char *what, const float **out, int *dim);

struct ge_score {
    double value[GE_METRICS]; /* NaN where not enabled or not applicable (no reference, say) */
    double verdict;           /* in [0,1]; NaN: none was asked for (GE_RULE_NONE) */
    uint16_t rule;            /* enum ge_rule that gave it */
    uint32_t judges;
};

/* Score one usable answer (text or image there, answer->problem NULL). A failure (the lookup's, or
 * GE_EINVAL: the rule needs something that the item does not have) leaves the values computed so
 * far in *out; its message is the error row's reason. GE_ENOMEM is the node's. Cosines are sums in
 * double over floats, in index order. */
ge_status ge_score_sample(const struct ge_task_scoring *s, const struct ge_task *task,
                          const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                          struct ge_score *out);

#endif
