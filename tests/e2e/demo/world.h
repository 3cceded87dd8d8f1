/* What is known about the demo (data/demo: items, truth, the encoder's confusion) beside what a run
 * of it wrote (samples.csv). Not here: judging the two, which is demo_check.c's part. */
#ifndef GE_TESTS_E2E_WORLD_H
#define GE_TESTS_E2E_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "base/status.h"

enum { UND, GEN, DIRECTIONS };

/* One item of one system. Strings are borrowed from the world's documents. */
struct sample {
    const char *system, *item, *category;
    const ge_json *tags;
    bool truth[DIRECTIONS];   /* what was drawn, also for lost answers */
    bool lost[DIRECTIONS];    /* planted failures */
    double error;             /* chance that the encoder misjudges the picture: upper end */
    bool seen[DIRECTIONS];    /* samples.csv has the row */
    bool judged[DIRECTIONS];  /* and a verdict in it */
    bool verdict[DIRECTIONS]; /* which is this */
};

struct world {
    struct sample *samples;
    size_t n;
    ge_json **lines; /* parsed lines of items.jsonl and truth.jsonl */
    size_t n_lines;
    size_t first_truth; /* of lines */
};

/* Read DATA/items.jsonl, DATA/truth.jsonl and the confusion file. Errors name file and line. */
ge_status world_load(const char *data, const char *confusion, struct world *w);

/* Fill in what a run's samples.csv says. Rows that the truth does not know are errors. */
ge_status world_read_samples(struct world *w, const char *csv);

void world_free(struct world *w);

/* Is the sample in this cell of the tables? dimension: "overall", "category" or "tag". */
bool world_in_cell(const struct sample *s, const char *system, const char *dimension,
                   const char *group);

#endif
