/* Aggregation and reports from a store. */
#include "cli/finish.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "aggregate/estimators.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
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

/* How the job that made the store wants it aggregated; what it points to is in the arena. */
static ge_status options_of(const struct ge_run *run, struct ge_arena *arena,
                            struct ge_aggregate_options *out)
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
    GE_TRY(wishes_of(doc, arena, out));
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
        GE_TRY(ge_buf_status(&text));
        fputs(text.data != NULL ? text.data : "", table);
    }
done:
    ge_buf_free(&text);
    return rc;
}

ge_status ge_finish_tables(const char *store, const char *output, FILE *table)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_summary *summary = NULL;
    struct ge_aggregate_options options = {0};
    GE_TRY(ge_store_open(store, &run));
    GE_TRY(options_of(run, run->arena, &options));
    if (options.upstream || options.irt) GE_TRY(ge_pool_new(ge_cpu_count(), &options.pool));
    GE_TRY(ge_aggregate(run, &options, &summary));
    GE_TRY(write_tables(run, summary, output, table));
done:
    ge_summary_delete(&summary);
    ge_pool_delete(&options.pool);
    ge_run_delete(&run);
    return rc;
}

/* ---- gapeval aggregate, gapeval report ------------------------------------------------------------- */

int ge_cmd_aggregate(int argc, char **argv)
{
    const char *output = NULL;
    bool quiet = false;
    struct ge_flag flags[] = {{"--output", &output, NULL, NULL},
                              {"--quiet", NULL, NULL, &quiet},
                              {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "aggregate", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) rc = ge_fail(GE_EINVAL, "wanted one store");
    if (rc != GE_OK) {
        code = ge_cli_usage("aggregate", "%s", ge_error());
    } else {
        rc = ge_finish_tables(args.words[0], output, quiet ? NULL : stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}

static ge_status report(const char *store)
{
    return ge_finish_tables(store, NULL, stdout);
}

int ge_cmd_report(int argc, char **argv)
{
    return ge_cli_each_path("report", 1, report, argc, argv);
}
