/* Reading: results.h5 or a journal into a ge_run. What a file declares is checked before it is
 * believed, so a damaged or foreign file is an error and never a crash. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/files.h"
#include "store/journal.h"
#include "store/run_head.h"
#include "store/store.h"
#include "store/table.h"

/* ---- head --------------------------------------------------------------------------------------- */

static ge_status read_meta(const struct ge_h5_file *f, struct ge_run *run)
{
    ge_status rc = GE_OK;
    uint64_t chunk_items = 0;
    GE_TRY(ge_h5_get_u64(f, "/meta/chunk_items", &chunk_items));
    if (chunk_items == 0 || chunk_items > UINT32_MAX) {
        rc = ge_fail(GE_EFORMAT, "%s: /meta/chunk_items: %llu is out of range", f->path,
                     (unsigned long long)chunk_items);
        goto done;
    }
    run->chunk_items = (uint32_t)chunk_items;
    GE_TRY(ge_h5_get_text(f, "/meta/run_id", run->arena, &run->id));
    GE_TRY(ge_h5_get_text(f, "/meta/numerics_id", run->arena, &run->numerics_id));
    GE_TRY(ge_h5_get_text(f, "/meta/job", run->arena, &run->job));
    GE_TRY(ge_h5_get_text(f, "/meta/provenance", run->arena, &run->provenance));
    GE_TRY(ge_names_read(f, "metric", run->arena, &run->metrics));
    GE_TRY(ge_names_read(f, "rule", run->arena, &run->rules));
    GE_TRY(ge_names_read(f, "kind", run->arena, &run->embedding_kinds));
done:
    return rc;
}

/* Cells, and each one's position in /names/system (heap). */
static ge_status read_cells(const struct ge_h5_file *f, struct ge_run *run, uint32_t **systems)
{
    ge_status rc = GE_OK;
    struct ge_row_cells of = {0};
    struct ge_strings names;
    void *rows = NULL;
    GE_TRY(ge_names_read(f, "system", run->arena, &names));
    GE_TRY(ge_table_read(f, &ge_table_cells, run->arena, &rows, &run->n_cells, &of));
    run->cells = rows;
    for (size_t i = 0; i < run->n_cells; i++) {
        if (of.cell[i] != i || of.system[i] >= names.n) {
            rc = ge_fail(GE_EFORMAT, "%s: /cells row %zu: wrong number or system", f->path, i);
            goto done;
        }
        run->cells[i].system = names.v[of.system[i]];
    }
    *systems = of.system;
    of.system = NULL;
done:
    free(of.cell);
    free(of.system);
    return rc;
}

/* Names that the columns of /items point into. */
struct item_names {
    struct ge_strings item, category, subcategory, cluster;
};

static bool names_at(const struct ge_strings *names, uint32_t i, const char *want)
{
    return i < names->n && strcmp(names->v[i], want != NULL ? want : "") == 0;
}

static ge_status read_items(const struct ge_h5_file *f, struct ge_run *run)
{
    ge_status rc = GE_OK;
    struct item_names names;
    void *rows = NULL;
    GE_TRY(ge_names_read(f, "item", run->arena, &names.item));
    GE_TRY(ge_names_read(f, "category", run->arena, &names.category));
    GE_TRY(ge_names_read(f, "subcategory", run->arena, &names.subcategory));
    GE_TRY(ge_names_read(f, "cluster", run->arena, &names.cluster));
    GE_TRY(ge_table_read(f, &ge_table_items, run->arena, &rows, &run->n_items, NULL));
    GE_TRY_PTR(run->items, ge_arena_alloc(run->arena, run->n_items, sizeof *run->items));
    const struct ge_item_row *row = rows;
    for (size_t i = 0; i < run->n_items; i++, row++) {
        struct ge_item *item = &run->items[i];
        if (row->item != i || row->record == NULL || run->n_items > UINT32_MAX) {
            rc = ge_fail(GE_EFORMAT, "%s: /items row %zu: wrong position or no record", f->path, i);
            goto done;
        }
        rc = ge_item_parse(row->record, strlen(row->record), row->item, run->arena, item);
        if (rc != GE_OK) {
            ge_fail_in(rc, "%s: /items", f->path);
            goto done;
        }
        if (!names_at(&names.item, row->item, item->id) ||
            !names_at(&names.category, row->category, item->category) ||
            !names_at(&names.subcategory, row->subcategory, item->subcategory) ||
            !names_at(&names.cluster, row->cluster, item->cluster)) {
            rc = ge_fail(GE_EFORMAT, "%s: /items row %zu: columns and record disagree", f->path, i);
            goto done;
        }
    }
done:
    return rc;
}

/* The table is there only if people rated anything. */
static ge_status read_ratings(const struct ge_h5_file *f, struct ge_run *run,
                              const uint32_t *systems)
{
    ge_status rc = GE_OK;
    struct ge_ratings *r = &run->ratings;
    struct ge_row_cells of = {0};
    void *rows = NULL;
    if (!ge_h5_has(f, ge_table_ratings.name)) return GE_OK;
    GE_TRY(ge_names_read(f, "rater", run->arena, &r->raters));
    GE_TRY(ge_names_read(f, "dimension", run->arena, &r->dimensions));
    GE_TRY(ge_table_read(f, &ge_table_ratings, run->arena, &rows, &r->n, &of));
    r->v = rows;
    for (size_t i = 0; i < r->n; i++) {
        r->v[i].cell = of.cell[i];
        if (of.cell[i] < run->n_cells && of.system[i] == systems[of.cell[i]]) continue;
        GE_TRY(ge_fail(GE_EFORMAT, "%s: /ratings row %zu: no such cell, or of another system",
                       f->path, i));
    }
done:
    free(of.cell);
    free(of.system);
    return rc;
}

/* ---- results ------------------------------------------------------------------------------------ */

static ge_status read_chunks(const struct ge_h5_file *f, struct ge_run *run)
{
    ge_status rc = GE_OK;
    struct ge_row_cells of = {0};
    void *rows = NULL;
    GE_TRY(ge_table_read(f, &ge_table_chunks, run->arena, &rows, &run->n_results, &of));
    run->results = rows;
    for (size_t i = 0; i < run->n_results; i++) {
        uint64_t id = 0, before = 0;
        run->results[i].cell = of.cell[i];
        GE_TRY(ge_run_chunk_id(run, &run->results[i], &id));
        if (i > 0) GE_TRY(ge_run_chunk_id(run, &run->results[i - 1], &before));
        if (i > 0 && before >= id) {
            rc = ge_fail(GE_EFORMAT, "%s: /chunks row %zu: out of order or twice", f->path, i);
            goto done;
        }
    }
done:
    if (rc == GE_EFORMAT) ge_fail_in(rc, "/chunks");
    free(of.cell);
    free(of.system);
    return rc;
}

/* Give each result its part of a table: rows are in the order of the chunks. */
static ge_status share_rows(struct ge_run *run, const struct ge_result_table *t,
                            unsigned char *rows, size_t n, const uint32_t *cells)
{
    size_t at = 0, size = t->table->row_bytes;
    for (size_t i = 0; i < run->n_results; i++) {
        struct ge_result *r = &run->results[i];
        size_t begin = at;
        for (; at < n && cells[at] == r->cell; at++) {
            struct ge_key key;
            memcpy(&key, rows + at * size, sizeof key);
            if (key.item < r->first || key.item - r->first >= r->count) break;
        }
        void *part = rows + begin * size;
        size_t count = at - begin;
        memcpy((char *)r + t->rows, &part, sizeof part);
        memcpy((char *)r + t->count, &count, sizeof count);
    }
    if (at == n) return GE_OK;
    return ge_fail(GE_EFORMAT, "/%s row %zu: of no chunk, or out of order", t->table->name, at);
}

static ge_status read_rows(const struct ge_h5_file *f, struct ge_run *run, const uint32_t *systems,
                           const struct ge_result_table *t)
{
    ge_status rc = GE_OK;
    struct ge_row_cells of = {0};
    void *rows = NULL;
    size_t n = 0;
    GE_TRY(ge_table_read(f, t->table, run->arena, &rows, &n, &of));
    for (size_t i = 0; i < n; i++) {
        if (of.cell[i] >= run->n_cells || of.system[i] != systems[of.cell[i]]) {
            rc = ge_fail(GE_EFORMAT, "/%s row %zu: no such cell, or of another system",
                         t->table->name, i);
            goto done;
        }
    }
    rc = share_rows(run, t, rows, n, of.cell);
done:
    if (rc == GE_EFORMAT) ge_fail_in(rc, "%s", f->path);
    free(of.cell);
    free(of.system);
    return rc;
}

/* The digest that packing stored must be that of the rows. */
static ge_status check_digest(const struct ge_h5_file *f, struct ge_run *run)
{
    ge_status rc = GE_OK;
    const char *hex = NULL;
    struct ge_hash stored, digest;
    GE_TRY(ge_h5_get_text(f, "/meta/digest", run->arena, &hex));
    GE_TRY(ge_hash_parse(hex, &stored));
    GE_TRY(ge_store_digest(run, &digest));
    if (!ge_hash_equal(stored, digest)) {
        rc = ge_fail(GE_EFORMAT,
                     "%s: rows changed since it was packed: their digest is not the "
                     "stored one; pack it again from the journal",
                     f->path);
    }
done:
    return rc;
}

static ge_status read_file(const struct ge_h5_file *f, struct ge_run *run)
{
    ge_status rc = GE_OK;
    uint32_t version = 0, *systems = NULL;
    GE_TRY(ge_h5_get_attribute(f, "schema_version", &version));
    if (version != GE_STORE_SCHEMA) {
        rc = ge_fail(GE_EUNSUPPORTED, "%s: schema version %u, this program reads %d", f->path,
                     version, GE_STORE_SCHEMA);
        goto done;
    }
    GE_TRY(read_meta(f, run));
    GE_TRY(read_cells(f, run, &systems));
    GE_TRY(read_items(f, run));
    GE_TRY(read_ratings(f, run, systems));
    GE_TRY(ge_run_head_check(run));
    GE_TRY(read_chunks(f, run));
    for (int t = 0; t < GE_RESULT_TABLES; t++) {
        GE_TRY(read_rows(f, run, systems, &ge_result_tables[t]));
    }
    for (size_t i = 0; i < run->n_results; i++) {
        GE_TRY(ge_run_result_check(run, &run->results[i]));
    }
    GE_TRY(check_digest(f, run));
done:
    free(systems);
    return rc;
}

ge_status ge_store_read(const char *path, struct ge_run **out)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    struct ge_h5_file f = {0};
    enum ge_sum sum;
    *out = NULL;
    GE_TRY(ge_sum_check(path, &sum));
    if (sum == GE_SUM_WRONG) {
        rc = ge_fail(GE_EFORMAT,
                     "%s: its content is not what %s.sum says; pack it again from the journal, or "
                     "take a copy",
                     path, ge_fs_basename(path));
        goto done;
    }
    if (sum == GE_SUM_ABSENT && ge_fs_exists(path)) {
        ge_warn("%s: no checksum file beside it; reading it without that proof", path);
    }
    GE_TRY_PTR(run, ge_run_new());
    GE_TRY(ge_h5_open(&f, path));
    GE_TRY(read_file(&f, run));
    *out = run;
    run = NULL;
done:
    if (rc != GE_OK && f.failed != GE_OK) rc = ge_h5_fail(&f, path);
    if (f.path != NULL) {
        char *why = rc != GE_OK ? ge_strdup(ge_error()) : NULL;
        (void)ge_h5_close(&f, false);
        if (why != NULL) ge_fail(rc, "%s", why);
        free(why);
    }
    ge_run_delete(&run);
    return rc;
}

/* ---- journal ------------------------------------------------------------------------------------ */

/* Load every recorded chunk of a scan into its run, which then leaves the scan. */
static ge_status load_results(struct ge_journal_scan *scan)
{
    ge_status rc = GE_OK;
    struct ge_run *run = scan->run;
    size_t recorded = 0;
    for (uint64_t i = 0; i < scan->n_chunks; i++) recorded += scan->chunks[i].length > 0;
    GE_TRY_PTR(run->results, ge_arena_alloc(run->arena, recorded, sizeof *run->results));
    for (uint64_t i = 0; i < scan->n_chunks; i++) {
        if (scan->chunks[i].length == 0) continue;
        GE_TRY(ge_journal_load(scan, i, run->arena, &run->results[run->n_results]));
        run->n_results++;
    }
done:
    return rc;
}

ge_status ge_store_read_journal(const char *dir, struct ge_run **out)
{
    ge_status rc = GE_OK;
    struct ge_journal_scan scan = {0};
    char *journal = NULL;
    *out = NULL;
    GE_TRY_PTR(journal, ge_sprintf("%s/%s", dir, GE_FILE_JOURNAL));
    GE_TRY(ge_journal_scan(journal, &scan));
    if (scan.run == NULL) {
        rc = ge_fail(GE_ENOENT, "%s: no run was recorded here", dir);
        goto done;
    }
    GE_TRY(load_results(&scan));
    *out = scan.run;
    scan.run = NULL;
done:
    ge_journal_scan_free(&scan);
    free(journal);
    return rc;
}

ge_status ge_store_open(const char *path, struct ge_run **out)
{
    ge_status rc = GE_OK;
    char *results = NULL;
    *out = NULL;
    if (!ge_fs_exists(path)) return ge_fail(GE_ENOENT, "%s: no such file or folder", path);
    if (!ge_fs_is_dir(path)) return ge_store_read(path, out);
    GE_TRY_PTR(results, ge_sprintf("%s/%s", path, GE_FILE_RESULTS));
    rc = ge_store_read_journal(path, out);
    if ((rc == GE_ENOENT || rc == GE_EFORMAT) && ge_fs_exists(results)) {
        ge_warn("%s; reading %s instead", ge_error(), results);
        rc = ge_store_read(results, out);
    }
done:
    free(results);
    return rc;
}
