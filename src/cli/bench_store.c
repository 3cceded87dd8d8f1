/* Speed of the journal: results packed, framed, written and made durable, against the same bytes
 * written plainly in pieces of the same size, each followed by fdatasync. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "record/run.h"
#include "store/journal.h"

enum { CHUNKS = 64, CHUNK_ITEMS = 128, METRICS = 3, DIM = 512 };
enum { SAMPLES = CHUNK_ITEMS * GE_DIRECTIONS };

static const char *metric_names[METRICS] = {"similarity.image_text", "similarity.text_text",
                                            "match.exact"};
static const char *rule_name = "threshold";
static const char *kind_name = "clip:image";

/* ---- a run ----------------------------------------------------------------------------------- */

static ge_status make_run(struct ge_run **out)
{
    ge_status rc = GE_OK;
    struct ge_run *run;
    struct ge_arena *arena = NULL;
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY_PTR(run, ge_arena_alloc(arena, 1, sizeof *run));
    run->arena = arena;
    run->id = "0123456789abcdef";
    run->job = "{\"name\": \"bench\"}";
    run->provenance = "[]";
    run->numerics_id = "bench";
    run->chunk_items = CHUNK_ITEMS;
    run->metrics = (struct ge_strings){metric_names, METRICS};
    run->rules = (struct ge_strings){&rule_name, 1};
    run->embedding_kinds = (struct ge_strings){&kind_name, 1};
    run->n_cells = 1;
    GE_TRY_PTR(run->cells, ge_arena_alloc(run->arena, 1, sizeof *run->cells));
    run->cells[0] = (struct ge_cell){.system = "a system", .settings = "{}"};
    run->cells[0].hash = ge_hash_bytes("a system", 8);
    run->n_items = (size_t)CHUNKS * CHUNK_ITEMS;
    GE_TRY_PTR(run->items, ge_arena_alloc(run->arena, run->n_items, sizeof *run->items));
    for (size_t i = 0; i < run->n_items; i++) {
        struct ge_item *item = &run->items[i];
        GE_TRY_PTR(item->id, ge_arena_printf(run->arena, "item-%06zu", i));
        item->index = (uint32_t)i;
        item->category = "a category";
        item->cluster = item->id;
    }
    *out = run;
    arena = NULL;
done:
    ge_arena_delete(&arena);
    return rc;
}

/* The first chunk's rows: an answer, three scores, a verdict and an embedding per sample. */
static ge_status make_result(struct ge_arena *a, struct ge_result *r)
{
    ge_status rc = GE_OK;
    float *values = NULL;
    *r = (struct ge_result){.count = CHUNK_ITEMS, .n_samples = SAMPLES};
    GE_TRY_PTR(r->responses, ge_arena_alloc(a, SAMPLES, sizeof *r->responses));
    GE_TRY_PTR(r->scores, ge_arena_alloc(a, SAMPLES * METRICS, sizeof *r->scores));
    GE_TRY_PTR(r->verdicts, ge_arena_alloc(a, SAMPLES, sizeof *r->verdicts));
    GE_TRY_PTR(r->embeddings, ge_arena_alloc(a, SAMPLES, sizeof *r->embeddings));
    GE_TRY_PTR(values, ge_arena_alloc(a, (size_t)SAMPLES * DIM, sizeof *values));
    for (size_t i = 0; i < (size_t)SAMPLES * DIM; i++) values[i] = (float)ge_uniform(2, 0, i);
    for (size_t i = 0; i < SAMPLES; i++) {
        r->responses[i] = (struct ge_response_row){.text = "three red cubes left of a blue ball"};
        r->verdicts[i] = (struct ge_verdict_row){.value = 1, .judges = 1};
        r->embeddings[i] = (struct ge_embedding_row){.dim = DIM, .values = values + i * DIM};
        for (size_t m = 0; m < METRICS; m++) {
            r->scores[i * METRICS + m] =
                (struct ge_score_row){.metric = (uint16_t)m, .value = ge_uniform(3, m, i)};
        }
    }
    r->n_responses = r->n_verdicts = r->n_embeddings = SAMPLES;
    r->n_scores = (size_t)SAMPLES * METRICS;
done:
    return rc;
}

/* Make the rows those of another chunk. */
static void move_result(struct ge_result *r, uint32_t chunk)
{
    r->first = chunk * CHUNK_ITEMS;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        struct ge_key key = {.item = r->first + i / GE_DIRECTIONS,
                             .direction = (uint8_t)(i % GE_DIRECTIONS)};
        r->responses[i].key = r->verdicts[i].key = r->embeddings[i].key = key;
        for (uint32_t m = 0; m < METRICS; m++) r->scores[i * METRICS + m].key = key;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static ge_status always_ours(void *ctx)
{
    (void)ctx;
    return GE_OK;
}

static ge_status time_journal(const char *dir, const struct ge_run *run, struct ge_result *r,
                              double *seconds)
{
    ge_status rc = GE_OK;
    struct ge_journal_scan scan = {0};
    struct ge_journal *j = NULL;
    GE_TRY(ge_journal_scan(dir, &scan));
    GE_TRY(ge_journal_open(&scan, run, "{}", always_ours, NULL, &j));
    double start = ge_now();
    for (uint32_t c = 0; c < CHUNKS; c++) {
        move_result(r, c);
        GE_TRY(ge_journal_append(j, r, NULL));
    }
    GE_TRY(ge_journal_sync(j));
    *seconds = ge_now() - start;
done:
    ge_journal_delete(&j);
    ge_journal_scan_free(&scan);
    return rc;
}

static ge_status time_plain(const char *path, const char *data, size_t len, double *seconds)
{
    ge_status rc = GE_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return ge_fail(GE_EIO, "%s cannot be written: %s", path, strerror(errno));
    double start = ge_now();
    for (size_t at = 0; at < len; at += GE_JOURNAL_BATCH) {
        size_t n = len - at < GE_JOURNAL_BATCH ? len - at : GE_JOURNAL_BATCH;
        GE_TRY(ge_fs_write_all(fd, data + at, n, path));
        if (fdatasync(fd) != 0) {
            GE_TRY(ge_fail(GE_EIO, "%s cannot be written: %s", path, strerror(errno)));
        }
    }
    *seconds = ge_now() - start;
done:
    close(fd);
    return rc;
}

/* One round in a folder of its own: the journal, then its bytes again. */
static ge_status run_round(struct ge_bench *b, const struct ge_run *run, struct ge_result *r,
                           double *journal, double *plain, size_t *bytes)
{
    ge_status rc = GE_OK;
    char *folder = NULL, *dir = NULL, *epoch = NULL, *copy = NULL, *data = NULL;
    GE_TRY(ge_bench_folder(b, &folder));
    GE_TRY_PTR(dir, ge_fs_join(folder, "journal"));
    GE_TRY_PTR(epoch, ge_fs_join(dir, "00000000"));
    GE_TRY_PTR(copy, ge_fs_join(folder, "plain"));
    GE_TRY(time_journal(dir, run, r, journal));
    GE_TRY(ge_fs_read(epoch, (size_t)1 << 30, &data, bytes));
    GE_TRY(time_plain(copy, data, *bytes, plain));
done:
    ge_bench_remove(folder);
    free(folder);
    free(dir);
    free(epoch);
    free(copy);
    free(data);
    return rc;
}

ge_status ge_bench_store(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_result r;
    double *journal = NULL, *plain = NULL, *share = NULL;
    const size_t n = (size_t)b->repeats;
    size_t bytes = 0;
    GE_TRY(make_run(&run));
    GE_TRY(make_result(run->arena, &r));
    GE_NEW(journal, n);
    GE_NEW(plain, n);
    GE_NEW(share, n);
    GE_TRY(run_round(b, run, &r, &journal[0], &plain[0], &bytes)); /* warm-up */
    for (size_t i = 0; i < n; i++) {
        GE_TRY(run_round(b, run, &r, &journal[i], &plain[i], &bytes));
        share[i] = 100 * plain[i] / journal[i];
    }
    ge_bench_rate(b, "journal", "MB/s", 1e-6 * (double)bytes, journal, n);
    ge_bench_rate(b, "plain write and fdatasync", "MB/s", 1e-6 * (double)bytes, plain, n);
    ge_bench_values(b, "journal against plain", "%", share, n);
    ge_buf_printf(&b->notes, "%d results, %.1f MB, made durable every %zu MiB, wall clock", CHUNKS,
                  1e-6 * (double)bytes, GE_JOURNAL_BATCH >> 20);
done:
    free(journal);
    free(plain);
    free(share);
    ge_run_delete(&run);
    return rc;
}
