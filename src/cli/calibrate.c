/* gapeval calibrate: how well each metric says what people say, and the thresholds for a job. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/calibrate.h"
#include "aggregate/people.h"
#include "base/fs.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/finish.h"
#include "report/report.h"

struct flags {
    const char *ratings, *dimension, *min, *metric, *task, *by, *out, *roc;
    long folds, seed;
};

/* ---- what is asked ------------------------------------------------------------------------------- */

static ge_status read_by(const char *text, enum ge_cutoff_by *by)
{
    *by = text != NULL && strcmp(text, "youden") == 0 ? GE_CUTOFF_YOUDEN : GE_CUTOFF_AGREEMENT;
    if (text == NULL || *by == GE_CUTOFF_YOUDEN || strcmp(text, "agreement") == 0) return GE_OK;
    return ge_fail(GE_EINVAL, "--by: found \"%s\", allowed: agreement or youden", text);
}

static ge_status read_min(const char *text, double *min)
{
    char *end;
    *min = strtod(text, &end);
    if (text[0] != '\0' && *end == '\0' && isfinite(*min)) return GE_OK;
    return ge_fail(GE_EINVAL, "--min: found \"%s\", allowed: a number", text);
}

/* The verdict of people: from the flags, otherwise from the job; the only dimension needs no naming. */
static ge_status choose_verdict(const struct flags *f, const struct ge_run *run,
                                struct ge_rating_options *o)
{
    const struct ge_strings *names = &run->ratings.dimensions;
    bool from_job = o->dimension != NULL;
    if (run->ratings.n == 0) {
        return ge_fail(GE_EINVAL, "the store holds no ratings, allowed: --ratings FILE");
    }
    if (f->dimension != NULL) {
        from_job = from_job && strcmp(o->dimension, f->dimension) == 0;
        o->dimension = f->dimension;
    }
    if (o->dimension == NULL && names->n == 1) o->dimension = names->v[0];
    if (o->dimension == NULL) {
        return ge_fail(
            GE_EINVAL,
            "found %zu dimensions of ratings, allowed: --dimension with one of them, such "
            "as \"%s\"",
            names->n, names->v[0]);
    }
    if (f->min == NULL && !from_job) {
        return ge_fail(GE_EINVAL,
                       "no least score of a right answer on \"%s\", allowed: --min NUMBER",
                       o->dimension);
    }
    return f->min != NULL ? read_min(f->min, &o->min) : GE_OK;
}

static ge_status seed_of(const struct ge_run *run, long flag, uint64_t *seed)
{
    ge_json *doc = NULL;
    *seed = (uint64_t)flag;
    if (flag >= 0) return GE_OK;
    ge_status rc = ge_json_parse(run->job, strlen(run->job), "the store's job", &doc);
    *seed = rc == GE_OK ? (uint64_t)ge_json_number(ge_json_get(doc, "seed"), 0) : 0;
    ge_json_delete(&doc);
    return rc;
}

/* ---- what is said -------------------------------------------------------------------------------- */

static void print_number(double v, double lo, double hi, int digits)
{
    if (isnan(v)) {
        printf(" | –");
        return;
    }
    printf(" | %.*f", digits, v);
    if (!isnan(lo)) printf(" [%.*f, %.*f]", digits, lo, digits, hi);
}

static void print_threshold(const struct ge_calibration *c)
{
    char text[32];
    if (!isfinite(c->threshold)) {
        printf(" | –");
        return;
    }
    ge_double_text(c->threshold, text);
    printf(" | %s %.*s", c->higher ? "≥" : "≤", 10, text);
}

static void print_rows(const struct ge_calibration *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ge_calibration *c = &rows[i];
        if (i == 0 || strcmp(rows[i - 1].task, c->task) != 0) {
            printf("\n### Task %s\n\n| metric | answers | Pearson | Spearman | Kendall τ | AUC | "
                   "right "
                   "if | agreement %% | κ |\n|:--|--:|--:|--:|--:|--:|--:|--:|--:|\n",
                   c->task);
        }
        printf("| %s%s | %zu", c->metric, c->recommended ? " ★" : "", c->answers);
        print_number(c->pearson.value, c->pearson.lo, c->pearson.hi, 3);
        print_number(c->spearman.value, c->spearman.lo, c->spearman.hi, 3);
        print_number(c->kendall.value, c->kendall.lo, c->kendall.hi, 3);
        print_number(c->auc.value, c->auc.lo, c->auc.hi, 3);
        print_threshold(c);
        print_number(100 * c->agreement.value, 100 * c->agreement.lo, 100 * c->agreement.hi, 1);
        print_number(c->checked.kappa, NAN, NAN, 3);
        printf(" |\n");
    }
}

/* Sections on people, then the metrics. */
static ge_status print_all(const struct ge_run *run, const struct ge_aggregate_options *options,
                           const struct ge_calibration *rows, size_t n)
{
    ge_status rc = GE_OK;
    struct ge_summary *summary = NULL;
    struct ge_buf text;
    ge_buf_init(&text, (size_t)1 << 30);
    GE_TRY(ge_aggregate(run, options, &summary));
    ge_report_people(summary, &text);
    GE_TRY(ge_buf_status(&text));
    printf("%s\nRight by people: most raters give %s ≥ %g. Agreement and κ are cross-validated; ★: "
           "recommended.\n",
           text.data, options->ratings.dimension, options->ratings.min);
    print_rows(rows, n);
done:
    ge_buf_free(&text);
    ge_summary_delete(&summary);
    return rc;
}

/* The object that a job takes as scoring.thresholds. */
static ge_status write_thresholds(const char *path, const struct ge_calibration *rows, size_t n)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    const char *open = NULL; /* task type whose object is open */
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    ge_jsonw_init(&w, &text, 2);
    ge_jsonw_object(&w, NULL);
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].usable) continue;
        if (open == NULL || strcmp(open, rows[i].task) != 0) {
            if (open != NULL) ge_jsonw_object_end(&w);
            ge_jsonw_object(&w, rows[i].task);
            open = rows[i].task;
        }
        ge_jsonw_object(&w, rows[i].metric);
        ge_jsonw_double(&w, rows[i].higher ? "min" : "max", rows[i].threshold);
        ge_jsonw_object_end(&w);
    }
    if (open != NULL) ge_jsonw_object_end(&w);
    ge_jsonw_object_end(&w);
    ge_buf_char(&text, '\n');
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_fs_replace(path, text.data, text.len));
done:
    ge_buf_free(&text);
    return rc;
}

/* A number of a curve: empty where it is not defined, inf where a side begins. */
static void curve_number(struct ge_buf *out, double v, const char *end)
{
    char text[32] = "";
    if (isfinite(v)) ge_double_text(v, text);
    ge_buf_printf(out, "%s%s", isinf(v) ? (v > 0 ? "inf" : "-inf") : text, end);
}

/* The ROC curve of each metric, one point a line. */
static ge_status write_curves(const char *path, const struct ge_calibration *rows, size_t n)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, (size_t)1 << 31);
    ge_buf_str(&text, "task,metric,side,threshold,fpr,tpr\r\n");
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < rows[i].n_curve; k++) {
            const struct ge_roc_point *p = &rows[i].curve[k];
            ge_report_csv_field(&text, rows[i].task);
            ge_buf_char(&text, ',');
            ge_report_csv_field(&text, rows[i].metric);
            ge_buf_printf(&text, ",%s,", rows[i].higher ? "min" : "max");
            curve_number(&text, p->threshold, ",");
            curve_number(&text, p->fpr, ",");
            curve_number(&text, p->tpr, "\r\n");
        }
    }
    GE_TRY(ge_buf_status(&text));
    GE_TRY(ge_fs_replace(path, text.data, text.len));
done:
    ge_buf_free(&text);
    return rc;
}

/* ---- the command ---------------------------------------------------------------------------------- */

static ge_status calibrate(const char *store, const struct flags *f)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_aggregate_options options;
    struct ge_calibration *rows;
    struct ge_finish_changes changes = {.ratings = f->ratings};
    struct ge_calibrate_options o = {.folds = (uint32_t)f->folds};
    size_t n;
    bool all = f->metric == NULL || strcmp(f->metric, "all") == 0;
    GE_TRY(read_by(f->by, &o.by));
    if (f->folds < 2 || f->folds > 1000) {
        GE_TRY(ge_fail(GE_EINVAL, "--folds: found %ld, allowed: 2 to 1000", f->folds));
    }
    GE_TRY(ge_finish_open(store, &changes, &run, &options));
    GE_TRY(choose_verdict(f, run, &options.ratings));
    GE_TRY(seed_of(run, f->seed, &o.seed));
    o.dimension = options.ratings.dimension;
    o.min = options.ratings.min;
    o.metric = all ? NULL : f->metric;
    o.task = f->task;
    o.level = options.level;
    GE_TRY(ge_calibrate(run, &o, run->arena, &rows, &n));
    GE_TRY(print_all(run, &options, rows, n));
    if (f->out != NULL) GE_TRY(write_thresholds(f->out, rows, n));
    if (f->roc != NULL) GE_TRY(write_curves(f->roc, rows, n));
done:
    ge_run_delete(&run);
    return rc;
}

int ge_cmd_calibrate(int argc, char **argv)
{
    struct flags f = {.folds = 10, .seed = -1};
    struct ge_flag flags[] = {{"--ratings", &f.ratings, NULL, NULL},
                              {"--dimension", &f.dimension, NULL, NULL},
                              {"--min", &f.min, NULL, NULL},
                              {"--metric", &f.metric, NULL, NULL},
                              {"--task", &f.task, NULL, NULL},
                              {"--by", &f.by, NULL, NULL},
                              {"--folds", NULL, &f.folds, NULL},
                              {"--seed", NULL, &f.seed, NULL},
                              {"--out", &f.out, NULL, NULL},
                              {"--roc", &f.roc, NULL, NULL},
                              {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "calibrate", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) rc = ge_fail(GE_EINVAL, "wanted one store");
    if (rc != GE_OK) {
        code = ge_cli_usage("calibrate", "%s", ge_error());
    } else {
        rc = calibrate(args.words[0], &f);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
