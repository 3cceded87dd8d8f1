/* From a job to an evaluator. */
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/people.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/bertscore.h"
#include "dataset/ratings.h"
#include "metric/constraints.h"
#include "metric/corpus.h"
#include "score/metric.h"

/* ---- vocabulary and scoring ----------------------------------------------------------------------- */

const struct ge_job_vocabulary *ge_session_vocabulary(void)
{
    enum { MOST = GE_METRICS + 64 };
    static struct ge_job_metric metrics[MOST];
    static const char *rules[GE_RULES];
    static struct ge_job_vocabulary v;
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        metrics[i].name = m->name;
        metrics[i].role = ge_role_needs_encoder(m->role) ? ge_role_name(m->role) : NULL;
    }
    size_t n = GE_METRICS, n_corpus;
    const struct ge_corpus_metric *corpus = ge_corpus_metrics(&n_corpus);
    GE_ASSERT(n + n_corpus <= MOST);
    for (size_t i = 0; i < n_corpus; i++) {
        if (ge_metric_find(corpus[i].name) != GE_METRIC_NONE) continue;
        metrics[n++] = (struct ge_job_metric){.name = corpus[i].name};
    }
    for (int i = 0; i < GE_RULES; i++) rules[i] = ge_rule_name((enum ge_rule)i);
    v = (struct ge_job_vocabulary){metrics, n, rules, GE_RULES};
    return &v;
}

static enum ge_recorded recorded_policy(const char *name)
{
    if (strcmp(name, "prefer") == 0) return GE_RECORDED_PREFER;
    if (strcmp(name, "require") == 0) return GE_RECORDED_REQUIRE;
    return GE_RECORDED_IGNORE;
}

static enum ge_copies copies_policy(const char *name)
{
    if (strcmp(name, "zero") == 0) return GE_COPIES_ZERO;
    if (strcmp(name, "report") == 0) return GE_COPIES_REPORT;
    return GE_COPIES_IGNORE;
}

/* The job has checked every name; a threshold that the rule reads is there. */
static ge_status make_scoring(const struct ge_job *job, const struct ge_job_task *task,
                              struct ge_task_scoring *out)
{
    *out = (struct ge_task_scoring){
        .task = task->type,
        .rule = ge_rule_find(task->rule),
        .metric = task->metric == NULL ? GE_METRIC_NONE : ge_metric_find(task->metric),
        .margin = task->margin,
        .recorded = recorded_policy(job->scoring.recorded_verdicts),
        .copies = copies_policy(job->scoring.copies),
        .fallback =
            task->fallback_metric == NULL ? GE_METRIC_NONE : ge_metric_find(task->fallback_metric),
    };
    for (size_t i = 0; i < task->metrics.n; i++) {
        enum ge_metric_id id = ge_metric_find(task->metrics.v[i]);
        const struct ge_corpus_metric *corpus = ge_corpus_metric_find(task->metrics.v[i]);
        if (id != GE_METRIC_NONE) out->metrics[id] = true; /* else of the whole corpus */
        if (corpus != NULL && corpus->embeddings != NULL) out->sets = true;
    }
    const char *judged = out->rule == GE_RULE_THRESHOLD ? task->metric : task->fallback_metric;
    const struct ge_job_threshold *threshold =
        judged == NULL ? NULL : ge_job_find_threshold(task, judged);
    if (threshold != NULL) {
        out->threshold = threshold->value;
        out->lower_is_better = !threshold->higher;
    } else {
        out->fallback = GE_METRIC_NONE;
    }
    return ge_task_scoring_complete(out);
}

static int compare_scoring(const void *a, const void *b)
{
    return strcmp(((const struct ge_task_scoring *)a)->task,
                  ((const struct ge_task_scoring *)b)->task);
}

static const struct ge_task_scoring *find_scoring(const struct ge_session *s, const char *type)
{
    for (size_t i = 0; i < s->n_scoring; i++) {
        if (strcmp(s->scoring[i].task, type) == 0) return &s->scoring[i];
    }
    return NULL;
}

static ge_status collect_scoring(struct ge_session *s)
{
    ge_status rc = GE_OK;
    size_t cap = 0;
    for (size_t i = 0; i < s->dataset->n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *task = &s->dataset->items[i].task[d];
            const struct ge_job_task *found;
            if (!task->present || find_scoring(s, task->type) != NULL) continue;
            GE_TRY(ge_job_require_task(s->job, task->type, &found));
            GE_GROW(s->scoring, s->n_scoring, cap);
            GE_TRY(make_scoring(s->job, found, &s->scoring[s->n_scoring]));
            s->n_scoring++;
        }
    }
    if (s->n_scoring > 0) {
        qsort(s->scoring, s->n_scoring, sizeof *s->scoring, compare_scoring);
    }
done:
    return rc;
}

/* Constraints that the job scores by must be ones that can be checked: a mistake in the dataset is told
 * before the run, not in every row. */
static ge_status check_constraints(const struct ge_session *s)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    for (size_t i = 0; i < s->dataset->n; i++) {
        const struct ge_item *item = &s->dataset->items[i];
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *t = &item->task[d];
            if (!t->present || t->constraints == NULL) continue;
            const struct ge_task_scoring *scoring = find_scoring(s, t->type);
            bool used = scoring->metrics[GE_METRIC_CONSTRAINTS_STRICT] ||
                        scoring->metrics[GE_METRIC_CONSTRAINTS_LOOSE] ||
                        scoring->metrics[GE_METRIC_CONSTRAINTS_SHARE_STRICT] ||
                        scoring->metrics[GE_METRIC_CONSTRAINTS_SHARE_LOOSE];
            if (!used) continue;
            free(where);
            GE_TRY_PTR(where, ge_sprintf("item %s: %s.constraints", item->id,
                                         ge_direction_name((enum ge_direction)d)));
            GE_TRY(ge_constraints_check(t->constraints, where));
        }
    }
done:
    free(where);
    return rc;
}

/* ---- dataset and answers ----------------------------------------------------------------------------- */

static ge_status load_ratings(struct ge_session *s)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = s->job;
    struct ge_cell *cells = NULL;
    if (job->ratings.file == NULL) return GE_OK;
    GE_NEW(cells, job->n_systems);
    for (size_t i = 0; i < job->n_systems; i++) cells[i].system = job->systems[i].name;
    const struct ge_rated_run about = {.items = s->dataset->items,
                                       .n_items = s->dataset->n,
                                       .dataset = s->dataset,
                                       .cells = cells,
                                       .n_cells = job->n_systems};
    GE_TRY_PTR(s->ratings_arena, ge_arena_new());
    GE_TRY(ge_ratings_load(job->ratings.file, &about, s->ratings_arena, &s->ratings,
                           &s->ratings_skipped));
    if (job->ratings.dimension != NULL && s->ratings.n > 0) {
        size_t index;
        rc = ge_rating_dimension(&s->ratings, job->ratings.dimension, &index);
        if (rc != GE_OK) ge_fail_in(rc, "%s: ratings.verdict.dimension", job->source);
    }
done:
    free(cells);
    return rc;
}

ge_status ge_session_open(struct ge_session *s, struct ge_job *job)
{
    ge_status rc = GE_OK;
    memset(s, 0, sizeof *s);
    s->job = job;
    struct ge_dataset_options options = {
        .path = job->dataset.path,
        .categories = job->dataset.categories,
        .tags = job->dataset.tags,
        .items = job->dataset.items,
        .limit = (size_t)job->dataset.limit,
    };
    GE_TRY(ge_dataset_format_parse(job->dataset.format, &options.format));
    GE_TRY(ge_dataset_load(&options, &s->dataset));
    GE_NEW(s->answers, job->n_systems);
    for (size_t i = 0; i < job->n_systems; i++) {
        const struct ge_job_system *system = &job->systems[i];
        struct ge_answers_source source = {
            .files = system->answers,
            .folder = system->folder,
            .folder_path = system->folder_path,
        };
        GE_TRY(ge_answers_load(s->dataset, system->name, &source, &s->answers[i]));
    }
    GE_TRY(load_ratings(s));
    GE_TRY(collect_scoring(s));
    GE_TRY(check_constraints(s));
    ge_preprocess_switches_init(&s->switches);
    s->switches.image.exif = strcmp(job->image.exif, "apply") == 0 ? GE_EXIF_APPLY : GE_EXIF_IGNORE;
    s->switches.image.alpha =
        strcmp(job->image.alpha, "drop") == 0 ? GE_ALPHA_DROP : GE_ALPHA_WHITE;
    s->switches.image.limits.max_pixels = (uint64_t)job->image.max_pixels;
    s->switches.image.limits.max_scans = (int)job->image.max_scans;
    s->switches.pillow = (enum ge_pillow)job->image.pillow;
    ge_resize_mode_find(job->image.resize, &s->switches.resize); /* one of its names: checked */
done:
    return rc;
}

void ge_session_close(struct ge_session *s)
{
    for (size_t i = 0; s->encoders != NULL && i < s->job->n_encoders; i++) {
        ge_encoder_delete(&s->encoders[i]);
    }
    free(s->encoders);
    ge_pixels_delete(&s->pixels);
    if (s->job != NULL && s->job->runtime.trace) ge_session_watch(NULL);
    ge_device_close(&s->device);
    ge_pool_delete(&s->decode_pool);
    ge_cache_delete(&s->cache);
    for (size_t i = 0; s->answers != NULL && i < s->job->n_systems; i++) {
        ge_answers_delete(&s->answers[i]);
    }
    free(s->answers);
    ge_dataset_delete(&s->dataset);
    ge_bertscore_free(&s->idf, s->n_scoring);
    ge_arena_delete(&s->ratings_arena);
    free(s->scoring);
    free(s->numerics);
    free(s->tuned);
    free(s->missing);
    free(s->cells);
    ge_job_delete(&s->job);
    memset(s, 0, sizeof *s);
}

ge_status ge_session_hash(const struct ge_session *s, struct ge_hash *out)
{
    struct ge_hasher *h = ge_hasher_new();
    if (h == NULL) return GE_ENOMEM;
    ge_hasher_add_str(h, s->job->json);
    ge_hasher_add(h, &s->dataset->content, sizeof s->dataset->content);
    ge_hasher_add_u64(h, s->dataset->n);
    for (size_t i = 0; i < s->job->n_systems; i++) {
        ge_hasher_add(h, &s->answers[i]->content, sizeof s->answers[i]->content);
        ge_hasher_add_u64(h, s->answers[i]->answers.n);
    }
    *out = ge_hasher_get(h);
    ge_hasher_delete(&h);
    return GE_OK;
}

/* ---- images as the plan sees them ----------------------------------------------------------------------- */

struct look {
    struct ge_session *session;
    struct ge_hasher *hasher;
    size_t cap;
};

static ge_status look_at(struct look *l, const char *path)
{
    ge_status rc = GE_OK;
    struct ge_session *s = l->session;
    struct ge_fs_stat st;
    rc = ge_fs_stat(path, &st);
    if (rc == GE_ENOENT) {
        GE_GROW(s->missing, s->n_missing, l->cap);
        s->missing[s->n_missing++] = ge_hash_bytes(path, strlen(path)).lo;
        rc = GE_OK;
    } else if (rc == GE_OK) {
        ge_hasher_add_u64(l->hasher, st.size);
        ge_hasher_add_u64(l->hasher, (uint64_t)st.mtime_ns);
    }
done:
    return rc;
}

static ge_status look_at_list(struct look *l, const struct ge_strings *paths)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < paths->n; i++) GE_TRY(look_at(l, paths->v[i]));
done:
    return rc;
}

static ge_status look_at_all(struct look *l)
{
    ge_status rc = GE_OK;
    const struct ge_session *s = l->session;
    for (size_t i = 0; i < s->dataset->n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *t = &s->dataset->items[i].task[d];
            GE_TRY(look_at_list(l, &t->images));
            GE_TRY(look_at_list(l, &t->reference_images));
            GE_TRY(look_at_list(l, &t->image_distractors));
        }
    }
    for (size_t k = 0; k < s->job->n_systems; k++) {
        const struct ge_answers *a = &s->answers[k]->answers;
        for (size_t i = 0; i < a->n; i++) {
            if (a->v[i].image != NULL) GE_TRY(look_at(l, a->v[i].image));
        }
    }
done:
    return rc;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Rank 0's findings as bytes: the images hash, then the missing paths. */
static ge_status share_look(struct ge_session *s, struct ge_comm *comm)
{
    ge_status rc = GE_OK;
    struct ge_buf packed;
    struct ge_reader r;
    void *data = NULL;
    size_t len = 0;
    const size_t max = (size_t)1 << 31;
    ge_buf_init(&packed, max);
    if (ge_comm_size(comm) == 1) goto done;
    if (ge_comm_rank(comm) == 0) {
        ge_buf_u64(&packed, s->images.hi);
        ge_buf_u64(&packed, s->images.lo);
        for (size_t i = 0; i < s->n_missing; i++) ge_buf_u64(&packed, s->missing[i]);
        data = packed.data;
        len = packed.len;
        rc = ge_buf_status(&packed);
    }
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_broadcast(comm, &data, &len, max));
    if (ge_comm_rank(comm) == 0) goto done;
    ge_reader_init(&r, data, len);
    s->images.hi = ge_read_u64(&r);
    s->images.lo = ge_read_u64(&r);
    s->n_missing = len / 8 - 2;
    GE_NEW(s->missing, s->n_missing);
    for (size_t i = 0; i < s->n_missing; i++) s->missing[i] = ge_read_u64(&r);
    rc = ge_reader_end(&r);
done:
    if (ge_comm_rank(comm) != 0) free(data);
    ge_buf_free(&packed);
    return rc;
}

ge_status ge_session_look_at_images(struct ge_session *s, struct ge_comm *comm)
{
    ge_status rc = GE_OK;
    struct look l = {.session = s};
    if (ge_comm_rank(comm) == 0) {
        l.hasher = ge_hasher_new();
        rc = l.hasher == NULL ? GE_ENOMEM : look_at_all(&l);
        if (rc == GE_OK) s->images = ge_hasher_get(l.hasher);
        if (s->n_missing > 0) qsort(s->missing, s->n_missing, sizeof *s->missing, compare_u64);
    }
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_agree(comm, share_look(s, comm)));
done:
    ge_hasher_delete(&l.hasher);
    return rc;
}

bool ge_session_was_missing(void *ctx, const char *path)
{
    const struct ge_session *s = ctx;
    uint64_t key = ge_hash_bytes(path, strlen(path)).lo;
    return s->n_missing > 0 &&
           bsearch(&key, s->missing, s->n_missing, sizeof key, compare_u64) != NULL;
}

/* ---- head of the run ---------------------------------------------------------------------------------------------- */

static ge_status make_cell(const struct ge_session *s, struct ge_arena *arena, size_t system,
                           struct ge_cell *cell)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = s->job;
    struct ge_hash *content = NULL;
    char *settings = ge_job_cell_settings(job, system);
    size_t n = 0;
    if (settings == NULL) GE_TRY(GE_ENOMEM);
    GE_NEW(content, 3 + job->n_encoders);
    content[n++] = s->dataset->content;
    content[n++] = s->answers[system]->content;
    content[n++] = s->images;
    for (size_t i = 0; i < job->n_encoders; i++) content[n++] = ge_encoder_hash(s->encoders[i]);
    cell->system = job->systems[system].name;
    GE_TRY_PTR(cell->settings, ge_arena_strdup(arena, settings));
    GE_TRY(ge_cell_hash(settings, content, n, s->numerics, &cell->hash));
done:
    free(settings);
    free(content);
    return rc;
}

/* Of each encoder what embeds answers; behind them its reference images. */
static ge_status name_kinds(const struct ge_job *job, struct ge_arena *arena,
                            struct ge_strings *kinds)
{
    ge_status rc = GE_OK;
    static const char *const towers[] = {"text", "image"};
    size_t answers = 2 * job->n_encoders;
    kinds->n = 3 * job->n_encoders;
    GE_TRY_PTR(kinds->v, ge_arena_alloc(arena, kinds->n, sizeof *kinds->v));
    for (size_t i = 0; i < kinds->n; i++) {
        bool reference = i >= answers;
        GE_TRY_PTR(kinds->v[i], ge_arena_printf(arena, "%s:%s",
                                                job->encoders[reference ? i - answers : i / 2].name,
                                                reference ? "reference" : towers[i % 2]));
    }
done:
    return rc;
}

static ge_status name_tables(struct ge_run *run)
{
    ge_status rc = GE_OK;
    run->metrics.n = GE_METRICS;
    GE_TRY_PTR(run->metrics.v, ge_arena_alloc(run->arena, GE_METRICS, sizeof *run->metrics.v));
    for (int i = 0; i < GE_METRICS; i++) {
        run->metrics.v[i] = ge_metric_info((enum ge_metric_id)i)->name;
    }
    run->rules.n = GE_RULES;
    GE_TRY_PTR(run->rules.v, ge_arena_alloc(run->arena, GE_RULES, sizeof *run->rules.v));
    for (int i = 0; i < GE_RULES; i++) run->rules.v[i] = ge_rule_name((enum ge_rule)i);
done:
    return rc;
}

ge_status ge_session_make_run(const struct ge_session *s, uint32_t chunk_items, struct ge_run **out)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = s->job;
    struct ge_run *run = NULL;
    struct ge_arena *arena = ge_arena_new();
    if (arena == NULL) GE_TRY(GE_ENOMEM);
    GE_TRY_PTR(run, ge_arena_alloc(arena, 1, sizeof *run));
    run->arena = arena;
    run->job = job->json;
    run->numerics_id = s->numerics;
    run->items = s->dataset->items;
    run->n_items = s->dataset->n;
    run->ratings = s->ratings;
    run->chunk_items = chunk_items;
    run->n_cells = job->n_systems;
    GE_TRY_PTR(run->cells, ge_arena_alloc(arena, run->n_cells, sizeof *run->cells));
    for (size_t i = 0; i < run->n_cells; i++) GE_TRY(make_cell(s, arena, i, &run->cells[i]));
    GE_TRY(name_tables(run));
    GE_TRY(name_kinds(job, arena, &run->embedding_kinds));
    *out = run;
    arena = NULL;
done:
    ge_arena_delete(&arena);
    return rc;
}
