/* Import of what people said about the answers: a CSV or JSONL file in, record/rating.h out.
 *
 *   item, system, direction, rater, dimension, score[, sample]      docs/people.md
 *
 * A file is taken whole or not at all: the first line that cannot be meant as it stands is an error with
 * its number, key, what was found and what is allowed. Ratings of items that the dataset has but the
 * selection leaves out are counted and passed over. Used by cli/. Local. */
#ifndef GE_DATASET_RATINGS_H
#define GE_DATASET_RATINGS_H

#include "base/arena.h"
#include "base/status.h"
#include "dataset/dataset.h"
#include "record/rating.h"
#include "record/run.h"

/* What ratings can be about. Borrowed for the call. */
struct ge_rated_run {
    const struct ge_item *items; /* the selection; items[i].index == i */
    size_t n_items;
    const struct ge_dataset *dataset; /* knows ids outside the selection; NULL: nobody does */
    bool partial; /* without a dataset: the items are a selection, so an id that is none of them is
                     taken for one that was left out */
    const struct ge_cell *cells; /* of several cells with one system the first is meant */
    size_t n_cells;
};

/* Read a file whose name ends in .csv, .tsv or .jsonl. Rows and names are put into `arena`; *skipped
 * counts the lines about items outside the selection. GE_EINVAL (another ending), GE_EFORMAT (not
 * UTF-8, an unknown or missing column or key, an unknown item or system, a direction that the item
 * does not have, a score that is no finite number, the same rating twice, no rating at all), GE_ENOENT,
 * GE_EIO, GE_ELIMIT, GE_ENOMEM. */
ge_status ge_ratings_load(const char *path, const struct ge_rated_run *about,
                          struct ge_arena *arena, struct ge_ratings *out, size_t *skipped);

#endif
