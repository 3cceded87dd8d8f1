/* Outputs that other evaluation harnesses have recorded, as lines of recorded answers (docs/dataset.md §2).
 * Used by `gapeval import`. Local. */
#ifndef GE_DATASET_HARNESS_H
#define GE_DATASET_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "record/item.h"

enum ge_harness {
    GE_HARNESS_LMMS_EVAL, /* lmms-eval --log_samples: JSON lines with doc_id and resps */
    GE_HARNESS_VLMEVALKIT /* VLMEvalKit: a table (.tsv, .csv) with index and prediction */
};

/* "lmms-eval", "vlmevalkit"; and back: false for another name. */
const char *ge_harness_name(enum ge_harness h);
bool ge_harness_find(const char *name, enum ge_harness *h);

struct ge_import_options {
    enum ge_harness harness;
    enum ge_direction direction; /* which of an item's two answers the file holds */
    const char *system;          /* name written into each line; NULL: none */
    const char *id;     /* key of the item's id: dotted path (lmms-eval, default "doc_id") or
                                    column (VLMEvalKit, default "index"); NULL: the default */
    const char *prefix; /* put in front of each id; NULL: nothing */
    bool filtered;      /* lmms-eval: what its filters left instead of the raw responses */
};

struct ge_import_counts {
    size_t lines, answers, empty; /* lines read; answers written; those among them without a text */
};

/* Append the answers of one file. Of lmms-eval: each response is a sample; a response that is a JSON
 * object with "text" and "images", as unified models give, is taken apart: direction gen gets its
 * images, und its text. Relative image paths start from the file's folder and are written as
 * absolute ones. GE_ENOENT, GE_EIO, GE_ENOMEM; GE_EFORMAT with the line: an id that is missing, neither
 * text nor whole number, or there twice; a response that is no text. GE_EUNSUPPORTED: log-likelihoods,
 * several requests for one item, a spreadsheet (.xlsx). */
ge_status ge_import(const char *path, const struct ge_import_options *options, struct ge_buf *out,
                    struct ge_import_counts *counts);

#endif
