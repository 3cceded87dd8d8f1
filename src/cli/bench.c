/* gapeval bench: options, figures, output; and the measurement of the coordinator's grants. */
#include "cli/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sort.h"
#include "cli/cli.h"
#include "cli/version.h"
#include "dist/comm.h"
#include "dist/pump.h"

/* ---- figures --------------------------------------------------------------------------------- */

static void add_figure(struct ge_bench *b, const char *name, const char *unit, double best,
                       double median)
{
    if (b->n_figures == GE_BENCH_FIGURES) return;
    struct ge_bench_figure *f = &b->figures[b->n_figures++];
    snprintf(f->name, sizeof f->name, "%s", name);
    f->unit = unit;
    f->best = best;
    f->median = median;
}

void ge_bench_rate(struct ge_bench *b, const char *name, const char *unit, double work,
                   double *seconds, size_t n)
{
    qsort(seconds, n, sizeof *seconds, ge_compare_doubles);
    add_figure(b, name, unit, work / seconds[0], work / seconds[n / 2]);
}

void ge_bench_values(struct ge_bench *b, const char *name, const char *unit, double *values,
                     size_t n)
{
    qsort(values, n, sizeof *values, ge_compare_doubles);
    add_figure(b, name, unit, values[n - 1], values[n / 2]);
}

void ge_bench_costs(struct ge_bench *b, const char *name, const char *unit, double *values,
                    size_t n)
{
    qsort(values, n, sizeof *values, ge_compare_doubles);
    add_figure(b, name, unit, values[0], values[n / 2]);
}

double ge_bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ge_compare_doubles);
    return values[n / 2];
}

double ge_bench_cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- folders --------------------------------------------------------------------------------- */

ge_status ge_bench_folder(const struct ge_bench *b, char **path)
{
    const char *parent = b->dir != NULL ? b->dir : getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0') parent = "/tmp";
    *path = ge_sprintf("%s/gapeval-bench-XXXXXX", parent);
    if (*path == NULL) return GE_ENOMEM;
    if (mkdtemp(*path) != NULL) return GE_OK;
    free(*path);
    *path = NULL;
    return ge_fail(GE_EIO, "no folder can be made in %s: %s; name another with --dir", parent,
                   strerror(errno));
}

/* Remove the files of a folder, and the folder. */
static void remove_folder(const char *path, bool inner)
{
    char **names = NULL;
    size_t n = 0;
    if (ge_fs_list(path, &names, &n) != GE_OK) return;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        char *file = ge_sprintf("%s/%s", path, names[i]);
        if (file == NULL) continue;
        bool folder = lstat(file, &st) == 0 && S_ISDIR(st.st_mode);
        if (!folder) unlink(file);
        if (folder && inner) remove_folder(file, false);
        free(file);
    }
    ge_fs_list_free(names, n);
    rmdir(path);
}

void ge_bench_remove(const char *path)
{
    if (path != NULL) remove_folder(path, true);
}

/* ---- grants ---------------------------------------------------------------------------------- */

ge_status ge_bench_grants(struct ge_bench *b)
{
    enum { CHUNKS = 20000, PAYLOAD = 4096 };
    ge_status rc = GE_OK;
    double *rates = NULL, *shares = NULL, rate;
    struct ge_dist_report report;
    GE_NEW(rates, (size_t)b->repeats);
    GE_NEW(shares, (size_t)b->repeats);
    for (long r = -1; r < b->repeats; r++) { /* -1: warm-up */
        GE_TRY(ge_dist_bench_grants(NULL, CHUNKS, PAYLOAD, &rate, &report));
        if (r < 0) continue;
        rates[r] = rate;
        shares[r] = 1e6 * report.coordinator_seconds / CHUNKS;
    }
    ge_bench_values(b, "grants", "grants/s", rates, (size_t)b->repeats);
    ge_bench_rate(b, "coordinator alone", "grants/s", 1e6, shares, (size_t)b->repeats);
    ge_buf_printf(&b->notes, "one rank, wall clock; %d chunks with results of %d bytes", CHUNKS,
                  PAYLOAD);
done:
    free(rates);
    free(shares);
    return rc;
}

/* ---- output ---------------------------------------------------------------------------------- */

static ge_status print_json(const struct ge_bench *b, const char *what)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_jsonw w;
    ge_buf_init(&text, 1 << 20);
    ge_jsonw_init(&w, &text, 2);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "bench", what);
    ge_jsonw_string(&w, "version", GE_VERSION_LONG);
    ge_jsonw_int(&w, "threads", b->threads);
    ge_jsonw_int(&w, "repeats", b->repeats);
    ge_jsonw_string(&w, "notes", b->notes.data);
    ge_jsonw_array(&w, "figures");
    for (size_t i = 0; i < b->n_figures; i++) {
        const struct ge_bench_figure *f = &b->figures[i];
        ge_jsonw_object(&w, NULL);
        ge_jsonw_string(&w, "name", f->name);
        ge_jsonw_string(&w, "unit", f->unit);
        ge_jsonw_double(&w, "best", f->best);
        ge_jsonw_double(&w, "median", f->median);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
    ge_buf_char(&text, '\n');
    GE_TRY(ge_buf_status(&text));
    fputs(text.data, stdout);
done:
    ge_buf_free(&text);
    return rc;
}

static ge_status print_figures(const struct ge_bench *b, const char *what)
{
    if (b->json) return print_json(b, what);
    printf("%s; %ld repeats\n%-36s %12s %12s\n", b->notes.data != NULL ? b->notes.data : what,
           b->repeats, what, "best", "median");
    for (size_t i = 0; i < b->n_figures; i++) {
        const struct ge_bench_figure *f = &b->figures[i];
        printf("%-36s %12.2f %12.2f  %s\n", f->name, f->best, f->median, f->unit);
    }
    return GE_OK;
}

/* ---- the command ----------------------------------------------------------------------------- */

enum needs {
    MODEL = 1,
    MODEL_OR_SHAPE = 2,
    IMAGES = 4,
    TEXTS = 8,
    PRODUCTS = 16 /* takes --tuned */
};

static const struct bench {
    const char *name;
    ge_status (*run)(struct ge_bench *b);
    unsigned needs;
} benches[] = {{"gemm", ge_bench_gemm, PRODUCTS},
               {"ops", ge_bench_ops, PRODUCTS},
               {"encode", ge_bench_encode, MODEL_OR_SHAPE | PRODUCTS},
               {"tokenize", ge_bench_tokenize, MODEL | TEXTS},
               {"decode", ge_bench_decode, IMAGES},
               {"pipeline", ge_bench_pipeline, MODEL_OR_SHAPE | IMAGES | PRODUCTS},
               {"grants", ge_bench_grants, 0},
               {"store", ge_bench_store, 0},
               {"bootstrap", ge_bench_bootstrap, 0}};

static ge_status find_bench(const struct ge_args *args, const struct bench **out)
{
    const size_t n = sizeof benches / sizeof benches[0];
    for (size_t i = 0; args->n_words == 1 && i < n; i++) {
        *out = &benches[i];
        if (strcmp(benches[i].name, args->words[0]) == 0) return GE_OK;
    }
    return ge_fail(GE_EINVAL,
                   "wanted one of gemm, ops, encode, tokenize, decode, pipeline, grants, store "
                   "and bootstrap");
}

static ge_status check_needs(const struct ge_bench *b, const struct bench *which)
{
    const char *wanted = NULL;
    if ((which->needs & MODEL) && b->model == NULL) wanted = "--model FOLDER";
    if ((which->needs & MODEL_OR_SHAPE) && (b->model != NULL) == (b->shape != NULL)) {
        wanted = "--model FOLDER or --shape vit-b-32";
    }
    if ((which->needs & IMAGES) && b->images == NULL) wanted = "--images LIST|DIR";
    if ((which->needs & TEXTS) && b->texts == NULL) wanted = "--texts FILE";
    if (b->follow && which->run != ge_bench_encode) wanted = "no --follow, which encode has";
    if (b->tune != NULL && which->run != ge_bench_gemm) wanted = "no --tune, which gemm has";
    if (b->tuned != NULL && !(which->needs & PRODUCTS)) wanted = "no --tuned: it has no products";
    if (b->tune != NULL && b->tuned != NULL) wanted = "--tune or --tuned, not both";
    if (wanted == NULL) return GE_OK;
    return ge_fail(GE_EINVAL, "%s: wanted %s", which->name, wanted);
}

static ge_status check_limits(const struct ge_bench *b)
{
    enum { MAX_BATCH = 4096, MAX_THREADS = 4096 };
    ge_status rc = GE_OK;
    if (b->repeats > GE_BENCH_REPEATS || b->batch_size > MAX_BATCH) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted at most --repeats %d and --batch-size %d",
                       GE_BENCH_REPEATS, MAX_BATCH));
    }
    if (b->threads > MAX_THREADS || b->decode_threads > MAX_THREADS) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted at most --threads %d and --decode-threads %d",
                       MAX_THREADS, MAX_THREADS));
    }
done:
    return rc;
}

static ge_status read_args(struct ge_bench *b, struct ge_args *args, int argc, char **argv,
                           const struct bench **which)
{
    enum { REPEATS = 5 };
    ge_status rc = GE_OK;
    GE_TRY(ge_args_parse(args, argc, argv));
    GE_TRY(find_bench(args, which));
    GE_TRY(check_needs(b, *which));
    GE_TRY(check_limits(b));
    if (b->repeats == 0) b->repeats = REPEATS;
    if (b->threads == 0) b->threads = 1;
    if (b->decode_threads == 0) b->decode_threads = 1;
done:
    return rc;
}

/* Run one, for a shape on a folder that is made for it. */
static ge_status run_bench(struct ge_bench *b, const struct bench *which)
{
    ge_status rc = GE_OK;
    char *folder = NULL;
    if (b->tune != NULL) return ge_bench_tune(b);
    if ((which->needs & MODEL_OR_SHAPE) && b->shape != NULL) {
        GE_TRY(ge_bench_folder(b, &folder));
        GE_TRY(ge_bench_make_clip(b->shape, folder));
        b->model = folder;
    }
    rc = which->run(b);
done:
    ge_bench_remove(folder);
    free(folder);
    return rc;
}

int ge_cmd_bench(int argc, char **argv)
{
    struct ge_bench b = {0};
    const struct ge_flag flags[] = {{"--model", &b.model, NULL, NULL},
                                    {"--shape", &b.shape, NULL, NULL},
                                    {"--images", &b.images, NULL, NULL},
                                    {"--resize", &b.resize, NULL, NULL},
                                    {"--texts", &b.texts, NULL, NULL},
                                    {"--device", &b.device_name, NULL, NULL},
                                    {"--dtype", &b.dtype, NULL, NULL},
                                    {"--level", &b.level, NULL, NULL},
                                    {"--dir", &b.dir, NULL, NULL},
                                    {"--tune", &b.tune, NULL, NULL},
                                    {"--tuned", &b.tuned, NULL, NULL},
                                    {"--threads", NULL, &b.threads, NULL},
                                    {"--decode-threads", NULL, &b.decode_threads, NULL},
                                    {"--batch-size", NULL, &b.batch_size, NULL},
                                    {"--repeats", NULL, &b.repeats, NULL},
                                    {"--json", NULL, NULL, &b.json},
                                    {"--follow", NULL, NULL, &b.follow},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "bench", .flags = flags};
    const struct bench *which = NULL;
    int code = GE_EXIT_DONE;
    ge_buf_init(&b.notes, 1 << 16);
    if (read_args(&b, &args, argc, argv, &which) != GE_OK) {
        code = ge_cli_usage("bench", "%s", ge_error());
    } else {
        ge_status rc = run_bench(&b, which);
        if (rc == GE_OK && !b.follow) rc = print_figures(&b, which->name);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_buf_free(&b.notes);
    ge_args_free(&args);
    return code;
}
