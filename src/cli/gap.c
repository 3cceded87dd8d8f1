/* gapeval gap: the gap from verdicts or from shares, without a store, by an estimator of choice. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/estimators.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/verdicts.h"
#include "report/report.h"

#define MAX_REPORT ((size_t)1 << 30)
enum { MOST_ROWS = 10000 }; /* of one model's shares: some seconds of upstream */

struct gap {
    const char *input, *verdicts, *out; /* one of input and verdicts */
    const char *estimator_name, *by, *level_text;
    long nodes, threads;
    enum ge_estimator estimator;
    double level;
    struct ge_pool *pool;
};

/* ---- shares: the published script's files -------------------------------------------------------- */

struct model {
    const char *name;
    struct ge_cells *cells; /* (rows) */
    double *gaps;           /* (rows) */
    size_t rows;
    double mean;
    ge_status status;
};

struct shares {
    struct ge_arena *arena;
    ge_json *doc;
    struct model *models; /* (n) in the file's order */
    size_t n;
};

static ge_status read_row(const char *path, const char *model, size_t row, const ge_json *node,
                          struct ge_cells *out)
{
    double *cells[] = {&out->p11, &out->p10, &out->p01, &out->p00};
    size_t n = 0;
    if (ge_json_type(node) == GE_JSON_ARRAY && ge_json_count(node) == 4) {
        for (const ge_json *c = ge_json_first(node); c != NULL; c = ge_json_next(c)) {
            if (ge_json_type(c) == GE_JSON_NUMBER) *cells[n++] = ge_json_number(c, NAN);
        }
    }
    if (n != 4) {
        return ge_fail(GE_EFORMAT,
                       "%s: \"%.100s\", row %zu: wanted four numbers [p11, p10, p01, p00]", path,
                       model, row + 1);
    }
    if (ge_cells_normalize(out) == GE_OK) return GE_OK;
    return ge_fail_in(GE_EFORMAT, "%s: \"%.100s\", row %zu", path, model, row + 1);
}

static ge_status read_model(struct shares *s, const char *path, const ge_json *node,
                            struct model *m)
{
    ge_status rc = GE_OK;
    m->name = ge_json_key(node);
    if (ge_json_type(node) != GE_JSON_ARRAY || ge_json_count(node) == 0) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: \"%.100s\": wanted a list of rows, one for each category",
                       path, m->name));
    }
    m->rows = ge_json_count(node);
    if (m->rows > MOST_ROWS) {
        GE_TRY(ge_fail(GE_ELIMIT,
                       "%s: \"%.100s\": %zu rows; at most %d categories are fitted together", path,
                       m->name, m->rows, MOST_ROWS));
    }
    GE_TRY_PTR(m->cells, ge_arena_alloc(s->arena, m->rows, sizeof *m->cells));
    GE_TRY_PTR(m->gaps, ge_arena_alloc(s->arena, m->rows, sizeof *m->gaps));
    size_t row = 0;
    for (const ge_json *r = ge_json_first(node); r != NULL; r = ge_json_next(r), row++) {
        GE_TRY(read_row(path, m->name, row, r, &m->cells[row]));
    }
done:
    return rc;
}

static ge_status read_shares(const char *path, struct shares *s)
{
    ge_status rc = GE_OK;
    GE_TRY_PTR(s->arena, ge_arena_new());
    GE_TRY(ge_json_read(path, &s->doc));
    if (ge_json_type(s->doc) != GE_JSON_OBJECT || ge_json_count(s->doc) == 0) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: wanted an object {\"model\": [[p11, p10, p01, p00], …], …}",
                       path));
    }
    GE_TRY_PTR(s->models, ge_arena_alloc(s->arena, ge_json_count(s->doc), sizeof *s->models));
    for (const ge_json *m = ge_json_first(s->doc); m != NULL; m = ge_json_next(m)) {
        GE_TRY(read_model(s, path, m, &s->models[s->n]));
        s->n++;
    }
done:
    return rc;
}

static void fit_model(void *ctx, size_t i, int thread)
{
    (void)thread;
    struct model *m = &((struct shares *)ctx)->models[i];
    m->status = ge_gap_upstream(m->cells, m->rows, m->gaps, &m->mean);
}

/* The script's result file, key by key. */
static void shares_json(const struct shares *s, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 2);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_object(&w, "results");
    for (size_t i = 0; i < s->n; i++) {
        const struct model *m = &s->models[i];
        ge_jsonw_object(&w, m->name);
        ge_jsonw_array(&w, "gaps");
        for (size_t r = 0; r < m->rows; r++) ge_jsonw_double(&w, NULL, m->gaps[r]);
        ge_jsonw_array_end(&w);
        ge_jsonw_double(&w, "gap_mean", m->mean);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_object_end(&w);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
}

static void shares_table(const struct shares *s)
{
    printf("Estimator `upstream`: the published script's procedure; its loss does not identify the "
           "gap.\n\n"
           "| model | mean | G by category |\n|:--|--:|:--|\n");
    for (size_t i = 0; i < s->n; i++) {
        const struct model *m = &s->models[i];
        printf("| ");
        for (const char *c = m->name; *c != '\0'; c++) {
            if (*c == '|') putchar('\\');
            putchar(*c == '\n' || *c == '\r' ? ' ' : *c);
        }
        printf(" | %.6f |", m->mean);
        for (size_t r = 0; r < m->rows; r++) printf("%s%.6f", r > 0 ? ", " : " ", m->gaps[r]);
        printf(" |\n");
    }
}

/* Beside the input: "<name without its last extension>_gapres.json". */
static char *result_path(const char *input)
{
    const char *extension = ge_fs_extension(input);
    size_t len = strlen(input);
    if (extension[0] != '\0') len -= strlen(extension) + 1;
    return ge_sprintf("%.*s_gapres.json", (int)len, input);
}

static ge_status gap_of_shares(const struct gap *g)
{
    ge_status rc = GE_OK;
    struct shares s = {0};
    struct ge_buf text;
    char *path = NULL;
    ge_buf_init(&text, MAX_REPORT);
    GE_TRY(read_shares(g->input, &s));
    ge_pool_run(g->pool, s.n, fit_model, &s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.models[i].status != GE_OK) GE_TRY(ge_fail(s.models[i].status, "out of memory"));
    }
    shares_json(&s, &text);
    GE_TRY(ge_buf_status(&text));
    GE_TRY_PTR(path, g->out != NULL ? ge_strdup(g->out) : result_path(g->input));
    GE_TRY(ge_fs_replace(path, text.data, text.len));
    shares_table(&s);
done:
    free(path);
    ge_buf_free(&text);
    ge_json_delete(&s.doc);
    ge_arena_delete(&s.arena);
    return rc;
}

/* ---- verdicts ----------------------------------------------------------------------------------------- */

static ge_status write_reports(const struct gap *g, const struct ge_summary *s)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, MAX_REPORT);
    if (g->out != NULL) {
        GE_TRY(ge_report_gap_json(s, g->estimator, &text));
        GE_TRY(ge_fs_replace(g->out, text.data, text.len));
        ge_buf_reset(&text);
    }
    GE_TRY(ge_report_gap_markdown(s, g->estimator, &text));
    fputs(text.data, stdout);
done:
    ge_buf_free(&text);
    return rc;
}

static ge_status gap_of_verdicts(const struct gap *g)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_summary *summary = NULL;
    struct ge_aggregate_options options = {.by_category =
                                               g->by != NULL || g->estimator == GE_UPSTREAM,
                                           .level = g->level,
                                           .upstream = g->estimator == GE_UPSTREAM,
                                           .irt = g->estimator == GE_IRT,
                                           .irt_nodes = (int)g->nodes,
                                           .pool = g->pool};
    GE_TRY(ge_verdicts_read(g->verdicts, g->estimator == GE_IRT, &run));
    GE_TRY(ge_aggregate(run, &options, &summary));
    if (options.irt && !summary->estimates->has_irt) {
        GE_TRY(ge_fail(GE_EUNSUPPORTED, "%s: %s", g->verdicts, summary->estimates->irt_refused));
    }
    GE_TRY(write_reports(g, summary));
done:
    ge_summary_delete(&summary);
    ge_run_delete(&run);
    return rc;
}

/* ---- arguments ------------------------------------------------------------------------------------------- */

static ge_status read_estimator(struct gap *g)
{
    if (g->estimator_name == NULL) {
        g->estimator = g->input != NULL ? GE_UPSTREAM : GE_LOGIT;
        return GE_OK;
    }
    for (int e = 0; e < GE_ESTIMATORS; e++) {
        g->estimator = (enum ge_estimator)e;
        if (strcmp(g->estimator_name, ge_estimator_name(g->estimator)) == 0) return GE_OK;
    }
    return ge_fail(GE_EINVAL, "--estimator %s; wanted logit, irt or upstream", g->estimator_name);
}

static ge_status read_level(struct gap *g)
{
    char *end = NULL;
    if (g->level_text == NULL) return GE_OK;
    g->level = strtod(g->level_text, &end);
    if (end != g->level_text && *end == '\0' && g->level >= 0.5 && g->level <= 0.9999) return GE_OK;
    return ge_fail(GE_EINVAL, "--level %s; wanted a number from 0.5 to 0.9999", g->level_text);
}

static ge_status check_arguments(struct gap *g, const struct ge_args *a, const char *output)
{
    ge_status rc = GE_OK;
    if (a->n_words > 1 || (a->n_words == 1) == (g->verdicts != NULL)) {
        GE_TRY(
            ge_fail(GE_EINVAL, "wanted one input: a JSON file of shares, or --verdicts FILE.csv"));
    }
    if (a->n_words == 1) g->input = a->words[0];
    if (output != NULL && g->out != NULL)
        GE_TRY(ge_fail(GE_EINVAL, "--out and --output are the same"));
    if (output != NULL) g->out = output;
    GE_TRY(read_estimator(g));
    GE_TRY(read_level(g));
    if (g->input != NULL && g->estimator != GE_UPSTREAM) {
        GE_TRY(ge_fail(GE_EINVAL,
                       "shares of categories are enough for upstream only; %s needs the verdicts "
                       "of each item: --verdicts FILE.csv",
                       ge_estimator_name(g->estimator)));
    }
    if (g->by != NULL && strcmp(g->by, "category") != 0) {
        GE_TRY(ge_fail(GE_EINVAL, "--by %s; wanted category", g->by));
    }
    if (g->nodes < 1 || g->nodes > GE_IRT_NODES_MOST) {
        GE_TRY(ge_fail(GE_EINVAL, "--agq %ld; wanted 1 to %d quadrature nodes", g->nodes,
                       GE_IRT_NODES_MOST));
    }
    if (g->threads > 1024)
        GE_TRY(ge_fail(GE_EINVAL, "--threads %ld; wanted at most 1024", g->threads));
done:
    return rc;
}

static ge_status gap(struct gap *g)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_pool_new(g->threads > 0 ? (int)g->threads : ge_cpu_count(), &g->pool));
    GE_TRY(g->input != NULL ? gap_of_shares(g) : gap_of_verdicts(g));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        GE_TRY(ge_fail(GE_EIO, "the standard output cannot be written"));
    }
done:
    ge_pool_delete(&g->pool);
    return rc;
}

int ge_cmd_gap(int argc, char **argv)
{
    struct gap g = {.nodes = GE_IRT_NODES, .level = 0.95};
    const char *output = NULL;
    const struct ge_flag flags[] = {{"--verdicts", &g.verdicts, NULL, NULL},
                                    {"--estimator", &g.estimator_name, NULL, NULL},
                                    {"--by", &g.by, NULL, NULL},
                                    {"--agq", NULL, &g.nodes, NULL},
                                    {"--level", &g.level_text, NULL, NULL},
                                    {"--threads", NULL, &g.threads, NULL},
                                    {"--out", &g.out, NULL, NULL},
                                    {"--output", &output, NULL, NULL},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "gap", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK) rc = check_arguments(&g, &args, output);
    if (rc != GE_OK) {
        code = ge_cli_usage("gap", "%s", ge_error());
    } else {
        rc = gap(&g);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
