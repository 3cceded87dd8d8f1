/* Built-in scoring of well-known task types. */
#include "job/spec.h"

#define IMAGE_TEXT  "similarity.image_text"
#define IMAGE_IMAGE "similarity.image_image"
#define TEXT_TEXT   "similarity.text_text"

/* Texts are judged by rule where the answer is short, by similarity where it is free; images by
 * being closer to the right caption than to every near miss. */
static const struct ge_task_default table[] = {
    {.type = "choice", .rule = "choice", .help = "multiple choice, reasoning, commonsense"},
    {.type = "counting", .rule = "number", .help = "how many of each object"},
    {.type = "description",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .metrics = {IMAGE_TEXT ".input"},
     .help = "image description"},
    {.type = "detailed-description",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .metrics = {IMAGE_TEXT ".input"},
     .help = "detailed image description"},
    {.type = "edit",
     .rule = "contrastive",
     .metric = IMAGE_TEXT ".margin",
     .fallback = "threshold",
     .metrics = {IMAGE_TEXT ".reference", IMAGE_IMAGE ".reference"},
     .help = "image editing"},
    {.type = "exact", .rule = "exact", .help = "answers that must match byte for byte"},
    {.type = "generation",
     .rule = "contrastive",
     .metric = IMAGE_TEXT ".margin",
     .fallback = "threshold",
     .metrics = {IMAGE_TEXT ".reference", IMAGE_IMAGE ".reference"},
     .help = "image generation"},
    {.type = "label", .rule = "label", .help = "one label of a closed set"},
    {.type = "number", .rule = "number", .help = "answers that are one number"},
    {.type = "physics",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .help = "free answer against the reference text (published GapEval category)"},
    {.type = "reasoning",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .help = "free answer against the reference text (published GapEval category)"},
    {.type = "recognition", .rule = "label", .help = "fine-grained recognition in a closed set"},
    {.type = "rule-based",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .help = "free answer against the reference text (published GapEval category)"},
    {.type = "vqa",
     .rule = "alias",
     .metrics = {TEXT_TEXT ".reference"},
     .help = "visual question answering with short open answers"},
    {.type = "world-knowledge",
     .rule = "threshold",
     .metric = TEXT_TEXT ".reference",
     .help = "free answer against the reference text (published GapEval category)"},
};

const struct ge_task_default *ge_task_defaults(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}
