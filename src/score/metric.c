/* The metric table. */
#include "score/metric.h"

#include <math.h>
#include <string.h>

#include "base/log.h"

#define MATCH(name_, help_)                                                                        \
    {                                                                                              \
        .name = "match." name_, .help = help_, .role = GE_ROLE_NONE, .target = GE_TARGET_NONE,     \
        .min = 0, .max = 1                                                                         \
    }
#define TEXT(name_, help_, min_, max_, better_, reference_, fn_)                                   \
    {                                                                                              \
        .name = name_, .help = help_, .role = GE_ROLE_NONE, .target = GE_TARGET_NONE, .min = min_, \
        .max = max_, .better = GE_BETTER_##better_, .reference = reference_, .text = fn_           \
    }
#define COSINE(name_, role_, target_, help_)                                                       \
    {                                                                                              \
        .name = "similarity." name_, .help = help_, .role = GE_ROLE_##role_,                       \
        .target = GE_TARGET_##target_, .min = -1, .max = 1                                         \
    }
#define MARGIN(name_, role_, help_)                                                                \
    {                                                                                              \
        .name = "similarity." name_ ".margin", .help = help_, .role = GE_ROLE_##role_,             \
        .target = GE_TARGET_MARGIN, .min = -2, .max = 2                                            \
    }

static const struct ge_metric_info table[GE_METRICS] = {
    [GE_METRIC_EXACT] = MATCH("exact", "1 if the trimmed answer equals a reference byte for byte"),
    [GE_METRIC_ALIAS] = MATCH("alias", "1 if the normalised answer is, or names, a reference and "
                                       "names no text distractor"),
    [GE_METRIC_LABEL] = MATCH("label", "1 if the answer names exactly one label of the task's set, "
                                       "the right one"),
    [GE_METRIC_CHOICE] =
        MATCH("choice", "1 if the option that the answer chooses is the right one"),
    [GE_METRIC_CHOICE_ANSWERED] = MATCH("choice.answered", "1 if the answer makes a choice at all"),
    [GE_METRIC_NUMBER] = MATCH("number", "1 if every required count is stated, none contradicted"),
    [GE_METRIC_NUMBER_ANSWERED] = MATCH("number.answered", "1 if the answer states a number"),
    [GE_METRIC_IMAGE_TEXT_REFERENCE] =
        COSINE("image_text.reference", IMAGE_TEXT, REFERENCE,
               "largest cosine of the answer image and a reference text"),
    [GE_METRIC_IMAGE_TEXT_DISTRACTOR] =
        COSINE("image_text.distractor", IMAGE_TEXT, DISTRACTOR,
               "largest cosine of the answer image and a text distractor"),
    [GE_METRIC_IMAGE_TEXT_MARGIN] =
        MARGIN("image_text", IMAGE_TEXT,
               "similarity.image_text.reference - similarity.image_text.distractor"),
    [GE_METRIC_IMAGE_TEXT_PROMPT] = COSINE("image_text.prompt", IMAGE_TEXT, PROMPT,
                                           "cosine of the answer image and the prompt"),
    [GE_METRIC_IMAGE_TEXT_INPUT] =
        COSINE("image_text.input", IMAGE_TEXT, INPUT,
               "largest cosine of the answer text and an input image of the task"),
    [GE_METRIC_IMAGE_IMAGE_REFERENCE] =
        COSINE("image_image.reference", IMAGE_IMAGE, REFERENCE,
               "largest cosine of the answer image and a reference image"),
    [GE_METRIC_IMAGE_IMAGE_DISTRACTOR] =
        COSINE("image_image.distractor", IMAGE_IMAGE, DISTRACTOR,
               "largest cosine of the answer image and an image distractor"),
    [GE_METRIC_IMAGE_IMAGE_MARGIN] =
        MARGIN("image_image", IMAGE_IMAGE,
               "similarity.image_image.reference - similarity.image_image.distractor"),
    [GE_METRIC_IMAGE_IMAGE_INPUT] =
        COSINE("image_image.input", IMAGE_IMAGE, INPUT,
               "largest cosine of the answer image and an input image of the task"),
    [GE_METRIC_TEXT_TEXT_REFERENCE] =
        COSINE("text_text.reference", TEXT_TEXT, REFERENCE,
               "largest cosine of the answer text and a reference text"),
    [GE_METRIC_TEXT_TEXT_DISTRACTOR] =
        COSINE("text_text.distractor", TEXT_TEXT, DISTRACTOR,
               "largest cosine of the answer text and a text distractor"),
    [GE_METRIC_TEXT_TEXT_MARGIN] = MARGIN(
        "text_text", TEXT_TEXT, "similarity.text_text.reference - similarity.text_text.distractor"),
    [GE_METRIC_TEXT_TEXT_PROMPT] =
        COSINE("text_text.prompt", TEXT_TEXT, PROMPT, "cosine of the answer text and the prompt"),
    [GE_METRIC_LENGTH_WORDS] =
        TEXT("length.words", "number of words of the answer, parted by white space", 0, INFINITY,
             NEITHER, NULL, ge_length_words),
    [GE_METRIC_LENGTH_CHARACTERS] = TEXT("length.characters", "number of code points of the answer",
                                         0, INFINITY, NEITHER, NULL, ge_length_characters),
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
    static const char *const names[GE_ROLES] = {"image_text", "image_image", "text_text"};
    GE_ASSERT(r < GE_ROLES);
    return names[r];
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
