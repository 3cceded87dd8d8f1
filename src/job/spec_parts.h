/* The steps of loading a job: private to job/. document.c makes one JSON document of the file, its
 * "$file" parts, the overrides and the default scoring; options resolve it; spec.c makes the typed
 * view; check.c looks at what lies between settings. */
#ifndef GE_JOB_SPEC_PARTS_H
#define GE_JOB_SPEC_PARTS_H

#include "job/spec.h"

/* A document in the making. */
struct ge_job_document {
    ge_json *root; /* owned */
    struct ge_arena *arena;
    struct ge_origin *origins; /* owned array; strings in the arena */
    size_t n_origins, cap_origins;
};

/* Replace every object {"$file": "x.json"} by the object in that file (relative to `folder`).
 * GE_EINVAL (further keys beside "$file", not an object, "$file" inside), GE_ENOENT, GE_EFORMAT. */
ge_status ge_job_inline_files(struct ge_job_document *d, const char *source, const char *folder);

/* Apply overrides in order. Paths become absolute: they are relative to the current folder. */
ge_status ge_job_apply(struct ge_job_document *d, const struct ge_override *sets, size_t n);

/* Fill in built-in scoring where the job says nothing. Leaves a document whose `scoring` has the
 * wrong form as it is: resolving names the fault. */
ge_status ge_job_fill_tasks(struct ge_job_document *d, const struct ge_job_vocabulary *vocabulary);

/* Checks between settings of a complete job. vocabulary may be NULL: names are not checked. */
ge_status ge_job_check(const struct ge_job *job, const struct ge_job_vocabulary *vocabulary);

/* That the files which the job names are there. */
ge_status ge_job_check_files(const struct ge_job *job);

/* Row of a metric in the vocabulary, or NULL. */
const struct ge_job_metric *ge_job_find_metric(const struct ge_job_vocabulary *v, const char *name);

#endif
