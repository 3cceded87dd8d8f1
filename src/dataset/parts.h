/* The readers behind ge_dataset_load() and ge_answers_load(): private to dataset/. */
#ifndef GE_DATASET_PARTS_H
#define GE_DATASET_PARTS_H

#include "base/json.h"
#include "dataset/dataset.h"
#include "dataset/fields.h"
#include "dataset/index.h"

/* ---- datasets ------------------------------------------------------------------------------ */

/* A dataset while its items come in. */
struct ge_builder {
    struct ge_dataset *ds; /* arena, ids, name, extra, content are filled on the way */
    struct ge_item *items; /* heap; all items in dataset order */
    size_t n, cap;
};

/* Add an item; it gets its index and, if it names none, its cluster. `place` is for the message.
 * GE_EFORMAT: an id that is there already. */
ge_status ge_builder_add(struct ge_builder *b, struct ge_item item, const char *place);

/* One per layout; `path` as in ge_dataset_options. */
ge_status ge_manifest_read(struct ge_builder *b, const char *path);
ge_status ge_folders_read(struct ge_builder *b, const char *path);
ge_status ge_jsonl_read(struct ge_builder *b, const char *path);
ge_status ge_predictions_read(struct ge_builder *b, const char *path);

/* What a manifest's direction holds beside its task type and prompt: references, choices, objects, …
 * from f->object. */
ge_status ge_manifest_task(const struct ge_fields *f, struct ge_task *t);

/* Item from a manifest's line. f->prefix is "". */
ge_status ge_manifest_item(const struct ge_fields *f, struct ge_item *item);

/* Members of f->object whose keys are not among `known` (NULL-terminated), as the members of one
 * JSON object; ge_manifest_item() adds those of its directions under "und" and "gen". NULL in
 * *out if there are none. */
ge_status ge_extra_text(const struct ge_fields *f, const char *const *known, const char **out);

/* What a category of the published benchmark means. */
struct ge_category {
    const char *raw;      /* as in prompt.json; compared without case, '_' and '-' as space */
    const char *paper;    /* the paper's name for it */
    const char *und_type; /* task type of the answer in words */
    bool gen_from_text;   /* generation from text alone, although there is a question image */
};

/* Row of a raw category; for one that is not in the table its own name with type "vqa". */
struct ge_category ge_category_find(const char *raw);

/* Whether a file name is that of an image: .png, .jpg, .jpeg, .webp in any case. */
bool ge_is_image_name(const char *name);

/* Paths of the images in a folder, in byte order; none if there is no such folder. */
ge_status ge_list_images(struct ge_arena *arena, const char *folder, struct ge_strings *out);

/* ---- answers ------------------------------------------------------------------------------- */

/* One answer with the place it comes from. */
struct ge_raw_answer {
    struct ge_answer a;
    const char *file; /* borrowed or in the arena */
    size_t line;      /* 0: the whole file */
};

/* A system's answers while they come in. */
struct ge_gather {
    const struct ge_dataset *ds;
    const char *system;
    struct ge_answers_file *out;
    struct ge_raw_answer *v; /* heap */
    size_t n, cap;
    struct ge_hasher *hasher; /* content */
};

/* Add an answer to a selected item. GE_ENOMEM. */
ge_status ge_gather_add(struct ge_gather *g, struct ge_raw_answer a);

/* Selected item of an id in *item, or NULL and one more skipped. GE_EFORMAT if the dataset does
 * not have the id. */
ge_status ge_gather_item(struct ge_gather *g, const struct ge_fields *f, const char *key,
                         const struct ge_item **item);

ge_status ge_answers_read_lines(struct ge_gather *g, const char *path);
ge_status ge_answers_read_folders(struct ge_gather *g, const char *folder);
ge_status ge_answers_read_jsonl(struct ge_gather *g, const char *folder);
ge_status ge_answers_read_predictions(struct ge_gather *g, const char *path);

/* Whether a folder of that name inside an item's folder holds a system's answers. */
bool ge_is_system_folder(const char *name);

/* Verdict of a judge's record (published layouts): the first present of score, judge_result,
 * judeg_result. *has is false if there is none. Right (1.0) when true, 1 or "1", "true", "yes";
 * otherwise 0.0. */
double ge_judged_score(const ge_json *parsed, bool *has);

#endif
