/* A small run with awkward names, shared by the tests of the reports. */
#ifndef GE_TESTS_REPORT_SAMPLE_H
#define GE_TESTS_REPORT_SAMPLE_H

#include "record/run.h"

static const char *sample_tags[] = {"a,b", "say \"hi\""};
static const char *sample_metrics[] = {"match.alias", "odd,name"};
static const char *sample_rules[] = {"alias"};

static struct ge_item sample_items[] = {
    {.id = "one", .index = 0, .category = "plain", .cluster = "one"},
    {.id = "two,\n\"2\"",
     .index = 1,
     .category = "a|b",
     .subcategory = "s",
     .cluster = "two",
     .tags = {sample_tags, 2}},
};
static struct ge_cell sample_cells[] = {{.system = "sys|tem"}};
static struct ge_verdict_row sample_verdicts[] = {
    {{0, GE_UND, 0}, 1, 0, 1}, {{0, GE_GEN, 0}, 0.1, 0, 10}, {{1, GE_UND, 0}, 1, 9, 1}};
static struct ge_score_row sample_scores[] = {{{0, GE_UND, 0}, 0, 1},
                                              {{0, GE_GEN, 0}, 1, 1.0 / 3},
                                              {{1, GE_UND, 0}, 0, 0},
                                              {{1, GE_UND, 0}, 1, -0.5}};
static struct ge_error_row sample_errors[] = {
    {{1, GE_GEN, 0}, GE_EFORMAT, "bad \"file\", line 1\r\nline 2"}};
static struct ge_undone_row sample_undone[] = {{{1, GE_GEN, 1}, GE_EIO, "disk"}};
static struct ge_result sample_results[] = {{.count = 2,
                                             .verdicts = sample_verdicts,
                                             .n_verdicts = 3,
                                             .scores = sample_scores,
                                             .n_scores = 4,
                                             .errors = sample_errors,
                                             .n_errors = 1,
                                             .undone = sample_undone,
                                             .n_undone = 1}};

static inline struct ge_run sample_run(void)
{
    for (int i = 0; i < 2; i++) {
        sample_items[i].task[GE_UND].present = sample_items[i].task[GE_GEN].present = true;
        sample_items[i].task[GE_UND].type = sample_items[i].task[GE_GEN].type = "task";
    }
    return (struct ge_run){.items = sample_items,
                           .n_items = 2,
                           .cells = sample_cells,
                           .n_cells = 1,
                           .metrics = {sample_metrics, 2},
                           .rules = {sample_rules, 1},
                           .results = sample_results,
                           .n_results = 1,
                           .numerics_id = "test"};
}

#endif
