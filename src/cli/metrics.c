/* gapeval metrics: metrics of a file of predictions, without a job, and the list of all there are. */
#include "cli/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/metrics_internal.h"
#include "metric/corpus.h"
#include "score/metric.h"

enum { CACHE_MB = 256, MAX_NAMES = 256, CHUNK = 256 };

/* ---- which metrics ---------------------------------------------------------------------------- */

static bool is_metric(const char *name)
{
    return ge_metric_find(name) != GE_METRIC_NONE || ge_corpus_metric_find(name) != NULL;
}

static ge_status read_names(struct metrics *c)
{
    ge_status rc = GE_OK;
    char *copy, *rest, *name;
    GE_TRY_PTR(copy, ge_arena_strdup(c->arena, c->names));
    GE_TRY_PTR(c->wanted.v, ge_arena_alloc(c->arena, MAX_NAMES, sizeof *c->wanted.v));
    for (name = strtok_r(copy, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        if (!is_metric(name)) {
            GE_TRY(ge_fail(GE_EINVAL,
                           "--metric %s: no such metric; `gapeval metrics --list` tells "
                           "all",
                           name));
        }
        if (metrics_is_wanted(c, name)) {
            GE_TRY(ge_fail(GE_EINVAL, "--metric %s: given twice", name));
        }
        if (c->wanted.n == MAX_NAMES) GE_TRY(ge_fail(GE_EINVAL, "--metric: more than 256 names"));
        c->wanted.v[c->wanted.n++] = name;
    }
    if (c->wanted.n == 0) GE_TRY(ge_fail(GE_EINVAL, "--metric: found no name"));
done:
    return rc;
}

static ge_status find_scoring(struct metrics *c, const char *type)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->n_scoring; i++) {
        if (strcmp(c->scoring[i].task, type) == 0) return GE_OK;
    }
    struct ge_task_scoring s = {
        .task = type, .rule = GE_RULE_NONE, .metric = GE_METRIC_NONE, .fallback = GE_METRIC_NONE};
    for (size_t i = 0; i < c->wanted.n; i++) {
        enum ge_metric_id id = ge_metric_find(c->wanted.v[i]);
        const struct ge_corpus_metric *corpus = ge_corpus_metric_find(c->wanted.v[i]);
        if (id != GE_METRIC_NONE) s.metrics[id] = true;
        if (corpus != NULL && corpus->embeddings != NULL) s.sets = true;
    }
    GE_TRY(ge_task_scoring_complete(&s));
    GE_RESIZE(c->scoring, c->n_scoring + 1);
    GE_RESIZE(c->wishes, c->n_scoring + 1);
    c->scoring[c->n_scoring] = s;
    c->wishes[c->n_scoring++] = (struct ge_corpus_wish){.task = type, .metrics = c->wanted};
done:
    return rc;
}

static int compare_scoring(const void *a, const void *b)
{
    return strcmp(((const struct ge_task_scoring *)a)->task,
                  ((const struct ge_task_scoring *)b)->task);
}

static ge_status make_scoring(struct metrics *c)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->dataset->n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *t = &c->dataset->items[i].task[d];
            if (t->present) GE_TRY(find_scoring(c, t->type));
        }
    }
    qsort(c->scoring, c->n_scoring, sizeof *c->scoring, compare_scoring);
    for (size_t i = 0; i < c->n_scoring; i++) c->wishes[i].task = c->scoring[i].task;
done:
    return rc;
}

/* ---- evaluation ---------------------------------------------------------------------------------------- */

static ge_status make_evaluator(struct metrics *c)
{
    ge_status rc = GE_OK;
    struct ge_evaluator *ev = &c->evaluator;
    GE_TRY(ge_pool_new(c->where.threads > 0 ? (int)c->where.threads : ge_cpu_count(), &c->pool));
    GE_TRY(ge_cache_new((size_t)CACHE_MB << 20, &ev->cache));
    c->cell.responder = ge_respond_recorded(&c->answers->answers);
    ev->items = c->dataset->items;
    ev->cells = &c->cell;
    ev->scoring = c->scoring;
    ev->n_scoring = c->n_scoring;
    ev->device = c->device;
    ev->encoders = c->encoder;
    ev->n_encoders = c->n_encoders;
    ev->image = c->image.image;
    ev->decode_pool = c->pool;
    ev->empty_texts = true; /* the references give them a value */
done:
    return rc;
}

static ge_status evaluate(struct metrics *c)
{
    ge_status rc = GE_OK;
    const size_t n = c->dataset->n, size = CHUNK;
    size_t n_chunks = (n + size - 1) / size;
    c->run_cell = (struct ge_cell){.system = "predictions"};
    c->run = (struct ge_run){
        .items = c->dataset->items, .n_items = n, .cells = &c->run_cell, .n_cells = 1};
    GE_TRY(metrics_name_kinds(c));
    GE_NEW(c->chunks, n_chunks);
    c->n_chunks = n_chunks;
    GE_TRY_PTR(c->run.results, ge_arena_alloc(c->arena, n_chunks, sizeof *c->run.results));
    for (size_t i = 0; i < n_chunks; i++) {
        const struct ge_result *result;
        uint32_t first = (uint32_t)(i * size);
        uint32_t count = (uint32_t)(n - first < size ? n - first : size);
        struct ge_eval_chunk **chunk = &c->chunks[i];
        GE_TRY(ge_eval_prepare(&c->evaluator, 0, first, count, chunk));
        GE_TRY(ge_eval_encode(&c->evaluator, *chunk));
        GE_TRY(ge_eval_score(&c->evaluator, *chunk, &result));
        c->run.results[c->run.n_results++] = *result;
    }
    GE_TRY(ge_corpus_rows(&c->run, c->wishes, c->n_scoring, c->arena, &c->corpus, &c->n_corpus));
done:
    return rc;
}

/* ---- the command ------------------------------------------------------------------------------------------ */

static ge_status compute(struct metrics *c, size_t *bad)
{
    ge_status rc = GE_OK;
    struct ge_dataset_options options = {.path = c->predictions, .format = GE_DATASET_PREDICTIONS};
    struct ge_answers_source source = {0};
    GE_TRY_PTR(c->arena, ge_arena_new());
    GE_TRY(read_names(c));
    if (c->out != NULL) GE_TRY(ge_check_out(c->out));
    GE_TRY(ge_image_flags_read(&c->switches, &c->image));
    GE_TRY(ge_dataset_load(&options, &c->dataset));
    GE_TRY(ge_answers_load(c->dataset, "predictions", &source, &c->answers));
    GE_TRY(make_scoring(c));
    GE_TRY(metrics_load_encoders(c));
    GE_TRY(make_evaluator(c));
    GE_TRY(evaluate(c));
    if (c->out != NULL) GE_TRY(metrics_write_file(c));
    metrics_print_table(c);
    for (size_t i = 0; i < c->run.n_results; i++) {
        *bad += c->run.results[i].n_errors + c->run.results[i].n_undone;
    }
done:
    return rc;
}

static void clean_up(struct metrics *c)
{
    for (size_t i = 0; i < c->n_chunks; i++) ge_eval_chunk_delete(&c->chunks[i]);
    free(c->chunks);
    for (size_t i = 0; i < c->n_encoders; i++) ge_encoder_delete(&c->encoder[i]);
    ge_device_close(&c->device);
    ge_cache_delete(&c->evaluator.cache);
    ge_pool_delete(&c->pool);
    ge_answers_delete(&c->answers);
    ge_dataset_delete(&c->dataset);
    ge_bertscore_free(&c->idf, c->n_scoring);
    free(c->scoring);
    free(c->wishes);
    ge_arena_delete(&c->arena);
}

static ge_status read_args(struct metrics *c, struct ge_args *args, int argc, char **argv)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_args_parse(args, argc, argv));
    if (args->n_words > 0) GE_TRY(ge_fail(GE_EINVAL, "\"%s\" is not wanted", args->words[0]));
    if (!c->list && (c->predictions == NULL || c->names == NULL)) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted --predictions and --metric, or --list"));
    }
done:
    return rc;
}

int ge_cmd_metrics(int argc, char **argv)
{
    struct metrics c = {.bertscore = {.layer = -1}};
    const struct ge_flag flags[] = {{"--predictions", &c.predictions, NULL, NULL},
                                    {"--metric", &c.names, NULL, NULL},
                                    {"--encoder", &c.encoders, NULL, NULL},
                                    {"--out", &c.out, NULL, NULL},
                                    {"--list", NULL, NULL, &c.list},
                                    {"--dtype", &c.where.dtype, NULL, NULL},
                                    {"--device", &c.where.device, NULL, NULL},
                                    {"--level", &c.where.level, NULL, NULL},
                                    {"--batch-size", NULL, &c.batch_size, NULL},
                                    {"--threads", NULL, &c.where.threads, NULL},
                                    {"--exif", &c.switches.exif, NULL, NULL},
                                    {"--alpha", &c.switches.alpha, NULL, NULL},
                                    {"--pillow", &c.switches.pillow, NULL, NULL},
                                    {"--resize", &c.switches.resize, NULL, NULL},
                                    {"--bertscore-layer", NULL, &c.bertscore.layer, NULL},
                                    {"--bertscore-idf", NULL, NULL, &c.bertscore.idf},
                                    {"--bertscore-baseline", &c.bertscore.baseline, NULL, NULL},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "metrics", .flags = flags, .repeatable = "--encoder"};
    int code = GE_EXIT_DONE;
    size_t bad = 0;
    if (read_args(&c, &args, argc, argv) != GE_OK) {
        code = ge_cli_usage("metrics", "%s", ge_error());
    } else if (c.list) {
        ge_metrics_list(stdout);
    } else {
        ge_status rc = compute(&c, &bad);
        if (rc != GE_OK) code = ge_cli_fail(rc);
        if (rc == GE_OK && bad > 0) {
            ge_error_log("%zu predictions could not be scored; --out tells why", bad);
            code = GE_EXIT_FAILED;
        }
    }
    clean_up(&c);
    ge_args_free(&args);
    return code;
}
