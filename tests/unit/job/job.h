/* What the tests of job/ share: a vocabulary as the score stage has it, and a folder with the
 * files that a small job names. */
#ifndef GE_TESTS_UNIT_JOB_JOB_H
#define GE_TESTS_UNIT_JOB_JOB_H

#include "job/spec.h"
#include "unit/dataset/temp.h"

static const struct ge_job_metric test_metrics[] = {
    {"match.alias", NULL},
    {"similarity.image_text.reference", "image_text"},
    {"similarity.image_text.margin", "image_text"},
    {"similarity.image_text.input", "image_text"},
    {"similarity.image_image.reference", "image_image"},
    {"similarity.text_text.reference", "text_text"},
    {"bertscore.f1", "bertscore"},
    {"bertscore.f1.rescaled", "bertscore"},
};
static const char *const test_rules[] = {"exact",  "alias",     "label",       "choice",
                                         "number", "threshold", "contrastive", "recorded"};
static const struct ge_job_vocabulary test_vocabulary = {
    .metrics = test_metrics,
    .n_metrics = sizeof test_metrics / sizeof *test_metrics,
    .rules = test_rules,
    .n_rules = sizeof test_rules / sizeof *test_rules};

/* The least job that is complete. */
static const char small_job[] =
    "{\"name\": \"small\", \"dataset\": {\"path\": \"items.jsonl\"},\n"
    " \"systems\": [{\"name\": \"even\", \"answers\": \"even.jsonl\"}],\n"
    " \"encoders\": {\"clip\": {\"model\": \"clip\"}},\n"
    " \"scoring\": {\"roles\": {\"image_text\": \"clip\"}}}\n";

/* A folder with the files that small_job names. */
static inline char *job_folder(void)
{
    char *dir = temp_make();
    temp_file(dir, "items.jsonl", "{}");
    temp_file(dir, "even.jsonl", "{}");
    temp_file(dir, "clip/config.json", "{}");
    return dir;
}

static inline ge_status load(const char *dir, const char *text, const struct ge_override *sets,
                             size_t n_sets, struct ge_job **job)
{
    temp_file(dir, "job.json", text);
    char *path = temp_path(dir, "job.json");
    ge_status rc = ge_job_load(path, sets, n_sets, &test_vocabulary, job);
    free(path);
    return rc;
}

#endif
