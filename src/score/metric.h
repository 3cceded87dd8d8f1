/* The metrics by name: one table row each. Used by the job's validation (names), the scorer and
 * the documentation. Local; constant. */
#ifndef GE_SCORE_METRIC_H
#define GE_SCORE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metric/metric.h"

/* Which pair of inputs an embedding similarity compares. The job names an encoder for each. */
enum ge_role {
    GE_ROLE_IMAGE_TEXT,
    GE_ROLE_IMAGE_IMAGE,
    GE_ROLE_TEXT_TEXT,
    GE_ROLE_BERTSCORE, /* texts by the states of their tokens */
    GE_ROLE_PIXELS,    /* images as they are: no encoder */
    GE_ROLES,
    GE_ROLE_NONE
};

/* What an answer is compared with. */
enum ge_target {
    GE_TARGET_REFERENCE,  /* the best of the right references */
    GE_TARGET_DISTRACTOR, /* the nearest of the wrong ones */
    GE_TARGET_MARGIN,     /* reference minus distractor: the contrastive margin */
    GE_TARGET_PROMPT,     /* the task's prompt */
    GE_TARGET_INPUT,      /* the task's input image */
    GE_TARGET_DEPICTED,   /* what image and text go together with an answer: the task's input image
                             for a text, its prompt for an image */
    GE_TARGET_DEPICTED_REFERENCE, /* that, and the right references besides */
    GE_TARGET_LABELS,             /* the labels of the task's set */
    GE_TARGET_TOKENS,             /* the tokens of each right reference */
    GE_TARGET_NONE
};

enum ge_metric_id {
    GE_METRIC_EXACT,
    GE_METRIC_ALIAS,
    GE_METRIC_LABEL,
    GE_METRIC_CHOICE,
    GE_METRIC_CHOICE_ANSWERED,
    GE_METRIC_NUMBER,
    GE_METRIC_NUMBER_ANSWERED,
    GE_METRIC_IMAGE_TEXT_REFERENCE,
    GE_METRIC_IMAGE_TEXT_DISTRACTOR,
    GE_METRIC_IMAGE_TEXT_MARGIN,
    GE_METRIC_IMAGE_TEXT_PROMPT,
    GE_METRIC_IMAGE_TEXT_INPUT,
    GE_METRIC_IMAGE_IMAGE_REFERENCE,
    GE_METRIC_IMAGE_IMAGE_DISTRACTOR,
    GE_METRIC_IMAGE_IMAGE_MARGIN,
    GE_METRIC_IMAGE_IMAGE_INPUT,
    GE_METRIC_TEXT_TEXT_REFERENCE,
    GE_METRIC_TEXT_TEXT_DISTRACTOR,
    GE_METRIC_TEXT_TEXT_MARGIN,
    GE_METRIC_TEXT_TEXT_PROMPT,
    GE_METRIC_LENGTH_WORDS,
    GE_METRIC_LENGTH_CHARACTERS,
    GE_METRIC_LABEL_EMBEDDING,
    GE_METRIC_LABEL_EMBEDDING_IMAGE,
    GE_METRIC_CLIPSCORE_25,
    GE_METRIC_CLIPSCORE_100,
    GE_METRIC_CLIPSCORE_COS,
    GE_METRIC_REFCLIPSCORE_25,
    GE_METRIC_BERTSCORE_P, /* these six in this order */
    GE_METRIC_BERTSCORE_R,
    GE_METRIC_BERTSCORE_F1,
    GE_METRIC_BERTSCORE_P_RESCALED,
    GE_METRIC_BERTSCORE_R_RESCALED,
    GE_METRIC_BERTSCORE_F1_RESCALED,
    GE_METRIC_SSIM_SKIMAGE,
    GE_METRIC_SSIM_TORCHMETRICS,
    GE_METRIC_PHASH_DISTANCE,
    GE_METRIC_COPY_CORRELATION,
    GE_METRIC_COPY_DETECTED,
    GE_METRIC_VQA_OFFICIAL,
    GE_METRIC_VQA_LMMSEVAL,
    GE_METRIC_VQA_VLMEVALKIT,
    GE_METRIC_VQA_TEXTVQA,
    GE_METRIC_ANLS_LMMSEVAL,
    GE_METRIC_ANLS_STRICT,
    GE_METRIC_RELAXED_PIX2STRUCT,
    GE_METRIC_RELAXED_VLMEVALKIT,
    GE_METRIC_EXACT_EVALUATE,
    GE_METRIC_EXACT_EVALUATE_LOOSE,
    GE_METRIC_EXACT_VLMEVALKIT,
    GE_METRIC_CHOICE_MMMU,
    GE_METRIC_CHOICE_MMMU_ANSWERED,
    GE_METRIC_CHOICE_MMMU_CORRECTED,
    GE_METRIC_CHOICE_VLMEVALKIT,
    GE_METRIC_CHOICE_VLMEVALKIT_ANSWERED,
    GE_METRIC_CHOICE_VLMEVALKIT_CORRECTED,
    GE_METRIC_COUNT_TALLYQA,
    GE_METRIC_COUNT_COUNTBENCH,
    GE_METRIC_COUNT_PIXMO,
    GE_METRIC_OPEN_MMMU,
    GE_METRIC_BLEU1_COCO,
    GE_METRIC_BLEU2_COCO,
    GE_METRIC_BLEU3_COCO,
    GE_METRIC_BLEU4_COCO,
    GE_METRIC_ROUGE_L_COCO,
    GE_METRIC_CHAIR_I,
    GE_METRIC_CHAIR_S,
    GE_METRIC_OBJECTS_RECALL,
    GE_METRIC_DETAILS_RECALL,
    GE_METRIC_CONSTRAINTS_STRICT,
    GE_METRIC_CONSTRAINTS_LOOSE,
    GE_METRIC_CONSTRAINTS_SHARE_STRICT,
    GE_METRIC_CONSTRAINTS_SHARE_LOOSE,
    GE_METRICS,
    GE_METRIC_NONE = GE_METRICS
};

struct ge_metric_info {
    const char *name;  /* as in jobs and stores: "match.alias", "similarity.image_text.reference" */
    const char *help;  /* formula in one line of plain ASCII; no | */
    enum ge_role role; /* GE_ROLE_NONE: no encoder */
    enum ge_target target; /* GE_TARGET_NONE for matchers */
    double min, max;       /* range; may be infinite */
    enum ge_better better;
    const char *reference;   /* whose digits it gives; NULL: our own definition */
    ge_text_metric_fn *text; /* of the answer's text and its task alone; NULL: not such a one */
    const char *prefix;      /* put in front of the texts that are embedded; NULL: none */
    double (*of_cosine)(double cosine); /* value from the largest cosine; NULL: the cosine itself */
};

/* Row of a metric; id < GE_METRICS. */
const struct ge_metric_info *ge_metric_info(enum ge_metric_id id);

/* Id of a name; GE_METRIC_NONE if there is no such metric. */
enum ge_metric_id ge_metric_find(const char *name);

const char *ge_role_name(enum ge_role r); /* "image_text", … */

/* Whether a job must name an encoder for the role. */
bool ge_role_needs_encoder(enum ge_role r);

/* How a sample's scores become a verdict. */
enum ge_rule {
    GE_RULE_EXACT,       /* match.exact = 1 */
    GE_RULE_ALIAS,       /* match.alias = 1 */
    GE_RULE_LABEL,       /* match.label = 1 */
    GE_RULE_CHOICE,      /* match.choice = 1; no choice is wrong */
    GE_RULE_NUMBER,      /* match.number = 1; no number is wrong */
    GE_RULE_THRESHOLD,   /* one metric beyond its threshold */
    GE_RULE_CONTRASTIVE, /* a margin metric > the rule's margin */
    GE_RULE_RECORDED,    /* the verdict that came with the answer */
    GE_RULE_COPY,        /* a copy of the reference is wrong, whatever the rule says */
    GE_RULE_NONE,        /* scores alone, no verdict (not for jobs) */
    GE_RULES
};
const char *ge_rule_name(enum ge_rule r);    /* "exact", "alias", … */
enum ge_rule ge_rule_find(const char *name); /* GE_RULES if unknown */

/* The matcher metric that a matching rule reads; GE_METRIC_NONE for the others. */
enum ge_metric_id ge_rule_metric(enum ge_rule r);

#endif
