/* Diagnoses: what is the matter with a system, per category, and the items that show it most. Each kind
 * looks at one item at a time and says how strongly it is there; the share is the mean over the items
 * that it applies to. From the rows of the store alone. Local. */
#ifndef GE_AGGREGATE_DIAGNOSE_H
#define GE_AGGREGATE_DIAGNOSE_H

#include "base/arena.h"
#include "base/status.h"
#include "record/run.h"

enum { GE_DIAGNOSIS_ITEMS = 5 }; /* items shown with a diagnosis at most */

struct ge_diagnosed_item {
    const char *id;
    double strength;  /* in (0, 1] */
    const char *note; /* what was found there; "" if there is nothing to add */
};

struct ge_diagnosis {
    const char *kind;     /* ge_diagnosis_kinds() */
    const char *system;   /* NULL: of all systems together */
    const char *category; /* NULL: of all categories together */
    size_t n, shown;      /* items that the kind applies to; those among them that show it */
    double share;         /* mean strength over the n */
    struct ge_diagnosed_item items[GE_DIAGNOSIS_ITEMS]; /* strongest first, then in item order */
    size_t n_items;
};

struct ge_diagnosis_kind {
    const char *name, *help;
};
const struct ge_diagnosis_kind *ge_diagnosis_kinds(size_t *n);

/* By kind, system (the job's order) and category (all first, then by name), in the arena; what applies to
 * no item or is found in none has no row. GE_EFORMAT (rows that name no item or cell), GE_ENOMEM. */
struct values;
ge_status ge_diagnose(const struct ge_run *run, const struct values *values, struct ge_arena *arena,
                      struct ge_diagnosis **rows, size_t *n_rows);

#endif
