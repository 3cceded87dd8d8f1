/* Aggregation and reports from a store. */
#include "cli/finish.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "report/report.h"
#include "store/store.h"

#define MAX_REPORT ((size_t)1 << 31)

/* How the job that made the store wants it aggregated. */
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
    out->threads = ge_cpu_count();
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
    struct ge_aggregate_options options;
    GE_TRY(ge_store_open(store, &run));
    GE_TRY(options_of(run, &options));
    GE_TRY(ge_aggregate(run, &options, &summary));
    GE_TRY(write_tables(run, summary, output, table));
done:
    ge_summary_delete(&summary);
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
