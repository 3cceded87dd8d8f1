/* What a dataset says about one item: the input of every stage, never changed after loading.
 * Plain data in the dataset's arena; strings are UTF-8; absent strings are NULL, absent lists
 * have n = 0. Filled by dataset/, read by evaluate/, score/ and store/. */
#ifndef GE_RECORD_ITEM_H
#define GE_RECORD_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The two directions of one item. */
enum ge_direction {
    GE_UND = 0, /* understanding: image + question -> text */
    GE_GEN = 1  /* generation: prompt (+ image) -> image, or image -> long text */
};
enum { GE_DIRECTIONS = 2 };

/* "und" or "gen". */
const char *ge_direction_name(enum ge_direction d);

/* The other way; false for any other text, and *d stays as it is. */
bool ge_direction_find(const char *name, enum ge_direction *d);

/* A list of strings. */
struct ge_strings {
    const char **v;
    size_t n;
};

/* An object that a picture or a text should hold: for counting (number) and hallucination
 * checks (synonyms). */
struct ge_object {
    const char *name;
    struct ge_strings synonyms;
    int64_t number; /* how many there must be; -1: any */
    bool present;   /* false: listed as absent, naming it is a hallucination */
};

/* One direction of one item. Which fields matter is up to the task's scoring rule (docs/job.md). */
struct ge_task {
    bool present;             /* false: the item has no such direction */
    const char *type;         /* key into the job's scoring.tasks: "vqa", "choice", "edit", … */
    const char *prompt;       /* the question or the generation prompt */
    struct ge_strings images; /* input images: paths that can be opened */
    struct ge_strings references;       /* reference texts; each one is right */
    struct ge_strings reference_images; /* paths */
    struct ge_strings choices;          /* options in order A, B, C, … */
    const char *answer;                 /* the key: an option's letter or its text, or a label */
    struct ge_strings labels;           /* closed set that `answer` belongs to */
    struct ge_object *objects;
    size_t n_objects;
    struct ge_strings details;          /* facts that a detailed description should cover */
    struct ge_strings text_distractors; /* texts that are wrong in one fact */
    struct ge_strings image_distractors;
    const char *constraints; /* JSON array text, see docs/dataset.md */
    bool may_copy;           /* reproducing the reference image is not a fault here */
};

struct ge_item {
    const char *id; /* unique in the dataset */
    uint32_t index; /* position in the dataset: the item's key in every row */
    const char *category;
    const char *subcategory;
    struct ge_strings tags; /* skills and any other dimension */
    const char *cluster;    /* items that share an image; never NULL */
    struct ge_task task[GE_DIRECTIONS];
    const char *extra; /* JSON object text of the fields that we do not know, or NULL */
};

/* One recorded answer: one sample of one system for one item and direction. */
struct ge_answer {
    uint32_t item; /* ge_item.index */
    enum ge_direction direction;
    uint32_t sample;          /* generation index, from 0 */
    const char *text;         /* NULL if the answer is an image */
    const char *image;        /* path that can be opened, or NULL */
    const double *judgements; /* a judge's or human's verdicts in [0,1]; NULL if none */
    uint32_t n_judgements;
    const char *problem; /* why this answer is unusable ("text.json: no output_text"), or NULL */
};

/* All answers of one system, sorted by (item, direction, sample), without duplicates. An item
 * without an entry has a missing answer. */
struct ge_answers {
    const char *system;
    struct ge_answer *v;
    size_t n;
};

/* Answers of one item and direction: a run in a->v, its length in *n (0: missing). */
const struct ge_answer *ge_answers_find(const struct ge_answers *a, uint32_t item,
                                        enum ge_direction d, size_t *n);

#endif
