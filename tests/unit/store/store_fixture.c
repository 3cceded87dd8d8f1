#include "store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "store/run_head.h"

/* ---- content ------------------------------------------------------------------------------------ */

static struct ge_strings strings(struct ge_arena *a, size_t n, const char *const *v)
{
    struct ge_strings s = {.v = ge_arena_alloc(a, n, sizeof *s.v), .n = n};
    for (size_t i = 0; i < n; i++) s.v[i] = ge_arena_strdup(a, v[i]);
    return s;
}

static void fill_task(struct ge_arena *a, struct ge_task *t, uint32_t i)
{
    static const char *const words[] = {"a red circle", "zwei Kreise", "",
                                        "\xe4\xb8\x89\xe4\xb8\xaa"};
    t->present = true;
    t->type = i % 2 ? "vqa" : "number";
    t->prompt = ge_arena_printf(a, "How many \"circles\" in %u?\n", i);
    t->images = strings(a, 1, words);
    t->references = strings(a, i % 4, words);
    t->choices = strings(a, i % 3, words);
    t->answer = i % 3 ? "B" : NULL;
    t->objects = ge_arena_alloc(a, 1, sizeof *t->objects);
    t->objects[0] = (struct ge_object){.name = "circle",
                                       .synonyms = strings(a, i % 2, words),
                                       .number = (int64_t)i - 1,
                                       .present = i % 2};
    t->n_objects = i % 2;
    t->constraints = i % 5 == 0 ? "[{\"kind\": \"count\",  \"n\": 1.50}]" : NULL;
    t->may_copy = i % 7 == 0;
}

/* Two raters, two dimensions, the first items of each cell. */
static void fill_ratings(struct ge_run *run)
{
    static const char *const raters[] = {"Ada", "r\xc3\xa9mi"};
    static const char *const dimensions[] = {"faithful", "quality"};
    struct ge_arena *a = run->arena;
    struct ge_ratings *r = &run->ratings;
    size_t items = run->n_items < 2 ? run->n_items : 2;
    r->raters = strings(a, 2, raters);
    r->dimensions = strings(a, 2, dimensions);
    r->v = ge_arena_alloc(a, run->n_cells * items * 4, sizeof *r->v);
    for (uint32_t c = 0; c < run->n_cells; c++) {
        for (uint32_t k = 0; k < 4 * items; k++) {
            r->v[r->n++] = (struct ge_rating){.key = {.item = k / 4, .direction = GE_UND},
                                              .cell = c,
                                              .dimension = k / 2 % 2,
                                              .rater = k % 2,
                                              .score = 1 + ge_uniform(4, c, k)};
        }
    }
}

struct ge_run *fixture_run(uint32_t items, uint32_t cells, uint32_t chunk_items)
{
    static const char *const metrics[] = {"clip_score", "text_text", "exact"};
    static const char *const rules[] = {"threshold", "choice"};
    static const char *const kinds[] = {"clip:image", "clip:text"};
    struct ge_run *run = ge_run_new();
    struct ge_arena *a = run->arena;
    run->id = "0123456789abcdef";
    run->job = "{\"name\":\"fixture\"}";
    run->provenance = "[]";
    run->numerics_id = "cpu-fp32";
    run->chunk_items = chunk_items;
    run->metrics = strings(a, 3, metrics);
    run->rules = strings(a, 2, rules);
    run->embedding_kinds = strings(a, 2, kinds);
    run->n_cells = cells;
    run->cells = ge_arena_alloc(a, cells, sizeof *run->cells);
    for (uint32_t c = 0; c < cells; c++) {
        run->cells[c].system = c % 2 ? "zeta" : "alpha";
        run->cells[c].settings = ge_arena_printf(a, "{\"threshold\":%u}", c);
        run->cells[c].hash = ge_hash_bytes(&c, sizeof c);
    }
    run->n_items = items;
    run->items = ge_arena_alloc(a, items, sizeof *run->items);
    for (uint32_t i = 0; i < items; i++) {
        struct ge_item *item = &run->items[i];
        static const char *const tags[] = {"skill:counting", "skill:colour"};
        item->id = ge_arena_printf(a, "item-%05u", i * 7919 % 100003);
        item->index = i;
        item->category = i % 3 ? "counting" : "attributes";
        item->subcategory = i % 4 ? "shapes" : NULL;
        item->tags = strings(a, i % 3, tags);
        item->cluster = ge_arena_printf(a, "image-%u.jpg", i / 2);
        item->extra = i % 6 ? NULL : "{\"note\":\"kept\"}";
        fill_task(a, &item->task[GE_UND], i);
        if (i % 5) fill_task(a, &item->task[GE_GEN], i + 1);
    }
    fill_ratings(run);
    return run;
}

static struct ge_key key_of(uint32_t item, size_t direction, uint32_t sample)
{
    return (struct ge_key){.item = item, .direction = (uint8_t)direction, .sample = sample};
}

/* Rows of one sample; every eleventh is an error row instead. */
static void add_sample(const struct ge_run *run, struct ge_result *r, struct ge_arena *a,
                       struct ge_key key)
{
    uint64_t stream = ((uint64_t)r->cell << 32) | key.item;
    uint64_t index = key.direction * 2 + key.sample;
    r->n_samples++;
    struct ge_response_row *response = &r->responses[r->n_responses++];
    response->key = key;
    if (key.direction == GE_UND) {
        response->text =
            ge_arena_printf(a, "answer %llu of cell %u", (unsigned long long)index, r->cell);
        response->truncated = key.item % 9 == 0;
    } else {
        response->image = ge_arena_printf(a, "images/%u.png", key.item);
        response->image_hash = ge_hash_bytes(&stream, sizeof stream);
    }
    if ((key.item + r->cell) % 11 == 0) {
        r->errors[r->n_errors++] =
            (struct ge_error_row){.key = key, .status = GE_EFORMAT, .reason = "image is cut short"};
        return;
    }
    for (uint16_t m = 0; m < run->metrics.n; m++) {
        r->scores[r->n_scores++] = (struct ge_score_row){
            .key = key, .metric = m, .value = ge_uniform(m, stream, index) * 2 - 1};
    }
    r->verdicts[r->n_verdicts++] = (struct ge_verdict_row){.key = key,
                                                           .value = ge_uniform(9, stream, index),
                                                           .rule = (uint16_t)(key.item % 2),
                                                           .judges = 1 + key.sample};
    float *values = ge_arena_alloc(a, 4, sizeof *values);
    for (int k = 0; k < 4; k++) values[k] = (float)ge_uniform(20 + (uint64_t)k, stream, index);
    r->embeddings[r->n_embeddings++] =
        (struct ge_embedding_row){.key = key,
                                  .kind = key.direction == GE_UND,
                                  .dim = key.direction == GE_UND ? 4 : 3,
                                  .values = values};
}

struct ge_result fixture_result(const struct ge_run *run, uint64_t chunk, int undone,
                                struct ge_arena *a)
{
    uint64_t per_cell = ge_run_chunks_per_cell(run);
    struct ge_result r = {.cell = (uint32_t)(chunk / per_cell),
                          .first = (uint32_t)(chunk % per_cell) * run->chunk_items};
    r.count = (uint32_t)run->n_items - r.first;
    if (r.count > run->chunk_items) r.count = run->chunk_items;
    size_t most = (size_t)r.count * GE_DIRECTIONS * 2;
    r.responses = ge_arena_alloc(a, most, sizeof *r.responses);
    r.scores = ge_arena_alloc(a, most * run->metrics.n, sizeof *r.scores);
    r.verdicts = ge_arena_alloc(a, most, sizeof *r.verdicts);
    r.errors = ge_arena_alloc(a, most, sizeof *r.errors);
    r.embeddings = ge_arena_alloc(a, most, sizeof *r.embeddings);
    r.undone = ge_arena_alloc(a, most, sizeof *r.undone);
    for (uint32_t i = r.first; i < r.first + r.count; i++) {
        for (size_t d = 0; d < GE_DIRECTIONS; d++) {
            if (!run->items[i].task[d].present) continue;
            if (undone && i + 1 == r.first + r.count) {
                r.undone[r.n_undone++] = (struct ge_undone_row){
                    .key = key_of(i, d, 0), .status = GE_EIO, .reason = "disk went away"};
                continue;
            }
            for (uint32_t s = 0; s < 1 + i % 2; s++) add_sample(run, &r, a, key_of(i, d, s));
        }
    }
    return r;
}

/* ---- files ---------------------------------------------------------------------------------------- */

char *fixture_dir(void)
{
    /* Memory if there is some: these tests sync thousands of times. */
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char *dir = malloc(strlen(base) + 40);
    sprintf(dir, "%s/gapeval-store-XXXXXX", base);
    if (mkdtemp(dir) == NULL) abort();
    return dir;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    if (d == NULL) {
        unlink(path);
        return;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char sub[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
        remove_tree(sub);
    }
    closedir(d);
    rmdir(path);
}

void fixture_remove(char *dir)
{
    remove_tree(dir);
    free(dir);
}

const char *fixture_path(const char *dir, const char *name)
{
    static char buffers[2][1024];
    static int turn;
    turn = !turn;
    snprintf(buffers[turn], sizeof buffers[turn], "%s/%s", dir, name);
    return buffers[turn];
}

unsigned char *fixture_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    *len = 0;
    if (f == NULL) return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    unsigned char *data = malloc((size_t)size + 1);
    *len = fread(data, 1, (size_t)size, f);
    fclose(f);
    return data;
}

void fixture_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0) abort();
}

void fixture_copy(const char *from, const char *to)
{
    DIR *d = opendir(from);
    if (d == NULL) {
        size_t len;
        unsigned char *data = fixture_read(from, &len);
        fixture_write(to, data, len);
        free(data);
        return;
    }
    mkdir(to, 0777);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char a[1024], b[1024];
        if (e->d_name[0] == '.') continue;
        snprintf(a, sizeof a, "%s/%s", from, e->d_name);
        snprintf(b, sizeof b, "%s/%s", to, e->d_name);
        fixture_copy(a, b);
    }
    closedir(d);
}

/* ---- recording ------------------------------------------------------------------------------------ */

static struct ge_arena *prepared_arena;
static struct ge_result *prepared; /* of every chunk, or NULL */

void fixture_prepare(const struct ge_run *run)
{
    ge_arena_delete(&prepared_arena);
    prepared = NULL;
    if (run == NULL) return;
    prepared_arena = ge_arena_new();
    prepared = ge_arena_alloc(prepared_arena, (size_t)ge_run_chunks(run), sizeof *prepared);
    for (uint64_t c = 0; c < ge_run_chunks(run); c++) {
        prepared[c] = fixture_result(run, c, 0, prepared_arena);
    }
}

/* One start: chunks order[from…to-1]. */
static ge_status record_epoch(const char *dir, const struct ge_run *run, const uint64_t *order,
                              size_t from, size_t to, int finish)
{
    ge_status rc = GE_OK;
    struct ge_rundir *d = NULL;
    struct ge_arena *a = ge_arena_new();
    struct ge_rundir_options options = {
        .dir = dir, .lock_stale_s = 0.5, .job_id = "7", .restarts = (uint32_t)from + 1};
    if (a == NULL) return GE_ENOMEM;
    GE_TRY(ge_rundir_open(&options, &d));
    GE_TRY(ge_rundir_begin(d, ge_rundir_stored(d) == NULL ? run : NULL, "{\"host\":\"here\"}"));
    for (size_t i = from; i < to; i++) {
        uint64_t chunk = order != NULL ? order[i] : i;
        if (ge_rundir_chunk_done(d, chunk)) continue;
        struct ge_result made, *r = &made;
        if (prepared != NULL) {
            r = &prepared[chunk];
        } else {
            made = fixture_result(run, chunk, 0, a);
        }
        GE_TRY(ge_rundir_append(d, r, NULL));
        ge_arena_reset(a);
    }
    GE_TRY(ge_rundir_sync(d));
    if (finish) {
        GE_TRY(ge_rundir_finish(d, NULL));
        fixture_write(fixture_path(dir, "summary.json"), "{}", 2);
        fixture_write(fixture_path(dir, "samples.csv"), "", 0);
    }
done:
    ge_rundir_close(&d, rc == GE_OK ? 0 : 1);
    ge_arena_delete(&a);
    return rc;
}

ge_status fixture_record(const char *dir, const struct ge_run *run, const uint64_t *order, size_t n,
                         size_t epoch_every, int finish)
{
    size_t chunks = order != NULL ? n : (size_t)ge_run_chunks(run);
    size_t step = epoch_every > 0 ? epoch_every : chunks;
    for (size_t from = 0; from < chunks; from += step) {
        size_t to = from + step < chunks ? from + step : chunks;
        ge_status rc = record_epoch(dir, run, order, from, to, finish && to == chunks);
        if (rc != GE_OK) return rc;
    }
    return GE_OK;
}

/* ---- failing I/O ------------------------------------------------------------------------------------ */

static uint64_t fail_at, calls;
static enum fixture_failure fail_kind;

/* Whether this call is the one to fail; `writes`: it is one that writes. */
static int failing(int writes)
{
    if (fail_kind == FIXTURE_SHORT_WRITES && !writes) return 0;
    calls++;
    if (calls != fail_at) return 0;
    errno = fail_kind == FIXTURE_SHORT_WRITES || calls % 2 ? ENOSPC : EIO;
    return 1;
}

static int fail_open(const char *path, int flags, mode_t mode)
{
    return failing(0) ? -1 : ge_io_system.open(path, flags, mode);
}

static int fail_close(int fd)
{
    int bad = failing(0), error = errno;
    int rc = ge_io_system.close(fd);
    if (bad) errno = error;
    return bad ? -1 : rc;
}

static ssize_t fail_pread(int fd, void *data, size_t len, off_t at)
{
    return failing(0) ? -1 : ge_io_system.pread(fd, data, len, at);
}

static ssize_t fail_write(int fd, const void *data, size_t len)
{
    if (!failing(1)) return ge_io_system.write(fd, data, len);
    int error = errno;
    if (fail_kind == FIXTURE_SHORT_WRITES && ge_io_system.write(fd, data, len / 2) < 0) abort();
    errno = error;
    return -1;
}

static ssize_t fail_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (!failing(1)) return ge_io_system.pwrite(fd, data, len, at);
    int error = errno;
    if (fail_kind == FIXTURE_SHORT_WRITES && ge_io_system.pwrite(fd, data, len / 2, at) < 0)
        abort();
    errno = error;
    return -1;
}

static int fail_ftruncate(int fd, off_t size)
{
    return failing(0) ? -1 : ge_io_system.ftruncate(fd, size);
}

static int fail_fstat(int fd, struct stat *st)
{
    return failing(0) ? -1 : ge_io_system.fstat(fd, st);
}

static int fail_fdatasync(int fd)
{
    return failing(0) ? -1 : ge_io_system.fdatasync(fd);
}

static int fail_fsync(int fd)
{
    return failing(0) ? -1 : ge_io_system.fsync(fd);
}

static int fail_rename(const char *from, const char *to)
{
    return failing(0) ? -1 : ge_io_system.rename(from, to);
}

static int fail_link(const char *from, const char *to)
{
    return failing(0) ? -1 : ge_io_system.link(from, to);
}

static int fail_unlink(const char *path)
{
    return failing(0) ? -1 : ge_io_system.unlink(path);
}

void fixture_fail_at(uint64_t n, enum fixture_failure kind)
{
    static const struct ge_io table = {.open = fail_open,
                                       .close = fail_close,
                                       .pread = fail_pread,
                                       .write = fail_write,
                                       .pwrite = fail_pwrite,
                                       .ftruncate = fail_ftruncate,
                                       .fstat = fail_fstat,
                                       .fdatasync = fail_fdatasync,
                                       .fsync = fail_fsync,
                                       .rename = fail_rename,
                                       .link = fail_link,
                                       .unlink = fail_unlink};
    fail_at = n;
    fail_kind = kind;
    calls = 0;
    ge_io_set(&table);
}

uint64_t fixture_calls(void)
{
    return calls;
}

void fixture_fail_off(void)
{
    ge_io_set(NULL);
}
