/* The session's device, its encoders and the evaluator over them. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/topology.h"
#include "base/trace.h"
#include "cli/backends.h"
#include "cli/bertscore.h"
#include "cli/session.h"
#include "cli/tuned.h"

/* ---- device and encoders ---------------------------------------------------------------------------------- */

static struct ge_hash text_hash(const char *text)
{
    return ge_hash_bytes(text, strlen(text));
}

/* The type of an encoder. The option table allows no other names. */
static enum ge_dtype encoder_dtype(const struct ge_job_encoder *e)
{
    enum ge_dtype dtype = GE_F32;
    GE_ASSERT(ge_dtype_parse(e->dtype, &dtype));
    return dtype;
}

/* What the device must be able to compute in: every device knows fp32, so another type decides. */
static enum ge_dtype widest_demand(const struct ge_job *job)
{
    enum ge_dtype dtype = GE_F32;
    for (size_t i = 0; i < job->n_encoders && dtype == GE_F32; i++) {
        dtype = encoder_dtype(&job->encoders[i]);
    }
    return dtype;
}

/* Everyone's piece of `size` bytes to all, in the order of the ranks (heap). Collective; nobody returns
 * before all have called. */
static ge_status gather_to_all(struct ge_comm *comm, const void *mine, size_t size, void **all)
{
    ge_status rc = GE_OK;
    const size_t n = (size_t)ge_comm_size(comm);
    void **parts = NULL;
    size_t *lens = NULL, len = 0;
    *all = NULL;
    GE_TRY(ge_comm_gather(comm, mine, size, size, &parts, &lens));
    if (ge_comm_rank(comm) == 0) {
        *all = ge_calloc(n, size);
        rc = *all == NULL ? GE_ENOMEM : GE_OK;
        for (size_t i = 0; rc == GE_OK && i < n; i++) {
            memcpy((char *)*all + i * size, parts[i], size);
        }
        len = n * size;
    }
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_broadcast(comm, all, &len, n * size));
done:
    free(parts);
    free(lens);
    return rc;
}

/* A node's CPUs are shared out among the ranks that may use them. Collective. */
static ge_status share_cpus(struct ge_session *s, struct ge_comm *comm)
{
    ge_status rc = GE_OK;
    struct ge_cpu_place here;
    void *all = NULL;
    ge_cpu_place_here(&here);
    GE_TRY(gather_to_all(comm, &here, sizeof here, &all));
    s->cpus = ge_cpu_share(all, (size_t)ge_comm_size(comm), (size_t)ge_comm_rank(comm));
done:
    free(all);
    return rc;
}

/* Open the device at one level on all ranks. GE_ECONFLICT or GE_EUNSUPPORTED on all of them when
 * one cannot, or computes other digits. */
static ge_status open_device_at(struct ge_session *s, struct ge_comm *comm, const char *level)
{
    ge_status rc = GE_OK;
    struct ge_device_options options = {
        .threads = s->job->runtime.threads > 0 ? s->job->runtime.threads : s->cpus,
        .level = level,
        .index = ge_comm_local_rank(comm),
        .dtype = widest_demand(s->job),
        .tf32 = s->job->runtime.tf32,
        .tuned = s->tuned,
    };
    ge_device_close(&s->device);
    rc = ge_backends_open(s->job->runtime.device, &options, &s->device);
    GE_TRY(ge_comm_agree(comm, rc));
    if (!s->job->runtime.allow_mixed) {
        GE_TRY(ge_comm_same(comm, text_hash(ge_device_numerics(s->device)), "the device"));
    }
    s->level = level;
done:
    return rc;
}

static ge_status open_device(struct ge_session *s, struct ge_comm *comm)
{
    static const char *const lower[] = {"avx512", "avx2", "base"};
    ge_status rc = GE_OK;
    GE_TRY(share_cpus(s, comm));
    rc = open_device_at(s, comm, s->job->runtime.level);
    /* A GPU has no lower level. */
    bool fixed =
        strcmp(s->job->runtime.level, "native") != 0 || strcmp(s->job->runtime.device, "cuda") == 0;
    for (size_t i = 0; i < 3 && rc != GE_OK && !fixed && ge_comm_size(comm) > 1; i++) {
        if (ge_comm_rank(comm) == 0) ge_info("%s; trying CPU level %s", ge_error(), lower[i]);
        rc = open_device_at(s, comm, lower[i]);
    }
done:
    return rc;
}

/* Threads that are started from now on stay near the device. Failing to bind is no failure of the
 * run: it is only slower. */
static void bind_near_device(struct ge_session *s)
{
    const char *pci = ge_device_pci(s->device);
    if (pci[0] == '\0' || strcmp(s->job->runtime.bind, "none") == 0) return;
    if (ge_topology_bind_near(pci, s->binding, sizeof s->binding) != GE_OK) {
        ge_debug("binding near the device: %s", ge_error());
        s->binding[0] = '\0';
    }
    if (ge_cpu_count() < s->cpus) s->cpus = ge_cpu_count();
}

/* What the trace's spans are called, for a profiler that watches the device. */
static struct ge_device *watched;

static void push_range(const char *name)
{
    ge_device_range_push(watched, name);
}

static void pop_range(void)
{
    ge_device_range_pop(watched);
}

void ge_session_watch(struct ge_device *dev)
{
    watched = dev;
    ge_trace_hooks(dev != NULL ? push_range : NULL, dev != NULL ? pop_range : NULL);
}

/* Ranks that have this rank's device, this one among them. Collective; nobody returns before all
 * have called. */
static ge_status count_sharers(const struct ge_session *s, struct ge_comm *comm, int *sharers)
{
    ge_status rc = GE_OK;
    struct ge_cpu_place here;
    struct device_place {
        uint64_t machine;
        struct ge_hash pci;
    } key, *all;
    void *gathered = NULL;
    ge_cpu_place_here(&here);
    key = (struct device_place){here.machine, text_hash(ge_device_pci(s->device))};
    GE_TRY(gather_to_all(comm, &key, sizeof key, &gathered));
    all = gathered;
    *sharers = 0;
    for (size_t i = 0; i < (size_t)ge_comm_size(comm); i++) {
        *sharers += memcmp(&all[i], &key, sizeof key) == 0;
    }
done:
    free(gathered);
    return rc;
}

/* Load the encoders within this rank's share of the device's memory. */
static ge_status load_encoders(struct ge_session *s, size_t budget)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = s->job;
    struct ge_encoder_options options = {
        .switches = &s->switches,
        .threads = s->cpus,
        .max_batch = ge_backends_batch(s->device, job->runtime.batch_size),
        .memory = budget,
    };
    GE_NEW(s->encoders, job->n_encoders);
    for (size_t i = 0; i < job->n_encoders; i++) {
        options.dtype = encoder_dtype(&job->encoders[i]);
        rc = ge_encoder_load(job->encoders[i].model, s->device, &options, &s->encoders[i]);
        if (rc != GE_OK) GE_TRY(ge_fail_in(rc, "encoders.%s", job->encoders[i].name));
        size_t taken = ge_encoder_weight_bytes(s->encoders[i]);
        if (budget > 0) options.memory = options.memory > taken ? options.memory - taken : 1;
    }
    GE_TRY(ge_backends_check_memory(s->encoders, job->n_encoders, budget));
done:
    return rc;
}

ge_status ge_session_load_encoders(struct ge_session *s, struct ge_comm *comm)
{
    ge_status rc = GE_OK;
    int sharers;
    GE_TRY(ge_tuned_load(s->job, comm, &s->tuned));
    GE_TRY(open_device(s, comm));
    bind_near_device(s);
    if (s->job->runtime.trace) ge_session_watch(s->device);
    s->numerics = ge_strdup(ge_device_numerics(s->device));
    GE_TRY(ge_comm_agree(comm, s->numerics == NULL ? GE_ENOMEM : GE_OK));
    size_t whole = ge_backends_budget(s->device, 1); /* before anybody loads */
    GE_TRY(count_sharers(s, comm, &sharers));
    GE_TRY(ge_comm_agree(comm, load_encoders(s, whole / (size_t)sharers)));
done:
    return rc;
}

/* ---- evaluator ------------------------------------------------------------------------------------------------ */

static int encoder_index(const struct ge_job *job, const struct ge_job_encoder *e)
{
    return e == NULL ? -1 : (int)(e - job->encoders);
}

/* The items are those that the job selects, whatever a rank evaluates of them. */
static ge_status prepare_bertscore(struct ge_session *s)
{
    const struct ge_job_scoring *job = &s->job->scoring;
    if (job->bertscore == NULL) return GE_OK;
    return ge_bertscore_prepare(&job->how_bertscore, job->bertscore->name,
                                s->encoders[encoder_index(s->job, job->bertscore)],
                                s->dataset->items, s->dataset->n, s->scoring, s->n_scoring, &s->idf,
                                &s->evaluator.bertscore_layer);
}

ge_status ge_session_make_evaluator(struct ge_session *s)
{
    ge_status rc = GE_OK;
    const struct ge_job *job = s->job;
    GE_NEW(s->cells, job->n_systems);
    for (size_t i = 0; i < job->n_systems; i++) {
        s->cells[i].responder = ge_respond_recorded(&s->answers[i]->answers);
    }
    GE_TRY(ge_cache_new((size_t)job->runtime.embed_cache_mb << 20, &s->cache));
    GE_TRY(ge_pixels_new(s->device, &s->pixels));
    GE_TRY(ge_pool_new(job->runtime.decode_threads > 0 ? job->runtime.decode_threads : s->cpus,
                       &s->decode_pool));
    struct ge_evaluator *ev = &s->evaluator;
    ev->items = s->dataset->items;
    ev->cells = s->cells;
    ev->scoring = s->scoring;
    ev->n_scoring = s->n_scoring;
    ev->device = s->device;
    ev->encoders = s->encoders;
    ev->n_encoders = job->n_encoders;
    ev->role_encoder[GE_ROLE_IMAGE_TEXT] = encoder_index(job, job->scoring.image_text);
    ev->role_encoder[GE_ROLE_IMAGE_IMAGE] = encoder_index(job, job->scoring.image_image);
    ev->role_encoder[GE_ROLE_TEXT_TEXT] = encoder_index(job, job->scoring.text_text);
    ev->role_encoder[GE_ROLE_BERTSCORE] = encoder_index(job, job->scoring.bertscore);
    ev->role_encoder[GE_ROLE_PIXELS] = -1; /* it needs none */
    GE_TRY(prepare_bertscore(s));
    ev->image = s->switches.image;
    ev->drop_responses = !job->output.responses;
    ev->keep_embeddings = job->output.embeddings;
    ev->cache = s->cache;
    ev->pixels = s->pixels;
    ev->decode_pool = s->decode_pool;
    ev->retry_backoff = job->runtime.retry_backoff_s;
    ev->was_missing = ge_session_was_missing;
    ev->was_missing_ctx = s;
done:
    return rc;
}

uint32_t ge_session_chunk_items(const struct ge_session *s)
{
    return ge_backends_chunk(s->device, s->job->runtime.chunk_items);
}
