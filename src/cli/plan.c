/* gapeval plan: read and check everything that run would use, compute nothing. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/power.h"
#include "cli/session.h"
#include "score/metric.h"

static void print_dataset(const struct ge_session *s)
{
    const struct ge_dataset *d = s->dataset;
    size_t n[GE_DIRECTIONS] = {0, 0};
    for (size_t i = 0; i < d->n; i++) {
        for (int k = 0; k < GE_DIRECTIONS; k++) n[k] += d->items[i].task[k].present;
    }
    printf("dataset   %s: %zu of %zu items, %zu und and %zu gen tasks (%s)\n", d->name, d->n,
           d->n_total, n[GE_UND], n[GE_GEN], d->path);
}

static void print_systems(const struct ge_session *s)
{
    for (size_t i = 0; i < s->job->n_systems; i++) {
        const struct ge_answers_file *a = s->answers[i];
        printf("system    %s: %zu answers; missing %zu und, %zu gen; %zu unusable; %zu outside the "
               "selection; %zu with verdicts\n",
               s->job->systems[i].name, a->answers.n, a->missing[GE_UND], a->missing[GE_GEN],
               a->problems, a->n_skipped, a->judged);
    }
}

static void print_ratings(const struct ge_session *s)
{
    const struct ge_ratings *r = &s->ratings;
    if (s->job->ratings.file == NULL) return;
    printf("ratings   %zu by %zu raters on %zu dimensions; %zu outside the selection; drawn: %s\n",
           r->n, r->raters.n, r->dimensions.n, s->ratings_skipped,
           s->job->ratings.drawn != NULL ? s->job->ratings.drawn : "not said");
}

static void print_rule(const struct ge_task_scoring *t)
{
    printf("scoring   %s: rule %s", t->task, ge_rule_name(t->rule));
    if (t->metric != GE_METRIC_NONE) printf(" on %s", ge_metric_info(t->metric)->name);
    if (t->rule == GE_RULE_CONTRASTIVE) printf(" > %g", t->margin);
    if (t->rule == GE_RULE_THRESHOLD) {
        printf(" %s %g", t->lower_is_better ? "<=" : ">=", t->threshold);
    }
    const char *between = "; scores ";
    for (int m = 0; m < GE_METRICS; m++) {
        if (!t->metrics[m]) continue;
        printf("%s%s", between, ge_metric_info((enum ge_metric_id)m)->name);
        between = ", ";
    }
    printf("\n");
}

static ge_status print_images(struct ge_session *s)
{
    struct ge_dataset_check c;
    ge_status rc = ge_dataset_check_files(s->dataset, s->answers, s->job->n_systems, &c);
    if (rc != GE_OK) return rc;
    printf("images    %zu of the dataset (%zu missing), %zu of the answers (%zu missing)\n",
           c.images, c.missing_images, c.answer_images, c.missing_answer_images);
    if (c.first_missing != NULL) printf("          first missing: %s\n", c.first_missing);
    return GE_OK;
}

static ge_status print_encoders(struct ge_session *s)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_session_load_encoders(s, NULL));
    printf("device    %s\nnumerics  %s\n", ge_device_describe(s->device), s->numerics);
    for (size_t i = 0; i < s->job->n_encoders; i++) {
        const struct ge_encoder *e = s->encoders[i];
        char hex[GE_HASH_HEX];
        ge_hash_hex(ge_encoder_hash(e), hex);
        printf("encoder   %s: %s, %zu dimensions, %s (%s)\n", s->job->encoders[i].name,
               ge_encoder_kind(e), ge_encoder_dim(e), hex, s->job->encoders[i].model);
    }
done:
    return rc;
}

static ge_status print_plan(const struct ge_session *s)
{
    ge_status rc = GE_OK;
    struct ge_plan plan;
    GE_TRY(ge_plan_make((uint32_t)s->job->n_systems, (uint32_t)s->dataset->n,
                        ge_session_chunk_items(s), &plan));
    printf("plan      %u cells, %u chunks of at most %u items\noutput    %s\n", plan.n_cells,
           plan.n_chunks, plan.chunk_items, s->job->output.dir);
done:
    return rc;
}

/* The dataset alone, or no job at all. */
static ge_status plan_power(const struct ge_args *args, const struct ge_power_options *power)
{
    ge_status rc = GE_OK;
    struct ge_session s = {0};
    struct ge_job *job = NULL;
    if (args->n_words == 0) return ge_plan_power(power, NULL);
    GE_TRY(ge_job_load(args->words[0], args->overrides, args->n_overrides, ge_session_vocabulary(),
                       &job));
    GE_TRY(ge_session_open(&s, job));
    GE_TRY(ge_plan_power(power, s.dataset));
done:
    ge_session_close(&s);
    return rc;
}

static ge_status plan(const struct ge_args *args)
{
    ge_status rc = GE_OK;
    struct ge_session s = {0};
    struct ge_job *job = NULL;
    GE_TRY(ge_job_load(args->words[0], args->overrides, args->n_overrides, ge_session_vocabulary(),
                       &job));
    rc = ge_session_open(&s, job);
    if (rc != GE_OK) goto done;
    printf("job       %s (%s)\n", job->name, job->source);
    print_dataset(&s);
    print_systems(&s);
    print_ratings(&s);
    GE_TRY(print_images(&s));
    for (size_t i = 0; i < s.n_scoring; i++) print_rule(&s.scoring[i]);
    GE_TRY(print_encoders(&s));
    GE_TRY(print_plan(&s));
done:
    ge_session_close(&s);
    return rc;
}

int ge_cmd_plan(int argc, char **argv)
{
    struct ge_power_options power = {0};
    struct ge_flag flags[] = {
        {"--power", NULL, NULL, &power.on},     {"--items", NULL, &power.items, NULL},
        {"--gap", &power.gap, NULL, NULL},      {"--und", &power.und, NULL, NULL},
        {"--phi", &power.phi, NULL, NULL},      {"--confidence", &power.level, NULL, NULL},
        {"--chance", &power.power, NULL, NULL}, {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "plan", .flags = flags, .job_options = true};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    bool of_power = power.items > 0 || power.gap != NULL || power.und != NULL ||
                    power.phi != NULL || power.level != NULL || power.power != NULL;
    if (rc == GE_OK && !power.on && of_power) {
        rc = ge_fail(GE_EINVAL, "--items, --gap, --und, --phi, --confidence and --chance belong to "
                                "--power");
    }
    if (rc == GE_OK && (args.n_words > 1 || (args.n_words == 0 && !power.on))) {
        rc = ge_fail(GE_EINVAL, "wanted one job file");
    }
    if (rc == GE_OK && power.on) rc = ge_plan_power_check(&power, args.n_words == 1);
    if (rc != GE_OK) {
        code = ge_cli_usage("plan", "%s", ge_error());
    } else {
        rc = power.on ? plan_power(&args, &power) : plan(&args);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
