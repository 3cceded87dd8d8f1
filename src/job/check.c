/* What the option table cannot see: names that must exist, doubles, combinations, files. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "job/spec_parts.h"
#include "record/rating.h"

/* "FILE: KEY PATH: found …, allowed: …"; the key path and the rest come from the format. */
#define REFUSE(job, ...)                                                                           \
    (ge_fail(GE_EINVAL, __VA_ARGS__), ge_fail_in(GE_EINVAL, "%s", (job)->source))

static bool has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* ---- systems, encoders, roles -------------------------------------------------------------- */

static int by_string(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ge_status check_system_names(const struct ge_job *job)
{
    ge_status rc = GE_OK;
    const char **names = NULL;
    GE_NEW(names, job->n_systems);
    for (size_t i = 0; i < job->n_systems; i++) names[i] = job->systems[i].name;
    qsort(names, job->n_systems, sizeof *names, by_string);
    for (size_t i = 1; i < job->n_systems; i++) {
        if (strcmp(names[i - 1], names[i]) != 0) continue;
        rc = REFUSE(job, "systems: found two systems named \"%s\", allowed: each name once",
                    names[i]);
        goto done;
    }
done:
    free(names);
    return rc;
}

static ge_status check_systems(const struct ge_job *job)
{
    bool manifest = strcmp(job->dataset.format, "manifest") == 0;
    bool folders = strcmp(job->dataset.format, "gapeval") == 0;
    for (size_t i = 0; i < job->n_systems; i++) {
        const struct ge_job_system *s = &job->systems[i];
        bool answers = s->answers.n > 0, folder = s->folder != NULL;
        if (answers && folder) {
            return REFUSE(job, "systems[%zu]: found both answers and folder, allowed: one of them",
                          i);
        }
        if (manifest && !answers) {
            return REFUSE(job,
                          "systems[%zu].answers: found nothing, allowed: the path of the recorded "
                          "answers (a manifest holds none)",
                          i);
        }
        if (folders && !answers && !folder) {
            return REFUSE(job,
                          "systems[%zu].folder: found nothing, allowed: the name of the system's "
                          "folder in each item folder, or answers",
                          i);
        }
    }
    return check_system_names(job);
}

static ge_status check_role(const struct ge_job *job, const char *role)
{
    ge_status rc = GE_OK;
    const char **names = NULL;
    const ge_json *roles = ge_json_get_path(job->doc, "scoring.roles");
    const char *name = ge_json_string(ge_json_get(roles, role), NULL);
    if (name == NULL) return GE_OK;
    GE_NEW(names, job->n_encoders);
    for (size_t i = 0; i < job->n_encoders; i++) {
        names[i] = job->encoders[i].name;
        if (strcmp(names[i], name) == 0) goto done;
    }
    const char *near = ge_nearest_name(name, names, job->n_encoders);
    if (near == NULL && job->n_encoders > 0) near = names[0];
    rc = REFUSE(job,
                "scoring.roles.%s: found \"%s\", which is no encoder of this job; allowed: a name "
                "under encoders%s%s%s",
                role, name, near != NULL ? ", such as \"" : " (there is none yet)",
                near != NULL ? near : "", near != NULL ? "\"" : "");
done:
    free(names);
    return rc;
}

/* ---- BERTScore ----------------------------------------------------------------------------- */

/* The three figures of a baseline come together. */
static ge_status check_baseline(const struct ge_job *job)
{
    static const char *const keys[] = {"p", "r", "f1"};
    const ge_json *baseline = ge_json_get_path(job->doc, "scoring.bertscore.baseline");
    const char *lacking = NULL;
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        if (ge_json_get(baseline, keys[i]) != NULL) {
            n++;
        } else {
            lacking = keys[i];
        }
    }
    if (n == 0 || n == 3) return GE_OK;
    return REFUSE(job,
                  "scoring.bertscore.baseline.%s: found nothing, allowed: a number, because "
                  "another figure of the baseline is there; all three or none",
                  lacking);
}

/* Whether a metric is rescaled by a baseline that the job does not give. `where` is the key path for
 * the message. */
static ge_status check_rescaled(const struct ge_job *job, const char *where, const char *metric)
{
    if (job->scoring.how_bertscore.has_baseline || !has_suffix(metric, ".rescaled")) return GE_OK;
    return REFUSE(job,
                  "%s: found \"%s\", allowed: such a metric once scoring.bertscore.baseline "
                  "gives p, r and f1",
                  where, metric);
}

/* ---- metrics, rules, thresholds ------------------------------------------------------------ */

/* The metric exists. `where` is the key path for the message. */
static ge_status check_metric(const struct ge_job *job, const struct ge_job_vocabulary *v,
                              const char *where, const char *name)
{
    ge_status rc = GE_OK;
    const char **names = NULL;
    if (v == NULL || ge_job_find_metric(v, name) != NULL) return GE_OK;
    GE_NEW(names, v->n_metrics);
    for (size_t i = 0; i < v->n_metrics; i++) names[i] = v->metrics[i].name;
    const char *near = ge_nearest_name(name, names, v->n_metrics);
    rc = REFUSE(
        job,
        "%s: found unknown metric \"%s\"%s%s%s, allowed: a metric that `gapeval docs metrics` "
        "lists",
        where, name, near != NULL ? " (did you mean \"" : "", near != NULL ? near : "",
        near != NULL ? "\"?)" : "");
done:
    free(names);
    return rc;
}

static const struct ge_job_encoder *role_encoder(const struct ge_job *job, const char *role)
{
    if (strcmp(role, "image_text") == 0) return job->scoring.image_text;
    if (strcmp(role, "image_image") == 0) return job->scoring.image_image;
    if (strcmp(role, "bertscore") == 0) return job->scoring.bertscore;
    return job->scoring.text_text;
}

/* Role of a metric that has no encoder in this job, or NULL. */
static const char *missing_role(const struct ge_job *job, const char *role)
{
    return role != NULL && role_encoder(job, role) == NULL ? role : NULL;
}

static ge_status check_task_metrics(const struct ge_job *job, const struct ge_job_vocabulary *v,
                                    const struct ge_job_task *t)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    for (size_t i = 0; i < t->metrics.n; i++) {
        free(where);
        GE_TRY_PTR(where, ge_sprintf("scoring.tasks.%s.metrics[%zu]", t->type, i));
        GE_TRY(check_metric(job, v, where, t->metrics.v[i]));
        GE_TRY(check_rescaled(job, where, t->metrics.v[i]));
        const struct ge_job_metric *m = ge_job_find_metric(v, t->metrics.v[i]);
        const char *role = m != NULL ? missing_role(job, m->role) : NULL;
        if (role != NULL) {
            rc = REFUSE(job,
                        "%s: found \"%s\", which needs an encoder in the role %s; allowed: such a "
                        "metric once scoring.roles.%s names an encoder",
                        where, t->metrics.v[i], role, role);
            goto done;
        }
    }
done:
    free(where);
    return rc;
}

static bool known_rule(const struct ge_job_vocabulary *v, const char *rule)
{
    for (size_t i = 0; v != NULL && i < v->n_rules; i++) {
        if (strcmp(v->rules[i], rule) == 0) return true;
    }
    return v == NULL;
}

static ge_status check_verdict(const struct ge_job *job, const struct ge_job_vocabulary *v,
                               const struct ge_job_task *t)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    bool threshold = strcmp(t->rule, "threshold") == 0;
    bool contrastive = strcmp(t->rule, "contrastive") == 0;
    GE_TRY_PTR(where, ge_sprintf("scoring.tasks.%s.verdict", t->type));
    if (!known_rule(v, t->rule)) {
        rc = REFUSE(job, "%s.rule: found \"%s\", which this version does not have", where, t->rule);
    } else if (t->metric == NULL && (threshold || contrastive)) {
        rc = REFUSE(job, "%s.metric: found nothing, allowed: %s (the rule \"%s\" needs it)", where,
                    contrastive ? "a margin metric" : "a metric", t->rule);
    } else if (t->metric != NULL && !threshold && !contrastive) {
        rc = REFUSE(job, "%s.metric: found \"%s\", allowed: nothing with the rule \"%s\"", where,
                    t->metric, t->rule);
    } else if (contrastive && !has_suffix(t->metric, ".margin")) {
        rc = REFUSE(job, "%s.metric: found \"%s\", allowed with \"contrastive\": a margin metric",
                    where, t->metric);
    } else if (!contrastive && strcmp(t->fallback, "none") != 0) {
        rc = REFUSE(job, "%s.fallback: found \"%s\", allowed with the rule \"%s\": \"none\"", where,
                    t->fallback, t->rule);
    } else if (strcmp(t->rule, "recorded") == 0 &&
               strcmp(job->scoring.recorded_verdicts, "ignore") == 0) {
        rc = REFUSE(job,
                    "%s.rule: found \"recorded\" while scoring.recorded_verdicts is \"ignore\", "
                    "allowed: the rule \"recorded\" with \"prefer\" or \"require\"",
                    where);
    } else if (t->metric != NULL) {
        free(where);
        GE_TRY_PTR(where, ge_sprintf("scoring.tasks.%s.verdict.metric", t->type));
        GE_TRY(check_metric(job, v, where, t->metric));
        GE_TRY(check_rescaled(job, where, t->metric));
    }
done:
    free(where);
    return rc;
}

static const struct ge_job_task *find_task(const struct ge_job *job, const char *type)
{
    for (size_t i = 0; i < job->scoring.n_tasks; i++) {
        if (strcmp(job->scoring.tasks[i].type, type) == 0) return &job->scoring.tasks[i];
    }
    return NULL;
}

/* One of scoring.thresholds.<task>.<metric>. */
static ge_status check_threshold(const struct ge_job *job, const struct ge_job_vocabulary *v,
                                 const char *task, const ge_json *t)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    bool min = ge_json_get(t, "min") != NULL, max = ge_json_get(t, "max") != NULL;
    const char *direction = ge_json_string(ge_json_get(t, "direction"), NULL);
    GE_TRY_PTR(where, ge_sprintf("scoring.thresholds.%s.%s", task, ge_json_key(t)));
    GE_TRY(check_metric(job, v, where, ge_json_key(t)));
    if (min == max) {
        rc = REFUSE(job, "%s: found %s, allowed: either min or max", where,
                    min ? "both min and max" : "neither min nor max");
    } else if (direction != NULL && strcmp(direction, min ? "higher" : "lower") != 0) {
        rc = REFUSE(job, "%s.direction: found \"%s\" with %s, allowed: \"%s\"", where, direction,
                    min ? "min" : "max", min ? "higher" : "lower");
    }
done:
    free(where);
    return rc;
}

static ge_status check_thresholds(const struct ge_job *job, const struct ge_job_vocabulary *v)
{
    ge_status rc = GE_OK;
    const ge_json *all = ge_json_get_path(job->doc, "scoring.thresholds");
    for (const ge_json *task = ge_json_first(all); task != NULL; task = ge_json_next(task)) {
        if (find_task(job, ge_json_key(task)) == NULL) {
            return REFUSE(job,
                          "scoring.thresholds: found the task type \"%s\", allowed: a type under "
                          "scoring.tasks or a built-in one (docs/job.md)",
                          ge_json_key(task));
        }
        for (const ge_json *t = ge_json_first(task); t != NULL; t = ge_json_next(t)) {
            GE_TRY(check_threshold(job, v, ge_json_key(task), t));
        }
    }
done:
    return rc;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static ge_status check_ratings(const struct ge_job *job)
{
    const struct ge_job_ratings *r = &job->ratings;
    enum ge_drawn drawn;
    const char *within;
    bool has_min = ge_json_get_path(job->doc, "ratings.verdict.min") != NULL;
    ge_status rc = ge_drawn_parse(r->drawn, &drawn, &within);
    if (rc != GE_OK) {
        (void)ge_fail_in(rc, "ratings.drawn");
        return ge_fail_in(rc, "%s", job->source);
    }
    if (r->file == NULL && (r->drawn != NULL || r->dimension != NULL || has_min)) {
        return REFUSE(job,
                      "ratings.file: found nothing, allowed: the file that the other settings of "
                      "ratings are about");
    }
    if ((r->dimension != NULL) != has_min) {
        return REFUSE(job, "ratings.verdict.%s: found nothing, allowed: both dimension and min",
                      has_min ? "dimension" : "min");
    }
    return GE_OK;
}

static ge_status check_timers(const struct ge_job *job)
{
    const struct ge_job_runtime *r = &job->runtime;
    if (!(r->heartbeat_s < r->silence_s)) {
        return REFUSE(job,
                      "runtime.heartbeat_s: found %g, allowed: less than runtime.silence_s (%g)",
                      r->heartbeat_s, r->silence_s);
    }
    return GE_OK;
}

ge_status ge_job_check(const struct ge_job *job, const struct ge_job_vocabulary *vocabulary)
{
    ge_status rc = GE_OK;
    GE_TRY(check_systems(job));
    GE_TRY(check_role(job, "image_text"));
    GE_TRY(check_role(job, "image_image"));
    GE_TRY(check_role(job, "text_text"));
    GE_TRY(check_role(job, "bertscore"));
    GE_TRY(check_baseline(job));
    for (size_t i = 0; i < job->scoring.n_tasks; i++) {
        GE_TRY(check_task_metrics(job, vocabulary, &job->scoring.tasks[i]));
        GE_TRY(check_verdict(job, vocabulary, &job->scoring.tasks[i]));
    }
    GE_TRY(check_thresholds(job, vocabulary));
    GE_TRY(check_ratings(job));
    GE_TRY(check_timers(job));
done:
    return rc;
}

/* ---- files --------------------------------------------------------------------------------- */

enum { WANT_ANY, WANT_FILE, WANT_FOLDER };

static ge_status check_path(const struct ge_job *job, const char *where, const char *path, int want)
{
    static const char *const wanted[] = {"a file or folder that exists", "a file that exists",
                                         "a folder that exists"};
    struct ge_fs_stat st;
    ge_status rc = ge_fs_stat(path, &st);
    bool wrong_kind = (want == WANT_FILE && !st.is_file) || (want == WANT_FOLDER && !st.is_dir);
    if (rc == GE_OK && !wrong_kind) return GE_OK;
    if (rc != GE_OK && rc != GE_ENOENT) {
        return ge_fail_in(rc, "%s: %s", job->source, where);
    }
    (void)ge_fail(GE_ENOENT, "%s: found %s at %s, allowed: %s", where,
                  rc == GE_ENOENT ? "nothing"
                  : st.is_dir     ? "a folder"
                  : st.is_file    ? "a file"
                                  : "neither file nor folder",
                  path, wanted[want]);
    return ge_fail_in(GE_ENOENT, "%s", job->source);
}

ge_status ge_job_check_files(const struct ge_job *job)
{
    ge_status rc = GE_OK;
    char *where = NULL;
    bool jsonl = strcmp(job->dataset.format, "gapeval-jsonl") == 0;
    GE_TRY(check_path(job, "dataset.path", job->dataset.path, WANT_ANY));
    for (size_t i = 0; i < job->n_systems; i++) {
        const struct ge_job_system *s = &job->systems[i];
        for (size_t j = 0; j < s->answers.n; j++) {
            free(where);
            GE_TRY_PTR(where, ge_sprintf("systems[%zu].answers[%zu]", i, j));
            GE_TRY(check_path(job, where, s->answers.v[j], WANT_FILE));
        }
        if (jsonl && s->folder != NULL) {
            free(where);
            GE_TRY_PTR(where, ge_sprintf("systems[%zu].folder", i));
            GE_TRY(check_path(job, where, s->folder_path, WANT_FOLDER));
        }
    }
    for (size_t i = 0; i < job->n_encoders; i++) {
        free(where);
        GE_TRY_PTR(where, ge_sprintf("encoders.%s.model", job->encoders[i].name));
        GE_TRY(check_path(job, where, job->encoders[i].model, WANT_FOLDER));
    }
    if (job->ratings.file != NULL) {
        GE_TRY(check_path(job, "ratings.file", job->ratings.file, WANT_FILE));
    }
done:
    free(where);
    return rc;
}

/* ---- for a dataset's task types ------------------------------------------------------------ */

const struct ge_job_threshold *ge_job_find_threshold(const struct ge_job_task *task,
                                                     const char *metric)
{
    for (size_t i = 0; i < task->n_thresholds; i++) {
        if (strcmp(task->thresholds[i].metric, metric) == 0) return &task->thresholds[i];
    }
    return NULL;
}

ge_status ge_job_require_task(const struct ge_job *job, const char *type,
                              const struct ge_job_task **task)
{
    const struct ge_job_task *t = *task = find_task(job, type);
    if (t == NULL) {
        return REFUSE(job,
                      "scoring.tasks: found nothing for the dataset's task type \"%s\", allowed: "
                      "an entry for it with a verdict rule",
                      type);
    }
    if (strcmp(job->scoring.recorded_verdicts, "require") == 0) return GE_OK;
    const char *role = missing_role(job, t->role);
    if (role != NULL) {
        return REFUSE(job,
                      "scoring.roles.%s: found nothing, allowed: the name of an encoder, because "
                      "the task type \"%s\" is judged by %s; or another rule under "
                      "scoring.tasks.%s.verdict",
                      role, type, t->metric, type);
    }
    bool by_threshold = strcmp(t->rule, "threshold") == 0;
    if (by_threshold && ge_job_find_threshold(t, t->metric) == NULL) {
        return REFUSE(job,
                      "scoring.thresholds.%s.%s: found nothing, allowed: {\"min\": x}, because the "
                      "rule \"threshold\" judges this task type",
                      type, t->metric);
    }
    return GE_OK;
}
