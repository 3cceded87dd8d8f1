/* The head of a run, packed, and the rules that heads and results keep. */
#include "store/run_head.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"

enum {
    MAGIC = 0x31484547,         /* "GEH1" in little-endian order */
    MAGIC_RATINGS = 0x32484547, /* "GEH2": ratings follow the items */
    CELL_MIN = 4 + 4 + 16,
    ITEM_MIN = 4,
    RATING_BYTES = 4 + 4 + 1 + 4 + 4 + 4 + 8,
    STRING_MIN = 4
};

struct ge_run *ge_run_new(void)
{
    struct ge_arena *arena = ge_arena_new();
    if (arena == NULL) return NULL;
    struct ge_run *run = ge_arena_alloc(arena, 1, sizeof *run);
    if (run == NULL) {
        ge_arena_delete(&arena);
        return NULL;
    }
    run->arena = arena;
    return run;
}

uint64_t ge_run_chunks_per_cell(const struct ge_run *run)
{
    return ((uint64_t)run->n_items + run->chunk_items - 1) / run->chunk_items;
}

uint64_t ge_run_chunks(const struct ge_run *run)
{
    return run->n_cells * ge_run_chunks_per_cell(run);
}

ge_status ge_run_chunk_id(const struct ge_run *run, const struct ge_result *r, uint64_t *id)
{
    uint64_t left = r->first < run->n_items ? run->n_items - r->first : 0;
    uint64_t want = left < run->chunk_items ? left : run->chunk_items;
    if (r->cell >= run->n_cells || left == 0 || r->first % run->chunk_items != 0 ||
        r->count != want) {
        return ge_fail(GE_EFORMAT,
                       "result of cell %u, items %u+%u: the run has %zu cells of %zu items in "
                       "chunks of %u",
                       r->cell, r->first, r->count, run->n_cells, run->n_items, run->chunk_items);
    }
    *id = r->cell * ge_run_chunks_per_cell(run) + r->first / run->chunk_items;
    return GE_OK;
}

/* ---- packing ------------------------------------------------------------------------------ */

static void put_strings(struct ge_buf *out, struct ge_strings s)
{
    ge_buf_u64(out, s.n);
    for (size_t i = 0; i < s.n; i++) ge_buf_lpstr(out, s.v[i]);
}

/* Append an item as a length-prefixed JSON text. */
static void put_item(struct ge_buf *out, const struct ge_item *item)
{
    struct ge_buf text;
    ge_buf_init(&text, SIZE_MAX / 2);
    ge_item_print(item, &text);
    if (text.status != GE_OK && out->status == GE_OK) out->status = text.status;
    ge_buf_blob(out, text.data, text.len);
    ge_buf_free(&text);
}

static void put_ratings(struct ge_buf *out, const struct ge_ratings *r)
{
    put_strings(out, r->raters);
    put_strings(out, r->dimensions);
    ge_buf_u64(out, r->n);
    for (size_t i = 0; i < r->n; i++) {
        const struct ge_rating *v = &r->v[i];
        ge_buf_u32(out, v->cell);
        ge_buf_u32(out, v->key.item);
        ge_buf_u8(out, v->key.direction);
        ge_buf_u32(out, v->key.sample);
        ge_buf_u32(out, v->dimension);
        ge_buf_u32(out, v->rater);
        ge_buf_f64(out, v->score);
    }
}

void ge_run_head_pack(const struct ge_run *run, struct ge_buf *out)
{
    ge_buf_u32(out, run->ratings.n > 0 ? MAGIC_RATINGS : MAGIC);
    ge_buf_u32(out, run->chunk_items);
    ge_buf_lpstr(out, run->id);
    ge_buf_lpstr(out, run->job);
    ge_buf_lpstr(out, run->numerics_id);
    put_strings(out, run->metrics);
    put_strings(out, run->rules);
    put_strings(out, run->embedding_kinds);
    ge_buf_u64(out, run->n_cells);
    for (size_t i = 0; i < run->n_cells; i++) {
        ge_buf_lpstr(out, run->cells[i].system);
        ge_buf_lpstr(out, run->cells[i].settings);
        ge_buf_u64(out, run->cells[i].hash.hi);
        ge_buf_u64(out, run->cells[i].hash.lo);
    }
    ge_buf_u64(out, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) put_item(out, &run->items[i]);
    if (run->ratings.n > 0) put_ratings(out, &run->ratings);
}

/* ---- unpacking ---------------------------------------------------------------------------- */

static ge_status get_string(struct ge_reader *r, struct ge_arena *arena, const char **out)
{
    size_t len = 0;
    const char *p = ge_read_blob(r, &len);
    *out = NULL;
    if (p == NULL) return GE_OK; /* NULL string, or an overrun that sticks in the reader */
    if (memchr(p, '\0', len) != NULL) return ge_fail(GE_EFORMAT, "a string holds a NUL");
    *out = ge_arena_strndup(arena, p, len);
    return *out != NULL ? GE_OK : GE_ENOMEM;
}

/* A count of entries that take at least `min` bytes each. */
static ge_status get_count(struct ge_reader *r, size_t min, size_t *n)
{
    uint64_t v = ge_read_u64(r);
    *n = 0;
    if (r->status != GE_OK || v > (r->len - r->pos) / min) {
        return ge_fail(GE_EFORMAT, "more entries are declared than the data can hold");
    }
    *n = (size_t)v;
    return GE_OK;
}

static ge_status get_strings(struct ge_reader *r, struct ge_arena *arena, struct ge_strings *out)
{
    ge_status rc = GE_OK;
    GE_TRY(get_count(r, STRING_MIN, &out->n));
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, out->n, sizeof *out->v));
    for (size_t i = 0; i < out->n; i++) GE_TRY(get_string(r, arena, &out->v[i]));
done:
    return rc;
}

static ge_status get_cells(struct ge_reader *r, struct ge_run *run)
{
    ge_status rc = GE_OK;
    GE_TRY(get_count(r, CELL_MIN, &run->n_cells));
    GE_TRY_PTR(run->cells, ge_arena_alloc(run->arena, run->n_cells, sizeof *run->cells));
    for (size_t i = 0; i < run->n_cells; i++) {
        GE_TRY(get_string(r, run->arena, &run->cells[i].system));
        GE_TRY(get_string(r, run->arena, &run->cells[i].settings));
        run->cells[i].hash.hi = ge_read_u64(r);
        run->cells[i].hash.lo = ge_read_u64(r);
    }
done:
    return rc;
}

static ge_status get_items(struct ge_reader *r, struct ge_run *run)
{
    ge_status rc = GE_OK;
    GE_TRY(get_count(r, ITEM_MIN, &run->n_items));
    if (run->n_items > UINT32_MAX) {
        rc = ge_fail(GE_ELIMIT, "%zu items, at most %u are possible", run->n_items, UINT32_MAX);
        goto done;
    }
    GE_TRY_PTR(run->items, ge_arena_alloc(run->arena, run->n_items, sizeof *run->items));
    for (size_t i = 0; i < run->n_items; i++) {
        size_t len = 0;
        const char *json = ge_read_blob(r, &len);
        if (json == NULL) {
            rc = ge_fail(GE_EFORMAT, "item %zu is missing", i);
            goto done;
        }
        GE_TRY(ge_item_parse(json, len, (uint32_t)i, run->arena, &run->items[i]));
    }
done:
    return rc;
}

static ge_status get_ratings(struct ge_reader *r, struct ge_run *run)
{
    ge_status rc = GE_OK;
    struct ge_ratings *out = &run->ratings;
    GE_TRY(get_strings(r, run->arena, &out->raters));
    GE_TRY(get_strings(r, run->arena, &out->dimensions));
    GE_TRY(get_count(r, RATING_BYTES, &out->n));
    GE_TRY_PTR(out->v, ge_arena_alloc(run->arena, out->n, sizeof *out->v));
    for (size_t i = 0; i < out->n; i++) {
        struct ge_rating *v = &out->v[i];
        v->cell = ge_read_u32(r);
        v->key.item = ge_read_u32(r);
        v->key.direction = ge_read_u8(r);
        v->key.sample = ge_read_u32(r);
        v->dimension = ge_read_u32(r);
        v->rater = ge_read_u32(r);
        v->score = ge_read_f64(r);
    }
done:
    return rc;
}

ge_status ge_run_head_unpack(const void *data, size_t len, struct ge_run **out)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_reader r;
    *out = NULL;
    ge_reader_init(&r, data, len);
    GE_TRY_PTR(run, ge_run_new());
    uint32_t magic = ge_read_u32(&r);
    if (magic != MAGIC && magic != MAGIC_RATINGS) {
        rc = ge_fail(GE_EFORMAT, "the first bytes are neither GEH1 nor GEH2");
        goto done;
    }
    run->chunk_items = ge_read_u32(&r);
    GE_TRY(get_string(&r, run->arena, &run->id));
    GE_TRY(get_string(&r, run->arena, &run->job));
    GE_TRY(get_string(&r, run->arena, &run->numerics_id));
    GE_TRY(get_strings(&r, run->arena, &run->metrics));
    GE_TRY(get_strings(&r, run->arena, &run->rules));
    GE_TRY(get_strings(&r, run->arena, &run->embedding_kinds));
    GE_TRY(get_cells(&r, run));
    GE_TRY(get_items(&r, run));
    if (magic == MAGIC_RATINGS) GE_TRY(get_ratings(&r, run));
    GE_TRY(ge_reader_end(&r));
    GE_TRY(ge_run_head_check(run));
    *out = run;
    run = NULL;
done:
    if (rc == GE_EFORMAT) ge_fail_in(rc, "head of the run");
    ge_run_delete(&run);
    return rc;
}

/* ---- rules: head -------------------------------------------------------------------------- */

/* A name that must be there, not empty unless `empty`, and short enough for the name tables. */
static bool is_name(const char *s, bool empty)
{
    return s != NULL && (empty || s[0] != '\0') && strlen(s) <= GE_RUN_MAX_NAME;
}

static ge_status check_names(struct ge_strings s, const char *what)
{
    if (s.n > UINT16_MAX) {
        return ge_fail(GE_EFORMAT, "%zu %s, at most %u are possible", s.n, what, UINT16_MAX);
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!is_name(s.v[i], false)) {
            return ge_fail(GE_EFORMAT, "%s: entry %zu has no name, or one of over %d bytes", what,
                           i, GE_RUN_MAX_NAME);
        }
    }
    return GE_OK;
}

static ge_status check_items(const struct ge_run *run)
{
    ge_status rc = GE_OK;
    const char **ids = NULL;
    GE_NEW(ids, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) {
        const struct ge_item *item = &run->items[i];
        if (!is_name(item->id, false) || !is_name(item->category, true) ||
            !is_name(item->cluster, true) || item->index != i ||
            (item->subcategory != NULL && !is_name(item->subcategory, true))) {
            rc = ge_fail(GE_EFORMAT,
                         "item %zu: id, category, subcategory, cluster or position is missing or "
                         "longer than %d bytes",
                         i, GE_RUN_MAX_NAME);
            goto done;
        }
        ids[i] = item->id;
    }
    qsort(ids, run->n_items, sizeof *ids, ge_compare_strings);
    for (size_t i = 1; i < run->n_items; i++) {
        if (strcmp(ids[i - 1], ids[i]) == 0) {
            rc = ge_fail(GE_EFORMAT, "item id \"%.80s\" occurs twice", ids[i]);
            goto done;
        }
    }
done:
    free(ids);
    return rc;
}

ge_status ge_run_head_check(const struct ge_run *run)
{
    ge_status rc = GE_OK;
    if (run->id == NULL || run->job == NULL || run->numerics_id == NULL) {
        return ge_fail(GE_EFORMAT, "run id, job or numerics id is missing");
    }
    if (run->n_items == 0 || run->n_cells == 0 || run->chunk_items == 0) {
        return ge_fail(GE_EFORMAT, "%zu items, %zu cells, %u items a chunk: none may be 0",
                       run->n_items, run->n_cells, run->chunk_items);
    }
    if (run->n_items > UINT32_MAX || run->n_cells > UINT32_MAX) {
        return ge_fail(GE_EFORMAT, "%zu items, %zu cells: at most %u are possible", run->n_items,
                       run->n_cells, UINT32_MAX);
    }
    if (ge_run_chunks(run) > GE_RUN_MAX_CHUNKS) {
        return ge_fail(GE_ELIMIT, "%zu cells of %zu items in chunks of %u: at most %llu chunks",
                       run->n_cells, run->n_items, run->chunk_items,
                       (unsigned long long)GE_RUN_MAX_CHUNKS);
    }
    GE_TRY(check_names(run->metrics, "metrics"));
    GE_TRY(check_names(run->rules, "rules"));
    GE_TRY(check_names(run->embedding_kinds, "embedding kinds"));
    for (size_t i = 0; i < run->n_cells; i++) {
        if (!is_name(run->cells[i].system, true) || run->cells[i].settings == NULL) {
            rc = ge_fail(GE_EFORMAT, "cell %zu: system or settings are missing", i);
            goto done;
        }
    }
    GE_TRY(check_items(run));
    rc = ge_ratings_check(&run->ratings, run->n_cells, run->n_items);
done:
    return rc;
}

/* ---- rules: results ----------------------------------------------------------------------- */

static ge_status bad_row(const char *table, size_t row, const char *what)
{
    return ge_fail(GE_EFORMAT, "%s row %zu: %s", table, row, what);
}

/* A row's key inside its chunk and behind the row before it; `minor` is the rest of the order. */
static ge_status check_key(const struct ge_result *r, const char *table, size_t i,
                           const struct ge_key *before, struct ge_key key, int minor)
{
    if (key.item < r->first || key.item - r->first >= r->count) {
        return bad_row(table, i, "the item is outside the chunk");
    }
    if (key.direction >= GE_DIRECTIONS) return bad_row(table, i, "no such direction");
    if (i > 0) {
        int order = ge_key_compare(*before, key);
        if (order > 0 || (order == 0 && minor >= 0)) {
            return bad_row(table, i, "out of order or twice");
        }
    }
    return GE_OK;
}

/* Check the keys of a table whose rows begin with their key; `minor` of row i gives its place
 * among rows of one key (0 when the key alone must be unique). */
#define CHECK_KEYS(table, rows, n, minor)                                                          \
    for (size_t i = 0; i < (n); i++) {                                                             \
        int minor_ = i > 0 ? (int)(rows)[i - 1].minor - (int)(rows)[i].minor : 0;                  \
        GE_TRY(check_key(r, table, i, i > 0 ? &(rows)[i - 1].key : NULL, (rows)[i].key, minor_));  \
    }
#define CHECK_UNIQUE_KEYS(table, rows, n)                                                          \
    for (size_t i = 0; i < (n); i++) {                                                             \
        GE_TRY(check_key(r, table, i, i > 0 ? &(rows)[i - 1].key : NULL, (rows)[i].key, 0));       \
    }

static ge_status check_scores(const struct ge_run *run, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    CHECK_KEYS("scores", r->scores, r->n_scores, metric);
    for (size_t i = 0; i < r->n_scores; i++) {
        if (r->scores[i].metric >= run->metrics.n) return bad_row("scores", i, "no such metric");
        if (!isfinite(r->scores[i].value)) return bad_row("scores", i, "not a finite number");
    }
done:
    return rc;
}

static ge_status check_verdicts(const struct ge_run *run, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    CHECK_UNIQUE_KEYS("verdicts", r->verdicts, r->n_verdicts);
    for (size_t i = 0; i < r->n_verdicts; i++) {
        const struct ge_verdict_row *v = &r->verdicts[i];
        if (v->rule >= run->rules.n) return bad_row("verdicts", i, "no such rule");
        if (!(v->value >= 0 && v->value <= 1)) return bad_row("verdicts", i, "outside [0,1]");
    }
done:
    return rc;
}

static ge_status check_embeddings(const struct ge_run *run, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    CHECK_KEYS("embeddings", r->embeddings, r->n_embeddings, kind);
    for (size_t i = 0; i < r->n_embeddings; i++) {
        if (r->embeddings[i].kind >= run->embedding_kinds.n) {
            return bad_row("embeddings", i, "no such kind");
        }
    }
done:
    return rc;
}

static ge_status check_failures(const struct ge_result *r)
{
    ge_status rc = GE_OK;
    CHECK_UNIQUE_KEYS("errors", r->errors, r->n_errors);
    CHECK_UNIQUE_KEYS("undone", r->undone, r->n_undone);
    for (size_t i = 0; i < r->n_errors; i++) {
        if (r->errors[i].status == GE_OK || r->errors[i].status > GE_EINTERNAL) {
            return bad_row("errors", i, "no such error status");
        }
        if (r->errors[i].reason == NULL) return bad_row("errors", i, "without a reason");
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        if (r->undone[i].status == GE_OK || r->undone[i].status > GE_EINTERNAL) {
            return bad_row("undone", i, "no such error status");
        }
        if (r->undone[i].reason == NULL) return bad_row("undone", i, "without a reason");
    }
done:
    return rc;
}

ge_status ge_run_result_check(const struct ge_run *run, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    uint64_t id;
    GE_TRY(ge_run_chunk_id(run, r, &id));
    CHECK_UNIQUE_KEYS("responses", r->responses, r->n_responses);
    GE_TRY(check_scores(run, r));
    GE_TRY(check_verdicts(run, r));
    GE_TRY(check_embeddings(run, r));
    GE_TRY(check_failures(r));
done:
    if (rc == GE_EFORMAT) ge_fail_in(rc, "cell %u, items %u+%u", r->cell, r->first, r->count);
    return rc;
}
