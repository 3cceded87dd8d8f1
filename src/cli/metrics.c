/* gapeval metrics: metrics of a file of predictions, without a job, and the list of all there are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/corpus.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/backends.h"
#include "cli/bertscore.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/metrics.h"
#include "dataset/dataset.h"
#include "evaluate/evaluate.h"
#include "metric/corpus.h"
#include "score/metric.h"

enum { MAX_ENCODERS = 3, CACHE_MB = 256, MAX_NAMES = 256, CHUNK = 256 };
#define MAX_LINES ((size_t)1 << 31)

struct metrics {
    const char *predictions, *names, *encoders, *out; /* as given */
    bool list;
    struct ge_device_flags where;
    struct ge_image_flags switches;
    struct ge_bertscore_flags bertscore;
    long batch_size;

    struct ge_arena *arena;
    struct ge_strings wanted; /* in the order given */
    struct ge_dataset *dataset;
    struct ge_answers_file *answers;
    struct ge_task_scoring *scoring; /* (n_scoring) a row for each task type, all alike */
    struct ge_corpus_wish *wishes;   /* (n_scoring) */
    size_t n_scoring;
    struct ge_idf **idf; /* (n_scoring) */
    struct ge_device *device;
    struct ge_preprocess_switches image;
    struct ge_encoder *encoder[MAX_ENCODERS];
    const char *encoder_name[MAX_ENCODERS];
    size_t n_encoders;
    struct ge_pool *pool;
    struct ge_eval_cell cell;
    struct ge_evaluator evaluator;
    struct ge_eval_chunk **chunks; /* (n_chunks) kept: the results borrow from them */
    size_t n_chunks;
    struct ge_cell run_cell;
    struct ge_run run;
    struct ge_corpus_row *corpus;
    size_t n_corpus;
};

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

/* ---- encoders --------------------------------------------------------------------------------------- */

/* The roles that one name on the command line stands for. */
static const struct {
    const char *name;
    enum ge_role roles[2];
} encoder_names[] = {
    {"clip", {GE_ROLE_IMAGE_TEXT, GE_ROLE_IMAGE_IMAGE}},
    {"sentence", {GE_ROLE_TEXT_TEXT, GE_ROLE_TEXT_TEXT}},
    {"bertscore", {GE_ROLE_BERTSCORE, GE_ROLE_BERTSCORE}},
};
enum { ENCODER_NAMES = sizeof encoder_names / sizeof encoder_names[0] };

/* "clip=FOLDER". */
static ge_status read_encoder(struct metrics *c, const char *given, int *index, const char **folder)
{
    const char *equals = strchr(given, '=');
    for (int i = 0; equals != NULL && i < ENCODER_NAMES; i++) {
        size_t len = strlen(encoder_names[i].name);
        if ((size_t)(equals - given) != len || strncmp(given, encoder_names[i].name, len) != 0) {
            continue;
        }
        if (c->evaluator.role_encoder[encoder_names[i].roles[0]] >= 0) {
            return ge_fail(GE_EINVAL, "--encoder %s: given twice", encoder_names[i].name);
        }
        *index = i;
        *folder = equals + 1;
        return GE_OK;
    }
    return ge_fail(GE_EINVAL,
                   "--encoder %s: wanted clip=FOLDER, sentence=FOLDER or bertscore=FOLDER", given);
}

static ge_status load_encoder(struct metrics *c, int index, const char *folder)
{
    ge_status rc = GE_OK;
    size_t n = c->n_encoders;
    struct ge_encoder_options options = {.switches = &c->image,
                                         .threads = ge_device_threads(c->device),
                                         .max_batch = ge_backends_batch(c->device, c->batch_size),
                                         .memory = ge_backends_budget(c->device, 1)};
    GE_TRY(ge_inputs_dtype(c->where.dtype, &options.dtype));
    GE_TRY(ge_encoder_load(folder, c->device, &options, &c->encoder[n]));
    for (int k = 0; k < 2; k++) {
        c->evaluator.role_encoder[encoder_names[index].roles[k]] = (int)n;
    }
    c->encoder_name[n] = encoder_names[index].name;
    c->n_encoders++;
done:
    return rc;
}

static const char *name_of(enum ge_role role)
{
    int i = 0;
    while (encoder_names[i].roles[0] != role && encoder_names[i].roles[1] != role) i++;
    return encoder_names[i].name;
}

static ge_status check_roles(const struct metrics *c)
{
    for (size_t i = 0; i < c->n_scoring; i++) {
        for (int m = 0; m < GE_METRICS; m++) {
            const struct ge_metric_info *info = ge_metric_info((enum ge_metric_id)m);
            if (!c->scoring[i].metrics[m] || !ge_role_needs_encoder(info->role)) continue;
            if (c->evaluator.role_encoder[info->role] >= 0) continue;
            return ge_fail(GE_EINVAL, "%s needs an encoder: --encoder %s=FOLDER", info->name,
                           name_of(info->role));
        }
        if (c->scoring[i].sets && c->n_encoders == 0) {
            return ge_fail(GE_EINVAL,
                           "a metric over sets of embeddings needs an encoder: --encoder "
                           "clip=FOLDER for images, sentence=FOLDER for texts");
        }
    }
    return GE_OK;
}

static ge_status prepare_bertscore(struct metrics *c)
{
    struct ge_job_bertscore how;
    int role = c->evaluator.role_encoder[GE_ROLE_BERTSCORE];
    ge_status rc = ge_bertscore_flags_read(&c->bertscore, &how);
    if (rc != GE_OK || role < 0) return rc;
    return ge_bertscore_prepare(&how, "bertscore", c->encoder[role], c->dataset->items,
                                c->dataset->n, c->scoring, c->n_scoring, &c->idf,
                                &c->evaluator.bertscore_layer);
}

static ge_status load_encoders(struct metrics *c)
{
    ge_status rc = GE_OK;
    char *copy = NULL, *rest;
    for (int r = 0; r < GE_ROLES; r++) c->evaluator.role_encoder[r] = -1;
    if (c->encoders != NULL) {
        GE_TRY_PTR(copy, ge_arena_strdup(c->arena, c->encoders));
        GE_TRY(ge_inputs_device(&c->where, &c->device));
    }
    for (char *given = copy == NULL ? NULL : strtok_r(copy, "\n", &rest); given != NULL;
         given = strtok_r(NULL, "\n", &rest)) {
        int index = 0;
        const char *folder = NULL;
        GE_TRY(read_encoder(c, given, &index, &folder));
        rc = load_encoder(c, index, folder);
        if (rc != GE_OK) GE_TRY(ge_fail_in(rc, "--encoder %s", encoder_names[index].name));
    }
    GE_TRY(check_roles(c));
    GE_TRY(prepare_bertscore(c));
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

/* Names of the embedding kinds, as a run has them: the encoders under the names of their flags. */
static ge_status name_kinds(struct metrics *c)
{
    ge_status rc = GE_OK;
    struct ge_strings *kinds = &c->run.embedding_kinds;
    const size_t n = c->n_encoders;
    GE_TRY_PTR(kinds->v, ge_arena_alloc(c->arena, 3 * n, sizeof *kinds->v));
    for (size_t i = 0; i < 3 * n; i++) {
        size_t encoder = i < 2 * n ? i / 2 : i - 2 * n;
        GE_TRY_PTR(kinds->v[i], ge_arena_printf(c->arena, "%s:%s", c->encoder_name[encoder],
                                                i >= 2 * n   ? "reference"
                                                : i % 2 == 0 ? "text"
                                                             : "image"));
    }
    kinds->n = 3 * n;
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
    GE_TRY(name_kinds(c));
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

/* ---- what comes out ------------------------------------------------------------------------------------- */

/* Whether a metric was asked for by name; the others were computed for its sake. */
static bool is_wanted(const struct metrics *c, const char *name)
{
    for (size_t i = 0; i < c->wanted.n; i++) {
        if (strcmp(c->wanted.v[i], name) == 0) return true;
    }
    return false;
}

/* Value of one answer in a row of the corpus; NaN if it is not among them. */
static double corpus_value(const struct ge_corpus_row *row, struct ge_key key)
{
    size_t lo = 0, hi = row->keys != NULL ? row->n : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = ge_key_compare(row->keys[mid], key);
        if (order == 0) return row->per_answer[mid];
        if (order < 0) lo = mid + 1;
        if (order > 0) hi = mid;
    }
    return NAN;
}

static const char *find_reason(const struct ge_result *r, uint32_t item)
{
    for (size_t i = 0; i < r->n_errors; i++) {
        if (r->errors[i].key.item == item) return r->errors[i].reason;
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        if (r->undone[i].key.item == item) return r->undone[i].reason;
    }
    return NULL;
}

/* One line: id, values by name, error. *score walks over the rows of the result. */
static void write_line(const struct metrics *c, const struct ge_result *r, uint32_t item,
                       size_t *score, struct ge_buf *out)
{
    struct ge_jsonw w;
    const char *reason = find_reason(r, item);
    const struct ge_item *it = &c->dataset->items[item];
    struct ge_key key = {.item = item, .direction = it->task[GE_UND].present ? GE_UND : GE_GEN};
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "id", it->id);
    for (; *score < r->n_scores && r->scores[*score].key.item == item; ++*score) {
        const struct ge_score_row *s = &r->scores[*score];
        const char *name = ge_metric_info((enum ge_metric_id)s->metric)->name;
        if (is_wanted(c, name)) ge_jsonw_double(&w, name, s->value);
    }
    for (size_t i = 0; i < c->n_corpus; i++) {
        const struct ge_corpus_row *row = &c->corpus[i];
        double value = corpus_value(row, key);
        if (isnan(value) || ge_metric_find(row->metric) != GE_METRIC_NONE) continue;
        ge_jsonw_double(&w, row->metric, value);
    }
    if (reason != NULL) ge_jsonw_string(&w, "error", reason);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
}

/* Mean of a metric over the lines that have it. */
struct mean {
    double sum;
    size_t n;
};

static struct mean mean_of(const struct metrics *c, const char *name)
{
    struct mean m = {0};
    enum ge_metric_id id = ge_metric_find(name);
    for (size_t i = 0; i < c->run.n_results; i++) {
        const struct ge_result *r = &c->run.results[i];
        for (size_t k = 0; k < r->n_scores; k++) {
            if (r->scores[k].metric != id) continue;
            m.sum += r->scores[k].value;
            m.n++;
        }
    }
    return m;
}

static void write_summary(const struct metrics *c, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_int(&w, "predictions", (int64_t)c->dataset->n);
    ge_jsonw_object(&w, "means");
    for (size_t i = 0; i < c->wanted.n; i++) {
        struct mean m = mean_of(c, c->wanted.v[i]);
        if (ge_metric_find(c->wanted.v[i]) == GE_METRIC_NONE) continue;
        ge_jsonw_object(&w, c->wanted.v[i]);
        ge_jsonw_int(&w, "n", (int64_t)m.n);
        ge_jsonw_double(&w, "mean", m.sum / (double)m.n);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_object_end(&w);
    ge_jsonw_array(&w, "corpus");
    for (size_t i = 0; i < c->n_corpus; i++) {
        ge_jsonw_object(&w, NULL);
        ge_jsonw_string(&w, "metric", c->corpus[i].metric);
        ge_jsonw_string(&w, "task", c->corpus[i].task);
        ge_jsonw_int(&w, "n", (int64_t)c->corpus[i].n);
        ge_jsonw_double(&w, "value", c->corpus[i].value);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
}

static ge_status write_file(const struct metrics *c)
{
    ge_status rc = GE_OK;
    struct ge_buf out;
    ge_buf_init(&out, MAX_LINES);
    for (size_t i = 0; i < c->run.n_results; i++) {
        const struct ge_result *r = &c->run.results[i];
        size_t score = 0;
        for (uint32_t k = 0; k < r->count; k++) write_line(c, r, r->first + k, &score, &out);
    }
    write_summary(c, &out);
    GE_TRY(ge_buf_status(&out));
    GE_TRY(ge_fs_replace(c->out, out.data, out.len));
done:
    ge_buf_free(&out);
    return rc;
}

static void print_value(size_t n, double value)
{
    char text[32];
    ge_double_text(value, text);
    printf(" | %zu | %s |\n", n, isnan(value) ? "–" : text);
}

static void print_table(const struct metrics *c)
{
    printf("| metric | over | n | value |\n|:--|:--|--:|--:|\n");
    for (size_t i = 0; i < c->wanted.n; i++) {
        if (ge_metric_find(c->wanted.v[i]) == GE_METRIC_NONE) continue;
        struct mean m = mean_of(c, c->wanted.v[i]);
        printf("| `%s` | mean of lines", c->wanted.v[i]);
        print_value(m.n, m.sum / (double)m.n);
    }
    for (size_t i = 0; i < c->n_corpus; i++) {
        printf("| `%s` | corpus of %s", c->corpus[i].metric, c->corpus[i].task);
        print_value(c->corpus[i].n, c->corpus[i].value);
    }
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
    GE_TRY(load_encoders(c));
    GE_TRY(make_evaluator(c));
    GE_TRY(evaluate(c));
    if (c->out != NULL) GE_TRY(write_file(c));
    print_table(c);
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
