/* A run over real ranks with toy work: used by run.sh, kill.sh and by hand.
 *
 *   dist_toy_run STATUS [key=number…]
 *     chunks (60), ms per chunk (5), dedicated (0), kill / hang / stop: the rank that kills itself,
 *     computes no further or is signalled, at its `at`-th chunk (2) or tenth of a second;
 *     expect: the status that the run must end with (0); bench: measure grants with so many chunks
 *
 * Rank 0 checks that every chunk came exactly once with the right rows and writes STATUS: a line
 * "ok" or what is wrong, then "chunk length checksum" for each chunk in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "dist/pump.h"
#include "toy.h"

enum { MAX_CHUNKS = 4096 };

struct options {
    long chunks, ms, dedicated, kill, hang, stop, at, expect, bench;
};

struct sink {
    int accepted[MAX_CHUNKS];
    size_t length[MAX_CHUNKS];
    uint64_t check[MAX_CHUNKS];
    unsigned char *want;
};

static volatile sig_atomic_t stop_flag;

static void on_signal(int number)
{
    (void)number;
    stop_flag = 1;
}

static ge_status accept(void *ctx, uint32_t chunk, const void *payload, size_t length,
                        uint32_t undone)
{
    struct sink *s = ctx;
    toy_fill(chunk, s->want);
    if (undone > 0 || length != toy_size(chunk) || memcmp(payload, s->want, length) != 0)
        return ge_fail(GE_EFORMAT, "wrong rows of chunk %u", chunk);
    s->accepted[chunk]++;
    s->length[chunk] = length;
    s->check[chunk] = ge_check64(payload, length);
    return GE_OK;
}

static void undone(void *ctx, uint32_t chunk, ge_status status, const char *reason)
{
    (void)ctx;
    ge_warn("chunk %u undone: %s: %s", chunk, ge_status_name(status), reason);
}

static void progress(void *ctx, const struct ge_dist_progress *p)
{
    (void)ctx;
    ge_info("%5.1f s: %u of %u chunks, %u workers, coordinator %.4f s, sink %.4f s", p->seconds,
            p->stats->chunks_done, p->stats->chunks, p->stats->workers_alive,
            p->coordinator_seconds, p->sink_seconds);
}

static void read_options(int argc, char **argv, struct options *o)
{
    const struct {
        const char *name;
        long *value;
    } rows[] = {{"chunks", &o->chunks}, {"ms", &o->ms},         {"dedicated", &o->dedicated},
                {"kill", &o->kill},     {"hang", &o->hang},     {"stop", &o->stop},
                {"at", &o->at},         {"expect", &o->expect}, {"bench", &o->bench}};
    *o = (struct options){.chunks = 60, .ms = 5, .kill = -1, .hang = -1, .stop = -1, .at = 2};
    for (int i = 2; i < argc; i++)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            size_t n = strlen(rows[k].name);
            if (strncmp(argv[i], rows[k].name, n) == 0 && argv[i][n] == '=')
                *rows[k].value = strtol(argv[i] + n + 1, NULL, 10);
        }
    if (o->chunks < 0 || o->chunks > MAX_CHUNKS) o->chunks = MAX_CHUNKS;
}

/* Rank 0's verdict. */
static void write_status(const char *path, const struct options *o, const struct sink *s,
                         uint32_t lost, ge_status rc)
{
    struct ge_buf b;
    ge_buf_init(&b, (size_t)1 << 20);
    long missing = 0, twice = 0;
    for (long c = 0; c < o->chunks; c++) {
        missing += s->accepted[c] == 0;
        twice += s->accepted[c] > 1;
    }
    bool whole = missing == 0 || o->expect != GE_OK;
    if (rc == (ge_status)o->expect && whole && twice == 0 && lost == (uint32_t)(o->kill >= 0))
        ge_buf_str(&b, "ok\n");
    else
        ge_buf_printf(&b, "status %s (%s), %ld chunks missing, %ld twice, %u ranks lost\n",
                      ge_status_name(rc), ge_error(), missing, twice, lost);
    for (long c = 0; c < o->chunks; c++)
        ge_buf_printf(&b, "%ld %zu %016llx\n", c, s->length[c], (unsigned long long)s->check[c]);
    if (ge_buf_status(&b) != GE_OK || ge_fs_replace(path, b.data, b.len) != GE_OK)
        ge_error_log("%s", ge_error());
    ge_buf_free(&b);
}

static struct ge_dist_config config(const struct options *o)
{
    struct ge_dist_config cfg = {.coordinator = ge_coordinator_defaults(),
                                 .dedicated = o->dedicated != 0,
                                 .progress = progress,
                                 .stop = &stop_flag};
    cfg.coordinator.run = 77;
    cfg.coordinator.n_chunks = (uint32_t)o->chunks;
    cfg.coordinator.timers = (struct ge_dist_timers){.heartbeat = 0.2,
                                                     .silence = 2,
                                                     .start_silence = 20,
                                                     .master_silence = 6,
                                                     .lease = 3,
                                                     .backoff = 0.05,
                                                     .drain = 2,
                                                     .bye = 3};
    return cfg;
}

static ge_status run_toy(struct ge_comm *comm, const struct options *o, const char *path,
                         struct ge_dist_report *report)
{
    int rank = ge_comm_rank(comm);
    struct toy *toy = toy_new((double)o->ms, rank == o->kill ? (int)o->at : -1,
                              rank == o->hang ? (int)o->at : -1);
    struct ge_work_ops work = toy_ops(toy);
    struct ge_dist_config cfg = config(o);
    struct sink *state = calloc(1, sizeof *state);
    state->want = malloc(toy_size(3));
    struct ge_sink sink = {state, accept, undone};
    signal(SIGALRM, on_signal);
    if (rank == o->stop) ualarm((useconds_t)o->at * 100000, 0);
    ge_status rc = ge_dist_run(comm, &cfg, &work, &sink, report);
    if (rc != GE_OK) ge_info("ended: %s: %s", ge_status_name(rc), ge_error());
    if (rank == 0) write_status(path, o, state, report->stats.workers_dead, rc);
    toy_delete(&toy);
    free(state->want);
    free(state);
    return rc;
}

static ge_status run_bench(struct ge_comm *comm, const struct options *o,
                           struct ge_dist_report *report)
{
    double rate = 0;
    ge_status rc = ge_dist_bench_grants(comm, (uint32_t)o->bench, 0, &rate, report);
    if (ge_comm_rank(comm) == 0)
        printf("%d ranks: %.0f grants/s, coordinator %.2f us each\n", ge_comm_size(comm), rate,
               1e6 * report->coordinator_seconds / (double)o->bench);
    return rc;
}

int main(int argc, char **argv)
{
    struct ge_comm *comm = NULL;
    struct options o;
    struct ge_dist_report report = {.clean = true};
    if (argc < 2) return 2;
    read_options(argc, argv, &o);
    if (ge_comm_start(&comm) != GE_OK) {
        ge_error_log("%s", ge_error());
        return 1;
    }
    ge_log_set_rank(ge_comm_rank(comm));
    ge_status rc = o.bench > 0 ? run_bench(comm, &o, &report) : run_toy(comm, &o, argv[1], &report);
    fflush(stdout);
    int code = rc == (ge_status)o.expect ? 0 : 1;
    if (!report.clean) _exit(code);
    ge_comm_finish(&comm, true);
    return code;
}
