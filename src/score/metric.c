/* The metric table. */
#include "score/metric.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "metric/anls.h"
#include "metric/captions.h"
#include "metric/chair.h"
#include "metric/choice.h"
#include "metric/clipscore.h"
#include "metric/constraints.h"
#include "metric/count.h"
#include "metric/details.h"
#include "metric/exact.h"
#include "metric/open.h"
#include "metric/relaxed.h"
#include "metric/vqa.h"

static const char chair[] = "own definition, after Rohrbach et al. 2018";

#define MATCH(name_, better_, help_)                                                               \
    {                                                                                              \
        .name = "match." name_, .help = help_, .role = GE_ROLE_NONE, .target = GE_TARGET_NONE,     \
        .min = 0, .max = 1, .better = GE_BETTER_##better_                                          \
    }
#define TEXT(name_, help_, min_, max_, better_, reference_, fn_)                                   \
    {                                                                                              \
        .name = name_, .help = help_, .role = GE_ROLE_NONE, .target = GE_TARGET_NONE, .min = min_, \
        .max = max_, .better = GE_BETTER_##better_, .reference = reference_, .text = fn_           \
    }
#define COSINE(name_, role_, target_, better_, help_)                                              \
    {                                                                                              \
        .name = "similarity." name_, .help = help_, .role = GE_ROLE_##role_,                       \
        .target = GE_TARGET_##target_, .min = -1, .max = 1, .better = GE_BETTER_##better_          \
    }
#define MARGIN(name_, role_, help_)                                                                \
    {                                                                                              \
        .name = "similarity." name_ ".margin", .help = help_, .role = GE_ROLE_##role_,             \
        .target = GE_TARGET_MARGIN, .min = -2, .max = 2, .better = GE_BETTER_HIGHER                \
    }
#define LABELS(name_, role_, help_)                                                                \
    {                                                                                              \
        .name = "label.embedding" name_, .help = help_, .role = GE_ROLE_##role_,                   \
        .target = GE_TARGET_LABELS, .min = 0, .max = 1, .better = GE_BETTER_HIGHER                 \
    }
#define CLIP(name_, target_, min_, max_, prefix_, fn_, reference_, help_)                          \
    {                                                                                              \
        .name = name_, .help = help_, .role = GE_ROLE_IMAGE_TEXT, .target = GE_TARGET_##target_,   \
        .min = min_, .max = max_, .better = GE_BETTER_HIGHER, .prefix = prefix_, .of_cosine = fn_, \
        .reference = reference_                                                                    \
    }
#define BERT(name_, min_, max_, help_)                                                             \
    {                                                                                              \
        .name = "bertscore." name_, .help = help_, .role = GE_ROLE_BERTSCORE,                      \
        .target = GE_TARGET_TOKENS, .min = min_, .max = max_, .better = GE_BETTER_HIGHER,          \
        .reference = "bert_score 0.3.13"                                                           \
    }
#define PIXELS(name_, min_, max_, better_, reference_, help_)                                      \
    {                                                                                              \
        .name = name_, .help = help_, .role = GE_ROLE_PIXELS, .target = GE_TARGET_REFERENCE,       \
        .min = min_, .max = max_, .better = GE_BETTER_##better_, .reference = reference_           \
    }
#define BLEU(n_, fn_)                                                                              \
    TEXT("bleu" n_ ".coco",                                                                        \
         "geometric mean of the clipped precisions (m + 1e-15) / (n + 1e-9) of 1- to " n_          \
         "-grams, times exp(1 - r/c) where the text is shorter than the closest reference; its "   \
         "mean is not the corpus value",                                                           \
         0, 1, HIGHER, "pycocoevalcap 1.2", fn_)
#define RESCALED(name_, max_)                                                                      \
    BERT(name_ ".rescaled", -INFINITY, max_,                                                       \
         "(x - b) / (1 - b) of bertscore." name_ ", b = scoring.bertscore.baseline." name_)

static const struct ge_metric_info table[GE_METRICS] = {
    [GE_METRIC_EXACT] =
        MATCH("exact", HIGHER, "1 if the trimmed answer equals a reference byte for byte"),
    [GE_METRIC_ALIAS] = MATCH("alias", HIGHER,
                              "1 if the normalised answer is, or names, a reference and "
                              "names no text distractor"),
    [GE_METRIC_LABEL] = MATCH("label", HIGHER,
                              "1 if the answer names exactly one label of the task's set, "
                              "the right one"),
    [GE_METRIC_CHOICE] =
        MATCH("choice", HIGHER, "1 if the option that the answer chooses is the right one"),
    [GE_METRIC_CHOICE_ANSWERED] =
        MATCH("choice.answered", NEITHER, "1 if the answer makes a choice at all"),
    [GE_METRIC_NUMBER] =
        MATCH("number", HIGHER, "1 if every required count is stated, none contradicted"),
    [GE_METRIC_NUMBER_ANSWERED] =
        MATCH("number.answered", NEITHER, "1 if the answer states a number"),
    [GE_METRIC_IMAGE_TEXT_REFERENCE] =
        COSINE("image_text.reference", IMAGE_TEXT, REFERENCE, HIGHER,
               "largest cosine of the answer image and a reference text"),
    [GE_METRIC_IMAGE_TEXT_DISTRACTOR] =
        COSINE("image_text.distractor", IMAGE_TEXT, DISTRACTOR, LOWER,
               "largest cosine of the answer image and a text distractor"),
    [GE_METRIC_IMAGE_TEXT_MARGIN] =
        MARGIN("image_text", IMAGE_TEXT,
               "similarity.image_text.reference - similarity.image_text.distractor"),
    [GE_METRIC_IMAGE_TEXT_PROMPT] = COSINE("image_text.prompt", IMAGE_TEXT, PROMPT, HIGHER,
                                           "cosine of the answer image and the prompt"),
    [GE_METRIC_IMAGE_TEXT_INPUT] =
        COSINE("image_text.input", IMAGE_TEXT, INPUT, HIGHER,
               "largest cosine of the answer text and an input image of the task"),
    [GE_METRIC_IMAGE_IMAGE_REFERENCE] =
        COSINE("image_image.reference", IMAGE_IMAGE, REFERENCE, HIGHER,
               "largest cosine of the answer image and a reference image"),
    [GE_METRIC_IMAGE_IMAGE_DISTRACTOR] =
        COSINE("image_image.distractor", IMAGE_IMAGE, DISTRACTOR, LOWER,
               "largest cosine of the answer image and an image distractor"),
    [GE_METRIC_IMAGE_IMAGE_MARGIN] =
        MARGIN("image_image", IMAGE_IMAGE,
               "similarity.image_image.reference - similarity.image_image.distractor"),
    [GE_METRIC_IMAGE_IMAGE_INPUT] =
        COSINE("image_image.input", IMAGE_IMAGE, INPUT, NEITHER,
               "largest cosine of the answer image and an input image of the task"),
    [GE_METRIC_TEXT_TEXT_REFERENCE] =
        COSINE("text_text.reference", TEXT_TEXT, REFERENCE, HIGHER,
               "largest cosine of the answer text and a reference text"),
    [GE_METRIC_TEXT_TEXT_DISTRACTOR] =
        COSINE("text_text.distractor", TEXT_TEXT, DISTRACTOR, LOWER,
               "largest cosine of the answer text and a text distractor"),
    [GE_METRIC_TEXT_TEXT_MARGIN] = MARGIN(
        "text_text", TEXT_TEXT, "similarity.text_text.reference - similarity.text_text.distractor"),
    [GE_METRIC_TEXT_TEXT_PROMPT] = COSINE("text_text.prompt", TEXT_TEXT, PROMPT, NEITHER,
                                          "cosine of the answer text and the prompt"),
    [GE_METRIC_LENGTH_WORDS] =
        TEXT("length.words", "number of words of the answer, parted by ASCII white space", 0,
             INFINITY, NEITHER, NULL, ge_length_words),
    [GE_METRIC_LENGTH_CHARACTERS] = TEXT("length.characters", "number of code points of the answer",
                                         0, INFINITY, NEITHER, NULL, ge_length_characters),
    [GE_METRIC_LABEL_EMBEDDING] =
        LABELS("", TEXT_TEXT,
               "1 if of the task's labels the right one has the largest cosine with the answer "
               "text; a tie of the largest has no value"),
    [GE_METRIC_LABEL_EMBEDDING_IMAGE] =
        LABELS(".image", IMAGE_TEXT,
               "1 if of the task's labels the right one has the largest cosine with the answer "
               "image; a tie of the largest has no value"),
    [GE_METRIC_CLIPSCORE_25] =
        CLIP("clipscore.2.5", DEPICTED, 0, 2.5, GE_CLIPSCORE_PREFIX, ge_clipscore_25,
             "jmhessel/clipscore",
             "2.5 max(cos, 0) of an answer text and the input image (the nearest of several), or "
             "of an answer image and the prompt; `A photo depicts ` before the text"),
    [GE_METRIC_CLIPSCORE_100] =
        CLIP("clipscore.100", DEPICTED, -100, 100, NULL, ge_clipscore_100, "torchmetrics CLIPScore",
             "100 cos of the pair of clipscore.2.5 without prefix; torchmetrics clamps the mean "
             "over samples "
             "at 0, which is left to the reader here"),
    [GE_METRIC_CLIPSCORE_COS] =
        CLIP("clipscore.cos", DEPICTED, -1, 1, NULL, NULL, "t2v_metrics, evalscope",
             "cos of the pair of clipscore.2.5 without prefix"),
    [GE_METRIC_REFCLIPSCORE_25] =
        CLIP("refclipscore.2.5", DEPICTED_REFERENCE, -INFINITY, 10.0 / 7, GE_CLIPSCORE_PREFIX,
             ge_clipscore_25, "jmhessel/clipscore",
             "harmonic mean of an answer text's clipscore.2.5 and its largest cosine with a "
             "reference, both prefixed, that cosine unclamped; 0/0 has no value"),
    [GE_METRIC_BERTSCORE_P] =
        BERT("p", -1, 1,
             "weighted mean over the answer's tokens of the largest cosine with a token of the "
             "reference; of several references the largest"),
    [GE_METRIC_BERTSCORE_R] =
        BERT("r", -1, 1,
             "weighted mean over the reference's tokens of the largest cosine with a token of the "
             "answer; of several references the largest"),
    [GE_METRIC_BERTSCORE_F1] =
        BERT("f1", -INFINITY, INFINITY,
             "2 P R / (P + R), 0 if not a number; of several references the largest"),
    [GE_METRIC_BERTSCORE_P_RESCALED] = RESCALED("p", 1),
    [GE_METRIC_BERTSCORE_R_RESCALED] = RESCALED("r", 1),
    [GE_METRIC_BERTSCORE_F1_RESCALED] = RESCALED("f1", INFINITY),
    [GE_METRIC_SSIM_SKIMAGE] =
        PIXELS("ssim.skimage", -1, 1, HIGHER, "scikit-image 0.26 structural_similarity",
               "SSIM of the answer image, scaled to the reference image's size where it differs, "
               "over 7 x 7 windows with the sample covariance; mean over R, G, B; of several "
               "references the largest"),
    [GE_METRIC_SSIM_TORCHMETRICS] =
        PIXELS("ssim.torchmetrics", -1, 1, HIGHER, "torchmetrics 1.9, data_range 255",
               "ssim.skimage, but over Gaussian windows (sigma 1.5, 11 x 11), borders reflected, "
               "all pixels"),
    [GE_METRIC_PHASH_DISTANCE] =
        PIXELS("phash.distance", 0, 64, NEITHER, "ImageHash 4.3 phash",
               "bits in which the perceptual hashes of the answer image and the nearest reference "
               "image differ"),
    [GE_METRIC_COPY_CORRELATION] =
        PIXELS("copy.correlation", -1, 1, NEITHER, NULL,
               "correlation of the answer image and a reference image at 16 x 16 pixels, of an "
               "edit where the reference departs from the input image; the largest"),
    [GE_METRIC_COPY_DETECTED] =
        PIXELS("copy.detected", 0, 1, LOWER, NULL, "1 if copy.correlation is 0.99 or more"),
    [GE_METRIC_VQA_OFFICIAL] = TEXT("vqa.official",
                                    "mean over leave-one-out sets of references of min(1, equal / "
                                    "3); normalised only if references differ",
                                    0, 1, HIGHER, "GT-Vision-Lab/VQA vqaEval.py", ge_vqa_official),
    [GE_METRIC_VQA_LMMSEVAL] =
        TEXT("vqa.lmmseval",
             "mean over leave-one-out sets of references of min(1, equal / 3); always normalised",
             0, 1, HIGHER, "lmms-eval 0.7.3 vqav2", ge_vqa_lmmseval),
    [GE_METRIC_VQA_VLMEVALKIT] =
        TEXT("vqa.vlmevalkit",
             "mean over leave-one-out sets of references of min(1, equal / 3); keeps the period of "
             "`10.`",
             0, 1, HIGHER, "VLMEvalKit (ms-vlmeval 0.0.20) vqa_score", ge_vqa_vlmevalkit),
    [GE_METRIC_VQA_TEXTVQA] = TEXT("vqa.textvqa",
                                   "mean over leave-one-out sets of references of min(1, equal / "
                                   "3); EvalAI's processor, splits 's",
                                   0, 1, HIGHER, "lmms-eval 0.7.3 textvqa, ok_vqa", ge_vqa_textvqa),
    [GE_METRIC_ANLS_LMMSEVAL] =
        TEXT("anls.lmmseval", "max over references of 1 - edits / longer raw text; 0 below 0.5", 0,
             1, HIGHER, "lmms-eval 0.7.3 anls; VLMEvalKit", ge_anls_lmmseval),
    [GE_METRIC_ANLS_STRICT] =
        TEXT("anls.strict",
             "max over references of 1 - NL if NL < 0.5, else 0; NL = edits / longer compared text",
             0, 1, HIGHER, "Biten et al. 2019, formula", ge_anls_strict),
    [GE_METRIC_RELAXED_PIX2STRUCT] =
        TEXT("relaxed.pix2struct",
             "1 if a number within 5 % of a reference that is one, or equal to a reference in "
             "lower case",
             0, 1, HIGHER, "pix2struct; lmms-eval 0.7.3 chartqa", ge_relaxed_pix2struct),
    [GE_METRIC_RELAXED_VLMEVALKIT] =
        TEXT("relaxed.vlmevalkit", "relaxed.pix2struct of the answer without white space around", 0,
             1, HIGHER, "VLMEvalKit (ms-vlmeval 0.0.20) relaxed_accuracy", ge_relaxed_vlmevalkit),
    [GE_METRIC_EXACT_EVALUATE] =
        TEXT("exact.evaluate", "1 if the same characters as a reference; white space counts", 0, 1,
             HIGHER, "HF evaluate, lm-eval, lmms-eval 0.7.3 exact_match", ge_exact_evaluate),
    [GE_METRIC_EXACT_EVALUATE_LOOSE] =
        TEXT("exact.evaluate.loose", "exact.evaluate in lower case without ASCII punctuation", 0, 1,
             HIGHER, "HF evaluate exact_match, ignore_case, ignore_punctuation",
             ge_exact_evaluate_loose),
    [GE_METRIC_EXACT_VLMEVALKIT] = TEXT(
        "exact.vlmevalkit", "1 if equal to a reference in lower case without white space around", 0,
        1, HIGHER, "VLMEvalKit (ms-vlmeval 0.0.20) accuracy", ge_exact_vlmevalkit),
    [GE_METRIC_CHOICE_MMMU] =
        TEXT("choice.mmmu",
             "1 if `(A)`, else `A `, `A.`, else the option's text, last one, is right; no guess", 0,
             1, HIGHER, "MMMU, lmms-eval 0.7.3 mmmu, without the random fallback", ge_choice_mmmu),
    [GE_METRIC_CHOICE_MMMU_ANSWERED] =
        TEXT("choice.mmmu.answered", "1 if choice.mmmu finds an option", 0, 1, NEITHER,
             "own definition on choice.mmmu", ge_choice_mmmu_answered),
    [GE_METRIC_CHOICE_MMMU_CORRECTED] =
        TEXT("choice.mmmu.corrected",
             "1 if choice.mmmu is right, else -1/(k-1) for k options: mean (acc - 1/k)/(1 - 1/k)",
             -1, 1, HIGHER, "choice.mmmu, corrected for chance", ge_choice_mmmu_corrected),
    [GE_METRIC_CHOICE_VLMEVALKIT] =
        TEXT("choice.vlmevalkit",
             "1 if the only letter among the words, else the only option text, is right; no judge",
             0, 1, HIGHER, "VLMEvalKit (ms-vlmeval 0.0.20) can_infer", ge_choice_vlmevalkit),
    [GE_METRIC_CHOICE_VLMEVALKIT_ANSWERED] =
        TEXT("choice.vlmevalkit.answered", "1 if choice.vlmevalkit finds an option", 0, 1, NEITHER,
             "own definition on choice.vlmevalkit", ge_choice_vlmevalkit_answered),
    [GE_METRIC_CHOICE_VLMEVALKIT_CORRECTED] = TEXT(
        "choice.vlmevalkit.corrected",
        "1 if choice.vlmevalkit is right, else -1/(k-1) for k options: mean (acc - 1/k)/(1 - 1/k)",
        -1, 1, HIGHER, "choice.vlmevalkit, corrected for chance", ge_choice_vlmevalkit_corrected),
    [GE_METRIC_COUNT_TALLYQA] =
        TEXT("count.tallyqa",
             "1 if the first word that is 0 to 20, in digits or words, is the right count", 0, 1,
             HIGHER, "VLMEvalKit (ms-vlmeval 0.0.20) TallyQA", ge_count_tallyqa),
    [GE_METRIC_COUNT_COUNTBENCH] =
        TEXT("count.countbench",
             "1 if the whole answer is the right count, in digits or as a number word", 0, 1,
             HIGHER, "lmms-eval 0.7.3 countbench", ge_count_countbench),
    [GE_METRIC_COUNT_PIXMO] =
        TEXT("count.pixmo",
             "1 if the first run of digits (or the whole answer, without any) is a reference's", 0,
             1, HIGHER, "lmms-eval 0.7.3 pixmo_count", ge_count_pixmo),
    [GE_METRIC_OPEN_MMMU] = TEXT("open.mmmu",
                                 "1 if a key part of the answer has a reference in it, or a number "
                                 "equal to one at two decimals",
                                 0, 1, HIGHER, "MMMU, lmms-eval 0.7.3 eval_open", ge_open_mmmu),
    [GE_METRIC_BLEU1_COCO] = BLEU("1", ge_text_bleu1),
    [GE_METRIC_BLEU2_COCO] = BLEU("2", ge_text_bleu2),
    [GE_METRIC_BLEU3_COCO] = BLEU("3", ge_text_bleu3),
    [GE_METRIC_BLEU4_COCO] = BLEU("4", ge_text_bleu4),
    [GE_METRIC_ROUGE_L_COCO] =
        TEXT("rouge_l.coco",
             "F (beta 1.2) of the best LCS precision and the best LCS recall over the references",
             0, 1, HIGHER, "pycocoevalcap 1.2", ge_text_rouge_l),
    [GE_METRIC_CHAIR_I] =
        TEXT("chair.i",
             "hallucinated object mentions / object mentions (objects and synonyms of the item)", 0,
             1, LOWER, chair, ge_chair_i),
    [GE_METRIC_CHAIR_S] =
        TEXT("chair.s", "1 if any object mention is hallucinated", 0, 1, LOWER, chair, ge_chair_s),
    [GE_METRIC_OBJECTS_RECALL] =
        TEXT("objects.recall", "share of the present objects that the text mentions", 0, 1, HIGHER,
             NULL, ge_objects_recall),
    [GE_METRIC_DETAILS_RECALL] =
        TEXT("details.recall",
             "share of the task's details whose content words stand in one sentence, not denied", 0,
             1, HIGHER, NULL, ge_details_recall),
    [GE_METRIC_CONSTRAINTS_STRICT] =
        TEXT("constraints.strict", "1 if the text as it is keeps to all constraints", 0, 1, HIGHER,
             "IFEval prompt-level strict (lm-eval)", ge_constraints_strict),
    [GE_METRIC_CONSTRAINTS_LOOSE] = TEXT(
        "constraints.loose", "1 if each constraint is kept by one of eight readings of the text", 0,
        1, HIGHER, "IFEval prompt-level loose (lm-eval)", ge_constraints_loose),
    [GE_METRIC_CONSTRAINTS_SHARE_STRICT] =
        TEXT("constraints.share.strict", "constraints kept by the text as it is / constraints", 0,
             1, HIGHER, "IFEval's checks (lm-eval), share of our own", ge_constraints_share_strict),
    [GE_METRIC_CONSTRAINTS_SHARE_LOOSE] = TEXT(
        "constraints.share.loose", "constraints kept by one of eight readings / constraints", 0, 1,
        HIGHER, "IFEval's checks (lm-eval), share of our own", ge_constraints_share_loose),
};

static const struct {
    const char *name;
    enum ge_metric_id metric;
} rules[GE_RULES] = {
    [GE_RULE_EXACT] = {"exact", GE_METRIC_EXACT},
    [GE_RULE_ALIAS] = {"alias", GE_METRIC_ALIAS},
    [GE_RULE_LABEL] = {"label", GE_METRIC_LABEL},
    [GE_RULE_CHOICE] = {"choice", GE_METRIC_CHOICE},
    [GE_RULE_NUMBER] = {"number", GE_METRIC_NUMBER},
    [GE_RULE_THRESHOLD] = {"threshold", GE_METRIC_NONE},
    [GE_RULE_CONTRASTIVE] = {"contrastive", GE_METRIC_NONE},
    [GE_RULE_RECORDED] = {"recorded", GE_METRIC_NONE},
    [GE_RULE_COPY] = {"copy", GE_METRIC_NONE},
    [GE_RULE_NONE] = {"none", GE_METRIC_NONE},
};

const struct ge_metric_info *ge_metric_info(enum ge_metric_id id)
{
    GE_ASSERT(id < GE_METRICS);
    return &table[id];
}

enum ge_metric_id ge_metric_find(const char *name)
{
    for (int i = 0; i < GE_METRICS; i++) {
        if (strcmp(table[i].name, name) == 0) return (enum ge_metric_id)i;
    }
    return GE_METRIC_NONE;
}

const char *ge_role_name(enum ge_role r)
{
    static const char *const names[GE_ROLES] = {"image_text", "image_image", "text_text",
                                                "bertscore", "pixels"};
    GE_ASSERT(r < GE_ROLES);
    return names[r];
}

bool ge_role_needs_encoder(enum ge_role r)
{
    return r < GE_ROLES && r != GE_ROLE_PIXELS;
}

const char *ge_rule_name(enum ge_rule r)
{
    GE_ASSERT(r < GE_RULES);
    return rules[r].name;
}

enum ge_rule ge_rule_find(const char *name)
{
    for (int i = 0; i < GE_RULES; i++) {
        if (strcmp(rules[i].name, name) == 0) return (enum ge_rule)i;
    }
    return GE_RULES;
}

enum ge_metric_id ge_rule_metric(enum ge_rule r)
{
    GE_ASSERT(r < GE_RULES);
    return rules[r].metric;
}
