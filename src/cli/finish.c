/* Aggregation and reports from a store. */
#include "cli/finish.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "aggregate/estimators.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/session.h"
#include "dataset/ratings.h"
#include "report/report.h"
#include "store/store.h"

#define MAX_REPORT ((size_t)1 << 31)

/* The metrics that a job lists for each task type. */
static ge_status wishes_of(const ge_json *doc, struct ge_arena *arena,
                           struct ge_aggregate_options *out)
{
    ge_status rc = GE_OK;
    struct ge_corpus_wish *wishes;
    const ge_json *tasks = ge_json_get_path(doc, "scoring.tasks");
    GE_TRY_PTR(wishes,
               ge_arena_alloc(arena, tasks == NULL ? 0 : ge_json_count(tasks), sizeof *wishes));
    out->corpus = wishes;
    for (const ge_json *t = ge_json_first(tasks); t != NULL; t = ge_json_next(t)) {
        struct ge_corpus_wish *wish = &wishes[out->n_corpus++];
        const ge_json *metrics = ge_json_get(t, "metrics");
        GE_TRY_PTR(wish->task, ge_arena_strdup(arena, ge_json_key(t)));
        GE_TRY_PTR(wish->metrics.v,
                   ge_arena_alloc(arena, metrics == NULL ? 0 : ge_json_count(metrics),
                                  sizeof *wish->metrics.v));
        for (const ge_json *m = ge_json_first(metrics); m != NULL; m = ge_json_next(m)) {
            GE_TRY_PTR(wish->metrics.v[wish->metrics.n],
                       ge_arena_strdup(arena, ge_json_string(m, "")));
            wish->metrics.n++;
        }
    }
done:
    return rc;
}

/* A string of the job, which outlives the document; NULL if it is not there. */
static ge_status keep_string(const struct ge_run *run, const ge_json *doc, const char *path,
                             const char **out)
{
    const char *s = ge_json_string(ge_json_get_path(doc, path), NULL);
    *out = NULL;
    if (s == NULL) return GE_OK;
    *out = ge_arena_strdup(run->arena, s);
    return *out != NULL ? GE_OK : GE_ENOMEM;
}

static ge_status ratings_of(const struct ge_run *run, const ge_json *doc,
                            struct ge_rating_options *out)
{
    ge_status rc = GE_OK;
    GE_TRY(keep_string(run, doc, "ratings.drawn", &out->drawn));
    GE_TRY(keep_string(run, doc, "ratings.verdict.dimension", &out->dimension));
    out->min = ge_json_number(ge_json_get_path(doc, "ratings.verdict.min"), 0);
done:
    return rc;
}

/* How the job that made the store wants it aggregated; what it points to is in the run's arena. */
static ge_status options_of(const struct ge_run *run, struct ge_aggregate_options *out)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    *out = (struct ge_aggregate_options){0};
    GE_TRY(ge_json_parse(run->job, strlen(run->job), "the store's job", &doc));
    const ge_json *by = ge_json_get_path(doc, "aggregation.by");
    for (const ge_json *b = ge_json_first(by); b != NULL; b = ge_json_next(b)) {
        const char *name = ge_json_string(b, "");
        if (strcmp(name, "category") == 0) out->by_category = true;
        if (strcmp(name, "subcategory") == 0) out->by_subcategory = true;
        if (strcmp(name, "tag") == 0) out->by_tag = true;
    }
    const ge_json *estimators = ge_json_get_path(doc, "aggregation.estimators");
    for (const ge_json *e = ge_json_first(estimators); e != NULL; e = ge_json_next(e)) {
        const char *name = ge_json_string(e, "");
        if (strcmp(name, "upstream") == 0) out->upstream = true;
        if (strcmp(name, "irt") == 0) out->irt = true;
    }
    out->irt_nodes =
        (int)ge_json_number(ge_json_get_path(doc, "aggregation.irt_nodes"), GE_IRT_NODES);
    out->level = ge_json_number(ge_json_get_path(doc, "aggregation.level"), 0.95);
    const char *failures = ge_json_string(ge_json_get_path(doc, "aggregation.failures"), "exclude");
    out->failures_wrong = strcmp(failures, "wrong") == 0;
    const char *interval = ge_json_string(ge_json_get_path(doc, "aggregation.interval"), "score");
    out->interval = strcmp(interval, "bca") == 0     ? GE_INTERVAL_BCA
                    : strcmp(interval, "delta") == 0 ? GE_INTERVAL_DELTA
                                                     : GE_INTERVAL_SCORE;
    double resamples = ge_json_number(ge_json_get_path(doc, "aggregation.resamples"), 10000);
    out->resamples = (size_t)resamples;
    out->seed = (uint64_t)(int64_t)ge_json_number(ge_json_get_path(doc, "seed"), 0);
    GE_TRY(wishes_of(doc, run->arena, out));
    GE_TRY(ratings_of(run, doc, &out->ratings));
done:
    ge_json_delete(&doc);
    return rc;
}

static ge_status write_file(const char *dir, const char *name, struct ge_buf *content)
{
    ge_status rc = GE_OK;
    char *path = NULL;
    GE_TRY(ge_buf_status(content));
    GE_TRY_PTR(path, ge_fs_join(dir, name));
    GE_TRY(ge_fs_replace(path, content->data != NULL ? content->data : "", content->len));
done:
    free(path);
    return rc;
}

static ge_status write_tables(const struct ge_run *run, const struct ge_summary *s,
                              const char *output, FILE *table)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, MAX_REPORT);
    if (output != NULL) {
        GE_TRY(ge_fs_mkdirs(output));
        GE_TRY(ge_report_json(run, s, &text));
        GE_TRY(write_file(output, "summary.json", &text));
        ge_buf_reset(&text);
        GE_TRY(ge_report_csv(run, &text));
        GE_TRY(write_file(output, "samples.csv", &text));
        ge_buf_reset(&text);
    }
    if (table != NULL) {
        GE_TRY(ge_report_markdown(run, s, &text));
        GE_TRY(ge_cli_print(table, &text));
    }
done:
    ge_buf_free(&text);
    return rc;
}

/* ---- changes ----------------------------------------------------------------------------------------- */

static bool may_change(const char *path)
{
    return strncmp(path, "aggregation.", 12) == 0 || strncmp(path, "ratings.", 8) == 0;
}

/* The store's job with other settings of how its rows are read. */
static ge_status change_job(struct ge_run *run, const struct ge_finish_changes *c)
{
    ge_status rc = GE_OK;
    struct ge_job *job = NULL;
    struct ge_override *sets = NULL;
    size_t n = 0;
    GE_NEW(sets, c->n_sets + 1);
    if (c->ratings != NULL)
        sets[n++] = (struct ge_override){"ratings.file", c->ratings, "--ratings"};
    for (size_t i = 0; i < c->n_sets; i++) {
        if (!may_change(c->sets[i].path)) {
            GE_TRY(ge_fail(GE_EINVAL,
                           "%s: the store's rows were computed with this setting; allowed here: "
                           "aggregation.* and ratings.*",
                           c->sets[i].path));
        }
        sets[n++] = c->sets[i];
    }
    if (n == 0) goto done;
    GE_TRY(ge_job_parse(run->job, strlen(run->job), "the store's job", "/", sets, n,
                        ge_session_vocabulary(), false, &job));
    GE_TRY_PTR(run->job, ge_arena_strdup(run->arena, job->json));
done:
    ge_job_delete(&job);
    free(sets);
    return rc;
}

/* Whether the job took only some of the dataset's items. */
static bool is_selection(const ge_json *doc)
{
    const ge_json *select = ge_json_get_path(doc, "dataset.select");
    bool some = ge_json_number(ge_json_get_path(doc, "dataset.limit"), 0) > 0;
    for (const ge_json *s = ge_json_first(select); s != NULL; s = ge_json_next(s)) {
        some |= ge_json_count(s) > 0;
    }
    return some;
}

static ge_status change_ratings(struct ge_run *run, const char *path)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    size_t skipped = 0;
    struct ge_rated_run about = {
        .items = run->items, .n_items = run->n_items, .cells = run->cells, .n_cells = run->n_cells};
    GE_TRY(ge_json_parse(run->job, strlen(run->job), "the store's job", &doc));
    about.partial = is_selection(doc);
    GE_TRY(ge_ratings_load(path, &about, run->arena, &run->ratings, &skipped));
    if (skipped > 0) {
        ge_warn("%s: %zu ratings are about items that the store does not have; its job took only "
                "some of the dataset",
                path, skipped);
    }
done:
    ge_json_delete(&doc);
    return rc;
}

ge_status ge_finish_open(const char *store, const struct ge_finish_changes *changes,
                         struct ge_run **out, struct ge_aggregate_options *options)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    *out = NULL;
    GE_TRY(ge_store_open(store, &run));
    if (changes != NULL) GE_TRY(change_job(run, changes));
    if (changes != NULL && changes->ratings != NULL) {
        GE_TRY(change_ratings(run, changes->ratings));
    }
    GE_TRY(options_of(run, options));
    *out = run;
    run = NULL;
done:
    ge_run_delete(&run);
    return rc;
}

/* A store's run and its summary; both are the caller's, also after a failure. */
static ge_status summarise(const char *store, const struct ge_finish_changes *changes,
                           struct ge_run **run, struct ge_summary **summary)
{
    ge_status rc = GE_OK;
    struct ge_aggregate_options options = {0};
    GE_TRY(ge_finish_open(store, changes, run, &options));
    if (options.upstream || options.irt || options.interval == GE_INTERVAL_BCA) {
        GE_TRY(ge_pool_new(ge_cpu_count(), &options.pool));
    }
    GE_TRY(ge_aggregate(*run, &options, summary));
done:
    ge_pool_delete(&options.pool);
    return rc;
}

ge_status ge_finish_tables(const char *store, const struct ge_finish_changes *changes,
                           const char *output, FILE *table)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_summary *summary = NULL;
    GE_TRY(summarise(store, changes, &run, &summary));
    GE_TRY(write_tables(run, summary, output, table));
done:
    ge_summary_delete(&summary);
    ge_run_delete(&run);
    return rc;
}

/* ---- gapeval aggregate, gapeval report ------------------------------------------------------------- */

int ge_cmd_aggregate(int argc, char **argv)
{
    struct ge_finish_changes changes = {0};
    const char *output = NULL;
    bool quiet = false;
    struct ge_flag flags[] = {{"--output", &output, NULL, NULL},
                              {"--ratings", &changes.ratings, NULL, NULL},
                              {"--quiet", NULL, NULL, &quiet},
                              {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "aggregate", .flags = flags, .job_options = true};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) rc = ge_fail(GE_EINVAL, "wanted one store");
    if (rc != GE_OK) {
        code = ge_cli_usage("aggregate", "%s", ge_error());
    } else {
        changes.sets = args.overrides;
        changes.n_sets = args.n_overrides;
        rc = ge_finish_tables(args.words[0], &changes, output, quiet ? NULL : stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}

static ge_status print_diagnoses(const char *store)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_summary *summary = NULL;
    struct ge_buf text;
    ge_buf_init(&text, MAX_REPORT);
    GE_TRY(summarise(store, NULL, &run, &summary));
    ge_report_diagnoses(summary, &text);
    GE_TRY(ge_cli_print(stdout, &text));
done:
    ge_buf_free(&text);
    ge_summary_delete(&summary);
    ge_run_delete(&run);
    return rc;
}

int ge_cmd_report(int argc, char **argv)
{
    bool diagnoses = false;
    const struct ge_flag flags[] = {{"--diagnoses", NULL, NULL, &diagnoses},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "report", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) rc = ge_fail(GE_EINVAL, "wanted one store");
    if (rc != GE_OK) {
        code = ge_cli_usage("report", "%s", ge_error());
    } else {
        rc = diagnoses ? print_diagnoses(args.words[0])
                       : ge_finish_tables(args.words[0], NULL, NULL, stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
