/* The job: what is evaluated, with what and how. A typed, validated view of the resolved JSON.
 *
 * Loading reads the file, inlines "$file" objects, applies overrides, checks everything against
 * the option table (options.h), fills defaults, checks what lies between settings (names that
 * must exist, doubles) and that the files which the job names are there. After loading a job is
 * read-only and may be read by several threads. Not here: reading the dataset, plans, devices.
 * Used by cli/, which hands the parts on to the stages. */
#ifndef GE_JOB_SPEC_H
#define GE_JOB_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "job/options.h"
#include "record/item.h"

struct ge_job_dataset {
    const char *format;                        /* "auto", "manifest", "gapeval", … */
    const char *path;                          /* absolute */
    int64_t limit;                             /* first items of the selection; 0: all */
    struct ge_strings categories, tags, items; /* selection; empty: no restriction */
};

struct ge_job_system {
    const char *name;
    struct ge_strings answers; /* absolute paths of answer files; n = 0: not given */
    const char *folder;        /* as given: a name in the dataset's item folders; or NULL */
    const char *folder_path;   /* the same as an absolute path (relative to the job file) */
    const char *respond;       /* "recorded" */
};

struct ge_job_encoder {
    const char *name;
    const char *model; /* absolute path of the model folder */
    const char *dtype; /* "fp32" */
};

struct ge_job_image {
    const char *exif;   /* "apply", "ignore" */
    const char *alpha;  /* "drop", "white" */
    int pillow;         /* 12, 13 */
    const char *resize; /* "pil", "torchvision" */
    int64_t max_pixels, max_scans;
};

/* Right when the metric's value is >= value (higher) or <= value. */
struct ge_job_threshold {
    const char *metric;
    double value;
    bool higher;
};

/* How answers of one task type are scored and judged. */
struct ge_job_task {
    const char *type;            /* ge_task.type */
    struct ge_strings metrics;   /* scores to compute */
    const char *rule;            /* verdict rule */
    const char *metric;          /* the rule's metric (threshold, contrastive); or NULL */
    const char *role;            /* encoder role of that metric; NULL: none, or not known */
    const char *fallback;        /* contrastive, item without distractors: "threshold" on
                                  fallback_metric, "none" (an error row) */
    const char *fallback_metric; /* the margin metric's ".reference"; NULL without fallback */
    double margin;               /* contrastive: right above this lead over the best distractor */
    const struct ge_job_threshold *thresholds; /* by metric; both from scoring.thresholds */
    size_t n_thresholds;
};

/* How BERTScore is computed. */
struct ge_job_bertscore {
    int layer; /* -1: by the model's type and size */
    bool idf;
    bool has_baseline;
    double p, r, f1; /* the baseline */
};

struct ge_job_scoring {
    const struct ge_job_encoder *image_text, *image_image, *text_text; /* roles; NULL: none */
    const struct ge_job_encoder *bertscore;
    struct ge_job_bertscore how_bertscore;
    const struct ge_job_task *tasks; /* the job's and the built-in ones, by type in byte order */
    size_t n_tasks;
    const char *copies;            /* "zero", "report", "ignore" */
    const char *recorded_verdicts; /* "ignore", "prefer", "require" */
};

struct ge_job_aggregation {
    struct ge_strings by; /* of "category", "subcategory", "tag" */
    const char *interval; /* "score", "delta", "bca" */
    int64_t resamples;    /* of the bootstrap */
    double level;         /* confidence, 0.5…0.999 */
    const char *failures; /* "exclude", "wrong": how failed samples enter the point estimate */
};

struct ge_job_ratings {
    const char *file;      /* absolute; NULL: none */
    const char *drawn;     /* record/rating.h, ge_drawn_parse(); NULL: not said */
    const char *dimension; /* of the verdict; NULL: ratings give no verdict */
    double min;
};

struct ge_job_output {
    const char *dir; /* absolute: <output.dir>/<name> */
    bool embeddings, responses;
};

struct ge_job_runtime {
    const char *device;          /* "auto", "cpu", "simd", "onednn", "cuda" */
    const char *level;           /* "native", "avx2", "avx512" */
    const char *bind;            /* "auto", "none" */
    const char *tuned;           /* absolute path of a tuned table; NULL: none */
    int threads, decode_threads; /* 0: chosen at start */
    int batch_size, chunk_items; /* 0: chosen by the device */
    int64_t embed_cache_mb;
    double lock_stale_s, heartbeat_s, lease_s, silence_s, retry_backoff_s, status_s;
    bool dedicated_coordinator, allow_mixed, tf32, trace;
};

struct ge_job {
    struct ge_arena *arena;
    const char *source; /* job file as named by the user, for messages */
    const char *folder; /* absolute folder that relative paths start from */
    const char *json;   /* resolved, canonical, one line; paths as given */
    ge_json *doc;       /* json, parsed */

    const char *name;
    int64_t seed;
    struct ge_job_dataset dataset;
    const struct ge_job_system *systems;
    size_t n_systems;
    const struct ge_job_encoder *encoders;
    size_t n_encoders;
    struct ge_job_image image;
    struct ge_job_scoring scoring;
    struct ge_job_aggregation aggregation;
    struct ge_job_ratings ratings;
    struct ge_job_output output;
    struct ge_job_runtime runtime;
};

/* Names that the score stage understands; handed in by cli, so that a job is checked before any
 * work starts. Borrowed for the call. */
struct ge_job_metric {
    const char *name;
    const char *role; /* encoder role that it needs: "image_text", …; NULL: none */
};
struct ge_job_vocabulary {
    const struct ge_job_metric *metrics;
    size_t n_metrics;
    const char *const *rules;
    size_t n_rules;
};

/* Load a job file. GE_ENOENT, GE_EFORMAT (not JSON), GE_EINVAL (content), GE_EUNSUPPORTED
 * (sweeps), GE_ENOMEM; messages name file, key path, found, allowed. Free with ge_job_delete(). */
ge_status ge_job_load(const char *path, const struct ge_override *sets, size_t n_sets,
                      const struct ge_job_vocabulary *vocabulary, struct ge_job **job);

/* The same from text: a job that rank 0 has sent (ge_job.json with ge_job.folder), or one from a
 * store. `source` is for messages, `folder` is what relative paths start from. check_files:
 * whether the files that it names must exist. */
ge_status ge_job_parse(const char *text, size_t len, const char *source, const char *folder,
                       const struct ge_override *sets, size_t n_sets,
                       const struct ge_job_vocabulary *vocabulary, bool check_files,
                       struct ge_job **job);

void ge_job_delete(struct ge_job **job); /* NULL is fine; *job = NULL */

/* Scoring of a task type that the dataset holds. GE_EINVAL, with what to add to the job: neither
 * the job nor the default table has the type, the rule's metric has no encoder (roles), or a
 * threshold is missing (unless recorded verdicts are required, which leaves the rule unused). */
ge_status ge_job_require_task(const struct ge_job *job, const char *type,
                              const struct ge_job_task **task);

/* Threshold of a metric in a task, or NULL. */
const struct ge_job_threshold *ge_job_find_threshold(const struct ge_job_task *task,
                                                     const char *metric);

/* Settings of one system's cell (ge_cell.settings): canonical JSON of the options that affect
 * results, without paths. Heap string (free() it); NULL when out of memory. */
char *ge_job_cell_settings(const struct ge_job *job, size_t system);

/* Built-in scoring of well-known task types, for a job that leaves them out. Metrics whose
 * encoder role the job has not set are left out. */
struct ge_task_default {
    const char *type;
    const char *rule, *metric, *fallback;
    const char *metrics[4]; /* NULL-terminated unless full */
    const char *help;
};
const struct ge_task_default *ge_task_defaults(size_t *n);

#endif
