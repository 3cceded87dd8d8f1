/* Facts about a start of a run. */
#include "cli/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/version.h"

const char *ge_provenance_job_id(void)
{
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *id = getenv(names[i]);
        if (id != NULL && id[0] != '\0') return id;
    }
    return NULL;
}

uint32_t ge_provenance_restarts(void)
{
    const char *text = getenv("SLURM_RESTART_COUNT");
    return text == NULL ? 0 : (uint32_t)strtoul(text, NULL, 10);
}

static const char *host_name(char out[256])
{
    if (gethostname(out, 256) != 0) return "unknown";
    out[255] = '\0';
    return out;
}

/* Unique by host, process and clock. */
static struct ge_hash unique_hash(void)
{
    struct {
        char host[256];
        struct timespec now, boot;
        long pid;
    } seed;
    memset(&seed, 0, sizeof seed);
    host_name(seed.host);
    clock_gettime(CLOCK_REALTIME, &seed.now);
    clock_gettime(CLOCK_MONOTONIC, &seed.boot);
    seed.pid = (long)getpid();
    return ge_hash_bytes(&seed, sizeof seed);
}

char *ge_provenance_run_id(struct ge_arena *arena)
{
    char hex[GE_HASH_HEX];
    ge_hash_hex(unique_hash(), hex);
    return ge_arena_strdup(arena, hex);
}

uint64_t ge_provenance_start_id(void)
{
    return unique_hash().lo | 1; /* never 0 */
}

/* One rank's own part. */
static void describe_rank(const struct ge_session *s, const struct ge_comm *comm,
                          struct ge_buf *out)
{
    struct ge_jsonw w;
    char host[256];
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_int(&w, "rank", ge_comm_rank(comm));
    ge_jsonw_string(&w, "host", host_name(host));
    ge_jsonw_int(&w, "pid", getpid());
    ge_jsonw_string(&w, "device", ge_device_describe(s->device));
    ge_jsonw_string(&w, "numerics", ge_device_numerics(s->device));
    if (s->binding[0] != '\0') ge_jsonw_string(&w, "binding", s->binding);
    ge_jsonw_int(&w, "threads", ge_device_threads(s->device));
    ge_jsonw_int(&w, "decode_threads", ge_pool_threads(s->decode_pool));
    ge_jsonw_object_end(&w);
}

static void describe_encoders(const struct ge_session *s, struct ge_jsonw *w)
{
    struct ge_buf text;
    char hex[GE_HASH_HEX];
    ge_buf_init(&text, 1 << 20);
    ge_jsonw_object(w, "encoders");
    for (size_t i = 0; i < s->job->n_encoders; i++) {
        ge_buf_reset(&text);
        ge_encoder_describe(s->encoders[i], &text);
        ge_hash_hex(ge_encoder_hash(s->encoders[i]), hex);
        ge_jsonw_object(w, s->job->encoders[i].name);
        ge_jsonw_string(w, "hash", hex);
        if (ge_buf_status(&text) == GE_OK && text.data != NULL) {
            ge_jsonw_raw(w, "model", text.data);
        }
        ge_jsonw_object_end(w);
    }
    ge_jsonw_object_end(w);
    ge_buf_free(&text);
}

static void describe_start(const struct ge_session *s, struct ge_hash golden, void *const *parts,
                           const size_t *lens, int n_ranks, struct ge_buf *out)
{
    struct ge_jsonw w;
    char hex[GE_HASH_HEX], now[21];
    ge_utc(now);
    ge_hash_hex(golden, hex);
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "version", GE_VERSION);
    ge_jsonw_string(&w, "commit", GE_COMMIT);
    ge_jsonw_string(&w, "started", now);
    ge_jsonw_string(&w, "mpi", ge_comm_library());
    ge_jsonw_string(&w, "batch_job", ge_provenance_job_id());
    ge_jsonw_int(&w, "batch_restarts", ge_provenance_restarts());
    ge_jsonw_int(&w, "seed", s->job->seed);
    ge_jsonw_bool(&w, "mixed", s->job->runtime.allow_mixed);
    ge_jsonw_string(&w, "golden", hex);
    describe_encoders(s, &w);
    ge_jsonw_array(&w, "ranks");
    for (int i = 0; i < n_ranks; i++) {
        char *text = ge_strndup(parts[i], lens[i]);
        if (text != NULL) ge_jsonw_raw(&w, NULL, text);
        free(text);
    }
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
}

ge_status ge_provenance_make(const struct ge_session *s, struct ge_comm *comm,
                             struct ge_hash golden, char **json)
{
    enum { MAX_RANK = 4096 };
    ge_status rc = GE_OK;
    struct ge_buf mine, all;
    void **parts = NULL;
    size_t *lens = NULL;
    *json = NULL;
    ge_buf_init(&mine, MAX_RANK);
    ge_buf_init(&all, (size_t)64 << 20);
    describe_rank(s, comm, &mine);
    GE_TRY(ge_comm_agree(comm, ge_buf_status(&mine)));
    GE_TRY(ge_comm_gather(comm, mine.data, mine.len, MAX_RANK, &parts, &lens));
    if (ge_comm_rank(comm) != 0) goto done;
    describe_start(s, golden, parts, lens, ge_comm_size(comm), &all);
    GE_TRY(ge_buf_status(&all));
    *json = ge_buf_take(&all, NULL);
done:
    free(parts);
    free(lens);
    ge_buf_free(&mine);
    ge_buf_free(&all);
    return rc;
}

void ge_provenance_print_times(const struct ge_eval_times *t, const struct ge_dist_report *report)
{
    double total = report->seconds > 0 ? report->seconds : 1;
    ge_info("%.1f s; this rank: read %.1f s, decode and resize %.1f s, encode %.1f s images + "
            "%.1f s texts, score %.2f s (%llu images, %llu texts encoded, %llu from the cache); "
            "coordinator %.2f %%, journal %.2f %%",
            report->seconds, t->read, t->decode, t->encode_images, t->encode_texts, t->score,
            (unsigned long long)t->images_encoded, (unsigned long long)t->texts_encoded,
            (unsigned long long)t->cache_hits, 100 * report->coordinator_seconds / total,
            100 * report->sink_seconds / total);
}
