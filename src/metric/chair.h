/* Objects that a description names: hallucinated ones (CHAIR) and left-out ones.
 *
 * After Rohrbach et al., "Object Hallucination in Image Captioning" (EMNLP 2018), with the objects
 * and synonyms of the dataset's item in place of COCO's. A mention is the longest run of words of
 * one sentence that is an object's name or a synonym, in the singular or plural; the text is read
 * from left to right and no word belongs to two mentions. As in the original each mention counts,
 * repeated and denied ones too ("no dog" mentions a dog). A mention is hallucinated when no object
 * with that name or synonym is present. Objects that the item does not list are not seen; an
 * item that lists no absent object is not judged.
 *
 * Where this deviates: the original lists double words of COCO by hand and rewrites some ("toilet
 * seat", "baby elephant", "bow tie"), here every name or synonym of several words is one; it
 * singularises with `pattern`, another tool lemmatises with a part-of-speech tagger, here rules do
 * (noun.h). English. Local; thread-safe. */
#ifndef GE_METRIC_CHAIR_H
#define GE_METRIC_CHAIR_H

#include "metric/corpus.h"
#include "metric/family.h"

/* "chair.i": hallucinated mentions / mentions; NaN without a mention, or if not judged. */
ge_status ge_chair_i(const char *text, const struct ge_task *task, double *value);

/* "chair.s": 1 if any mention is hallucinated, else 0; NaN if not judged. */
ge_status ge_chair_s(const char *text, const struct ge_task *task, double *value);

/* "objects.recall": share of the present objects that are mentioned; NaN if none is present. */
ge_status ge_objects_recall(const char *text, const struct ge_task *task, double *value);

/* These three together (family.h). */
enum { GE_CHAIR_ALL = 3 };
ge_text_family_fn ge_chair_all;

/* Over a corpus: sum of hallucinated mentions / sum of mentions, of the texts that are judged (not the
 * mean of ratios; NaN without a mention). Per text: ge_chair_i(). */
ge_status ge_corpus_chair_i(const struct ge_corpus *c, double *value, double *per_text);

/* Times that each object is mentioned: mentions[task->n_objects]. Object i is hallucinated when
 * mentions[i] > 0 and !objects[i].present, left out when mentions[i] = 0 and it is present. A name
 * that a present and an absent object share counts for the present one. GE_ENOMEM, GE_ELIMIT (a
 * text beyond 512 MiB). */
ge_status ge_chair_mentions(const char *text, const struct ge_task *task, size_t *mentions);

#endif
