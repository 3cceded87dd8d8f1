/* Loading a job, and its typed view. */
#include "job/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "job/spec_parts.h"

/* ---- the typed view ------------------------------------------------------------------------ */

/* The document is resolved, so every value has its type and every default is there. */
static const char *get_string(const struct ge_job *job, const char *path)
{
    return ge_json_string(ge_json_get_path(job->doc, path), NULL);
}

static double get_number(const struct ge_job *job, const char *path)
{
    return ge_json_number(ge_json_get_path(job->doc, path), 0);
}

static bool get_bool(const struct ge_job *job, const char *path)
{
    return ge_json_bool(ge_json_get_path(job->doc, path), false);
}

/* A path as given, made absolute, in the arena; NULL when out of memory. */
static const char *absolute(const struct ge_job *job, const char *path)
{
    char *joined = ge_fs_join(job->folder, path);
    const char *kept = joined != NULL ? ge_arena_strdup(job->arena, joined) : NULL;
    free(joined);
    return kept;
}

/* A list of strings; with `paths` each made absolute. NULL node: empty. */
static ge_status view_strings(const struct ge_job *job, const ge_json *node, bool paths,
                              struct ge_strings *out)
{
    ge_status rc = GE_OK;
    *out = (struct ge_strings){0};
    if (node == NULL) goto done;
    GE_TRY_PTR(out->v, ge_arena_alloc(job->arena, ge_json_count(node), sizeof *out->v));
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        const char *s = ge_json_string(e, "");
        if (paths) GE_TRY_PTR(s, absolute(job, s));
        out->v[out->n++] = s;
    }
done:
    return rc;
}

static ge_status view_dataset(struct ge_job *job)
{
    ge_status rc = GE_OK;
    struct ge_job_dataset *d = &job->dataset;
    const ge_json *select = ge_json_get_path(job->doc, "dataset.select");
    d->format = get_string(job, "dataset.format");
    GE_TRY_PTR(d->path, absolute(job, get_string(job, "dataset.path")));
    d->limit = (int64_t)get_number(job, "dataset.limit");
    GE_TRY(view_strings(job, ge_json_get(select, "categories"), false, &d->categories));
    GE_TRY(view_strings(job, ge_json_get(select, "tags"), false, &d->tags));
    GE_TRY(view_strings(job, ge_json_get(select, "items"), false, &d->items));
done:
    return rc;
}

static ge_status view_systems(struct ge_job *job)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(job->doc, "systems");
    struct ge_job_system *s;
    GE_TRY_PTR(s, ge_arena_alloc(job->arena, ge_json_count(list), sizeof *s));
    job->systems = s;
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e), s++) {
        s->name = ge_json_string(ge_json_get(e, "name"), NULL);
        s->folder = ge_json_string(ge_json_get(e, "folder"), NULL);
        s->respond = ge_json_string(ge_json_get(e, "respond"), NULL);
        if (s->folder != NULL) GE_TRY_PTR(s->folder_path, absolute(job, s->folder));
        GE_TRY(view_strings(job, ge_json_get(e, "answers"), true, &s->answers));
        job->n_systems++;
    }
done:
    return rc;
}

static ge_status view_encoders(struct ge_job *job)
{
    ge_status rc = GE_OK;
    const ge_json *map = ge_json_get(job->doc, "encoders");
    struct ge_job_encoder *enc;
    GE_TRY_PTR(enc, ge_arena_alloc(job->arena, ge_json_count(map), sizeof *enc));
    job->encoders = enc;
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e), enc++) {
        enc->name = ge_json_key(e);
        enc->dtype = ge_json_string(ge_json_get(e, "dtype"), NULL);
        GE_TRY_PTR(enc->model, absolute(job, ge_json_string(ge_json_get(e, "model"), "")));
        job->n_encoders++;
    }
done:
    return rc;
}

static void view_image(struct ge_job *job)
{
    job->image = (struct ge_job_image){.exif = get_string(job, "image.exif"),
                                       .alpha = get_string(job, "image.alpha"),
                                       .pillow = (int)get_number(job, "image.pillow"),
                                       .resize = get_string(job, "image.resize"),
                                       .max_pixels = (int64_t)get_number(job, "image.max_pixels"),
                                       .max_scans = (int64_t)get_number(job, "image.max_scans")};
}

/* Encoder of a role; NULL if the job sets none (check.c refuses a name that does not exist). */
static const struct ge_job_encoder *view_role(const struct ge_job *job, const char *path)
{
    const char *name = get_string(job, path);
    for (size_t i = 0; name != NULL && i < job->n_encoders; i++) {
        if (strcmp(job->encoders[i].name, name) == 0) return &job->encoders[i];
    }
    return NULL;
}

static void view_bertscore(struct ge_job *job)
{
    const ge_json *layer = ge_json_get_path(job->doc, "scoring.bertscore.layer");
    job->scoring.bertscore = view_role(job, "scoring.roles.bertscore");
    job->scoring.how_bertscore = (struct ge_job_bertscore){
        .layer = layer == NULL ? -1 : (int)ge_json_number(layer, 0),
        .idf = get_bool(job, "scoring.bertscore.idf"),
        .has_baseline = ge_json_get_path(job->doc, "scoring.bertscore.baseline.p") != NULL,
        .p = get_number(job, "scoring.bertscore.baseline.p"),
        .r = get_number(job, "scoring.bertscore.baseline.r"),
        .f1 = get_number(job, "scoring.bertscore.baseline.f1"),
    };
}

static ge_status view_thresholds(struct ge_job *job, struct ge_job_task *task)
{
    ge_status rc = GE_OK;
    const ge_json *all = ge_json_get_path(job->doc, "scoring.thresholds");
    const ge_json *map = ge_json_get(all, task->type);
    struct ge_job_threshold *t;
    if (map == NULL) goto done;
    GE_TRY_PTR(t, ge_arena_alloc(job->arena, ge_json_count(map), sizeof *t));
    task->thresholds = t;
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e), t++) {
        const ge_json *min = ge_json_get(e, "min");
        t->metric = ge_json_key(e);
        t->higher = min != NULL;
        t->value = ge_json_number(min != NULL ? min : ge_json_get(e, "max"), 0);
        task->n_thresholds++;
    }
done:
    return rc;
}

/* "similarity.image_text.margin" -> "similarity.image_text.reference". */
static ge_status view_fallback(struct ge_job *job, struct ge_job_task *task)
{
    ge_status rc = GE_OK;
    if (strcmp(task->fallback, "threshold") != 0 || task->metric == NULL) goto done;
    const char *dot = strrchr(task->metric, '.');
    int stem = dot != NULL ? (int)(dot - task->metric) : (int)strlen(task->metric);
    GE_TRY_PTR(task->fallback_metric,
               ge_arena_printf(job->arena, "%.*s.reference", stem, task->metric));
done:
    return rc;
}

static ge_status view_tasks(struct ge_job *job, const struct ge_job_vocabulary *vocabulary)
{
    ge_status rc = GE_OK;
    const ge_json *map = ge_json_get_path(job->doc, "scoring.tasks");
    struct ge_job_task *t;
    GE_TRY_PTR(t, ge_arena_alloc(job->arena, ge_json_count(map), sizeof *t));
    job->scoring.tasks = t;
    for (const ge_json *e = ge_json_first(map); e != NULL; e = ge_json_next(e), t++) {
        const ge_json *verdict = ge_json_get(e, "verdict");
        t->type = ge_json_key(e);
        t->rule = ge_json_string(ge_json_get(verdict, "rule"), NULL);
        t->metric = ge_json_string(ge_json_get(verdict, "metric"), NULL);
        t->fallback = ge_json_string(ge_json_get(verdict, "fallback"), NULL);
        t->margin = ge_json_number(ge_json_get(verdict, "margin"), 0);
        if (t->metric != NULL) {
            const struct ge_job_metric *m = ge_job_find_metric(vocabulary, t->metric);
            if (m != NULL && m->role != NULL) {
                GE_TRY_PTR(t->role, ge_arena_strdup(job->arena, m->role));
            }
        }
        GE_TRY(view_strings(job, ge_json_get(e, "metrics"), false, &t->metrics));
        GE_TRY(view_fallback(job, t));
        GE_TRY(view_thresholds(job, t));
        job->scoring.n_tasks++;
    }
done:
    return rc;
}

static ge_status view_aggregation(struct ge_job *job)
{
    struct ge_job_aggregation *a = &job->aggregation;
    a->interval = get_string(job, "aggregation.interval");
    a->resamples = (int64_t)get_number(job, "aggregation.resamples");
    a->level = get_number(job, "aggregation.level");
    a->failures = get_string(job, "aggregation.failures");
    return view_strings(job, ge_json_get_path(job->doc, "aggregation.by"), false, &a->by);
}

static ge_status view_ratings(struct ge_job *job)
{
    ge_status rc = GE_OK;
    const char *file = get_string(job, "ratings.file");
    job->ratings.drawn = get_string(job, "ratings.drawn");
    job->ratings.dimension = get_string(job, "ratings.verdict.dimension");
    job->ratings.min = get_number(job, "ratings.verdict.min");
    if (file != NULL) GE_TRY_PTR(job->ratings.file, absolute(job, file));
done:
    return rc;
}

static ge_status view_output(struct ge_job *job)
{
    ge_status rc = GE_OK;
    const char *dir;
    GE_TRY_PTR(dir, absolute(job, get_string(job, "output.dir")));
    GE_TRY_PTR(job->output.dir, ge_arena_printf(job->arena, "%s/%s", dir, job->name));
    job->output.embeddings = get_bool(job, "output.embeddings");
    job->output.responses = get_bool(job, "output.responses");
done:
    return rc;
}

static ge_status view_runtime(struct ge_job *job)
{
    ge_status rc = GE_OK;
    const char *tuned = get_string(job, "runtime.tuned");
    job->runtime = (struct ge_job_runtime){
        .device = get_string(job, "runtime.device"),
        .level = get_string(job, "runtime.level"),
        .bind = get_string(job, "runtime.bind"),
        .threads = (int)get_number(job, "runtime.threads"),
        .decode_threads = (int)get_number(job, "runtime.decode_threads"),
        .batch_size = (int)get_number(job, "runtime.batch_size"),
        .chunk_items = (int)get_number(job, "runtime.chunk_items"),
        .embed_cache_mb = (int64_t)get_number(job, "runtime.embed_cache_mb"),
        .lock_stale_s = get_number(job, "runtime.lock_stale_s"),
        .heartbeat_s = get_number(job, "runtime.heartbeat_s"),
        .lease_s = get_number(job, "runtime.lease_s"),
        .silence_s = get_number(job, "runtime.silence_s"),
        .retry_backoff_s = get_number(job, "runtime.retry_backoff_s"),
        .status_s = get_number(job, "runtime.status_s"),
        .dedicated_coordinator = get_bool(job, "runtime.dedicated_coordinator"),
        .allow_mixed = get_bool(job, "runtime.allow_mixed"),
        .tf32 = get_bool(job, "runtime.tf32"),
        .trace = get_bool(job, "runtime.trace"),
    };
    if (tuned != NULL) GE_TRY_PTR(job->runtime.tuned, absolute(job, tuned));
done:
    return rc;
}

static ge_status view(struct ge_job *job, const struct ge_job_vocabulary *vocabulary)
{
    ge_status rc = GE_OK;
    job->name = get_string(job, "name");
    job->seed = (int64_t)get_number(job, "seed");
    GE_TRY(view_dataset(job));
    GE_TRY(view_systems(job));
    GE_TRY(view_encoders(job));
    view_image(job);
    job->scoring.image_text = view_role(job, "scoring.roles.image_text");
    job->scoring.image_image = view_role(job, "scoring.roles.image_image");
    job->scoring.text_text = view_role(job, "scoring.roles.text_text");
    view_bertscore(job);
    job->scoring.copies = get_string(job, "scoring.copies");
    job->scoring.recorded_verdicts = get_string(job, "scoring.recorded_verdicts");
    GE_TRY(view_tasks(job, vocabulary));
    GE_TRY(view_aggregation(job));
    GE_TRY(view_ratings(job));
    GE_TRY(view_output(job));
    GE_TRY(view_runtime(job));
done:
    return rc;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* The file's text, made one complete document and resolved into job->json and job->doc. */
static ge_status resolve(struct ge_job *job, ge_json **root, const struct ge_override *sets,
                         size_t n_sets, const struct ge_job_vocabulary *vocabulary)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    struct ge_job_document d = {.root = *root, .arena = job->arena};
    *root = NULL;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    if (ge_json_type(d.root) != GE_JSON_OBJECT) {
        rc = ge_fail(GE_EINVAL, "%s: found %s, allowed: a job, which is an object", job->source,
                     ge_json_type_name(ge_json_type(d.root)));
        goto done;
    }
    GE_TRY(ge_job_inline_files(&d, job->source, job->folder));
    GE_TRY(ge_job_apply(&d, sets, n_sets));
    const ge_json *sweep = ge_json_get(d.root, "sweep");
    if (sweep != NULL && ge_json_type(sweep) != GE_JSON_NULL) {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "%s: sweep: found a sweep, allowed: none, this version runs one point at a "
                     "time; write one job for each",
                     job->source);
        goto done;
    }
    GE_TRY(ge_job_fill_tasks(&d, vocabulary));
    GE_TRY(ge_options_resolve(d.root, job->source, d.origins, d.n_origins, &text));
    GE_TRY_PTR(job->json, ge_arena_strndup(job->arena, text.data, text.len));
    GE_TRY(ge_json_parse(text.data, text.len, job->source, &job->doc));
done:
    ge_buf_free(&text);
    free(d.origins);
    ge_json_delete(&d.root);
    return rc;
}

/* Takes *root. */
static ge_status job_from_document(ge_json **root, const char *source, const char *folder,
                                   const struct ge_override *sets, size_t n_sets,
                                   const struct ge_job_vocabulary *vocabulary, bool check_files,
                                   struct ge_job **out)
{
    ge_status rc = GE_OK;
    struct ge_job *job = NULL;
    GE_NEW(job, 1);
    GE_TRY_PTR(job->arena, ge_arena_new());
    GE_TRY_PTR(job->source, ge_arena_strdup(job->arena, source));
    GE_TRY_PTR(job->folder, ge_arena_strdup(job->arena, folder));
    GE_TRY(resolve(job, root, sets, n_sets, vocabulary));
    GE_TRY(view(job, vocabulary));
    GE_TRY(ge_job_check(job, vocabulary));
    if (check_files) GE_TRY(ge_job_check_files(job));
    *out = job;
    job = NULL;
done:
    ge_job_delete(&job);
    ge_json_delete(root);
    return rc;
}

ge_status ge_job_parse(const char *text, size_t len, const char *source, const char *folder,
                       const struct ge_override *sets, size_t n_sets,
                       const struct ge_job_vocabulary *vocabulary, bool check_files,
                       struct ge_job **job)
{
    ge_json *root = NULL;
    *job = NULL;
    ge_status rc = ge_json_parse(text, len, source, &root);
    if (rc != GE_OK) return rc;
    return job_from_document(&root, source, folder, sets, n_sets, vocabulary, check_files, job);
}

ge_status ge_job_load(const char *path, const struct ge_override *sets, size_t n_sets,
                      const struct ge_job_vocabulary *vocabulary, struct ge_job **job)
{
    ge_status rc = GE_OK;
    ge_json *root = NULL;
    char *dir = NULL, *folder = NULL;
    *job = NULL;
    GE_TRY(ge_json_read(path, &root));
    GE_TRY_PTR(dir, ge_fs_dirname(path));
    folder = realpath(dir, NULL);
    if (folder == NULL) {
        rc = ge_fail(GE_EIO, "%s: the folder cannot be resolved; check its permissions", dir);
        goto done;
    }
    GE_TRY(job_from_document(&root, path, folder, sets, n_sets, vocabulary, true, job));
done:
    ge_json_delete(&root);
    free(folder);
    free(dir);
    return rc;
}

void ge_job_delete(struct ge_job **job)
{
    if (*job == NULL) return;
    ge_json_delete(&(*job)->doc);
    ge_arena_delete(&(*job)->arena);
    free(*job);
    *job = NULL;
}

char *ge_job_cell_settings(const struct ge_job *job, size_t system)
{
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    char *settings = NULL;
    if (ge_options_results(job->doc, system, &text) == GE_OK) settings = ge_buf_take(&text, NULL);
    ge_buf_free(&text);
    return settings;
}
