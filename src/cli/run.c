/* gapeval run: a job over the ranks, from the first read to the last table.
 *
 *   every rank   job, dataset, answers, device, encoders          collective, agreed step by step
 *   rank 0       run folder: new, or resumed after comparing      broadcast: chunk size, done chunks
 *   every rank   engine; coordinator and workers until the end    nonblocking
 *   rank 0       close the journal, pack, aggregate, report */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/trace.h"
#include "cli/backends.h"
#include "cli/cli.h"
#include "cli/finish.h"
#include "cli/progress.h"
#include "cli/provenance.h"
#include "cli/resume.h"
#include "cli/session.h"
#include "cli/tuned.h"
#include "dist/pump.h"
#include "evaluate/engine.h"
#include "store/run_dir.h"

struct run {
    struct ge_comm *comm; /* NULL: one rank */
    int rank;
    struct ge_session session;
    struct ge_engine *engine;
    struct ge_plan plan;
    uint64_t start_id; /* names this start; messages of another are dropped */
    bool finished;     /* an earlier start did everything */
    uint8_t *done;     /* (plan.n_chunks) finished in earlier starts; rank 0 */
    uint32_t *group;   /* (plan.n_chunks) affinity; rank 0 */
    struct ge_hash golden;

    /* rank 0 only */
    struct ge_rundir *dir;
    struct ge_run *head; /* of a new run; NULL on resume */
    struct ge_progress progress;
    ge_status tick_status; /* first failure of a timer: ends the run through the sink */
    struct ge_eval_times times;
    int warnings; /* undone samples named so far */
};

/* ---- signals --------------------------------------------------------------------------------------- */

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* Before MPI starts: an untrapped USR1 would kill the rank. */
static void install_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = (int)SA_RESETHAND; /* a second ^C ends at once */
    sigaction(SIGINT, &action, NULL);
}

/* ---- start-up: collective ----------------------------------------------------------------------------- */

/* Rank 0 loads the job; the others get its resolved text. */
static ge_status share_job(struct run *r, const struct ge_args *args, struct ge_job **job)
{
    ge_status rc = GE_OK;
    struct ge_buf packed;
    struct ge_reader in;
    void *data = NULL;
    size_t len = 0;
    char *json = NULL, *folder = NULL, *source = NULL;
    const struct ge_job_vocabulary *vocabulary = ge_session_vocabulary();
    ge_buf_init(&packed, GE_JSON_MAX_BYTES);
    if (r->rank == 0) {
        rc = ge_job_load(args->words[0], args->overrides, args->n_overrides, vocabulary, job);
        if (rc == GE_OK) {
            ge_buf_lpstr(&packed, (*job)->json);
            ge_buf_lpstr(&packed, (*job)->folder);
            ge_buf_lpstr(&packed, (*job)->source);
            rc = ge_buf_status(&packed);
        }
        data = packed.data;
        len = packed.len;
    }
    GE_TRY(ge_comm_agree(r->comm, rc));
    GE_TRY(ge_comm_broadcast(r->comm, &data, &len, GE_JSON_MAX_BYTES));
    if (r->rank != 0) {
        ge_reader_init(&in, data, len);
        json = ge_read_lpstr(&in);
        folder = ge_read_lpstr(&in);
        source = ge_read_lpstr(&in);
        rc = ge_reader_end(&in);
        if (rc == GE_OK) {
            rc = ge_job_parse(json, strlen(json), source, folder, NULL, 0, vocabulary, true, job);
        }
    }
    GE_TRY(ge_comm_agree(r->comm, rc));
done:
    free(json);
    free(folder);
    free(source);
    if (r->rank != 0) free(data);
    ge_buf_free(&packed);
    return rc;
}

static ge_status open_session(struct run *r, const struct ge_args *args)
{
    ge_status rc = GE_OK;
    struct ge_job *job = NULL;
    struct ge_hash hash = {0, 0};
    struct ge_session *s = &r->session;
    GE_TRY(share_job(r, args, &job));
    if (job->runtime.trace) ge_trace_start(r->rank);
    rc = ge_session_open(s, job);
    if (rc == GE_OK) rc = ge_session_hash(s, &hash);
    GE_TRY(ge_comm_agree(r->comm, rc));
    GE_TRY(ge_comm_same(r->comm, hash, "dataset and answers"));
    GE_TRY(ge_session_look_at_images(s, r->comm));
    GE_TRY(ge_session_load_encoders(s, r->comm));
    rc = ge_session_make_evaluator(s);
    if (rc == GE_OK)
        rc = ge_eval_golden(s->encoders, job->n_encoders, ge_backends_is_accelerator(s->device),
                            &r->golden);
    GE_TRY(ge_comm_agree(r->comm, rc));
    if (!job->runtime.allow_mixed) {
        GE_TRY(ge_comm_same(r->comm, r->golden, "the golden batch's embeddings"));
    }
done:
    return rc;
}

/* ---- the run folder: rank 0 ------------------------------------------------------------------------------ */

static ge_status plan_chunks(struct run *r, uint32_t chunk_items)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_plan_make((uint32_t)r->session.job->n_systems, (uint32_t)r->session.dataset->n,
                        chunk_items, &r->plan));
    if (r->rank != 0) goto done;
    GE_NEW(r->done, r->plan.n_chunks);
    GE_NEW(r->group, r->plan.n_chunks);
    for (uint32_t i = 0; i < r->plan.n_chunks; i++) r->group[i] = ge_plan_chunk(&r->plan, i).range;
done:
    return rc;
}

static ge_status open_folder(struct run *r)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = r->session.job;
    struct ge_rundir_options options = {
        .dir = job->output.dir,
        .lock_stale_s = job->runtime.lock_stale_s,
        .status_s = job->runtime.status_s,
        .job_id = ge_provenance_job_id(),
        .restarts = ge_provenance_restarts(),
    };
    GE_TRY(ge_rundir_open(&options, &r->dir));
    const struct ge_run *stored = ge_rundir_stored(r->dir);
    uint32_t chunk_items =
        stored != NULL ? stored->chunk_items : ge_session_chunk_items(&r->session);
    GE_TRY(ge_session_make_run(&r->session, chunk_items, &r->head));
    if (stored != NULL) GE_TRY(ge_resume_check(job, stored, r->head, r->golden));
    if (stored != NULL && !ge_ratings_equal(&stored->ratings, &r->head->ratings)) {
        ge_warn("%s was begun with other ratings, or none, and keeps them; for these: gapeval "
                "aggregate %s --ratings FILE",
                job->output.dir, job->output.dir);
    }
    GE_TRY(plan_chunks(r, chunk_items));
    for (uint32_t i = 0; i < r->plan.n_chunks; i++) {
        struct ge_chunk c = ge_plan_chunk(&r->plan, i); /* the store counts cell by cell */
        r->done[i] = ge_rundir_chunk_done(r->dir, (uint64_t)c.cell * r->plan.n_ranges + c.range);
    }
    if (stored == NULL) GE_TRY_PTR(r->head->id, ge_provenance_run_id(r->head->arena));
    r->start_id = ge_provenance_start_id();
    r->finished = ge_rundir_closed(r->dir);
done:
    return rc;
}

/* Rank 0 opens the folder; all learn the chunk size, this start's number and whether anything is
 * left to do. */
static ge_status share_plan(struct run *r)
{
    ge_status rc = GE_OK;
    struct ge_buf packed;
    struct ge_reader in;
    void *data = NULL;
    size_t len = 0;
    ge_buf_init(&packed, 64);
    if (r->rank == 0) {
        rc = open_folder(r);
        ge_buf_u32(&packed, r->plan.chunk_items);
        ge_buf_u64(&packed, r->start_id);
        ge_buf_u8(&packed, r->finished);
        data = packed.data;
        len = packed.len;
    }
    GE_TRY(ge_comm_agree(r->comm, rc));
    GE_TRY(ge_comm_broadcast(r->comm, &data, &len, 64));
    if (r->rank != 0) {
        ge_reader_init(&in, data, len);
        uint32_t chunk_items = ge_read_u32(&in);
        r->start_id = ge_read_u64(&in);
        r->finished = ge_read_u8(&in) != 0;
        rc = plan_chunks(r, chunk_items);
    }
    GE_TRY(ge_comm_agree(r->comm, rc));
done:
    if (r->rank != 0) free(data);
    ge_buf_free(&packed);
    return rc;
}

/* Everyone's host and device to rank 0, which opens the journal's next epoch with it. */
static ge_status begin_journal(struct run *r)
{
    ge_status rc = GE_OK;
    char *provenance = NULL;
    rc = ge_provenance_make(&r->session, r->comm, r->golden, &provenance);
    GE_TRY(ge_comm_agree(r->comm, rc));
    if (r->rank == 0) {
        bool fresh = ge_rundir_stored(r->dir) == NULL;
        rc = ge_rundir_begin(r->dir, fresh ? r->head : NULL, provenance);
        if (rc == GE_OK) rc = ge_tuned_keep(r->session.job, r->session.tuned);
    }
    GE_TRY(ge_comm_agree(r->comm, rc));
done:
    free(provenance);
    return rc;
}

/* ---- the engine as dist's work --------------------------------------------------------------------------- */

static ge_status submit(void *ctx, const struct ge_work_task *task)
{
    struct run *r = ctx;
    struct ge_chunk c = ge_plan_chunk(&r->plan, task->chunk);
    return ge_engine_submit(r->engine, task->lease, c.cell, c.first, c.count);
}

static bool poll_done(void *ctx, struct ge_work_done *out)
{
    struct run *r = ctx;
    struct ge_engine_done done;
    if (!ge_engine_poll(r->engine, &done)) return false;
    *out = (struct ge_work_done){
        .lease = done.ticket,
        .status = done.status,
        .payload = done.payload,
        .length = done.length,
        .samples = done.samples,
        .undone = done.undone,
        .errors = done.errors,
        .leave = done.device_lost,
    };
    return true;
}

static uint64_t work_progress(void *ctx)
{
    return ge_engine_progress(((struct run *)ctx)->engine);
}

static void wait_done(void *ctx, double seconds)
{
    ge_engine_wait(((struct run *)ctx)->engine, seconds);
}

static void cancel(void *ctx)
{
    ge_engine_cancel(((struct run *)ctx)->engine);
}

/* ---- the journal as dist's sink: rank 0 ----------------------------------------------------------------- */

enum { MOST_WARNINGS = 20 };

/* Say what stays undone; the first few by name, the rest is counted at the end. */
static void warn_undone(struct run *r, const struct ge_result *result)
{
    const struct ge_session *s = &r->session;
    for (size_t i = 0; i < result->n_undone && r->warnings < MOST_WARNINGS; i++, r->warnings++) {
        const struct ge_undone_row *u = &result->undone[i];
        ge_warn("undone: system \"%s\", item \"%s\", %s, sample %u: %s",
                s->job->systems[result->cell].name, s->dataset->items[u->key.item].id,
                ge_direction_name((enum ge_direction)u->key.direction), u->key.sample, u->reason);
    }
}

static ge_status accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone)
{
    struct run *r = ctx;
    ge_status rc = GE_OK;
    struct ge_result result;
    struct ge_chunk c = ge_plan_chunk(&r->plan, chunk);
    struct ge_arena *arena = NULL;
    if (r->tick_status != GE_OK) return r->tick_status;
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_result_unpack(payload, length, arena, &result));
    if (result.cell != c.cell || result.first != c.first || result.count != c.count ||
        result.n_undone != undone) {
        GE_TRY(ge_fail(GE_EFORMAT, "the result of chunk %u is about other items", chunk));
    }
    GE_TRY(ge_rundir_append(r->dir, &result, NULL));
    warn_undone(r, &result);
done:
    ge_arena_delete(&arena);
    return rc;
}

static void given_up(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    const struct run *r = ctx;
    struct ge_chunk c = ge_plan_chunk(&r->plan, chunk);
    ge_warn("system \"%s\", items %u to %u stay undone (%s): %s",
            r->session.job->systems[c.cell].name, c.first, c.first + c.count - 1,
            ge_status_name(status), reason);
}

static void on_progress(void *ctx, const struct ge_dist_progress *state)
{
    struct run *r = ctx;
    ge_rundir_set_failures(r->dir, state->stats->errors + state->stats->samples_undone);
    ge_status rc = ge_rundir_tick(r->dir, ge_now());
    if (rc != GE_OK && r->tick_status == GE_OK) {
        ge_error_log("%s", ge_error());
        r->tick_status = rc;
        stop_requested = 1;
    }
    ge_progress_show(&r->progress, state, state->state == GE_RUN_ENDED);
}

static struct ge_dist_timers timers_of(const struct ge_job *job)
{
    struct ge_dist_timers t = ge_dist_default_timers();
    t.heartbeat = job->runtime.heartbeat_s;
    t.silence = job->runtime.silence_s;
    t.master_silence = job->runtime.silence_s;
    t.lease = job->runtime.lease_s;
    t.backoff = job->runtime.retry_backoff_s;
    return t;
}

static ge_status evaluate(struct run *r, struct ge_dist_report *report)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = r->session.job;
    struct ge_dist_config cfg = {
        .coordinator = ge_coordinator_defaults(),
        .dedicated = job->runtime.dedicated_coordinator,
        .interval = 0.2,
        .progress = on_progress,
        .progress_ctx = r,
        .stop = &stop_requested,
    };
    cfg.coordinator.run = r->start_id;
    cfg.coordinator.n_chunks = r->plan.n_chunks;
    cfg.coordinator.done = r->done;
    cfg.coordinator.group = r->group;
    cfg.coordinator.timers = timers_of(job);
    struct ge_work_ops work = {.ctx = r,
                               .submit = submit,
                               .poll = poll_done,
                               .progress = work_progress,
                               .wait = wait_done,
                               .cancel = cancel};
    struct ge_sink sink = {.ctx = r, .accept = accept, .undone = given_up};
    rc = ge_engine_new(&r->session.evaluator, &r->engine);
    GE_TRY(ge_comm_agree(r->comm, rc));
    rc = ge_dist_run(r->comm, &cfg, &work, &sink, report);
    if (rc == GE_OK) rc = r->tick_status;
    ge_engine_times(r->engine, &r->times);
done:
    ge_engine_delete(&r->engine);
    return rc;
}

/* ---- the end: rank 0 -------------------------------------------------------------------------------------- */

/* Close the journal, pack, write and print the tables. */
static ge_status finish(struct run *r, ge_status rc, const struct ge_dist_report *report, int *code)
{
    bool complete = false;
    char why[512]; /* what follows sets messages of its own */
    snprintf(why, sizeof why, "%s", rc == GE_OK ? "failures of the node" : ge_error());
    ge_status end = rc == GE_OK || rc == GE_EINTERRUPTED || rc == GE_ECOMM
                        ? ge_rundir_finish(r->dir, &complete)
                        : ge_rundir_sync(r->dir);
    if (rc == GE_OK) rc = end;
    if (rc == GE_OK && complete) {
        rc = ge_finish_tables(r->session.job->output.dir, NULL, r->session.job->output.dir, stdout);
    }
    if (rc == GE_OK && complete) {
        *code = GE_EXIT_DONE;
    } else if (rc == GE_OK || rc == GE_EINTERRUPTED || rc == GE_ECOMM) {
        *code = GE_EXIT_AGAIN;
        ge_warn(
            "not finished (%s): %u of %u chunks done, %llu samples undone; run the same command "
            "again",
            why,
            report->stats.chunks_before + report->stats.chunks_done - report->stats.chunks_partial,
            report->stats.chunks, (unsigned long long)report->stats.samples_undone);
    } else {
        *code = ge_cli_fail(rc);
    }
    if (r->progress.mode != GE_PROGRESS_QUIET) {
        ge_provenance_print_times(&r->times, report);
    }
    ge_rundir_close(&r->dir, *code);
    return rc;
}

/* What this rank's threads did, where the job asks for it. Failing to write it fails nothing. */
static void write_trace(const struct run *r)
{
    char *folder = ge_fs_join(r->session.job->output.dir, "trace");
    char *path = folder != NULL ? ge_sprintf("%s/rank-%d.json", folder, r->rank) : NULL;
    if (path == NULL || ge_fs_mkdirs(folder) != GE_OK || ge_trace_stop(path) != GE_OK) {
        ge_warn("the trace is not written: %s", ge_error());
    }
    free(path);
    free(folder);
}

/* A run that was finished before: its tables again. */
static ge_status show_finished(struct run *r, int *code)
{
    const char *dir = r->session.job->output.dir;
    ge_info("%s is finished; nothing is left to do", dir);
    ge_status rc = ge_finish_tables(dir, NULL, dir, stdout);
    *code = rc == GE_OK ? GE_EXIT_DONE : ge_cli_fail(rc);
    ge_rundir_close(&r->dir, *code);
    return rc;
}

static ge_status run(struct run *r, const struct ge_args *args, struct ge_dist_report *report,
                     int *code)
{
    ge_status rc = GE_OK;
    bool begun = false;
    GE_TRY(open_session(r, args));
    GE_TRY(share_plan(r));
    if (r->finished) return r->rank == 0 ? show_finished(r, code) : GE_OK;
    GE_TRY(begin_journal(r));
    begun = true;
    ge_trace_thread("main");
    rc = evaluate(r, report);
    if (r->session.job->runtime.trace) write_trace(r);
    if (r->rank == 0) {
        rc = finish(r, rc, report, code);
    } else if (rc == GE_ECOMM) {
        *code = ge_cli_fail(rc); /* rank 0 is gone: there is nobody else to say so */
    }
done:
    if (!begun && rc != GE_OK) {
        *code = r->rank == 0 ? ge_cli_fail(rc) : GE_EXIT_FAILED;
        if (r->dir != NULL) ge_rundir_close(&r->dir, *code);
    }
    return rc;
}

int ge_cmd_run(int argc, char **argv)
{
    bool quiet = false, json = false;
    struct ge_flag flags[] = {{"--quiet", NULL, NULL, &quiet},
                              {"--json-progress", NULL, NULL, &json},
                              {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "run", .flags = flags, .job_options = true};
    struct ge_dist_report report = {.clean = true};
    struct run r = {0};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) rc = ge_fail(GE_EINVAL, "wanted one job file");
    if (rc != GE_OK) {
        code = ge_cli_usage("run", "%s", ge_error());
        goto done;
    }
    install_signals();
    ge_progress_init(&r.progress, quiet  ? GE_PROGRESS_QUIET
                                  : json ? GE_PROGRESS_JSON
                                         : GE_PROGRESS_AUTO);
    rc = ge_comm_start(&r.comm);
    if (rc != GE_OK) {
        code = ge_cli_fail(rc);
        goto done;
    }
    r.rank = ge_comm_rank(r.comm);
    if (ge_comm_size(r.comm) > 1) ge_log_set_rank(r.rank);
    run(&r, &args, &report, &code);
    fflush(stdout);
    bool clean = report.clean;
    ge_comm_finish(&r.comm, clean);
    if (!clean) _exit(code); /* somebody was lost: MPI_Finalize could hang */
done:
    ge_run_delete(&r.head);
    ge_session_close(&r.session);
    free(r.done);
    free(r.group);
    ge_args_free(&args);
    return code;
}
