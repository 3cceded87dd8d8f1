/* Scores and verdict of one sample: a task, an answer and the embeddings of what they name in,
 * score and verdict rows out. Knows no encoder and no files: evaluate/ asks needs() what must be
 * embedded, embeds it, and passes a lookup to ge_score_sample(). Pure; thread-safe. */
#ifndef GE_SCORE_SCORER_H
#define GE_SCORE_SCORER_H

#include <stdbool.h>

#include "base/status.h"
#include "metric/bertscore.h"
#include "record/item.h"
#include "score/metric.h"

/* What to do with verdicts that came with the answers. */
enum ge_recorded {
    GE_RECORDED_IGNORE, /* never used */
    GE_RECORDED_PREFER, /* used where there is one, the rule elsewhere */
    GE_RECORDED_REQUIRE /* used always; an answer without one is an error row */
};

/* What to do with an answer image that copies a reference image of a task without may_copy. */
enum ge_copies {
    GE_COPIES_IGNORE, /* not looked for */
    GE_COPIES_REPORT, /* scored: copy.correlation, copy.detected */
    GE_COPIES_ZERO /* scored, and the verdict is 0 by the rule "copy", recorded verdicts excepted */
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
    enum ge_copies copies;
    bool sets; /* keep what metrics over sets read: embeddings of answers and reference images */
    struct ge_bertscore_options bertscore; /* read by the bertscore metrics alone */
};

/* Check the rule against its metric (contrastive wants a margin metric, threshold any) and switch
 * on the metrics that the rule reads. GE_EINVAL names task, found, allowed. */
ge_status ge_task_scoring_complete(struct ge_task_scoring *s);

/* One input that must be embedded: `prefix` and `what` in one text, or an image file. All strings are
 * borrowed and stay as long as task, answer and metric table do. */
enum ge_input_kind {
    GE_INPUT_TEXT,
    GE_INPUT_IMAGE,
    GE_INPUT_TOKENS,  /* a text, as the states of its tokens */
    GE_INPUT_PICTURE, /* an image file, as the numbers of metric/picture.h */
    GE_INPUT_PAIR /* two image files, `what` and `prefix`, as their two values of SSIM: doubles in the
                         place of floats, by dialect */
};
struct ge_score_input {
    enum ge_role role;
    enum ge_input_kind kind;
    const char *prefix; /* before a text, "" for none; of a pair the second path */
    const char *what;   /* the text, or the image's path */
    bool is_answer;     /* not what the answer is compared with */
};
typedef ge_status ge_score_need_fn(void *ctx, const struct ge_score_input *in);

/* Call need() for every input that the enabled embedding metrics compare for this task and answer;
 * of each comparison the answer comes first. A failure of need() is returned at once. */
ge_status ge_score_needs(const struct ge_task_scoring *s, const struct ge_task *task,
                         const struct ge_answer *answer, ge_score_need_fn *need, void *ctx);

/* What an input was embedded as. Borrowed. */
struct ge_embedding {
    const float *rows;  /* (dim), normalised; of tokens (n, dim), of any length */
    size_t dim, n;      /* n: tokens, the specials around them included */
    const int32_t *ids; /* (n), of tokens; NULL otherwise */
};

/* Find an input that needs() named. A failure says why it could not be embedded (a broken or missing
 * image, say) and becomes the sample's; GE_ENOENT: the dataset names a file that was never there. */
typedef ge_status ge_score_lookup_fn(void *ctx, const struct ge_score_input *in,
                                     struct ge_embedding *out);

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
