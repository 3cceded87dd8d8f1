/* Datasets and recorded answers: files in, records out.
 *
 * Reads the three layouts of docs/dataset.md into one form (record/item.h). A file that is broken
 * as a whole is an error that names file, line, key, found and allowed; a missing image or answer
 * is data: ge_dataset_check_files() counts it and evaluation makes an error row of it. Everything is
 * read once, in one pass, with caps; loading is linear in the size of the files. Not here:
 * opening images, scoring. Used by cli/. Local; a loaded dataset is read-only and may be read by
 * several threads. */
#ifndef GE_DATASET_DATASET_H
#define GE_DATASET_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "record/item.h"

enum ge_dataset_format {
    GE_DATASET_AUTO, /* by looking: a file is a manifest, a folder one of the two others */
    GE_DATASET_MANIFEST,
    GE_DATASET_GAPEVAL,
    GE_DATASET_GAPEVAL_JSONL,
    GE_DATASET_PREDICTIONS
};

/* "auto", "manifest", "gapeval", "gapeval-jsonl", "predictions". */
const char *ge_dataset_format_name(enum ge_dataset_format f);
ge_status ge_dataset_format_parse(const char *name, enum ge_dataset_format *out); /* GE_EINVAL */

struct ge_dataset_options {
    enum ge_dataset_format format;
    const char *path;
    /* Selection: an item must be in every list that is not empty; then the first `limit` of those
     * that remain, in dataset order (0: all). A category, tag or id that no item has is
     * GE_EINVAL. */
    struct ge_strings categories, tags, items;
    size_t limit;
};

struct ge_dataset_index; /* every id of the dataset, selected or not */

struct ge_dataset {
    struct ge_arena *arena;
    enum ge_dataset_format format;
    const char *path;      /* as opened */
    const char *name;      /* from the header, otherwise from the path */
    const char *extra;     /* JSON object text of the header's further keys, or NULL */
    struct ge_item *items; /* the selection; items[i].index == i */
    size_t n;
    size_t n_total;         /* before the selection */
    struct ge_hash content; /* of all bytes that define the dataset, selected or not; images and
                               answers are not among them */
    struct ge_dataset_index *ids;
};

/* Load. GE_ENOENT (no such file or folder), GE_EFORMAT, GE_ELIMIT, GE_EINVAL (selection),
 * GE_EIO, GE_ENOMEM. A selection without items is GE_EINVAL. Free with ge_dataset_delete(). */
ge_status ge_dataset_load(const struct ge_dataset_options *options, struct ge_dataset **ds);
void ge_dataset_delete(struct ge_dataset **ds); /* NULL is fine; *ds = NULL */

/* Selected item of an id, or NULL. *known (may be NULL) says whether the dataset has the id at
 * all. */
const struct ge_item *ge_dataset_find(const struct ge_dataset *ds, const char *id, bool *known);

/* Where a system's answers are. All unset: the dataset's own answers (gapeval-jsonl and
 * predictions only). */
struct ge_answers_source {
    struct ge_strings files; /* JSON lines; with n > 0 the folders are not used */
    const char *folder;      /* gapeval: name of the model's folder in each item folder */
    const char *folder_path; /* gapeval-jsonl: a folder of the same layout */
};

struct ge_answers_file {
    struct ge_arena *arena;
    struct ge_answers answers;     /* of selected items only */
    struct ge_hash content;        /* of all answer files' bytes; images are not among them */
    size_t n_skipped;              /* answers to items outside the selection */
    size_t missing[GE_DIRECTIONS]; /* selected items' directions without any answer */
    size_t problems;               /* answers with a `problem` */
    size_t judged;                 /* answers with recorded judgements */
};

/* Load the answers of one system. GE_ENOENT, GE_EFORMAT (also: an unknown item id, another
 * system's name, the same (item, direction, sample) twice), GE_EINVAL (a source that does not fit
 * the dataset's format), GE_ELIMIT, GE_EIO, GE_ENOMEM. */
ge_status ge_answers_load(const struct ge_dataset *ds, const char *system,
                          const struct ge_answers_source *source, struct ge_answers_file **out);
void ge_answers_delete(struct ge_answers_file **file); /* NULL is fine; *file = NULL */

/* What is not there, for `gapeval plan`. Each distinct path is looked at once. */
struct ge_dataset_check {
    size_t images, missing_images; /* distinct paths that items name; those that cannot be read */
    size_t answer_images, missing_answer_images; /* the same for the answers given */
    const char *first_missing; /* a path, borrowed from dataset or answers; NULL: none */
};

/* answers may be NULL (n = 0). GE_ENOMEM. */
ge_status ge_dataset_check_files(const struct ge_dataset *ds,
                                 struct ge_answers_file *const *answers, size_t n,
                                 struct ge_dataset_check *out);

#endif
