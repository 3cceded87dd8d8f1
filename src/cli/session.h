/* What a command that evaluates needs, put together from a job: dataset, answers, scoring,
 * device, encoders, evaluator. Shared by run, plan and score. Local unless it says collective. */
#ifndef GE_CLI_SESSION_H
#define GE_CLI_SESSION_H

#include "dataset/dataset.h"
#include "device/device.h"
#include "dist/comm.h"
#include "evaluate/evaluate.h"
#include "image/preprocess.h"
#include "job/plan.h"
#include "job/spec.h"
#include "record/run.h"

struct ge_session {
    struct ge_job *job; /* owned, like everything below */
    struct ge_dataset *dataset;
    struct ge_answers_file **answers; /* (job->n_systems) */
    struct ge_arena *ratings_arena;
    struct ge_ratings ratings;       /* of people; in no hash, because they change no row */
    size_t ratings_skipped;          /* about items outside the selection */
    struct ge_task_scoring *scoring; /* sorted by task */
    size_t n_scoring;
    struct ge_idf **idf; /* (n_scoring) BERTScore's document frequencies; NULL: none */
    struct ge_preprocess_switches switches;

    struct ge_device *device;
    char *tuned;                  /* text of the run's tuned table; NULL: none */
    const char *level;            /* the instruction-set level that all ranks share */
    int cpus;                     /* this rank's share of the node's */
    char binding[128];            /* where its threads were bound, for people; "" if nowhere */
    struct ge_encoder **encoders; /* (job->n_encoders) */
    char *numerics;               /* numerics id of the run */

    uint64_t *missing; /* sorted path hashes of images that are not there */
    size_t n_missing;
    struct ge_hash images; /* sizes and times of all images as the plan saw them */

    struct ge_eval_cell *cells;
    struct ge_cache *cache;
    struct ge_pixels *pixels;
    struct ge_pool *decode_pool;
    struct ge_evaluator evaluator;
};

/* Names for the job's validation: the metric and rule tables. Constant. */
const struct ge_job_vocabulary *ge_session_vocabulary(void);

/* Take over a job and read what it names: dataset, answers, scoring of each task type that the
 * dataset holds. Free with ge_session_close(), also after a failure. */
ge_status ge_session_open(struct ge_session *s, struct ge_job *job);
void ge_session_close(struct ge_session *s);

/* Content hash of everything that ge_session_open() read: equal on all ranks. */
ge_status ge_session_hash(const struct ge_session *s, struct ge_hash *out);

/* Look at every image once: fills missing and images. Rank 0's findings are everyone's. Collective
 * (comm may be NULL). */
ge_status ge_session_look_at_images(struct ge_session *s, struct ge_comm *comm);

/* Whether an image was missing then; `session` is a struct ge_session. An evaluator's
 * was_missing(). */
bool ge_session_was_missing(void *session, const char *path);

/* Open the device at the highest instruction-set level that all ranks share, bind this rank near
 * it, load the encoders, make the numerics id. Collective; comm may be NULL. */
ge_status ge_session_load_encoders(struct ge_session *s, struct ge_comm *comm);

/* Show the spans of the trace to the device's own profiler, too; NULL: no more. One device at a time. */
void ge_session_watch(struct ge_device *dev);

/* Fill s->evaluator; after everything above. */
ge_status ge_session_make_evaluator(struct ge_session *s);

/* Items per chunk of a new run: what the job says, or what suits the device. */
uint32_t ge_session_chunk_items(const struct ge_session *s);

/* The head of the run for the store (record/run.h, without results): ids, names, cells. The
 * session must outlive it. Free with ge_run_delete(). */
ge_status ge_session_make_run(const struct ge_session *s, uint32_t chunk_items,
                              struct ge_run **run);

#endif
