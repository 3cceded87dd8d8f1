/* What people said about the answers: rows of scores, and the two name tables that they point into.
 *
 * Kept in the head of a run (record/run.h), because they come from outside and change no row that is
 * computed. Filled by dataset/ratings.h, written and read by store/, used by aggregate/. Plain data;
 * strings are UTF-8 and live in the owner's arena. */
#ifndef GE_RECORD_RATING_H
#define GE_RECORD_RATING_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "record/item.h"
#include "record/result.h"

/* One rater's score of one answer on one dimension ("quality", "faithfulness", …). */
struct ge_rating {
    struct ge_key key;  /* item, direction, sample: the answer that was looked at */
    uint32_t cell;      /* the system: index into ge_run.cells */
    uint32_t rater;     /* index into ge_ratings.raters */
    uint32_t dimension; /* index into ge_ratings.dimensions */
    double score;       /* finite; the scale is the study's own */
};

/* Rows in the order of ge_rating_compare(), each key once; names in byte order, each used. */
struct ge_ratings {
    struct ge_rating *v;
    size_t n;
    struct ge_strings raters, dimensions;
};

/* How the answers that people looked at were chosen. Only a random choice lets figures be corrected. */
enum ge_drawn {
    GE_DRAWN_UNSAID,
    GE_DRAWN_RANDOM, /* each answer as likely as any other */
    GE_DRAWN_WITHIN, /* the same, but separately within each of the strata that a name gives */
    GE_DRAWN_OTHER   /* by difficulty, by disagreement, by hand, … */
};

/* "random", "random_within:<name>" (*within is the name, borrowed from text), "other"; NULL:
 * GE_DRAWN_UNSAID. GE_EINVAL for anything else. */
ge_status ge_drawn_parse(const char *text, enum ge_drawn *drawn, const char **within);

/* Order of rows: cell, item, direction, sample, dimension, rater. -1, 0, 1; 0: the same key. */
int ge_rating_compare(const struct ge_rating *a, const struct ge_rating *b);

/* Position of a name in byte order among names.n; SIZE_MAX if it is not there. */
size_t ge_rating_name(const struct ge_strings *names, const char *name);

/* Whether two sets of ratings say the same, bit for bit. */
int ge_ratings_equal(const struct ge_ratings *a, const struct ge_ratings *b);

/* Checks that hold for ratings wherever they come from, against a run of n_cells and n_items: rows in
 * strictly increasing order, indices in range, scores finite, names in strict byte order and not
 * empty. GE_EFORMAT naming the row. */
ge_status ge_ratings_check(const struct ge_ratings *r, size_t n_cells, size_t n_items);

#endif
